"""The first signal that asks a run to stop ends what goes on; later ones don't break off the saving of what came."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = (
    *("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"),
    *("SIGQUIT", "SIGXCPU", "SIGUSR1", "SIGUSR2", "SIGALRM"),
)
"""Ctrl-C of a person, what CI systems send to a job that is cancelled, a terminal that went away, and what Windows'
agents send after Ctrl-C; Ctrl-\\, a limit of CPU time, and what batch systems and supervisors send before they kill.
Each by itself would end the process, and throw away what was read."""


def signals_of(system: object) -> tuple[signal.Signals, ...]:
    """Return those that a system has; Windows has no SIGHUP, and nobody else has SIGBREAK."""
    return tuple(getattr(system, name) for name in NAMES if hasattr(system, name))


SIGNALS = signals_of(signal)
OURS_TO_TAKE = (signal.default_int_handler, signal.SIG_DFL)
"""Handlers that nobody chose: a signal that is ignored stays so, and another program's handler is its own business."""


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Within this context each of the signals raises KeyboardInterrupt, the first time; later ones are ignored."""
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = {number: present for number in SIGNALS if (present := signal.getsignal(number)) in OURS_TO_TAKE}

    def once(_number: int, _frame: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, once)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
