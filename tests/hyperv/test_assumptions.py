"""Each assumption meets a server that confirms it, one that contradicts it, and one that says nothing to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.assumptions.held import ON_A_SERVER, assumptions, assumptions_on_sides
from compliance.hyperv.assumptions.statement import MOST_EXAMPLES, Assumption, AssumptionState
from compliance.hyperv.estate import translate
from compliance.hyperv.queries import (
    FAILOVER_ADDRESSES,
    GUEST_ADDRESSES,
    HEARTBEATS,
    HOST_ADDRESSES,
    KVP_COMPONENTS,
    KVP_SETTINGS,
    LEGACY_ADAPTERS,
    MACHINE_SETTINGS,
    MACHINES,
    OF_REPLICATION,
    QUERIES,
    RELATIONSHIPS,
    SECURITY,
    SWITCHES,
    SYNTHETIC_ADAPTERS,
    TEST_REPLICAS,
)
from compliance.model import AdapterConnection, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source
from tests.host_rows import host_rows
from tests.hosts import DATA_EXCHANGE, NOW, Host, Nic, Vm, guid, linux, replica_of
from tests.wire_rows import wire

X, Y = guid("x"), guid("y")
CHAIN = (("hv00.dr.example", "hv01.dr.example"), ("hv01.dr.example", "hv02.dr.example"))
UBUNTU = linux("Ubuntu", "22.04")


def host(*vms: Vm, **changes: object) -> ServerRecord:
    return source(Host(vms=vms), **changes)


def vm(**changes: object) -> Vm:
    return Vm(**{"name": "x", **changes})  # type: ignore[arg-type]


def off(**changes: object) -> Vm:
    return vm(power=3, uptime=0, **changes)


def changed(class_name: str, change: Callable[[list[dict[str, object]]], object], *vms: Vm) -> ServerRecord:
    """The server of a machine, with the rows of a class changed as they would be on the server."""
    rows = host_rows(Host(vms=vms or (vm(),)))
    change(rows[class_name])
    return source(Host(), rows=wire(rows))


def without(class_name: str, *vms: Vm) -> ServerRecord:
    return changed(class_name, list.clear, *vms)


def unread(*class_names: str, why: Why = Why.REFUSED) -> ServerRecord:
    return host(vm(), rows={name: Unread("refused", why) for name in class_names})


def setting(class_name: str, name: str, value: object) -> ServerRecord:
    return changed(class_name, lambda rows: [row.update({name: value}) for row in rows])


def more(class_name: str, **row: object) -> ServerRecord:
    return changed(class_name, lambda rows: rows.append(row))


def over_the_wire(class_name: str, **change: str | list[str | None] | None) -> ServerRecord:
    rows = wire(host_rows(Host(vms=[vm()])))
    return host(vm(), rows={class_name: tuple({**row, **change} for row in rows[class_name])})


def noted(*notes: str) -> ServerRecord:
    one = host(vm())
    assert isinstance(one.reading, Reading)
    return replace(one, reading=replace(one.reading, notes=notes))


def all_unread() -> ServerRecord:
    return unread(*(query.class_name for query in QUERIES))


def lacking(class_name: str, name: str) -> ServerRecord:
    rows = wire(host_rows(Host(vms=[vm()])))[class_name]
    return host(vm(), rows={class_name: tuple({key: row[key] for key in row if key != name} for row in rows)})


COPY = f"Microsoft:FailoverNetworkSetting\\{X}\\{guid(f'{X} nic 0')}"
EXTENDED = {"InstanceID": f"Microsoft:{X}\\HVR\\1", "ReplicationState": 3}

UNREPLICATED = host(vm(mode=0, state=0))  # of which these classes are not asked
Case = tuple[ServerRecord, ServerRecord, ServerRecord | None]
CASES: dict[str, Case] = {
    "one-own-row": (host(vm()), more(MACHINES, Name="HV02"), unread(MACHINES)),
    "empty-without-rights": (
        host(rows={MACHINES: ()}),
        unread(MACHINES, why=Why.NOT_PERMITTED),
        unread(MACHINES, why=Why.BUSY),
    ),
    "settings-row": (host(vm()), host(vm(realized=False)), unread(MACHINE_SETTINGS)),
    "offer-row": (host(off()), host(vm(), vm(name="y", offer_row=False)), unread(KVP_SETTINGS)),
    "component-while-running": (host(vm(power=9)), host(vm(kvp_row=False)), host(off())),
    "no-component-while-off": (host(vm(power=6)), host(off(kvp_row=True)), host(vm())),
    "failover-row-unset": (
        host(vm(nics=[Nic()])),
        host(vm(nics=[Nic(), Nic(failover_row=False)])),
        host(vm(nics=[Nic(failover_row=False)], mode=0, state=0)),
    ),
    "failover-row-once": (
        host(vm(checkpoints=2)),
        more(FAILOVER_ADDRESSES, InstanceID=COPY.replace(X, X.lower())),
        without(FAILOVER_ADDRESSES),
    ),
    "failover-row-owner": (
        host(vm(checkpoints=1, recovery_points=1)),
        more(FAILOVER_ADDRESSES, InstanceID=COPY.replace(X, Y)),
        unread(MACHINE_SETTINGS),
    ),
    "failover-row-adapter": (
        host(vm(nics=[Nic(legacy=True), Nic()])),
        more(FAILOVER_ADDRESSES, InstanceID=f"Microsoft:FailoverNetworkSetting\\{X}\\{Y}"),
        unread(LEGACY_ADAPTERS),
    ),
    "relationship-row": (host(vm()), host(vm(relationships={})), unread(RELATIONSHIPS)),
    "no-relationship-row": (host(vm(mode=0, state=0)), host(vm(mode=0, state=0, relationships={0: 0})), host(vm())),
    "chain-rows": (
        host(off(mode=2, hosts=CHAIN, relationships={0: 3, 1: 3})),
        host(vm(mode=1, relationships={0: 3, 1: 3})),
        host(vm()),
    ),
    "replication-settings-row": (host(vm()), host(vm(hosts=[])), host(vm(mode=0, hosts=[]))),
    "wql-accepted": (host(vm()), noted("slow", queries.REFUSES_WQL), all_unread()),
    "empty-array-absent": (host(vm()), over_the_wire(FAILOVER_ADDRESSES, DNSServers=[None, " "]), all_unread()),
    "scalar-present": (host(vm()), lacking(MACHINE_SETTINGS, "Version"), all_unread()),
    "failover-row-form": (host(vm()), more(FAILOVER_ADDRESSES, InstanceID=None), without(FAILOVER_ADDRESSES)),
    "offer-form": (host(vm()), more(KVP_SETTINGS, InstanceID=f"Microsoft:{X}\\{Y}"), unread(KVP_SETTINGS)),
    "relationship-form": (
        host(vm()),
        more(RELATIONSHIPS, InstanceID=f"Microsoft:{X}\\HVR\\2"),
        host(vm(mode=0, state=0)),
    ),
    "component-owner": (host(vm()), setting(KVP_COMPONENTS, "SystemName", "x"), host(off())),
    "names-itself": (host(vm()), host(vm(hosts=[("hv08.dr.example", "hv09.dr.example")])), host(vm(hosts=[]))),
    "power-states": (host(vm(power=10)), host(vm(power=32768)), host()),
    "roles": (host(vm(mode=4)), host(vm(mode=5)), host()),
    "replication-states": (host(vm(state=21)), host(vm(relationships={0: 22})), host()),
    "offer-states": (host(vm(offered=3)), host(vm(offered=5)), host(vm(offer_row=False))),
    "answers": (host(vm(kvp=13, heartbeat=7)), host(vm(kvp=6)), host(off())),
    "failover-protocol": (
        host(
            vm(
                nics=[
                    Nic(),
                    Nic(addresses=("10.2.0.2",)),
                    Nic(addresses=("fe80::1",)),
                    Nic(addresses=("1.2.3.4", "::")),
                ]
            )
        ),
        host(vm(nics=[Nic(addresses=("fe80::1",), protocol=4096)])),
        without(FAILOVER_ADDRESSES),
    ),
    "role-and-relationship": (
        host(vm(), vm(name="y", mode=0, state=0), vm(name="z", relationships={0: 0, 1: 3})),
        host(vm(relationships={0: 0})),
        host(vm(state=None)),
    ),
    "guest-says-version": (host(vm()), host(vm(items={"OSName": "x"})), host(vm(items={}))),
    "linux-version": (
        host(vm(items=UBUNTU), vm(name="y", items={**UBUNTU, "IntegrationServicesVersion": "4.2.6"})),
        host(vm(items={**UBUNTU, "IntegrationServicesVersion": "Unknown version"})),
        host(vm()),
    ),
    "switches": (host(vm()), setting(SWITCHES, "Name", "x"), UNREPLICATED),
    "security-rows": (host(vm(shielded=True)), setting(SECURITY, "InstanceID", "x"), UNREPLICATED),
    "test-replicas": (
        host(off(mode=2), vm(name="y", mode=3, state=0, test_of=X)),
        more(TEST_REPLICAS, Antecedent=None, Dependent=None),
        host(vm()),
    ),
    "host-addresses": (host(vm()), setting(HOST_ADDRESSES, "IPSubnet", []), UNREPLICATED),
    "guest-address-rows": (host(vm()), host(vm(nics=[Nic(), Nic(guest_row=False)])), unread(GUEST_ADDRESSES)),
}
MORE_CONTRADICTIONS: list[tuple[str, ServerRecord]] = [
    ("one-own-row", host(rows={MACHINES: ()})),
    ("failover-row-unset", host(vm(nics=[Nic(failover_row=False)]), rows={SYNTHETIC_ADAPTERS: Unread("refused")})),
    ("failover-row-form", more(FAILOVER_ADDRESSES, InstanceID="x" + COPY)),
    ("offer-form", more(KVP_SETTINGS, InstanceID=None)),
    ("offer-form", more(KVP_SETTINGS, InstanceID=DATA_EXCHANGE)),
    ("relationship-form", setting(RELATIONSHIPS, "InstanceID", None)),
    ("component-owner", setting(KVP_COMPONENTS, "SystemName", None)),
    ("empty-array-absent", over_the_wire(FAILOVER_ADDRESSES, Subnets=None)),
    ("empty-array-absent", over_the_wire(KVP_COMPONENTS, StatusDescriptions="")),
    ("power-states", host(vm(power=None))),
    ("roles", host(vm(mode=None))),
    ("replication-states", host(vm(state=22))),
    ("answers", host(vm(heartbeat=None))),
    ("answers", setting(HEARTBEATS, "OperationalStatus", ["15", "2"])),
    ("failover-protocol", host(vm(nics=[Nic(protocol=4096)]))),
    ("role-and-relationship", host(vm(mode=0, relationships={}))),
    ("role-and-relationship", host(vm(mode=0, state=0, relationships={0: 3}))),
    ("chain-rows", host(off(mode=2, hosts=CHAIN, relationships={1: 3}))),
    ("names-itself", host(vm(hosts=[("10.0.0.1", "10.0.0.2")]))),
    ("test-replicas", host(off(mode=2), vm(name="y", mode=3, state=0))),
    ("switches", host(vm(), rows={SWITCHES: ()})),
    ("security-rows", host(vm(), rows={SECURITY: ()})),
    ("test-replicas", host(off(mode=2), vm(name="y", mode=3, state=0, test_of=X), rows={TEST_REPLICAS: ()})),
    ("host-addresses", host(vm(), rows={HOST_ADDRESSES: ()})),
]


def on(one: ServerRecord) -> dict[str, Assumption]:
    assert isinstance(one.reading, Reading)
    return {found.key: found for found in assumptions(one, one.reading)}


@pytest.mark.parametrize("class_name", [query.class_name for query in OF_REPLICATION if query.adds_only])
def test_a_refused_class_that_only_adds_is_one_line_and_no_more(class_name: str) -> None:
    (before,) = translate(snapshot(host(vm()))).servers
    (after,) = translate(snapshot(unread(class_name))).servers
    (remark,) = set(after.remarks) - set(before.remarks)
    assert remark.startswith("contradicts what we assume, ")
    assert "could not be read: refused" in remark
    connections = [
        adapter.connection
        for server in (before, after)
        for machine in server.machines
        for adapter in (() if isinstance(machine.adapters, Unread) else machine.adapters)
    ]
    assert connections == [AdapterConnection.SWITCH] * 2


def test_every_assumption_on_a_server_has_its_cases() -> None:
    assert list(CASES) == [statement.key for statement in ON_A_SERVER]


@pytest.mark.parametrize("key", CASES)
def test_an_assumption_holds_is_contradicted_or_not_seen(key: str) -> None:
    holding, contradicting, silent = CASES[key]
    assert str(on(holding)[key]).endswith(f"of {on(holding)[key].agreeing}")
    assert on(holding)[key].state is AssumptionState.HOLDS
    assert on(contradicting)[key].state is AssumptionState.CONTRADICTED
    assert on(contradicting)[key].examples
    assert silent is None or on(silent)[key].state is AssumptionState.NOT_SEEN


@pytest.mark.parametrize(("key", "one"), MORE_CONTRADICTIONS)
def test_more_contradictions(key: str, one: ServerRecord) -> None:
    assert on(one)[key].state is AssumptionState.CONTRADICTED


@pytest.mark.parametrize("key", CASES)
def test_what_holds_contradicts_nothing_else(key: str) -> None:
    if key != "empty-without-rights":
        others = {found.key for found in on(CASES[key][0]).values() if found.state is AssumptionState.CONTRADICTED}
        assert others <= {"relationship-row", "chain-rows"}


def test_what_was_not_read_contradicts_nothing() -> None:
    assert {found.state for found in on(all_unread()).values()} == {AssumptionState.NOT_SEEN}
    empty = replace(host(), reading=Reading(started=NOW, finished=NOW))
    assert {found.state for found in on(empty).values()} == {AssumptionState.NOT_SEEN}


def test_what_was_not_asked_for_says_nothing_of_empty_arrays() -> None:
    one = host(vm(items={}))
    assert isinstance(one.reading, Reading)
    slim = replace(one, reading=replace(one.reading, too_large=(f"{KVP_COMPONENTS}.{queries.GUEST_ITEMS}",)))
    assert on(slim)["empty-array-absent"].agreeing == on(one)["empty-array-absent"].agreeing - 1


def test_a_machine_that_changed_in_between_says_nothing() -> None:
    """It was off when the components were listed, or the other way round: no row tells."""
    one = host(vm(kvp_row=False))
    assert isinstance(one.reading, Reading)
    later = wire(host_rows(Host(vms=[vm(power=3)])))[MACHINES]
    moved = replace(one, reading=replace(one.reading, again={MACHINES: later}))
    assert on(moved)["component-while-running"].state is AssumptionState.NOT_SEEN


def test_a_machine_that_stands_twice_says_nothing() -> None:
    assert on(host(vm(realized=False), vm(realized=False)))["settings-row"].state is AssumptionState.NOT_SEEN


def test_server_2012_has_no_relationships_to_speak_of() -> None:
    found = on(source(Host(version="6.2.9200", vms=[vm()])))
    assert {one.key for one in found.values() if one.state is AssumptionState.CONTRADICTED} == set()
    assert found["relationship-row"].state is AssumptionState.NOT_SEEN


def test_a_hosts_text_is_short_and_printable() -> None:
    one = host(vm(name="\x1b[2J\u202e" + "x" * 1000, realized=False), vm(name="  ", guid=Y, realized=False))
    (long, short) = on(one)["settings-row"].examples
    assert long.isprintable()
    assert len(long) == 60
    assert short == Y


def test_a_few_examples_stand_for_all() -> None:
    found = on(host(*(vm(name=f"vm{number}", realized=False) for number in range(5)), vm()))["settings-row"]
    assert (found.agreeing, found.against, len(found.examples)) == (1, 5, MOST_EXAMPLES)
    assert str(found).endswith(": not so in 5 of 6: vm0, vm1, vm2 and 2 more")


# --- both sides -------------------------------------------------------------------------------------------------------

PRIMARY = vm()
THERE = replica_of(PRIMARY)


def sides(*servers: ServerRecord) -> dict[str, AssumptionState]:
    return {found.key: found.state for found in assumptions_on_sides(translate(snapshot(*servers)).servers)}


def both(there: Vm) -> dict[str, AssumptionState]:
    return sides(host(PRIMARY), source(Host(name="HV02", vms=[there])))


def test_both_sides_agree() -> None:
    assert both(THERE) == dict.fromkeys(both(THERE), AssumptionState.HOLDS)


def test_the_other_side_has_another_guid() -> None:
    assert both(replace(THERE, guid=Y)) == {
        "partner-holds-machine": AssumptionState.CONTRADICTED,
        "same-guid": AssumptionState.CONTRADICTED,
        "sides-fit": AssumptionState.NOT_SEEN,
    }


def test_the_other_side_is_not_there() -> None:
    assert both(Vm(name="x", guid=Y, mode=0, state=0, hosts=[])) == {
        "partner-holds-machine": AssumptionState.CONTRADICTED,
        "same-guid": AssumptionState.NOT_SEEN,
        "sides-fit": AssumptionState.NOT_SEEN,
    }


def test_both_sides_are_primary() -> None:
    assert both(PRIMARY)["sides-fit"] is AssumptionState.CONTRADICTED


def test_nothing_is_said_where_the_other_side_was_not_read() -> None:
    assert set(sides(host(PRIMARY)).values()) == {AssumptionState.NOT_SEEN}


def test_nothing_is_said_of_a_machine_that_changed_during_the_audit() -> None:
    moving = host(PRIMARY)
    assert isinstance(moving.reading, Reading)
    later = wire(host_rows(Host(vms=[])))[MACHINES]
    moving = replace(moving, reading=replace(moving.reading, again={MACHINES: later}))
    assert set(sides(moving, source(Host(name="HV02", vms=[]), may_be_empty=True)).values()) == {
        AssumptionState.NOT_SEEN
    }


def test_nothing_is_said_of_a_name_that_two_servers_have() -> None:
    two = [source(Host(name="HV02", vms=[]), name=name, may_be_empty=True) for name in ("a", "b")]
    assert set(sides(host(PRIMARY), *two).values()) == {AssumptionState.NOT_SEEN}
