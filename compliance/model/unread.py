"""Something that we don't know, and why; and a row as a server sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compliance.errors import Why

Row = Mapping[str, "str | list[str | None] | None"]
"""One CIM instance as it came: absent is absent, NULL is ``None``, a repeated element is a list, all else is text."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that we don't know: ``reason`` is one line for people.

    ``server``: the server at whose own case the reason is said, so that its machines need only point there.
    """

    reason: str
    why: Why = Why.INCOMPLETE
    server: str = ""

    def __str__(self) -> str:
        return self.reason
