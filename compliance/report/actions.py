"""actions.csv: what is to be done, a line for each machine and cause, with empty columns for who does it by when.

What is waived or known is left out: somebody has decided on it. The worst stands first, and one cause stands once,
though several rules may rest on it and both sides of a machine have it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from compliance.judge.readiness import DIRECTIONS, Readiness
from compliance.model import Role
from compliance.report.by_cause import cause_text
from compliance.report.csv_rows import MARK, line, remedy_cells
from compliance.report.readiness import open_machines, word_text
from compliance.report.table import Table, leave_out_repeats
from compliance.rule import Result, Verdict
from compliance.rules.remedies.causes_text import cause_heading

HEADINGS = (
    *("machine", "guid", "server", "direction", "result", "severity", "cause", "what_is_wrong", "why"),
    *("remedy", "command_where", "command"),
    *("owner", "due", "decision"),
)
TO_FILL_IN = ("", "", "")
OPEN = (Result.FAILED, Result.UNKNOWN)
ROLES: Mapping[Role, str] = {role: direction.value for direction, role in DIRECTIONS.items()}


def actions(table: Table) -> Iterator[str]:
    """Yield the lines of the file."""
    by_verdict = [*_by_verdict(table)]
    guid, cause = HEADINGS.index("guid"), HEADINGS.index("cause")
    listed = {(row[guid].casefold(), row[cause]) for row in by_verdict}
    yield MARK
    yield from map(line, chain([HEADINGS], by_verdict, _by_machine(table, listed)))


def _by_verdict(table: Table) -> Iterator[tuple[str, ...]]:
    found: dict[tuple[str, ...], list[Verdict]] = {}
    still_open = (one for one in table.worst_first if one.reported.outcome.result in OPEN)
    for verdict in leave_out_repeats([one.verdict for one in still_open]):
        whose = verdict.machine.guid.casefold() if verdict.machine else verdict.label
        found.setdefault((whose, *_cause(verdict), *remedy_cells(table.remedies.of(verdict))), []).append(verdict)
    for (_, cause, *cells), verdicts in found.items():
        yield (*_subject(verdicts), cause, cause_text(verdicts[0]), verdicts[0].outcome.finding, *cells, *TO_FILL_IN)


def _cause(verdict: Verdict) -> tuple[str]:
    """Return the cause; a rule that names none is its own."""
    return (verdict.outcome.cause or verdict.rule.key,)


def _subject(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the machine or server, on each of its sides, and the worst that is said of it."""
    verdict = verdicts[0]
    machine = verdict.machine
    servers = dict.fromkeys(one.server or one.cluster or "" for one in verdicts)
    roles = [one.machine.role for one in verdicts if one.machine]
    directions = dict.fromkeys(ROLES[role] for role in roles if isinstance(role, Role) and role in ROLES)
    return (
        machine.name if machine else "",
        machine.guid if machine else "",
        "; ".join(servers),
        "; ".join(directions),
        verdict.outcome.result.value,
        verdict.rule.severity.value,
    )


def _by_machine(table: Table, listed: Collection[tuple[str, str]]) -> Iterator[tuple[str, ...]]:
    """Yield what no rule's verdict says: that a side was not seen, or that a condition is to be confirmed.

    ``listed``: machines and causes of verdicts."""
    conditions: set[tuple[str, str]] = set()  # of a machine once, though both directions have it
    for machine in open_machines(table):
        guid = machine.guid.casefold()
        if machine.verdict is not None or (guid, machine.cause) in listed or (guid, machine.condition) in conditions:
            continue
        if machine.condition:
            conditions.add((guid, machine.condition))
        if remedy := table.remedies.of(machine):
            yield (*_of_machine(machine), *remedy_cells(remedy), *TO_FILL_IN)


def _of_machine(machine: Readiness) -> tuple[str, ...]:
    return (
        machine.name,
        machine.guid,
        machine.primary or machine.replica,
        machine.direction.value,
        machine.word.value,
        "",
        machine.cause,
        cause_heading(machine.cause) or word_text(machine),
        machine.reason,
    )
