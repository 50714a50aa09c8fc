"""Whose guest is at the end of a way in? That of the machine that its host says so of, and of no other.

An address or a name proves nothing: it may have been given to another machine since the inventory was written. What
the host knows of the machine and the guest of itself has to agree: the MAC addresses of its synthetic adapters, and
the machine's GUID, which Data Exchange leaves in the guest. The firmware's UUID is not compared: most accounts can't
read it, and hosts are not asked for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from compliance.hyperv.guests.networks import mac
from compliance.hyperv.guests.unix import understand
from compliance.hyperv.guests.windows import understand_windows
from compliance.hyperv.rows import first_label, some
from compliance.model import Inside, Power, Server, Unread, VirtualMachine, Way
from compliance.patterns import any_matches, folded
from compliance.snapshot.snapshot import GuestReading, GuestSource

NO_ADDRESS = "0" * 12
"""What an adapter has whose host never gave it an address."""
A_PATTERN = frozenset("*?[")
RUNS = frozenset({Power.RUNNING, Power.PAUSED})


def with_guests(
    servers: tuple[Server, ...], sources: Sequence[GuestSource], left_out: Iterable[str] = ()
) -> tuple[tuple[Server, ...], tuple[Way, ...]]:
    """The same servers, each machine with what its guest showed, and the ways with the machines that they led to.

    ``left_out``: names of servers of the inventory that were not to be read.
    """
    if not sources:
        return servers, ()
    named, beyond = _named(servers), _Beyond(servers, left_out)
    ways_of: dict[str, list[Way]] = defaultdict(list)
    ways: list[Way] = []
    for source in sources:
        guids = _matched(source.machines, named)
        machines = [machine for machine in _machines(servers) if machine.guid in guids]
        reading = source.reading
        way = Way(
            name=source.name,
            patterns=source.machines,
            insecure=source.insecure,
            inside=reading if isinstance(reading, Unread) else _understood(source.name, reading),
            matched=tuple(map(str, machines)),
            beyond=beyond.holds(source.machines, machines),
        )
        ways.append(way)
        for guid in guids:
            ways_of[guid].append(ways[-1])
    index = _Index(servers)
    seen = tuple(
        replace(server, machines=tuple(_looked_into(one, ways_of, index) for one in server.machines))
        for server in servers
    )
    proved: dict[int, list[str]] = defaultdict(list)  # two sites may each have a way of one name, such as local://
    for machine in _machines(seen):
        if isinstance(machine.inside, Inside):
            proved[id(machine.inside)].append(str(machine))
    return seen, tuple(replace(way, proved=tuple(proved[id(way.inside)])) for way in ways)


def _understood(way: str, reading: GuestReading) -> Inside | Unread:
    return understand_windows(way, reading.answers) if reading.answers else understand(way, reading.sections)


class _Beyond:
    """Which guests may run on servers that ``--hv-limit`` left out."""

    def __init__(self, servers: Sequence[Server], left_out: Iterable[str]) -> None:
        self._left_out = {first_label(name) for name in left_out}
        self._here = {folded(name) for server in servers for name in (server.name, server.cluster) if name}

    def holds(self, patterns: Sequence[str], machines: Sequence[VirtualMachine]) -> bool:
        if not self._left_out:
            return False
        if machines:
            return all(map(self._runs_there, machines))
        return any(folded(pattern.rpartition("/")[0]) not in self._here for pattern in patterns)

    def _runs_there(self, machine: VirtualMachine) -> bool:
        """It does not run here, and its other side is there."""
        if isinstance(machine.power, Unread) or machine.power in RUNS or isinstance(machine.partners, Unread):
            return False
        return any(first_label(name) in self._left_out for name in machine.partners)


def _machines(servers: Sequence[Server]) -> Iterator[VirtualMachine]:
    return (machine for server in servers for machine in server.machines)


def _named(servers: Sequence[Server]) -> dict[str, set[str]]:
    """What a machine may be called -> the GUIDs of those that are. Both sides of a replica share one, and one guest."""
    named: dict[str, set[str]] = defaultdict(set)
    for machine in _machines(servers):
        for name in (machine.name, machine.guid, str(machine)):
            named[folded(name)].add(machine.guid)
    return named


def _matched(patterns: Sequence[str], named: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        found |= named.get(folded(pattern), set())
        if A_PATTERN & set(pattern):
            found |= {guid for name, guids in named.items() if any_matches([pattern], [name]) for guid in guids}
    return found


class _Index:
    """Machines whose guests run, by what a guest may prove itself by."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._by: dict[str, list[VirtualMachine]] = defaultdict(list)
        for machine in _machines(servers):
            macs = _macs(machine)
            keys = {machine.guid.upper()} | (set() if isinstance(macs, Unread) else macs)
            for key in keys if machine.power in RUNS else ():
                self._by[key].append(machine)

    def rival(self, machine: VirtualMachine, inside: Inside) -> VirtualMachine | None:
        """Another machine of which the guest proves as much: a copy that kept its addresses, or the other side where
        both run."""
        keys = {inside.machine_id, *(adapter.mac for adapter in inside.adapters)}
        others = (other for key in keys if isinstance(key, str) for other in self._by.get(key, ()))
        return next((one for one in others if _differ(one, machine) and not _doubt(one, inside)), None)


def _differ(one: VirtualMachine, other: VirtualMachine) -> bool:
    return (one.guid, one.server) != (other.guid, other.server)


def _looked_into(machine: VirtualMachine, ways_of: Mapping[str, Sequence[Way]], index: _Index) -> VirtualMachine:
    ways = ways_of.get(machine.guid, ())
    return replace(machine, inside=_inside(machine, ways, index)) if ways else machine


def _inside(machine: VirtualMachine, ways: Sequence[Way], index: _Index) -> Inside | Unread:
    """What the first way showed that proved to lead here; else why none did."""
    if machine.power not in RUNS:
        return Unread(f"its guest does not run on {machine.server}, so what was seen there is not this one's")
    reasons = []
    for way in ways:
        if isinstance(way.inside, Unread):
            reasons.append(way.inside)
        elif doubt := _doubt(machine, way.inside):
            reasons.append(Unread(f"what answers at {way.name} is not known to be this machine: {doubt}"))
        elif rival := index.rival(machine, way.inside):
            reasons.append(Unread(f"what answers at {way.name} may as well be {rival}: both run, and are alike to it"))
        else:
            return way.inside
    return Unread("; ".join(dict.fromkeys(map(str, reasons))), reasons[0].why)


def _doubt(machine: VirtualMachine, inside: Inside) -> str:
    """Why it may be another machine's guest; empty where one thing at least agrees, and nothing contradicts."""
    if inside.on_hyperv is False:
        firmware = f" (its firmware is {inside.platform})" if inside.platform else ""
        return f"{inside} there is not on Hyper-V{firmware}"
    given = inside.machine_id
    if isinstance(given, str) and given != machine.guid.upper():
        return f"its host told it that it is {given}, and this machine is {machine.guid.upper()}"
    there = {adapter.mac for adapter in inside.adapters if adapter.synthetic} - {NO_ADDRESS}
    here = _macs(machine)
    if isinstance(here, Unread):
        return "" if isinstance(given, str) else f"{here}, and the guest holds no GUID of its machine"
    if strange := sorted(there - here):
        return f"it has an adapter {_spelled(strange)}, and this machine has {_spelled(sorted(here)) or 'none'}"
    if there or isinstance(given, str):
        return ""
    return "it shows no synthetic adapter and no GUID of its machine"


def _macs(machine: VirtualMachine) -> frozenset[str] | Unread:
    if isinstance(machine.adapters, Unread):
        return machine.adapters
    return frozenset(mac(one.mac) for one in machine.adapters if one.mac and not one.legacy) - {NO_ADDRESS}


def _spelled(macs: Sequence[str]) -> str:
    return some([":".join(one[at : at + 2] for at in range(0, 12, 2)) for one in macs])
