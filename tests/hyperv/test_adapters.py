"""What an adapter leads to, and what its guest uses on it now: one table each."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.adapters import parsed_addresses
from compliance.hyperv.estate import translate
from compliance.model import Adapter, AdapterConnection, Addresses, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source
from tests.host_rows import host_rows
from tests.hosts import Host, Nic, Vm, guid
from tests.wire_rows import wire

CONNECTIONS = "Msvm_EthernetPortAllocationSettingData"
SWITCHES = "Msvm_VirtualEthernetSwitch"
GUEST_ADDRESSES = "Msvm_GuestNetworkAdapterConfiguration"
SYNTHETIC = "Msvm_SyntheticEthernetPortSettingData"
FOUR = {"addresses": ("10.2.0.20",), "subnets": ("255.255.255.0",)}


def adapters(one: ServerRecord) -> tuple[Adapter, ...] | Unread:
    return translate(snapshot(one)).servers[0].machines[0].adapters


def adapter(one: ServerRecord) -> Adapter:
    found = adapters(one)
    assert not isinstance(found, Unread)
    return found[0]


def host(*nics: Nic, **changes: object) -> ServerRecord:
    return source(Host(vms=[Vm(name="x", nics=nics, **changes)]))  # type: ignore[arg-type]


def changed(class_name: str, *nics: Nic, **change: object) -> ServerRecord:
    """The server, with a property of each row of a class as it may come over the wire."""
    rows = wire(host_rows(Host(vms=[Vm(name="x", nics=nics or (Nic(),))])))
    return source(Host(), rows={**rows, class_name: tuple({**row, **change} for row in rows[class_name])})


def as_written_by_0_1(one: ServerRecord) -> ServerRecord:
    assert isinstance(one.reading, Reading)
    classes = {
        name: answer
        for name, answer in one.reading.classes.items()
        if name not in (SWITCHES, GUEST_ADDRESSES, "Msvm_SecuritySettingData")
    }
    return replace(one, reading=replace(one.reading, classes=classes, asked_properties=None))


NOT_ASKED = Unread("not asked for by hyperv-compliance 0.1", Why.NOT_ASKED)

LEADS_TO: dict[str, tuple[ServerRecord, AdapterConnection | Unread, str]] = {
    "a switch": (host(Nic(switch="LAN")), AdapterConnection.SWITCH, "LAN"),
    "nothing": (host(Nic(connected=False)), AdapterConnection.NONE, ""),
    "a switch that the server lacks": (host(Nic(switch="Gone")), AdapterConnection.LOST, ""),
    "a pool": (host(Nic(switch=None, pool=guid("pool"))), AdapterConnection.POOL, ""),
    "neither switch nor pool": (
        host(Nic(switch=None)),
        Unread("is enabled, but names neither switch nor pool"),
        "",
    ),
    "no connection row": (
        source(Host(vms=[Vm(name="x")]), rows={CONNECTIONS: ()}),
        Unread("has no connection row"),
        "",
    ),
    "a connection that was not read": (
        source(Host(vms=[Vm(name="x")]), rows={CONNECTIONS: Unread("refused", Why.REFUSED)}),
        Unread("its connection could not be read: refused", Why.REFUSED),
        "",
    ),
    "a connection row without its name": (
        changed(CONNECTIONS, InstanceID=None),
        Unread("hv01 shows a connection that can't be tied to an adapter; it may be this one's"),
        "",
    ),
    "another state": (
        changed(CONNECTIONS, EnabledState="5"),
        Unread("EnabledState is 5, which has no meaning here"),
        "",
    ),
    # what was inferred wrongly, or was silent, makes no adapter a question
    "switches that were refused": (
        source(Host(vms=[Vm(name="x")]), rows={SWITCHES: Unread("refused", Why.REFUSED)}),
        AdapterConnection.SWITCH,
        "",
    ),
    "switches that are not listed": (
        source(Host(vms=[Vm(name="x")]), rows={SWITCHES: ()}),
        AdapterConnection.SWITCH,
        "",
    ),
    "a path of another form, beside one that is known": (
        source(
            Host(vms=[Vm(name="x"), Vm(name="y")]),
            rows={
                CONNECTIONS: tuple(
                    {**row, "HostResource": "switch LAN"} if guid("x") in str(row["InstanceID"]).upper() else row
                    for row in wire(host_rows(Host(vms=[Vm(name="x"), Vm(name="y")])))[CONNECTIONS]
                )
            },
        ),
        Unread("names a switch in another form"),
        "",
    ),
    "switches by other names": (changed(SWITCHES, Name="C08CB7B8"), AdapterConnection.SWITCH, ""),
    "a path of another form": (changed(CONNECTIONS, HostResource="switch LAN"), AdapterConnection.SWITCH, ""),
    # what 0.1 did not ask for is judged by nobody
    "a switch, in a snapshot of 0.1": (as_written_by_0_1(host(Nic())), NOT_ASKED, ""),
    "nothing, in a snapshot of 0.1": (as_written_by_0_1(host(Nic(connected=False))), AdapterConnection.NONE, ""),
    "no switch, in a snapshot of 0.1": (
        as_written_by_0_1(host(Nic(switch=None))),
        Unread(f"names no switch, and whether it is connected to a pool was {NOT_ASKED}"),
        "",
    ),
}


@pytest.mark.parametrize("case", LEADS_TO)
def test_what_an_adapter_leads_to(case: str) -> None:
    one, connection, switch = LEADS_TO[case]
    found = adapter(one)
    assert (found.connection, found.switch) == (connection, switch)


# --- what a guest uses now --------------------------------------------------------------------------------------------

SENTENCE = (
    "The following Msvm_KvpExchangeDataItem.Name keys are deprecated: NetworkAddressIPv4, NetworkAddressIPv6, "
    "RDPAddressIPv4, and RDPAddressIPv6. Please configure guest IP addresses using "
    "Msvm_GuestNetworkAdapterConfiguration."
)
ITEMS = {"OSName": "Windows Server 2022 Standard", "NetworkAddressIPv4": "10.1.0.20"}
TWO = (Nic(), Nic(name="Backup", today=("10.9.0.20",), routers=()))
NONE_TOLD = Unread("its guest tells no address of it", Why.NO_GUEST_DATA)

USES: dict[str, tuple[ServerRecord, Addresses | Unread]] = {
    "a static one": (
        host(Nic(today=("10.1.0.7",))),
        Addresses(addresses=("10.1.0.7",), subnets=("255.255.255.0",), gateways=("10.1.0.1",), dynamic=False),
    ),
    "one by DHCP": (
        host(Nic(today=("10.1.0.7",), dhcp=True, routers=())),
        Addresses(addresses=("10.1.0.7",), subnets=("255.255.255.0",), dynamic=True),
    ),
    "none: the recorded row without guest data says DHCP": (host(Nic(), power=3, uptime=0), NONE_TOLD),
    "none, but Data Exchange says one": (
        host(Nic(today=()), items=ITEMS),
        Addresses(addresses=("10.1.0.20",)),
    ),
    "none, and Data Exchange says a sentence of Microsoft's": (
        host(Nic(today=()), items={**ITEMS, "NetworkAddressIPv4": SENTENCE}),
        NONE_TOLD,
    ),
    "none, but Data Exchange says one of two adapters": (host(*(replace(nic, today=()) for nic in TWO)), NONE_TOLD),
    "no address at all": (
        changed(GUEST_ADDRESSES, IPAddresses="nothing"),
        Unread("its row of the guest's addresses gives what is no address"),
    ),
    "what is no gateway": (
        changed(GUEST_ADDRESSES, DefaultGateways="x"),
        Unread("its row of the guest's addresses gives what is no gateway"),
    ),
    "neither DHCP nor static": (
        changed(GUEST_ADDRESSES, DHCPEnabled=None),
        Unread("its row of the guest's addresses does not say whether they come by DHCP"),
    ),
    "a protocol, and no address came": (
        changed(GUEST_ADDRESSES, Nic(today=()), IPAddresses=None, ProtocolIFType="4096"),
        Unread("its row of the guest's addresses names a protocol, but no address came with it"),
    ),
    "was refused": (
        source(Host(vms=[Vm(name="x")]), rows={GUEST_ADDRESSES: Unread("refused", Why.REFUSED)}),
        Unread("what its guest uses could not be read: refused", Why.REFUSED),
    ),
    "is silent": (
        source(Host(vms=[Vm(name="x")]), rows={GUEST_ADDRESSES: ()}),
        Unread("what its guest uses could not be read: hv01 shows not one row of its guests' addresses"),
    ),
    "by other names": (
        changed(GUEST_ADDRESSES, InstanceID="x"),
        Unread("what its guest uses could not be read: hv01 shows not one row of its guests' addresses"),
    ),
    "has no row of this adapter": (
        source(Host(vms=[Vm(name="x", nics=[Nic(guest_row=False)]), Vm(name="y")])),
        Unread("the guest's addresses have no row of it"),
    ),
    "in a snapshot of 0.1, of one adapter": (
        as_written_by_0_1(host(Nic(), items=ITEMS)),
        Addresses(addresses=("10.1.0.20",)),
    ),
    "in a snapshot of 0.1, of two": (as_written_by_0_1(host(*TWO, items=ITEMS)), NOT_ASKED),
}


@pytest.mark.parametrize("case", USES)
def test_what_a_guest_uses_now(case: str) -> None:
    one, today = USES[case]
    assert adapter(one).today == today


def test_each_adapter_has_its_own() -> None:
    found = adapters(host(*TWO, items=ITEMS))
    assert not isinstance(found, Unread)
    today = {one.name: one.today.addresses for one in found if isinstance(one.today, Addresses)}
    assert today == {"Network Adapter": ("10.1.0.20",), "Backup": ("10.9.0.20",)}


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, ["a", "b"], "Microsoft:x", "\x1b[2J"], ids=["null", "list", "text", "hostile"])
def test_a_row_that_can_t_be_tied_to_a_machine_may_be_anybodys(value: object) -> None:
    rows = wire(host_rows(Host(vms=[Vm(name="x", nics=[Nic(), Nic(name="Second")])])))
    first, *others = rows[SYNTHETIC]
    found = adapters(source(Host(), rows={**rows, SYNTHETIC: ({**first, "InstanceID": value}, *others)}))
    assert isinstance(found, Unread)
    assert found.reason.startswith("hv01 shows a network adapter that can't be tied to a machine (")
    assert found.reason.isprintable()


def test_a_legacy_one_may_be_anybodys_as_well() -> None:
    rows = wire(host_rows(Host(vms=[Vm(name="x")])))
    stray = {**rows[SYNTHETIC][0], "InstanceID": "Microsoft:x"}
    assert isinstance(adapters(source(Host(), rows={**rows, queries.LEGACY_ADAPTERS: (stray,)})), Unread)


def test_a_row_whose_name_did_not_come_may_be_anybodys() -> None:
    rows = wire(host_rows(Host(vms=[Vm(name="x")])))
    first, *others = rows[SYNTHETIC]
    nameless = {name: value for name, value in first.items() if name != "InstanceID"}
    assert isinstance(adapters(source(Host(), rows={**rows, SYNTHETIC: (nameless, *others)})), Unread)


def test_templates_checkpoints_and_empty_rows_are_nobodys() -> None:
    rows = host_rows(Host(vms=[Vm(name="x", checkpoints=1, recovery_points=1)]))
    rows[SYNTHETIC].append({})
    found = adapters(source(Host(), rows=wire(rows)))
    assert not isinstance(found, Unread)
    assert len(found) == 1


LETTERS = st.sampled_from([*"0123456789.", "255", "256", "::1", "\n", "\u0663", " "])
OCTETS = st.sampled_from(["0", "1", "9", "10", "99", "100", "199", "249", "255", "256", "01", "00", "1000", "", "a"])


@given(st.one_of(st.lists(LETTERS, max_size=9).map("".join), st.lists(OCTETS, min_size=3, max_size=5).map(".".join)))
@settings(max_examples=1000)
def test_an_address_is_known_as_by_a_parser(text: str) -> None:
    try:
        expected = (text,) if ip_address(text) else ()
    except ValueError:
        expected = ()
    assert parsed_addresses([text]) == expected
