"""What becomes of each verdict: shown as it is, waived, known; and what it alone would end the run with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from compliance.gate.baseline import Baseline, Finding, finding_of
from compliance.gate.coverage import Coverage, MachineCount
from compliance.gate.covering import Waivers
from compliance.gate.exits import Exit
from compliance.gate.policy import Policy
from compliance.gate.waivers import Waiver
from compliance.model import Cluster, Estate
from compliance.rule import Result, Verdict


class BaselineState(StrEnum):
    """A finding beside the baseline's."""

    NEW = "new"
    KNOWN = "known"
    CHANGED = "known, evidence changed"


@dataclass(frozen=True, slots=True)
class PlainDecision:
    """What the gate makes of a verdict that neither failed nor is unknown: there is nothing to weigh, and nothing to
    keep. Nearly all of an estate's are this."""

    verdict: Verdict
    reported: Verdict  # the same
    finding: ClassVar[None] = None
    closes: ClassVar[Exit] = Exit.OPEN
    waiver: ClassVar[None] = None
    has_ended: ClassVar[bool] = False
    state: ClassVar[None] = None
    allowed: ClassVar[str] = ""
    is_accepted: ClassVar[bool] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class WeighedDecision:
    """What the gate makes of a verdict that failed or is unknown.

    ``reported`` is what the run and the reports say of it: the rule's own verdict, or WAIVED where a waiver or the
    baseline covers it. ``closes`` is what it alone would end the run with; ``allowed`` says why a failed or unknown one
    that is neither waived nor known closes nothing.
    """

    verdict: Verdict
    reported: Verdict
    finding: Finding
    closes: Exit = Exit.OPEN
    waiver: Waiver | None = None
    has_ended: bool = False  # the waiver
    state: BaselineState | None = None  # None without a baseline
    allowed: str = ""

    @property
    def is_accepted(self) -> bool:
        """Failed or unknown, and yet no reason to close the gate."""
        return self.closes is Exit.OPEN


Decision = PlainDecision | WeighedDecision


@dataclass(frozen=True, kw_only=True, slots=True)
class Grounds:
    """What the gate weighs beside the verdicts. ``now``: waivers end by it, and the snapshot's age counts to it.
    ``narrowed``: are these fewer than the estate's; ``selected``: was one of them asked for, and is not only kept since
    it is open; ``unmet``: options that matched nothing; ``machines``: how many there are, and of how many it is known
    whether they are ready; ``span``: the oldest and the newest moment of what was read, the estate's if left out."""

    policy: Policy
    now: datetime
    complete: bool = True
    narrowed: bool = False
    selected: bool = True
    unmet: Sequence[str] = ()
    waivers: Sequence[Waiver] = ()
    baseline: Baseline | None = None
    machines: MachineCount | None = None
    span: tuple[datetime, datetime] | None = None


class Decider:
    """Decides verdict by verdict, and remembers which waivers met one."""

    def __init__(self, estate: Estate, coverage: Coverage, grounds: Grounds) -> None:
        self._servers = {server.name: server for server in estate.servers}
        self._grounds = grounds
        self._waivers = Waivers(grounds.waivers, estate)
        self._met: set[str] = set()
        policy = grounds.policy
        self._servers_may_miss = bool(coverage.servers) and coverage.server_percent >= policy.least_servers_read < 100
        self._machines_may_miss = coverage.machine_percent >= policy.least_machines_judged < 100

    @property
    def unused(self) -> tuple[Waiver, ...]:
        return tuple(waiver for waiver in self._grounds.waivers if waiver.place not in self._met)

    def decide(self, verdict: Verdict) -> Decision:
        finding = finding_of(verdict)
        if finding is None:
            return PlainDecision(verdict, verdict)
        waiver = self._waiver(verdict)
        if verdict.outcome.result is Result.UNKNOWN:
            return self._unknown(verdict, finding, waiver)
        return self._failed(verdict, finding, waiver)

    def _failed(self, verdict: Verdict, finding: Finding, waiver: Waiver | None) -> WeighedDecision:
        state = self._state(verdict, finding)
        plain = WeighedDecision(verdict=verdict, reported=verdict, finding=finding, state=state, waiver=waiver)
        if waiver and not waiver.has_ended(self._grounds.now):
            return replace(plain, reported=_waived(verdict, f"waived (would fail): {waiver}"))
        if waiver and self._grounds.policy.expired_waivers == "tell":
            return replace(
                plain, has_ended=True, reported=_waived(verdict, f"waived past its end (would fail): {waiver}")
            )
        if waiver:
            return self._weighed(replace(plain, has_ended=True), Exit.WAIVER_ENDED)
        if state is BaselineState.KNOWN:
            return replace(plain, reported=_waived(verdict, "known in the baseline (would fail)"))
        return self._weighed(plain, Exit.VIOLATED)

    def _unknown(self, verdict: Verdict, finding: Finding, waiver: Waiver | None) -> WeighedDecision:
        plain = WeighedDecision(verdict=verdict, reported=verdict, finding=finding, waiver=waiver)
        if waiver and not waiver.has_ended(self._grounds.now):
            return replace(plain, reported=_waived(verdict, f"waived (unknown): {waiver}"))
        plain = replace(plain, has_ended=waiver is not None)
        if verdict.machine and self._machines_may_miss:
            return replace(plain, allowed=f"least_machines_judged is {self._grounds.policy.least_machines_judged:g} %")
        if not verdict.machine and self._servers_may_miss and self._is_of_servers(verdict):
            return replace(plain, allowed=f"least_servers_read is {self._grounds.policy.least_servers_read:g} %")
        return self._weighed(plain, Exit.NOT_JUDGED)

    def _is_of_servers(self, verdict: Verdict) -> bool:
        """Is it about what the servers' percentage counts? A cluster is not in it, but its nodes are."""
        if isinstance(verdict.subject, Cluster):
            return any(server.unread for name in verdict.subject.nodes if (server := self._servers.get(name)))
        return verdict.server is not None

    def _weighed(self, decision: WeighedDecision, closes: Exit) -> WeighedDecision:
        policy = self._grounds.policy
        if decision.verdict.rule.severity.rank > policy.fail_at.rank:
            return replace(decision, allowed="below the gate's severity")
        if other := policy.other_direction(decision.verdict):
            return replace(decision, allowed=f"about {other}, and the gate's direction is {policy.direction}")
        return replace(decision, closes=closes)

    def _state(self, verdict: Verdict, finding: Finding) -> BaselineState | None:
        baseline = self._grounds.baseline
        if baseline is None:
            return None
        same = baseline.same(verdict, finding)
        known = baseline.findings.get(same.identity)
        if known is None:
            return BaselineState.NEW
        return BaselineState.KNOWN if known.evidence == same.evidence else BaselineState.CHANGED

    def _waiver(self, verdict: Verdict) -> Waiver | None:
        """Return one in force before one that has ended."""
        covering = self._waivers.covering(verdict)
        self._met |= {waiver.place for waiver in covering}
        in_force = [waiver for waiver in covering if not waiver.has_ended(self._grounds.now)]
        return next(iter([*in_force, *covering]), None)


def _waived(verdict: Verdict, lead: str) -> Verdict:
    outcome = replace(verdict.outcome, result=Result.WAIVED, finding=f"{lead}; {verdict.outcome.finding}")
    return replace(verdict, outcome=outcome)
