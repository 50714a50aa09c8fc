"""Was there something to judge: no silence is green."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.model import (
    Cluster,
    Estate,
    Judging,
    Power,
    ReplicatedVM,
    Role,
    Server,
    Subject,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Result, Rule, passed, unknown
from compliance.rules import coverage as rules
from compliance.rules.evidence.causes import Cause
from tests.builders import snapshot, source
from tests.hosts import NOW, Host, Vm, replica_of

MACHINE = VirtualMachine(server="hv01", guid="x", name="x", role=Role.PRIMARY, power=Power.OFF, replicated=True)
SIDE = ReplicatedVM(machine=MACHINE, partner=Unread("none"))
UNREAD = Unread("no route to host", Why.UNREACHABLE)
READ = Server(name="hv01", version="10.0.20348", machines=(MACHINE,))
DOWN = Server(name="hv02", unread=UNREAD)
MAY_BE_EMPTY = Judging(may_be_empty=True)


def estate(*sides: ReplicatedVM, servers: tuple[Server, ...] = (READ,), settings: Judging = Judging()) -> Estate:
    return Estate(name="test", time=NOW, servers=servers, replicated=sides, settings=settings)


CLUSTER = Cluster(name="hvcl01", nodes=("hv01", "hv02"), expected=2)
PARTIAL = replace(READ, partial="one of two")

CASES: dict[Rule, list[tuple[Subject, Outcome]]] = {
    rules.server_was_read: [
        (READ, passed("1 virtual machine, version 10.0.20348")),
        (replace(READ, machines=(MACHINE, MACHINE)), passed("2 virtual machines, version 10.0.20348")),
        (replace(READ, machines=(), version=None), passed("0 virtual machines")),
        (DOWN, unknown("unreachable: no route to host", cause=Cause.SERVER_UNREAD)),
        (replace(READ, unread=Unread("refused")), unknown("incomplete: refused", cause=Cause.SERVER_UNREAD)),
        (
            replace(READ, unread=Unread("refused"), doubt="empty"),
            unknown("incomplete: refused", cause=Cause.SERVER_UNREAD),
        ),
        (
            replace(READ, doubt="shows not one virtual machine"),
            unknown("shows not one virtual machine", cause=Cause.SERVER_INCOMPLETE),
        ),
        (PARTIAL, unknown("one of two", cause=Cause.NODES_NOT_LISTED)),
        (replace(PARTIAL, doubt="empty"), unknown("empty", cause=Cause.SERVER_INCOMPLETE)),
    ],
    rules.cluster_was_read: [
        (CLUSTER, passed("2 nodes, and each of its 2 clustered virtual machines was seen")),
        (replace(CLUSTER, nodes=("a",), expected=1), passed("1 node, and its one clustered virtual machine was seen")),
        (replace(CLUSTER, expected=0), passed("2 nodes, and it has no clustered virtual machine")),
        (replace(CLUSTER, doubts=("a is down", "b too")), unknown("a is down; b too", cause=Cause.CLUSTER_INCOMPLETE)),
        (
            replace(CLUSTER, unread=UNREAD, doubts=("a",)),
            unknown("unreachable: no route to host", cause=Cause.CLUSTER_UNREAD),
        ),
    ],
    rules.estate_has_replicated_machines: [
        (estate(SIDE), passed("1 side of replicated virtual machines")),
        (estate(SIDE, SIDE), passed("2 sides of replicated virtual machines")),
        (estate(SIDE, servers=(READ, DOWN)), passed("1 side of replicated virtual machines")),
        (estate(SIDE, settings=MAY_BE_EMPTY), passed("1 side of replicated virtual machines")),
        (estate(settings=MAY_BE_EMPTY), passed("no replicated virtual machine, as the inventory allows")),
        (estate(), unknown("not one replicated virtual machine was seen", cause=Cause.NOTHING_REPLICATED)),
        (estate(servers=()), unknown("not one replicated virtual machine was seen", cause=Cause.NOTHING_REPLICATED)),
        (
            estate(servers=(READ, DOWN)),
            unknown(
                "not one replicated virtual machine was seen; 1 of 2 servers were not read",
                cause=Cause.NOTHING_REPLICATED,
            ),
        ),
    ],
}
ALL = [
    pytest.param(rule, subject, outcome, id=f"{rule.key}-{number}")
    for rule, cases in CASES.items()
    for number, (subject, outcome) in enumerate(cases)
]


def judged(rule: Rule, subject: Subject) -> Outcome:
    return rule.judge(subject, subject.settings if isinstance(subject, Estate) else Judging())


@pytest.mark.parametrize(("rule", "subject", "outcome"), ALL)
def test_a_rule(rule: Rule, subject: Subject, outcome: Outcome) -> None:
    assert judged(rule, subject) == outcome


@pytest.mark.parametrize("server", [READ, DOWN, replace(READ, doubt="empty")])
def test_the_remarks_on_a_server_stand_beside_its_verdict(server: Server) -> None:
    outcome = judged(rules.server_was_read, replace(server, remarks=("its clock is wrong", "b")))
    assert outcome.remarks == ("its clock is wrong", "b")


def test_a_part_of_a_cluster_that_policy_allows_is_remarked() -> None:
    outcome = rules.server_was_read.judge(PARTIAL, Judging(may_be_partial=True))
    assert (outcome.result, outcome.remarks) == (Result.PASSED, ("one of two",))


def test_the_remarks_on_a_cluster_stand_beside_its_verdict() -> None:
    assert judged(rules.cluster_was_read, replace(CLUSTER, remarks=("a", "b"))).remarks == ("a", "b")


def test_no_rule_is_missing() -> None:
    assert set(CASES) == {value for value in vars(rules).values() if isinstance(value, Rule)}


def test_partners_that_nobody_listed_are_a_remark_on_the_server() -> None:
    sql = Vm(name="sql01")
    alone, both = (
        {server.name: rules.server_was_read.judge(server, Judging()).remarks for server in translate(found).servers}
        for found in (
            snapshot(source(Host(name="HV01", vms=[sql]))),
            snapshot(source(Host(name="HV01", vms=[sql])), source(Host(name="HV02", vms=[replica_of(sql)]))),
        )
    )
    assert alone == {"hv01": ("its replication settings name what is not in the inventory: hv02.dr.example",)}
    assert both == {"hv01": (), "hv02": ()}


def test_what_a_limit_left_out_is_no_partner_that_is_missing() -> None:
    off = Vm(name="sql01", power=3, uptime=0)
    found = replace(snapshot(source(Host(name="HV01", vms=[off]))), limit="hv01", left_out=("HV02",))
    estate = translate(found)
    assert estate.unlisted == ()
    assert str(estate.replicated[0].partner) == "its other side is on hv02.dr.example, which --hv-limit left out"
