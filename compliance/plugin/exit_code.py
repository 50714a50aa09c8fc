"""pytest's exit code: the gate's, unless something worse happened. No selection of pytest's makes it better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from compliance.gate.exits import Exit, Reason, in_order, worst
from compliance.gate.gate import Gate

PHASES = ("setup", "call", "teardown")
OF_PYTEST: dict[int, Reason | None] = {
    pytest.ExitCode.OK: None,
    pytest.ExitCode.TESTS_FAILED: None,  # our own cases are the gate's to weigh; others are looked at below
    pytest.ExitCode.INTERRUPTED: Reason(
        code=Exit.INTERRUPTED, text="pytest was interrupted, or a test of your own could not be loaded"
    ),
    pytest.ExitCode.INTERNAL_ERROR: Reason(code=Exit.INTERNAL, text="pytest met an internal error"),
    pytest.ExitCode.USAGE_ERROR: Reason(code=Exit.USAGE, text="pytest refused its arguments"),
    pytest.ExitCode.NO_TESTS_COLLECTED: Reason(code=Exit.USAGE, text="pytest ran not one case"),
}


class ExitCode:
    """Watches what pytest reports beside our own cases."""

    def __init__(self, gate: Gate, ids: frozenset[str]) -> None:
        self.gate = gate
        self.ids = ids
        self._run: set[str] = set()
        self._others_failed = False
        self._lost = False

    @property
    def not_run(self) -> int:
        """Cases of ours that pytest's own selection (-k, -x, --lf …) left out. They are judged all the same."""
        return len(self.ids) - len(self._run)

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when not in PHASES:  # xdist's word for a case whose worker died: "???"
            self._lost = True
        elif report.nodeid in self.ids:
            self._run.add(report.nodeid)
        elif report.failed:
            self._others_failed = True

    def last_word(self, exitstatus: int) -> Gate:
        """Return the gate and what pytest saw beside it, ``exitstatus`` included: what the process ends with."""
        reasons = in_order((*self.gate.reasons, *self._reasons_of_pytest(exitstatus)))
        return replace(self.gate, code=worst(reason.code for reason in reasons), reasons=reasons)

    def _reasons_of_pytest(self, exitstatus: int) -> Iterator[Reason]:
        # One that is not in the table: too many warnings, or what another plugin made of it.
        other = Reason(code=Exit.VIOLATED, text=f"pytest ended with exit code {int(exitstatus)}")
        if reason := OF_PYTEST.get(exitstatus, other):
            yield reason
        if self._others_failed:
            yield Reason(code=Exit.VIOLATED, text="a test of your own failed")
        if self._lost:
            yield Reason(code=Exit.INTERNAL, text="a worker of pytest-xdist died")
