"""The table of verdicts that every writer tells from: what was judged, what is shown of it, and the one sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from operator import attrgetter

from compliance.gate.baseline import Baseline
from compliance.gate.decision import Decision
from compliance.gate.gate import Gate
from compliance.gate.policy import DEFAULT, Policy
from compliance.gate.spans import data_text
from compliance.gate.waivers import WaiverFile
from compliance.judge.headline import headline
from compliance.judge.readiness import Readiness
from compliance.model import READ_AS, Cluster, Estate, ReplicaAdapter, ReplicatedVM, Server
from compliance.report.origin import Origin
from compliance.report.remedies import Remedies
from compliance.rule import Result, Rule, Verdict
from compliance.words import join_names, printable

ATTRIBUTION = (
    "Rule text: Microsoft and contributors, Windows Server documentation, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/). Not affiliated with or endorsed by Microsoft."
)
KINDS: Mapping[type, str] = {
    ReplicatedVM: "virtual machines",
    ReplicaAdapter: "network adapters",
    Server: "servers",
    Cluster: "clusters",
}
OLD = timedelta(days=1)
READ_AGAIN = "Read the servers again before you act."
ORDER = (Result.FAILED, Result.UNKNOWN, Result.WAIVED, Result.NOT_APPLICABLE, Result.PASSED)


@dataclass(frozen=True, kw_only=True)
class Table:
    """Everything that a report tells. ``decisions`` are those in scope; ``scope`` says what narrowed them."""

    estate: Estate
    decisions: tuple[Decision, ...]
    gate: Gate
    tool: str
    readiness: tuple[Readiness, ...] = ()  # of the machines in scope, in every direction
    inventory: str = ""  # as the user named it
    inventory_digest: str = ""
    file: str = ""  # what findings point at: the inventory or first snapshot, from the working folder, with slashes
    files: Mapping[str, str] = field(default_factory=dict)  # server's name -> its file, where that is another one
    lines: Mapping[str, int] = field(default_factory=dict)  # server's or cluster's name -> its line in that file
    scope: str = ""
    complete: bool = True
    policy: Policy = DEFAULT
    waiver_files: tuple[WaiverFile, ...] = ()
    baseline: Baseline | None = None
    origin: Origin = field(default_factory=Origin)

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """As they are shown: what is waived says so."""
        return tuple(decision.reported for decision in self.decisions)

    @cached_property
    def ordered(self) -> tuple[Decision, ...]:
        """The decisions by what stays from run to run, so that a verdict that flips keeps its place: by severity, rule,
        server and label. Rule by rule, since the keys of all of them would take more memory than they do."""
        of_rules: dict[str, list[Decision]] = defaultdict(list)
        for decision in self.decisions:
            of_rules[decision.verdict.rule.key].append(decision)
        in_order = sorted(of_rules.values(), key=lambda found: rank(found[0].verdict.rule))
        return tuple(decision for found in in_order for decision in sorted(found, key=_place))

    @cached_property
    def worst_first(self) -> tuple[Decision, ...]:
        """Failed and unknown before the rest; within each in the same order."""
        ranks = {result: rank for rank, result in enumerate(ORDER)}
        return tuple(sorted(self.ordered, key=lambda decision: ranks[decision.reported.outcome.result]))

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """The rules that say something here, by their keys."""
        return dict(map(attrgetter("verdict.rule.key", "verdict.rule"), self.decisions))

    @cached_property
    def counts(self) -> Mapping[tuple[str, Result], int]:
        """How many verdicts are shown by each rule's key and result."""
        # no generator: there may be a million
        return Counter(map(attrgetter("verdict.rule.key", "reported.outcome.result"), self.decisions))

    @cached_property
    def more_than_passed(self) -> tuple[Decision, ...]:
        """The decisions that say more than that something passed or is not applicable."""
        return tuple(_more_than_passed(self.decisions))

    @cached_property
    def servers_judged(self) -> frozenset[str | None]:
        """The servers of which a rule on servers says something."""
        return servers_judged(decision.verdict for decision in self.decisions)

    @cached_property
    def subject_counts(self) -> Mapping[str, int]:
        """How many subjects each rule was asked of; a server that stands in for its machines is none of them. Rule by
        rule, since the GUIDs of all of them would take more memory than most reports."""
        return {
            key: _count_subjects(self.rules[key], of_rule)
            for key, of_rule in groupby(self.ordered, key=attrgetter("verdict.rule.key"))
        }

    @cached_property
    def headline(self) -> str:
        """The one sentence, printable, without a full stop at its end."""
        return self.headline_with(printable)

    @cached_property
    def remedies(self) -> Remedies:
        """What to do about each finding and machine."""
        return Remedies(self.decisions, self.readiness)

    def headline_with(self, show: Callable[[str], str]) -> str:
        """Return the same, with ``show`` for what of it may be a host's or a guest's."""
        in_scope = {decision.verdict.server for decision in self.decisions} if self.unread else ()
        unread = [server.name for server in self.unread if server.name in in_scope]
        return headline(self.readiness, self.more_than_passed, self.policy.direction, unread, show)

    @property
    def data(self) -> str:
        """`data from 2 Nov 2026 06:30 UTC, 27 days ago`: for outputs that are about today, and no others."""
        return data_text(self.estate.time, self.gate.age)

    @property
    def is_old(self) -> bool:
        """Is the data so old that nobody should act by it alone?"""
        return self.gate.age >= OLD

    def name_in_inventory(self, verdict: Verdict) -> str:
        """Whose line and file it has: the server's, or that of the cluster which has it as a node."""
        return next((name for name in (verdict.server, verdict.cluster) if name and name in self.lines), "")

    def line(self, verdict: Verdict) -> int | None:
        """Where the inventory names what it is about: the server, or the cluster that has it as a node."""
        return self.lines.get(self.name_in_inventory(verdict))

    def remarks(self) -> Iterator[tuple[str, str]]:
        """Yield what is odd about servers and clusters, each with its name; who logged in is nothing odd."""
        for host in self.estate.read:
            yield from ((host.name, remark) for remark in host.remarks if not remark.startswith(READ_AS))

    def count(self, result: Result) -> int:
        """Return how many verdicts are shown with this result."""
        return sum(count for (_, shown), count in self.counts.items() if shown is result)

    @property
    def unread(self) -> tuple[Server, ...]:
        return tuple(server for server in self.estate.servers if server.unread)


def by_rule(verdicts: Sequence[Verdict], result: Result) -> list[tuple[Rule, list[Verdict]]]:
    """The verdicts of one result, grouped by rule, worst severity first."""
    of_result = [verdict for verdict in verdicts if verdict.outcome.result is result]
    of_result.sort(key=lambda verdict: (verdict.rule.severity.rank, verdict.rule.key))
    return [
        (group[0].rule, group) for _, rows in groupby(of_result, key=lambda one: one.rule.key) if (group := list(rows))
    ]


def impacts(rule: Rule) -> str:
    """BPA's sentence before the list."""
    what = KINDS.get(rule.subject, "estates")
    return f"This impacts the following {what}:"


def worst_first(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Failed and unknown before the rest, then by severity; the order of the estate within."""
    return sorted(
        verdicts,
        key=lambda verdict: (ORDER.index(verdict.outcome.result), verdict.rule.severity.rank, verdict.rule.key),
    )


def rank(rule: Rule) -> tuple[int, str]:
    """Return what rules are sorted by: the worst first."""
    return rule.severity.rank, rule.key


def _place(decision: Decision) -> tuple[str, str, str]:
    verdict = decision.verdict
    label = verdict.label
    return (verdict.server or "").casefold(), label.casefold(), label


def _more_than_passed(decisions: Iterable[Decision]) -> list[Decision]:
    passed, not_applicable = Result.PASSED, Result.NOT_APPLICABLE
    return [
        decision
        for decision in decisions
        if (outcome := decision.reported.outcome).result is not not_applicable
        and (outcome.result is not passed or outcome.condition)
    ]


def _count_subjects(rule: Rule, of_rule: Iterable[Decision]) -> int:
    verdicts = (decision.verdict for decision in of_rule)
    if not rule.of_machines:
        return len({verdict.label for verdict in verdicts})
    guids = {machine.guid for verdict in verdicts if (machine := verdict.machine)}
    return len({guid.casefold() for guid in guids})


def servers_judged(verdicts: Iterable[Verdict]) -> frozenset[str | None]:
    """Return the servers of which a rule on servers says something."""
    return frozenset(verdict.server for verdict in verdicts if verdict.rule.subject is Server)


def leave_out_repeats(verdicts: Iterable[Verdict], own: Collection[str | None] | None = None) -> list[Verdict]:
    """A server that was not read stands under every rule; its own case tells why, and once is enough. ``own``: servers
    that have such a case, where these verdicts are only some of them."""
    verdicts = [*verdicts]
    own = servers_judged(verdicts) if own is None else own
    return [
        verdict for verdict in verdicts if verdict.machine or not verdict.rule.of_machines or verdict.server not in own
    ]


def unlisted_partners_text(table: Table) -> str:
    """Servers on which nobody looked, though machines replicate with them; empty where there is none."""
    partners = table.estate.unlisted
    if not partners:
        return ""
    are = "1 partner server is" if len(partners) == 1 else f"{len(partners)} partner servers are"
    return f"{are} not in the inventory, so nobody looked there: {join_names(partners)}"
