"""An answer's form: WinRM's own is read without http.client, and to the same end; every other is left to it."""

from __future__ import annotations

import http.client
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.wsman.arriving import Arriving, _ByHttpClient, _plain, arrive

BODY = b"<s:Envelope/>"
GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: a/b; c=d\r\nContent-Length: 13\r\nServer: x\r\n\r\n" + BODY


def read_all(arriving: Arriving) -> bytes:
    parts = []
    while part := arriving.read(64 * 1024):
        parts.append(part)
    return b"".join(parts)


def arrived(*parts: bytes) -> tuple[Arriving, bytes, bool]:
    """What comes over a socket in these parts, its body, and whether anything follows it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)

        def play() -> None:
            for part in parts:
                theirs.sendall(part)
            theirs.shutdown(socket.SHUT_WR)

        playing = threading.Thread(target=play)
        playing.start()
        try:
            arriving = arrive(ours)
            return arriving, read_all(arriving), arriving.is_followed()
        finally:
            playing.join(10)


def with_head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join((status, *lines, b"", BODY))


LENGTH = b"Content-Length: 13"
PLAIN = {
    "WinRM's": GOOD,
    "no reason": with_head(LENGTH, status=b"HTTP/1.1 500 "),
    "no space before it": with_head(LENGTH, status=b"HTTP/1.1 500"),
    "two logins": with_head(LENGTH, b"WWW-Authenticate: Negotiate", b"WWW-Authenticate: Kerberos"),
    "spaces": with_head(b"content-LENGTH:\t13 \t", b"X:", b"Y:    "),
}


@pytest.mark.parametrize("octets", PLAIN.values(), ids=PLAIN.keys())
def test_winrms_form_is_read_without_http_client(octets: bytes) -> None:
    arriving, body, is_followed = arrived(octets)
    assert not isinstance(arriving, _ByHttpClient)
    assert (body, is_followed, arriving.closes) == (BODY, False, False)


OTHERS = {
    "two lengths": with_head(LENGTH, b"Content-Length: 13"),
    "a doubled type": with_head(LENGTH, b"Content-Type: a/b", b"content-type: c/d"),
    "a length with a sign": with_head(b"Content-Length: +13"),
    "a length of another script": with_head("Content-Length: ١٣".encode()),
    "a folded line": with_head(LENGTH, b"X: a", b" b"),
    "a line without a colon": with_head(LENGTH, b"nonsense"),
    "a space in a name": with_head(LENGTH, b"Content-Type : a/b"),
    "a control character": with_head(LENGTH, b"X: a\x0bb"),
    "a bare newline": with_head(LENGTH, b"X: a\nContent-Length: 5"),
    "no length": with_head(b"X: a"),
    "another version": with_head(LENGTH, status=b"HTTP/1.0 200 OK"),
    "no content": with_head(LENGTH, status=b"HTTP/1.1 204 No"),
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunks with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n"
    + BODY
    + b"\r\n0\r\n\r\n",
    "a word before": b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD,
    "many fields": with_head(LENGTH, *[b"X%d: x" % number for number in range(60)]),
    "a large head": with_head(LENGTH, b"X: " + b"x" * 20_000),
}


@pytest.mark.parametrize("octets", OTHERS.values(), ids=OTHERS.keys())
def test_any_other_form_is_left_to_http_client(octets: bytes) -> None:
    try:
        arriving, body, _ = arrived(octets)
    except http.client.HTTPException:
        return
    assert isinstance(arriving, _ByHttpClient)
    assert body in (BODY, b"", BODY[:5])


def test_a_head_without_a_field_costs_one_look_at_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        started = time.process_time()
        assert [_plain(ours, with_head(b"x" * 16_000)) for _ in range(150)] == [None] * 150
    assert time.process_time() - started < 8  # about 20 ms; only a change of its order is an error


@pytest.mark.parametrize("at", [1, 12, 40, len(GOOD) - len(BODY) - 1, len(GOOD) - 5])
def test_an_answer_may_come_in_any_parts(at: int) -> None:
    _, body, is_followed = arrived(GOOD[:at], GOOD[at:])
    assert (body, is_followed) == (BODY, False)


@pytest.mark.parametrize("octets", [GOOD[:-1], GOOD[: -len(BODY)], OTHERS["chunks"][:-12]])
def test_one_that_ends_early_is_never_whole(octets: bytes) -> None:
    with pytest.raises(http.client.IncompleteRead):
        arrived(octets)


@pytest.mark.parametrize("form", [GOOD, OTHERS["chunks"], OTHERS["two lengths"]])
@pytest.mark.parametrize("more", [b"x", GOOD])
def test_what_follows_an_answer_is_seen(form: bytes, more: bytes) -> None:
    _, body, is_followed = arrived(form + more)
    assert (body, is_followed) == (BODY, True)


def test_what_follows_is_seen_where_it_comes_with_the_bodys_last_octets() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        theirs.sendall(GOOD[:-5])
        arriving = arrive(ours)
        theirs.sendall(GOOD[-5:] + b"x")
        assert (read_all(arriving), arriving.is_followed()) == (BODY, True)


def test_a_host_that_hangs_up_says_nothing() -> None:
    with pytest.raises(http.client.RemoteDisconnected):
        arrived()


SNIPPETS = st.sampled_from(
    [
        *(
            b"Content-Length: 13",
            b"Content-Length: 5",
            b"content-length:13",
            b"Content-Length: 0x0d",
            b"Content-Length:",
        ),
        *(b"Transfer-Encoding: chunked", b"Connection: close", b"Connection: Keep-Alive", b"Content-Type: a/b"),
        *(
            b"Content-Type: c/d",
            b"Content-Encoding: gzip",
            b"WWW-Authenticate: Negotiate",
            b"X: \xff",
            b" folded",
            b"x",
        ),
    ]
)
STATUS_LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.1 500 ", b"HTTP/1.1 204 x", b"HTTP/1.0 200 OK", b"HTTP/1.1 0200 x", b"HTTP/2 200 x"]
)


@given(STATUS_LINES, st.lists(SNIPPETS | st.binary(max_size=12), max_size=6), st.sampled_from([b"\r\n", b"\n"]))
def test_where_it_is_read_here_http_client_would_have_read_the_same(
    status: bytes, lines: list[bytes], newline: bytes
) -> None:
    """Two readers of one answer that differ are how answers are smuggled."""
    octets = newline.join((status, *lines, b"", b"")) + BODY
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(10)
        theirs.shutdown(socket.SHUT_WR)
        plain = _plain(ours, octets)
        if plain is None:
            return
        other = _ByHttpClient(ours, octets)
        assert (plain.status, plain.closes) == (other.status, other.closes)
        for name in ("Content-Type", "Content-Encoding", "Content-Length", "WWW-Authenticate"):
            assert plain.fields.get_all(name) == other.fields.get_all(name)
        try:
            expected = read_all(other)
        except http.client.IncompleteRead:
            with pytest.raises(http.client.IncompleteRead):
                read_all(plain)
        else:
            assert (read_all(plain), plain.is_followed()) == (expected, other.is_followed())
