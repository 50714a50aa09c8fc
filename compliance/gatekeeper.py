"""pytest's exit code: the gate's, unless something worse happened. No selection of pytest's makes it better."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from compliance.gate import Exit, Gate, worst

PHASES = ("setup", "call", "teardown")
OF_PYTEST: dict[int, Exit] = {
    pytest.ExitCode.OK: Exit.OPEN,
    pytest.ExitCode.TESTS_FAILED: Exit.OPEN,  # our own cases are the gate's to weigh; others are looked at below
    pytest.ExitCode.INTERRUPTED: Exit.INTERRUPTED,
    pytest.ExitCode.INTERNAL_ERROR: Exit.INTERNAL,
    pytest.ExitCode.USAGE_ERROR: Exit.USAGE,
    pytest.ExitCode.NO_TESTS_COLLECTED: Exit.USAGE,
}


class Gatekeeper:
    """Watches what pytest reports beside our own cases."""

    def __init__(self, gate: Gate, ids: frozenset[str]) -> None:
        self.gate = gate
        self._ids = ids
        self._shown: set[str] = set()
        self._others_failed = False
        self._lost = False

    @property
    def not_shown(self) -> int:
        """Cases of ours that pytest's own selection (-k, -x, --lf …) left out. They are judged all the same."""
        return len(self._ids) - len(self._shown)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when not in PHASES:  # xdist's word for a case whose worker died: "???"
            self._lost = True
        elif report.nodeid in self._ids:
            self._shown.add(report.nodeid)
        elif report.failed:
            self._others_failed = True

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if not session.config.option.collectonly:
            session.exitstatus = self.code(exitstatus)

    def code(self, exitstatus: int) -> int:
        """pytest's exit status and the gate's code: the worse of the two."""
        return int(worst(self._codes(exitstatus)))

    def _codes(self, exitstatus: int) -> Iterator[Exit]:
        yield self.gate.code
        yield OF_PYTEST.get(exitstatus, Exit.VIOLATED)  # too many warnings, or what another plugin made of it
        if self._others_failed:
            yield Exit.VIOLATED
        if self._lost:
            yield Exit.INTERNAL
