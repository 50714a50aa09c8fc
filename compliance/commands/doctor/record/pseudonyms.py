"""Other names for names, GUIDs and hosts: the same for the same, numbered in the order of their appearance.

A number tells nothing of what it stands for, so nothing can be computed back; what two texts have in common that joins
depend on (a label, a GUID, a network) they have in common afterwards.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from compliance.commands.doctor.record.networks import Networks
from compliance.hyperv.rows import A_GUID

DOTTED = re.compile(r"[0-9]{1,100}(?:\.[0-9]{1,100})*")
TOKEN = re.compile(r"(?<![\w.-])[0-9]{1,100}(?:\.[0-9]{1,100})+(?![\w.-])|[\w-]+")
MOST_ODD = 16
ORDINARY = frozenset(" -_.()")

Keep = Callable[[str, str, str], bool]
"""Is a word kept? It is asked with what stands before the word, the word, and what stands behind it."""


class Pseudonyms:
    def __init__(self, kept: frozenset[str] = frozenset()) -> None:
        """``kept`` are GUIDs, in upper case, that are the same everywhere and so tell nothing."""
        self.networks = Networks()
        self._kept = kept
        self._counts: Counter[str] = Counter()
        self._names: dict[tuple[str, str], str] = {}
        self._labels: dict[str, str] = {}
        self._guids: dict[str, int] = {}

    def name(self, text: str, kind: str) -> str:
        """A name as a whole, by its exact letters. Blank ones stay, and so do signs that few names have."""
        if not text.strip():
            return text
        if (kind, text) not in self._names:
            self._names[kind, text] = self._next(kind)
        return self._names[kind, text] + _odd(text)

    def label(self, text: str, kind: str) -> str:
        """A part of a host's name: one whatever its case, written in the case that it had."""
        if not text.strip():
            return text
        key = text.casefold()
        if key not in self._labels:
            self._labels[key] = self._next(kind)
        return _cased_like(text, self._labels[key]) + _odd(text)

    def host(self, text: str, kind: str) -> str:
        """The name of a host, label by label, or its address: what ``first_label`` compares stays comparable."""
        core = text.strip()
        if not core:
            return text
        before, _, behind = text.partition(core)
        return before + self._host(core, kind) + behind

    def address(self, text: str) -> str | None:
        """An IP address, with or without a zone; None where it is none."""
        core, percent, zone = text.partition("%")
        other = self.networks.address(core)
        if other is None or not percent:
            return other
        return other + percent + (zone if zone.isdigit() else self.label(zone, "zone"))

    def guid(self, text: str) -> str:
        if text.upper() in self._kept or not text.strip("0-"):
            return text
        number = self._guids.setdefault(text.upper(), len(self._guids) + 1)
        other = f"A{number:07X}-FACE-4000-8000-{number:012X}"
        if text == text.upper():
            return other
        return other.lower() if text == text.lower() else other[:8] + other[8:].lower()

    def words(self, text: str, kind: str, keep: Keep) -> str:
        """A text in which words, GUIDs and numbers with dots are exchanged: its form stays, however odd."""

        def exchanged(match: re.Match[str]) -> str:
            word = match[0]
            if keep(text[: match.start()], word, text[match.end() :]) or not word.strip("-_"):
                return word
            if A_GUID.fullmatch(word):
                return self.guid(word)
            return self.networks.dotted(word) if "." in word else self.label(word, kind)

        return TOKEN.sub(exchanged, text)

    def _host(self, core: str, kind: str) -> str:
        if address := self.address(core):
            return address
        if ":" in core:
            return self.label(core, kind)
        if DOTTED.fullmatch(core):
            return self.networks.dotted(core)
        first, *others = core.split(".")
        return ".".join([self.label(first, kind), *(self.label(other, "domain") for other in others)])

    def _next(self, kind: str) -> str:
        self._counts[kind] += 1
        return f"{kind}-{self._counts[kind]}"


def _cased_like(text: str, other: str) -> str:
    if text.isupper():
        return other.upper()
    return other if text == text.lower() else other.capitalize()


def _odd(text: str) -> str:
    """Signs of a name that may well be what is wrong with it: punctuation, and what can't be printed."""
    letters = [
        sign
        for sign in text
        if (sign.isascii() and not sign.isalnum() and sign not in ORDINARY) or not sign.isprintable()
    ]
    return "".join(letters[:MOST_ODD])
