"""pytest-html's hooks. Most of them are given no config, so they hang on an object that knows the table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableSequence, Sequence
from functools import cached_property
from typing import Any

import pytest

from compliance.plugin.grain import Bundle
from compliance.report.html import bpa_page, rows
from compliance.report.table import Table
from compliance.words import printable


class PytestHtml:
    """Registered where an estate is judged. Everything that it hands over is escaped: pytest-html does not."""

    def __init__(self, table: Table, bundles: Sequence[Bundle], page: str = "") -> None:
        """``page``: where report.html is, seen from pytest-html's own; empty where none is written."""
        self._table = table
        self._page = page
        self._every = bundles

    @cached_property
    def _bundles(self) -> Mapping[str, Bundle]:
        return {bundle.id: bundle for bundle in self._every}

    @cached_property
    def _rows(self) -> Collection[str]:
        """Found when the first row is asked for: most runs write no such page."""
        chosen = rows.choose_rows([bundle.verdict for bundle in self._every])
        return {bundle.id for bundle in self._every if bundle.verdict.id in chosen}

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_report_title(self, report: Any) -> None:
        report.title = f"{printable(self._table.estate.name)}: Hyper-V compliance"
        report.data["initialSort"] = "outcome"
        report.data["renderCollapsed"] = ["all"]  # a thousand open rows hide the table

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_summary(self, prefix: MutableSequence[str]) -> None:
        left_out = len(self._bundles) - len(self._rows)
        several = not all(bundle.is_single for bundle in self._bundles.values())
        rows = len(self._rows)
        prefix.extend(
            bpa_page.summary(self._table, shown=rows, rows_left_out=left_out, several=several, page=self._page)
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_header(self, cells: MutableSequence[str]) -> None:
        cells[:] = rows.header_cells()

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_row(self, report: Any, cells: MutableSequence[str]) -> None:
        bundle = self._bundles.get(report.nodeid)
        if bundle is None:
            cells[:] = rows.foreign_cells(cells, report.nodeid)
        elif bundle.id in self._rows:
            cells[:] = rows.row_cells(bundle.verdict)
        else:
            del cells[:]  # pytest-html then leaves the row out

    @pytest.hookimpl(optionalhook=True)
    def pytest_html_results_table_html(self, report: Any, data: MutableSequence[str]) -> None:
        if bundle := self._bundles.get(report.nodeid):
            data[:] = rows.detail(bundle.verdict) if bundle.is_single else rows.detail_of_several(bundle.lines())
