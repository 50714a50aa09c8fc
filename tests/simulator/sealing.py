"""NTLM, Kerberos and CredSSP, the server's side: the login over HTTP and the sealed messages of MS-WSMV 2.2.9.1.

pyspnego is the acceptor. It finds users and keys in files that the environment of the whole process names, so a
variable stands there only for the length of a step, under a lock, and each simulator has its own file.
"""

import os
import re
import struct
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import spnego
from spnego.exceptions import SpnegoError

Scheme = Literal["Negotiate", "CredSSP"]

DOMAIN = "DOMAIN"
MOST_AT_ONCE = 16384  # octets that CredSSP seals in one part

_BOUNDARY = b"--Encrypted Boundary"
_PART = b"\tContent-Type: application/octet-stream\r\n"
_PROTOCOLS = {
    "Negotiate": "application/HTTP-SPNEGO-session-encrypted",
    "CredSSP": "application/HTTP-CredSSP-session-encrypted",
}
_one_at_a_time = threading.Lock()


class LoginError(Exception):
    """The login or a sealed message was not good."""


class Acceptor(Protocol):
    """Who may log in, and by which scheme of HTTP."""

    scheme: Scheme

    def in_environment(self) -> Any: ...
    def context(self) -> spnego.ContextProxy: ...
    def close(self) -> None: ...


class Users:
    """NTLM, by a file of users as pyspnego reads it: `domain:user:password`, with an empty domain for a bare name.

    With ``scheme`` CredSSP the password itself comes inside: nothing but NTLM is spoken there, too.
    """

    def __init__(self, users: Mapping[str, str], computer: str, *, scheme: Scheme = "Negotiate") -> None:
        if any(":" in name + password for name, password in users.items()):
            raise ValueError("pyspnego's file of users has no way to write a colon in a name or a password")
        self.scheme = scheme
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
        with _environment(NTLM_USER_FILE=str(self._path)):
            yield

    def context(self) -> spnego.ContextProxy:
        ntlm = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        if self.scheme == "Negotiate":
            return ntlm
        inner = spnego.server(protocol="negotiate", options=spnego.NegotiateOptions.use_negotiate)
        return spnego.server(protocol="credssp", credssp_negotiate_context=inner)

    def close(self) -> None:
        self._path.unlink(missing_ok=True)


class Keys:
    """Kerberos, by a service's keytab."""

    scheme: Scheme = "Negotiate"

    def __init__(self, keytab: Path) -> None:
        self._keytab = keytab

    @contextmanager
    def in_environment(self) -> Iterator[None]:
        # No replay cache: it would be a file in a folder of the system.
        with _environment(KRB5_KTNAME=str(self._keytab), KRB5RCACHENAME="none:"):
            yield

    def context(self) -> spnego.ContextProxy:
        return spnego.server(protocol="kerberos", options=spnego.NegotiateOptions.use_gssapi)

    def close(self) -> None:
        """The file is the realm's."""


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    with _one_at_a_time:
        before = {name: os.environ.get(name) for name in values}
        os.environ.update(values)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


class Login:
    """The security context of one TCP connection."""

    def __init__(self, acceptor: Acceptor) -> None:
        self._acceptor = acceptor
        with acceptor.in_environment():
            self._context = acceptor.context()
        self._failed = False  # for good: GSSAPI's context raises its error again when it is asked for anything

    @property
    def complete(self) -> bool:
        return not self._failed and bool(self._context.complete)

    @property
    def principal(self) -> str:
        """Who has logged in."""
        return self._context.client_principal or ""

    def step(self, token: bytes) -> bytes | None:
        try:
            with self._acceptor.in_environment():
                return self._context.step(token)
        except (SpnegoError, ValueError, struct.error, IndexError, AttributeError) as error:
            # The last one is pyspnego 0.12 itself, where a ticket is not for its key.
            self._failed = True
            raise LoginError(str(error)) from error

    def unsealed(self, body: bytes) -> bytes:
        """The SOAP body within a multipart/encrypted or multipart/x-multi-encrypted one."""
        if not body.endswith(_BOUNDARY + b"--\r\n"):
            raise LoginError("not the shape of MS-WSMV 2.2.9.1")
        empty, *parts = body.removesuffix(_BOUNDARY + b"--\r\n").split(_BOUNDARY + b"\r\n")
        if empty or not parts or len(parts) % 2:
            raise LoginError("not the shape of MS-WSMV 2.2.9.1")
        return b"".join(map(self._opened, parts[::2], parts[1::2]))

    def _opened(self, header: bytes, payload: bytes) -> bytes:
        length = re.search(rb"Length=(\d+)", header)
        if length is None or not payload.startswith(_PART):
            raise LoginError("not the shape of MS-WSMV 2.2.9.1")
        sealed = payload[len(_PART) :]
        try:
            (signature_length,) = struct.unpack_from("<i", sealed)
            start = 4 + signature_length
            plain = self._context.unwrap_winrm(sealed[4:start], sealed[start:])
        except (SpnegoError, ValueError, struct.error) as error:
            raise LoginError(str(error)) from error
        if len(plain) != int(length.group(1)):
            raise LoginError("the length is not the one that was announced")
        return plain

    def sealed(self, plain: bytes) -> tuple[bytes, str]:
        """The body and its Content-Type."""
        protocol = _PROTOCOLS[self._acceptor.scheme]
        step = MOST_AT_ONCE if self._acceptor.scheme == "CredSSP" else len(plain)
        parts = [plain[at : at + step] for at in range(0, len(plain), step or 1)] or [b""]
        kind = "multipart/encrypted" if len(parts) == 1 else "multipart/x-multi-encrypted"
        body = b"".join(self._part(part, protocol) for part in parts) + _BOUNDARY + b"--\r\n"
        return body, f'{kind};protocol="{protocol}";boundary="Encrypted Boundary"'

    def _part(self, plain: bytes, protocol: str) -> bytes:
        wrapped = self._context.wrap_winrm(plain)
        head = (
            f"\tContent-Type: {protocol}\r\n"
            f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(plain)}\r\n"
        )
        signature = struct.pack("<i", len(wrapped.header)) + wrapped.header
        return b"\r\n".join((_BOUNDARY, head.encode() + _BOUNDARY, _PART + signature + wrapped.data))
