"""A machine of which nothing is known and no verdict speaks closes the gate by itself, and is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.audit import judge_snapshot
from compliance.gate.exits import Exit
from compliance.gate.gate import Gate
from compliance.gate.policy import Policy
from compliance.judge.scope import Scope
from compliance.plan import Plan
from compliance.rule import Severity
from compliance.snapshot.snapshot import ServerRecord
from tests.builders import snapshot, source, unread_source
from tests.hosts import ORDINARY, Host, Nic, Vm, replica_of

EVERYTHING = Scope()
BARE = Vm(name="sql01", nics=(Nic(),))
WITH_ADDRESS = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
CHAIN = (("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example"))
LAST = replica_of(BARE, mode=4, hosts=CHAIN[1:], nics=(Nic(addresses=("10.3.0.20",), gateways=("10.3.0.1",)),))


def at(name: str, *vms: Vm) -> ServerRecord:
    return source(Host(name=name, vms=vms))


def chain(**changes: object) -> Vm:
    """The replica in the middle, which sends to HV03 by its relationships and its settings, unless a case differs."""
    return replica_of(BARE, **{"nics": ORDINARY, "relationships": {0: 3, 1: 3}, "hosts": CHAIN, **changes})


def gate_of(*found: ServerRecord, scope: Scope = EVERYTHING, **policy: object) -> Gate:
    planned = Plan(estate="test", name_as_typed="", policy=Policy(**policy))  # type: ignore[arg-type]
    return judge_snapshot(snapshot(*found), scope, planned).gate


ALONE = (
    "it is unknown whether 1 virtual machine would come up with its failover address: hv01/sql01 (its other side is on "
    "hv02.dr.example, which is not in the inventory: add that server)"
)
NOT_KNOWN: dict[str, tuple[tuple[ServerRecord, ...], str]] = {
    "its replica's server was not listed": ((at("HV01", BARE),), ALONE),
    "it has an address for the way back": ((at("HV01", WITH_ADDRESS),), ALONE),
    "its replica's server was not read": (
        (at("HV01", BARE), unread_source("hv02")),
        "hv01/sql01 (its other side is on hv02.dr.example, which was not read)",
    ),
    "its replica's server does not hold it": (
        (at("HV01", BARE), at("HV02", Vm(name="x", mode=0))),
        "hv01/sql01 (its replication settings name hv02.dr.example, but hv02 does not hold it)",
    ),
    "several, each for a reason": (
        (at("HV01", BARE, Vm(name="app01", hosts=(("hv01.dr.example", "hv07.dr.example"),))),),
        "server; and 1 other reason)",
    ),
    "the server of its extended replica was not listed": (
        (at("HV01", BARE), at("HV02", chain())),
        "hv01/sql01 (its extended replica was not seen: its replica sends to hv03.dr.example)",
    ),
    "it has an extended replica by its settings": (
        (at("HV01", BARE), at("HV02", chain(relationships={0: 3}))),
        "hv01/sql01 (its extended replica was not seen: its replica sends to hv03.dr.example)",
    ),
    "it has an extended replica by its relationships": (
        (at("HV01", BARE), at("HV02", chain(hosts=CHAIN[:1]))),
        "hv01/sql01 (its extended replica was not seen)",
    ),
}


@pytest.mark.parametrize(("found", "text"), NOT_KNOWN.values(), ids=NOT_KNOWN)
def test_it_closes_the_gate_and_is_named(found: tuple[ServerRecord, ...], text: str) -> None:
    gate = gate_of(*found)
    assert gate.code is Exit.NOT_JUDGED
    assert [text in reason.text for reason in gate.reasons].count(True) == 1, gate.reasons
    assert gate.coverage.machines_judged < gate.coverage.machines


KNOWN: dict[str, tuple[ServerRecord, ...]] = {
    "both sides were read": (at("HV01", BARE), at("HV02", replica_of(WITH_ADDRESS))),
    "neither has an address": (at("HV01", BARE), at("HV02", replica_of(BARE))),
    "all three sides were read": (at("HV01", BARE), at("HV02", chain()), at("HV03", LAST)),
    "it has no second relationship": (at("HV01", BARE), at("HV02", chain(relationships={0: 3}, hosts=CHAIN[:1]))),
    "its second relationship has ended": (
        at("HV01", BARE),
        at("HV02", chain(relationships={0: 3, 1: 0}, hosts=CHAIN[:1])),
    ),
    "a replica without an address, of whose primary nobody asked": (at("HV02", replica_of(BARE)),),
}


@pytest.mark.parametrize("found", KNOWN.values(), ids=KNOWN)
def test_what_is_known_closes_nothing(found: tuple[ServerRecord, ...]) -> None:
    gate = gate_of(*found)
    assert gate.is_open, gate.reasons


def silent(gate: Gate) -> bool:
    return any("it is unknown whether" in reason.text for reason in gate.reasons)


def test_a_machine_that_has_a_verdict_of_its_own_is_not_named_twice() -> None:
    assert not silent(gate_of(at("HV01", MUTE)))
    assert not silent(gate_of(at("HV02", replica_of(WITH_ADDRESS))))  # the guest was not seen


def test_a_verdict_about_the_other_direction_says_nothing_of_this_one() -> None:
    gate = gate_of(at("HV01", MUTE), direction="failover")
    assert gate.code is Exit.NOT_JUDGED
    assert silent(gate)


def test_what_a_failback_needs_is_asked_where_the_gate_asks_for_it() -> None:
    assert gate_of(at("HV01", BARE), direction="failback").is_open  # the primary was seen, and has none
    assert silent(gate_of(at("HV02", replica_of(BARE)), direction="failback"))


def test_a_severity_and_a_percentage_are_the_users_to_decide() -> None:
    mild = {"fail_at": Severity.ERROR, "severity": {"failover-ip-needs-integration-services": Severity.WARNING}}
    assert gate_of(at("HV01", MUTE), **mild).is_open
    assert gate_of(at("HV01", BARE), least_machines_judged=0).is_open
    gate = gate_of(at("HV01", BARE), least_machines_judged=99)
    assert [reason.code for reason in gate.reasons] == [Exit.NOT_JUDGED]
    assert not silent(gate)


def test_what_is_out_of_scope_is_not_asked() -> None:
    found = at("HV01", BARE), at("HV05", Vm(name="app05", hosts=(("hv05.dr.example", "hv06.dr.example"),)))
    texts = [reason.text for reason in gate_of(*found, scope=Scope(machines=("app05",))).reasons]
    assert len(texts) == 1
    assert "hv05/app05" in texts[0]
    assert "sql01" not in texts[0]
    assert gate_of(*found, scope=Scope(rules=("server-was-read",))).is_open  # of servers alone


def test_a_name_from_a_host_reaches_the_reason_printable() -> None:
    gate = gate_of(at("HV01", replace(BARE, name="sql\x1b[31m")))
    assert "sql\\u001b[31m" in gate.reasons[0].text
