"""One server's rows, each class bucketed once by the machine that it speaks of."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.additions import CLASSES as ADDITIONS
from compliance.hyperv.additions import Additions
from compliance.hyperv.kvp import parse_items
from compliance.hyperv.rows import (
    GUID,
    Bucket,
    Rows,
    array,
    as_guid,
    by_machine,
    by_system_name,
    filled,
    first_number,
    number,
    or_none,
    rows_beside,
    setting_guids,
)
from compliance.model import AdapterConnection, Role, Row, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord
from compliance.words import shorten_value

OF_FAILOVER = re.compile(rf"Microsoft:FailoverNetworkSetting\\({GUID})\\({GUID})")
OF_TEMPLATE = re.compile(r"Microsoft:(Definition|Pool)\\", re.IGNORECASE)
REALIZED = "Microsoft:Hyper-V:System:Realized"
SETS_NO_ADDRESS = frozenset({None, 0, 1})  # ProtocolIFType: unknown, other; 4096, 4097, 4098 are IPv4, IPv6, both
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
OF_SWITCH = re.compile(rf"{queries.SWITCHES}\..*\bName=\W*({GUID})", re.IGNORECASE | re.DOTALL)
"""A path, as the documentation of HostResource describes it: among its keys the GUID that is the switch's Name."""

OF_GUEST_ADDRESSES = re.compile(rf"Microsoft:GuestNetwork\\({GUID})\\({GUID})", re.IGNORECASE)
"""Recorded on a real host (eryph's tests)."""

NOT_ASKED_BY_0_1 = Unread("not asked for by hyperv-compliance 0.1", Why.NOT_ASKED)
NOT_ASKED = Unread("not asked for, since nothing replicates there", Why.NOT_ASKED)


@dataclass(frozen=True, slots=True)
class MachineList:
    host: str
    machines: Mapping[str, Row]
    doubled: frozenset[str]


def machine_list(answer: Rows | Unread) -> MachineList | Unread:
    """The server's row and its machines' rows; an answer without the server's own row is not the whole truth.

    The provider hides rows from callers without rights instead of refusing (microsoft/devhome issue 2476).
    """
    if isinstance(answer, Unread):
        return answer
    hosts: list[str | None] = []
    machines: dict[str, Row] = {}
    doubled: set[str] = set()
    for row in answer:
        name = row.get("Name")
        if isinstance(name, str) and (guid := as_guid(name)):
            if guid in machines:
                doubled.add(guid)
            machines[guid] = row
        else:
            hosts.append(name if isinstance(name, str) and name.strip() else None)
    match hosts:
        case [str(host)]:
            return MachineList(host, machines, frozenset(doubled))
        case []:
            return Unread(
                f"{'listed machines, but not' if machines else 'answered without any row, not even'} its own: "
                "the account lacks rights there (it must be in Hyper-V Administrators), or Hyper-V is not installed",
                Why.NOT_PERMITTED,
            )
        case _:
            return Unread(f"its own row can't be told from others: {len(hosts)} have no GUID as their name")


def first_list(reading: Reading) -> MachineList | Unread:
    return machine_list(reading.classes.get(queries.MACHINES, Unread("its virtual machines were not asked for")))


NOBODY = MachineList("", {}, frozenset())


@dataclass(frozen=True, kw_only=True, slots=True)
class Partners:
    """The servers that a machine's replication settings name: all others, those that send to it, those to which it
    sends; its own server, as they call it; and whether another product replicates it."""

    names: tuple[str, ...] | Unread
    receives_from: tuple[str, ...] = ()
    sends_to: tuple[str, ...] = ()
    own_names: tuple[str, ...] = ()
    foreign: bool = False


class Memo:
    """What was worked out of one server's rows, and is asked for again."""

    def __init__(self) -> None:
        self.partners: dict[tuple[str, Role | Unread], Partners] = {}
        self.partners_by_words: dict[tuple[object, ...], Partners] = {}  # of all machines whose rows say the same
        self.connections: dict[tuple[object, ...] | None, tuple[bool | Unread, AdapterConnection | Unread, str]] = {}
        self.numbers: dict[str, Mapping[str, int | Unread | None]] = {}  # property -> machine -> its number
        self.shapes: dict[str, Counter[tuple[str, ...]]] = {}  # class -> the properties of its rows
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}

    def once(self, names: list[str]) -> tuple[str, ...]:
        """Return names without those that come again: one value for all machines that have the same."""
        different = tuple(dict.fromkeys(names))
        return self._names.setdefault(different, different)


class HostRows:
    """One server's rows, each class bucketed once by the machine that it speaks of."""

    def __init__(self, source: ServerRecord, reading: Reading, first: MachineList) -> None:
        self.name = source.name
        self.host_name = first.host
        version = queries.parse_version(reading.version)
        self.is_2012 = (version or ())[:2] == queries.SERVER_2012
        self.is_before_2016 = version is not None and version < queries.SERVER_2016
        self.asked_properties = (
            queries.asked_by_0_1(reading.version) if reading.asked_properties is None else reading.asked_properties
        )
        self.not_asked = NOT_ASKED_BY_0_1 if reading.asked_properties is None else NOT_ASKED
        self.may_lack_failover_settings = source.may_lack_failover_settings
        self.too_large = frozenset(reading.too_large)
        self.reading = reading
        self.first = first
        self.again = machine_list(reading.again.get(queries.MACHINES, Unread("was not asked for")))
        self.settings = self.rows(queries.MACHINE_SETTINGS)
        self.realized = {
            as_guid(identifier) or identifier.upper()
            for row in or_none(self.settings)
            if row.get("VirtualSystemType") == REALIZED
            and isinstance(identifier := row.get("VirtualSystemIdentifier"), str)
        }
        self.setting_guids = setting_guids(or_none(self.settings))
        self.failover = self.rows(queries.FAILOVER_ADDRESSES)
        self.failover_of, stray = failover_by_machine(or_none(self.failover))
        self.shows_failover_settings = bool(self.failover_of.keys() & first.machines.keys())
        self.stray_addresses = sorted(address for addresses in stray for address in addresses)
        self.offers = self.rows(queries.KVP_SETTINGS)
        self.offers_of = {
            guid: rows
            for guid, found in by_machine(or_none(self.offers)).items()
            if (rows := [row for rest, row in found if rest == DATA_EXCHANGE or rest.upper() == DATA_EXCHANGE])
        }
        self.shows_offers = bool(self.offers_of.keys() & first.machines.keys())
        self.guests = self.rows(queries.KVP_COMPONENTS)
        self.guests_of = _with_later_answers(by_system_name(or_none(self.guests)), reading)
        self.heartbeats = self.rows(queries.HEARTBEATS)
        self.heartbeats_of = by_system_name(or_none(self.heartbeats))
        self.relationships = self.rows(queries.RELATIONSHIPS)
        self.relationships_of = by_machine(or_none(self.relationships))
        self.shows_relationships = bool(self.relationships_of.keys() & first.machines.keys())
        self.replication = self.rows(queries.REPLICATION)
        self.replication_of = by_machine(or_none(self.replication))
        adapters = [self.rows(name) for name in (queries.SYNTHETIC_ADAPTERS, queries.LEGACY_ADAPTERS)]
        self.unread_adapters = next((answer for answer in adapters if isinstance(answer, Unread)), None)
        self.synthetic_of, self.legacy_of = (by_machine(or_none(answer)) for answer in adapters)
        self.shows_adapters = bool((self.synthetic_of.keys() | self.legacy_of.keys()) & first.machines.keys())
        self.shows_synthetic_adapters = bool(self.synthetic_of.keys() & first.machines.keys())
        self.untied_adapters = [
            *untied(or_none(adapters[0]), self.synthetic_of),
            *untied(or_none(adapters[1]), self.legacy_of),
        ]
        self.connections = self.rows(queries.CONNECTIONS)
        self.connections_of = by_machine(or_none(self.connections))
        self.untied_connections = untied(or_none(self.connections), self.connections_of)
        self.guest_addresses, self.guest_addresses_of = self._guest_addresses()
        # Not by a method of this: what refers back to it would keep all rows from being let go.
        self.additions = Additions({name: self.rows(name) for name in ADDITIONS}, first.machines)
        self.memo = Memo()

    @cached_property
    def _to_be_asked(self) -> frozenset[str]:
        """The classes that were asked for, and those that should have been: a snapshot may have lost what it says."""
        machines = self.reading.classes.get(queries.MACHINES, ())
        of_replication = queries.queries_of_replication(self.reading.version, machines)
        return frozenset(self.asked_properties) | {query.class_name for query in of_replication}

    @cached_property
    def unlisted(self) -> list[str]:
        """Machines that other rows speak of and neither list has: an account without rights is not shown all rows."""
        later = self.again.machines.keys() if isinstance(self.again, MachineList) else set()
        running = set(filter(as_guid, self.guests_of))
        of_others = self.setting_guids - self.realized  # planned machines, checkpoints
        alive = (running | self.relationships_of.keys()) - of_others
        return sorted((self.realized | alive) - self.first.machines.keys() - later)

    @cached_property
    def names_switches(self) -> bool:
        """Has the path of any connection the form that we know?"""
        return any(switch_of(path) for row in or_none(self.connections) for path in filled(row, "HostResource"))

    @cached_property
    def steady(self) -> Mapping[str, Row]:
        """The machines whose row was the same in both lists; where there is no second list, those of the first."""
        again = self.again.machines if isinstance(self.again, MachineList) else self.first.machines
        return {
            guid: row
            for guid, row in self.first.machines.items()
            if guid not in self.first.doubled
            and guid in again
            and row.get("EnabledState") == (later := again[guid]).get("EnabledState")
            and row.get("ReplicationMode") == later.get("ReplicationMode")
        }

    @cached_property
    def items_of(self) -> Mapping[str, Mapping[str, str]]:
        """What guests published, parsed once, since that costs more than all else here."""
        return {guid: parse_items(array(rows[0], queries.GUEST_ITEMS)) for guid, rows in self.guests_of.items()}

    def rows(self, class_name: str) -> Rows | Unread:
        if class_name in self.reading.classes:
            return self.reading.classes[class_name]
        if self.reading.asked_properties is not None and class_name in self._to_be_asked:
            return Unread(f"{class_name} was to be asked for, and its answer is missing")
        if class_name in {query.class_name for query in queries.OF_REPLICATION}:
            return self.not_asked
        return Unread(f"{class_name} was not asked for", Why.ABSENT)

    def _guest_addresses(self) -> tuple[Rows | Unread, Bucket]:
        """Return the rows of what guests use now; not one of a machine that the server lists is no answer."""
        answer = self.rows(queries.GUEST_ADDRESSES)
        of_machines = two_guids(or_none(answer), OF_GUEST_ADDRESSES)
        if isinstance(answer, Unread) or of_machines.keys() & self.first.machines.keys():
            return answer, of_machines
        return Unread(f"{self.name} shows not one row of its guests' addresses"), {}


def _with_later_answers(first: dict[str, list[Row]], reading: Reading) -> dict[str, list[Row]]:
    """Put a component as it was at the end in the place of one that showed no contact: a guest that just restarts shows
    the same for a while."""
    later = reading.again.get(queries.KVP_COMPONENTS, ())
    if isinstance(later, Unread):
        return first
    of_later = by_system_name(later)
    return {
        guid: of_later[guid] if _is_silent(rows) and len(of_later.get(guid, ())) == 1 else rows
        for guid, rows in first.items()
    }


def _is_silent(rows: list[Row]) -> bool:
    return len(rows) == 1 and first_number(rows[0], "OperationalStatus") == queries.NO_CONTACT


def two_guids(rows: Rows, form: re.Pattern[str]) -> Bucket:
    """Return rows by the first of the two GUIDs in their InstanceID, each with the second: machine, then adapter."""
    bucket: Bucket = defaultdict(list)
    for row in rows:
        instance = row.get("InstanceID")
        if isinstance(instance, str) and (match := form.fullmatch(instance)):
            bucket[match[1].upper()].append((match[2].upper(), row))
    return bucket


@lru_cache(maxsize=4096)
def switch_of(path: str) -> str | None:
    """Return the GUID of the switch that a path names; None where the path has another form. ``path`` is one of
    ``filled``, and so no longer than what is worth remembering."""
    match = OF_SWITCH.search(path)
    return match[1].upper() if match else None


def untied(rows: Rows, of_machines: Bucket) -> list[str]:
    """Return the names of rows that can't be tied to a machine although nothing about them is untied by design.

    Untied by design are templates and pools (``Microsoft:Definition\\…``, ``Microsoft:Pool\\…``: a published dump, and
    the BPA script of Server 2012, which leaves them out). Settings of checkpoints carry a GUID of their own.
    """
    beside = rows_beside(of_machines, rows)
    return [shorten_value(row.get("InstanceID") or "no name") for row in beside if not _is_untied_by_design(row)]


def _is_untied_by_design(row: Row) -> bool:
    if "InstanceID" in row and not any(row.values()):
        return True  # a row of NULLs says nothing of anybody
    name = row.get("InstanceID")
    return isinstance(name, str) and OF_TEMPLATE.match(name) is not None


def failover_by_machine(rows: Rows) -> tuple[Bucket, list[tuple[str, ...]]]:
    """Rows by machine, each with its adapter; and of the rows for which no machine can be named, the addresses."""
    bucket: Bucket = defaultdict(list)
    stray: list[tuple[str, ...]] = []
    for row in rows:
        instance = row.get("InstanceID")
        form = instance if isinstance(instance, str) else ""
        if match := OF_FAILOVER.fullmatch(form):
            bucket[match[1].upper()].append((match[2].upper(), row))
        elif not OF_TEMPLATE.match(form):
            reason = why_no_address(row)
            stray.append(filled(row, "IPAddresses") or ((f"its row {reason}",) if reason else ()))
    return bucket, stray


def why_no_address(row: Row) -> str:
    """Why a failover setting row without an address need not be one that sets none; empty where it is."""
    kind = number(row, "ProtocolIFType")
    if isinstance(kind, Unread) or "DHCPEnabled" not in row:
        return "came without the properties that were asked for"
    return "" if kind in SETS_NO_ADDRESS else "names a protocol, but no address came with it"
