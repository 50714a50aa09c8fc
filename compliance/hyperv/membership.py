"""Who is a node of which cluster: a server is one only if it says so itself.

A cluster of the inventory names its nodes, and a hostile one may name any server of the estate. Machines of a node are
settled among all nodes, so a claim that counted by itself could make findings vanish.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import name_of, nodes_of
from compliance.hyperv.host import MachineList, first_list
from compliance.hyperv.rows import Rows, first_label
from compliance.model import Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot

NOT_ASKED = Unread("was not asked for")
UPTIMES_MAY_DIFFER = timedelta(hours=1)
"""Of one machine that was read twice, by two names of its server."""


@dataclass(frozen=True, slots=True)
class ClusterWord:
    """Which cluster it is that a server or a cluster speaks of, without case. Two sites may name nodes alike, so the
    cluster's own name counts as well."""

    name: str
    nodes: frozenset[str]


def cluster_word(answers: Mapping[str, Rows | Unread]) -> ClusterWord | None:
    """Return what somebody's answers say of a cluster; None where they name no nodes, or what is no name of one."""
    nodes = nodes_of(answers.get(queries.NODES, NOT_ASKED))
    if isinstance(nodes, Unread) or nodes.refused:
        return None
    return ClusterWord((name_of(answers.get(queries.CLUSTER, NOT_ASKED)) or "").casefold(), frozenset(nodes.states))


def labels_of(server: Server) -> frozenset[str]:
    """Return what others may call this server: the name of its own row; where that is not known, what we call it."""
    return _labels(server.host_name, server.name, server.endpoint)


def _labels(host_name: str | None, name: str, endpoint: str) -> frozenset[str]:
    if host_name is not None:
        return frozenset({first_label(host_name)})
    return frozenset({first_label(name), first_label(endpoint.rpartition(":")[0])} - {""})


# --- claims -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeClaim:
    """A server that a cluster names as its node, and that does not confirm it."""

    server: str
    labels: frozenset[str]
    why: str

    def __str__(self) -> str:
        return f"{self.server} ({self.why})"


Claims = Mapping[str, Sequence[NodeClaim]]
"""By cluster."""


def by_own_word(snapshot: Snapshot) -> tuple[Snapshot, Claims]:
    """Return the snapshot with no server in a cluster of which it does not say itself that it is a node, and the claims
    that clusters made in vain. What was not read says nothing: it stays where it is, and puts its cluster in doubt. A
    cluster that is left without a node stands for its nodes itself."""
    clusters = {source.name: source for source in snapshot.clusters}
    claims: dict[str, list[NodeClaim]] = defaultdict(list)
    servers = []
    for source in snapshot.servers:
        why = why_no_node(source, clusters.get(source.cluster or ""))
        if source.cluster is not None and why:
            claims[source.cluster].append(NodeClaim(source.name, _labels_of_source(source), why))
        servers.append(replace(source, cluster=None) if why else source)
    with_nodes = {source.cluster for source in servers}
    for source in snapshot.clusters:
        if source.name not in with_nodes:
            nobody = Unread("none of the servers that it names says itself that it is a node of it")
            servers.append(replace(source, cluster=source.name, reading=nobody))
    return replace(snapshot, servers=tuple(servers)), claims


def is_node(source: ServerRecord, cluster: ServerRecord) -> bool:
    """Was this server read, and does it say itself that it is a node of the cluster that it stands in?"""
    return isinstance(source.reading, Reading) and not why_no_node(source, cluster)


def why_no_node(source: ServerRecord, cluster: ServerRecord | None) -> str:
    """Return why a server that was read is no node of a cluster, by the server's own word; empty where it is one, or
    was not read."""
    reading = source.reading
    if source.cluster is None or isinstance(reading, Unread):
        return ""
    if cluster is None or isinstance(cluster.reading, Unread):
        return "its cluster was not read"
    if not reading.cluster:
        return "is a node of no cluster"
    nodes = nodes_of(reading.cluster.get(queries.NODES, NOT_ASKED))
    if isinstance(nodes, Unread):
        return f"of which cluster it is a node could not be read: {nodes}"
    name = name_of(reading.cluster.get(queries.CLUSTER, NOT_ASKED))
    claimed = name_of(cluster.reading.classes.get(queries.CLUSTER, NOT_ASKED))
    if not name or not claimed:
        return f"{'its cluster' if name else 'it'} gives the cluster no name"
    if name.casefold() != claimed.casefold():
        return f"is a node of the cluster {name}"
    if not _labels_of_source(source) & nodes.states.keys():
        return f"does not count itself among the nodes of {name}"
    return ""


def _labels_of_source(source: ServerRecord) -> frozenset[str]:
    if isinstance(source.reading, Reading) and source.reading.essence:
        return labels_of(source.reading.essence.server)
    first = first_list(source.reading) if isinstance(source.reading, Reading) else None
    return _labels(first.host if isinstance(first, MachineList) else None, source.name, source.endpoint)


# --- one server under two names ---------------------------------------------------------------------------------------


def adopt_twins(source: ServerRecord, servers: dict[str, Server], words: Mapping[str, ClusterWord | None]) -> None:
    """Take servers of the inventory that are nodes of this cluster under other names for what they are: each machine is
    judged once. ``words``: what servers say of their cluster themselves."""
    mine = cluster_word(source.reading.classes) if isinstance(source.reading, Reading) else None
    if mine is None or not mine.name:
        return
    for server in list(servers.values()):
        if server.cluster or server.unread or words.get(server.name) != mine:
            continue
        label = next(iter(labels_of(server) & mine.nodes), None)
        if label is None:
            continue
        nodes = [other for other in servers.values() if other.cluster == source.name]
        twin = next((other for other in nodes if label in labels_of(other)), None)
        if twin is None or twin.unread:
            remark = f"is the node {label} of the cluster {source.name}, too"
            servers[server.name] = replace(server, cluster=source.name, remarks=(*server.remarks, remark))
            continue
        if all(_is_among(machine, nodes) for machine in server.machines):
            remark = f"is the same server as {twin.name} of the cluster {source.name}: its machines are judged there"
            servers[server.name] = replace(server, machines=(), remarks=(*server.remarks, remark))
        elif any(machine.guid in {other.guid for other in twin.machines} for machine in server.machines):
            remark = f"calls itself as {twin.name} of the cluster {source.name} does, and shows something else"
            servers[server.name] = replace(server, remarks=(*server.remarks, remark))


def _is_among(machine: VirtualMachine, servers: Iterable[Server]) -> bool:
    """Is exactly this to be seen there as well? One that differs may differ in what makes it fail."""
    return any(_is_alike(machine, other) for server in servers for other in server.machines)


def _is_alike(machine: VirtualMachine, other: VirtualMachine) -> bool:
    if isinstance(machine.uptime, timedelta) and isinstance(other.uptime, timedelta):
        if abs(machine.uptime - other.uptime) > UPTIMES_MAY_DIFFER:
            return False
        other = replace(other, uptime=machine.uptime)
    return machine == replace(other, server=machine.server, cluster=machine.cluster, remarks=machine.remarks)


# --- servers that were listed alone -----------------------------------------------------------------------------------


class InventoryLabels:
    """Which labels stand in the inventory, cluster by cluster. One that was read and is a node of another cluster, or
    of none, is only called the same."""

    def __init__(
        self,
        servers: Iterable[Server],
        words: Mapping[str, ClusterWord | None],
        clusters: Mapping[str, ClusterWord | None],
        left_out: Iterable[str],
    ) -> None:
        self._labels: dict[ClusterWord | None, set[str]] = defaultdict(set)
        self._unread = {first_label(name) for name in left_out}  # by --hv-limit, which every output names
        for server in servers:
            if not server.unread:
                self._labels[words.get(server.name)].update(labels_of(server))
            elif server.cluster is not None:  # it stands there by its cluster's word alone
                self._labels[clusters.get(server.cluster)].update(labels_of(server))
            else:
                self._unread.update(labels_of(server))

    def lacking(self, word: ClusterWord) -> list[str]:
        """Return the nodes that are not in the inventory."""
        return sorted(word.nodes - self._labels[word] - self._unread)
