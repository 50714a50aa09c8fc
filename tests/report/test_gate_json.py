"""gate.json: the same keys whether or not a run came to a verdict, and the docstring that documents them."""

from __future__ import annotations

import json
import re

import pytest

from compliance.gate.exits import Exit
from compliance.gate.policy import Policy
from compliance.report import gate_json as module
from compliance.report.gate_json import closed_gate_json, gate_json
from compliance.rule import Severity
from tests.report.every import VERSIONS, every


def test_it_says_what_the_gate_says() -> None:
    found = every(policy=Policy(fail_at=Severity.ERROR))
    told = json.loads(gate_json(found, VERSIONS))
    assert (told["open"], told["exit_code"]) == (found.gate.is_open, int(found.gate.code))
    assert [one["text"] for one in told["reasons"]] == [one.text for one in found.gate.reasons]
    assert told["weaker"] == ["only error closes the gate (`fail_at: error`)"]
    assert told["policy"]["fail_at"] == "error"
    states = {one["place"]: (one["is"], one["met_a_finding"]) for one in told["waivers"]}
    assert states == {
        "waivers.yaml:2": ("in force", True),
        "waivers.yaml:8": ("ended", True),
        "waivers.yaml:14": ("ending", True),
        "waivers.yaml:20": ("in force", False),
    }


@pytest.mark.parametrize("code", [Exit.USAGE, Exit.INTERRUPTED, Exit.INTERNAL])
def test_a_run_without_a_verdict_is_closed_and_has_the_same_keys(code: Exit) -> None:
    told = json.loads(closed_gate_json(code, ["a.yaml:1: wrong", "a.yaml:2: wrong too"], VERSIONS))
    assert list(told) == list(json.loads(gate_json(every(), VERSIONS)))
    assert (told["open"], told["exit_code"], len(told["reasons"])) == (False, int(code), 2)
    assert told["counts"] is told["estate"] is told["waivers"] is None
    assert told["versions"] == VERSIONS


def test_each_key_is_documented() -> None:
    documented = re.findall(r'"([a-z_-]+)":', module.__doc__ or "")
    told = json.loads(gate_json(every(), VERSIONS))
    assert set(told) <= set(documented)
    assert [key for key in dict.fromkeys(documented) if key in told] == list(told)
