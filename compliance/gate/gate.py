"""Verdicts, waivers, a baseline and a policy -> open or closed, and why. Computed once, before any writer or runner.

pytest by itself fails open (no case is one skip and exit code 0), and neighbours lost their users' trust by exit codes
that hid failures. So the gate doesn't ask what pytest ran, and no selection of pytest's changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.gate.baseline import Baseline, Finding
from compliance.gate.coverage import Coverage, coverage_of
from compliance.gate.decision import Decider, Decision, Grounds
from compliance.gate.exits import Exit, Reason, in_order, worst
from compliance.gate.policy import Policy
from compliance.gate.spans import MOST_AHEAD, span_text
from compliance.gate.waivers import Waiver
from compliance.model import Estate
from compliance.rule import Verdict
from compliance.words import join_names, plural, printable

ENDING_SOON = timedelta(days=14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """Open or closed, and everything that it says of itself.

    ``weaker`` names what opens it further than the defaults do, ``age`` is the snapshot's when the gate was computed.
    """

    code: Exit
    reasons: tuple[Reason, ...]
    weaker: tuple[str, ...]
    coverage: Coverage
    age: timedelta
    direction: str = "both"
    ending: tuple[Waiver, ...] = ()  # in force, and within ENDING_SOON no more
    ended: tuple[Waiver, ...] = ()
    unused: tuple[Waiver, ...] = ()  # met no finding
    vanished: tuple[Finding, ...] = ()  # in the baseline, judged, and no longer there

    @property
    def is_open(self) -> bool:
        return self.code is Exit.OPEN


def decide(verdicts: Sequence[Verdict], estate: Estate, grounds: Grounds) -> tuple[tuple[Decision, ...], Gate]:
    """Return the decision on each verdict in scope, and the gate of them all."""
    coverage = coverage_of(verdicts, grounds.machines)
    decider = Decider(estate, coverage, grounds)
    decisions = tuple(map(decider.decide, verdicts))
    reasons = in_order(_reasons(decisions, estate, coverage, grounds, decider.unused))
    return decisions, Gate(
        code=worst(reason.code for reason in reasons),
        reasons=reasons,
        weaker=tuple(grounds.policy.weaker(estate.settings)),
        coverage=coverage,
        age=grounds.now - estate.time,
        direction=grounds.policy.direction,
        ending=tuple(waiver for waiver in grounds.waivers if waiver.ends_within(grounds.now, ENDING_SOON)),
        ended=tuple(waiver for waiver in grounds.waivers if waiver.has_ended(grounds.now)),
        unused=decider.unused,
        vanished=() if grounds.narrowed or not grounds.complete else _vanished(decisions, estate, grounds.baseline),
    )


def _reasons(
    decisions: Sequence[Decision], estate: Estate, coverage: Coverage, grounds: Grounds, unused: Sequence[Waiver]
) -> Iterator[Reason]:
    closing = [each for each in decisions if each.closes is not Exit.OPEN]
    if not decisions or not (grounds.selected or closing):
        yield Reason(code=Exit.USAGE, text="nothing was selected: no verdict is in the scope that was asked for")
    elif grounds.unmet and not closing:  # else what was not read may be what they mean
        yield Reason(code=Exit.USAGE, text=f"matches nothing that was judged: {join_names(grounds.unmet)}")
    if unused and grounds.policy.unused_waivers == "fail":
        places = join_names(each.place for each in unused)
        yield Reason(code=Exit.USAGE, text=f"{plural(len(unused), 'waiver')} met no finding: {places}")
    yield from _of_findings(closing, grounds.policy)
    yield from _of_unknown(closing, decisions, coverage)
    if any(each.verdict.machine for each in decisions):
        yield from _of_floor(coverage, grounds)
    if not grounds.complete:
        yield Reason(code=Exit.NOT_JUDGED, text="the snapshot is incomplete: its gathering was interrupted")
    yield from _of_age(grounds, *(grounds.span or (estate.time, estate.time)))


def _of_findings(closing: Sequence[Decision], policy: Policy) -> Iterator[Reason]:
    violated = Counter(decision.verdict.rule.key for decision in closing if decision.closes is Exit.VIOLATED)
    if violated:
        rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(violated.items()))
        at = "" if policy.fail_at.value == "information" else f" at or above `{policy.fail_at}`"
        yield Reason(code=Exit.VIOLATED, text=f"{plural(violated.total(), 'finding')}{at}: {rules}")
    ended = [decision for decision in closing if decision.closes is Exit.WAIVER_ENDED]
    if ended:
        waivers = dict.fromkeys(
            f"{decision.waiver.place} ({decision.waiver.entry.expires})" for decision in ended if decision.waiver
        )
        text = f"the waiver of {plural(len(ended), 'finding')} has ended: {join_names(waivers)}"
        yield Reason(code=Exit.WAIVER_ENDED, text=text)


def _of_unknown(closing: Sequence[Decision], decisions: Sequence[Decision], coverage: Coverage) -> Iterator[Reason]:
    unknown = [decision.verdict for decision in closing if decision.closes is Exit.NOT_JUDGED]
    servers = list(dict.fromkeys(verdict.server for verdict in unknown if verdict.server and not verdict.machine))
    if servers:
        text = f"{len(servers)} of {plural(coverage.servers, 'server')} could not be judged: {join_names(servers)}"
        yield Reason(code=Exit.NOT_JUDGED, text=text)
    if machines := _guids(unknown):
        all_machines = plural(len(_guids(decision.verdict for decision in decisions)), "replicated virtual machine")
        yield Reason(code=Exit.NOT_JUDGED, text=f"{len(machines)} of {all_machines} could not be judged")
    for verdict in unknown:
        if verdict.server is None:
            yield Reason(code=Exit.NOT_JUDGED, text=f"{verdict.label}: {verdict.outcome.finding}")


def _of_floor(coverage: Coverage, grounds: Grounds) -> Iterator[Reason]:
    """Below 100 % some machines may be unknown, with or without a verdict that says so. At 100 % each unknown verdict
    closes the gate by itself, and machines that have none are named: a side that was not seen has no verdict at all."""
    least = grounds.policy.least_machines_judged
    if least == 100 and grounds.machines and (silent := grounds.machines.silent):
        their = "its" if len(silent) == 1 else "their"
        reasons = tuple(dict.fromkeys(silent_machine.reason for silent_machine in silent))
        others = f"; and {plural(len(reasons) - 1, 'other reason')}" if len(reasons) > 1 else ""
        text = (
            f"it is unknown whether {plural(len(silent), 'virtual machine')} would come up with {their} failover "
            f"address: {join_names(silent_machine.name for silent_machine in silent)} ({printable(reasons[0])}{others})"
        )
        yield Reason(code=Exit.NOT_JUDGED, text=text)
    elif coverage.machine_percent < least < 100:
        machines = f"{coverage.machines_judged:,} of {plural(coverage.machines, 'virtual machine')}"
        text = f"{machines} with a failover address are known to be ready or not; {least:g} % must be"
        yield Reason(code=Exit.NOT_JUDGED, text=text)


def _guids(verdicts: Iterable[Verdict]) -> set[str]:
    """Of machines: both sides of one have the same, and a test replica counts as what it was made from."""
    guids = {machine.test_of or machine.guid for verdict in verdicts if (machine := verdict.machine)}
    return {guid.casefold() for guid in guids}


def _of_age(grounds: Grounds, first: datetime, last: datetime) -> Iterator[Reason]:
    """A snapshot from the future would never be too old; of several, or of several servers, each counts."""
    age, ahead, oldest = grounds.now - first, last - grounds.now, grounds.policy.oldest_snapshot
    if ahead > MOST_AHEAD:
        text = f"the snapshot is {span_text(ahead)} ahead of this machine's clock: set the clock that is wrong"
        yield Reason(code=Exit.NOT_JUDGED, text=text)
    if oldest is not None and age > oldest:
        text = f"the snapshot is {span_text(age)} old; it may be {span_text(oldest)} old at most"
        yield Reason(code=Exit.NOT_JUDGED, text=text)


def _vanished(decisions: Sequence[Decision], estate: Estate, baseline: Baseline | None) -> tuple[Finding, ...]:
    """Return known findings that are no more. Those of a server that was not read, or of a rule that was not asked, are
    not known to be."""
    if baseline is None:
        return ()
    rules = {decision.verdict.rule.key for decision in decisions}
    present = {baseline.same(decision.verdict, decision.finding).identity for decision in decisions if decision.finding}
    unread = {server.name for server in estate.servers if server.unread}
    unread |= {node for cluster in estate.clusters if cluster.doubts for node in cluster.nodes}  # one may be on any
    return tuple(
        finding
        for identity, finding in baseline.findings.items()
        if identity not in present and finding.server not in unread and finding.rule in rules
    )
