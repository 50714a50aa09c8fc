"""A run over an estate: pytest's hooks, on an object that is registered only where an estate was named."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from compliance import audit
from compliance.audit import Plan
from compliance.credentials.find import Surroundings
from compliance.errors import UsageError
from compliance.gate.gate import Exit
from compliance.gate.policy import policy_of_options, read_policy
from compliance.inventory.limit import Limit
from compliance.judge.judge import all_rules
from compliance.judge.scope import Scope
from compliance.model import ReplicatedVM, Server, Unread
from compliance.plugin.ask import asker
from compliance.plugin.cases import MARKERS, Case, EstateNode, marker_of, run
from compliance.plugin.exit_code import Gatekeeper
from compliance.plugin.grain import Bundle, bundles, hint, of_rule
from compliance.plugin.ini_file import Defaults
from compliance.plugin.interrupt import interrupted_once
from compliance.plugin.options import POLICY_OPTIONS, Grain
from compliance.plugin.progress import Teller
from compliance.plugin.pytest_html import PytestHtml
from compliance.plugin.report_folder import Reports, junit_warning, tell_github
from compliance.report import text
from compliance.report.html.bpa_page import environment
from compliance.report.table import Table
from compliance.rule import SIDES
from compliance.secret import Environment
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, Snapshot
from compliance.snapshot.write import refuse_unwritable, write_snapshot
from compliance.words import printable


class EstateSession:
    """What a run knows of its estate: the plan from the start, the table of verdicts once the session has started."""

    def __init__(
        self,
        plan: Plan,
        scope: Scope,
        *,
        save: str | None,
        asked: list[str],
        reports: Reports | None = None,
        grain: Grain | None = None,
    ) -> None:
        self._plan = plan
        self._scope = scope
        self._save = save
        self._asked = asked  # ids of ours that were given as arguments
        self._reports = reports
        self._grain = grain  # as given
        self._handed_over: Path | None = None  # the snapshot that xdist's workers read
        self._table: Table | None = None
        self._bundles: list[Bundle] = []
        self._ids: frozenset[str] = frozenset()
        self._keeper: Gatekeeper | None = None
        self._ended: pytest.Session | None = None

    @classmethod
    def planned(cls, config: pytest.Config, defaults: Defaults, reports: Reports | None = None) -> EstateSession:
        """Read the files that the options name. UsageError for a mistake in them; nothing is sent anywhere.

        An estate that stands in pytest's configuration file runs beside its `testpaths`.
        """
        for marker in sorted(MARKERS | {marker_of(rule.key) for rule in all_rules()}):
            config.addinivalue_line("markers", f"{marker}: set on the cases of hyperv-compliance")
        option = config.option
        plan = audit.plan(
            option.hv_inventory,
            option.hv_snapshot,
            policies=option.hv_policy,
            options=policy_of_options(_policy_options(vars(option))),
            defaults=[
                *(read_policy(Path(name)) for name in defaults.policy.get("hv_policy", ())),
                policy_of_options(_policy_options(defaults.policy)),
            ],
            waivers=option.hv_waivers,
            baseline=option.hv_baseline,
            limit=Limit(pattern=option.hv_limit or ""),
        )
        scope = Scope(
            sites=tuple(option.hv_site),
            groups=tuple(option.hv_group),
            servers=tuple(option.hv_server),
            machines=tuple(option.hv_vm),
            rules=tuple(option.hv_rule),
            severities=tuple(option.hv_severity),
        )
        return cls(
            plan,
            scope,
            save=option.hv_save,
            asked=_take_arguments(config, plan.estate, keep_testpaths=defaults.name_estate),
            reports=reports,
            grain=Grain(option.hv_grain) if option.hv_grain else None,
        )

    @property
    def table(self) -> Table:
        assert self._table is not None  # noqa: S101  # set at session start, before anything asks
        return self._table

    # --- before collection --------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Gather and judge, once: xdist's controller hands its workers what it gathered."""
        with self._reports.watching() if self._reports else nullcontext():
            self._start(session.config)

    def _start(self, config: pytest.Config) -> None:
        handed_over = getattr(config, "workerinput", {}).get("hv_snapshot")
        with _usage_errors():
            if handed_over:
                snapshot = read_snapshot(Path(handed_over))
            else:
                if self._save:
                    refuse_unwritable(Path(self._save))
                snapshot = self._taken(config)
                self._hand_over(config, snapshot)
        self._table = audit.judged(snapshot, self._scope, self._plan, now=datetime.now(UTC))
        self._plan = replace(self._plan, snapshot=None)  # its rows take more memory than all that was made of them
        gc.freeze()  # the estate stays to the end: walking it again and again costs a tenth of a large run
        folder = config.option.hv_report_dir
        rest = f"they are in {folder}" if folder else "--hv-report-dir writes them all"
        self._bundles = bundles(self._table.decisions, self._table.estate, self._grain or Grain.MACHINE, rest)
        self._ids = frozenset(bundle.id for bundle in self._bundles)
        _replace_metadata(config, self._table)
        page = self._reports.page_from(config.getoption("htmlpath", None)) if self._reports else ""
        config.pluginmanager.register(PytestHtml(self._table, self._bundles, page), "compliance.plugin.pytest_html")
        self._keeper = Gatekeeper(self._table.gate, self._ids)
        config.pluginmanager.register(self._keeper, "compliance.plugin.exit_code")

    def _taken(self, config: pytest.Config) -> Snapshot:
        """The snapshot, saved where that was asked for. An interrupted gathering ends the run here: exit code 2."""
        teller = Teller(config)
        around = Surroundings(environ=Environment(os.environ), ask=asker(config))
        with interrupted_once():
            snapshot = audit.take_snapshot(self._plan, around, teller.tell)
            if self._save:
                write_snapshot(snapshot, Path(self._save))
        if self._plan.snapshot is None and not snapshot.complete:
            teller.clear()
            pytest.exit(_interrupted(snapshot, self._save), returncode=int(Exit.INTERRUPTED))
        return snapshot

    def _hand_over(self, config: pytest.Config, snapshot: Snapshot) -> None:
        if config.pluginmanager.has_plugin("dsession"):
            self._handed_over = Path(tempfile.mkdtemp(prefix="hyperv-compliance-")) / "snapshot.jsonl"
            write_snapshot(snapshot, self._handed_over)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        if self._handed_over:
            node.workerinput["hv_snapshot"] = str(self._handed_over)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, Any, Any]:
        """Within pytest's terminal, which tells its summary next: it tells what the process ends with."""
        result = yield
        if not session.config.option.collectonly:
            self._end(session, exitstatus)
        return result

    def _end(self, session: pytest.Session, exitstatus: int) -> None:
        if self._table is None or self._keeper is None:
            return
        self._table = replace(self._table, gate=self._keeper.last_word(exitstatus))
        if self._reports:
            self._table = self._reports.write(self._table)
        session.exitstatus = int(self._table.gate.code)
        self._ended = session

    def pytest_unconfigure(self) -> None:
        if self._ended and self._ended.exitstatus != self.table.gate.code:  # pytest counts warnings after its summary
            self._end(self._ended, self._ended.exitstatus)
        gc.unfreeze()
        if self._handed_over:
            shutil.rmtree(self._handed_over.parent, ignore_errors=True)

    def pytest_report_header(self) -> list[str]:
        narrowed = audit.narrowed(self._plan.limit, self._scope)
        given = [*([narrowed] if narrowed else []), *([f"--hv-grain {self._grain}"] if self._grain else [])]
        told = ", ".join([f"{audit.tool()}: estate {self._plan.estate} from {self._plan.named}", *given])
        advice = hint(len(self._bundles), self._grain)
        return [printable(told), *([advice] if advice else [])]

    # --- cases --------------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add our cases before anything selects among items: they belong to no file that pytest would collect."""
        items[:0] = session.genitems(EstateNode.of(session, self._plan.estate, self._asked_for()))

    def _asked_for(self) -> list[Bundle]:
        if not self._asked:
            return self._bundles
        missing = set(self._asked) - self._ids - {of_rule(one.verdict) for one in self._bundles}
        if missing:
            other = "" if self._grain in (None, Grain.MACHINE) else f", or --hv-grain {self._grain} has no such case"
            raise pytest.UsageError(
                f"not found: {min(missing)} (its server may not have been read, or it is out of scope{other})"
            )
        asked = set(self._asked)
        return [one for one in self._bundles if {one.id, of_rule(one.verdict)} & asked]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if not isinstance(item, Case) or item.config.option.usepdb:
            return None
        run(item)
        return True

    # --- users' own checks --------------------------------------------------------------------------------------------

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        for name, subjects in (("replicated_vm", self._machines), ("hyperv_server", self._servers)):
            if name in metafunc.fixturenames:
                cases = list(subjects())
                ids = [label for label, _ in cases]
                metafunc.parametrize(name, [case for _, case in cases], ids=ids, indirect=True)

    def _machines(self) -> Iterator[tuple[str, ReplicatedVM | Unread]]:
        """Every replicated machine; and in place of those that are missing, something that no test can pass on."""
        verdicts = [
            verdict
            for verdict in self.table.verdicts
            if verdict.rule.subject is ReplicatedVM and verdict.rule.sides == SIDES
        ]
        seen = [verdict for verdict in verdicts if verdict.rule is verdicts[0].rule]  # each subject once
        for verdict in seen:
            if isinstance(verdict.subject, ReplicatedVM):
                yield verdict.label, verdict.subject
            elif isinstance(verdict.subject, Server) and verdict.subject.unread:
                yield verdict.label, verdict.subject.unread
        if not seen and not self.table.estate.settings.may_be_empty:
            yield self._plan.estate, Unread("the estate shows no replicated virtual machine")

    def _servers(self) -> Iterator[tuple[str, Server | Unread]]:
        for server in self.table.estate.servers:
            yield server.name, server.unread or server

    # --- what people read ---------------------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
        """Our findings once, by rule, in place of one traceback a case (pytest's own listing is quadratic)."""
        if self._table is None:
            return (yield)
        kept = {key: terminalreporter.stats.get(key, []) for key in ("failed", "error")}
        for key, reports in kept.items():
            terminalreporter.stats[key] = [one for one in reports if getattr(one, "nodeid", None) not in self._ids]
        try:
            yield
        finally:
            for key, reports in kept.items():
                terminalreporter.stats[key] = reports
                if not reports:
                    del terminalreporter.stats[key]
        terminalreporter.write_sep("=", f"{printable(self._plan.estate)}: Hyper-V compliance")
        for line in text.summary(self._table):
            terminalreporter.write_line(line)
        if self._keeper and self._keeper.not_shown:
            left_out = f"{self._keeper.not_shown:,} of {len(self._ids):,} cases were judged, but not run by pytest"
            terminalreporter.write_line(f"{left_out} (its own selection): the gate counts them.")
        for remark in self._plan.remarks:
            terminalreporter.write_line(f"{printable(self._plan.named)}: {printable(remark)}.")
        if self._save:
            terminalreporter.write_line(f"The snapshot is in {self._save}.")
        if self._reports:
            terminalreporter.write_line(f"The reports are in {self._reports.folder}.")
        if not hasattr(config, "workerinput"):  # workers of xdist have a terminal too
            environ = Environment(os.environ)
            for line in (*junit_warning(config.getoption("xmlpath", None)), *tell_github(self._table, environ)):
                terminalreporter.write_line(line)
        return None


def _interrupted(snapshot: Snapshot, save: str | None) -> str:
    read = sum(isinstance(source.reading, Reading) for source in snapshot.servers)
    kept = f"what was read is in {save}, marked as incomplete" if save else "nothing is kept (--hv-save would)"
    return f"the gathering was interrupted: {read} of {len(snapshot.servers)} servers were read; {kept}"


def _take_arguments(config: pytest.Config, estate: str, *, keep_testpaths: bool) -> list[str]:
    """Ids of our cases are arguments too; and without any path only the estate runs, not the folder it runs in."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        if not (keep_testpaths and config.args_source is pytest.Config.ArgsSource.TESTPATHS):
            config.args = []
        return []
    ours = [argument for argument in config.args if _is_ours(argument, estate)]
    config.args = [argument for argument in config.args if argument not in ours]
    return [f"{estate}::{argument.split('::', 1)[1]}" for argument in ours]


def _is_ours(argument: str, estate: str) -> bool:
    """pytest prints ids relative to the folder that it runs in, so a path may stand before the estate's name."""
    path, separator, _ = argument.partition("::")
    return bool(separator) and Path(path).name == estate and not Path(path).exists()


def _policy_options(options: Mapping[str, Any]) -> dict[str, object]:
    """By the policy's keys; None for what was not given."""
    given: dict[str, object] = {name: options.get(f"hv_{name}") for name in POLICY_OPTIONS}
    pairs = [pair.partition("=") for pair in options.get("hv_severity_of", ())]
    return given | {"severity": {rule: severity for rule, _, severity in pairs} or None}


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Our one-line errors as pytest's: exit code 4, no traceback."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(*str(error).splitlines()) from error


def _replace_metadata(config: pytest.Config, table: Table) -> None:
    """pytest-html shows what pytest-metadata collected: the audit's facts there, no list of packages."""
    try:
        from pytest_metadata.plugin import metadata_key  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        return
    if metadata_key in config.stash:
        found: dict[str, Any] = config.stash[metadata_key]
        found.clear()
        found.update(environment(table))
