"""pytest's hooks: options, the audit before collection, its cases, the summary and pytest-html's page.

Without ``--inventory`` or ``--snapshot`` nothing here does anything.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from argparse import ArgumentError
from collections.abc import Generator, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from compliance import audit
from compliance.audit import Plan
from compliance.cases import MARKERS, Case, EstateNode, marker_of, run
from compliance.errors import UsageError
from compliance.gather import Progress
from compliance.judge import all_rules, printable
from compliance.model import Evidence, ReplicatedVM, Server, Unread
from compliance.pytest_html import PytestHtml
from compliance.report import text
from compliance.report.html import environment
from compliance.report.table import Table
from compliance.rule import Severity, Verdict
from compliance.scope import Scope
from compliance.snapshot import Snapshot, read_snapshot, write_snapshot

OWNERS_OF_INVENTORY = {"pytest_ansible": "pytest-ansible"}
"""Modules that own ``--inventory``, and the names of their plugins. We keep ``--hv-inventory`` beside them."""


@dataclass(kw_only=True)
class Audit:
    """What this run knows of its audit: the plan from the start, the table once the estate is judged."""

    plan: Plan
    scope: Scope
    save: str | None
    asked: list[str] = field(default_factory=list)  # ids given as arguments
    table: Table | None = None
    handed_over: Path | None = None  # the snapshot that xdist's workers read

    @property
    def judged(self) -> Table:
        assert self.table is not None  # noqa: S101  # set at session start, before anything asks
        return self.table


AUDIT = pytest.StashKey[Audit]()
BY_ID = pytest.StashKey[dict[str, Verdict]]()


# --- options ----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    group = parser.getgroup("hyperv-compliance", "Hyper-V compliance")
    inventory = ["--hv-inventory"] if _inventory_is_taken(pluginmanager) else ["--inventory", "--hv-inventory"]
    _add(group, inventory, "hv_inventory", metavar="FILE", help="the Hyper-V servers to read and judge (YAML)")
    _add(
        group,
        ["--snapshot", "--hv-snapshot"],
        "hv_snapshot",
        metavar="FILE",
        action="append",
        default=[],
        help="judge what an earlier run saved, without any network; several join sites gathered apart",
    )
    group.addoption("--hv-save", metavar="FILE", help="save what is gathered (JSON lines; gzip for a name in .gz)")
    group.addoption(
        "--hv-evidence",
        choices=[evidence.value for evidence in Evidence],
        help="what verdicts rest on: the guest's answer (observed), or Microsoft's own test alone (bpa)",
    )
    for name, what in (
        ("server", "servers"),
        ("vm", "virtual machines (name, server/name or GUID)"),
        ("rule", "rules (key)"),
        ("severity", f"severities ({', '.join(Severity)})"),
    ):
        group.addoption(
            f"--hv-{name}", metavar="GLOB", action="append", default=[], help=f"show only these {what}; repeatable"
        )


def _add(group: pytest.OptionGroup, names: list[str], dest: str, **attributes: Any) -> None:
    """An option under its short name where that is free, else under our prefix alone."""
    try:
        group.addoption(*names, dest=dest, **attributes)
    except (ValueError, ArgumentError):
        if len(names) < 2:
            raise
        group.addoption(*names[1:], dest=dest, **attributes)


def _inventory_is_taken(pluginmanager: pytest.PytestPluginManager) -> bool:
    """Whoever registers second breaks pytest's start, and we may be first: so look for known owners of the name."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False
    return any(
        find_spec(module) and find_spec("ansible") and not pluginmanager.is_blocked(name)
        for module, name in OWNERS_OF_INVENTORY.items()
    )


# --- before collection ------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    for marker in sorted(MARKERS | {marker_of(rule.key) for rule in all_rules()}):
        config.addinivalue_line("markers", f"{marker}: set on the cases of hyperv-compliance")
    option = config.option
    only_asks = option.help or option.showfixtures or option.show_fixtures_per_test
    if only_asks or not (option.hv_inventory or option.hv_snapshot):
        return
    with _usage_errors():
        planned = audit.plan(option.hv_inventory, option.hv_snapshot, option.hv_evidence)
    found = Audit(
        plan=planned,
        scope=Scope(
            servers=tuple(option.hv_server),
            machines=tuple(option.hv_vm),
            rules=tuple(option.hv_rule),
            severities=tuple(option.hv_severity),
        ),
        save=option.hv_save,
    )
    config.stash[AUDIT] = found
    _take_arguments(config, found)


def _take_arguments(config: pytest.Config, found: Audit) -> None:
    """Ids of our cases are arguments too; and without any path only the estate runs, not the folder it runs in."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
        return
    ours = [argument for argument in config.args if _is_ours(argument, found.plan.estate)]
    found.asked = [f"{found.plan.estate}::{argument.split('::', 1)[1]}" for argument in ours]
    config.args = [argument for argument in config.args if argument not in ours]


def _is_ours(argument: str, estate: str) -> bool:
    """pytest prints ids relative to the folder that it runs in, so a path may stand before the estate's name."""
    path, separator, _ = argument.partition("::")
    return bool(separator) and Path(path).name == estate and not Path(path).exists()


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Our one-line errors as pytest's: exit code 4, no traceback."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(*str(error).splitlines()) from error


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    found = config.stash.get(AUDIT, None)
    if found is None:
        return
    handed_over = getattr(config, "workerinput", {}).get("hv_snapshot")
    with _usage_errors():
        if handed_over:  # xdist: the controller gathered, once
            snapshot = read_snapshot(Path(handed_over))
        else:
            snapshot = audit.take_snapshot(found.plan, os.environ, _Teller(config).tell)
            if found.save:
                write_snapshot(snapshot, Path(found.save))
            found.handed_over = _hand_over(config, snapshot)
    found.table = audit.judged(snapshot, found.scope, found.plan.named)
    config.stash[BY_ID] = {verdict.id: verdict for verdict in found.table.verdicts}
    _replace_metadata(config, found.table)
    config.pluginmanager.register(PytestHtml(found.table), "compliance.pytest_html")


def _hand_over(config: pytest.Config, snapshot: Snapshot) -> Path | None:
    if not config.pluginmanager.has_plugin("dsession"):
        return None
    path = Path(tempfile.mkdtemp(prefix="hyperv-compliance-")) / "snapshot.jsonl"
    write_snapshot(snapshot, path)
    return path


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    found = node.config.stash.get(AUDIT, None)
    if found and found.handed_over:
        node.workerinput["hv_snapshot"] = str(found.handed_over)


def pytest_unconfigure(config: pytest.Config) -> None:
    found = config.stash.get(AUDIT, None)
    if found and found.handed_over:
        shutil.rmtree(found.handed_over.parent, ignore_errors=True)


class _Teller:
    """Progress on a terminal; in a log, one line for each server that was not read, and nothing else."""

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


def pytest_report_header(config: pytest.Config) -> list[str]:
    found = config.stash.get(AUDIT, None)
    if found is None:
        taken = config.option.hv_inventory is None and _inventory_was_meant_for_us(config)
        return (
            ["hyperv-compliance: --inventory belongs to another plugin here; ours is --hv-inventory"] if taken else []
        )
    scope = f", {found.scope}" if str(found.scope) else ""
    return [f"{audit.tool()}: estate {found.plan.estate} from {found.plan.named}{scope}"]


def _inventory_was_meant_for_us(config: pytest.Config) -> bool:
    arguments = [str(argument) for argument in config.invocation_params.args]
    return _inventory_is_taken(config.pluginmanager) and any(one.startswith("--inventory") for one in arguments)


# --- cases ------------------------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the estate's cases before anything selects among items: they belong to no file that pytest would collect."""
    found = config.stash.get(AUDIT, None)
    if found is None:
        return
    node = EstateNode.of(session, found.plan.estate, _asked_for(found))
    items[:0] = session.genitems(node)


def _asked_for(found: Audit) -> list[Verdict]:
    verdicts = list(found.judged.verdicts)
    if not found.asked:
        return verdicts
    for asked in found.asked:
        if not any(_is_asked(verdict, asked) for verdict in verdicts):
            raise pytest.UsageError(f"not found: {asked} (its server may not have been read, or it is out of scope)")
    return [verdict for verdict in verdicts if any(_is_asked(verdict, asked) for asked in found.asked)]


def _is_asked(verdict: Verdict, asked: str) -> bool:
    return asked in (verdict.id, verdict.id.partition("[")[0])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    if not isinstance(item, Case) or item.config.option.usepdb:
        return None
    run(item)
    return True


# --- users' own checks ------------------------------------------------------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = metafunc.config.stash.get(AUDIT, None)
    if found is None:
        return
    for name, subjects in (("replicated_vm", _machines), ("hyperv_server", _servers)):
        if name in metafunc.fixturenames:
            cases = list(subjects(found))
            metafunc.parametrize(name, [case for _, case in cases], ids=[label for label, _ in cases], indirect=True)


def _machines(found: Audit) -> Iterator[tuple[str, ReplicatedVM | Unread]]:
    """Every replicated machine; and in place of those that are missing, something that no test can pass on."""
    verdicts = [verdict for verdict in found.judged.verdicts if verdict.rule.subject is ReplicatedVM]
    seen = [verdict for verdict in verdicts if verdict.rule is verdicts[0].rule]  # each subject once
    for verdict in seen:
        if isinstance(verdict.subject, ReplicatedVM):
            yield verdict.label, verdict.subject
        elif isinstance(verdict.subject, Server) and verdict.subject.unread:
            yield verdict.label, verdict.subject.unread
    if not seen and not found.judged.estate.settings.may_be_empty:
        yield found.plan.estate, Unread("the estate shows no replicated virtual machine")


def _servers(found: Audit) -> Iterator[tuple[str, Server | Unread]]:
    for server in found.judged.estate.servers:
        yield server.name, server.unread or server


@pytest.fixture
def replicated_vm(request: pytest.FixtureRequest) -> ReplicatedVM:
    """Each side of each replicated virtual machine of the estate; an error for each server that was not read."""
    subject: ReplicatedVM = _readable(request)
    return subject


@pytest.fixture
def hyperv_server(request: pytest.FixtureRequest) -> Server:
    """Each Hyper-V server of the inventory; an error for each that was not read."""
    subject: Server = _readable(request)
    return subject


def _readable(request: pytest.FixtureRequest) -> Any:
    if not hasattr(request, "param"):
        pytest.fail(f"{request.fixturename} needs an estate: give --inventory or --snapshot", pytrace=False)
    if isinstance(request.param, Unread):
        pytest.fail(str(request.param), pytrace=False)
    return request.param


# --- what people read -------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> Generator[None, None, None]:
    """Our findings once, by rule, in place of one traceback a case (pytest's own listing is quadratic)."""
    found = config.stash.get(AUDIT, None)
    if found is None or found.table is None:
        return (yield)
    kept = {key: terminalreporter.stats.get(key, []) for key in ("failed", "error")}
    ours = config.stash[BY_ID]
    for key, reports in kept.items():
        terminalreporter.stats[key] = [report for report in reports if getattr(report, "nodeid", None) not in ours]
    try:
        yield
    finally:
        terminalreporter.stats.update({key: reports for key, reports in kept.items() if reports})
        for key in [key for key, reports in kept.items() if not reports]:
            terminalreporter.stats.pop(key, None)
    terminalreporter.write_sep("=", f"{found.plan.estate}: Hyper-V compliance")
    for line in text.summary(found.table, 100):
        terminalreporter.write_line(line)
    if found.save:
        terminalreporter.write_line(f"The snapshot is in {found.save}.")
    return None


def _replace_metadata(config: pytest.Config, table: Table) -> None:
    """pytest-html shows what pytest-metadata collected: the audit's facts there, no list of packages."""
    try:
        from pytest_metadata.plugin import metadata_key  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        return
    if metadata_key in config.stash:
        found: MutableMapping[str, Any] = config.stash[metadata_key]
        found.clear()
        found.update(environment(table))
