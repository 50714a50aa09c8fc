"""The gate: what closes it, what does not, and that nothing which was not judged opens it unnamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.gate.baseline import Baseline, finding_of
from compliance.gate.decision import BaselineState, Decision, Grounds
from compliance.gate.exits import BY_HARM, Exit, worst
from compliance.gate.gate import Gate, decide
from compliance.gate.policy import Policy
from compliance.gate.waivers import Waiver, WaiverEntry
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.judge.scope import Scope
from compliance.plan import Plan
from compliance.rule import Result, Severity, Verdict
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot, join_snapshots
from tests.builders import snapshot, source, unread_source
from tests.comparing import RULES
from tests.hosts import HOUR, NOW, Host, Vm, replica_of

RULE = "failover-ip-needs-integration-services"
SQL = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
LOST = Vm(name="lost01", kvp=13)
LATER = datetime(2027, 6, 1, tzinfo=UTC)


def sources(*vms: Vm, site: str | None = None, groups: tuple[str, ...] = ()) -> list[ServerRecord]:
    first = source(Host(name="HV01", vms=list(vms)))
    return [replace(first, site=site, groups=groups), source(Host(name="HV02", vms=[replica_of(SQL)]))]


def decided(*found: ServerRecord, policy: Policy | None = None, **grounds: object) -> tuple[tuple[Decision, ...], Gate]:
    estate = translate(snapshot(*found))
    return decide(judge(estate, RULES), estate, Grounds(policy=policy or Policy(), **{"now": NOW, **grounds}))  # type: ignore[arg-type]


def codes(decisions: Sequence[Decision]) -> Mapping[str, Exit]:
    return {one.verdict.label: one.closes for one in decisions if one.closes is not Exit.OPEN}


def waiver(place: str = "w.yaml:2", ends: datetime = LATER, **changes: object) -> Waiver:
    known: dict[str, object] = {
        "rule": RULE,
        "machine": "hv01/mute01",
        "reason": "replaced in June",
        "owner": "anna",
        "expires": "2027-05-31",
    }
    written = {key: value for key, value in {**known, **changes}.items() if value is not None}
    return Waiver(place=place, entry=WaiverEntry.model_validate(written), ends=ends)


def baseline_of(decisions: Sequence[Decision], **changes: object) -> Baseline:
    findings = [one.finding for one in decisions if one.finding and one.verdict.outcome.result is Result.FAILED]
    return Baseline(name="b.json", digest="", findings={one.identity: replace(one, **changes) for one in findings})  # type: ignore[arg-type]


# --- what closes it ---------------------------------------------------------------------------------------------------

UNREAD = unread_source("hv03", "connection refused")

CLOSED: list[tuple[str, list[ServerRecord], Policy, dict[str, object], Exit]] = [
    ("all is well", sources(SQL), Policy(), {}, Exit.OPEN),
    ("a violation", sources(SQL, MUTE), Policy(), {}, Exit.VIOLATED),
    ("a machine not judged", sources(SQL, LOST), Policy(), {}, Exit.NOT_JUDGED),
    ("a server not read", [*sources(SQL), UNREAD], Policy(), {}, Exit.NOT_JUDGED),
    ("the worse wins", [*sources(SQL, MUTE, LOST), UNREAD], Policy(), {}, Exit.VIOLATED),
    ("no replicated machine", [source(Host(vms=[Vm(name="x", mode=0)]))], Policy(), {}, Exit.NOT_JUDGED),
    ("an incomplete snapshot", sources(SQL), Policy(), {"complete": False}, Exit.NOT_JUDGED),
    ("an old snapshot", sources(SQL), Policy(oldest_snapshot=timedelta(hours=1)), {"now": LATER}, Exit.NOT_JUDGED),
    ("a fresh one", sources(SQL), Policy(oldest_snapshot=timedelta(hours=1)), {}, Exit.OPEN),
    ("below the severity", sources(SQL, MUTE), Policy(fail_at=Severity.ERROR), {}, Exit.VIOLATED),
    ("a waiver", sources(SQL, MUTE), Policy(), {"waivers": [waiver()]}, Exit.OPEN),
    ("a waiver for another", sources(SQL, MUTE), Policy(), {"waivers": [waiver(machine="x")]}, Exit.VIOLATED),
    ("a waiver that ended", sources(SQL, MUTE), Policy(), {"waivers": [waiver()], "now": LATER}, Exit.WAIVER_ENDED),
    (
        "a waiver that may hold on",
        sources(SQL, MUTE),
        Policy(expired_waivers="tell"),
        {"waivers": [waiver()], "now": LATER},
        Exit.OPEN,
    ),
    ("an unused waiver", sources(SQL), Policy(unused_waivers="fail"), {"waivers": [waiver()]}, Exit.USAGE),
    ("an unused waiver, told", sources(SQL), Policy(), {"waivers": [waiver()]}, Exit.OPEN),
    (
        "not judged, a pattern",
        sources(SQL, LOST),
        Policy(),
        {"waivers": [waiver(machine="hv01/lost*")]},
        Exit.NOT_JUDGED,
    ),
    (
        "not judged, exactly waived",
        sources(SQL, LOST),
        Policy(),
        {"waivers": [waiver(machine="hv01/lost01")]},
        Exit.OPEN,
    ),
    (
        "not judged, the waiver ended",
        sources(SQL, LOST),
        Policy(),
        {"waivers": [waiver(machine="hv01/lost01")], "now": LATER},
        Exit.NOT_JUDGED,
    ),
    (
        "a server can't be waived",
        [*sources(SQL), UNREAD],
        Policy(),
        {"waivers": [waiver(rule="*", machine="*", server="hv03")]},
        Exit.NOT_JUDGED,
    ),
    ("servers may miss", [*sources(SQL), UNREAD], Policy(least_servers_read=60), {}, Exit.OPEN),
    ("servers may not miss so many", [*sources(SQL), UNREAD], Policy(least_servers_read=70), {}, Exit.NOT_JUDGED),
    ("machines may miss", sources(SQL, LOST), Policy(least_machines_judged=60), {}, Exit.OPEN),
    ("machines may not miss so many", sources(SQL, LOST), Policy(least_machines_judged=70), {}, Exit.NOT_JUDGED),
    ("servers may, machines may not", [*sources(SQL, LOST), UNREAD], Policy(least_servers_read=0), {}, Exit.NOT_JUDGED),
    ("a floor of 0 opens no violation", sources(SQL, MUTE), Policy(least_machines_judged=0), {}, Exit.VIOLATED),
]


@pytest.mark.parametrize(
    ("found", "policy", "grounds", "code"), [case[1:] for case in CLOSED], ids=[c[0] for c in CLOSED]
)
def test_what_closes_the_gate(
    found: list[ServerRecord], policy: Policy, grounds: dict[str, object], code: Exit
) -> None:
    decisions, gate = decided(*found, policy=policy, **grounds)
    assert gate.code is code, gate.reasons
    assert bool(gate.reasons) is not gate.is_open
    assert [reason.code for reason in gate.reasons] == sorted((r.code for r in gate.reasons), key=BY_HARM.index)
    assert len(decisions) == len(judge(translate(snapshot(*found)), RULES))  # nothing vanishes
    tolerated = [one for one in decisions if one.verdict.outcome.result is Result.UNKNOWN and not one.waiver]
    if gate.is_open and tolerated:
        assert gate.weaker  # never open on what was not judged without saying so


def test_nothing_selected_is_a_mistake() -> None:
    estate = translate(snapshot(*sources(SQL)))
    _, gate = decide([], estate, Grounds(policy=Policy(), now=NOW))
    assert gate.code is Exit.USAGE


def test_a_severity_below_the_gates_closes_nothing_failed_or_unknown() -> None:
    estate = translate(snapshot(*sources(SQL, MUTE, LOST)))
    mild = [replace(one, rule=replace(one.rule, severity=Severity.INFORMATION)) for one in judge(estate, RULES)]
    decisions, gate = decide(mild, estate, Grounds(policy=Policy(), now=NOW))
    assert gate.is_open
    results = {one.reported.label: one.reported.outcome.result for one in decisions if one.finding}
    assert results == {"hv01/mute01": Result.FAILED, "hv01/lost01": Result.UNKNOWN}  # and yet shown as what they are
    _, strict = decide(mild, estate, Grounds(policy=Policy(fail_at=Severity.INFORMATION), now=NOW))
    assert strict.code is Exit.VIOLATED


# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(decisions: Sequence[Decision], label: str) -> Verdict:
    return next(one.reported for one in decisions if one.verdict.label == label and one.verdict.rule.key == RULE)


def test_a_waived_finding_says_until_when_and_why_and_what_it_is() -> None:
    decisions, gate = decided(*sources(SQL, MUTE), waivers=[waiver()])
    outcome = shown(decisions, "hv01/mute01").outcome
    assert outcome.result is Result.WAIVED
    assert outcome.finding.startswith("waived (would fail): replaced in June (anna, until 2027-05-31); the guest")
    assert (gate.unused, gate.ended, gate.ending) == ((), (), ())


def test_what_was_not_judged_is_never_shown_as_a_failure_that_is_waived() -> None:
    decisions, _ = decided(*sources(SQL, LOST), waivers=[waiver(machine="hv01/lost01")])
    assert shown(decisions, "hv01/lost01").outcome.finding.startswith("waived (unknown): replaced in June")


def test_waivers_that_end_soon_have_ended_or_met_nothing_are_listed() -> None:
    soon = waiver(place="a", ends=NOW + timedelta(days=13))
    past = waiver(place="b", ends=NOW)
    idle = waiver(place="c", machine="nobody", ends=NOW + timedelta(days=15))
    _, gate = decided(*sources(SQL, MUTE), waivers=[past, soon, idle])
    assert [[one.place for one in found] for found in (gate.ending, gate.ended, gate.unused)] == [["a"], ["b"], ["c"]]
    assert gate.is_open  # the one in force counts, whichever stands first


@pytest.mark.parametrize("order", list(permutations(range(2))))
def test_a_waiver_in_force_wins_over_one_that_ended(order: tuple[int, ...]) -> None:
    both = [waiver(place="a", ends=NOW), waiver(place="b")]
    _, gate = decided(*sources(SQL, MUTE), waivers=[both[at] for at in order])
    assert gate.is_open


@pytest.mark.parametrize(
    ("kind", "opens"), [({"site": "ber*"}, True), ({"group": "sql"}, True), ({"group": "web"}, False)]
)
def test_waivers_by_site_and_group(kind: dict[str, object], opens: bool) -> None:
    found = sources(SQL, MUTE, site="berlin", groups=("sql",))
    assert decided(*found, waivers=[waiver(machine=None, **kind)])[1].is_open is opens


# --- direction and time -----------------------------------------------------------------------------------------------


def test_what_is_about_the_other_direction_closes_nothing_and_is_shown_as_it_is() -> None:
    """MUTE is a primary: its address would be used at a failback."""
    decisions, gate = decided(*sources(SQL, MUTE), policy=Policy(direction="failover"))
    assert gate.is_open
    assert gate.direction == "failover"
    assert gate.weaker == ("findings about a failback don't close the gate (`direction: failover`)",)
    (mute,) = [one for one in decisions if one.finding]
    assert mute.reported.outcome.result is Result.FAILED
    assert mute.allowed == "about failback, and the gate's direction is failover"
    _, gate = decided(*sources(SQL, MUTE), policy=Policy(direction="failback"))
    assert gate.code is Exit.VIOLATED


def test_what_is_unknown_of_the_other_direction_closes_nothing() -> None:
    assert decided(*sources(SQL, LOST), policy=Policy(direction="failover"))[1].is_open
    assert decided(*sources(SQL), UNREAD, policy=Policy(direction="failover"))[1].code is Exit.NOT_JUDGED


@pytest.mark.parametrize(
    ("ahead", "policy", "code"),
    [
        (timedelta(minutes=4), Policy(), Exit.OPEN),
        (timedelta(minutes=6), Policy(), Exit.NOT_JUDGED),
        (timedelta(days=400), Policy(oldest_snapshot=timedelta(hours=1)), Exit.NOT_JUDGED),
    ],
)
def test_a_snapshot_from_the_future_closes_the_gate(ahead: timedelta, policy: Policy, code: Exit) -> None:
    _, gate = decided(*sources(SQL), policy=policy, now=NOW - ahead)
    assert gate.code is code
    if code is Exit.NOT_JUDGED:
        assert "ahead of this machine's clock" in gate.reasons[0].text


OLD, FUTURE = NOW - timedelta(days=900), NOW + timedelta(days=400)


def moved(taken: Snapshot, time: datetime) -> Snapshot:
    return replace(taken, time=time)


def redated(source: ServerRecord, **times: datetime) -> ServerRecord:
    assert isinstance(source.reading, Reading)
    return replace(source, reading=replace(source.reading, **times))


PRIMARY, REPLICA = sources(SQL)
AGES: list[tuple[str, Snapshot, str]] = [
    ("as it is", snapshot(PRIMARY, REPLICA), ""),
    (
        "one of two from the future",
        join_snapshots([(Path("a"), snapshot(PRIMARY)), (Path("b"), moved(snapshot(REPLICA), FUTURE))]),
        "ahead of this machine's clock",
    ),
    (
        "one of two is old, the other from the future",
        join_snapshots([(Path("a"), moved(snapshot(PRIMARY), OLD)), (Path("b"), moved(snapshot(REPLICA), FUTURE))]),
        "ahead of this machine's clock",
    ),
    (
        "one of two is old",
        join_snapshots([(Path("a"), snapshot(PRIMARY)), (Path("b"), moved(snapshot(REPLICA), OLD))]),
        "900 days old",
    ),
    ("one server's reading is old", snapshot(PRIMARY, redated(REPLICA, started=OLD)), "900 days old"),
    ("one server's is of the future", snapshot(PRIMARY, redated(REPLICA, finished=FUTURE)), "ahead of this"),
]


@pytest.mark.parametrize(("taken", "text"), [case[1:] for case in AGES], ids=[case[0] for case in AGES])
def test_every_server_counts_for_the_age(taken: Snapshot, text: str) -> None:
    """The oldest time of the files alone would hide one that is ahead, and a file's head what a server's line says."""
    plan = Plan(estate="test", name_as_typed="", policy=Policy(oldest_snapshot=timedelta(days=30)))
    gate = judge_snapshot(taken, Scope(), plan, now=NOW).gate
    assert gate.is_open is (not text), gate.reasons
    assert any(text in reason.text for reason in gate.reasons) is bool(text)


# --- beside a baseline ------------------------------------------------------------------------------------------------


def test_known_findings_do_not_close_the_gate_new_ones_do() -> None:
    before, _ = decided(*sources(SQL, MUTE))
    known = baseline_of(before)
    decisions, gate = decided(*sources(SQL, MUTE), baseline=known)
    assert gate.is_open
    assert shown(decisions, "hv01/mute01").outcome.finding.startswith("known in the baseline (would fail); the guest")
    new, gate = decided(*sources(SQL, MUTE, replace(MUTE, name="mute02")), baseline=known)
    assert codes(new) == {"hv01/mute02": Exit.VIOLATED}
    assert [one.state for one in new if one.finding] == [BaselineState.KNOWN, BaselineState.NEW]


def test_a_known_finding_on_other_evidence_is_a_third_thing_and_closes_the_gate() -> None:
    before, _ = decided(*sources(SQL, MUTE))
    decisions, gate = decided(*sources(SQL, replace(MUTE, offered=3)), baseline=baseline_of(before))
    assert [one.state for one in decisions if one.finding] == [BaselineState.CHANGED]
    assert gate.code is Exit.VIOLATED


def test_a_name_is_no_identity_and_a_longer_uptime_no_evidence() -> None:
    before, _ = decided(*sources(SQL, MUTE))
    renamed = replace(MUTE, name="other", guid=MUTE.id, uptime=101 * HOUR)
    decisions, gate = decided(*sources(SQL, renamed), baseline=baseline_of(before))
    assert gate.is_open, codes(decisions)


def test_what_was_not_judged_is_never_known() -> None:
    before, _ = decided(*sources(SQL, LOST))
    every = [one.finding for one in before if one.finding]
    known = Baseline(name="b", digest="", findings={one.identity: one for one in every})
    _, gate = decided(*sources(SQL, LOST), baseline=known)
    assert gate.code is Exit.NOT_JUDGED


def test_vanished_findings_are_listed_but_not_those_of_a_server_that_was_not_read() -> None:
    before, _ = decided(*sources(SQL, MUTE))
    known = baseline_of(before)
    _, gate = decided(*sources(SQL), baseline=known)
    assert [one.label for one in gate.vanished] == ["hv01/mute01"]
    _, gate = decided(unread_source("hv01"), sources(SQL)[1], baseline=known)
    assert gate.vanished == ()


@pytest.mark.parametrize("grounds", [{"narrowed": True}, {"complete": False}])
def test_nothing_vanishes_where_not_all_was_judged(grounds: dict[str, object]) -> None:
    before, _ = decided(*sources(SQL, MUTE))
    baseline = baseline_of(before)
    assert decided(*sources(SQL), baseline=baseline)[1].vanished
    assert decided(*sources(SQL), baseline=baseline, **grounds)[1].vanished == ()


def test_a_finding_of_a_rule_that_was_not_asked_has_not_vanished() -> None:
    before, _ = decided(*sources(SQL, MUTE))
    baseline = baseline_of(before)
    renamed = {key: replace(one, rule="guest-applies-failover-ip") for key, one in baseline.findings.items()}
    assert decided(*sources(SQL), baseline=replace(baseline, findings=renamed))[1].vanished == ()


def test_two_machines_never_share_an_identity() -> None:
    estate = translate(snapshot(*sources(SQL, MUTE, LOST, replace(MUTE, name="mute02")), UNREAD))
    found = [finding for verdict in judge(estate, RULES) if (finding := finding_of(verdict))]
    assert len({one.identity for one in found}) == len(found) == 5


# --- numbers ----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(Exit)))
def test_the_worse_always_wins(found: list[Exit]) -> None:
    assert worst(found) is min(found, key=BY_HARM.index, default=Exit.OPEN)
    assert (worst(found) is Exit.OPEN) == (set(found) <= {Exit.OPEN})


def test_every_code_has_its_harm() -> None:
    assert sorted(BY_HARM) == sorted(Exit)
