"""Findings that somebody answers for until a day: files of waivers, and which of them a verdict meets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from compliance.files.keys import Form, Globs, Label, Model
from compliance.files.yaml_file import UserFile, content_of, shown
from compliance.patterns import any_matches

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")
_GLOB = re.compile(r"[*?\[]")

A_DAY = "a day (`2026-12-31`) or a time with its zone (`2026-12-31T18:00:00Z`)"


def moment(text: str) -> str:
    """Strictly a day or RFC 3339: InSpec read `2021-07-07` as another day and waived for half a year (its #5570)."""
    try:
        if _DAY.fullmatch(text) or _MOMENT.fullmatch(text):
            datetime.fromisoformat(text)
            return text
    except ValueError:
        pass
    raise ValueError(f"expected {A_DAY}, got {shown(text)}")


Moment = Annotated[str, AfterValidator(moment)]


class WaiverEntry(Model):
    """One waiver: what it covers, who answers for it, and until when."""

    rule: Globs
    """Rules, by their keys; `*` and `?` are patterns here and below."""
    server: Globs | None = None
    """Servers and clusters, by their names in the inventory."""
    machine: Globs | None = None
    """Virtual machines: name, server/name or cluster/name, or GUID."""
    site: Globs | None = None
    """Servers' sites."""
    group: Globs | None = None
    """Servers' groups; one of them is enough."""
    reason: Label
    """Why the finding is accepted."""
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
    """Findings that are accepted for a while."""

    waivers: Annotated[tuple[WaiverEntry, ...], Field(strict=False)]
    """One entry for each decision."""


KIND = "a file of waivers"
FORM = Form(root=WaiverDocument, item="waiver", below={"waivers": WaiverEntry})


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiver:
    """A waiver as it was read. ``place``: its file and line; ``ends``: the first moment at which it holds no more."""

    place: str
    rules: tuple[str, ...]
    servers: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    reason: str
    owner: str
    expires: str
    ends: datetime
    ticket: str | None = None
    approved_by: str | None = None
    created: str | None = None

    @property
    def is_exact(self) -> bool:
        """It names one machine and one rule, no pattern: only such a one may waive what could not be judged."""
        named = (*self.rules, *self.machines)
        return len(self.rules) == len(self.machines) == 1 and not any(_GLOB.search(one) for one in named)

    def has_ended(self, now: datetime) -> bool:
        return now >= self.ends

    def ends_within(self, now: datetime, span: timedelta) -> bool:
        return now < self.ends <= now + span

    def covers(
        self, *, rule: str, server: Collection[str], machine: Collection[str], site: str | None, groups: Collection[str]
    ) -> bool:
        """Kinds narrow each other, several patterns of a kind widen it. ``server``, ``machine``: their names."""
        asked: tuple[tuple[tuple[str, ...], Collection[str]], ...] = (
            (self.rules, [rule]),
            (self.servers, server),
            (self.machines, machine),
            (self.sites, [site] if site else []),
            (self.groups, groups),
        )
        return all(not patterns or any_matches(patterns, names) for patterns, names in asked)

    def __str__(self) -> str:
        until = f"until {self.expires}"
        ticket = f", {self.ticket}" if self.ticket else ""
        return f"{self.reason} ({self.owner}{ticket}, {until})"


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
    read = FORM.check(text, WaiverDocument, document)
    waivers = []
    for index, entry in enumerate(read.waivers if read else ()):
        place = ("waivers", index)
        for key, mistake in _mistakes(entry, rules):
            text.add((*place, key), mistake)
        waivers.append(_waiver(entry, f"{path}:{text.line(place)}"))
    if read is None or text.mistakes:
        raise text.error()
    return WaiverFile(name=str(path), digest=f"sha256:{hashlib.sha256(content).hexdigest()}", waivers=tuple(waivers))


def _mistakes(entry: WaiverEntry, rules: Collection[str]) -> Iterator[tuple[str, str]]:
    if not (entry.server or entry.machine or entry.site or entry.group):
        yield "rule", "covers every subject; name a `server`, `machine`, `site` or `group` (`*` for all)"
    for pattern in entry.rule:
        if not any_matches((pattern,), rules):
            near = next(iter(get_close_matches(pattern, rules, 1)), None)
            yield "rule", f"no rule is called {shown(pattern)}" + (f" (did you mean `{near}`?)" if near else "")
    if entry.created and _end(entry.created) > _end(entry.expires):
        yield "expires", f"{shown(entry.expires)} is before `created`, {shown(entry.created)}"


def _waiver(entry: WaiverEntry, place: str) -> Waiver:
    return Waiver(
        place=place,
        rules=entry.rule,
        servers=entry.server or (),
        machines=entry.machine or (),
        sites=entry.site or (),
        groups=entry.group or (),
        reason=entry.reason,
        owner=entry.owner,
        expires=entry.expires,
        ends=_end(entry.expires),
        ticket=entry.ticket,
        approved_by=entry.approved_by,
        created=entry.created,
    )


def _end(text: str) -> datetime:
    """A named day holds to its end, in UTC; the last day that there is has none, and needs none."""
    if not _DAY.fullmatch(text):
        return datetime.fromisoformat(text)
    day = date.fromisoformat(text)
    if day == date.max:
        return datetime.max.replace(tzinfo=UTC)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
