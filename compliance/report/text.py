"""Plain text: what the terminal shows at the end, and what stands beside each case in JUnit."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from compliance.model import Evidence, Role, VirtualMachine
from compliance.report.gate_text import gate_lines
from compliance.report.headings import groups
from compliance.report.readiness import count_lines, direction_text
from compliance.report.table import ATTRIBUTION, Table, unlisted_partners_text
from compliance.rule import Result, Rule, Severity, Verdict
from compliance.words import printable

MOST_MACHINES = 50
"""Machines that a rule lists on a terminal; the reports hold them all."""


def summary(table: Table, width: int = 100) -> Iterator[str]:
    """The sentence, what limits it and the gate, then findings by rule: its resolution once, the machines under it."""
    yield _capital(printable(table.headline)) + "."
    yield _capital(printable(table.data)) + "."
    yield f"{direction_text(table)}."
    yield from (f"  {line}" for line in count_lines(table))
    if table.estate.settings.evidence is Evidence.BPA:
        yield "Evidence: bpa. Judged by Microsoft's own test alone: no guest was asked."
    if table.scope:
        yield f"Only a part was judged: {printable(table.scope)}"
    if not table.complete:
        yield "The snapshot is incomplete: the gathering was interrupted."
    if partners := unlisted_partners_text(table):
        yield f"{printable(partners)}."
    yield from gate_lines(table.gate)
    for group in groups(table):
        yield ""
        yield f"{group.word.upper()}  {_capital(group.heading)}"
        if group.word in list(Severity):
            yield from _folded(f"{group.rule.title} ({group.rule.key})", width, "  Rule: ")
            yield from _folded(group.rule.resolution.split("\n\n", 1)[0], width, "  Resolution: ")
        yield from _subjects(group.verdicts)
    yield from _remarks(table)


def _subjects(verdicts: Sequence[Verdict]) -> Iterator[str]:
    for verdict in verdicts[:MOST_MACHINES]:
        machine = verdict.machine
        node = f" on {printable(machine.server)}" if machine and machine.cluster and _is_seen(machine) else ""
        side = f" ({printable(str(machine.role))}{node})" if machine else ""
        yield f"    {verdict.label}{side}: {printable(verdict.outcome.finding)}"
    if len(verdicts) > MOST_MACHINES:
        yield f"    … and {len(verdicts) - MOST_MACHINES} more"


def _remarks(table: Table) -> Iterator[str]:
    remarks = list(table.remarks())
    if remarks:
        yield ""
        yield "REMARKS"
        for name, remark in remarks[:MOST_MACHINES]:
            yield f"    {printable(name)}: {printable(remark)}"
        if len(remarks) > MOST_MACHINES:
            yield f"    … and {len(remarks) - MOST_MACHINES} more"


def _is_seen(machine: VirtualMachine) -> bool:
    """False for one of a cluster that perhaps no node showed; the one that it is filed under is none's word then."""
    return isinstance(machine.role, Role) or not machine.cluster


def details(verdict: Verdict) -> str:
    """One case told whole, for people who have nothing but this text. The first line is the finding."""
    outcome, rule, machine = verdict.outcome, verdict.rule, verdict.machine
    lines = [outcome.finding]
    if machine:
        node = f", a node of {machine.cluster}" if machine.cluster else ""
        where = f"on {machine.server}{node}" if _is_seen(machine) else f"in the cluster {machine.cluster}"
        lines.append(f"Virtual machine: {machine.name} ({machine.role}) {where}, {machine.guid}")
        if machine.failover_addresses:
            lines.append(f"Address after a failover: {', '.join(machine.failover_addresses)}")
    if outcome.condition:
        lines.append(f"Only if: {outcome.condition}")
    if outcome.evidence:
        lines.append(f"Evidence: {outcome.evidence}")
    lines += [f"{name}: {', '.join(values)}" for name, values in outcome.facts.items() if values]
    lines += [f"Remark: {remark}" for remark in outcome.remarks]
    if outcome.result is Result.FAILED:
        lines += _rule_text(rule)
    return "\n".join(printable(line) for line in lines)


def details_of_several(rule: Rule, lines: Iterable[str], *, with_rule: bool) -> str:
    """The same for a case that carries several: its own lines, and the rule's texts where it is violated."""
    return "\n".join(printable(line) for line in (*lines, *(_rule_text(rule) if with_rule else ())))


def _rule_text(rule: Rule) -> list[str]:
    told = (
        f"{rule.severity.upper()}: {rule.title}",
        f"Issue: {rule.issue}",
        f"Impact: {rule.impact}",
        f"Resolution: {rule.resolution}",
    )
    paragraphs = [text.replace("\n\n", " ") for text in told]
    if rule.link:
        paragraphs.append(rule.link)
    return [*paragraphs, ATTRIBUTION] if rule.quoted else paragraphs


def _folded(text: str, width: int, lead: str) -> Iterator[str]:
    yield from textwrap.wrap(text, width, initial_indent=lead, subsequent_indent="  ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
