"""Findings are grouped by what is wrong: every one of them once, the worst first."""

from __future__ import annotations

from collections import Counter

from compliance.report.by_cause import groups_by_cause
from compliance.report.headings import groups
from tests.report.every import every
from tests.report.tables import hostile, small


def test_every_decision_of_a_rules_group_is_in_one_group_by_cause() -> None:
    for table in (small(), every(), hostile("x")):
        by_rule = Counter(id(one) for group in groups(table) for one in group.decisions)
        assert Counter(id(one) for group in groups_by_cause(table) for one in group.decisions) == by_rule


def test_a_group_is_headed_by_what_is_wrong() -> None:
    assert [(group.word, group.title) for group in groups_by_cause(small())] == [
        ("error", "1 machine: the Data Exchange service never answered"),
        ("error", "1 machine: Data Exchange is switched off in the settings of the virtual machine"),
        ("unknown", "1 server: not read"),
    ]


def test_what_is_to_be_done_stands_beside_what_failed_or_is_unknown() -> None:
    assert all(group.remedy for group in groups_by_cause(small()))
