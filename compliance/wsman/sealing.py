"""Messages sealed by Kerberos and CredSSP (MS-WSMV 2.2.9.1) as pywinrm writes and reads them; nothing else is taken for
one.

pywinrm takes an answer without ``protocol="…"`` in its Content-Type as it is, so that anybody between us and the server
could answer in clear: a fault that says that a class is not there would be believed. Here such an answer is an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from winrm.encryption import Encryption

from compliance.errors import LinkError
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.http_answers import (
    explain_clear_answer,
    explain_cut_login,
    explain_damage,
    explain_replay,
)

_KERBEROS_TOKEN = b"\x05\x04"  # of RFC 4121, which all but RC4 use
_SEQUENCE = struct.Struct(">Q")  # the token's octets 8 to 16


class Sealing(Encryption):
    """One session's messages. Every answer is tied to its request by the session's own count of messages: CredSSP's
    keys move on with each (as NTLM's do), and Kerberos' are counted here, since pykerberos ignores what GSSAPI says of
    one that comes twice (``GSS_S_DUPLICATE_TOKEN`` is no error by itself)."""

    def __init__(self, session: requests.Session, endpoint: Endpoint) -> None:
        super().__init__(session, endpoint.transport)
        self._endpoint = endpoint
        self._open: Callable[[bytes, Any], bytes] = self._decrypt_message
        self._decrypt_message = self._open_once
        self._latest = -1
        self._seen: set[bytes] = set()

    def parse_encrypted_response(self, response: Any) -> bytes:
        """Return the envelope in an answer. Raises LinkError where it was not sealed, or not by this session, or where
        it came before."""
        kind = response.headers.get("Content-Type") or ""
        if f'protocol="{self.protocol_string.decode()}"' not in kind:
            raise explain_clear_answer(response.status, response.content, self._endpoint)
        try:
            return self._decrypt_response(response, urlsplit(response.request.url).hostname)
        except LinkError:
            raise
        except Exception as error:  # pywinrm splits and counts without checks, and three libraries verify
            raise explain_damage(self._endpoint) from error

    def _open_once(self, encrypted_data: bytes, host: str | bytes | None) -> bytes:
        plain = self._open(encrypted_data, host)
        if self.protocol == "kerberos":
            self._refuse_replay(encrypted_data)
        return plain

    def _refuse_replay(self, sealed: bytes) -> None:
        """Raise LinkError for a token that came before. ``sealed`` is a length of four octets, the token, and the text.
        What is read of the token was verified with it."""
        (length,) = struct.unpack_from("<i", sealed)
        token = sealed[4 : 4 + length]
        if token.startswith(_KERBEROS_TOKEN):
            (number,) = _SEQUENCE.unpack_from(token, 8)
            is_old, self._latest = number <= self._latest, number
        else:  # RC4's (RFC 4757), whose number is encrypted: a token that came before is the same in every octet
            is_old = token in self._seen
            self._seen.add(token)
        if is_old:
            raise explain_replay(self._endpoint)


def refuse_cut_login(session: requests.Session, endpoint: Endpoint) -> None:
    """Raise LinkError where a CredSSP login ended before the server had proved its key. Its own login looks at the
    terms of the NTLM inside before the password travels."""
    if endpoint.transport == "credssp" and not getattr(session.auth, "is_complete", False):
        raise explain_cut_login(endpoint)
