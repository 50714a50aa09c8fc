"""A difference between two audits as plain text, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.diff.difference import Difference
from compliance.diff.words import MOST_LETTERS, Line, Theirs, frame, sections, sentence
from compliance.words import printable, shorten

MOST_ITEMS = 50
"""Entries that a section lists; the JSON holds them all."""


def as_text(difference: Difference) -> Iterator[str]:
    """Lines without control characters."""
    yield f"{printable(difference.estate)}: {sentence(difference)}"
    yield from (f"  {_plain(line)}" for line in frame(difference))
    for section in sections(difference):
        yield ""
        yield f"{section.title.upper()} ({section.entries})"
        for item in section.items[:MOST_ITEMS]:
            yield f"    {_plain(item.head)}"
            yield from (f"        {_plain(line)}" for line in item.below)
        if len(section.items) > MOST_ITEMS:
            yield f"    … and {sum(item.entries for item in section.items[MOST_ITEMS:])} more"


def _plain(line: Line) -> str:
    return "".join(shorten(piece, MOST_LETTERS) if isinstance(piece, Theirs) else piece for piece in line)
