"""The way most servers are read: over http, sealed by NTLM. pyspnego logs in and seals, over a socket of our own.

What requests_ntlm does for it under pywinrm took three requests and 9 ms of CPU a login; here it is two, and 3 ms. The
first token goes out unasked, with an empty body, as WinRb's client has sent it to Windows for years (WinRb/WinRM,
lib/winrm/http/transport.rb, init_auth): it holds no secret (MS-NLMP 2.2.1.1), and a listener that wants none of it
answers 401 with what it offers, as it answers a request without a login.
"""

from __future__ import annotations

import base64
import re
import struct
from typing import Any
from urllib.parse import urlsplit

import requests
import spnego

from compliance.errors import LinkError, Why
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.gauge import Gauge, HttpAnswer, head_of
from compliance.wsman.http_answers import explain_clear_answer, explain_damage, explain_status, explain_weak_session
from compliance.wsman.login_causes import explain_refusal
from compliance.wsman.ntlm_terms import is_weak

_SCHEMES = ("Negotiate", "NTLM")
"""WinRM offers the first. The second is tried where a listener gives no challenge for it, and offers this one."""
_TOKEN = re.compile(r"(?:^|,)\s*(Negotiate|NTLM)\s+([A-Za-z0-9+/=]+)\s*(?=,|$)", re.IGNORECASE)
_HEADERS = {"User-Agent": "Python WinRM client", "Accept-Encoding": "identity", "Connection": "Keep-Alive"}

_PROTOCOL = 'protocol="application/HTTP-SPNEGO-session-encrypted"'
_KIND = f'multipart/encrypted;{_PROTOCOL};boundary="Encrypted Boundary"'
_BOUNDARY = b"--Encrypted Boundary"
_BEFORE = (
    _BOUNDARY + b"\r\n\tContent-Type: application/HTTP-SPNEGO-session-encrypted\r\n"
    b"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=%d\r\n"
    + _BOUNDARY
    + b"\r\n\tContent-Type: application/octet-stream\r\n%b"
)
_PART = re.compile(
    rb"--Encrypted Boundary\r\n[ \t]*Content-Type: *application/HTTP-SPNEGO-session-encrypted\r\n"
    rb"[ \t]*OriginalContent: *type=[^\r\n]{1,200};Length=([0-9]{1,8})\r\n"
    rb"--Encrypted Boundary\r\n[ \t]*Content-Type: *application/octet-stream\r\n",
    re.IGNORECASE,
)
_END = re.compile(rb"(?:--Encrypted Boundary--\s*)?")
_LENGTH = struct.Struct("<i")
_SIGNATURE = 16
"""Octets (MS-NLMP 2.2.2.9)."""


class NtlmTransport:
    """One host's session. It logs in with its first message, and not again: a session that was lost is its owner's to
    build anew."""

    identity: str | None = None
    """NTLM does not say who logged in."""

    def __init__(self, endpoint: Endpoint, gauge: Gauge) -> None:
        """Raises LinkError where there is nobody to log in as."""
        if not endpoint.username:
            raise LinkError(f"{endpoint}: the ntlm login can't begin: it has no user", why=Why.LOGIN_IMPOSSIBLE)
        self._endpoint = endpoint
        self._gauge = gauge
        self._url = requests.Request("POST", endpoint.request_url).prepare()  # an address as URLs write it
        self._head = head_of(self._url, {**_HEADERS, "Content-Type": _KIND})
        self._context: Any = None

    def send_message(self, message: bytes) -> bytes:
        """Return the answer's envelope. Raises LinkError where it was not sealed, or not by this session."""
        if self._context is None:
            self._context = self._log_in()
        answer = self._gauge.post(self._plug(), self._head, self._seal(message), self._endpoint.request_url)
        if _PROTOCOL not in answer.fields.get("Content-Type"):
            raise explain_clear_answer(answer.status, answer.content, self._endpoint)
        try:
            return self._unseal(answer.content)
        except Exception as error:  # pyspnego's, and whatever an answer of another form leads to
            raise explain_damage(self._endpoint) from error

    def close_session(self) -> None:
        """Forget the keys."""
        self._context = None

    def _plug(self) -> Any:
        plug = self._gauge.idle_plug()
        if plug is None:
            raise ConnectionResetError  # the host closed it, and its login with it
        return plug

    # --- the login ---

    def _log_in(self) -> Any:
        """Return a session that signs and seals. The password's answer is sent once, to one challenge."""
        for scheme in _SCHEMES:
            if self._gauge.idle_plug() is None:  # at first, or after a refusal that ended its connection
                self._gauge.connect()
            context: Any = self._client()
            first = self._ask(scheme, context.step())
            if first.status != requests.codes.unauthorized:
                raise self._explain_no_login(first)
            challenge = _challenge_in(first, scheme)
            if challenge:
                self._answer_challenge(scheme, context, challenge)
                return context
            if "ntlm" not in {name.casefold() for name in self._gauge.offered}:
                break
        raise self._refusal()

    def _client(self) -> Any:
        return spnego.client(
            spnego.Password(self._endpoint.username, self._endpoint.password.reveal()),
            hostname=urlsplit(self._endpoint.request_url).hostname or "",  # without an IPv6 zone
            service="http",
            protocol="ntlm",
            options=spnego.NegotiateOptions.use_ntlm,  # in Python, the same everywhere: neither SSPI nor GSSAPI
        )

    def _answer_challenge(self, scheme: str, context: Any, challenge: bytes) -> None:
        last = self._ask(scheme, context.step(challenge))
        if last.status == requests.codes.unauthorized:
            raise self._refusal()
        if last.status >= requests.codes.bad_request or not context.complete:
            raise self._explain_no_login(last)
        if is_weak(context):
            raise explain_weak_session(self._endpoint)

    def _ask(self, scheme: str, token: bytes | None) -> HttpAnswer:
        authorization = f"{scheme} {base64.b64encode(token or b'').decode()}"
        return self._gauge.ask(self._plug(), head_of(self._url, {**_HEADERS, "Authorization": authorization}))

    def _refusal(self) -> LinkError:
        why, text = explain_refusal(self._endpoint, self._gauge.offered)
        return LinkError(f"{self._endpoint}: {text}", why=why)

    def _explain_no_login(self, answer: HttpAnswer) -> LinkError:
        """Return what an answer in a login's place means; one that lets us in without a login is none of WinRM."""
        if answer.status < requests.codes.bad_request:
            return explain_status(requests.codes.ok, self._endpoint, empty=False)
        return explain_clear_answer(answer.status, answer.content, self._endpoint)

    # --- sealed messages (MS-WSMV 2.2.9.1) ---

    def _seal(self, message: bytes) -> bytes:
        sealed: spnego.WinRMWrapResult = self._context.wrap_winrm(message)
        length = _LENGTH.pack(len(sealed.header))
        return _BEFORE % (len(message), length) + sealed.header + sealed.data + _BOUNDARY + b"--\r\n"

    def _unseal(self, content: bytes) -> bytes:
        """Return the text of all parts. Each is as long as its header says, so that no text is searched for its end."""
        texts: list[bytes] = []
        at = 0
        while part := _PART.match(content, at):
            start = part.end() + _LENGTH.size
            end = start + _SIGNATURE + int(part[1])
            if _LENGTH.unpack_from(content, part.end()) != (_SIGNATURE,) or end > len(content):
                raise ValueError("a signature or a text of another length than announced")
            text: bytes = self._context.unwrap_winrm(
                content[start : start + _SIGNATURE], content[start + _SIGNATURE : end]
            )
            texts.append(text)
            at = end
        if not texts or not _END.fullmatch(content, at):
            raise ValueError("no sealed message, or more than one")
        return b"".join(texts)


def _challenge_in(answer: HttpAnswer, scheme: str) -> bytes | None:
    """Return the token that an answer holds for a scheme; None where it only offers it."""
    for line in answer.fields.get_all("WWW-Authenticate"):
        for name, token in _TOKEN.findall(line):
            if name.casefold() == scheme.casefold():
                return base64.b64decode(token)
    return None
