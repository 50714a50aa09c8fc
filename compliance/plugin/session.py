"""A run over an estate: pytest's hooks, on an object that is registered only where an estate was named."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance import audit
from compliance.garbage import KeptObjects, uncollected
from compliance.judge.judge import all_rules
from compliance.plugin import subjects, summary
from compliance.plugin.cases import MARKERS, Case, EstateNode, marker_of, run, word_of
from compliance.plugin.collector import CollectorOfCases
from compliance.plugin.ending import Ending
from compliance.plugin.exit_code import ExitCode
from compliance.plugin.gathering import take_snapshot
from compliance.plugin.grain import Bundle, bundles, of_rule
from compliance.plugin.handover import KEY, Handover, delete_handover, write_handover
from compliance.plugin.ini_file import IniOptions
from compliance.plugin.junit import add_headline
from compliance.plugin.mistakes import register, usage_errors
from compliance.plugin.options import Grain
from compliance.plugin.report_folder import Reports
from compliance.plugin.request import Request, read_request
from compliance.report.readiness import ReadinessOf
from compliance.report.table import Table
from compliance.words import printable


class EstateSession:
    """What a run knows of its estate: the request from the start, the table of verdicts once the session started."""

    def __init__(self, request: Request, reports: Reports | None = None) -> None:
        self._request = request
        self._reports = reports
        self._handover: Path | None = None  # what xdist's workers read
        self._kept = KeptObjects()
        self._table: Table | None = None
        self._bundles: list[Bundle] = []
        self._ids: frozenset[str] = frozenset()

    @classmethod
    def planned(cls, config: pytest.Config, ini: IniOptions, reports: Reports | None = None) -> EstateSession:
        """Read the files that the options name. UsageError for a mistake in them; nothing is sent anywhere."""
        for marker in sorted(MARKERS | {marker_of(rule.key) for rule in all_rules()}):
            config.addinivalue_line("markers", f"{marker}: set on the cases of hyperv-compliance")
        session = cls(read_request(config, ini), reports)
        # Behind pytest's own two collections, which would walk the whole estate.
        config.add_cleanup(session._kept.unfreeze)
        return session

    @property
    def table(self) -> Table:
        assert self._table is not None  # noqa: S101  # set at session start, before anything asks
        return self._table

    # --- before collection --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Gather and judge, once: xdist's controller hands its workers what it planned and gathered."""
        with self._reports.watching() if self._reports else nullcontext():
            self._start(session.config)

    def _start(self, config: pytest.Config) -> None:
        request, handover = self._request, self._request.handover
        with usage_errors():
            snapshot, saved = (handover.snapshot, None) if handover else take_snapshot(config, request)
        now = handover.now if handover else datetime.now(UTC)
        if config.pluginmanager.has_plugin("dsession"):
            plan = replace(request.plan, inventory=None, snapshot=None)
            self._handover = write_handover(Handover(plan=plan, snapshot=snapshot, now=now))
        self._table = audit.judge_snapshot(
            snapshot, request.scope, request.plan, now=now, author=request.author, saved=saved
        )
        # Nobody needs the snapshot any more; of clusters and guests it still has all rows.
        self._request = replace(request, plan=replace(request.plan, snapshot=None), handover=None)
        self._kept.freeze()  # the estate stays to the end: walking it again and again costs a tenth of a large run
        folder = config.option.hv_report_dir
        rest = f"they are in {folder}" if folder else "--hv-report-dir writes them all"
        table, grain = self._table, request.grain or Grain.MACHINE
        self._bundles = bundles(table.decisions, table.estate, grain, rest, ReadinessOf(table))
        self._ids = frozenset(bundle.id for bundle in self._bundles)
        _replace_metadata(config, self._table)
        add_headline(config, self._table)
        if html := config.getoption("htmlpath", None):
            page = self._reports.page_from(html) if self._reports else ""
            _join_pytest_html(config, self._table, self._bundles, page)
        exit_code = ExitCode(self._table.gate, self._ids)
        register(config, exit_code, "compliance.plugin.exit_code")
        config.pluginmanager.register(CollectorOfCases(self._kept), "compliance.plugin.collector")
        ending = Ending(self._request, self._table, exit_code, self._reports)
        register(config, ending, "compliance.plugin.ending")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self._handover:
            node.workerinput[KEY] = str(self._handover)

    # --- cases --------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add our cases before anything selects among items: they belong to no file that pytest would collect."""
        estate = printable(self._request.plan.estate)
        with uncollected():
            items[:0] = session.genitems(EstateNode.of(session, estate, self._chosen_bundles()))
        self._kept.freeze()  # they stay to the end, as the estate does

    def _chosen_bundles(self) -> list[Bundle]:
        """Those whose ids were given as arguments, or all."""
        chosen = set(self._request.cases)
        if not chosen:
            return self._bundles
        if missing := chosen - self._ids - {of_rule(bundle.verdict) for bundle in self._bundles}:
            grain = self._request.grain
            other = "" if grain in (None, Grain.MACHINE) else f", or --hv-grain {grain} has no such case"
            reason = f"its server may not have been read, or it is out of scope{other}"
            raise pytest.UsageError(printable(f"not found: {min(missing)} ({reason})"))
        return [bundle for bundle in self._bundles if {bundle.id, of_rule(bundle.verdict)} & chosen]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if not isinstance(item, Case) or item.config.getoption("usepdb", False):
            return None
        run(item)
        return True

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        word = word_of(report)
        return word if word and report.nodeid in self._ids else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give users' own checks every machine and server of the estate."""
        for name, subjects_of in (("replicated_vm", subjects.machines), ("hyperv_server", subjects.servers)):
            if name in metafunc.fixturenames:
                cases = list(subjects_of(self.table))
                ids = [label for label, _ in cases]
                metafunc.parametrize(name, [case for _, case in cases], ids=ids, indirect=True)

    def pytest_unconfigure(self) -> None:
        if self._handover:
            delete_handover(self._handover)

    def pytest_report_header(self) -> list[str]:
        return summary.header(self._request, len(self._bundles))


def _join_pytest_html(config: pytest.Config, table: Table, every: list[Bundle], page: str) -> None:
    from compliance.plugin.pytest_html import PytestHtml  # most runs write no such page

    register(config, PytestHtml(table, every, page), "compliance.plugin.pytest_html")


def _replace_metadata(config: pytest.Config, table: Table) -> None:
    """pytest-html shows what pytest-metadata collected: the audit's facts there, no list of packages."""
    plugin: Any = sys.modules.get("pytest_metadata.plugin")
    if plugin and plugin.metadata_key in config.stash:
        from compliance.report.html.environment import environment  # only for this

        found: dict[str, Any] = config.stash[plugin.metadata_key]
        found.clear()
        found.update(environment(table))
