"""Findings grouped by what is wrong: each group has one rule, one cause, and where they agree one remedy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from compliance.gate.decision import Decision
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Server
from compliance.report.headings import PASSED_IF, Heading, groups, singular
from compliance.report.table import Table
from compliance.rule import Result, Rule, Verdict
from compliance.rules.remedies.causes_text import cause_heading
from compliance.rules.remedies.remedy import remedy_of
from compliance.words import plural

NOUNS = {ReplicatedVM: "machine", ReplicaAdapter: "machine", Server: "server", Cluster: "cluster"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseGroup:
    """Verdicts of one rule and cause. ``word`` is the severity of what failed, else the result or ``passed if``.

    ``count`` and ``heading`` make the line ``8 machines: the Data Exchange service never answered``; both are plain
    where the rule is bundled, and a condition's heading holds a guest's words. ``remedy`` is the text that they have
    in common; None where they differ, or where nothing is to be done.
    """

    word: str
    cause: str
    count: str
    heading: str
    rule: Rule
    decisions: tuple[Decision, ...]
    remedy: str | None

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """As they are shown."""
        return tuple(decision.reported for decision in self.decisions)

    @property
    def title(self) -> str:
        """Return ``8 machines: the Data Exchange service never answered``; a rule's own words complete the sentence."""
        if self.heading != self.rule.violated:
            return f"{self.count}: {self.heading}"
        is_one = self.count.startswith("1 ") or self.rule.subject is Estate
        return f"{self.count} {singular(self.heading) if is_one else self.heading}"


def groups_by_cause(table: Table) -> Iterator[CauseGroup]:
    """Yield what failed, what is unknown, what is waived or known, and what passed on a condition; within each the
    worst rule first, and of a rule the cause that most machines have."""
    for group in groups(table):
        if group.word == PASSED_IF:
            by_cause = {"": [*group.decisions]}
        else:
            by_cause = {}
            for decision in group.decisions:
                by_cause.setdefault(decision.verdict.outcome.cause, []).append(decision)
        for cause, decisions in sorted(by_cause.items(), key=lambda item: (-len(item[1]), item[0])):
            verdicts = [one.verdict for one in decisions]
            yield CauseGroup(
                word=group.word,
                cause=cause,
                count=count_subjects(group.rule, verdicts),
                heading=_heading(group, cause),
                rule=group.rule,
                decisions=tuple(decisions),
                remedy=common_remedy(verdicts),
            )


def count_subjects(rule: Rule, verdicts: Iterable[Verdict]) -> str:
    """Return ``8 machines``, or ``the machines of 1 server`` where servers stand in for what they did not show."""
    if rule.subject is Estate:
        return "the estate"
    verdicts = [*verdicts]
    keys = {one.machine.guid.casefold() if one.machine else f"label {one.label}" for one in verdicts}
    if rule.of_machines and not any(one.machine for one in verdicts):
        return f"the machines of {plural(len(keys), 'server')}"
    return plural(len(keys), NOUNS[rule.subject])


def common_remedy(verdicts: Iterable[Verdict]) -> str | None:
    """Return the text of the remedy that all have, else what of it is the same for all; None where there is neither."""
    remedies = [remedy_of(verdict) for verdict in verdicts]
    for texts in ({remedy and remedy.text for remedy in remedies}, {remedy and remedy.common for remedy in remedies}):
        if len(texts) == 1:
            return texts.pop() or None
    return None


def _heading(group: Heading, cause: str) -> str:
    """Return what is wrong by its cause; of a rule that has causes of its own, in its own words."""
    if group.word == PASSED_IF:
        return f"passed only if {group.heading.partition(' passed only if ')[2]}"
    known = cause_heading(cause)
    return known or (group.rule.violated if group.word != Result.UNKNOWN else f"not known whether: {group.rule.title}")
