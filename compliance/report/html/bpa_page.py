"""The HTML report: a summary in the shape of Microsoft's Best Practices Analyzer, and the rows of pytest-html's table.

pytest-html escapes nothing that a hook hands it, so every function here returns HTML that is safe as it is: text that a
host, a guest or an inventory wrote goes through ``said``, and there is no script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from compliance.model import Evidence, FailoverAddress, Server, Unread
from compliance.report.gate_text import gate_told
from compliance.report.html.parts import LONG, MOST_NAMES, Column, counted, grid, listed, paragraphs, said
from compliance.report.html.style import STYLE
from compliance.report.table import ORDER, Table, by_rule, impacts, sentence, worst_first
from compliance.rule import Result, Rule, Severity, Verdict
from compliance.words import printable

MOST_ROWS = 500
"""Rows that one list of the summary holds; how many more there are is said."""

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
BPA_ONLY = "Microsoft's own test alone: whether Data Exchange is offered on this host. No guest was asked."


def summary(table: Table, *, shown: int, rows_left_out: int, several: bool = False, page: str = "") -> list[str]:
    """For ``prefix`` of pytest_html_results_summary. ``shown`` and ``rows_left_out`` count pytest-html's own rows.

    ``several``: some of them stand for more than one verdict. ``page``: the address of the page for people, if any.
    """
    parts = (
        _head(table, shown, rows_left_out),
        _to_page(page),
        _violated(table),
        _waived(table),
        _not_judged(table),
        _notices(table),
        _below(shown, rows_left_out, several=several),
    )
    body = "\n".join(line for part in parts for line in part)
    return [f"<style>{STYLE}</style>", f'<section class="hv-report" aria-label="Compliance">\n{body}\n</section>']


def environment(table: Table) -> dict[str, str]:
    """For pytest-metadata's table. pytest-html sets names as text but values as HTML, so these are escaped."""
    estate = table.estate
    read = [server.name for server in estate.servers if not server.unread]
    unread = [f"{server.name} ({server.unread})" for server in table.unread]
    choices = {one.name: one.insecure for one in estate.read} | {way.name: way.insecure for way in estate.ways}
    insecure = [f"{name} ({choice})" for name, choice in choices.items() if choice]
    rows = {
        "Estate": said(estate.name),
        "Inventory": said(table.inventory),
        "Inventory digest": said(table.inventory_digest),
        "Snapshot": said(_time(table)) + ("" if table.complete else ", incomplete"),
        "Servers read": f"{len(read)} of {len(estate.servers)}: {listed(read)}" if read else "none",
        "Servers not read": listed(unread) or "none",
        "Evidence": said(f"{estate.settings.evidence}: {BPA_ONLY}" if _bpa_only(table) else estate.settings.evidence),
        "Boot grace": f"{estate.settings.boot_grace.total_seconds() / 60:g} minutes",
        "Tool": said(table.tool),
        "Scope": said(table.scope),
        "Insecure choices": listed(insecure) or "none",
    }
    return {name: value for name, value in rows.items() if value}


def choose_rows(verdicts: Sequence[Verdict], limit: int = 1000) -> set[str]:
    """Ids of the verdicts that pytest-html's table has room for: it turns unusable at some thousand rows."""
    return {verdict.id for verdict in worst_first(verdicts)[:limit]}


# --- the head ---------------------------------------------------------------------------------------------------------


def _head(table: Table, shown: int, rows_left_out: int) -> Iterator[str]:
    told = sentence(table)
    yield f'<p class="hv-sentence">{said(told[:1].upper() + told[1:], most=2000)}.</p>'
    yield from _gate(table)
    if _bpa_only(table):
        yield f'<p class="hv-note"><strong>evidence: bpa</strong> – {escape(BPA_ONLY)}</p>'
    if not table.complete:
        yield (
            '<p class="hv-note"><strong>The snapshot is incomplete:</strong> gathering was interrupted, so what is '
            "missing here was never seen.</p>"
        )
    if table.scope:
        yield f'<p class="hv-note"><strong>Only a part was judged:</strong> {said(table.scope)}</p>'
    bound = f" The table below shows {shown:,} of {shown + rows_left_out:,}." if rows_left_out else ""
    counts = [f"{table.count(result):,} {result}" for result in ORDER if result is not Result.WAIVED or _any(table)]
    yield f'<p class="hv-totals"><strong>{len(table.verdicts):,} verdicts:</strong> {", ".join(counts)}.{bound}</p>'
    at = said(_time(table))
    yield f'<p class="hv-small">Estate {said(table.estate)}, as it was at {at}; {said(table.tool)}</p>'
    yield _overview(table)


def _to_page(page: str) -> Iterator[str]:
    if page:
        yield f'<p>The page for people: <a href="{escape(page)}">report.html</a></p>'


def _gate(table: Table) -> Iterator[str]:
    """The terminal's words: every output shows the same answer."""
    first, *more = gate_told(table.gate)
    yield f'<p class="hv-gate"><strong>{said(first)}</strong></p>'
    if more:
        items = "".join(f"<li>{said(line.strip().removeprefix('- '))}</li>" for line in more)
        yield f"<ul>{items}</ul>"


def _any(table: Table, result: Result = Result.WAIVED) -> bool:
    return any(verdict.outcome.result is result for verdict in table.verdicts)


def _bpa_only(table: Table) -> bool:
    return table.estate.settings.evidence is Evidence.BPA


def _time(table: Table) -> str:
    return f"{table.estate.time:%Y-%m-%d %H:%M:%S %Z}"


def _overview(table: Table) -> str:
    results = [result for result in ORDER if result is not Result.WAIVED or _any(table)]
    counts = Counter((one.rule.key, one.outcome.result) for one in table.verdicts)
    rules = list({one.rule.key: one.rule for one in worst_first(table.verdicts)}.values())
    columns = [("Rule", "hv-name"), ("Severity", ""), *((str(result).capitalize(), "hv-number") for result in results)]
    rows = [
        [
            _link_to(rule) if counts[rule.key, Result.FAILED] else said(rule),
            _word(rule.severity),
            *(f"{counts[rule.key, result]:,}" for result in results),
        ]
        for rule in rules
    ]
    return grid("Verdicts by rule", columns, rows)


def _link_to(rule: Rule) -> str:
    return f'<a href="#{_anchor(rule)}">{said(rule)}</a>'


# --- rules that are violated ------------------------------------------------------------------------------------------


def _violated(table: Table) -> Iterator[str]:
    yield "<h3>Violated rules</h3>"
    found = by_rule(table.verdicts, Result.FAILED)
    for rule, verdicts in found:
        yield from _problem(rule, verdicts)
    if not found:
        yield "<p>None, among what could be judged.</p>"


def _problem(rule: Rule, verdicts: Sequence[Verdict]) -> Iterator[str]:
    yield f'<section class="hv-rule hv-{rule.severity}" id="{_anchor(rule)}">'
    yield f'<h4><span class="hv-severity">{_word(rule.severity)}</span> {said(rule.title)}</h4>'
    if len(verdicts) > LONG:
        servers = Counter(verdict.server or verdict.label for verdict in verdicts)
        names = listed(f"{name} ({count:,})" for name, count in servers.most_common())
        yield f'<p class="hv-small">{len(verdicts):,} findings on {counted(len(servers), "server")}: {names}</p>'
    if rule.issue:
        yield f"<h5>Issue</h5>{paragraphs(rule.issue)}"
    yield f"<h5>Impact</h5>{paragraphs(f'{rule.impact} {impacts(rule)}')}"
    yield _impacted(rule, verdicts)
    yield f"<h5>Resolution</h5>{paragraphs(rule.resolution)}"
    if rule.link:
        yield f'<p><a href="{escape(rule.link)}" rel="noreferrer">The rule\'s page</a></p>'
    if rule.quoted:
        yield _attribution(rule)
    yield "</section>"


def _attribution(rule: Rule) -> str:
    source = "Windows Server documentation"
    linked = f'<a href="{escape(rule.link)}" rel="noreferrer">{source}</a>' if rule.link else source
    return (
        f'<p class="hv-small">Rule texts: Microsoft and contributors, {linked}, CC BY 4.0 (<a href="{LICENCE}" '
        f'rel="noreferrer">{LICENCE}</a>); lists of machines filled in by this tool. Not affiliated with or endorsed '
        "by Microsoft.</p>"
    )


IMPACTED: Sequence[Column] = (
    ("Server", "hv-name"),
    ("Virtual machine", "hv-name"),
    ("Side", "hv-short"),
    ("Addresses now", "hv-address"),
    ("After a failover", "hv-address"),
    ("Finding", "hv-text"),
    ("Evidence", "hv-short"),
    ("BPA would say", "hv-short"),
)


def _impacted(rule: Rule, verdicts: Sequence[Verdict]) -> str:
    ordered = sorted(verdicts, key=lambda one: ((one.server or "").casefold(), one.label.casefold()))
    if rule.of_machines:
        caption = f"{counted(len(verdicts), 'side')} of replicated virtual machines, by server"
        return grid(caption, IMPACTED, map(_impacted_machine, ordered[:MOST_ROWS]), total=len(ordered), naming=1)
    columns = [("Subject", "hv-name"), ("Finding", "hv-text"), ("Evidence", "hv-short")]
    rows = ([said(one.label), said(one.outcome.finding), said(one.outcome.evidence)] for one in ordered[:MOST_ROWS])
    return grid(counted(len(ordered), "finding"), columns, rows, total=len(ordered))


def _impacted_machine(verdict: Verdict) -> list[str]:
    outcome, machine = verdict.outcome, verdict.machine
    return [
        said(verdict.server or ""),
        said(_name(verdict)),
        said(machine.role if machine else ""),
        listed(outcome.addresses_now) or "not known",
        listed(machine.failover_addresses if machine else ()),
        said(outcome.finding),
        said(outcome.evidence),
        said(outcome.bpa),
    ]


# --- what is not violated, but not fine -------------------------------------------------------------------------------


def _waived(table: Table) -> Iterator[str]:
    for rule, verdicts in by_rule(table.verdicts, Result.WAIVED):
        yield f"<h3>Waived: {said(rule)}</h3>"
        yield _impacted(rule, verdicts)


def _not_judged(table: Table) -> Iterator[str]:
    """A server that was not read is one row; of the others, those that share a rule and a reason."""
    unread: dict[str, list[Verdict]] = {}
    others: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in worst_first([one for one in table.verdicts if one.outcome.result is Result.UNKNOWN]):
        if isinstance(verdict.subject, Server) and verdict.subject.unread:
            unread.setdefault(verdict.label, []).append(verdict)
        else:
            others.setdefault((verdict.rule.key, verdict.outcome.finding), []).append(verdict)
    if not (unread or others):
        return
    yield '<h3 id="hv-not-judged">What could not be judged</h3>'
    yield "<p>None of these passed. Each may hide a violation.</p>"
    rows = [
        *(
            [said(name), _unread_reason(found[0]), listed(one.rule.key for one in found)]
            for name, found in unread.items()
        ),
        *([listed(one.label for one in found), said(why), said(key)] for (key, why), found in others.items()),
    ]
    columns = [("Server or virtual machine", "hv-name"), ("Reason", "hv-text"), ("Rules", "hv-text")]
    count = table.count(Result.UNKNOWN)
    yield grid(f"{counted(count, 'verdict')}, by reason", columns, rows[:MOST_ROWS], total=len(rows))


def _unread_reason(verdict: Verdict) -> str:
    unread = verdict.subject.unread if isinstance(verdict.subject, Server) else None
    return f"the server was not read: {said(f'{unread.why}: {unread}' if unread else verdict.outcome.finding)}"


def _notices(table: Table) -> Iterator[str]:
    told: dict[str, dict[str, None]] = {}
    for name, remark in table.remarks():
        told.setdefault(remark, {})[printable(name)] = None
    for verdict in table.verdicts:
        for remark in verdict.outcome.remarks:
            told.setdefault(remark, {})[verdict.label] = None
    if told:
        yield '<h3 id="hv-notices">Notices</h3>'
        rows = [[listed(labels), said(remark)] for remark, labels in list(told.items())[:MOST_ROWS]]
        columns = [("Server or virtual machine", "hv-name"), ("Remark", "hv-text")]
        yield grid("Beside the verdicts: no rule judges these", columns, rows, total=len(told))


def _below(shown: int, rows_left_out: int, *, several: bool) -> Iterator[str]:
    yield "<h3>Every case</h3>"
    if several:
        yield "<p>A row may stand for several verdicts (--hv-grain): it counts them.</p>"
    if rows_left_out:
        yield (
            f"<p>The table shows {shown:,} of {shown + rows_left_out:,} cases, failed and unknown ones first. The "
            "numbers beside its filters count these rows only.</p>"
        )


# --- pytest-html's table ----------------------------------------------------------------------------------------------

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


def header_cells() -> list[str]:
    """pytest-html sorts by what a cell holds, and finds its filters' word in a cell too: the first one, a comment."""
    heads = (f'<th class="sortable" data-column-type="{name}">{text}</th>' for name, text in HEADINGS.items())
    return ['<!--<th class="sortable" data-column-type="result">pytest\'s own result</th>-->', *heads]


def row_cells(verdict: Verdict) -> list[str]:
    outcome, machine, rule = verdict.outcome, verdict.machine, verdict.rule
    return [
        _key("result", WORDS[outcome.result]),
        # Its class is pytest-html's own, for colour and for the hint under the mouse; the key before it is ours.
        _key("outcome", f"{ORDER.index(outcome.result)}{rule.severity.rank}") + _cell("result", _word(outcome.result)),
        _key("severity", f"{rule.severity.rank}{ORDER.index(outcome.result)}")
        + _cell("severity", _word(rule.severity)),
        _cell("rule", said(rule)),
        _cell("server", said(verdict.server or verdict.cluster or "")),
        _cell("machine", said(_name(verdict)) if machine else ""),
        _cell("side", said(machine.role if machine else "")),
        _cell("address", listed(machine.failover_addresses if machine else ())),
        _cell("finding", said(outcome.finding)),
    ]


def foreign_cells(cells: Sequence[str], nodeid: str) -> list[str]:
    """The row of a test that is not ours, under our headings; ``cells`` are pytest-html's."""
    match = re.search(r">(\w+)</td>", cells[0])
    word = match[1] if match else "Error"
    rank = list(WORDS.values()).index(word) if word in WORDS.values() else len(ORDER)
    own = {"rule": said(nodeid)}
    rest = [_cell(name, own.get(name, "")) for name in list(HEADINGS)[1:]]
    return [_key("result", word), _key("outcome", f"{rank}9") + _cell("result", word), *rest]


def detail(verdict: Verdict) -> list[str]:
    """For ``data`` of pytest_html_results_table_html. On one line: pytest-html marks lines that begin with an E."""
    outcome, machine = verdict.outcome, verdict.machine
    if outcome.result is Result.PASSED and not outcome.remarks:
        return []
    facts = [("Evidence", said(outcome.evidence)), ("Microsoft's BPA would say", said(outcome.bpa))]
    if machine:
        facts.append(("Addresses now", listed(outcome.addresses_now) or "not known"))
        facts += [("After a failover", _setting(one)) for one in _failover(machine.failover)]
    facts += [("Remark", said(remark)) for remark in outcome.remarks]
    if outcome.result is Result.FAILED:
        facts.append(("Impact and resolution", _link_to(verdict.rule)))
    told = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts if value)
    facts_told = f"<dl>{told}</dl>" if told else ""
    return [f'<div class="hv-detail"><p>{said(outcome.finding)}</p>{facts_told}</div>']


def detail_of_several(lines: Iterable[str]) -> list[str]:
    """The same for a case that carries several verdicts; ``lines`` are bounded, and the first one counts them."""
    first, *more = (said(line) for line in lines)
    items = "".join(f"<li>{line}</li>" for line in more)
    return [f'<div class="hv-detail"><p>{first}</p>{f"<ul>{items}</ul>" if items else ""}</div>']


def _failover(settings: tuple[FailoverAddress, ...] | Unread) -> tuple[FailoverAddress | Unread, ...]:
    return (settings,) if isinstance(settings, Unread) else settings[:MOST_NAMES]


def _setting(setting: FailoverAddress | Unread) -> str:
    if isinstance(setting, Unread):
        return f"not known: {said(setting)}"
    beside = {"mask": setting.subnets, "gateway": setting.gateways, "DNS": setting.dns_servers}
    told = [f"on {said(setting.adapter)}"] if setting.adapter else ["on an adapter that the server does not list"]
    told += [f"{name} {listed(values)}" for name, values in beside.items() if values]
    return f"{listed(setting.addresses)} ({'; '.join(told)})"


def _key(column: str, key: str) -> str:
    """A cell that pytest-html reads and nobody sees. It takes the first ``<td>`` of the text, comment or not."""
    return f'<!--<td class="col-{column}">{key}</td>-->'


def _cell(column: str, content: str) -> str:
    """Without elements inside: pytest-html opens a row on a click into the cell itself only."""
    return f'<td class="col-{column}">{content}</td>'


# --- names ----------------------------------------------------------------------------------------------------------


def _word(word: Severity | Result) -> str:
    return escape(word.value.capitalize())


def _name(verdict: Verdict) -> str:
    """A machine's name; where its server has two of that name, with what the label tells them apart by."""
    machine = verdict.machine
    return verdict.label.removeprefix(f"{printable(machine.server)}/") if machine else verdict.label


def _anchor(rule: Rule) -> str:
    return f"hv-rule-{escape(rule.key)}"
