"""One server's reading: which questions are put to it in which order, and what is done when it stumbles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from compliance.credentials.find import Credential
from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.inventory.guests import WindowsGuest
from compliance.inventory.inventory import Entry, Limits
from compliance.model import Row, Unread
from compliance.snapshot.snapshot import Answer, Reading
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import class_uri, enumerate_instances, hold, identify, invoke, wildcard_uri
from compliance.wsman.endpoint import NO_PASSWORD, Endpoint
from compliance.wsman.fault import Fault

WAITS = {Why.BUSY: (1.0, 4.0), Why.TIMED_OUT: (1.0,)}
"""Seconds before a query is sent again to a server that was busy, or that gave up on it by itself."""
REBUILDS = 2
"""Times that a server's lost connection is built anew; a third loss makes the server unread."""

Told = TypeVar("Told")
Clock = Callable[[], datetime]
Watch = Callable[[Query, Answer, float], None]
"""Told of each class as it has been read: its answer, and the seconds that it took."""


def read_server(
    entry: Entry,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    *,
    watch: Watch = lambda _query, _answer, _seconds: None,
) -> Reading:
    """Everything that we read of one server. ReadError where the server as a whole could not be read."""
    deadline = time.monotonic() + limits.server
    endpoint = endpoint_of(entry, credential, limits)
    with Connection(endpoint, deadline=deadline) as connection:
        return Reader(connection, deadline, endpoint.server_seconds, now, watch).read()


def endpoint_of(entry: Entry | WindowsGuest, credential: Credential | None, limits: Limits) -> Endpoint:
    return Endpoint(
        address=entry.address,
        port=entry.port,
        scheme=entry.scheme,
        path=entry.path,
        transport=entry.transport,
        username=credential.username if credential else entry.principal or "",
        password=credential.password if credential else NO_PASSWORD,
        origin=credential.origin if credential else "",
        cache=credential.cache if credential else None,
        ca=entry.ca,
        verify=entry.verify,
        cleartext=entry.cleartext,
        kerberos_host=entry.kerberos_host,
        certificate=entry.certificate,
        key=entry.key,
        connect=limits.connect,
        operation=limits.operation,
    )


class Reader:
    """One server's conversation: version, clock, each class once, and the list of machines a second time."""

    def __init__(self, connection: Connection, deadline: float, patience: float, now: Clock, watch: Watch) -> None:
        self._connection = connection
        self._deadline = deadline
        self._patience = patience  # seconds that the server may take for one answer
        self._now = now
        self._watch = watch
        self._refuses_wql: set[str] = set()  # namespaces
        self._left_out: list[str] = []
        self._rebuilt = 0
        self._notes: list[str] = []

    def read(self) -> Reading:
        return self.read_after_identify(self._identified())

    def read_after_identify(self, version: str | None) -> Reading:
        """The same for who has asked already; ``version`` is what Identify told, None where it told nothing."""
        started = self._now()
        told_version, ahead = self._clock()
        version = version or told_version
        classes = {query.class_name: self.answer(query) for query in queries.queries_for(version)}
        cluster = self._cluster()
        again = {queries.AGAIN.class_name: self.answer(queries.AGAIN)}
        return Reading(
            started=started,
            finished=self._now(),
            version=version,
            clock_ahead=ahead,
            classes=classes,
            again=again,
            left_out=tuple(self._left_out),
            notes=tuple(self._notes),
            cluster=cluster,
        )

    def read_classes(self, asked: Sequence[Query], *, before: Reading | None = None) -> Reading:
        """Some classes alone, each once; beside what was read before."""
        started = self._now() if before is None else before.started
        classes = {query.class_name: self.answer(query) for query in asked}
        return Reading(
            started=started,
            finished=self._now(),
            classes={**(before.classes if before else {}), **classes},
            left_out=tuple(self._left_out),
            notes=tuple(self._notes),
        )

    def _cluster(self) -> dict[str, Answer]:
        """The cluster that the server says it is a node of. One without failover clustering has nothing to say."""
        nodes = self.answer(queries.NODE_OF)
        if isinstance(nodes, Unread) and nodes.why is Why.ABSENT:
            return {}
        found = {queries.NODES: nodes}
        return found if isinstance(nodes, Unread) else {**found, queries.CLUSTER: self.answer(queries.CLUSTER_NAME)}

    def _identified(self) -> str | None:
        """The version, before the first query, since a query that names an unknown property fails whole."""
        try:
            return hold(identify(), self._connection.send).version
        except LinkError:
            raise
        except ReadError:
            return None  # some listeners answer Identify to nobody; root/cimv2 tells as well

    def _clock(self) -> tuple[str | None, timedelta | None]:
        answer = self.answer(queries.CLOCK)
        if isinstance(answer, Unread):
            self._notes.append(f"its clock could not be read: {answer}")
            return None, None
        row = answer[0] if answer else {}
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

    def answer(self, query: Query) -> Answer:
        """The rows of one class, or why there are none. LinkError where nothing more can be asked."""
        began = time.monotonic()
        try:
            answer: Answer = tuple(self._patiently(lambda: self._rows_once(query)))
        except LinkError as error:
            raise LinkError(f"{error} (while reading {query.class_name})", why=error.why) from error
        except ReadError as error:
            answer = Unread(str(error), error.why)
        self._watch(query, answer, time.monotonic() - began)
        if query.class_name == queries.MACHINES and isinstance(answer, Unread) and answer.why is Why.ABSENT:
            raise ReadError(
                f"has no {query.namespace}: Hyper-V is not installed, or the server is older than 2012",
                why=Why.NOT_HYPERV,
            )
        return answer

    def invoked(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> Answer:
        """What a method gave, as one row. No server is asked so, guests alone."""
        uri = class_uri(namespace, class_name)
        try:
            asked = partial(invoke, uri, method, arguments, seconds=self._patience)
            return (self._patiently(lambda: hold(asked(), self._connection.send)),)
        except LinkError:
            raise
        except ReadError as error:
            return Unread(str(error), error.why)

    # --- what is done when a server stumbles: everything here only reads, so it may be asked again --------------------

    def _patiently(self, ask: Callable[[], Told]) -> Told:
        waits = {why: list(seconds) for why, seconds in WAITS.items()}
        while True:
            try:
                return ask()
            except LostError as error:
                self._rebuild(error)
            except LinkError:
                raise
            except ReadError as error:
                left = waits.get(error.why)
                if not left or time.monotonic() + left[0] > self._deadline:
                    raise
                time.sleep(left.pop(0))

    def _rebuild(self, error: LostError) -> None:
        if self._rebuilt == REBUILDS:
            raise error
        self._rebuilt += 1
        self._notes.append(f"lost the connection, which was built anew: {error}")
        if error.why is Why.BUSY:
            time.sleep(min(WAITS[Why.BUSY][0], max(self._deadline - time.monotonic(), 0.0)))
        self._connection.reopen()

    def _rows_once(self, query: Query) -> Sequence[Row]:
        """As few properties as we need, by WQL; fewer where these are too large; the whole class where WQL is refused.

        Some hosts refuse WQL in root/virtualization/v2 (r4sd/go-wsman); and an invalid class gives the same fault as
        refused WQL, so what a plain enumeration says decides.
        """
        refused = query.namespace in self._refuses_wql
        asked = [] if refused else [query, *([query.slim] if query.bulky else [])]
        for attempt in asked:
            try:
                rows = self._enumerated(query, wildcard_uri(query.namespace), attempt.wql)
            except LinkError:
                raise
            except ReadError as error:
                if _too_large(error):
                    continue
                if error.why not in (Why.REFUSED, Why.ABSENT) or _lacks_namespace(query, error):
                    raise
                refused = True
                break
            if attempt is not query:
                self._leave_out(query)
            return rows
        whole = self._enumerated(query, class_uri(query.namespace, query.class_name), None)
        if refused and query.namespace not in self._refuses_wql:
            self._refuses_wql.add(query.namespace)
            self._notes.append(queries.refuses_wql(query.namespace))
        return [{name: row[name] for name in query.properties if name in row} for row in whole]

    def _leave_out(self, query: Query) -> None:
        self._left_out += [f"{query.class_name}.{name}" for name in query.bulky]
        self._notes.append(
            f"can't send {', '.join(query.bulky)} of {query.class_name}, which is larger than its MaxEnvelopeSizekb: "
            "it was not read"
        )

    def _enumerated(self, query: Query, resource: str, wql: str | None) -> Sequence[Row]:
        listing = hold(enumerate_instances(resource, wql, seconds=self._patience), self._connection.send)
        if listing.repaired:
            self._notes.append(f"sent characters in {query.class_name} that XML forbids; they stand as U+FFFD")
        return listing.instances


def _lacks_namespace(query: Query, error: ReadError) -> bool:
    """Most servers have no failover clustering: one message is enough to hear it, where the fault is that exact."""
    return query.namespace == queries.MSCLUSTER and error.why is Why.ABSENT


def _too_large(error: ReadError) -> bool:
    """The server's own word, not our caps: nobody asks again a server that sends without end."""
    return isinstance(error, Fault) and error.why is Why.TOO_LARGE
