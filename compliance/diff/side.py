"""One of the two audits that are compared, ready to be asked what it knows of a machine, a server or a cluster."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from compliance.diff.difference import Audit
from compliance.model import Cluster, Server, VirtualMachine
from compliance.rule import Verdict
from compliance.words import join_names, printable

MachineKey = tuple[str, str]
"""Server or cluster, and GUID, without case: a machine. Without the GUID: a server. Without both: the estate. A cluster
itself is ``cluster``, a space and its name, which no server is called."""


class AuditIndex:
    """One audit, ready to be asked. ``which``: the earlier or the later one."""

    def __init__(self, audit: Audit, which: str) -> None:
        self.audit = audit
        self.which = which
        self.clusters = {cluster.name.casefold(): cluster for cluster in audit.estate.clusters}
        # A cluster whose nodes are not known stands among the servers, and is told as a cluster.
        self.servers = {
            key: server for server in audit.estate.servers if (key := server.name.casefold()) not in self.clusters
        }
        self.machines: dict[str, list[VirtualMachine]] = defaultdict(list)
        for _, server in sorted(self.servers.items()):
            for machine in server.machines:
                self.machines[machine.guid.casefold()].append(machine)
        self.outcomes: dict[MachineKey, dict[str, Verdict]] = defaultdict(dict)
        for verdict in audit.verdicts:
            # A server that stands in for its machines says nothing that its own reading does not say.
            if verdict.machine or not verdict.rule.of_machines:
                self.outcomes[key_of_verdict(verdict)][_case_of(verdict)] = verdict
        self._names = Counter((each.place, each.name) for all_of in self.machines.values() for each in all_of)
        self._elsewhere = self._may_be_elsewhere()

    def outcomes_of(self, machine: VirtualMachine | None) -> Mapping[str, Verdict]:
        return self.outcomes.get(key_of_machine(machine), {}) if machine else {}

    def label_of(self, machine: VirtualMachine) -> str:
        """As its verdicts are labelled; else by the same pattern."""
        own = [verdict for verdict in self.outcomes_of(machine).values() if not verdict.adapter]
        if own:
            return own[0].label
        clash = f"~{machine.guid[:8].casefold()}" if self._names[machine.place, machine.name] > 1 else ""
        return f"{printable(machine.place)}/{printable(machine.name)}{clash}"

    def blindness(self, machine: VirtualMachine) -> str:
        """Why this side may not have seen a machine of the other one; empty where it would have."""
        if machine.cluster and machine.cluster.casefold() in self.clusters:
            return self._elsewhere
        server = self.servers.get(machine.server.casefold())
        if server is None:
            return f"{machine.place} is not in the {self.which} audit"
        if server.unread:
            return f"{server.name} was not read in the {self.which} audit: {server.unread}"
        return f"{server.name}, in the {self.which} audit, {server.doubt}" if server.doubt else self._elsewhere

    def _may_be_elsewhere(self) -> str:
        blind = sorted(place.name for place in self.servers.values() if place.unread or place.doubt or place.partial)
        blind += sorted(place.name for place in self.clusters.values() if place.unread or place.doubts)
        if blind:
            return f"the {self.which} audit did not see the machines on {join_names(blind)}"
        return "" if self.audit.complete else f"the {self.which} audit was interrupted"

    def hides(self, server: Server) -> str:
        """Why a server of the other side may be there, though it does not stand here; empty where it would."""
        if not self.audit.complete:
            return f"the {self.which} audit was interrupted"
        cluster = self.clusters.get((server.cluster or "").casefold())
        if cluster is None or cluster.unread is None:
            return ""
        return f"the nodes of {cluster.name} are not known in the {self.which} audit"


def key_of_machine(machine: VirtualMachine) -> MachineKey:
    return machine.place.casefold(), machine.guid.casefold()


def _case_of(verdict: Verdict) -> str:
    """A rule, and of which adapter: two adapters are two cases."""
    adapter = verdict.adapter
    return f"{verdict.rule.key} of {verdict.label.rsplit('/', 1)[1]}" if adapter else verdict.rule.key


def key_of_verdict(verdict: Verdict) -> MachineKey:
    if isinstance(verdict.subject, Cluster):
        return key_of_cluster(verdict.subject.name)
    return key_of_machine(verdict.machine) if verdict.machine else ((verdict.server or "").casefold(), "")


def key_of_cluster(name: str) -> MachineKey:
    return f"cluster {name.casefold()}", ""
