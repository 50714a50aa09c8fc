"""The walk against servers with every illness: what it finds, what it advises, and what it does not send."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from compliance.hyperv.queries import OF_REPLICATION, QUERIES
from tests.commands.doctor.ward import (
    HOST,
    NAMED,
    OLD_HOST,
    PASSWORD,
    WAYS,
    WRONG,
    doctor,
    host_rows,
    logins,
    played,
    server,
    to,
)
from tests.lab import closed_port
from tests.simulator import Fault
from tests.wire_rows import wire
from tests.wsman.authority import Authority
from tests.wsman.listener import answer, listening, loopback, over_tls, says

WRONG_PASSWORD = {"COMPLIANCE_DOCTOR_PASSWORD": WRONG}
BEFORE_LOGIN = ["name", "port", "tls", "listener"]
AFTER_LOGIN = ["identify", "namespace", "classes", "rights", "clock", "assumptions", "audit"]


# --- what works -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_good_server(way: dict[str, Any], authority: Authority) -> None:
    with server(authority, **way) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses) == (0, {"ok": [*BEFORE_LOGIN, "login", *AFTER_LOGIN]}), told.out
    assert told.server["works"]
    rows = {one["class"]: one["rows"] for one in told.server["classes"]}
    expected = {name: len(rows) for name, rows in wire(host_rows(HOST)).items()}
    again = {"Msvm_KvpExchangeComponent": 1}  # the one that shows no contact
    assert rows == {**expected, **again, "Win32_OperatingSystem": 1}
    assert told.step("rights")["facts"] == {"denied": [], "own_row": True, "host": "HV01", "machines": 2, "settings": 3}
    assert told.step("identify")["facts"] == {
        "vendor": "Microsoft Corporation",
        "version": "10.0.20348",
        "stack": "3.0",
    }


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_what_protects_the_login(way: dict[str, Any], authority: Authority) -> None:
    with server(authority, **way) as simulator:
        facts = doctor(*to(simulator, authority, "--json")).step("login")["facts"]
    https, ntlm = way["scheme"] == "https", way["auth"] == "ntlm"
    assert (facts["tls"], facts["sealed"], facts["channel_binding"]) == (https, not https, https and ntlm)


def test_one_reading_serves_all(authority: Authority) -> None:
    """Identify once, the clock once, each class once and the list twice; the rest was sent without a login."""
    with server(authority) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    actions = [message.action for message in simulator.log]
    assert (actions.count("Identify"), logins(simulator)) == (1, 1)
    assert len(actions) == told.server["messages"] <= 2 + 2 * (len(QUERIES) + len(OF_REPLICATION) + 2)
    assert sum(one["messages"] for one in told.server["classes"]) == len(actions) - 1
    spent = sum(one["octets"] for one in told.server["classes"])
    assert spent == sum(message.bytes_in + message.bytes_out for message in simulator.log[1:])
    assert told.server["octets"] > spent


def test_the_certificate_is_shown(authority: Authority) -> None:
    with server(authority) as simulator:
        facts = doctor(*to(simulator, authority, "--json")).step("tls")["facts"]
    certificate = facts["certificate"]
    assert facts["protocol"].startswith("TLSv1.")
    assert (facts["verified"], facts["why_not"]) == (True, None)
    assert (certificate["subject"], certificate["issuer"]) == ("CN=127.0.0.1", "CN=test authority")
    assert (certificate["names"], certificate["days_left"]) == (["127.0.0.1", "localhost"], 364)
    assert len(certificate["sha256"]) == 64


def test_server_2012(authority: Authority) -> None:
    lacking = {"Msvm_ReplicationSettingData": frozenset({"ReplicationProvider"})}
    old = played(OLD_HOST, absent=frozenset({"Msvm_ReplicationRelationship"}), missing_properties=lacking)
    with server(authority, old) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses) == (0, {"ok": [*BEFORE_LOGIN, "login", *AFTER_LOGIN]})
    assert told.step("classes")["details"] == ["Msvm_ReplicationRelationship was not asked for: 6.2.9200 has none"]


def test_a_certificate_that_ends_soon_is_told(authority: Authority) -> None:
    with server(authority, context=authority.server("127.0.0.1", days=9)) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses["warning"]) == (0, ["tls"])
    assert any("8 days left" in detail for detail in told.step("tls")["details"])


# --- logins -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_wrong_password_is_sent_once(way: dict[str, Any], authority: Authority) -> None:
    with server(authority, **way) as simulator:
        told = doctor(*to(simulator, authority, "--json"), environ=WRONG_PASSWORD)
        assert (logins(simulator), simulator.log) == (1, [])
    assert (told.code, told.statuses) == (1, {"ok": BEFORE_LOGIN, "failed": ["login"], "not tried": AFTER_LOGIN})
    assert "wrong password" in told.step("login")["text"]
    assert "remote-management-users" in told.grants
    assert "local-account" in told.grants
    assert ("channel-binding" in told.grants) == (way["scheme"] == "https" and way["auth"] == "ntlm")
    assert told.server["inventory"] is None


def test_a_domain_account_is_no_local_one(authority: Authority) -> None:
    with server(authority) as simulator:
        address, transport, ntlm, user, _, *rest = to(simulator, authority, "--json")
        told = doctor(address, transport, ntlm, user, "DR\\audit", *rest, environ=WRONG_PASSWORD)
    assert "local-account" not in told.grants
    (command,) = next(one["commands"] for one in told.server["grants"] if one["key"] == "remote-management-users")
    assert command.startswith("Add-LocalGroupMember -SID S-1-5-32-580 -Member 'DR\\audit'")


def test_a_scheme_that_is_not_offered_is_not_tried(authority: Authority) -> None:
    with server(authority) as simulator:
        told = doctor(*to(simulator, authority, "--json", "--transport", "basic"))
        assert simulator.authorization_seen == []
    assert (told.code, told.statuses["failed"]) == (1, ["listener"])
    assert told.step("listener")["facts"]["offered"] == ["Negotiate", "Kerberos"]
    assert told.step("listener")["facts"]["vendor"] == "Microsoft Corporation"
    assert told.grants == ["basic-login"]


def test_a_ticket_that_is_not_there_is_no_matter_of_rights(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path / 'none'}")
    with server(authority) as simulator:
        told = doctor(f"127.0.0.1:{simulator.port}", "--transport", "kerberos", "--ca", authority.file, "--json")
        assert (simulator.authorization_seen, simulator.log) == ([], [])
    assert (told.code, told.statuses["failed"], told.grants) == (1, ["login"], [])


def servers_of(path: Path, authority: Authority, **ports: int) -> Path:
    """An inventory of servers that share one credential."""
    lines = [f"  - {{name: {name}, address: 127.0.0.1, port: {port}}}" for name, port in ports.items()]
    defaults = f"defaults: {{credential: audit, ca: {authority.file}}}"
    path.write_text("\n".join([defaults, "servers:", *lines, ""]), encoding="utf-8")
    return path


def test_a_refused_credential_is_not_tried_on_the_next_server(authority: Authority, inventory: Path) -> None:
    """All servers of a domain ask the same controllers, which count."""
    wrong = {**NAMED, "COMPLIANCE_AUDIT_PASSWORD": WRONG}
    with server(authority) as first, server(authority) as second:
        servers_of(inventory, authority, hv01=first.port, hv02=second.port)
        told = doctor("--inventory", inventory, "--json", environ=wrong)
        assert (logins(first), logins(second)) == (1, 0)
        assert [one["stuck_at"] for one in told.servers] == ["login", "login"]
        alone = doctor("--inventory", inventory, "--json", "--server", "hv02", environ=wrong)
        assert (logins(second), alone.server["name"]) == (1, "hv02")
    login = told.servers[1]["steps"][4]
    assert (login["status"], "may lock the account" in login["text"]) == ("not tried", True)


def test_a_credential_that_one_server_took_is_tried_on(authority: Authority, inventory: Path) -> None:
    """Then it is not the password: the account may be a local one, or lack a right on one of them."""
    other = {"users": {"audit": "another"}}
    with server(authority) as good, server(authority, **other) as bad, server(authority, **other) as third:
        servers_of(inventory, authority, hv01=good.port, hv02=bad.port, hv03=third.port)
        told = doctor("--inventory", inventory, "--json", environ=NAMED)
        assert [logins(one) for one in (good, bad, third)] == [1, 1, 1]
    assert (told.code, [one["stuck_at"] for one in told.servers]) == (1, [None, "login", "login"])


# --- certificates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "days", "ca", "told"),
    [
        ("127.0.0.1", -3, True, "expired"),
        ("127.0.0.9", 365, True, "mismatch"),
        ("127.0.0.1", 365, False, "issuer"),
    ],
    ids=["expired", "of another name", "of an unknown authority"],
)
def test_nothing_is_sent_to_a_certificate_that_is_not_trusted(
    name: str, days: int, ca: bool, told: str, authority: Authority
) -> None:
    with server(authority, context=authority.server(name, days=days)) as simulator:
        arguments = to(simulator, authority, "--json")
        found = doctor(*(arguments if ca else [one for one in arguments if one not in ("--ca", authority.file)]))
        assert (simulator.authorization_seen, simulator.log) == ([], [])
    assert found.code == 1
    assert found.statuses == {
        "ok": ["name", "port", "listener"],
        "failed": ["tls"],
        "not tried": ["login", *AFTER_LOGIN],
    }
    facts = found.step("tls")["facts"]
    assert told in facts["why_not"]
    assert facts["certificate"]["names"][0] == name
    assert (facts["certificate"]["days_left"] < 0) == (days < 0)
    assert found.step("listener")["facts"]["offered"] == ["Negotiate", "Kerberos"]


def test_all_that_is_wrong_with_a_certificate_is_told_at_once(authority: Authority) -> None:
    """OpenSSL names the first thing alone."""
    with server(authority, context=authority.server("127.0.0.9", days=-3)) as simulator:
        details = " ".join(doctor(to(simulator, authority)[0], "--json", "--user", "audit").step("tls")["details"])
    assert "expired 3 days ago" in details
    assert "it is not for 127.0.0.1" in details


def test_an_inventory_may_trust_any_certificate_and_is_told(authority: Authority) -> None:
    with server(authority, context=authority.server("127.0.0.9", days=-3)) as simulator:
        told = doctor(*to(simulator, authority, "--json", "--no-verify"))
    assert (told.code, told.statuses["warning"]) == (0, ["tls"])
    assert "`verify: false`" in told.step("tls")["details"][-1]


def test_a_file_of_no_certificates_is_told(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("this is no PEM")
    with server(authority) as simulator:
        told = doctor(*to(simulator, authority, "--json", "--ca", tmp_path / "no.pem"))
        assert simulator.authorization_seen == []
    assert "`ca:` can't be read" in told.step("tls")["facts"]["why_not"]


# --- rights -----------------------------------------------------------------------------------------------------------


def test_an_account_that_sees_nothing(authority: Authority) -> None:
    nothing = dict.fromkeys((query.class_name for query in QUERIES), Fault.EMPTY)
    with server(authority, faults=nothing) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses["failed"], told.grants) == (1, ["rights", "audit"], ["hyper-v-administrators"])
    assert told.server["inventory"]  # the way in is right all the same


@pytest.mark.parametrize(
    ("fault", "grants"),
    [
        (Fault.REFUSED, ["remote-management-users", "wmi-plug-in", "local-account"]),
        (Fault.ACCESS_CIM, ["namespace"]),
    ],
)
def test_an_account_that_is_refused(fault: Fault, grants: list[str], authority: Authority) -> None:
    with server(authority, faults={"*": fault}) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses["failed"]) == (1, ["namespace", "classes", "rights", "audit"])
    assert told.grants == grants
    assert {one["why"] for one in told.server["classes"]} == {"not permitted"}


def test_only_the_namespace_that_is_refused_is_named(authority: Authority) -> None:
    with server(authority, faults={"Win32_OperatingSystem": Fault.ACCESS_CIM}) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    (grant,) = told.server["grants"]
    assert grant["missing"] == "Enable Account and Remote Enable on root/cimv2"
    assert not any("virtualization" in command for command in grant["commands"])


def test_a_host_that_is_no_hyperv_server(authority: Authority) -> None:
    plain = played(namespaces=frozenset({"root/cimv2"}))
    with server(authority, plain) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses["failed"]) == (1, ["namespace", "classes"])
    assert "Hyper-V is not installed" in told.step("namespace")["text"]
    assert [one["class"] for one in told.server["classes"]] == ["Win32_OperatingSystem", "Msvm_ComputerSystem"]
    assert told.grants == []


def test_a_class_of_remarks_alone_is_a_warning(authority: Authority) -> None:
    with server(authority, faults={"Msvm_HeartbeatComponent": Fault.REFUSED}) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert told.step("classes")["status"] == "warning"
    with server(authority, faults={"Msvm_KvpExchangeComponent": Fault.REFUSED}) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.step("classes")["status"]) == (1, "failed")


def test_unencrypted_messages_that_the_host_does_not_take(authority: Authority, inventory: Path) -> None:
    with server(authority, scheme="http") as simulator:
        inventory.write_text(
            f"servers: [{{name: hv01, address: 127.0.0.1, port: {simulator.port}, scheme: http, transport: ntlm,"
            " cleartext: true, credential: audit}]\n"
        )
        told = doctor("--inventory", inventory, "--json", environ=NAMED)
    assert (told.statuses["failed"], told.grants) == (["login"], ["encryption"])


# --- servers that are not there, or are something else ----------------------------------------------------------------


def test_a_name_that_is_not_known() -> None:
    told = doctor("nowhere.invalid", "--user", "audit", "--json")
    assert (told.code, told.statuses["failed"]) == (1, ["name"])
    assert "nowhere.invalid is not known" in told.step("name")["text"]


def test_a_closed_port_whose_neighbour_answers(authority: Authority) -> None:
    address = loopback()
    with server(authority, scheme="http", host=address, port=5985) as simulator:
        told = doctor(address, "--user", "audit", "--json")
        basic = doctor(address, "--user", "audit", "--transport", "basic", "--json")
        assert simulator.authorization_seen == []
    assert (told.code, told.statuses["failed"]) == (1, ["port"])
    assert told.step("port")["facts"] == {"port": 5986, "open": False, "others": {"5985": True}}
    assert told.step("port")["details"] == [
        "5985 answers and offers Negotiate, Kerberos: set `scheme: http` (the login seals its messages)"
    ]
    assert "must not go over http" in basic.step("port")["details"][0]


def test_a_closed_port_of_its_own(authority: Authority) -> None:
    told = doctor(f"127.0.0.1:{closed_port()}", "--user", "audit", "--json")
    assert set(told.step("port")["facts"]["others"]) == {"5985", "5986"}


def limited(path: Path, **server: object) -> Path:
    keys = ", ".join(f"{key}: {value}" for key, value in server.items())
    path.write_text(
        "limits: {connect: 0.5, operation: 1, server: 3}\n"
        f"servers: [{{name: hv01, address: 127.0.0.1, credential: audit, {keys}}}]\n"
    )
    return path


@pytest.mark.parametrize(("scheme", "step"), [("http", "listener"), ("https", "tls")])
def test_a_silent_listener(scheme: str, step: str, inventory: Path) -> None:
    over = threading.Event()
    with listening(lambda plug: _wait(plug, over)) as silent:
        limited(inventory, scheme=scheme, port=silent.port)
        told = doctor("--inventory", inventory, "--json", environ=NAMED)
        over.set()
    assert (told.code, told.statuses["failed"]) == (1, [step])
    assert "in time" in told.step(step)["text"] or "1 s" in told.step(step)["text"]


def _wait(plug: socket.socket, over: threading.Event) -> None:
    over.wait(60)


STRANGERS = {
    "a web server": (answer(404, b"<html>", "Server: nginx/1.2"), "HTTP 404"),
    "a page for everybody": (answer(200, b"<html>welcome</html>"), "is not WS-Management"),
    "a redirect": (answer(302, b"", "Location: http://evil.example/"), "redirect"),
    "a proxy": (answer(407, b"", "Proxy-Authenticate: Basic"), "proxy"),
    "a login of another kind": (answer(401, b"", "WWW-Authenticate: Digest realm=x"), "not `ntlm`"),
    "a login of no kind": (answer(401), "is it a WinRM listener?"),
    "no HTTP at all": (b"220 smtp.example ESMTP\r\n", "not HTTP"),
    "terminal codes": (answer(404, b"", "Server: \x1b[31mred\x1b[0m\x07"), "HTTP 404"),
}


@pytest.mark.parametrize(("reply", "told"), STRANGERS.values(), ids=STRANGERS)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_is_no_winrm_gets_no_login(scheme: str, reply: bytes, told: str, authority: Authority) -> None:
    script = says(reply)
    script = over_tls(authority.server("127.0.0.1"), script) if scheme == "https" else script
    with listening(script) as stranger:
        arguments = (f"127.0.0.1:{stranger.port}", "--user", "audit", "--scheme", scheme, "--ca", authority.file)
        found = doctor(*(arguments if scheme == "https" else arguments[:-2]), "--json")
    assert (found.code, found.statuses["failed"]) == (1, ["listener"]), found.out
    assert told in found.step("listener")["text"]


def test_a_redirect_is_not_followed() -> None:
    with listening(says(answer(200, b"never"))) as other:
        moved = answer(302, b"", f"Location: http://127.0.0.1:{other.port}/wsman")
        with listening(says(moved)) as listener:
            doctor(f"127.0.0.1:{listener.port}", "--user", "audit", "--scheme", "http")
        assert other.connections == 0


def test_a_server_that_breaks_off_half_way(authority: Authority) -> None:
    with server(authority, faults={"Msvm_KvpExchangeComponent": Fault.FLOOD}) as simulator:
        told = doctor(*to(simulator, authority, "--json"))
    assert (told.code, told.statuses["failed"]) == (1, ["classes"])
    assert told.step("namespace")["status"] == "ok"
    assert PASSWORD not in told.out
