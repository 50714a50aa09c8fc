"""Was there something to judge at all? No silence may turn into green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compliance.model import Cluster, Estate, Judging, Server
from compliance.rule import Outcome, Severity, passed, rule, unknown
from compliance.rules.evidence.causes import Cause


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
    unknown_when=(
        "The server did not answer, refused the login, or shows nothing for lack of rights; or it is a node of a "
        "cluster of which not every node is in the inventory. This rule never fails."
    ),
    violated="were not read",
    judges_unread=True,
)
def server_was_read(server: Server, settings: Judging) -> Outcome:
    outcome = _read(server, settings)
    remarks_on_nodes = (server.partial,) if server.partial and settings.may_be_partial else ()
    return replace(outcome, remarks=(*server.remarks, *remarks_on_nodes, *_partners(server)))


def _read(server: Server, settings: Judging) -> Outcome:
    if server.unread:
        return unknown(f"{server.unread.why}: {server.unread}", cause=Cause.SERVER_UNREAD)
    if server.doubt:
        return unknown(server.doubt, cause=Cause.SERVER_INCOMPLETE)
    if server.partial and not settings.may_be_partial:
        return unknown(server.partial, cause=Cause.NODES_NOT_LISTED)
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
    unknown_when=(
        "The cluster did not answer, a node is down or was not read, or a virtual machine among its resources was "
        "seen on no node. This rule never fails: a cluster was read whole, or it is unknown."
    ),
    violated="were not read whole",
    judges_unread=True,
)
def cluster_was_read(cluster: Cluster) -> Outcome:
    return replace(_whole(cluster), remarks=cluster.remarks)


def _whole(cluster: Cluster) -> Outcome:
    if cluster.unread:
        return unknown(f"{cluster.unread.why}: {cluster.unread}", cause=Cause.CLUSTER_UNREAD)
    if cluster.doubts:
        return unknown("; ".join(cluster.doubts), cause=Cause.CLUSTER_INCOMPLETE)
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
    unknown_when=(
        "No replicated virtual machine was seen, and the inventory does not say `may_be_empty: true`. This rule never "
        "fails."
    ),
    violated="shows no replicated virtual machine",
    judges_unread=True,
)
def estate_has_replicated_machines(estate: Estate, settings: Judging) -> Outcome:
    count = len(estate.replicated)
    if count:
        return passed(f"{count} side{'' if count == 1 else 's'} of replicated virtual machines")
    if settings.may_be_empty:
        return passed("no replicated virtual machine, as the inventory allows")
    unread = sum(server.unread is not None for server in estate.servers)
    but = f"; {unread} of {len(estate.servers)} servers were not read" if unread else ""
    return unknown(f"not one replicated virtual machine was seen{but}", cause=Cause.NOTHING_REPLICATED)
