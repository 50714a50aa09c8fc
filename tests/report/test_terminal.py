"""What the terminal shows at the end: what is wrong, grouped, in a bounded number of lines; the answer last."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.gate.exits import Exit, Reason
from compliance.judge.judge import all_rules
from compliance.model import Estate, Evidence, Judging, Server, Unread
from compliance.report.by_cause import groups_by_cause
from compliance.report.table import Table
from compliance.report.terminal import MOST_LINES, MOST_REASONS, MOST_REMARKS, TerminalLine, Tone, summary
from compliance.rule import Result, Severity, failed, unknown
from tests.hosts import NOW
from tests.profiles import examples
from tests.report.every import every
from tests.report.tables import hostile, many, mute_machine, showing, small, table, verdict_of

ANSWER = """\
1 partner server is not in the inventory, so nobody looked there: hv09.dr.example (1 machine on
hv01).
Direction both: failover and failback close the gate.
  3 replicated virtual machines with a failover address
  Failover: 2 not ready, 1 unknown
  Failback: 1 not ready, 1 no failover address, 1 ready

2 of 3 virtual machines would not come up with their failover address; 1 is unknown. Failback: 1 of
2 would; 1 would not; 1 more has no failover address. hv03 was not read: its machines are not
counted.
The gate is closed (exit code 1).
  - 3 findings at or above `warning`: failover-ip-needs-integration-services (3)
  - 1 of 3 servers could not be judged: hv03
Data from 2 Nov 2026 06:30 UTC, just now.
Report: file:///tmp/report.html"""


def lines(found: Table, width: int = 100, **options: object) -> list[str]:
    return [line.text for line in summary(found, width, **options)]  # type: ignore[arg-type]


def before_the_answer(found: Table) -> list[str]:
    """What limits the answer."""
    told = lines(replace(found, readiness=()), 300)
    end = next(number for number, line in enumerate(told) if line.startswith("Direction "))
    start = max(number for number, line in enumerate(told[:end]) if not line)
    return told[start + 1 : end]


def findings(found: Table, **options: object) -> list[str]:
    told = lines(found, **options)
    return told[: next(number for number, line in enumerate(told) if line.startswith("Direction "))]


def headings(found: Table, **options: object) -> list[str]:
    return [line for line in findings(found, **options) if re.match("[A-Z]{3,}", line)]


# --- the answer -------------------------------------------------------------------------------------------------------


def test_the_last_lines_are_the_answer() -> None:
    found = lines(small(), pointers=["Report: file:///tmp/report.html"])
    assert "\n".join(found[-len(ANSWER.splitlines()) :]) == ANSWER


@pytest.mark.slow
@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("count", [3, 40, 2000])
def test_sentence_and_gate_are_in_sight_whatever_was_found(count: int, width: int) -> None:
    found = [*summary(many(count), width)]
    assert len(found) <= MOST_LINES
    screen = found[-49:]  # pytest's own last line is the fiftieth
    assert any(line.tone is Tone.ANSWER for line in screen)
    assert any(line.text == "The gate is closed (exit code 1)." for line in screen)


def test_the_gate_is_open_in_its_own_tone() -> None:
    found = small()
    good = tuple(one for one in found.verdicts if one.outcome.result in (Result.PASSED, Result.NOT_APPLICABLE))
    fine = showing(replace(found, estate=replace(found.estate, servers=found.estate.servers[:2], unlisted=())), good)
    told = summary(replace(fine, readiness=()))
    assert [line.text for line in told if line.tone is Tone.OPEN] == ["The gate is open (exit code 0)."]
    assert len(told) == 6  # an empty line, the direction, another one, the sentence, the gate, the data's age
    assert "hv03" not in "".join(line.text for line in told)


def test_nothing_judged_is_said() -> None:
    empty = Estate(name="empty", time=NOW, servers=(), replicated=())
    assert "No replicated virtual machine was seen." in lines(table(empty))


def test_nothing_of_an_unread_estate_is_green() -> None:
    down = Server(name="hv01", unread=Unread("refused"))
    found = summary(table(Estate(name="down", time=NOW, servers=(down,), replicated=())))
    assert TerminalLine("The gate is closed (exit code 10).", Tone.CLOSED) in found
    assert "    hv01: incomplete: refused" in map(str, found)


def test_a_long_gate_is_cut_and_says_so() -> None:
    found = small()
    reasons = tuple(Reason(code=Exit.NOT_JUDGED, text=f"reason {number}") for number in range(MOST_REASONS + 3))
    cut = replace(found, gate=replace(found.gate, reasons=reasons))
    assert "  … and 3 more reasons: -v lists them all" in lines(cut)
    assert sum("  - reason " in line for line in lines(cut)) == MOST_REASONS
    assert sum("  - reason " in line for line in lines(cut, most=None)) == len(reasons)


BPA = "Evidence: bpa. Judged by Microsoft's own test alone: no guest was asked."


def test_microsofts_own_evidence_is_said() -> None:
    assert before_the_answer(small(settings=Judging(evidence=Evidence.BPA)))[0] == BPA
    assert BPA not in lines(small())


def test_a_scope_is_said() -> None:
    assert before_the_answer(small(scope="--hv-vm sql*"))[0] == "Only a part was judged: --hv-vm sql*"
    assert not any("Only a part was judged" in line for line in lines(small()))


def test_an_interrupted_gathering_is_said() -> None:
    line = "The snapshot is incomplete: the gathering was interrupted."
    assert before_the_answer(small(complete=False))[0] == line
    assert line not in lines(small())


def test_all_that_limits_the_run_stands_together() -> None:
    changes = {"scope": "--hv-vm x", "complete": False, "settings": Judging(evidence=Evidence.BPA)}
    found = before_the_answer(small(**changes))
    assert [line.split(":")[0].split(" ")[0] for line in found] == ["Evidence", "Only", "The", "1"]


# --- findings ---------------------------------------------------------------------------------------------------------


def test_each_list_is_headed_by_what_is_wrong_and_how_often() -> None:
    for found in (small(), many(40)):
        titles = [f"{group.word.upper()}  {group.title}" for group in groups_by_cause(found)]
        assert headings(found, width=300, most=None) == titles


def test_a_short_list_has_each_machine_with_its_finding() -> None:
    told = "\n".join(findings(small(), width=300))
    assert "    hv02/mute01 (replica): the guest on hv01 does not answer Data Exchange" in told
    assert "    hv03: incomplete: connection refused" in told


@pytest.mark.slow
def test_a_long_list_has_names_in_columns_and_what_is_left_out() -> None:
    told = findings(many(2000), width=80)
    row = next(line for line in told if "/vm" in line)
    assert len(row.split()) == 5
    left = 2000 - sum(len(line.split()) for line in told if "/vm" in line)
    assert f"    … and {left:,} more" in told
    assert headings(many(2000), width=80)


def test_everything_is_shown_where_it_is_asked_for() -> None:
    told = findings(many(200), most=None)
    assert sum(": the guest " in line or ": " in line for line in told if "/vm" in line) == 200
    assert not any("more" in line for line in told)


def test_both_sides_of_a_machine_are_one_name() -> None:
    names = [line.partition(": ")[0] for line in findings(small(), most=len(lines(small())) - 1) if "mute01" in line]
    assert names == ["ERROR  mute01 (hv02, hv01)"]


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("most", [MOST_LINES, None])
def test_nothing_is_wider_than_the_window_but_a_word(width: int, most: int | None) -> None:
    for found in (small(), every(), many(40)):
        for line in lines(found, width=width, most=most):
            is_command = line.startswith(" " * 10)  # which is copied
            assert len(line) <= width or len(line.split()) <= 2 or is_command, line


@given(st.integers(24, 80), st.sampled_from([small(), every(), many(40)]))
def test_no_number_of_lines_is_exceeded(most: int, found: Table) -> None:
    told = lines(found, most=most)
    answer = len(told) - len(findings(found, most=most))
    assert len(told) <= max(most, answer + 8)  # the answer and the remarks are never cut


def test_what_is_unknown_stands_once() -> None:
    found = small()
    verdict = next(one for one in found.verdicts if one.machine and one.label == "hv02/sql01")
    other = next(rule for rule in all_rules() if rule.key == "guest-can-apply-failover-ip")
    asleep = replace(verdict, outcome=unknown("the guest is off", cause="guest-not-seen"))
    same = replace(asleep, rule=other)
    more = replace(same, outcome=unknown("not published", cause="guest-system-not-published"))
    assert sum("hv02/sql01" in line for line in findings(showing(found, [asleep, same]), most=None)) == 1
    assert sum("hv02/sql01" in line for line in findings(showing(found, [asleep, more]), most=None)) == 2


def test_a_server_that_was_not_read_stands_once() -> None:
    assert sum(line.startswith("    hv03") for line in lines(small())) == 1
    found = small()
    alone = showing(found, tuple(one for one in found.verdicts if one.rule.subject is not Server))
    assert sum(line.startswith("    hv03: its virtual machines are unknown") for line in lines(alone)) == 1


def test_worse_rules_come_first() -> None:
    found = small()
    verdict = replace(verdict_of(found, Result.FAILED), outcome=failed("x"))
    rules = [
        replace(verdict.rule, key=key, severity=severity, violated=key)
        for key, severity in (("a", Severity.INFORMATION), ("c", Severity.WARNING), ("b", Severity.ERROR))
    ]
    told = headings(showing(found, tuple(replace(verdict, rule=rule) for rule in rules)))
    assert [f"{line.split()[0]} {line.split()[-1]}" for line in told] == ["ERROR b", "WARNING c", "INFORMATION a"]


def test_each_word_has_its_tone() -> None:
    tones = {line.text.split("  ")[0].lower(): line.tone.value for line in summary(every(), 300) if line.tone}
    for word in ("error", "information", "unknown", "waived"):
        assert tones[word] == word


def test_remarks_are_bounded() -> None:
    remarks = tuple(f"remark {number}" for number in range(80))
    server = Server(name="hv01", remarks=remarks)
    found = lines(table(Estate(name="x", time=NOW, servers=(server,), replicated=())))
    start = found.index("REMARKS")
    assert found[start - 1 : start + 2] == ["", "REMARKS", "    hv01: remark 0"]
    assert f"    … and {80 - MOST_REMARKS} more remarks: -v lists them all" in found


# --- harmless ---------------------------------------------------------------------------------------------------------

EVIL = "x\x1b[2J\r\n\u202e\u2028\x00y"
SAFE = "x\\u001b[2J\\u000d\\u000a\\u202e\\u2028\\u0000y"


@pytest.mark.parametrize("most", [MOST_LINES, None])
def test_nothing_from_outside_reaches_the_terminal_as_it_came(most: int | None) -> None:
    told = lines(hostile(EVIL), most=most)
    assert all(line.isprintable() for line in told)
    assert any(SAFE in line for line in told)


@settings(deadline=None, max_examples=examples(60))
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=20))
def test_no_text_from_outside_makes_a_line_of_its_own(text: str) -> None:
    many_lines, wide = 10**6, 10**6  # whole, without commands, which no hostile name gets
    assert len(lines(hostile(text), wide, most=many_lines)) == len(lines(hostile("x"), wide, most=many_lines))
    assert all(line.isprintable() for line in lines(hostile(text), 40, most=None))
    assert all(line.isprintable() for line in lines(hostile(text), 40))


def test_no_line_is_a_command_of_a_runner_wherever_it_is_wrapped() -> None:
    text = "w " * 30 + "::error::x"
    for width in range(20, 90):
        assert not any(line.lstrip().startswith("::error") for line in lines(hostile(text), width, most=None))


def test_an_unknown_role_is_escaped_in_the_list() -> None:
    machine = mute_machine("a", "hv01", role=Unread(EVIL))
    estate = Estate(name="x", time=NOW, servers=(Server(name="hv01"),), replicated=(machine,))
    found = table(estate)
    shown = showing(found, tuple(replace(one, outcome=failed(EVIL)) for one in found.verdicts if one.machine))
    assert f"    hv01/a ({SAFE}): {SAFE}" in lines(shown, 300)


def test_the_same_table_gives_the_same_text() -> None:
    assert lines(small()) == lines(small())
