"""Servers and clusters by what replication settings may call them, and machines by GUID.

A server calls itself what it likes, so its own word alone makes it nobody's partner: the inventory must give it that
name, or nothing but an IP address. What a cluster says of its names counts within the domain by which it is listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address

from compliance.hyperv.membership import labels_of
from compliance.hyperv.rows import MOST_LETTERS, first_label
from compliance.model import Cluster, Server, VirtualMachine

HERE = "localhost"
"""The end of a tunnel: as an address that names no server."""


class NameIndex:
    """``left_out``: names of servers of the inventory that were not to be read."""

    def __init__(
        self, servers: Sequence[Server], left_out: Iterable[str] = (), clusters: Sequence[Cluster] = ()
    ) -> None:
        self.holders: dict[str, list[VirtualMachine]] = defaultdict(list)
        self._left_out = {first_label(name) for name in left_out}
        self._by_label: dict[str, list[Server]] = defaultdict(list)
        self._by_own_word: dict[str, list[Server]] = defaultdict(list)
        for server in servers:
            by_label = self._by_own_word if _has_another_name(server) else self._by_label
            for label in labels_of(server):
                by_label[label].append(server)
            for machine in server.machines:
                self.holders[machine.guid].append(machine)
        self._nodes = {
            cluster.name: [server for server in servers if server.cluster == cluster.name] for cluster in clusters
        }
        self._doubtful = {cluster.name for cluster in clusters if cluster.unread or cluster.doubts}
        self._clusters: dict[str, dict[str, Cluster]] = defaultdict(dict)
        # A few names are asked for by each machine of a server.
        self._called: dict[str, Sequence[Server]] = {}
        self._parties: dict[str, Mapping[str, Server]] = {}
        self._meant: dict[tuple[str, ...], tuple[frozenset[str], frozenset[str]]] = {}
        for cluster in clusters:
            for label in cluster.labels:
                self._clusters[label][cluster.name] = cluster

    def servers_called(self, name: str) -> Sequence[Server]:
        """Return the servers that a name may mean. Two in two domains may share their first label, so full names are
        compared wherever both are known: what its own settings call a server, else the address that we have of it."""
        if name not in self._called:
            self._called[name] = self._servers_called(name)
        return self._called[name]

    def _servers_called(self, name: str) -> Sequence[Server]:
        servers = self._by_label.get(first_label(name), [])
        full = _full(name)
        if not full:
            return servers
        servers = [server for server in servers if not self._is_node_elsewhere(server, full)]
        fitting = [server for server in servers if not server.full_names or full in server.full_names]
        exact = [server for server in fitting if full in (*server.full_names, *_full_names(server))]
        # One that was not read, and of which we have no full name, may be the one that is meant.
        nameless = [server for server in fitting if server.unread and not _full_names(server)]
        return [*exact, *nameless] if exact else fitting

    def servers_claiming(self, name: str) -> Sequence[str]:
        """Return the servers that call themselves so, and that the inventory lists by another name."""
        return [server.name for server in self._by_own_word.get(first_label(name), ())]

    def is_own_word(self, name: str) -> bool:
        """Does nothing but the word of a server, or of a cluster, say that it has this name? Then it must name the
        server that asks for it as well."""
        servers = self.servers_called(name)
        label = first_label(name)
        if servers:
            return any(label not in _listed_labels(server) for server in servers)
        return any(label not in _listed_labels(cluster) for cluster in self._clusters_called(name).values())

    def party(self, name: str) -> Mapping[str, Server]:
        """Return the servers on one of which that must be what ``name`` holds: a server, or all nodes of its cluster,
        between which virtual machines move. A cluster is also meant by its own name, and by its Replica Broker's."""
        if name not in self._parties:
            self._parties[name] = self._party(name)
        return self._parties[name]

    def _party(self, name: str) -> Mapping[str, Server]:
        servers, clusters = self.servers_called(name), self._clusters_called(name).keys()
        if len(servers) == 1 and (servers[0].unread or servers[0].cluster not in self._nodes):  # unread: a claim alone
            return {servers[0].name: servers[0]}
        meant = {servers[0].cluster or ""} if len(servers) == 1 else clusters if not servers else set()
        return {node.name: node for node in self._nodes[next(iter(meant))]} if len(meant) == 1 else {}

    def read_party(self, name: str) -> Mapping[str, Server]:
        """Return the same, if all of it was read."""
        party = self.party(name)
        whole = all(server.unread is None and server.cluster not in self._doubtful for server in party.values())
        return party if whole else {}

    def meant_by(self, names: tuple[str, ...]) -> tuple[frozenset[str], frozenset[str]]:
        """Return the servers that one of the names may mean, and those of them that have it by their own word alone."""
        if names not in self._meant:
            servers = frozenset(server for name in names for server in self.party(name))
            by_word = frozenset(server for name in names if self.is_own_word(name) for server in self.party(name))
            self._meant[names] = servers, by_word
        return self._meant[names]

    def is_listed(self, name: str) -> bool:
        return bool(self.servers_called(name) or self._clusters_called(name))

    def is_left_out(self, name: str) -> bool:
        return not self.is_listed(name) and first_label(name) in self._left_out

    def is_unread(self, name: str) -> bool:
        return any(server.unread for server in (*self.servers_called(name), *self.party(name).values()))

    def is_ambiguous(self, name: str) -> bool:
        return len(self.servers_called(name)) > 1

    def _is_node_elsewhere(self, server: Server, full: str) -> bool:
        """Is it a node whose name is its cluster's word, in another domain than a name has? A node is read in its
        cluster's domain, so what answers there may be called as a server of another one."""
        known = _full_names(server)
        return server.cluster in self._nodes and bool(known) and full not in known

    def _clusters_called(self, name: str) -> Mapping[str, Cluster]:
        """Return the clusters that a name may mean, by their names; not one that is listed in another domain."""
        domain = _full(name).partition(".")[2]
        return {
            key: cluster
            for key, cluster in self._clusters.get(first_label(name), {}).items()
            if not domain or not (known := [full.partition(".")[2] for full in _full_names(cluster)]) or domain in known
        }


def _has_another_name(server: Server) -> bool:
    """Does a server call itself otherwise than the inventory, which gives it a name and not an IP address alone?"""
    return not (labels_of(server) & _listed_labels(server) or _names_nothing(_address(server)))


def _listed_labels(entry: Server | Cluster) -> frozenset[str]:
    """Return the labels by which the inventory lists a server, or a cluster, or finds it as a cluster's node."""
    return frozenset({first_label(entry.name), first_label(_address(entry))})


@lru_cache(maxsize=16384)
def _names_nothing(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return address.casefold() in ("", HERE)
    return True


def _address(entry: Server | Cluster) -> str:
    return entry.endpoint.rpartition(":")[0].strip("[]")


def _full_names(entry: Server | Cluster) -> tuple[str, ...]:
    """Return the names with a domain that the inventory gives it."""
    return tuple(full for name in (entry.name, _address(entry)) if (full := _full(name)))


def _full(name: str) -> str:
    """Return a name that has a domain, without case; empty for a label or an address."""
    return _full_name(name) if len(name) <= MOST_LETTERS else _full_name.__wrapped__(name)


@lru_cache(maxsize=16384)
def _full_name(name: str) -> str:
    folded = name.strip().casefold().rstrip(".")
    return folded if "." in folded and first_label(folded) != folded else ""
