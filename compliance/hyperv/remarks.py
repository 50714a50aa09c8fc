"""What is odd about a server, one line each: for people, beside the verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from compliance.hyperv import queries
from compliance.hyperv.assumptions.held import ReplicationPair, assumptions_on, assumptions_on_pairs, pairs_of
from compliance.hyperv.assumptions.statement import remarks_on
from compliance.hyperv.host import HostRows
from compliance.hyperv.names import NameIndex
from compliance.hyperv.replication import foreign_names_of
from compliance.model import Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import ServerRecord
from compliance.words import join_names, plural

FOR_REMARKS_ONLY = (
    queries.SYNTHETIC_ADAPTERS,
    queries.LEGACY_ADAPTERS,
    queries.HEARTBEATS,
    queries.REPLICA_SERVER,
    queries.CONNECTIONS,
)
CLOCK_TOLERANCE = timedelta(minutes=5)
"""Kerberos refuses a greater difference; ages read off this server would be wrong by as much."""


def server_remarks(source: ServerRecord, host: HostRows, machines: Sequence[VirtualMachine]) -> tuple[str, ...]:
    reading = host.reading
    remarks = [source.insecure] if source.insecure else []
    remarks += [note for note in reading.notes if note != queries.REFUSES_WQL]  # told as an assumption
    remarks += [
        f"{class_name} could not be read: {answer}"
        for class_name in FOR_REMARKS_ONLY
        if isinstance(answer := reading.classes.get(class_name), Unread)
    ]
    remarks += remarks_on(assumptions_on(host))
    remarks += _on_foreign(host, machines)
    if reading.clock_ahead is not None and abs(reading.clock_ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if reading.clock_ahead > timedelta() else "behind"
        remarks.append(
            f"its clock is {abs(reading.clock_ahead).total_seconds() / 60:.0f} minutes {direction} this machine's"
        )
    return tuple(remarks)


def _on_foreign(host: HostRows, machines: Sequence[VirtualMachine]) -> list[str]:
    """One line for all machines that another product replicates, Azure Site Recovery for one."""
    foreign = [machine for machine in machines if machine.foreign]
    if not foreign:
        return []
    names = list(dict.fromkeys(name for machine in foreign for name in foreign_names_of(host, machine.guid)))
    where = f", to {join_names(names, most=3)}" if names else ""
    verb, their = ("replicates", "its") if len(foreign) == 1 else ("replicate", "their")
    count = plural(len(foreign), "virtual machine")
    another = "another provider than Hyper-V Replica's own"
    return [f"{count} {verb} through {another}{where}: {their} failover happens there"]


def with_remarks_on_sides(servers: Sequence[Server], index: NameIndex) -> tuple[Server, ...]:
    """The same servers, each with what its machines' other sides contradict."""
    pairs: dict[str, list[ReplicationPair]] = defaultdict(list)
    for pair in pairs_of(servers, index):
        pairs[pair.machine.server].append(pair)
    return tuple(
        replace(server, remarks=(*server.remarks, *remarks_on(assumptions_on_pairs(pairs[server.name]))))
        for server in servers
    )
