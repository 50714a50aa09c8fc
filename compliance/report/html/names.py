"""How the HTML report calls a rule, a machine and a result, and where it links to."""

from __future__ import annotations

from html import escape

from compliance.report.html.parts import as_html
from compliance.rule import Result, Rule, Severity, Verdict
from compliance.words import printable


def word_of(word: Severity | Result) -> str:
    return escape(word.value.capitalize())


def name_of(verdict: Verdict) -> str:
    """A machine's name; where its server has two of that name, with what the label tells them apart by."""
    machine = verdict.machine
    return verdict.label.removeprefix(f"{printable(machine.server)}/") if machine else verdict.label


def anchor_of(rule: Rule) -> str:
    return f"hv-rule-{escape(rule.key)}"


def link_to_rule(rule: Rule) -> str:
    return f'<a href="#{anchor_of(rule)}">{as_html(rule)}</a>'
