"""A connection against listeners that refuse, drip, cut, redirect and lie: each ends in time, as one of our errors."""

from __future__ import annotations

import gzip
import re
import socket
import time
import warnings
from pathlib import Path

import pytest

from compliance.errors import LinkError, Why
from compliance.secret import Secret
from compliance.wsman.connection import Connection, hint_other_port
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.gauge import MAX_ANSWER
from tests.canary import CANARY
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, drips, listening, loopback, over_tls, read_request, says

PASSWORD = f"{CANARY} of the horse"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def endpoint(port: int, **changes: object) -> Endpoint:
    """Basic over TLS sends no login message of its own, so a listener sees the request at once."""
    known: dict[str, object] = {
        "address": "127.0.0.1",
        "port": port,
        "scheme": "https",
        "transport": "basic",
        "username": "reader",
        "password": Secret(PASSWORD),
        "connect": 10.0,
        "operation": 20.0,
        "verify": False,
    }
    return Endpoint(**{**known, **changes})  # type: ignore[arg-type]


def failure(where: Endpoint) -> LinkError:
    """The error of one message, after the checks that hold for every error."""
    started = time.monotonic()
    with Connection(where, started + 60) as connection, pytest.raises(LinkError) as caught:
        connection.send(b"<question/>")
    text = str(caught.value)
    assert time.monotonic() - started < where.operation + 30.0
    assert text.startswith(f"{where}: ")
    assert "\n" not in text
    assert PASSWORD not in text
    with pytest.raises(LinkError, match=re.escape(str(where))):
        connection.send(b"<question/>")
    return caught.value


HTTP_FAILURES: list[tuple[str, bytes, Why, str]] = [
    ("redirect", answer(302, b"", "Location: http://127.0.0.1:1/wsman"), Why.BROKEN, "redirects are not followed"),
    ("redirect with body", answer(307, b"", "Location: /elsewhere"), Why.BROKEN, "redirects are not followed"),
    ("redirect to nowhere", answer(300, IDENTIFIED), Why.BROKEN, "redirects are not followed"),
    (
        "login",
        answer(401, b"", "WWW-Authenticate: Negotiate", 'WWW-Authenticate: Basic realm="x"'),
        Why.LOGIN_REFUSED,
        "tried basic as reader, over https; the listener offers Negotiate, Basic; likely: a wrong password",
    ),
    (
        "other login",
        answer(401, b"", "WWW-Authenticate: Negotiate, Kerberos"),
        Why.LOGIN_REFUSED,
        "does not offer Basic",
    ),
    (
        "login without end",
        b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFF\r\n",
        Why.LOGIN_REFUSED,
        "with a text that WinRM never sends (long, of unknown length, in chunks, or compressed)",
    ),
    ("absurd offers", answer(401, b"", f"WWW-Authenticate: {',' * 40}"), Why.BROKEN, "a header of absurd form"),
    ("absurd offers of a page", answer(200, b"", f"WWW-Authenticate: {',' * 40}"), Why.BROKEN, "HTTP 200"),
    ("forbidden", answer(403, b"<html/>"), Why.LOGIN_REFUSED, "HTTP 403"),
    ("not found", answer(404, b"<html>not here</html>"), Why.BROKEN, "no WS-Management under /wsman"),
    ("empty refusal", answer(400), Why.BROKEN, "HTTP 400: the host can't read the request"),
    ("proxy login", answer(407, b"", "Proxy-Authenticate: Basic"), Why.BROKEN, "a proxy wants a login"),
    ("request too large", answer(413), Why.TOO_LARGE, "MaxEnvelopeSizekb"),
    ("unencrypted", answer(500), Why.BROKEN, "unencrypted traffic is not allowed"),
    ("server error", answer(500, b"<html>oops \xff</html>"), Why.BROKEN, "HTTP 500: no WS-Management answer"),
    ("gateway", answer(502, b"<html/>"), Why.UNREACHABLE, "a gateway"),
    ("gateway's page in a code page", answer(502, "<p>gestört</p>".encode("cp1252")), Why.UNREACHABLE, "a gateway"),
    ("stopped", answer(503, b"<html/>"), Why.BUSY, "stopped, starting or overloaded"),
    ("web page", answer(200, b"<!DOCTYPE html><html/>"), Why.BROKEN, "HTTP 200: the answer is not WS-Management"),
    ("nothing", answer(200), Why.BROKEN, "HTTP 200: the answer is not WS-Management"),
    ("teapot", answer(418, b"tea"), Why.BROKEN, "HTTP 418"),
    ("compressed", answer(200, gzip.compress(b"0" * 100), "Content-Encoding: gzip"), Why.BROKEN, "compressed"),
    ("announced too large", answer(200, b"x" * (MAX_ANSWER + 1)), Why.TOO_LARGE, "larger than 4 MiB"),
    ("cut", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", Why.UNREACHABLE, "cut the connection"),
    (
        "cut chunk",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        Why.UNREACHABLE,
        "cut the connection",
    ),
    (
        "bad chunk",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        Why.UNREACHABLE,
        "cut the connection",
    ),
    ("hang up", b"", Why.UNREACHABLE, "cut the connection"),
    ("not HTTP", b"SSH-2.0-OpenSSH_9.6\r\n", Why.BROKEN, "not HTTP"),
]


@pytest.mark.parametrize(
    ("reply", "why", "text"), [case[1:] for case in HTTP_FAILURES], ids=[case[0] for case in HTTP_FAILURES]
)
def test_each_http_failure_becomes_ours(authority: Authority, reply: bytes, why: Why, text: str) -> None:
    with listening(over_tls(authority.server("127.0.0.1"), says(reply))) as listener:
        error = failure(endpoint(listener.port))
    assert (error.why, text in str(error)) == (why, True), str(error)


def listens(plug: socket.socket) -> None:
    while plug.recv(65536):
        pass


LONG_REFUSALS = {
    "chunks beside a length": (
        ("Content-Length: 10", "Transfer-Encoding: chunked"),
        b"100000\r\n%b\r\n" % bytes(1 << 20),
    ),
    "an empty transfer coding": (("Content-Length: 10", "Transfer-Encoding:"), bytes(1 << 20)),
    "compressed": (("Content-Length: 9000", "Content-Encoding: gzip, gzip"), bytes(1 << 20)),
    "compressed in a second field": (
        ("Content-Length: 9000", "Content-Encoding: identity", "Content-Encoding: gzip"),
        bytes(1 << 20),
    ),
    "a length in other digits": (("Content-Length: \xb9",), bytes(1 << 20)),
    "a long one": (("Content-Length: 90000000",), bytes(1 << 20)),
}


@pytest.mark.parametrize("form", LONG_REFUSALS)
@pytest.mark.parametrize(("transport", "scheme"), [("basic", "https"), ("ntlm", "https"), ("ntlm", "http")])
def test_a_refusal_of_a_form_that_may_be_long_is_not_read(
    authority: Authority, transport: str, scheme: str, form: str
) -> None:
    """Logins read a refusal to its end, and unpack it."""
    fields, part = LONG_REFUSALS[form]
    lines = "\r\n".join(("HTTP/1.1 401 No", "WWW-Authenticate: Negotiate", "WWW-Authenticate: Basic", *fields))
    parts_sent = 0

    def play(plug: socket.socket) -> None:
        nonlocal parts_sent
        read_request(plug)
        plug.sendall(lines.encode("latin-1") + b"\r\n\r\n")
        for _ in range(64):
            plug.sendall(part)
            parts_sent += 1

    script = over_tls(authority.server("127.0.0.1"), play) if scheme == "https" else play
    with listening(script) as listener:
        error = failure(endpoint(listener.port, transport=transport, scheme=scheme))
    assert (error.why, "(HTTP 401) with a text that WinRM never sends" in str(error)) == (Why.LOGIN_REFUSED, True), (
        error
    )
    assert parts_sent < 32, "the system holds some of them, and we none"


STALLS: dict[str, Script] = {
    "body": drips(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
    "body without a length": drips(b"HTTP/1.1 200 OK\r\n\r\n<s:Envelope", b"x"),
    "chunks": drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "header": drips(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
    "refusal": drips(b"HTTP/1.1 401 No\r\nContent-Length: 60000\r\n\r\n", b"x"),
    "silence": listens,
}


@pytest.mark.parametrize("script", STALLS.values(), ids=STALLS.keys())
@pytest.mark.slow
def test_a_host_that_drips_is_left_in_time(authority: Authority, script: Script) -> None:
    with listening(over_tls(authority.server("127.0.0.1"), script)) as listener:
        error = failure(endpoint(listener.port, operation=3.0))
    assert error.why is Why.TIMED_OUT
    assert "no complete answer in 3 s" in str(error)


@pytest.mark.slow
def test_a_stalled_handshake_ends_in_time() -> None:
    with listening(listens) as listener:
        error = failure(endpoint(listener.port, operation=3.0))
    assert error.why is Why.TIMED_OUT
    assert "TLS handshake" in str(error)


def test_an_endless_answer_is_cut_at_the_cap(authority: Authority) -> None:
    endless = drips(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000, 0.0)
    with listening(over_tls(authority.server("127.0.0.1"), endless)) as listener:
        assert failure(endpoint(listener.port, operation=30.0)).why is Why.TOO_LARGE


def test_the_deadline_holds_for_all_messages_together(authority: Authority) -> None:
    with (
        listening(over_tls(authority.server("127.0.0.1"), says(answer(200, IDENTIFIED), then=time_passes))) as listener,
        Connection(endpoint(listener.port), time.monotonic() + 0.5) as connection,
    ):
        assert connection.send(b"<question/>") == IDENTIFIED
        time.sleep(0.55)
        with pytest.raises(LinkError, match="time for this host is used up"):
            connection.send(b"<question/>")


def time_passes(plug: socket.socket) -> None:
    time.sleep(0.7)


def test_a_session_is_kept_and_counted(authority: Authority) -> None:
    script = over_tls(authority.server("127.0.0.1"), says(*[answer(200, IDENTIFIED)] * 3))
    with listening(script) as listener, Connection(endpoint(listener.port), time.monotonic() + 60) as connection:
        assert [connection.send(b"<question/>") for _ in range(3)] == [IDENTIFIED] * 3
        assert (connection.messages, connection.bytes_out, connection.bytes_in) == (3, 33, 3 * len(IDENTIFIED))
        assert listener.connections == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("status", [200, 400, 500])
def test_a_fault_is_handed_on_in_whatever_encoding(authority: Authority, status: int, encoding: str) -> None:
    fault = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>'.encode(encoding)
    script = over_tls(authority.server("127.0.0.1"), says(answer(status, fault)))
    with listening(script) as listener, Connection(endpoint(listener.port), time.monotonic() + 60) as connection:
        assert connection.send(b"<question/>") == fault


# --- certificates ---


def test_a_trusted_certificate(authority: Authority) -> None:
    script = over_tls(authority.server("127.0.0.1"), says(answer(200, IDENTIFIED)))
    with listening(script) as listener:
        where = endpoint(listener.port, verify=True, ca=authority.file)
        with Connection(where, time.monotonic() + 60) as connection:
            assert connection.send(b"<question/>") == IDENTIFIED


@pytest.mark.parametrize(
    ("certified", "days", "trusted", "text"),
    [
        ("127.0.0.1", 30, False, "name its authority's file as `ca:`"),
        ("127.0.0.9", 30, True, "use the name that stands in the certificate"),
        ("127.0.0.1", -1, True, "it has expired"),
    ],
)
def test_a_certificate_that_is_not_trusted(
    authority: Authority, certified: str, days: int, trusted: bool, text: str
) -> None:
    with listening(over_tls(authority.server(certified, days=days), says(answer(200, IDENTIFIED)))) as listener:
        error = failure(endpoint(listener.port, verify=True, ca=authority.file if trusted else None))
    assert error.why is Why.UNREACHABLE
    assert text in str(error)


def test_a_missing_authority_is_named(tmp_path: Path) -> None:
    assert "`ca:` names" in str(failure(endpoint(1, verify=True, ca=tmp_path / "none.pem")))


def test_a_damaged_authority_is_ours(tmp_path: Path, authority: Authority) -> None:
    (tmp_path / "bad.pem").write_text("not a certificate")
    with listening(over_tls(authority.server("127.0.0.1"), says(answer(200, IDENTIFIED)))) as listener:
        assert failure(endpoint(listener.port, verify=True, ca=tmp_path / "bad.pem")).why is Why.UNREACHABLE


def test_a_client_certificate_is_shown(authority: Authority) -> None:
    certificate, key = authority.client("reader")
    script = over_tls(authority.server("127.0.0.1", client=True), says(answer(200, IDENTIFIED)))
    with listening(script) as listener:
        where = endpoint(listener.port, transport="certificate", certificate=certificate, key=key)
        with Connection(where, time.monotonic() + 60) as connection:
            assert connection.send(b"<question/>") == IDENTIFIED


def test_an_unverified_certificate_raises_no_warning_where_warnings_are_errors(authority: Authority) -> None:
    script = over_tls(authority.server("127.0.0.1"), says(answer(200, IDENTIFIED)))
    with listening(script) as listener, warnings.catch_warnings():
        warnings.simplefilter("error")
        before = list(warnings.filters)
        with Connection(endpoint(listener.port), time.monotonic() + 60) as connection:
            assert connection.send(b"<question/>") == IDENTIFIED
        assert list(warnings.filters) == before


def test_http_on_an_https_port() -> None:
    def plain(plug: socket.socket) -> None:
        plug.recv(1)
        plug.sendall(answer(400, b"<h2>Bad Request</h2>"))

    with listening(plain) as listener:
        error = failure(endpoint(listener.port))
    assert (error.why, "set `scheme: http`" in str(error)) == (Why.UNREACHABLE, True), str(error)


# --- before anything is sent ---


@pytest.mark.parametrize("transport", ["basic", "certificate"])
def test_what_would_give_something_away_is_not_tried(transport: str) -> None:
    with listening(says(answer(200, IDENTIFIED))) as listener:
        error = failure(endpoint(listener.port, scheme="http", transport=transport))
        assert listener.connections == 0
    assert error.why is Why.LOGIN_IMPOSSIBLE


def test_environment_and_netrc_are_not_asked(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))
    heads: list[bytes] = []

    def note(plug: socket.socket) -> None:
        heads.append(read_request(plug)[0])
        plug.sendall(answer(200, IDENTIFIED))

    certificate, key = authority.client("reader")
    with listening(over_tls(authority.server("127.0.0.1"), note)) as listener:
        where = endpoint(
            listener.port, transport="certificate", certificate=certificate, key=key, verify=True, ca=authority.file
        )
        with Connection(where, time.monotonic() + 60) as connection:
            connection.send(b"<question/>")
    assert b"Basic" not in heads[0]
    assert b"Accept-Encoding: identity" in heads[0]


# --- reaching the host ---


def test_a_name_that_nobody_knows() -> None:
    error = failure(endpoint(5999, address="no-such-host.invalid", operation=20.0))
    assert error.why is Why.UNREACHABLE
    assert "no-such-host.invalid" in str(error)


@pytest.mark.parametrize("address", ["a" * 300, "a..b", "", "hv 01", "hv\n01", "[", "höst.invalid"])
def test_an_address_that_is_none(address: str) -> None:
    where = endpoint(5999, address=address, operation=20.0)
    with Connection(where, time.monotonic() + 60) as connection, pytest.raises(LinkError):
        connection.send(b"<question/>")


def test_refused_here_but_the_other_port_answers() -> None:
    address = loopback()
    with listening(lambda _plug: None, address=address, port=5985):
        ntlm = failure(endpoint(5986, address=address, transport="ntlm"))
        basic = failure(endpoint(5986, address=address))
    assert "refused on 5986, but 5985 answers: set `scheme: http` (messages are sealed with NTLM" in str(ntlm)
    assert "must not use" in str(basic)
    with listening(lambda _plug: None, address=address, port=5986):
        assert "refused on 5985, but 5986 answers: set `scheme: https`" in str(
            failure(endpoint(5985, address=address, scheme="http", transport="ntlm"))
        )


def test_refused_everywhere() -> None:
    error = failure(endpoint(5986, address=loopback()))
    assert error.why is Why.UNREACHABLE
    assert "winrm quickconfig" in str(error)
    assert hint_other_port(endpoint(4711), 0.1) == ""


# --- names ---


@pytest.mark.parametrize(
    ("address", "name", "url", "request_url"),
    [
        ("hv01", "hv01:5986", "https://hv01:5986/wsman", "https://hv01:5986/wsman"),
        ("10.0.0.1", "10.0.0.1:5986", "https://10.0.0.1:5986/wsman", "https://10.0.0.1:5986/wsman"),
        ("fe80::1%eth0", "[fe80::1%eth0]:5986", "https://[fe80::1%25eth0]:5986/wsman", "https://[fe80::1]:5986/wsman"),
    ],
)
def test_an_endpoint_is_written_as_a_url(address: str, name: str, url: str, request_url: str) -> None:
    where = Endpoint(address=address, password=Secret(PASSWORD))
    assert (str(where), where.url, where.request_url) == (name, url, request_url)
    assert PASSWORD not in repr(where)


def test_an_ipv6_address_is_reached(authority: Authority) -> None:
    script = over_tls(authority.server("::1"), says(answer(200, IDENTIFIED)))
    with listening(script, address="::1") as listener:
        where = endpoint(listener.port, address="::1", verify=True, ca=authority.file)
        with Connection(where, time.monotonic() + 60) as connection:
            assert connection.send(b"<question/>") == IDENTIFIED
