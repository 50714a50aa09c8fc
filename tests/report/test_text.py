"""What stands beside each case: plain, bounded, harmless lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.judge.judge import all_rules
from compliance.model import Server
from compliance.report.table import ATTRIBUTION
from compliance.report.text import details
from compliance.rule import Outcome, Result, Verdict
from tests.report.tables import hostile, many, small, verdict_of


def with_outcome(**changes: object) -> Verdict:
    verdict = verdict_of(small(), Result.FAILED)
    return replace(verdict, outcome=replace(verdict.outcome, **changes))  # type: ignore[arg-type]


# --- one case ---------------------------------------------------------------------------------------------------------


def test_a_failing_machine_in_full() -> None:
    verdict = next(one for one in small().verdicts if one.label == "hv02/mute01" and one.machine)
    assert verdict.machine is not None
    rule = verdict.rule
    assert details(verdict).split("\n") == [
        verdict.outcome.finding,
        f"Virtual machine: mute01 (replica) on hv02, {verdict.machine.guid}",
        f"Address after a failover: {verdict.machine.failover_addresses[0]}",
        "Evidence: answer of the same guest on hv01",
        "Microsoft's BPA would say: compliant",
        f"ERROR: {rule.title}",
        f"Issue: {rule.issue}",
        f"Impact: {rule.impact}",
        "Resolution: " + rule.resolution.replace("\n\n", " "),
        rule.link,
        ATTRIBUTION,
    ]


def test_the_first_line_is_the_finding() -> None:
    for verdict in (*small().verdicts, *many(3).verdicts):
        assert details(verdict).split("\n")[0] == verdict.outcome.finding


def test_what_is_known_beside_the_verdict() -> None:
    text = details(
        with_outcome(facts={"Address now": ("10.1.0.20", "::1"), "Cores": ()}, remarks=("a", "b"), evidence="")
    )
    assert "\nAddress now: 10.1.0.20, ::1\n" in text
    assert "\nRemark: a\nRemark: b\n" in text
    assert "\nEvidence:" not in text
    assert "BPA would say" not in text


@pytest.mark.parametrize("result", [one for one in Result if one is not Result.FAILED])
def test_only_a_violation_carries_the_text_of_its_rule(result: Result) -> None:
    assert "Resolution:" in details(with_outcome())
    assert "Resolution:" not in details(with_outcome(result=result))


def test_only_a_quoted_rule_names_its_author() -> None:
    verdict = with_outcome()
    own = replace(verdict, rule=replace(verdict.rule, quoted=False, link=None))
    assert ATTRIBUTION in details(verdict)
    assert "Microsoft and contributors" not in details(own)
    assert details(own).split("\n")[-1].startswith("Resolution: ")


def test_paragraphs_of_a_rule_become_one_line_each() -> None:
    verdict = with_outcome()
    rule = replace(verdict.rule, issue="a.\n\nb.", impact="c.\n\nd.", resolution="e.\n\nf.")
    text = details(replace(verdict, rule=rule))
    assert "Issue: a. b.\nImpact: c. d.\nResolution: e. f.\n" in text


@pytest.mark.parametrize("rule", all_rules(), ids=str)
def test_no_rules_text_needs_an_escape(rule: object) -> None:
    verdict = with_outcome()
    assert "\\u" not in details(replace(verdict, rule=rule))  # type: ignore[arg-type]


# --- harmless ---------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=20))
def test_no_text_from_outside_makes_a_line_of_its_own(text: str) -> None:
    for verdict in hostile(text).verdicts:
        assert all(line.isprintable() for line in details(verdict).split("\n"))


def test_a_verdict_without_a_machine_says_nothing_of_one() -> None:
    verdict = next(one for one in small().verdicts if one.rule.subject is Server)
    bare = replace(verdict, outcome=Outcome(Result.PASSED, "fine"))
    assert details(bare) == "fine"
