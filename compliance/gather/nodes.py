"""Clusters become nodes: which servers a cluster's answers name, and to which of them something moved meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from compliance.gather.peers import Results
from compliance.gather.sources import source_of, with_note
from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import nodes_of
from compliance.hyperv.clusters import owners_of_moved, shown_in
from compliance.hyperv.membership import is_node
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.inventory import Inventory
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading, ServerRecord


@dataclass(slots=True)
class Membership:
    """Which servers are asked as nodes of which cluster of the inventory. It is the clusters' word alone: whether a
    server is a node is judged later, by what it says itself."""

    inventory: Inventory
    _unlisted: dict[str, Entry] = field(default_factory=dict)  # by name: nodes that are listed nowhere
    _cluster: dict[str, str] = field(default_factory=dict)  # server -> cluster, of listed servers too

    @property
    def unlisted(self) -> tuple[Entry, ...]:
        """Nodes that nobody listed as servers, in the order in which clusters named them."""
        return tuple(self._unlisted.values())

    def cluster_of(self, entry: Entry) -> str | None:
        return self._cluster.get(entry.name)

    def expand(self, cluster: ClusterEntry, reading: Reading) -> list[Entry]:
        """Take in the nodes that a cluster names, and return those that are listed nowhere: they are to be read now."""
        nodes = nodes_of(reading.classes[queries.NODES])
        new = []
        for label in () if isinstance(nodes, Unread) else nodes.states:
            entry = self._node(cluster, label)
            server = self._find_server(entry)
            if server is None:
                self._unlisted[entry.name] = entry
                new.append(entry)
            if server is None or server.name not in self._cluster:
                self._cluster[(server or entry).name] = cluster.name
        return new

    def members(self, cluster: ClusterEntry, results: Results) -> dict[Entry, Reading]:
        """Return the nodes of this cluster that answered, and that say themselves that they are its nodes."""
        own = source_of(cluster, results.host(cluster))
        candidates = [
            entry
            for entry in (*self.inventory.servers, *self._unlisted.values())
            if self._cluster.get(entry.name) == cluster.name
        ]
        return {
            entry: reading
            for entry, reading in results.readings(candidates)
            if is_node(source_of(entry, reading, cluster.name), own)
        }

    def moved_to(self, cluster: ClusterEntry, results: Results) -> list[Entry]:
        """Return nodes that own by now what moved there after they had been read, so that no node showed it."""
        reading = results.host(cluster)
        members = self.members(cluster, results)
        labels = owners_of_moved(reading, list(members.values())) if isinstance(reading, Reading) else ()
        names = {entry.name for label in labels if (entry := self._find_server(self._node(cluster, label)))}
        return [entry for entry in members if entry.name in names]

    def _node(self, cluster: ClusterEntry, label: str) -> Entry:
        """Return a node's entry. An inventory may call a cluster as one of its nodes: in a snapshot both need a name of
        their own."""
        entry = cluster.node(label)
        taken = {other.name.casefold() for other in self.inventory.clusters}
        return entry.model_copy(update={"name": f"{entry.name}-node"}) if entry.name.casefold() in taken else entry

    def _find_server(self, node: Entry) -> Entry | None:
        """Return the same server, by name or by endpoint, so that none is read twice."""
        for other in (*self.inventory.servers, *self._unlisted.values()):
            if other.name.casefold() == node.name.casefold() or _endpoint(other) == _endpoint(node):
                return other
        return None


def _endpoint(entry: Entry) -> tuple[str, int, str]:
    return entry.address.casefold(), entry.port, entry.path


def servers_of(inventory: Inventory, membership: Membership, results: Results) -> Iterator[ServerRecord]:
    """Yield the servers of the inventory, then the nodes of clusters. A cluster whose nodes are not known stands for
    them. A listed server that was not read says nothing of being a node, so it stands alone."""
    clusters = {entry.name: source_of(entry, results.host(entry)) for entry in inventory.clusters}
    with_nodes = {membership.cluster_of(entry) for entry in membership.unlisted}
    for entry in inventory.servers:
        reading, cluster = results.host(entry), membership.cluster_of(entry)
        source = source_of(entry, reading, None if isinstance(reading, Unread) else cluster)
        if cluster is not None and is_node(source, clusters[cluster]):
            source = with_note(source, _both_places(inventory, entry.name, cluster))
        with_nodes.add(source.cluster)
        yield source
    for entry in membership.unlisted:
        yield source_of(entry, results.host(entry), membership.cluster_of(entry))
    for entry in inventory.clusters:
        if entry.name not in with_nodes:
            yield source_of(entry, _why_no_nodes(results.host(entry)), entry.name)


def _both_places(inventory: Inventory, server: str, cluster: str) -> str:
    lines = [str(line) for name in (server, cluster) if (line := inventory.lines.get(name))]
    where = f" ({inventory.path.name}, lines {' and '.join(lines)})" if lines else ""
    return f"is listed as a server, and is a node of the cluster {cluster}: it was read once{where}"


def _why_no_nodes(reading: Reading | Unread) -> Unread:
    """Return why a cluster gave no node to read."""
    nodes = reading if isinstance(reading, Unread) else nodes_of(reading.classes.get(queries.NODES, ()))
    return nodes if isinstance(nodes, Unread) else Unread("none of its nodes was read as one of it")


def with_later_answers(first: Reading | Unread, later: Reading | Unread) -> Reading | Unread:
    """Return a cluster's reading with what it answered when all nodes had been read."""
    if isinstance(first, Unread):
        return first
    if isinstance(later, Unread):
        return replace(first, again={query.class_name: later for query in queries.OF_CLUSTER_AGAIN})
    notes = tuple(dict.fromkeys((*first.notes, *later.notes)))
    return replace(first, finished=later.finished, again=later.classes, notes=notes)


def fuller(first: Reading | Unread, later: Reading | Unread) -> Reading | Unread:
    """Return a node's later reading, if it shows what the first one did: what has left it meanwhile would be lost."""
    if not isinstance(first, Reading) or not isinstance(later, Reading) or not shown_in(first) <= shown_in(later):
        return first
    return replace(later, notes=(*later.notes, "was read a second time, since a virtual machine moved to it meanwhile"))
