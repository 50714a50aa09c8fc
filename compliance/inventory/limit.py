"""Which servers of an inventory are read: `--hv-limit`, as Ansible's `--limit`.

"Patterns: targeting hosts and groups" of Ansible's documentation: `web*,db1` is a union, `&dr` an intersection, `!bad`
an exclusion, in this order wherever they stand; `:` separates as well, and `~` begins a regular expression. Other than
there, a pattern that meets nothing is a mistake: it would widen or narrow a gate in silence. Case does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from compliance.errors import UsageError
from compliance.files.yaml_file import shown
from compliance.patterns import any_matches

OPTION = "--hv-limit"
INSTEAD = "use --hv-server, --hv-group or --hv-site"
ALL = ("all", "*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """``pattern`` as the user wrote it; empty is no limit."""

    pattern: str = ""

    def chosen(self, groups_of: Mapping[str, Iterable[str]]) -> frozenset[str]:
        """Of servers with their groups, those that the pattern means. UsageError where it means none."""
        if not self.pattern:
            return frozenset(groups_of)
        parts = _parts(self.pattern)
        plain = [one for one in parts if one[0] not in "&!"] or ["all"]
        found: set[str] = set().union(*(_meant(one, groups_of) for one in plain))
        for one in parts:
            if one.startswith("&"):
                found &= _meant(one[1:], groups_of)
        for one in parts:
            if one.startswith("!"):
                found -= _meant(one[1:], groups_of)
        if not found:
            raise UsageError(f"{OPTION} {self.pattern}: no server is left")
        return frozenset(found)

    def __str__(self) -> str:
        return f"{OPTION} {self.pattern}" if self.pattern else ""


EVERYTHING = Limit()


def _parts(pattern: str) -> list[str]:
    """At commas; where there is none, at colons. A colon within brackets or a regular expression separates nothing."""
    text = pattern.strip()
    if "," not in text and not text.startswith("~"):
        parts = re.findall(r"(?:[^\s:\[\]]|\[[^\]]*\])+", text)
    else:
        parts = [one.strip() for one in text.split(",")]
    parts = [one for one in parts if one]
    if not parts or {"&", "!"} & set(parts):
        raise UsageError(f"{OPTION}: expected names of servers or groups, got {shown(pattern)}")
    return parts


def _meant(pattern: str, groups_of: Mapping[str, Iterable[str]]) -> set[str]:
    if pattern in ALL:
        return set(groups_of)
    if pattern.startswith("@"):
        raise UsageError(f"{OPTION}: files of names are not read ({shown(pattern)}): name the servers or their group")
    if pattern.startswith("~"):
        return _found(pattern, _by_expression(pattern, groups_of))
    if re.search(r"\[-?[0-9]+(:[0-9]*)?\]$|\[:?[0-9]+\]$", pattern) and not any_matches([pattern], groups_of):
        raise UsageError(f"{OPTION}: places in a group are not counted ({shown(pattern)}): name the servers")
    return _found(pattern, {name for name, groups in groups_of.items() if any_matches([pattern], [name, *groups])})


def _found(pattern: str, found: set[str]) -> set[str]:
    if not found:
        raise UsageError(f"{OPTION}: {shown(pattern)} is no server and no group")
    return found


def _by_expression(pattern: str, groups_of: Mapping[str, Iterable[str]]) -> set[str]:
    try:
        expression = re.compile(pattern[1:], re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"{OPTION}: {shown(pattern)} is no regular expression: {error}") from None
    return {name for name, groups in groups_of.items() if any(expression.match(one) for one in (name, *groups))}
