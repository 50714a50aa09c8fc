"""Findings grouped by what is wrong: each group has one rule, one cause, and where they agree one remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from compliance.gate.decision import Decision
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Server
from compliance.report.headings import PASSED_IF, Heading, groups, heading_of
from compliance.report.table import Table
from compliance.rule import Result, Rule, Verdict
from compliance.rules.remedies.causes_text import cause_heading
from compliance.rules.remedies.remedy import CONFIRM, Remedy, remedy_of
from compliance.words import plural

FindRemedy = Callable[[Verdict], Remedy | None]
NOUNS = {ReplicatedVM: "machine", ReplicaAdapter: "machine", Server: "server", Cluster: "cluster"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseGroup:
    """Verdicts of one rule and cause. ``word`` is the severity of what failed, else the result or ``passed if``.

    ``count`` and ``heading`` make the ``title``, ``8 machines: the Data Exchange service never answered``; all are
    plain where the rule is bundled, and a condition's hold a guest's words. ``remedy`` is the text that they have
    in common, which holds words of hosts or guests where it ``is_foreign``; None where they differ, or where nothing is
    to be done. ``advice`` is the same in words of ours alone.
    """

    word: str
    cause: str
    count: str
    heading: str
    title: str
    rule: Rule
    decisions: tuple[Decision, ...]
    remedy: str | None
    advice: str | None = None

    @property
    def is_foreign(self) -> bool:
        return self.remedy is not None and self.advice is not None and self.remedy != self.advice

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """As they are shown."""
        return tuple(decision.reported for decision in self.decisions)


def groups_by_cause(table: Table) -> Iterator[CauseGroup]:
    """Yield what failed, what is unknown, what is waived or known, and what passed on a condition; within each the
    worst rule first, and of a rule the cause that most findings have."""
    for group in groups(table):
        yield from causes_of(group, table.remedies.of)


def causes_of(group: Heading, find: FindRemedy = remedy_of) -> Iterator[CauseGroup]:
    """Yield a rule's group by cause, the cause of most findings first. ``find`` returns a verdict's remedy."""
    by_cause: dict[str, list[Decision]] = {}
    for decision in group.decisions:
        by_cause.setdefault("" if group.word == PASSED_IF else decision.verdict.outcome.cause, []).append(decision)
    for cause, decisions in sorted(by_cause.items(), key=lambda item: (-len(item[1]), item[0])):
        verdicts = [decision.verdict for decision in decisions]
        count = count_subjects(group.rule, verdicts)
        yield CauseGroup(
            word=group.word,
            cause=cause,
            count=count,
            heading=_heading(group, verdicts[0]),
            title=_title(group, verdicts[0], count),
            rule=group.rule,
            decisions=tuple(decisions),
            remedy=CONFIRM.text if group.word == PASSED_IF else common_remedy(verdicts, find),
            advice=_own_advice(verdicts, find),
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


def common_remedy(verdicts: Iterable[Verdict], find: FindRemedy = remedy_of) -> str | None:
    """Return the text of the remedy that all have, else what of it is the same for all; None where there is neither."""
    remedies = [find(verdict) for verdict in verdicts]
    for texts in ({remedy and remedy.text for remedy in remedies}, {remedy and remedy.common for remedy in remedies}):
        if len(texts) == 1:
            return texts.pop() or None
    return None


def _own_advice(verdicts: Iterable[Verdict], find: FindRemedy) -> str | None:
    """Return what stands in the remedy's place where somebody else's words may not stand; None where all of it is
    ours."""
    remedies = (find(verdict) for verdict in verdicts)
    return next((remedy.common for remedy in remedies if remedy and remedy.is_foreign), None)


def cause_text(verdict: Verdict) -> str:
    """Return what is wrong. A rule whose causes are its own says it in its own words."""
    return cause_heading(verdict.outcome.cause) or _in_its_own_words(verdict, "").removeprefix(":").strip()


def _in_its_own_words(verdict: Verdict, count: str) -> str:
    return heading_of(verdict.rule, count, is_unknown=verdict.outcome.result is Result.UNKNOWN)


def _heading(group: Heading, verdict: Verdict) -> str:
    if group.word == PASSED_IF:
        _, _, condition = group.heading.partition(" passed only if ")
        return f"passed only if {condition}"
    return cause_text(verdict)


def _title(group: Heading, verdict: Verdict, count: str) -> str:
    if group.word == PASSED_IF:
        return f"{count}: {_heading(group, verdict)}"
    known = cause_heading(verdict.outcome.cause)
    is_own = not known or known == group.rule.violated
    return _in_its_own_words(verdict, count) if is_own else f"{count}: {known}"
