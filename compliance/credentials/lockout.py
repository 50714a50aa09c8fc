"""Which passwords may be tried now: one that is wrong must not lock its account because forty servers were asked."""

from __future__ import annotations

from dataclasses import dataclass, field

TRIES = 2
"""Servers that may refuse a password before no other is asked. Two, since one may refuse for reasons of its own; and
domains lock accounts after three attempts or more."""


@dataclass(slots=True)
class Lockout:
    """One password, on its way to all servers that it is for. Until one takes it, few are asked at a time.

    A server that says nothing for ``patience`` seconds has refused nothing, and holds up nobody.
    """

    patience: float
    is_taken: bool = False
    refused_by: list[str] = field(default_factory=list)
    _pending: dict[str, float] = field(default_factory=dict)  # server -> when, of time.monotonic

    @property
    def is_shut(self) -> bool:
        return not self.is_taken and len(self.refused_by) >= TRIES

    def may_ask(self, now: float) -> bool:
        pending = sum(now - since < self.patience for since in self._pending.values())
        return self.is_taken or len(self.refused_by) + pending < TRIES

    def ask(self, server: str, now: float) -> None:
        self._pending[server] = now

    def answered(self, server: str, *, refused: bool) -> None:
        """``server`` is done. That it took the password is for ``took`` to say: it may have been unreachable."""
        self._pending.pop(server, None)
        if refused:
            self.refused_by.append(server)

    def took(self, server: str) -> None:
        self._pending.pop(server, None)
        self.is_taken = True
