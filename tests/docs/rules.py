"""docs/rules: a page for each rule, from its metadata and from what it says of the demo estates, and a list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial

from compliance.audit import judge_snapshot
from compliance.commands.rules.needs import needs_of
from compliance.judge.judge import all_rules
from compliance.judge.scope import Scope
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Role, Server
from compliance.rule import SIDES, Result, Rule, Verdict
from compliance.snapshot.read import read_snapshot
from tests.docs.markdown import code, escaped, table_of
from tests.running import ROOT

DEMOS = ("demo", "demo-guests")
MOST_EXAMPLES = 4
WHAT: Mapping[object, str] = {
    Server: "each server",
    Cluster: "each cluster",
    Estate: "the estate as a whole",
    ReplicatedVM: "each replicated virtual machine",
    ReplicaAdapter: "each network adapter of a replicated virtual machine",
}
LICENCE = "https://creativecommons.org/licenses/by/4.0/"


def pages() -> dict[str, Callable[[], str]]:
    """Return what makes each page, by its name below docs."""
    ours = [rule for rule in all_rules() if rule.module.startswith("compliance.rules.")]
    return {
        "rules/README.md": partial(_overview, ours),
        **{f"rules/{rule.key}.md": partial(_page, rule) for rule in ours},
    }


def _overview(rules: list[Rule]) -> str:
    rows = (
        (f"[`{rule.key}`]({rule.key}.md)", rule.severity.value, WHAT[rule.subject], escaped(rule.title))
        for rule in rules
    )
    return (
        "# Rules\n\n"
        "Each rule judges one kind of thing and gives each of them one of [five outcomes](../outcomes.md). Its "
        "severity says whether a finding closes [the gate](../gate.md); a policy may change it, or switch the rule "
        "off. What to do depends on the cause, and stands beside each finding in the reports.\n\n"
        f"{table_of(('rule', 'severity', 'judges', 'what should be'), rows)}"
    )


def _page(rule: Rule) -> str:
    parts = [f"# {escaped(rule.title)}", _facts(rule), *_source(rule)]
    parts += ["## What fails", *_paragraphs(rule.issue), *_examples(rule, Result.FAILED)]
    parts += ["## Why it matters", *_paragraphs(rule.impact)]
    parts += ["## What to do", *_paragraphs(rule.resolution)]
    parts += ["## When it is unknown", escaped(rule.unknown_when), *_unread(rule), *_examples(rule, Result.UNKNOWN)]
    parts += [*_needs(rule)]
    parts += ["[All rules](README.md) · [How a failover address travels](../failover-address.md)"]
    return "\n\n".join(parts) + "\n"


def _facts(rule: Rule) -> str:
    judges = WHAT[rule.subject]
    if rule.of_machines:
        sides = [role.value for role in Role if role in rule.sides]
        judges += ", on every side: " if rule.sides == SIDES else ", on these sides: "
        judges += ", ".join(sides)
    rows = [("key", f"`{rule.key}`"), ("severity", rule.severity.value), ("judges", judges)]
    if rule.bpa:
        rows.append(("Microsoft's number", f"{rule.bpa}, in the Best Practices Analyzer's model of Server 2012"))
    if rule.requires:
        rows.append(("only where these pass", ", ".join(f"[`{key}`]({key}.md)" for key in rule.requires)))
    if not rule.applies(Estate(name="", time=None, servers=(), replicated=())):  # type: ignore[arg-type]
        rows.append(("runs only", "where the inventory names guest connections ([`guests:`](../inside-guests.md))"))
    return table_of(("", ""), rows).rstrip()


def _source(rule: Rule) -> Iterator[str]:
    if rule.quoted:
        yield (
            "The title and the texts under *What fails*, *Why it matters* and *What to do* are quoted from "
            f"[Microsoft's documentation of its Best Practices Analyzer]({rule.link}), by Microsoft and contributors, "
            f"[CC BY 4.0]({LICENCE}); emphasis and links within the text are left out. This project is not affiliated "
            "with or endorsed by Microsoft."
        )


def _paragraphs(text: str) -> list[str]:
    return [escaped(part) for part in text.split("\n\n") if part]


def _unread(rule: Rule) -> Iterator[str]:
    if rule.of_machines:
        yield "While a server is not read, its machines are unknown under every rule."


def _needs(rule: Rule) -> Iterator[str]:
    """Yield the classes and properties that it rests on, where it reads any."""
    if needs := needs_of(rule.key):
        yield "## What it reads"
        yield table_of(("class", "properties"), ((code(name), ", ".join(map(code, of))) for name, of in needs.items()))


def _examples(rule: Rule, result: Result) -> Iterator[str]:
    """Yield findings of the demo estates as a list, one for each cause."""
    by_cause: dict[str, Verdict] = {}
    for verdict in _verdicts():
        if verdict.rule.key == rule.key and verdict.outcome.result is result:
            by_cause.setdefault(verdict.outcome.cause, verdict)
    if by_cause:
        lines = (f"- `{verdict.label}`: {escaped(verdict.outcome.finding)}" for verdict in by_cause.values())
        yield "In the demo estates:\n\n" + "\n".join([*lines][:MOST_EXAMPLES])


@cache
def _verdicts() -> tuple[Verdict, ...]:
    tables = (judge_snapshot(read_snapshot(ROOT / "inventories" / f"{name}.jsonl.gz"), Scope()) for name in DEMOS)
    return tuple(verdict for table in tables for verdict in table.verdicts)
