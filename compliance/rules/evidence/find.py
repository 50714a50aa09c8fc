"""Which row of the table is a guest's? What it published is its own word: capped, strictly read, never guessed at."""

from __future__ import annotations

import re
from functools import lru_cache

from compliance.model import Guest, Unread
from compliance.rules.evidence.system import System, VersionItem
from compliance.rules.evidence.table import OTHER, SYSTEMS

LONGEST = 128
"""Letters of a name or version. The longest that we know, Windows' with its edition, has 50."""

VERSION = re.compile(r"(?:VERSION = )?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?:[-+~ ].*)?")
"""As os-release, uname and Windows write it; `VERSION = 11` is a line of SUSE 11's own file, which its daemon sends."""

WITH_VERSION = re.compile(r"(\S.*?) (?:release )?([0-9]{1,9}(?:\.[0-9]{1,9}){0,3})(?: \([^()]*\))?")
"""First lines of /etc/redhat-release and /etc/SuSE-release, which older daemons send as the name."""


def find(guest: Guest) -> System | Unread:
    """Return the row, which is ``OTHER`` for a system that the table does not know; or why that can't be said."""
    published = guest.os_name, guest.os_version, guest.os_major
    are_short = all(len(text or "") <= LONGEST for text in published)
    return _row_of(*published) if are_short else _row_of.__wrapped__(*published)


@lru_cache(maxsize=4096)
def _row_of(os_name: str | None, os_version: str | None, os_major: str | None) -> System | Unread:
    """Return the row of what was published; a thousand guests publish the same few systems."""
    name = _name(os_name)
    if isinstance(name, Unread):
        return name
    rows = _rows(name)
    version = None if not rows else _version(os_version if rows[0].version_in is VersionItem.VERSION else os_major)
    if not rows and (parts := WITH_VERSION.fullmatch(name)):
        rows, version = _rows(parts[1]), _version(parts[2])
    if not rows:
        return OTHER
    if version is None:
        if len(rows) == 1 and rows[0].any_version:
            return rows[0]
        return Unread(f"it published no version that can be read of {rows[0].distribution}")
    return next((row for row in rows if row.has(version)), OTHER)


def _name(published: str | None) -> str | Unread:
    if not published or not published.strip():
        return Unread("it has published nothing about its operating system")
    if len(published) > LONGEST or not published.isprintable():
        return Unread("what it published as its operating system is no name of one")
    return " ".join(published.casefold().split()).removeprefix("microsoft ")


def _rows(name: str) -> tuple[System, ...]:
    """Return the rows of the most exact name that matches: `windows server 2012 r2*` before `windows server 2012*`."""
    best = max((known for row in SYSTEMS for known in row.names if _is(name, known)), key=len, default=None)
    return tuple(row for row in SYSTEMS if best in row.names) if best else ()


def _is(name: str, known: str) -> bool:
    if not known.endswith("*"):
        return name == known
    return name == known[:-1] or name.startswith(f"{known[:-1]} ")


def _version(published: str | None) -> tuple[int, ...] | None:
    match = VERSION.fullmatch(published.strip()) if published and len(published) <= LONGEST else None
    return tuple(int(part) for part in match[1].split(".")) if match else None
