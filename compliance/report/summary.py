"""summary.md: the run on one page of Markdown, for GitHub's job summaries and everything else that renders it.

The gate, then BPA's order: a rule's issue, its impact and the machines, its resolution. GitHub drops a step's summary
whole where it is larger than 1 MiB, so this one grows to no more, and says what it left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from compliance.gate.decision import BaselineState
from compliance.judge.readiness import Readiness
from compliance.model import Evidence, Role
from compliance.report.gate_text import gate_lines
from compliance.report.headings import PASSED_IF, Heading, groups
from compliance.report.markdown_parts import code, size
from compliance.report.readiness import count_lines, direction_text, machine_text, open_machines, readiness_text
from compliance.report.table import ATTRIBUTION, ORDER, Table, impacts, unlisted_partners_text
from compliance.rule import Severity, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW

MOST_BYTES = 1_000_000
"""A step's summary on GitHub holds 1,048,576."""
RESERVED = 400
"""Bytes for the lines that tell what was left out."""
MOST_ITEMS = 200
"""Of one list."""
MOST_NAMES = 20
"""In one sentence."""
LONG = 600
"""Letters of a reason."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Section:
    """``below`` follows the items, and stands even where there was no room for all of them."""

    above: Sequence[str]
    items: Sequence[str]
    below: Sequence[str] = ()
    total: int = 0  # of the items, with those that the list is too long for


def summary(table: Table, most: int = MOST_BYTES) -> str:
    """``most``: bytes. The head is always told; where it grows too long, the last sections are cut, and say so."""
    told = list(_head(table))
    room = most - RESERVED - sum(map(size, told))
    left_out = 0
    for section in _sections(table):
        room -= sum(map(size, (*section.above, *section.below)))
        if left_out or room < 0:
            left_out += 1
            continue
        items = []
        for item in section.items:
            if size(item) > room:
                break
            room -= size(item)
            items.append(item)
        more = section.total - len(items)
        rest = [f"- … and {more:,} more: `results.json` lists them all"] if more else []
        told += [*section.above, *items, *rest, *section.below]
        room -= sum(map(size, rest))
    if left_out:
        told += ["", f"*{left_out} more section{' is' if left_out == 1 else 's are'} left out here for want of room.*"]
    return "\n".join(told) + "\n"


# --- the head ---------------------------------------------------------------------------------------------------------


def _head(table: Table) -> Iterator[str]:
    first, *more = gate_lines(table.gate)
    yield f"## Hyper-V compliance of {code(table.estate.name)}"
    yield from ("", f"**{_capital(table.headline_with(code))}.**", "", f"**{first}**", "")
    yield from (f"- {code(line.strip().removeprefix('- '), LONG)}" for line in more)
    yield from ("", f"{direction_text(table)}.", "")
    yield from (f"- {line}" for line in count_lines(table))
    yield ""
    yield from (f"- {line}" for line in _limits(table))
    yield from _counts(table)


def _limits(table: Table) -> Iterator[str]:
    if table.estate.settings.evidence is Evidence.BPA:
        yield "Evidence: bpa. Judged by Microsoft's own test alone: no guest was asked."
    if table.scope:
        yield f"Only a part was judged: {code(table.scope, LONG)}"
    if not table.complete:
        yield "The snapshot is incomplete: the gathering was interrupted."
    if partners := unlisted_partners_text(table):
        yield f"{code(partners, LONG)}."
    if states := Counter(one.state for one in table.decisions if one.state):
        told = ", ".join(f"{states[state]:,} {state}" for state in BaselineState)
        yield f"Since the baseline: {told}, {len(table.gate.vanished):,} fixed."
    yield f"Data from {table.estate.time:%Y-%m-%d %H:%M:%S %Z}; {code(table.tool)}"


def _counts(table: Table) -> Iterator[str]:
    counts = Counter((one.rule.key, one.outcome.result) for one in table.verdicts)
    rules = {one.rule.key: one.rule for one in table.verdicts}
    if not rules:
        return
    yield from ("", f"| Rule | Severity | {' | '.join(map(_capital, ORDER))} |")
    yield "| --- | --- |" + " ---: |" * len(ORDER)
    for rule in sorted(rules.values(), key=lambda one: (one.severity.rank, one.key)):
        yield f"| `{rule}` | {rule.severity} | {' | '.join(f'{counts[rule.key, result]:,}' for result in ORDER)} |"


# --- the sections -----------------------------------------------------------------------------------------------------


def _sections(table: Table) -> Iterator[_Section]:
    states = {one.reported.id: one.state for one in table.decisions if one.state}
    for group in groups(table):
        if group.word in list(Severity):
            yield _violated(group, states)
        else:
            above = ["", f"### {_capital(group.word)}: {_heading(group)}", ""]
            yield _Section(above=above, items=_items(group.verdicts), total=len(group.verdicts))
    if machines := open_machines(table):
        items = [f"- {code(machine_text(one))}, {one.direction}: {_readiness(one)}" for one in machines[:MOST_ITEMS]]
        yield _Section(above=["", "### Not plainly ready", ""], items=items, total=len(machines))
    if vanished := table.gate.vanished:
        items = [f"- {code(one.label)}: {code(one.rule)}" for one in vanished[:MOST_ITEMS]]
        yield _Section(above=["", "### Fixed since the baseline", ""], items=items, total=len(vanished))
    yield from _remarks(table)


def _readiness(one: Readiness) -> str:
    word, _, reason = readiness_text(one).partition(": ")
    return f"**{word}:** {code(reason, LONG)}" if reason else code(word, LONG)


def _heading(group: Heading) -> str:
    """A condition may hold a guest's words, which stand in a code span."""
    return code(group.heading, LONG) if group.word == PASSED_IF else group.heading


def _violated(group: Heading, states: Mapping[str, BaselineState]) -> _Section:
    rule, verdicts = group.rule, group.verdicts
    above = ["", f"### {_capital(group.word)}: {_heading(group)}", "", f"**Rule:** {rule.title} (`{rule}`)", ""]
    if rule.issue:
        above += [f"**Issue:** {rule.issue}", ""]
    above += [f"**Impact:** {rule.impact} {impacts(rule)}", ""]
    below = ["", f"**Resolution:** {rule.resolution}"]
    if rule.link:
        below += ["", f"[The rule's page]({rule.link})"]
    if rule.quoted:
        below += ["", f"<sub>{ATTRIBUTION}</sub>"]
    return _Section(above=above, items=_items(verdicts, states), below=below, total=len(verdicts))


def _items(verdicts: Sequence[Verdict], states: Mapping[str, BaselineState] = MappingProxyType({})) -> list[str]:
    """``states``: beside the baseline, by ids."""
    ordered = sorted(verdicts, key=lambda one: ((one.server or "").casefold(), one.label.casefold(), one.label))
    return [f"- {''.join(_item(verdict, states.get(verdict.id)))}" for verdict in ordered[:MOST_ITEMS]]


def _item(verdict: Verdict, state: BaselineState | None) -> Iterator[str]:
    yield f"**{_capital(state)}:** {code(verdict.label)}" if state else code(verdict.label)
    if machine := verdict.machine:
        node = f" on {code(machine.server)}" if machine.cluster else ""
        yield f" ({machine.role}{node})" if isinstance(machine.role, Role) else f" ({code(str(machine.role))})"
        if now := verdict.outcome.facts.get(ADDRESSES_NOW):
            yield f", now {code(', '.join(now))}"
        if after := machine.failover_addresses:
            yield f", after a failover {code(', '.join(after))}"
    yield f": {code(verdict.outcome.finding, LONG)}"


def _remarks(table: Table) -> Iterator[_Section]:
    found = list(table.remarks())
    if found:
        items = [f"- {code(name)}: {code(remark, LONG)}" for name, remark in found[:MOST_ITEMS]]
        yield _Section(above=["", "### Remarks", ""], items=items, total=len(found))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
