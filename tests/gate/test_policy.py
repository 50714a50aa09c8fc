"""A policy in layers: what a later one says wins, what it leaves out stays."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from compliance import audit
from compliance.errors import UsageError
from compliance.gate.policy import DEFAULT, Policy, PolicyBlock, option_of, policy_of_options, read_policy
from compliance.model import Evidence, Settings
from compliance.plugin.options import POLICY_OPTIONS
from compliance.rule import Severity
from tests.running import DEMO


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
    settings = Settings(evidence=Evidence.BPA, boot_grace=timedelta(minutes=3), may_be_empty=True)
    assert DEFAULT.over(settings) == settings
    told = Policy(evidence=Evidence.OBSERVED, boot_grace=timedelta()).over(settings)
    assert told == Settings(evidence=Evidence.OBSERVED, boot_grace=timedelta(), may_be_empty=True)


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
    assert len(list(policy.weaker())) == count


def test_each_key_is_an_option() -> None:
    assert {*POLICY_OPTIONS, "severity"} == set(PolicyBlock.model_fields)
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
        f"snapshot: {DEMO.parent}/demo.jsonl.gz\npolicy: {{fail_at: information, boot_grace: 1, oldest_snapshot: 1}}\n"
    )
    (tmp_path / "policy.yaml").write_text("fail_at: error\nboot_grace: 2\n")
    found = audit.plan(
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
        audit.plan(str(DEMO), [], options=PolicyBlock(severity={"server-was-red": "error"}))
