"""How people name things in options and files: glob patterns, without case, in any spelling of Unicode."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from fnmatch import fnmatchcase


def any_matches(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """A name with brackets in it is no pattern for itself, so equality counts too."""
    plain = [folded(name) for name in names]
    return any(pattern == name or fnmatchcase(name, pattern) for pattern in map(folded, patterns) for name in plain)


def folded(text: str) -> str:
    """Without case, and in one spelling: a letter with an accent is one character or two, and looks the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
