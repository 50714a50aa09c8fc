"""What is odd about a server, one line each: for people, beside the verdicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from compliance.hyperv import queries
from compliance.hyperv.assumptions.held import Pair, assumptions_on, assumptions_on_pairs, pairs_of
from compliance.hyperv.assumptions.statement import remarks_on
from compliance.hyperv.host import HostRows
from compliance.model import Cluster, Server, Unread
from compliance.snapshot.snapshot import Source

FOR_REMARKS_ONLY = (
    queries.SYNTHETIC_ADAPTERS,
    queries.LEGACY_ADAPTERS,
    queries.HEARTBEATS,
    queries.REPLICA_SERVER,
    queries.CONNECTIONS,
)
CLOCK_TOLERANCE = timedelta(minutes=5)
"""Kerberos refuses a greater difference; ages read off this server would be wrong by as much."""


def server_remarks(source: Source, host: HostRows) -> tuple[str, ...]:
    reading = host.reading
    remarks = [source.insecure] if source.insecure else []
    remarks += [note for note in reading.notes if note != queries.REFUSES_WQL]  # told as an assumption
    remarks += [
        f"{class_name} could not be read, so remarks from it are missing: {answer}"
        for class_name in FOR_REMARKS_ONLY
        if isinstance(answer := reading.classes.get(class_name), Unread)
    ]
    remarks += remarks_on(assumptions_on(host))
    if reading.clock_ahead is not None and abs(reading.clock_ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if reading.clock_ahead > timedelta() else "behind"
        remarks.append(
            f"its clock is {abs(reading.clock_ahead).total_seconds() / 60:.0f} minutes {direction} this machine's"
        )
    return tuple(remarks)


def with_remarks_on_sides(servers: Sequence[Server], clusters: Sequence[Cluster] = ()) -> tuple[Server, ...]:
    """The same servers, each with what its machines' other sides contradict."""
    pairs: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs_of(servers, clusters):
        pairs[pair.machine.server].append(pair)
    return tuple(
        replace(server, remarks=(*server.remarks, *remarks_on(assumptions_on_pairs(pairs[server.name]))))
        for server in servers
    )
