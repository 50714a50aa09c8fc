"""Servers and clusters by what replication settings may call them, and machines by GUID."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from compliance.hyperv.membership import labels_of
from compliance.hyperv.rows import first_label
from compliance.model import Cluster, Server, VirtualMachine


class NameIndex:
    """``left_out``: names of servers of the inventory that were not to be read."""

    def __init__(
        self, servers: Sequence[Server], left_out: Iterable[str] = (), clusters: Sequence[Cluster] = ()
    ) -> None:
        self.holders: dict[str, list[VirtualMachine]] = defaultdict(list)
        self._left_out = {first_label(name) for name in left_out}
        self._by_label: dict[str, list[Server]] = defaultdict(list)
        for server in servers:
            for label in labels_of(server):
                self._by_label[label].append(server)
            for machine in server.machines:
                self.holders[machine.guid].append(machine)
        self._nodes = {
            cluster.name: [server for server in servers if server.cluster == cluster.name] for cluster in clusters
        }
        self._doubtful = {cluster.name for cluster in clusters if cluster.unread or cluster.doubts}
        self._clusters: dict[str, set[str]] = defaultdict(set)
        for cluster in clusters:
            for label in cluster.labels:
                self._clusters[label].add(cluster.name)

    def servers_called(self, name: str) -> Sequence[Server]:
        """Return the servers that a name may mean. Two in two domains may share their first label, so full names are
        compared wherever both are known: what its own settings call a server, else the address that we have of it."""
        servers = self._by_label.get(first_label(name), [])
        full = _full(name)
        if not full:
            return servers
        fitting = [server for server in servers if not server.full_names or full in server.full_names]
        exact = [server for server in fitting if full in (*server.full_names, *map(_full, _addresses(server)))]
        # One that was not read, and of which we have no full name, may be the one that is meant.
        nameless = [server for server in fitting if server.unread and not any(map(_full, _addresses(server)))]
        return [*exact, *nameless] if exact else fitting

    def party(self, name: str) -> Mapping[str, Server]:
        """Return the servers on one of which that must be what ``name`` holds: a server, or all nodes of its cluster,
        between which virtual machines move. A cluster is also meant by its own name, and by its Replica Broker's."""
        servers, clusters = self.servers_called(name), self._clusters.get(first_label(name), set())
        if len(servers) == 1 and (servers[0].unread or servers[0].cluster not in self._nodes):  # unread: a claim alone
            return {servers[0].name: servers[0]}
        meant = {servers[0].cluster or ""} if len(servers) == 1 else clusters if not servers else set()
        return {node.name: node for node in self._nodes[next(iter(meant))]} if len(meant) == 1 else {}

    def read_party(self, name: str) -> Mapping[str, Server]:
        """Return the same, if all of it was read."""
        party = self.party(name)
        whole = all(server.unread is None and server.cluster not in self._doubtful for server in party.values())
        return party if whole else {}

    def is_listed(self, name: str) -> bool:
        return bool(self.servers_called(name) or first_label(name) in self._clusters)

    def is_left_out(self, name: str) -> bool:
        return not self.is_listed(name) and first_label(name) in self._left_out

    def is_unread(self, name: str) -> bool:
        return any(server.unread for server in (*self.servers_called(name), *self.party(name).values()))

    def is_ambiguous(self, name: str) -> bool:
        return len(self.servers_called(name)) > 1


def _addresses(server: Server) -> tuple[str, str]:
    return server.name, server.endpoint.rpartition(":")[0]


def _full(name: str) -> str:
    """Return a name that has a domain, without case; empty for a label or an address."""
    folded = name.strip().casefold().rstrip(".")
    return folded if "." in folded and first_label(folded) != folded else ""
