"""Lines that a guest printed. Nothing in them is trusted: what is not in our script's form is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from compliance.words import shorten

MOST_LETTERS = 8192
"""Of one section, as our script cuts it."""
MOST_OF_A_VALUE = 300
A_PAIR = re.compile(r"([A-Za-z_]{1,30})=(.*)")

KeyValue = tuple[str, str]


def read_pairs(section: str) -> list[KeyValue]:
    """Return ``key=value`` of each line that has that form, the value printable and short."""
    return [(match[1], clean(match[2])) for line in section.splitlines() if (match := A_PAIR.fullmatch(line))]


def clean(text: str) -> str:
    return shorten(text.strip(), MOST_OF_A_VALUE)


def first_value(pairs: Sequence[KeyValue], key: str) -> str | None:
    return next((text for name, text in pairs if name == key), None)


def all_values(pairs: Sequence[KeyValue], key: str) -> tuple[str, ...]:
    return tuple(text for name, text in pairs if name == key)


def split_groups(pairs: Sequence[KeyValue], key: str) -> Iterator[list[KeyValue]]:
    """Yield the pairs from each of that key to the next."""
    group: list[KeyValue] = []
    for pair in pairs:
        if pair[0] == key:
            if group:
                yield group
            group = []
        if group or pair[0] == key:
            group.append(pair)
    if group:
        yield group


def why_incomplete(sections: Mapping[str, str], needed: Sequence[str]) -> str:
    """Return why nothing may be concluded from these sections; empty where something may."""
    missing = [name for name in needed if name not in sections]
    if missing:
        return f"its answer has no section `{missing[0]}`: read it again"
    long = [name for name in needed if len(sections[name]) >= MOST_LETTERS - 1]
    return f"its answer's section `{long[0]}` is longer than what we read of one" if long else ""
