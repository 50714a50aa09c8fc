"""pytest-html's hooks. Most of them are given no config, so they hang on an object that knows the table."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import Any

import pytest

from compliance.judge import printable
from compliance.report import html
from compliance.report.table import Table


class PytestHtml:
    """Registered where an estate is judged. Everything that it hands over is escaped: pytest-html does not."""

    def __init__(self, table: Table, page: str = "") -> None:
        """``page``: where report.html is, seen from pytest-html's own; empty where none is written."""
        self._table = table
        self._page = page
        self._verdicts = {verdict.id: verdict for verdict in table.verdicts}
        self._shown = html.choose_rows(table.verdicts)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = f"{printable(self._table.estate.name)}: Hyper-V compliance"
        report.data["initialSort"] = "outcome"
        report.data["renderCollapsed"] = ["all"]  # a thousand open rows hide the table

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: MutableSequence[str]) -> None:
        left_out = len(self._table.verdicts) - len(self._shown)
        told = html.summary(self._table, shown=len(self._shown), rows_left_out=left_out, page=self._page)
        prefix.extend(told)

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: MutableSequence[str]) -> None:
        cells[:] = html.header_cells()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: MutableSequence[str]) -> None:
        verdict = self._verdicts.get(report.nodeid)
        if verdict is None:
            cells[:] = html.foreign_cells(cells, report.nodeid)
        elif verdict.id in self._shown:
            cells[:] = html.row_cells(verdict)
        else:
            del cells[:]  # pytest-html then leaves the row out

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: Any, data: MutableSequence[str]) -> None:
        if verdict := self._verdicts.get(report.nodeid):
            data[:] = html.detail(verdict)
