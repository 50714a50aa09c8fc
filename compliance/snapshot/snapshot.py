"""What was gathered, as it came: one value for a live run and an offline one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from compliance.errors import SnapshotError
from compliance.model import Judging, Row, Server, Unread

FORMAT = "hyperv-compliance snapshot"
VERSION = 2
"""Version 1 did not say what was asked for, and is read for ever."""

RowsOrUnread = tuple[Row, ...] | Unread
"""The rows of one class, or why it has none to show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Essence:
    """What is kept of a reading whose rows were let go, since a large estate's rows fill the memory: the server that
    they show, and its doubt as one that is no node of a cluster. ``octets`` is the reading as its line of a snapshot
    has it, packed; None where nobody is going to save it."""

    server: Server
    doubt_alone: str | None
    octets: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one server answered. ``again`` holds what was read a second time, at the end; ``too_large`` names, as
    ``Class.Property``, what was larger than the server may send and so was not read. ``cluster`` is what the server
    says of the cluster that it is a node of: empty where it is none, or was not asked. ``asked_properties`` holds those
    that each class was asked for; None where nobody noted it, as in snapshots of version 1. ``essence`` stands in
    the place of ``classes``, ``again`` and ``asked_properties`` where these were let go."""

    started: datetime
    finished: datetime
    version: str | None = None
    clock_ahead: timedelta | None = None
    classes: Mapping[str, RowsOrUnread] = field(default_factory=dict)
    again: Mapping[str, RowsOrUnread] = field(default_factory=dict)
    too_large: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cluster: Mapping[str, RowsOrUnread] = field(default_factory=dict)
    asked_properties: Mapping[str, tuple[str, ...]] | None = None
    essence: Essence | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerRecord:
    """One server or cluster of the inventory, and its reading or the reason why there is none. ``account`` is the name
    that we logged in by, where it is known; ``transport`` how. Both are empty in snapshots of earlier versions."""

    name: str
    endpoint: str = ""
    cluster: str | None = None  # the entry of the inventory that it was read as a node of
    site: str | None = None
    groups: tuple[str, ...] = ()
    may_be_empty: bool = False
    may_lack_failover_settings: bool = False
    insecure: str | None = None  # what the inventory allowed that an attacker would like
    account: str = ""
    transport: str = ""
    reading: Reading | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestReading:
    """What a guest's shell printed, by section, or what a Windows guest answered, by class or value of its registry."""

    started: datetime
    finished: datetime
    sections: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, RowsOrUnread] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestRecord:
    """One guest connection, and what was seen there or why nothing was. ``machines``: patterns of whose guest it is."""

    name: str
    machines: tuple[str, ...]
    insecure: str | None = None  # this and the next two as a server's
    account: str = ""
    transport: str = ""
    reading: GuestReading | Unread


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A file that holds a snapshot, as the user named it, and the SHA-256 of its octets: ``sha256:0f…``."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An estate as it was gathered. ``time`` is the start of the gathering; ages count from it. ``files`` are those
    that it was read from; none where it was gathered in this run.

    The nodes of ``clusters`` are among the servers. A cluster whose nodes are not known stands there itself, unread.
    """

    estate: str
    time: datetime
    tool: str
    inventory_digest: str = ""
    settings: Judging = Judging()
    stretched: tuple[frozenset[str], ...] = ()  # sites that share their networks
    servers: tuple[ServerRecord, ...] = ()
    guests: tuple[GuestRecord, ...] = ()
    clusters: tuple[ServerRecord, ...] = ()
    complete: bool = True
    limit: str = ""  # the pattern that chose among the inventory's servers
    left_out: tuple[str, ...] = ()  # what a partner may call those that it did not choose
    files: tuple[SnapshotFile, ...] = field(default=(), compare=False)
    latest: datetime | None = None  # of joined ones the newest one's time

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The oldest and the newest moment at which it says that something was read: a file may date one server
        otherwise than its head."""
        readings = (
            *(source.reading for source in (*self.servers, *self.clusters)),
            *(guest.reading for guest in self.guests),
        )
        read = [reading for reading in readings if not isinstance(reading, Unread)]
        oldest = min((self.time, *(reading.started for reading in read)))
        return oldest, max((self.latest or self.time, *(reading.finished for reading in read)))


def join_snapshots(snapshots: Sequence[tuple[Path, Snapshot]]) -> Snapshot:
    """One estate from sites that were gathered apart; the same server twice is a mistake.

    The settings must agree, since the verdicts of one run can't follow two. The time is the oldest one.
    """
    (first_path, first), *others = snapshots
    stretched = list(first.stretched)
    seen = {source.name.casefold(): first_path for source in (*first.servers, *first.clusters)}
    for path, snapshot in others:
        if snapshot.settings != first.settings:
            raise SnapshotError(f"{path}: was gathered with other settings (evidence, boot grace) than {first_path}")
        stretched += [sites for sites in snapshot.stretched if sites not in stretched]
        if sum(map(len, stretched)) > len(frozenset().union(*stretched)):
            raise SnapshotError(f"{path}: was gathered with other `stretched` sites than {first_path}")
        # A cluster that was not read stands among its servers as well, and that is no second time.
        names = {source.name.casefold(): source.name for source in (*snapshot.servers, *snapshot.clusters)}
        for key, name in names.items():
            if earlier := seen.get(key):
                raise SnapshotError(f"{path}: server {name!r} is also in {earlier}: give each server once")
            seen[key] = path
    whole = [snapshot for _, snapshot in snapshots]
    return replace(
        first,
        estate="+".join(dict.fromkeys(part.estate for part in whole)),
        time=min(part.time for part in whole),
        latest=max(part.time for part in whole) if others else None,
        inventory_digest=" ".join(dict.fromkeys(part.inventory_digest for part in whole if part.inventory_digest)),
        stretched=tuple(stretched),
        servers=tuple(source for part in whole for source in part.servers),
        guests=tuple(source for part in whole for source in part.guests),
        clusters=tuple(source for part in whole for source in part.clusters),
        complete=all(part.complete for part in whole),
        limit=" ".join(dict.fromkeys(part.limit for part in whole if part.limit)),
        left_out=tuple(dict.fromkeys(name for part in whole for name in part.left_out)),
        files=tuple(file for part in whole for file in part.files),
    )
