"""An estate and rules become verdicts. All of them, once, before anybody asks for one."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import compliance.rules
from compliance.errors import UsageError
from compliance.judge.bench import Bench
from compliance.judge.packages import rules_of_packages
from compliance.judge.requirements import check_requirements
from compliance.model import Estate
from compliance.rule import Rule, Verdict
from compliance.words import join_names


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this suite and of installed packages, worst severity first. A rule is one by standing in a
    module of ``rules``, or of an entry point. UsageError where a package's rules can't be taken."""
    bundled = tuple(_bundled())
    check_requirements(bundled)
    rules = (*bundled, *rules_of_packages())
    doubled = {key: count for key, count in Counter(rule.key for rule in rules).items() if count > 1}
    if doubled:
        modules = join_names(sorted({rule.module for rule in rules if rule.key in doubled}))
        raise UsageError(f"two rules are called {min(doubled)}: in {modules}")
    try:
        check_requirements(rules)
    except TypeError as error:
        raise UsageError(str(error)) from error
    return tuple(sorted(rules, key=lambda rule: (rule.severity.rank, rule.key)))


def _bundled() -> Iterator[Rule]:
    for family in pkgutil.iter_modules(compliance.rules.__path__):
        if not family.ispkg:
            module = importlib.import_module(f"{compliance.rules.__name__}.{family.name}")
            yield from (value for value in vars(module).values() if isinstance(value, Rule))


def judge(estate: Estate, rules: Sequence[Rule] | None = None) -> tuple[Verdict, ...]:
    """Judge every subject by every rule. Where a server could not be read, the server stands in for its machines."""
    known = all_rules()
    return tuple(Bench(estate, known if rules is None else rules, known).judge())
