"""Where a login seals every message, nothing that comes in clear is believed, and no answer counts for two requests."""

from __future__ import annotations

import base64
import re
import socket
import struct
import time
from pathlib import Path

import pytest
import requests
import spnego

from compliance.errors import LinkError, LostError, Why
from compliance.wsman.arriving import Fields
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import enumerate_instances, hold
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.fault import Fault
from compliance.wsman.gauge import HttpAnswer
from compliance.wsman.sealing import Sealing
from tests.wsman.acceptor import USERS, connected, identifies, ntlm
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, listening, over_tls, read_request
from tests.wsman.samples import fault, first, machine, wmi_error, wsman_fault
from tests.wsman.test_connection import endpoint

SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
SEALED = 'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"'
NO_NAMESPACE = fault("n:CannotProcessFilter", wmi_error(0x8004100E, 3), relates_to=None)
NO_CLASS = fault("a:DestinationUnreachable", wsman_fault("2150858752"), relates_to=None)
NOT_PERMITTED = fault("w:AccessDenied", wsman_fault("5"), relates_to=None)
ENVELOPES = {
    "no namespace": NO_NAMESPACE,
    "no class": NO_CLASS,
    "not permitted": NOT_PERMITTED,
    "UTF-16": NO_CLASS.decode().encode("utf-16"),
    "Identify": IDENTIFIED,
    "rows": first(machine("a")),
}
PAGES: dict[str, tuple[bytes, Why, str]] = {
    "401": (answer(401, b"", "WWW-Authenticate: Negotiate"), Why.UNREACHABLE, "the host has forgotten our login"),
    "401 with a fault": (answer(401, NO_CLASS, SOAP), Why.UNREACHABLE, "the host has forgotten our login"),
    "403": (answer(403, b"<html/>"), Why.BROKEN, "HTTP 403: it is forbidden"),
    "page": (
        answer(200, b"<html>The envelope, please</html>"),
        Why.BROKEN,
        "HTTP 200: the answer is not WS-Management",
    ),
    "nothing": (answer(200), Why.BROKEN, "HTTP 200: the answer is not WS-Management"),
    "empty 500": (answer(500), Why.BROKEN, "HTTP 500: an empty answer, which was not sealed"),
    "page of a 500": (answer(500, b"<html/>"), Why.BROKEN, "HTTP 500: no WS-Management answer"),
    "gateway": (answer(502, b"<html/>"), Why.UNREACHABLE, "a gateway"),
    "stopped": (answer(503, b"<html/>"), Why.BUSY, "stopped, starting or overloaded"),
    "forgotten": (answer(400), Why.BROKEN, "does not know our sealed session any more"),
}


@pytest.fixture(autouse=True)
def _users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.secret").write_text(USERS)
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users.secret"))


def failure(clear: bytes, number: int) -> LinkError:
    """What an enumeration ends with whose answer ``number`` comes as ``clear`` says."""
    with connected(ntlm(identifies, clear={number: clear})) as (connection, _):
        for _ in range(number):
            assert connection.send(b"<question/>") == IDENTIFIED
        with pytest.raises(LinkError) as caught:
            hold(enumerate_instances("http://x/y"), connection.send)
    assert not isinstance(caught.value, Fault)
    return caught.value


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("status", [200, 400, 403, 500, 503])
@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES.keys())
@pytest.mark.parametrize(
    "kind", [SOAP, "X-None: x", "Content-Type: multipart/encrypted", 'Content-Type: x;protocol="x"']
)
def test_an_envelope_in_clear_is_believed_in_nothing(number: int, status: int, envelope: bytes, kind: str) -> None:
    error = failure(answer(status, envelope, kind), number)
    assert error.why is Why.BROKEN
    told = f"answered in clear (HTTP {status}), though ntlm seals every message of this login: it was not believed"
    assert told in str(error)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize(("reply", "why", "text"), PAGES.values(), ids=PAGES.keys())
def test_a_page_in_clear_is_what_it_is(number: int, reply: bytes, why: Why, text: str) -> None:
    error = failure(reply, number)
    assert (error.why, text in str(error)) == (why, True), str(error)
    may_be_built_anew = why in (Why.UNREACHABLE, Why.BUSY) or reply == answer(400)
    assert isinstance(error, LostError) is (may_be_built_anew and number > 0)


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES.keys())
def test_called_sealed_it_is_damaged(envelope: bytes) -> None:
    assert "a sealed answer is damaged" in str(failure(answer(500, envelope, SEALED), 1))


@pytest.mark.parametrize("status", [200, 500])
def test_nor_is_one_in_place_of_the_login(status: int) -> None:
    def play(plug: socket.socket) -> None:
        while True:
            read_request(plug)
            plug.sendall(answer(status, NO_CLASS, SOAP))

    with connected(play) as (connection, _), pytest.raises(LinkError) as caught:
        hold(enumerate_instances("http://x/y"), connection.send)
    assert not isinstance(caught.value, Fault)
    assert caught.value.why is Why.BROKEN


@pytest.mark.parametrize("transport", ["kerberos", "credssp"])
@pytest.mark.parametrize("kind", ["", "application/soap+xml", "multipart/encrypted", "multipart/x-multi-encrypted"])
def test_whatever_seals_believes_nothing_in_clear(transport: str, kind: str) -> None:
    """CredSSP names a protocol of its own, and one answer may be called by another's name. NTLM's are above."""
    others = [name for name in ("HTTP-SPNEGO-session-encrypted", "HTTP-CredSSP-session-encrypted") if kind]
    sealing = Sealing(requests.Session(), Endpoint(address="hv01", scheme="http", transport=transport))
    own = sealing.protocol_string.decode()
    kinds = [kind, *(f'{kind};protocol="application/{other}"' for other in others if not own.endswith(other))]
    for called in kinds:
        fields = Fields([("Content-Type", called)] if called else [])
        with pytest.raises(LinkError, match=f"though {transport} seals every message of this login"):
            sealing.parse_encrypted_response(HttpAnswer(500, fields, NO_CLASS, "http://hv01:5985/wsman"))


# --- one answer for one request ---


@pytest.mark.parametrize("after", [answer(500, NO_CLASS, SOAP), answer(200, IDENTIFIED), b"x"])
def test_a_second_answer_is_refused_together_with_the_first(after: bytes) -> None:
    with (
        connected(ntlm(identifies, after=after)) as (connection, _),
        pytest.raises(LinkError, match="more than one answer came for one request") as caught,
    ):
        connection.send(b"<question/>")
    assert caught.value.why is Why.BROKEN


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_over_tls_a_second_answer_is_never_read_as_the_next(tmp_path: Path, pause: float) -> None:
    """A fault may lack RelatesTo: nothing but the order of answers ties it to its request."""

    def play(plug: socket.socket) -> None:
        for _ in range(2):
            read_request(plug)
            plug.sendall(answer(200, IDENTIFIED))
        read_request(plug)
        if pause:
            plug.sendall(answer(200, IDENTIFIED))
            time.sleep(pause)
            plug.sendall(answer(500, NO_CLASS))
        else:
            plug.sendall(answer(200, IDENTIFIED) + answer(500, NO_CLASS))
        while True:
            read_request(plug)
            plug.sendall(answer(200, IDENTIFIED))

    authority = Authority(tmp_path)
    with (
        listening(over_tls(authority.server("127.0.0.1"), play)) as listener,
        Connection(endpoint(listener.port), time.monotonic() + 60) as connection,
    ):
        assert [connection.send(b"<question/>") for _ in range(2)] == [IDENTIFIED] * 2
        if pause:
            assert connection.send(b"<question/>") == IDENTIFIED
            time.sleep(0.2)
            assert connection.send(b"<question/>") == IDENTIFIED
            assert listener.connections == 2
        else:
            with pytest.raises(LinkError, match="more than one answer came for one request"):
                connection.send(b"<question/>")


# --- what a login must give ---

SIGN, SEAL, EXTENDED, LONG_KEYS = 0x10, 0x20, 0x80000, 0x20000000


def weakened(without: int) -> Script:
    """A challenge out of which somebody struck some flags; and nobody looks at what is said to it."""

    def play(plug: socket.socket) -> None:
        token = None
        while token is None:
            head, _ = read_request(plug)
            token = re.search(rb"Authorization: Negotiate (\S+)", head)
            if token is None:
                plug.sendall(answer(401, b"", "WWW-Authenticate: Negotiate"))
        context = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
        challenge = bytearray(context.step(base64.b64decode(token[1])) or b"")
        (flags,) = struct.unpack_from("<I", challenge, 20)  # MS-NLMP 2.2.1.2
        struct.pack_into("<I", challenge, 20, flags & ~without)
        plug.sendall(answer(401, b"", f"WWW-Authenticate: Negotiate {base64.b64encode(challenge).decode()}"))
        read_request(plug)
        plug.sendall(answer(200))
        _, body = read_request(plug)
        pytest.fail(f"a message was sent: {body!r}")

    return play


@pytest.mark.parametrize("without", [SIGN, SEAL, EXTENDED, LONG_KEYS, SIGN | SEAL, SIGN | EXTENDED | LONG_KEYS])
def test_a_session_that_somebody_weakened_carries_nothing(without: int) -> None:
    with (
        connected(weakened(without)) as (connection, _),
        pytest.raises(LinkError, match="no session that signs and seals by keys of 128 bits") as caught,
    ):
        connection.send(b"<question/>")
    assert caught.value.why is Why.BROKEN
    assert connection.messages == 0
