"""Text in a window of some width: wrapped between words, never inside one, and names in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from compliance.words import printable

BETWEEN = 2
"""Blanks between two columns."""


def cells(text: str) -> int:
    """Return how many cells of a terminal a printable text takes: two for each sign of East Asia's scripts, none for
    one that stands on another (Unicode Standard Annex 11)."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.category(sign) in ("Mn", "Me") for sign in text)


def wrap(text: str, width: int, *, first: str = "", then: str = "") -> Iterator[str]:
    """Yield lines of at most ``width`` cells, with ``first`` before the first one and ``then`` before all others. A
    word that is wider stands on a line of its own, whole.

    What is somebody else's is safe to print before, and is made so again: a line may begin anywhere in it now, with
    what a runner of pipelines takes for a command.
    """
    line, lead = first, first
    for word in text.split():
        glue = "" if line == lead else " "
        if glue and cells(line) + 1 + cells(word) > width:
            yield printable(line)
            line, lead, glue = then, then, ""
        line += glue + word
    if line != lead:
        yield printable(line)


def rows(names: Sequence[str], width: int, indent: str) -> Iterator[tuple[str, int]]:
    """Yield the names in columns, a line and how many stand on it: as many columns as the widest name allows."""
    widest = max(map(cells, names), default=0)
    count = max((width - len(indent) + BETWEEN) // (widest + BETWEEN), 1)
    for start in range(0, len(names), count):
        row = names[start : start + count]
        padded = (f"{name}{' ' * (widest - cells(name) + BETWEEN)}" for name in row)
        yield printable(f"{indent}{''.join(padded)}".rstrip()), len(row)
