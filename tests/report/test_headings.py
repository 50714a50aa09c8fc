"""What stands above a list: what is wrong, on how many of how many; conditions are no plain passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compliance.judge.judge import all_rules
from compliance.report.annotations import workflow_commands
from compliance.report.headings import PASSED_IF, SINGULAR, groups, singular
from compliance.report.summary import summary as markdown
from compliance.report.table import Table
from compliance.report.terminal import summary
from compliance.rule import Result, Verdict
from tests.report.every import every
from tests.report.tables import hostile, showing, small

KEEP = "would keep the primary's address after a failover"


def headings(table: Table) -> list[tuple[str, str]]:
    return [(group.word, group.heading) for group in groups(table)]


def passed_if(verdicts: Sequence[Verdict], condition: str) -> list[Verdict]:
    return [
        replace(one, outcome=replace(one.outcome, result=Result.PASSED, condition=condition)) if one.machine else one
        for one in verdicts
    ]


def test_both_sides_of_a_machine_are_one() -> None:
    assert headings(small()) == [
        ("error", f"2 of 3 replicated virtual machines {KEEP}"),
        ("unknown", "1 of 3 servers was not read"),
    ]


def test_every_outcome_has_its_heading() -> None:
    machines = "of 10 replicated virtual machines"
    keep = "would keep the primary's address"
    assert headings(every()) == [
        ("error", f"3 {machines} {keep}"),
        ("information", f"1 {machines} violates has-note"),
        ("unknown", f"1 {machines}: not known whether it {keep}"),
        ("unknown", "1 of 3 servers violates was-read"),
        ("waived", f"2 {machines} {keep}"),
        ("waived", f"1 {machines}: not known whether it {keep}"),
    ]


SAME_FOR_ONE = {"would", "came", "shows"}  # the last is about the estate, of which there is one


def test_every_rule_says_what_is_wrong_of_one_and_of_many() -> None:
    verbs = {rule.violated.split(" ")[0] for rule in all_rules()}
    assert verbs <= {*SINGULAR, *SAME_FOR_ONE}
    assert singular("have no failover address") == "has no failover address"
    assert singular("would keep it") == "would keep it"
    assert singular("burn") == "burn"


def test_a_server_that_stands_in_for_its_machines_is_called_so() -> None:
    found = small()
    alone = showing(
        found, [one for one in found.verdicts if one.label == "hv03" and one.rule.subject.__name__ != "Server"]
    )
    assert headings(alone) == [("unknown", f"the machines of 1 server: not known whether they {KEEP}")]


def test_every_verdict_that_is_no_pass_stands_in_one_group() -> None:
    for found in (every(), small(), hostile("x")):
        listed = [id(verdict) for group in groups(found) if group.word != PASSED_IF for verdict in group.verdicts]
        shown = {
            one.label for one in found.verdicts if one.outcome.result in (Result.FAILED, Result.UNKNOWN, Result.WAIVED)
        }
        assert len(listed) == len(set(listed))
        assert {verdict.label for group in groups(found) for verdict in group.verdicts} == shown


def test_a_pass_on_a_condition_is_named_with_it() -> None:
    found = small()
    table = showing(found, passed_if(found.verdicts, "NetworkManager leaves its adapter alone"))
    heading = "3 of 3 replicated virtual machines passed only if NetworkManager leaves its adapter alone"
    assert (PASSED_IF, heading) in headings(table)
    assert "PASSED IF  3 machines: passed only if NetworkManager leaves its adapter alone" in [
        line.text for line in summary(table, 300)
    ]
    assert f"### Passed if: `{heading}`" in markdown(table)
    assert not any("passed only if" in command for command in workflow_commands(table))


def test_a_condition_of_a_guests_is_one_harmless_line() -> None:
    found = small()
    table = showing(found, passed_if(found.verdicts, "\x1b[2J\n# x ::error::y"))
    assert all(heading.isprintable() for _, heading in headings(table))
    assert all(line.text.isprintable() for line in summary(table))
    assert "\n# x" not in markdown(table)
