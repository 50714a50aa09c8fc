"""WS-Management as the specifications have it, in a hundred lines: rows of classes to envelopes, and nothing besides.

It shares no line with ``tests/simulator``, so that what one of them takes for granted the other need not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape, unescape

from tests.wsman.samples import IDENTIFY_RESPONSE, envelope, fault, first, fragment, pulled, wmi_error, wsman_fault

Rows = Mapping[str, "str | list[str | None] | None"]
Answer = tuple[int, bytes]
NO_NAMESPACE = 0x8004100E
BATCH = 2
"""Rows of an answer after the first one, which holds one row as Windows' does: so that there are many to play with."""


class Service:
    """One server's classes. A context names what is left, so that the service itself keeps nothing."""

    def __init__(self, classes: Mapping[str, Sequence[Rows]], version: str = "10.0.20348") -> None:
        self._classes = classes
        self._version = version

    def answer(self, message: str) -> Answer:
        if "IdentifyResponse" in message or "Identify/>" in message:
            return 200, IDENTIFY_RESPONSE.format(version=self._version).encode()
        asked = _text(r"MessageID>([^<]*)<", message)
        action = _text(r"enumeration/(\w+)</a:Action>", message)
        if action == "Release":
            return 200, envelope("", asked)
        if action == "Pull":
            name, properties, start = _text(r"EnumerationContext>([^<]*)<", message).split("|")
            return 200, self._page(name, properties.split(","), int(start), asked)
        query = re.fullmatch(
            r"SELECT (.+?) FROM (\w+)(?: WHERE .*)?", unescape(_text(r"<w:Filter[^>]*>([^<]*)<", message))
        )
        if query is None:
            return 500, fault("w:UnsupportedFeature", wsman_fault("2150858817"), relates_to=asked)
        if query[2] not in self._classes:
            return 500, fault("n:CannotProcessFilter", wmi_error(NO_NAMESPACE, 3), relates_to=None)
        return 200, self._page(query[2], query[1].split(", "), 0, asked)

    def _page(self, name: str, properties: Sequence[str], start: int, asked: str) -> bytes:
        rows = self._classes[name]
        end = start + (BATCH if start else 1)
        items = [fragment("".join(_elements(row, properties))) for row in rows[start:end]]
        context = f"{name}|{','.join(properties)}|{end}" if end < len(rows) else ""
        return (pulled if start else first)(*items, context=context, relates_to=asked)


def _elements(row: Rows, properties: Sequence[str]) -> Iterator[str]:
    for name in properties:
        value = row.get(name, ())
        for one in value if isinstance(value, list | tuple) else [value]:
            yield f'<{name} xsi:nil="true"/>' if one is None else f"<{name}>{escape(one)}</{name}>"


def _text(pattern: str, message: str) -> str:
    found = re.search(pattern, message)
    return found[1] if found else ""
