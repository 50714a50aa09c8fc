"""Plain text on one verdict: a line for the terminal, and what stands beside each case in JUnit."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.model import Role, VirtualMachine
from compliance.report.table import ATTRIBUTION
from compliance.rule import Result, Rule, Verdict
from compliance.words import printable


def subject_text(verdict: Verdict) -> str:
    """Return whom a verdict is about, the side and the finding: ``hv01/sql01 (primary): the guest does not answer``."""
    machine = verdict.machine
    node = f" on {printable(machine.server)}" if machine and machine.cluster and _is_seen(machine) else ""
    side = f" ({printable(str(machine.role))}{node})" if machine else ""
    return f"{verdict.label}{side}: {printable(verdict.outcome.finding)}"


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
    parts = (
        f"{rule.severity.upper()}: {rule.title}",
        f"Issue: {rule.issue}",
        f"Impact: {rule.impact}",
        f"Resolution: {rule.resolution}",
    )
    paragraphs = [text.replace("\n\n", " ") for text in parts]
    if rule.link:
        paragraphs.append(rule.link)
    return [*paragraphs, ATTRIBUTION] if rule.quoted else paragraphs
