"""A login that a host refused: what was tried, what the host offers, and what it may be."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.errors import Why
from compliance.words import shorten
from compliance.wsman.endpoint import Endpoint

NO_LIBRARY = 'this machine has no library for {0}: pip install "hyperv-compliance[{0}]"'


def explain_refusal(endpoint: Endpoint, offered: tuple[str, ...]) -> tuple[Why, str]:
    """Explain an HTTP 401: what we tried, how it travelled, what the host offers, and likely causes."""
    causes = list_causes(endpoint)
    if offered and not is_offered(endpoint.transport, offered):
        used = _SCHEMES.get(endpoint.transport, (endpoint.transport,))
        causes = f"the listener does not offer {used[0]}: choose another `transport:`, or enable it there"
    offers = shorten(", ".join(offered), 120) or "none"
    who = shorten(endpoint.username, 80) or _NAMELESS.get(endpoint.transport, "nobody")
    way = "over https" if endpoint.encrypted else "sealed over http" if endpoint.sealed else "in clear over http"
    origin = f" ({endpoint.origin})" if endpoint.origin else ""
    tried = f"tried {endpoint.transport} as {who}{origin}, {way}; the listener offers {offers}"
    return Why.LOGIN_REFUSED, f"login refused (HTTP 401): {tried}; {causes}"


def list_causes(endpoint: Endpoint) -> str:
    """Return what makes a host refuse this kind of login, the likeliest first."""
    causes = _LOGIN_CAUSES.get(endpoint.transport, ("the credentials",))
    *others, last = (*causes, _BINDING) if endpoint.encrypted and endpoint.transport in _BOUND else causes
    return f"likely: {', '.join(others)}, or {last}" if others else f"likely: {last}"


def is_offered(transport: str, offered: Iterable[str]) -> bool:
    """Return whether a listener offers one of the schemes by which ``transport`` logs in."""
    used = _SCHEMES.get(transport, (transport,))
    return bool({name.casefold() for name in used} & {name.casefold() for name in offered})


_SCHEMES: dict[str, tuple[str, ...]] = {
    "ntlm": ("Negotiate", "NTLM"),
    "kerberos": ("Kerberos", "Negotiate"),
    "credssp": ("CredSSP",),
    "basic": ("Basic",),
}
_NAMELESS = {"kerberos": "the ticket's user", "certificate": "the certificate's user"}
# Sources: Ansible's windows_setup, "HTTP 401/Credentials Rejected"; pywinrm issue 188 for local administrators; for
# Kerberos, where a KDC gave a ticket before the host is asked, RFC 4120's AP_ERR_MODIFIED and AP_ERR_SKEW; for CredSSP,
# where the host logs on itself, pypsrp issue 168.
_NO_RIGHT = "an account without the right to log in remotely"
_LOGIN_CAUSES: dict[str, tuple[str, ...]] = {
    "ntlm": (
        "a wrong password or user (DOMAIN\\user)",
        "an account locked or expired",
        f"{_NO_RIGHT} (a local administrator needs LocalAccountTokenFilterPolicy)",
        "NTLM switched off by policy",
    ),
    "kerberos": (
        "the service name HTTP/<host> on another account than the computer's (setspn -Q)",
        "a clock that is more than five minutes off",
        _NO_RIGHT,
    ),
    "basic": ("a wrong password", "a domain account (Basic knows local ones only)", "Basic switched off there"),
    "certificate": (
        "no mapping of this certificate to a local user (winrm/config/service/certmapping)",
        "certificate login switched off",
        "its authority not trusted there",
    ),
    "credssp": (
        "a wrong password or user",
        "an account that may not log on there (the host's security log says why)",
        "CredSSP switched off there",
    ),
}
# A certificate that someone in between put there; with CbtHardeningLevel Strict a missing binding, too.
_BOUND = frozenset({"ntlm", "kerberos"})
_BINDING = "a certificate that is not the host's own (channel binding)"
