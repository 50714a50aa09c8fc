"""NTLM over http with sealed messages, against pyspnego's acceptor: the way most hosts are read."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import re
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from compliance.errors import LinkError, ReadError, Why
from compliance.secret import Secret
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import enumerate_instances, hold
from compliance.wsman.endpoint import Endpoint
from tests.running import ROOT
from tests.wsman.acceptor import PASSWORD, USERS, connected, identifies, ntlm
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, listening, over_tls, read_request, says
from tests.wsman.samples import fault, first, machine, pulled, wsman_fault


@pytest.fixture(autouse=True)
def _users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users.secret").write_text(USERS)
    monkeypatch.setenv("NTLM_USER_FILE", str(tmp_path / "users.secret"))


def test_an_enumeration_over_a_sealed_session() -> None:
    pages = iter([(first, "a", "1"), (pulled, "b", "")])

    def reply(message_id: str) -> tuple[int, bytes]:
        page, name, context = next(pages)
        return 200, page(machine(name), context=context, relates_to=message_id)

    with connected(ntlm(reply)) as (connection, listener):
        listing = hold(enumerate_instances("http://x/y"), connection.send)
        assert [row["Name"] for row in listing.instances] == ["a", "b"]
        assert (connection.messages, listener.connections) == (2, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_sealed_fault_is_a_fault(encoding: str) -> None:
    refusal = fault("w:AccessDenied", wsman_fault("5"), relates_to=None).decode().encode(encoding)
    with connected(ntlm(lambda _id: (500, refusal))) as (connection, _), pytest.raises(ReadError) as caught:
        hold(enumerate_instances("http://x/y"), connection.send)
    assert caught.value.why is Why.NOT_PERMITTED


def test_a_wrong_password() -> None:
    with connected(ntlm(identifies), password="wrong") as (connection, _), pytest.raises(LinkError) as caught:
        connection.send(b"<question/>")
    assert caught.value.why is Why.LOGIN_REFUSED
    tried = "tried ntlm as LAB\\reader, sealed over http; the listener offers Negotiate; likely: a wrong password"
    assert tried in str(caught.value)
    assert "channel binding" not in str(caught.value)
    assert connection.offered == ("Negotiate",)


def test_a_lost_session_is_told_and_not_used_again() -> None:
    with connected(ntlm(identifies, messages=1)) as (connection, _):
        connection.send(b"<question/>")
        for _ in range(2):
            with pytest.raises(LinkError):
                connection.send(b"<question/>")


def test_an_idle_session_logs_in_again_before_it_is_lost() -> None:
    with connected(ntlm(identifies, messages=1), idle=0.0) as (connection, listener):
        for _ in range(3):
            assert connection.send(b"<question/>") == IDENTIFIED
        assert listener.connections == 3


def test_a_damaged_seal_is_noticed() -> None:
    spoiled = ntlm(identifies, spoil=True)
    with connected(spoiled) as (connection, _), pytest.raises(LinkError, match="damaged") as caught:
        connection.send(b"<question/>")
    assert caught.value.why is Why.BROKEN


@pytest.mark.parametrize(
    "reply",
    [
        answer(200),
        answer(200, b"", "WWW-Authenticate: Negotiate !!!"),
        answer(401, b"", "WWW-Authenticate: Negotiate"),
        answer(401, b"", "WWW-Authenticate: Negotiate AAAA"),
        answer(407, b"", "Proxy-Authenticate: NTLM"),
        answer(500),
    ],
)
def test_a_login_that_makes_no_sense_is_ours(reply: bytes) -> None:
    with connected(says(reply, reply, reply)) as (connection, _), pytest.raises(LinkError):
        connection.send(b"<question/>")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"--Encrypted Boundary\r\nLength=x\r\n--Encrypted Boundary\r\n",
        b"--Encrypted Boundary\r\n" * 3,
    ],
)
def test_a_seal_that_is_none_is_ours(content: bytes) -> None:
    with connected(ntlm(identifies, instead=content)) as (connection, _), pytest.raises(LinkError):
        connection.send(b"<question/>")


WITHOUT_LIBRARIES = """
import sys, time
sys.modules.update(gssapi=None, krb5=None, kerberos=None, winkerberos=None, requests_credssp=None)
from compliance.errors import LinkError
from compliance.secret import Secret
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint
where = Endpoint(address="127.0.0.1", port=1, transport=sys.argv[1], username="reader", password=Secret("secret"))
try:
    Connection(where, time.monotonic() + 60).send(b"<question/>")
except LinkError as error:
    print(error.why.name, error)
"""


@pytest.mark.parametrize("transport", ["kerberos", "credssp"])
def test_a_login_without_its_library_says_what_to_install(transport: str) -> None:
    """In a process of its own, which has none even where they are installed."""
    command = [sys.executable, "-c", WITHOUT_LIBRARIES, transport]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT).stdout
    assert said.startswith("LOGIN_IMPOSSIBLE ")
    assert f"hyperv-compliance[{transport}]" in said


def test_connections_of_many_threads_keep_apart() -> None:
    def work(_number: int) -> list[bytes]:
        with connected(ntlm(identifies)) as (connection, _):
            return [connection.send(b"<question/>") for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(8))) == [[IDENTIFIED] * 5] * 8


@pytest.mark.parametrize("bound_to", ["own", "other"])
def test_over_tls_the_login_is_bound_to_the_certificate(tmp_path: Path, bound_to: str) -> None:
    """requests_ntlm takes the certificate from the socket of an unread 401: an adapter that reads it breaks this."""
    authority = Authority(tmp_path)
    context = authority.server("127.0.0.1")
    certificate = ssl.PEM_cert_to_DER_cert(authority.last.read_text())
    digest = hashlib.sha256(certificate if bound_to == "own" else b"another").digest()
    bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)
    with listening(over_tls(context, ntlm_unsealed(bindings))) as listener:
        where = Endpoint(
            address="127.0.0.1",
            port=listener.port,
            username="LAB\\reader",
            password=Secret(PASSWORD),
            ca=authority.file,
            operation=2.0,
        )
        with Connection(where, time.monotonic() + 10) as connection:
            if bound_to == "own":
                assert [connection.send(b"<question/>") for _ in range(2)] == [IDENTIFIED] * 2
                assert listener.connections == 1
            else:
                with pytest.raises(LinkError) as caught:
                    connection.send(b"<question/>")
                assert caught.value.why is Why.LOGIN_REFUSED
                assert ", over https; the listener offers Negotiate; likely: a wrong password" in str(caught.value)
                assert str(caught.value).endswith("or a certificate that is not the host's own (channel binding)")


def ntlm_unsealed(bindings: GssChannelBindings) -> Script:
    """Over TLS messages aren't sealed, and travel with each leg of the login."""

    def play(plug: socket.socket) -> None:
        context = spnego.server(protocol="ntlm", channel_bindings=bindings, options=spnego.NegotiateOptions.use_ntlm)
        while True:
            head, _ = read_request(plug)
            token = re.search(rb"Authorization: Negotiate (\S+)", head)
            if context.complete:
                plug.sendall(answer(200, IDENTIFIED))
            elif not token:
                plug.sendall(answer(401, b"", "WWW-Authenticate: Negotiate"))
            else:
                try:
                    reply = base64.b64encode(context.step(base64.b64decode(token[1])) or b"").decode()
                except spnego.exceptions.SpnegoError:
                    reply = ""
                status, body = (200, IDENTIFIED) if context.complete else (401, b"")
                plug.sendall(answer(status, body, f"WWW-Authenticate: Negotiate {reply}"))

    return play


def test_no_token_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    """pyspnego logs them at level DEBUG, and pytest shows what is logged while it collects."""
    caplog.set_level(logging.DEBUG)
    for password in (PASSWORD, "wrong"):
        with connected(ntlm(identifies), password=password) as (connection, _), contextlib.suppress(LinkError):
            connection.send(b"<question/>")
    assert [record.name for record in caplog.records if not record.name.startswith("urllib3")] == []
    logging.getLogger("spnego").debug("ours again")
    assert caplog.records[-1].getMessage() == "ours again"
