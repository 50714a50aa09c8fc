"""The way of a failover address on one side of a machine, step by step, with what each step rests on.

A step is what a rule said of it. What no rule looked at is no pass: it says so, or why it is not reached.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from compliance.gate.decision import Decision
from compliance.judge.conclusion import ABOUT_THE_ADAPTER, FOUNDING, INSIDE, SYSTEM
from compliance.judge.landings import LANDED
from compliance.judge.wrong_side import ADDRESS_THERE
from compliance.model import Inside, InsideUnix, InsideWindows, ReplicatedVM, Role, Script, Unread
from compliance.rule import Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import guest_seen, inside_of
from compliance.rules.evidence.links import links_of
from compliance.words import join_names


class WayStep(StrEnum):
    """In the order in which an address goes."""

    SETTING = "Setting"
    VALID = "Valid"
    FREE = "Free"
    ADAPTER = "Adapter"
    SWITCH = "Switch"
    DATA_EXCHANGE = "Data Exchange"
    SERVICE = "Service or system"
    SCRIPT = "Script"
    STACK = "Network stack"
    LANDED = "Landed"


OPEN = "o"
"""Nobody looked, or the way ends before."""
CONDITION = "c"
"""Passed if something holds that nobody looked at."""
WORST = "fuwcpn"
"""Failed, unknown, waived, passed if, passed, not applicable."""
RULES: Mapping[str, WayStep] = {
    ADDRESS_THERE: WayStep.SETTING,
    "failover-ip-is-valid": WayStep.VALID,
    "failover-ip-is-free": WayStep.FREE,
    "replica-adapter-is-connected": WayStep.SWITCH,
    FOUNDING: WayStep.DATA_EXCHANGE,
    SYSTEM: WayStep.SERVICE,
    INSIDE: WayStep.SERVICE,
    LANDED: WayStep.LANDED,
}
OF_THE_STACK = frozenset(
    {
        Cause.SCRIPT_OTHER_STACK,
        Cause.SCRIPT_LOADS_NOTHING,
        Cause.SCRIPT_LOADS_UNKNOWN,
        Cause.STACK_UNKNOWN,
        Cause.INNER_ADAPTER_NOT_SEEN,
        Cause.TAKES_NO_IPV6,
    }
)
OF_THE_SCRIPT = frozenset(
    {
        Cause.SCRIPT_MISSING,
        Cause.SCRIPT_UNKNOWN,
        Cause.SCRIPT_NOT_EXECUTABLE,
        Cause.SCRIPT_TAKES_OTHER_FILES,
        Cause.SCRIPT_FILES_UNKNOWN,
        Cause.SCRIPT_CONFINED,
        Cause.SCRIPT_WRITES_UNKNOWN,
    }
)
NOT_OF_A_PRIMARY = frozenset({WayStep.FREE, WayStep.SWITCH, WayStep.LANDED})
OF_A_SCRIPT = frozenset({WayStep.SCRIPT, WayStep.STACK})
STEPS_OF: Mapping[tuple[bool, bool], Sequence[WayStep]] = {
    (is_primary, is_windows): tuple(
        step
        for step in WayStep
        if not (is_primary and step in NOT_OF_A_PRIMARY) and not (is_windows and step in OF_A_SCRIPT)
    )
    for is_primary in (False, True)
    for is_windows in (False, True)
}
"""The steps of a side's way: is it a primary, and is its guest Windows?"""
NOT_LOOKED_INTO = "nobody looked into this guest"
NOT_TRIED = "no failover and no test of one was made here"


RANKS = {letter: rank for rank, letter in enumerate((*WORST, OPEN))}


@dataclass(slots=True)
class Stage:
    """What is known of one step: the worst letter of the rules' words, and the lines that it rests on."""

    letter: str = OPEN
    lines: tuple[str, ...] = ()
    why_open: tuple[str, ...] = ()

    def add(self, letter: str, *lines: str) -> None:
        if RANKS[letter] < RANKS[self.letter]:
            self.letter = letter
        self.lines += tuple([line for line in lines if line and line not in self.lines])

    @property
    def evidence(self) -> Sequence[str]:
        """Return the lines, or why there are none."""
        return self.lines or self.why_open[:1]


Way = Mapping[WayStep, Stage]


def way_of(vm: ReplicatedVM, decisions: Iterable[Decision]) -> Way:
    """Return the stages of one side's way. ``decisions``: those on this side, on its adapters and on what was made
    from it to try a failover."""
    way: dict[WayStep, Stage] = defaultdict(Stage)
    _set(way, vm)
    for decision in decisions:
        step = RULES.get(decision.verdict.rule.key)
        if step is not None:
            _add(way, step, decision, vm)
    if not vm.machine.settings:
        return {WayStep.SETTING: way[WayStep.SETTING]}
    inside = inside_of(vm)
    shown = {step: way[step] for step in _steps(vm, inside)}
    if inside is None:
        for step in OF_A_SCRIPT & shown.keys():
            shown[step].why_open += (NOT_LOOKED_INTO,)
    return shown | {step: stage for step, stage in way.items() if stage.letter != OPEN}


def letter_of(decision: Decision) -> str:
    """Return the first letter of a result, ``c`` for a pass on a condition."""
    outcome = decision.reported.outcome
    if outcome.result is Result.PASSED and outcome.condition:
        return CONDITION
    return outcome.result[0]


def _steps(vm: ReplicatedVM, inside: Inside | Unread | None) -> Sequence[WayStep]:
    """Return the steps that this side's way has. A primary is on its switch already, and of a failback no rule asks
    whether an address is free or has landed; Windows needs no script."""
    guest = guest_seen(vm)
    is_windows = isinstance(inside, InsideWindows) or "windows" in ((guest and guest.os_name) or "").casefold()
    return STEPS_OF[vm.machine.role is Role.PRIMARY, is_windows]


def _set(way: dict[WayStep, Stage], vm: ReplicatedVM) -> None:
    machine = vm.machine
    if isinstance(machine.failover, Unread):
        way[WayStep.SETTING].add("u", f"not known: {machine.failover}")
    elif not machine.settings:
        way[WayStep.SETTING].add("n", "no failover address is set on this side")
    else:
        for setting in machine.settings:
            on = f" on {setting.adapter}" if setting.adapter else ""
            beside = _beside_addresses(setting.subnets, setting.gateways, setting.dns_servers)
            way[WayStep.SETTING].add("p", f"{join_names(setting.addresses)}{on}{beside}")
        if all(setting.adapter and not setting.adapter.legacy for setting in machine.settings):
            way[WayStep.ADAPTER].add("p", "a synthetic adapter that its server lists")


@lru_cache(maxsize=1024)  # the machines of one subnet have it in common
def _beside_addresses(subnets: Sequence[str], gateways: Sequence[str], dns_servers: Sequence[str]) -> str:
    mask = f", mask {join_names(subnets)}" if subnets else ""
    gateway = f", gateway {join_names(gateways)}" if gateways else ""
    return f"{mask}{gateway}, {f'DNS {join_names(dns_servers)}' if dns_servers else 'no DNS server'}"


def _add(way: dict[WayStep, Stage], step: WayStep, decision: Decision, vm: ReplicatedVM) -> None:
    outcome = decision.reported.outcome
    letter = letter_of(decision)
    lines = _lines(decision)
    if letter == "n":
        if step is WayStep.LANDED:
            way[step].why_open += (f"{NOT_TRIED}: {outcome.finding}",)
        elif decision.verdict.rule.key != INSIDE:
            way[step].why_open += tuple(lines)
    elif decision.verdict.rule.key == FOUNDING:
        _add_founding(way, letter, outcome.cause, lines)
    elif decision.verdict.rule.key == INSIDE:
        _add_inside(way, letter, lines, vm)
    elif step is WayStep.SETTING and letter == "p":
        return  # the setting says it already
    else:
        way[step].add(letter, *lines)


def _lines(decision: Decision) -> Sequence[str]:
    outcome = decision.reported.outcome
    adapter = decision.verdict.adapter
    name = f"{adapter.adapter}: " if adapter and adapter.adapter and outcome.finding else ""
    lines = [f"{name}{outcome.finding}"] if name or outcome.finding else []
    if outcome.condition:
        lines.append(f"if {outcome.condition}")
    if outcome.evidence:
        lines.append(f"Evidence: {outcome.evidence}")
    return lines


def _add_founding(way: dict[WayStep, Stage], letter: str, cause: str, lines: Sequence[str]) -> None:
    """The founding rule asks of the adapter before it asks the guest: a word on the one is none on the other."""
    if cause in ABOUT_THE_ADAPTER or cause == Cause.ADAPTERS_UNREAD:
        way[WayStep.ADAPTER].add(letter, *lines)
        return
    way[WayStep.DATA_EXCHANGE].add(letter, *lines)


def _add_inside(way: dict[WayStep, Stage], letter: str, lines: Sequence[str], vm: ReplicatedVM) -> None:
    """Take the look apart: each link that does not hold belongs to its own step, and a step behind one that is not
    there was not reached."""
    inside = inside_of(vm)
    if not isinstance(inside, Inside) or letter in "pcn":
        for step in _inner_steps(inside):
            way[step].add(letter, *lines)
            lines = ()
        return
    broken = letter  # failed, or waived
    for link in links_of(vm, inside):
        way[_step_of(link.cause)].add(broken if link.fix is not None else "u", link.finding)
    for step in _inner_steps(inside):
        if way[step].letter == OPEN and _is_reached(step, inside):
            way[step].add("p", "seen inside the guest")


def _inner_steps(inside: Inside | Unread | None) -> tuple[WayStep, ...]:
    return (WayStep.SERVICE, WayStep.SCRIPT, WayStep.STACK) if isinstance(inside, InsideUnix) else (WayStep.SERVICE,)


def _step_of(cause: Cause) -> WayStep:
    if cause in OF_THE_SCRIPT:
        return WayStep.SCRIPT
    return WayStep.STACK if cause in OF_THE_STACK else WayStep.SERVICE


def _is_reached(step: WayStep, inside: Inside) -> bool:
    if inside.on_hyperv is False or not isinstance(inside, InsideUnix) or step is WayStep.SERVICE:
        return inside.on_hyperv is not False
    if inside.daemon is None:
        return False
    return step is WayStep.SCRIPT or (
        inside.daemon.script_state is Script.THERE and not isinstance(inside.daemon.writes, Unread)
    )
