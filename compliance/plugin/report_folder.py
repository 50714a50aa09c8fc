"""The folder of a run's reports: what is written there, when, and whole or not at all.

From a run's first moment to its end gate.json says closed: who is killed in between has left no old answer behind.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from compliance import audit
from compliance.errors import UsageError
from compliance.files.whole import refuse_unwritable, replace_file
from compliance.garbage import uncollected
from compliance.gate.exits import Exit, Reason, in_order
from compliance.plugin.mistakes import lines_of
from compliance.report.actions import actions
from compliance.report.annotations import workflow_commands
from compliance.report.csv_rows import csv_rows
from compliance.report.gate_json import closed_gate_json, gate_json
from compliance.report.page.page import page_pieces
from compliance.report.results import results
from compliance.report.sarif import sarif_pieces
from compliance.report.summary import MOST_BYTES, summary
from compliance.report.table import Table

Pieces = str | Iterable[str]
"""A report, whole or in pieces."""
GATE = "gate.json"
PAGE = "report.html"
WRITERS: Mapping[str, Callable[[Table], Pieces]] = {
    "results.json": results,
    "results.sarif": sarif_pieces,
    "results.csv": csv_rows,
    "actions.csv": actions,
    "summary.md": summary,
    PAGE: page_pieces,
}
"""All but gate.json, which is written last, since it says whether the others were."""
LARGEST_JUNIT = 30_000_000
"""Bytes that GitLab reads of one file (docs.gitlab.com, "Unit test reports"); of a larger one it shows nothing."""


class Reports:
    def __init__(
        self, folder: Path, grain: str = "machine", writers: Mapping[str, Callable[[Table], Pieces]] = WRITERS
    ) -> None:
        self.folder = folder
        self._grain = grain  # what pytest's cases stand for
        self._writers = writers
        self._versions = _versions()

    @classmethod
    def for_options(cls, config: pytest.Config) -> Reports | None:
        """None where nobody asked, in a worker of xdist (its controller writes), and where cases are only listed.

        UsageError where the folder can't be written, before hours of gathering.
        """
        name = config.option.hv_report_dir
        if name is None or config.option.collectonly or hasattr(config, "workerinput"):
            return None
        if not name:
            raise UsageError("--hv-report-dir names no folder: is a variable empty?")
        _refuse_overlap(Path(name), config.option)
        reports = cls(Path(name), config.option.hv_grain or "machine")
        reports.begin()
        return reports

    @property
    def page(self) -> Path:
        """Where the page for people is."""
        return self.folder / PAGE

    def page_from(self, html: str | None) -> str:
        """The address of the page as pytest-html's report links to it: relative, so that both can be moved together."""
        if not html:
            return ""
        page = (self.folder / PAGE).absolute()
        here = Path(os.path.expandvars(html)).expanduser().absolute().parent  # as pytest-html makes its path
        try:
            return quote(os.fsencode(os.path.relpath(page, here).replace(os.sep, "/")))
        except ValueError:  # on another drive
            return page.as_uri()

    def begin(self) -> None:
        """Say closed in gate.json, then delete what an earlier run left. UsageError names what can't be replaced."""
        try:
            with suppress(FileNotFoundError):
                self.folder.stat()  # a loop of links is named as what it is
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.folder}: reports can't be written there: {_why(error)}") from error
        path = self.folder / GATE
        try:
            self._put(GATE, closed_gate_json(Exit.INTERNAL, ["the run has not ended"], self._versions))
            for name in self._writers:
                path = self.folder / name
                refuse_unwritable(path)
            for name in self._writers:
                path = self.folder / name
                if path.is_file():
                    path.unlink()
        except OSError as error:
            reason = f"{self.folder}: reports can't be written there: {path.name}: {_why(error)}"
            self._close(Exit.USAGE, [reason])
            raise UsageError(reason) from error

    @contextmanager
    def watching(self) -> Iterator[None]:
        """What ends a run before it comes to a verdict stands in gate.json as well."""
        try:
            yield
        except (UsageError, pytest.UsageError) as error:
            self._close(Exit.USAGE, lines_of(error))
            raise
        except (KeyboardInterrupt, pytest.exit.Exception) as stop:
            self._close(Exit.INTERRUPTED, [str(stop) or "interrupted before there was a verdict"])
            raise
        except Exception as error:
            self._close(Exit.INTERNAL, [f"an internal error: {type(error).__name__}"])
            raise

    def _close(self, code: Exit, reasons: Sequence[str]) -> None:
        with suppress(OSError):  # what is there already says closed, and the error on its way says why
            self._put(GATE, closed_gate_json(code, reasons, self._versions))

    @uncollected()
    def write(self, table: Table) -> Table:
        """Write every report, and return the table: where one failed, its gate is closed and says so.

        gate.json is written first, unless it would say open, and last: what fails or dies in between loses none of its
        words, and opens nothing.
        """
        if not table.gate.is_open:
            table = self._written(GATE, self._gate_json, table)
        for name, writer in self._writers.items():
            table = self._written(name, writer, table)
        return self._written(GATE, self._gate_json, table)

    def _gate_json(self, table: Table) -> str:
        return gate_json(table, self._versions, self._grain)

    def _written(self, name: str, writer: Callable[[Table], Pieces], table: Table) -> Table:
        """A writer that fails takes none of the others with it, whatever the mistake in it is."""
        try:
            self._put(name, writer(table))
        except Exception as error:
            closed = _closed(table, f"{self.folder / name} can't be written: {_why(error)}")
            if name == GATE:
                self._close(closed.gate.code, [reason.text for reason in closed.gate.reasons])
            return closed
        return table

    def _put(self, name: str, text: Pieces) -> None:
        with replace_file(self.folder / name) as file:
            file.writelines(octets(text))


def _refuse_overlap(folder: Path, option: Any) -> None:
    """Raise UsageError where a file of the run is one of ours: a baseline that each run replaces would know every
    finding from the second run on."""
    ours = {_real(folder / name) for name in (*WRITERS, GATE)}
    for name, key in (
        ("--hv-baseline", "hv_baseline"),
        ("--hv-save", "hv_save"),
        ("--junitxml", "xmlpath"),
        ("--html", "htmlpath"),
    ):
        file = getattr(option, key, None)
        if file and _real(file) in ours:
            raise UsageError(f"{name} {file}: --hv-report-dir would overwrite it; keep it elsewhere")


def _real(path: str | Path) -> str:
    """Return where the path leads. Windows can't say it of a device, such as CON: whoever opens that gets the error."""
    try:
        return os.path.realpath(path)
    except OSError:
        return str(Path(path).absolute())


def _closed(table: Table, reason: str) -> Table:
    internal = Reason(code=Exit.INTERNAL, text=reason)
    if internal in table.gate.reasons:
        return table
    reasons = in_order((*table.gate.reasons, internal))
    return replace(table, gate=replace(table.gate, code=Exit.INTERNAL, reasons=reasons))


def octets(text: Pieces) -> Iterator[bytes]:
    for piece in (text,) if isinstance(text, str) else text:
        yield piece.encode(errors="backslashreplace")


def _versions() -> dict[str, str]:
    name, _, version = audit.tool().partition(" ")
    return {name: version, "python": platform.python_version(), "pytest": pytest.__version__}


def _why(error: Exception) -> str:
    """Return a line that holds nothing of what was to be written."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return f"an internal error: {type(error).__name__}"


# --- beside the folder ------------------------------------------------------------------------------------------------


def tell_github(table: Table, environ: Mapping[str, str]) -> Iterator[str]:
    """In a workflow of GitHub: appends to the step's summary, and gives the lines that its runner takes for commands.

    A summary of more than 1 MiB is dropped whole, with what stands there already.
    """
    if environ.get("GITHUB_ACTIONS") != "true":
        return
    yield from workflow_commands(table)
    path = environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    try:
        with Path(path).open("ab") as file:
            file.write(summary(table, MOST_BYTES - file.tell()).encode(errors="backslashreplace"))
    except Exception as error:  # the gate has been told, and its exit code is not this file's to lose
        yield f"The step's summary can't be written: {_why(error)}"


def junit_warning(path: str | None, largest: int = LARGEST_JUNIT) -> Iterator[str]:
    """``path``: of pytest's JUnit file, which is there by now."""
    with suppress(OSError):
        if path and (size := Path(path).stat().st_size) > largest:
            yield f"{path} has {size / 1e6:.0f} MB: GitLab reads {largest / 1e6:.0f} MB of one file."
