"""What several rules ask of one machine, worked out once: all rules on a machine are asked one after the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from compliance.model import Judging, ReplicatedVM
from compliance.rule import Outcome

MachineStep = Callable[[ReplicatedVM, Judging], Outcome]


def once_a_machine(step: MachineStep) -> MachineStep:
    """Keep what a step said of the last machine. By identity: to compare two machines takes longer than most steps."""
    last: tuple[ReplicatedVM, Judging, Outcome] | None = None  # holds the machine, so that no other gets its identity

    @wraps(step)
    def say(vm: ReplicatedVM, settings: Judging) -> Outcome:
        nonlocal last
        kept = last  # all of it at once, whatever another thread asks
        if kept is None or kept[0] is not vm or kept[1] is not settings:
            last = kept = (vm, settings, step(vm, settings))
        return kept[2]

    return say
