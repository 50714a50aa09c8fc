"""What is done when a server stumbles: everything here only reads, so it may be asked again, with growing pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.words import plural

WAITS = {Why.BUSY: (1.0, 4.0), Why.TIMED_OUT: (1.0,)}
"""Seconds before a query is sent again to a server that was busy, or that gave up on it by itself."""
REBUILDS = (0.5, 2.0, 8.0)
"""Seconds before a server's lost connection is built anew, each time: a service that restarts takes a few. After the
last one the server is unread."""

Learned = TypeVar("Learned")


@dataclass(slots=True)
class Patience:
    """One server's second chances. ``deadline`` is a moment of ``clock``, in seconds; ``note`` hears of each new
    connection, and ``reopen`` makes it."""

    deadline: float
    reopen: Callable[[], None]
    note: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _rebuilt: int = field(default=0, init=False)

    def insist(self, ask: Callable[[], Learned]) -> Learned:
        """Return what ``ask`` learned. Raises its last ReadError when the pauses, or the deadline, are used up."""
        waits = {why: list(seconds) for why, seconds in WAITS.items()}
        while True:
            try:
                return ask()
            except LostError as error:
                self._rebuild(error)
            except LinkError:
                raise
            except ReadError as error:
                left = waits.get(error.why)
                if not left or self.clock() + left[0] > self.deadline:
                    raise
                self.sleep(left.pop(0))

    def _rebuild(self, error: LostError) -> None:
        if self._rebuilt == len(REBUILDS) or self.clock() + REBUILDS[self._rebuilt] > self.deadline:
            tried = f", and was connected to again {plural(self._rebuilt, 'time')}" if self._rebuilt else ""
            raise LinkError(f"{error}; it had answered before{tried}", why=error.why) from error
        self.note(f"lost the connection, which was built anew: {error}")
        self.sleep(REBUILDS[self._rebuilt])
        self._rebuilt += 1
        self.reopen()
