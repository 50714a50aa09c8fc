"""actions.csv: each machine and cause once, with what to do and columns to fill in; harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections import Counter

import pytest

from compliance.audit import judge_snapshot
from compliance.judge.scope import Scope
from compliance.report.actions import HEADINGS, actions
from compliance.report.table import Table
from compliance.snapshot.read import read_snapshot
from tests.demo import SNAPSHOT
from tests.report.every import every, hostile
from tests.report.tables import small
from tests.report.test_csv import FORMULA


def rows(table: Table, separator: str = ",") -> list[dict[str, str]]:
    text = "".join(actions(table)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))


def test_a_machine_stands_once_for_each_cause() -> None:
    found = [(row["machine"] or row["server"], row["direction"], row["cause"]) for row in rows(small())]
    assert found == [
        ("mute01", "failback; failover", "data-exchange-no-contact"),
        ("sql01", "failover", "data-exchange-off"),
        ("hv03", "", "server-unread"),
        ("plain01", "failover", "side-not-seen"),
    ]


def test_it_says_why_and_what_to_do_and_leaves_the_rest_open() -> None:
    sql = next(row for row in rows(small()) if row["machine"] == "sql01")
    assert sql["why"].startswith("Data Exchange is switched off in the settings of the virtual machine")
    assert sql["what_is_wrong"] == "Data Exchange is switched off in the settings of the virtual machine"
    assert sql["remedy"] == "Switch Data Exchange on in the integration services of the virtual machine."
    assert sql["command_where"] == "on hv02"
    assert sql["command"].startswith("Get-VM -Id '")
    assert [sql[name] for name in ("owner", "due", "decision")] == ["", "", ""]


def test_what_is_waived_or_known_is_left_out() -> None:
    by_verdict = [row for row in rows(every()) if row["severity"]]
    assert {row["machine"] for row in by_verdict} == {"bad01", "changed01", "ended01", "good01", "lost01", ""}


def test_a_side_that_was_not_seen_is_something_to_do() -> None:
    assert {row["cause"] for row in rows(every()) if not row["severity"]} == {"side-not-seen"}


def test_what_a_verdict_says_already_stands_once() -> None:
    """A machine without an address has no verdict that decided, and its replica's finding says the same."""
    demo = judge_snapshot(read_snapshot(SNAPSHOT), Scope())
    found = Counter((row["machine"], row["cause"]) for row in rows(demo))
    assert found["file01", "static-without-address"] == 1
    assert [key for key, count in found.items() if count > 1] == []


def test_what_is_to_be_confirmed_stands_there_once() -> None:
    demo = judge_snapshot(read_snapshot(SNAPSHOT), Scope())
    found = [row for row in rows(demo) if row["machine"] == "shop01"]
    assert [(row["result"], row["what_is_wrong"]) for row in found] == [
        ("ready if", "ready if NetworkManager leaves its adapter alone")
    ]
    assert found[0]["remedy"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=x", "\r=x", '"=x', "＝x", "x;=cmd()", "x,\t@y", "x|-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_begins_as_a_formula(text: str, separator: str) -> None:
    lines = "".join(actions(hostile(text))).removeprefix("\ufeff")
    cells = [cell for row in csv.reader(io.StringIO(lines, newline=""), delimiter=separator) for cell in row]
    assert not [cell for cell in cells if cell.lstrip(' "')[:1] in tuple(FORMULA) and cell]


def test_its_columns() -> None:
    assert tuple(rows(small())[0]) == HEADINGS
