"""Verdicts become each machine's readiness.

A machine is one GUID within one replication, as the join ties its sides. The verdicts of the bundled rules are the
steps of its way: the first that failed names the reason, and a landing that was seen decides alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from compliance.judge.landings import Landings, SideKey, is_of_test
from compliance.judge.readiness import DIRECTIONS, Direction, Readiness, RestsOn, Word
from compliance.judge.wrong_side import ADDRESS_THERE, why_side_is_open, wrong_side_of
from compliance.model import Estate, ReplicatedVM, Role, Unread, VirtualMachine
from compliance.rule import Result, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import beyond_reading, guest_seen
from compliance.rules.evidence.replications import copies_of, key_of, replications_of, side_of
from compliance.rules.evidence.sites import Sites
from compliance.rules.evidence.today import Today, today_of
from compliance.words import join_names

FOUNDING = "failover-ip-needs-integration-services"
INSIDE = "guest-applies-failover-ip"
SYSTEM = "guest-can-apply-failover-ip"

STEPS = {
    key: number
    for number, key in enumerate(
        (
            ADDRESS_THERE,
            "failover-ip-is-valid",
            "failover-ip-is-free",
            "the founding rule's steps about the adapter",
            "replica-adapter-is-connected",
            FOUNDING,
            SYSTEM,
            INSIDE,
        )
    )
}
MEANT_FOR_REPLICA = "its address may be meant for the replica"
ABOUT_THE_ADAPTER = frozenset({Cause.LEGACY_ADAPTER, Cause.NO_SUCH_ADAPTER})


def readiness_of(estate: Estate, verdicts: Iterable[Verdict]) -> tuple[Readiness, ...]:
    """Return the readiness of every replicated machine in each of its directions, in the order of the estate.

    ``verdicts``: of all bundled rules; those of others are passed over.
    """
    verdicts = tuple(verdicts)
    steps: dict[SideKey, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.rule.key in STEPS and (machine := verdict.machine):
            steps[key_of(machine)].append(verdict)
    landings, sites = Landings.of(verdicts), Sites.of(estate)
    replications = replications_of(estate.replicated)
    copies = copies_of(replications)
    return tuple(
        _judge(_MachineSteps(sides, by_role, direction, steps, landings, sites, copies))
        for sides, by_role in ((sides, _by_role(sides)) for sides in replications)
        for direction in _directions(sides)
    )


def _by_role(sides: Sequence[ReplicatedVM]) -> Mapping[Role, ReplicatedVM | None]:
    return {role: side_of(sides, role) for role in DIRECTIONS.values()}


def _directions(sides: Sequence[ReplicatedVM]) -> Iterator[Direction]:
    """Yield those that the replication has, whether or not the side was seen that holds their address."""
    roles = {vm.machine.role for vm in sides}
    yield Direction.FAILOVER
    if Role.EXTENDED_REPLICA in roles or any(_sends_onward(vm.machine) for vm in sides):
        yield Direction.EXTENDED_FAILOVER
    if Role.PRIMARY in roles or Role.REPLICA in roles:
        yield Direction.FAILBACK


def _sends_onward(machine: VirtualMachine) -> bool:
    """Does this side have an extended replica, by its relationships or its settings, whether or not it was seen?"""
    return machine.role is Role.REPLICA and (machine.sends_onward or bool(machine.sends_to))


@dataclass(frozen=True, slots=True)
class _MachineSteps:
    """One machine in one direction, and what the rules said of it."""

    sides: tuple[ReplicatedVM, ...]
    by_role: Mapping[Role, ReplicatedVM | None]  # the side of each role that counts, None where it was not seen
    direction: Direction
    steps: Mapping[SideKey, Sequence[Verdict]]  # of every side
    landings: Landings
    sites: Sites
    copies: Mapping[str, tuple[str, ...]]  # GUID -> servers that have a machine of it

    @property
    def side(self) -> ReplicatedVM | None:
        """The one that holds the address; None where it was not seen."""
        return self.by_role[DIRECTIONS[self.direction]]

    def why_side_is_open(self) -> str:
        """Return why nobody knows whether what is set on the primary is meant for the replica; empty where it is."""
        return why_side_is_open(self.by_role[Role.PRIMARY], self.by_role[Role.REPLICA], self.steps)

    def own_steps(self) -> list[Verdict]:
        """Return those of that side, in their order."""
        return sorted(self.steps.get(key_of(self.side.machine), ()), key=_step) if self.side else []

    def word_by(self, word: Word, verdict: Verdict) -> Readiness:
        outcome = verdict.outcome
        adapter = verdict.adapter
        adapters = self.side.machine.adapters if self.side else ()
        several = not isinstance(adapters, Unread) and len(adapters) > 1
        if adapter and several and (adapter.adapter or adapter.setting):
            reason = f"{adapter.adapter or adapter.guid}: {outcome.finding}"
        else:  # one that the replica lacks names itself
            reason = outcome.finding
        return self.word_of(word, verdict, reason, rests_on=_evidence_of(verdict))

    def word_of(self, word: Word, verdict: Verdict, reason: str = "", *, rests_on: RestsOn | None = None) -> Readiness:
        """Return the word that a verdict decided, with its finding where there is no other reason."""
        readiness = self.word(word, reason or verdict.outcome.finding, verdict.outcome.cause, rests_on=rests_on)
        return replace(readiness, verdict=verdict)

    def word(
        self, word: Word, reason: str, cause: str = "", *, condition: str = "", rests_on: RestsOn | None = None
    ) -> Readiness:
        machine = self._primary_or_first().machine
        wanted = Role.EXTENDED_REPLICA if self.direction is Direction.EXTENDED_FAILOVER else Role.REPLICA
        side = self.side
        today = today_of(side or self.sides[0])
        own = [vm.machine.server for vm in self.sides]
        copies = [name for name in self.copies.get(machine.guid, ()) if name not in own]
        return Readiness(
            guid=machine.guid,
            name=machine.name,
            direction=self.direction,
            word=word,
            reason=reason,
            cause=cause,
            condition=condition,
            rests_on=rests_on,
            primary=self._server(Role.PRIMARY),
            replica=self._server(wanted),
            failover_addresses=side.machine.failover_addresses if side else (),
            today=today.text if today.addresses else "",
            remarks=(f"a machine of the same GUID is on {join_names(copies)}",) if copies else (),
            sides=self.sides,
        )

    def _primary_or_first(self) -> ReplicatedVM:
        return next((vm for vm in self.sides if vm.machine.role is Role.PRIMARY), self.sides[0])

    def _server(self, role: Role) -> str:
        side = self.by_role[role]
        return side.machine.server if side else ""


# --- words ------------------------------------------------------------------------------------------------------------


def _judge(machine: _MachineSteps) -> Readiness:
    """Return its word. While two sides run, nobody knows which of them a failover would start from."""
    readiness = _judge_one_side_running(machine)
    is_ready = readiness.word in (Word.READY, Word.READY_IF)
    verdict = machine.landings.on_both_sides(machine.sides) if is_ready else None
    if verdict is None or verdict.outcome.result is Result.FAILED:
        return machine.word_of(Word.NOT_READY, verdict) if verdict else readiness
    return readiness if readiness.rests_on is RestsOn.LANDED else machine.word_of(Word.UNKNOWN, verdict)


def _judge_one_side_running(machine: _MachineSteps) -> Readiness:
    side, steps = machine.side, machine.own_steps()
    if any(vm.machine.foreign for vm in machine.sides):
        return machine.word(Word.NOT_OURS, "another provider than Hyper-V Replica replicates it", Cause.OTHER_PROVIDER)
    if side is None:
        return machine.word(Word.UNKNOWN, _why_not_seen(machine.sides, machine.direction), Cause.SIDE_NOT_SEEN)
    lands_here = machine.direction is not Direction.FAILBACK
    if lands_here and (landed := machine.landings.decisive(side.machine)):
        word = Word.READY if landed.outcome.result is Result.PASSED else Word.NOT_READY
        how = "in a test failover, it" if is_of_test(landed) else f"runs on its {side.machine.role} already, where it"
        return machine.word_of(word, landed, f"{how} {landed.outcome.finding}", rests_on=RestsOn.LANDED)
    if side.machine.failover == () and beyond_reading(side.machine) is None:
        return _judge_without_address(machine, side)
    if failed := _first(steps, Result.FAILED):
        return machine.word_by(Word.NOT_READY, failed)
    if machine.direction is Direction.FAILBACK and (there := wrong_side_of(machine.sides, machine.steps)):
        return machine.word_of(Word.UNKNOWN, there, f"{MEANT_FOR_REPLICA}: {there.outcome.finding}")
    if machine.direction is Direction.FAILBACK and (why := machine.why_side_is_open()):
        return machine.word(Word.UNKNOWN, f"{MEANT_FOR_REPLICA}: {why}", Cause.SIDE_NOT_SEEN)
    if unknown := _first(steps, Result.UNKNOWN):
        return machine.word_by(Word.UNKNOWN, unknown)
    if lands_here and (unknown := machine.landings.unknown(side.machine)):
        return machine.word_by(Word.UNKNOWN, unknown)
    return _pass(machine, steps)


def _pass(machine: _MachineSteps, steps: Sequence[Verdict]) -> Readiness:
    passed = [verdict for verdict in steps if verdict.outcome.result is Result.PASSED]
    founding = next((verdict for verdict in passed if verdict.rule.key == FOUNDING), None)
    if founding is None:
        return machine.word(Word.UNKNOWN, "no rule judged it", Cause.NOT_JUDGED)
    conditions = dict.fromkeys(step.outcome.condition for step in steps if step.outcome.condition)
    word = Word.READY_IF if conditions else Word.READY
    return machine.word(
        word, founding.outcome.finding, condition=", and ".join(conditions), rests_on=_rests_on(passed, machine.side)
    )


def _judge_without_address(machine: _MachineSteps, side: ReplicatedVM) -> Readiness:
    """Return what it will have instead: without failover settings "the IPv4 address configured in the primary
    virtual machine (static or dynamic) will be used" (Set-VMNetworkAdapterFailoverConfiguration)."""
    if machine.direction is Direction.FAILOVER and (there := wrong_side_of(machine.sides, machine.steps)):
        return machine.word_of(Word.NOT_READY, there)
    if machine.direction is Direction.FAILOVER and (why := machine.why_side_is_open()):
        return machine.word(Word.UNKNOWN, f"what is set on the primary may be meant for it: {why}", Cause.SIDE_NOT_SEEN)
    replica = machine.by_role[Role.REPLICA]
    if machine.direction is Direction.FAILBACK and replica and (set_there := replica.machine.failover_addresses):
        reason = f"keeps what it has on the replica then, where {join_names(set_there)} is set"
        return machine.word(Word.NO_ADDRESS, reason, Cause.KEEPS_FAILOVER_ADDRESS)
    today = today_of(side)
    names = join_names(today.addresses)
    if today.addresses and not today.dynamic and _are_stretched(machine.sides, machine.sites):
        return machine.word(Word.NO_ADDRESS, f"keeps {names}, which is valid there", Cause.STRETCHED)
    return machine.word(Word.NO_ADDRESS, *_today_text(today))


# --- what they rest on, and why ---------------------------------------------------------------------------------------


def _step(verdict: Verdict) -> int:
    if verdict.rule.key == FOUNDING and verdict.outcome.cause in ABOUT_THE_ADAPTER:
        return STEPS["the founding rule's steps about the adapter"]
    return STEPS[verdict.rule.key]


def _evidence_of(verdict: Verdict) -> RestsOn | None:
    """Return what a step's own word rests on; None where it is the server's settings."""
    if verdict.rule.key == INSIDE:
        return RestsOn.INSIDE
    if verdict.rule.key == SYSTEM:
        return RestsOn.SYSTEM
    return RestsOn.ANSWER if "answer" in verdict.outcome.evidence else None


def _rests_on(passed: Sequence[Verdict], side: ReplicatedVM | None) -> RestsOn | None:
    """Return the evidence. Windows' service sets the address itself, and answers; others leave it to a script."""
    keys = {verdict.rule.key for verdict in passed}
    if INSIDE in keys:
        return RestsOn.INSIDE
    guest = guest_seen(side) if side else None
    is_windows = "windows" in ((guest and guest.os_name) or "").casefold()
    if SYSTEM in keys and guest and not is_windows:
        return RestsOn.SYSTEM
    return RestsOn.ANSWER if SYSTEM in keys or guest else None


def _are_stretched(sides: Sequence[ReplicatedVM], sites: Sites) -> bool:
    """Do all sites of its replication share their networks?"""
    servers = [vm.machine.server for vm in sides]
    return len(servers) > 1 and all(sites.are_stretched(servers[0], other) for other in servers[1:])


def _today_text(today: Today) -> tuple[str, Cause]:
    """Return what a machine has that nothing else is set for."""
    names = join_names(today.addresses)
    match today:
        case Today(addresses=()):
            return "whatever the primary has: not known", Cause.TODAY_UNKNOWN
        case Today(dynamic=True):
            return "by DHCP today", Cause.BY_DHCP
        case Today(dynamic=False):
            return f"keeps {names}, static today", Cause.STATIC_WITHOUT
    return f"whatever the primary has: {names} today, not known whether by DHCP", Cause.TODAY_UNKNOWN


def _why_not_seen(sides: Sequence[ReplicatedVM], direction: Direction) -> str:
    machine = sides[0].machine
    if isinstance(machine.role, Unread):
        return str(machine.doubt or machine.role)
    reasons = dict.fromkeys(str(vm.partner) for vm in sides if isinstance(vm.partner, Unread))
    not_seen = f"its {DIRECTIONS[direction]} was not seen"
    if direction is Direction.EXTENDED_FAILOVER:
        onward = dict.fromkeys(name for vm in sides if vm.machine.role is Role.REPLICA for name in vm.machine.sends_to)
        return f"{not_seen}: its replica sends to {join_names(onward)}" if onward else not_seen
    return "; ".join(reasons) or not_seen


def _first(steps: Sequence[Verdict], result: Result) -> Verdict | None:
    """Return the first step that has it. What a server's own case says is not known of its machines."""
    for verdict in steps:
        outcome = verdict.outcome
        if outcome.result is result or (result is Result.UNKNOWN and outcome.cause == Cause.SERVER_FAULT):
            return verdict
    return None
