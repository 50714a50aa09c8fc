"""results.csv: a line for each verdict, for spreadsheets (RFC 4180).

It begins with a byte order mark: without one Excel takes UTF-8 for the code page that its machine is used to. No cell
begins with what spreadsheets take for a formula, nor does any part of one that becomes a cell of its own where the
list separator is another (OWASP, "CSV Injection"): an apostrophe stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from compliance.gate.decision import BaselineState, Decision
from compliance.gate.exits import Exit
from compliance.judge.readiness import Readiness
from compliance.model import Server
from compliance.report.readiness import ReadinessOf, word_text
from compliance.report.table import Table
from compliance.rule import Result, Severity, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.rules.remedies.remedy import Remedy
from compliance.words import printable

MARK = "\ufeff"
HEADINGS = (
    *("estate", "rule", "severity", "result", "state", "closes"),
    *("server", "site", "groups", "virtual_machine", "guid", "side", "addresses_now", "failover_addresses"),
    *("finding", "evidence", "bpa_would_say", "waiver", "remarks", "cluster"),
    *("condition", "cause", "readiness", "remedy", "command_where", "command"),
)
_PLAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._:/()-]|[,;] ?(?=[A-Za-z0-9]))*+")
"""What needs no second look, such as a GUID or an address with its gateway: every machine has its own, so that no cache
holds them all."""
_FORMULA = re.compile(r"""(^|[;,|])([\s"']*)(?=[=+\-@＝＋－＠])""")


def csv_rows(table: Table) -> Iterator[str]:
    """In pieces, since a whole one may take more memory than all that it tells of."""
    yield MARK
    yield line(HEADINGS)
    sides: dict[int, _SideCells] = {}
    servers = {server.name: server for server in table.estate.servers}
    find = ReadinessOf(table)
    estate = _cell(table.estate.name)
    for decision in table.worst_first:
        verdict = decision.verdict
        about = id(verdict.vm or verdict.subject)
        cells = sides.get(about)
        if cells is None:
            cells = sides[about] = _side_cells(verdict, servers.get(verdict.server or ""), find(verdict))
        yield f"{estate},{_row(decision, cells, table.remedies.of(verdict))}\r\n"


_SideCells = tuple[str, str, str, str]
"""What each line on one side of a machine has in common, in its four places: who it is, its addresses, its cluster and
its readiness. Joined once, since every rule has a line on it."""


def _side_cells(verdict: Verdict, server: Server | None, readiness: Sequence[Readiness]) -> _SideCells:
    machine = verdict.machine
    who = (
        verdict.server or "",
        (server.site or "") if server else "",
        _join_texts(server.groups if server else ()),
        machine.name if machine else "",
        machine.guid if machine else "",
        str(machine.role) if machine else "",
    )
    return (
        _cells(who),
        _cell(_join_texts(machine.failover_addresses if machine else ())),
        _cell(verdict.cluster or ""),
        _cell(_join_texts(f"{one.direction}: {word_text(one)}" for one in readiness)),
    )


def _row(decision: Decision, side: _SideCells, remedy: Remedy | None) -> str:
    who, addresses, cluster, readiness = side
    rule, outcome = decision.verdict.rule, decision.reported.outcome
    now, bpa = outcome.facts.get(ADDRESSES_NOW, ()), outcome.facts.get(BPA, ())
    head = _head_cells(rule.key, rule.severity, outcome.result, decision.state, decision.closes)
    seen = _cell(_join_texts(now)) if now else EMPTY
    waiver = decision.waiver.place if decision.waiver else ""
    beside = _beside_cells(outcome.evidence, tuple(bpa), waiver, tuple(outcome.remarks))  # an own rule may say a list
    why = _why_cells(outcome.condition, outcome.cause)
    todo = _cells(remedy_cells(remedy)) if remedy else NO_REMEDY
    return f"{head},{who},{seen},{addresses},{_cell(outcome.finding)},{beside},{cluster},{why},{readiness},{todo}"


_one_of_few = lru_cache(maxsize=1024)
"""For neighbouring cells that many lines have alike."""


@_one_of_few
def _head_cells(rule: str, severity: Severity, result: Result, state: BaselineState | None, closes: Exit) -> str:
    return _cells((rule, severity.value, result.value, state.name.lower() if state else "", str(int(closes))))


@_one_of_few
def _beside_cells(evidence: str, bpa: tuple[str, ...], waiver: str, remarks: tuple[str, ...]) -> str:
    return _cells((evidence, ", ".join(bpa), waiver, _join_texts(remarks)))


@_one_of_few
def _why_cells(condition: str, cause: str) -> str:
    return _cells((condition, cause))


def remedy_cells(remedy: Remedy | None) -> tuple[str, str, str]:
    """Return what to do, where its command is for, and the command."""
    command = remedy.command if remedy else None
    return remedy.text if remedy else "", command.where if command else "", command.text if command else ""


def _join_texts(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def line(cells: Iterable[str]) -> str:
    """Return a line of CSV: every cell printable, in quotes, and no formula."""
    return f"{_cells(cells)}\r\n"


def _cells(cells: Iterable[str]) -> str:
    return ",".join(map(_cell, cells))


@lru_cache(maxsize=4096)  # most cells of a line stand in the line above as well
def _cell(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    harmless = _FORMULA.sub(r"\1\2'", printable(text))
    return '"' + harmless.replace('"', '""') + '"'


EMPTY = _cell("")
NO_REMEDY = _cells(("", "", ""))
