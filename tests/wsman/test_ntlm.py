"""The login by NTLM over http, message by message, and what counts as a sealed answer."""

from __future__ import annotations

import base64
import re
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import spnego

from compliance.errors import LinkError, Why
from tests.wsman.acceptor import BOUNDARY, OCTETS, SEALED, USERS, connected, identifies, ntlm, open_sealed, seal
from tests.wsman.listener import IDENTIFIED, Script, answer, read_request, says


@pytest.fixture(autouse=True)
def _users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.secret").write_text(USERS)
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users.secret"))


def offers(*lines: str) -> bytes:
    return answer(401, b"", *(f"WWW-Authenticate: {line}" for line in lines))


def ending(reply: bytes) -> bytes:
    """A reply after which its connection ends."""
    return reply.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)


# --- the login ---


def test_a_login_is_two_requests_the_first_of_which_tells_no_secret() -> None:
    heads: list[str] = []

    def noting(plug: socket.socket) -> None:
        context = acceptor()
        while not context.complete:
            head, body = read_request(plug)
            heads.append(head.decode())
            assert body == b""
            plug.sendall(step(context, head))
        read_request(plug)
        heads.append("sealed")

    with connected(noting) as (connection, _), pytest.raises(LinkError):
        connection.send(b"<question/>")
    first, second, then = heads
    negotiate, authenticate = (base64.b64decode(token_in(head.encode())) for head in (first, second))
    assert (negotiate[8:12], authenticate[8:12], then) == (b"\1\0\0\0", b"\3\0\0\0", "sealed")  # MS-NLMP 2.2.1
    assert b"reader" not in negotiate.replace(b"\0", b"").lower()
    assert "Accept-Encoding: identity" in first
    assert re.search(r"\r\nHost: 127\.0\.0\.1:\d+\r\n", first)


@pytest.mark.parametrize("lines", [("NTLM",), ("ntlm",), ("Negotiate", "NTLM"), ("Negotiate, NTLM",)])
@pytest.mark.parametrize("connections", [1, 2])
def test_a_listener_that_takes_ntlm_by_that_name_alone_is_logged_in_to(
    lines: tuple[str, ...], connections: int
) -> None:
    """Over a second connection, where the first one ends with the refusal (RFC 9112 9.6)."""

    def play(plug: socket.socket) -> None:
        context = acceptor()
        while True:
            head, body = read_request(plug)
            if context.complete:
                assert open_sealed(context, body) == b"<question/>"
                plug.sendall(answer(200, seal(context, IDENTIFIED), SEALED))
            elif b"Authorization: NTLM " in head:
                plug.sendall(step(context, head, "NTLM"))
            elif connections == 1:
                plug.sendall(offers(*lines))
            else:
                plug.sendall(ending(offers(*lines)))
                return

    with connected(play) as (connection, listener):
        assert connection.send(b"<question/>") == IDENTIFIED
        assert listener.connections == connections


def test_a_listener_that_ends_each_connection_with_a_refusal_refused_the_login() -> None:
    with connected(says(ending(offers("NTLM")))) as (connection, listener), pytest.raises(LinkError) as caught:
        connection.send(b"<question/>")
    assert (caught.value.why, listener.connections) == (Why.LOGIN_REFUSED, 2)
    assert "the listener offers NTLM" in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (("Negotiate",), "likely: a wrong password or user"),
        (("Kerberos", 'Basic realm="x"'), "the listener offers Kerberos, Basic; the listener does not offer Negotiate"),
        ((), "the listener offers none"),
    ],
)
def test_a_listener_that_gives_no_challenge_hears_no_answer_to_one(lines: tuple[str, ...], text: str) -> None:
    """What a password is guessed from is in the second token alone, and each of them counts against the account."""
    tokens: list[bytes] = []

    def play(plug: socket.socket) -> None:
        while True:
            head, _ = read_request(plug)
            tokens.append(base64.b64decode(token_in(head)))
            plug.sendall(offers(*lines))

    with connected(play) as (connection, _), pytest.raises(LinkError) as caught:
        connection.send(b"<question/>")
    assert caught.value.why is Why.LOGIN_REFUSED
    assert text in str(caught.value)
    assert [token[8:12] for token in tokens] == [b"\1\0\0\0"]


def test_a_proxy_that_asks_for_a_login_gets_none() -> None:
    heads: list[bytes] = []

    def play(plug: socket.socket) -> None:
        while True:
            heads.append(read_request(plug)[0])
            plug.sendall(answer(407, b"", "Proxy-Authenticate: NTLM TlRMTVNTUAACAAAA"))

    with connected(play) as (connection, _), pytest.raises(LinkError, match="a proxy wants a login"):
        connection.send(b"<question/>")
    assert len(heads) == 1


def test_a_host_that_hangs_up_between_the_tokens_is_not_answered_elsewhere() -> None:
    """The challenge belongs to the connection that it came over."""

    def play(plug: socket.socket) -> None:
        head, _ = read_request(plug)
        plug.sendall(ending(step(acceptor(), head)))
        plug.recv(1)

    with connected(play) as (connection, listener), pytest.raises(LinkError, match="cut the connection") as caught:
        connection.send(b"<question/>")
    assert (caught.value.why, listener.connections) == (Why.UNREACHABLE, 1)


def acceptor() -> spnego.ContextProxy:
    return spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)


def token_in(head: bytes) -> bytes:
    found = re.search(rb"Authorization: (?:Negotiate|NTLM) (\S+)", head)
    assert found, head
    return found[1]


def step(context: spnego.ContextProxy, head: bytes, scheme: str = "Negotiate") -> bytes:
    token = base64.b64encode(context.step(base64.b64decode(token_in(head))) or b"").decode()
    return answer(200) if context.complete else offers(f"{scheme} {token}")


# --- sealed answers ---


Change = Callable[[bytes], bytes]


def changed(change: Change) -> Script:
    """A server whose sealed answers somebody changes on their way."""

    def play(plug: socket.socket) -> None:
        context = acceptor()
        while True:
            head, body = read_request(plug)
            if context.complete:
                open_sealed(context, body)
                plug.sendall(answer(200, change(seal(context, IDENTIFIED)), SEALED))
            else:
                plug.sendall(step(context, head))

    return play


END = BOUNDARY + b"--\r\n"
ANNOUNCED = f"Length={len(IDENTIFIED)}".encode()
SAME: dict[str, Change] = {
    "as Windows writes it": lambda text: text,
    "no line's end": lambda text: text.removesuffix(b"\r\n"),
    "no end": lambda text: text.removesuffix(END),
    "UTF-16": lambda text: text.replace(b"UTF-8", b"UTF-16", 1),
    "no tabs": lambda text: text.replace(b"\tContent-Type", b"Content-Type").replace(b"\tOriginal", b"Original", 1),
}
DAMAGED: dict[str, Change] = {
    "empty": lambda _: b"",
    "cut": lambda text: text[:-40],
    "cut head": lambda text: text[:100],
    "longer": lambda text: text.replace(END, b"x" + END),
    "shorter": lambda text: text.replace(END, b"")[:-1] + END,
    "announced longer": lambda text: text.replace(ANNOUNCED, f"Length={len(IDENTIFIED) + 1}".encode()),
    "announced shorter": lambda text: text.replace(ANNOUNCED, f"Length={len(IDENTIFIED) - 1}".encode()),
    "announced nothing": lambda text: text.replace(ANNOUNCED, b"Length="),
    "announced absurdly": lambda text: text.replace(ANNOUNCED, b"Length=99999999"),
    "announced below nothing": lambda text: text.replace(ANNOUNCED, b"Length=-1"),
    "a longer signature": lambda text: text.replace(OCTETS + struct.pack("<i", 16), OCTETS + struct.pack("<i", 17)),
    "no signature": lambda text: text.replace(OCTETS + struct.pack("<i", 16), OCTETS + struct.pack("<i", 0)),
    "more behind": lambda text: text + b"<s:Envelope/>",
    "more before": lambda text: b"x" + text,
    "twice": lambda text: text.removesuffix(END) + text,
    "of Kerberos": lambda text: text.replace(b"HTTP-SPNEGO", b"HTTP-Kerberos", 1),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_a_sealed_answer_is_read_in_every_writing(change: Change) -> None:
    with connected(changed(change)) as (connection, _):
        assert [connection.send(b"<question/>") for _ in range(2)] == [IDENTIFIED] * 2


@pytest.mark.parametrize("change", DAMAGED.values(), ids=DAMAGED.keys())
def test_one_that_was_changed_is_damaged(change: Change) -> None:
    with connected(changed(change)) as (connection, _), pytest.raises(LinkError, match="a sealed answer is damaged"):
        connection.send(b"<question/>")


def test_the_last_answer_again_is_damaged() -> None:
    """NTLM's keys move on with each message: what was opened once opens nothing more."""
    kept: list[bytes] = []

    def first_for_ever(text: bytes) -> bytes:
        kept.append(text)
        return kept[0]

    with connected(changed(first_for_ever)) as (connection, _):
        assert connection.send(b"<question/>") == IDENTIFIED
        with pytest.raises(LinkError, match="a sealed answer is damaged"):
            connection.send(b"<question/>")


def test_two_parts_of_one_answer_are_one_text() -> None:
    def play(plug: socket.socket) -> None:
        context = acceptor()
        while not context.complete:
            plug.sendall(step(context, read_request(plug)[0]))
        open_sealed(context, read_request(plug)[1])
        halves = IDENTIFIED[:100], IDENTIFIED[100:]
        plug.sendall(answer(200, b"".join(seal(context, half).removesuffix(END) for half in halves) + END, SEALED))

    with connected(play) as (connection, _):
        assert connection.send(b"<question/>") == IDENTIFIED


def test_without_a_user_nothing_is_sent() -> None:
    with connected(ntlm(identifies), username="") as (connection, listener):
        with pytest.raises(LinkError, match="the ntlm login can't begin") as caught:
            connection.send(b"<question/>")
        assert caught.value.why is Why.LOGIN_IMPOSSIBLE
        assert listener.connections == 0
