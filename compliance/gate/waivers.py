"""Findings that somebody answers for until a day: files of waivers, and which of them a verdict meets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from compliance.files.keys import Globs, Label, Model, Schema
from compliance.files.yaml_file import UserFile, content_of
from compliance.patterns import Patterns, any_matches, is_plain
from compliance.words import quote

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")

A_DAY = "a day (`2026-12-31`) or a time with its zone (`2026-12-31T18:00:00Z`)"


def moment(text: str) -> str:
    """Strictly a day or RFC 3339: InSpec read `2021-07-07` as another day and waived for half a year (its #5570)."""
    try:
        if _DAY.fullmatch(text) or _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise ValueError(f"expected {A_DAY}, got {quote(text)}")


Moment = Annotated[str, AfterValidator(moment)]


class WaiverEntry(Model):
    """One waiver: what it covers, who answers for it, and until when."""

    rule: Globs
    """Rules, by their keys; `*` and `?` are patterns here and below."""
    server: Globs | None = None
    """Servers and clusters, by their names in the inventory."""
    machine: Globs | None = None
    """Virtual machines: name, server/name or cluster/name, or GUID. What is unknown is waived for one machine only."""
    adapter: Globs | None = None
    """Network adapters: name, GUID, or eth- and the last six digits of the MAC address."""
    site: Globs | None = None
    """Servers' sites."""
    group: Globs | None = None
    """Servers' groups; one of them is enough."""
    reason: Label
    """Why the finding is waived."""
    owner: Label
    """Who answers for it."""
    expires: Moment
    """The last day on which it holds (to its end in UTC), or a time with its zone."""
    ticket: Label | None = None
    """Where it was decided."""
    approved_by: Label | None = None
    """Who agreed."""
    created: Moment | None = None
    """When it was decided."""


class WaiverDocument(Model):
    """Findings that are waived for a while."""

    waivers: Annotated[tuple[WaiverEntry, ...], Field(strict=False)]
    """One entry for each decision."""


KIND = "a file of waivers"
SCHEMA = Schema(root=WaiverDocument, item="waiver", below={"waivers": WaiverEntry})


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """An entry as it was read. ``place``: its file and line; ``ends``: the first moment at which it holds no more."""

    place: str
    entry: WaiverEntry
    ends: datetime

    @cached_property
    def rules(self) -> Patterns:
        return Patterns.of(self.entry.rule)

    @property
    def is_exact(self) -> bool:
        """Does it name one rule and one machine, without a pattern? Whether there is one such machine the estate says.

        Only an exact one waives what is unknown.
        """
        machines = self.entry.machine or ()
        texts = (*self.entry.rule, *machines)
        return len(self.entry.rule) == len(machines) == 1 and all(map(is_plain, texts))

    def has_ended(self, now: datetime) -> bool:
        return now >= self.ends

    def ends_within(self, now: datetime, span: timedelta) -> bool:
        return now < self.ends <= now + span

    def __str__(self) -> str:
        until = f"until {self.entry.expires}"
        ticket = f", {self.entry.ticket}" if self.entry.ticket else ""
        return f"{self.entry.reason} ({self.entry.owner}{ticket}, {until})"


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverFile:
    name: str
    digest: str
    waivers: tuple[Waiver, ...]


def read_waivers(path: Path, rules: Collection[str]) -> WaiverFile:
    """A file of waivers; ``rules`` are the keys there are. UsageError with a line for each mistake."""
    content = content_of(path, KIND)
    text = UserFile(path, kind=KIND, key="waivers")
    document = text.document(content)
    read = SCHEMA.check(text, WaiverDocument, document)
    waivers = []
    for index, entry in enumerate(read.waivers if read else ()):
        place = ("waivers", index)
        for key, mistake in _mistakes(entry, rules):
            text.add((*place, key), mistake)
        waivers.append(Waiver(place=f"{path}:{text.line(place)}", entry=entry, ends=_end(entry.expires)))
    if read is None or text.mistakes:
        raise text.error()
    return WaiverFile(name=str(path), digest=f"sha256:{hashlib.sha256(content).hexdigest()}", waivers=tuple(waivers))


def _mistakes(entry: WaiverEntry, rules: Collection[str]) -> Iterator[tuple[str, str]]:
    if not (entry.server or entry.machine or entry.adapter or entry.site or entry.group):
        yield "rule", "covers every subject; name a `server`, `machine`, `adapter`, `site` or `group` (`*` for all)"
    for pattern in entry.rule:
        if not any_matches((pattern,), rules):
            near = next(iter(get_close_matches(pattern, rules, 1)), None)
            yield "rule", f"no rule is called {quote(pattern)}" + (f" (did you mean `{near}`?)" if near else "")
    if entry.created and _end(entry.created) > _end(entry.expires):
        yield "expires", f"{quote(entry.expires)} is before `created`, {quote(entry.created)}"


def _end(text: str) -> datetime:
    """A named day holds to its end, in UTC; the last day that there is has none, and needs none."""
    if not _DAY.fullmatch(text):
        return datetime.fromisoformat(text)
    day = date.fromisoformat(text)
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
