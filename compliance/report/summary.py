"""summary.md: the run on one page of Markdown, for GitHub's job summaries and everything else that renders it.

The gate, then BPA's order: a rule's issue, its impact and the machines, its resolution. GitHub drops a step's summary
whole where it is larger than 1 MiB, so this one grows to no more, and says what it left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from compliance.gate.decision import BaselineState, Decision
from compliance.judge.readiness import Readiness
from compliance.model import Evidence, Role
from compliance.report.by_cause import CauseGroup, causes_of
from compliance.report.gate_text import gate_lines
from compliance.report.headings import PASSED_IF, Heading, groups
from compliance.report.markdown_parts import code, size
from compliance.report.readiness import count_lines, direction_text, machine_text, open_machines, readiness_text
from compliance.report.table import ATTRIBUTION, ORDER, Table, rank, unlisted_partners_text
from compliance.rule import Rule, Severity, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW
from compliance.rules.remedies.remedy import Remedy

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
MOST_OF_A_COMMAND = 2000
"""Letters; the longest that we write has some 600, and one that is cut is none."""


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
    if states := Counter(one.state for one in table.more_than_passed if one.state):
        told = ", ".join(f"{states[state]:,} {state}" for state in BaselineState)
        yield f"Since the baseline: {told}, {len(table.gate.vanished):,} fixed."
    yield f"Data from {table.estate.time:%Y-%m-%d %H:%M:%S %Z}; {code(table.tool)}"


def _counts(table: Table) -> Iterator[str]:
    if not table.rules:
        return
    yield from ("", f"| Rule | Severity | {' | '.join(map(_capital, ORDER))} |")
    yield "| --- | --- |" + " ---: |" * len(ORDER)
    for rule in sorted(table.rules.values(), key=rank):
        counts = " | ".join(f"{table.counts.get((rule.key, result), 0):,}" for result in ORDER)
        yield f"| `{rule}` | {rule.severity} | {counts} |"


# --- the sections -----------------------------------------------------------------------------------------------------


def _sections(table: Table) -> Iterator[_Section]:
    states = {one.reported.id: one.state for one in table.more_than_passed if one.state}
    for group in groups(table):
        yield from _of_rule(group, table, states)
    if machines := open_machines(table):
        items = [
            f"- {code(machine_text(one))}, {one.direction}: {_readiness(one, table)}" for one in machines[:MOST_ITEMS]
        ]
        yield _Section(above=["", "### Not plainly ready", ""], items=items, total=len(machines))
    if vanished := table.gate.vanished:
        items = [f"- {code(one.label)}: {code(one.rule)}" for one in vanished[:MOST_ITEMS]]
        yield _Section(above=["", "### Fixed since the baseline", ""], items=items, total=len(vanished))
    yield from _remarks(table)


def _of_rule(group: Heading, table: Table, states: Mapping[str, BaselineState]) -> Iterator[_Section]:
    """Yield what is wrong and what to do, cause by cause; the rule's own text stands below."""
    rule, is_violated = group.rule, group.word in list(Severity)
    above = ["", f"### {_capital(group.word)}: {_heading(group)}"]
    if is_violated:
        above += ["", f"**Rule:** {rule.title} (`{rule}`)"]
    causes = list(causes_of(group, table.remedies.of))
    for number, cause in enumerate(causes):
        is_own = len(causes) > 1 or bool(cause.cause)
        title = ["", f"#### {_capital(cause.title)}"] if is_own and cause.word != PASSED_IF else []
        # a rule that names no cause has its resolution below
        to_do = code(cause.remedy, LONG) if cause.remedy and cause.is_foreign else cause.remedy
        remedy = ["", f"**What to do:** {to_do}"] if to_do and (cause.cause or not is_violated) else []
        is_last = number == len(causes) - 1
        yield _Section(
            above=[*(above if number == 0 else []), *title, *remedy, ""],
            items=_items(cause, table, states),
            below=_of_bpa(rule) if is_violated and is_last else [],
            total=len(cause.decisions),
        )


def _of_bpa(rule: Rule) -> list[str]:
    """Return the rule's own issue, impact and resolution, whole."""
    lines = ["", f"**Issue:** {rule.issue}"] if rule.issue else []
    lines += ["", f"**Impact:** {rule.impact}", "", f"**Resolution:** {rule.resolution}"]
    if rule.link:
        lines += ["", f"[The rule's page]({rule.link})"]
    if rule.quoted:
        lines += ["", f"<sub>{ATTRIBUTION}</sub>"]
    return lines


def _readiness(one: Readiness, table: Table) -> str:
    """Return the word and the reason; with what to do where no finding above has it."""
    word, _, reason = readiness_text(one).partition(": ")
    remedy = table.remedies.of(one) if one.verdict is None else None
    text = f"**{word}:** {code(reason, LONG)}" if reason else code(word, LONG)
    return f"{text}. {_remedy_text(remedy)}" if remedy else text


def _remedy_text(remedy: Remedy) -> str:
    """Return what to do: in a code span where a host or a guest has a word in it."""
    return code(remedy.text, LONG) if remedy.is_foreign else remedy.text


def _heading(group: Heading) -> str:
    """A condition may hold a guest's words, which stand in a code span."""
    return code(group.heading, LONG) if group.word == PASSED_IF else group.heading


def _items(cause: CauseGroup, table: Table, states: Mapping[str, BaselineState]) -> list[str]:
    """``states``: beside the baseline, by ids."""
    ordered = sorted(cause.decisions, key=_by_server)
    return [_lines_of(one, cause, table, states) for one in ordered[:MOST_ITEMS]]


def _by_server(decision: Decision) -> tuple[str, str, str]:
    label = decision.reported.label
    return (decision.reported.server or "").casefold(), label.casefold(), label


def _lines_of(decision: Decision, cause: CauseGroup, table: Table, states: Mapping[str, BaselineState]) -> str:
    """Return a finding, with what of its remedy is its own: below, since a command is long."""
    lines = [f"- {''.join(_item(decision.reported, states.get(decision.reported.id)))}"]
    remedy = table.remedies.of(decision.verdict)
    if remedy and cause.cause:
        lines += [f"  - {_remedy_text(remedy)}"] if remedy.text != cause.remedy else []
        if command := remedy.command:
            lines.append(f"  - {code(command.where)}: {code(command.text, MOST_OF_A_COMMAND)}")
    return "\n".join(lines)


def _item(verdict: Verdict, state: BaselineState | None) -> Iterator[str]:
    yield f"**{_capital(state)}:** {code(verdict.label)}" if state else code(verdict.label)
    if machine := verdict.machine:
        node = f" on {code(machine.server)}" if machine.cluster else ""
        yield f" ({machine.role}{node})" if isinstance(machine.role, Role) else f" ({code(str(machine.role))})"
        if now := verdict.outcome.facts.get(ADDRESSES_NOW):
            yield f", now {code(', '.join(now))}"
        if after := machine.failover_addresses:
            yield f", after a {'failback' if machine.role is Role.PRIMARY else 'failover'} {code(', '.join(after))}"
    yield f": {code(verdict.outcome.finding, LONG)}"


def _remarks(table: Table) -> Iterator[_Section]:
    found = list(table.remarks())
    if found:
        items = [f"- {code(name)}: {code(remark, LONG)}" for name, remark in found[:MOST_ITEMS]]
        yield _Section(above=["", "### Remarks", ""], items=items, total=len(found))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
