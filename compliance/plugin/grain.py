"""Decisions -> what each of pytest's items carries: a rule on one machine, on one server, or everywhere.

A case costs pytest hundreds of times what its verdict cost, so a large estate is shown by fewer items. Only what pytest
shows depends on this: the gate and the reports tell of every verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compliance.gate.decision import Decision
from compliance.judge.labels import numbered
from compliance.judge.readiness import Readiness
from compliance.model import Estate, Server, Subject
from compliance.plugin.options import Grain
from compliance.report.table import ORDER
from compliance.report.text import details, details_of_several
from compliance.rule import Outcome, Result, Verdict
from compliance.words import join_names, printable

MANY = 20_000
"""Cases from which on a run names the option."""
MOST_LINES = 20
"""Findings that an item lists; the reports hold them all."""
LONGEST = 400
"""Letters of one of them."""
WORST = (Result.UNKNOWN, Result.FAILED, Result.PASSED, Result.WAIVED, Result.NOT_APPLICABLE)
"""An item's result is the first of these that one of its members has.

What was not judged stands first: an item that says passed or failed says it of everything that it carries.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """What one item carries. ``verdict`` is its only member's own, or one that stands for them all."""

    id: str
    verdict: Verdict
    members: tuple[Decision, ...]
    rest: str  # where those findings are that have no line here
    readiness: tuple[Readiness, ...] = ()  # of the machine that its only member is about, in each direction

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1

    @property
    def allowed(self) -> str:
        """Why it failed and closes nothing: `below the gate's severity`; empty for all else."""
        failed = [member for member in self.members if member.reported.outcome.result is Result.FAILED]
        if self.verdict.outcome.result is not Result.FAILED or not all(member.is_accepted for member in failed):
            return ""
        return "; ".join(dict.fromkeys(member.allowed for member in failed))

    @property
    def counts(self) -> Mapping[Result, int]:
        """Those that are there, in the reports' order."""
        return _counts(self.members)

    def lines(self) -> Iterator[str]:
        """Counts, then the worst of what did not pass, and how many more there are."""
        yield _count_text(self.counts)
        telling = _telling(self.members)
        for verdict in telling[:MOST_LINES]:
            yield f"{verdict.outcome.result}  {verdict.label}: {verdict.outcome.finding}"[:LONGEST]
        if len(telling) > MOST_LINES:
            yield f"… and {len(telling) - MOST_LINES:,} more: {self.rest}"

    def details(self) -> str:
        if self.is_single:
            return details(self.verdict)
        return details_of_several(self.verdict.rule, self.lines(), with_rule=Result.FAILED in self.counts)


def bundles(
    decisions: Iterable[Decision],
    estate: Estate,
    grain: Grain,
    rest: str = "",
    find: Callable[[Verdict], Sequence[Readiness]] = lambda _: (),
) -> list[Bundle]:
    """Return one for each rule and part of the estate, in the order of the decisions. ``find`` gives the readiness of
    the machine that a verdict is about."""
    if grain is Grain.MACHINE:
        return [
            Bundle(
                id=decision.reported.id,
                verdict=decision.reported,
                members=(decision,),
                rest=rest,
                readiness=tuple(find(decision.verdict)),
            )
            for decision in decisions
        ]
    parts = _parts(estate) if grain is Grain.SERVER else {}
    groups: dict[tuple[str, str | None], list[Decision]] = {}
    for decision in decisions:
        part = decision.verdict.server if parts else None
        groups.setdefault((of_rule(decision.verdict), part), []).append(decision)
    whole = (printable(estate.name), estate)
    made = []
    for (rule, part), members in groups.items():
        label, subject = parts[part] if part else whole
        verdict = _standing_for(members, label, subject)
        key = f"{rule}[{label}]" if grain is Grain.SERVER else rule
        made.append(Bundle(id=key, verdict=verdict, members=tuple(members), rest=rest))
    return made


def _parts(estate: Estate) -> Mapping[str, tuple[str, Server]]:
    """Each server with its label, by its name."""
    labels = numbered({server.name: printable(server.name) for server in estate.servers})
    return {server.name: (labels[server.name], server) for server in estate.servers}


def hint(cases: int, chosen: Grain | None) -> str:
    """One line for who may not know of the option; empty where there is nothing to say."""
    if chosen is not None or cases <= MANY:
        return ""
    return (
        f"{cases:,} cases: --hv-grain server (or rule) makes one of each rule and server, and the same gate and reports"
    )


def of_rule(verdict: Verdict) -> str:
    """The id without its subject, which means all of them, as it does for a parametrized function."""
    return f"{printable(verdict.estate)}::{verdict.rule.key}"


def _standing_for(members: Sequence[Decision], label: str, subject: Subject) -> Verdict:
    first = members[0].reported
    if len(members) == 1:
        return first
    counts = _counts(members)
    telling = {member.outcome.finding for member in _telling(members)}
    reason = f": {telling.pop()}" if len(telling) == 1 else ""
    result = min(counts, key=WORST.index)
    conditions = dict.fromkeys(
        member.reported.outcome.condition for member in members if member.reported.outcome.condition
    )
    condition = join_names(conditions) if result is Result.PASSED else ""
    outcome = Outcome(result, f"{_count_text(counts)}{reason}"[:LONGEST], condition=condition)
    return Verdict(rule=first.rule, estate=first.estate, label=label, subject=subject, outcome=outcome)


def _counts(members: Iterable[Decision]) -> Mapping[Result, int]:
    results = Counter(decision.reported.outcome.result for decision in members)
    return {result: results[result] for result in ORDER if results[result]}


def _count_text(counts: Mapping[Result, int]) -> str:
    return ", ".join(f"{count:,} {result}" for result, count in counts.items())


def _telling(members: Iterable[Decision]) -> list[Verdict]:
    """Whatever did not pass, the worst first."""
    verdicts = [decision.reported for decision in members if decision.reported.outcome.result is not Result.PASSED]
    return sorted(verdicts, key=lambda verdict: WORST.index(verdict.outcome.result))
