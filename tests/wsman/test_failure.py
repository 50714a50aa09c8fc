"""Every exception that the libraries below us can raise has a line of ours."""

from __future__ import annotations

import errno
import importlib.util
import inspect
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import urllib3.exceptions
import winrm.exceptions

from compliance.errors import LinkError, Why
from compliance.secret import Secret
from compliance.wsman import failure
from compliance.wsman.endpoint import Endpoint
from tests.canary import CANARY

WHERE = Endpoint(address="hv01", transport="ntlm", username="reader", password=Secret(CANARY))


LIBRARIES = (
    "requests",
    "urllib3",
    "winrm",
    "spnego",
    "requests_ntlm",
    "requests_credssp",
    "kerberos",
    "gssapi",
    "krb5",
    "cryptography",
    "ssl",
    "socket",
    "http",
)


def _kinds(kind: type[BaseException]) -> Iterator[type[BaseException]]:
    for below in kind.__subclasses__():
        yield below
        yield from _kinds(below)


def _foreign() -> Iterator[type[BaseException]]:
    """All that is loaded: to import our own modules loads whatever can be raised below them."""
    for kind in _kinds(Exception):
        owned = kind.__module__.partition(".")[0] in LIBRARIES and not kind.__name__.startswith("_")
        if owned and not issubclass(kind, Warning):
            yield kind
    yield from _of_vendored_kerberos()
    yield from (TimeoutError, NotImplementedError)
    yield from (OSError, PermissionError, FileNotFoundError, ConnectionError)


def _of_vendored_kerberos() -> list[type[BaseException]]:
    """By its file, since the package wants pykerberos, which is not everywhere."""
    file = Path(inspect.getfile(winrm.exceptions)).parent / "vendor" / "requests_kerberos" / "exceptions.py"
    spec = importlib.util.spec_from_file_location("winrm.vendor.requests_kerberos.exceptions", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.KerberosExchangeError, module.MutualAuthenticationError]


def _bare(kind: type[BaseException]) -> BaseException:
    """An instance without its constructor: what matters is that nothing is needed of one that isn't there."""
    return kind.__new__(kind)


OF_READING = (
    UnicodeDecodeError,
    KeyError,
    IndexError,
    ValueError,
    AttributeError,
    TypeError,
    OverflowError,
    struct.error,
)
KINDS = sorted(set(_foreign()) - set(OF_READING), key=lambda kind: (kind.__module__, kind.__qualname__))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_foreign_exception_has_a_line(kind: type[BaseException]) -> None:
    error = failure.from_exception(_bare(kind), WHERE, phase="answer", offered=())
    assert type(error) is LinkError
    assert str(error).startswith("hv01:5986: ")
    assert "in a way that we don't know" not in str(error)


@pytest.mark.parametrize("kind", OF_READING)
def test_an_error_of_no_library_blames_the_host_only_where_it_had_answered(kind: type[BaseException]) -> None:
    answered = failure.from_exception(_bare(kind), WHERE, phase="answer", offered=(), status=401)
    assert f"can't read the host's answer ({kind.__name__}); the answer is not HTTP as WinRM" in str(answered)
    nothing = failure.from_exception(_bare(kind), WHERE, phase="answer", offered=())
    assert str(nothing).endswith(f"the connection failed in a way that we don't know ({kind.__name__})")


@pytest.mark.parametrize("number", [-2146893044, -2146893054, -2146893039])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_refusal_of_sspi_is_a_login_refused(number: int, wrapped: bool) -> None:
    """Else the brake against locked accounts does not engage. As Windows raises it: a negative ``winerror``."""
    error: Exception = OSError(22, "The logon attempt failed")
    error.winerror = number  # type: ignore[attr-defined]
    if wrapped:
        error = requests.RequestException("exchange failed", error)
    refused = failure.from_exception(error, WHERE, phase="answer", offered=("Negotiate",))
    assert refused.why is Why.LOGIN_REFUSED
    assert "the ntlm login failed: " in str(refused)
    assert "The logon attempt failed" in str(refused)


def test_the_systems_own_errors_of_windows_stay_what_they_are() -> None:
    error = OSError(errno.EHOSTUNREACH, "no route")
    error.winerror = 10065  # type: ignore[attr-defined]
    assert failure.from_exception(error, WHERE, phase="connect", offered=()).why is Why.UNREACHABLE


def test_the_trees_were_walked() -> None:
    found = {kind.__module__.partition(".")[0] for kind in KINDS}
    extras = {name for name in ("requests_credssp", "kerberos", "gssapi", "krb5") if not importlib.util.find_spec(name)}
    # requests_ntlm raises what others define; http.client's names are http's
    assert set(LIBRARIES) - extras - {"requests_ntlm"} <= found
    assert len(KINDS) > 100


def test_one_that_nobody_knows_is_told_by_its_name() -> None:
    """So an exception that has no row fails the test above."""

    class OddError(Exception):
        pass

    error = failure.from_exception(OddError("secret"), WHERE, phase="answer", offered=())
    assert str(error) == "hv01:5986: the connection failed in a way that we don't know (OddError)"


@pytest.mark.parametrize(
    "library", ["kerberos", "gssapi.raw.misc", "krb5._exceptions", "requests_credssp.exceptions", "pywintypes"]
)
def test_libraries_that_are_not_installed_are_known_all_the_same(library: str) -> None:
    of_library = type("GSSError", (Exception,), {"__module__": library})
    wrapped = requests.RequestException("exchange failed")
    wrapped.__context__ = of_library("No credentials cache found")
    error = failure.from_exception(wrapped, WHERE, phase="answer", offered=())
    assert (error.why, "No credentials cache found" in str(error)) == (Why.LOGIN_REFUSED, True)


CASES: list[tuple[BaseException, str, Why, str]] = [
    (OSError(errno.EHOSTUNREACH, "No route"), "connect", Why.UNREACHABLE, "no route to the host"),
    (OSError(errno.ENETUNREACH, "Network"), "connect", Why.UNREACHABLE, "no route to the host"),
    (OSError(errno.ETIMEDOUT, "late"), "connect", Why.TIMED_OUT, "no connection in 10 s"),
    (TimeoutError(), "lookup", Why.TIMED_OUT, "name lookup did not end"),
    (socket.gaierror(socket.EAI_AGAIN, "later"), "lookup", Why.UNREACHABLE, "no name server answers"),
    (socket.gaierror(socket.EAI_NONAME, "none"), "lookup", Why.UNREACHABLE, "the name hv01 is not known"),
    (ConnectionResetError(104, "reset"), "answer", Why.UNREACHABLE, "cut the connection"),
    (PermissionError(13, "Permission denied"), "connect", Why.UNREACHABLE, "Permission denied"),
    (PermissionError("Access denied: no challenge"), "answer", Why.LOGIN_REFUSED, "HTTP 401"),
    (
        winrm.exceptions.WinRMError("requested auth method is kerberos, but pykerberos is not installed"),
        "connect",
        Why.LOGIN_IMPOSSIBLE,
        "hyperv-compliance[ntlm]",
    ),
    (winrm.exceptions.WinRMError("message has been tampered with"), "answer", Why.BROKEN, "damaged"),
    (
        winrm.exceptions.WinRMError(
            "message encryption is set to 'always' but the selected auth method does not support it"
        ),
        "connect",
        Why.LOGIN_IMPOSSIBLE,
        "library here can't seal messages: set `scheme: https`",
    ),
    (TimeoutError(), "ticket", Why.TIMED_OUT, "no Kerberos ticket in 60 s"),
    (
        winrm.exceptions.InvalidCredentialsError("auth method ntlm requires a username"),
        "connect",
        Why.LOGIN_IMPOSSIBLE,
        "requires a username",
    ),
]


@pytest.mark.parametrize(("error", "phase", "why", "text"), CASES)
def test_what_is_said(error: BaseException, phase: str, why: Why, text: str) -> None:
    told = failure.from_exception(error, WHERE, phase=phase, offered=("Negotiate",))
    assert (told.why, text in str(told)) == (why, True), str(told)


def test_the_cause_counts_and_not_its_wrapping() -> None:
    refused = ConnectionRefusedError(111, "refused")
    wrapped = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", refused))  # type: ignore[arg-type]
    assert "winrm quickconfig" in str(failure.from_exception(wrapped, WHERE, phase="connect", offered=()))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (errno.EHOSTUNREACH, "no route to the host"),
        (errno.EADDRNOTAVAIL, "Cannot assign"),
        (errno.EMFILE, "too many files are open here: lower `threads`"),
    ],
)
def test_the_systems_own_error_counts_before_what_urllib3_makes_of_it(number: int, text: str) -> None:
    """It calls every one an aborted connection, which a host would be blamed for."""
    system = OSError(number, "Cannot assign requested address")
    wrapped = requests.ConnectionError(urllib3.exceptions.ProtocolError("Connection aborted.", system))
    assert text in str(failure.from_exception(wrapped, WHERE, phase="connect", offered=()))
