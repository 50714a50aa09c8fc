"""Others' texts on their way into the page: capped, printable, each once; and data packed where it is large."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address

from compliance.words import shorten

LONGEST = 600
"""Letters of one text that a host may have had a hand in."""
LARGE = 200_000
"""Octets of JSON from which on it is packed: every browser reads the page of a small estate, and so does a person."""
GZIP = 31
"""What zlib takes for gzip's form, with the largest window."""
DIGITS = re.compile(r"(\d{1,9})")

FIRST = -1
"""In place of a text's number where the text stands for the first time: then it is the next one in the list. Numbers
that grow with every machine would be half of what a packed block takes."""
Packed = str
"""JSON: of the value itself, or of a text that holds it in base64, compressed by gzip."""


def plain(text: str, longest: int = LONGEST) -> str:
    """Return the text printable and no longer than ``longest`` letters."""
    return shorten(text, longest)


def to_json(value: object) -> bytes:
    """Return compact JSON that ends no element and begins none: it has no ``<``, and no lone surrogate."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Line separators are harmless in JSON today, and were not in every browser.
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace")


def pack(value: object, large: int = LARGE) -> Packed:
    """Return the value's JSON, or from ``large`` octets on the JSON of a text that the browser unpacks."""
    packer, packed, plain, size = zlib.compressobj(6, wbits=GZIP), b"", b"", 0
    for piece in _members(value) if isinstance(value, dict) else (to_json(value),):
        size += len(piece)
        plain = plain + piece if size < large else b""
        packed += packer.compress(piece)
    if size < large:
        return plain.decode()
    return f'"{base64.b64encode(packed + packer.flush()).decode()}"'


def _members(value: Mapping[str, object]) -> Iterator[bytes]:
    """Yield the same JSON column by column: of all numbers at once the encoder keeps a text each."""
    before = b"{"
    for name, member in value.items():
        yield before + to_json(name) + b":"
        yield from _members(member) if isinstance(member, dict) else (to_json(member),)
        before = b","
    yield b"}" if value else b"{}"


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts as people do: without case, and vm9 before vm10."""
    return tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in DIGITS.split(text.casefold()) if part
    )


def by_address(text: str) -> tuple[int, int, str]:
    """Return a key that sorts a list of addresses by the first one's number, and what is none behind."""
    first = text.partition(",")[0].partition("%")[0]
    try:
        address = ip_address(first)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text


class Pool:
    """Each text once, capped and printable. A column holds its number; the empty text is number 0."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        """Return the text's number, for as long as the pool is not sorted."""
        return self._numbers.setdefault(text, len(self._numbers))

    def numbers(self, texts: Sequence[str]) -> list[int]:
        return [self.number(text) for text in texts]

    def cite(self, text: str) -> int:
        """Return the text's number where it was cited before, else FIRST: a reader in the same order counts along."""
        after = len(self._numbers)
        number = self._numbers.setdefault(text, after)
        return FIRST if number == after else number

    @property
    def texts(self) -> list[str]:
        return [plain(text) for text in self._numbers]

    def sorted(self, key: Callable[[str], object]) -> tuple[list[str], Sequence[int]]:
        """Return the texts in order, and each old number's new one: whoever sorts by text compares numbers. The empty
        text stays at 0."""
        texts = self.texts
        order = [0, *sorted(range(1, len(texts)), key=lambda at: key(texts[at]))]  # type: ignore[arg-type,return-value]  # keys are of one kind
        moved = [0] * len(texts)
        for new, old in enumerate(order):
            moved[old] = new
        return [texts[at] for at in order], moved
