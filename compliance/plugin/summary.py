"""What a run says on pytest's terminal: a header, and at the end its answer, in place of one traceback a case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from compliance import audit
from compliance.plugin.exit_code import ExitCode
from compliance.plugin.grain import hint
from compliance.plugin.report_folder import Reports, junit_warning, tell_github
from compliance.plugin.request import Request
from compliance.report import text
from compliance.report.gate_text import gate_lines
from compliance.report.table import Table
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
    kept = {key: reporter.stats.get(key, []) for key in ("failed", "error")}
    for key, reports in kept.items():
        reporter.stats[key] = [report for report in reports if getattr(report, "nodeid", None) not in ids]
    try:
        yield
    finally:
        for key, reports in kept.items():
            reporter.stats[key] = reports
            if not reports:
                del reporter.stats[key]


def answer(table: Table) -> Iterator[str]:
    """Yield the answer and the findings by rule. Where that text has a mistake in it, the gate's words alone."""
    lines: list[str] = []
    try:
        lines += text.summary(table)
    except Exception:
        yield from gate_lines(table.gate)
        raise
    yield from lines


def files(request: Request, reports: Reports | None, exit_code: ExitCode) -> Iterator[str]:
    """Yield what pytest's own selection left out, what the inventory remarks, and where the files are."""
    if exit_code.not_run:
        left_out = f"{exit_code.not_run:,} of {len(exit_code.ids):,} cases were judged, but not run by pytest"
        yield f"{left_out} (its own selection): the gate counts them."
    for remark in request.plan.remarks:
        yield printable(f"{request.plan.name_as_typed}: {remark}.")
    if request.save:
        yield printable(f"The snapshot is in {request.save}.")
    if reports:
        yield printable(f"The reports are in {reports.folder}.")


def for_pipelines(table: Table, junit: str | None, environ: Mapping[str, str]) -> Iterable[str]:
    """Return warnings on pytest's JUnit file, and the lines that GitHub's runner takes for commands."""
    return [*map(printable, junit_warning(junit)), *tell_github(table, environ)]


def interrupted(snapshot: Snapshot, save: str | None) -> str:
    """Return the line of a gathering that was broken off."""
    read = sum(isinstance(source.reading, Reading) for source in snapshot.servers)
    servers = plural(len(snapshot.servers), "server")
    were = "was" if len(snapshot.servers) == 1 else "were"
    kept = f"what was read is in {save}, marked as incomplete" if save else "nothing is kept (--hv-save would)"
    return printable(f"the gathering was interrupted: {read} of {servers} {were} read; {kept}")
