"""How rows look: forms of names, numbers that stand for words, and what is left out of a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence

from compliance.hyperv import queries
from compliance.hyperv.assumptions.rows import (
    DUMP,
    REPLICATING,
    forms,
    is_template,
    name_of,
    numbers_of,
    with_number,
)
from compliance.hyperv.assumptions.statement import Basis, Sign, assumed
from compliance.hyperv.host import DATA_EXCHANGE, OF_FAILOVER, HostRows
from compliance.hyperv.rows import (
    array,
    as_guid,
    filled,
    first_label,
    is_filled,
    number,
    of_machine,
    or_none,
)
from compliance.model import Row, Unread
from compliance.words import shorten_value

ARRAYS = frozenset(
    [
        "IPAddresses",
        "Subnets",
        "DefaultGateways",
        "DNSServers",
        "OperationalStatus",
        "StatusDescriptions",
        queries.GUEST_ITEMS,
        "HostResource",
    ]
)
DOCUMENTED = "MicrosoftDocs/win32, "


# --- WS-Management ----------------------------------------------------------------------------------------------------


@assumed(
    "wql-accepted",
    "queries in WQL are answered in root/virtualization/v2",
    Basis.RECORDED,
    "libvirt's Hyper-V driver asks so; r4sd/go-wsman reports a host that refuses",
)
def wql_accepted(host: HostRows) -> Iterator[Sign]:
    if queries.REFUSES_WQL in host.reading.notes:
        yield "refused"
    elif any(not isinstance(answer, Unread) for answer in host.reading.classes.values()):
        yield None


@assumed(
    "empty-array-absent",
    "an array without entries is left out of its row; it comes neither as NULL nor with a blank entry",
    Basis.RECORDED,
    "1,441 recorded instances (txwinrm, go-wsman)",
)
def empty_array_absent(host: HostRows) -> Iterator[Sign]:
    for class_name, names in _names_of(host, ARRAYS.__contains__):
        shapes = _shapes(host, class_name)
        small = [name for name in names if f"{class_name}.{name}" not in host.too_large]
        yield sum(count for shape, count in shapes.items() for name in small if name not in shape)
        come = [name for name in names if any(name in shape for shape in shapes)]
        for row in or_none(host.rows(class_name)) if come else ():
            for name in come:
                if name in row and not is_filled(row, name):
                    yield f"{name} of {class_name}: {shorten_value(row[name])}"


@assumed(
    "scalar-present",
    "a property that is no array is in every row that was asked for it, as NULL where it has no value",
    Basis.RECORDED,
    "1,441 recorded instances (txwinrm, go-wsman)",
)
def scalar_present(host: HostRows) -> Iterator[Sign]:
    for class_name, names in _names_of(host, lambda name: name not in ARRAYS):
        if all(map(frozenset(names).issubset, shapes := _shapes(host, class_name))):
            yield len(names) * shapes.total()
        else:
            rows = or_none(host.rows(class_name))
            yield from (None if name in row else f"{name} of {class_name}" for row in rows for name in names)


def _shapes(host: HostRows, class_name: str) -> Counter[tuple[str, ...]]:
    """Return which properties the rows of a class have, and how many have the same: nearly all do."""
    if class_name not in host.memo.shapes:
        host.memo.shapes[class_name] = Counter(map(tuple, or_none(host.rows(class_name))))
    return host.memo.shapes[class_name]


def _names_of(host: HostRows, wanted: Callable[[str], bool]) -> Iterator[tuple[str, list[str]]]:
    """Yield each class on which a pass rests, with the wanted ones of the properties that it was asked for."""
    adds_only = {query.class_name for query in queries.OF_REPLICATION if query.adds_only}
    for class_name, properties in host.asked_properties.items():
        if class_name not in adds_only and (names := [name for name in dict.fromkeys(properties) if wanted(name)]):
            yield class_name, names


# --- identifiers ------------------------------------------------------------------------------------------------------


@assumed(
    "failover-row-form",
    "a failover setting row is called Microsoft:FailoverNetworkSetting\\<virtual machine>\\<adapter>",
    Basis.INFERRED,
    "the BPA script of Server 2012 takes the GUID from there; the documentation says that the name is always Null",
)
def failover_row_form(host: HostRows) -> Iterator[Sign]:
    return forms(or_none(host.failover), OF_FAILOVER, host.failover_of)


@assumed(
    "offer-form",
    "the rows of Data Exchange's settings are called Microsoft:<virtual machine>\\" + DATA_EXCHANGE,
    Basis.RECORDED,
    DUMP,
)
def offer_form(host: HostRows) -> Iterator[Sign]:
    for row in or_none(host.offers):
        tied = of_machine(row.get("InstanceID"))
        if tied and (tied[1] == DATA_EXCHANGE or tied[1].upper() == DATA_EXCHANGE):
            yield None
        elif not is_template(row):
            yield shorten_value(row.get("InstanceID", "no name"))


@assumed(
    "relationship-form",
    "a relationship row is called Microsoft:<virtual machine>\\HVR\\0, or \\1 for the extended one",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-replicationrelationship; seen on Server 2019",
)
def relationship_form(host: HostRows) -> Iterator[Sign]:
    for row in or_none(host.relationships):
        tied = of_machine(row.get("InstanceID"))
        yield None if tied and tied[1] in ("HVR\\0", "HVR\\1") else shorten_value(row.get("InstanceID", "no name"))


@assumed(
    "component-owner",
    "SystemName of a Data Exchange component is the GUID of its virtual machine",
    Basis.RECORDED,
    DUMP,
)
def component_owner(host: HostRows) -> Iterator[Sign]:
    for row in or_none(host.guests):
        name = row.get("SystemName", "no name")
        yield None if isinstance(name, str) and as_guid(name) else shorten_value(name)


@assumed(
    "names-itself",
    "the replication settings of a virtual machine name its server by the first label of the server's own name",
    Basis.INFERRED,
    DOCUMENTED + "msvm-replicationsettingdata says: the FQDN of the node; the server's own row has its computer name",
)
def names_itself(host: HostRows) -> Iterator[Sign]:
    own = first_label(host.host_name)
    for guid, row in with_number(host, "ReplicationMode", REPLICATING):
        names = [
            value
            for _, settings in host.replication_of.get(guid, ())
            for name in HOSTS
            if isinstance(value := settings.get(name), str) and value.strip()
        ]
        if names:
            yield None if own in map(first_label, names) else f"{name_of(guid, row)} names {shorten_value(names[0])}"


HOSTS = ("PrimaryHostSystem", "RecoveryHostSystem")


# --- numbers ----------------------------------------------------------------------------------------------------------


def _within(rows: Collection[Row], name: str, numbers: Container[int]) -> Iterator[Sign]:
    others = [row for row in rows if not isinstance(value := number(row, name), int) or value not in numbers]
    yield len(rows) - len(others)
    yield from (shorten_value(row.get(name, f"no {name}")) for row in others)


def _first_within(rows: Iterable[Row], numbers: Container[int]) -> Iterator[Sign]:
    firsts = (array(row, "OperationalStatus")[:1] or (None,) for row in rows)
    return _within([{"OperationalStatus": first} for (first,) in firsts], "OperationalStatus", numbers)


@assumed(
    "power-states",
    "EnabledState of a virtual machine is a documented number, 0 to 10",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-computersystem; numbers from 32768 on belong to the older namespace",
)
def power_states(host: HostRows) -> Iterable[Sign]:
    return _within(host.steady.values(), "EnabledState", range(11))


@assumed(
    "roles",
    "ReplicationMode of a virtual machine is a documented number, 0 to 4",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-computersystem",
)
def roles(host: HostRows) -> Iterable[Sign]:
    return _within(host.steady.values(), "ReplicationMode", range(5))


@assumed(
    "replication-states",
    "ReplicationState of a virtual machine and of a relationship is a documented number, 0 to 21",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-replicationrelationship",
)
def replication_states(host: HostRows) -> Iterable[Sign]:
    return _within([*host.steady.values(), *or_none(host.relationships)], "ReplicationState", range(22))


@assumed(
    "offer-states",
    "EnabledState of Data Exchange's settings is 2 (enabled) or 3 (disabled)",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-kvpexchangecomponentsettingdata",
)
def offer_states(host: HostRows) -> Iterable[Sign]:
    return _within([row for rows in host.offers_of.values() for row in rows], "EnabledState", (2, 3))


@assumed(
    "answers",
    "the first OperationalStatus of Data Exchange and of the heartbeat is one of 2, 3, 7, 12, 13",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-kvpexchangecomponent and msvm-heartbeatcomponent",
)
def answers(host: HostRows) -> Iterable[Sign]:
    return _first_within([*or_none(host.guests), *or_none(host.heartbeats)], (2, 3, 7, 12, 13))


@assumed(
    "failover-protocol",
    "ProtocolIFType of a failover setting fits its addresses: 0 none, 4096 IPv4, 4097 IPv6, 4098 both",
    Basis.INFERRED,
    "what Microsoft's own client writes (its PowerShell module)",
)
def failover_protocol(host: HostRows) -> Iterator[Sign]:
    for guid, machine in host.steady.items():
        for _, row in host.failover_of.get(guid, ()):
            addresses = filled(row, "IPAddresses")
            expected = _protocol(addresses)
            if number(row, "ProtocolIFType") == expected:
                yield None
            else:
                kind = shorten_value(row.get("ProtocolIFType", "none"))
                yield f"{name_of(guid, machine)}: {kind}, expected {expected}"


PROTOCOLS = {frozenset(): 0, frozenset({False}): 4096, frozenset({True}): 4097, frozenset({False, True}): 4098}
"""By whether addresses are of IPv6."""


def _protocol(addresses: Sequence[str]) -> int:
    return PROTOCOLS[frozenset([":" in address for address in addresses])]


# --- what follows from several ----------------------------------------------------------------------------------------


@assumed(
    "role-and-relationship",
    "the role, the own replication state and the relationship rows of a virtual machine agree on whether it replicates",
    Basis.INFERRED,
    DOCUMENTED + "msvm-computersystem and msvm-replicationrelationship, which don't say how the three belong together",
)
def role_and_relationship(host: HostRows) -> Iterator[Sign]:
    modes, owns = numbers_of(host, "ReplicationMode"), numbers_of(host, "ReplicationState")
    for guid, row in host.steady.items():
        mode, own = modes[guid], owns[guid]
        states = [number(relationship, "ReplicationState") for _, relationship in host.relationships_of.get(guid, ())]
        if not isinstance(mode, int) or not isinstance(own, int) or not {int}.issuperset(map(type, states)):
            continue
        replicates = own != 0
        agree = (not states or any(states) is replicates) and (mode in REPLICATING or not replicates)
        yield None if agree else f"{name_of(guid, row)}: role {mode}, states {[own, *states]}"


GUESTS_OWN = re.compile(r"3\.1|4\.\d+(\.\d+)*|BSD Pre-Release version")


@assumed(
    "guest-says-version",
    "a guest that publishes its operating system publishes a version of its integration services, too",
    Basis.DOCUMENTED,
    DOCUMENTED + "msvm-kvpexchangedataitem, and Linux' hv_kvp_daemon",
)
def guest_says_version(host: HostRows) -> Iterator[Sign]:
    for name, items in _published(host):
        yield None if items.get("IntegrationServicesVersion") else name


@assumed(
    "linux-version",
    "guests other than Windows publish 3.1 as that version, 4.x from Microsoft's own package, or FreeBSD's own words",
    Basis.INFERRED,
    "the Linux kernel registers 3.1 (drivers/hv/hv_kvp.c); FreeBSD's daemon says `BSD Pre-Release version` "
    "(contrib/hyperv/tools/hv_kvp_daemon.c)",
)
def linux_version(host: HostRows) -> Iterator[Sign]:
    for _, items in _published(host):
        system, version = items["OSName"], items.get("IntegrationServicesVersion")
        if version and "windows" not in system.casefold():
            yield None if GUESTS_OWN.fullmatch(version) else f"{shorten_value(system)}: {shorten_value(version)}"


def _published(host: HostRows) -> Iterator[tuple[str, Mapping[str, str]]]:
    for guid, row in host.steady.items():
        items = host.items_of.get(guid, {})
        if items.get("OSName"):
            yield name_of(guid, row), items
