"""One server's rows, each class bucketed once by the machine that it speaks of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from compliance.errors import Why
from compliance.hyperv import queries
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
    number,
    or_none,
    setting_guids,
    text,
)
from compliance.model import Row, Unread
from compliance.snapshot.snapshot import Reading, Source

OF_FAILOVER = re.compile(rf"Microsoft:FailoverNetworkSetting\\({GUID})\\({GUID})")
OF_TEMPLATE = re.compile(r"Microsoft:(Definition|Pool)\\", re.IGNORECASE)
REALIZED = "Microsoft:Hyper-V:System:Realized"
SETS_NO_ADDRESS = frozenset({None, 0, 1})  # ProtocolIFType: unknown, other; 4096, 4097, 4098 are IPv4, IPv6, both
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"


@dataclass(frozen=True, slots=True)
class Listed:
    host: str
    machines: Mapping[str, Row]
    doubled: frozenset[str]


def listed(answer: Rows | Unread) -> Listed | Unread:
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
            hosts.append(name if isinstance(name, str) and name.strip() else None)
    match hosts:
        case [str(host)]:
            return Listed(host, machines, frozenset(doubled))
        case []:
            return Unread(
                f"{'listed machines, but not' if machines else 'answered without any row, not even'} its own: "
                "the account lacks rights there (it must be in Hyper-V Administrators), or Hyper-V is not installed",
                Why.NOT_PERMITTED,
            )
        case _:
            return Unread(f"its own row can't be told from others: {len(hosts)} have no GUID as their name")


def first_list(reading: Reading) -> Listed | Unread:
    return listed(reading.classes.get(queries.MACHINES, Unread("its virtual machines were not asked for")))


NOBODY = Listed("", {}, frozenset())


class HostRows:
    """One server's rows, each class bucketed once by the machine that it speaks of."""

    def __init__(self, source: Source, reading: Reading, first: Listed) -> None:
        self.name = source.name
        self.host_name = first.host
        self.is_2012 = (queries.parse_version(reading.version) or ())[:2] == queries.SERVER_2012
        self.may_lack_failover_settings = source.may_lack_failover_settings
        self.left_out = frozenset(reading.left_out)
        self.reading = reading
        self.first = first
        self.again = listed(reading.again.get(queries.MACHINES, Unread("was not asked for")))
        self.settings = self.rows(queries.MACHINE_SETTINGS)
        self.realized = {
            identifier.upper()
            for row in or_none(self.settings)
            if text(row, "VirtualSystemType") == REALIZED
            and isinstance(identifier := text(row, "VirtualSystemIdentifier"), str)
        }
        self.failover = self.rows(queries.FAILOVER_ADDRESSES)
        self.failover_of, stray = failover_by_machine(or_none(self.failover))
        self.shows_failover_settings = bool(self.failover_of.keys() & first.machines.keys())
        self.stray_addresses = sorted(address for addresses in stray for address in addresses)
        self.offers = self.rows(queries.KVP_SETTINGS)
        self.offers_of = {
            guid: rows
            for guid, found in by_machine(or_none(self.offers)).items()
            if (rows := [row for rest, row in found if rest.upper() == DATA_EXCHANGE])
        }
        self.guests = self.rows(queries.KVP_COMPONENTS)
        self.guests_of = by_system_name(or_none(self.guests))
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
        self.connections = self.rows(queries.CONNECTIONS)
        self.connections_of = by_machine(or_none(self.connections))

    @cached_property
    def unlisted(self) -> list[str]:
        """Machines that other rows speak of and neither list has: an account without rights is not shown all rows."""
        later = self.again.machines.keys() if isinstance(self.again, Listed) else set()
        running = {name for name in self.guests_of if A_GUID.fullmatch(name)}
        of_others = setting_guids(or_none(self.settings)) - self.realized  # planned machines, checkpoints
        alive = (running | self.relationships_of.keys()) - of_others
        return sorted((self.realized | alive) - self.first.machines.keys() - later)

    @cached_property
    def steady(self) -> Mapping[str, Row]:
        """The machines whose row was the same in both lists; where there is no second list, those of the first."""
        again = self.again.machines if isinstance(self.again, Listed) else self.first.machines
        return {
            guid: row
            for guid, row in self.first.machines.items()
            if guid not in self.first.doubled
            and guid in again
            and all(row.get(name) == again[guid].get(name) for name in ("EnabledState", "ReplicationMode"))
        }

    @cached_property
    def items_of(self) -> Mapping[str, Mapping[str, str]]:
        """What guests published, parsed once, since that costs more than all else here."""
        return {guid: parse_items(array(rows[0], queries.GUEST_ITEMS)) for guid, rows in self.guests_of.items()}

    def rows(self, class_name: str) -> Rows | Unread:
        return self.reading.classes.get(class_name, Unread(f"{class_name} was not asked for", Why.ABSENT))


def failover_by_machine(rows: Rows) -> tuple[Bucket, list[tuple[str, ...]]]:
    """Rows by machine, each with its adapter; and of the rows for which no machine can be named, the addresses."""
    found: Bucket = defaultdict(list)
    stray: list[tuple[str, ...]] = []
    for row in rows:
        instance = text(row, "InstanceID")
        form = instance if isinstance(instance, str) else ""
        if match := OF_FAILOVER.fullmatch(form):
            found[match[1].upper()].append((match[2].upper(), row))
        elif not OF_TEMPLATE.match(form):
            reason = why_no_address(row)
            stray.append(filled(row, "IPAddresses") or ((f"its row {reason}",) if reason else ()))
    return found, stray


def why_no_address(row: Row) -> str:
    """Why a failover setting row without an address need not be one that sets none; empty where it is."""
    kind = number(row, "ProtocolIFType")
    if isinstance(kind, Unread) or "DHCPEnabled" not in row:
        return "came without the properties that were asked for"
    return "" if kind in SETS_NO_ADDRESS else "names a protocol, but no address came with it"
