"""Somebody in between who ends CredSSP's TLS himself, as anybody can: nobody checks its certificate (MS-CSSP 3.1.5).

He plays the whole server behind it, and leaves the login early, weakens it, or closes its TLS.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import spnego
from spnego._credssp import CredSSPProxy  # the acceptor, whose answers are changed here
from spnego._ntlm import NTLMProxy

from tests.adversary.origin import CREDSSP, Serve, kind_of, seal, unseal
from tests.wsman.listener import answer, read_request

FLAGS = {
    "sign": 0x10,
    "seal": 0x20,
    "extended session security": 0x80000,
    "128": 0x20000000,
    "all of them": 0x200A0030,
}
"""Words that can be struck out of an NTLM challenge (MS-NLMP 2.2.2.5)."""


class Terminator:
    """A script for a listener that answers 200 to the login's token ``stop``; ``heard`` is all that came to him."""

    def __init__(self, serve: Serve, stop: int, accept: Callable[[], Any] | None = None) -> None:
        self._serve = serve
        self._stop = stop
        self._accept = accept or (lambda: spnego.server(protocol="credssp"))
        self.heard = bytearray()
        self.messages = 0
        self.credentials: list[object] = []

    def __call__(self, plug: socket.socket) -> None:
        context = self._accept()
        tokens = 0
        while True:
            head, body = read_request(plug)
            self.heard += head + body
            token = re.search(rb"Authorization: CredSSP (\S+)", head)
            if body:
                self.messages += 1
                status, content = self._serve(unseal(context, body).decode())
                plug.sendall(answer(status, seal(context, content, CREDSSP), kind_of(CREDSSP)))
            elif token is None:
                plug.sendall(answer(401, b"", "WWW-Authenticate: CredSSP"))
            else:
                reply = b""
                with suppress(spnego.exceptions.SpnegoError, ssl.SSLError, struct.error, ValueError):
                    reply = context.step(base64.b64decode(token[1])) or b""
                tokens += 1
                if credential := context.get_extra_info("client_credential"):
                    self.credentials.append(credential)
                status = 200 if tokens == self._stop or context.complete else 401
                plug.sendall(answer(status, b"", f"WWW-Authenticate: CredSSP {base64.b64encode(reply).decode()}"))


def weak(without: int) -> Callable[[], CredSSPProxy]:
    """Return who knows the password, as who breaks 40 bits does, and offers a login without some words."""

    class Weak(NTLMProxy):
        def _step_accept_negotiate(self, token: bytes) -> bytes:
            challenge = bytearray(super()._step_accept_negotiate(token))
            (flags,) = struct.unpack_from("<I", challenge, 20)
            struct.pack_into("<I", challenge, 20, flags & ~without)
            return bytes(challenge)

    return lambda: CredSSPProxy(usage="accept", credssp_negotiate_context=Weak(usage="accept"))


def old(version: int) -> Callable[[], CredSSPProxy]:
    """Return a server that knows CredSSP up to ``version`` only."""

    class Old(CredSSPProxy):
        def _yield_ts_request(self, ts_request: Any, context_msg: str) -> Any:
            ts_request.version = version
            return super()._yield_ts_request(ts_request, context_msg)

    return lambda: Old(usage="accept", credssp_negotiate_context=NTLMProxy(usage="accept"))


def closing(stage: str) -> Callable[[], CredSSPProxy]:
    """Return who says by TLS that nothing more will come, in the answer of a stage of the login."""

    class Closing(CredSSPProxy):
        def _yield_ts_request(self, ts_request: Any, context_msg: str) -> Any:
            if context_msg.startswith(stage):
                with suppress(ssl.SSLError):
                    self._tls_object.unwrap()
                yield self._out_buff.read()
            return (yield from super()._yield_ts_request(ts_request, context_msg))

    return lambda: Closing(usage="accept", credssp_negotiate_context=NTLMProxy(usage="accept"))
