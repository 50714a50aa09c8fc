"""Was there something to judge at all? No silence may turn into green."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from compliance.model import Cluster, Estate, Server, Settings, Unread, Way
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks


@rule(
    "server-was-read",
    severity=Severity.ERROR,
    title="Every server of the inventory is read",
    issue="Nothing can be said of virtual machines on a server that was not read.",
    impact="A failover may go wrong on these servers, and no rule would have told.",
    resolution=(
        "Do what the reason says, or take the server out of the inventory. A server that is down for good reason is "
        "still one that was not read."
    ),
    violated="were not read",
    judges_unread=True,
)
def server_was_read(server: Server, settings: Settings) -> Outcome:
    outcome = _read(server, settings)
    told = (server.partial,) if server.partial and settings.may_be_partial else ()
    return replace(outcome, remarks=(*server.remarks, *told, *_partners(server)))


def _read(server: Server, settings: Settings) -> Outcome:
    if server.unread:
        return unknown(f"{server.unread.why}: {server.unread}")
    if server.doubt:
        return unknown(server.doubt)
    if server.partial and not settings.may_be_partial:
        return unknown(server.partial)
    version = f", version {server.version}" if server.version else ""
    count = len(server.machines)
    return passed(f"{count} virtual machine{'' if count == 1 else 's'}{version}")


def _partners(server: Server) -> Iterator[str]:
    if server.unlisted:
        names = ", ".join(server.unlisted[:5]) + (f" and {more} more" if (more := len(server.unlisted) - 5) > 0 else "")
        yield f"its replication settings name what is not in the inventory: {names}"


@rule(
    "cluster-was-read",
    severity=Severity.ERROR,
    title="Every cluster of the inventory is read whole",
    issue="A virtual machine of a cluster stands on whichever node owns it: one that was not read may hide any.",
    impact="A failover may go wrong on virtual machines that nobody saw.",
    resolution=(
        "Do what the reason says, and read the cluster again when all its nodes are up. A node that is down for good "
        "reason still leaves the cluster incomplete."
    ),
    violated="were not read whole",
    judges_unread=True,
)
def cluster_was_read(cluster: Cluster) -> Outcome:
    return replace(_whole(cluster), remarks=cluster.remarks)


def _whole(cluster: Cluster) -> Outcome:
    if cluster.unread:
        return unknown(f"{cluster.unread.why}: {cluster.unread}")
    if cluster.doubts:
        return unknown("; ".join(cluster.doubts))
    nodes = f"{len(cluster.nodes)} node{'' if len(cluster.nodes) == 1 else 's'}"
    match cluster.expected:
        case 0:
            return passed(f"{nodes}, and it has no clustered virtual machine")
        case 1:
            return passed(f"{nodes}, and its one clustered virtual machine was seen")
    return passed(f"{nodes}, and each of its {cluster.expected} clustered virtual machines was seen")


@rule(
    "estate-has-replicated-machines",
    severity=Severity.ERROR,
    title="The estate has replicated virtual machines",
    issue="Not one virtual machine of the estate takes part in a replication, so no rule judged anything.",
    impact="An account without rights, an inventory of the wrong servers and an estate without replication look alike.",
    resolution=(
        "Check the account's rights and the inventory; if it is so, set `may_be_empty: true` at the inventory's top."
    ),
    judges_unread=True,
)
def estate_has_replicated_machines(estate: Estate, settings: Settings) -> Outcome:
    count = len(estate.replicated)
    if count:
        return passed(f"{count} side{'' if count == 1 else 's'} of replicated virtual machines")
    if settings.may_be_empty:
        return passed("no replicated virtual machine, as the inventory allows")
    unread = sum(server.unread is not None for server in estate.servers)
    but = f"; {unread} of {len(estate.servers)} servers were not read" if unread else ""
    return unknown(f"not one replicated virtual machine was seen{but}")


MOST_TOLD = 50
"""Ways that lead nowhere, each a remark."""


@rule(
    "guests-were-read",
    severity=Severity.WARNING,
    title="Every way into a guest leads to the guest that it is for",
    issue="A way that the inventory names was not read, or leads to another machine than the one that it is for.",
    impact="Nothing is said of these guests from inside: whether they apply their failover addresses is not known.",
    resolution="Do what is said of each way, or take it out of the inventory's `guests`.",
    applies=lambda estate: bool(estate.ways),
)
def guests_were_read(estate: Estate) -> Outcome:
    blind = any(server.unread or server.doubt for server in estate.servers)
    ways = [way for way in estate.ways if blind or not way.beyond]  # a server that was not read may be the one
    beyond = [way for way in estate.ways if way.beyond and not blind]
    remarks = (*(f"{way}: {way.insecure}" for way in estate.ways if way.insecure), *_beyond(beyond))
    if beyond and not ways:
        return with_remarks(
            not_applicable("no way into a guest was asked for: --hv-limit left out their servers"), remarks
        )
    lost = [(way, reason) for way in ways if (reason := _lost(way))]
    if not lost:
        each = "which leads" if len(ways) == 1 else "each of which leads"
        told = f"{len(ways)} way{'' if len(ways) == 1 else 's'} into guests, {each} to the machine that it is for"
        return with_remarks(passed(told), remarks)
    finding = f"{len(lost)} of {len(ways)} ways into guests lead to no machine that they are for"
    strays = [way for way, _ in lost if not way.matched]
    outcome = failed(finding) if strays and not blind else unknown(finding)
    told_of = [f"{way}: {reason}" for way, reason in lost]
    more = [f"and {len(told_of) - MOST_TOLD} more ways"] if len(told_of) > MOST_TOLD else []
    return with_remarks(outcome, (*remarks, *told_of[:MOST_TOLD], *more))


def _beyond(ways: Sequence[Way]) -> Iterator[str]:
    if ways:
        more = f" and {len(ways) - 5} more" if len(ways) > 5 else ""
        names = ", ".join(map(str, ways[:5])) + more
        yield f"not asked for, since --hv-limit left out the server on which the guest would run: {names}"


def _lost(way: Way) -> str:
    """Why it says nothing of a machine; empty where it does."""
    if not way.matched:
        return f"no machine of the estate is called {' or '.join(way.patterns)}"
    if isinstance(way.inside, Unread):
        return str(way.inside).removeprefix(f"{way}: ")
    return "" if way.proved else f"what answers there is not known to be the guest of {' or '.join(way.matched[:3])}"
