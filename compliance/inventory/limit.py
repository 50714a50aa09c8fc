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
from compliance.patterns import any_matches
from compliance.words import quote

OPTION = "--hv-limit"
INSTEAD = "use --hv-server, --hv-group or --hv-site"
ALL = ("all", "*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """``pattern`` as the user wrote it, with ``option``; empty is no limit."""

    pattern: str = ""
    option: str = OPTION

    def chosen(self, groups_of: Mapping[str, Iterable[str]]) -> frozenset[str]:
        """Return, of servers with their groups, those that the pattern means. UsageError where it means none."""
        if not self.pattern:
            return frozenset(groups_of)
        parts = self._parts()
        plain = [part for part in parts if part[0] not in "&!"] or ["all"]
        names: set[str] = set().union(*(self._matching(part, groups_of) for part in plain))
        for part in parts:
            if part.startswith("&"):
                names &= self._matching(part[1:], groups_of)
        for part in parts:
            if part.startswith("!"):
                names -= self._matching(part[1:], groups_of)
        if not names:
            raise UsageError(f"{self.option} {self.pattern}: no server is left")
        return frozenset(names)

    def refuse_for_snapshot(self) -> None:
        """Raise UsageError if there is a limit: a snapshot has been read."""
        if self.pattern:
            instead = f"; {INSTEAD}" if self.option == OPTION else ""
            raise UsageError(f"{self.option} chooses servers to read: a snapshot has been read{instead}")

    def __str__(self) -> str:
        return f"{self.option} {self.pattern}" if self.pattern else ""

    def _parts(self) -> list[str]:
        """Return them split at commas; where there is none, at colons. A colon within brackets or a regular expression
        separates nothing."""
        text = self.pattern.strip()
        if "," not in text and not text.startswith("~"):
            parts = re.findall(r"(?:[^\s:\[\]]|\[[^\]]*\])+", text)
        else:
            parts = [part.strip() for part in text.split(",")]
        parts = [part for part in parts if part]
        if not parts or {"&", "!"} & set(parts):
            raise UsageError(f"{self.option}: expected names of servers or groups, got {quote(self.pattern)}")
        return parts

    def _matching(self, part: str, groups_of: Mapping[str, Iterable[str]]) -> set[str]:
        if part in ALL:
            return set(groups_of)
        if part.startswith("@"):
            what = f"files of names are not read ({quote(part)})"
            raise UsageError(f"{self.option}: {what}: name the servers or their group")
        if part.startswith("~"):
            names = self._by_expression(part, groups_of)
        else:
            names = {name for name, groups in groups_of.items() if any_matches([part], [name, *groups])}
            if not names and re.search(r"\[-?[0-9]+(:[0-9]*)?\]$|\[:?[0-9]+\]$", part):
                raise UsageError(f"{self.option}: places in a group are not counted ({quote(part)}): name the servers")
        if not names:
            raise UsageError(f"{self.option}: no server or group is called {quote(part)}")
        return names

    def _by_expression(self, part: str, groups_of: Mapping[str, Iterable[str]]) -> set[str]:
        try:
            expression = re.compile(part[1:], re.IGNORECASE)
        except (re.error, OverflowError, RecursionError) as error:
            raise UsageError(f"{self.option}: {quote(part)} is no regular expression: {error}") from None
        return {name for name, groups in groups_of.items() if any(expression.match(text) for text in (name, *groups))}


EVERYTHING = Limit()
