"""The least that a client can be: one socket, one buffer, pyspnego for login and sealing, and no check of anything.

The measuring stick for what our own connection costs. It shares no code with it; only the reader above both is the
same. It trusts whatever comes, so nobody should read a server with it.
"""

from __future__ import annotations

import base64
import re
import socket
import struct
from typing import Self

import spnego

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_TOKEN = re.compile(rb"Negotiate ([A-Za-z0-9+/=]+)")
_STEP = 256 * 1024
_KIND = (
    b'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";'
    b'boundary="Encrypted Boundary"\r\n'
)
_BOUNDARY = b"--Encrypted Boundary"
_OCTETS = b"\tContent-Type: application/octet-stream\r\n"
_BEFORE = (
    _BOUNDARY + b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n" + _BOUNDARY + b"\r\n" + _OCTETS
)


class BareClient:
    """A logged-in connection: what ``tests.replayed.read`` takes for a connection."""

    def __init__(self, port: int, user: str, password: str) -> None:
        """Connect to the loopback and log in by two requests."""
        self._plug = socket.create_connection(("127.0.0.1", port))
        self._plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._context = spnego.client(user, password, protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        head, _ = self._post(self._authorization(None), b"")
        challenge = _TOKEN.search(head)
        assert challenge, head
        self._post(self._authorization(base64.b64decode(challenge[1])), b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._plug.close()

    def reopen(self) -> None:
        """Do nothing: this client never loses a connection, or fails."""

    def send(self, message: bytes) -> bytes:
        """Return the answer to a message, both sealed."""
        sealed = self._context.wrap_winrm(message)
        length = struct.pack("<i", len(sealed.header))
        body = b"".join((_BEFORE % len(message), length, sealed.header, sealed.data, _BOUNDARY, b"--\r\n"))
        _, answer = self._post(_KIND, body)
        at = answer.find(_OCTETS) + len(_OCTETS)
        (length_of_header,) = struct.unpack_from("<i", answer, at)
        data = at + 4 + length_of_header
        return self._context.unwrap_winrm(answer[at + 4 : data], answer[data : answer.rfind(_BOUNDARY)])

    def _authorization(self, challenge: bytes | None) -> bytes:
        token = base64.b64encode(self._context.step(challenge) or b"")
        return b"Authorization: Negotiate " + token + b"\r\n"

    def _post(self, headers: bytes, body: bytes) -> tuple[bytes, bytes]:
        start = b"POST /wsman HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(body)
        self._plug.sendall(start + headers + b"\r\n" + body)
        received = bytearray()
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head = bytes(received[: end + 4])
        found = _LENGTH.search(head)
        assert found, head
        answer = received[end + 4 :]
        while len(answer) < int(found[1]):
            answer += self._more()
        return head, bytes(answer)

    def _more(self) -> bytes:
        part = self._plug.recv(_STEP)
        if not part:
            raise EOFError
        return part
