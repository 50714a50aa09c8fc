"""GitHub's workflow commands: what stands beside an inventory's lines in a pull request, and at a run's top.

One for the gate and one for each cause, with counts: GitHub shows ten of each level for a step and hides the rest in
silence. Escaped as the runner reads them (actions/runner, src/Runner.Common/ActionCommand.cs).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.gate.decision import Decision
from compliance.gate.exits import Exit
from compliance.report.by_cause import groups_by_cause
from compliance.report.table import Table
from compliance.rule import Result, Severity
from compliance.words import join_names, printable

MOST = 10
"""Of one level."""
MOST_LETTERS = 1000
LOWEST = "notice"
LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFORMATION: LOWEST}


def workflow_commands(table: Table) -> list[str]:
    """Lines to be printed, each on its own."""
    commands = [_of_gate(table), *_of_rules(table)]
    lines: list[str] = []
    for level in LEVELS.values():
        mine = [command for its_level, command in commands if its_level == level]
        left_out = len(mine) - MOST
        if left_out > 0:
            more = _command(level, {"title": "Hyper-V compliance"}, f"{left_out + 1} more: see the summary")
            mine[MOST - 1 :] = [more]
        lines += mine
    return lines


def _of_gate(table: Table) -> tuple[str, str]:
    gate = table.gate
    state = "open" if gate.is_open else "closed"
    reasons = "; ".join(reason.text for reason in gate.reasons)
    level = LOWEST if gate.is_open else "error"
    text = f"{table.headline}. The gate is {state} (exit code {int(gate.code)})" + (f": {reasons}" if reasons else "")
    where = {"file": table.file} if table.file else {}
    return level, _command(level, {**where, "title": f"Hyper-V compliance of {table.estate.name}"}, text)


def _of_rules(table: Table) -> Iterator[tuple[str, str]]:
    for group in groups_by_cause(table):
        if group.verdicts[0].outcome.result in (Result.FAILED, Result.UNKNOWN):
            level = LEVELS[group.rule.severity] if _closes(group.decisions) else LOWEST
            names = join_names(verdict.label for verdict in group.verdicts)
            text = f"{group.title}: {names}. {group.remedy or ''}".rstrip()
            yield level, _command(level, _where(table, group.decisions) | {"title": group.rule.key}, text)


def _closes(decisions: Sequence[Decision]) -> bool:
    return any(one.closes is not Exit.OPEN for one in decisions)


def _where(table: Table, decisions: Sequence[Decision]) -> dict[str, str]:
    """The first server that it is about; one in the first file before those in files that it includes."""
    servers = {name for one in decisions if (name := table.name_in_inventory(one.verdict))}
    if not table.file:
        return {}
    places = [(table.files.get(server, ""), table.lines[server]) for server in servers if server]
    file, line = min(places, default=("", 0))
    return {"file": file or table.file} | ({"line": str(line)} if line else {})


def _command(level: str, properties: dict[str, str], text: str) -> str:
    pairs = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {pairs}::{_data(text)}"


def _data(text: str) -> str:
    cut = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
    return printable(cut).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
