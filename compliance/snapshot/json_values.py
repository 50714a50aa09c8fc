"""Values of JSON that we wrote ourselves, read as if somebody else had: of the right kind, or an error that says so."""

from __future__ import annotations

import re
from datetime import datetime

from compliance.patterns import MOST_OF_A_NAME, NAME
from compliance.words import shorten_value

A_NAME = re.compile(NAME)
MOST_OF_A_LABEL = 4096
FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Of a reading. At the calendar's edge an age, or a time in another zone, could not be computed."""

MOST_SECONDS = 10.0**10
"""Some three centuries."""


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {shorten_value(value)}")
    return value


def texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of texts, got {shorten_value(value)}")
    return tuple(text(entry) for entry in value)


def name(value: object) -> str:
    """Return what people call an estate, a server or a cluster, in the form that an inventory holds it to."""
    if not A_NAME.fullmatch(text(value)) or not text(value).isprintable() or len(text(value)) > MOST_OF_A_NAME:
        raise ValueError(f"expected a name of letters, digits, `.`, `_` or `-`, got {shorten_value(value)}")
    return text(value)


def label(value: object, most: int = MOST_OF_A_LABEL) -> str:
    """Return what people wrote in one line: a site, a group, a pattern."""
    if not text(value).isprintable() or len(text(value)) > most:
        raise ValueError(f"expected one line of printable text, got {shorten_value(value)}")
    return text(value)


def labels(value: object, most: int = MOST_OF_A_LABEL) -> tuple[str, ...]:
    return tuple(label(entry, most) for entry in texts(value))


def count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"expected a count, got {shorten_value(value)}")
    return value


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {shorten_value(value)}")
    return value


def seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MOST_SECONDS:  # nor a NaN
        raise TypeError(f"expected seconds, got {shorten_value(value)}")
    return float(value)


def moment(value: object) -> datetime:
    time = datetime.fromisoformat(text(value))
    if time.tzinfo is None:
        raise ValueError(f"time without a zone: {shorten_value(value)}")
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise ValueError(f"expected a time between {FIRST_YEAR} and {LAST_YEAR}, got {shorten_value(value)}")
    return time


def what(error: Exception) -> str:
    return (
        f"{shorten_value(error.args[0])} is missing" if isinstance(error, KeyError) else shorten_value(str(error), 80)
    )
