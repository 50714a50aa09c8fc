"""One server's rows become its virtual machines.

The joins are those of Microsoft's own BPA script: by the GUID in an InstanceID, without case, restricted to machines
that the server itself lists. What can't be joined is not "none": it is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from operator import itemgetter

from compliance.hyperv import queries
from compliance.hyperv.adapters import ENABLED, adapters_of, all_adapters, parsed_addresses, with_guest_addresses
from compliance.hyperv.host import HostRows, MachineList, why_no_address
from compliance.hyperv.replication import (
    ROLES,
    has_failed_over,
    is_replicated,
    is_shielded,
    partners_of,
    sends_onward,
    tested_replica,
)
from compliance.hyperv.rows import cut, filled, first_number, number, read_word, text
from compliance.model import (
    Adapter,
    Answer,
    FailoverAddress,
    Guest,
    Power,
    Row,
    Unread,
    VirtualMachine,
)

MAY_NOT_CHANGE = (("ReplicationMode", "role"), ("EnabledState", "power state"))
POWERS = {2: Power.RUNNING, 3: Power.OFF, 6: Power.SAVED, 9: Power.PAUSED}
ANSWERS = {2: Answer.OK, 3: Answer.DEGRADED, 7: Answer.NO_PROTOCOL, 12: Answer.NO_CONTACT, 13: Answer.LOST}


def machines_of(host: HostRows) -> tuple[VirtualMachine, ...]:
    first, again = host.first, host.again
    guids = first.machines.keys() | (again.machines.keys() if isinstance(again, MachineList) else set())
    machines = [_machine(host, guid, first, again) for guid in guids]
    return tuple(sorted(machines, key=lambda machine: (machine.name.casefold(), machine.guid)))


def _machine(host: HostRows, guid: str, first: MachineList, again: MachineList | Unread) -> VirtualMachine:
    before = first.machines.get(guid)
    after = again.machines.get(guid) if isinstance(again, MachineList) else None
    row = before if before is not None else after
    assert row is not None  # noqa: S101  # guid came from one of the two
    role = read_word(row, "ReplicationMode", ROLES)
    doubled = guid in first.doubled or (isinstance(again, MachineList) and guid in again.doubled)
    changed, renamed = _changes(before, after, again, doubled=doubled)
    if doubled:
        role = Unread("it stands twice in the list of machines")  # and each row may give another one
    elif before is not None and after is not None and (later := read_word(after, "ReplicationMode", ROLES)) != role:
        role = Unread(f"its role changed during the audit from {role} to {later}")
    replicated, replicated_remarks = is_replicated(host, guid, row, role)
    guest = _guest(host, guid)
    adapters = with_guest_addresses(adapters_of(host, guid), guest)
    failover, failover_remarks = _failover(host, guid, adapters)
    partners = partners_of(host, guid, role)
    name = text(row, "ElementName")
    return VirtualMachine(
        server=host.name,
        guid=guid,
        name=cut(name) if isinstance(name, str) and name.strip() else guid,
        role=role,
        power=_power(row),
        replicated=replicated,
        doubt=_doubt(host, guid, replicated),
        uptime=_uptime(row),
        failover=failover,
        data_exchange_offered=_offered(host, guid),
        guest=guest,
        heartbeat=_heartbeat(host, guid),
        adapters=all_adapters(host, guid, adapters),
        partners=partners.names,
        receives_from=partners.receives_from,
        sends_to=partners.sends_to,
        sends_onward=sends_onward(host, guid, role),
        replication_settings_read=not isinstance(host.replication, Unread),
        failed_over=has_failed_over(host, guid, row, role),
        shielded=is_shielded(host, guid),
        foreign=partners.foreign,
        test_of=tested_replica(host, guid, role),
        changed=changed,
        remarks=(*renamed, *replicated_remarks, *failover_remarks),
    )


def _power(row: Row) -> Power | Unread:
    state = number(row, "EnabledState")
    if state is None:
        return Unread("its power state is not given")
    return state if isinstance(state, Unread) else POWERS.get(state, Power.OTHER)


def _changes(
    before: Row | None, after: Row | None, again: MachineList | Unread, *, doubled: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What differs between the two reads of the list: what forbids a verdict, and what is only worth a remark."""
    if isinstance(again, Unread):
        return (f"the list of machines could not be read a second time: {again}",), ()
    if doubled:
        return ("stands twice in the list of machines",), ()
    if before is None or after is None:
        return (f"{'appeared' if before is None else 'vanished'} during the audit",), ()
    changes = tuple(
        [f"its {word} changed during the audit" for name, word in MAY_NOT_CHANGE if before.get(name) != after.get(name)]
    )
    names = before.get("ElementName"), after.get("ElementName")
    return changes, () if names[0] == names[1] else (f"renamed during the audit to {cut(str(names[1]))}",)


def _doubt(host: HostRows, guid: str, replicated: bool | Unread) -> Unread | None:
    """Why nothing can be said of this machine, though its own row is there."""
    if isinstance(host.settings, Unread):
        return Unread(f"the settings of virtual machines could not be read: {host.settings}", host.settings.why)
    if isinstance(host.failover, Unread):
        return Unread(f"failover addresses could not be read: {host.failover}", host.failover.why)
    if isinstance(host.offers, Unread):
        return Unread(f"the offers of Data Exchange could not be read: {host.offers}", host.offers.why)
    if guid not in host.realized:
        return Unread("its settings row is missing, which every virtual machine has")
    if replicated is not False and not host.shows_offers:
        return Unread(f"{host.name} shows not one Data Exchange row of a machine")
    return None


# --- the failover address ---------------------------------------------------------------------------------------------


def _failover(
    host: HostRows, guid: str, adapters: Mapping[str, Adapter]
) -> tuple[tuple[FailoverAddress, ...] | Unread, tuple[str, ...]]:
    """The failover addresses of one machine. None at all is an answer only where nothing speaks against it."""
    if isinstance(host.failover, Unread):
        return host.failover, ()
    rows = sorted(host.failover_of.get(guid, ()), key=itemgetter(0))  # by adapter
    settings = tuple(
        [
            _failover_address(row, nic, adapters, addresses)
            for nic, row in rows
            if (addresses := filled(row, "IPAddresses"))
        ]
    )
    if host.stray_addresses and not (settings and _has_row_of_each(host, adapters, [nic for nic, _ in rows])):
        return Unread(
            f"{host.name} shows a failover address ({host.stray_addresses[0]}) that can't be tied to a machine; "
            "it may be this one's"
        ), ()
    if settings:
        return settings, ()
    for _, row in rows:
        if reason := why_no_address(row):
            return Unread(f"its failover setting {reason}"), ()
    if rows:
        return (), ()
    if not host.offers_of.get(guid):
        return Unread("has no failover setting row, and no Data Exchange row either, which every machine has"), ()
    if not host.shows_failover_settings and not host.may_lack_failover_settings:
        return Unread(f"{host.name} shows not one failover setting row of a machine", server=host.name), ()
    return (), ("has no failover setting row",)


def _has_row_of_each(host: HostRows, adapters: Mapping[str, Adapter], having: Sequence[str]) -> bool:
    """Return whether each of a machine's adapters has its row, so that one without a machine's name can't be its."""
    return not (host.unread_adapters or host.untied_adapters or adapters.keys() - set(having))


def _failover_address(
    row: Row, nic: str, adapters: Mapping[str, Adapter], addresses: tuple[str, ...]
) -> FailoverAddress:
    adapter = adapters.get(nic)
    return FailoverAddress(
        adapter_guid=adapter.guid if adapter else nic,  # the same text, once
        adapter=adapter,
        addresses=addresses,
        subnets=filled(row, "Subnets"),
        gateways=filled(row, "DefaultGateways"),
        dns_servers=filled(row, "DNSServers"),
    )


# --- the guest --------------------------------------------------------------------------------------------------------


def _offered(host: HostRows, guid: str) -> bool | Unread:
    if isinstance(host.offers, Unread):
        return host.offers
    rows = host.offers_of.get(guid, [])
    if not host.shows_offers:
        return Unread(f"{host.name} shows not one Data Exchange row of a machine")
    if not rows:
        return Unread("its Data Exchange row is missing, though other machines have one")
    if len(rows) == 1:
        return read_word(rows[0], "EnabledState", ENABLED)
    states = {read_word(row, "EnabledState", ENABLED) for row in rows}
    return states.pop() if len(states) == 1 else Unread("its Data Exchange rows contradict each other")


def _guest(host: HostRows, guid: str) -> Guest | Unread | None:
    if isinstance(host.guests, Unread):
        return Unread(f"what guests answer could not be read: {host.guests}", host.guests.why)
    rows = host.guests_of.get(guid, [])
    if not rows:
        return None
    if len(rows) > 1:
        return Unread("its Data Exchange component stands twice")
    items = host.items_of[guid]
    return Guest(
        answer=_status(rows[0]),
        items_read=f"{queries.KVP_COMPONENTS}.{queries.GUEST_ITEMS}" not in host.too_large,
        os_name=items.get("OSName") or None,
        os_version=items.get("OSVersion") or None,
        os_major=items.get("OSMajorVersion") or None,
        os_build=items.get("OSBuildNumber") or None,
        integration_services_version=items.get("IntegrationServicesVersion") or None,
        addresses=parsed_addresses(
            [
                address.strip()
                for key in ("NetworkAddressIPv4", "NetworkAddressIPv6")
                for address in items.get(key, "").split(";")
            ]
        ),
    )


def _heartbeat(host: HostRows, guid: str) -> Answer | Unread | None:
    if isinstance(host.heartbeats, Unread):
        return host.heartbeats
    rows = host.heartbeats_of.get(guid, [])
    return _status(rows[0]) if rows else None


def _status(row: Row) -> Answer | Unread:
    status = first_number(row, "OperationalStatus")
    if status is None:
        return Unread("gives no status")
    return ANSWERS[status] if status in ANSWERS else Unread(f"gives status {status}, which is not documented")


def _uptime(row: Row) -> timedelta | Unread:
    milliseconds = number(row, "OnTimeInMilliseconds")
    if milliseconds is None:
        return Unread("its time since start is not given")
    try:
        return milliseconds if isinstance(milliseconds, Unread) else timedelta(milliseconds=milliseconds)
    except OverflowError:
        return Unread("its time since start is absurd")
