"""How far a gathering is, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from compliance.model import Unread

SLOW_AFTER = 5.0
"""Seconds after which a peer that is being read is named."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the gathering is, ``seconds`` after its start. ``guests``: are there some among those that are asked?

    ``limit`` is how many seconds one peer has; ``slow`` names peers that take longer than a few seconds, the slowest
    first; ``remark`` is a sentence about the gathering itself.
    """

    done: int
    total: int
    guests: bool = False
    finished: str | None = None
    unread: Unread | None = None
    slow: tuple[str, ...] = ()
    seconds: float = 0.0
    limit: float = 0.0
    remark: str | None = None
