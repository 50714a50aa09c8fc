"""An HTTP answer as it comes in over a socket: read here where it has WinRM's plain form, by http.client otherwise.

WinRM announces its length and sends each field once. http.client parses that as a mail's header, which cost more than
the XML of a small answer; but it knows every other form, so the rest is left to it.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
from collections.abc import Iterable
from typing import Any, BinaryIO, Protocol

_STEP = 256 * 1024
_MOST_OF_A_HEAD = 16 * 1024
_MOST_FIELDS = 50
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2})(?: [^\x00-\x1f\x7f]*)?\r\n")
_FIELD = re.compile(rb"([A-Za-z0-9_-]+):([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
_LENGTH = re.compile(r"[0-9]{1,10}")
_BODILESS = frozenset({204, 304})
_MAY_BE_DOUBLED = "www-authenticate"


class Fields:
    """An answer's header, by names in whatever case."""

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in items:
            self._values.setdefault(name.lower(), []).append(value)

    def get(self, name: str) -> str:
        """Return the first field of that name; empty where there is none."""
        return next(iter(self._values.get(name.lower(), ())), "")

    def get_all(self, name: str) -> list[str]:
        return self._values.get(name.lower(), [])

    def doubled(self) -> set[str]:
        """Return the names that came more than once."""
        return {name for name, values in self._values.items() if len(values) > 1}


class Arriving(Protocol):
    """An answer whose head has come. ``closes``: the host hangs up after it."""

    status: int
    fields: Fields
    closes: bool

    def read(self, most: int) -> bytes:
        """Return some of the body; nothing at its end. Raises IncompleteRead where the host ends it early."""
        ...

    def is_followed(self) -> bool:
        """Return whether more has come than this answer, once it was read."""
        ...


def arrive(plug: socket.socket) -> Arriving:
    """Wait for an answer's head. Raises what the socket and http.client raise."""
    octets = plug.recv(_STEP)
    return _plain(plug, octets) or _ByHttpClient(plug, octets)


def _plain(plug: socket.socket, octets: bytes) -> Arriving | None:
    """Return the answer that begins so; None where its head has not come whole, or has another form than WinRM's."""
    end = octets.find(b"\r\n\r\n", 0, _MOST_OF_A_HEAD) + 2
    status = _STATUS.match(octets)
    if end < 2 or status is None:
        return None
    at, items = status.end(), []
    while field := _FIELD.match(octets, at, end):  # there or not at all: to search costs the square of what is no field
        at = field.end()
        items.append((field[1].decode("ascii"), field[2].strip(b" \t").decode("latin-1")))
    fields = Fields(items)
    code, length = int(status[1]), fields.get("Content-Length")
    is_plain = at == end and len(items) <= _MOST_FIELDS and fields.doubled() <= {_MAY_BE_DOUBLED}
    if not is_plain or not _LENGTH.fullmatch(length) or fields.get_all("Transfer-Encoding") or code in _BODILESS:
        return None
    return _Announced(plug, code, fields, octets[end + 2 :], int(length))


class _Announced:
    """An answer of WinRM's form: so many octets, of which ``begun`` has come with the head."""

    def __init__(self, plug: socket.socket, status: int, fields: Fields, begun: bytes, length: int) -> None:
        self.status = status
        self.fields = fields
        self.closes = "close" in fields.get("Connection").lower()
        self._plug = plug
        self._begun, self._surplus = begun[:length], begun[length:]
        self._left = length

    def read(self, most: int) -> bytes:
        if not self._left:
            return b""
        part, self._begun = self._begun, b""
        if not part:
            came = self._plug.recv(max(most, _STEP))
            part, self._surplus = came[: self._left], came[self._left :]
        if not part:
            raise http.client.IncompleteRead(b"", self._left)
        self._left -= len(part)
        return part

    def is_followed(self) -> bool:
        return bool(self._surplus) or _has_more(self._plug)


class _ByHttpClient:
    """An answer of any form, read by http.client."""

    def __init__(self, plug: socket.socket, begun: bytes) -> None:
        self._reader = _SocketReader(plug, begun)
        self._raw = http.client.HTTPResponse(self._reader, method="POST")  # type: ignore[arg-type]  # see _SocketReader
        self._raw.begin()
        self.status = self._raw.status
        self.fields = Fields(self._raw.headers.items())
        self.closes = self._raw.will_close

    def read(self, most: int) -> bytes:
        part = self._raw.read(most)
        if not part and self._raw.length:
            raise http.client.IncompleteRead(part, self._raw.length)
        return part

    def is_followed(self) -> bool:
        return self._reader.is_followed()


def _has_more(plug: socket.socket) -> bool:
    return isinstance(plug, ssl.SSLSocket) and plug.pending() > 0


class _SocketOctets(io.RawIOBase):
    """What had come, then a socket's octets until ``is_over``: what was read too much is looked at then, without
    waiting for more."""

    def __init__(self, plug: socket.socket, begun: bytes) -> None:
        super().__init__()
        self._plug = plug
        self._begun = begun
        self._is_first = True
        self.is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._begun or self._is_first:  # nothing at first means that the host has hung up
            self._is_first = False
            part, self._begun = self._begun[: len(buffer)], self._begun[len(buffer) :]
            buffer[: len(part)] = part
            return len(part)
        return None if self.is_over else self._plug.recv_into(buffer)


class _SocketReader(io.BufferedReader):
    """What http.client reads an answer from, and closes with its last octet: ``is_followed`` is asked after that."""

    def __init__(self, plug: socket.socket, begun: bytes) -> None:
        self._source = _SocketOctets(plug, begun)
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
        return bool(self.peek(1)) or _has_more(self._plug)
