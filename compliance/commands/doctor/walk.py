"""The walk to one server, from its name to its rows: one step after the other, and none that can still teach left out.

Two things bound it. A credential goes over a connection that the inventory trusts, and nowhere else; and it is sent
once, since a wrong password that is tried again locks the account.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from compliance.commands.doctor import grants
from compliance.commands.doctor.examination import STEPS, ClassRead, Examination, Fact, Grant, Status, Step
from compliance.commands.doctor.meaning import explain
from compliance.commands.doctor.one_server import WITH_A_PASSWORD
from compliance.commands.doctor.way_there import Reached, reach, without_endpoint
from compliance.credentials.find import Credential
from compliance.errors import LinkError, ReadError, Why
from compliance.gather.server import Clock, Reader, endpoint_of
from compliance.gather.sources import source_of
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.inventory.entries import Entry, Limits
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading, RowsOrUnread, ServerRecord
from compliance.words import shorten
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import hold, identify
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.envelope import Identity

BINDING = {"ntlm": ", with channel binding", "kerberos": ", with channel binding where the host insists"}
"""Over https. NTLM's token names the certificate (requests_ntlm); Kerberos' does in a second one, after the first was
refused (pywinrm's requests_kerberos)."""


@dataclass(slots=True)
class Refusals:
    """Credentials that a server of this run refused, and those that one took. A wrong password is sent once, not once
    a server: the servers of a domain ask the same controllers, which count."""

    refused: dict[str, str] = field(default_factory=dict)  # credential -> server
    accepted: set[str] = field(default_factory=set)

    def objection(self, entry: Entry) -> str:
        """Why ``entry``'s credential should not be tried; empty where it may be."""
        name = entry.credential
        if entry.transport not in WITH_A_PASSWORD or name in self.accepted or name not in self.refused:
            return ""
        return (
            f"{self.refused[name]} refused credential `{name}`, and another wrong password may lock the account;"
            f" `--server {entry.name}` tries it here alone"
        )


def examine(entry: Entry, credential: Credential | None, limits: Limits, now: Clock, refusals: Refusals) -> Examination:
    """Everything that can be learned of one server, with one login at most."""
    return _Walk(entry, credential, limits, now, refusals).examination()


class _Walk:
    def __init__(
        self, entry: Entry, credential: Credential | None, limits: Limits, now: Clock, refusals: Refusals
    ) -> None:
        self._entry = entry
        self._endpoint = endpoint_of(entry, credential, limits)
        self._began = time.monotonic()
        self._deadline = self._began + limits.server
        self._now = now
        self._refusals = refusals
        self._steps: list[Step] = []
        self._grants: list[Grant] = []
        self._connection = Connection(self._endpoint, self._deadline)
        self._log = _ClassLog(self._connection)

    def examination(self) -> Examination:
        reached = reach(self._endpoint, self._deadline, self._now())
        self._steps += reached.steps
        with self._connection:
            reading = self._login_and_read(reached)
        source = source_of(self._entry, reading)
        if self._log.classes or isinstance(reading, Reading):
            self._understand(source)
        return Examination(
            name=self._entry.name,
            endpoint=str(self._endpoint),
            way=f"{self._endpoint.scheme}, {_who(self._endpoint)}",
            steps=_whole(self._steps),
            source=source,
            classes=tuple(self._log.classes),
            grants=tuple(self._grants),
            messages=self._connection.messages,
            octets=_octets(self._connection),
            seconds=time.monotonic() - self._began,
        )

    def _login_and_read(self, reached: Reached) -> Reading | Unread:
        objection = reached.objection or self._refusals.objection(self._entry)
        if objection:
            if reached.scheme_is_missing:
                self._grants += grants.for_scheme(self._endpoint.transport)
            self._steps.append(Step(key="login", status=Status.NOT_TRIED, text=objection))
            return _first_failure(self._steps)
        try:
            version = self._logged_in()
        except LinkError as error:
            return self._login_failed(error)
        return self._read(version)

    # --- login and Identify: one message tells both ------------------------------------------------------------------

    def _logged_in(self) -> str | None:
        """The server's version, None where Identify does not tell. LinkError where there is no session."""
        identity, refusal = None, ""
        try:
            identity = hold(identify(), self._connection.send)
        except LinkError:
            raise
        except ReadError as error:
            refusal = str(error)
        if self._entry.credential:
            self._refusals.accepted.add(self._entry.credential)
        self._steps += [_login(self._endpoint), _identified(identity, refusal)]
        return identity.version if identity else None

    def _login_failed(self, error: LinkError) -> Unread:
        """Without a 401 it is this machine's own lack, of a ticket or a library, which no right on the host cures."""
        was_refused = error.why is Why.LOGIN_REFUSED and bool(self._connection.offered)
        if was_refused and self._entry.credential:
            self._refusals.refused.setdefault(self._entry.credential, self._entry.name)
        if was_refused or error.why is Why.BROKEN:
            self._grants += grants.for_login(self._endpoint, error.why)
        text, facts = without_endpoint(error, self._endpoint), _login_facts(self._endpoint)
        self._steps.append(Step(key="login", status=Status.FAILED, text=text, facts=facts))
        return Unread(str(error), error.why)

    # --- the reading: the audit's own --------------------------------------------------------------------------------

    def _read(self, version: str | None) -> Reading | Unread:
        reader = Reader(self._connection, self._deadline, self._endpoint.server_seconds, self._now, self._log.note)
        self._log.spent()
        try:
            return reader.read_after_identify(version)
        except ReadError as error:
            return Unread(str(error), error.why)
        except Exception as error:  # as in gather.py: whatever fails with one peer costs that peer only
            return Unread(f"unexpected {type(error).__name__}", Why.BROKEN)

    def _understand(self, source: ServerRecord) -> None:
        version = source.reading.version if isinstance(source.reading, Reading) else None
        meaning = explain(source, self._log.classes)
        self._steps += meaning.steps
        denied = {
            read.namespace: read.unread
            for read in self._log.classes
            if read.unread is not None and read.unread.why is Why.NOT_PERMITTED
        }
        if denied:
            self._grants += grants.for_denied(self._endpoint, version, denied)
        if meaning.hidden:
            self._grants += grants.for_hidden(self._endpoint, version)


class _ClassLog:
    """What each class gave, and what it took of the connection."""

    def __init__(self, connection: Connection) -> None:
        self.classes: list[ClassRead] = []
        self._connection = connection
        self._counted = (0, 0)  # messages and octets, as of the last class

    def note(self, query: Query, answer: RowsOrUnread, seconds: float) -> None:
        """Note a class that was read, or could not be, after ``seconds``: what gather/server.py's reader calls."""
        if query is queries.NODE_OF and isinstance(answer, Unread) and answer.why is Why.ABSENT:
            return  # no node of a cluster: nothing is amiss, and what it cost counts with what follows
        messages, octets = self.spent()
        self.classes.append(
            ClassRead(
                name=query.class_name,
                namespace=query.namespace,
                rows=0 if isinstance(answer, Unread) else len(answer),
                seconds=seconds,
                messages=messages,
                octets=octets,
                unread=answer if isinstance(answer, Unread) else None,
            )
        )

    def spent(self) -> tuple[int, int]:
        """Messages and octets since it was asked the last time."""
        now = self._connection.messages, _octets(self._connection)
        spent = now[0] - self._counted[0], now[1] - self._counted[1]
        self._counted = now
        return spent


def _octets(connection: Connection) -> int:
    return connection.bytes_in + connection.bytes_out


# --- steps ------------------------------------------------------------------------------------------------------------


def _login(endpoint: Endpoint) -> Step:
    facts = _login_facts(endpoint)
    if endpoint.encrypted:
        binding = BINDING.get(endpoint.transport, "")
        return Step(key="login", status=Status.OK, text=f"{_who(endpoint)}, over TLS{binding}", facts=facts)
    if endpoint.sealed:
        return Step(key="login", status=Status.OK, text=f"{_who(endpoint)}; it seals every message", facts=facts)
    password = ", the password too" if endpoint.transport == "basic" else ""
    text = f"{_who(endpoint)}; all is readable on the way{password} (`cleartext: true`)"
    return Step(key="login", status=Status.WARNING, text=text, facts=facts)


def _login_facts(endpoint: Endpoint) -> dict[str, Fact]:
    return {
        "transport": endpoint.transport,
        "user": endpoint.username or None,
        "tls": endpoint.encrypted,
        "sealed": endpoint.sealed,
        "channel_binding": endpoint.encrypted and endpoint.transport in BINDING,
    }


def _identified(identity: Identity | None, refusal: str) -> Step:
    """Some listeners tell nobody who they are; the version then comes from root/cimv2."""
    if identity is None:
        return Step(key="identify", status=Status.WARNING, text=refusal)
    vendor, version = shorten(identity.vendor, 80), identity.version and shorten(identity.version, 40)
    facts: dict[str, Fact] = {"vendor": vendor, "version": version, "stack": identity.stack}
    stack = f", stack {identity.stack}" if identity.stack else ""
    return Step(
        key="identify",
        status=Status.OK,
        text=f"{vendor or 'nobody'}, version {version or 'not told'}{stack}",
        facts=facts,
    )


def _who(endpoint: Endpoint) -> str:
    return f"{endpoint.transport} as {shorten(endpoint.username, 80)}" if endpoint.username else endpoint.transport


def _whole(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Each step once and in order, also those that were not reached."""
    taken = {step.key: step for step in steps}
    return tuple(taken.get(key) or Step(key=key, status=Status.NOT_TRIED, text="") for key in STEPS)


def _first_failure(steps: Sequence[Step]) -> Unread:
    """What an audit would say of the server."""
    failed = next((step for step in steps if step.status in (Status.FAILED, Status.NOT_TRIED)), None)
    return Unread(f"{failed.key}: {failed.text}" if failed else "was not read", Why.UNREACHABLE)
