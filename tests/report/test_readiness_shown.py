"""Every output says the headline, how many machines have each word of readiness, and what direction closes the gate."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.audit import judge_snapshot
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.judge.scope import Scope
from compliance.report.csv_rows import csv_rows
from compliance.report.html.bpa_page import summary as html
from compliance.report.page.page import page
from compliance.report.readiness import DIRECTIONS, count_lines, direction_text, kinds_text, open_machines
from compliance.report.results import results
from compliance.report.sarif import sarif
from compliance.report.summary import summary as markdown
from compliance.report.table import Table
from compliance.report.terminal import summary
from compliance.snapshot.read import read_snapshot
from tests.demo import SNAPSHOT
from tests.report.every import every
from tests.report.tables import small


def asked(table: Table, direction: str) -> Table:
    return replace(table, policy=replace(table.policy, direction=direction))


PEOPLE = {
    "terminal": lambda table: "\n".join(map(str, summary(table, 300))),
    "summary.md": markdown,
    "report.html": page,
    "pytest-html": lambda table: "\n".join(html(table, shown=1, rows_left_out=0)),
}


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_people_read_the_headline_first_and_the_direction(name: str, direction: str) -> None:
    table = asked(small(), direction)
    written = PEOPLE[name](table)
    headline = table.headline[:60]
    assert headline.lower() in written.lower()
    assert written.lower().index(headline.lower()) < written.index("The gate is ")
    assert direction_text(table).removeprefix("Direction ") in written  # the page has the word as a heading
    assert DIRECTIONS[direction] in written


@pytest.mark.parametrize("name", PEOPLE)
def test_the_age_of_the_data_is_said_where_it_may_be(name: str) -> None:
    table = every()
    later = replace(table, gate=replace(table.gate, age=timedelta(days=27)))
    assert ("27 days ago" in PEOPLE[name](later)) is (name != "summary.md")


def test_what_is_compared_is_the_same_whenever_it_is_written() -> None:
    table = every()
    later = replace(table, gate=replace(table.gate, age=timedelta(days=27)))
    for writer in (markdown, lambda one: "".join(results(one)), lambda one: "".join(csv_rows(one))):
        assert writer(table) == writer(later)


def test_counts_are_by_word_and_say_what_does_not_close_the_gate() -> None:
    assert list(count_lines(small())) == [
        "Failover: 2 not ready, 1 unknown",
        "Failback: 1 not ready, 1 no failover address, 1 ready",
    ]
    assert list(count_lines(asked(small(), "failover")))[1].endswith("1 ready (does not close the gate)")


KINDS = {
    "19 replicated virtual machines: 16 with a failover address, 2 without one, 1 of another provider": {
        Word.READY: 4,
        Word.READY_IF: 1,
        Word.NOT_READY: 8,
        Word.UNKNOWN: 3,
        Word.NO_ADDRESS: 2,
        Word.NOT_OURS: 1,
    },
    "1 replicated virtual machine without a failover address": {Word.NO_ADDRESS: 1},
    "": {},
}


@pytest.mark.parametrize("text", KINDS)
def test_what_the_numbers_are_of_adds_up(text: str) -> None:
    words = [word for word, count in KINDS[text].items() for _ in range(count)]
    readiness = tuple(
        Readiness(guid=str(at), name="x", direction=Direction.FAILOVER, word=word, reason="")
        for at, word in enumerate(words)
    )
    assert kinds_text(replace(small(), readiness=readiness)) == text


def test_the_gate_counts_the_same_machines() -> None:
    """A test replica is none of them: it is what somebody made of one."""
    demo = judge_snapshot(read_snapshot(SNAPSHOT), Scope())
    assert kinds_text(demo).startswith("19 replicated virtual machines: 16 with a failover address")
    assert "3 of 19 replicated virtual machines could not be judged" in [reason.text for reason in demo.gate.reasons]


def test_machines_of_the_direction_that_is_asked_for_are_listed() -> None:
    both = open_machines(small())
    assert [one.word for one in both] == [Word.NOT_READY] * 3 + [Word.UNKNOWN, Word.NO_ADDRESS]
    assert {one.direction.value for one in open_machines(asked(small(), "failback"))} == {"failback"}


def test_programs_are_given_words_by_direction() -> None:
    table = small()
    run = json.loads(sarif(table))["runs"][0]
    assert run["properties"]["readiness"]["failover"]["not ready"] == 2
    assert run["properties"]["direction"] == "both"
    assert run["properties"]["headline"] == table.headline
    words = [one["properties"]["readiness"] for one in run["results"] if "machine" in one["properties"]]
    assert {"failover": "not ready", "failback": "ready"} in words
    rows = [*csv.DictReader(io.StringIO("".join(csv_rows(table)).lstrip("\ufeff"), newline=""))]
    assert {row["readiness"] for row in rows if row["virtual_machine"] == "mute01"} == {
        "failover: not ready; failback: not ready"
    }


def test_a_waiver_changes_no_word() -> None:
    table = every()
    covered = [one for one in table.decisions if one.waiver]
    unwaived = (replace(one, waiver=None, reported=one.verdict) if one.finding else one for one in table.decisions)
    plain = replace(table, decisions=tuple(unwaived))
    assert covered
    assert list(count_lines(plain)) == list(count_lines(table))
