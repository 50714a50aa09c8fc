"""Python's collector of cycles, kept from walking an estate that grows: no part of one refers back to the whole."""

from __future__ import annotations

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """For what builds values by the million; also a decorator. The collector stays off where it was off."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def leave_the_rest_to_the_end() -> None:
    """What is there when the program has ended goes with it: Python would walk all of it several times, and take an
    estate to pieces machine by machine. Not for where others may have left a file open: that walk is what closes it."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)


class KeptObjects:
    """What stays to the end of a run, out of the collector's sight until then. A program that runs pytest within itself
    may have frozen what is its own: then nothing is, and nothing is unfrozen."""

    def __init__(self) -> None:
        self._has_frozen = False

    def freeze(self) -> None:
        if self._has_frozen or not gc.get_freeze_count():
            gc.freeze()
            self._has_frozen = True

    def unfreeze(self) -> None:
        if self._has_frozen:
            gc.unfreeze()
