"""Kerberos against a real KDC: servers are read, sealed over http and over https, and what fails says so."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import spnego
from spnego.channel_bindings import GssChannelBindings

from compliance.audit import judge_snapshot
from compliance.credentials.find import Credential
from compliance.errors import LinkError, Why
from compliance.gather.gather import gather
from compliance.inventory.entries import Entry, Limits
from compliance.judge.scope import Scope
from compliance.snapshot.snapshot import Snapshot
from compliance.wsman.connection import Connection
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.tickets import Ticket
from tests.builders import inventory
from tests.gather.test_gather import CREDENTIALS, played, read, reading, unread
from tests.host_rows import host_rows
from tests.hosts import Host, Vm
from tests.kerberos.realm import NAME, PASSWORD, Realm, silent_kdc
from tests.simulator import Simulator
from tests.wire_rows import wire
from tests.wsman.authority import Authority
from tests.wsman.listener import IDENTIFIED, Script, answer, listening, over_tls, read_request, says

SMALL = Host(name="HV01", vms=[Vm(name="sql01")])
LARGE = Host(name="HV01", vms=[Vm(name=f"sql{number:02}") for number in range(60)])


@contextmanager
def host(service: Path, scheme: str = "http", *, plays: Host = LARGE) -> Iterator[Simulator]:
    with Simulator(played(plays), auth="kerberos", keytab=service, scheme=scheme) as simulator:  # type: ignore[arg-type]
        yield simulator


def entry(simulator: Simulator, name: str = "hv01", **changes: object) -> Entry:
    values: dict[str, object] = {
        "name": name,
        "address": "localhost",
        "port": simulator.port,
        "scheme": simulator.scheme,
        "transport": "kerberos",
        "ca": simulator.ca if simulator.scheme == "https" else None,
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def reason(snapshot: Snapshot, name: str = "hv01") -> tuple[Why, str]:
    found = unread(snapshot, name)
    assert "\n" not in found.reason
    return found.why, found.reason


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_read_is_what_is_played(service: Path, scheme: str) -> None:
    with host(service, scheme) as simulator:
        found = reading(read([entry(simulator)], {}))
    assert {name: len(rows) for name, rows in found.classes.items()} == {
        name: len(rows) for name, rows in wire(host_rows(LARGE)).items()
    }
    assert simulator.principals_seen == [f"reader@{NAME}"]
    assert max(message.bytes_out for message in simulator.log) > 20_000
    assert simulator.authorization_seen == ["Negotiate"]  # once, and by the first request


@pytest.mark.usefixtures("ticket")
def test_over_http_every_message_is_sealed(service: Path) -> None:
    with host(service) as simulator:
        read([entry(simulator)], {})
        where = Endpoint(address="localhost", port=simulator.port, scheme="http", transport="kerberos", cleartext=True)
        with Connection(where, time.monotonic() + 5) as connection, pytest.raises(LinkError, match="HTTP 500"):
            connection.send(b"<s:Envelope/>")  # the simulator takes no other, so the reading before was


# --- before anything is sent ---


def test_no_ticket(service: Path) -> None:
    with host(service) as simulator:
        why, text = reason(read([entry(simulator)], {}))
        assert simulator.requests_seen == []
    assert why is Why.LOGIN_REFUSED
    assert "no Kerberos ticket for this host: No Kerberos credentials available" in text
    assert text.endswith("get a ticket with kinit, or name a `keytab:`")


@pytest.mark.usefixtures("ticket")
def test_a_principal_without_a_ticket(service: Path) -> None:
    with host(service) as simulator:
        why, text = reason(read([entry(simulator, principal=f"nobody@{NAME}")], {}))
        good = reading(read([entry(simulator, principal=f"reader@{NAME}")], {}))
    assert why is Why.LOGIN_REFUSED
    assert f"Can't find client principal nobody@{NAME} in cache collection; get a ticket with kinit" in text
    assert good.version
    assert simulator.principals_seen == [f"reader@{NAME}"]


def test_a_principal_among_several_tickets(
    realm: Realm, service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is found in the collection, whichever is the default one, and named in the reading."""
    (tmp_path / "collection").mkdir()
    monkeypatch.setenv("KRB5CCNAME", f"DIR:{tmp_path / 'collection'}")
    realm.account("other", PASSWORD)
    for name in ("reader", "other"):
        realm.kinit(name, PASSWORD, tmp_path / "collection" / f"tkt{name}")
    with host(service, plays=SMALL) as simulator:
        entries = [
            entry(simulator, "hv01", principal=f"reader@{NAME}"),
            entry(simulator, "hv02", principal="other"),
            entry(simulator, "hv03", principal="nobody"),
        ]
        snapshot = read(entries, {})
    notes = [reading(snapshot, name).notes[-1] for name in ("hv01", "hv02")]
    assert notes == [f"was read as reader@{NAME}", f"was read as other@{NAME}"]
    assert reason(snapshot, "hv03")[0] is Why.LOGIN_REFUSED
    assert set(simulator.principals_seen) == {f"reader@{NAME}", f"other@{NAME}"}


@pytest.mark.usefixtures("ticket")
def test_who_logged_in_is_in_the_reports_and_no_remark_that_asks_for_attention(service: Path) -> None:
    with host(service, plays=SMALL) as simulator:
        table = judge_snapshot(read([entry(simulator)], {}), Scope())
    named = f"was read as reader@{NAME}"
    assert named in table.estate.servers[0].remarks
    assert named not in {remark for _, remark in table.remarks()}


@pytest.mark.usefixtures("ticket")
def test_an_offer_that_would_take_days_to_read_is_refused() -> None:
    """pywinrm's expression for its token doubles its time for each comma, and holds the interpreter's lock."""
    offer = answer(401, b"", f"WWW-Authenticate: {',' * 64}")
    with listening(says(offer, offer)) as listener:
        where = Endpoint(address="localhost", port=listener.port, scheme="http", transport="kerberos", operation=2.0)
        with Connection(where, time.monotonic() + 5) as connection, pytest.raises(LinkError, match="absurd form"):
            connection.send(b"<question/>")


@pytest.mark.usefixtures("ticket")
def test_an_address_beside_the_name_that_the_realm_knows(service: Path) -> None:
    with host(service) as simulator:
        found = read([entry(simulator, address="127.0.0.1", kerberos_host="localhost")], {})
    assert reading(found).version
    assert simulator.principals_seen == [f"reader@{NAME}"]


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("address", ["127.0.0.1", "hv99.lab.example"])
def test_a_host_that_the_realm_does_not_know_by_this_name(service: Path, address: str) -> None:
    with host(service) as simulator:
        why, text = reason(read([entry(simulator, address=address)], {}))
        assert simulator.requests_seen == []
    assert why is Why.LOGIN_REFUSED
    assert f"Server HTTP/{address}@{NAME} not found in Kerberos database; set `address:` to the name" in text


def test_a_ticket_that_has_expired(realm: Realm, service: Path, tmp_path: Path) -> None:
    realm.kinit("reader", PASSWORD, tmp_path / "tickets", lifetime="1s")
    time.sleep(3.1)
    with host(service) as simulator:
        why, text = reason(read([entry(simulator)], {}))
        assert simulator.requests_seen == []
    assert why is Why.LOGIN_REFUSED
    assert text.endswith("Ticket expired; get a ticket with kinit, or name a `keytab:`")


@pytest.mark.usefixtures("ticket")
def test_no_kdc(realm: Realm, service: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(realm.config_for("nowhere.conf", 1)))
    with host(service) as simulator:
        why, text = reason(read([entry(simulator)], {}))
    assert why is Why.UNREACHABLE
    assert f"Cannot contact any KDC for realm '{NAME}'; check krb5.conf" in text


@pytest.mark.usefixtures("ticket")
def test_a_kdc_that_says_nothing_holds_up_nobody_else(
    realm: Realm, service: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keytab = Ticket(realm.keytab("patient"))
    credentials = {"keys": Credential(username=keytab.principal, password="", cache=keytab.cache), **CREDENTIALS}
    finished: dict[str | None, float] = {}
    with silent_kdc() as port, host(service) as simulator, Simulator(played(LARGE)) as other:
        monkeypatch.setenv("KRB5_CONFIG", str(realm.config_for("silent.conf", port)))
        entries = [
            entry(simulator),
            entry(simulator, "hv02", credential="keys"),
            entry(other, "hv03", address="127.0.0.1", transport="ntlm", credential="audit"),
        ]
        started = time.monotonic()
        snapshot = gather(
            inventory(entries, limits=Limits(connect=8, operation=8, server=8)),
            credentials,
            tool="test",
            tell=lambda progress: finished.setdefault(progress.finished, time.monotonic() - started) and None,
        )
        took = time.monotonic() - started
        waiting = [thread for thread in threading.enumerate() if thread.name in ("read hv01", "read hv02")]
    for thread in waiting:  # given up, but not ended: they must not go on into other tests
        thread.join(30)
    assert reading(snapshot, "hv03").version
    assert finished["hv03"] < finished["hv01"]
    assert took < 25  # libkrb5 waits for 27 s
    assert len(waiting) == 2
    for name in ("hv01", "hv02"):
        assert reason(snapshot, name) == (Why.TIMED_OUT, "not done 13 seconds after its start, and given up")


# --- refused by the host ---


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_host_that_has_another_key(realm: Realm, service: Path, scheme: str) -> None:
    other = realm.keytab("HTTP/other.lab.example")
    with host(other, scheme) as simulator:
        why, text = reason(read([entry(simulator)], {}))
    assert why is Why.LOGIN_REFUSED
    way = "sealed over http" if scheme == "http" else "over https"
    assert f"tried kerberos as the ticket's user, {way}; the listener offers Negotiate, Kerberos; likely: the" in text
    assert ("channel binding" in text) is (scheme == "https")
    assert simulator.principals_seen == []
    # By pywinrm, which takes a 401 for a challenge. A ticket is refused here: no password is tried, and none counted.
    assert simulator.authorization_seen == ["Negotiate"] * 3


@pytest.mark.usefixtures("ticket")
def test_a_host_that_does_not_prove_who_it_is(tmp_path: Path) -> None:
    with listening(says(answer(200, b""), answer(200, IDENTIFIED))) as listener:
        where = Endpoint(address="localhost", port=listener.port, scheme="http", transport="kerberos", operation=2.0)
        with Connection(where, time.monotonic() + 5) as connection, pytest.raises(LinkError) as caught:
            connection.send(b"<question/>")
    assert caught.value.why is Why.LOGIN_REFUSED
    assert "did not prove by Kerberos who it is" in str(caught.value)


def test_credssp_asks_no_kdc(realm: Realm) -> None:
    """Where GSSAPI's library is installed, it would: and a wrong password would count at the KDC and at the host."""
    name = f"reader@{NAME}"
    with Simulator(played(LARGE), auth="credssp", scheme="http", users={name: PASSWORD}) as simulator:
        wrong = {"audit": Credential(username=name, password="wrong")}
        server = entry(simulator, transport="credssp", credential="audit")
        assert reason(read([server], wrong))[0] is Why.LOGIN_REFUSED
        tried = len(simulator.authorization_seen)
        assert reading(read([server], {"audit": Credential(username=name, password=PASSWORD)})).version
    assert (realm.failed_logins("reader"), tried) == (0, 4)


# --- the binding to the certificate ---

UNBOUND, BOUND, WRONG = "unbound", "bound", "wrong"


def over_https(service: Path, context: ssl.SSLContext, certificate: Path, tokens: list[str]) -> Script:
    """A WinRM with CbtHardeningLevel Strict: a token without the binding to ``certificate`` is refused."""
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate.read_text())).digest()
    bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)

    def play(plug: socket.socket) -> None:
        while True:
            head, _ = read_request(plug)
            token = re.search(rb"Authorization: Negotiate (\S+)", head)
            acceptor = spnego.server(protocol="kerberos", channel_bindings=bindings)
            try:
                reply = acceptor.step(base64.b64decode(token[1])) if token else None
                bound = bool(acceptor._context.actual_flags & 0x800)  # type: ignore[attr-defined]  # CHANNEL_BOUND
                tokens.append(BOUND if bound else UNBOUND)
            except (spnego.exceptions.SpnegoError, AttributeError):  # the latter is pyspnego 0.12 itself
                tokens.append(WRONG)
            if tokens[-1] == BOUND:
                proof = base64.b64encode(reply or b"").decode()
                plug.sendall(answer(200, IDENTIFIED, f"WWW-Authenticate: Negotiate {proof}"))
                return
            plug.sendall(answer(401, b"", "WWW-Authenticate: Negotiate"))

    return over_tls(context, play)


@pytest.mark.usefixtures("ticket")
@pytest.mark.parametrize("certified", ["own", "other"])
def test_over_https_the_second_token_is_bound_to_the_certificate(
    service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, certified: str
) -> None:
    """pywinrm sends its first token before it has seen a certificate, so that one carries no binding. A host with
    CbtHardeningLevel Strict refuses it, and the token for the 401 carries one."""
    monkeypatch.setenv("KRB5_KTNAME", str(service))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")
    authority = Authority(tmp_path)
    context = authority.server("127.0.0.1")
    if certified == "other":
        authority.server("127.0.0.1")
    tokens: list[str] = []
    with listening(over_https(service, context, authority.last, tokens)) as listener:
        where = Endpoint(
            address="localhost", port=listener.port, transport="kerberos", ca=authority.file, operation=2.0
        )
        with Connection(where, time.monotonic() + 10) as connection:
            if certified == "own":
                assert connection.send(b"<question/>") == IDENTIFIED
            else:
                with pytest.raises(LinkError) as caught:
                    connection.send(b"<question/>")
                assert str(caught.value).endswith("or a certificate that is not the host's own (channel binding)")
    assert tokens == ([UNBOUND, BOUND] if certified == "own" else [UNBOUND, WRONG, WRONG])
