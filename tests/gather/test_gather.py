"""Reading simulated servers over real HTTP, TLS and NTLM: what we read is what they play, and what fails says so."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.credentials.find import Credential
from compliance.credentials.lockout import TRIES
from compliance.errors import Why
from compliance.gather.gather import gather
from compliance.gather.patience import WAITS
from compliance.gather.progress import Progress
from compliance.hyperv.estate import translate
from compliance.hyperv.queries import AGAIN, NODE_OF, OF_REPLICATION, QUERIES
from compliance.hyperv.server import keep_line
from compliance.inventory.entries import Entry, Limits
from compliance.judge.scope import Scope
from compliance.model import Unread
from compliance.rule import Result
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from compliance.snapshot.write import lines_of, write_snapshot
from tests.builders import inventory
from tests.canary import CANARY
from tests.comparing import RULES
from tests.host_rows import host_rows
from tests.hosts import NOW, Host, Nic, Vm, guid, replica_of
from tests.lab import closed_port
from tests.simulator import Fault, Played, Simulator
from tests.wire_rows import ARRAYS, wire

SECRET = CANARY
CREDENTIALS = {"audit": Credential(username="audit", password=SECRET)}
FAST = Limits(connect=2, operation=3, server=5, threads=8)

SQL = Vm(name="sql01", checkpoints=1)
PRIMARY = Host(
    name="HV01", version="10.0.17763", vms=[SQL, Vm(name="web01", kvp=12, heartbeat=12), Vm(name="x", mode=0)]
)
REPLICA = Host(name="HV02", vms=[replica_of(SQL, nics=[Nic(addresses=("10.3.0.20", "2001:db8::3"))])])


def played(host: Host, **changes: object) -> Played:
    values: dict[str, object] = {
        "rows": host_rows(host),
        "version": host.version,
        "computer": host.name,
        "clock": NOW + timedelta(minutes=2),
    }
    return Played(**{**values, **changes})  # type: ignore[arg-type]


def entry(name: str, simulator: Simulator, **changes: object) -> Entry:
    values: dict[str, object] = {
        "name": name,
        "address": "127.0.0.1",
        "port": simulator.port,
        "scheme": simulator.scheme,
        "transport": simulator.auth,
        "credential": "audit",
        "ca": simulator.ca if simulator.scheme == "https" else None,
    }
    return Entry(**{**values, **changes})  # type: ignore[arg-type]


def read(
    entries: Sequence[Entry], credentials: Mapping[str, Credential] = CREDENTIALS, limits: Limits = FAST
) -> Snapshot:
    return gather(inventory(entries, limits=limits), credentials, tool="test", now=lambda: NOW)


@contextmanager
def playing(*hosts: Host, **options: object) -> Iterator[list[Simulator]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Simulator(played(host), **options)) for host in hosts]  # type: ignore[arg-type]


def results(snapshot: Snapshot) -> dict[str, tuple[str, str]]:
    table = judge_snapshot(snapshot, Scope(rules=tuple(rule.key for rule in RULES)))
    return {verdict.id: (verdict.outcome.result.value, verdict.outcome.finding) for verdict in table.verdicts}


def reading(snapshot: Snapshot, name: str = "hv01") -> Reading:
    found = next(source.reading for source in snapshot.servers if source.name == name)
    assert isinstance(found, Reading), found
    return found


def unread(snapshot: Snapshot, name: str = "hv01") -> Unread:
    found = next(source.reading for source in snapshot.servers if source.name == name)
    assert isinstance(found, Unread), found
    return found


WAYS = {
    "TLS, Basic": {"scheme": "https", "auth": "basic"},
    "TLS, NTLM": {"scheme": "https", "auth": "ntlm"},
    "http, sealed NTLM": {"scheme": "http", "auth": "ntlm"},
    "plain enumeration": {"wql": False},
    "small envelopes": {"envelope_kb": 32},
    "OMI": {"dialect": "omi"},
}


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS.keys())
def test_what_is_read_is_what_is_played(options: dict[str, object]) -> None:
    with playing(PRIMARY, REPLICA, **options) as (first, second):
        snapshot = read([entry("hv01", first), entry("hv02", second)])
    for name, host in (("hv01", PRIMARY), ("hv02", REPLICA)):
        found = reading(snapshot, name)
        expected = wire(host_rows(host))
        assert {name: sorted(map(_sorted, rows)) for name, rows in found.classes.items()} == {
            name: sorted(map(_sorted, rows)) for name, rows in expected.items()
        }
        names = AGAIN.properties
        again = [{name: row[name] for name in names} for row in found.classes["Msvm_ComputerSystem"]]
        assert found.again["Msvm_ComputerSystem"] == tuple(again)
        silent = {guid("web01")} if host is PRIMARY else set()  # which shows no contact, and is asked once more
        assert {row["SystemName"] for row in found.again.get("Msvm_KvpExchangeComponent", ())} >= silent
        assert set(found.asked_properties or ()) == set(expected)
        assert (found.version, found.clock_ahead) == (host.version, timedelta(minutes=2))


def _sorted(row: Mapping[str, object]) -> str:
    """OMI writes booleans in capitals and NULL arrays as nil; rows are kept as they came."""
    text = repr(sorted((key, value) for key, value in row.items() if value is not None or key not in ARRAYS))
    return text.replace("'TRUE'", "'true'").replace("'FALSE'", "'false'")


@pytest.mark.parametrize("way", ["TLS, Basic", "http, sealed NTLM"])
def test_a_live_run_and_its_snapshot_agree_verdict_by_verdict(way: str, tmp_path: Path) -> None:
    with playing(PRIMARY, REPLICA, **WAYS[way]) as (first, second):
        live = read([entry("hv01", first), entry("hv02", second)])
    write_snapshot(live, tmp_path / "lab.jsonl.gz")
    offline = results(read_snapshot(tmp_path / "lab.jsonl.gz"))
    assert offline == results(live)
    rule = "lab::failover-ip-needs-integration-services"
    assert {name: result for name, (result, _) in offline.items()} == {
        "lab::estate-has-replicated-machines[lab]": "passed",
        "lab::server-was-read[hv01]": "passed",
        "lab::server-was-read[hv02]": "passed",
        f"{rule}[hv01/sql01]": "passed",
        f"{rule}[hv01/web01]": "failed",
        f"{rule}[hv02/sql01]": "passed",
    }


def test_rows_are_let_go_as_servers_answer_and_their_lines_are_those_of_the_rows() -> None:
    let_go: list[str] = []

    def keep(record: ServerRecord) -> ServerRecord:
        let_go.append(record.name)
        return keep_line(record)

    with playing(PRIMARY, REPLICA) as simulators:
        entries = [entry(f"hv0{at}", simulator) for at, simulator in enumerate(simulators, 1)]
        whole = read(entries)
        slim = gather(inventory(entries, limits=FAST), CREDENTIALS, tool="test", let_go=keep, now=lambda: NOW)
    assert [record.reading.classes for record in slim.servers if isinstance(record.reading, Reading)] == [{}, {}]
    assert {"hv01", "hv02"} == set(let_go[:2])
    assert list(lines_of(slim)) == list(lines_of(whole))
    assert translate(slim) == translate(whole)


def test_a_server_whose_rows_can_not_be_let_go_costs_no_other() -> None:
    def fail_once(record: ServerRecord) -> ServerRecord:
        if record.name == "hv01" and isinstance(record.reading, Reading):
            raise ZeroDivisionError
        return record

    with playing(PRIMARY, REPLICA) as simulators:
        entries = [entry(f"hv0{at}", simulator) for at, simulator in enumerate(simulators, 1)]
        snapshot = gather(inventory(entries, limits=FAST), CREDENTIALS, tool="test", let_go=fail_once, now=lambda: NOW)
    first, second = (record.reading for record in snapshot.servers)
    assert isinstance(first, Unread)
    assert first.reason.endswith("unexpected ZeroDivisionError")
    assert isinstance(second, Reading)


def test_a_query_costs_two_messages_and_only_reading_ones_are_sent() -> None:
    with playing(PRIMARY) as (simulator,):
        read([entry("hv01", simulator)])
    actions = [message.action.rsplit("/", 1)[-1] for message in simulator.log]
    assert set(actions) <= {"Identify", "Enumerate", "Pull", "Release", "Get"}
    # Identify, clock, no cluster; each class, the list twice, and once more a component without contact
    assert len(actions) <= 3 + 2 * (len(QUERIES) + len(OF_REPLICATION) + 2)
    assert all(message.query for message in simulator.log if message.action.endswith("Enumerate"))


def test_refused_wql_is_tried_twice_and_told() -> None:
    with playing(PRIMARY, wql=False) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    asked = [message for message in simulator.log if message.query]
    assert len(asked) <= 5  # twice in the two namespaces of which several classes are read, once in the third
    assert any("refuses WQL" in note for note in reading(snapshot).notes)


def test_server_2012_is_not_asked_for_what_came_later() -> None:
    host = Host(name="HV01", version="6.2.9200", vms=[Vm(name="sql01", checkpoints=1)])
    lacking = {"Msvm_ReplicationSettingData": frozenset({"ReplicationProvider"})}
    old = played(host, absent=frozenset({"Msvm_ReplicationRelationship"}), missing_properties=lacking)
    with Simulator(old) as simulator:
        snapshot = read([entry("hv01", simulator)])
    assert "Msvm_ReplicationRelationship" not in reading(snapshot).classes
    assert [message.query for message in simulator.log if message.status != 200] == [NODE_OF.wql]
    assert results(snapshot)["lab::failover-ip-needs-integration-services[hv01/sql01]"][0] == "passed"


def test_the_version_comes_from_cimv2_where_identify_hides_it() -> None:
    hidden = played(PRIMARY, version="")
    with Simulator(hidden) as simulator:
        snapshot = read([entry("hv01", simulator)])
    assert reading(snapshot).version  # Win32_OperatingSystem.Version


# --- servers that can't be read ---------------------------------------------------------------------------------------


def other_is_unharmed(snapshot: Snapshot) -> bool:
    return results(snapshot)["lab::failover-ip-needs-integration-services[hv02/sql01]"][0] in ("passed", "unknown")


def test_a_server_that_is_down() -> None:
    with playing(REPLICA) as (good,):
        down = Entry(name="hv01", address="127.0.0.1", port=closed_port(), transport="basic", credential="audit")
        snapshot = read([down, entry("hv02", good)])
    assert unread(snapshot).why is Why.UNREACHABLE
    assert "connection refused" in unread(snapshot).reason
    found = results(snapshot)
    assert found["lab::server-was-read[hv01]"][0] == "unknown"
    assert found["lab::failover-ip-needs-integration-services[hv01]"][0] == "unknown"
    assert found["lab::server-was-read[hv02]"][0] == "passed"


@pytest.mark.parametrize("options", [WAYS["TLS, Basic"], WAYS["TLS, NTLM"], WAYS["http, sealed NTLM"]])
def test_a_wrong_password(options: dict[str, object]) -> None:
    with playing(PRIMARY, **options) as (simulator,):
        snapshot = read([entry("hv01", simulator)], {"audit": Credential(username="audit", password=f"{CANARY}-wrong")})
    assert unread(snapshot).why is Why.LOGIN_REFUSED
    assert f"{CANARY}-wrong" not in repr(snapshot)
    assert not simulator.log


def test_a_wrong_password_is_not_tried_on_every_server() -> None:
    hosts = [Host(name=f"HV{number:02}", vms=[]) for number in range(12)]
    with playing(*hosts) as simulators:
        entries = [entry(f"hv{number:02}", one) for number, one in enumerate(simulators)]
        wrong = {"audit": Credential(username="audit", password=f"{CANARY}-wrong")}
        snapshot = read(entries, wrong)
        tried = [len(one.authorization_seen) for one in simulators]
        assert sum(count > 0 for count in tried) == TRIES
        reasons = [unread(snapshot, one.name) for one in entries]
        assert {reason.why for reason in reasons} == {Why.LOGIN_REFUSED}
        first = re.compile("not tried: hv0[01] and hv0[01] refused the same login")
        assert sum(bool(first.search(reason.reason)) for reason in reasons) == len(hosts) - TRIES
        assert all(isinstance(source.reading, Reading) for source in read(entries).servers)


def test_an_account_without_rights_sees_everything_empty() -> None:
    with playing(PRIMARY, faults=dict.fromkeys((query.class_name for query in QUERIES), Fault.EMPTY)) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    found = results(snapshot)
    assert {name: result for name, (result, _) in found.items()} == {
        "lab::estate-has-replicated-machines[lab]": "unknown",
        "lab::server-was-read[hv01]": "unknown",
        "lab::failover-ip-needs-integration-services[hv01]": "unknown",
    }
    assert "lacks rights" in found["lab::server-was-read[hv01]"][1]


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ACCESS_CIM])
def test_an_account_that_is_told_so(fault: Fault) -> None:
    with playing(PRIMARY, faults={"*": fault}) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    found = results(snapshot)["lab::server-was-read[hv01]"]
    assert found[0] == "unknown"
    assert "not permitted" in found[1]


def test_a_host_that_is_no_hyperv_server() -> None:
    plain = played(PRIMARY, namespaces=frozenset({"root/cimv2"}))
    with Simulator(plain) as simulator:
        snapshot = read([entry("hv01", simulator)])
    assert (unread(snapshot).why, "Hyper-V is not installed" in unread(snapshot).reason) == (Why.NOT_HYPERV, True)
    assert len(simulator.log) <= 4  # Identify, the clock, the list by WQL and whole: and then it is left alone


SLOW = [Fault.STALL, Fault.DRIP]


@pytest.mark.parametrize("fault", SLOW)
@pytest.mark.slow
def test_the_deadline_holds_and_costs_the_others_nothing(fault: Fault) -> None:
    with ExitStack() as stack:
        bad = stack.enter_context(Simulator(played(PRIMARY), faults={"*": fault}))
        good = stack.enter_context(Simulator(played(REPLICA)))
        start = time.monotonic()
        snapshot = read([entry("hv01", bad), entry("hv02", good)], limits=Limits(connect=4, operation=4, server=8))
        took = time.monotonic() - start
    assert took < 60  # without a deadline it would not end
    assert unread(snapshot).why is Why.TIMED_OUT
    assert reading(snapshot, "hv02").version


@pytest.mark.slow
def test_a_thread_that_hangs_where_no_deadline_reaches_is_given_up() -> None:
    """As name resolution or Kerberos may; here the clock that it asks first."""
    over = threading.Event()

    def now() -> datetime:
        if threading.current_thread().name == "read hv01":
            over.wait(60)
        return NOW

    with playing(REPLICA) as (good,):
        entries = [entry("hv01", good), entry("hv02", good)]
        limits = Limits(connect=1, operation=1, server=1)
        snapshot = gather(inventory(entries, limits=limits), CREDENTIALS, tool="test", now=now)
        over.set()
    assert (unread(snapshot).why, "given up" in unread(snapshot).reason) == (Why.TIMED_OUT, True)
    assert reading(snapshot, "hv02").version


def test_an_expired_context_is_restarted() -> None:
    with playing(PRIMARY, faults={"Msvm_ComputerSystem": Fault.EXPIRED_CONTEXT}) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    assert results(snapshot)  # the simulator forgets once or for ever; either way there is a word for it


# --- servers that stumble ---------------------------------------------------------------------------------------------

STUMBLES = [
    ("TLS, Basic", "Msvm_ComputerSystem", Fault.CUT),
    ("TLS, NTLM", "Msvm_KvpExchangeComponent", Fault.CUT),
    ("http, sealed NTLM", "Msvm_KvpExchangeComponent", Fault.CUT),
    ("http, sealed NTLM", "Msvm_HeartbeatComponent", Fault.FORGOTTEN),
    ("TLS, Basic", "Msvm_ComputerSystem", Fault.HTML_503),
]


@pytest.mark.parametrize(("way", "class_name", "fault"), STUMBLES)
@pytest.mark.slow
def test_a_lost_connection_is_built_anew(way: str, class_name: str, fault: Fault) -> None:
    with playing(PRIMARY, **WAYS[way]) as (simulator,):
        calm = read([entry("hv01", simulator)])
    with playing(PRIMARY, **WAYS[way], faults={class_name: fault}, strikes=1) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    assert results(snapshot) == results(calm)
    assert sum("built anew" in note for note in reading(snapshot).notes) == 1


@pytest.mark.parametrize(("way", "class_name", "fault"), STUMBLES)
@pytest.mark.slow
def test_a_connection_that_is_lost_again_and_again_makes_the_server_unread(
    way: str, class_name: str, fault: Fault
) -> None:
    with playing(PRIMARY, **WAYS[way], faults={class_name: fault}, strikes=9) as (simulator,):
        snapshot = read([entry("hv01", simulator)], limits=Limits(connect=1, operation=1, server=2))
    assert class_name in unread(snapshot).reason
    assert "it had answered before" in unread(snapshot).reason


def test_a_first_message_without_an_answer_is_not_sent_twice() -> None:
    with playing(PRIMARY, faults={"*": Fault.CUT}) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    assert unread(snapshot).why is Why.UNREACHABLE
    assert len(simulator.log) == 1


@pytest.mark.parametrize(("fault", "waits", "why"), [(Fault.QUOTA, 2, Why.BUSY), (Fault.TIMED_OUT, 1, Why.TIMED_OUT)])
@pytest.mark.slow
def test_a_server_that_is_busy_is_asked_again(fault: Fault, waits: int, why: Why) -> None:
    faults = {"Msvm_KvpExchangeComponent": fault}
    with playing(PRIMARY, faults=faults, strikes=1) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    assert results(snapshot)["lab::failover-ip-needs-integration-services[hv01/sql01]"][0] == "passed"
    with playing(PRIMARY, faults=faults) as (simulator,):
        start = time.monotonic()
        snapshot = read([entry("hv01", simulator)], limits=Limits(connect=2, operation=3, server=20))
        took = time.monotonic() - start
    asked = [message for message in simulator.log if "Msvm_KvpExchangeComponent " in f"{message.query} "]
    answer = reading(snapshot).classes["Msvm_KvpExchangeComponent"]
    assert isinstance(answer, Unread)
    assert (answer.why, len(asked)) == (why, waits + 1)
    assert took >= sum(WAITS[why])


def test_what_is_too_large_is_asked_for_without_it() -> None:
    """A guest's items are the only thing here that grows; without them the rest is read, and that is told."""
    talkative = Vm(name="sql01", items={"OSName": "Linux", **{f"Item{number}": "x" * 400 for number in range(40)}})
    with playing(Host(name="HV01", vms=[talkative]), envelope_kb=32) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    assert reading(snapshot).too_large == ("Msvm_KvpExchangeComponent.GuestIntrinsicExchangeItems",)
    assert any("MaxEnvelopeSizekb" in note for note in reading(snapshot).notes)
    result, finding = results(snapshot)["lab::failover-ip-needs-integration-services[hv01/sql01]"]
    assert (result, "too large to be read" in finding) == ("passed", True), finding


def test_what_is_too_large_in_any_form_is_unread() -> None:
    wide = Vm(name="sql01", nics=[Nic(addresses=tuple(f"10.1.{number}.1" for number in range(250)) * 8)])
    with playing(Host(name="HV01", vms=[wide]), envelope_kb=32) as (simulator,):
        snapshot = read([entry("hv01", simulator)])
    answer = reading(snapshot).classes["Msvm_FailoverNetworkAdapterSettingData"]
    assert isinstance(answer, Unread)
    assert answer.why is Why.TOO_LARGE
    asked = [message for message in simulator.log if message.status == 500 and message.query != NODE_OF.wql]
    assert len(asked) == 2  # by WQL, and whole
    assert results(snapshot)["lab::failover-ip-needs-integration-services[hv01/sql01]"][0] == "unknown"


# --- many -------------------------------------------------------------------------------------------------------------


def test_one_thread_one_server_at_a_time_is_enough_for_many() -> None:
    told: list[Progress] = []
    with playing(PRIMARY, REPLICA) as (first, second):
        entries = [entry(f"hv{number:02}", first if number % 2 else second) for number in range(12)]
        snapshot = gather(inventory(entries, limits=Limits(threads=3)), CREDENTIALS, tool="test", tell=told.append)
    assert [source.name for source in snapshot.servers] == [one.name for one in entries]
    assert [one.done for one in told if one.finished] == list(range(1, 13))


def test_no_credential_reaches_a_snapshot(tmp_path: Path) -> None:
    with playing(PRIMARY) as (simulator,):
        write_snapshot(read([entry("hv01", simulator)]), tmp_path / "lab.jsonl")
    assert SECRET not in (tmp_path / "lab.jsonl").read_text()


def test_the_snapshot_names_the_account_and_how_it_logged_in() -> None:
    by_name = {"audit": Credential(username="DR\\audit", password=SECRET)}
    with playing(PRIMARY) as (simulator,):
        found = read([entry("hv01", simulator), entry("hv02", simulator, port=closed_port())], by_name)
    assert [(one.name, one.account, one.transport) for one in found.servers] == [
        ("hv01", "DR\\audit", simulator.auth),
        ("hv02", "DR\\audit", simulator.auth),  # that was not read
    ]


def test_a_certificate_that_was_not_verified_is_told() -> None:
    with playing(PRIMARY) as (simulator,):
        snapshot = read([entry("hv01", simulator, ca=None, verify=False)])
        refused = read([entry("hv01", simulator, ca=None)])
    table = judge_snapshot(snapshot, Scope())
    assert any("verify: false" in remark for server in table.estate.servers for remark in server.remarks)
    assert "certificate" in unread(refused).reason


@pytest.mark.parametrize(("auth", "told"), [("basic", "the password too"), ("ntlm", "unencrypted over http")])
def test_what_came_unencrypted_is_told_and_sent_only_where_the_inventory_says_so(auth: str, told: str) -> None:
    with playing(PRIMARY, scheme="http", auth="basic") as (simulator,):
        snapshot = read([entry("hv01", simulator, transport=auth, cleartext=True)])
        assert {message.action for message in simulator.log} >= {"Identify", "Enumerate"}
        table = judge_snapshot(snapshot, Scope())
        assert any(told in remark for server in table.estate.servers for remark in server.remarks)
        simulator.requests_seen.clear()
        refused = read([entry("hv01", simulator, transport="basic")])
        assert (unread(refused).why, simulator.requests_seen) == (Why.LOGIN_IMPOSSIBLE, [])


def test_results_are_of_five_kinds() -> None:
    assert len(Result) == 5
