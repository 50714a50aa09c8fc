"""Logins that can't be made from here, or would give something away: told before anything is sent."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping

from compliance.errors import LinkError, Why
from compliance.secret import Environment
from compliance.words import shorten
from compliance.wsman.endpoint import Endpoint

# pyspnego's NTLM heeds this variable of gss-ntlmssp (0.12.4, _ntlm.py); without it the level is 3. At 1 and 2 it
# answered as NTLMv1, in 24 octets (seen), and the session's flags don't show it.
_LEVEL = "LM_COMPAT_LEVEL"
_ENVIRON = Environment(os.environ)
_LEVELS_OF_NTLMV2 = frozenset({"3", "4", "5"})


def refuse_login(
    endpoint: Endpoint, *, md5: Callable[[bytes], object] = hashlib.md5, environ: Mapping[str, str] = _ENVIRON
) -> None:
    """Raise LinkError where the login of ``endpoint`` must not, or can't, be tried; ``md5`` and ``environ`` are this
    machine's.

    The server is not asked, so it has refused nothing, and no password counts as tried.
    """
    reason = _danger(endpoint, environ) or _lack(endpoint, md5)
    if reason:
        raise LinkError(f"{endpoint}: {reason}", why=Why.LOGIN_IMPOSSIBLE)
    for name, path in (("ca", endpoint.ca), ("certificate", endpoint.certificate), ("key", endpoint.key)):
        if path is not None and not path.exists():
            raise LinkError(f"{endpoint}: `{name}:` names {path}, which is not there", why=Why.UNREACHABLE)


def _danger(endpoint: Endpoint, environ: Mapping[str, str]) -> str:
    if endpoint.transport == "basic" and not endpoint.encrypted and not endpoint.cleartext:
        return (
            "Basic over http would send the password in clear; nothing was sent:"
            " set `scheme: https`, or `transport: ntlm`, or allow it (`cleartext: true`)"
        )
    if endpoint.transport == "certificate" and not endpoint.encrypted:
        return "a certificate logs in over https only: set `scheme: https`"
    level = environ.get(_LEVEL, "3")
    if endpoint.transport in ("ntlm", "credssp") and level not in _LEVELS_OF_NTLMV2:
        return (
            f'{_LEVEL} is "{shorten(level, 20)}" in the environment, and only 3, 4 and 5 keep NTLM from its weak old'
            " version, NTLMv1; nothing was sent: remove the variable"
        )
    return ""


def _lack(endpoint: Endpoint, md5: Callable[[bytes], object]) -> str:
    if not _is_text(endpoint.username + endpoint.password.reveal()):
        return (
            "the user or the password has octets that are no text in this machine's encoding; nothing was sent:"
            " write the variable, or the file that it comes from, in UTF-8"
        )
    if endpoint.transport == "basic" and ":" in endpoint.username:
        return (
            "Basic has no way to write a colon in a user's name, and the server would log in another user;"
            " nothing was sent: set `transport: ntlm`, or name another user"
        )
    if endpoint.transport == "basic" and not _is_latin(endpoint.username + endpoint.password.reveal()):
        return (
            "Basic carries Latin-1 only, and the user or the password has another letter; nothing was sent:"
            " set `transport: ntlm`, or choose another password"
        )
    if endpoint.transport in ("ntlm", "credssp"):
        try:
            md5(b"")
        except ValueError:
            return (
                f"this machine allows no MD5 (FIPS mode), which {endpoint.transport} is made of; nothing was sent:"
                " set `transport: kerberos`, or `certificate` over https"
            )
    return ""


def _is_text(text: str) -> bool:
    """Return whether it has no lone surrogate, as which Python keeps octets that it can't decode. NTLM would try a
    password that is none, and the account would be locked."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_latin(text: str) -> bool:
    """Return whether requests' Basic encodes it."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True
