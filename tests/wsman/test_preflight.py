"""What can't be logged in to from here is said before anything is sent, and is no refusal of the server's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from compliance.errors import LinkError, Why
from compliance.secret import Secret
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.preflight import refuse_login
from tests.canary import CANARY
from tests.wsman.listener import IDENTIFIED, answer, listening, says

LATIN = f"{CANARY}ä"
POLISH = f"{CANARY}Ż"


def endpoint(**changes: object) -> Endpoint:
    known: dict[str, object] = {
        "address": "hv01",
        "transport": "basic",
        "username": "reader",
        "password": Secret(LATIN),
    }
    return Endpoint(**{**known, **changes})  # type: ignore[arg-type]


def no_md5(_octets: bytes) -> None:
    """As OpenSSL in FIPS mode answers."""
    raise ValueError("[digital envelope routines] unsupported")


IMPOSSIBLE: list[tuple[Endpoint, str]] = [
    (endpoint(scheme="http"), "Basic over http would send the password in clear"),
    (endpoint(scheme="http", transport="certificate"), "a certificate logs in over https only"),
    (endpoint(password=Secret(POLISH)), "Basic carries Latin-1 only, and the user or the password has another letter"),
    (endpoint(username="czytelnikŻ"), "Basic carries Latin-1 only"),
    (endpoint(username="\U0001f642"), "Basic carries Latin-1 only"),
    (endpoint(transport="ntlm"), "this machine allows no MD5 (FIPS mode), which ntlm is made of"),
    (endpoint(transport="ntlm", scheme="http"), "set `transport: kerberos`"),
    (endpoint(transport="credssp"), "FIPS"),
    (endpoint(username="reader:of"), "Basic has no way to write a colon in a user's name"),
    *(
        (endpoint(transport=transport, **{key: kind(f"{CANARY}\udcfc")}), "no text in this machine's encoding")
        for transport in ("basic", "ntlm", "credssp", "kerberos")
        for key, kind in (("username", str), ("password", Secret))
    ),
]


@pytest.mark.parametrize(("where", "reason"), IMPOSSIBLE)
def test_what_can_t_be_logged_in_to(where: Endpoint, reason: str) -> None:
    with pytest.raises(LinkError) as caught:
        refuse_login(where, md5=no_md5)
    assert (caught.value.why, reason in str(caught.value)) == (Why.LOGIN_IMPOSSIBLE, True), str(caught.value)
    assert str(caught.value).startswith("hv01:5986: ")
    assert CANARY not in str(caught.value).replace(where.username, "")


POSSIBLE = [
    endpoint(),
    endpoint(scheme="http", cleartext=True),
    endpoint(transport="kerberos", password=Secret(POLISH)),
    endpoint(transport="certificate"),
]


@pytest.mark.parametrize("where", POSSIBLE)
def test_what_needs_no_md5_is_tried_without(where: Endpoint) -> None:
    refuse_login(where, md5=no_md5)


@pytest.mark.parametrize("transport", ["ntlm", "credssp"])
def test_ntlm_carries_any_letter(transport: str) -> None:
    refuse_login(endpoint(transport=transport, username="DR\\czytelnikŻ", password=Secret(POLISH)))


NTLM_WAYS = [("ntlm", "http"), ("ntlm", "https"), ("credssp", "http"), ("credssp", "https")]


@pytest.mark.parametrize("level", ["0", "1", "2", "6", "-1", "", "x\n"])
@pytest.mark.parametrize(("transport", "scheme"), NTLM_WAYS)
def test_ntlm_never_gives_the_answer_of_its_old_version(transport: str, scheme: str, level: str) -> None:
    with pytest.raises(LinkError, match="LM_COMPAT_LEVEL") as caught:
        refuse_login(endpoint(transport=transport, scheme=scheme), environ={"LM_COMPAT_LEVEL": level})
    assert (caught.value.why, "\n" in str(caught.value)) == (Why.LOGIN_IMPOSSIBLE, False)
    assert "nothing was sent: remove the variable" in str(caught.value)


@pytest.mark.parametrize("level", ["3", "4", "5"])
@pytest.mark.parametrize(("transport", "scheme"), NTLM_WAYS)
def test_a_level_of_its_new_version_is_let_be(transport: str, scheme: str, level: str) -> None:
    refuse_login(endpoint(transport=transport, scheme=scheme), environ={"LM_COMPAT_LEVEL": level})


@pytest.mark.parametrize("transport", ["basic", "kerberos", "certificate"])
def test_other_logins_have_no_such_level(transport: str) -> None:
    refuse_login(endpoint(transport=transport), environ={"LM_COMPAT_LEVEL": "0"})


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(LinkError, match="`ca:` names"):
        refuse_login(endpoint(ca=tmp_path / "none.pem"))


def test_an_old_ntlm_of_this_machine_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LM_COMPAT_LEVEL", "2")
    with listening(says(answer(401, b"", "WWW-Authenticate: Negotiate"))) as listener:
        where = endpoint(address="127.0.0.1", port=listener.port, scheme="http", transport="ntlm")
        with Connection(where, time.monotonic() + 60) as connection, pytest.raises(LinkError, match="LM_COMPAT_LEVEL"):
            connection.send(b"<question/>")
        assert listener.connections == 0


def test_nothing_is_sent() -> None:
    with listening(says(answer(200, IDENTIFIED))) as listener:
        where = endpoint(
            address="127.0.0.1", port=listener.port, scheme="http", password=Secret(POLISH), cleartext=True
        )
        with Connection(where, time.monotonic() + 5) as connection, pytest.raises(LinkError, match="Latin-1"):
            connection.send(b"<question/>")
        assert listener.connections == 0
