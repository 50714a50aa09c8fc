"""Reading one row: what is text, what is a number, what did not come; and rows by the machine that they speak of."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from compliance.model import Row, Unread

GUID = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
A_GUID = re.compile(GUID)
LETTERS_OF_A_GUID = 36
MICROSOFT = "Microsoft:"
UP_TO_REST = len(MICROSOFT) + LETTERS_OF_A_GUID + len("\\")

MOST_LETTERS = 256
"""Of a name or an address, which ids, JUnit and terminals carry whole. Hyper-V's tools allow a machine's name 100."""

MOST_DIGITS = 20
"""Of a uint64."""

MOST_KNOWN = 4096
"""Texts of which it is remembered what they say."""

T = TypeVar("T")
Rows = tuple[Row, ...]
Bucket = dict[str, list[tuple[str, Row]]]


def remembered(most: int) -> Callable[[Callable[[str], T]], Callable[[str], T]]:
    """Make a function of a text work once for each of the last few thousand texts of at most so many characters: what
    one row of a server says, most of its rows say. Longer ones may be a trap that fills the memory."""

    return lambda work: _Remembered(work, most).__getitem__


class _Remembered(dict[str, T]):
    """Looked up without a call of Python's where the text came before: each row of a server is asked many times."""

    def __init__(self, work: Callable[[str], T], most: int) -> None:
        super().__init__()
        self._work = work
        self._most = most

    def __missing__(self, text: str) -> T:
        value = self._work(text)
        if len(text) <= self._most:
            if len(self) >= MOST_KNOWN:
                self.clear()
            self[text] = value
        return value


@remembered(MOST_LETTERS)
def shared(text: str) -> str:
    """Return the text that came before and is the same, so that a large estate has it once."""
    return text


def text(row: Row, name: str) -> str | Unread | None:
    """A scalar. NULL is None; a property that was asked for and did not come is unread."""
    if name not in row:
        return Unread(f"{name} was asked for and did not come")
    value = row[name]
    return value if value is None or isinstance(value, str) else Unread(f"{name} came as a list")


def number(row: Row, name: str) -> int | Unread | None:
    """A number as Windows writes it: decimal digits, at most those of a uint64. NULL is None."""
    value = row.get(name)
    if isinstance(value, str):
        parsed = _parsed(value)
        return Unread(f"{name} is no number") if parsed is None else parsed
    return why if isinstance(why := text(row, name), Unread) else None


@remembered(MOST_DIGITS)
def _parsed(value: str) -> int | None:
    """Return the number; the same few are in every row, so each is parsed once."""
    return int(value) if _is_number(value) else None


def read_word(row: Row, name: str, names: Mapping[int, T]) -> T | Unread:
    """A number that stands for a word. NULL, and a number without a meaning here, are unread."""
    value = number(row, name)
    if isinstance(value, int):
        return names[value] if value in names else Unread(f"{name} is {value}, which has no meaning here")
    return Unread(f"{name} is not given") if value is None else value


def array(row: Row, name: str) -> tuple[str, ...]:
    """An array without NULLs. Absent, NULL and empty are the same on a real host's wire (txwinrm recordings)."""
    value = row.get(name)
    if isinstance(value, list):
        return tuple([entry for entry in value if entry is not None])
    return () if value is None else (value,)


def filled(row: Row, name: str) -> tuple[str, ...]:
    """The entries of an array that are more than white space, each no longer than a name may be."""
    value = row.get(name)
    if value is None:
        return ()
    if isinstance(value, str):  # one entry, as in nearly every row: a mask, a gateway
        return _one_entry(value)
    return tuple([cut(stripped) for entry in value if entry is not None and (stripped := entry.strip())])


@remembered(MOST_LETTERS)
def _one_entry(value: str) -> tuple[str, ...]:
    return (cut(stripped),) if (stripped := value.strip()) else ()


def is_filled(row: Row, name: str) -> bool:
    """Has an array any entry that is more than white space?"""
    value = row.get(name)
    if isinstance(value, str):
        return not value.isspace() and value != ""
    return value is not None and any(map(str.strip, filter(None, value)))


def cut(text: str) -> str:
    """A name of somebody's, no longer than people read."""
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def first_number(row: Row, name: str) -> int | None:
    """The first entry of an array of numbers; None where there is none. A NULL stands for itself, not for the next."""
    value = row.get(name)
    first = value[0] if isinstance(value, list) and value else value
    return _parsed(first) if isinstance(first, str) else None


def words_of(row: Row, names: Iterable[str]) -> tuple[object, ...]:
    """Return what a row says under these names, in a form by which to look up what was made of another that says the
    same: of what does not come it says something else than of a NULL."""
    values = [row.get(name, ...) for name in names]
    return tuple([tuple(value) if isinstance(value, list) else value for value in values])


def or_none(answer: Rows | Unread) -> Rows:
    return () if isinstance(answer, Unread) else answer


def of_machine(instance: object) -> tuple[str, str] | None:
    """Return the GUID and the rest of ``Microsoft:<GUID>\\<rest>``. Other forms speak of no machine."""
    if (
        isinstance(instance, str)
        and (guid := _machine_before(instance[:UP_TO_REST]))
        and (rest := instance[UP_TO_REST:])
    ):
        return guid, rest
    return None


@remembered(UP_TO_REST)
def _machine_before(start: str) -> str | None:
    return as_guid(start[len(MICROSOFT) : -1]) if start.startswith(MICROSOFT) and start.endswith("\\") else None


def by_machine(rows: Rows) -> Bucket:
    """Rows by the machine that their InstanceID speaks of, each with the rest of it."""
    bucket: Bucket = defaultdict(list)
    for row in rows:
        if tied := of_machine(row.get("InstanceID")):
            guid, rest = tied
            bucket[guid].append((rest, row))
    return bucket


def rows_beside(bucket: Bucket, rows: Rows) -> list[Row]:
    """Return those of the rows that are not in the bucket that was made of them."""
    if sum(map(len, bucket.values())) == len(rows):  # as it is where there are no templates
        return []
    inside = {id(row) for pairs in bucket.values() for _, row in pairs}
    return [row for row in rows if id(row) not in inside]


@remembered(LETTERS_OF_A_GUID)
def as_guid(text: str) -> str | None:
    """Return a GUID in capitals, None where a text is none. Many rows of a server name the same one."""
    return text.upper() if A_GUID.fullmatch(text) else None


def nic_of(rest: str) -> str:
    """Return the GUID of a machine's adapter from what follows the machine in an InstanceID."""
    return as_guid(rest) or rest.split("\\")[0].upper()


def by_system_name(rows: Rows) -> dict[str, list[Row]]:
    rows_by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if isinstance(name := row.get("SystemName"), str):
            rows_by_name[as_guid(name) or name.upper()].append(row)
    return rows_by_name


def setting_guids(rows: Rows) -> set[str]:
    """Every GUID that has settings: machines, and checkpoints, recovery points and planned machines by their own."""
    return {
        guid
        for row in rows
        if isinstance(instance := row.get("InstanceID"), str) and (guid := as_guid(instance.removeprefix("Microsoft:")))
    }


@remembered(MOST_LETTERS)
def first_label(host: str) -> str:
    """The part of a host's name that its own row and a partner's settings have in common, without case."""
    label = host.strip().casefold()
    is_address = ":" in label or label.replace(".", "").isdigit()
    return label if is_address else label.split(".")[0]


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= MOST_DIGITS
