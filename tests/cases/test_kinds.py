"""Estates of many kinds, each with its right word: settings, adapters, guests, chains, names, sites, mid-failover."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.audit import judge_snapshot
from compliance.judge.readiness import Direction, Word
from compliance.judge.scope import Scope
from compliance.model import Evidence, Judging
from compliance.snapshot.snapshot import Snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import WINDOWS, Host, Nic, Vm, freebsd, linux, replica_of

READY, IF, NOT, UNKNOWN, NONE, FOREIGN = (
    Word.READY,
    Word.READY_IF,
    Word.NOT_READY,
    Word.UNKNOWN,
    Word.NO_ADDRESS,
    Word.NOT_OURS,
)
TODAY, THERE = "10.1.0.50", "10.2.0.50"


def windows(address: str = TODAY, **items: str) -> dict[str, str]:
    return {**WINDOWS, "NetworkAddressIPv4": address, **items}


def uses(*today: str, **changes: object) -> Nic:
    """An adapter of the primary, without an address of its own."""
    return Nic(today=today, **changes)  # type: ignore[arg-type]


def gets(*addresses: str, gateway: str | None = None, **changes: object) -> Nic:
    """An adapter of the replica; its gateway is the first address of its network, unless said."""
    first = ".".join(addresses[0].split(".")[:3]) + ".1" if ":" not in addresses[0] else ""
    own = first if gateway is None else gateway
    return Nic(addresses=addresses, gateways=(own,) if own else (), **changes)  # type: ignore[arg-type]


GOOD = gets(THERE)
ONE, TWO = uses(TODAY), (uses(TODAY), uses("10.9.0.50", name="B"))


def primary(*nics: Nic, **changes: object) -> Vm:
    values: dict[str, object] = {"name": "app", "nics": nics or (ONE,), "items": windows(), **changes}
    return Vm(**values)  # type: ignore[arg-type]


def there(vm: Vm, *nics: Nic, **changes: object) -> Vm:
    return replica_of(vm, **{"nics": nics or (GOOD,), **changes})


def pair(vm: Vm, replica: Vm, *, sites: tuple[str | None, str | None] = ("berlin", "frankfurt")) -> Snapshot:
    here, away = sites
    return snapshot(source(Host(name="HV01", vms=[vm]), site=here), source(Host(name="HV02", vms=[replica]), site=away))


def word(found: Snapshot, direction: Direction = Direction.FAILOVER, server: str = "") -> Word:
    table = judge_snapshot(found, Scope())
    return next(
        one.word for one in table.readiness if one.direction is direction and server in ("", one.primary, one.replica)
    )


# --- what is set, adapter by adapter ----------------------------------------------------------------------------------

SETTINGS: dict[str, tuple[Nic, Word]] = {
    "/31": (gets(THERE, subnets=("255.255.255.254",), gateway="10.2.0.51"), READY),
    "/32": (gets(THERE, subnets=("255.255.255.255",)), READY),
    "/30, the network": (gets("10.2.0.48", subnets=("255.255.255.252",), gateway="10.2.0.49"), NOT),
    "/30, broadcast": (gets("10.2.0.51", subnets=("255.255.255.252",), gateway="10.2.0.49"), NOT),
    "/25, the upper half": (gets("10.2.0.200", subnets=("255.255.255.128",), gateway="10.2.0.129"), READY),
    "/25, a gateway in the lower half": (gets("10.2.0.200", subnets=("255.255.255.128",)), NOT),
    "/8, an address that ends in 0": (gets("10.2.0.0", subnets=("255.0.0.0",), gateway="10.0.0.1"), READY),
    "a mask with holes": (gets(THERE, subnets=("255.0.255.0",)), NOT),
    "no mask at all": (gets(THERE, subnets=("0.0.0.0",)), NOT),  # noqa: S104  # no address of ours
    "a prefix for IPv4": (gets(THERE, subnets=("24",)), NOT),
    "a mask upside down": (gets(THERE, subnets=("0.0.0.255",)), NOT),
    "its own gateway": (gets(THERE, gateway=THERE), NOT),
    "a gateway at the broadcast address": (gets(THERE, gateway="10.2.0.255"), NOT),
    "no gateway": (gets(THERE, gateway=""), READY),
    "one of two gateways elsewhere": (Nic(addresses=(THERE,), gateways=("10.2.0.1", "10.3.0.1")), NOT),
    "blanks around it": (Nic(addresses=(f" {THERE} ",), subnets=("255.255.255.0",), gateways=("10.2.0.1",)), READY),
    "a leading zero": (gets("10.02.0.50"), NOT),
    "a host's name": (gets("app.dr.example", subnets=("255.255.255.0",), gateway=""), NOT),
    "with its length": (gets(f"{THERE}/24", subnets=("255.255.255.0",), gateway=""), NOT),
    **{text: (gets(text), NOT) for text in ("127.0.0.5", "224.0.0.5", "169.254.2.5", "240.0.0.5", "0.1.2.3")},
    **{text: (gets(text), READY) for text in ("100.64.0.5", "198.18.0.5", "192.0.2.5")},
    "IPv6": (gets("2001:db8:2::50", gateway="2001:db8:2::1"), READY),
    "IPv6, a gateway by the link": (gets("2001:db8:2::50", gateway="fe80::1"), READY),
    "IPv6, /127": (gets("2001:db8:2::", subnets=("127",), gateway="2001:db8:2::1"), READY),
    "IPv6, /128": (gets("2001:db8:2::7", subnets=("128",), gateway="fe80::1"), READY),
    "IPv6, a mask of IPv4": (gets("2001:db8:2::50", subnets=("255.255.255.0",)), NOT),
    "IPv6, no prefix": (gets("2001:db8:2::7", subnets=("0",)), NOT),
    "IPv6, a prefix too long": (gets("2001:db8:2::7", subnets=("129",)), NOT),
    "both": (Nic(addresses=(THERE, "2001:db8:2::50"), gateways=("10.2.0.1", "fe80::1")), READY),
    "both, one mask": (gets(THERE, "2001:db8:2::50", subnets=("255.255.255.0",)), NOT),
    "IPv4 written as IPv6": (gets("::ffff:10.2.0.5", subnets=("64",)), NOT),
    "today's, at another site": (gets(TODAY), READY),  # a finding of its own, and the gate is closed
    "on no switch": (gets(THERE, connected=False), NOT),
    "no switch named": (gets(THERE, switch=None), UNKNOWN),
    "a pool": (gets(THERE, switch=None, pool="Microsoft:Pool\\x"), READY),
    "a switch that is gone": (gets(THERE, switch="Gone"), NOT),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_what_is_set(case: str) -> None:
    nic, expected = SETTINGS[case]
    vm = primary()
    assert word(pair(vm, there(vm, nic))) is expected


ADAPTERS: dict[str, tuple[tuple[Nic, ...], tuple[Nic, ...], Word]] = {
    "one of two": (TWO, (GOOD, Nic(name="B")), NOT),
    "both": (TWO, (GOOD, gets("10.9.2.50", name="B")), READY),
    "one of two, the other without a gateway": (
        (ONE, uses("192.168.5.5", name="iSCSI", routers=())),
        (GOOD, Nic(name="iSCSI")),
        READY,
    ),
    "one of two, the other by DHCP": ((ONE, uses("10.9.0.50", name="B", dhcp=True)), (GOOD, Nic(name="B")), READY),
    "only the one by DHCP": ((ONE, uses("10.9.0.50", name="B", dhcp=True)), (Nic(), gets("10.9.2.50", name="B")), NOT),
    "the third tells nothing": ((*TWO, uses(name="C")), (GOOD, gets("10.9.2.50", name="B"), Nic(name="C")), IF),
    "one on a legacy adapter": (
        (ONE, uses("10.9.0.9", name="L", legacy=True)),
        (GOOD, gets("10.9.2.9", name="L", legacy=True)),
        NOT,
    ),
    "a legacy adapter that needs one": (
        (ONE, uses("10.9.0.9", name="L", legacy=True, failover_row=False)),
        (GOOD, Nic(name="L", legacy=True, failover_row=False)),
        NOT,
    ),
    "the replica lacks one": (TWO, (GOOD,), NOT),
    "set on the primary only": ((gets(THERE, today=(TODAY,)),), (Nic(),), NOT),
    "set on both sides": ((gets(TODAY, today=(TODAY,)),), (GOOD,), READY),
    "set nowhere": ((ONE,), (Nic(),), NONE),
}


@pytest.mark.parametrize("case", ADAPTERS)
def test_adapters(case: str) -> None:
    here, away, expected = ADAPTERS[case]
    vm = primary(*here)
    assert word(pair(vm, there(vm, *away))) is expected


# --- guests -----------------------------------------------------------------------------------------------------------

RED_HATS = [
    *[
        ("Red Hat Enterprise Linux", version)
        for version in ("6.10", "7.9", "8", "8.6", "8.7", "9", "9.4", "9.5", "10.0")
    ],
    *[("CentOS Linux", "7"), ("CentOS Linux", "8"), ("CentOS Stream", "9"), ("AlmaLinux", "9.3")],
    *[("Rocky Linux", "8.9"), ("Oracle Linux Server", "8.8")],
]
SYSTEMS = {
    **dict.fromkeys(RED_HATS, IF),
    **dict.fromkeys([("Ubuntu", version) for version in ("17.10", "18.04", "20.04", "22.04", "24.04", "26.04")], NOT),
    **dict.fromkeys([("Ubuntu", version) for version in ("12.04", "16.04", "17.04")], IF),
    **dict.fromkeys([("Debian GNU/Linux", version) for version in ("11", "12", "13")], NOT),
    **dict.fromkeys([("Debian GNU/Linux", version) for version in ("9", "14")], IF),
    **dict.fromkeys([("SLES", "15.5"), ("SLES", "12.5"), ("openSUSE Leap", "15.5"), ("Fedora Linux", "40")], IF),
    **dict.fromkeys([("Alpine Linux", "3.19"), ("Arch Linux", "")], IF),
    ("", ""): UNKNOWN,
}


@pytest.mark.parametrize("system", SYSTEMS, ids=" ".join)
def test_systems(system: tuple[str, str]) -> None:
    vm = primary(items=linux(*system, TODAY))
    assert word(pair(vm, there(vm))) is SYSTEMS[system]


GUESTS: dict[str, tuple[dict[str, object], dict[str, object], Word]] = {
    "FreeBSD": ({"items": freebsd("14.1", TODAY)}, {}, IF),
    "FreeBSD takes no IPv6": ({"items": freebsd("12.4", TODAY)}, {"nics": [gets("2001:db8::7")]}, NOT),
    "an older Windows": ({"items": windows(OSName="Windows Server 2008 R2 Standard", OSVersion="6.1.7601")}, {}, IF),
    "tells nothing of itself": ({"items": {}}, {}, UNKNOWN),
    "does not answer": ({"kvp": 12}, {}, NOT),
    "does not answer yet": ({"kvp": 12, "uptime": 60_000}, {}, UNKNOWN),
    "does not answer, since when is not known": ({"kvp": 12, "uptime": None}, {}, UNKNOWN),
    "an older protocol": ({"kvp": 3}, {}, READY),
    "no common protocol": ({"kvp": 7}, {}, NOT),
    "answers no more": ({"kvp": 13}, {}, UNKNOWN),
    "a status without a meaning": ({"kvp": 6}, {}, UNKNOWN),
    "not offered on the replica": ({}, {"offered": 3}, NOT),
    "not offered on the primary": ({"offered": 3}, {"offered": 2}, UNKNOWN),
    "paused": ({"power": 9}, {}, READY),
    "saved": ({"power": 6, "uptime": 0}, {}, UNKNOWN),
    "off": ({"power": 3, "uptime": 0}, {}, UNKNOWN),
    "in another state": ({"power": 7}, {}, UNKNOWN),
    "shielded": ({}, {"shielded": True}, NOT),
}


@pytest.mark.parametrize("case", GUESTS)
def test_guests(case: str) -> None:
    here, away, expected = GUESTS[case]
    vm = primary(**here)
    assert word(pair(vm, there(vm, **away))) is expected  # type: ignore[arg-type]


# --- a failover that was made -----------------------------------------------------------------------------------------

NEW = gets(THERE, today=(THERE,))
MADE: dict[str, tuple[Nic, dict[str, object], dict[str, object], Word]] = {
    "landed": (NEW, {}, {}, READY),
    "landed, not committed": (NEW, {"state": 5}, {"state": 5}, READY),
    "landed, with one more": (gets(THERE, today=(THERE, "10.2.0.99")), {}, {}, READY),
    "landed, on Ubuntu": (NEW, {}, {"items": linux("Ubuntu", "24.04", THERE)}, READY),
    "landed, spelled otherwise": (gets("2001:DB8::5", today=("2001:db8:0::5",)), {}, {}, READY),
    "kept its address": (gets(THERE, today=(TODAY,)), {}, {"items": windows()}, NOT),
    "has one of two": (gets(THERE, "10.2.0.51", today=(THERE,)), {}, {}, NOT),
    "boots": (gets(THERE, today=(TODAY,)), {}, {"items": windows(), "uptime": 60_000}, UNKNOWN),
    "only a link-local address": (gets(THERE, today=("169.254.3.4",)), {}, {"items": windows("169.254.3.4")}, UNKNOWN),
    "does not answer": (gets(THERE, today=()), {}, {"kvp": 12}, NOT),
    "is off": (NEW, {}, {"power": 3, "uptime": 0}, UNKNOWN),
    "runs on both sides": (NEW, {"power": 2, "uptime": 10**8}, {}, NOT),
    "had no address to get": (uses(TODAY), {}, {"items": windows()}, NONE),
}


@pytest.mark.parametrize("case", MADE)
def test_a_failover_that_was_made(case: str) -> None:
    nic, here, away, expected = MADE[case]
    vm = primary(**{"power": 3, "uptime": 0, "state": 6, **here})  # type: ignore[arg-type]
    values = {"power": 2, "uptime": 10**8, "state": 6, "items": windows(THERE), **away}
    assert word(pair(vm, there(vm, nic, **values))) is expected


TESTS = {"landed": (THERE, 10**8, READY), "kept its address": (TODAY, 10**8, NOT), "boots": (TODAY, 60_000, READY)}


@pytest.mark.parametrize("case", TESTS)
def test_a_test_failover(case: str) -> None:
    today, uptime, expected = TESTS[case]
    vm = primary()
    test = Vm(
        name="app - Test",
        mode=3,
        state=0,
        relationships={},
        hosts=(),
        test_of=vm.id,
        nics=[gets(THERE, today=(today,))],
        items=windows(today),
        uptime=uptime,
    )
    servers = source(Host(name="HV01", vms=[vm])), source(Host(name="HV02", vms=[there(vm), test]))
    assert word(snapshot(*servers)) is expected


# --- servers, sites, chains -------------------------------------------------------------------------------------------

VM = primary()


def named(here: str, away: str) -> Snapshot:
    vm = replace(VM, hosts=((here, away),))
    return pair(vm, there(vm))


def chain(middle: Nic, last: Nic, *, listed: bool = True) -> Snapshot:
    hosts = (("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example"))
    servers = [
        source(Host(name="HV01", vms=[VM]), site="berlin"),
        source(Host(name="HV02", vms=[there(VM, middle, hosts=hosts, relationships={0: 3, 1: 3})]), site="frankfurt"),
        source(Host(name="HV03", vms=[there(VM, last, mode=4, hosts=hosts[1:])]), site="paris"),
    ]
    return snapshot(*servers[: 3 if listed else 2])


OTHER = primary(uses("10.1.0.51"), name="other", items=windows("10.1.0.51"))
LOCAL = Vm(name="local", mode=0, state=0, relationships={}, hosts=(), nics=[uses(THERE)], items=windows(THERE))
ESTATES: dict[str, tuple[Snapshot, Word]] = {
    "short names": (named("HV01", "HV02"), READY),
    "short and full names": (named("HV01", "hv02.dr.example"), READY),
    "full names, spelled otherwise": (named("HV01.DR.EXAMPLE.", "Hv02.dr.example"), READY),
    "the primary names another server": (named("hv01.dr.example", "hv09.dr.example"), UNKNOWN),
    "the primary was not read": (snapshot(unread_source("hv01"), source(Host(name="HV02", vms=[there(VM)]))), UNKNOWN),
    "the replica was not read": (snapshot(source(Host(name="HV01", vms=[VM])), unread_source("hv02")), UNKNOWN),
    "the primary is not listed": (snapshot(source(Host(name="HV02", vms=[there(VM)]))), UNKNOWN),
    "the replica is not listed": (snapshot(source(Host(name="HV01", vms=[VM]))), UNKNOWN),
    "no sites": (pair(VM, there(VM), sites=(None, None)), READY),
    "one site named": (pair(VM, there(VM), sites=("berlin", None)), READY),
    "set for another too": (
        snapshot(
            source(Host(name="HV01", vms=[VM, OTHER])), source(Host(name="HV02", vms=[there(VM), there(OTHER, GOOD)]))
        ),
        NOT,
    ),
    "another there has it now": (
        snapshot(source(Host(name="HV01", vms=[VM])), source(Host(name="HV02", vms=[there(VM), LOCAL]))),
        NOT,
    ),
    "the host there has it": (pair(VM, there(VM, gets("10.2.0.5"))), NOT),
    "another provider": (pair(primary(provider="AAAAAAAA-272C-4DDF-BA88-9BEFB1A0975C"), LOCAL), FOREIGN),
    "evidence: bpa": (replace(pair(VM, there(VM)), settings=Judging(evidence=Evidence.BPA)), IF),
    "a chain": (chain(GOOD, gets("10.3.0.50")), READY),
}


@pytest.mark.parametrize("case", ESTATES)
def test_estates(case: str) -> None:
    found, expected = ESTATES[case]
    assert word(found) is expected


@pytest.mark.parametrize("version", ["6.2.9200", "6.3.9600", "10.0.14393", "10.0.20348", "10.0.26100"])
def test_versions(version: str) -> None:
    servers = [Host(name="HV01", vms=[VM], version=version), Host(name="HV02", vms=[there(VM)], version=version)]
    assert word(snapshot(*map(source, servers))) is READY


CHAINS: dict[str, tuple[Snapshot, Word]] = {
    "each has its own": (chain(GOOD, gets("10.3.0.50")), READY),
    "none on the last": (chain(GOOD, Nic()), NONE),
    "none on the middle": (chain(Nic(), gets("10.3.0.50")), READY),
    "the last on no switch": (chain(GOOD, gets("10.3.0.50", connected=False)), NOT),
    "the last is not listed": (chain(GOOD, gets("10.3.0.50"), listed=False), UNKNOWN),
}


@pytest.mark.parametrize("case", CHAINS)
def test_chains(case: str) -> None:
    found, expected = CHAINS[case]
    assert word(found, Direction.EXTENDED_FAILOVER) is expected
