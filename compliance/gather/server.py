"""One server's reading: which questions are put to it in which order, and what is done when it stumbles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from compliance.credentials.find import Credential
from compliance.errors import LinkError, ReadError, Why
from compliance.gather.patience import Patience
from compliance.gather.rows import RowReader
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.inventory.entries import Entry, Limits
from compliance.inventory.guests import WindowsGuest
from compliance.model import READ_AS, Unread
from compliance.snapshot.snapshot import Reading, RowsOrUnread
from compliance.words import shorten
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import class_uri, hold, identify, invoke
from compliance.wsman.endpoint import NO_PASSWORD, Endpoint

Clock = Callable[[], datetime]
Watch = Callable[[Query, RowsOrUnread, float], None]
"""Called with each class as it has been read: its answer, and the seconds that it took."""


def read_server(
    entry: Entry,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    *,
    watch: Watch = lambda _query, _answer, _seconds: None,
) -> Reading:
    """Read one server. ReadError where it could not be read as a whole."""
    deadline = time.monotonic() + limits.server
    endpoint = endpoint_of(entry, credential, limits)
    with Connection(endpoint, deadline=deadline) as connection:
        return name_identity(Reader(connection, deadline, endpoint.server_seconds, now, watch).read(), connection)


def name_identity(reading: Reading, connection: Connection) -> Reading:
    """Return the reading with a note of who logged in, where the login says so."""
    if not connection.identity:
        return reading
    return replace(reading, notes=(*reading.notes, f"{READ_AS}{shorten(connection.identity, 120)}"))


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

    def __init__(
        self,
        connection: Connection,
        deadline: float,
        seconds: float,
        now: Clock,
        watch: Watch,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``seconds`` the server may take for one answer; ``deadline`` is a moment of ``clock``, for all of them."""
        self._connection = connection
        self._seconds = seconds
        self._now = now
        self._watch = watch
        self._notes: list[str] = []
        self._patience = Patience(deadline, connection.reopen, self._notes.append, clock, sleep)
        self._rows = RowReader(connection.send, seconds)

    def read(self) -> Reading:
        return self.read_after_identify(self._identified())

    def read_after_identify(self, version: str | None) -> Reading:
        """Read everything after Identify, which gave ``version``; None where it gave none."""
        started = self._now()
        version_of_system, ahead = self._clock()
        version = version or version_of_system
        at_first = list(queries.queries_for(version))
        classes = {query.class_name: self.answer(query) for query in at_first}
        of_replication = queries.queries_of_replication(version, classes[queries.MACHINES])
        classes |= {query.class_name: self.answer(query) for query in of_replication}
        cluster = self._cluster()
        later = [queries.components_again(classes[queries.KVP_COMPONENTS]), queries.AGAIN]
        again = {query.class_name: self.answer(query) for query in later if query}
        return Reading(
            started=started,
            finished=self._now(),
            version=version,
            clock_ahead=ahead,
            classes=classes,
            again=again,
            too_large=tuple(self._rows.too_large),
            notes=(*self._notes, *self._rows.notes()),
            cluster=cluster,
            asked_properties={query.class_name: query.properties for query in (*at_first, *of_replication)},
        )

    def read_classes(self, asked: Sequence[Query], *, before: Reading | None = None) -> Reading:
        """Read some classes, each once, beside what was read before."""
        started = self._now() if before is None else before.started
        classes = {query.class_name: self.answer(query) for query in asked}
        return Reading(
            started=started,
            finished=self._now(),
            classes={**(before.classes if before else {}), **classes},
            too_large=tuple(self._rows.too_large),
            notes=(*self._notes, *self._rows.notes()),
        )

    def _cluster(self) -> dict[str, RowsOrUnread]:
        """Read of which cluster the server says it is a node; nothing where it has no failover clustering."""
        nodes = self.answer(queries.NODE_OF)
        if isinstance(nodes, Unread) and nodes.why is Why.ABSENT:
            return {}
        if isinstance(nodes, Unread):
            return {queries.NODES: nodes}
        return {queries.NODES: nodes, queries.CLUSTER: self.answer(queries.CLUSTER_NAME)}

    def _identified(self) -> str | None:
        """Return the version, before the first query: one that names an unknown property fails whole."""
        try:
            return hold(identify(), self._connection.send).version
        except LinkError:
            raise
        except ReadError:
            return None  # some listeners answer Identify to nobody; root/cimv2 has it as well

    def _clock(self) -> tuple[str | None, timedelta | None]:
        asked = self._now()
        answer = self.answer(queries.CLOCK)
        if isinstance(answer, Unread):
            self._notes.append(f"its clock could not be read: {answer}")
            return None, None
        row = answer[0] if answer else {}
        version, ahead = row.get("Version"), _ahead(row.get("LocalDateTime"), asked, self._now())
        if ahead is None:
            self._notes.append("its clock could not be read: no time with a zone came")
        return version if isinstance(version, str) else None, ahead

    def answer(self, query: Query) -> RowsOrUnread:
        """Return the rows of one class, or why there are none. LinkError where nothing more can be asked."""
        began = time.monotonic()
        try:
            answer: RowsOrUnread = tuple(self._patience.insist(lambda: self._rows.read_rows(query)))
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

    def invoke(self, namespace: str, class_name: str, method: str, arguments: Mapping[str, str]) -> RowsOrUnread:
        """Return what a method gave, as one row. Only guests are asked so, never a server."""
        uri = class_uri(namespace, class_name)
        try:
            call = partial(invoke, uri, method, arguments, seconds=self._seconds)
            return (self._patience.insist(lambda: hold(call(), self._connection.send)),)
        except LinkError:
            raise
        except ReadError as error:
            return Unread(str(error), error.why)


def _ahead(time_there: object, asked: datetime, answered: datetime) -> timedelta | None:
    """Return how far that clock is ahead. It was looked at between two moments of ours: what the time between them
    alone explains is no difference."""
    there = _read_time(time_there)
    return None if there is None else there - min(max(there, asked), answered)


def _read_time(text: object) -> datetime | None:
    """Return a time with a zone; None for anything else."""
    try:
        time_there = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time_there if time_there and time_there.tzinfo else None
