"""Both sides of a replica are one guest: tie them together by GUID and complementary roles.

That both sides share the GUID is common knowledge, but documented nowhere; so a join is made only where this side's own
replication settings were read, and a server that they name and that does not hold the GUID forbids it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from compliance.hyperv.membership import labels_of
from compliance.hyperv.rows import first_label, some
from compliance.model import Cluster, Partner, Power, ReplicatedVM, Role, Server, Unread, VirtualMachine

PARTNERS = {
    Role.PRIMARY: (Role.REPLICA,),
    Role.REPLICA: (Role.PRIMARY, Role.EXTENDED_REPLICA),
    Role.EXTENDED_REPLICA: (Role.REPLICA,),
}
GUEST_IS_THERE = frozenset({Power.RUNNING, Power.PAUSED})


def join_sides(
    servers: Sequence[Server], left_out: Iterable[str] = (), clusters: Sequence[Cluster] = ()
) -> tuple[ReplicatedVM, ...]:
    """Every side of every replication, in the order of the servers. A role that could not be read counts as a side, and
    so does a machine that a cluster expects and no node showed.

    ``left_out``: names of servers of the inventory that were not to be read.
    """
    index = Index(servers, left_out, clusters)
    sides = tuple(
        _joined(machine, index)
        for server in servers
        for machine in server.machines
        if (isinstance(machine.role, Unread) or machine.role in PARTNERS) and machine.replicated is not False
    )
    unseen = [machine for cluster in clusters for machine in cluster.missing]
    return (*sides, *(ReplicatedVM(machine=one, partner=Unread(str(one.doubt))) for one in unseen))


class Index:
    """Servers and clusters by what a partner may call them, and machines by GUID."""

    def __init__(
        self, servers: Sequence[Server], left_out: Iterable[str] = (), clusters: Sequence[Cluster] = ()
    ) -> None:
        self.left_out = {first_label(name) for name in left_out}
        self.holders: dict[str, list[VirtualMachine]] = defaultdict(list)
        self.by_label: dict[str, list[Server]] = defaultdict(list)
        for server in servers:
            for label in labels_of(server):
                self.by_label[label].append(server)
            for machine in server.machines:
                self.holders[machine.guid].append(machine)
        self._nodes = {cluster.name: [one for one in servers if one.cluster == cluster.name] for cluster in clusters}
        self._doubtful = {cluster.name for cluster in clusters if cluster.unread or cluster.doubts}
        self._clusters: dict[str, set[str]] = defaultdict(set)
        for cluster in clusters:
            for label in cluster.labels:
                self._clusters[label].add(cluster.name)

    def party(self, name: str) -> Mapping[str, Server]:
        """The servers on one of which that must be what ``name`` holds: a server, or all nodes of its cluster, between
        which virtual machines move. A cluster is also meant by its own name, and by that of its Replica Broker."""
        label = first_label(name)
        servers, clusters = self.by_label[label], self._clusters.get(label, set())
        if len(servers) == 1 and (servers[0].unread or servers[0].cluster not in self._nodes):  # unread: a claim alone
            return {servers[0].name: servers[0]}
        named = {servers[0].cluster or ""} if len(servers) == 1 else clusters if not servers else set()
        return {one.name: one for one in self._nodes[next(iter(named))]} if len(named) == 1 else {}

    def read_party(self, name: str) -> Mapping[str, Server]:
        """The same, if all of it was read."""
        party = self.party(name)
        whole = all(one.unread is None and one.cluster not in self._doubtful for one in party.values())
        return party if whole else {}

    def is_known(self, name: str) -> bool:
        return bool(self.by_label[first_label(name)] or first_label(name) in self._clusters)


def unlisted_partners(
    servers: Sequence[Server], left_out: Iterable[str] = (), clusters: Sequence[Cluster] = ()
) -> tuple[Partner, ...]:
    """Servers that replication settings name and nobody listed, in alphabetical order."""
    index = Index(servers, left_out, clusters)
    named_by: dict[str, list[VirtualMachine]] = defaultdict(list)
    names: dict[str, str] = {}
    for server in servers:
        for machine in server.machines:
            for name in () if isinstance(machine.partners, Unread) else dict.fromkeys(machine.partners):
                label = first_label(name)
                if label and not index.is_known(label) and label not in index.left_out:
                    names.setdefault(label, name)
                    named_by[label].append(machine)
    return tuple(
        Partner(
            name=names[label],
            servers=tuple(dict.fromkeys(machine.server for machine in machines)),
            machines=len(machines),
        )
        for label, machines in sorted(named_by.items())
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """The machines on the other ends of a machine's relationships; and why one may be missing."""

    machines: tuple[VirtualMachine, ...]
    missing: str


def _joined(machine: VirtualMachine, index: Index) -> ReplicatedVM:
    """Walk from host to host until one is found on which the guest runs; in a chain it may be two hops away."""
    seen = {machine.server}
    wave = [machine]
    reasons: list[str] = []
    others: list[VirtualMachine] = []
    running: VirtualMachine | None = None
    while wave:
        following: list[VirtualMachine] = []
        for one in wave:
            found = _other_ends(one, index)
            if found.missing:
                reasons.append(found.missing)
            following += [end for end in found.machines if end.server not in seen]
        seen |= {end.server for end in following}
        others += following
        running = running or next((end for end in following if end.power in GUEST_IS_THERE), None)
        reasons += [_not_running(end) for end in following]
        wave = following
    if running:
        return ReplicatedVM(machine=machine, partner=running, others=tuple(others), remarks=_remarks(machine, running))
    return ReplicatedVM(machine=machine, partner=Unread("; ".join(dict.fromkeys(reasons))), others=tuple(others))


def _not_running(machine: VirtualMachine) -> str:
    state = machine.power
    if isinstance(state, Unread):
        return f"the power state of {machine} is not known: {state}"
    return (
        f"its {machine.role} {machine} is {state} too"
        if state is Power.OFF
        else f"its {machine.role} {machine} is {state}"
    )


def _other_ends(machine: VirtualMachine, index: Index) -> _Found:
    if isinstance(machine.role, Unread) or machine.role not in PARTNERS:
        return _Found((), f"the role of {machine} is {machine.role}")
    if isinstance(machine.partners, Unread):
        return _Found((), f"its partner is not known: {machine.partners}")
    ends: list[VirtualMachine] = []
    missing: list[str] = []
    named = {first_label(name): name for name in machine.partners}
    for role in PARTNERS[machine.role]:
        candidates = [
            other for other in index.holders[machine.guid] if other.server != machine.server and other.role is role
        ]
        by_name = [other for other in candidates if _is_named(other, named, index)]
        if len(by_name) == 1:
            ends += by_name
        elif len(candidates) == 1 and not (contradiction := _contradiction(machine, named, index)):
            ends += candidates
        elif len(candidates) == 1:
            missing.append(contradiction)
        elif candidates:
            missing.append(f"{len(candidates)} servers hold its {role}: {some([other.server for other in candidates])}")
    if not ends and not missing:
        missing.append(_contradiction(machine, named, index) or _not_there(machine.partners, index))
    return _Found(tuple(ends), "; ".join(dict.fromkeys(missing)))


def _is_named(other: VirtualMachine, named: Mapping[str, str], index: Index) -> bool:
    return any(other.server in index.party(label) for label in named)


def _contradiction(machine: VirtualMachine, named: Mapping[str, str], index: Index) -> str:
    """A server that the settings name, that was read, and that does not hold the machine."""
    holders = {other.server for other in index.holders[machine.guid]}
    for name in named.values():
        party = index.read_party(name)
        if party and not party.keys() & holders:
            does_not = f"{some(list(party))} {'do' if len(party) > 1 else 'does'} not"
            return f"its replication settings name {name}, but {does_not} hold it"
    return ""


def _not_there(names: Sequence[str], index: Index) -> str:
    unlisted = [name for name in names if not index.is_known(name)]
    left_out = [name for name in unlisted if first_label(name) in index.left_out]
    if left_out:
        return f"its other side is on {some(left_out)}, which --hv-limit left out"
    if unlisted:
        return f"its other side is on {some(unlisted)}, which is not in the inventory: add that server"
    unread = [name for name in names if any(server.unread for server in index.by_label[first_label(name)])]
    unread += [name for name in names if any(server.unread for server in index.party(name).values())]
    if unread:
        return f"its other side is on {some(unread)}, which was not read"
    ambiguous = [name for name in names if len(index.by_label[first_label(name)]) > 1]
    if ambiguous:
        return f"its other side is on {some(ambiguous)}, and more than one server has that name"
    return f"no machine on {some(list(names))} has its GUID and the role of its other side"


def _remarks(machine: VirtualMachine, end: VirtualMachine) -> tuple[str, ...]:
    return () if machine.name == end.name else (f"is called {end.name!r} on {end.server}",)
