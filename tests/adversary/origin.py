"""Honest servers on bare sockets: NTLM, Kerberos or CredSSP with sealed messages by pyspnego's acceptor, or TLS with
Basic.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import struct
from collections.abc import Callable

import spnego

from tests.wsman.acceptor import BOUNDARY, OCTETS, SPNEGO
from tests.wsman.listener import Script, answer, over_tls, read_request

Serve = Callable[[str], tuple[int, bytes]]
Accept = Callable[[], spnego.ContextProxy]
CREDSSP = "application/HTTP-CredSSP-session-encrypted"


def by_ntlm() -> spnego.ContextProxy:
    """Return who accepts a login, by the users whose file NTLM_USER_FILE names."""
    return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)


def by_kerberos() -> spnego.ContextProxy:
    """Return who accepts a ticket, by the keys that KRB5_KTNAME names."""
    return spnego.server(protocol="kerberos", options=spnego.NegotiateOptions.use_gssapi)


def by_credssp() -> spnego.ContextProxy:
    """Return who accepts a login by CredSSP, with NTLM inside, by the same users."""
    return spnego.server(protocol="credssp", credssp_negotiate_context=by_ntlm())


def sealed(serve: Serve, accept: Accept = by_ntlm) -> Script:
    """Every message after the login is sealed, faults too; a session that is wrong in anything ends its connection."""
    scheme, protocol = ("CredSSP", CREDSSP) if accept is by_credssp else ("Negotiate", SPNEGO)
    challenge = f"WWW-Authenticate: {scheme}"

    def play(plug: socket.socket) -> None:
        context = accept()
        while True:
            head, body = read_request(plug)
            token = re.search(rb"Authorization: %s (\S+)" % scheme.encode(), head)
            if context.complete:
                try:
                    status, content = serve(unseal(context, body).decode())
                except (spnego.exceptions.SpnegoError, ValueError, IndexError, struct.error):
                    return
                plug.sendall(answer(status, seal(context, content, protocol), kind_of(protocol)))
            elif token is None:
                plug.sendall(answer(400) if body else answer(401, b"", challenge))
            else:
                try:
                    reply = base64.b64encode(context.step(base64.b64decode(token[1])) or b"").decode()
                except (spnego.exceptions.SpnegoError, ValueError):
                    plug.sendall(answer(401, b"", challenge))
                    return
                plug.sendall(answer(200 if context.complete else 401, b"", f"{challenge} {reply}"))

    return play


def unseal(context: spnego.ContextProxy, body: bytes) -> bytes:
    payload = body.partition(OCTETS)[2].removesuffix(BOUNDARY + b"--\r\n")
    length = 4 + struct.unpack("<i", payload[:4])[0]
    return context.unwrap_winrm(payload[4:length], payload[length:])


def kind_of(protocol: str) -> str:
    return f'Content-Type: multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"'


def seal(context: spnego.ContextProxy, content: bytes, protocol: str) -> bytes:
    wrapped = context.wrap_winrm(content)
    kind = f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(content)}\r\n".encode()
    head = BOUNDARY + b"\r\n" + f"\tContent-Type: {protocol}\r\n".encode() + kind + BOUNDARY + b"\r\n" + OCTETS
    return head + struct.pack("<i", len(wrapped.header)) + wrapped.header + wrapped.data + BOUNDARY + b"--\r\n"


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
