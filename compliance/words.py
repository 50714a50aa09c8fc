"""The one door by which somebody else's text becomes printable, and how counts and names get into a line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

COMMAND = re.compile(r"##(?=\w*\[)")
"""What runners of pipelines obey wherever it stands in a line of output: ``##vso[…]``, ``##[…]``, ``##teamcity[…]``."""
COMMAND_AT_START = re.compile(r"\A(\s*):(?=:(?![0-9A-Fa-f:.]*(?:[/%,;)\]\s]|\Z)))")
"""What GitHub's runner obeys at the start of a line, blanks before it or not: ``::set-output …``. Not ``::1``."""

MOST_LETTERS = 256
"""Of a name or an address, which ids, JUnit and terminals carry whole. Hyper-V's tools allow a machine's name 100."""
MOST_OF_A_QUOTE = 60
MOST_NAMES = 5
"""Names in one line; the reports hold them all."""


def printable(text: str) -> str:
    """Return a text that is safe in an id, a terminal and a log: normalised (NFC), one line, with control and direction
    characters, lone surrogates and the commands of pipelines' runners written as ``\\uXXXX``.

    Idempotent. Each output escapes it once more in its own language (HTML, XML, Markdown).
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "##" in text:
        text = COMMAND.sub(r"#\\u0023", text)
    if "::" in text:
        text = COMMAND_AT_START.sub(r"\1\\u003a", text)
    # Python calls printable what is in none of Unicode's categories C and Z, and the plain space.
    return escape(text)


def escape(text: str) -> str:
    """Return the text with everything that is not printable as ``\\uXXXX``, which JSON, JavaScript and YAML read."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _escape(sign) for sign in text)


def _escape(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def shorten(text: str, most: int = MOST_LETTERS) -> str:
    """Return the text printable and no longer than ``most`` letters, its end as ``…`` where it was longer."""
    safe = printable(text[: most + 1])
    return safe if len(safe) <= most and len(text) <= most else f"{safe[: most - 1]}…"


def shorten_value(value: object, most: int = MOST_OF_A_QUOTE) -> str:
    """Return a host's or a file's value as a line of ours shows it: printable, short, a NULL or a list as Python writes
    it."""
    return shorten(value if isinstance(value, str) else repr(value), most)


def quote(value: object, most: int = MOST_OF_A_QUOTE) -> str:
    """Return a value of a file or a host between backticks, short: it may be long, hostile, or a secret in the wrong
    place. What holds nothing, a list or a mapping is named in place of shown."""
    if value is None or value == "":
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"`{shorten(str(value).lower() if isinstance(value, bool) else str(value), most)}`"


def plural(count: int, noun: str) -> str:
    """Return ``1 server`` or ``1,200 servers``; the noun takes an s at its end."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def join_names(names: Iterable[object], most: int = MOST_NAMES) -> str:
    """Return ``a, b and 3 more``: at most ``most`` of the names, each printable."""
    every = names if isinstance(names, tuple | list) else tuple(names)  # one of thousands is asked for often: no copy
    more = f" and {len(every) - most:,} more" if len(every) > most else ""
    return ", ".join([printable(str(name)) for name in every[:most]]) + more
