"""Rules are never called on what was not read, and never where a rule on which they rest has said it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from compliance.judge.judge import all_rules, judge
from compliance.judge.requirements import check_requirements
from compliance.model import (
    Cluster,
    Estate,
    GuestConnection,
    ReplicaAdapter,
    ReplicatedVM,
    Role,
    Server,
    Subject,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Result, Rule, Severity, failed, not_applicable, passed, rule, unknown
from compliance.rules.coverage import cluster_was_read, estate_has_replicated_machines, server_was_read
from tests.hosts import NOW
from tests.values import address, estate, replica, vm


def rule_on(
    subject: type[Subject], judge_it: Callable[[Subject], Outcome], key: str = "of-a-user", **more: object
) -> Rule:
    """A rule as a user writes it."""

    def function(on: Subject) -> Outcome:
        return judge_it(on)

    function.__annotations__["on"] = subject
    return rule(key, severity=Severity.ERROR, title="t", impact="i", resolution="r", **more)(function)  # type: ignore[arg-type]


def never(on: Subject) -> Outcome:
    raise AssertionError(f"called on {on}")


CHANGES: dict[str, dict[str, object]] = {
    "its row is in doubt": {"doubt": Unread("half a row")},
    "its role is not known": {"role": Unread("no role")},
    "its power is not known": {"power": Unread("no power")},
    "whether it replicates is not known": {"replicated": Unread("nobody says")},
    "it changed while it was read": {"changed": ("it moved",)},
}
USERS = [rule_on(kind, never) for kind in (Server, Cluster, ReplicatedVM, ReplicaAdapter)]
"""One for each kind of subject that can be unread."""
EVERY = (*all_rules(), *USERS)
SEEING = {server_was_read.key, cluster_was_read.key, estate_has_replicated_machines.key}


WAYS = (GuestConnection(name="local://", patterns=("app",), inside=Unread("not read")),)


def named(of: Rule) -> str:
    return f"{of}-{of.subject.__name__}"


def with_unread_side(**changes: object) -> Estate:
    primary = vm()
    whole = estate(primary, replica(primary, address("10.2.0.20")))
    sides = tuple(replace(side, machine=replace(side.machine, **changes)) for side in whole.replicated)  # type: ignore[arg-type]
    return replace(whole, replicated=sides, connections=WAYS)


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("of", [one for one in EVERY if one.of_machines], ids=named)
def test_no_rule_passes_on_a_side_that_was_not_read(of: Rule, changes: dict[str, object]) -> None:
    verdicts = judge(with_unread_side(**changes), [of])
    assert verdicts or Role.REPLICA not in of.sides
    assert {one.outcome.result for one in verdicts} <= {Result.UNKNOWN}, [one.outcome for one in verdicts]


UNREAD = Estate(
    name="test",
    time=NOW,
    servers=(Server(name="hv01", unread=Unread("refused")), Server(name="hv02", doubt="half of it")),
    clusters=(Cluster(name="hvcl01", unread=Unread("refused")), Cluster(name="hvcl02", doubts=("a node is missing",))),
    replicated=(),
    connections=WAYS,
)


@pytest.mark.parametrize("of", EVERY, ids=named)
def test_no_rule_passes_on_a_server_or_cluster_that_was_not_read(of: Rule) -> None:
    verdicts = judge(UNREAD, [of])
    assert {one.outcome.result for one in verdicts} == {Result.UNKNOWN}, [one.outcome for one in verdicts]
    assert all(one.outcome.finding for one in verdicts)
    subjects = {Server: 2, Cluster: 2, Estate: 1, ReplicatedVM: 1, ReplicaAdapter: 1}  # an unread server stands in
    assert len(verdicts) == subjects[of.subject]


def test_only_rules_about_reading_judge_what_was_not_read() -> None:
    assert {one.key for one in all_rules() if one.judges_unread} == SEEING


# --- rules that rest on others ----------------------------------------------------------------------------------------

REQUIRED: list[tuple[Outcome, Outcome | None]] = [
    (passed("fine"), None),
    (failed("bad", cause="why"), not_applicable("first failed: see there", cause="required-rule-failed")),
    (unknown("dark", cause="why"), unknown("first is unknown: dark", cause="why")),
    (unknown("dark"), unknown("first is unknown: dark", cause="required-rule-unknown")),
    (not_applicable("no address", cause="none"), not_applicable("no address", cause="none")),
]


@pytest.mark.parametrize("kind", [ReplicatedVM, ReplicaAdapter])
@pytest.mark.parametrize(("outcome", "expected"), REQUIRED)
def test_a_rule_that_rests_on_another_points_there(
    kind: type[Subject], outcome: Outcome, expected: Outcome | None
) -> None:
    calls: list[Subject] = []

    def first(on: Subject) -> Outcome:
        calls.append(on)
        return outcome

    def second(on: Subject) -> Outcome:
        return passed("second")

    rules = [
        rule_on(kind, second, "second", requires=("first",)),
        rule_on(ReplicatedVM, first, "first"),
        rule_on(kind, second, "third", requires=["first"]),
    ]
    primary = vm()
    verdicts = judge(estate(primary, replica(primary)), rules)
    assert {one.outcome for one in verdicts if one.rule.key in ("second", "third")} == {expected or passed("second")}
    assert len(calls) == 2  # each side once, however many rest on it


def test_a_rule_rests_on_its_server() -> None:
    rules = [
        rule_on(ReplicatedVM, never, "second", requires=("first",)),
        rule_on(Server, lambda on: failed("bad") if str(on) == "hv01" else unknown("dark"), "first"),
    ]
    primary = vm()
    verdicts = judge(estate(primary, replica(primary)), rules[:1] + rules[1:])
    assert [one.outcome.result for one in verdicts if one.machine] == [Result.NOT_APPLICABLE, Result.UNKNOWN]


def test_a_rule_rests_on_one_that_is_not_selected() -> None:
    primary = vm(data_exchange_offered=False, failover=(address("10.1.0.20"),))
    of = rule_on(ReplicatedVM, never, requires=["failover-ip-needs-integration-services"])
    (verdict,) = judge(estate(primary), [of])
    assert isinstance(verdict.machine, VirtualMachine)
    assert verdict.outcome.result is Result.NOT_APPLICABLE


WRONG: list[tuple[list[tuple[type[Subject], str, tuple[str, ...]]], str]] = [
    ([(Server, "a", ("b",))], "rule a requires b, which is no rule"),
    ([(Server, "a", ("b",)), (Cluster, "b", ())], "rule a requires b, which judges other subjects"),
    ([(ReplicatedVM, "a", ("b",)), (ReplicaAdapter, "b", ())], "rule a requires b, which judges other subjects"),
    ([(Server, "a", ("b",)), (Server, "b", ("a",))], "rules require each other: "),
]


@pytest.mark.parametrize(("rules", "message"), WRONG)
def test_a_rule_that_rests_on_nothing(rules: list[tuple[type[Subject], str, tuple[str, ...]]], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        check_requirements([rule_on(kind, never, key, requires=requires) for kind, key, requires in rules])
