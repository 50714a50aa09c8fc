"""Machines of which nobody knows whether they would come up, and of which no verdict says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compliance.gate.baseline import FINDINGS
from compliance.gate.coverage import SilentMachine
from compliance.gate.policy import Policy
from compliance.judge.conclusion import STEPS
from compliance.judge.headline import DIRECTIONS_OF_POLICY, sides_of
from compliance.judge.landings import LANDED, ON_ONE_SIDE, SideKey
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.model import Role
from compliance.rule import Verdict


def silent_machines(
    readiness: Iterable[Readiness], verdicts: Iterable[Verdict], policy: Policy
) -> tuple[SilentMachine, ...]:
    """Return the machines whose readiness in the direction that is asked for is unknown, while no side of theirs failed
    or is unknown: a side that was not seen has no verdict, so that nothing else would close the gate.

    ``verdicts``: of all rules and of the whole estate, since what a waiver, a severity, a scope or a rule that is off
    takes out of the gate was said, and is the user's to decide.
    """
    spoken = set(_spoken(verdicts, policy))
    names: dict[frozenset[SideKey], SilentMachine] = {}
    for machine in readiness:
        sides = sides_of(machine)
        if _is_open(machine, policy.direction) and not sides & spoken:
            names.setdefault(sides, SilentMachine(name=str(_primary_or_first(machine)), reason=machine.reason))
    return tuple(names.values())


def _spoken(verdicts: Iterable[Verdict], policy: Policy) -> Iterator[SideKey]:
    """Yield the sides of which a step of readiness says itself that it failed or is unknown; what a test replica shows
    is said of the replica that it was made from."""
    for verdict in verdicts:
        if verdict.outcome.result not in FINDINGS or not (machine := verdict.machine):
            continue
        is_step = verdict.rule.key in STEPS or verdict.rule.key in (LANDED, ON_ONE_SIDE)
        if is_step and not policy.other_direction(verdict):
            yield machine.server, machine.test_of or machine.guid


def _is_open(machine: Readiness, direction: str) -> bool:
    """Is it unknown, and does the gate ask? Where both directions are asked for, a failback is open by itself only
    where the primary was seen and holds an address: what stands on one that nobody saw matters after a failover."""
    if machine.word is not Word.UNKNOWN or machine.direction not in DIRECTIONS_OF_POLICY[direction]:
        return False
    if machine.direction is not Direction.FAILBACK or direction == "failback":
        return True
    return any(vm.machine.settings for vm in machine.sides if vm.machine.role is Role.PRIMARY)


def _primary_or_first(machine: Readiness) -> object:
    return next((vm for vm in machine.sides if vm.machine.role is Role.PRIMARY), machine.sides[0])
