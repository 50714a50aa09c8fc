"""Every exception that the libraries below us can raise has a line of ours."""

from __future__ import annotations

import errno
import http.client
import importlib.util
import inspect
import socket
import ssl
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import requests_ntlm
import spnego.exceptions
import urllib3.exceptions
import urllib3.util.ssl_match_hostname
import winrm.exceptions

from compliance.errors import LinkError, Why
from compliance.wsman import failure
from compliance.wsman.endpoint import Endpoint

WHERE = Endpoint(address="hv01", transport="ntlm", username="reader", password="correct horse")


OWNERS = {
    "requests",
    "urllib3",
    "winrm",
    "spnego",
    "requests_ntlm",
    "kerberos_exceptions",
    "ssl",
    "socket",
    "http",
    "struct",
}


def _foreign() -> Iterator[type[BaseException]]:
    # pywinrm's Kerberos login is imported by file: the package itself wants pykerberos, which tests do without.
    folder = Path(inspect.getfile(winrm.exceptions)).parent / "vendor" / "requests_kerberos" / "exceptions.py"
    spec = importlib.util.spec_from_file_location("kerberos_exceptions", folder)
    assert spec is not None
    assert spec.loader is not None
    kerberos = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kerberos)
    modules = (
        requests.exceptions,
        urllib3.exceptions,
        urllib3.util.ssl_match_hostname,
        winrm.exceptions,
        spnego.exceptions,
        requests_ntlm.requests_ntlm,
        kerberos,
        ssl,
        socket,
        http.client,
        struct,
    )
    for module in modules:
        for _, kind in inspect.getmembers(module, inspect.isclass):
            owned = kind.__module__.partition(".")[0] in OWNERS and not kind.__name__.startswith("_")
            if owned and issubclass(kind, Exception) and not issubclass(kind, Warning):
                yield kind
    yield from (UnicodeDecodeError, UnicodeEncodeError, KeyError, IndexError, ValueError, AttributeError, TypeError)
    yield from (struct.error, socket.gaierror, TimeoutError)
    yield from (OSError, PermissionError, FileNotFoundError, ConnectionError, OverflowError)


def _bare(kind: type[BaseException]) -> BaseException:
    """An instance without its constructor: what matters is that nothing is needed of one that isn't there."""
    return kind.__new__(kind)


KINDS = sorted(set(_foreign()), key=lambda kind: (kind.__module__, kind.__qualname__))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.__module__}.{kind.__qualname__}")
def test_every_foreign_exception_has_a_line(kind: type[BaseException]) -> None:
    error = failure.from_exception(_bare(kind), WHERE, phase="answer", offered=())
    assert type(error) is LinkError
    assert str(error).startswith("hv01:5986: ")
    assert "in a way that we don't know" not in str(error)


def test_the_trees_were_walked() -> None:
    assert len(KINDS) > 90


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
        Why.LOGIN_REFUSED,
        "hyperv-compliance[ntlm]",
    ),
    (winrm.exceptions.WinRMError("message has been tampered with"), "answer", Why.BROKEN, "damaged"),
    (
        winrm.exceptions.InvalidCredentialsError("auth method ntlm requires a username"),
        "connect",
        Why.LOGIN_REFUSED,
        "requires a username",
    ),
    (KeyError("content-type"), "answer", Why.BROKEN, "not HTTP as WinRM speaks it"),
]


@pytest.mark.parametrize(("error", "phase", "why", "text"), CASES)
def test_what_is_said(error: BaseException, phase: str, why: Why, text: str) -> None:
    told = failure.from_exception(error, WHERE, phase=phase, offered=("Negotiate",))
    assert (told.why, text in str(told)) == (why, True), str(told)


def test_the_cause_counts_and_not_its_wrapping() -> None:
    refused = ConnectionRefusedError(111, "refused")
    wrapped = requests.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", refused))  # type: ignore[arg-type]
    assert "winrm quickconfig" in str(failure.from_exception(wrapped, WHERE, phase="connect", offered=()))
