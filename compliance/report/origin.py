"""Where a run's answer comes from: who ran it, which files, which accounts, and by which clock the gate was decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from compliance.model import READ_AS, Unread
from compliance.snapshot.snapshot import GuestReading, GuestRecord, Reading, ServerRecord, Snapshot, SnapshotFile

THIS_CLOCK = "this machine's clock"
SNAPSHOT_CLOCK = "the snapshot's own time, not a clock"


@dataclass(frozen=True, slots=True)
class RulePackage:
    """An installed distribution that has rules of its own."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """How one server, cluster or guest was read. ``account`` and ``transport`` are empty where a snapshot does not have
    them; the times are None where it was not read."""

    name: str
    kind: str  # server, cluster or guest
    account: str
    transport: str
    started: datetime | None = None
    finished: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """``author`` is ``user@host``, or empty where nobody is to be named; ``saved`` the file that this run wrote."""

    author: str = ""
    inventory_digest: str = ""  # of the inventory that this run read; empty where it read none
    decided: datetime | None = None
    clock: str = SNAPSHOT_CLOCK
    gathered_by: str = ""  # the tool that gathered the snapshot, and its version
    files: tuple[SnapshotFile, ...] = ()  # that the snapshot was read from; none where it was gathered in this run
    saved: SnapshotFile | None = None
    packages: tuple[RulePackage, ...] = ()
    logins: tuple[Login, ...] = ()


def logins_of(snapshot: Snapshot) -> Iterator[Login]:
    """Yield how each server, cluster and guest was read."""
    for source in snapshot.servers:
        # A cluster that was not read stands among its servers, too, under its own name.
        if source.name != source.cluster:
            yield _login(source, "server")
    for source in snapshot.clusters:
        yield _login(source, "cluster")
    for guest in snapshot.guests:
        yield _login(guest, "guest")


def _login(source: ServerRecord | GuestRecord, kind: str) -> Login:
    reading = source.reading
    login = Login(name=source.name, kind=kind, account=source.account, transport=source.transport)
    if isinstance(reading, Unread):
        return login
    return Login(
        name=login.name,
        kind=kind,
        account=_own_name(reading) or login.account,
        transport=login.transport,
        started=reading.started,
        finished=reading.finished,
    )


def _own_name(reading: Reading | GuestReading) -> str:
    """Return who logged in by the login's own word, as Kerberos has it; empty where it says nothing."""
    notes = reading.notes if isinstance(reading, Reading) else ()
    return next((note.removeprefix(READ_AS) for note in notes if note.startswith(READ_AS)), "")
