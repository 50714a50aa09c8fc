"""What a run says on pytest's terminal: a header, and at the end its answer, in place of one traceback a case."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from compliance import audit
from compliance.plan import Plan
from compliance.plugin.exit_code import ExitCode
from compliance.plugin.grain import hint
from compliance.plugin.report_folder import Reports, junit_warning, tell_github
from compliance.plugin.request import Request
from compliance.program import A_FILE, doctor_command
from compliance.report import terminal
from compliance.report.gate_text import gate_lines
from compliance.report.table import Table
from compliance.report.terminal import TerminalLine, Tone
from compliance.snapshot.snapshot import Reading, Snapshot
from compliance.words import plural, printable


def header(request: Request, cases: int) -> list[str]:
    """Return the lines that stand at the head of pytest's output."""
    plan = request.plan
    parts = [f"{audit.tool()}: estate {plan.estate} from {plan.name_as_typed}", request.narrowed]
    parts += [f"--hv-grain {request.grain}"] if request.grain else []
    advice = hint(cases, request.grain)
    return [printable(", ".join(part for part in parts if part)), *([advice] if advice else [])]


@contextmanager
def own_reports_apart(reporter: Any, ids: frozenset[str]) -> Iterator[None]:
    """Within this context pytest's terminal knows nothing of our failures: its own listing of them is quadratic."""
    before = {key: reporter.stats.get(key, []) for key in ("failed", "error")}
    for key, reports in before.items():
        reporter.stats[key] = [report for report in reports if getattr(report, "nodeid", None) not in ids]
    try:
        yield
    finally:
        for key, reports in before.items():
            reporter.stats[key] = reports
            if not reports:
                del reporter.stats[key]


def findings_and_answer(
    table: Table, width: int, *, everything: bool, notes: Sequence[str], pointers: Sequence[str]
) -> Iterator[TerminalLine]:
    """Yield the findings, then the answer. Where that text has a mistake in it, the gate's words alone."""
    lines: list[TerminalLine] = []
    most = None if everything else terminal.MOST_LINES
    try:
        lines += terminal.summary(table, width, most=most, notes=notes, pointers=pointers)
    except Exception:
        yield from map(TerminalLine, gate_lines(table.gate))
        raise
    yield from lines


MARKUP: Mapping[Tone, Mapping[str, bool]] = {
    Tone.PLAIN: {},
    Tone.ERROR: {"red": True, "bold": True},
    Tone.WARNING: {"yellow": True, "bold": True},
    Tone.INFORMATION: {"cyan": True},
    Tone.UNKNOWN: {"purple": True, "bold": True},
    Tone.WAIVED: {"cyan": True},
    Tone.PASSED_IF: {"green": True},
    Tone.ANSWER: {"bold": True},
    Tone.OPEN: {"green": True, "bold": True},
    Tone.CLOSED: {"red": True, "bold": True},
}
"""Pytest's own colours, which `--color` switches on and off."""


def write(reporter: Any, lines: Iterable[TerminalLine]) -> None:
    """Write lines through pytest's terminal reporter."""
    for line in lines:
        reporter.write_line(line.text, **MARKUP[line.tone])


def notes(request: Request, exit_code: ExitCode) -> Iterator[str]:
    """Yield what pytest's own selection left out, and what the inventory remarks."""
    if exit_code.not_run:
        left_out = f"{exit_code.not_run:,} of {len(exit_code.ids):,} cases were judged, but not run by pytest"
        yield f"{left_out} (its own selection): the gate counts them."
    for remark in request.plan.remarks:
        yield printable(f"{request.plan.name_as_typed}: {remark}.")


def pointers(table: Table, request: Request, reports: Reports | None, html: str | None) -> Iterator[str]:
    """Yield where the files are and where it goes on. ``html``: of pytest-html's option."""
    if request.save:
        yield f"The snapshot is in {request.save}."
    if reports:
        yield f"The reports are in {reports.folder}."
    page = reports.page if reports else path_of_html(html) if html else None
    if page and page.is_file():
        yield f"Report: {page.absolute().as_uri()}"
    if unread := [server.name for server in table.unread]:
        is_read = request.plan.inventory and not request.plan.inventory.snapshot  # the doctor reads servers alone
        inventory = request.plan.name_as_typed if is_read else A_FILE
        more = f" (and {len(unread) - 1:,} more)" if len(unread) > 1 else ""
        yield f"Next: {doctor_command(inventory, unread[0])}{more}"
    if not reports and not table.gate.is_open:
        yield "Next: --hv-report-dir DIR writes report.html: each machine, why, and what to do"


def path_of_html(option: str) -> Path:
    """Return where pytest-html writes its page, as it makes its path of the option."""
    return Path(os.path.expandvars(option)).expanduser()


def for_pipelines(table: Table, junit: str | None, environ: Mapping[str, str]) -> Iterable[str]:
    """Return warnings on pytest's JUnit file, and the lines that GitHub's runner takes for commands."""
    return [*map(printable, junit_warning(junit)), *tell_github(table, environ)]


def interrupted(snapshot: Snapshot, save: str | None) -> str:
    """Return the line of a gathering that was broken off."""
    read = sum(isinstance(source.reading, Reading) for source in snapshot.servers)
    servers = plural(len(snapshot.servers), "server")
    were = "was" if len(snapshot.servers) == 1 else "were"
    rest = f"what was read is in {save}, marked as incomplete" if save else "nothing is kept (--hv-save would)"
    return printable(f"the gathering was interrupted: {read} of {servers} {were} read; {rest}")


def first_line(plan: Plan) -> str:
    """Return the line of a run that is about to read servers: ``reading 6 servers of production …``."""
    inventory = plan.inventory
    assert inventory  # noqa: S101  # only an inventory is read
    peers = (
        (len(inventory.servers), "server"),
        (len(inventory.clusters), "cluster"),
        (len(inventory.guests), "guest"),
    )
    what = " and ".join(plural(count, noun) for count, noun in peers if count)
    return printable(f"reading {what} of {plan.estate} …")
