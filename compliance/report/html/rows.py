"""The rows of pytest-html's table, which escapes nothing that it is handed: all here is HTML that is safe as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from compliance.model import FailoverAddress, Unread
from compliance.report.html.names import link_to_rule, name_of, word_of
from compliance.report.html.parts import MOST_NAMES, as_html, html_names
from compliance.report.table import ORDER, worst_first
from compliance.rule import Outcome, Result, Verdict

HEADINGS = {
    "outcome": "Outcome",
    "severity": "Severity",
    "rule": "Rule",
    "server": "Server",
    "machine": "Virtual machine",
    "side": "Side",
    "address": "Failover address",
    "finding": "Finding",
}
WORDS = {
    Result.FAILED: "Failed",
    Result.UNKNOWN: "Error",
    Result.WAIVED: "Skipped",
    Result.NOT_APPLICABLE: "Skipped",
    Result.PASSED: "Passed",
}
"""pytest's words for our results: pytest-html's filters, counters and colours know no others."""


def choose_rows(verdicts: Sequence[Verdict], limit: int = 1000) -> set[str]:
    """Ids of the verdicts that pytest-html's table has room for: it turns unusable at some thousand rows."""
    return {verdict.id for verdict in worst_first(verdicts)[:limit]}


def header_cells() -> list[str]:
    """pytest-html sorts by what a cell holds, and finds its filters' word in a cell too: the first one, a comment."""
    heads = (f'<th class="sortable" data-column-type="{name}">{text}</th>' for name, text in HEADINGS.items())
    return ['<!--<th class="sortable" data-column-type="result">pytest\'s own result</th>-->', *heads]


def row_cells(verdict: Verdict) -> list[str]:
    outcome, machine, rule = verdict.outcome, verdict.machine, verdict.rule
    return [
        _key("result", WORDS[outcome.result]),
        # Its class is pytest-html's own, for colour and for the hint under the mouse; the key before it is ours.
        _key("outcome", f"{ORDER.index(outcome.result)}{rule.severity.rank}") + _cell("result", _result(outcome)),
        _key("severity", f"{rule.severity.rank}{ORDER.index(outcome.result)}")
        + _cell("severity", word_of(rule.severity)),
        _cell("rule", as_html(rule)),
        _cell("server", as_html(verdict.server or verdict.cluster or "")),
        _cell("machine", as_html(name_of(verdict)) if machine else ""),
        _cell("side", as_html(machine.role if machine else "")),
        _cell("address", html_names(machine.failover_addresses if machine else ())),
        _cell("finding", as_html(f"only if {outcome.condition}" if _is_conditional(outcome) else outcome.finding)),
    ]


def _is_conditional(outcome: Outcome) -> bool:
    return outcome.result is Result.PASSED and bool(outcome.condition)


def _result(outcome: Outcome) -> str:
    return "Passed if" if _is_conditional(outcome) else word_of(outcome.result)


def foreign_cells(cells: Sequence[str], nodeid: str) -> list[str]:
    """The row of a test that is not ours, under our headings; ``cells`` are pytest-html's."""
    match = re.search(r">(\w+)</td>", cells[0])
    word = match[1] if match else "Error"
    rank = list(WORDS.values()).index(word) if word in WORDS.values() else len(ORDER)
    own = {"rule": as_html(nodeid)}
    rest = [_cell(name, own.get(name, "")) for name in list(HEADINGS)[1:]]
    return [_key("result", word), _key("outcome", f"{rank}9") + _cell("result", word), *rest]


def detail(verdict: Verdict) -> list[str]:
    """For ``data`` of pytest_html_results_table_html. On one line: pytest-html marks lines that begin with an E."""
    outcome, machine = verdict.outcome, verdict.machine
    if outcome.result is Result.PASSED and not (outcome.remarks or outcome.condition):
        return []
    facts = [
        ("Only if", as_html(outcome.condition)),
        ("Evidence", as_html(outcome.evidence)),
    ]
    facts += [(name, html_names(values)) for name, values in outcome.facts.items()]
    if machine:
        facts += [("After a failover", _setting(setting)) for setting in _failover(machine.failover)]
    facts += [("Remark", as_html(remark)) for remark in outcome.remarks]
    if outcome.result is Result.FAILED:
        facts.append(("Impact and resolution", link_to_rule(verdict.rule)))
    entries = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    facts_html = f"<dl>{entries}</dl>" if entries else ""
    return [f'<div class="hv-detail"><p>{as_html(outcome.finding)}</p>{facts_html}</div>']


def detail_of_several(lines: Iterable[str]) -> list[str]:
    """The same for a case that carries several verdicts; ``lines`` are bounded, and the first one counts them."""
    first, *more = (as_html(line) for line in lines)
    items = "".join(f"<li>{line}</li>" for line in more)
    return [f'<div class="hv-detail"><p>{first}</p>{f"<ul>{items}</ul>" if items else ""}</div>']


def _failover(settings: tuple[FailoverAddress, ...] | Unread) -> tuple[FailoverAddress | Unread, ...]:
    return (settings,) if isinstance(settings, Unread) else settings[:MOST_NAMES]


def _setting(setting: FailoverAddress | Unread) -> str:
    if isinstance(setting, Unread):
        return f"not known: {as_html(setting)}"
    more = {"mask": setting.subnets, "gateway": setting.gateways, "DNS": setting.dns_servers}
    parts = [f"on {as_html(setting.adapter)}"] if setting.adapter else ["on an adapter that the server does not list"]
    parts += [f"{name} {html_names(values)}" for name, values in more.items() if values]
    return f"{html_names(setting.addresses)} ({'; '.join(parts)})"


def _key(column: str, key: str) -> str:
    """A cell that pytest-html reads and nobody sees. It takes the first ``<td>`` of the text, comment or not."""
    return f'<!--<td class="col-{column}">{key}</td>-->'


def _cell(column: str, content: str) -> str:
    """Without elements inside: pytest-html opens a row on a click into the cell itself only."""
    return f'<td class="col-{column}">{content}</td>'
