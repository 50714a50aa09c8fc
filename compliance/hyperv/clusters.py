"""Clusters: what a cluster's resources say must be there, held against what its nodes show.

A virtual machine of a cluster may move while nodes are read one by one. Then it is seen twice, and its owner at the end
settles it; or nowhere, and it is told as a machine of which nothing is known, never passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compliance.hyperv import queries
from compliance.hyperv.assumptions.clusters import assumptions_on_cluster
from compliance.hyperv.assumptions.statement import remarks_on
from compliance.hyperv.cluster_machines import ClusterAnswers, ClusterMachines
from compliance.hyperv.cluster_rows import (
    DOWN,
    UP,
    Nodes,
    name_of,
    nodes_of,
    resources_of,
    some_of,
)
from compliance.hyperv.host import MachineList, first_list, machine_list
from compliance.hyperv.membership import (
    NOT_ASKED,
    Claims,
    InventoryLabels,
    adopt_twins,
    cluster_word,
    labels_of,
)
from compliance.hyperv.rows import Rows, first_label
from compliance.model import Cluster, Server, Unread
from compliance.snapshot.snapshot import Reading, Snapshot
from compliance.words import join_names


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
        answers_of = ClusterAnswers(source, members, words, claims.get(source.name, ()))
        machines = ClusterMachines(answers_of)
        clusters.append(_cluster(answers_of, machines))
        by_name |= {server.name: server for server in machines.servers}
    neighbours = InventoryLabels(by_name.values(), words, words_of_clusters, snapshot.left_out)
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
    before = {guid: resource.owner for guid, resource in first.machines.items()}
    now = {guid: resource.owner for guid, resource in again.machines.items() if guid not in seen}
    return frozenset(owner for guid, owner in now.items() if owner not in ("", before.get(guid)))


# --- one cluster ------------------------------------------------------------------------------------------------------


def _cluster(answers: ClusterAnswers, machines: ClusterMachines) -> Cluster:
    source = answers.source
    cluster = Cluster(
        name=source.name,
        endpoint=source.endpoint,
        own_name=answers.own_name,
        site=source.site,
        groups=source.groups,
        insecure=source.insecure,
        nodes=tuple(server.name for server in answers.members),
        labels=answers.labels,
        expected=len(answers.expected),
        missing=machines.missing,
        remarks=tuple(_remarks(answers)),
    )
    if isinstance(answers.nodes, Unread):
        return replace(cluster, unread=answers.nodes)
    return replace(cluster, doubts=(*_doubts_of_nodes(answers, answers.nodes), *_doubts(answers, machines)))


def _doubts(answers: ClusterAnswers, machines: ClusterMachines) -> Iterator[str]:
    for answer, when in ((answers.first, ""), (answers.again, " a second time, after its nodes")):
        if isinstance(answer, Unread):
            yield f"the virtual machines that it has as resources could not be read{when}: {answer}"
    if answers.is_clear and not answers.expected and not answers.source.may_be_empty:
        yield "has not one virtual machine as a resource: if that is so, set `may_be_empty: true` for it"
    if unclear := answers.unclear:
        yield f"which virtual machine a resource is can't be told: {some_of(unclear)}"
    if machines.missing:
        names = join_names([machine.name for machine in machines.missing])
        yield f"{len(machines.missing)} of its {len(answers.expected)} virtual machines stood on no node: {names}"


def _doubts_of_nodes(answers: ClusterAnswers, nodes: Nodes) -> Iterator[str]:
    again = set() if isinstance(answers.nodes_again, Unread) else answers.nodes_again.states.keys()
    if nodes.refused:
        yield f"it names nodes by what is no name of one, so they were not read: {some_of(nodes.refused)}"
    if answers.claims:
        yield f"it names as its nodes servers that don't confirm it: {join_names(list(map(str, answers.claims)))}"
    claimed = frozenset[str]().union(*(claim.labels for claim in answers.claims))
    strangers = [label for label in nodes.states if label not in claimed and not answers.node_of(label)]
    if strangers:
        yield f"not read as nodes of it: {join_names(strangers)}"
    unread = [
        f"{node.name} ({node.unread})" for node in answers.members if node.unread and node.name != answers.source.name
    ]
    if unread:
        yield f"{len(unread)} of its {len(nodes.states)} nodes could not be read: {join_names(unread)}"
    for name, word in answers.words.items():
        if more := sorted(word.nodes - nodes.states.keys() - again):
            yield f"{name} names nodes of it that it does not name itself: {join_names(more)}"
    down = [label for label, state in nodes.states.items() if state == DOWN]
    if down:
        yield f"by its own word down: {join_names(down)}"
    if isinstance(answers.nodes_again, Unread):
        yield f"its nodes could not be read a second time: {answers.nodes_again}"
    elif joined := sorted(answers.nodes_again.states.keys() - nodes.states.keys()):
        yield f"became nodes during the audit, and were not read: {join_names(joined)}"


def _remarks(answers: ClusterAnswers) -> Iterator[str]:
    source = answers.source
    if source.insecure:
        yield source.insecure
    if isinstance(source.reading, Unread):
        return
    yield from source.reading.notes
    if answers.own_name and first_label(answers.own_name) != first_label(source.name):
        yield f"calls itself {answers.own_name}"
    if isinstance(answers.nodes, Nodes):
        others = [f"{label} is {state}" for label, state in answers.nodes.states.items() if state not in (UP, DOWN)]
        if others:
            yield f"by its own word {join_names(others)}"
        labels = answers.nodes.states.keys()
        alien = [
            member.name for member in answers.members if member.name != source.name and not labels_of(member) & labels
        ]
        if alien:
            yield f"does not name as its nodes: {join_names(alien)}"
    yield from remarks_on(assumptions_on_cluster(source.reading))


# --- servers that were listed alone -----------------------------------------------------------------------------------


def _with_partial(server: Server, answers: Mapping[str, Rows | Unread], neighbours: InventoryLabels) -> Server:
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
    others = f"{len(unlisted)} of its {len(nodes.states)} nodes {are} not in the inventory: {join_names(unlisted)}"
    return replace(server, partial=f"{called}, and {others}; virtual machines there were not seen")
