"""Windows guests over WS-Man: what they are asked, what becomes of every answer, and whose guest it proves to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.credentials.find import Credential
from compliance.errors import Why
from compliance.gather.gather import gather
from compliance.gather.guests.windows import MOST_LETTERS
from compliance.hyperv.estate import translate
from compliance.hyperv.guests.queries import ADAPTERS, COMPUTER, INTEGRATION_SERVICES, MACHINE_ID, SERVICES, SYSTEM
from compliance.hyperv.guests.windows import read_windows
from compliance.inventory.entries import Limits
from compliance.inventory.guests import WindowsGuest
from compliance.model import InnerAdapter, InsideWindows, Row, Service, Unread
from compliance.secret import Secret
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import GuestReading, RowsOrUnread, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory, snapshot, source
from tests.canary import CANARY
from tests.guests.replies import WINRM, answers, registry, rows, service, windows_guest
from tests.hosts import NOW, Host, Nic, Vm, replica_of
from tests.lab import closed_port
from tests.simulator import Fault, Played, Simulator

SQL = Vm(name="sql01")
OTHER = Vm(name="other")
ID, VERSION = str(MACHINE_ID), str(INTEGRATION_SERVICES)
LIMITS = Limits(connect=3, operation=5, server=10)
LOGIN = {"guests": Credential(username="audit", password=Secret(CANARY), origin="the test")}
CLASSES = {query.class_name: query for query in (SYSTEM, COMPUTER, SERVICES, ADAPTERS)}


# --- over the wire ----------------------------------------------------------------------------------------------------


def played(vm: Vm = SQL, **changes: Any) -> Played:
    """With more services than the one that we ask for."""
    found = {**rows(vm), "Win32_Service": [service("Spooler"), *rows(vm)["Win32_Service"]]}
    return Played(**{"rows": found, "registry": registry(vm), "namespaces": frozenset({"root/cimv2"}), **changes})


@contextmanager
def running(playing: Played, **settings: Any) -> Iterator[Simulator]:
    with Simulator(playing, **settings) as simulator:
        yield simulator


def entry(simulator: Simulator, **changes: Any) -> WindowsGuest:
    values = {
        "machine": ("sql01",),
        "connection": f"winrm://127.0.0.1:{simulator.port}",
        "transport": simulator.auth,
        "scheme": simulator.scheme,
        "credential": "guests",
        "ca": simulator.ca if simulator.scheme == "https" else None,
    }
    return WindowsGuest(**{**values, **changes})


def gathered(*entries: WindowsGuest, limits: Limits = LIMITS) -> Snapshot:
    return gather(inventory([], guests=entries, limits=limits), LOGIN, tool="t", now=lambda: NOW)


def reading(simulator: Simulator, **changes: Any) -> GuestReading | Unread:
    (found,) = gathered(entry(simulator, **changes)).guests
    return found.reading


def test_what_is_read_is_what_is_played_and_nothing_more() -> None:
    with running(played()) as simulator:
        assert reading(simulator) == GuestReading(started=NOW, finished=NOW, answers=answers(SQL))
    assert {message.action for message in simulator.log} == {"Enumerate", "Pull", "GetStringValue"}
    assert [message.query for message in simulator.log if "Win32_Service" in message.query] == [
        "SELECT Name, State, StartMode FROM Win32_Service WHERE Name = 'vmickvpexchange' OR Name = 'WinRM'"
    ]
    assert len(simulator.log) == 8


@pytest.mark.parametrize(("scheme", "auth"), [("http", "ntlm"), ("https", "ntlm")])
def test_any_login_of_a_servers_is_one_of_a_guests(scheme: Any, auth: Any) -> None:
    with running(played(), scheme=scheme, auth=auth) as simulator:
        assert reading(simulator) == GuestReading(started=NOW, finished=NOW, answers=answers(SQL))


def test_a_guest_that_refuses_wql_is_enumerated_whole() -> None:
    with running(played(), wql=False) as simulator:
        found = reading(simulator)
    assert isinstance(found, GuestReading)
    assert read_windows(WINRM, found.answers) == inside()


def unread(found: GuestReading | Unread) -> dict[str, Why]:
    assert isinstance(found, GuestReading), found
    return {name: answer.why for name, answer in found.answers.items() if isinstance(answer, Unread)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "faults", "whys"),
    [
        ({}, {"StdRegProv": Fault.REFUSED}, {ID: Why.NOT_PERMITTED, VERSION: Why.NOT_PERMITTED}),
        ({"absent": frozenset({"StdRegProv"})}, {}, {ID: Why.ABSENT, VERSION: Why.ABSENT}),
        ({}, {"Win32_Service": Fault.ACCESS_CIM}, {"Win32_Service": Why.NOT_PERMITTED}),
        ({"absent": frozenset({"Win32_ComputerSystem"})}, {}, {"Win32_ComputerSystem": Why.ABSENT}),
        ({}, {"StdRegProv": Fault.DOCTYPE}, {ID: Why.BROKEN, VERSION: Why.BROKEN}),
        ({}, {"StdRegProv": Fault.DEEP}, {ID: Why.BROKEN, VERSION: Why.BROKEN}),
        (
            {"registry": {ID: "x" * (MOST_LETTERS + 1)}},
            {},
            {ID: Why.TOO_LARGE},
        ),
        (
            {"rows": {**rows(SQL), "Win32_NetworkAdapterConfiguration": [{"Index": str(at)} for at in range(20_000)]}},
            {},
            {"Win32_NetworkAdapterConfiguration": Why.TOO_LARGE},
        ),
    ],
)
def test_what_is_refused_or_garbage_costs_that_answer_alone(
    changes: dict[str, Any], faults: dict[str, Fault], whys: dict[str, Why]
) -> None:
    with running(played(**changes), faults=faults) as simulator:
        assert unread(reading(simulator)) == whys


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Fault.LOCKED_OUT, Why.LOGIN_REFUSED),
        (Fault.WRONG_RELATES_TO, Why.BROKEN),
        (Fault.STALL, Why.TIMED_OUT),
        (Fault.FLOOD, Why.TOO_LARGE),
        (Fault.BOMB, Why.BROKEN),
    ],
)
@pytest.mark.slow
def test_a_guest_that_can_not_be_read_is_unread_by_its_way(fault: Fault, why: Why) -> None:
    with running(played(), faults={"*": fault}) as simulator:
        found = reading(simulator)
    assert isinstance(found, Unread)
    assert (found.why, found.reason.startswith(f"winrm://127.0.0.1:{simulator.port}: ")) == (why, True), found
    assert found.reason.count(str(simulator.port)) == 1


def test_one_that_is_dead_or_another_password_spoils_nothing(tmp_path: Path) -> None:
    with running(played()) as simulator:
        dead = entry(simulator, connection=f"winrm://127.0.0.1:{closed_port()}", machine=("web*",))
        careless = entry(simulator, verify=False, ca=None)
        found = gathered(dead, careless)
    assert isinstance(found.guests[0].reading, Unread)
    assert found.guests[0].reading.why is Why.UNREACHABLE
    assert isinstance(found.guests[1].reading, GuestReading)
    insecure = "its certificate was not verified (`verify: false` in the inventory)"
    assert [one.insecure for one in found.guests] == [None, insecure]
    path = tmp_path / "snapshot.jsonl.gz"
    write_snapshot(found, path)
    assert read_snapshot(path) == found


def test_a_password_that_two_guests_refused_is_tried_on_no_third() -> None:
    with ExitStack() as stack:
        guests = [stack.enter_context(running(played(), users={"audit": "another"})) for _ in range(6)]
        found = gathered(*map(entry, guests))
    whys = [one.reading.why for one in found.guests if isinstance(one.reading, Unread)]
    assert whys == [Why.LOGIN_REFUSED] * 6
    asked = [guest for guest in guests if guest.authorization_seen]
    assert len(asked) <= 2
    assert sum("not tried: " in str(one.reading) for one in found.guests) == 6 - len(asked)


# --- what it means ----------------------------------------------------------------------------------------------------


def seen(changes: Mapping[str, RowsOrUnread | Sequence[Row]] = {}, vm: Vm = SQL) -> InsideWindows | Unread:
    return read_windows(WINRM, answers(vm, changes))


def inside(changes: Mapping[str, RowsOrUnread | Sequence[Row]] = {}, vm: Vm = SQL) -> InsideWindows:
    found = seen(changes, vm)
    assert isinstance(found, InsideWindows), found
    return found


def test_a_working_guest() -> None:
    mac = str(rows(SQL)["Win32_NetworkAdapterConfiguration"][1]["MACAddress"]).replace(":", "")
    assert inside() == InsideWindows(
        connection=WINRM,
        system="Microsoft Windows Server 2022 Standard 10.0.20348",
        on_hyperv=True,
        platform="Microsoft Corporation Virtual Machine",
        adapters=(InnerAdapter(name="Microsoft Hyper-V Network Adapter (1)", mac=mac, synthetic=True, dynamic=False),),
        machine_id=SQL.id,
        service=Service(name="vmickvpexchange", running=True, disabled=False),
        integration_services="10.0.20348",
    )


REFUSED = Unread("Access is denied", Why.NOT_PERMITTED)
SERVICE: dict[str, tuple[Sequence[Row] | Unread, Service | str | None]] = {
    "stopped": ([service(State="Stopped")], Service(name="vmickvpexchange", running=False, disabled=False)),
    "paused": ([service(State="Paused")], Service(name="vmickvpexchange", running=False, disabled=False)),
    "disabled": ([service(StartMode="Disabled")], Service(name="vmickvpexchange", running=True, disabled=True)),
    "automatic": ([service(StartMode="Auto")], Service(name="vmickvpexchange", running=True, disabled=False)),
    "in capitals": ([service("VMICKVPEXCHANGE")], Service(name="vmickvpexchange", running=True, disabled=False)),
    "not there": ([service("WinRM")], None),
    "none is shown": ([], "this account is shown no services"),
    "refused": (REFUSED, "Access is denied"),
    "twice": ([service(), service(State="Stopped")], "it shows a service twice"),
}


@pytest.mark.parametrize(("given_rows", "expected"), SERVICE.values(), ids=SERVICE)
def test_the_service(given_rows: Sequence[Row] | Unread, expected: Service | str | None) -> None:
    found = inside({"Win32_Service": given_rows}).service
    assert (str(found) if isinstance(found, Unread) else found) == expected


@pytest.mark.parametrize("state", ["Start Pending", "Stop Pending", "Unknown", "running ", "", "\x1b[31m"])
def test_a_state_that_is_none_of_the_two_is_not_known(state: str) -> None:
    found = inside({"Win32_Service": [service(State=state, StartMode=state)]}).service
    assert isinstance(found, Service)
    assert isinstance(found.running, Unread)
    assert isinstance(found.disabled, Unread)
    assert str(found.disabled).isprintable()


REGISTRY: dict[str, tuple[RowsOrUnread, str | None]] = {
    "no such value": (({"ReturnValue": "2", "sValue": None},), None),
    "denied": (({"ReturnValue": "5", "sValue": None},), "the registry answered 5 (access denied)"),
    "another kind of value": (({"ReturnValue": "1"},), "the registry answered 1"),
    "no ReturnValue": (({"sValue": "x"},), "the answer has no number as its ReturnValue"),
    "nil": (({"ReturnValue": None, "sValue": "x"},), "the answer has no number as its ReturnValue"),
    "no number": (({"ReturnValue": "0x0", "sValue": "x"},), "the answer has no number as its ReturnValue"),
    "another's digits": (({"ReturnValue": "٠", "sValue": "x"},), "the answer has no number as its ReturnValue"),
    "a long number": (({"ReturnValue": "0" * 5000, "sValue": "x"},), "the answer has no number as its ReturnValue"),
    "twice": (({"ReturnValue": ["0", "5"], "sValue": "x"},), "the answer has no number as its ReturnValue"),
    "good without a text": (({"ReturnValue": "0", "sValue": None},), "the answer has no text"),
    "two texts": (({"ReturnValue": "0", "sValue": ["a", "b"]},), "the answer has no text"),
    "two rows": (({"ReturnValue": "0"}, {"ReturnValue": "0"}), "the answer has no number as its ReturnValue"),
    "refused": (REFUSED, "Access is denied"),
}


@pytest.mark.parametrize(("answer", "told"), REGISTRY.values(), ids=REGISTRY)
def test_the_registry(answer: RowsOrUnread, told: str | None) -> None:
    found = inside({VERSION: answer, ID: answer})
    for value in (found.integration_services, found.machine_id):
        if told is None:
            assert value is None
        else:
            assert isinstance(value, Unread)
            assert str(value).endswith(told)


def test_texts_of_the_registry_are_short_and_printable() -> None:
    version = inside({VERSION: ({"ReturnValue": "0", "sValue": "10\x1b[31m\u202e" + "9" * 9000},)}).integration_services
    assert isinstance(version, str)
    assert version.isprintable()
    assert len(version) <= 300


@pytest.mark.parametrize("text", [SQL.id, SQL.id.lower(), f"{{{SQL.id}}}"])
def test_a_guid_in_any_spelling(text: str) -> None:
    assert inside({ID: ({"ReturnValue": "0", "sValue": text},)}).machine_id == SQL.id


def test_what_is_no_guid_is_not_known() -> None:
    assert isinstance(inside({ID: ({"ReturnValue": "0", "sValue": "sql01"},)}).machine_id, Unread)


@pytest.mark.parametrize(
    ("row", "dynamic"),
    [
        ({"DHCPEnabled": "true"}, True),
        ({"DHCPEnabled": "TRUE", "IPAddress": "10.1.0.20"}, True),
        ({"DHCPEnabled": "true", "IPAddress": None}, None),
        ({"DHCPEnabled": None}, False),
    ],
)
def test_static_or_dhcp(row: Row, dynamic: bool | None) -> None:
    idle, nic = rows(SQL)["Win32_NetworkAdapterConfiguration"]
    (found,) = inside({"Win32_NetworkAdapterConfiguration": [idle, {**nic, **row}]}).adapters
    assert found.dynamic is dynamic


@pytest.mark.parametrize(
    ("computer", "on_hyperv"),
    [
        ([{"Manufacturer": "QEMU", "Model": "Standard PC"}], False),
        ([{"Manufacturer": "Microsoft Corporation", "Model": "Surface Pro 9"}], False),
        ([{"Manufacturer": None, "Model": None}], None),
        ([], None),
        ([{"Model": "Virtual Machine"}, {"Model": "x"}], None),
        (REFUSED, None),
    ],
)
def test_on_hyperv_at_all(computer: Sequence[Row] | Unread, on_hyperv: bool | None) -> None:
    found = inside({"Win32_ComputerSystem": computer}).on_hyperv
    assert (None if isinstance(found, Unread) else found) is on_hyperv


def test_a_guest_that_shows_neither_adapters_nor_a_guid_is_nobodys() -> None:
    found = seen({"Win32_NetworkAdapterConfiguration": REFUSED, ID: REFUSED})
    assert found == Unread("its network adapters can't be read: Access is denied", Why.NOT_PERMITTED)
    assert inside({"Win32_NetworkAdapterConfiguration": REFUSED}).machine_id == SQL.id


cells = st.none() | st.text(max_size=20) | st.lists(st.none() | st.text(max_size=5), max_size=3)
names = st.sampled_from(["Name", "State", "MACAddress", "ServiceName", "ReturnValue", "sValue", "Index", "Model"])
some_rows = st.lists(st.dictionaries(names, cells, max_size=5), max_size=3).map(tuple)


@given(st.dictionaries(st.sampled_from([*CLASSES, ID, VERSION]), some_rows | st.just(REFUSED)))
def test_any_answers_are_understood_or_not_read(found: dict[str, RowsOrUnread]) -> None:
    told = read_windows(WINRM, found)
    assert isinstance(told, InsideWindows | Unread)
    assert str(told).isprintable()


# --- whose guest it is ------------------------------------------------------------------------------------------------


def of_machine(changes: Mapping[str, RowsOrUnread | Sequence[Row]] = {}, seen: Vm = SQL, vm: Vm = SQL) -> object:
    hosts = source(Host(name="HV01", vms=[vm])), source(Host(name="HV02", vms=[replica_of(vm)]))
    guests = (windows_guest("sql01", seen=answers(seen, changes)),)
    estate = translate(replace(snapshot(*hosts), guests=guests))
    return next(one.inside for server in estate.servers for one in server.machines if str(one) == "hv01/sql01")


OF_ANOTHER_DRIVER = {"MACAddress": "02:42:AC:11:00:02", "ServiceName": "VMSMP", "Description": "vEthernet (nat)"}
NO_ID: dict[str, RowsOrUnread | Sequence[Row]] = {ID: ({"ReturnValue": "2", "sValue": None},)}


@pytest.mark.parametrize("changes", [{}, NO_ID, {ID: REFUSED}, {"Win32_NetworkAdapterConfiguration": REFUSED}])
def test_one_thing_that_agrees_is_enough(changes: dict[str, RowsOrUnread | Sequence[Row]]) -> None:
    assert isinstance(of_machine(changes), InsideWindows)


@pytest.mark.parametrize(
    ("changes", "seen", "told"),
    [
        ({}, OTHER, "it is another virtual machine ("),
        (NO_ID, OTHER, "it has an adapter 00:15:5D:"),
        ({ID: answers(OTHER)[ID]}, SQL, "it is another virtual machine ("),
        ({**NO_ID, "Win32_NetworkAdapterConfiguration": []}, SQL, "it shows no synthetic adapter and no GUID"),
        (
            {"Win32_ComputerSystem": [{"Manufacturer": "QEMU", "Model": "PC"}]},
            SQL,
            "Microsoft Windows Server 2022 Standard 10.0.20348 there is not on Hyper-V (its firmware is QEMU PC)",
        ),
    ],
)
def test_another_machines_guest(changes: dict[str, RowsOrUnread | Sequence[Row]], seen: Vm, told: str) -> None:
    found = of_machine(changes, seen)
    assert isinstance(found, Unread)
    assert str(found).startswith(f"what answers at {WINRM} is not known to be this machine: {told}")


def test_adapters_of_other_drivers_neither_prove_nor_contradict() -> None:
    there = rows(SQL)["Win32_NetworkAdapterConfiguration"]
    beside: dict[str, RowsOrUnread | Sequence[Row]] = {"Win32_NetworkAdapterConfiguration": [*there, OF_ANOTHER_DRIVER]}
    assert isinstance(of_machine({**NO_ID, **beside}), InsideWindows)
    driven: dict[str, RowsOrUnread | Sequence[Row]] = {
        "Win32_NetworkAdapterConfiguration": [{**row, "ServiceName": "e1000"} for row in there]
    }
    assert "it shows no synthetic adapter and no GUID" in str(of_machine({**NO_ID, **driven}))


def test_several_adapters_and_a_legacy_one() -> None:
    vm = Vm(name="sql01", nics=(Nic(), Nic(name="second"), Nic(legacy=True)))
    assert isinstance(of_machine(NO_ID, vm, vm), InsideWindows)


def test_nothing_is_written_that_can_not_be_read(tmp_path: Path) -> None:
    found = replace(snapshot(), guests=(windows_guest("sql01", seen=answers(SQL, {ID: REFUSED})),))
    path = tmp_path / "snapshot.jsonl"
    write_snapshot(found, path)
    assert read_snapshot(path) == found
    assert '"sections":{}' in path.read_text()  # what an older version reads as an answer without its sections
