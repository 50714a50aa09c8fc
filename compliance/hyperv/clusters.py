"""Clusters: what a cluster's resources say must be there, held against what its nodes show.

A virtual machine of a cluster may move while nodes are read one by one. Then it is seen twice, and its owner at the end
settles it; or nowhere, and it is told as a machine of which nothing is known, never passed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compliance.hyperv import queries
from compliance.hyperv.assumptions.clusters import assumptions_on_cluster
from compliance.hyperv.assumptions.statement import remarks_on
from compliance.hyperv.cluster_rows import (
    DOWN,
    UP,
    Expected,
    Nodes,
    Resources,
    name_of,
    nodes_of,
    resources_of,
    some_of,
)
from compliance.hyperv.host import MachineList, first_list, machine_list
from compliance.hyperv.membership import (
    NOT_ASKED,
    Claim,
    Claims,
    ClusterWord,
    Neighbours,
    adopt_twins,
    cluster_word,
    labels_of,
)
from compliance.hyperv.rows import Rows, first_label, some
from compliance.model import Cluster, Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Reading, Snapshot, Source


def with_clusters(
    snapshot: Snapshot, servers: Sequence[Server], claims: Claims
) -> tuple[tuple[Server, ...], tuple[Cluster, ...]]:
    """Return the same servers, with what their clusters say of them, and the clusters. ``snapshot`` and ``claims`` are
    those of ``by_own_word``."""
    answers = {
        source.name: source.reading.cluster for source in snapshot.servers if isinstance(source.reading, Reading)
    }
    words = {name: cluster_word(own) for name, own in answers.items() if own}
    words_of_clusters = {
        source.name: cluster_word(source.reading.classes)
        for source in snapshot.clusters
        if isinstance(source.reading, Reading)
    }
    by_name = {server.name: server for server in servers}
    clusters = []
    for source in snapshot.clusters:
        adopt_twins(source, by_name, words)
        members = [server for server in by_name.values() if server.cluster == source.name]
        whole = _Whole(source, members, words, claims.get(source.name, ()))
        clusters.append(whole.cluster())
        by_name |= {server.name: server for server in whole.servers}
    neighbours = Neighbours(by_name.values(), words, words_of_clusters, snapshot.left_out)
    return tuple(
        server
        if server.cluster and (word := words.get(server.name)) and word == words_of_clusters.get(server.cluster)
        else _with_partial(server, answers.get(server.name, {}), neighbours)
        for server in by_name.values()
    ), tuple(clusters)


def shown_in(reading: Reading) -> frozenset[str]:
    """The virtual machines that a server listed, at the start or at the end."""
    lists = (first_list(reading), machine_list(reading.again.get(queries.MACHINES, NOT_ASKED)))
    return frozenset(guid for one in lists if isinstance(one, MachineList) for guid in one.machines)


def owners_of_moved(cluster: Reading, nodes: Sequence[Reading]) -> frozenset[str]:
    """The nodes, by label, that own at the end what no node showed and what was another's at the start."""
    first = resources_of(cluster.classes.get(queries.RESOURCES, NOT_ASKED))
    again = resources_of(cluster.again.get(queries.RESOURCES, NOT_ASKED))
    if isinstance(first, Unread) or isinstance(again, Unread):
        return frozenset()
    seen = frozenset[str]().union(*map(shown_in, nodes))
    before = {guid: one.owner for guid, one in first.machines.items()}
    now = {guid: one.owner for guid, one in again.machines.items() if guid not in seen}
    return frozenset(owner for guid, owner in now.items() if owner not in ("", before.get(guid)))


# --- one cluster ------------------------------------------------------------------------------------------------------


class _Whole:
    """One cluster's own answers beside those of its nodes."""

    def __init__(
        self,
        source: Source,
        members: Sequence[Server],
        words: Mapping[str, ClusterWord | None],
        claims: Sequence[Claim],
    ) -> None:
        self._source = source
        self._members = members
        self._claims = claims
        self._words = {server.name: word for server in members if (word := words.get(server.name))}
        # Where a server has two names, the one that was read counts.
        nodes = [server for server in members if server.name != source.name]  # else the cluster stands for its nodes
        ordered = sorted(nodes, key=lambda server: server.unread is None)
        self._by_label = {label: server.name for server in ordered for label in labels_of(server)}
        reading = source.reading
        classes = {} if isinstance(reading, Unread) else reading.classes
        again = {} if isinstance(reading, Unread) else reading.again
        self._own_name = name_of(classes.get(queries.CLUSTER, NOT_ASKED))
        self._nodes = reading if isinstance(reading, Unread) else nodes_of(classes.get(queries.NODES, NOT_ASKED))
        self._nodes_again = nodes_of(again.get(queries.NODES, NOT_ASKED))
        self._first = resources_of(classes.get(queries.RESOURCES, NOT_ASKED))
        self._again = resources_of(again.get(queries.RESOURCES, NOT_ASKED))
        self._expected = _both(self._first, self._again)
        self._clear = not self._unclear() and not any(isinstance(one, Unread) for one in (self._first, self._again))
        self._own = self._labels().union(*(word.nodes for word in self._words.values()))
        kept = dict(self._kept())
        self.servers = tuple(_with_machines(server, kept, source.name) for server in members)
        self._missing = tuple(self._unseen(one) for guid, one in self._expected.items() if guid not in kept)

    def cluster(self) -> Cluster:
        source = self._source
        cluster = Cluster(
            name=source.name,
            endpoint=source.endpoint,
            own_name=self._own_name,
            site=source.site,
            groups=source.groups,
            insecure=source.insecure,
            nodes=tuple(server.name for server in self._members),
            labels=self._labels(),
            expected=len(self._expected),
            missing=self._missing,
            remarks=tuple(self._remarks()),
        )
        if isinstance(self._nodes, Unread):
            return replace(cluster, unread=self._nodes)
        return replace(cluster, doubts=tuple(self._doubts(self._nodes)))

    def _labels(self) -> frozenset[str]:
        source, found = self._source, [one for one in (self._first, self._again) if isinstance(one, Resources)]
        own = {first_label(source.name), first_label(source.endpoint.rpartition(":")[0])}
        own |= {first_label(self._own_name)} if self._own_name else set()
        return frozenset(own - {""}).union(*(one.names for one in found))

    def _unclear(self) -> tuple[str, ...]:
        later = self._again if isinstance(self._again, Resources) else self._first
        return later.unclear if isinstance(later, Resources) else ()

    # --- machines ---

    def _kept(self) -> Iterator[tuple[str, VirtualMachine]]:
        """Each machine once, whatever number of nodes showed it."""
        seen: dict[str, list[VirtualMachine]] = defaultdict(list)
        for server in self._members:
            for machine in server.machines:
                seen[machine.guid].append(machine)
        for guid, machines in seen.items():
            expected = self._expected.get(guid)
            kept = machines[0] if len(machines) == 1 else self._settled(machines)
            remarks = tuple(self._remarks_on(kept, expected))
            remarks = (*kept.remarks, *remarks)
            yield (
                guid,
                replace(
                    kept,
                    cluster=self._source.name,
                    partners=self._others(kept),
                    receives_from=self._outside(kept.receives_from),
                    sends_to=self._outside(kept.sends_to),
                    remarks=remarks,
                ),
            )

    def _others(self, machine: VirtualMachine) -> tuple[str, ...] | Unread:
        """The other side is no node of this cluster: settings may still name one that the machine has left."""
        if isinstance(machine.partners, Unread):
            return machine.partners
        others = self._outside(machine.partners)
        return others or Unread("its replication settings name no server outside its cluster")

    def _outside(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if first_label(name) not in self._own)

    def _settled(self, machines: Sequence[VirtualMachine]) -> VirtualMachine:
        """Of one machine on several nodes, the one on the node that owns it at the end; else none can be believed."""
        names = some([machine.server for machine in machines])
        if len({machine.role for machine in machines}) > 1:  # between the nodes of one cluster a machine keeps its role
            reason = f"was seen on {names}, in different roles"
            return replace(machines[0], changed=(*machines[0].changed, reason))
        later = self._again.machines if isinstance(self._again, Resources) else {}
        owner = later[guid].owner if (guid := machines[0].guid) in later else ""
        owned = [machine for machine in machines if owner and self._node_of(owner) == machine.server]
        if len(owned) == 1:
            remark = f"was seen on {names}: it moved during the audit, and {owned[0].server} owned it at the end"
            return replace(owned[0], remarks=(*owned[0].remarks, remark))
        why = f"its cluster says that {owner} owns it" if owner else "its cluster does not say which one owns it"
        return replace(machines[0], changed=(*machines[0].changed, f"was seen on {names}, and {why}"))

    def _remarks_on(self, machine: VirtualMachine, expected: Expected | None) -> Iterator[str]:
        if expected is None:
            if self._clear:
                yield f"is no resource of the cluster {self._source.name}: it stays with its node"
        elif expected.owner and (node := self._node_of(expected.owner)) != machine.server:
            yield f"was read on {machine.server}, and at the end {node or expected.owner} owned it"

    def _unseen(self, expected: Expected) -> VirtualMachine:
        node = self._node_of(expected.owner) or self._members[0].name
        owner = f"{expected.owner} owns it" if expected.owner else "no owner is named"
        blind = [server.name for server in self._members if server.unread]
        but = f", and {some(blind)} was not read" if blind else ""
        reason = f"its cluster expects it ({expected.state}, {owner}), but no node showed it, not even at the end{but}"
        unknown = Unread(reason)
        return VirtualMachine(
            server=node,
            cluster=self._source.name,
            guid=expected.guid,
            name=expected.name,
            role=Unread("not seen"),
            power=unknown,
            replicated=unknown,
            doubt=unknown,
            failover=unknown,
            partners=unknown,
        )

    def _node_of(self, label: str) -> str | None:
        return self._by_label.get(label)

    # --- what is not whole ---

    def _doubts(self, nodes: Nodes) -> Iterator[str]:
        yield from self._doubts_of_nodes(nodes)
        for answer, when in ((self._first, ""), (self._again, " a second time, after its nodes")):
            if isinstance(answer, Unread):
                yield f"the virtual machines that it has as resources could not be read{when}: {answer}"
        if self._clear and not self._expected and not self._source.may_be_empty:
            yield "has not one virtual machine as a resource: if that is so, set `may_be_empty: true` for it"
        if unclear := self._unclear():
            yield f"which virtual machine a resource is can't be told: {some_of(unclear)}"
        if self._missing:
            names = some([machine.name for machine in self._missing])
            yield f"{len(self._missing)} of its {len(self._expected)} virtual machines stood on no node: {names}"

    def _doubts_of_nodes(self, nodes: Nodes) -> Iterator[str]:
        again = set() if isinstance(self._nodes_again, Unread) else self._nodes_again.states.keys()
        if nodes.refused:
            yield f"it names nodes by what is no name of one, so they were not read: {some_of(nodes.refused)}"
        if self._claims:
            yield f"it names as its nodes servers that don't confirm it: {some(list(map(str, self._claims)))}"
        claimed = frozenset[str]().union(*(claim.labels for claim in self._claims))
        strangers = [label for label in nodes.states if label not in claimed and not self._node_of(label)]
        if strangers:
            yield f"not read as nodes of it: {some(strangers)}"
        unread = [f"{one.name} ({one.unread})" for one in self._members if one.unread and one.name != self._source.name]
        if unread:
            yield f"{len(unread)} of its {len(nodes.states)} nodes could not be read: {some(unread)}"
        for name, word in self._words.items():
            if more := sorted(word.nodes - nodes.states.keys() - again):
                yield f"{name} names nodes of it that it does not name itself: {some(more)}"
        down = [label for label, state in nodes.states.items() if state == DOWN]
        if down:
            yield f"by its own word down: {some(down)}"
        if isinstance(self._nodes_again, Unread):
            yield f"its nodes could not be read a second time: {self._nodes_again}"
        elif joined := sorted(self._nodes_again.states.keys() - nodes.states.keys()):
            yield f"became nodes during the audit, and were not read: {some(joined)}"

    def _remarks(self) -> Iterator[str]:
        source = self._source
        if source.insecure:
            yield source.insecure
        if isinstance(source.reading, Unread):
            return
        yield from source.reading.notes
        if self._own_name and first_label(self._own_name) != first_label(source.name):
            yield f"calls itself {self._own_name}"
        if isinstance(self._nodes, Nodes):
            others = [f"{label} is {state}" for label, state in self._nodes.states.items() if state not in (UP, DOWN)]
            if others:
                yield f"by its own word {some(others)}"
            alien = [one.name for one in self._members if not labels_of(one) & self._nodes.states.keys()]
            if alien:
                yield f"does not name as its nodes: {some(alien)}"
        yield from remarks_on(assumptions_on_cluster(source.reading))


def _both(first: Resources | Unread, again: Resources | Unread) -> dict[str, Expected]:
    """What was a resource at the start or at the end; the later word of each counts."""
    found: dict[str, Expected] = {}
    for one in (first, again):
        if isinstance(one, Resources):
            found |= one.machines
    return found


def _with_machines(server: Server, kept: Mapping[str, VirtualMachine], cluster: str) -> Server:
    """Its machines, without those that another node has now."""
    machines = [kept[machine.guid] for machine in server.machines]
    return replace(
        server, cluster=cluster, machines=tuple(machine for machine in machines if machine.server == server.name)
    )


# --- servers that were listed alone -----------------------------------------------------------------------------------


def _with_partial(server: Server, answers: Mapping[str, Rows | Unread], neighbours: Neighbours) -> Server:
    """Return a server that says it is a node with what its cluster lacks: is every node of it in the inventory?"""
    answer = answers.get(queries.NODES)
    if server.unread or answer is None:
        return server
    if isinstance(answer, Unread):
        remark = f"whether it is a node of a cluster could not be read: {answer}"
        return replace(server, remarks=(*server.remarks, remark))
    if not answer:
        remark = f"has {queries.MSCLUSTER}, which names no node: taken for a server of no cluster"
        return replace(server, remarks=(*server.remarks, remark))
    nodes = nodes_of(answer)
    name = name_of(answers.get(queries.CLUSTER, NOT_ASKED))
    called = f"is a node of the cluster {name}" if name else "is a node of a cluster"
    if isinstance(nodes, Unread):
        return replace(server, partial=f"{called}, but {nodes}")
    if nodes.refused:
        return replace(server, partial=f"{called} that names as its nodes: {some_of(nodes.refused)}")
    word = cluster_word(answers)
    unlisted = neighbours.lacking(word) if word else []
    if not unlisted:
        return server
    are = "is" if len(unlisted) == 1 else "are"
    others = f"{len(unlisted)} of its {len(nodes.states)} nodes {are} not in the inventory: {some(unlisted)}"
    return replace(server, partial=f"{called}, and {others}; virtual machines there were not seen")
