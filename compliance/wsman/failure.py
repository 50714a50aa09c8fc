"""What requests, urllib3, ssl, winrm, requests_ntlm, spnego and Kerberos throw, said in one line that helps."""

from __future__ import annotations

import errno
import http.client
import http.cookies
import socket
import ssl
import struct
from collections.abc import Callable, Iterator

from requests import exceptions as of_requests
from requests.cookies import CookieConflictError
from spnego import exceptions as of_spnego
from urllib3 import exceptions as of_urllib3
from urllib3.util.ssl_match_hostname import CertificateError
from winrm import exceptions as of_winrm

from compliance.errors import LinkError, Why
from compliance.words import shorten
from compliance.wsman import realm
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.fault import TEXT_LIMIT
from compliance.wsman.http_answers import DAMAGED
from compliance.wsman.login_causes import NO_LIBRARY, explain_refusal, list_causes


def from_exception(
    error: BaseException, endpoint: Endpoint, *, phase: str, offered: tuple[str, ...], status: int = 0
) -> LinkError:
    """Return ``error`` as a LinkError. ``phase`` is where on the wire it happened: ticket, lookup, connect, TLS or
    answer; ``status`` is the HTTP status of the answer that was being looked at, 0 where none had come.

    Only texts of the operating system, of OpenSSL and of the login libraries are repeated, never a request.
    """
    chain = list(_causes(error))
    system = next((link for link in chain if type(link) is OSError and link.errno and not _is_of_sspi(link)), None)
    if system is not None:  # it says best what is wrong, and urllib3 calls it an aborted connection
        why, text = _os(system, endpoint, phase, offered)
        return LinkError(f"{endpoint}: {text}", why=why)
    refused = next((link for link in chain if _is_of_sspi(link)), None)
    if refused is not None:  # before the table, in which an OSError is the network's: the account's lock counts it
        why, text = _login_library(refused, endpoint, phase, offered)
        return LinkError(f"{endpoint}: {text}", why=why)
    for kind, explain in _TABLE:
        link = next((link for link in chain if _fits(link, kind)), None)
        if link is not None:
            why, text = explain(link, endpoint, phase, offered)
            return LinkError(f"{endpoint}: {text}", why=why)
    name = type(error).__name__
    if status and isinstance(error, _OF_UNCHECKED_READING):
        return LinkError(
            f"{endpoint}: the login library can't read the host's answer ({name}); {_HTTP}", why=Why.BROKEN
        )
    return LinkError(f"{endpoint}: the connection failed in a way that we don't know ({name})", why=Why.BROKEN)


_WhyAndText = tuple[Why, str]
_Explain = Callable[[BaseException, Endpoint, str, tuple[str, ...]], _WhyAndText]


def _always(why: Why, text: str) -> _Explain:
    return lambda _error, _endpoint, _phase, _offered: (why, text)


def _credentials(error: BaseException, endpoint: Endpoint, _phase: str, offered: tuple[str, ...]) -> _WhyAndText:
    if getattr(error, "errno", None):  # the system's, not requests_ntlm's
        return _os(error, endpoint, _phase, offered)
    if "rejected by the server" in _text(error) or isinstance(error, PermissionError):
        return explain_refusal(endpoint, offered)
    return Why.LOGIN_IMPOSSIBLE, f"the {endpoint.transport} login can't begin: {shorten(_text(error), TEXT_LIMIT)}"


def _login_library(error: BaseException, endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    causes = list_causes(endpoint)
    return Why.LOGIN_REFUSED, f"the {endpoint.transport} login failed: {shorten(_text(error), 160)}; {causes}"


def _kerberos(error: BaseException, endpoint: Endpoint, phase: str, offered: tuple[str, ...]) -> _WhyAndText:
    code, words = realm.read_gssapi_error(_text(error))
    if code:
        why, text = realm.explain_code(code, words)
        return why, f"no Kerberos ticket for this host: {text}"
    if type(error).__name__ == "MutualAuthenticationError":
        return Why.LOGIN_REFUSED, "the host did not prove by Kerberos who it is; is something else listening there?"
    return _login_library(error, endpoint, phase, offered)


def _credssp(error: BaseException, endpoint: Endpoint, _phase: str, offered: tuple[str, ...]) -> _WhyAndText:
    """Explain a refusal, for which requests_credssp tells at which step it came, or the status (NTSTATUS) that was
    sent."""
    why, text = explain_refusal(endpoint, offered)
    status = next(iter(error.args), None)
    step = f"status {status:#010x}" if isinstance(status, int) else _text(error).partition(" - actual")[0]
    return why, f"{text} ({shorten(step, 120)})"


def _winrm(error: BaseException, endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    text = _text(error)
    if "not installed" in text:
        return Why.LOGIN_IMPOSSIBLE, NO_LIBRARY.format(endpoint.transport)
    if "does not support it" in text:
        return Why.LOGIN_IMPOSSIBLE, f"the {endpoint.transport} library here can't seal messages: set `scheme: https`"
    if "tampered" in text:
        return Why.BROKEN, DAMAGED
    return Why.BROKEN, f"pywinrm refused: {shorten(text, 160)}"


def _certificate(error: BaseException, endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    text = shorten(getattr(error, "verify_message", "") or _text(error), 160)
    code = getattr(error, "verify_code", 0)
    advice = _CERTIFICATE_ADVICE.get(code, "name its authority's file as `ca:` in the inventory")
    if not code and "match" in text:
        advice = _OTHER_NAME
    return Why.UNREACHABLE, f"the certificate of {endpoint.address} is not trusted: {text}; {advice}"


_OTHER_NAME = "use the name that stands in the certificate as `address:`, or issue one for this name"
_CERTIFICATE_ADVICE = {
    9: "it is not valid yet: check both clocks",
    10: "it has expired: renew it on the host",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}


def _tls(error: BaseException, endpoint: Endpoint, phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    reason = str(getattr(error, "reason", None) or _text(error))
    if endpoint.transport == "certificate" and "alert" in reason.casefold():
        return (
            Why.LOGIN_REFUSED,
            f"the host refused our certificate ({shorten(reason, 80)}): is its authority trusted?",
        )
    if "WRONG_VERSION" in reason or "record layer" in reason.casefold() or "wrong version" in reason:
        return (
            Why.UNREACHABLE,
            "the port speaks no TLS: set `scheme: http` (messages are sealed with NTLM and Kerberos)",
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or "EOF" in reason:
        return Why.UNREACHABLE, f"the host cut the {'TLS handshake' if phase == 'TLS' else 'connection'}"
    return Why.UNREACHABLE, f"no TLS connection: {shorten(reason, 160)}; check the certificate files and the listener"


def _refused(_error: BaseException, _endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    return Why.UNREACHABLE, "connection refused: is WinRM enabled (winrm quickconfig), and is this its port?"


def _timeout(_error: BaseException, endpoint: Endpoint, phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    return Why.TIMED_OUT, timed_out(endpoint, phase)


def timed_out(endpoint: Endpoint, phase: str) -> str:
    if phase == "connect":
        return f"no connection in {endpoint.connect:g} s: is the machine on, and does a firewall let us through?"
    if phase == "ticket":
        return f"no Kerberos ticket in {endpoint.operation:g} s: does a domain controller of the host's realm answer?"
    if phase == "lookup":
        return "the name lookup did not end in time: check `address:` and the name server"
    if phase == "TLS":
        return "the TLS handshake did not end in time: is it a WinRM listener?"
    return f"no complete answer in {endpoint.operation:g} s: the host is slow or hangs; a larger `operation` may help"


def _os(error: BaseException, _endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    if getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN):
        return Why.UNREACHABLE, "no route to the host: check the address and the network between"
    if getattr(error, "errno", None) in (errno.EMFILE, errno.ENFILE):
        remedy = "lower `threads` under `limits`, or let this process open more (ulimit -n)"
        return Why.UNREACHABLE, f"no connection, since too many files are open here: {remedy}"
    if getattr(error, "errno", None) == errno.ETIMEDOUT:
        return Why.TIMED_OUT, "no connection: is the machine on, and does a firewall let us through?"
    return Why.UNREACHABLE, f"the connection failed: {shorten(getattr(error, 'strerror', None) or _text(error), 160)}"


def _no_name(error: BaseException, endpoint: Endpoint, _phase: str, _offered: tuple[str, ...]) -> _WhyAndText:
    name = shorten(endpoint.address, 80)
    if getattr(error, "errno", None) == socket.EAI_AGAIN:
        return Why.UNREACHABLE, f"the name {name} can't be looked up now: no name server answers"
    return Why.UNREACHABLE, f"the name {name} is not known: check `address:` and the name server"


_CUT = "the host cut the connection: restarting, overloaded, or something else listens there; try again"
_HTTP = "the answer is not HTTP as WinRM speaks it; something else may be listening there: check address and port"

_Errors = type[BaseException] | tuple[type[BaseException], ...] | frozenset[str]
# Libraries below a login, by name, since not all are installed everywhere; the last reads the certificate of a binding.
_OF_LOGINS = frozenset(
    {
        "winrm.vendor.requests_kerberos",
        "kerberos",
        "winkerberos",
        "gssapi",
        "krb5",
        "requests_credssp",
        "cryptography",
        "sspi",
        "sspilib",
        "pywintypes",
    }
)

# What requests_ntlm and its like raise over a token that is none: they split and decode without checks.
_OF_UNCHECKED_READING = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, struct.error)

# The first row that fits any error of the chain counts: what is known best stands first.
_TABLE: tuple[tuple[_Errors, _Explain], ...] = (
    (of_requests.TooManyRedirects, _always(Why.BROKEN, "answered with a redirect; redirects are not followed")),
    ((of_winrm.AuthenticationError, PermissionError), _credentials),
    (of_winrm.WinRMError, _winrm),
    (of_winrm.WinRMOperationTimeoutError, _timeout),
    (frozenset({"winrm.vendor.requests_kerberos"}), _kerberos),
    (frozenset({"requests_credssp"}), _credssp),
    ((of_spnego.BadMICError, of_spnego.UnsupportedQop), _always(Why.BROKEN, DAMAGED)),
    ((of_spnego.SpnegoError, of_spnego.FeatureMissingError, of_spnego.NativeError), _login_library),
    (_OF_LOGINS, _login_library),
    ((ssl.SSLCertVerificationError, CertificateError), _certificate),
    (socket.gaierror, _no_name),
    (of_urllib3.NameResolutionError, _no_name),
    (ConnectionRefusedError, _refused),
    # A TimeoutError of the system and urllib3's own; NewConnectionError is one by inheritance only.
    ((TimeoutError, of_requests.Timeout, of_urllib3.ReadTimeoutError), _timeout),
    (ssl.SSLError, _tls),
    ((of_requests.SSLError, of_urllib3.SSLError), _tls),
    ((ConnectionResetError, ConnectionAbortedError, BrokenPipeError), _always(Why.UNREACHABLE, _CUT)),
    (of_urllib3.NewConnectionError, _os),
    (of_urllib3.TimeoutError, _timeout),
    (of_urllib3.InvalidChunkLength, _always(Why.BROKEN, _HTTP)),  # an IncompleteRead by inheritance
    ((of_urllib3.IncompleteRead, http.client.IncompleteRead), _always(Why.UNREACHABLE, _CUT)),
    ((of_urllib3.DecodeError, of_requests.ContentDecodingError), _always(Why.BROKEN, _HTTP)),
    ((http.client.HTTPException, http.cookies.CookieError, CookieConflictError), _always(Why.BROKEN, _HTTP)),
    ((of_requests.ChunkedEncodingError, of_urllib3.ProtocolError), _always(Why.UNREACHABLE, _CUT)),
    (
        (of_requests.InvalidURL, of_requests.MissingSchema, of_requests.InvalidSchema, of_urllib3.LocationValueError),
        _always(Why.UNREACHABLE, "this makes no URL: check `address:`, `port:` and `path:`"),
    ),
    (
        (of_requests.ProxyError, of_urllib3.ProxyError, of_urllib3.ProxySchemeUnsupported),
        _always(Why.UNREACHABLE, "a proxy failed; none should be in use"),
    ),
    (of_requests.ConnectionError, _always(Why.UNREACHABLE, _CUT)),
    (of_winrm.WinRMTransportError, _always(Why.BROKEN, _HTTP)),
    # requests' errors are OSErrors by inheritance.
    (of_requests.RequestException, _always(Why.BROKEN, _HTTP)),
    (of_urllib3.HTTPError, _always(Why.BROKEN, _HTTP)),
    (OSError, _os),
    (NotImplementedError, _login_library),  # a pykerberos that can't seal
)


def _is_of_sspi(error: BaseException) -> bool:
    """Return whether it is one of Windows' login library. Their ``winerror`` is an HRESULT (0x8009…, negative); the
    system's own are small and positive."""
    return isinstance(error, OSError) and (getattr(error, "winerror", None) or 0) < 0


def _fits(error: BaseException, kind: _Errors) -> bool:
    if not isinstance(kind, frozenset):
        return isinstance(error, kind)
    module = f"{type(error).__module__}."
    return any(module.startswith(f"{library}.") for library in kind)


def _text(error: BaseException) -> str:
    """Return ``str(error)`` as one paragraph; some of spnego's need arguments for it that they weren't given."""
    try:
        return " ".join(str(error).split())
    except Exception:
        return type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all that is known of where it came from: requests and urllib3 keep causes in ``args``."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending and len(seen) < 32:
        link = pending.pop(0)
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        pending += [*link.args, getattr(link, "reason", None), getattr(link, "original_error", None)]
        pending += [link.__cause__, link.__context__]
