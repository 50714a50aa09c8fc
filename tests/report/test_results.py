"""results.json: its schema, and that a later run takes it as its baseline."""

from __future__ import annotations

import json
from collections import Counter
from copy import deepcopy
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from compliance.errors import UsageError
from compliance.gate.baseline import read_baseline
from compliance.report.results import results as pieces_of
from compliance.report.table import Table
from compliance.rule import Result
from tests.report import tables
from tests.report.every import every, hostile

SCHEMA = json.loads((resources.files("compliance.report") / "results.schema.json").read_text("utf-8"))


def results(found: Table) -> str:
    return "".join(pieces_of(found))


def closed(schema: Any) -> Any:
    """The schema as it allows no key that it doesn't name: what it says of our own output is all there is."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found["additionalProperties"] = False
    return found


STRICT = Draft202012Validator(closed(deepcopy(SCHEMA)))


@pytest.mark.parametrize(
    "found",
    [
        every(),
        every(baseline=None, waiver_files=(), complete=False),
        tables.small(),
        tables.many(3),
        hostile("\ud800\n"),
    ],
    ids=["every", "plain", "small", "many", "hostile"],
)
def test_the_schema_says_what_is_written(found: Table) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    told = json.loads(results(found))
    assert [error.message for error in STRICT.iter_errors(told)] == []


def test_each_key_of_the_schema_is_written_somewhere() -> None:
    told = json.loads(results(every()))
    known = {key for one in told["results"] for key in one}
    assert known == set(SCHEMA["properties"]["results"]["items"]["properties"])
    assert list(told) == list(SCHEMA["properties"])


def test_every_verdict_is_there_once() -> None:
    found = every()
    told = json.loads(results(found))
    listed = [(one["rule"], one["label"]) for one in told["results"]]
    listed += [(one["rule"], label) for one in told["passed"] for label in one["labels"]]
    assert Counter(listed) == Counter((one.rule.key, one.label) for one in found.verdicts)
    assert sum(told["counts"].values()) == len(found.verdicts)
    assert told["counts"]["passed"] == sum(len(one["labels"]) for one in told["passed"])


def test_it_is_a_baseline_for_what_failed_or_was_waived(tmp_path: Path) -> None:
    found = every()
    whole = replace(found, estate=replace(found.estate, servers=found.estate.servers[:2]))
    path = tmp_path / "results.json"
    path.write_text(results(whole))
    known = read_baseline(path, "lab").findings
    expected = [one.finding for one in found.decisions if one.reported.outcome.result in (Result.FAILED, Result.WAIVED)]
    assert sorted(known) == sorted(one.identity for one in expected if one)
    assert all(known[one.identity] == one for one in expected if one)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "could not read hv03"),
        ({"complete": False}, "incomplete run"),
        ({"scope": "--hv-vm x"}, "narrowed run (--hv-vm x)"),
    ],
)
def test_a_run_that_saw_less_is_no_baseline(changes: dict[str, object], says: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(results(every(**changes)))  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        read_baseline(path, "lab")
    assert says in str(caught.value)


def test_it_depends_neither_on_the_clock_nor_on_what_the_inventory_is_called() -> None:
    found = every()
    other = replace(
        found, inventory="x.jsonl", file="x.jsonl", lines={}, gate=replace(found.gate, age=found.gate.age * 2)
    )
    assert results(other) == results(found)


def test_a_texts_exact_letters_come_back() -> None:
    told = json.loads(results(hostile("a\x00\u202e\ud800é")))
    assert told["servers"][0]["name"] == "a\x00\u202e\ud800é"
    assert results(hostile("a\x00\u202e\ud800é")).isascii()
