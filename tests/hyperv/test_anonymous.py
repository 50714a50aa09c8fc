"""What becomes of one row, one text, one address: its form stays, its words don't."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.commands.doctor.record.anonymous import LEFT_OUT, anonymised
from compliance.commands.doctor.record.rows import PROPERTIES
from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.kvp import MAX_ITEM, Lost, parse_item
from compliance.model import Row, Unread
from compliance.rules.evidence.table import SYSTEMS
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from tests.builders import snapshot, source
from tests.host_rows import kvp_item
from tests.hosts import DATA_EXCHANGE, NOW, Host, guid

Value = str | list[str | None] | None


def row_of(class_name: str, **row: Value) -> Row:
    reading = Reading(started=NOW, finished=NOW, classes={class_name: (row,)})
    (server,) = anonymised(snapshot(ServerRecord(name="hv01", reading=reading))).servers
    assert isinstance(server.reading, Reading)
    (found,) = server.reading.classes[class_name]  # type: ignore[misc]
    return found


X, Y = "A0000001-FACE-4000-8000-000000000001", "A0000002-FACE-4000-8000-000000000002"
A, B = guid("a"), guid("b")

PATH = (
    "\\\\{}\\root\\virtualization\\v2:Msvm_VirtualEthernetSwitch.CreationClassName="
    '"Msvm_VirtualEthernetSwitch",Name="{}"'
)
IDENTIFIERS = {
    PATH.format("HV01", A): PATH.format("SERVER-1", X),
    f"Microsoft:HV01\\\\ReplicationProvider\\\\{A}": f"Microsoft:SERVER-1\\\\ReplicationProvider\\\\{A}",
    f"Microsoft:{A}": f"Microsoft:{X}",
    f"Microsoft:{A}\\{B}\\C": f"Microsoft:{X}\\{Y}\\C",
    f"Microsoft:{A.lower()}\\HVR\\0": f"Microsoft:{X.lower()}\\HVR\\0",
    f"Microsoft:{A[:8]}{A[8:].lower()}\\HVR\\1": f"Microsoft:{X[:8]}{X[8:].lower()}\\HVR\\1",
    f"Microsoft:{A}\\{DATA_EXCHANGE}": f"Microsoft:{X}\\{DATA_EXCHANGE}",
    f"Microsoft:FailoverNetworkSetting\\{A}\\{B}": f"Microsoft:FailoverNetworkSetting\\{X}\\{Y}",
    f"microsoft:definition\\{A}\\Default": f"microsoft:definition\\{X}\\Default",
    "Microsoft:HV01\\HVR": "Microsoft:SERVER-1\\HVR",
    "Microsoft:sql.dr.example\\HVR": "Microsoft:word-1.word-2.word-3\\HVR",
    "Microsoft:10.1.0.11\\HVR": "Microsoft:21.1.0.1\\HVR",
    "Microsoft:10.1.7.8.9.300\\HVR": "Microsoft:21.1.1.1.1.256\\HVR",
    f"Microsoft:{{{A}}}\\{B}": f"Microsoft:{{{X}}}\\{Y}",
    f"xMicrosoft:{A}\\{B}": f"Word-1:{X}\\{Y}",
    f"Microsoft:{A}x\\{B}": f"Microsoft:Word-1\\{X}",
    f"Microsoft:{A[:-1]}": "Microsoft:WORD-1",
    f" Microsoft:{A}\n": f" Microsoft:{X}\n",
    "Microsoft:Secret\\7\\77\\777": "Microsoft:Word-1\\7\\77\\word-2",
    "": "",
    "\\": "\\",
}


@pytest.mark.parametrize(("before", "after"), IDENTIFIERS.items())
def test_an_identifier_keeps_its_form(before: str, after: str) -> None:
    assert row_of(queries.MACHINE_SETTINGS, InstanceID=before) == {"InstanceID": after}


SAME: Value = ["127.0.0.1", "0.0.0.0", "::", "::1"]  # noqa: S104  # nobody binds to it
MASKS: Value = ["255.255.240.0", "64", "255.255.255.255"]
RECOVERY_POINT = "Microsoft:Hyper-V:Snapshot:Replica:Standard"
CASES: list[tuple[str, str, Value, Value]] = [
    (queries.MACHINES, "EnabledState", "32768", "32768"),
    (queries.MACHINES, "EnabledState", "three", "number-1"),
    (queries.MACHINES, "EnabledState", "-1", "number-1"),
    (queries.MACHINES, "EnabledState", "9" * 21, "number-1"),
    (queries.MACHINES, "EnabledState", ["2", None], ["2", None]),
    (queries.MACHINES, "EnabledState", None, None),
    (queries.MACHINES, "Secret", "secret", None),
    (queries.MACHINES, "ElementName", "  ", "  "),
    (queries.MACHINES, "ElementName", "x/y[1]\x1b:\u202e", "vm-1/[]\x1b:\u202e"),
    (queries.FAILOVER_ADDRESSES, "DHCPEnabled", "TRUE", "TRUE"),
    (
        queries.FAILOVER_ADDRESSES,
        "IPAddresses",
        ["10.1.0.11", "10.1.0.12", "10.2.0.11"],
        ["21.1.0.1", "21.1.0.2", "21.2.0.1"],
    ),
    (queries.FAILOVER_ADDRESSES, "IPAddresses", [None, " ", " 10.1.0.11\t"], [None, " ", " 21.1.0.1\t"]),
    (queries.FAILOVER_ADDRESSES, "IPAddresses", SAME, SAME),
    (
        queries.FAILOVER_ADDRESSES,
        "IPAddresses",
        ["not set: x", "10.1.0.11/24"],
        ["word-1 word-2: word-3", "21.1.0.1/word-4"],
    ),
    (queries.FAILOVER_ADDRESSES, "Subnets", MASKS, MASKS),
    (
        queries.FAILOVER_ADDRESSES,
        "Subnets",
        ["10.1.0.11", "255.0.255.0", "secret"],
        ["21.1.0.1", "255.0.255.0", "word-1"],
    ),
    (queries.SYNTHETIC_ADAPTERS, "Address", "00155D01AB02", "00155D000001"),
    (queries.SYNTHETIC_ADAPTERS, "Address", "00-15-5d-01-ab-02", "00-15-5d-00-00-01"),
    (queries.SYNTHETIC_ADAPTERS, "Address", ["3C:22:FB:01:AB:02", "00155D1"], ["02:00:00:00:00:01", "WORD-1"]),
    (queries.SYNTHETIC_ADAPTERS, "Address", "000000000000", "000000000000"),
    (queries.SYNTHETIC_ADAPTERS, "Address", "secret", "word-1"),
    (queries.SYNTHETIC_ADAPTERS, "ElementName", "Network Adapter", "adapter-1"),
    (queries.MACHINE_SETTINGS, "Version", "5.0", "5.0"),
    (queries.MACHINE_SETTINGS, "Version", "5.0-secret", "version-1"),
    (queries.MACHINE_SETTINGS, "VirtualSystemType", RECOVERY_POINT, RECOVERY_POINT),
    (queries.MACHINE_SETTINGS, "VirtualSystemType", "Microsoft:Secret", "Microsoft:Word-1"),
    (queries.KVP_COMPONENTS, "StatusDescriptions", ["In Ordnung", "In Ordnung"], ["text-1", "text-1"]),
    (queries.KVP_COMPONENTS, "SystemName", f"{{{A}}}", f"{{{X}}}"),
    (queries.REPLICATION, "PrimaryHostSystem", "HV01.dr.example", "SERVER-1.domain-1.domain-2"),
    (queries.REPLICATION, "PrimaryHostSystem", " hv08.EXAMPLE. ", " server-2.DOMAIN-1. "),
    (queries.REPLICATION, "PrimaryHostSystem", "10.1.0.11", "21.1.0.1"),
    (queries.REPLICATION, "PrimaryHostSystem", "fe80::1:2%eth0", "fe80::1:1%zone-1"),
]  # fmt: skip


def test_the_servers_own_row_has_the_servers_name() -> None:
    row = row_of(queries.MACHINES, Name="HV01", ElementName="HV01")
    assert row == {"Name": "SERVER-1", "ElementName": "SERVER-1"}


def test_switches_are_named_by_paths() -> None:
    assert row_of(queries.CONNECTIONS, HostResource=[PATH.format("HV01", A)]) == {
        "HostResource": [PATH.format("SERVER-1", X)]
    }


@pytest.mark.parametrize(("class_name", "name", "before", "after"), CASES)
def test_a_property(class_name: str, name: str, before: Value, after: Value) -> None:
    row = row_of(class_name, **{name: before})
    assert row == ({name: after} if name in PROPERTIES else {"property-1": "value-1"})


SIX = {
    "2001:db8:1::17": "1001:1:1::1",
    "2001:DB8::A:B": "1001:1::1:1",
    "2001:0db8:0000:0000:0000:0000:0000:0017": "1001:0001:0000:0000:0000:0000:0000:0001",
    "::ffff:10.1.0.11": "::ffff:21.1.0.1",
    "64:ff9b::10.1.0.11": "1001:1::21.1.0.1",
    "fe80::215:5dff:fe01:ab02": "fe80::1:1:1:1",
    "2001:db8:1:2:3:4:5:6": "1001:1:1:1:1:1:1:1",
    "1::": "1001::",
    "::2:3": "::1:1",
}


@pytest.mark.parametrize(("before", "after"), SIX.items())
def test_an_address_of_version_6_keeps_its_form(before: str, after: str) -> None:
    assert row_of(queries.FAILOVER_ADDRESSES, IPAddresses=before) == {"IPAddresses": after}


def test_addresses_of_one_network_stay_in_one() -> None:
    before = ["2001:db8:1::17", "2001:db8:1::18", "2001:db8:2::17", "2001:db9::17", "fd00::17"]
    after = ["1001:1:1::1", "1001:1:1::2", "1001:1:2::1", "1001:2::1", "1002::1"]
    assert row_of(queries.FAILOVER_ADDRESSES, IPAddresses=before) == {"IPAddresses": after}


def test_a_network_may_be_full() -> None:
    before = [f"10.1.0.{last}" for last in range(256)] + [f"{first}.1.1.1" for first in range(1, 255)]
    row = row_of(queries.FAILOVER_ADDRESSES, IPAddresses=before)
    assert len(set(row["IPAddresses"])) == len(before)


ITEMS = {
    "FullyQualifiedDomainName": ("sql.dr.example", "machine-1.domain-1.domain-2"),
    "OSName": ("Red Hat Enterprise Linux for Acme 9.4", "Red Hat Enterprise Linux word-1 Word-2 9.4"),
    "OSVersion": ("10.0.17763", "10.0.17763"),
    "OSMajorVersion": ("22.04", "22.04"),
    "OSBuildNumber": ("5.14.21-150500.55.52-default", "5.14.21-150500.55.52-default"),
    "CSDVersion": ("6.1.0-acme", "6.1.word-1"),
    "IntegrationServicesVersion": ("10.1.0.11", "21.1.0.1"),
    "NetworkAddressIPv4": ("10.1.0.11;10.1.0.12", "21.1.0.1;21.1.0.2"),
    "NetworkAddressIPv6": ("fe80::1; secret", "fe80::1; word-1"),
    "ProcessorArchitecture": ("x86_64", "x86_64"),
}


@pytest.mark.parametrize("name", ITEMS)
def test_an_item(name: str) -> None:
    before, after = ITEMS[name]
    row = row_of(queries.KVP_COMPONENTS, GuestIntrinsicExchangeItems=kvp_item(name, before))
    assert parse_item(str(row["GuestIntrinsicExchangeItems"])) == (name, after)


def test_the_systems_that_the_table_knows_keep_their_names() -> None:
    for name in {name.removesuffix("*") for row in SYSTEMS for name in row.names}:
        row = row_of(queries.KVP_COMPONENTS, GuestIntrinsicExchangeItems=kvp_item("OSName", name))
        assert parse_item(str(row["GuestIntrinsicExchangeItems"])) == ("OSName", name)


def test_an_item_of_another_name() -> None:
    row = row_of(queries.KVP_COMPONENTS, GuestIntrinsicExchangeItems=[kvp_item("Owner", "A & B"), None, ""])
    (item, null, blank) = row["GuestIntrinsicExchangeItems"] or ()
    assert (parse_item(str(item)), null, blank) == (("key-1", "value-1&"), None, "")


LOST = {
    Lost.TOO_LONG: "<secret>" * (MAX_ITEM // 8) + "x",
    Lost.FORBIDDEN: "<!DOCTYPE secret><secret/>",
    Lost.NO_XML: "secret",
    Lost.NO_PAIR: "<secret/>",
}


@pytest.mark.parametrize("lost", Lost)
def test_a_broken_item_is_broken_in_the_same_way(lost: Lost) -> None:
    assert parse_item(LOST[lost]) is lost
    after = str(row_of(queries.KVP_COMPONENTS, GuestIntrinsicExchangeItems=LOST[lost])["GuestIntrinsicExchangeItems"])
    assert parse_item(after) is lost
    assert "secret" not in after


def test_what_we_said_ourselves_keeps_no_word_of_a_host() -> None:
    reading = Reading(
        started=NOW,
        finished=NOW,
        version="10.0-secret",
        clock_ahead=timedelta(seconds=5),
        classes={
            queries.MACHINES: Unread(
                "Zugriff auf secret [AccessDenied, fault 5 (0x00000005), secret]", Why.NOT_PERMITTED
            ),
            "secret": (),
        },
        too_large=(f"{queries.KVP_COMPONENTS}.{queries.GUEST_ITEMS}", f"{queries.KVP_COMPONENTS}.secret"),
        notes=(
            queries.REFUSES_WQL,
            f"sent characters in {queries.MACHINES} that XML forbids; they stand as U+FFFD",
            "its clock could not be read: secret: HTTP 500: secret",
        ),
    )
    whole = Snapshot(
        estate="secret",
        time=NOW,
        tool="hyperv-compliance 0.1.0",
        inventory_digest="sha256:abcd",
        servers=(ServerRecord(name="secret", insecure="secret", site="secret", groups=("secret",), reading=reading),),
    )
    after = anonymised(whole)
    (server,) = after.servers
    assert (after.estate, after.tool, after.inventory_digest) == ("estate-1", "hyperv-compliance 0.1.0", LEFT_OUT)
    assert (server.name, server.site, server.groups, server.insecure) == ("server-1", "site-1", ("group-1",), LEFT_OUT)
    assert server.reading == replace(
        reading,
        version="version-1",
        classes={
            queries.MACHINES: Unread(f"{LEFT_OUT} [fault 5 (0x00000005)]", Why.NOT_PERMITTED),
            "class-1": (),
        },
        too_large=(f"{queries.KVP_COMPONENTS}.{queries.GUEST_ITEMS}", "property-1"),
        notes=(*reading.notes[:2], f"{LEFT_OUT} [HTTP 500]"),
    )


@pytest.mark.parametrize(
    ("endpoint", "after"),
    [
        ("hv01.dr.example:5986", "server-1.domain-1.domain-2:5986"),
        ("10.1.0.11:5986", "21.1.0.1:5986"),
        ("2001:db8::17:5986", "1001:1::1:5986"),
        ("hv01", "server-1"),
        ("", ""),
    ],
)
def test_an_endpoint(endpoint: str, after: str) -> None:
    assert anonymised(snapshot(source(Host(), endpoint=endpoint))).servers[0].endpoint == after


def test_what_a_limit_says_is_left_out() -> None:
    narrowed = replace(snapshot(source(Host(name="HV01"))), limit="secret*", left_out=("secret.dr.example",))
    found = anonymised(narrowed)
    assert found.limit == LEFT_OUT
    assert "secret" not in repr(found)
    assert len(found.left_out) == 1
