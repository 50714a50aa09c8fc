"""Inventory entries become a snapshot: servers and guests side by side, one thread, one connection, one deadline each.

All I/O of a run is here and below. Whatever fails on one of them ends as an ``Unread`` with its reason, never as
silence.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from compliance.credentials import Credential
from compliance.door import Door
from compliance.errors import ReadError, Why
from compliance.guest_entry import GuestEntry
from compliance.guests.processes import Processes
from compliance.guests.read import read_guest
from compliance.inventory import Entry, Inventory, Limits
from compliance.model import Unread
from compliance.reader import Clock, read_server
from compliance.snapshot import GuestReading, GuestSource, Reading, Snapshot, Source

Peer = Entry | GuestEntry
Told = Reading | GuestReading | Unread

ABANDON_AFTER = 5.0
"""Seconds past its deadline after which a server's thread is given up: Kerberos, for one, heeds no deadline."""
SLOW_AFTER = 5.0
"""Seconds after which a server that is being read is named."""
DESCRIPTORS = 4
"""File descriptors that a server may need at once: its socket, the one that the watch cuts it by, and two for name
lookup, certificates or tickets."""
OF_GUESTS = 8
"""The same for a guest: three pipes to ssh, twice while it starts, and what its start is told by."""
RESERVED = 16
"""Descriptors that are left to everybody else: reports, the snapshot, modules that are loaded late."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the gathering is, ``seconds`` after its start. ``guests``: are there some among those that are asked?

    ``slow`` names servers that take longer than a few seconds, the slowest first; ``remark`` is a sentence about the
    gathering itself.
    """

    done: int
    total: int
    guests: bool = False
    finished: str | None = None
    unread: Unread | None = None
    slow: tuple[str, ...] = ()
    seconds: float = 0.0
    remark: str | None = None


def gather(
    inventory: Inventory,
    credentials: Mapping[str, Credential],
    *,
    tool: str,
    tell: Callable[[Progress], None] = lambda _: None,
    now: Clock = lambda: datetime.now(UTC),
) -> Snapshot:
    """Read every server of the inventory. Ends at the latest one server's deadline after the last one was started.

    A KeyboardInterrupt ends it at once: the snapshot is incomplete then, and tells what was not read. The threads that
    are still reading are left behind; they are daemons, and heed their deadlines.
    """
    began = now()
    crew = _Crew(inventory, credentials, tell, now)
    try:
        crew.read_all()
        complete = True
    except KeyboardInterrupt:
        crew.leave()
        complete = False
    return Snapshot(
        estate=inventory.name,
        time=began,
        tool=tool,
        inventory=inventory.digest,
        settings=inventory.settings,
        servers=tuple(source_of(entry, crew.servers[entry.name]) for entry in inventory.servers),
        guests=tuple(guest_of(entry, crew.guests[entry.name]) for entry in inventory.guests),
        complete=complete,
        limit=inventory.limit,
        left_out=inventory.left_out,
    )


def affordable(threads: int, each: int = DESCRIPTORS) -> int:
    """So many of ``threads`` as this process may open descriptors for (`ulimit -n`); at least one."""
    try:
        import resource  # POSIX only; Windows has no such limit for sockets
    except ImportError:
        return threads
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return threads
    taken = RESERVED
    with suppress(OSError):
        taken += len(os.listdir("/dev/fd"))  # noqa: PTH208  # names alone
    return max(1, min(threads, (most - taken) // each))


def source_of(entry: Entry, reading: Reading | Unread) -> Source:
    """A reading with what the inventory says of its server."""
    return Source(
        name=entry.name,
        endpoint=f"{entry.address}:{entry.port}",
        site=entry.site,
        groups=entry.groups,
        may_be_empty=entry.may_be_empty,
        may_lack_failover_settings=entry.may_lack_failover_settings,
        insecure=_insecure(entry),
        reading=reading,
    )


def guest_of(entry: GuestEntry, reading: GuestReading | Unread) -> GuestSource:
    return GuestSource(
        name=entry.name,
        machines=entry.machine,
        insecure=None if entry.verify else "its host key was not checked (`verify: false` in the inventory)",
        reading=reading,
    )


def _insecure(entry: Entry) -> str | None:
    if not entry.verify:
        return "its certificate was not verified (`verify: false` in the inventory)"
    if entry.cleartext:
        password = ", the password too" if entry.transport == "basic" else ""
        return f"what it says came unencrypted over http{password} (`cleartext: true` in the inventory)"
    return None


_Arrived = queue.SimpleQueue[tuple[str, "Told | None"]]
"""What a peer's thread tells: its reading, or None as soon as the peer took the login."""


@dataclass(slots=True)
class _Crew:
    """Daemon threads, since a thread that hangs in name resolution can't be stopped and must not hold up the end."""

    inventory: Inventory
    credentials: Mapping[str, Credential]
    tell: Callable[[Progress], None]
    now: Clock
    began: float = field(default_factory=time.monotonic)
    servers: dict[str, Reading | Unread] = field(default_factory=dict)
    guests: dict[str, GuestReading | Unread] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)
    running: dict[str, float] = field(default_factory=dict)  # peer -> start, in seconds of time.monotonic
    arrived: _Arrived = field(default_factory=queue.SimpleQueue)
    doors: dict[str, Door] = field(default_factory=dict)  # by login
    asked: dict[str, Door] = field(default_factory=dict)  # by peer

    def read_all(self) -> None:
        waiting = self.inventory.peers
        limits = self.inventory.limits
        threads = self._threads()
        while waiting or self.running:
            waiting = self._not_shut_out(waiting)
            while len(self.running) < threads and (entry := self._next(waiting)):
                waiting.remove(entry)
                self._start(entry)
            self._abandon(limits.server + ABANDON_AFTER)
            try:
                name, reading = self.arrived.get(timeout=min(1.0, limits.connect) if waiting else 1.0)
            except queue.Empty:
                self.tell(self._progress())
                continue
            if reading is None:
                self.asked[name].took(name)
            elif name in self.running:  # else it was given up, and the run has gone on without it
                self._finish(name, reading)

    def _next(self, waiting: Sequence[Peer]) -> Peer | None:
        """The first one whose login may be tried now."""
        now = time.monotonic()
        return next((entry for entry in waiting if self._door(entry).may_ask(now)), None)

    def _not_shut_out(self, waiting: list[Peer]) -> list[Peer]:
        """Those that are still to be asked; what a password was refused for elsewhere is not tried on the rest."""
        shut = [entry for entry in waiting if self._door(entry).is_shut]
        for entry in shut:
            refused = " and ".join(self._door(entry).refused_by)
            login = self._login(entry) or "the same login"
            reason = f"not tried: {refused} refused {login}, and more attempts could lock the account"
            self._finish(entry.name, Unread(reason, Why.LOGIN_REFUSED))
        return [entry for entry in waiting if entry not in shut] if shut else waiting

    def _door(self, entry: Peer) -> Door:
        credential = self.credentials.get(entry.login) if entry.login else None
        if entry.login is None or credential is None or not credential.password:
            return Door(patience=0, is_taken=True)  # tickets and certificates lock nobody out
        return self.doors.setdefault(entry.login, Door(patience=self.inventory.limits.connect))

    def _login(self, entry: Peer) -> str:
        """Where it came from, for who must correct it."""
        credential = self.credentials.get(entry.login or "")
        return credential.origin if credential else ""

    def leave(self) -> None:
        """What has arrived is kept; all else is unread."""
        with suppress(queue.Empty):
            while True:
                name, reading = self.arrived.get_nowait()
                if reading is not None:
                    self._keep(name, reading)
        for entry in self.inventory.peers:
            when = "while it was being read" if entry.name in self.running else "before it was read"
            self._keep(entry.name, Unread(f"the gathering was interrupted {when}", Why.INCOMPLETE))
        self.processes.end_all()

    def _keep(self, name: str, reading: Told) -> None:
        """What came first stays."""
        if isinstance(reading, Reading | Unread) and "://" not in name:
            self.servers.setdefault(name, reading)
        elif isinstance(reading, GuestReading | Unread):
            self.guests.setdefault(name, reading)

    def _threads(self) -> int:
        guests = bool(self.inventory.guests)
        wanted = min(self.inventory.limits.threads, len(self.inventory.peers))
        threads = affordable(wanted, OF_GUESTS if guests else DESCRIPTORS)
        if threads < wanted:
            peers = f"server{'' if threads == 1 else 's'}{' or guests' if guests else ''}"
            side_by_side = f"{threads} {peers} side by side in place of {wanted}"
            self.tell(self._progress(remark=f"{side_by_side}: this process may open few files (ulimit -n)"))
        return threads

    def _start(self, entry: Peer) -> None:
        self.running[entry.name] = time.monotonic()
        self.asked[entry.name] = self._door(entry)
        self.asked[entry.name].ask(entry.name, time.monotonic())
        credential = self.credentials.get(entry.login) if entry.login else None
        arguments = (entry, credential, self.inventory.limits, self.now, self.arrived, self.processes)
        threading.Thread(target=_work, args=arguments, name=f"read {entry.name}", daemon=True).start()

    def _finish(self, name: str, reading: Told) -> None:
        self._keep(name, reading)
        if self.running.pop(name, None) is not None:
            refused = isinstance(reading, Unread) and reading.why is Why.LOGIN_REFUSED
            self.asked[name].answered(name, refused=refused)
        self.tell(self._progress(finished=name, unread=reading if isinstance(reading, Unread) else None))

    def _abandon(self, after: float) -> None:
        for name in [name for name, start in self.running.items() if time.monotonic() - start > after]:
            self._finish(name, Unread(f"not done {after:g} seconds after its start, and given up", Why.TIMED_OUT))

    def _progress(
        self, *, finished: str | None = None, unread: Unread | None = None, remark: str | None = None
    ) -> Progress:
        now = time.monotonic()
        return Progress(
            done=len(self.servers) + len(self.guests),
            total=len(self.inventory.peers),
            guests=bool(self.inventory.guests),
            finished=finished,
            unread=unread,
            slow=tuple(name for name, start in self.running.items() if now - start > SLOW_AFTER),
            seconds=now - self.began,
            remark=remark,
        )


def _work(
    entry: Peer,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    arrived: _Arrived,
    processes: Processes,
) -> None:
    is_in = False

    def watch(_query: object, _answer: object, _seconds: float) -> None:
        nonlocal is_in
        if not is_in:
            is_in = True
            arrived.put((entry.name, None))

    # The one broad except: whatever fails with one peer must cost that peer only.
    try:
        reading: Told = (
            read_guest(entry, credential, limits, now, processes)
            if isinstance(entry, GuestEntry)
            else read_server(entry, credential, limits, now, watch=watch)
        )
    except ReadError as error:
        reading = Unread(str(error), error.why)
    except Exception as error:
        where = entry.name if isinstance(entry, GuestEntry) else f"{entry.address}:{entry.port}"
        reading = Unread(f"{where}: unexpected {type(error).__name__}", Why.BROKEN)
    if isinstance(reading, GuestReading):
        arrived.put((entry.name, None))
    arrived.put((entry.name, reading))
