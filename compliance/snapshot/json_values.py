"""Values of JSON that we wrote ourselves, read as if somebody else had: of the right kind, or an error that says so."""

from __future__ import annotations

from datetime import datetime


def text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {short(value)}")
    return value


def texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"expected a list of texts, got {short(value)}")
    return tuple(text(one) for one in value)


def count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"expected a count, got {short(value)}")
    return value


def truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"expected true or false, got {short(value)}")
    return value


def moment(value: object) -> datetime:
    time = datetime.fromisoformat(text(value))
    if time.tzinfo is None:
        raise ValueError(f"time without a zone: {short(value)}")
    return time


def what(error: Exception) -> str:
    return f"{short(error.args[0])} is missing" if isinstance(error, KeyError) else short(str(error))


def short(value: object) -> str:
    found = value if isinstance(value, str) else repr(value)
    found = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in found)
    return found if len(found) <= 80 else found[:79] + "…"
