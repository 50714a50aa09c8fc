"""Bytes to a host and bytes back, by pywinrm or, where NTLM seals them, by ourselves; every foreign error becomes ours
here.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.wsman import failure
from compliance.wsman.document import is_envelope
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.gauge import Gauge
from compliance.wsman.http_answers import explain_status
from compliance.wsman.ntlm import NtlmTransport
from compliance.wsman.preflight import refuse_login
from compliance.wsman.quiet import quiet
from compliance.wsman.tickets import drawn_by
from compliance.wsman.transport import HardenedTransport
from compliance.wsman.wire import Wire

# Seconds without a message after which a new login is safer: HTTP.sys closes idle connections after 120 s, and a
# sealed message on a new connection is answered by an empty 400 for ever after (measured with pywinrm 0.5.0).
IDLE_SECONDS = 100.0

_SIBLINGS = {
    ("https", 5986): (5985, "http", "set `scheme: http` (messages are sealed with NTLM and Kerberos)"),
    ("http", 5985): (5986, "https", "set `scheme: https`"),
}


class Connection:
    """A logged-in session with one host, for one thread: NTLM and Kerberos belong to a single TCP connection.

    ``deadline`` is a moment of ``time.monotonic``: no message outlasts it, nor its own ``endpoint.operation`` seconds.
    After a LinkError the connection is closed and every later ``send`` raises again; ``reopen`` ends that for a
    LostError. ``offered`` names the logins that the host offered with its last 401, ``identity`` is who logged in where
    the login says so (Kerberos); ``messages``, ``bytes_out`` and ``bytes_in`` count (bodies, as on the wire).
    """

    def __init__(self, endpoint: Endpoint, deadline: float, *, idle: float = IDLE_SECONDS) -> None:
        self._endpoint = endpoint
        self._deadline = deadline
        self._idle = idle
        self._wire = Wire(endpoint.address, endpoint.port, endpoint.connect)
        self._gauge = Gauge(self._wire, str(endpoint))
        self._transport: HardenedTransport | NtlmTransport | None = None
        self._silence = ExitStack()
        self._last = 0.0
        self._broken: LinkError | None = None
        self.messages = 0
        self.identity: str | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        return self._gauge.offered

    @property
    def bytes_out(self) -> int:
        return self._gauge.octets_out

    @property
    def bytes_in(self) -> int:
        return self._gauge.octets_in

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def send(self, message: bytes) -> bytes:
        """Return the answer's SOAP envelope, a fault included (HTTP 500). Raises LinkError for all else."""
        if self._broken is not None:
            raise LinkError(str(self._broken), why=self._broken.why) from self._broken
        try:
            refuse_login(self._endpoint)
            with drawn_by(self._endpoint):
                return self._exchange(message)
        except LinkError as error:
            self._broken = _lost(error, self._endpoint, self._gauge.status) if self.messages else error
            if self._broken is error:
                raise
            raise self._broken from error
        finally:
            if self._broken is not None:
                self.close()

    def reopen(self) -> None:
        """Let the next message connect and log in anew after a LostError, as the first one did."""
        self.close()
        self._broken = None

    def close(self) -> None:
        """Let go of the socket. May be called twice."""
        if self._transport is not None:
            self._transport.close_session()
            self._transport = None
        self._gauge.close()
        self._wire.close()
        self._silence.close()

    def _exchange(self, message: bytes) -> bytes:
        until = min(self._deadline, time.monotonic() + self._endpoint.operation)
        if until <= time.monotonic():
            raise LinkError(f"{self._endpoint}: the time for this host is used up", why=Why.TIMED_OUT)
        if self._transport is not None and self._endpoint.sealed and time.monotonic() - self._last > self._idle:
            self.close()
        if self._transport is None:
            self._silence.enter_context(quiet())  # until it is closed: by message it cost as much as sealing one
        with self._wire.until(until):
            reply = self._post(message)
        if self._wire.expired:  # without a length, a body that the timer cut looks complete
            raise _late(self._endpoint, self._wire)
        if not is_envelope(reply):
            raise explain_status(self._gauge.status, self._endpoint, empty=not reply.strip())
        self.messages += 1
        self.identity = self._transport.identity if self._transport else None
        self._last = time.monotonic()
        return reply

    def _post(self, message: bytes) -> bytes:
        try:
            if self._transport is None:
                is_own = self._endpoint.transport == "ntlm" and self._endpoint.sealed
                self._transport = (NtlmTransport if is_own else HardenedTransport)(self._endpoint, self._gauge)
                if self._endpoint.transport == "kerberos":
                    self._wire.phase = "ticket"  # pywinrm asks for the host's one before it connects
            return self._transport.send_message(message)
        except ReadError as error:
            if self._wire.expired:  # a head that the timer cut looks complete, too
                raise _late(self._endpoint, self._wire) from error
            raise
        except Exception as error:
            raise self._ours(error) from error

    def _ours(self, error: Exception) -> LinkError:
        if self._wire.expired and self._wire.phase != "ticket":  # whose library heeds no time, but has an error to tell
            return _late(self._endpoint, self._wire)
        ours = failure.from_exception(
            error, self._endpoint, phase=self._wire.phase, offered=self.offered, status=self._gauge.status
        )
        if "connection refused" in str(ours):
            patience = min(self._endpoint.connect, max(self._deadline - time.monotonic(), 0.0), 2.0)
            hint = hint_other_port(self._endpoint, patience)
            return LinkError(hint or str(ours), why=ours.why)
        return ours


def _lost(error: LinkError, endpoint: Endpoint, status: int) -> LinkError:
    """Return a LostError for a host that may know us again over a new connection, else ``error`` as it is.

    A host that answered before and now cuts us off, is overloaded (503), or has forgotten our sealed session (400,
    measured), may know us again over a new connection. One that never answered, or refused the login, is not tried
    twice."""
    gone = error.why in (Why.UNREACHABLE, Why.BUSY) or (endpoint.sealed and status == 400)
    return LostError(str(error), why=error.why) if gone else error


def _late(endpoint: Endpoint, wire: Wire) -> LinkError:
    return LinkError(f"{endpoint}: {failure.timed_out(endpoint, wire.phase)}", why=Why.TIMED_OUT)


def hint_other_port(endpoint: Endpoint, timeout: float) -> str:
    """Return what to say when WinRM's other default port answers where the asked one refused; empty when it doesn't.

    One bare TCP connection of at most ``timeout`` seconds, and only for the default ports.
    """
    sibling = _SIBLINGS.get((endpoint.scheme, endpoint.port))
    if sibling is None or timeout <= 0:
        return ""
    port, scheme, advice = sibling
    if scheme == "http" and endpoint.transport in ("basic", "certificate"):
        advice = "it is WinRM's http port, which this login must not use: add an https listener, or `transport: ntlm`"
    try:
        socket.create_connection((endpoint.address, port), timeout=timeout).close()
    except (OSError, UnicodeError):
        return ""
    return f"{endpoint}: connection refused on {endpoint.port}, but {port} answers: {advice}"
