"""A difference between two audits as Markdown, for a change ticket or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.diff.difference import Difference
from compliance.diff.words import Item, Line, Theirs, frame, sections, sentence
from compliance.report.markdown_parts import code, size

MOST_BYTES = 65_000
"""A comment on GitHub holds 65,536 characters. Bytes of UTF-8 are never fewer, however characters are counted."""
RESERVED = 200
"""Bytes for the line that tells what was left out."""


def as_markdown(difference: Difference) -> Iterator[str]:
    """The worst first; where it grows too long, whole entries are left out, and a line counts them."""
    lines = [f"## Difference of {code(difference.estate)}", "", f"**{sentence(difference)}**", ""]
    lines += [f"- {_marked(line)}" for line in frame(difference)]
    yield from lines
    room = MOST_BYTES - RESERVED - sum(map(size, lines))
    left_out = 0
    for section in sections(difference):
        title = ["", f"### {section.title} ({section.entries})", ""]
        for item in section.items:
            block = [] if left_out else [*title, *_block(item)]
            taken = sum(map(size, block))
            if left_out or taken > room:
                left_out += item.entries
                continue
            yield from block
            room -= taken
            title = []
    if left_out:
        more = "1 more entry is" if left_out == 1 else f"{left_out} more entries are"
        yield from ("", f"*{more} left out here, since a comment has no room for more: `--json` holds all.*")


def _block(item: Item) -> Iterator[str]:
    yield f"- {_marked(item.head)}"
    yield from (f"  - {_marked(line)}" for line in item.below)


def _marked(line: Line) -> str:
    return "".join(code(piece) if isinstance(piece, Theirs) else piece for piece in line)
