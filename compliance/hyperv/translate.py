"""A snapshot's rows become an estate. With queries.py the one home of CIM names and numbers.

The joins are those of Microsoft's own BPA script: by the GUID in an InstanceID, without case, restricted to machines
that the server itself lists. What can't be joined is not "none": it is said.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from operator import itemgetter

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.join import join_sides
from compliance.hyperv.kvp import parse_items
from compliance.hyperv.rows import (
    A_GUID,
    GUID,
    Bucket,
    Rows,
    array,
    by_machine,
    by_system_name,
    filled,
    first_label,
    first_number,
    named,
    number,
    or_none,
    setting_guids,
    text,
)
from compliance.model import (
    Adapter,
    Answer,
    Estate,
    FailoverAddress,
    Guest,
    Power,
    Role,
    Row,
    Server,
    Unread,
    VirtualMachine,
)
from compliance.snapshot import Reading, Snapshot, Source

OF_FAILOVER = re.compile(rf"Microsoft:FailoverNetworkSetting\\({GUID})\\({GUID})")
OF_TEMPLATE = re.compile(r"Microsoft:(Definition|Pool)\\", re.IGNORECASE)
REALIZED = "Microsoft:Hyper-V:System:Realized"
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
HOST_TO_HOST_PROVIDER = "22391CDC-272C-4DDF-BA88-9BEFB1A0975C"

ROLES = {0: Role.NONE, 1: Role.PRIMARY, 2: Role.REPLICA, 3: Role.TEST_REPLICA, 4: Role.EXTENDED_REPLICA}
POWERS = {2: Power.RUNNING, 3: Power.OFF, 6: Power.SAVED, 9: Power.PAUSED}
ANSWERS = {2: Answer.OK, 3: Answer.DEGRADED, 7: Answer.NO_PROTOCOL, 12: Answer.NO_CONTACT, 13: Answer.LOST}
OFFERED = {2: True, 3: False}
REPLICATING = frozenset({Role.PRIMARY, Role.REPLICA, Role.EXTENDED_REPLICA})
ADDRESS_IS_SET = frozenset({4096, 4097, 4098})  # ProtocolIFType: IPv4, IPv6, both

FOR_REMARKS_ONLY = (
    queries.SYNTHETIC_ADAPTERS,
    queries.LEGACY_ADAPTERS,
    queries.HEARTBEATS,
    queries.REPLICA_SERVER,
    queries.CONNECTIONS,
)
CLOCK_TOLERANCE = timedelta(minutes=5)
"""Kerberos refuses a greater difference; ages read off this server would be wrong by as much."""


def translate(snapshot: Snapshot) -> Estate:
    """The estate that a snapshot shows, both sides of every replica joined."""
    servers = tuple(_server(source) for source in snapshot.servers)
    return Estate(
        name=snapshot.estate,
        time=snapshot.time,
        servers=servers,
        replicated=join_sides(servers),
        settings=snapshot.settings,
    )


def _server(source: Source) -> Server:
    server = Server(
        name=source.name,
        endpoint=source.endpoint,
        site=source.site,
        groups=source.groups,
        insecure=source.insecure,
        remarks=(source.insecure,) if source.insecure else (),
    )
    if isinstance(source.reading, Unread):
        return replace(server, unread=source.reading)
    reading = source.reading
    server = replace(server, version=reading.version, clock_ahead=reading.clock_ahead)
    first = _split(reading.classes.get(queries.MACHINES, Unread("its virtual machines were not asked for")))
    if isinstance(first, Unread):
        return replace(server, unread=first)
    machines = _machines(source, reading, first)
    server = replace(
        server, host_name=first.host, machines=machines, remarks=_server_remarks(source, reading, machines)
    )
    if not machines and not source.may_be_empty:
        return replace(
            server,
            doubt="shows its own row, but not one virtual machine: if that is so, set `may_be_empty: true` for it",
        )
    return server


# --- the server's own list of machines --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Listed:
    host: str
    machines: Mapping[str, Row]
    doubled: frozenset[str]


def _split(answer: Rows | Unread) -> _Listed | Unread:
    """The server's row and its machines' rows; an answer without the server's own row is not the whole truth.

    The provider hides rows from callers without rights instead of refusing (microsoft/devhome issue 2476).
    """
    if isinstance(answer, Unread):
        return answer
    hosts: list[str | None] = []
    machines: dict[str, Row] = {}
    doubled: set[str] = set()
    for row in answer:
        name = text(row, "Name")
        if isinstance(name, str) and A_GUID.fullmatch(name):
            if name.upper() in machines:
                doubled.add(name.upper())
            machines[name.upper()] = row
        else:
            hosts.append(name if isinstance(name, str) else None)
    match hosts:
        case [str(host)]:
            return _Listed(host, machines, frozenset(doubled))
        case []:
            return Unread(
                f"{'listed machines, but not' if machines else 'answered without any row, not even'} its own: "
                "the account lacks rights there (it must be in Hyper-V Administrators), or Hyper-V is not installed",
                Why.NOT_PERMITTED,
            )
        case _:
            return Unread(f"its own row can't be told from others: {len(hosts)} have no GUID as their name")


def _machines(source: Source, reading: Reading, first: _Listed) -> tuple[VirtualMachine, ...]:
    again = _split(reading.again.get(queries.MACHINES, Unread("was not asked for")))
    host = _Host(source, reading, first)
    guids = first.machines.keys() | (again.machines.keys() if isinstance(again, _Listed) else set())
    machines = [_machine(host, guid, first, again) for guid in guids]
    return tuple(sorted(machines, key=lambda machine: (machine.name.casefold(), machine.guid)))


class _Host:
    """One server's rows, each class bucketed once by the machine that it speaks of."""

    def __init__(self, source: Source, reading: Reading, listed: _Listed) -> None:
        self.name = source.name
        self.host_name = listed.host
        self.is_2012 = (queries.parse_version(reading.version) or ())[:2] == queries.SERVER_2012
        self.may_lack_failover_settings = source.may_lack_failover_settings
        self._reading = reading
        self.settings = self._rows(queries.SETTINGS)
        self.realized = {
            identifier.upper()
            for row in or_none(self.settings)
            if text(row, "VirtualSystemType") == REALIZED
            and isinstance(identifier := text(row, "VirtualSystemIdentifier"), str)
        }
        self.failover = self._rows(queries.FAILOVER)
        self.failover_of, self.stray_failover = _failover_by_machine(or_none(self.failover))
        self.offers = self._rows(queries.OFFERS)
        self.offers_of = {
            guid: rows
            for guid, found in by_machine(or_none(self.offers)).items()
            if (rows := [row for rest, row in found if rest.upper() == DATA_EXCHANGE])
        }
        self.guests = self._rows(queries.GUESTS)
        self.guests_of = by_system_name(or_none(self.guests))
        self.heartbeats = self._rows(queries.HEARTBEATS)
        self.heartbeats_of = by_system_name(or_none(self.heartbeats))
        self.relationships = self._rows(queries.RELATIONSHIPS)
        self.relationships_of = by_machine(or_none(self.relationships))
        self.shows_relationships = bool(self.relationships_of.keys() & listed.machines.keys())
        self.replication = self._rows(queries.REPLICATION)
        self.replication_of = by_machine(or_none(self.replication))
        self.synthetic_of = by_machine(or_none(self._rows(queries.SYNTHETIC_ADAPTERS)))
        self.legacy_of = by_machine(or_none(self._rows(queries.LEGACY_ADAPTERS)))
        self.connections = self._rows(queries.CONNECTIONS)
        self.connections_of = by_machine(or_none(self.connections))

    def _rows(self, class_name: str) -> Rows | Unread:
        return self._reading.classes.get(class_name, Unread(f"{class_name} was not asked for", Why.ABSENT))


def _machine(host: _Host, guid: str, first: _Listed, again: _Listed | Unread) -> VirtualMachine:
    before = first.machines.get(guid)
    after = again.machines.get(guid) if isinstance(again, _Listed) else None
    row = before if before is not None else after
    assert row is not None  # noqa: S101  # guid came from one of the two
    role = named(row, "ReplicationMode", ROLES)
    doubled = guid in first.doubled or (isinstance(again, _Listed) and guid in again.doubled)
    changed, renamed = _changes(before, after, again, doubled=doubled)
    if doubled:
        role = Unread("it stands twice in the list of machines")  # and each row may give another one
    elif before is not None and after is not None and (later := named(after, "ReplicationMode", ROLES)) != role:
        role = Unread(f"its role changed during the audit from {role} to {later}")
    replicated, replicated_remarks = _replicated(host, guid, row, role)
    failover, failover_remarks = _failover(host, guid)
    partners, partner_remarks = _partners(host, guid)
    name = text(row, "ElementName")
    return VirtualMachine(
        server=host.name,
        guid=guid,
        name=name if isinstance(name, str) and name.strip() else guid,
        role=role,
        power=_power(row),
        replicated=replicated,
        doubt=_doubt(host, guid),
        uptime=_uptime(row),
        failover=failover,
        data_exchange_offered=_offered(host, guid),
        guest=_guest(host, guid),
        heartbeat=_heartbeat(host, guid),
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
    before: Row | None, after: Row | None, again: _Listed | Unread, *, doubled: bool
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
    return found, () if names[0] == names[1] else (f"renamed during the audit to {names[1]}",)


def _doubt(host: _Host, guid: str) -> Unread | None:
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


def _replicated(host: _Host, guid: str, row: Row, role: Role | Unread) -> tuple[bool | Unread, tuple[str, ...]]:
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


def _partners(host: _Host, guid: str) -> tuple[tuple[str, ...] | Unread, tuple[str, ...]]:
    """The other servers that this machine's replication settings name, and a remark on a foreign provider."""
    if isinstance(host.replication, Unread):
        return Unread(f"its replication settings could not be read: {host.replication}", host.replication.why), ()
    # By relationship, the primary one first: the order in which a server shows its rows means nothing.
    rows = [row for _, row in sorted(host.replication_of.get(guid, ()), key=itemgetter(0))]
    if not rows:
        return Unread("its replication settings have no row"), ()
    named = [
        name.strip()
        for row in rows
        for property_name in ("PrimaryHostSystem", "RecoveryHostSystem")
        if isinstance(name := text(row, property_name), str) and name.strip()
    ]
    others = tuple(dict.fromkeys(name for name in named if first_label(name) != first_label(host.host_name)))
    providers = [path for row in rows if isinstance(path := row.get("ReplicationProvider"), str) and path.strip()]
    foreign = any(HOST_TO_HOST_PROVIDER not in provider.upper() for provider in providers)
    remarks = (
        ("replicates through a provider other than Hyper-V's own, which may handle addresses itself",)
        if foreign
        else ()
    )
    return others or Unread("its replication settings name no other server"), remarks


# --- the failover address ---------------------------------------------------------------------------------------------


def _failover_by_machine(rows: Rows) -> tuple[Bucket, list[str]]:
    """Rows by machine, each with its adapter; and the addresses of rows for which no machine can be named."""
    found: Bucket = defaultdict(list)
    stray: list[str] = []
    for row in rows:
        instance = text(row, "InstanceID")
        form = instance if isinstance(instance, str) else ""
        if match := OF_FAILOVER.fullmatch(form):
            found[match[1].upper()].append((match[2].upper(), row))
        elif not OF_TEMPLATE.match(form):
            stray.extend(filled(row, "IPAddresses"))
    return found, sorted(stray)


def _failover(host: _Host, guid: str) -> tuple[tuple[FailoverAddress, ...] | Unread, tuple[str, ...]]:
    """The failover addresses of one machine. None at all is an answer only where nothing speaks against it."""
    if isinstance(host.failover, Unread):
        return host.failover, ()
    rows = sorted(host.failover_of.get(guid, ()), key=itemgetter(0))  # by adapter
    adapters = _adapters(host, guid)
    settings = tuple(_failover_address(row, nic, adapters) for nic, row in rows if filled(row, "IPAddresses"))
    if settings:
        return settings, ()
    if host.stray_failover:
        return Unread(
            f"{host.name} shows a failover address ({host.stray_failover[0]}) that can't be tied to a machine; "
            "it may be this one's"
        ), ()
    for _, row in rows:
        kind = number(row, "ProtocolIFType")
        if isinstance(kind, Unread) or "DHCPEnabled" not in row:
            return Unread("its failover setting came without the properties that were asked for"), ()
        if kind in ADDRESS_IS_SET:
            return Unread("its failover setting names a protocol, but no address came with it"), ()
    if rows:
        return (), ()
    if not host.offers_of.get(guid):
        return Unread("has no failover setting row, and no Data Exchange row either, which every machine has"), ()
    if not host.failover and not host.may_lack_failover_settings:
        return Unread(
            f"{host.name} shows not one failover setting row: if no machine there has a failover address, "
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


def _adapters(host: _Host, guid: str) -> dict[str, Adapter]:
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
                name=name if isinstance(name, str) else "",
                mac=mac if isinstance(mac, str) else None,
                legacy=legacy,
                connected=connected.get(nic, Unread("has no connection row")),
            )
    return found


# --- the guest --------------------------------------------------------------------------------------------------------


def _offered(host: _Host, guid: str) -> bool | Unread:
    if isinstance(host.offers, Unread):
        return host.offers
    rows = host.offers_of.get(guid, [])
    if not host.offers_of:
        return Unread(f"{host.name} shows not one Data Exchange row of a machine")
    if not rows:
        return Unread("its Data Exchange row is missing, though other machines have one")
    states = {named(row, "EnabledState", OFFERED) for row in rows}
    return states.pop() if len(states) == 1 else Unread("its Data Exchange rows contradict each other")


def _guest(host: _Host, guid: str) -> Guest | Unread | None:
    if isinstance(host.guests, Unread):
        return Unread(f"what guests answer could not be read: {host.guests}", host.guests.why)
    rows = host.guests_of.get(guid, [])
    if not rows:
        return None
    if len(rows) > 1:
        return Unread("its Data Exchange component stands twice")
    items = parse_items(array(rows[0], "GuestIntrinsicExchangeItems"))
    return Guest(
        answer=_status(rows[0]),
        os_name=items.get("OSName") or None,
        os_version=items.get("OSVersion") or None,
        integration_services_version=items.get("IntegrationServicesVersion") or None,
        addresses=tuple(
            address.strip()
            for key in ("NetworkAddressIPv4", "NetworkAddressIPv6")
            for address in items.get(key, "").split(";")
            if address.strip()
        ),
    )


def _heartbeat(host: _Host, guid: str) -> Answer | Unread | None:
    if isinstance(host.heartbeats, Unread):
        return host.heartbeats
    rows = host.heartbeats_of.get(guid, [])
    return _status(rows[0]) if rows else None


def _status(row: Row) -> Answer | Unread:
    status = first_number(row, "OperationalStatus")
    if status is None:
        return Unread("gives no status")
    return ANSWERS.get(status, Unread(f"gives status {status}, which is not documented"))


def _uptime(row: Row) -> timedelta | Unread:
    milliseconds = number(row, "OnTimeInMilliseconds")
    if milliseconds is None:
        return Unread("its time since start is not given")
    try:
        return milliseconds if isinstance(milliseconds, Unread) else timedelta(milliseconds=milliseconds)
    except OverflowError:
        return Unread("its time since start is absurd")


# --- remarks on the server --------------------------------------------------------------------------------------------


def _server_remarks(source: Source, reading: Reading, machines: Sequence[VirtualMachine]) -> tuple[str, ...]:
    remarks = [*([source.insecure] if source.insecure else []), *reading.notes]
    remarks += [
        f"{class_name} could not be read, so remarks from it are missing: {answer}"
        for class_name in FOR_REMARKS_ONLY
        if isinstance(answer := reading.classes.get(class_name), Unread)
    ]
    failover = reading.classes.get(queries.FAILOVER, ())
    replicating = any(machine.replicated is True for machine in machines)
    if replicating and not isinstance(failover, Unread) and not failover:
        remarks.append("replicates, but shows not one failover setting row")
    if unknown := _unknown_failover_guids(reading, machines):
        remarks.append(
            f"failover settings of {unknown} unknown virtual machine{'s' if unknown > 1 else ''} were left out"
        )
    if reading.clock_ahead is not None and abs(reading.clock_ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if reading.clock_ahead > timedelta() else "behind"
        remarks.append(
            f"its clock is {abs(reading.clock_ahead).total_seconds() / 60:.0f} minutes {direction} this machine's"
        )
    return tuple(remarks)


def _unknown_failover_guids(reading: Reading, machines: Sequence[VirtualMachine]) -> int:
    failover = reading.classes.get(queries.FAILOVER, ())
    settings = reading.classes.get(queries.SETTINGS, ())
    if isinstance(failover, Unread) or isinstance(settings, Unread):
        return 0
    known = {machine.guid for machine in machines} | setting_guids(settings)
    return len(_failover_by_machine(failover)[0].keys() - known)
