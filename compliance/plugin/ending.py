"""The end of a run: the exit code, the reports, and what the terminal says. What fails here opens nothing."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from compliance.gate.exits import Exit
from compliance.plugin import summary
from compliance.plugin.exit_code import ExitCode
from compliance.plugin.report_folder import Reports
from compliance.plugin.request import Request
from compliance.report.table import Table
from compliance.secret import Environment
from compliance.words import printable


class Ending:
    """Registered when the verdicts are there. Another plugin's failure takes neither our reports nor the gate's words.

    Without this an error in pytest's own JUnit writer would end the process with 1, which says *violated*.
    """

    def __init__(self, request: Request, table: Table, exit_code: ExitCode, reports: Reports | None) -> None:
        self._request = request
        self._table = table
        self._exit_code = exit_code
        self._reports = reports
        self._session: pytest.Session | None = None  # once it has ended

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, Any, Any]:
        """Within pytest's terminal, which tells its summary next: it tells what the process ends with."""
        result = None
        try:
            result = yield
        except Exception:
            _report_error(session.config)
            exitstatus = pytest.ExitCode.INTERNAL_ERROR
        if not session.config.option.collectonly:
            self._end(session, exitstatus)
        return result

    def _end(self, session: pytest.Session, exitstatus: int) -> None:
        self._table = replace(self._table, gate=self._exit_code.last_word(exitstatus))
        if self._reports:
            self._table = self._reports.write(self._table)
        session.exitstatus = int(self._table.gate.code)
        self._session = session

    def pytest_unconfigure(self) -> None:
        """pytest counts warnings after its summary, and the summary itself may have failed: gate.json says so, too."""
        if self._session and self._session.exitstatus != self._table.gate.code:
            self._end(self._session, self._session.exitstatus)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
        """Our findings once, by rule, after what other plugins say."""
        try:
            with summary.own_reports_apart(terminalreporter, self._exit_code.ids):
                yield
        except Exception:
            self._fail(config)
        try:
            self._write_summary(terminalreporter, config)
        except Exception:
            self._fail(config)

    def _fail(self, config: pytest.Config) -> None:
        _report_error(config)
        if self._session:
            self._session.exitstatus = int(Exit.INTERNAL)

    def _write_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        if not hasattr(config, "workerinput"):  # workers of xdist have a terminal too
            junit = config.getoption("xmlpath", None)
            for line in summary.for_pipelines(self._table, junit, Environment(os.environ)):
                terminalreporter.write_line(line)
        terminalreporter.write_sep("=", f"{printable(self._table.estate.name)}: Hyper-V compliance")
        html = config.getoption("htmlpath", None)
        lines = summary.findings_and_answer(
            self._table,
            config.get_terminal_writer().fullwidth,
            everything=config.option.verbose > 0,
            notes=list(summary.notes(self._request, self._exit_code)),
            pointers=list(summary.pointers(self._table, self._request, self._reports, html)),
        )
        summary.write(terminalreporter, lines)


def _report_error(config: pytest.Config) -> None:
    """As pytest shows an internal error, if its terminal is still there."""
    with suppress(Exception):
        config.notify_exception(pytest.ExceptionInfo.from_current(), config.option)
