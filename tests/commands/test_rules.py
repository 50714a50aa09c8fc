"""`rules`: the list, one rule whole, and JSON for programs."""

from __future__ import annotations

import json
from argparse import Namespace
from io import StringIO

import pytest

from compliance.commands.rules.command import run
from compliance.errors import UsageError
from compliance.judge.judge import all_rules
from compliance.rule import Rule
from compliance.world import World

KEYS = [rule.key for rule in all_rules()]


def output(key: str | None = None, *, json: bool = False, width: int = 80) -> str:
    out = StringIO()
    assert run(Namespace(key=key, json=json), World(out=out, width=width)) == 0
    return out.getvalue()


def test_the_list_names_every_rule_once() -> None:
    lines = output().splitlines()
    assert [line.split()[1] for line in lines[: len(KEYS)]] == KEYS
    assert lines[-1] == "`hyperv-compliance rules KEY` shows one of them whole."


@pytest.mark.parametrize("rule", all_rules(), ids=str)
def test_one_rule_is_shown_whole(rule: Rule) -> None:
    text = output(rule.key)
    words = " ".join(text.split())
    assert text.startswith(f"{rule.key} ({rule.severity}, for each ")
    for part in (rule.title, rule.issue, rule.impact, rule.resolution):
        assert " ".join(part.split()) in words
    assert max(len(line) for line in text.splitlines() if "://" not in line) <= 80


def test_json_has_every_rule_and_microsofts_number() -> None:
    document = json.loads(output(json=True))
    assert [rule["key"] for rule in document["rules"]] == KEYS
    numbers = {rule["key"]: rule["bpa"] for rule in document["rules"] if rule["bpa"]}
    assert numbers == {"failover-ip-needs-integration-services": 230, "replica-has-failover-address": 236}


def test_json_says_what_it_needs_and_what_makes_it_fail() -> None:
    for rule in json.loads(output(json=True))["rules"]:
        assert set(rule) > {"key", "severity", "subject", "title", "bpa", "needs", "fails"}
        assert rule["fails"]
        assert rule["needs"], rule["key"]
    (founding,) = json.loads(output("failover-ip-needs-integration-services", json=True))["rules"]
    assert founding["needs"]["Msvm_KvpExchangeComponentSettingData"] == ["EnabledState", "InstanceID"]


def test_json_of_one_rule_has_that_one() -> None:
    assert [rule["key"] for rule in json.loads(output(KEYS[0], json=True))["rules"]] == [KEYS[0]]


def test_a_wrong_key_is_a_mistake_that_names_the_next_step() -> None:
    with pytest.raises(UsageError, match="did you mean `server-was-read`") as mistake:
        output("server-was-red")
    assert "`hyperv-compliance rules` lists them" in str(mistake.value)
