"""pywinrm's Transport with its open ends closed: redirects, proxies, sizes, compression, time and warnings."""

from __future__ import annotations

import http.client
import io
import logging
import re
import socket
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.response import BaseHTTPResponse
from winrm.exceptions import WinRMTransportError
from winrm.transport import Transport

from compliance.errors import LinkError, Why
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.wire import Wire

# Octets of one answer. A host with the default limit sends at most about 250 KB (MS-WSMV 2.2.4.10 counts UTF-16), so
# this is sixteen times what was asked for, and little enough for many hosts side by side.
MAX_ANSWER = 4 * 1024 * 1024
MAX_REFUSAL = 64 * 1024  # octets of a 401's text; WinRM sends none
_STEP = 64 * 1024
# Logins that concern a connection, or stand in the same header of each message. Kerberos answers for each anew.
_LOGIN_STAYS = frozenset({"ntlm", "basic", "certificate"})
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z-]{1,20})(?=\s|,|$)")


class HardenedTransport(Transport):
    """One host's session. ``setup_encryption`` and ``build_session`` are overridden because, with a sealed login over
    http, pywinrm sends the first message while it still builds the session."""

    def __init__(self, endpoint: Endpoint, gauge: Gauge) -> None:
        super().__init__(
            endpoint=endpoint.request_url,
            username=endpoint.username or None,  # an empty principal is not the ticket's own
            password=endpoint.password.reveal(),
            # Explicit, or REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE would choose whom we trust.
            ca_trust_path=str(endpoint.ca or DEFAULT_CA_BUNDLE_PATH),
            cert_pem=str(endpoint.certificate) if endpoint.certificate else None,
            cert_key_pem=str(endpoint.key) if endpoint.key else None,
            server_cert_validation="validate" if endpoint.verify else "ignore",
            kerberos_hostname_override=endpoint.kerberos_host,
            service="HTTP",  # of the ticket; pywinrm's Transport, other than its Protocol, has None for a default
            credssp_auth_mechanism="ntlm",  # or a wrong password may be tried with a KDC first, and with the host then
            auth_method=endpoint.transport,  # type: ignore[arg-type]  # an unknown one is refused by pywinrm itself
            message_encryption="always" if endpoint.sealed else "never",
            proxy=None,
        )
        self._gauge = gauge
        self._headers: dict[str, str] = {}

    def send_message(self, message: str | bytes) -> bytes:
        """The first message as pywinrm sends it. Later ones over the same connection without requests and urllib3,
        whose work for each cost as much as reading its answer (0.5 ms of CPU); pywinrm seals them as before."""
        plug = self._gauge.idle_plug() if self.session and self.auth_method in _LOGIN_STAYS else None
        if plug is None:
            return super().send_message(message)
        content = message.encode() if isinstance(message, str) else message
        bare = _Bare(body=content)
        if self.encryption:
            bare = _Bare()
            self.encryption.prepare_encrypted_request(bare, self.endpoint, content)  # type: ignore[arg-type]  # see _Bare
        answer = self._gauge.post(plug, self._heading() | bare.headers, bare.body, self.endpoint)
        text = self._get_message_response_text(answer) if answer.content else b""  # type: ignore[arg-type]  # see _Answer
        if answer.status >= requests.codes.bad_request:
            raise WinRMTransportError("http", answer.status, text.decode())
        return text

    def _heading(self) -> dict[str, str]:
        """What requests would send with each message; with Basic, the login too."""
        if not self._headers:
            prepared = self.build_session().prepare_request(requests.Request("POST", self.endpoint))
            self._headers = {**prepared.headers, "Host": urlsplit(prepared.url or "").netloc}
        return self._headers

    def build_session(self) -> requests.Session:
        session = super().build_session()
        self._harden(session)
        return session

    def setup_encryption(self, session: requests.Session) -> None:
        self._harden(session)
        super().setup_encryption(session)

    def _harden(self, session: requests.Session) -> None:
        if session.get_adapter(self.endpoint) is self._gauge:
            return
        session.trust_env = False  # neither a netrc's login nor a proxy
        session.proxies.clear()
        session.max_redirects = 0  # pywinrm would follow, with the Basic header
        session.headers["Accept-Encoding"] = "identity"  # WinRM never compresses; 0.9 MB of gzip became 200 MB
        session.mount("http://", self._gauge)
        session.mount("https://", self._gauge)


@dataclass(slots=True)
class _Bare:
    """Stands where pywinrm's sealing expects a session, and the request that a session prepares."""

    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)

    def prepare_request(self, request: requests.Request) -> _Bare:
        self.body = request.data
        return self


@dataclass(frozen=True, slots=True)
class _Answer:
    """Of requests' response what pywinrm's unsealing looks at."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes
    url: str

    @property
    def request(self) -> _Answer:
        return self


class Gauge(HTTPAdapter):
    """requests' adapter over our wire. It reads bodies under a cap, and keeps of an answer what pywinrm throws away."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self._name = name
        self._classes = wire.connection_classes()
        self.status = 0
        self.offered: tuple[str, ...] = ()
        self.octets_in = self.octets_out = 0
        self._unread: BaseHTTPResponse | None = None
        super().__init__(pool_connections=1, pool_maxsize=1)

    def get_connection_with_tls_context(self, *args: Any, **keywords: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **keywords)
        pool.ConnectionCls = self._classes[pool.scheme]
        return pool

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,  # noqa: ARG002 - pywinrm's one number for everything
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002 - never
    ) -> requests.Response:
        self.status = 0
        seconds = self._wire.remaining()
        # The wire itself bounds the way to the host; both numbers here are for what comes after.
        response = super().send(request, stream, (seconds, seconds), verify, cert, None)
        self.octets_out += len(request.body or b"")
        self.status = response.status_code
        raw: BaseHTTPResponse = response.raw
        self._unread = raw
        if self.status == requests.codes.unauthorized:
            self._look_at_refusal(raw)
            return response
        self._refuse(raw.status, raw.headers.get("Content-Encoding"))
        response.raw = io.BytesIO(self._read(lambda octets: raw.read(octets, decode_content=False)))
        raw.release_conn()
        self._unread = None
        return response

    def idle_plug(self) -> socket.socket | None:
        """The logged-in connection's socket, where the host has not closed it since."""
        return self._wire.idle_plug()

    def post(self, plug: socket.socket, headers: Mapping[str, str], body: bytes, url: str) -> _Answer:
        """One message over a connection that knows us. Raises what http.client and the socket raise, and LinkError."""
        self.status = 0
        plug.settimeout(self._wire.remaining())
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body)}.items())
        plug.sendall(f"POST {urlsplit(url).path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body)
        self.octets_out += len(body)
        with closing(http.client.HTTPResponse(plug, method="POST")) as raw:
            raw.begin()
            self.status = raw.status
            if self.status == requests.codes.unauthorized:
                raise LinkError(f"{self._name}: HTTP 401: the host has forgotten our login", why=Why.UNREACHABLE)
            self._refuse(raw.status, raw.headers.get("Content-Encoding"))
            content = self._read(raw.read)
            if raw.length:
                raise http.client.IncompleteRead(content, raw.length)
            if raw.will_close:
                self._wire.hang_up()
            return _Answer(raw.status, raw.headers, content, url)

    def close(self) -> None:
        """Also the answer that was not read to its end: it holds the socket, and the host would wait."""
        super().close()
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def _look_at_refusal(self, raw: BaseHTTPResponse) -> None:
        """Note which logins are offered. The body stays unread: requests_ntlm takes the certificate for its channel
        binding from the live socket of an unread 401."""
        offers = schemes_in(raw.headers.getlist("WWW-Authenticate"))
        self.offered = tuple(dict.fromkeys((*self.offered, *offers)))[:8]
        length = raw.headers.get("Content-Length", "")
        if not length.isdigit() or len(length) > 8 or int(length) > MAX_REFUSAL:
            raise LinkError(
                f"{self._name}: refused the login (HTTP 401) with a text of unknown or absurd length;"
                " is it a WinRM listener, or a proxy before it?",
                why=Why.LOGIN_REFUSED,
            )

    def _refuse(self, status: int, encoding: str | None) -> None:
        if 300 <= status < 400:
            raise LinkError(
                f"{self._name}: answered with a redirect (HTTP {status}); redirects are not followed,"
                " since WinRM sends none: check address, port and path",
                why=Why.BROKEN,
            )
        if (encoding or "").strip().casefold() not in ("", "identity"):
            raise LinkError(
                f"{self._name}: sent a compressed answer, which was refused unread, since WinRM never compresses;"
                " is a proxy in between?",
                why=Why.BROKEN,
            )

    def _read(self, read: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        room = MAX_ANSWER
        while part := read(_STEP):
            self._wire.remaining()
            parts.append(part)
            self.octets_in += len(part)
            room -= len(part)
            if room < 0:
                raise LinkError(
                    f"{self._name}: the answer is larger than {MAX_ANSWER >> 20} MiB, far more than was asked for",
                    why=Why.TOO_LARGE,
                )
        return b"".join(parts)


def schemes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """The logins that WWW-Authenticate lines offer, each once; a line may hold several (RFC 9110 11.6.1)."""
    return tuple(dict.fromkeys(match for line in lines for match in _SCHEME.findall(line)))


# These log tokens at level DEBUG: a Kerberos ticket, or an NTLM answer from which a password can be guessed.
_TALKATIVE = [logging.getLogger(name) for name in ("requests_credssp", "requests_ntlm", "spnego", "winrm")]


class _Silence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._filters = warnings.catch_warnings()
        self._levels: list[int] = []

    def begin(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
                self._levels = [logger.level for logger in _TALKATIVE]
                for logger in _TALKATIVE:
                    logger.setLevel(logging.CRITICAL + 1)

    def end(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._filters.__exit__(None, None, None)
                for logger, level in zip(_TALKATIVE, self._levels, strict=True):
                    logger.setLevel(level)


_silence = _Silence()


@contextmanager
def quiet() -> Iterator[None]:
    """No warning of a library below us is shown, or raised where warnings are errors: verdicts don't hang on them.
    Nor do those of the logins log what they send and receive, whatever level pytest's options ask for.

    ``catch_warnings`` alone isn't for threads: two that overlap restore each other's filters. So the first one in
    silences and the last one out restores. It also takes back what pywinrm's constructor does to the filters.
    """
    _silence.begin()
    try:
        yield
    finally:
        _silence.end()
