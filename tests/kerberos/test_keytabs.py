"""Keytabs that an inventory names: each is a ticket of its own, in this process only, beside those that are there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from compliance.credentials.find import Credential
from compliance.errors import UsageError, Why
from compliance.gather.gather import gather
from compliance.inventory.logins import credentials_of
from compliance.inventory.own_file import read_inventory
from compliance.secret import Environment
from compliance.snapshot.snapshot import Snapshot
from compliance.world import World
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import hold, identify
from compliance.wsman.endpoint import Endpoint
from compliance.wsman.tickets import Ticket
from tests.canary import CANARY
from tests.gather.test_gather import played, reading, unread
from tests.hosts import NOW, Host, Vm
from tests.kerberos.realm import NAME, Realm
from tests.running import RunPytest
from tests.simulator import Simulator

SMALL = Host(name="HV01", vms=[Vm(name="sql01")])


@pytest.fixture
def hosts(service: Path) -> Iterator[list[Simulator]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(Simulator(played(SMALL), auth="kerberos", keytab=service, scheme="http"))
            for _ in range(4)
        ]


def inventory(folder: Path, hosts: list[Simulator], logins: Mapping[int, str]) -> Path:
    """Each host with its login's keys, or with none."""
    lines = ["servers:"]
    for number, simulator in enumerate(hosts):
        own = logins.get(number, "")
        lines.append(f"- {{name: hv{number}, address: localhost, port: {simulator.port}{own and f', {own}'}}}")
    (folder / "lab.yaml").write_text("\n".join([*lines, "defaults: {scheme: http, transport: kerberos}"]))
    return folder / "lab.yaml"


def snapshot_of(path: Path, environ: Mapping[str, str] | None = None) -> Snapshot:
    found = read_inventory(path)
    credentials = credentials_of(found.servers, found, World(environ=Environment(environ or {})))
    assert all(isinstance(one, Credential) for one in credentials.values())
    return gather(found, credentials, tool="test", now=lambda: NOW)


def tickets_issued(realm: Realm, principal: str) -> int:
    lines = (realm.folder / "kdc.log").read_text().splitlines()
    return sum(1 for line in lines if "AS_REQ" in line and "ISSUE" in line and f"{principal}@{NAME} for" in line)


@pytest.mark.usefixtures("ticket")
def test_several_keytabs_beside_the_ticket_that_is_there(realm: Realm, hosts: list[Simulator], tmp_path: Path) -> None:
    shutil.copy(realm.keytab("first"), tmp_path / "first.keytab")
    shutil.copy(realm.keytab("second", "third"), tmp_path / "others.keytab")
    logins = {
        0: "keytab: first.keytab",
        1: "keytab: others.keytab, principal: second",
        2: f"keytab: others.keytab, principal: third@{NAME}",
    }
    snapshot = snapshot_of(inventory(tmp_path, hosts, logins))
    assert all(reading(snapshot, f"hv{number}").version for number in range(4))
    seen = [simulator.principals_seen for simulator in hosts]
    assert seen == [[f"{name}@{NAME}"] for name in ("first", "second", "third", "reader")]


@pytest.mark.usefixtures("ticket")
def test_a_thread_goes_back_to_the_ticket_that_is_there(realm: Realm, hosts: list[Simulator]) -> None:
    ticket = Ticket(realm.keytab("passing"))
    for cache in (ticket.cache, None):
        where = Endpoint(address="localhost", port=hosts[0].port, scheme="http", transport="kerberos", cache=cache)
        with Connection(where, time.monotonic() + 10) as connection:
            assert hold(identify(), connection.send).version
    assert hosts[0].principals_seen == [f"passing@{NAME}", f"reader@{NAME}"]


def test_nothing_is_written_and_one_ticket_serves_all(realm: Realm, hosts: list[Simulator], tmp_path: Path) -> None:
    shutil.copy(realm.keytab("frugal"), tmp_path / "one.keytab")
    before = set(tmp_path.rglob("*"))
    path = inventory(tmp_path, hosts, dict.fromkeys(range(4), "keytab: one.keytab"))
    snapshot = snapshot_of(path)
    assert all(reading(snapshot, f"hv{number}").version for number in range(4))
    assert tickets_issued(realm, "frugal") == 1
    assert set(tmp_path.rglob("*")) == before | {path}  # the environment's cache would lie there


# --- what the KDC refuses is a finding for the servers that need it ---


def test_a_key_that_is_no_more_the_accounts_is_tried_once(realm: Realm, hosts: list[Simulator], tmp_path: Path) -> None:
    shutil.copy(realm.keytab("renewed"), tmp_path / "stale.keytab")
    realm.keytab("renewed")  # new keys
    shutil.copy(realm.keytab("good"), tmp_path / "good.keytab")
    stale = "keytab: stale.keytab"
    snapshot = snapshot_of(inventory(tmp_path, hosts, {0: stale, 1: stale, 2: stale, 3: "keytab: good.keytab"}))
    for number in range(3):
        found = unread(snapshot, f"hv{number}")
        assert found.why is Why.LOGIN_REFUSED
        told = f"no ticket for renewed@{NAME} from {tmp_path / 'stale.keytab'}: Preauthentication failed; write"
        assert told in found.reason
        assert "\n" not in found.reason
        assert hosts[number].requests_seen == []
    assert realm.failed_logins("renewed") == 1
    assert reading(snapshot, "hv3").version


def test_an_account_that_is_no_more(realm: Realm, hosts: list[Simulator], tmp_path: Path) -> None:
    shutil.copy(realm.keytab("leaver"), tmp_path / "one.keytab")
    realm.administer("delprinc -force leaver")
    snapshot = snapshot_of(inventory(tmp_path, hosts[:1], {0: "keytab: one.keytab"}))
    found = unread(snapshot, "hv0").reason
    assert f"Client 'leaver@{NAME}' not found in Kerberos database; check `principal:`" in found


def test_no_kdc(realm: Realm, service: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(realm.keytab("lonely"), tmp_path / "one.keytab")
    monkeypatch.setenv("KRB5_CONFIG", str(realm.config_for("nowhere.conf", 1)))
    with (
        Simulator(played(SMALL), auth="kerberos", keytab=service, scheme="http") as away,
        Simulator(played(SMALL), auth="ntlm", scheme="http") as other,
    ):
        ntlm = "transport: ntlm, credential: audit"
        path = inventory(tmp_path, [away, other], {0: "keytab: one.keytab", 1: ntlm})
        environ = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": CANARY}
        snapshot = snapshot_of(path, environ)
    found = unread(snapshot, "hv0")
    assert (found.why, f"Cannot contact any KDC for realm '{NAME}'; check krb5.conf" in found.reason) == (
        Why.UNREACHABLE,
        True,
    )
    assert reading(snapshot, "hv1").version


# --- a wrong file is the user's mistake ---


def mistake(keytab: Path, principal: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        Ticket(keytab, principal)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"{keytab}: ")
    return str(caught.value).removeprefix(f"{keytab}: ")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no keytab: Unsupported key table format version number"),
        (b"[libdefaults]\n", "no keytab: Unsupported key table format version number"),
        (b"\x05\x02", "the keytab holds no key"),
        (b"\x05\x02\x00\x00\x00\x40\x00\x01", "the keytab holds no key"),
    ],
)
def test_a_file_that_is_no_keytab(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "bad.keytab").write_bytes(content)
    assert mistake(tmp_path / "bad.keytab") == told


def test_a_keytab_without_the_key(realm: Realm) -> None:
    both = realm.keytab("left", "right")
    assert mistake(both) == (f"the keytab holds keys of left@{NAME}, right@{NAME}: name one of them as `principal:`")
    assert mistake(both, "middle") == (
        f"the keytab holds no key of middle@{NAME}; it holds keys of left@{NAME}, right@{NAME}"
    )
    assert Ticket(both, "left").principal == f"left@{NAME}"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert mistake(tmp_path / "none.keytab") == "the keytab can't be read: No such file or directory"
    assert mistake(tmp_path) == "the keytab can't be read: Is a directory"


def test_a_run_ends_with_exit_code_4(hosts: list[Simulator], tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "bad.keytab").write_bytes(b"no keytab")
    path = inventory(tmp_path, hosts[:1], {0: "keytab: bad.keytab"})
    run = run_pytest(tmp_path, "--inventory", path)
    assert run.returncode == 4
    assert f"{tmp_path / 'bad.keytab'}: no keytab: Unsupported key table format" in run.stderr
    assert hosts[0].requests_seen == []
