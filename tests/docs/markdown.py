"""Markdown as the generated pages need it: tables, and others' text that is no markup."""

from __future__ import annotations

import re
from collections.abc import Iterable

MARKUP = re.compile(r"([\\*<>\[\]|]|\b_|_\b)")


def table_of(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table with a line's end behind it."""
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def code(text: str) -> str:
    """Return a code span; nothing for an empty text."""
    return f"`{text}`" if text else ""


def escaped(text: str) -> str:
    """Return text without markup on one line, but with its code spans, such as those of rules' resolutions."""
    parts = " ".join(text.split()).split("`")
    return "`".join(part if at % 2 else MARKUP.sub(r"\\\1", part) for at, part in enumerate(parts))
