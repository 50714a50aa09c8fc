"""The picture of a way: each step by what a rule said of it, and no pass where nobody looked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit import Plan, judge_snapshot
from compliance.gate.waivers import Waiver, WaiverEntry, WaiverFile
from compliance.judge.scope import Scope
from compliance.model import Role
from compliance.report.page.way import (
    NOT_LOOKED_INTO,
    OF_THE_SCRIPT,
    OF_THE_STACK,
    OPEN,
    WORST,
    Stage,
    Way,
    WayStep,
    way_of,
)
from compliance.report.table import Table
from compliance.rules.evidence.causes import Cause
from compliance.snapshot.read import read_snapshot
from tests.builders import snapshot, source
from tests.hosts import HOUR, Host, Nic, Vm, linux, replica_of
from tests.report.large import pair
from tests.running import DEMO

VM = pair(3, "app", "hv01", "hv02", is_ready=True)[0]
NIC = Nic(addresses=("10.2.0.20",), gateways=("10.2.0.1",))


def replica(vm: Vm = VM, **changes: object) -> Table:
    """Return the table of a machine and its replica."""
    other = replica_of(vm, **{"nics": (NIC,), **changes})
    return judge_snapshot(
        snapshot(source(Host(name="HV01", vms=[vm])), source(Host(name="HV02", vms=[other]))), Scope()
    )


def way_on(table: Table, role: Role, name: str = "app") -> Way:
    vm = next(one for one in table.estate.replicated if one.machine.role is role and one.machine.name == name)
    decisions = [one for one in table.decisions if one.verdict.vm is vm]
    return way_of(vm, decisions)


def letters(way: Way) -> Mapping[WayStep, str]:
    return {step: stage.letter for step, stage in way.items()}


PASSED = dict.fromkeys((WayStep.SETTING, WayStep.VALID, WayStep.FREE, WayStep.ADAPTER, WayStep.SWITCH), "p")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (replica(), {**PASSED, WayStep.DATA_EXCHANGE: "p", WayStep.SERVICE: "p", WayStep.LANDED: OPEN}),
        (replica(offered=3), {**PASSED, WayStep.DATA_EXCHANGE: "f", WayStep.SERVICE: OPEN, WayStep.LANDED: OPEN}),
        (
            replica(nics=(replace(NIC, legacy=True),)),
            {**PASSED, WayStep.ADAPTER: "f", WayStep.DATA_EXCHANGE: OPEN, WayStep.SERVICE: OPEN, WayStep.LANDED: OPEN},
        ),
        (
            replica(nics=(replace(NIC, connected=False, gateways=("192.0.2.1",)),)),
            {
                **PASSED,
                WayStep.VALID: "f",
                WayStep.SWITCH: "f",
                WayStep.DATA_EXCHANGE: "p",
                WayStep.SERVICE: "p",
                WayStep.LANDED: OPEN,
            },
        ),
        (replica(nics=(Nic(),)), {WayStep.SETTING: "f"}),
        (
            replica(replace(VM, items=linux("SLES", "15.5"))),
            {
                **PASSED,
                WayStep.DATA_EXCHANGE: "p",
                WayStep.SERVICE: "c",
                WayStep.SCRIPT: OPEN,
                WayStep.STACK: OPEN,
                WayStep.LANDED: OPEN,
            },
        ),
        (
            replica(replace(VM, kvp=12, heartbeat=12, uptime=HOUR // 20)),
            {
                **PASSED,
                WayStep.DATA_EXCHANGE: "u",
                WayStep.SERVICE: "u",
                WayStep.SCRIPT: OPEN,
                WayStep.STACK: OPEN,
                WayStep.LANDED: OPEN,
            },
        ),
        (
            replica(replace(VM, power=3, uptime=0), power=2, uptime=HOUR, state=5, items=VM.items),
            {**PASSED, WayStep.DATA_EXCHANGE: "p", WayStep.SERVICE: "p", WayStep.LANDED: "f"},
        ),
    ],
    ids=["ready", "off", "legacy", "two faults", "wrong side", "condition", "unknown", "landed elsewhere"],
)
def test_each_step_is_what_a_rule_said(table: Table, expected: Mapping[WayStep, str]) -> None:
    assert letters(way_on(table, Role.REPLICA)) == expected


def test_a_primary_has_the_steps_of_a_failback() -> None:
    steps = way_on(replica(), Role.PRIMARY)
    assert [*steps] == [WayStep.SETTING, WayStep.VALID, WayStep.ADAPTER, WayStep.DATA_EXCHANGE, WayStep.SERVICE]


def test_what_is_waived_says_so() -> None:
    entry = {"rule": ["*"], "server": ["*"], "reason": "r", "owner": "o", "expires": "2027-06-01"}
    waiver = Waiver(place="w.yaml:2", entry=WaiverEntry.model_validate(entry), ends=datetime(2027, 6, 2, tzinfo=UTC))
    files = (WaiverFile(name="w.yaml", digest="", waivers=(waiver,)),)
    hosts = source(Host(name="HV01", vms=[VM])), source(Host(name="HV02", vms=[replica_of(VM, nics=(NIC,), offered=3)]))
    table = judge_snapshot(snapshot(*hosts), Scope(), Plan(estate="test", name_as_typed="", waiver_files=files))
    assert letters(way_on(table, Role.REPLICA))[WayStep.DATA_EXCHANGE] == "w"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("web01", {WayStep.SERVICE: "p", WayStep.SCRIPT: "p", WayStep.STACK: "f"}),
        ("sql01", {WayStep.SERVICE: "p"}),
    ],
)
def test_a_look_inside_is_taken_apart_link_by_link(name: str, expected: Mapping[WayStep, str]) -> None:
    table = judge_snapshot(read_snapshot(Path(DEMO.with_name("demo-guests.jsonl.gz"))), Scope())
    way = letters(way_on(table, Role.REPLICA, name))
    assert {step: way[step] for step in (WayStep.SERVICE, WayStep.SCRIPT, WayStep.STACK) if step in way} == expected


def test_what_nobody_looked_at_says_why() -> None:
    way = way_on(replica(replace(VM, items=linux("SLES", "15.5"))), Role.REPLICA)
    assert way[WayStep.SCRIPT].evidence == (NOT_LOOKED_INTO,)
    assert way[WayStep.LANDED].evidence == ("no failover and no test of one was made here: it is off",)


@given(st.lists(st.sampled_from(WORST)))
def test_a_step_is_as_bad_as_the_worst_that_was_said(words: list[str]) -> None:
    stage = Stage()
    for letter in words:
        stage.add(letter)
    assert stage.letter == (min(words, key=WORST.index) if words else OPEN)


def test_each_link_inside_has_a_step_of_its_own() -> None:
    """A new cause of the look inside belongs to the service, unless its name says the script or the stack."""
    named = {cause for cause in Cause if cause.startswith(("guest-script", "guest-stack"))}
    assert named <= OF_THE_SCRIPT | OF_THE_STACK
