"""`hyperv-compliance rules [KEY]`: every rule in a line, or one of them whole, for people or for programs."""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from compliance.commands.output import adapt
from compliance.commands.rules.needs import needs_of
from compliance.errors import UsageError
from compliance.judge.judge import all_rules
from compliance.program import PROGRAM
from compliance.rule import Rule
from compliance.words import printable, quote
from compliance.world import World

SUBJECTS = {
    "Estate": "estate",
    "Cluster": "cluster",
    "Server": "server",
    "ReplicatedVM": "virtual machine",
    "ReplicaAdapter": "adapter",
}
"""A rule's subject, in the words of the reports."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Rules of installed packages are listed as well. A key that is no rule's is exit code 4."
    parser.add_argument("key", metavar="KEY", nargs="?", help="show this rule whole")
    parser.add_argument("--json", action="store_true", help="one JSON document in place of the text")


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return 0. UsageError where no rule has the key."""
    world = world or World()
    rules = _chosen(options.key)
    if options.json:
        lines: Iterator[str] = iter([as_json(rules)])
    elif options.key:
        lines = rule_lines(rules[0], world.width)
    else:
        lines = list_lines(rules)
    adapt(world.out)
    world.out.writelines(f"{line}\n" for line in lines)
    world.out.flush()
    return 0


def _chosen(key: str | None) -> Sequence[Rule]:
    rules = all_rules()
    if key is None:
        return rules
    if chosen := [rule for rule in rules if rule.key == key]:
        return chosen
    near = next(iter(get_close_matches(key, [rule.key for rule in rules], 1)), None)
    hint = f" (did you mean `{near}`?)" if near else ""
    raise UsageError(f"no rule is called {quote(key)}{hint}: `{PROGRAM} rules` lists them")


def as_json(rules: Sequence[Rule]) -> str:
    """Return one document; its ``version`` grows when a key changes its meaning."""
    return json.dumps({"version": 1, "rules": [_as_object(rule) for rule in rules]}, indent=2)


def _as_object(rule: Rule) -> dict[str, object]:
    return {
        "key": rule.key,
        "severity": str(rule.severity),
        "subject": SUBJECTS[rule.subject.__name__],
        "title": rule.title,
        "bpa": rule.bpa,
        "needs": needs_of(rule.key),
        "fails": _fails(rule),
        "issue": rule.issue,
        "impact": rule.impact,
        "resolution": rule.resolution,
        "link": rule.link,
    }


def _fails(rule: Rule) -> str:
    """Return what makes it fail, in a sentence."""
    machines = {"Estate": "an estate", "Cluster": "clusters", "Server": "servers"}.get(
        rule.subject.__name__, "machines"
    )
    return f"{machines} that {rule.violated}" if not rule.issue or rule.quoted else rule.issue


def list_lines(rules: Sequence[Rule]) -> Iterator[str]:
    """Yield a line for each rule, worst severity first, and what to type next."""
    longest = max(len(rule.key) for rule in rules)
    for rule in rules:
        yield f"{rule.severity:<11}  {printable(rule.key):<{longest}}  {printable(rule.title)}"
    yield ""
    yield f"`{PROGRAM} rules KEY` shows one of them whole."


def rule_lines(rule: Rule, width: int) -> Iterator[str]:
    """Yield all that there is to say of one rule."""
    yield f"{printable(rule.key)} ({rule.severity}, for each {SUBJECTS[rule.subject.__name__]})"
    yield from _wrapped(rule.title, width)
    if rule.bpa:
        yield f"Number {rule.bpa} of Microsoft's Best Practices Analyzer (model of Server 2012)."
    needs = "; ".join(f"{name} ({', '.join(properties)})" for name, properties in needs_of(rule.key).items())
    texts = {
        "Issue": rule.issue,
        "Fails": "" if rule.issue == _fails(rule) else _fails(rule),
        "Impact": rule.impact,
        "What to do": rule.resolution,
        "Needs": needs,
    }
    for heading, text in texts.items():
        if text:
            yield ""
            yield f"{heading}:"
            for paragraph in text.split("\n\n"):
                yield from _wrapped(paragraph, width)
    if rule.link:
        yield ""
        yield rule.link


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(
        printable(text),
        width - 2,
        initial_indent="  ",
        subsequent_indent="  ",
        break_on_hyphens=False,  # commands are to be copied
        break_long_words=False,
    )
