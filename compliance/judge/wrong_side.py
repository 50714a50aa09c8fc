"""Is an address on a primary meant for its replica? What the rule on that says, and what is open about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compliance.errors import Why
from compliance.model import ReplicatedVM, Unread
from compliance.rule import Result, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import beyond_reading
from compliance.rules.evidence.replications import key_of

ADDRESS_THERE = "replica-has-failover-address"
Steps = Mapping[tuple[str, str], Sequence[Verdict]]
"""Verdicts by server and GUID of a side."""


def wrong_side_of(sides: Sequence[ReplicatedVM], steps: Steps) -> Verdict | None:
    """Return the finding that an address was set on the primary where the replica has none."""
    for key in (key_of(vm.machine) for vm in sides):
        for verdict in steps.get(key, ()):
            if verdict.outcome.cause == Cause.WRONG_SIDE:
                return verdict
    return None


def why_side_is_open(primary: ReplicatedVM | None, replica: ReplicatedVM | None, steps: Steps) -> str:
    """Return why nobody knows whether the replica lacks what is set on an adapter of the primary; empty where that is
    known, or where nobody asked the replica's server."""
    if primary is None or not primary.machine.settings:
        return ""
    if replica is None:
        away = primary.partner
        return str(away) if isinstance(away, Unread) and away.why is not Why.NOT_ASKED else ""
    has_it_too = {setting.adapter_guid for setting in replica.machine.settings}
    if all(setting.adapter_guid in has_it_too for setting in primary.machine.settings):
        return ""
    if outcome := beyond_reading(replica.machine):
        return outcome.finding
    if isinstance(replica.partner, Unread) and primary.machine not in replica.others:
        return str(replica.partner)
    there = (verdict.outcome for verdict in steps.get(key_of(replica.machine), ()) if verdict.rule.key == ADDRESS_THERE)
    unknown = (outcome for outcome in there if outcome.result is Result.UNKNOWN and outcome.cause != Cause.TODAY_UNREAD)
    return next((outcome.finding for outcome in unknown), "")
