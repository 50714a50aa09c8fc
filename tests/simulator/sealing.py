"""NTLM, the server's side: the login over HTTP and the sealed messages of MS-WSMV 2.2.9.1.

pyspnego is the acceptor. It reads its users from the file that NTLM_USER_FILE names, in the environment of the whole
process, so the variable stands there only for the length of a step, under a lock, and each simulator has its own file.
"""

import os
import re
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import spnego
from spnego.exceptions import SpnegoError

CONTENT_TYPE = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
DOMAIN = "DOMAIN"

_BOUNDARY = b"--Encrypted Boundary"
_PART = b"\tContent-Type: application/octet-stream\r\n"
_environment = threading.Lock()


class LoginError(Exception):
    """The login or a sealed message was not good."""


class Users:
    """A file of users as pyspnego reads it: `domain:user:password`, with an empty domain for a bare name."""

    def __init__(self, users: Mapping[str, str], computer: str) -> None:
        if any(":" in name + password for name, password in users.items()):
            raise ValueError("pyspnego's file of users has no way to write a colon in a name or a password")
        self.names = frozenset(name.lower() for name in users)
        lines = []
        for name, password in users.items():
            domain, backslash, user = name.rpartition("\\")
            domains = (domain,) if backslash else ("", DOMAIN, computer)
            lines += [f"{one}:{user}:{password}\n" for one in domains]
        with tempfile.NamedTemporaryFile("w", suffix=".ntlm", delete=False, encoding="utf-8") as file:
            file.writelines(lines)
        self._path = Path(file.name)

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        with _environment:
            before = os.environ.get("NTLM_USER_FILE")
            os.environ["NTLM_USER_FILE"] = str(self._path)
            try:
                yield
            finally:
                if before is None:
                    del os.environ["NTLM_USER_FILE"]
                else:
                    os.environ["NTLM_USER_FILE"] = before

    def close(self) -> None:
        self._path.unlink(missing_ok=True)


class Login:
    """The security context of one TCP connection."""

    def __init__(self, users: Users) -> None:
        self._users = users
        with users.in_environment():
            self._context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)

    @property
    def complete(self) -> bool:
        return bool(self._context.complete)

    def step(self, token: bytes) -> bytes | None:
        try:
            with self._users.in_environment():
                return self._context.step(token)
        except (SpnegoError, ValueError, struct.error, IndexError) as error:
            raise LoginError(str(error)) from error

    def unsealed(self, body: bytes) -> bytes:
        """The SOAP body within a multipart/encrypted one."""
        try:
            _, header, payload = body.split(_BOUNDARY + b"\r\n")
            length = re.search(rb"Length=(\d+)", header)
            if length is None or not payload.startswith(_PART) or not payload.endswith(_BOUNDARY + b"--\r\n"):
                raise LoginError("not the shape of MS-WSMV 2.2.9.1")
            sealed = payload[len(_PART) : -len(_BOUNDARY) - 4]
            (signature_length,) = struct.unpack_from("<i", sealed)
            start = 4 + signature_length
            plain = self._context.unwrap_winrm(sealed[4:start], sealed[start:])
        except (SpnegoError, ValueError, struct.error) as error:
            raise LoginError(str(error)) from error
        if len(plain) != int(length.group(1)):
            raise LoginError("the length is not the one that was announced")
        return plain

    def sealed(self, plain: bytes) -> bytes:
        wrapped = self._context.wrap_winrm(plain)
        return (
            _BOUNDARY + b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
            b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length="
            + str(len(plain)).encode()
            + b"\r\n"
            + _BOUNDARY
            + b"\r\n"
            + _PART
            + struct.pack("<i", len(wrapped.header))
            + wrapped.header
            + wrapped.data
            + _BOUNDARY
            + b"--\r\n"
        )
