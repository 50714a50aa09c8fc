"""What a replication is, beyond its sides: failed over, shielded, a test's replica; and the server's own networks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.audit import judge_snapshot
from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.judge.readiness import Direction
from compliance.judge.scope import Scope
from compliance.model import Answer, Guest, Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import snapshot, source
from tests.host_rows import host_rows
from tests.hosts import WINDOWS, Host, Vm, guid, replica_of
from tests.wire_rows import wire

X = guid("x")
RELATIONSHIPS, SECURITY, TEST_REPLICAS = (
    "Msvm_ReplicationRelationship",
    "Msvm_SecuritySettingData",
    "Msvm_ReplicaSystemDependency",
)
HOST_ADDRESSES, COMPONENTS = "Win32_NetworkAdapterConfiguration", "Msvm_KvpExchangeComponent"


def server(one: ServerRecord) -> Server:
    return translate(snapshot(one)).servers[0]


def machine(one: ServerRecord, name: str = "x") -> VirtualMachine:
    return next(machine for machine in server(one).machines if machine.name == name)


def host(*vms: Vm, **changes: object) -> ServerRecord:
    return source(Host(vms=vms, **changes))  # type: ignore[arg-type]


REPLICA = replica_of(Vm(name="x"), power=2)

# --- failed over ------------------------------------------------------------------------------------------------------

FAILED_OVER: dict[str, tuple[ServerRecord, bool | Unread]] = {
    "it replicates": (host(REPLICA), False),
    "recovered": (host(replace(REPLICA, state=5)), True),
    "committed": (host(replace(REPLICA, state=6)), True),
    "an extended replica": (host(replace(REPLICA, mode=4, state=5)), True),
    "of a chain, the side that it receives from": (host(replace(REPLICA, relationships={0: 6, 1: 3})), True),
    "of a chain, not the side to which it sends": (host(replace(REPLICA, relationships={0: 3, 1: 6}, state=3)), False),
    "a primary never is": (host(Vm(name="x", state=5)), False),
    "no relationship row, by its own state": (host(Vm(name="y"), replace(REPLICA, relationships={}, state=5)), True),
    "on Server 2012, by its own state": (host(replace(REPLICA, state=6), version="6.2.9200"), True),
    "relationships that were not read": (
        source(Host(vms=[REPLICA]), rows={RELATIONSHIPS: Unread("refused", Why.REFUSED)}),
        Unread("replication relationships could not be read: refused", Why.REFUSED),
    ),
}


@pytest.mark.parametrize("case", FAILED_OVER)
def test_has_failed_over(case: str) -> None:
    one, expected = FAILED_OVER[case]
    assert machine(one).failed_over == expected


# --- a second relationship, with an extended replica ------------------------------------------------------------------

CHAIN = replace(
    REPLICA, hosts=(("hv02.dr.example", "hv01.dr.example"), ("hv01.dr.example", "hv03.dr.example")), state=3
)
ONWARD = ("hv03.dr.example",)
SENDS: dict[str, tuple[ServerRecord, tuple[str, ...]]] = {
    "alive": (host(replace(CHAIN, relationships={0: 3, 1: 3})), ONWARD),
    "suspended": (host(replace(CHAIN, relationships={0: 3, 1: 7})), ONWARD),
    "in a state that is not given": (host(replace(CHAIN, relationships={0: 3, 1: None})), ONWARD),
    "ended, and its settings left behind": (host(replace(CHAIN, relationships={0: 3, 1: 0})), ()),
    "without a row of it": (host(replace(CHAIN, relationships={0: 3})), ONWARD),
    "relationships that were not read": (
        source(Host(vms=[replace(CHAIN, relationships={0: 3, 1: 0})]), rows={RELATIONSHIPS: Unread("refused")}),
        ONWARD,
    ),
}


@pytest.mark.parametrize("case", SENDS)
def test_settings_name_an_extended_replica_until_the_relationship_is_known_to_have_ended(case: str) -> None:
    one, expected = SENDS[case]
    found = machine(one)
    assert (found.receives_from, found.sends_to) == (("hv02.dr.example",), expected)
    directions = {answer.direction for answer in judge_snapshot(snapshot(one), Scope()).readiness}
    assert (Direction.EXTENDED_FAILOVER in directions) is bool(expected)


# --- what only adds a word --------------------------------------------------------------------------------------------

OLD_ANSWER = Unread("not asked for by hyperv-compliance 0.1", Why.NOT_ASKED)


def with_rows(class_name: str, *vms: Vm, **change: object) -> ServerRecord:
    rows = host_rows(Host(vms=vms))
    for row in rows[class_name]:
        row.update(change)
    return source(Host(), rows=wire(rows))


def written_by_0_1(one: ServerRecord) -> ServerRecord:
    assert isinstance(one.reading, Reading)
    classes = {name: answer for name, answer in one.reading.classes.items() if name not in (SECURITY, HOST_ADDRESSES)}
    return replace(one, reading=replace(one.reading, classes=classes, asked_properties=None))


SHIELDED: dict[str, tuple[ServerRecord, bool | Unread]] = {
    "it is": (host(Vm(name="x", shielded=True)), True),
    "it is not": (host(Vm(name="x")), False),
    "another one is": (host(Vm(name="x"), Vm(name="y", shielded=True)), False),
    "by another name": (with_rows(SECURITY, Vm(name="x", shielded=True), InstanceID="x"), False),
    "refused": (source(Host(vms=[Vm(name="x", shielded=True)]), rows={SECURITY: Unread("refused")}), False),
    "Server 2012 R2 knows none": (host(Vm(name="x"), version="6.3.9600"), False),
    "not asked for": (written_by_0_1(host(Vm(name="x"))), OLD_ANSWER),
}


@pytest.mark.parametrize("case", SHIELDED)
def test_is_shielded(case: str) -> None:
    one, expected = SHIELDED[case]
    assert machine(one).shielded == expected


TEST = Vm(name="x - Test", mode=3, state=0, relationships={}, hosts=(), test_of=X)
UNTIED = replace(TEST, test_of=None)

TEST_OF: dict[str, tuple[ServerRecord, str | None]] = {
    "tied": (host(REPLICA, TEST), X),
    "tied the other way round": (
        with_rows(TEST_REPLICAS, REPLICA, TEST, Antecedent=f"x?Name={TEST.id}", Dependent=f"x?Name={X.lower()}"),
        X,
    ),
    "without its other end": (with_rows(TEST_REPLICAS, REPLICA, TEST, Antecedent=None), None),
    "tied to a machine that is no replica": (host(Vm(name="x"), TEST), None),
    "tied to a machine that is not there": (host(TEST), None),
    "in another form": (with_rows(TEST_REPLICAS, REPLICA, TEST, Antecedent="x", Dependent=["y"]), None),
    "not at all": (host(REPLICA, UNTIED), None),
}


@pytest.mark.parametrize("case", TEST_OF)
def test_a_test_replica_is_tied_to_its_replica(case: str) -> None:
    one, expected = TEST_OF[case]
    assert machine(one, "x - Test").test_of == expected


NETWORKS: dict[str, tuple[ServerRecord, tuple[str, ...] | Unread]] = {
    "its own": (host(Vm(name="x"), networks=("10.2.0.5/24", "fe80::5/64")), ("10.2.0.5/24", "fe80::5/64")),
    "none of another form": (with_rows(HOST_ADDRESSES, Vm(name="x"), IPSubnet=["255.0.255.0", "x"]), ()),
    "fewer masks than addresses": (
        with_rows(HOST_ADDRESSES, Vm(name="x"), IPSubnet=["255.255.255.0"]),
        ("10.1.0.5/24",),
    ),
    "refused": (
        source(Host(vms=[Vm(name="x")]), rows={HOST_ADDRESSES: Unread("refused", Why.REFUSED)}),
        Unread("refused", Why.REFUSED),
    ),
    "not asked for": (written_by_0_1(host(Vm(name="x"))), OLD_ANSWER),
    "not asked for, since nothing replicates": (
        host(Vm(name="x", mode=0, state=0)),
        Unread("not asked for, since nothing replicates there", Why.NOT_ASKED),
    ),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_the_networks_of_a_server(case: str) -> None:
    one, expected = NETWORKS[case]
    assert server(one).networks == expected


# --- a guest that just restarts ---------------------------------------------------------------------------------------


def later(first: int, *again: int, unread: bool = False) -> VirtualMachine:
    """A machine whose component showed one status first, and others when it was asked once more."""
    one = host(Vm(name="x", kvp=first))
    assert isinstance(one.reading, Reading)
    rows = tuple(row for kvp in again for row in wire(host_rows(Host(vms=[Vm(name="x", kvp=kvp)])))[COMPONENTS])
    answers = {**one.reading.again, COMPONENTS: Unread("refused") if unread else rows}
    return machine(replace(one, reading=replace(one.reading, again=answers)))


def test_a_component_without_contact_counts_as_it_was_at_the_end() -> None:
    guest = later(12, 2).guest
    assert isinstance(guest, Guest)
    assert (guest.answer, guest.os_name) == (Answer.OK, WINDOWS["OSName"])


@pytest.mark.parametrize(
    "found",
    [later(12, 12), later(12), later(12, 2, 2), later(12, unread=True)],
    ids=["same", "gone", "twice", "unread"],
)
def test_one_that_is_no_better_then_stays_without_contact(found: VirtualMachine) -> None:
    assert isinstance(found.guest, Guest)
    assert found.guest.answer is Answer.NO_CONTACT


def test_an_answer_is_not_taken_back() -> None:
    guest = later(2, 12).guest
    assert isinstance(guest, Guest)
    assert guest.answer is Answer.OK
