"""What of an estate, a server or a machine is compared between two audits, in words for people.

A value is text, ``None`` where there is none, and an ``Unread`` where it is not known. Two that are both not known
are no change, whatever their reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

from compliance.model import (
    Adapter,
    AdapterConnection,
    Addresses,
    Answer,
    Cluster,
    FailoverAddress,
    Guest,
    Inside,
    InsideUnix,
    InsideWindows,
    Judging,
    Power,
    Server,
    Unread,
    VirtualMachine,
)

Known = str | Unread | None
UNREAD = Unread("not read")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """``what`` is ours to say, ``of`` is the adapter's name. ``bears``: it may move an outcome."""

    what: str
    of: str = ""
    before: Known
    after: Known
    bears: bool = False


Aspects = tuple[tuple[str, bool, Callable[[T], Known]], ...]
"""What it is called, whether it bears on an outcome, and how it is told."""

ESTATE: Aspects[Judging] = (
    ("evidence", True, lambda settings: settings.evidence.value),
    ("boot grace", True, lambda settings: f"{settings.boot_grace.total_seconds() / 60:g} minutes"),
    (
        "an estate without replicated machines",
        True,
        lambda settings: _either(settings.may_be_empty, "fine", "an error"),
    ),
)
SERVER: Aspects[Server] = (
    ("reading", True, lambda server: server.unread or "read"),
    ("doubt", True, lambda server: server.doubt),
    ("cluster read in part", True, lambda server: server.partial),
    ("insecure choice of the inventory", False, lambda server: server.insecure),
)
CLUSTER: Aspects[Cluster] = (
    ("reading", True, lambda cluster: cluster.unread or "read"),
    ("nodes", True, lambda cluster: _join_values(sorted(cluster.nodes))),
    ("doubt", True, lambda cluster: "; ".join(cluster.doubts) or None),
)
READ_SERVER: Aspects[Server] = (
    ("version", True, lambda server: server.version),
    ("name of its own", True, lambda server: server.host_name),
)
MACHINE: Aspects[VirtualMachine] = (
    ("server", True, lambda machine: machine.place),
    ("node", False, lambda machine: machine.server if machine.cluster else None),
    ("name", False, lambda machine: machine.name),
    ("role", True, lambda machine: _text_of(machine.role)),
    ("power", True, lambda machine: _text_of(machine.power)),
    ("replication", True, lambda machine: _either(machine.replicated, "alive", "none")),
    ("its rows", True, lambda machine: machine.doubt or "read"),
    ("during the audit", True, lambda machine: "; ".join(machine.changed) or None),
    ("partners", True, lambda machine: _join_values(machine.partners)),
    ("Data Exchange", True, lambda machine: _either(machine.data_exchange_offered, "offered", "switched off")),
    ("answer of the guest", True, lambda machine: _answer(machine)),
    ("inside of the guest", True, lambda machine: _inside(machine.inside)),
    ("failover", True, lambda machine: _either(machine.failed_over, "made", "not made")),
    ("replication provider", True, lambda machine: _either(machine.foreign, "another", "Hyper-V Replica")),
)
SHIELDING: Aspects[bool] = (("shielding", True, lambda shielded: "shielded" if shielded else "not shielded"),)
GUEST: Aspects[Guest] = (
    ("operating system", False, lambda guest: _item(guest, guest.system)),
    ("integration services", False, lambda guest: _item(guest, guest.integration_services_version)),
)
ADAPTER: Aspects[Adapter] = (
    ("adapter name", False, lambda adapter: adapter.name),
    ("adapter kind", True, lambda adapter: _either(adapter.legacy, "legacy", "synthetic")),
    ("adapter MAC address", False, lambda adapter: adapter.mac),
    ("adapter switch", True, lambda adapter: _switch(adapter)),
)
TODAY: Aspects[Addresses] = (("addresses of today", True, lambda today: _today(today)),)
FAILOVER: tuple[tuple[str, Callable[[FailoverAddress], tuple[str, ...]]], ...] = (
    ("failover addresses", lambda setting: setting.addresses),
    ("failover subnets", lambda setting: setting.subnets),
    ("failover gateways", lambda setting: setting.gateways),
    ("failover DNS servers", lambda setting: setting.dns_servers),
)


def estate_changes(before: Judging, after: Judging) -> tuple[Change, ...]:
    """Settings that the two audits are judged by."""
    return tuple(_changes(ESTATE, before, after))


def server_changes(before: Server, after: Server) -> tuple[Change, ...]:
    # What an unread server would have said of itself is told once, by that it was not read.
    aspects = SERVER if before.unread or after.unread else (*SERVER, *READ_SERVER)
    return tuple(_changes(aspects, before, after))


def cluster_changes(before: Cluster, after: Cluster) -> tuple[Change, ...]:
    return tuple(_changes(CLUSTER, before, after))


def machine_changes(before: VirtualMachine, after: VirtualMachine) -> tuple[Change, ...]:
    changes = list(_changes(MACHINE, before, after))
    if (was := _answering(before)) and (now := _answering(after)):
        # One that does not answer says nothing of itself: that is no change of what is inside.
        changes += _changes(GUEST, was, now)
    if not isinstance(before.shielded, Unread) and not isinstance(after.shielded, Unread):  # asked of replicated ones
        changes += _changes(SHIELDING, before.shielded, after.shielded)
    if before.adapters != after.adapters or before.failover != after.failover:
        names = _adapter_names(before, after)
        changes += _adapter_changes(before.adapters, after.adapters, names)
        changes += _failover_changes(before.failover, after.failover, names)
    return tuple(changes)


def _changes(aspects: Aspects[T], before: T, after: T, of: str = "") -> Iterator[Change]:
    for what, bears, tell in aspects:
        was, now = tell(before), tell(after)
        if _differ(was, now):
            yield Change(what=what, of=of, before=was, after=now, bears=bears)


def _differ(before: Known, after: Known) -> bool:
    return before != after and not (isinstance(before, Unread) and isinstance(after, Unread))


# --- adapters and their failover addresses ----------------------------------------------------------------------------


def _adapter_changes(
    before: tuple[Adapter, ...] | Unread, after: tuple[Adapter, ...] | Unread, names: Mapping[str, str]
) -> Iterator[Change]:
    if isinstance(before, Unread) or isinstance(after, Unread):
        was, now = (
            side if isinstance(side, Unread) else _join_values([str(nic) for nic in side]) for side in (before, after)
        )
        if _differ(was, now):
            yield Change(what="adapters", before=was, after=now)
        return
    olds, news = ({adapter.guid: adapter for adapter in side} for side in (before, after))
    for guid in sorted(olds.keys() | news.keys()):
        old, new = olds.get(guid), news.get(guid)
        if old and new:
            yield from _changes(ADAPTER, old, new, names[guid])
            if isinstance(old.today, Addresses) and isinstance(new.today, Addresses):  # a guest that is off says none
                yield from _changes(TODAY, old.today, new.today, names[guid])
        else:
            yield Change(what="adapter", of=names[guid], before=_adapter(old), after=_adapter(new))


def _adapter(adapter: Adapter | None) -> str | None:
    if adapter is None:
        return None
    texts = [tell(adapter) for _, _, tell in ADAPTER[1:]]
    return ", ".join(f"not known if connected ({text})" if isinstance(text, Unread) else text for text in texts if text)


def _failover_changes(
    before: tuple[FailoverAddress, ...] | Unread, after: tuple[FailoverAddress, ...] | Unread, names: Mapping[str, str]
) -> Iterator[Change]:
    if isinstance(before, Unread) or isinstance(after, Unread):
        was, now = (
            side if isinstance(side, Unread) else _join_values([str(each) for each in side]) for side in (before, after)
        )
        if _differ(was, now):
            yield Change(what="failover addresses", before=was, after=now, bears=True)
        return
    olds, news = _by_adapter(before), _by_adapter(after)
    for key in sorted(olds.keys() | news.keys()):
        old, new = olds.get(key), news.get(key)
        for what, tell in FAILOVER:
            was, now = (_join_values(tell(side)) if side else None for side in (old, new))
            if was != now:
                # Another address is judged as the one before it; the first one and the last one are not.
                bears = what != "failover DNS servers"
                yield Change(what=what, of=names[key[0]], before=was, after=now, bears=bears)


def _by_adapter(settings: tuple[FailoverAddress, ...]) -> dict[tuple[str, int], FailoverAddress]:
    """By the adapter's GUID; several settings of one adapter, which no server should show, stay apart by a number."""
    by_adapter: dict[tuple[str, int], FailoverAddress] = {}
    for setting in settings:
        number = next(number for number in count() if (setting.adapter_guid, number) not in by_adapter)
        by_adapter[setting.adapter_guid, number] = setting
    return by_adapter


def _adapter_names(before: VirtualMachine, after: VirtualMachine) -> dict[str, str]:
    """By GUID, as the later audit calls them; those of one name carry eight digits of their GUID."""
    names: dict[str, str] = {}
    for machine in (before, after):
        names |= {setting.adapter_guid: str(setting.adapter or setting.adapter_guid) for setting in machine.settings}
        if not isinstance(machine.adapters, Unread):
            names |= {adapter.guid: str(adapter) for adapter in machine.adapters}
    taken = Counter(names.values())
    return {guid: f"{name}~{guid[:8].lower()}" if taken[name] > 1 else name for guid, name in names.items()}


# --- one value --------------------------------------------------------------------------------------------------------


def _text_of(value: object) -> Known:
    return value if isinstance(value, Unread) else str(value)


def _either(value: bool | Unread, yes: str, no: str) -> Known:
    return value if isinstance(value, Unread) else yes if value else no


def _join_values(values: tuple[str, ...] | list[str] | Unread) -> Known:
    return values if isinstance(values, Unread) else ", ".join(values) or None


def _switch(adapter: Adapter) -> Known:
    """Whether it leads anywhere; an audit that asked for no more knows only that it is enabled."""
    if isinstance(adapter.connection, Unread):
        return _either(adapter.connected, "connected", "not connected")
    return "not connected" if adapter.connection is AdapterConnection.NONE else str(adapter.connection)


def _today(today: Addresses) -> str | None:
    kind = {True: "by DHCP", False: "static", None: "not known whether by DHCP"}[today.dynamic]
    values = (*today.addresses, *today.subnets, *today.gateways, *today.dns_servers)
    return f"{', '.join(values)} ({kind})" if values else None


def _answer(machine: VirtualMachine) -> Known:
    """A guest that runs and has no row was not read; one that does not run has none."""
    guest = machine.guest
    if isinstance(guest, Guest):
        return _text_of(guest.answer)
    if guest is None and machine.power in (Power.RUNNING, Power.PAUSED):
        return Unread("its Data Exchange component has no row")
    return guest


def _inside(inside: Inside | Unread | None) -> Known:
    """What was seen of each link to the adapter, in a line."""
    if not isinstance(inside, Inside):
        return inside
    links = _of_windows(inside) if isinstance(inside, InsideWindows) else []
    links += _of_unix(inside) if isinstance(inside, InsideUnix) else []
    return "; ".join([str(inside), *links])


def _of_unix(inside: InsideUnix) -> list[str]:
    links = [f"{name}: {_word(seen)}" for name, seen in (("driver", inside.driver), ("device", inside.device))]
    if daemon := inside.daemon:
        links += [
            f"daemon {daemon.program}",
            f"runs: {_word(daemon.running)}",
            f"at boot: {_word(daemon.at_boot)}",
            f"script {_word(daemon.script)}: {_word(daemon.script_state)}",
            f"writes for: {_word(daemon.writes)}",
            f"takes: {daemon.takes}",
            f"hands over: {'not known' if daemon.hands_over is None else daemon.hands_over}",
            f"loads: {_word(daemon.loads)}",
            f"calls ifup: {_word(UNREAD if daemon.calls_ifup is None else daemon.calls_ifup)}",
            *([daemon.confined] if daemon.confined else []),
            *(["for the kernel that runs its package is missing"] if daemon.wrapper else []),
        ]
    links += [f"{adapter.name}: {_word(adapter.stacks)}" for adapter in inside.adapters if adapter.synthetic]
    return links if inside.daemon else [*links, "no daemon"]


def _of_windows(inside: InsideWindows) -> list[str]:
    service = inside.service
    if isinstance(service, Unread):
        return ["service not known"]
    if service is None:
        return ["no service"]
    return [f"service {service.name}", f"runs: {_word(service.running)}", f"disabled: {_word(service.disabled)}"]


def _word(seen: bool | str | tuple[str, ...] | Unread) -> str:
    if isinstance(seen, Unread):
        return "not known"
    if isinstance(seen, tuple):
        return " and ".join(seen) or "nothing"
    return seen if isinstance(seen, str) else "yes" if seen else "no"


def _answering(machine: VirtualMachine) -> Guest | None:
    guest = machine.guest
    return guest if isinstance(guest, Guest) and guest.answer in (Answer.OK, Answer.DEGRADED) else None


def _item(guest: Guest, value: str | None) -> Known:
    return (value or None) if guest.items_read else Unread("what the guest published was too large to be read")
