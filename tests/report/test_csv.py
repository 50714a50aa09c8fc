"""results.csv: read by another, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.report.csv_rows import HEADINGS, csv_rows, line
from compliance.report.table import Table
from compliance.words import printable
from tests.report.every import every, hostile
from tests.report.tables import showing

FORMULA = "=+-@＝＋－＠\t\r"


def whole(found: Table) -> str:
    return "".join(csv_rows(found))


def rows_of(found: Table, separator: str = ",") -> list[list[str]]:
    text = whole(found)
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator, strict=False))


def test_a_line_for_each_verdict() -> None:
    found = every()
    heading, *rows = rows_of(found)
    assert tuple(heading) == HEADINGS
    assert len(rows) == len(found.verdicts)
    assert all(len(row) == len(HEADINGS) for row in rows)
    assert whole(found).count("\r\n") == len(rows) + 1 == whole(found).count("\n")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@x", "\t=x", "\r=x", " =x", '"=x', "＝x", "x;=cmd()", 'x;"=cmd()', "x,\t@y", "x|-1", "'=x"],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_no_cell_begins_as_a_formula_whatever_separates_cells(text: str, separator: str) -> None:
    for row in rows_of(hostile(text), separator):
        assert not [cell for cell in row if cell.lstrip(' "')[:1] in tuple(FORMULA) and cell]


def test_remarks_of_an_own_rule_may_be_a_list() -> None:
    found = every()
    listed = [
        replace(verdict, outcome=replace(verdict.outcome, remarks=[*verdict.outcome.remarks]))  # type: ignore[arg-type]
        for verdict in found.verdicts
    ]
    tuples = showing(found, found.verdicts)
    assert rows_of(showing(found, listed)) == rows_of(tuples)


@given(
    st.text("a ,;-", max_size=5).map("a".__add__)
    | st.text([*"aZ09 ,;|=+-@'\"\t:#.[_/()", "＝", "ä", "\u202e"], max_size=12)
)
def test_what_needs_no_second_look_is_the_same_after_one(text: str) -> None:
    harmless = re.sub(r"""(^|[;,|])([\s"']*)(?=[=+\-@＝＋－＠])""", r"\1\2'", printable(text))
    assert line((text,)) == '"' + harmless.replace('"', '""') + '"\r\n'


def test_what_is_no_formula_stays_as_it_is() -> None:
    rows = rows_of(hostile("a-b=c, d@e; -"))
    assert any(cell == "a-b=c, d@e; '-" for row in rows for cell in row)
    assert any(cell == "10.1.0.20; fe80::1" for row in rows_of(every()) for cell in row)
    assert not re.search(r"'", whole(every()).replace("waiver's", ""))
