"""Host patterns of an inventory: ``hv[01:10].dr.example:5986`` is ten names and a port.

As Ansible documents them ("Adding ranges of hosts", inventory guide): ``[first:last:step]``, digits with their leading
zeros, or single letters; both ends included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from string import ascii_letters

MOST_HOSTS = 10_000
RANGE = re.compile(r"\[([^\[\]]*)\]")
PORT = re.compile(r"(?P<host>[^:\[\]]*(?:\[[^\[\]]*\][^:\[\]]*)*):(?P<port>[0-9]{1,5})$")
SIX = re.compile(r"\[(?P<host>[0-9A-Fa-f:.%a-z]*:[0-9A-Fa-f:.%a-z]*:[^\]]*)\](?::(?P<port>[0-9]{1,5}))?$")


def names_in(pattern: str) -> tuple[list[str], str | None]:
    """The names that a pattern stands for, and the port behind it. ValueError says what is wrong."""
    port = None
    if match := SIX.fullmatch(pattern) or PORT.fullmatch(pattern):
        pattern, port = match["host"], match["port"]
        if ":" in pattern and "[" not in pattern:
            return [pattern], port
    names: list[str] = []
    for name in _expanded(pattern):
        names.append(name)
        if len(names) > MOST_HOSTS:
            raise ValueError(f"stands for more than {MOST_HOSTS:,} hosts")
    return names, port


def _expanded(pattern: str) -> Iterator[str]:
    match = RANGE.search(pattern)
    if match is None:
        if "[" in pattern or "]" in pattern:
            raise ValueError("a bracket without its other half")
        yield pattern
        return
    head, tail = pattern[: match.start()], pattern[match.end() :]
    for middle in _range(match[1]):
        for rest in _expanded(tail):
            yield head + middle + rest


def _range(text: str) -> list[str]:
    first, separator, rest = text.partition(":")
    last, _, by = rest.partition(":")
    step = int(by) if re.fullmatch(r"[0-9]{1,5}", by) and int(by) else 1 if not by else 0
    if not separator or not step:
        raise ValueError("a range is written `[01:10]` or `[01:10:2]`")
    first = first or "0"
    if len(first) == len(last) == 1 and first in ascii_letters and last in ascii_letters:
        values = list(ascii_letters[ascii_letters.index(first) : ascii_letters.index(last) + 1 : step])
    elif re.fullmatch(r"[0-9]{1,9}", first) and re.fullmatch(r"[0-9]{1,9}", last):
        values = _numbers(first, last, step)
    else:
        raise ValueError("a range goes from number to number, or from letter to letter")
    if not values:
        raise ValueError("a range goes upwards")
    return values


def _numbers(first: str, last: str, step: int) -> list[str]:
    width = len(first) if first.startswith("0") and len(first) > 1 else 0
    if width and width != len(last):
        raise ValueError("a range with leading zeros has the same number of digits at both ends")
    numbers = range(int(first), int(last) + 1, step)
    if len(numbers) > MOST_HOSTS:
        raise ValueError(f"stands for more than {MOST_HOSTS:,} hosts")
    return [str(number).zfill(width) for number in numbers]
