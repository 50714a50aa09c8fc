"""Table -> one HTML file that opens anywhere: no network, a content security policy, no inline handler."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template

from compliance.judge.headline import cover_of, covered_sides
from compliance.judge.landings import SideKey
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.report.evidence_block import evidence_block
from compliance.report.gate_text import gate_lines
from compliance.report.page.data import data
from compliance.report.page.rows import machine_key
from compliance.report.page.texts import LONGEST
from compliance.report.readiness import (
    WORST_FIRST,
    count_directions,
    direction_text,
    kinds_text,
    open_machines,
    word_text,
)
from compliance.report.table import ATTRIBUTION, READ_AGAIN, Table
from compliance.rule import Result
from compliance.rules.remedies.remedy import Command
from compliance.words import join_names, plural, printable, shorten

MOST_PRINTED = 200
"""Machines on paper, which is for a board to decide by; the page itself holds them all."""
MOST_NAMED = 8
"""Servers and reasons in the first screen; what is beyond them is folded away, or under another tab."""
LETTERS = ("f", "u", "c", "n", "o", "p")
SIGNS = ("✗", "?", "◐", "–", "⇄", "✓")
"""Of the words of readiness, worst first: no colour is alone."""
SCRIPTS = ("parts", "columns", "filters", "machines", "story", "tabs", "paper", "start", "load")
"""The parts of the page's script. All but the first and the last one read the data, and wait for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """How many machines have a word in a direction."""

    word: str
    count: int
    letter: str
    sign: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintedRow:
    """A machine to see to in one direction, as it stands on paper: in full."""

    row: Readiness
    route: str
    addresses: str
    word: str
    cover: str
    remedy: str
    command: Command | None


def page(table: Table) -> str:
    """The whole file as one text."""
    return "".join(page_pieces(table))


def page_pieces(table: Table) -> Iterator[str]:
    """In pieces. What is on paper, and what a reader without scripts sees, is written here; the rest is drawn."""
    style, script = _part("page.css"), _script()
    sentence = table.headline
    machines, covered = _open_by_machine(table), covered_sides(table.more_than_passed)
    rows = [
        (of_machine[0].name, [_printed(row, table, covered) for row in of_machine])
        for of_machine in machines[:MOST_PRINTED]
    ]
    first, *reasons = [line.strip().removeprefix("- ") for line in gate_lines(table.gate)]
    return _template().generate(
        table=table,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        data=data(table),
        title=f"{printable(table.estate.name)}: Hyper-V compliance",
        sentence=sentence[:1].upper() + sentence[1:],
        gate=first,
        reasons=reasons,
        coverage=table.gate.coverage,
        again=READ_AGAIN,
        kinds=kinds_text(table, "machine"),
        direction=direction_text(table),
        tiles=[(direction.value, _tiles(counts)) for direction, counts in count_directions(table)],
        machines=rows,
        more_machines=max(len(machines) - MOST_PRINTED, 0),
        count=len(machines),
        waived=table.count(Result.WAIVED),
        most=MOST_NAMED,
        longest=LONGEST,
        evidence=evidence_block(table),
        attribution=ATTRIBUTION,
    )


def _tiles(counts: Mapping[Word, int]) -> list[Tile]:
    return [
        Tile(word=word.value, count=counts[word], letter=letter, sign=sign)
        for word, letter, sign in zip(WORST_FIRST, LETTERS, SIGNS, strict=True)
    ]


def _open_by_machine(table: Table) -> list[list[Readiness]]:
    """Return what somebody is to see to in a direction that closes the gate, by machine, worst first: what is not
    ready or unknown, and what is to be confirmed, or static without a failover address."""
    machines: dict[object, list[Readiness]] = {}
    for row in open_machines(table):
        if row.word in (Word.NOT_READY, Word.UNKNOWN) or table.remedies.of(row):
            machines.setdefault(machine_key(row), []).append(row)
    return [*machines.values()]


def _printed(row: Readiness, table: Table, covered: Mapping[SideKey, str]) -> PrintedRow:
    remedy = table.remedies.of(row)
    places = [row.primary or "not seen", row.replica or "not seen"]
    return PrintedRow(
        row=row,
        route=" → ".join(reversed(places) if row.direction is Direction.FAILBACK else places),
        addresses=join_names(row.failover_addresses, MOST_NAMED) or "none",
        word=word_text(row),
        cover=cover_of(row, covered),
        remedy=remedy.text if remedy else "",
        command=remedy.command if remedy else None,
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _script() -> str:
    """Return the parts as one script, which leaves no name behind and says whether it is strict."""
    first, *middle, last = [_part(f"script/{name}.js") for name in SCRIPTS]
    return f'"use strict";\n(() => {{\n{first}const begin = (data) => {{\n{"".join(middle)}}};\n{last}}})();\n'


@cache
def _part(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["plain"] = printable
    environment.filters["short"] = shorten
    environment.filters["names"] = join_names
    environment.filters["plural"] = plural
    return environment.from_string(_part("page.html.j2"))
