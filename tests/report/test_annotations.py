"""GitHub's workflow commands, as its runner would parse them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from compliance.report.annotations import MOST, workflow_commands
from compliance.report.table import Table
from tests.report.every import every, hostile


def parsed(line: str) -> tuple[str, dict[str, str], str]:
    """As ActionCommand.TryParseV2 of actions/runner does it."""
    assert "\n" not in line
    assert "\r" not in line
    match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert match, line
    pairs = dict(part.split("=", 1) for part in match[2].split(","))
    return match[1], {name: unescaped(value) for name, value in pairs.items()}, unescaped(match[3])


def unescaped(text: str) -> str:
    for escape, letter in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, letter)
    return text


def test_one_for_the_gate_and_one_for_each_cause() -> None:
    told = [parsed(line) for line in workflow_commands(every())]
    assert [(level, given.get("line"), given["title"]) for level, given, _ in told] == [
        ("error", None, "Hyper-V compliance of lab"),
        ("error", "3", "guest-answers"),
        ("error", "3", "guest-answers"),
        ("error", "7", "was-read"),
        ("notice", "3", "has-note"),
    ]
    wrong = "3 machines would keep the primary's address"
    assert told[1][2] == f"{wrong}: hv01/bad01, hv01/changed01, hv01/ended01. Install it."


def test_without_lines_the_file_is_named_and_without_a_file_nothing() -> None:
    assert all("line" not in parsed(line)[1] for line in workflow_commands(every(lines={})))
    assert all("file" not in parsed(line)[1] for line in workflow_commands(every(file="")))


def test_a_server_of_an_included_file_is_pointed_at_there() -> None:
    told = [parsed(line)[1] for line in workflow_commands(every(files={"hv03": "sites/bln.yaml"}))]
    assert {one.get("line"): one["file"] for one in told if one["title"] != "Hyper-V compliance of lab"} == {
        "3": every().file,
        "7": "sites/bln.yaml",
    }


@pytest.mark.parametrize("text", ["::error::x", "a,file=b", "50%", "%0A::error::x", "\n::x::y", "a:b=c", "##[x]y"])
def test_somebodys_text_is_no_command(text: str) -> None:
    plain = [parsed(line) for line in workflow_commands(hostile("x"))]
    told = [parsed(line) for line in workflow_commands(hostile(text))]
    assert [(level, set(given)) for level, given, _ in told] == [(level, set(given)) for level, given, _ in plain]
    if text.isprintable() and "##" not in text:
        assert told[0][1]["title"] == f"Hyper-V compliance of {text}"


def rules(count: int) -> Table:
    found = every()
    one = next(one for one in found.decisions if one.closes)
    many = [replace(one.verdict.rule, key=f"rule-{number:02}") for number in range(count)]
    decisions = [
        replace(one, verdict=replace(one.verdict, rule=rule), reported=replace(one.reported, rule=rule))
        for rule in many
    ]
    return replace(found, decisions=tuple(decisions))


@pytest.mark.parametrize("count", [MOST - 1, MOST, 3 * MOST])
def test_what_github_would_hide_is_counted(count: int) -> None:
    told = [parsed(line) for line in workflow_commands(rules(count))]
    assert len(told) == min(count + 1, MOST)
    left_out = count + 1 - len(told)
    assert (f"{left_out + 1} more: see the summary" in told[-1][2]) is (left_out > 0)
