"""What a process ends with, and why: numbers that pipelines act on, and a sentence for each reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """One reason why the gate is closed: a sentence that stands alone."""

    code: Exit
    text: str


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return the reasons, the worst first."""
    return tuple(sorted(reasons, key=lambda reason: BY_HARM.index(reason.code)))
