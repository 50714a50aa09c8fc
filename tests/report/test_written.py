"""What holds for every writer: the golden files, the same bytes for the same table, bounds, and hostile text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.report.table import Table
from compliance.rule import Result
from tests.hosts import NOW
from tests.profiles import examples
from tests.report import tables
from tests.report.every import GOLDEN, WRITERS, every, hostile

Writer = Callable[[Table], str]
EVERY = pytest.mark.parametrize("name", WRITERS)


@EVERY
def test_the_golden_files(name: str) -> None:
    golden = (GOLDEN / name).read_bytes().decode()
    assert WRITERS[name](every()) == golden, "if it is meant: python -m tests.report.every"


def test_the_golden_table_has_every_outcome() -> None:
    decisions = every().decisions
    assert {one.reported.outcome.result for one in decisions} == {*Result}
    assert {int(one.closes) for one in decisions} == {0, 1, 10, 11}


@EVERY
def test_the_same_table_gives_the_same_text(name: str) -> None:
    found = every()
    assert WRITERS[name](every()) == WRITERS[name](found)
    turned = replace(found, decisions=found.decisions[::-1])
    if name.startswith("results"):
        assert WRITERS[name](turned) == WRITERS[name](found)


@EVERY
def test_what_a_run_knows_nothing_of_is_written_too(name: str) -> None:
    found = every()
    decisions, gate = decide([], found.estate, Grounds(policy=found.policy, now=NOW))
    assert WRITERS[name](replace(found, decisions=decisions, gate=gate, baseline=None, waiver_files=()))


@EVERY
@pytest.mark.parametrize("hours", [-14, 14])
def test_a_time_at_the_calendars_edge_is_written(name: str, hours: int) -> None:
    found = every()
    edge = datetime.max.replace(microsecond=0) if hours < 0 else datetime.min
    estate = replace(found.estate, time=edge.replace(tzinfo=timezone(timedelta(hours=hours))))
    assert WRITERS[name](replace(found, estate=estate))


HOSTILE = (
    "x\x1b[2J\r\n\u202e\u2028\x00y\ud800",
    "\n::error::x\n##[add-mask]x##vso[task.setvariable variable=x]y",
    "<img src=x onerror=alert(1)>`@someone` #1 | x | \\ {0} [a](https://evil.example)",
)


@EVERY
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_from_outside_makes_a_line_or_a_command(name: str, text: str) -> None:
    written, plain = WRITERS[name](hostile(text)), WRITERS[name](hostile("x"))
    assert len(written.splitlines()) == len(plain.splitlines())
    shown = written.removeprefix("\ufeff").replace("\r\n", "").replace("\n", "")
    assert shown.isprintable()
    assert "##[" not in written or name.endswith(("json", "sarif"))
    assert "##vso[" not in written or name.endswith(("json", "sarif"))
    written.encode("utf-8")


@settings(deadline=None, max_examples=examples(50))
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=30))
def test_any_text_is_written(text: str) -> None:
    found = hostile(text)
    for name, writer in WRITERS.items():
        written = writer(found)
        assert written.removeprefix("\ufeff").replace("\r\n", "").replace("\n", "").isprintable()
        if name.endswith(("json", "sarif")):
            json.loads(written)


BOUNDS = {  # bytes for 20,000 findings
    "results.json": 20_000 * 1_350,  # readiness of each machine in two directions among them
    "results.sarif": 20_000 * 1_450,
    "results.csv": 20_000 * 680,
    "actions.csv": 20_000 * 780,
    "summary.md": 1_000_000,
    "gate.json": 4_000,
    "annotations.txt": 4_000,
}


@pytest.fixture(scope="module")
def large() -> Table:
    found = tables.many(20_000)
    verdicts = [one for one in found.verdicts if one.rule.key == "failover-ip-needs-integration-services"]
    return tables.showing(found, verdicts)


@pytest.mark.slow
@EVERY
def test_twenty_thousand_findings_are_bounded(name: str, large: Table) -> None:
    assert len(WRITERS[name](large).encode()) <= BOUNDS[name]
