"""A policy in layers: what a later one says wins, what it leaves out stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from compliance import audit
from compliance.errors import UsageError
from compliance.gate.policy import DEFAULT, Policy, PolicyBlock, option_of, policy_of_options, read_policy
from compliance.judge.judge import all_rules
from compliance.judge.scope import Scope
from compliance.model import Evidence, Judging, ReplicatedVM, Role, Server, Unread
from compliance.plan import read_plan
from compliance.plugin.options import POLICY_OPTIONS
from compliance.rule import Severity, Verdict, failed
from tests.running import LAB
from tests.values import vm


def test_a_block_that_says_nothing_changes_nothing() -> None:
    assert DEFAULT.after(PolicyBlock()) == DEFAULT


def test_a_later_block_wins_key_by_key() -> None:
    first = PolicyBlock(fail_at="error", oldest_snapshot=24, severity={"a": "warning", "b": "error"})
    second = PolicyBlock(oldest_snapshot=1, severity={"b": "information"})
    assert DEFAULT.after(first).after(second) == Policy(
        fail_at=Severity.ERROR,
        oldest_snapshot=timedelta(hours=1),
        severity={"a": Severity.WARNING, "b": Severity.INFORMATION},
    )


def test_what_a_snapshot_says_stays_where_the_policy_is_silent() -> None:
    settings = Judging(evidence=Evidence.BPA, boot_grace=timedelta(minutes=3), may_be_empty=True)
    assert DEFAULT.over(settings) == settings
    told = Policy(evidence=Evidence.OBSERVED, boot_grace=timedelta()).over(settings)
    assert told == Judging(evidence=Evidence.OBSERVED, boot_grace=timedelta(), may_be_empty=True)


WEAKER = [
    (Policy(), 0),
    (Policy(fail_at=Severity.INFORMATION), 0),
    (Policy(fail_at=Severity.ERROR), 1),
    (Policy(least_servers_read=99.5), 1),
    (Policy(least_servers_read=0, least_machines_judged=0), 2),
    (Policy(expired_waivers="tell"), 1),
    (Policy(unused_waivers="fail"), 0),
    (Policy(severity={"server-was-read": Severity.INFORMATION}), 1),
]


@pytest.mark.parametrize(("policy", "count"), WEAKER)
def test_whatever_is_weaker_than_the_default_is_named(policy: Policy, count: int) -> None:
    assert len(list(policy.weaker(Judging()))) == count


@pytest.mark.parametrize(
    ("settings", "lines"),
    [
        (Judging(), []),
        (Judging(boot_grace=timedelta(minutes=3)), []),
        (Judging(evidence=Evidence.BPA), ["guests' own answers don't count (`evidence: bpa`)"]),
        (
            Judging(boot_grace=timedelta(minutes=90)),
            ["guests may be silent for 90 minutes after their start (`boot_grace: 90`)"],
        ),
    ],
)
def test_what_a_snapshot_says_is_weaker_as_well(settings: Judging, lines: list[str]) -> None:
    assert list(DEFAULT.weaker(settings)) == lines


@pytest.mark.parametrize(
    ("direction", "role", "other"),
    [
        ("both", Role.PRIMARY, ""),
        ("both", Role.REPLICA, ""),
        ("failover", Role.PRIMARY, "failback"),
        ("failover", Role.REPLICA, ""),
        ("failover", Role.EXTENDED_REPLICA, ""),
        ("failover", Unread("not known"), ""),
        ("failback", Role.PRIMARY, ""),
        ("failback", Role.REPLICA, "failover"),
        ("failback", Unread("not known"), ""),
    ],
)
def test_which_direction_a_verdict_is_about(direction: str, role: Role | Unread, other: str) -> None:
    side = ReplicatedVM(
        machine=vm(role=role) if isinstance(role, Role) else replace(vm(), role=role), partner=Unread("x")
    )
    verdict = Verdict(rule=all_rules()[0], estate="test", label="x", subject=side, outcome=failed("x"))
    policy = DEFAULT.after(PolicyBlock.model_validate({"direction": direction}))
    assert policy.other_direction(verdict) == other
    of_server = replace(verdict, subject=Server(name="hv01"))
    assert policy.other_direction(of_server) == ""


def off(*keys: str) -> PolicyBlock:
    return PolicyBlock.model_validate({"rules": dict.fromkeys(keys, "off")})


def test_a_rule_that_is_off_is_not_judged_and_named(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("rules:\n  guest-can-apply-failover-ip: off\n", encoding="utf-8")
    planned = read_plan(None, [str(LAB.with_suffix(".jsonl.gz"))], policies=[str(path)])
    assert planned.snapshot
    table = audit.judge_snapshot(planned.snapshot, Scope(), planned)
    keys = {one.verdict.rule.key for one in table.decisions}
    assert "guest-can-apply-failover-ip" not in keys
    assert "server-was-read" in keys
    assert (
        "guest-can-apply-failover-ip is switched off (`rules: {guest-can-apply-failover-ip: off}`)" in table.gate.weaker
    )


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            "guest-can-aply-ip",
            "policy: rules: no rule is called `guest-can-aply-ip` (did you mean `guest-can-apply-failover-ip`?)",
        ),
        ("server-was-read", "policy: rules: server-was-read can't be off: nothing else says what was not read"),
    ],
)
def test_a_rule_that_can_not_be_off(key: str, line: str) -> None:
    with pytest.raises(UsageError) as error:
        read_plan(None, [str(LAB.with_suffix(".jsonl.gz"))], options=off(key))
    assert str(error.value) == line


def test_a_rule_is_on_or_off(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("rules:\n  server-was-read: no\n", encoding="utf-8")
    with pytest.raises(UsageError, match="expected `off`, got `no`"):
        read_policy(path)


def test_each_key_is_an_option() -> None:
    assert {*POLICY_OPTIONS, "severity", "rules"} == set(PolicyBlock.model_fields)
    assert option_of("least_servers_read") == "--hv-least-servers-read"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"least_servers_read": 101.0}, "--hv-least-servers-read: expected at most 100, got `101.0`"),
        ({"oldest_snapshot": 0.0}, "--hv-oldest-snapshot: expected more than 0, got `0.0`"),
        ({"boot_grace": float("nan")}, "--hv-boot-grace: expected "),
        ({"severity": {"x": "bad"}}, "--hv-severity-of: expected `error`, `warning` or `information`, got `bad`"),
        ({"severity": {"x": ""}}, "--hv-severity-of: expected `error`, `warning` or `information`, got nothing"),
    ],
)
def test_a_mistake_in_an_option_is_one_line(given: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError) as error:
        policy_of_options(given)
    assert str(error.value).startswith(told)
    assert "\n" not in str(error.value)


def test_a_policy_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("fail_at: error\nseverity: {server-was-read: warning}\n")
    assert read_policy(path) == PolicyBlock(fail_at="error", severity={"server-was-read": "warning"})
    path.write_text("fail_at: errors\nleast_server_read: 7\n")
    with pytest.raises(UsageError) as error:
        read_policy(path)
    assert str(error.value).split("\n") == [
        f"{path}:1: fail_at: expected `error`, `warning` or `information`, got `errors`",
        f"{path}:2: least_server_read: unknown key (did you mean `least_servers_read`?)",
    ]


def test_options_win_over_files_and_files_over_the_inventory(tmp_path: Path) -> None:
    (tmp_path / "lab.yaml").write_text(
        f"snapshot: {LAB.parent}/lab.jsonl.gz\npolicy: {{fail_at: information, boot_grace: 1, oldest_snapshot: 1}}\n"
    )
    (tmp_path / "policy.yaml").write_text("fail_at: error\nboot_grace: 2\n")
    found = read_plan(
        str(tmp_path / "lab.yaml"),
        [],
        policies=[str(tmp_path / "policy.yaml")],
        options=PolicyBlock(fail_at="warning"),
    ).policy
    assert (found.fail_at, found.boot_grace, found.oldest_snapshot) == (
        Severity.WARNING,
        timedelta(minutes=2),
        timedelta(hours=1),
    )


def test_the_severity_of_no_rule() -> None:
    with pytest.raises(UsageError, match="no rule is called `server-was-red` \\(did you mean `server-was-read`\\?\\)"):
        read_plan(str(LAB), [], options=PolicyBlock(severity={"server-was-red": "error"}))
