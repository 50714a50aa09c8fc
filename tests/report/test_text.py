"""What the terminal shows at the end, and what stands beside each case: plain, bounded, harmless lines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.judge.judge import all_rules
from compliance.model import Estate, Evidence, Judging, Server, Unread
from compliance.report.table import ATTRIBUTION, Table
from compliance.report.text import MOST_MACHINES, details, summary
from compliance.rule import Outcome, Result, Severity, Verdict, failed
from tests.builders import NOW
from tests.report.tables import hostile, many, mute_machine, showing, small, table, verdict_of

SMALL = """\
2 of 3 virtual machines would not come up with their failover address; 1 is unknown. Failback: 1 of 2 would; 1 would \
not; 1 more has no failover address. hv03 was not read: its machines are not counted.
Data from 2 Nov 2026 06:30 UTC, just now.
Direction both: failover and failback close the gate.
  Failover: 2 not ready, 1 unknown
  Failback: 1 not ready, 1 no failover address, 1 ready
1 partner server is not in the inventory, so nobody looked there: hv09.dr.example (1 machine on hv01).
The gate is closed (exit code 1).
  - 3 findings at or above `warning`: failover-ip-needs-integration-services (3)
  - 1 of 3 servers could not be judged: hv03

ERROR  2 of 3 replicated virtual machines would keep the primary's address after a failover
  Rule: Integration services must be installed before primary or Replica virtual machines can use an
  alternate IP address after a failover (failover-ip-needs-integration-services)
  Resolution: Use Virtual Machine Connection to install integration services in the virtual machine.
    hv02/mute01 (replica): the guest on hv01 does not answer Data Exchange; it has been up for 4 days: integration \
services are not installed or not running
    hv02/sql01 (replica): Data Exchange is switched off in the settings of the virtual machine: nothing can hand the \
guest its address
    hv01/mute01 (primary): the guest does not answer Data Exchange; it has been up for 4 days: integration \
services are not installed or not running

UNKNOWN  1 of 3 servers was not read
    hv03: incomplete: connection refused"""


def lines(found: Table, **options: int) -> list[str]:
    return list(summary(found, **options))


def limits(found: Table) -> list[str]:
    """What stands between the headline and the gate, and is no word of readiness."""
    told = lines(replace(found, readiness=()))
    return told[3 : next(number for number, line in enumerate(told) if line.startswith("The gate is "))]


def with_outcome(**changes: object) -> Verdict:
    verdict = verdict_of(small(), Result.FAILED)
    return replace(verdict, outcome=replace(verdict.outcome, **changes))  # type: ignore[arg-type]


# --- the summary ------------------------------------------------------------------------------------------------------


def test_a_small_estate() -> None:
    assert "\n".join(lines(small())) == SMALL


def test_a_good_estate_is_a_few_lines() -> None:
    found = small()
    good = tuple(one for one in found.verdicts if one.outcome.result in (Result.PASSED, Result.NOT_APPLICABLE))
    fine = showing(replace(found, estate=replace(found.estate, servers=found.estate.servers[:2], unlisted=())), good)
    line, *more, gate = lines(replace(fine, readiness=()))
    assert len(more) == 2
    assert gate == "The gate is open (exit code 0)."
    assert "hv03" not in line


def test_nothing_judged_is_said() -> None:
    empty = Estate(name="empty", time=NOW, servers=(), replicated=())
    assert lines(table(empty))[0] == "No replicated virtual machine was seen."


def test_nothing_of_an_unread_estate_is_green() -> None:
    down = Server(name="hv01", unread=Unread("refused"))
    found = lines(table(Estate(name="down", time=NOW, servers=(down,), replicated=())))
    assert found[0] == "No replicated virtual machine was seen. hv01 was not read: its machines are not counted."
    assert "    hv01: incomplete: refused" in found


def test_many_unread_servers_are_counted() -> None:
    down = tuple(Server(name=f"hv{number:02d}", unread=Unread("refused")) for number in range(60))
    found = lines(table(Estate(name="down", time=NOW, servers=down, replicated=())))
    assert "hv00, hv01, hv02, hv03, hv04 and 55 more were not read: their machines are not counted." in found[0]
    assert "    … and 10 more" in found
    assert len(found) < 2 * MOST_MACHINES


def test_a_server_that_was_not_read_is_told_once() -> None:
    assert sum(line.startswith("    hv03") for line in lines(small())) == 1


def test_a_server_that_was_not_read_is_told_where_its_own_case_is_not_shown() -> None:
    found = small()
    shown = showing(found, tuple(one for one in found.verdicts if one.rule.subject is not Server))
    assert sum(line.startswith("    hv03: its virtual machines are unknown") for line in lines(shown)) == 1


@pytest.mark.parametrize("count", [MOST_MACHINES, MOST_MACHINES + 1, 4 * MOST_MACHINES])
def test_a_list_of_machines_is_bounded(count: int) -> None:
    found = lines(many(count))
    wrong = "replicated virtual machines would keep the primary's address after a failover"
    assert f"ERROR  {count} of {count} {wrong}" in found
    assert sum("/vm" in line for line in found) == MOST_MACHINES
    rest = [f"    … and {count - MOST_MACHINES} more"] if count > MOST_MACHINES else []
    assert [line for line in found if "…" in line] == rest


def test_remarks_are_bounded() -> None:
    remarks = tuple(f"remark {number}" for number in range(MOST_MACHINES + 2))
    server = Server(name="hv01", remarks=remarks)
    found = lines(table(Estate(name="x", time=NOW, servers=(server,), replicated=())))
    start = found.index("REMARKS")
    assert found[start - 1 : start + 2] == ["", "REMARKS", "    hv01: remark 0"]
    assert found[-2:] == [f"    hv01: remark {MOST_MACHINES - 1}", "    … and 2 more"]


BPA = "Evidence: bpa. Judged by Microsoft's own test alone: no guest was asked."


def test_microsofts_own_evidence_is_told() -> None:
    assert limits(small(settings=Judging(evidence=Evidence.BPA)))[0] == BPA
    assert BPA not in lines(small())


def test_a_scope_is_told() -> None:
    assert limits(small(scope="--hv-vm sql*"))[0] == "Only a part was judged: --hv-vm sql*"
    assert not any("Only a part was judged" in line for line in lines(small()))


def test_an_interrupted_gathering_is_told() -> None:
    line = "The snapshot is incomplete: the gathering was interrupted."
    assert limits(small(complete=False))[0] == line
    assert line not in lines(small())


def test_all_that_limits_the_run_stands_before_what_it_found() -> None:
    found = limits(small(scope="--hv-vm x", complete=False, settings=Judging(evidence=Evidence.BPA)))
    assert [line.split(":")[0].split(" ")[0] for line in found] == ["Evidence", "Only", "The", "1"]


def test_worse_rules_come_first() -> None:
    found = small()
    verdict = verdict_of(found, Result.FAILED)
    rules = [
        replace(verdict.rule, key=key, severity=severity, violated=key)
        for key, severity in (("a", Severity.INFORMATION), ("c", Severity.WARNING), ("b", Severity.ERROR))
    ]
    both = tuple(replace(verdict, rule=rule) for rule in rules)
    heads = [line for line in lines(showing(found, both)) if line.endswith((" a", " b", " c"))]
    assert [f"{line.split()[0]} {line.split()[-1]}" for line in heads] == ["ERROR b", "WARNING c", "INFORMATION a"]


@pytest.mark.parametrize("width", [40, 72, 100])
def test_the_resolution_is_folded(width: int) -> None:
    found = lines(small(), width=width)
    start = next(number for number, line in enumerate(found) if line.startswith("  Resolution: "))
    end = next(number for number, line in enumerate(found) if line.startswith("    hv02/mute01"))
    assert all(len(line) <= width for line in found[start:end])
    assert " ".join(line.strip() for line in found[start:end]).endswith("in the virtual machine.")


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

EVIL = "x\x1b[2J\r\n\u202e\u2028\x00y"
SAFE = "x\\u001b[2J\\u000d\\u000a\\u202e\\u2028\\u0000y"


def test_nothing_from_outside_reaches_the_terminal_as_it_came() -> None:
    found = hostile(EVIL)
    told = [*lines(found), *(line for verdict in found.verdicts for line in details(verdict).split("\n"))]
    assert all(line.isprintable() for line in told)
    assert any(SAFE in line for line in told)


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=20))
def test_no_text_from_outside_makes_a_line_of_its_own(text: str) -> None:
    found = hostile(text)
    assert all(line.isprintable() for line in summary(found))
    assert len(lines(found)) == len(lines(hostile("x")))
    for verdict in found.verdicts:
        assert all(line.isprintable() for line in details(verdict).split("\n"))


def test_an_unknown_role_is_escaped_in_the_list() -> None:
    machine = mute_machine("a", "hv01", role=Unread(EVIL))
    estate = Estate(name="x", time=NOW, servers=(Server(name="hv01"),), replicated=(machine,))
    found = table(estate)
    shown = showing(found, tuple(replace(one, outcome=failed(EVIL)) for one in found.verdicts if one.machine))
    assert f"    hv01/a ({SAFE}): {SAFE}" in lines(shown)


def test_the_same_table_gives_the_same_text() -> None:
    assert lines(small()) == lines(small())
    assert [details(one) for one in small().verdicts] == [details(one) for one in small().verdicts]


def test_a_verdict_without_a_machine_tells_of_none() -> None:
    verdict = next(one for one in small().verdicts if one.rule.subject is Server)
    bare = replace(verdict, outcome=Outcome(Result.PASSED, "fine"))
    assert details(bare) == "fine"
