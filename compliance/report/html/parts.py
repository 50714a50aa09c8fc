"""Pieces of HTML from somebody's text: escaped, bounded, and tables that can be read without seeing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from compliance.words import printable

MOST_NAMES = 100
"""Names that stand in one cell or line."""
MOST_LETTERS = 600
"""Of one text. A guest may hand its host values of 2,048."""
LONG = 25
"""Rows from which on a list scrolls by itself, so that what follows stays within reach."""

Column = tuple[str, str]
"""A column's heading and the class that gives its width."""


def as_html(value: object, most: int = MOST_LETTERS) -> str:
    """Somebody's text as HTML: escaped, no control or direction characters, no longer than people read."""
    text = str(value)
    return escape(printable(text if len(text) <= most else f"{text[:most]}…"))


def html_names(values: Iterable[object]) -> str:
    names = list(values)
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(as_html(value) for value in names[:MOST_NAMES]) + more


def paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(' '.join(paragraph.split()))}</p>" for paragraph in text.split("\n\n"))


def grid(
    caption: str, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, total: int = 0, naming: int = 0
) -> str:
    """Return a table without the columns that hold nothing. ``rows`` hold HTML; the column ``naming`` names the row;
    ``total`` counts the rows without a bound."""
    cells = [*rows]
    filled = [place for place in range(len(columns)) if place == naming or any(row[place] for row in cells)]
    columns, naming = [columns[place] for place in filled], filled.index(naming)
    lines = [_row(columns, [row[place] for place in filled], naming) for row in cells]
    left = total - len(lines)
    caption += f"; {len(lines):,} rows are listed, {left:,} more are left out" if left > 0 else ""
    long = f' hv-long" tabindex="0" role="region" aria-label="{escape(caption)}' if len(lines) > LONG else ""
    head = "".join(f'<th scope="col" class="{width}">{heading}</th>' for heading, width in columns)
    body = "\n".join(lines)
    return (
        f'<div class="hv-wide{long}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
    )


def _row(columns: Sequence[Column], row: Sequence[str], naming: int) -> str:
    """A window too narrow for columns shows each cell with its heading."""
    cells = (
        f'<th scope="row" class="{width}">{cell}</th>'
        if place == naming
        else f'<td class="{width}" data-label="{heading}">{cell}</td>'
        for place, (cell, (heading, width)) in enumerate(zip(row, columns, strict=True))
    )
    return f"<tr>{''.join(cells)}</tr>"
