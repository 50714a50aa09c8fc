"""A WinRM that wants NTLM and seals: pyspnego's acceptor behind a bare socket, and a connection to it."""

from __future__ import annotations

import base64
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import spnego

from compliance.secret import Secret
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint
from tests.canary import CANARY
from tests.wsman.listener import IDENTIFIED, Listener, Script, answer, listening, read_request

PASSWORD = f"{CANARY} of the horse"
USERS = f"LAB:reader:{PASSWORD}\n"
"""pyspnego's file of users, which NTLM_USER_FILE names."""

BOUNDARY = b"--Encrypted Boundary"
SPNEGO = "application/HTTP-SPNEGO-session-encrypted"
SEALED = f'Content-Type: multipart/encrypted;protocol="{SPNEGO}";boundary="Encrypted Boundary"'
OCTETS = b"\tContent-Type: application/octet-stream\r\n"


def ntlm(
    reply: Callable[[str], tuple[int, bytes]],
    *,
    messages: int = 100,
    spoil: bool = False,
    instead: bytes | None = None,
    clear: Mapping[int, bytes] = MappingProxyType({}),
    after: bytes = b"",
) -> Script:
    """A WinRM that wants NTLM with sealing, and hangs up after ``messages``. ``reply`` is given the message's id;
    ``clear`` holds what is sent as it is in place of an answer, by its number, and ``after`` what follows each."""

    def play(plug: socket.socket) -> None:
        context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        logged_in = False
        left = messages
        number = 0
        while True:
            head, body = read_request(plug)
            token = re.search(rb"Authorization: Negotiate (\S+)", head)
            if token and not logged_in:
                try:
                    challenge = context.step(base64.b64decode(token[1]))
                except spnego.exceptions.SpnegoError:
                    plug.sendall(answer(401, b"", "WWW-Authenticate: Negotiate"))
                    continue
                logged_in = context.complete
                token_back = base64.b64encode(challenge or b"").decode()
                plug.sendall(answer(200 if logged_in else 401, b"", f"WWW-Authenticate: Negotiate {token_back}"))
            elif not logged_in:
                # A sealed message on a connection without a login: HTTP.sys answers an empty 400.
                plug.sendall(answer(400) if body else answer(401, b"", "WWW-Authenticate: Negotiate"))
            elif not left:
                return
            else:
                left -= 1
                told = re.search(r"<a:MessageID>([^<]*)<", open_sealed(context, body).decode())
                status, content = reply(told[1] if told else "")
                sealed = answer(status, seal(context, content, spoil) if instead is None else instead, SEALED)
                plug.sendall(clear.get(number, sealed) + after)
                number += 1

    return play


def open_sealed(context: spnego.ContextProxy, body: bytes) -> bytes:
    payload = body.partition(OCTETS)[2].removesuffix(BOUNDARY + b"--\r\n")
    length = struct.unpack("<i", payload[:4])[0]
    return context.unwrap(payload[4 : 4 + length] + payload[4 + length :]).data


def seal(context: spnego.ContextProxy, content: bytes, spoil: bool = False) -> bytes:
    wrapped = context.wrap(content, encrypt=True).data
    if spoil:
        wrapped = wrapped[:-1] + bytes([wrapped[-1] ^ 1])
    kind = f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(content)}\r\n".encode()
    protocol = f"\tContent-Type: {SPNEGO}\r\n".encode()
    lines = BOUNDARY + b"\r\n" + protocol + kind + BOUNDARY + b"\r\n" + OCTETS
    return lines + struct.pack("<i", 16) + wrapped + BOUNDARY + b"--\r\n"


@contextmanager
def connected(
    script: Script, *, username: str = "LAB\\reader", password: str | None = None, idle: float = 100.0
) -> Iterator[tuple[Connection, Listener]]:
    with listening(script) as listener:
        where = Endpoint(
            address="127.0.0.1",
            port=listener.port,
            scheme="http",
            username=username,
            password=Secret(password or PASSWORD),
            connect=1.0,
            operation=2.0,
        )
        with Connection(where, time.monotonic() + 10, idle=idle) as connection:
            yield connection, listener


def identifies(_message_id: str) -> tuple[int, bytes]:
    return 200, IDENTIFIED
