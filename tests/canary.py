"""Every password of the tests holds one word, so that one search tells whether any of them got anywhere.

The word stays what it is where text is escaped for JSON, XML, HTML, CSV or a URL.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

CANARY = "c4nary-pa55word"
OURS = ".secret"
"""What a test itself writes a password into bears this ending, or lies in a folder that does: it is left out."""
LARGEST = 64 << 20  # bytes of a file, unpacked
SEARCHED: Counter[str] = Counter()
"""What was searched so far in this process: files, outputs of programs, and files that are left out."""


def _forms() -> Iterator[bytes]:
    for text in (CANARY.encode(), CANARY.encode("utf-16-le")):
        yield text
        yield text.hex().encode()
        yield text.hex().upper().encode()
        for before in range(3):  # base64 takes three bytes at a time: what a neighbour shares in is cut off
            coded = base64.b64encode(bytes(before) + text)
            yield coded[(0, 2, 3)[before] : (before + len(text)) * 8 // 6]


FORMS = tuple(_forms())


def is_in(content: bytes) -> bool:
    """Plain, in UTF-16, hexadecimal or base64; also within gzip."""
    return any(form in text for text in (content, _unpacked(content)) for form in FORMS)


def _unpacked(content: bytes) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return b""
    try:
        return zlib.decompressobj(wbits=31).decompress(content, LARGEST)
    except zlib.error:  # damaged by a test
        return b""


def silent(output: str) -> str:
    """A program's output, in which no password may be."""
    SEARCHED["outputs"] += 1
    assert not is_in(output.encode(errors="surrogatepass")), "a password was printed"
    return output


def search(folder: Path) -> list[str]:
    """The files below ``folder`` that a password is in, but for those that are the tests' own by rule."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        if any(part.endswith(OURS) for part in path.relative_to(folder).parts):
            SEARCHED["left out"] += 1
            continue
        SEARCHED["files"] += 1
        if is_in(path.read_bytes()):
            found.append(str(path))
    return found
