"""How far the gathering is, on a terminal; in a log, one line for each server that was not read, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from compliance.judge import printable

if TYPE_CHECKING:
    from compliance.gather import Progress


class Teller:
    """Writes through pytest's terminal reporter, which capture and ``-q`` respect."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._live = bool(self._reporter and self._reporter.isatty and config.option.verbose >= 0)

    def tell(self, progress: Progress) -> None:
        if not self._reporter:
            return
        if progress.unread and progress.finished:
            self._line(f"{printable(progress.finished)} was not read: {printable(str(progress.unread))}")
        if self._live:
            slow = f"; waiting for {', '.join(progress.slow[:3])}" if progress.slow else ""
            self._reporter.rewrite(f"servers: {progress.done} of {progress.total} done{slow}", erase=True)
            if progress.done == progress.total:
                self._reporter.rewrite("", erase=True)

    def _line(self, line: str) -> None:
        if self._live:
            self._reporter.rewrite("", erase=True)
        self._reporter.write_line(line)
