"""Inventory entries become a snapshot: servers side by side, one thread, one connection and one deadline each.

All I/O of a run is here and below. Whatever fails on a server ends as an ``Unread`` with its reason, never as silence.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from compliance.credentials import Credential
from compliance.errors import ReadError, Why
from compliance.inventory import Entry, Inventory, Limits
from compliance.model import Unread
from compliance.reader import Clock, read_server
from compliance.snapshot import Reading, Snapshot, Source

ABANDON_AFTER = 5.0
"""Seconds past its deadline after which a server's thread is given up: Kerberos, for one, heeds no deadline."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the gathering is. ``slow`` names servers that take longer than a few seconds."""

    done: int
    total: int
    finished: str | None = None
    unread: Unread | None = None
    slow: tuple[str, ...] = ()


def gather(
    inventory: Inventory,
    credentials: Mapping[str, Credential],
    *,
    tool: str,
    tell: Callable[[Progress], None] = lambda _: None,
    now: Clock = lambda: datetime.now(UTC),
) -> Snapshot:
    """Read every server of the inventory. Ends at the latest one server's deadline after the last one was started."""
    began = now()
    readings = _Crew(inventory, credentials, tell, now).read_all()
    return Snapshot(
        estate=inventory.name,
        time=began,
        tool=tool,
        inventory=inventory.digest,
        settings=inventory.settings,
        servers=tuple(_source(entry, readings[entry.name]) for entry in inventory.servers),
    )


def _source(entry: Entry, reading: Reading | Unread) -> Source:
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


def _insecure(entry: Entry) -> str | None:
    if not entry.verify:
        return "its certificate was not verified (`verify: false` in the inventory)"
    if entry.cleartext:
        password = ", the password too" if entry.transport == "basic" else ""
        return f"what it says came unencrypted over http{password} (`cleartext: true` in the inventory)"
    return None


@dataclass(slots=True)
class _Crew:
    """Daemon threads, since a thread that hangs in name resolution can't be stopped and must not hold up the end."""

    inventory: Inventory
    credentials: Mapping[str, Credential]
    tell: Callable[[Progress], None]
    now: Clock
    done: dict[str, Reading | Unread] = field(default_factory=dict)
    running: dict[str, float] = field(default_factory=dict)  # server -> start, in seconds of time.monotonic
    arrived: queue.SimpleQueue[tuple[str, Reading | Unread]] = field(default_factory=queue.SimpleQueue)

    def read_all(self) -> Mapping[str, Reading | Unread]:
        waiting = list(self.inventory.servers)
        limits = self.inventory.limits
        while waiting or self.running:
            while waiting and len(self.running) < limits.threads:
                self._start(waiting.pop(0))
            self._abandon(limits.server + ABANDON_AFTER)
            try:
                name, reading = self.arrived.get(timeout=1.0)
            except queue.Empty:
                self.tell(self._progress())
                continue
            if name in self.running:  # else it was given up, and the run has gone on without it
                self._finish(name, reading)
        return self.done

    def _start(self, entry: Entry) -> None:
        self.running[entry.name] = time.monotonic()
        credential = self.credentials.get(entry.credential) if entry.credential else None
        arguments = (entry, credential, self.inventory.limits, self.now, self.arrived)
        threading.Thread(target=_work, args=arguments, name=f"read {entry.name}", daemon=True).start()

    def _finish(self, name: str, reading: Reading | Unread) -> None:
        del self.running[name]
        self.done[name] = reading
        self.tell(self._progress(name, reading if isinstance(reading, Unread) else None))

    def _abandon(self, after: float) -> None:
        for name in [name for name, start in self.running.items() if time.monotonic() - start > after]:
            self._finish(name, Unread(f"not done {after:g} seconds after its start, and given up", Why.TIMED_OUT))

    def _progress(self, finished: str | None = None, unread: Unread | None = None) -> Progress:
        slow = tuple(name for name, start in self.running.items() if time.monotonic() - start > 5)
        total = len(self.inventory.servers)
        return Progress(done=len(self.done), total=total, finished=finished, unread=unread, slow=slow)


def _work(
    entry: Entry,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    arrived: queue.SimpleQueue[tuple[str, Reading | Unread]],
) -> None:
    # The one broad except: whatever fails with one peer must cost that peer only.
    try:
        reading: Reading | Unread = read_server(entry, credential, limits, now)
    except ReadError as error:
        reading = Unread(str(error), error.why)
    except Exception as error:
        reading = Unread(f"{entry.address}:{entry.port}: unexpected {type(error).__name__}", Why.BROKEN)
    arrived.put((entry.name, reading))
