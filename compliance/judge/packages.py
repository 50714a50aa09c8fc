"""Rules of users: modules and packages that installed distributions name as entry points of one group."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from compliance.errors import UsageError
from compliance.rule import Rule
from compliance.words import quote, shorten

GROUP = "hyperv_compliance.rules"
KEY = re.compile(r"[a-z][a-z0-9]*(?:[.-][a-z0-9]+)*")


def rules_of_packages(points: Iterable[EntryPoint] | None = None) -> Iterator[Rule]:
    """Yield the rules of each entry point: of a module, or of all modules of a package.

    UsageError for one that can't be loaded, that has no rule, and for a key that doesn't begin with the entry point's
    name: `acme-` or `acme.`, so that no rule of this suite ever takes its place.
    """
    for point in _installed() if points is None else points:
        values = [value for module in _modules(point) for value in vars(module).values()]
        # A rule of this suite that a module imports is not the module's own.
        rules = [
            value for value in values if isinstance(value, Rule) and value.module.partition(".")[0] != "compliance"
        ]
        if not rules:
            raise UsageError(f"{_source(point)}: {quote(point.value)} has no rule, which is a function with @rule")
        for rule in rules:
            _refuse_key(rule.key, point)
        yield from {id(rule): rule for rule in rules}.values()  # one may be imported by another module


def packages_with_rules(points: Iterable[EntryPoint] | None = None) -> Iterator[tuple[str, str]]:
    """Yield the name and version of each installed distribution that has rules, once."""
    points_found = _installed() if points is None else points
    owners = {point.dist.name: point.dist.version for point in points_found if point.dist}
    yield from sorted(owners.items())


@cache
def _installed() -> tuple[EntryPoint, ...]:
    """Look once: for every distribution there is, a file is opened and read."""
    return tuple(entry_points(group=GROUP))


def _is_bundled(rule: Rule) -> bool:
    """Is it one of this suite, that a module only imports?"""
    return rule.module.partition(".")[0] == "compliance"


def _modules(point: EntryPoint) -> list[ModuleType]:
    try:
        loaded = point.load()
        below = pkgutil.walk_packages(getattr(loaded, "__path__", None) or (), f"{getattr(loaded, '__name__', '')}.")
        modules = [loaded, *(importlib.import_module(module.name) for module in below)]
    except Exception as error:  # it is somebody else's code: whatever it raises, a run says whose it is
        raise UsageError(f"{_source(point)}: can't be loaded: {type(error).__name__}: {shorten(str(error))}") from error
    if not isinstance(loaded, ModuleType):
        raise UsageError(f"{_source(point)}: {quote(point.value)} is no module and no package")
    return modules


def _refuse_key(key: str, point: EntryPoint) -> None:
    if not key.startswith((f"{point.name}-", f"{point.name}.")) or not KEY.fullmatch(key):
        form = f"{point.name}-NAME or {point.name}.NAME, in small letters and digits"
        raise UsageError(f"{_source(point)}: the rule {quote(key)} must be called {form}")


def _source(point: EntryPoint) -> str:
    owner = f" of {point.dist.name}" if point.dist else ""
    return f"rules {quote(point.name)}{owner}"
