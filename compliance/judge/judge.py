"""An estate and rules become verdicts. All of them, once, before anybody asks for one."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count
from typing import TypeVar

import compliance.rules
from compliance.model import Cluster, Estate, ReplicatedVM, Server, Subject, Unread
from compliance.rule import Rule, Verdict, unknown
from compliance.words import printable

Key = TypeVar("Key", int, str)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule of the package, worst severity first. A rule is found by standing in a module of ``rules``."""
    modules = (
        importlib.import_module(f"{compliance.rules.__name__}.{found.name}")
        for found in pkgutil.iter_modules(compliance.rules.__path__)
        if not found.ispkg
    )
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Rule)]
    doubled = [key for key, count in Counter(one.key for one in found).items() if count > 1]
    if doubled:
        raise TypeError(f"two rules are called {doubled[0]}")
    return tuple(sorted(found, key=lambda one: (one.severity.rank, one.key)))


def judge(estate: Estate, rules: Sequence[Rule] | None = None) -> tuple[Verdict, ...]:
    """Every rule on every subject. Where a server could not be read, the server stands in for its machines."""
    labels = _labels(estate)
    asked = [one for one in (all_rules() if rules is None else rules) if estate.ways or not one.only_with_ways]
    return tuple(verdict for rule in asked for verdict in _judged(rule, estate, labels))


def _judged(rule: Rule, estate: Estate, labels: dict[int, str]) -> Iterator[Verdict]:
    subjects: Sequence[Subject]
    if rule.subject is ReplicatedVM:
        subjects = estate.replicated
        for server in estate.servers:
            if server.unread:
                yield _unread(rule, estate, server, server.unread, labels)
    else:
        of_kind: dict[type[Subject], Sequence[Subject]] = {Server: estate.servers, Cluster: estate.clusters}
        subjects = of_kind.get(rule.subject, (estate,))
    for subject in subjects:
        label = labels.get(id(subject)) or printable(str(subject))
        outcome = rule.judge(subject, estate.settings)
        yield Verdict(rule=rule, estate=estate.name, label=label, subject=subject, outcome=outcome)


def _unread(rule: Rule, estate: Estate, server: Server, why: Unread, labels: dict[int, str]) -> Verdict:
    outcome = unknown(f"its virtual machines were not judged, since it was not read: {why}")
    return Verdict(rule=rule, estate=estate.name, label=labels[id(server)], subject=server, outcome=outcome)


def _labels(estate: Estate) -> dict[int, str]:
    """``server/machine``, or ``cluster/machine``; machines of one name in one place carry eight digits of their GUID
    while the clash lasts."""
    plain = {id(vm): f"{printable(vm.machine.place)}/{printable(vm.machine.name)}" for vm in estate.replicated}
    by_guid = {id(vm): vm.machine.guid.casefold() for vm in estate.replicated}
    labels = dict(plain)
    for digits in (8, 36):
        taken = Counter(labels.values())
        if max(taken.values(), default=0) < 2:
            break
        for key, label in labels.items():
            if taken[label] > 1:
                labels[key] = f"{plain[key]}~{by_guid[key][:digits]}"
    return numbered({id(server): printable(server.name) for server in estate.servers} | labels)


def numbered(labels: Mapping[Key, str]) -> dict[Key, str]:
    """The last resort, for names that were made to look like another's label: a number."""
    unique: dict[Key, str] = {}
    taken: set[str] = set()
    for key, label in labels.items():
        numbers = (label if number == 1 else f"{label}~{number}" for number in count(1))
        unique[key] = next(free for free in numbers if free not in taken)
        taken.add(unique[key])
    return unique
