"""pytest-html's hooks. Most of them are given no config, so they hang on an object that knows the table."""

from __future__ import annotations

from collections.abc import MutableSequence
from html import escape
from typing import Any

import pytest

from compliance.judge import printable
from compliance.report import html
from compliance.report.table import Table
from compliance.rule import Verdict


class PytestHtml:
    """Registered where an estate is judged. Everything that it hands over is escaped: pytest-html does not."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._verdicts = {verdict.id: verdict for verdict in table.verdicts}
        self._shown = html.choose_rows(table.verdicts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = f"{printable(self._table.estate.name)}: Hyper-V compliance"

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: MutableSequence[str]) -> None:
        left_out = len(self._table.verdicts) - len(self._shown)
        prefix.extend(html.summary(self._table, shown=len(self._shown), rows_left_out=left_out))

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: MutableSequence[str]) -> None:
        cells[:] = html.header_cells()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: MutableSequence[str]) -> None:
        verdict = self._verdicts.get(report.nodeid)
        if verdict is None:
            cells[:] = _foreign_cells(report, cells)
        elif verdict.id in self._shown:
            cells[:] = html.row_cells(verdict)
        else:
            del cells[:]  # pytest-html then leaves the row out

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: Any, data: MutableSequence[str]) -> None:
        if verdict := self._verdict(report):
            data[:] = html.detail(verdict)

    def _verdict(self, report: Any) -> Verdict | None:
        return self._verdicts.get(report.nodeid)


def _foreign_cells(report: Any, cells: MutableSequence[str]) -> list[str]:
    """A user's own check in our columns: its outcome, and its id where a rule's key would stand."""
    empty = [f'<td class="col-{name}"></td>' for name in ("server", "machine", "side", "address", "finding")]
    return [cells[0], '<td class="col-severity"></td>', f'<td class="col-rule">{escape(report.nodeid)}</td>', *empty]
