"""Which remedy a finding has: by its cause, its guest's system and its settings, never by its words."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.model import ReplicatedVM
from compliance.rule import Result, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.advice import Ways
from compliance.rules.remedies.case import RemedyCase, case_of, case_of_side
from compliance.rules.remedies.command import Command, Remedy, Shell
from compliance.rules.remedies.for_guests import FOR_GUESTS
from compliance.rules.remedies.for_hosts import FOR_HOSTS

__all__ = ["CONFIRM", "REMEDIES", "WITHOUT_REMEDY", "Command", "Remedy", "Shell", "remedy_of", "remedy_of_cause"]
"""What the writers need stands here together."""

REMEDIES: Mapping[str, Ways] = {**FOR_HOSTS, **FOR_GUESTS}
"""The ways to mend each cause. The first one that applies is taken, and the last one always does."""
CONFIRM = Remedy("See that the condition holds, or run a test failover, which shows it.")
"""What to do about a pass on a condition."""
WITHOUT_REMEDY: Mapping[Cause, str] = {
    Cause.REQUIRED_FAILED: "not applicable: the rule that failed has the remedy",
    Cause.OTHER_PROVIDER: "not applicable: the other provider handles addresses itself",
    Cause.NO_ADDRESS: "not applicable: none is configured, and another rule says where one is needed",
    Cause.BY_DHCP: "no failover address is needed: DHCP gives one at the replica's site, if it has a scope there",
    Cause.STRETCHED: "no failover address is needed: both sites share their networks",
    Cause.TODAY_UNKNOWN: "not applicable: the guest shows nothing while it is off, and nothing went wrong",
}
"""Causes of what is no finding."""


def remedy_of(verdict: Verdict) -> Remedy | None:
    """Return what to do about a failed, unknown or waived verdict, and where one points to its server's own finding;
    None where nothing is to be done. A rule whose causes are its own has its resolution."""
    outcome = verdict.outcome
    if outcome.result is Result.PASSED:
        return None
    if ways := REMEDIES.get(outcome.cause):
        return _first(ways, case_of(verdict, with_guest=outcome.cause in FOR_GUESTS))
    if outcome.result is Result.NOT_APPLICABLE:
        return None
    return Remedy(verdict.rule.resolution.partition("\n\n")[0])


def remedy_of_cause(cause: str, vm: ReplicatedVM) -> Remedy | None:
    """Return the same for a machine of which no rule's verdict says the cause."""
    ways = REMEDIES.get(cause)
    return _first(ways, case_of_side(cause, vm)) if ways else None


def _first(ways: Ways, case: RemedyCase) -> Remedy:
    return next(way for way in ways if way.applies(case)).remedy(case)
