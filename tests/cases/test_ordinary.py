"""No false alarm: ordinary estates leave the gate open, and each of their machines has its word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from compliance.audit import judge_snapshot
from compliance.hyperv.estate import translate
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, Word
from compliance.judge.scope import Scope
from compliance.report.table import Table
from compliance.rule import Result, Severity
from compliance.snapshot.snapshot import Snapshot
from tests.builders import snapshot, source
from tests.hosts import HOUR, WINDOWS, Host, Nic, Vm, linux, replica_of

PAIRS = 20
OFF = {"power": 3, "uptime": 0}


def nic(number: int, *, to: bool = True, **changes: object) -> tuple[Nic, Nic]:
    """An adapter on the primary, with a static address of Berlin, and on the replica with one of Frankfurt."""
    network, host = divmod(number, 200)
    here: dict[str, Any] = {"today": (f"10.1.{network}.{host + 20}",), **changes}
    there = {"addresses": (f"10.2.{network}.{host + 20}",), "gateways": (f"10.2.{network}.1",)} if to else {}
    return Nic(**here), Nic(**{**here, **there, "today": ()})  # type: ignore[arg-type]


def pair(name: str, number: int, *adapters: tuple[Nic, Nic], **changes: object) -> tuple[Vm, Vm]:
    """Both sides of one machine, which replicates from one of the servers in Berlin to one in Frankfurt."""
    one = number % PAIRS
    hosts = [(f"bln{one:02d}.dr.example", f"fra{one:02d}.dr.example")]
    own, theirs = zip(*adapters, strict=True)
    there = {key.removeprefix("there_"): changes.pop(key) for key in list(changes) if key.startswith("there_")}
    values: dict[str, Any] = {"items": {**WINDOWS, "NetworkAddressIPv4": ""}, **changes}
    primary = Vm(name=name, hosts=hosts, nics=own, **values)
    return primary, replica_of(primary, **{"nics": theirs, **there})


STORAGE = (Nic(name="iSCSI", today=("192.168.50.7",), routers=()), Nic(name="iSCSI", switch=None, connected=False))


def ordinary(number: int) -> tuple[Vm, Vm]:
    """Most machines are plain; some of each hundred are of another kind that is nobody's mistake."""
    kind, name = number % 25, f"vm{number:03d}"
    if kind == 0:
        return pair(f"off{number:03d}", number, nic(number, to=False, today=()), **OFF)
    if kind in (1, 2):
        return pair(f"dhcp{number:03d}", number, nic(number, to=False, dhcp=True))
    if kind in (3, 4):
        return pair(f"san{number:03d}", number, nic(number), STORAGE)
    if kind == 5:
        own, theirs = nic(number, to=False, dhcp=True)
        return pair(f"loose{number:03d}", number, (own, replace(theirs, connected=False, switch=None)))
    if kind == 6:
        items = linux("Red Hat Enterprise Linux", "9.6", "")
        return pair(f"rhel{number:03d}", number, nic(number), items=items)
    return pair(name, number, nic(number))


def failed_over() -> tuple[Vm, Vm]:
    """It runs on its replica, with the address of Frankfurt."""
    own, theirs = nic(601)
    (landed,) = theirs.addresses
    values = {"there_power": 2, "there_uptime": HOUR, "there_state": 5}
    return pair("moved601", 601, (own, replace(theirs, today=(landed,))), **OFF, **values)


def in_a_test() -> tuple[Vm, Vm, Vm]:
    """A test failover of it runs beside the replica, with the failover address."""
    own, theirs = nic(602)
    primary, replica = pair("tried602", 602, (own, theirs))
    there = replace(theirs, today=tuple(filter(None, theirs.addresses)), connected=False)
    test = replica_of(replica, name="tried602 - Test", guid="", mode=3, state=0, power=2, uptime=HOUR, nics=(there,))
    return primary, replica, replace(test, guid=Vm(name="tried602 - Test").id, test_of=replica.id)


def stretched() -> tuple[Vm, Vm]:
    """It keeps its address, which is valid at both sites."""
    primary, replica = pair("wide603", 603, nic(603, to=False))
    hosts = [("vie00.dr.example", "bud00.dr.example")]
    return replace(primary, hosts=hosts), replace(replica, hosts=hosts)


def servers(name: str, site: str, network: str, sides: Iterable[tuple[int, Vm]]) -> list[Any]:
    """The servers of one site with what stands on them."""
    by_number: dict[int, list[Vm]] = {number: [] for number in range(PAIRS)}
    for number, vm in sides:
        by_number[number % PAIRS].append(vm)
    return [
        source(
            Host(name=f"{name.upper()}{number:02d}", vms=vms, networks=(f"{network}.255.{number + 10}/24",)),
            site=site,
        )
        for number, vms in by_number.items()
    ]


def estate_of(pairs: Sequence[tuple[int, tuple[Vm, ...]]]) -> Snapshot:
    here = servers("bln", "berlin", "10.1", [(number, sides[0]) for number, sides in pairs])
    there = servers("fra", "frankfurt", "10.2", [(number, vm) for number, sides in pairs for vm in sides[1:]])
    primary, replica = stretched()
    wide = [
        source(Host(name="VIE00", vms=[primary], networks=("10.5.0.5/24",)), site="vienna"),
        source(Host(name="BUD00", vms=[replica], networks=("10.5.0.6/24",)), site="budapest"),
    ]
    return replace(snapshot(*here, *there, *wide), stretched=(frozenset({"vienna", "budapest"}),))


@pytest.fixture(scope="module")
def whole() -> Snapshot:
    pairs: list[tuple[int, tuple[Vm, ...]]] = [(number, ordinary(number)) for number in range(497)]
    return estate_of([*pairs, (601, failed_over()), (602, in_a_test())])


@pytest.fixture(scope="module")
def by_dhcp() -> Snapshot:
    """A shop that uses DHCP everywhere, with its replicas as Hyper-V makes them: connected to nothing."""
    pairs = []
    for number in range(60):
        own, theirs = nic(number, to=False, dhcp=True)
        pairs.append((number, pair(f"vm{number}", number, (own, replace(theirs, connected=False, switch=None)))))
    return estate_of(pairs)


def alarms(table: Table) -> list[str]:
    return [
        f"{verdict.id}: {verdict.outcome.finding}"
        for verdict in table.verdicts
        if verdict.outcome.result in (Result.FAILED, Result.UNKNOWN)
        and verdict.rule.severity is not Severity.INFORMATION
    ]


def words(found: Snapshot, direction: Direction = Direction.FAILOVER) -> Counter[Word]:
    estate = translate(found)
    return Counter(one.word for one in readiness_of(estate, judge(estate)) if one.direction is direction)


@pytest.mark.slow
def test_five_hundred_ordinary_machines(whole: Snapshot) -> None:
    table = judge_snapshot(whole, Scope())
    assert alarms(table)[:5] == []
    assert table.gate.is_open, [reason.text for reason in table.gate.reasons]
    counts = words(whole)
    assert sum(counts.values()) == 500
    assert set(counts) <= {Word.READY, Word.READY_IF, Word.NO_ADDRESS}
    assert counts[Word.NO_ADDRESS] == 20 + 40 + 20 + 1


def test_a_shop_that_uses_dhcp(by_dhcp: Snapshot) -> None:
    table = judge_snapshot(by_dhcp, Scope())
    assert alarms(table)[:5] == []
    assert table.gate.is_open, [reason.text for reason in table.gate.reasons]
    assert words(by_dhcp) == {Word.NO_ADDRESS: 61}


def test_landings_and_tests_are_the_strongest_evidence(whole: Snapshot) -> None:
    estate = translate(whole)
    rests = {one.name: str(one.rests_on) for one in readiness_of(estate, judge(estate)) if one.rests_on}
    assert (rests["moved601"], rests["tried602"]) == ("landed", "landed")


@pytest.mark.slow
def test_between_stretched_sites_the_address_is_kept(whole: Snapshot) -> None:
    estate = translate(whole)
    (wide,) = [
        one
        for one in readiness_of(estate, judge(estate))
        if one.name == "wide603" and one.direction is Direction.FAILOVER
    ]
    assert wide.reason.endswith(", which is valid there")
