"""How far the gathering is: on a terminal a line that stays one; in a log a line a minute. And each server that was not
read, in both.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from compliance.words import printable

if TYPE_CHECKING:
    from compliance.gather.progress import Progress


MOST_NAMES = 3
"""Slow servers that are named, the slowest ones."""
LOG_EVERY = 60.0
"""Seconds between two lines in a log."""


class OutputLostError(Exception):
    """Nobody reads what is written any more, or there is no room for it: a closed pipe, a full disk behind stdout."""


class Teller:
    """Writes through pytest's terminal reporter, which capture and ``-q`` respect."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._wordy = config.option.verbose >= 0
        self._live = bool(self._reporter and self._reporter.isatty and self._wordy)
        self._next = LOG_EVERY

    def begin(self, line: str) -> None:
        """Say what begins now, before anything is sent. OutputLostError where that can't be written."""
        try:
            if self._reporter and self._wordy:
                self._line(line)
        except OSError as error:
            raise OutputLostError from error

    def tell(self, progress: Progress) -> None:
        """Show how far the gathering is. OutputLostError where that can't be written."""
        try:
            if self._reporter:
                self._show(progress)
        except OSError as error:
            raise OutputLostError from error

    def _show(self, progress: Progress) -> None:
        if progress.unread and progress.finished:
            self._line(f"{printable(progress.finished)} was not read: {printable(str(progress.unread))}")
        if progress.remark:
            self._line(printable(progress.remark))
        if self._live and progress.done < progress.total:
            # One column is left free: a full line would make the terminal go on to the next, and stay in sight.
            self._reporter.rewrite(line_of(progress)[: self._columns() - 1], erase=True)
        elif self._live:
            self.clear()
        elif self._wordy and progress.seconds >= self._next:
            self._next = progress.seconds + LOG_EVERY
            self._line(line_of(progress))

    def clear(self) -> None:
        """Leave nothing half-said on the terminal."""
        if self._live:
            self._reporter.rewrite("", erase=True)
            self._reporter.rewrite("")  # back to the line's begin

    def _line(self, line: str) -> None:
        self.clear()
        self._reporter.write_line(line)
        self._reporter.flush()  # a log that is looked at meanwhile has it, and a pipe that was closed is noticed

    def _columns(self) -> int:
        columns: int = self._reporter.config.get_terminal_writer().fullwidth
        return columns


def discard_output(config: pytest.Config) -> None:
    """Write nothing to stdout from now on: each attempt would fail anew, and decide the exit code in place of us."""
    if capture := config.pluginmanager.get_plugin("capturemanager"):
        capture.stop_global_capturing()  # it keeps a copy of the descriptor, and would put it back
    with suppress(OSError, AttributeError):  # a stdout that is no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def line_of(progress: Progress) -> str:
    """The names stand last, since a narrow terminal cuts the end off."""
    who = "servers and guests" if progress.guests else "servers"
    line = f"{who}: {progress.done} of {progress.total} done"
    if progress.limit:
        line += f" after {progress.seconds:.0f} s (each has {progress.limit:g} s)"
    if not progress.slow:
        return line
    names = ", ".join(printable(name) for name in progress.slow[:MOST_NAMES])
    most = "" if len(progress.slow) <= MOST_NAMES else f"{len(progress.slow)} slow ones, longest for "
    return f"{line}; waiting for {most}{names}"
