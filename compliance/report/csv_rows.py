"""results.csv: a line for each verdict, for spreadsheets (RFC 4180).

It begins with a byte order mark: without one Excel takes UTF-8 for the code page that its machine is used to. No cell
begins with what spreadsheets take for a formula, nor does any part of one that becomes a cell of its own where the
list separator is another (OWASP, "CSV Injection"): an apostrophe stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

from compliance.gate.decision import Decision
from compliance.judge.readiness import Readiness
from compliance.model import Server
from compliance.report.readiness import ReadinessOf, word_text
from compliance.report.table import Table, decisions_worst_first
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
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:/()-]*")
"""What needs no second look, such as a GUID: every machine has its own, so that no cache holds them all."""
_FORMULA = re.compile(r"""(^|[;,|])([\s"']*)(?=[=+\-@＝＋－＠])""")


def csv_rows(table: Table) -> Iterator[str]:
    """In pieces, since a whole one may take more memory than all that it tells of."""
    servers = {server.name: server for server in table.estate.servers}
    find = ReadinessOf(table)
    rows = (
        _row(one, servers.get(one.verdict.server or ""), find(one.verdict), table.remedies.of(one.verdict))
        for one in decisions_worst_first(table.decisions)
    )
    yield MARK
    yield from map(line, chain([HEADINGS], rows))


def _row(
    decision: Decision, server: Server | None, readiness: Sequence[Readiness], remedy: Remedy | None
) -> tuple[str, ...]:
    verdict, machine, outcome = decision.verdict, decision.verdict.machine, decision.reported.outcome
    return (
        verdict.estate,
        verdict.rule.key,
        verdict.rule.severity.value,
        outcome.result.value,
        decision.state.name.lower() if decision.state else "",
        str(int(decision.closes)),
        verdict.server or "",
        (server.site or "") if server else "",
        _join_texts(server.groups if server else ()),
        machine.name if machine else "",
        machine.guid if machine else "",
        str(machine.role) if machine else "",
        _join_texts(outcome.facts.get(ADDRESSES_NOW, ())),
        _join_texts(machine.failover_addresses if machine else ()),
        outcome.finding,
        outcome.evidence,
        outcome.fact(BPA),
        decision.waiver.place if decision.waiver else "",
        _join_texts(outcome.remarks),
        verdict.cluster or "",
        outcome.condition,
        outcome.cause,
        _join_texts(f"{one.direction}: {word_text(one)}" for one in readiness),
        *remedy_cells(remedy),
    )


def remedy_cells(remedy: Remedy | None) -> tuple[str, str, str]:
    """Return what to do, where its command is for, and the command."""
    command = remedy.command if remedy else None
    return remedy.text if remedy else "", command.where if command else "", command.text if command else ""


def _join_texts(texts: Iterable[str]) -> str:
    return "; ".join(texts)


def line(cells: Iterable[str]) -> str:
    """Return a line of CSV: every cell printable, in quotes, and no formula."""
    return ",".join(map(_cell, cells)) + "\r\n"


@lru_cache(maxsize=4096)  # most cells of a line stand in the line above as well
def _cell(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    harmless = _FORMULA.sub(r"\1\2'", printable(text))
    return '"' + harmless.replace('"', '""') + '"'
