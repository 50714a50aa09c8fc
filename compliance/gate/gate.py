"""Verdicts, waivers, a baseline and a policy -> open or closed, and why. Computed once, before any writer or runner.

pytest by itself fails open (no case is one skip and exit code 0), and neighbours lost their users' trust by exit codes
that hid failures. So the gate doesn't ask what pytest ran, and no selection of pytest's changes it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from compliance.gate.baseline import Baseline, Finding, finding_of
from compliance.gate.policy import Policy
from compliance.gate.waivers import Waiver
from compliance.model import Cluster, Estate, Server
from compliance.rule import Result, Verdict

ENDING_SOON = timedelta(days=14)
MOST_NAMES = 5
"""Names in one reason; the reports hold them all."""


class Exit(IntEnum):
    """What a process ends with. Pipelines act on these numbers: none ever changes its meaning."""

    OPEN = 0
    VIOLATED = 1
    INTERRUPTED = 2
    INTERNAL = 3
    USAGE = 4
    NOT_JUDGED = 10
    WAIVER_ENDED = 11


BY_HARM = (Exit.INTERNAL, Exit.INTERRUPTED, Exit.USAGE, Exit.VIOLATED, Exit.NOT_JUDGED, Exit.WAIVER_ENDED, Exit.OPEN)
"""The worse always wins."""


def worst(codes: Iterable[Exit]) -> Exit:
    return min(codes, key=BY_HARM.index, default=Exit.OPEN)


class State(StrEnum):
    """A finding beside the baseline's."""

    NEW = "new"
    KNOWN = "known"
    CHANGED = "known, but on other evidence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What the gate makes of a verdict.

    ``shown`` is what the run and the reports say of it: the rule's own verdict, or WAIVED where a waiver or the
    baseline covers it. ``closes`` is what it alone would end the run with.
    """

    verdict: Verdict
    shown: Verdict
    finding: Finding | None = None  # None where nothing was found
    closes: Exit = Exit.OPEN
    waiver: Waiver | None = None
    has_ended: bool = False  # the waiver
    state: State | None = None  # None without a baseline

    @property
    def is_accepted(self) -> bool:
        """Failed or unknown, and yet no reason to close the gate."""
        return self.finding is not None and self.closes is Exit.OPEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Servers that were read, and of their replicated virtual machines those that every rule in scope could judge."""

    servers: int
    servers_read: int
    machines: int
    machines_judged: int

    @property
    def server_percent(self) -> float:
        return 100 * self.servers_read / self.servers if self.servers else 100

    @property
    def machine_percent(self) -> float:
        return 100 * self.machines_judged / self.machines if self.machines else 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One reason why the gate is closed: a sentence that stands alone."""

    code: Exit
    text: str


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The worst first."""
    return tuple(sorted(reasons, key=lambda one: BY_HARM.index(one.code)))


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
    ending: tuple[Waiver, ...] = ()  # in force, and within ENDING_SOON no more
    ended: tuple[Waiver, ...] = ()
    unused: tuple[Waiver, ...] = ()  # met no finding
    vanished: tuple[Finding, ...] = ()  # in the baseline, judged, and found no more

    @property
    def is_open(self) -> bool:
        return self.code is Exit.OPEN


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """What the gate weighs beside the verdicts. ``now``: waivers end by it, and the snapshot's age counts to it.
    ``narrowed``: are these fewer than the estate's; ``selected``: was one of them asked for, and is not only kept since
    it is open; ``unmet``: options that chose nothing."""

    policy: Policy
    now: datetime
    complete: bool = True
    narrowed: bool = False
    selected: bool = True
    unmet: Sequence[str] = ()
    waivers: Sequence[Waiver] = ()
    baseline: Baseline | None = None


def decide(verdicts: Sequence[Verdict], estate: Estate, grounds: Grounds) -> tuple[tuple[Decision, ...], Gate]:
    """The decision on each verdict in scope, and the gate of them all."""
    coverage = _coverage(verdicts)
    clerk = _Clerk(estate, coverage, grounds)
    decisions = tuple(clerk.decision(verdict) for verdict in verdicts)
    reasons = in_order(_reasons(decisions, estate, coverage, grounds, clerk))
    return decisions, Gate(
        code=worst(reason.code for reason in reasons),
        reasons=reasons,
        weaker=tuple(grounds.policy.weaker()),
        coverage=coverage,
        age=grounds.now - estate.time,
        ending=tuple(one for one in grounds.waivers if one.ends_within(grounds.now, ENDING_SOON)),
        ended=tuple(one for one in grounds.waivers if one.has_ended(grounds.now)),
        unused=clerk.unused,
        vanished=() if grounds.narrowed or not grounds.complete else _vanished(decisions, estate, grounds.baseline),
    )


class _Clerk:
    """Decides verdict by verdict, and remembers which waivers met one."""

    def __init__(self, estate: Estate, coverage: Coverage, grounds: Grounds) -> None:
        self._servers = {server.name: server for server in estate.servers}
        self._grounds = grounds
        self._met: set[str] = set()
        policy = grounds.policy
        self._servers_may_miss = (
            bool(coverage.servers)
            and policy.least_servers_read < 100
            and _enough(coverage.server_percent, policy.least_servers_read)
        )
        self._machines_may_miss = policy.least_machines_judged < 100 and _enough(
            coverage.machine_percent, policy.least_machines_judged
        )

    @property
    def unused(self) -> tuple[Waiver, ...]:
        return tuple(one for one in self._grounds.waivers if one.place not in self._met)

    def decision(self, verdict: Verdict) -> Decision:
        finding = finding_of(verdict)
        if finding is None:
            return Decision(verdict=verdict, shown=verdict)
        waiver = self._waiver(verdict)
        if verdict.outcome.result is Result.UNKNOWN:
            return self._not_judged(verdict, finding, waiver)
        return self._failed(verdict, finding, waiver)

    def _failed(self, verdict: Verdict, finding: Finding, waiver: Waiver | None) -> Decision:
        state = self._state(verdict, finding)
        plain = Decision(verdict=verdict, shown=verdict, finding=finding, state=state, waiver=waiver)
        if waiver and not waiver.has_ended(self._grounds.now):
            return replace(plain, shown=_waived(verdict, f"waived (would fail): {waiver}"))
        if waiver and self._grounds.policy.expired_waivers == "tell":
            return replace(plain, has_ended=True, shown=_waived(verdict, f"waived past its end (would fail): {waiver}"))
        if waiver:
            return replace(plain, has_ended=True, closes=self._weighed(verdict, Exit.WAIVER_ENDED))
        if state is State.KNOWN:
            return replace(plain, shown=_waived(verdict, "known in the baseline (would fail)"))
        return replace(plain, closes=self._weighed(verdict, Exit.VIOLATED))

    def _not_judged(self, verdict: Verdict, finding: Finding, waiver: Waiver | None) -> Decision:
        plain = Decision(verdict=verdict, shown=verdict, finding=finding, waiver=waiver)
        if waiver and not waiver.has_ended(self._grounds.now):
            return replace(plain, shown=_waived(verdict, f"waived, not judged: {waiver}"))
        tolerated = self._machines_may_miss if verdict.machine else self._servers_may_miss and self._of_servers(verdict)
        closes = Exit.OPEN if tolerated else self._weighed(verdict, Exit.NOT_JUDGED)
        return replace(plain, has_ended=waiver is not None, closes=closes)

    def _of_servers(self, verdict: Verdict) -> bool:
        """Is it about what the servers' percentage counts? A cluster is not in it, but its nodes are."""
        if isinstance(verdict.subject, Cluster):
            return any(server.unread for name in verdict.subject.nodes if (server := self._servers.get(name)))
        return verdict.server is not None

    def _weighed(self, verdict: Verdict, closes: Exit) -> Exit:
        return closes if verdict.rule.severity.rank <= self._grounds.policy.fail_at.rank else Exit.OPEN

    def _state(self, verdict: Verdict, finding: Finding) -> State | None:
        baseline = self._grounds.baseline
        if baseline is None:
            return None
        same = baseline.same(verdict, finding)
        known = baseline.findings.get(same.identity)
        if known is None:
            return State.NEW
        return State.KNOWN if known.evidence == same.evidence else State.CHANGED

    def _waiver(self, verdict: Verdict) -> Waiver | None:
        """One in force before one that has ended. What could not be judged is waived machine by machine only."""
        covering = [one for one in self._grounds.waivers if self._covers(one, verdict)]
        if verdict.outcome.result is Result.UNKNOWN:
            covering = [one for one in covering if one.is_exact and verdict.machine]
        self._met |= {one.place for one in covering}
        in_force = [one for one in covering if not one.has_ended(self._grounds.now)]
        return next(iter([*in_force, *covering]), None)

    def _covers(self, waiver: Waiver, verdict: Verdict) -> bool:
        machine = verdict.machine
        server: Server | None = self._servers.get(verdict.server or "")
        return waiver.covers(
            rule=verdict.rule.key,
            server=tuple(name for name in (verdict.server, verdict.cluster) if name),
            machine=(machine.name, str(machine), verdict.label, machine.guid) if machine else (),
            site=server.site if server else None,
            groups=server.groups if server else (),
        )


def _waived(verdict: Verdict, lead: str) -> Verdict:
    outcome = replace(verdict.outcome, result=Result.WAIVED, finding=f"{lead}; {verdict.outcome.finding}")
    return replace(verdict, outcome=outcome)


def _enough(percent: float, least: float) -> bool:
    return percent >= least


def _coverage(verdicts: Sequence[Verdict]) -> Coverage:
    """From the verdicts in scope, so that a narrowed gate counts what it is about."""
    subjects = {id(one.subject): one for one in verdicts}.values()  # each once, whatever number of rules there is
    unknown = [one for one in verdicts if one.outcome.result is Result.UNKNOWN]
    servers = {one.server for one in subjects} - {None}
    machines = {_machine(one) for one in subjects} - {None}
    return Coverage(
        servers=len(servers),
        servers_read=len(servers - {one.server for one in unknown if one.machine is None}),
        machines=len(machines),
        machines_judged=len(machines - {_machine(one) for one in unknown}),
    )


def _machine(verdict: Verdict) -> tuple[str, str] | None:
    machine = verdict.machine
    return (machine.server, machine.guid) if machine else None


# --- why the gate is closed -------------------------------------------------------------------------------------------


def _reasons(
    decisions: Sequence[Decision], estate: Estate, coverage: Coverage, grounds: Grounds, clerk: _Clerk
) -> Iterator[Reason]:
    closing = [one for one in decisions if one.closes is not Exit.OPEN]
    if not decisions or not (grounds.selected or closing):
        yield Reason(code=Exit.USAGE, text="nothing was selected: no verdict is in the scope that was asked for")
    elif grounds.unmet and not closing:  # else what was not read may be what they mean
        yield Reason(code=Exit.USAGE, text=f"means nothing that was judged: {_named(grounds.unmet)}")
    if clerk.unused and grounds.policy.unused_waivers == "fail":
        places = _named([one.place for one in clerk.unused])
        yield Reason(code=Exit.USAGE, text=f"{_counted(len(clerk.unused), 'waiver')} met no finding: {places}")
    yield from _of_findings(closing, grounds.policy)
    yield from _of_what_was_not_judged(closing, coverage)
    if not grounds.complete:
        yield Reason(code=Exit.NOT_JUDGED, text="the snapshot is incomplete: its gathering was interrupted")
    oldest = grounds.policy.oldest_snapshot
    if oldest is not None and grounds.now - estate.time > oldest:
        age = f"{told_span(grounds.now - estate.time)} old; at most {told_span(oldest)} are accepted"
        yield Reason(code=Exit.NOT_JUDGED, text=f"the snapshot is {age}")


def _of_findings(closing: Sequence[Decision], policy: Policy) -> Iterator[Reason]:
    violated = Counter(one.verdict.rule.key for one in closing if one.closes is Exit.VIOLATED)
    if violated:
        rules = ", ".join(f"{rule} ({count})" for rule, count in sorted(violated.items()))
        at = "" if policy.fail_at.value == "information" else f" at or above `{policy.fail_at}`"
        yield Reason(code=Exit.VIOLATED, text=f"{_counted(violated.total(), 'finding')}{at}: {rules}")
    ended = [one for one in closing if one.closes is Exit.WAIVER_ENDED]
    if ended:
        waivers = dict.fromkeys(f"{one.waiver.place} ({one.waiver.expires})" for one in ended if one.waiver)
        text = f"the waiver of {_counted(len(ended), 'finding')} has ended: {_named(list(waivers))}"
        yield Reason(code=Exit.WAIVER_ENDED, text=text)


def _of_what_was_not_judged(closing: Sequence[Decision], coverage: Coverage) -> Iterator[Reason]:
    open_ones = [one.verdict for one in closing if one.closes is Exit.NOT_JUDGED]
    servers = list(dict.fromkeys(one.server for one in open_ones if one.server and not one.machine))
    machines = {one.label for one in open_ones if one.machine}
    if servers:
        text = f"{len(servers)} of {_counted(coverage.servers, 'server')} could not be judged: {_named(servers)}"
        yield Reason(code=Exit.NOT_JUDGED, text=text)
    if machines:
        text = f"{len(machines)} of {_counted(coverage.machines, 'replicated virtual machine')} could not be judged"
        yield Reason(code=Exit.NOT_JUDGED, text=text)
    for verdict in open_ones:
        if verdict.server is None:
            yield Reason(code=Exit.NOT_JUDGED, text=f"{verdict.label}: {verdict.outcome.finding}")


def _vanished(decisions: Sequence[Decision], estate: Estate, baseline: Baseline | None) -> tuple[Finding, ...]:
    """Known findings that are no more. Those of a server that was not read, or of a rule that was not asked, are not
    known to be."""
    if baseline is None:
        return ()
    asked = {one.verdict.rule.key for one in decisions}
    found = {baseline.same(one.verdict, one.finding).identity for one in decisions if one.finding}
    unread = {server.name for server in estate.servers if server.unread}
    unread |= {node for cluster in estate.clusters if cluster.doubts for node in cluster.nodes}  # one may be on any
    return tuple(
        one
        for identity, one in baseline.findings.items()
        if identity not in found and one.server not in unread and one.rule in asked
    )


def told_span(span: timedelta) -> str:
    """As people say it: 90 minutes, 36 hours, 12 days."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if minutes < 120:
        return _counted(minutes, "minute")
    return _counted(minutes // 60, "hour") if minutes < 72 * 60 else _counted(minutes // (24 * 60), "day")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more


def counts(decisions: Sequence[Decision]) -> Mapping[Result, int]:
    """Verdicts as they are shown, by result."""
    found = Counter(one.shown.outcome.result for one in decisions)
    return {result: found[result] for result in Result}
