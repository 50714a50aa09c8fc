"""A YAML file that a user wrote: its values, the line of each, and all its mistakes at once.

YAML's events are read instead of its values: they know their lines, tell an alias from what it stands for,
and build nothing.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from compliance.errors import InventoryError
from compliance.files.whole import open_regular, why_unreadable
from compliance.words import MOST_OF_A_QUOTE, printable, quote, shorten

LARGEST = 1_000_000  # bytes: some 16,000 servers, and seven seconds of the YAML reader
DEEPEST = 8  # servers[0].groups[0] is 4
MOST_MISTAKES = 100
LONGEST_NUMBER = 16
"""Letters of a whole number; none of ours is near."""
ENCODED = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""How a file begins that is UTF-16 or UTF-32."""
WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}

KeyPath = tuple[str | int, ...]  # ("servers", 0, "name")


def content_of(path: Path, kind: str = "an inventory") -> bytes:
    where = printable(str(path))
    try:
        with open_regular(path) as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # the latter: a name with a null byte
        raise InventoryError(f"{where}: can't be read: {why_unreadable(path, error)}") from error
    if len(content) > LARGEST:
        raise InventoryError(f"{where}: larger than {LARGEST:,} bytes; is it {kind}?")
    return content


def text_of(content: bytes) -> str:
    """Return a file's text. NotTextError, with the line, where it is not UTF-8."""
    if content.startswith(ENCODED):
        raise NotTextError(1, "is UTF-16, as PowerShell's `>` writes: save it as UTF-8 (Set-Content -Encoding utf8)")
    if content[:4].count(0) > 1:
        raise NotTextError(1, "is not UTF-8, but UTF-16 or binary: save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotTextError(content.count(b"\n", 0, error.start) + 1, "not UTF-8: save it as UTF-8") from error


class NotTextError(ValueError):
    """A file that is no text of ours: ``line`` is where, and ``str(error)`` says why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


class UserFile:
    """One file on its way to values: remembers each value's line, and collects the mistakes.

    ``kind`` is what it should be, ``key`` one that it should have, ``sharing`` what to do in place of YAML's aliases.
    """

    def __init__(self, path: Path, *, kind: str = "an inventory", key: str = "servers", sharing: str = "") -> None:
        self.path = path
        self._kind = kind
        self._key = key
        self._sharing = sharing and f"; {sharing}"
        self.lines: dict[KeyPath, int] = {(): 1}
        self.mistakes: dict[tuple[int, KeyPath], str] = {}  # one for each place: the first explains the next

    def document(self, content: bytes) -> dict[str, object]:
        try:
            text = text_of(content)
        except NotTextError as error:
            raise self._stopped(error.line, str(error)) from error
        try:
            value = self._root(YAML(typ="safe", pure=True).parse(text))
        except ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            raise self._stopped(line, f"not YAML: unprintable character U+{error.character:04X}") from error
        except MarkedYAMLError as error:
            raise self._stopped(error.problem_mark.line + 1, f"not YAML: {shorten(str(error.problem), 100)}") from error
        except (YAMLError, ValueError, OverflowError) as error:  # the last two: an escape such as \UFFFFFFFF
            raise self._stopped(max(self.lines.values()), "not YAML") from error
        if not isinstance(value, dict):
            raise self._stopped(1, f"expected keys such as `{self._key}`, got {quote(value)}")
        return value

    def line(self, place: KeyPath) -> int:
        """What isn't written, a missing key, stands where its parent does."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]

    def add(self, place: KeyPath, text: str, line: int | None = None) -> None:
        self.mistakes.setdefault((line or self.line(place), place), f"{_dotted(place)}: {text}" if place else text)

    def where(self, place: KeyPath) -> str:
        """Return ``file:line: key``."""
        return f"{printable(str(self.path))}:{self.line(place)}: {_dotted(place)}"

    def describe(self, place: KeyPath) -> str:
        """Return the key and its line."""
        return f"{_dotted(place)} (line {self.line(place)})"

    def error(self) -> InventoryError:
        lines = [f"{line}: {text}" for (line, _), text in sorted(self.mistakes.items(), key=lambda item: item[0][0])]
        if len(lines) > MOST_MISTAKES:
            lines[MOST_MISTAKES:] = [f"1: and {len(lines) - MOST_MISTAKES} more mistakes"]
        return InventoryError("\n".join(f"{printable(str(self.path))}:{mistake}" for mistake in lines))

    def _stopped(self, line: int, text: str) -> InventoryError:
        self.add((), text, line)
        return self.error()

    def _root(self, events: Iterator[Any]) -> object:
        next(events)  # the stream's start
        if not isinstance(next(events), DocumentStartEvent):
            raise self._stopped(1, "empty")
        value = self._value(next(events), (), events)
        next(events)  # the document's end
        if isinstance(second := next(events), DocumentStartEvent):
            raise self._stopped(second.start_mark.line + 1, f"a second document; {self._kind} is one")
        return value

    def _value(self, event: Any, place: KeyPath, events: Iterator[Any]) -> object:
        self.lines.setdefault(place, event.start_mark.line + 1)
        if len(place) > DEEPEST:
            raise self._stopped(event.start_mark.line + 1, f"nested more than {DEEPEST} deep")
        if isinstance(event, AliasEvent):
            self.add(place, f"aliases are not read{self._sharing}")
            return None
        if event.tag is not None:
            self.add(place, f"tags such as {quote(event.tag)} are not read")
        if isinstance(event, MappingStartEvent):
            return self._mapping(place, events)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(place, events)
        unprintable = next((character for character in event.value if not character.isprintable()), None)
        if unprintable is not None:
            self.add(place, f"contains an invisible character, U+{ord(unprintable):04X}")
        return _safe(event.value) if event.style else _plain(_safe(event.value))

    def _mapping(self, place: KeyPath, events: Iterator[Any]) -> dict[str, object]:
        entries: dict[str, object] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = _safe(event.value) if isinstance(event, ScalarEvent) else "?"
            at = (*place, key)
            if key in entries:
                self.add(at, f"given before, on line {self.line(at)}", event.start_mark.line + 1)
            self._value(event, at, events)
            entries.setdefault(key, self._value(next(events), at, events))
        return entries

    def _sequence(self, place: KeyPath, events: Iterator[Any]) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            items.append(self._value(event, (*place, len(items)), events))
        return items


def _plain(text: str) -> object:
    """YAML 1.2's core schema, whatever the file's own %YAML says: `no` is text, and so is a date."""
    if text in (word := text.lower(), word.title(), word.upper()) and word in WORDS:
        return WORDS[word]
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text) if len(text) <= LONGEST_NUMBER else text
    if re.fullmatch(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[-+]?[0-9]+)?", text, re.IGNORECASE):
        return float(text)
    return text


def _safe(text: str) -> str:
    """Return a text that pydantic takes: what is not printable is a mistake already, and here in its escapes."""
    return text if text.isprintable() else printable(text)


def _dotted(place: KeyPath) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{shorten(step, MOST_OF_A_QUOTE)}" for step in place)
    return "".join(steps).removeprefix(".")
