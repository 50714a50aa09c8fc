"""What a listener tells before anybody logs in: its certificate, the logins it offers, and who it says it is.

No credential is sent from here: neither a password nor a ticket nor our certificate. So what is learned over a
connection that isn't trusted costs nothing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from urllib3.util.ssl_ import create_urllib3_context

from compliance.errors import LinkError, ReadError, Why
from compliance.words import shorten
from compliance.wsman import envelope, failure
from compliance.wsman.authorities import authorities_file
from compliance.wsman.certificate import Certificate, certificate_of
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.envelope import Identity
from compliance.wsman.gauge import schemes_in
from compliance.wsman.quiet import quiet
from compliance.wsman.wire import Wire, resolve

DEFAULT_PORTS = {5985: "http", 5986: "https"}
MAX_BODY = 64 * 1024  # octets; an answer to Identify has some 600
MOST_ADDRESSES = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """A handshake. ``distrust`` is why the certificate was not accepted; None where it was verified."""

    protocol: str
    certificate: Certificate | None
    distrust: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """How far one message without a credential came. ``error`` is what ended it before its answer was read."""

    connected: bool = False
    seconds: float = 0.0  # until the connection stood
    tls: Tls | None = None
    status: int = 0  # of HTTP; 0 where no answer came
    offered: tuple[str, ...] = ()
    server: str = ""
    body: bytes = b""
    error: LinkError | None = None

    @property
    def identity(self) -> Identity | None:
        """Who answers, where the body says so."""
        try:
            return envelope.identity(self.body) if self.body else None
        except ReadError:
            return None


def addresses_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return what the name stands for, in the resolver's order. LinkError where it is not known, or not in time."""
    try:
        addresses = resolve(endpoint.address, endpoint.port, endpoint.connect)
    except OSError as error:
        raise failure.from_exception(error, endpoint, phase="lookup", offered=()) from error
    return tuple(dict.fromkeys(str(target[0]) for *_, target in addresses))[:MOST_ADDRESSES]


def reaches(address: str, port: int, seconds: float) -> bool:
    """Return whether one bare TCP connection is made."""
    try:
        socket.create_connection((address, port), timeout=max(seconds, 0.001)).close()
    except (OSError, UnicodeError):
        return False
    return True


def visit(endpoint: Endpoint, deadline: float, *, unauthenticated: bool = False, distrust: str | None = None) -> Visit:
    """Send an Identify that logs nobody in, and see what comes: WinRM's answer is HTTP 401 with the logins it takes.

    ``unauthenticated`` asks with the header that WinRM answers without a login (version 0.0.0 then). Where the
    certificate is not trusted, a second connection looks at it and at what stands behind it all the same; ``distrust``
    is what an earlier visit found, for which it need not be tried again.
    """
    if distrust is not None:
        return _visit_untrusted(endpoint, deadline, unauthenticated, distrust)
    try:
        trusting = _verifying(endpoint) if endpoint.encrypted else None
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        distrust = f"`ca:` can't be read as certificates (PEM): {shorten(str(error), 120)}"
        return _visit_untrusted(endpoint, deadline, unauthenticated, distrust)
    trusted = _Visitor(endpoint, deadline, unauthenticated).visit(trusting)
    if trusted.error is None or not isinstance(trusted.error.__cause__, ssl.SSLCertVerificationError):
        return trusted
    distrust = str(trusted.error).removeprefix(f"{endpoint}: ")
    return _visit_untrusted(endpoint, deadline, unauthenticated, distrust)


def _visit_untrusted(endpoint: Endpoint, deadline: float, unauthenticated: bool, distrust: str) -> Visit:
    context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    context.check_hostname = False
    untrusted = _Visitor(endpoint, deadline, unauthenticated).visit(context)
    return replace(untrusted, tls=replace(untrusted.tls, distrust=distrust)) if untrusted.tls else untrusted


def _verifying(endpoint: Endpoint) -> ssl.SSLContext:
    """Verify as requests does, so that what is trusted here is trusted by the audit."""
    context = create_urllib3_context()
    context.load_verify_locations(cafile=authorities_file(endpoint.ca))
    return context


class _Visitor:
    """One connection, one message, one answer."""

    def __init__(self, endpoint: Endpoint, deadline: float, unauthenticated: bool) -> None:
        self._endpoint = endpoint
        self._until = min(deadline, time.monotonic() + endpoint.operation)
        self._headers = {"Content-Type": "application/soap+xml;charset=UTF-8", "Connection": "close"}
        if unauthenticated:
            self._headers["WSMANIDENTIFY"] = "unauthenticated"
        self._wire = Wire(endpoint.address, endpoint.port, endpoint.connect)
        self._visit = Visit()
        self._plugs: list[socket.socket] = []

    def visit(self, context: ssl.SSLContext | None) -> Visit:
        """Return how far it came; ``context`` None is plain http."""
        try:
            with quiet(), self._wire.until(self._until):
                self._exchange(self._connected(context))
            self._wire.remaining()  # a head or a body that the time cut off looks complete
        except (OSError, http.client.HTTPException, ValueError, LookupError) as error:
            self._visit = replace(self._visit, status=0, offered=(), body=b"", error=self._ours(error))
        finally:
            for plug in self._plugs:
                plug.close()
            self._wire.close()
        return self._visit

    def _connected(self, context: ssl.SSLContext | None) -> socket.socket:
        began = time.monotonic()
        plug = self._wire.open()
        self._plugs.append(plug)
        self._visit = replace(self._visit, connected=True, seconds=time.monotonic() - began)
        if context is None:
            return plug
        self._wire.phase = "TLS"
        sealed = context.wrap_socket(plug, server_hostname=self._endpoint.address.partition("%")[0])
        self._plugs.append(sealed)
        octets = sealed.getpeercert(binary_form=True)
        tls = Tls(protocol=sealed.version() or "TLS", certificate=certificate_of(octets) if octets else None)
        self._visit = replace(self._visit, tls=tls)
        return sealed

    def _exchange(self, plug: socket.socket) -> None:
        self._wire.phase = "answer"
        # An IPv6 zone means something on this machine only and must not be sent (RFC 6874).
        talk = http.client.HTTPConnection(self._endpoint.address.partition("%")[0], self._endpoint.port)
        talk.sock = plug
        talk.request("POST", self._endpoint.path, envelope.identify_request().content, self._headers)
        answer = talk.getresponse()
        try:
            self._visit = replace(
                self._visit,
                status=answer.status,
                offered=schemes_in(_lines(answer, "WWW-Authenticate"))[:8],
                server=shorten(answer.getheader("Server", ""), 80),
            )
            self._visit = replace(self._visit, body=answer.read(MAX_BODY))
        finally:
            answer.close()

    def _ours(self, error: Exception) -> LinkError:
        if self._wire.expired:
            text = failure.timed_out(self._endpoint, self._wire.phase)
            return LinkError(f"{self._endpoint}: {text}", why=Why.TIMED_OUT)
        ours = failure.from_exception(error, self._endpoint, phase=self._wire.phase, offered=())
        ours.__cause__ = error
        return ours


def _lines(answer: http.client.HTTPResponse, name: str) -> Sequence[str]:
    return answer.headers.get_all(name) or ()
