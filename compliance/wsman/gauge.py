"""One HTTP answer for one request, measured: its size, its time, its form, and that no second one comes after it."""

from __future__ import annotations

import io
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict
from urllib3.response import BaseHTTPResponse

from compliance.errors import LinkError, Why
from compliance.wsman.arriving import Arriving, Fields, arrive
from compliance.wsman.http_answers import explain_second_answer
from compliance.wsman.wire import Wire, connection_classes

# Octets of one answer. A host with the default limit sends at most about 250 KB (MS-WSMV 2.2.4.10 counts UTF-16), so
# this is sixteen times what was asked for, and little enough for many hosts side by side.
MAX_ANSWER = 4 * 1024 * 1024
MAX_REFUSAL = 64 * 1024  # octets of a 401's text; WinRM sends none
MOST_COMMAS = 12  # in WWW-Authenticate; WinRM offers at most five logins, and Digest alone has some parameters
_STEP = 64 * 1024
_LENGTH = re.compile(r"[0-9]{1,8}")
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z-]{1,20})(?=\s|,|$)")


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer that was read whole. ``headers`` and ``request`` are what pywinrm's unsealing looks at."""

    status: int
    fields: Fields
    content: bytes
    url: str

    @property
    def headers(self) -> Fields:
        return self.fields

    @property
    def request(self) -> HttpAnswer:
        return self


def head_of(request: requests.PreparedRequest, headers: Mapping[str, str]) -> bytes:
    """Return the head of a message, but for its Content-Length, which ends it."""
    fields = {"Host": urlsplit(request.url or "").netloc, **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if name.lower() != "content-length")
    return f"POST {request.path_url} HTTP/1.1\r\n{lines}Content-Length: ".encode("latin-1")


class Gauge(HTTPAdapter):
    """requests' adapter over our wire. It reads bodies under a cap, and keeps of an answer what pywinrm throws away."""

    def __init__(self, wire: Wire, name: str) -> None:
        self._wire = wire
        self._name = name
        self._classes = connection_classes(wire)
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
        offers = raw.headers.getlist("WWW-Authenticate")
        refuse_absurd_offers(self._name, self.status, offers)
        if self.status == requests.codes.unauthorized:
            # The body stays unread: requests_ntlm takes the certificate for its channel binding from the live socket
            # of an unread 401.
            self._note_refusal(raw.headers)
            return response
        refuse_form(self._name, raw.status, raw.headers.get("Content-Encoding"))
        response.raw = io.BytesIO(self._read(lambda octets: raw.read(octets, decode_content=False)))
        raw.release_conn()
        self._unread = None
        return response

    def connect(self) -> None:
        """Open a socket that belongs to no library."""
        self._wire.connect()

    def idle_plug(self) -> socket.socket | None:
        """Return the connection's socket, where the host has not closed it since."""
        return self._wire.idle_plug()

    def ask(self, plug: socket.socket, head: bytes) -> HttpAnswer:
        """Return the answer to a login's message without a body; a refusal is one."""
        arriving = self._send(plug, head, b"")
        refuse_absurd_offers(self._name, arriving.status, arriving.fields.get_all("WWW-Authenticate"))
        if arriving.status == requests.codes.unauthorized:
            self._note_refusal(arriving.fields)
        return self._take(arriving, "")

    def post(self, plug: socket.socket, head: bytes, body: bytes, url: str) -> HttpAnswer:
        """Return the answer to a message over a connection that knows us. ``head`` is one of ``head_of``.

        Raises what http.client and the socket raise, and LinkError.
        """
        arriving = self._send(plug, head, body)
        if arriving.status == requests.codes.unauthorized:
            raise LinkError(f"{self._name}: HTTP 401: the host has forgotten our login", why=Why.UNREACHABLE)
        return self._take(arriving, url)

    def _send(self, plug: socket.socket, head: bytes, body: bytes) -> Arriving:
        self.status = 0
        plug.settimeout(self._wire.remaining())
        plug.sendall(b"%b%d\r\n\r\n%b" % (head, len(body), body))
        self.octets_out += len(body)
        arriving = arrive(plug)
        self.status = arriving.status
        return arriving

    def _take(self, arriving: Arriving, url: str) -> HttpAnswer:
        refuse_form(self._name, arriving.status, arriving.fields.get("Content-Encoding"))
        content = self._read(arriving.read)
        if arriving.is_followed():
            raise explain_second_answer(self._name)
        if arriving.closes:
            self._wire.hang_up()
        return HttpAnswer(arriving.status, arriving.fields, content, url)

    def close(self) -> None:
        """Close the answer that was not read to its end, too: it holds the socket, and the host would wait."""
        super().close()
        if self._unread is not None:
            self._unread.close()
            self._unread = None

    def _note_refusal(self, fields: Fields | HTTPHeaderDict) -> None:
        """Note which logins a refusal offers. LinkError where its text may be long."""
        self.offered = tuple(dict.fromkeys((*self.offered, *schemes_in(fields.get_all("WWW-Authenticate")))))[:8]
        refuse_long_text(self._name, fields)

    def _read(self, read: Callable[[int], bytes]) -> bytes:
        parts: list[bytes] = []
        room = MAX_ANSWER
        while part := read(_STEP):
            self._wire.remaining()
            parts.append(part)
            self.octets_in += len(part)
            room -= len(part)
            if room < 0:
                raise _too_large(self._name)
        return b"".join(parts)


def _too_large(name: str) -> LinkError:
    text = f"the answer is larger than {MAX_ANSWER >> 20} MiB, far more than was asked for"
    return LinkError(f"{name}: {text}", why=Why.TOO_LARGE)


def refuse_absurd_offers(name: str, status: int, lines: Iterable[str]) -> None:
    """Raise LinkError where logins are offered in a header with many commas.

    pywinrm's Kerberos looks for its token by an expression that takes twice as long for each comma, and holds up
    all threads meanwhile: forty of them would hold up the run for days.
    """
    if sum(line.count(",") for line in lines) > MOST_COMMAS:
        raise LinkError(
            f"{name}: offers logins (HTTP {status}) in a header of absurd form; is it a WinRM listener?",
            why=Why.BROKEN,
        )


def refuse_long_text(name: str, fields: Fields | HTTPHeaderDict) -> None:
    """Raise LinkError where a refused login's text may be long: the libraries that log in read and unpack all of it."""
    length = ",".join(fields.get_all("Content-Length"))
    is_short = _LENGTH.fullmatch(length) is not None and int(length) <= MAX_REFUSAL
    # Chunks count for more than a length does (RFC 9112 6.3).
    if not is_short or fields.get_all("Transfer-Encoding") or _is_coded(fields.get_all("Content-Encoding")):
        raise LinkError(
            f"{name}: refused the login (HTTP 401) with a text that WinRM never sends (long, of unknown length,"
            " in chunks, or compressed); is it a WinRM listener, or a proxy before it?",
            why=Why.LOGIN_REFUSED,
        )


def refuse_form(name: str, status: int, encoding: str | None) -> None:
    """Raise LinkError for what WinRM never sends: redirects, and bodies that are compressed."""
    if 300 <= status < 400:
        raise LinkError(
            f"{name}: answered with a redirect (HTTP {status}); redirects are not followed,"
            " since WinRM sends none: check address, port and path",
            why=Why.BROKEN,
        )
    if _is_coded([encoding or ""]):
        raise LinkError(
            f"{name}: sent a compressed answer, which was refused unread, since WinRM never compresses;"
            " is a proxy in between?",
            why=Why.BROKEN,
        )


def _is_coded(encodings: Iterable[str]) -> bool:
    return any(encoding.strip().casefold() not in ("", "identity") for encoding in encodings)


def schemes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the logins that WWW-Authenticate lines offer, each once; a line may hold several (RFC 9110 11.6.1)."""
    return tuple(dict.fromkeys(match for line in lines for match in _SCHEME.findall(line)))
