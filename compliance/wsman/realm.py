"""What Kerberos says when it refuses, by the numbers of MIT's krb5.h, and what helps."""

from __future__ import annotations

import ast

from compliance.errors import Why
from compliance.words import shorten

_KINIT = "get a ticket with kinit, or name a `keytab:`"
_KEYTAB = "write the keytab anew: its key is not the account's, whose password was changed since"
_NO_KDC = "check krb5.conf or the realm's DNS records, and whether port 88 is open to a domain controller"

_ADVICE: dict[int, tuple[Why, str]] = {
    -1765328377: (  # KDC_ERR_S_PRINCIPAL_UNKNOWN
        Why.LOGIN_REFUSED,
        "set `address:` to the name by which the host's domain knows it; an IP address or an alias has no ticket",
    ),
    -1765328243: (Why.LOGIN_REFUSED, _KINIT),  # CC_NOTFOUND
    -1765328189: (Why.LOGIN_REFUSED, _KINIT),  # FCC_NOFILE
    -1765328352: (Why.LOGIN_REFUSED, _KINIT),  # AP_ERR_TKT_EXPIRED
    -1765328228: (Why.UNREACHABLE, _NO_KDC),  # KDC_UNREACH
    -1765328230: (Why.UNREACHABLE, _NO_KDC),  # REALM_UNKNOWN
    -1765328164: (Why.UNREACHABLE, _NO_KDC),  # REALM_CANT_RESOLVE
    -1765328378: (Why.LOGIN_REFUSED, "check `principal:` and the keytab"),  # KDC_ERR_C_PRINCIPAL_UNKNOWN
    -1765328360: (Why.LOGIN_REFUSED, _KEYTAB),  # KDC_ERR_PREAUTH_FAILED
    -1765328353: (Why.LOGIN_REFUSED, _KEYTAB),  # AP_ERR_BAD_INTEGRITY: the same of an account without preauthentication
    -1765328366: (Why.LOGIN_REFUSED, "the account is locked, disabled or expired"),  # KDC_ERR_CLIENT_REVOKED
    -1765328361: (Why.LOGIN_REFUSED, "the account's password has expired"),  # KDC_ERR_KEY_EXP
    -1765328370: (Why.LOGIN_REFUSED, "write the keytab with AES keys, and allow them for the account"),  # ETYPE_NOSUPP
    -1765328347: (Why.LOGIN_REFUSED, "set the clocks: they may differ by five minutes"),  # AP_ERR_SKEW
}


def explain_code(code: int, text: str) -> tuple[Why, str]:
    """Return libkrb5's own words and what helps, in one line."""
    why, advice = _ADVICE.get(code, (Why.LOGIN_REFUSED, ""))
    words = shorten(text.removesuffix(str(code)).strip() or "no reason was given", 160)
    return why, f"{words}; {advice}" if advice else words


def read_gssapi_error(text: str) -> tuple[int, str]:
    """Return the inner number and words of a GSSAPI error as pykerberos and pywinrm's requests_kerberos write it:
    ``authGSSClientStep() failed: (('Unspecified …', 851968), ('Server … not found …', -1765328377))``; 0 for others."""
    try:
        (_, _), (words, code) = ast.literal_eval(text.partition(" failed: ")[2])
        return int(code), str(words)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return 0, text
