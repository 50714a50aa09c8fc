"""Will a virtual machine come up with the address that it was given? One word for each machine and direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from compliance.model import Power, ReplicatedVM, Role
from compliance.rule import Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.remedy import CONFIRM, Remedy, remedy_of, remedy_of_cause


class Word(StrEnum):
    """What is to be said of a machine, best first."""

    READY = "ready"
    READY_IF = "ready if"  # on a condition that nobody looked at
    NOT_READY = "not ready"
    UNKNOWN = "unknown"
    NO_ADDRESS = "no failover address"
    NOT_OURS = "not ours"  # another provider replicates it


class Direction(StrEnum):
    """Where the guest would come up."""

    FAILOVER = "failover"  # on the replica
    EXTENDED_FAILOVER = "extended failover"  # on the extended replica
    FAILBACK = "failback"  # on the primary, after a failover and a reverse replication


class RestsOn(StrEnum):
    """The strongest evidence that a word has."""

    LANDED = "landed"
    INSIDE = "seen inside"
    ANSWER = "answer of the guest"
    SYSTEM = "by its system"


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """One machine in one direction. ``sides`` are all of its replication that were seen."""

    guid: str
    name: str
    direction: Direction
    word: Word
    reason: str
    cause: str = ""  # the stable key of the reason
    condition: str = ""
    rests_on: RestsOn | None = None
    primary: str = ""  # servers
    replica: str = ""  # the one on which it would come up, or the replica that it would leave at a failback
    failover_addresses: tuple[str, ...] = ()
    today: str = ""  # `10.1.0.20, static`; empty where it is not known
    remarks: tuple[str, ...] = ()
    sides: tuple[ReplicatedVM, ...] = ()
    verdict: Verdict | None = None  # the step that decided; None where no rule's word did

    @property
    def runs_there(self) -> bool:
        """Was it failed over, so that its guest runs already where it would come up?"""
        role = DIRECTIONS[self.direction]
        there = (vm.machine for vm in self.sides if vm.machine.role is role)
        return self.direction is not Direction.FAILBACK and any(
            machine.failed_over is True and machine.power in (Power.RUNNING, Power.PAUSED) for machine in there
        )

    @property
    def remedy(self) -> Remedy | None:
        """What to do about it; None where it is ready, or no matter of ours: without an address a machine keeps at a
        failback what it has on its primary."""
        keeps_its_own = self.word is Word.NO_ADDRESS and self.direction is Direction.FAILBACK
        if self.word in (Word.READY, Word.NOT_OURS) or (keeps_its_own and self.cause == Cause.STATIC_WITHOUT):
            return None
        if self.word is Word.READY_IF:
            return CONFIRM
        if self.verdict:
            return remedy_of(self.verdict)
        role = DIRECTIONS[self.direction]
        side = next((vm for vm in self.sides if vm.machine.role is role), None) or next(iter(self.sides), None)
        return remedy_of_cause(self.cause, side) if side else None


DIRECTIONS: Mapping[Direction, Role] = {
    Direction.FAILOVER: Role.REPLICA,
    Direction.EXTENDED_FAILOVER: Role.EXTENDED_REPLICA,
    Direction.FAILBACK: Role.PRIMARY,
}
"""The side that holds the address of a direction."""
