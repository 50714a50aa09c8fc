"""One server's rows become its virtual machines.

The joins are those of Microsoft's own BPA script: by the GUID in an InstanceID, without case, restricted to machines
that the server itself lists. What can't be joined is not "none": it is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from operator import itemgetter

from compliance.hyperv import queries
from compliance.hyperv.host import HostRows, Listed, why_no_address
from compliance.hyperv.rows import cut, filled, first_label, first_number, named, number, text
from compliance.model import (
    Adapter,
    Answer,
    FailoverAddress,
    Guest,
    Power,
    Role,
    Row,
    Unread,
    VirtualMachine,
)

HOST_TO_HOST_PROVIDER = "22391CDC-272C-4DDF-BA88-9BEFB1A0975C"

ROLES = {0: Role.NONE, 1: Role.PRIMARY, 2: Role.REPLICA, 3: Role.TEST_REPLICA, 4: Role.EXTENDED_REPLICA}
POWERS = {2: Power.RUNNING, 3: Power.OFF, 6: Power.SAVED, 9: Power.PAUSED}
ANSWERS = {2: Answer.OK, 3: Answer.DEGRADED, 7: Answer.NO_PROTOCOL, 12: Answer.NO_CONTACT, 13: Answer.LOST}
OFFERED = {2: True, 3: False}
REPLICATING = frozenset({Role.PRIMARY, Role.REPLICA, Role.EXTENDED_REPLICA})


def machines_of(host: HostRows) -> tuple[VirtualMachine, ...]:
    first, again = host.first, host.again
    guids = first.machines.keys() | (again.machines.keys() if isinstance(again, Listed) else set())
    machines = [_machine(host, guid, first, again) for guid in guids]
    return tuple(sorted(machines, key=lambda machine: (machine.name.casefold(), machine.guid)))


def _machine(host: HostRows, guid: str, first: Listed, again: Listed | Unread) -> VirtualMachine:
    before = first.machines.get(guid)
    after = again.machines.get(guid) if isinstance(again, Listed) else None
    row = before if before is not None else after
    assert row is not None  # noqa: S101  # guid came from one of the two
    role = named(row, "ReplicationMode", ROLES)
    doubled = guid in first.doubled or (isinstance(again, Listed) and guid in again.doubled)
    changed, renamed = _changes(before, after, again, doubled=doubled)
    if doubled:
        role = Unread("it stands twice in the list of machines")  # and each row may give another one
    elif before is not None and after is not None and (later := named(after, "ReplicationMode", ROLES)) != role:
        role = Unread(f"its role changed during the audit from {role} to {later}")
    replicated, replicated_remarks = _replicated(host, guid, row, role)
    adapters = _adapters(host, guid)
    failover, failover_remarks = _failover(host, guid, adapters)
    partners, partner_remarks = _partners(host, guid)
    name = text(row, "ElementName")
    return VirtualMachine(
        server=host.name,
        guid=guid,
        name=cut(name) if isinstance(name, str) and name.strip() else guid,
        role=role,
        power=_power(row),
        replicated=replicated,
        doubt=_doubt(host, guid),
        uptime=_uptime(row),
        failover=failover,
        data_exchange_offered=_offered(host, guid),
        guest=_guest(host, guid),
        heartbeat=_heartbeat(host, guid),
        adapters=_all_adapters(host, adapters),
        partners=partners,
        changed=changed,
        remarks=(*renamed, *replicated_remarks, *failover_remarks, *partner_remarks),
    )


def _power(row: Row) -> Power | Unread:
    state = number(row, "EnabledState")
    if state is None:
        return Unread("its power state is not given")
    return state if isinstance(state, Unread) else POWERS.get(state, Power.OTHER)


def _changes(
    before: Row | None, after: Row | None, again: Listed | Unread, *, doubled: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What differs between the two reads of the list: what forbids a verdict, and what is only worth a remark."""
    if isinstance(again, Unread):
        return (f"the list of machines could not be read a second time: {again}",), ()
    if doubled:
        return ("stands twice in the list of machines",), ()
    if before is None or after is None:
        return (f"{'appeared' if before is None else 'vanished'} during the audit",), ()
    found = tuple(
        f"its {word} changed during the audit"
        for name, word in (("ReplicationMode", "role"), ("EnabledState", "power state"))
        if before.get(name) != after.get(name)
    )
    names = before.get("ElementName"), after.get("ElementName")
    return found, () if names[0] == names[1] else (f"renamed during the audit to {cut(str(names[1]))}",)


def _doubt(host: HostRows, guid: str) -> Unread | None:
    """Why nothing can be said of this machine, though its own row is there."""
    for what, answer in (
        ("the settings of virtual machines", host.settings),
        ("failover addresses", host.failover),
        ("the offers of Data Exchange", host.offers),
    ):
        if isinstance(answer, Unread):
            return Unread(f"{what} could not be read: {answer}", answer.why)
    if guid not in host.realized:
        return Unread("its settings row is missing, which every virtual machine has")
    return None


# --- replication ------------------------------------------------------------------------------------------------------


def _replicated(host: HostRows, guid: str, row: Row, role: Role | Unread) -> tuple[bool | Unread, tuple[str, ...]]:
    """Is a relationship alive? The newer relationship rows and the older property of the machine must agree."""
    if isinstance(role, Unread):
        return role, ()
    if role not in REPLICATING:
        return False, ()
    own = number(row, "ReplicationState")
    if isinstance(own, Unread):
        return own, ()
    if host.is_2012:
        # Server 2012 has no relationship class; there the property of the machine is not yet deprecated.
        return (Unread("its replication state is not given") if own is None else own != 0), ()
    if isinstance(host.relationships, Unread):
        return Unread(f"replication relationships could not be read: {host.relationships}", host.relationships.why), ()
    states = [number(found, "ReplicationState") for _, found in host.relationships_of.get(guid, ())]
    if not states:
        if not host.shows_relationships:
            return Unread(f"{host.name} shows not one replication relationship row of a machine"), ()
        if own:
            return True, ("has no replication relationship row; its own row says that it replicates",)
        return Unread("has a replication role, but no relationship row and no replication state of its own"), ()
    if any(state is None or isinstance(state, Unread) for state in states):
        return Unread("a relationship row of it gives no replication state"), ()
    alive = any(states)
    if (alive and own == 0) or (not alive and own != 0):
        return Unread("its relationship rows and its own replication state disagree"), ()
    return alive, ()


def _partners(host: HostRows, guid: str) -> tuple[tuple[str, ...] | Unread, tuple[str, ...]]:
    """The other servers that this machine's replication settings name, and a remark on a foreign provider."""
    if isinstance(host.replication, Unread):
        return Unread(f"its replication settings could not be read: {host.replication}", host.replication.why), ()
    # By relationship, the primary one first: the order in which a server shows its rows means nothing.
    rows = [row for _, row in sorted(host.replication_of.get(guid, ()), key=itemgetter(0))]
    if not rows:
        return Unread("its replication settings have no row"), ()
    hosts = [cut(name) for row in rows for side in ("Primary", "Recovery") if (name := _side_of(row, side))]
    others = tuple(dict.fromkeys(name for name in hosts if first_label(name) != first_label(host.host_name)))
    providers = [path for row in rows if isinstance(path := row.get("ReplicationProvider"), str) and path.strip()]
    foreign = any(HOST_TO_HOST_PROVIDER not in provider.upper() for provider in providers)
    remarks = (
        ("replicates through a provider other than Hyper-V's own, which may handle addresses itself",)
        if foreign
        else ()
    )
    return others or Unread("its replication settings name no other server"), remarks


def _side_of(row: Row, side: str) -> str:
    """A node's name; where none is given, the name that the other side was given: a broker's, for a cluster."""
    names = (text(row, f"{side}{name}") for name in ("HostSystem", "ConnectionPoint"))
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), "")


# --- the failover address ---------------------------------------------------------------------------------------------


def _failover(
    host: HostRows, guid: str, adapters: Mapping[str, Adapter]
) -> tuple[tuple[FailoverAddress, ...] | Unread, tuple[str, ...]]:
    """The failover addresses of one machine. None at all is an answer only where nothing speaks against it."""
    if isinstance(host.failover, Unread):
        return host.failover, ()
    rows = sorted(host.failover_of.get(guid, ()), key=itemgetter(0))  # by adapter
    settings = tuple(_failover_address(row, nic, adapters) for nic, row in rows if filled(row, "IPAddresses"))
    if settings:
        return settings, ()
    if host.stray_addresses:
        return Unread(
            f"{host.name} shows a failover address ({host.stray_addresses[0]}) that can't be tied to a machine; "
            "it may be this one's"
        ), ()
    for _, row in rows:
        if reason := why_no_address(row):
            return Unread(f"its failover setting {reason}"), ()
    if rows:
        return (), ()
    if not host.offers_of.get(guid):
        return Unread("has no failover setting row, and no Data Exchange row either, which every machine has"), ()
    if not host.shows_failover_settings and not host.may_lack_failover_settings:
        return Unread(
            f"{host.name} shows not one failover setting row of a machine: if no machine there has a failover address, "
            "set `may_lack_failover_settings: true` for it"
        ), ()
    return (), ("has no failover setting row",)


def _failover_address(row: Row, nic: str, adapters: Mapping[str, Adapter]) -> FailoverAddress:
    return FailoverAddress(
        adapter_guid=nic,
        adapter=adapters.get(nic),
        addresses=filled(row, "IPAddresses"),
        subnets=filled(row, "Subnets"),
        gateways=filled(row, "DefaultGateways"),
        dns_servers=filled(row, "DNSServers"),
    )


def _adapters(host: HostRows, guid: str) -> dict[str, Adapter]:
    connected = {
        rest.upper().removesuffix("\\C"): named(row, "EnabledState", OFFERED)
        for rest, row in host.connections_of.get(guid, ())
    }
    found: dict[str, Adapter] = {}
    for legacy, rows in ((False, host.synthetic_of), (True, host.legacy_of)):
        for rest, row in rows.get(guid, ()):
            nic = rest.split("\\")[0].upper()
            name, mac = text(row, "ElementName"), text(row, "Address")
            found[nic] = Adapter(
                guid=nic,
                name=cut(name) if isinstance(name, str) else "",
                mac=cut(mac) if isinstance(mac, str) else None,
                legacy=legacy,
                connected=connected.get(nic, Unread("has no connection row")),
            )
    return found


def _all_adapters(host: HostRows, adapters: Mapping[str, Adapter]) -> tuple[Adapter, ...] | Unread:
    if host.unread_adapters:
        return Unread(f"its network adapters could not be read: {host.unread_adapters}", host.unread_adapters.why)
    if not host.shows_adapters:
        return Unread(f"{host.name} shows not one network adapter of a machine")
    return tuple(adapters[nic] for nic in sorted(adapters))


# --- the guest --------------------------------------------------------------------------------------------------------


def _offered(host: HostRows, guid: str) -> bool | Unread:
    if isinstance(host.offers, Unread):
        return host.offers
    rows = host.offers_of.get(guid, [])
    if not host.offers_of:
        return Unread(f"{host.name} shows not one Data Exchange row of a machine")
    if not rows:
        return Unread("its Data Exchange row is missing, though other machines have one")
    states = {named(row, "EnabledState", OFFERED) for row in rows}
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
        items_read=f"{queries.KVP_COMPONENTS}.{queries.GUEST_ITEMS}" not in host.left_out,
        os_name=items.get("OSName") or None,
        os_version=items.get("OSVersion") or None,
        os_major=items.get("OSMajorVersion") or None,
        os_build=items.get("OSBuildNumber") or None,
        integration_services_version=items.get("IntegrationServicesVersion") or None,
        addresses=tuple(
            address.strip()
            for key in ("NetworkAddressIPv4", "NetworkAddressIPv6")
            for address in items.get(key, "").split(";")
            if address.strip()
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
