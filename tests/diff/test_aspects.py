"""Each kind of change of one machine alone, what it flips, and what was not read of it."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

import pytest

from compliance.diff.aspects import ADAPTER, GUEST, MACHINE, machine_changes
from compliance.diff.compare import compare
from compliance.diff.difference import Audit, Fate
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Row, Unread
from tests.builders import snapshot
from tests.comparing import ADDRESS, SQL, audit, changes, entry_of, fates, flips, primary, replica
from tests.guests.replies import answers, guest, sections, service, windows_guest
from tests.hosts import HOUR, WINDOWS, Nic, Vm, guid

MAC = "00155D" + guid(f"{SQL.id} nic 1")[:6]
SECOND = Nic(name="Second")
FAILOVER = "Msvm_FailoverNetworkAdapterSettingData"

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str | None, str | None]], list[str]]] = {
    "nothing": ({}, {}, [], []),
    "uptime is no change": ({}, {"uptime": 200 * HOUR}, [], []),
    "renamed": ({}, {"name": "sql99"}, [("name", "", "sql01", "sql99")], []),
    "became a replica": ({}, {"mode": 2}, [("role", "", "primary", "replica")], []),
    "no longer replicated": (
        {},
        {"mode": 0, "state": 0},
        [
            ("role", "", "primary", "not replicated"),
            ("replication", "", "alive", "none"),
            (
                "addresses of today",
                "Network Adapter",
                "10.1.0.20, 255.255.255.0, 10.1.0.1 (static)",
                "10.1.0.20 (not known whether by DHCP)",
            ),
        ],
        ["passed -> not asked"],
    ),
    "switched off": (
        {},
        {"power": 3},
        [("power", "", "running", "off"), ("answer of the guest", "", "OK", None)],
        ["passed -> unknown"],
    ),
    "Data Exchange switched off": (
        {},
        {"offered": 3},
        [("Data Exchange", "", "offered", "switched off")],
        ["passed -> failed"],
    ),
    "Data Exchange not known": (
        {},
        {"offer_row": False},
        [("Data Exchange", "", "offered", "?")],
        ["passed -> unknown"],
    ),
    "the guest fell silent": (
        {},
        {"kvp": 12, "heartbeat": 12},
        [("answer of the guest", "", "OK", "no contact")],
        ["passed -> failed"],
    ),
    "the guest was not read": (
        {},
        {"kvp_row": False},
        [("answer of the guest", "", "OK", "?")],
        ["passed -> unknown"],
    ),
    "upgraded": (
        {},
        {"items": {**WINDOWS, "OSVersion": "10.0.20348", "IntegrationServicesVersion": "10.0.20348"}},
        [
            (
                "operating system",
                "",
                "Windows Server 2019 Standard 10.0.17763",
                "Windows Server 2019 Standard 10.0.20348",
            ),
            ("integration services", "", "10.0.17763", "10.0.20348"),
        ],
        [],
    ),
    "publishes its version no more": (
        {},
        {"items": {name: value for name, value in WINDOWS.items() if name != "IntegrationServicesVersion"}},
        [("integration services", "", "10.0.17763", None)],
        [],
    ),
    "another partner": (
        {},
        {"hosts": [("hv01.dr.example", "hv09.dr.example")]},
        [("partners", "", "hv02.dr.example", "hv09.dr.example")],
        [],
    ),
    "an adapter came": (
        {},
        {"nics": (ADDRESS, SECOND)},
        [("adapter", "Second", None, f"synthetic, {MAC}, connected")],
        [],
    ),
    "an adapter was renamed": (
        {"nics": (ADDRESS, SECOND)},
        {"nics": (ADDRESS, replace(SECOND, name="Third"))},
        [("adapter name", "Third", "Second", "Third")],
        [],
    ),
    "an adapter left its switch": (
        {},
        {"nics": (replace(ADDRESS, connected=False),)},
        [("adapter switch", "Network Adapter", "connected", "not connected")],
        [],
    ),
    "an adapter is legacy now": (
        {},
        {"nics": (replace(ADDRESS, legacy=True),)},
        [("adapter kind", "Network Adapter", "synthetic", "legacy")],
        ["passed -> failed"],
    ),
    "another address": (
        {},
        {"nics": (replace(ADDRESS, addresses=("10.2.0.21", "10.2.0.22")),)},
        [("failover addresses", "Network Adapter", "10.2.0.20", "10.2.0.21, 10.2.0.22")],
        [],
    ),
    "another network": (
        {},
        {"nics": (replace(ADDRESS, subnets=("255.0.0.0",), gateways=(), dns=("10.2.0.53",)),)},
        [
            ("failover subnets", "Network Adapter", "255.255.255.0", "255.0.0.0"),
            ("failover gateways", "Network Adapter", "10.2.0.1", None),
            ("failover DNS servers", "Network Adapter", None, "10.2.0.53"),
        ],
        [],
    ),
    "an address went": (
        {},
        {"nics": (replace(ADDRESS, addresses=(), subnets=(), gateways=()),)},
        [
            ("failover addresses", "Network Adapter", "10.2.0.20", None),
            ("failover subnets", "Network Adapter", "255.255.255.0", None),
            ("failover gateways", "Network Adapter", "10.2.0.1", None),
        ],
        ["passed -> not applicable"],
    ),
    "two adapters of one name": (
        {"nics": (ADDRESS, replace(ADDRESS, addresses=("10.2.0.30",)))},
        {"nics": (ADDRESS, replace(ADDRESS, addresses=("10.2.0.31",)))},
        [
            (
                "failover addresses",
                f"Network Adapter~{guid(f'{SQL.id} nic 1')[:8].lower()}",
                "10.2.0.30",
                "10.2.0.31",
            )
        ],
        [],
    ),
    "several at once": (
        {},
        {"name": "sql99", "offered": 3, "nics": (replace(ADDRESS, connected=False, dns=("10.2.0.53",)),)},
        [
            ("name", "", "sql01", "sql99"),
            ("Data Exchange", "", "offered", "switched off"),
            ("adapter switch", "Network Adapter", "connected", "not connected"),
            ("failover DNS servers", "Network Adapter", None, "10.2.0.53"),
        ],
        ["passed -> failed"],
    ),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_of_a_machine(case: str) -> None:
    before, after, expected, flipped = CHANGES[case]
    other = Vm(name="other", mode=0, state=0, hosts=())  # a server of which all machines lack a row is another matter
    old, new = (
        audit(primary(replace(SQL, **values), other), replica(SQL), complete=True) for values in (before, after)
    )
    for difference, swap in ((compare(old, new), False), (compare(new, old), True)):
        own = [one for one in difference.entries if one.guid == SQL.id and one.server == "hv01"]
        assert len(own) == bool(expected)
        for entry in own:
            assert entry.fate is Fate.STAYED
            told = [(what, of, now, was) if swap else (what, of, was, now) for what, of, was, now in changes(entry)]
            if case != "an adapter was renamed" or not swap:
                assert told == expected
            assert flips(entry) == [" -> ".join(reversed(one.split(" -> "))) if swap else one for one in flipped]
            assert entry.is_explained


def test_a_mac_address_and_an_adapter_of_which_the_switch_is_not_known() -> None:
    (old,) = audit(primary(SQL)).estate.servers[0].machines
    assert not isinstance(old.adapters, Unread)
    (nic,) = old.adapters
    for new_nic, expected in (
        (replace(nic, mac="00155D000000"), ("adapter MAC address", nic.mac, "00155D000000")),
        (replace(nic, mac=None), ("adapter MAC address", nic.mac, None)),
        (
            replace(nic, connected=Unread("no row"), connection=Unread("no row")),
            ("adapter switch", "connected", Unread("no row")),
        ),
    ):
        (found,) = machine_changes(old, replace(old, adapters=(new_nic,)))
        assert (found.what, found.before, found.after) == expected
        assert found.bears == (found.what == "adapter switch")


NOT_READ = {  # class -> what is not known any more of a machine, though it was read
    "Msvm_VirtualSystemSettingData": ["its rows"],
    FAILOVER: ["its rows", "failover addresses"],
    "Msvm_KvpExchangeComponentSettingData": ["its rows", "Data Exchange"],
    "Msvm_KvpExchangeComponent": ["answer of the guest"],
    "Msvm_ReplicationRelationship": ["replication"],
    "Msvm_ReplicationSettingData": ["partners"],
    "Msvm_SyntheticEthernetPortSettingData": ["adapters"],
    "Msvm_EthernetPortAllocationSettingData": ["adapter switch"],
}


@pytest.mark.parametrize("silence", [Unread("refused"), ()], ids=["refused", "empty"])
@pytest.mark.parametrize("class_name", NOT_READ)
def test_what_was_not_read_never_went(class_name: str, silence: object) -> None:
    old, new = audit(primary(SQL), replica(SQL)), audit(primary(SQL, rows={class_name: silence}), replica(SQL))
    for difference, side in ((compare(old, new), "after"), (compare(new, old), "before")):
        entry = entry_of(difference, "hv01/sql01")
        assert fates(difference) == {}
        if class_name == FAILOVER and silence == ():
            continue  # no failover row at all is an answer of its own, and judged as one
        assert all(isinstance(getattr(one, side), Unread) for one in entry.changes), entry.changes
        if silence != ():
            assert [one.what for one in entry.changes] == NOT_READ[class_name]


def test_adapters_of_one_kind_are_not_all_adapters() -> None:
    half = audit(primary(SQL, rows={"Msvm_EmulatedEthernetPortSettingData": Unread("refused")}), replica(SQL))
    entry = entry_of(compare(audit(primary(SQL), replica(SQL)), half), "hv01/sql01")
    assert changes(entry) == [("adapters", "", "Network Adapter", "?")]


def test_only_a_name_explains_no_flip() -> None:
    assert {what for what, bears, _ in MACHINE if not bears} == {"name", "node"}
    assert {what for what, bears, _ in (*GUEST, *ADAPTER) if bears} == {"adapter kind", "adapter switch"}


def test_published_items_that_were_too_large_are_not_known() -> None:
    short = primary(SQL)
    reading = replace(short.reading, too_large=("Msvm_KvpExchangeComponent.GuestIntrinsicExchangeItems",))  # type: ignore[type-var]
    entry = entry_of(compare(audit(short), audit(replace(short, reading=reading))), "hv01/sql01")
    assert [(what, after) for what, _, _, after in changes(entry)] == [
        ("operating system", "?"),
        ("integration services", "?"),
    ]


def test_what_a_look_inside_shows_is_compared_link_by_link() -> None:
    def looked(seen: dict[str, str] | Unread | None) -> Audit:
        whole = snapshot(primary(SQL), replica(SQL))
        estate = translate(whole if seen is None else replace(whole, guests=(guest("sql01", seen=seen),)))
        return Audit(estate=estate, verdicts=judge(estate))

    there, missing = sections(SQL), sections(SQL, scripts="")
    entry = entry_of(compare(looked(there), looked(missing)), "hv01/sql01")
    ((what, _, before, after),) = changes(entry)
    assert what == "inside of the guest"
    script = (("missing", "there"), ("nothing", "NetworkManager"), ("at least 1", "at least 2"), ("not known", "no"))
    assert before == reduce(lambda text, pair: text.replace(*pair), script, str(after))
    assert flips(entry) == ["passed -> failed"]
    assert changes(entry_of(compare(looked(there), looked(Unread("dead"))), "hv01/sql01"))[0][3] == "?"
    assert changes(entry_of(compare(looked(None), looked(there)), "hv01/sql01"))[0][2] is None
    assert fates(compare(looked(there), looked(there))) == {}


def test_what_a_look_into_windows_shows_is_compared_too() -> None:
    def looked(*services: Row) -> Audit:
        way = windows_guest("sql01", seen=answers(SQL, {"Win32_Service": [service("WinRM"), *services]}))
        estate = translate(replace(snapshot(primary(SQL), replica(SQL)), guests=(way,)))
        return Audit(estate=estate, verdicts=judge(estate))

    entry = entry_of(compare(looked(service()), looked(service(State="Stopped"))), "hv01/sql01")
    ((what, _, before, after),) = changes(entry)
    assert what == "inside of the guest"
    assert str(before).endswith("; service vmickvpexchange; runs: yes; disabled: no")
    assert before == str(after).replace("runs: no", "runs: yes")
    assert flips(entry) == ["passed -> failed"]
    ((_, _, _, after),) = changes(entry_of(compare(looked(service()), looked()), "hv01/sql01"))
    assert str(after).endswith("; no service")
