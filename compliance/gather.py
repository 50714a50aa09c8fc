"""Inventory entries become a snapshot: servers side by side, one thread, one connection and one deadline each.

All I/O of a run is here and below. Whatever fails on a server ends as an ``Unread`` with its reason, never as silence.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from compliance.credentials import Credential
from compliance.errors import LinkError, ReadError, Why
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.inventory import Entry, Inventory, Limits
from compliance.model import Row, Unread
from compliance.snapshot import Answer, Reading, Snapshot, Source
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import class_uri, enumerate_instances, hold, identify, wildcard_uri
from compliance.wsman.endpoint import Endpoint

ABANDON_AFTER = 5.0
"""Seconds past its deadline after which a server's thread is given up: Kerberos, for one, heeds no deadline."""
BUSY_WAITS = (1.0, 4.0)
"""Seconds before a query that met a busy server is sent again."""

Clock = Callable[[], datetime]


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
        insecure=None if entry.verify else "its certificate was not verified (`verify: false` in the inventory)",
        reading=reading,
    )


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


def read_server(entry: Entry, credential: Credential | None, limits: Limits, now: Clock) -> Reading:
    """Everything that we read of one server. ReadError where the server as a whole could not be read."""
    deadline = time.monotonic() + limits.server
    endpoint = _endpoint(entry, credential, limits)
    with Connection(endpoint, deadline=deadline) as connection:
        return _Reader(connection, deadline, endpoint.server_seconds, now).read()


def _endpoint(entry: Entry, credential: Credential | None, limits: Limits) -> Endpoint:
    return Endpoint(
        address=entry.address,
        port=entry.port,
        scheme=entry.scheme,
        path=entry.path,
        transport=entry.transport,
        username=credential.username if credential else "",
        password=credential.password if credential else "",
        ca=entry.ca,
        verify=entry.verify,
        certificate=entry.certificate,
        key=entry.key,
        connect=limits.connect,
        operation=limits.operation,
    )


class _Reader:
    """One server's conversation: version, clock, each class once, and the list of machines a second time."""

    def __init__(self, connection: Connection, deadline: float, patience: float, now: Clock) -> None:
        self._connection = connection
        self._deadline = deadline
        self._patience = patience  # seconds that the server may take for one answer
        self._now = now
        self._refuses_wql: set[str] = set()  # namespaces
        self._notes: list[str] = []

    def read(self) -> Reading:
        started = self._now()
        version = self._identified()
        told_version, ahead = self._clock()
        version = version or told_version
        classes = {query.class_name: self._answer(query) for query in queries.queries_for(version)}
        again = {queries.AGAIN.class_name: self._answer(queries.AGAIN)}
        return Reading(
            started=started,
            finished=self._now(),
            version=version,
            clock_ahead=ahead,
            classes=classes,
            again=again,
            notes=tuple(self._notes),
        )

    def _identified(self) -> str | None:
        """The version, before the first query, since a query that names an unknown property fails whole."""
        try:
            return hold(identify(), self._connection.send).version
        except LinkError:
            raise
        except ReadError:
            return None  # some listeners answer Identify to nobody; root/cimv2 tells as well

    def _clock(self) -> tuple[str | None, timedelta | None]:
        try:
            rows = self._rows(queries.CLOCK)
        except LinkError:
            raise
        except ReadError as error:
            self._notes.append(f"its clock could not be read: {error}")
            return None, None
        row = rows[0] if rows else {}
        version, clock = row.get("Version"), row.get("LocalDateTime")
        return version if isinstance(version, str) else None, self._ahead(clock)

    def _ahead(self, clock: object) -> timedelta | None:
        try:
            told = datetime.fromisoformat(clock) if isinstance(clock, str) else None
        except ValueError:
            told = None
        if told is None or told.tzinfo is None:
            self._notes.append("its clock could not be read: no time with a zone came")
            return None
        return told - self._now()

    def _answer(self, query: Query) -> Answer:
        try:
            return tuple(self._rows(query))
        except LinkError as error:
            raise LinkError(f"{error} (while reading {query.class_name})", why=error.why) from error
        except ReadError as error:
            if query.class_name == queries.MACHINES and error.why is Why.ABSENT:
                raise ReadError(
                    f"has no {query.namespace}: Hyper-V is not installed, or the server is older than 2012",
                    why=Why.NOT_HYPERV,
                ) from error
            return Unread(str(error), error.why)

    def _rows(self, query: Query) -> Sequence[Row]:
        for wait in (*BUSY_WAITS, None):
            try:
                return self._rows_once(query)
            except ReadError as error:
                if error.why is not Why.BUSY or wait is None or time.monotonic() + wait > self._deadline:
                    raise
                time.sleep(wait)
        raise AssertionError("the last wait is None")

    def _rows_once(self, query: Query) -> Sequence[Row]:
        """A projection by WQL; where that is refused, the whole class, of which only what was asked for is kept.

        Some hosts refuse WQL in root/virtualization/v2 (r4sd/go-wsman); and an invalid class gives the same fault as
        refused WQL, so what a plain enumeration says decides.
        """
        refused = query.namespace in self._refuses_wql
        if not refused:
            try:
                return self._enumerated(query, wildcard_uri(query.namespace), query.wql)
            except LinkError:
                raise
            except ReadError as error:
                if error.why not in (Why.REFUSED, Why.ABSENT):
                    raise
        whole = self._enumerated(query, class_uri(query.namespace, query.class_name), None)
        if not refused:
            self._refuses_wql.add(query.namespace)
            self._notes.append(f"refuses WQL in {query.namespace}, so classes were enumerated whole")
        return [{name: row[name] for name in query.properties if name in row} for row in whole]

    def _enumerated(self, query: Query, resource: str, wql: str | None) -> Sequence[Row]:
        listing = hold(enumerate_instances(resource, wql, seconds=self._patience), self._connection.send)
        if listing.repaired:
            self._notes.append(f"sent characters in {query.class_name} that XML forbids; they stand as U+FFFD")
        return listing.instances
