"""What stands above a list: what is wrong there, in the rule's own words, and on how many of how many it is so.

It counts virtual machines, not their sides: a title says what should be, a heading what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from compliance.gate.decision import Decision
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Server
from compliance.report.table import Table, leave_out_repeats
from compliance.rule import Result, Rule, Verdict
from compliance.words import plural, printable

NOUNS: Mapping[type, str] = {
    ReplicatedVM: "replicated virtual machine",
    ReplicaAdapter: "replicated virtual machine",
    Server: "server",
    Cluster: "cluster",
}
PASSED_IF = "passed if"
"""The word of what passed on a condition that nobody looked at."""
OF_MACHINES = (ReplicatedVM, ReplicaAdapter)
KINDS = ((Result.FAILED, False), (Result.UNKNOWN, True), (Result.WAIVED, False), (Result.WAIVED, True))
"""What is shown, and whether the rule itself said unknown, in the order of the groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """Verdicts of one rule that belong under one heading. ``word`` is the severity of what failed, else the result."""

    word: str
    heading: str
    rule: Rule
    decisions: tuple[Decision, ...]

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """As they are shown."""
        return tuple(decision.reported for decision in self.decisions)


def groups(table: Table) -> Iterator[Heading]:
    """Yield what failed, what is unknown, what is waived or known, and what passed on a condition; worst first.

    A server that was not read stands under its own rule only.
    """
    counts = table.subject_counts
    decisions = sorted(table.more_than_passed, key=lambda one: (one.verdict.rule.severity.rank, one.verdict.rule.key))
    unknown = [one.reported for one in decisions if one.reported.outcome.result is Result.UNKNOWN]
    once = {id(verdict) for verdict in leave_out_repeats(unknown, table.servers_judged)} if unknown else ()
    for shown, is_unknown in KINDS:
        found = [
            one
            for one in decisions
            if one.reported.outcome.result is shown
            and (one.verdict.outcome.result is Result.UNKNOWN) is is_unknown
            and (shown is not Result.UNKNOWN or id(one.reported) in once)
        ]
        for rule, members in _by_rule(found):
            count = _count(rule, [one.reported for one in members], counts[rule.key])
            word = rule.severity.value if shown is Result.FAILED else shown.value
            text = heading_of(rule, count, is_unknown=is_unknown)
            yield Heading(word=word, heading=text, rule=rule, decisions=tuple(members))
    yield from _conditions(decisions, counts)


def _conditions(decisions: Sequence[Decision], counts: Mapping[str, int]) -> Iterator[Heading]:
    """What passed, if something holds that nobody looked at: it is no plain pass anywhere."""
    found: dict[tuple[str, str], list[Decision]] = {}
    for decision in decisions:
        outcome = decision.reported.outcome
        if outcome.result is Result.PASSED and outcome.condition:
            found.setdefault((decision.verdict.rule.key, outcome.condition), []).append(decision)
    for (key, condition), members in found.items():
        rule = members[0].verdict.rule
        count = _count(rule, [one.reported for one in members], counts[key])
        heading = f"{count} passed only if {printable(condition)}"
        yield Heading(word=PASSED_IF, heading=heading, rule=rule, decisions=tuple(members))


def heading_of(rule: Rule, count: str, *, is_unknown: bool) -> str:
    """A rule on what was not read calls that unknown, and its own words say so already."""
    is_one = count.startswith("1 ") or rule.subject is Estate
    violated = singular(rule.violated) if is_one else rule.violated
    if not is_unknown or rule.judges_unread:
        return f"{count} {violated}"
    return f"{count}: not known whether {'it' if is_one else 'they'} {violated}"


SINGULAR = {
    "have": "has",
    "are": "is",
    "were": "was",
    "do": "does",
    "miss": "misses",
    **{verb: f"{verb}s" for verb in ("keep", "lack", "lose", "need", "run", "show", "use", "violate")},
}
"""Verbs with which a rule may begin what is wrong; most others (`would`, `came`) are the same for one."""


def singular(violated: str) -> str:
    """Return what is wrong as it is said of one: ``has no failover address``. A verb that is not known stays."""
    verb, blank, rest = violated.partition(" ")
    return f"{SINGULAR.get(verb, verb)}{blank}{rest}"


def _count(rule: Rule, verdicts: Iterable[Verdict], of_all: int) -> str:
    """Return ``4 of 20 servers``, or ``the machines of 1 server`` where servers stand in for what they did not show."""
    if rule.subject is Estate:
        return "the estate"
    noun = NOUNS[rule.subject]
    verdicts = [*verdicts]
    keys = {_key(verdict) for verdict in verdicts}
    if rule.subject in OF_MACHINES and not any(verdict.machine for verdict in verdicts):
        return f"the machines of {plural(len(keys), 'server')}"
    return f"{len(keys):,} of {plural(of_all, noun)}"


def _key(verdict: Verdict) -> str:
    machine = verdict.machine
    return f"machine {machine.guid.casefold()}" if machine else f"label {verdict.label}"


def _by_rule(decisions: Iterable[Decision]) -> Iterator[tuple[Rule, list[Decision]]]:
    found: dict[str, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision.verdict.rule.key, []).append(decision)
    yield from ((members[0].verdict.rule, members) for members in found.values())
