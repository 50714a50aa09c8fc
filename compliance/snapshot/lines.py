"""The lines of a snapshot's file, held to caps before anything is built of them: 23 KB may unpack to gigabytes.

An honest file stays far below: 50,000 virtual machines whose guests publish 21 items each make 550 MiB and 6 million
values of some 90 octets, which gzip packs into a tenth or less (measured with the tests' builders).
"""

from __future__ import annotations

import gzip
from typing import BinaryIO

MOST_OCTETS = 4 * 1024**3
"""Of a whole file, unpacked."""
MOST_IN_A_LINE = 128 * 1024**2
"""Octets of one server. Hyper-V runs 1,024 virtual machines on one, which make some 12 MiB."""
MOST_VALUES = 50_000_000
"""Of a whole file: texts, lists, rows."""
FREE_VALUES, OCTETS_A_VALUE = 1_000_000, 8
"""A million values may be as short as they like; beyond these, each takes eight octets on average, or it is a trap."""
FREE_OCTETS, MOST_UNPACKED = 16 * 1024**2, 200
"""16 MiB may be packed as tightly as gzip can; beyond that, into no less than a two-hundredth."""

AT_ONCE = 1024**2
"""Octets of a part of a line, and of the file's buffer: small ones would be joined again and again."""

BESIDE_VALUES = bytes(set(range(256)) - set(b",[{"))
"""All octets but those one of which stands before each value. Without them a line is as long as it has values."""


class TooMuchError(Exception):
    """The file exceeds a cap. The text completes "the file …"."""


class CappedLines:
    """``readline`` of an open file. ``packed`` is the file as it lies there, where it is compressed."""

    def __init__(self, lines: BinaryIO | gzip.GzipFile, packed: BinaryIO | None = None) -> None:
        self._lines = lines
        self._packed = packed
        self._octets = 0
        self._values = 0

    def readline(self) -> bytes:
        """Return the next line, empty at the end. Raise TooMuchError where a cap is exceeded."""
        parts: list[bytes] = []
        length = 0
        while part := self._lines.readline(AT_ONCE):
            parts.append(part)
            length += len(part)
            self._count(part)
            if length > MOST_IN_A_LINE:
                raise TooMuchError(f"has a line of more than {MOST_IN_A_LINE // 1024**2} MiB")
            if part.endswith(b"\n"):
                break
        return b"".join(parts)

    def _count(self, part: bytes) -> None:
        self._octets += len(part)
        self._values += len(part.translate(None, delete=BESIDE_VALUES))
        if self._octets > MOST_OCTETS:
            raise TooMuchError(f"unpacks to more than {MOST_OCTETS // 1024**3} GiB")
        if self._packed and self._octets > FREE_OCTETS + MOST_UNPACKED * self._packed.tell():
            raise TooMuchError(f"unpacks to more than {MOST_UNPACKED} times its size")
        if self._values > min(MOST_VALUES, FREE_VALUES + self._octets // OCTETS_A_VALUE):
            raise TooMuchError("holds more values than a snapshot of its size can")
