"""Honest servers on bare sockets: NTLM with sealed messages by pyspnego's acceptor, or TLS with Basic."""

from __future__ import annotations

import base64
import re
import socket
import ssl
from collections.abc import Callable

import spnego

from tests.wsman.acceptor import SEALED, open_sealed, seal
from tests.wsman.listener import Script, answer, over_tls, read_request

Serve = Callable[[str], tuple[int, bytes]]


def sealed(serve: Serve) -> Script:
    """Every message after the login is sealed, faults too; a session that is wrong in anything ends its connection."""

    def play(plug: socket.socket) -> None:
        context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        while True:
            head, body = read_request(plug)
            token = re.search(rb"Authorization: Negotiate (\S+)", head)
            if context.complete:
                try:
                    status, content = serve(open_sealed(context, body).decode())
                except (spnego.exceptions.SpnegoError, ValueError, IndexError):
                    return
                plug.sendall(answer(status, seal(context, content), SEALED))
            elif token is None:
                plug.sendall(answer(400) if body else answer(401, b"", "WWW-Authenticate: Negotiate"))
            else:
                try:
                    reply = base64.b64encode(context.step(base64.b64decode(token[1])) or b"").decode()
                except (spnego.exceptions.SpnegoError, ValueError):
                    plug.sendall(answer(401, b"", "WWW-Authenticate: Negotiate"))
                    return
                plug.sendall(answer(200 if context.complete else 401, b"", f"WWW-Authenticate: Negotiate {reply}"))

    return play


def encrypted(serve: Serve, context: ssl.SSLContext, login: str) -> Script:
    """``login`` is Basic's, as it stands in the header."""

    def play(plug: socket.socket) -> None:
        while True:
            head, body = read_request(plug)
            if f"Authorization: Basic {login}".encode() not in head:
                plug.sendall(answer(401, b"", 'WWW-Authenticate: Basic realm="WSMAN"'))
                continue
            status, content = serve(body.decode())
            plug.sendall(answer(status, content, "Content-Type: application/soap+xml;charset=UTF-8"))

    return over_tls(context, play)
