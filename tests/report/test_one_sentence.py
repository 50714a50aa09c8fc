"""Every output has the same sentence, and beside a finding the same cause, remedy and condition."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from compliance.report.actions import actions
from compliance.report.annotations import workflow_commands
from compliance.report.csv_rows import csv_rows
from compliance.report.gate_json import gate_json
from compliance.report.html.bpa_page import summary as bpa_page
from compliance.report.page.page import page
from compliance.report.results import results
from compliance.report.sarif import sarif
from compliance.report.summary import summary as markdown
from compliance.report.table import Table
from compliance.report.terminal import summary
from compliance.rule import Result
from compliance.rules.evidence.causes import Cause
from tests.report.every import VERSIONS, every
from tests.report.tables import showing, small

SENTENCE: Mapping[str, Callable[[Table], str]] = {
    "terminal": lambda table: "\n".join(map(str, summary(table, 300))),
    "summary.md": lambda table: markdown(table).replace("`", ""),
    "report.html": lambda table: html.unescape(page(table)),
    "pytest-html": lambda table: html.unescape("\n".join(bpa_page(table, shown=1, rows_left_out=0))),
    "gate.json": lambda table: json.loads(gate_json(table, VERSIONS))["headline"],
    "results.json": lambda table: json.loads("".join(results(table)))["headline"],
    "results.sarif": lambda table: json.loads(sarif(table))["runs"][0]["properties"]["headline"],
    "annotations": lambda table: "\n".join(workflow_commands(table)),
}


@pytest.mark.parametrize("name", SENTENCE)
@pytest.mark.parametrize("table", [small(), every()], ids=["small", "every"])
def test_the_same_sentence_is_in_every_output(name: str, table: Table) -> None:
    """Its first letter is a capital where it begins a line; a terminal may wrap it."""
    written = re.sub(r"\s+", " ", SENTENCE[name](table))
    assert table.headline[1:] in written


SHARED = "Switch Data Exchange on in the integration services of the virtual machine."
COMMAND = "Enable-VMIntegrationService -WhatIf"


def found_in_results(table: Table) -> tuple[str, str, str]:
    written = json.loads("".join(results(table)))
    texts = {remedy["key"]: remedy["text"] for remedy in written["remedies"]}
    result = next(one for one in written["results"] if one["label"] == "hv02/sql01" and one["result"] == "failed")
    return result["cause"], texts[result["remedy"]], result["command"]["text"]


def found_in_sarif(table: Table) -> tuple[str, str, str]:
    run = json.loads(sarif(table))["runs"][0]
    result = next(one for one in run["results"] if one["message"]["text"].startswith("hv02/sql01"))
    properties, rule = result["properties"], run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert f"Data Exchange is switched off in the settings of the virtual machine: {SHARED}" in rule["help"]["text"]
    return properties["cause"], result["message"]["text"].partition(" its address. ")[2], properties["command"]["text"]


def found_in_csv(text: str, machine: str) -> tuple[str, str, str]:
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    row = next(row for row in rows if row[machine] == "sql01" and "failed" in row["result"])
    return row["cause"], row["remedy"], row["command"]


FINDINGS: Mapping[str, Callable[[Table], tuple[str, str, str]]] = {
    "results.json": found_in_results,
    "results.sarif": found_in_sarif,
    "results.csv": lambda table: found_in_csv("".join(csv_rows(table)), "virtual_machine"),
    "actions.csv": lambda table: found_in_csv("".join(actions(table)), "machine"),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_finding_has_the_same_cause_remedy_and_command(name: str) -> None:
    cause, remedy, command = FINDINGS[name](small())
    assert (cause, remedy) == (Cause.OFFER_OFF, SHARED)
    assert command.endswith(COMMAND)


@pytest.mark.parametrize("name", ["summary.md", "annotations"])
def test_people_read_what_is_wrong_before_what_to_do(name: str) -> None:
    written = SENTENCE[name](small())
    wrong = "1 machine: Data Exchange is switched off in the settings of the virtual machine"
    assert 0 < written.index(wrong) < written.index(SHARED)


def test_the_command_stands_below_its_machine_in_the_summary() -> None:
    written = markdown(small())
    machine = written.index("- `hv02/sql01` (replica)")
    assert machine < written.index("  - `on hv02`: `Get-VM -Id '", machine) < written.index(COMMAND, machine)


def test_a_condition_is_in_every_output() -> None:
    table = small()
    passed = [
        replace(one, outcome=replace(one.outcome, result=Result.PASSED, cause="", condition="its script is there"))
        for one in table.verdicts
        if one.label == "hv02/sql01"
    ]
    table = showing(table, passed[:1])
    assert "passed only if its script is there" in markdown(table).replace("`", "")
    assert json.loads("".join(results(table)))["passed"][0]["condition"] == "its script is there"
    assert '"its script is there"' in "".join(csv_rows(table))


def test_a_key_names_one_text() -> None:
    for table in (small(), every()):
        written = json.loads("".join(results(table)))
        keys = [remedy["key"] for remedy in written["remedies"]]
        assert len(set(keys)) == len(keys)
        used = {one["remedy"] for one in (*written["results"], *written["readiness"]) if "remedy" in one}
        assert used == set(keys)


def test_a_page_that_is_no_absolute_address_is_no_help_uri() -> None:
    table = every()
    verdicts = [replace(one, rule=replace(one.rule, link="docs/rule.md")) for one in table.verdicts]
    rules = json.loads(sarif(showing(table, verdicts)))["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["helpUri"] for rule in rules if "helpUri" in rule] == []
    assert any("helpUri" in rule for rule in json.loads(sarif(table))["runs"][0]["tool"]["driver"]["rules"])
