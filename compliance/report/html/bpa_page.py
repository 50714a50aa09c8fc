"""The HTML report of pytest-html: a summary in the shape of Microsoft's Best Practices Analyzer.

pytest-html escapes nothing that a hook hands it, so every function here returns HTML that is safe as it is: text that a
host, a guest or an inventory wrote goes through ``as_html``, and there is no script.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from compliance.model import Evidence, Server
from compliance.report.by_cause import CauseGroup, groups_by_cause
from compliance.report.gate_text import gate_lines
from compliance.report.headings import PASSED_IF, groups
from compliance.report.html.environment import BPA_ONLY
from compliance.report.html.names import anchor_of, link_to_rule, name_of, word_of
from compliance.report.html.parts import LONG, Column, as_html, grid, html_names, paragraphs
from compliance.report.html.style import STYLE
from compliance.report.readiness import WORST_FIRST, count_directions, direction_text
from compliance.report.table import ORDER, READ_AGAIN, Table, by_rule, impacts, worst_first
from compliance.rule import Result, Rule, Severity, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.rules.evidence.today import today_of
from compliance.words import plural, printable

MOST_ROWS = 500
"""Rows that one list of the summary holds; how many more there are is said."""

LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def summary(table: Table, *, shown: int, rows_left_out: int, several: bool = False, page: str = "") -> list[str]:
    """For ``prefix`` of pytest_html_results_summary. ``shown`` and ``rows_left_out`` count pytest-html's own rows.

    ``several``: some of them stand for more than one verdict. ``page``: the address of the page for people, if any.
    """
    parts = (
        _head(table, page),
        _numbers(table, shown, rows_left_out),
        _violated(table),
        _waived(table),
        _unknown(table),
        _passed_if(table),
        _remarks(table),
        _below(shown, rows_left_out, several=several),
    )
    body = "\n".join(line for part in parts for line in part)
    return [f"<style>{STYLE}</style>", f'<section class="hv-report" aria-label="Compliance">\n{body}\n</section>']


# --- the head ---------------------------------------------------------------------------------------------------------


def _head(table: Table, page: str) -> Iterator[str]:
    """The sentence, the gate, the data's age, and where the page for people is."""
    sentence = table.headline
    yield f'<p class="hv-sentence">{as_html(sentence[:1].upper() + sentence[1:], most=2000)}.</p>'
    yield from _gate(table)
    age = f"{table.data[:1].upper()}{table.data[1:]}.{f' {READ_AGAIN}' if table.is_old else ''}"
    yield f'<p class="hv-small">{as_html(f"{age} {direction_text(table)}.")}</p>'
    if page:
        yield (
            f'<p>Each machine with its reason and what to do, to search, filter and print: <a href="{escape(page)}">'
            "report.html</a></p>"
        )
    else:
        yield "<p>Each machine with its reason and what to do: run with --hv-report-dir DIR.</p>"
    if _bpa_only(table):
        yield f'<p class="hv-note"><strong>evidence: bpa</strong> – {escape(BPA_ONLY)}</p>'
    if not table.complete:
        yield (
            '<p class="hv-note"><strong>The snapshot is incomplete:</strong> gathering was interrupted, so what is '
            "missing here was never seen.</p>"
        )
    if table.scope:
        yield f'<p class="hv-note"><strong>Only a part was judged:</strong> {as_html(table.scope)}</p>'


def _numbers(table: Table, shown: int, rows_left_out: int) -> Iterator[str]:
    yield _readiness(table)
    bound = f" The table below shows {shown:,} of {shown + rows_left_out:,}." if rows_left_out else ""
    counts = [f"{table.count(result):,} {result}" for result in ORDER if result is not Result.WAIVED or _any(table)]
    yield f'<p class="hv-totals"><strong>{len(table.verdicts):,} verdicts:</strong> {", ".join(counts)}.{bound}</p>'
    yield from _overview(table)


def _readiness(table: Table) -> str:
    columns = [("Direction", "hv-name"), *((word.value.capitalize(), "hv-number") for word in WORST_FIRST)]
    rows = [
        [as_html(direction), *(f"{counts[word]:,}" for word in WORST_FIRST)]
        for direction, counts in count_directions(table)
    ]
    return grid("Virtual machines by readiness", columns, rows) if rows else ""


def _gate(table: Table) -> Iterator[str]:
    """The terminal's words: every output shows the same answer."""
    first, *more = gate_lines(table.gate)
    yield f'<p class="hv-gate"><strong>{as_html(first)}</strong></p>'
    if more:
        items = "".join(f"<li>{as_html(line.strip().removeprefix('- '))}</li>" for line in more)
        yield f"<ul>{items}</ul>"


def _any(table: Table, result: Result = Result.WAIVED) -> bool:
    return any(verdict.outcome.result is result for verdict in table.verdicts)


def _bpa_only(table: Table) -> bool:
    return table.estate.settings.evidence is Evidence.BPA


def _overview(table: Table) -> Iterator[str]:
    """The rules of which a verdict neither passed nor was not applicable; how many others there are."""
    results = [result for result in ORDER if result is not Result.WAIVED or _any(table)]
    counts = Counter((one.rule.key, one.outcome.result) for one in table.verdicts)
    rules = {one.rule.key: one.rule for one in worst_first(table.verdicts)}
    open_ones = [rule for rule in rules.values() if any(counts[rule.key, result] for result in NOT_FINE)]
    columns = [("Rule", "hv-name"), ("Severity", ""), *((str(result).capitalize(), "hv-number") for result in results)]
    rows = [
        [
            link_to_rule(rule) if counts[rule.key, Result.FAILED] else as_html(rule),
            word_of(rule.severity),
            *(f"{counts[rule.key, result]:,}" for result in results),
        ]
        for rule in open_ones
    ]
    if rows:
        yield grid("Verdicts by rule", columns, rows)
    if others := len(rules) - len(rows):
        noun = "other rule" if rows else "rule"
        yield f'<p class="hv-small">Of {plural(others, noun)} nothing failed and nothing is unknown.</p>'


NOT_FINE = (Result.FAILED, Result.UNKNOWN, Result.WAIVED)


# --- rules that are violated ------------------------------------------------------------------------------------------


def _violated(table: Table) -> Iterator[str]:
    yield "<h3>Violated rules</h3>"
    found = by_rule(table.verdicts, Result.FAILED)
    causes = [group for group in groups_by_cause(table) if group.word in list(Severity)]
    for rule, verdicts in found:
        yield from _problem(rule, verdicts, [group for group in causes if group.rule.key == rule.key])
    if not found:
        yield "<p>None, among what could be judged.</p>"


def _causes(groups: Iterable[CauseGroup]) -> Iterator[str]:
    """What is wrong, on how many machines, and what to do about it: the rule's own resolution mends one cause alone."""
    items = (
        f"<li><strong>{as_html(group.title)}.</strong>{f' {as_html(group.remedy)}' if group.remedy else ''}</li>"
        for group in groups
    )
    yield f"<ul>{''.join(items)}</ul>"


def _problem(rule: Rule, verdicts: Sequence[Verdict], causes: Sequence[CauseGroup]) -> Iterator[str]:
    yield f'<section class="hv-rule hv-{rule.severity}" id="{anchor_of(rule)}">'
    yield f'<h4><span class="hv-severity">{word_of(rule.severity)}</span> {as_html(rule.title)}</h4>'
    if len(verdicts) > LONG:
        servers = Counter(verdict.server or verdict.label for verdict in verdicts)
        names = html_names(f"{name} ({count:,})" for name, count in servers.most_common())
        yield f'<p class="hv-small">{len(verdicts):,} findings on {plural(len(servers), "server")}: {names}</p>'
    yield from _causes(causes)
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
    ("Server", "hv-short"),
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
        caption = f"{plural(len(verdicts), 'side')} of replicated virtual machines, by server"
        return grid(caption, IMPACTED, map(_impacted_machine, ordered[:MOST_ROWS]), total=len(ordered), naming=1)
    columns = [("Subject", "hv-name"), ("Finding", "hv-text"), ("Evidence", "hv-short")]
    rows = (
        [as_html(one.label), as_html(one.outcome.finding), as_html(one.outcome.evidence)] for one in ordered[:MOST_ROWS]
    )
    return grid(plural(len(ordered), "finding"), columns, rows, total=len(ordered))


def _impacted_machine(verdict: Verdict) -> list[str]:
    outcome, machine = verdict.outcome, verdict.machine
    return [
        as_html(verdict.server or ""),
        as_html(name_of(verdict)),
        as_html(machine.role if machine else ""),
        html_names(outcome.facts.get(ADDRESSES_NOW, ())) or _today(verdict),
        html_names(machine.failover_addresses if machine else ()),
        as_html(outcome.finding),
        as_html(outcome.evidence),
        as_html(outcome.fact(BPA)),
    ]


def _today(verdict: Verdict) -> str:
    """Return what the guest uses, on whichever side it runs."""
    return as_html(today_of(verdict.vm).text if verdict.vm else "not known")


# --- what is not violated, but not fine -------------------------------------------------------------------------------


def _waived(table: Table) -> Iterator[str]:
    for rule, verdicts in by_rule(table.verdicts, Result.WAIVED):
        yield f"<h3>Waived: {as_html(rule)}</h3>"
        yield _impacted(rule, verdicts)


def _unknown(table: Table) -> Iterator[str]:
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
    yield '<h3 id="hv-unknown">Unknown</h3>'
    yield "<p>None of these passed. Each may hide a violation.</p>"
    rows = [
        *(
            [as_html(name), _unread_reason(found[0]), html_names(one.rule.key for one in found)]
            for name, found in unread.items()
        ),
        *([html_names(one.label for one in found), as_html(why), as_html(key)] for (key, why), found in others.items()),
    ]
    columns = [("Server or virtual machine", "hv-name"), ("Reason", "hv-text"), ("Rules", "hv-text")]
    count = table.count(Result.UNKNOWN)
    yield grid(f"{plural(count, 'verdict')}, by reason", columns, rows[:MOST_ROWS], total=len(rows))


def _passed_if(table: Table) -> Iterator[str]:
    """What passed, if something holds that nobody looked at."""
    found = [group for group in groups(table) if group.word == PASSED_IF]
    if found:
        yield '<h3 id="hv-passed-if">Passed on a condition</h3>'
        rows = [
            [html_names(verdict.label for verdict in group.verdicts), as_html(group.heading), as_html(group.rule)]
            for group in found[:MOST_ROWS]
        ]
        columns = [("Virtual machine", "hv-name"), ("Condition", "hv-text"), ("Rule", "hv-text")]
        yield grid("None of these was looked at", columns, rows, total=len(found))


def _unread_reason(verdict: Verdict) -> str:
    unread = verdict.subject.unread if isinstance(verdict.subject, Server) else None
    return f"the server was not read: {as_html(f'{unread.why}: {unread}' if unread else verdict.outcome.finding)}"


def _remarks(table: Table) -> Iterator[str]:
    told: dict[str, dict[str, None]] = {}
    for name, remark in table.remarks():
        told.setdefault(remark, {})[printable(name)] = None
    for verdict in table.verdicts:
        for remark in verdict.outcome.remarks:
            told.setdefault(remark, {})[verdict.label] = None
    if told:
        yield '<h3 id="hv-remarks">Remarks</h3>'
        rows = [[html_names(labels), as_html(remark)] for remark, labels in list(told.items())[:MOST_ROWS]]
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
