"""One cluster: its own answers beside those of its nodes, and each of its machines once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import Expected, Resources, name_of, nodes_of, resources_of
from compliance.hyperv.membership import NOT_ASKED, ClusterWord, NodeClaim, labels_of
from compliance.hyperv.rows import first_label
from compliance.model import Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import ServerRecord
from compliance.words import join_names


class ClusterAnswers:
    """What a cluster says of itself, and who is read as a node of it."""

    def __init__(
        self,
        source: ServerRecord,
        members: Sequence[Server],
        words: Mapping[str, ClusterWord | None],
        claims: Sequence[NodeClaim],
    ) -> None:
        self.source = source
        self.members = members
        self.claims = claims
        self.words = {server.name: word for server in members if (word := words.get(server.name))}
        # Where a server has two names, the one that was read counts.
        nodes = [server for server in members if server.name != source.name]  # else the cluster stands for its nodes
        ordered = sorted(nodes, key=lambda server: server.unread is None)
        self._by_label = {label: server.name for server in ordered for label in labels_of(server)}
        reading = source.reading
        classes = {} if isinstance(reading, Unread) else reading.classes
        again = {} if isinstance(reading, Unread) else reading.again
        self.own_name = name_of(classes.get(queries.CLUSTER, NOT_ASKED))
        self.nodes = reading if isinstance(reading, Unread) else nodes_of(classes.get(queries.NODES, NOT_ASKED))
        self.nodes_again = nodes_of(again.get(queries.NODES, NOT_ASKED))
        self.first = resources_of(classes.get(queries.RESOURCES, NOT_ASKED))
        self.again = resources_of(again.get(queries.RESOURCES, NOT_ASKED))
        self.expected = _both(self.first, self.again)

    @property
    def unclear(self) -> tuple[str, ...]:
        """Resources of which it can't be told which machine they are."""
        later = self.again if isinstance(self.again, Resources) else self.first
        return later.unclear if isinstance(later, Resources) else ()

    @property
    def is_clear(self) -> bool:
        """Is each of its resources known, at the start and at the end?"""
        return not self.unclear and not isinstance(self.first, Unread) and not isinstance(self.again, Unread)

    @property
    def labels(self) -> frozenset[str]:
        """What a partner may call it: its own names, and its Replica Broker's."""
        own = {first_label(self.source.name), first_label(self.source.endpoint.rpartition(":")[0])}
        own |= {first_label(self.own_name)} if self.own_name else set()
        resources = [answer for answer in (self.first, self.again) if isinstance(answer, Resources)]
        return frozenset(own - {""}).union(*(answer.names for answer in resources))

    def node_of(self, label: str) -> str | None:
        """Return the server that is the node of this label."""
        return self._by_label.get(label)


class ClusterMachines:
    """Its nodes with each machine on one of them, and the machines that stood on none."""

    def __init__(self, answers: ClusterAnswers) -> None:
        self._of = answers
        self._own = answers.labels.union(*(word.nodes for word in answers.words.values()))
        machines_once = dict(self._machines_once())
        self.servers = tuple(_with_machines(server, machines_once, answers.source.name) for server in answers.members)
        self.missing = tuple(
            self._unseen(machine) for guid, machine in answers.expected.items() if guid not in machines_once
        )

    def _machines_once(self) -> Iterator[tuple[str, VirtualMachine]]:
        """Yield each machine once, whatever number of nodes showed it."""
        seen: dict[str, list[VirtualMachine]] = defaultdict(list)
        for server in self._of.members:
            for machine in server.machines:
                seen[machine.guid].append(machine)
        for guid, machines in seen.items():
            expected = self._of.expected.get(guid)
            settled = machines[0] if len(machines) == 1 else self._settled(machines)
            remarks = tuple(self._remarks_on(settled, expected))
            remarks = (*settled.remarks, *remarks)
            yield (
                guid,
                replace(
                    settled,
                    cluster=self._of.source.name,
                    partners=self._others(settled),
                    receives_from=self._outside(settled.receives_from),
                    sends_to=self._outside(settled.sends_to),
                    remarks=remarks,
                ),
            )

    def _others(self, machine: VirtualMachine) -> tuple[str, ...] | Unread:
        """Return its partners without nodes of this cluster: settings may still name one that the machine has left."""
        if isinstance(machine.partners, Unread):
            return machine.partners
        others = self._outside(machine.partners)
        return others or Unread("its replication settings name no server outside its cluster")

    def _outside(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if first_label(name) not in self._own)

    def _settled(self, machines: Sequence[VirtualMachine]) -> VirtualMachine:
        """Return, of one machine on several nodes, that on the node which owns it at the end; else none is believed."""
        names = join_names([machine.server for machine in machines])
        if len({machine.role for machine in machines}) > 1:  # between the nodes of one cluster a machine keeps its role
            reason = f"was seen on {names}, in different roles"
            return replace(machines[0], changed=(*machines[0].changed, reason))
        later = self._of.again.machines if isinstance(self._of.again, Resources) else {}
        owner = later[guid].owner if (guid := machines[0].guid) in later else ""
        owned = [machine for machine in machines if owner and self._of.node_of(owner) == machine.server]
        if len(owned) == 1:
            remark = f"was seen on {names}: it moved during the audit, and {owned[0].server} owned it at the end"
            return replace(owned[0], remarks=(*owned[0].remarks, remark))
        why = f"its cluster says that {owner} owns it" if owner else "its cluster does not say which one owns it"
        return replace(machines[0], changed=(*machines[0].changed, f"was seen on {names}, and {why}"))

    def _remarks_on(self, machine: VirtualMachine, expected: Expected | None) -> Iterator[str]:
        if expected is None:
            if self._of.is_clear:
                yield f"is no resource of the cluster {self._of.source.name}: it stays with its node"
        elif expected.owner and (node := self._of.node_of(expected.owner)) != machine.server:
            yield f"was read on {machine.server}, and at the end {node or expected.owner} owned it"

    def _unseen(self, expected: Expected) -> VirtualMachine:
        node = self._of.node_of(expected.owner) or self._of.members[0].name
        owner = f"{expected.owner} owns it" if expected.owner else "no owner is named"
        blind = [server.name for server in self._of.members if server.unread]
        but = f", and {join_names(blind)} was not read" if blind else ""
        reason = f"its cluster expects it ({expected.state}, {owner}), but no node showed it, not even at the end{but}"
        unknown = Unread(reason)
        return VirtualMachine(
            server=node,
            cluster=self._of.source.name,
            guid=expected.guid,
            name=expected.name,
            role=Unread("not seen"),
            power=unknown,
            replicated=unknown,
            doubt=unknown,
            failover=unknown,
            partners=unknown,
        )


def _both(first: Resources | Unread, again: Resources | Unread) -> dict[str, Expected]:
    """Return what was a resource at the start or at the end; the later word of each counts."""
    expected: dict[str, Expected] = {}
    for resources in (first, again):
        if isinstance(resources, Resources):
            expected |= resources.machines
    return expected


def _with_machines(server: Server, machines_of_cluster: Mapping[str, VirtualMachine], cluster: str) -> Server:
    """Return a node with its machines, without those that another node has now."""
    machines = [machines_of_cluster[machine.guid] for machine in server.machines]
    return replace(
        server, cluster=cluster, machines=tuple(machine for machine in machines if machine.server == server.name)
    )
