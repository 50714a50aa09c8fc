"""A sealed answer counts once: GSSAPI tells of one that comes again, but pykerberos does not pass that on."""

from __future__ import annotations

import base64
import re
import socket
import struct
import time
from pathlib import Path

import pytest
import spnego

from compliance.errors import LinkError, Why
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint
from tests.wsman.acceptor import BOUNDARY, OCTETS, SEALED, SPNEGO
from tests.wsman.listener import IDENTIFIED, Script, answer, listening, read_request


def sealing(*order: int, spoil: bool = False) -> Script:
    """A WinRM that seals its answers one after the other, and sends them in another order, by their numbers."""

    def play(plug: socket.socket) -> None:
        context = spnego.server(protocol="kerberos", options=spnego.NegotiateOptions.use_gssapi)
        head, _ = read_request(plug)
        token = re.search(rb"Authorization: Negotiate (\S+)", head)
        assert token
        proof = base64.b64encode(context.step(base64.b64decode(token[1])) or b"").decode()
        plug.sendall(answer(200, b"", f"WWW-Authenticate: Negotiate {proof}"))
        sealed = [_seal(context, IDENTIFIED, spoil) for _ in range(max(order) + 1)]
        for number in order:
            read_request(plug)
            plug.sendall(answer(200, sealed[number], SEALED))

    return play


def _seal(context: spnego.ContextProxy, content: bytes, spoil: bool) -> bytes:
    wrapped = context.wrap_winrm(content)
    text = wrapped.data[:-1] + bytes([wrapped.data[-1] ^ spoil])
    kind = f"\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length={len(content)}\r\n".encode()
    head = BOUNDARY + b"\r\n" + f"\tContent-Type: {SPNEGO}\r\n".encode() + kind + BOUNDARY + b"\r\n" + OCTETS
    return head + struct.pack("<i", len(wrapped.header)) + wrapped.header + text + BOUNDARY + b"--\r\n"


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize(
    ("order", "good"),
    [((0, 1, 2), 3), ((0, 0), 1), ((0, 1, 0), 2), ((1, 0), 1), ((0, 1, 1), 2)],
    ids=["in order", "at once again", "later again", "out of order", "the last again"],
)
def test_an_answer_counts_once(
    service: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[int, ...], good: int
) -> None:
    monkeypatch.setenv("KRB5_KTNAME", str(service))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")
    with listening(sealing(*order)) as listener:
        where = Endpoint(address="localhost", port=listener.port, scheme="http", transport="kerberos", operation=2.0)
        with Connection(where, time.monotonic() + 10) as connection:
            for _ in range(good):
                assert connection.send(b"<question/>") == IDENTIFIED
            if good == len(order):
                return
            with pytest.raises(LinkError, match="came a second time, for another request") as caught:
                connection.send(b"<question/>")
    assert caught.value.why is Why.BROKEN


@pytest.mark.usefixtures("ticket")
def test_an_answer_that_somebody_changed_is_no_refused_login(service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_KTNAME", str(service))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")

    with listening(sealing(0, spoil=True)) as listener:
        where = Endpoint(address="localhost", port=listener.port, scheme="http", transport="kerberos", operation=2.0)
        with Connection(where, time.monotonic() + 10) as connection, pytest.raises(LinkError) as caught:
            connection.send(b"<question/>")
    assert (caught.value.why, "a sealed answer is damaged" in str(caught.value)) == (Why.BROKEN, True)
