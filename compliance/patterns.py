"""How people name things in options and files: glob patterns, without case, in any spelling of Unicode."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate

_GLOB = re.compile(r"[*?\[]")

# Read by pydantic (Rust), by editors (ECMAScript) and by Python: only what the three have in common.
NAME = r"^[^\s\x00-,/:-@\[-\^`{-\x9f]+$"
"""What people call an estate, a server or a cluster: letters, digits, ``.``, ``_`` or ``-``."""
MOST_OF_A_NAME = 200


def any_matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """A name with brackets in it is no pattern for itself, so equality counts too."""
    plain = [folded(name) for name in names]
    return any(pattern == name or fnmatchcase(name, pattern) for pattern in map(folded, patterns) for name in plain)


def is_plain(pattern: str) -> bool:
    """Does it name one thing and no more?"""
    return not _GLOB.search(pattern)


def beginning_of(pattern: str) -> str:
    """Return what every name begins with that it matches."""
    return _GLOB.split(pattern, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns that are matched many times: folded and compiled once. The same answers as ``any_matches``."""

    texts: frozenset[str]
    globs: re.Pattern[str] | None

    @classmethod
    def of(cls, patterns: Iterable[str]) -> Patterns:
        texts = frozenset(map(folded, patterns))
        globs = [translate(text) for text in texts if not is_plain(text)]
        return cls(texts, re.compile("|".join(globs)) if globs else None)

    def match(self, names: Collection[str]) -> bool:
        """Does one of the names, which are folded already, match one of the patterns?"""
        return any(name in self.texts or (self.globs and self.globs.match(name)) for name in names)


def folded(text: str) -> str:
    """Without case, and in one spelling: a letter with an accent is one character or two, and looks the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
