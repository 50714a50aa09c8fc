"""The rows of pytest-html's table: what it filters and sorts by, and what opens under each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest

from compliance.judge.judge import judge
from compliance.report.html.rows import WORDS, choose_rows, detail, foreign_cells, header_cells, row_cells
from compliance.rule import Result, Rule, Severity
from compliance.rules.coverage import cluster_was_read
from tests.report.every import estate
from tests.report.tables import many, small, verdict_of


@pytest.mark.slow
def test_rows_are_bounded_failed_first_then_unknown() -> None:
    found = small()
    worst = [one for one in found.verdicts if one.outcome.result is Result.FAILED]
    unknown = [one for one in found.verdicts if one.outcome.result is Result.UNKNOWN]
    assert choose_rows(found.verdicts, 3) == {one.id for one in worst}
    assert choose_rows(found.verdicts, 5) == {one.id for one in (*worst, *unknown)}
    assert choose_rows(found.verdicts) == {one.id for one in found.verdicts}
    assert len(choose_rows(many(1500).verdicts)) == 1000


def hydrated(cells: Sequence[str]) -> dict[str, str]:
    """As pytest-html 4.2 reads the cells of a row (basereport.py, _hydrate_data): what it filters and sorts by."""
    data: dict[str, str] = {}
    for head, cell in zip(header_cells(), cells, strict=True):
        name, value = re.search(r"col-(\w+)", cell), re.search(r"<td.*?>(.*?)</td>", cell)
        if "sortable" in head and name and value:
            data[name[1]] = value[1]
    return data


def test_every_result_has_a_word_that_pytest_html_filters_by() -> None:
    one = verdict_of(small(), Result.FAILED)
    for result in Result:
        cells = row_cells(replace(one, outcome=replace(one.outcome, result=result)))
        assert hydrated(cells)["result"] == WORDS[result]
        assert f'<td class="col-result">{result.value.capitalize()}</td>' in cells[1]


def test_severities_and_outcomes_sort_by_their_weight() -> None:
    one = verdict_of(small(), Result.FAILED)
    by_severity = [hydrated(row_cells(replace(one, rule=with_severity(one.rule, word)))) for word in Severity]
    assert [row["severity"] for row in by_severity] == sorted(row["severity"] for row in by_severity)
    results = [Result.FAILED, Result.UNKNOWN, Result.WAIVED, Result.NOT_APPLICABLE, Result.PASSED]
    keys = [hydrated(row_cells(replace(one, outcome=replace(one.outcome, result=word))))["outcome"] for word in results]
    assert keys == sorted(set(keys))


def with_severity(one: Rule, severity: Severity) -> Rule:
    return replace(one, severity=severity)


def test_the_row_of_a_cluster_stands_among_the_servers() -> None:
    (verdict,) = judge(estate(), [cluster_was_read])
    assert (hydrated(row_cells(verdict))["server"], hydrated(row_cells(verdict))["machine"]) == ("hvcl01", "")


def test_every_heading_sorts_by_a_cell() -> None:
    cells = row_cells(verdict_of(small(), Result.FAILED))
    types = re.findall(r'data-column-type="(\w+)"', "".join(header_cells()))
    assert set(types) == set(hydrated(cells))
    assert [name.strip(">") for name in re.findall(r">[^<>]+(?=</th>)", "".join(header_cells()[1:]))] == [
        "Outcome",
        "Severity",
        "Rule",
        "Server",
        "Virtual machine",
        "Side",
        "Failover address",
        "Finding",
    ]


def test_a_foreign_test_gets_a_row_of_the_same_shape() -> None:
    cells = foreign_cells(['<td class="col-result">XFailed</td>', "", "", ""], "test_x.py::test[<b>]")
    assert hydrated(cells)["result"] == "XFailed"
    assert '<td class="col-rule">test_x.py::test[&lt;b&gt;]</td>' in cells


def test_a_detail_tells_what_the_row_does_not() -> None:
    found = small()
    told = "".join(detail(next(one for one in found.verdicts if one.label == "hv02/sql01" and one.machine)))
    after = "10.2.0.20 (on Network Adapter; mask 255.255.255.0; gateway 10.2.0.1)"
    for part in ("offer on this host", "violating", "10.1.0.20", after):
        assert part in told
    assert 'href="#hv-rule-failover-ip-needs-integration-services"' in told


def test_a_passed_case_without_remarks_has_no_detail() -> None:
    one = verdict_of(small(), Result.PASSED)
    assert detail(one) == []
    assert "look here" in detail(replace(one, outcome=replace(one.outcome, remarks=("look here",))))[0]
