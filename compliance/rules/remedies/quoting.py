"""Other people's text inside a command: in quotes that it can't leave, or not at all.

A command is copied into a shell by hand. So whatever a host, a guest or a file wrote stands between single quotes only,
and what holds a control, format or direction character, or a line's end, gets no command.
"""

from __future__ import annotations

import re
import shlex

GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
SINGLE_QUOTES = re.compile("(['\u2018\u2019\u201a\u201b])")
"""PowerShell ends a string at each of them (PowerShell/PowerShell: CharTraits.IsSingleQuote), and takes two of them for
one (CodeGeneration.EscapeSingleQuotedStringContent doubles each)."""
SERVER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,254}")


class UnquotableError(ValueError):
    """A text that no command may hold."""


def quote_powershell(text: str) -> str:
    """Return a single-quoted string of PowerShell's; UnquotableError where the text is not plain."""
    doubled = SINGLE_QUOTES.sub(r"\1\1", plain(text))
    return f"'{doubled}'"


def quote_sh(text: str) -> str:
    """Return a word for sh, in quotes where it needs any; UnquotableError where the text is not plain.

    A leading hyphen would be taken for an option: such a name is no path, unit or package of anybody's.
    """
    if text.startswith("-"):
        raise UnquotableError(text)
    return shlex.quote(plain(text))


def quote_guid(text: str) -> str:
    """Return a GUID as PowerShell takes it; UnquotableError where the text is none."""
    if not GUID.fullmatch(text):
        raise UnquotableError(text)
    return f"'{text}'"


def plain(text: str) -> str:
    """Return the text; UnquotableError where it is empty, or holds what no shell and no eye should meet: control,
    format and direction characters, lone surrogates, and blanks other than the space (Unicode's C and Z)."""
    if not text or not text.isprintable():
        raise UnquotableError(text)
    return text


def is_plain(text: str) -> bool:
    """May a command hold it?"""
    try:
        return bool(plain(text))
    except UnquotableError:
        return False
