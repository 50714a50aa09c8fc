"""From rows to the estate: the pitfalls of real hosts one by one, and what the founding rule's tests don't reach.

Each pitfall was seen on a host, in Microsoft's own scripts or in a recording.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.estate import translate
from compliance.hyperv.rows import MOST_LETTERS, cut
from compliance.model import Answer, Estate, Power, Role, Row, Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source, unread_source
from tests.host_rows import host_rows, kvp_item
from tests.hosts import DATA_EXCHANGE, HOUR, Host, Nic, RowsByClass, Vm, guid, replica_of
from tests.profiles import examples
from tests.wire_rows import wire

MACHINES = "Msvm_ComputerSystem"
SETTINGS = "Msvm_VirtualSystemSettingData"
FAILOVER = "Msvm_FailoverNetworkAdapterSettingData"
OFFERS = "Msvm_KvpExchangeComponentSettingData"
GUESTS = "Msvm_KvpExchangeComponent"
RELATIONSHIPS = "Msvm_ReplicationRelationship"
ADAPTERS = "Msvm_SyntheticEthernetPortSettingData"
HEARTBEATS = "Msvm_HeartbeatComponent"
REPLICATION = "Msvm_ReplicationSettingData"
REPLICA_SERVER = "Msvm_ReplicationServiceSettingData"
CONNECTIONS = "Msvm_EthernetPortAllocationSettingData"
X = guid("x")


def estate_of(*sources: ServerRecord) -> Estate:
    return translate(snapshot(*sources))


def server_of(one: ServerRecord) -> Server:
    return estate_of(one).servers[0]


def machine_of(rows: RowsByClass, name: str = "x") -> VirtualMachine:
    return next(machine for machine in server_of(source(Host(), rows=wire(rows))).machines if machine.name == name)


def hostful(*vms: Vm) -> RowsByClass:
    """One machine that is quite healthy, one without an address, which a stray one may belong to, and x."""
    return host_rows(Host(vms=[Vm(name="healthy"), Vm(name="unset", nics=[Nic()]), *(vms or (Vm(name="x"),))]))


# --- pitfalls: rows that differ in what must not matter ---------------------------------------------------------------

Change = Callable[[RowsByClass], None]


def every(rows: RowsByClass, **values: object) -> None:
    for row in (row for found in rows.values() for row in found):
        row.update({name: value for name, value in values.items() if name in row})


def localized(rows: RowsByClass) -> None:
    every(rows, Caption="虚拟机", Description="Ordinateur virtuel Microsoft", StatusDescriptions=["正常"])
    for row in rows[OFFERS]:
        row["ElementName"] = "Échange de données"


def english_on_the_machines_and_not_on_the_host(rows: RowsByClass) -> None:
    rows[MACHINES][0].update(Caption="Virtual Machine", Description="Microsoft Virtual Machine")


def cased(case: Callable[[str], str]) -> Change:
    def change(rows: RowsByClass) -> None:
        for row in (row for found in rows.values() for row in found):
            for name in ("Name", "SystemName", "VirtualSystemIdentifier"):
                if name in row and row[name] != "HV01":
                    row[name] = case(str(row[name]))
            if "InstanceID" in row and "\\HVR" not in str(row["InstanceID"]):
                head, _, rest = str(row["InstanceID"]).partition(":")
                kind, found, after = rest.partition("FailoverNetworkSetting")
                row["InstanceID"] = f"{head}:{found}{case(after)}" if found else f"{head}:{case(kind)}"

    return change


def mixed(text: str) -> str:
    return "".join(letter.lower() if place % 2 else letter.upper() for place, letter in enumerate(text))


def never(rows: RowsByClass) -> None:
    every(rows, LastReplicationTime="16010101000000.000000-000", InstallDate="16010101000000.000000-000")


def more(class_name: str, *instances: Mapping[str, object]) -> Change:
    return lambda rows: rows[class_name].extend(dict(one) for one in instances)


def templates(class_name: str) -> Change:
    names = [
        f"Microsoft:Definition\\{DATA_EXCHANGE}\\{kind}" for kind in ("Default", "Minimum", "Maximum", "Increment")
    ]
    names += [f"Microsoft:Pool\\{guid('pool')}", f"microsoft:definition\\{X}\\Default"]
    return more(class_name, *({"InstanceID": name, "EnabledState": 3, "IPAddresses": ["10.9.9.9"]} for name in names))


def copies(class_name: str) -> Change:
    """A checkpoint has its machine's adapters and services under a GUID of its own."""
    copy, nic = guid("checkpoint of x"), guid(f"{X} nic 0")
    instance = {
        FAILOVER: f"Microsoft:FailoverNetworkSetting\\{copy}\\{nic}",
        OFFERS: f"Microsoft:{copy}\\{DATA_EXCHANGE}",
        ADAPTERS: f"Microsoft:{copy}\\{nic}",
    }[class_name]
    setting = {"InstanceID": f"Microsoft:{copy}", "VirtualSystemIdentifier": X}
    kinds = ["Snapshot:Realized", "Snapshot:Recovery", "Snapshot:Replica:Standard", "Snapshot:Missing"]

    def change(rows: RowsByClass) -> None:
        rows[SETTINGS] += [{**setting, "VirtualSystemType": f"Microsoft:Hyper-V:{kind}"} for kind in kinds]
        rows[class_name].append({"InstanceID": instance, "EnabledState": 3, "IPAddresses": ["10.9.9.9"]})

    return change


def planned(rows: RowsByClass) -> None:
    """An import in progress: rows of settings, but no machine."""
    other = guid("imported")
    kind = "Microsoft:Hyper-V:System:Planned"
    rows[SETTINGS].append(
        {"InstanceID": f"Microsoft:{other}", "VirtualSystemIdentifier": other, "VirtualSystemType": kind}
    )
    rows[OFFERS].append({"InstanceID": f"Microsoft:{other}\\{DATA_EXCHANGE}", "EnabledState": 3})
    rows[FAILOVER].append(
        {"InstanceID": f"Microsoft:FailoverNetworkSetting\\{other}\\{other}", "IPAddresses": ["10.9.9.9"]}
    )


def nulls(*class_names: str) -> Change:
    """Rows whose keys are NULL or did not come: skip, don't crash."""

    def change(rows: RowsByClass) -> None:
        for name in class_names:
            rows[name] += [{}, {}]

    return change


def not_replicated_but_with_settings(rows: RowsByClass) -> None:
    other = guid("healthy")
    rows[REPLICATION].append({"InstanceID": f"Microsoft:{other}\\HVR\\1", "PrimaryHostSystem": None})


def other_services(rows: RowsByClass) -> None:
    """Other integration services are switched off; only Data Exchange matters."""
    rows[OFFERS].append({"InstanceID": f"Microsoft:{X}\\84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47", "EnabledState": 3})


KEYED = (SETTINGS, FAILOVER, OFFERS, RELATIONSHIPS, ADAPTERS, REPLICATION, CONNECTIONS, REPLICA_SERVER)
MUST_NOT_MATTER: dict[str, Change] = {
    "2 localized captions": localized,
    "2 an English description on the host's own row": english_on_the_machines_and_not_on_the_host,
    "3 replication settings without a host": not_replicated_but_with_settings,
    "7 planned machines": planned,
    **{f"8 copies in {name[5:20]}": copies(name) for name in (FAILOVER, OFFERS, ADAPTERS)},
    **{f"9 templates in {name[5:20]}": templates(name) for name in (OFFERS, ADAPTERS, CONNECTIONS, FAILOVER)},
    "10 rows with NULL keys": nulls(*KEYED, GUESTS, HEARTBEATS),
    "14 dates of 1601": never,
    "15 GUIDs in lower case": cased(str.lower),
    "15 GUIDs in upper case": cased(str.upper),
    "15 GUIDs in mixed case": cased(mixed),
    "16 other services switched off": other_services,
}


@pytest.mark.parametrize("change", MUST_NOT_MATTER.values(), ids=MUST_NOT_MATTER.keys())
def test_a_pitfall_changes_nothing(change: Change) -> None:
    rows = hostful()
    expected = server_of(source(Host(), rows=wire(hostful())))
    change(rows)
    assert server_of(source(Host(), rows=wire(rows))).machines == expected.machines


def test_the_changes_above_do_change_rows() -> None:
    for name, change in MUST_NOT_MATTER.items():
        rows = hostful()
        change(rows)
        assert rows != hostful(), name


# --- pitfalls that are seen -------------------------------------------------------------------------------------------


def test_pitfall_1_empty_is_not_none() -> None:
    """The provider hides rows from an account without rights instead of refusing."""
    server = server_of(source(Host(), rows={MACHINES: ()}))
    assert server.unread is not None
    assert server.unread.why is Why.NOT_PERMITTED
    assert server.machines == ()


def test_pitfall_4_the_middle_host_of_a_chain_shows_both_relationships() -> None:
    hops = [("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example")]
    middle = Vm(name="x", mode=2, power=3, hosts=hops, relationships={0: 3, 1: 8})
    machine = server_of(source(Host(name="HV02", vms=[middle]))).machines[0]
    assert (machine.role, machine.replicated) == (Role.REPLICA, True)
    assert machine.partners == ("hv01.dr.example", "hv03.dr.example")


@pytest.mark.parametrize(
    ("states", "own", "alive"),
    [
        ({0: 0, 1: 3}, 3, True),
        ({0: 3, 1: 0}, 3, True),
        ({0: 0, 1: 0}, 0, False),
        ({0: 3, 1: None}, 3, "gives no replication state"),
        ({0: 0, 1: 0}, 3, "disagree"),
    ],
)
def test_pitfall_3_the_state_of_either_relationship_counts(
    states: dict[int, int | None], own: int, alive: bool | str
) -> None:
    vm = Vm(name="x", mode=2, power=3, state=own, relationships=states)
    replicated = server_of(source(Host(vms=[vm]))).machines[0].replicated
    assert alive in replicated.reason if isinstance(replicated, Unread) else replicated is alive


@pytest.mark.parametrize("state", [5, 6, 12, 14])
def test_pitfall_5_a_failed_over_replica_is_still_one(state: int) -> None:
    machine = server_of(source(Host(vms=[Vm(name="x", mode=2, power=2, state=state)]))).machines[0]
    assert (machine.role, machine.replicated, machine.power) == (Role.REPLICA, True, Power.RUNNING)


def test_pitfall_6_a_test_replica_is_a_machine_but_no_side() -> None:
    replica = Vm(name="x", mode=2, power=3)
    test = Vm(name="x - Test", mode=3, state=0, relationships={})
    estate = estate_of(source(Host(vms=[replica, test])))
    assert [(machine.name, machine.role) for machine in estate.servers[0].machines] == [
        ("x", Role.REPLICA),
        ("x - Test", Role.TEST_REPLICA),
    ]
    assert [str(side) for side in estate.replicated] == ["hv01/x"]


def test_pitfall_6_a_test_replica_is_nobodys_partner() -> None:
    test = Vm(name="x - Test", guid=X, mode=3, state=0, power=2)
    estate = estate_of(
        source(Host(name="HV01", vms=[test])),
        source(Host(name="HV02", vms=[replica_of(Vm(name="x"))])),
    )
    assert [isinstance(side.partner, Unread) for side in estate.replicated] == [True]


def test_pitfall_12_a_broken_item_loses_only_itself() -> None:
    items = [kvp_item("OSName", "A & B"), "<broken", kvp_item("NetworkAddressIPv4", "10.1.0.20; ;10.1.0.21;")]
    guest = server_of(source(Host(vms=[Vm(name="x", items=items)]))).machines[0].guest
    assert guest is not None
    assert not isinstance(guest, Unread)
    assert (guest.os_name, guest.addresses) == ("A & B", ("10.1.0.20", "10.1.0.21"))


ARRAYS = [
    ({}, ()),
    ({"IPAddresses": None}, ()),
    ({"IPAddresses": ""}, ()),
    ({"IPAddresses": [None]}, ()),
    ({"IPAddresses": ["", " "]}, ()),
    ({"IPAddresses": "10.2.0.20"}, ("10.2.0.20",)),
    ({"IPAddresses": ["10.2.0.20", None, "2001:db8::20"]}, ("10.2.0.20", "2001:db8::20")),
]


@pytest.mark.parametrize(("arrays", "addresses"), ARRAYS)
def test_pitfall_13_absent_nil_and_blank_arrays_are_no_address(
    arrays: Mapping[str, str | list[str | None] | None], addresses: tuple[str, ...]
) -> None:
    instance = f"Microsoft:FailoverNetworkSetting\\{X}\\{guid('nic')}"
    row: Row = {"InstanceID": instance, "DHCPEnabled": "true", "ProtocolIFType": "0", **arrays}
    assert (
        server_of(source(Host(vms=[Vm(name="x")]), rows={FAILOVER: (row,)})).machines[0].failover_addresses == addresses
    )


def test_pitfall_13_a_row_without_anything_that_was_asked_for_was_not_read() -> None:
    row: Row = {"InstanceID": f"Microsoft:FailoverNetworkSetting\\{X}\\{guid('nic')}"}
    machine = server_of(source(Host(vms=[Vm(name="x")]), rows={FAILOVER: (row,)})).machines[0]
    assert isinstance(machine.failover, Unread)


UPTIMES = [
    (0, timedelta(0)),
    (HOUR, timedelta(hours=1)),
    (2**63 - 1, Unread("its time since start is absurd")),
    (2**64 - 1, Unread("its time since start is absurd")),
    (10**20, Unread("OnTimeInMilliseconds is no number")),
    (-1, Unread("OnTimeInMilliseconds is no number")),
    (None, Unread("its time since start is not given")),
]


@pytest.mark.parametrize(("uptime", "expected"), UPTIMES)
def test_pitfall_15_a_uint64_comes_as_text(uptime: int | None, expected: timedelta | Unread) -> None:
    assert server_of(source(Host(vms=[Vm(name="x", uptime=uptime)]))).machines[0].uptime == expected


def test_pitfall_16_the_offer_and_the_answer_are_two_things() -> None:
    machine = server_of(source(Host(vms=[Vm(name="x", offered=3, kvp=2)]))).machines[0]
    assert machine.data_exchange_offered is False
    assert machine.guest is not None
    assert not isinstance(machine.guest, Unread)
    assert machine.guest.answer is Answer.OK


def test_pitfall_18_dhcp_says_nothing_about_the_address() -> None:
    rows = hostful()
    for row in rows[FAILOVER]:
        row["DHCPEnabled"] = not row["DHCPEnabled"]
    assert (
        machine_of(rows).failover_addresses
        == machine_of(hostful()).failover_addresses
        == Vm(name="x").nics[0].addresses
    )


def test_pitfall_19_an_address_on_the_primary_counts() -> None:
    machine = server_of(source(Host(vms=[Vm(name="x", mode=1)]))).machines[0]
    assert machine.failover_addresses == Vm(name="x").nics[0].addresses


def test_pitfall_20_another_provider_is_said_once_a_server_and_its_partner_is_none_to_list() -> None:
    azure = [("hv01.dr.example", "Microsoft Azure")]
    vms = [Vm(name=name, provider=guid("asr"), hosts=azure) for name in "ab"]
    estate = estate_of(source(Host(vms=vms)))
    assert [(machine.replicated, machine.foreign, machine.partners) for machine in estate.servers[0].machines] == [
        (True, True, ())
    ] * 2
    (remark,) = (remark for remark in estate.servers[0].remarks if "provider" in remark)
    assert remark == (
        "2 virtual machines replicate through another provider than Hyper-V Replica's own, to Microsoft Azure: "
        "their failover happens there"
    )
    assert estate.unlisted == ()


def test_a_text_that_names_no_provider_is_hyper_v_replica() -> None:
    rows = host_rows(Host(vms=[Vm(name="x")]))
    for text in (None, "", "ReplicationProvider", "no path"):
        rows[REPLICATION][0]["ReplicationProvider"] = text
        machine = server_of(source(Host(), rows=wire(rows))).machines[0]
        assert (machine.foreign, machine.partners) == (False, ("hv02.dr.example",))


@pytest.mark.parametrize(("end", "foreign"), [("", False), (guid("asr"), True)])
def test_a_provider_without_end_costs_one_look_at_it(end: str, foreign: bool) -> None:
    rows = host_rows(Host(vms=[Vm(name="x")]))
    rows[REPLICATION][0]["ReplicationProvider"] = "ReplicationProvider" * 12_000 + end
    started = time.process_time()
    assert server_of(source(Host(), rows=wire(rows))).machines[0].foreign is foreign
    assert time.process_time() - started < 8  # about 10 ms; only a change of its order is an error


POWERS = {
    2: Power.RUNNING,
    3: Power.OFF,
    6: Power.SAVED,
    9: Power.PAUSED,
    0: Power.OTHER,
    10: Power.OTHER,
    32768: Power.OTHER,
}


@pytest.mark.parametrize("state", POWERS)
def test_pitfall_23_power_states(state: int) -> None:
    assert server_of(source(Host(vms=[Vm(name="x", power=state)]))).machines[0].power is POWERS[state]


# --- one machine in full ----------------------------------------------------------------------------------------------


def test_a_machine_in_full() -> None:
    vm = Vm(
        name="x",
        nics=[
            Nic(
                name="LAN", addresses=("10.2.0.20", "2001:db8::20"), subnets=("255.255.255.0", "64"), dns=("10.2.0.2",)
            ),
            Nic(name="Old", legacy=True, connected=False),
        ],
    )
    machine = server_of(source(Host(vms=[vm]))).machines[0]
    assert isinstance(machine.failover, tuple)
    assert not isinstance(machine.guest, Unread)
    assert machine.guest is not None
    (setting,) = machine.failover
    assert (str(setting), setting.subnets, setting.dns_servers) == (
        "10.2.0.20, 2001:db8::20",
        ("255.255.255.0", "64"),
        ("10.2.0.2",),
    )
    assert setting.adapter is not None
    assert (setting.adapter.name, setting.adapter.legacy, setting.adapter.connected) == ("LAN", False, True)
    assert setting.adapter.mac == "00155D" + guid(f"{X} nic 0")[:6]
    assert (machine.guest.os_name, machine.guest.addresses) == ("Windows Server 2019 Standard", ("10.1.0.20",))
    assert (machine.guid, machine.role, machine.power, machine.heartbeat) == (X, Role.PRIMARY, Power.RUNNING, Answer.OK)
    assert (machine.partners, machine.changed, machine.remarks, machine.doubt) == (("hv02.dr.example",), (), (), None)


def test_a_checkpoints_settings_are_not_its_machines() -> None:
    doubt = server_of(source(Host(vms=[Vm(name="x", realized=False, checkpoints=1)]))).machines[0].doubt
    assert doubt == Unread("its settings row is missing, which every virtual machine has")


def test_a_component_that_stands_twice_is_not_believed() -> None:
    rows = hostful()
    rows[GUESTS].append({"SystemName": X, "OperationalStatus": [12]})
    assert machine_of(rows).guest == Unread("its Data Exchange component stands twice")


def test_offers_that_contradict_each_other() -> None:
    rows = hostful()
    rows[OFFERS].append({"InstanceID": f"Microsoft:{X}\\{DATA_EXCHANGE.lower()}", "EnabledState": 3})
    assert machine_of(rows).data_exchange_offered == Unread("its Data Exchange rows contradict each other")


@pytest.mark.parametrize("order", [1, -1])
def test_a_machine_that_stands_twice_has_no_role(order: int) -> None:
    """Else the last row would decide whether the machine is judged at all."""
    rows = wire(host_rows(Host(vms=[Vm(name="x", mode=1), Vm(name="x", mode=0)])))
    estate = estate_of(source(Host(), rows={**rows, MACHINES: rows[MACHINES][::order]}))
    assert [str(side.machine.role) for side in estate.replicated] == ["it stands twice in the list of machines"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_machine_that_stands_twice_in_the_second_list(order: int) -> None:
    rows = wire(host_rows(Host(vms=[Vm(name="x", mode=1), Vm(name="x", mode=0)])))[MACHINES][::order]
    one = source(Host(vms=[Vm(name="x")]))
    assert isinstance(one.reading, Reading)
    estate = estate_of(replace(one, reading=replace(one.reading, again={MACHINES: rows})))
    assert [str(side.machine.role) for side in estate.replicated] == ["it stands twice in the list of machines"]


@pytest.mark.parametrize("name", ["", "  ", "\t\n"])
def test_a_machine_with_a_blank_name_is_called_by_its_guid(name: str) -> None:
    machine = server_of(source(Host(vms=[Vm(name=name, guid=X)]))).machines[0]
    assert str(machine) == f"hv01/{X}"


def test_names_and_addresses_are_no_longer_than_people_read() -> None:
    long = "x" * 100_000
    vm = Vm(name=long, nics=[Nic(name=long, addresses=(long,))], hosts=[("hv01", long)])
    machine = translate(snapshot(source(Host(vms=[vm])))).servers[0].machines[0]
    assert {len(text) for text in (machine.name, *machine.failover_addresses, *machine.partners)} == {MOST_LETTERS}


def test_a_machine_with_no_name_is_called_by_its_guid() -> None:
    rows = host_rows(Host(vms=[Vm(name="x")]))
    rows[MACHINES][1]["ElementName"] = None
    assert machine_of(rows, X).guid == X


HOSTILE = [
    "x\x1b[2J\x07",
    "\u202egpj.exe",
    "<script>alert(1)</script>",
    "a/b",
    "..\\..\\x",
    "x[1]::y",
    "e\u0301",
    "\ud800",
    "x\n\ny",
    " x ",
    "N" * 5000,
    "a&amp;b",
    "宿主",
    guid("someone else"),
    "HV01",
]


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    machine = server_of(source(Host(vms=[Vm(name=name, guid=X)]))).machines[0]
    assert (machine.name, machine.guid, machine.role, machine.doubt) == (cut(name), X, Role.PRIMARY, None)
    assert machine.failover_addresses == Vm(name="x", guid=X).nics[0].addresses


# --- server 2012 ------------------------------------------------------------------------------------------------------


def test_server_2012_names_the_partner_in_rows_without_a_number() -> None:
    host = Host(version="6.2.9200", vms=[Vm(name="x", mode=2, power=3)])
    rows = host_rows(host)
    assert RELATIONSHIPS not in rows
    assert {row["InstanceID"] for row in rows[REPLICATION]} == {f"Microsoft:{X}\\HVR"}
    machine = server_of(source(host)).machines[0]
    assert (machine.partners, machine.replicated, machine.remarks) == (("hv02.dr.example",), True, ())


@pytest.mark.parametrize(
    ("version", "replicated"), [("6.2.9200", True), ("6.3.9600", None), ("10.0.20348", None), ("?", None), (None, None)]
)
def test_only_2012_may_lack_the_relationship_class(version: str | None, replicated: bool | None) -> None:
    absent = {RELATIONSHIPS: Unread("not on this version", Why.ABSENT)}
    one = source(Host(vms=[Vm(name="x")]), rows=absent)
    assert isinstance(one.reading, Reading)
    found = server_of(replace(one, reading=replace(one.reading, version=version))).machines[0].replicated
    assert found is True if replicated else isinstance(found, Unread)


# --- the server -------------------------------------------------------------------------------------------------------


def test_what_the_inventory_says_of_a_server_comes_along() -> None:
    server = server_of(source(Host(vms=[Vm(name="x")]), site="Berlin", groups=("a",), insecure="accepts anything"))
    assert (server.site, server.groups, server.host_name, server.version) == ("Berlin", ("a",), "HV01", "10.0.20348")
    assert server.remarks == ("accepts anything",)


def test_a_healthy_server_has_no_remark() -> None:
    assert server_of(source(Host(vms=[Vm(name="x")], planned=["y"]))).remarks == ()


def test_an_unread_server_has_its_reason_and_its_remark() -> None:
    reason = Unread("refused", Why.LOGIN_REFUSED)
    server = server_of(replace(unread_source("hv01"), reading=reason, insecure="accepts anything"))
    assert (server.unread, server.machines, server.remarks) == (reason, (), ("accepts anything",))


def test_a_server_whose_machines_were_not_asked_for() -> None:
    one = source(Host(vms=[Vm(name="x")]))
    assert isinstance(one.reading, Reading)
    server = server_of(replace(one, reading=replace(one.reading, classes={})))
    assert str(server.unread) == "its virtual machines were not asked for"


def test_a_host_without_machines_is_in_doubt() -> None:
    server = server_of(source(Host()))
    assert server.machines == ()
    assert server.unread is None
    assert "`may_be_empty: true`" in str(server.doubt)


def test_a_host_without_machines_as_the_inventory_allows() -> None:
    assert server_of(source(Host(), may_be_empty=True)).doubt is None


def with_reading(**changes: object) -> ServerRecord:
    one = source(Host(vms=[Vm(name="x")]))
    assert isinstance(one.reading, Reading)
    return replace(one, reading=replace(one.reading, **changes))  # type: ignore[arg-type]


CLOCKS: list[tuple[timedelta | None, tuple[str, ...]]] = [
    (None, ()),
    (timedelta(0), ()),
    (timedelta(minutes=5), ()),
    (timedelta(minutes=-5), ()),
    (timedelta(minutes=7), ("its clock is 7 minutes ahead of this machine's",)),
    (timedelta(minutes=-90), ("its clock is 90 minutes behind this machine's",)),
]


@pytest.mark.parametrize(("ahead", "remarks"), CLOCKS)
def test_a_wrong_clock_is_a_remark(ahead: timedelta | None, remarks: tuple[str, ...]) -> None:
    server = server_of(with_reading(clock_ahead=ahead))
    assert (server.clock_ahead, server.remarks) == (ahead, remarks)


def test_the_notes_of_the_reading_are_remarks() -> None:
    assert server_of(with_reading(notes=("a", "b"))).remarks == ("a", "b")


def failover_row(owner: str) -> dict[str, object]:
    return {"InstanceID": f"Microsoft:FailoverNetworkSetting\\{owner}\\{guid('nic')}", "IPAddresses": ["10.9.9.9"]}


def remarks_of(rows: RowsByClass) -> tuple[str, ...]:
    return server_of(source(Host(), rows=wire(rows))).remarks


def test_an_assumption_that_a_server_contradicts_is_a_remark() -> None:
    rows = hostful()
    rows[FAILOVER].clear()
    (remark,) = remarks_of(rows)
    assert remark.startswith("contradicts what we assume, failover-row-unset: every synthetic adapter of a replicated")
    assert remark.endswith(": not so in 3 of 3: healthy, unset, x")


def test_refused_wql_is_told_once() -> None:
    (remark,) = server_of(with_reading(notes=("a", queries.REFUSES_WQL))).remarks[1:]
    assert remark.startswith("contradicts what we assume, wql-accepted: ")


def test_what_the_other_side_contradicts_is_a_remark() -> None:
    servers = estate_of(source(Host(vms=[Vm(name="x")])), source(Host(name="HV02", vms=[Vm(name="y")]))).servers
    assert [remark.partition(":")[0] for remark in servers[0].remarks] == [
        "contradicts what we assume, partner-holds-machine"
    ]


def test_a_server_that_does_not_replicate_needs_no_failover_rows() -> None:
    assert remarks_of(host_rows(Host(vms=[Vm(name="x", mode=0, state=0, nics=[])]))) == ()


@pytest.mark.parametrize("count", [1, 3])
def test_failover_rows_of_unknown_machines_are_counted(count: int) -> None:
    rows = hostful()
    rows[FAILOVER] += [failover_row(guid(f"unknown {number}").lower()) for number in range(count)]
    rows[FAILOVER] += [failover_row(guid("unknown 0"))]  # a second adapter of the same one
    (remark,) = remarks_of(rows)
    assert remark.startswith("contradicts what we assume, failover-row-owner: ")
    assert f": not so in {count} of {3 + count}: {guid('unknown 0')}" in remark


def test_failover_rows_of_checkpoints_and_planned_machines_are_not_unknown() -> None:
    rows = host_rows(Host(vms=[Vm(name="x", checkpoints=1, recovery_points=1)], planned=["y"]))
    rows[FAILOVER].append(failover_row(guid("y")))
    assert remarks_of(rows) == ()


@pytest.mark.parametrize("refused", [FAILOVER, SETTINGS])
def test_nothing_is_called_unknown_where_the_known_ones_were_not_read(refused: str) -> None:
    rows = hostful()
    rows[FAILOVER].append(failover_row(guid("unknown")))
    read = {**wire(rows), refused: Unread("refused")}
    assert server_of(source(Host(), rows=read)).remarks == ()


FOR_REMARKS = [ADAPTERS, "Msvm_EmulatedEthernetPortSettingData", HEARTBEATS, REPLICA_SERVER, CONNECTIONS]


@pytest.mark.parametrize("class_name", FOR_REMARKS)
def test_a_class_that_only_feeds_remarks_is_told_when_it_is_missing(class_name: str) -> None:
    server = server_of(source(Host(vms=[Vm(name="x")]), rows={class_name: Unread("refused")}))
    assert server.remarks == (f"{class_name} could not be read: refused",)


# --- several servers --------------------------------------------------------------------------------------------------


def test_servers_and_sides_keep_the_order_of_the_inventory() -> None:
    hosts = [Host(name=name, vms=[Vm(name=f"{name}-b"), Vm(name=f"{name}-A")]) for name in ("HV02", "HV01")]
    estate = estate_of(*(source(host) for host in hosts))
    assert [str(side) for side in estate.replicated] == ["hv02/HV02-A", "hv02/HV02-b", "hv01/HV01-A", "hv01/HV01-b"]


MIDDLE = Vm(
    name="x",
    mode=2,
    power=3,
    hosts=[("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example")],
    relationships={0: 3, 1: 3},
    nics=[Nic(name="b", addresses=("10.2.0.1", "10.2.0.2")), Nic(name="a", addresses=("10.2.0.3",)), Nic(name="c")],
    checkpoints=1,
)
MANY = [
    MIDDLE,
    Vm(name="y", items={"OSName": "A", "NetworkAddressIPv4": "10.0.0.2;10.0.0.1"}),
    Vm(name="Y", mode=0),
    Vm(name="unset", nics=[Nic()]),
]
WIRED = wire(host_rows(Host(name="HV02", vms=MANY, planned=["z"])))
WIRED = {
    **WIRED,
    FAILOVER: (
        *WIRED[FAILOVER],
        *({"InstanceID": "Microsoft:Stray", "IPAddresses": address} for address in ("10.9.9.1", "10.9.9.2")),
    ),
}


@settings(max_examples=examples(60), deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_means_nothing(shuffle: random.Random) -> None:
    first = estate_of(source(Host(), rows=WIRED))
    mixed_up: dict[str, Sequence[Row]] = {name: shuffle.sample(rows, len(rows)) for name, rows in WIRED.items()}
    as_rows = {name: tuple(rows) for name, rows in mixed_up.items()}
    assert estate_of(source(Host(), rows=as_rows)) == first


names = st.sampled_from(
    ["InstanceID", "Name", "ElementName", "EnabledState", "ReplicationMode", "ReplicationState"]
) | (
    st.sampled_from(["SystemName", "OperationalStatus", "IPAddresses", "VirtualSystemType", "VirtualSystemIdentifier"])
)
words = st.sampled_from(
    [X, "HV01", f"Microsoft:{X}", f"Microsoft:{X}\\{DATA_EXCHANGE}", f"Microsoft:{X}\\HVR\\0", "2", "3"]
)
contents = st.none() | words | st.text(max_size=8) | st.lists(st.none() | words | st.text(max_size=8), max_size=2)
any_rows = st.lists(st.dictionaries(names, contents, max_size=5), max_size=4).map(tuple)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*WIRED]), any_rows | st.just(Unread("refused"))), any_rows)
def test_no_row_of_any_class_raises(classes: dict[str, tuple[Row, ...]], again: tuple[Row, ...]) -> None:
    one = source(Host(vms=[Vm(name="x")]), rows=classes)
    assert isinstance(one.reading, Reading)
    estate_of(one, replace(one, name="hv02", reading=replace(one.reading, again={MACHINES: again})))
