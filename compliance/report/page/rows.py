"""The table of virtual machines: a row for each machine and direction, in columns of numbers that sort as their texts.

Machines are numbered in the order of their names, texts and addresses in their own: a browser sorts 100,000 rows by
any column without comparing one text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from compliance.judge.headline import cover_of, covered_sides
from compliance.judge.readiness import Direction, Readiness
from compliance.model import ReplicatedVM
from compliance.report.page.texts import Pool, natural, plain
from compliance.report.readiness import WORST_FIRST
from compliance.report.table import Table
from compliance.rules.evidence.replications import key_of
from compliance.rules.remedies.causes_text import cause_heading
from compliance.words import join_names

DIRECTIONS = (*Direction,)
COVERS = ("", "waived", "known")


@dataclass(frozen=True)
class Machines:
    """Every machine of the table's rows. ``rows``: those of each; ``sides``: those that were seen, by number."""

    rows: Sequence[Sequence[Readiness]]
    numbers: Mapping[int, int]  # id of a side -> its machine's number

    @cached_property
    def by_key(self) -> Mapping[tuple[str, str], int]:
        """Each machine's number by server and GUID of a side; few estates have a finding that needs it."""
        return {key_of(side.machine): number for number, rows in enumerate(self.rows) for side in rows[0].sides}

    @property
    def sides(self) -> Sequence[Sequence[ReplicatedVM]]:
        return [rows[0].sides for rows in self.rows]


def machines_of(table: Table) -> Machines:
    """Return the machines in the order of their names."""
    groups: dict[object, list[Readiness]] = {}
    for row in table.readiness:
        groups.setdefault(machine_key(row), []).append(row)
    ordered = sorted(groups.values(), key=lambda rows: (natural(rows[0].name), rows[0].primary, rows[0].replica))
    numbers = {id(side): number for number, rows in enumerate(ordered) for side in rows[0].sides}
    return Machines(ordered, numbers)


def machine_key(row: Readiness) -> object:
    """Return what all rows of one machine have in common: its sides."""
    return tuple(map(id, row.sides)) or (row.guid, row.name)


def machine_columns(machines: Machines) -> dict[str, object]:
    first = [rows[0] for rows in machines.rows]
    return {"name": [plain(row.name, 256) for row in first], "guid": [plain(row.guid, 64) for row in first]}


def row_columns(
    table: Table, machines: Machines, servers: Mapping[str, int], texts: Pool, addresses: Pool
) -> dict[str, list[int]]:
    """Return the columns. ``reason``, ``condition``, ``remedy`` and ``cause`` are numbers of ``texts``, ``address``
    and ``today`` of ``addresses``; servers that were not seen are -1."""
    covered = covered_sides(table.more_than_passed)
    names = (
        "machine",
        "direction",
        "word",
        "reason",
        "condition",
        "remedy",
        "cause",
        "from",
        "to",
        "address",
        "today",
        "cover",
    )
    columns: dict[str, list[int]] = {name: [] for name in names}
    appends = [column.append for column in columns.values()]
    headings: dict[str, int] = {}
    directions = {direction: number for number, direction in enumerate(DIRECTIONS)}
    words = {word: number for number, word in enumerate(WORST_FIRST)}
    covers = {cover: number for number, cover in enumerate(COVERS)}
    for number, rows in enumerate(machines.rows):
        for row in rows:
            remedy = table.remedies.of(row)
            if row.cause not in headings:
                headings[row.cause] = texts.number(_heading(row))
            values = (
                number,
                directions[row.direction],
                words[row.word],
                texts.number(row.reason),
                texts.number(row.condition),
                texts.number(remedy.text if remedy else ""),
                headings[row.cause],
                servers.get(row.primary, -1),
                servers.get(row.replica, -1),
                addresses.number(join_names(row.failover_addresses, 8)),
                addresses.number(row.today),
                covers[cover_of(row, covered)] if covered else 0,
            )
            for append, value in zip(appends, values, strict=True):
                append(value)
    return columns


def _heading(row: Readiness) -> str:
    """Return what is wrong, as groups of findings are headed: of a user's rule, whose causes nobody else knows, the
    rule's own words."""
    if not row.cause:
        return ""
    return cause_heading(row.cause) or (row.verdict.rule.violated if row.verdict else row.cause.replace("-", " "))
