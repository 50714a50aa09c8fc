"""What a run shows: patterns without case; and a question that is open stays in view."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.gate.exits import Exit
from compliance.gate.policy import Policy
from compliance.hyperv.estate import translate
from compliance.judge.judge import all_rules, judge
from compliance.judge.scope import Scope
from compliance.model import Unread
from compliance.plan import Plan
from compliance.rule import Result, Severity, Verdict
from tests.builders import snapshot, source, unread_source
from tests.guests.replies import guest
from tests.hosts import Host, Vm, guid, replica_of

RULE, READ, ESTATE = "failover-ip-needs-integration-services", "server-was-read", "estate-has-replicated-machines"
VERDICTS = judge(
    translate(
        snapshot(
            source(Host(name="HV01", vms=[Vm(name="SQL01"), Vm(name="web[1]"), Vm(name="caf\u0065\u0301")])),
            source(Host(name="HV02", vms=[Vm(name="sql02", offered=3)])),
            unread_source("hv03"),
        )
    )
)
MACHINES = {"hv01/SQL01", "hv01/web[1]", "hv01/caf\u00e9", "hv02/sql02"}
SERVERS = {"hv01", "hv02", "hv03"}


def shown(scope: Scope, rule: str = RULE) -> set[str]:
    return {verdict.label for verdict in VERDICTS if scope.holds(verdict) and verdict.rule.key == rule}


def test_no_pattern_narrows_nothing() -> None:
    assert all(Scope().holds(verdict) for verdict in VERDICTS)
    assert shown(Scope()) == {*MACHINES, "hv03"}
    assert str(Scope()) == ""


# hv03 was not read, so it may hold any machine that was asked for.
BY_MACHINE: list[tuple[str, set[str]]] = [
    ("SQL01", {"hv01/SQL01"}),
    ("sql01", {"hv01/SQL01"}),
    ("sql*", {"hv01/SQL01", "hv02/sql02"}),
    ("SQL0?", {"hv01/SQL01", "hv02/sql02"}),
    ("sql0[!1]", {"hv02/sql02"}),
    ("*", MACHINES),
    ("hv01/*", MACHINES - {"hv02/sql02"}),
    ("HV02/SQL02", {"hv02/sql02"}),
    ("web[1]", {"hv01/web[1]"}),
    ("WEB[1]", {"hv01/web[1]"}),
    ("web[[]1]", {"hv01/web[1]"}),
    ("hv01/web[1]", {"hv01/web[1]"}),
    (guid("SQL01"), {"hv01/SQL01"}),
    (guid("SQL01").lower(), {"hv01/SQL01"}),
    ("caf\u00e9", {"hv01/caf\u00e9"}),
    ("caf\u0065\u0301", {"hv01/caf\u00e9"}),
    ("CAF\u00c9", {"hv01/caf\u00e9"}),
    ("sql", set()),
    ("", set()),
    ("[", set()),
]


@pytest.mark.parametrize(("pattern", "machines"), BY_MACHINE)
def test_machines(pattern: str, machines: set[str]) -> None:
    assert shown(Scope(machines=(pattern,))) == {*machines, "hv03"}


BY_SERVER: list[tuple[str, set[str], set[str]]] = [
    ("hv01", MACHINES - {"hv02/sql02"}, {"hv01"}),
    ("HV0[12]", MACHINES, {"hv01", "hv02"}),
    ("hv03", {"hv03"}, {"hv03"}),
    ("*", {*MACHINES, "hv03"}, SERVERS),
    ("hv", set(), set()),
]


@pytest.mark.parametrize(("pattern", "machines", "servers"), BY_SERVER)
def test_servers(pattern: str, machines: set[str], servers: set[str]) -> None:
    scope = Scope(servers=(pattern,))
    assert shown(scope) == machines
    assert shown(scope, READ) == servers


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        (RULE, {RULE}),
        ("FAILOVER-*", {RULE}),
        ("server-was-read", {READ}),
        ("*-*", {RULE, READ, ESTATE}),
        ("none", set()),
    ],
)
def test_rules(pattern: str, keys: set[str]) -> None:
    known = {RULE, READ, ESTATE}
    scope = Scope(rules=(pattern,))
    assert {one.rule.key for one in VERDICTS if scope.holds(one)} & known == keys


@pytest.mark.parametrize(("pattern", "held"), [("error", True), ("ERROR", True), ("err*", True), ("warning", False)])
def test_severities(pattern: str, held: bool) -> None:
    verdict = next(one for one in VERDICTS if one.rule.key == RULE)
    assert verdict.rule.severity == "error"
    assert Scope(severities=(pattern,)).holds(verdict) is held


def test_several_of_one_kind_widen_and_kinds_narrow_each_other() -> None:
    assert shown(Scope(machines=("sql01", "sql02"))) == {"hv01/SQL01", "hv02/sql02", "hv03"}
    assert shown(Scope(machines=("sql*",), servers=("hv02",))) == {"hv02/sql02"}
    assert shown(Scope(machines=("sql*",), servers=("hv01", "hv03"))) == {"hv01/SQL01", "hv03"}
    assert shown(Scope(machines=("sql*",), severities=("information",))) == set()
    assert shown(Scope(machines=("sql*",), rules=(READ,))) == set()


def test_an_unread_server_stays_where_machines_are_asked_for() -> None:
    scope = Scope(machines=("sql01",))
    assert shown(scope, READ) == {"hv03"}  # the servers that were read are no answer to the question
    assert "hv03" in shown(scope)


def with_result(verdict: Verdict, result: Result) -> Verdict:
    return replace(verdict, outcome=replace(verdict.outcome, result=result))


OPEN = {
    Result.FAILED: True,
    Result.UNKNOWN: True,
    Result.WAIVED: True,
    Result.NOT_APPLICABLE: False,
    Result.PASSED: False,
}


@pytest.mark.parametrize("result", Result)
@pytest.mark.parametrize("key", [READ, ESTATE])
def test_what_is_open_stays_whatever_machine_is_asked_for(key: str, result: Result) -> None:
    verdict = with_result(next(one for one in VERDICTS if one.rule.key == key), result)
    assert Scope(machines=("nobody",)).holds(verdict) is OPEN[result]


@pytest.mark.parametrize("result", Result)
def test_an_open_question_about_another_server_goes(result: Result) -> None:
    of_server, of_estate = (next(one for one in VERDICTS if one.rule.key == key) for key in (READ, ESTATE))
    assert not Scope(servers=("other",)).holds(with_result(of_server, result))
    assert Scope(servers=("other",)).holds(with_result(of_estate, result)) is OPEN[result]


def test_as_the_options_that_made_it() -> None:
    scope = Scope(servers=("hv01", "hv02"), machines=("sql*",), rules=("a",), severities=("error",))
    assert str(scope) == "--hv-server hv01 --hv-server hv02 --hv-vm sql* --hv-rule a --hv-severity error"


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_machine_is_found_by_its_own_name(name: str) -> None:
    estate = translate(snapshot(source(Host(vms=[Vm(name=name, guid=guid("x")), Vm(name="other")]))))
    founding = next(rule for rule in all_rules() if rule.key == RULE)
    asked = name if name.strip() else guid("x")
    shown = [
        one.machine.guid for one in judge(estate, [founding]) if one.machine and Scope(machines=(asked,)).holds(one)
    ]
    assert guid("x") in shown


SITES = translate(
    snapshot(
        source(Host(name="HV01", vms=[Vm(name="SQL01")]), site="Berlin", groups=("dr", "sql")),
        source(Host(name="HV02", vms=[Vm(name="sql02")]), site="Frankfurt", groups=("dr",)),
        unread_source("hv03"),
    )
)
BY_PLACE: list[tuple[Scope, set[str], set[str]]] = [
    (Scope(sites=("berlin",)), {"hv01/SQL01"}, {"hv01"}),
    (Scope(sites=("BER*", "frank*")), {"hv01/SQL01", "hv02/sql02"}, {"hv01", "hv02"}),
    (Scope(sites=("*",)), {"hv01/SQL01", "hv02/sql02"}, {"hv01", "hv02"}),  # hv03 says no site
    (Scope(sites=("hamburg",)), set(), set()),
    (Scope(groups=("DR",)), {"hv01/SQL01", "hv02/sql02"}, {"hv01", "hv02"}),
    (Scope(groups=("sql",)), {"hv01/SQL01"}, {"hv01"}),
    (Scope(groups=("dr",), sites=("frankfurt",)), {"hv02/sql02"}, {"hv02"}),
    (Scope(groups=("sql",), servers=("hv02",)), set(), set()),
    (Scope(groups=("sql",), machines=("sql*",)), {"hv01/SQL01"}, set()),
]


@pytest.mark.parametrize(("scope", "machines", "servers"), BY_PLACE)
def test_sites_and_groups(scope: Scope, machines: set[str], servers: set[str]) -> None:
    by_name = {server.name: server for server in SITES.servers}
    held = [one for one in judge(SITES) if scope.holds(one, by_name)]
    assert {one.label for one in held if one.rule.key == RULE} == machines
    assert {one.label for one in held if one.rule.key == READ} == servers
    assert str(scope).startswith("--hv-")


@pytest.mark.parametrize("scope", [Scope(sites=("x",)), Scope(groups=("x",))])
def test_what_is_open_about_the_estate_stays_whatever_the_place(scope: Scope) -> None:
    verdict = next(one for one in judge(SITES) if one.rule.key == ESTATE)
    assert scope.holds(with_result(verdict, Result.UNKNOWN))
    assert not scope.holds(with_result(verdict, Result.PASSED))


# --- what is asked for and not there ----------------------------------------------------------------------------------

SQL = Vm(name="sql02")
PAIR = snapshot(
    source(Host(name="HV01", vms=[SQL]), site="Berlin", groups=("dr", "sql")),
    source(Host(name="HV02", vms=[replica_of(SQL)]), site="Frankfurt", groups=("dr",)),
)
LOST_WAY = replace(PAIR, guests=(guest("typo", seen=Unread("dead")),))
NOWHERE = [Scope(sites=("x",)), Scope(groups=("x",)), Scope(servers=("x",)), Scope(machines=("x",))]
HALF = [
    Scope(sites=("frankfurt", "x")),
    Scope(groups=("dr", "x")),
    Scope(servers=("hv02", "x")),
    Scope(machines=("sql02", "x")),
    Scope(rules=("server*", "x*")),
]
MILD = Plan(estate="test", name_as_typed="", policy=Policy(fail_at=Severity.ERROR))


@pytest.mark.parametrize("scope", NOWHERE, ids=str)
def test_what_is_only_kept_since_it_is_open_opens_no_gate(scope: Scope) -> None:
    """A warning about the estate stays whatever the place. It must not be all that a run is about."""
    gate = judge_snapshot(LOST_WAY, scope, MILD).gate
    assert gate.code is Exit.USAGE
    assert judge_snapshot(LOST_WAY, Scope(), MILD).gate.is_open


@pytest.mark.parametrize("scope", HALF, ids=str)
def test_one_pattern_of_several_that_means_nothing_is_a_mistake(scope: Scope) -> None:
    gate = judge_snapshot(PAIR, scope, MILD).gate
    assert (gate.code, [reason.text for reason in gate.reasons]) == (
        Exit.USAGE,
        [f"matches nothing that was judged: {str(scope).split(' ', 2)[2]}"],
    )


# --- what was not read, and rules that close no gate ------------------------------------------------------------------

LOST = snapshot(source(Host(name="HV01", vms=[SQL])), source(Host(name="HV02", vms=[replica_of(SQL)])))
LOST = replace(LOST, servers=(*LOST.servers, unread_source("hv03")))
OF_LOW_SEVERITY = "replica-adapter-without-address-is-connected"
NARROW = [
    (Scope(severities=("information",)), True),
    (Scope(rules=(OF_LOW_SEVERITY,)), True),
    (Scope(rules=(OF_LOW_SEVERITY,), servers=("hv03",)), True),
    (Scope(severities=("information",), machines=("sql02",)), True),
    (Scope(severities=("information",), servers=("hv02",)), False),
    (Scope(severities=("warning",)), True),
]


@pytest.mark.parametrize(("scope", "closes"), NARROW, ids=str)
def test_no_severity_opens_the_gate_over_a_server_that_was_not_read(scope: Scope, *, closes: bool) -> None:
    gate = judge_snapshot(LOST, scope).gate
    assert gate.is_open is not closes
    assert [reason.text.partition("not be judged")[2] for reason in gate.reasons] == [": hv03"] * closes
