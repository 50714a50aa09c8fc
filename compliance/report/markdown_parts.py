"""Markdown that holds somebody's text.

Whatever a host wrote stands in a code span: there GitHub, GitLab and Azure DevOps read no HTML, no link, no mention,
no reference to an issue and no emphasis. Escapes alone don't stop mentions and bare links, which are looked for in
the rendered text. No such text stands in a table, so that a ``|`` means nothing.
"""

from __future__ import annotations

import re

from compliance.words import printable

MOST_LETTERS = 300
"""Of one text of somebody's. A guest may hand its host values of 2,048."""


def code(text: str, most: int = MOST_LETTERS) -> str:
    """A code span (CommonMark 0.31, 6.1): its fence is longer than any run of backticks inside."""
    safe = printable(text[:most]).strip() or "(empty)"  # a code span of nothing is none
    safe = safe if max(len(text), len(safe)) <= most else f"{safe[: most - 1]}…"
    fence = "`" * (1 + max(map(len, re.findall("`+", safe)), default=0))
    room = " " if safe[0] == "`" or safe[-1] == "`" else ""
    return f"{fence}{room}{safe}{room}{fence}"


def size(line: str) -> int:
    """In bytes, with its end."""
    return len(line.encode()) + 1
