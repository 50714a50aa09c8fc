"""One server's rows, each class bucketed once by the machine that it speaks of; and what is odd about the server."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.rows import (
    A_GUID,
    GUID,
    Bucket,
    Rows,
    by_machine,
    by_system_name,
    filled,
    or_none,
    setting_guids,
    text,
)
from compliance.model import Row, Unread, VirtualMachine
from compliance.snapshot import Reading, Source

OF_FAILOVER = re.compile(rf"Microsoft:FailoverNetworkSetting\\({GUID})\\({GUID})")
OF_TEMPLATE = re.compile(r"Microsoft:(Definition|Pool)\\", re.IGNORECASE)
REALIZED = "Microsoft:Hyper-V:System:Realized"
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"

FOR_REMARKS_ONLY = (
    queries.SYNTHETIC_ADAPTERS,
    queries.LEGACY_ADAPTERS,
    queries.HEARTBEATS,
    queries.REPLICA_SERVER,
    queries.CONNECTIONS,
)
CLOCK_TOLERANCE = timedelta(minutes=5)
"""Kerberos refuses a greater difference; ages read off this server would be wrong by as much."""


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


class Host:
    """One server's rows, each class bucketed once by the machine that it speaks of."""

    def __init__(self, source: Source, reading: Reading, listed: Listed) -> None:
        self.name = source.name
        self.host_name = listed.host
        self.is_2012 = (queries.parse_version(reading.version) or ())[:2] == queries.SERVER_2012
        self.may_lack_failover_settings = source.may_lack_failover_settings
        self.left_out = frozenset(reading.left_out)
        self._reading = reading
        self.settings = self._rows(queries.SETTINGS)
        self.realized = {
            identifier.upper()
            for row in or_none(self.settings)
            if text(row, "VirtualSystemType") == REALIZED
            and isinstance(identifier := text(row, "VirtualSystemIdentifier"), str)
        }
        self.failover = self._rows(queries.FAILOVER)
        self.failover_of, stray = failover_by_machine(or_none(self.failover))
        self.shows_failover_settings = bool(self.failover_of.keys() & listed.machines.keys())
        self.stray_addresses = sorted(address for addresses in stray for address in addresses)
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
            stray.append(filled(row, "IPAddresses"))
    return found, stray


def server_remarks(source: Source, reading: Reading, machines: Sequence[VirtualMachine]) -> tuple[str, ...]:
    remarks = [*([source.insecure] if source.insecure else []), *reading.notes]
    remarks += [
        f"{class_name} could not be read, so remarks from it are missing: {answer}"
        for class_name in FOR_REMARKS_ONLY
        if isinstance(answer := reading.classes.get(class_name), Unread)
    ]
    remarks += _failover_remarks(reading, machines)
    if reading.clock_ahead is not None and abs(reading.clock_ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if reading.clock_ahead > timedelta() else "behind"
        remarks.append(
            f"its clock is {abs(reading.clock_ahead).total_seconds() / 60:.0f} minutes {direction} this machine's"
        )
    return tuple(remarks)


def _failover_remarks(reading: Reading, machines: Sequence[VirtualMachine]) -> list[str]:
    """Failover settings that are no machine's, as far as anybody can tell; and machines that have none at all."""
    failover = reading.classes.get(queries.FAILOVER, ())
    settings = reading.classes.get(queries.SETTINGS, ())
    if isinstance(failover, Unread):
        return []
    found, stray = failover_by_machine(failover)
    known = {machine.guid for machine in machines}
    remarks = []
    if any(machine.replicated is True for machine in machines) and not found.keys() & known:
        remarks.append("replicates, but shows not one failover setting row of a machine")
    if not isinstance(settings, Unread) and (unknown := found.keys() - known - setting_guids(settings)):
        remarks.append(f"failover settings of {_counted(len(unknown), 'unknown virtual machine')} were left out")
    if stray:
        remarks.append(f"{_counted(len(stray), 'failover setting row')} can't be tied to a virtual machine")
    return remarks


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
