"""A session's second message travels without requests: what it sends, and that each failure ends as it always did."""

from __future__ import annotations

import socket
import time

import pytest

from compliance.errors import LinkError, LostError, Why
from compliance.wsman.connection import Connection
from compliance.wsman.gauge import MAX_ANSWER
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, listening, over_tls, read_request, says
from tests.wsman.test_connection import HTTP_FAILURES, STALLS, endpoint, listens


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def second_failure(authority: Authority, script: Script, **changes: object) -> LinkError:
    """The error of the second message; ``script`` answers it, after a first answer that is good."""
    good = says(answer(200, IDENTIFIED), then=script)
    with listening(over_tls(authority.server("127.0.0.1"), good)) as listener:
        where = endpoint(listener.port, **changes)
        with Connection(where, time.monotonic() + 60) as connection:
            assert connection.send(b"<question/>") == IDENTIFIED
            started = time.monotonic()
            with pytest.raises(LinkError) as caught:
                connection.send(b"<question/>")
            assert time.monotonic() - started < where.operation + 30.0
        assert listener.connections == 1
    assert str(caught.value).startswith(f"{where}: ")
    return caught.value


@pytest.mark.parametrize(
    ("reply", "why", "text"), [case[1:] for case in HTTP_FAILURES], ids=[case[0] for case in HTTP_FAILURES]
)
def test_each_http_failure_is_the_first_messages(authority: Authority, reply: bytes, why: Why, text: str) -> None:
    error = second_failure(authority, says(reply))
    if reply.startswith(b"HTTP/1.1 401"):
        why, text = Why.UNREACHABLE, "the host has forgotten our login"
    assert (error.why, text in str(error)) == (why, True), str(error)
    assert isinstance(error, LostError) is (why in (Why.UNREACHABLE, Why.BUSY))


@pytest.mark.parametrize("name", sorted(STALLS.keys() - {"refusal"}))  # whose text is not read
@pytest.mark.slow
def test_a_host_that_drips_is_left_in_time(authority: Authority, name: str) -> None:
    error = second_failure(authority, STALLS[name], operation=3.0)
    assert (error.why, "no complete answer in 3 s" in str(error)) == (Why.TIMED_OUT, True), str(error)


def test_a_body_without_a_length_is_capped(authority: Authority) -> None:
    def endless(plug: socket.socket) -> None:
        read_request(plug)
        plug.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            plug.sendall(b"x" * (MAX_ANSWER // 4))

    assert second_failure(authority, endless, operation=20.0).why is Why.TOO_LARGE


def test_it_carries_what_the_first_one_did(authority: Authority) -> None:
    heads: list[dict[str, str]] = []

    def note(plug: socket.socket) -> None:
        for body in (b"<first/>", b"<second/>"):
            head, received = read_request(plug)
            assert received == body
            first, *lines = head.decode().split("\r\n")
            heads.append({"": first} | dict(line.split(": ", 1) for line in lines))
            plug.sendall(answer(200, IDENTIFIED))

    with (
        listening(over_tls(authority.server("127.0.0.1"), note)) as listener,
        Connection(endpoint(listener.port), time.monotonic() + 60) as connection,
    ):
        connection.send(b"<first/>")
        connection.send(b"<second/>")
    assert heads[1] == {**heads[0], "Content-Length": "9"}
    assert heads[1]["Authorization"].startswith("Basic ")
    assert heads[1]["Accept-Encoding"] == "identity"


GOOD = answer(200, IDENTIFIED)
LEAVES = {
    "without a word": says(GOOD, GOOD),
    "with a word": says(GOOD, answer(200, IDENTIFIED, "Connection: close"), then=listens),
}


@pytest.mark.parametrize("script", LEAVES.values(), ids=LEAVES.keys())
def test_a_host_that_leaves_after_an_answer_is_connected_to_again(authority: Authority, script: Script) -> None:
    """With Basic, whose messages stand for themselves; where a login is tied to the connection, it is lost."""
    over = over_tls(authority.server("127.0.0.1"), script)
    with listening(over) as listener, Connection(endpoint(listener.port), time.monotonic() + 60) as connection:
        for _ in range(4):
            assert connection.send(b"<question/>") == IDENTIFIED
            time.sleep(0.05)
        assert listener.connections == 2
