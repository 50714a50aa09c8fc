"""One HTTP answer for one request, measured: its size, its time, its form, and that no second one comes after it."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import BaseHTTPResponse

from compliance.errors import LinkError, Why
from compliance.wsman.http_answers import explain_second_answer
from compliance.wsman.wire import Wire, connection_classes

# Octets of one answer. A host with the default limit sends at most about 250 KB (MS-WSMV 2.2.4.10 counts UTF-16), so
# this is sixteen times what was asked for, and little enough for many hosts side by side.
MAX_ANSWER = 4 * 1024 * 1024
MAX_REFUSAL = 64 * 1024  # octets of a 401's text; WinRM sends none
MOST_COMMAS = 12  # in WWW-Authenticate; WinRM offers at most five logins, and Digest alone has some parameters
_STEP = 64 * 1024
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z-]{1,20})(?=\s|,|$)")


@dataclass(frozen=True, slots=True)
class SealedResponse:
    """Of requests' response what pywinrm's unsealing looks at."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes
    url: str

    @property
    def request(self) -> SealedResponse:
        return self


class _SocketOctets(io.RawIOBase):
    """A socket's octets until ``is_over``: what was read too much is looked at then, without waiting for more."""

    def __init__(self, plug: socket.socket) -> None:
        super().__init__()
        self._plug = plug
        self.is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        return None if self.is_over else self._plug.recv_into(buffer)


class _SocketReader(io.BufferedReader):
    """What http.client reads an answer from, and closes with its last octet: ``is_followed`` is asked after that."""

    def __init__(self, plug: socket.socket) -> None:
        self._source = _SocketOctets(plug)
        super().__init__(self._source)
        self._plug = plug

    def makefile(self, _mode: str) -> BinaryIO:
        """Stand where http.client expects a socket."""
        return self

    def close(self) -> None:
        """Stay open: the socket outlives its answers."""

    def is_followed(self) -> bool:
        """Return whether more has come than the answer that was read."""
        self._source.is_over = True
        return bool(self.peek(1)) or (isinstance(self._plug, ssl.SSLSocket) and self._plug.pending() > 0)


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
        refuse_absurd_offers(self._name, raw)
        if self.status == requests.codes.unauthorized:
            self._look_at_refusal(raw)
            return response
        refuse_form(self._name, raw.status, raw.headers.get("Content-Encoding"))
        response.raw = io.BytesIO(self._read(lambda octets: raw.read(octets, decode_content=False)))
        raw.release_conn()
        self._unread = None
        return response

    def idle_plug(self) -> socket.socket | None:
        """Return the logged-in connection's socket, where the host has not closed it since."""
        return self._wire.idle_plug()

    def post(self, plug: socket.socket, headers: Mapping[str, str], body: bytes, url: str) -> SealedResponse:
        """Return the answer to a message over a connection that knows us.

        Raises what http.client and the socket raise, and LinkError.
        """
        self.status = 0
        plug.settimeout(self._wire.remaining())
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body)}.items())
        plug.sendall(f"POST {urlsplit(url).path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body)
        self.octets_out += len(body)
        reader = _SocketReader(plug)
        with closing(http.client.HTTPResponse(reader, method="POST")) as raw:  # type: ignore[arg-type]  # see _Reader
            raw.begin()
            self.status = raw.status
            if self.status == requests.codes.unauthorized:
                raise LinkError(f"{self._name}: HTTP 401: the host has forgotten our login", why=Why.UNREACHABLE)
            refuse_form(self._name, raw.status, raw.headers.get("Content-Encoding"))
            content = self._read(raw.read)
            if raw.length:
                raise http.client.IncompleteRead(content, raw.length)
            if reader.is_followed():
                raise explain_second_answer(self._name)
            if raw.will_close:
                self._wire.hang_up()
            return SealedResponse(raw.status, raw.headers, content, url)

    def close(self) -> None:
        """Close the answer that was not read to its end, too: it holds the socket, and the host would wait."""
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


def refuse_absurd_offers(name: str, raw: BaseHTTPResponse) -> None:
    """Raise LinkError where logins are offered in a header with many commas.

    pywinrm's Kerberos looks for its token by an expression that takes twice as long for each comma, and holds up
    all threads meanwhile: forty of them would hold up the run for days.
    """
    if sum(line.count(",") for line in raw.headers.getlist("WWW-Authenticate")) > MOST_COMMAS:
        raise LinkError(
            f"{name}: offers logins (HTTP {raw.status}) in a header of absurd form; is it a WinRM listener?",
            why=Why.BROKEN,
        )


def refuse_form(name: str, status: int, encoding: str | None) -> None:
    """Raise LinkError for what WinRM never sends: redirects, and bodies that are compressed."""
    if 300 <= status < 400:
        raise LinkError(
            f"{name}: answered with a redirect (HTTP {status}); redirects are not followed,"
            " since WinRM sends none: check address, port and path",
            why=Why.BROKEN,
        )
    if (encoding or "").strip().casefold() not in ("", "identity"):
        raise LinkError(
            f"{name}: sent a compressed answer, which was refused unread, since WinRM never compresses;"
            " is a proxy in between?",
            why=Why.BROKEN,
        )


def schemes_in(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the logins that WWW-Authenticate lines offer, each once; a line may hold several (RFC 9110 11.6.1)."""
    return tuple(dict.fromkeys(match for line in lines for match in _SCHEME.findall(line)))
