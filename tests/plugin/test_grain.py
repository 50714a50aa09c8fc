"""``--hv-grain``: what pytest shows by fewer cases, and that nothing else depends on it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from compliance.audit import judge_snapshot
from compliance.gate.decision import Decision
from compliance.gate.exits import Exit
from compliance.judge.scope import Scope
from compliance.model import Estate, Server
from compliance.plugin.grain import LONGEST, MANY, MOST_LINES, Bundle, bundles, hint
from compliance.plugin.options import Grain
from compliance.rule import Result
from compliance.snapshot.snapshot import ServerRecord
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import NOW, Host, Nic, Vm
from tests.plugin.test_plugin import ids, report_of, rows_of
from tests.report.every import every
from tests.report.tables import table
from tests.running import LAB, RunPytest, counts

RULE = "failover-ip-needs-integration-services"
COARSE = (Grain.SERVER, Grain.RULE)
KINDS: dict[str, dict[str, object]] = {
    "good": {},
    "mute": {"kvp": 12, "heartbeat": 12},
    "waived": {"kvp": 12, "heartbeat": 12},
    "lost": {"kvp": 13},
    "excused": {"kvp": 13},
    "plain": {"nics": (Nic(),)},
}
MIXES = {  # machines of one server -> what its case is, also where failed is below the gate's severity
    "good": ("PASSED", "PASSED"),
    "good good": ("PASSED", "PASSED"),
    "good mute": ("FAILED", "PASSED"),
    "mute mute": ("FAILED", "PASSED"),
    "mute plain": ("FAILED", "PASSED"),
    "mute waived": ("FAILED", "PASSED"),
    "good lost": ("ERROR", "ERROR"),
    "lost waived": ("ERROR", "ERROR"),
    "lost plain": ("ERROR", "ERROR"),
    "good mute lost waived excused plain": ("ERROR", "ERROR"),
    "good plain": ("PASSED", "PASSED"),
    "good waived": ("PASSED", "PASSED"),
    "good excused": ("PASSED", "PASSED"),
    "plain plain": ("SKIPPED", "SKIPPED"),
    "waived waived": ("SKIPPED", "SKIPPED"),
    "plain waived": ("SKIPPED", "SKIPPED"),
    "excused excused": ("SKIPPED", "SKIPPED"),
    "excused plain": ("SKIPPED", "SKIPPED"),
}
NAMES = {mix: f"hv{number:02}" for number, mix in enumerate(MIXES)}


def host(name: str, kinds: Sequence[str]) -> ServerRecord:
    machines = [Vm(name=f"{kind}{number}{name}", **KINDS[kind]) for number, kind in enumerate(kinds)]  # type: ignore[arg-type]
    return source(Host(name=name.upper(), vms=machines))


def waivers() -> str:
    """Failed ones by a pattern; what was not judged machine by machine."""
    day = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%d}"
    exact = [f"{NAMES[mix]}/{kind}{number}{NAMES[mix]}" for mix in MIXES for number, kind in enumerate(mix.split())]
    machines = ["'*/waived*'", *(name for name in exact if "/excused" in name)]
    lines = [f"- {{rule: {RULE}, machine: {name}, reason: known, owner: anna, expires: {day}}}" for name in machines]
    return "\n".join(["waivers:", *lines, ""])


class Run:
    """The mixes by the real command: the words of each of its outputs, by server."""

    def __init__(self, run_pytest: RunPytest, folder: Path, *more: str) -> None:
        given = ("--snapshot", "x.jsonl", "--hv-waivers", "w.yaml", "--hv-grain", "server", "--hv-rule", RULE, *more)
        page = folder / "x.html"
        told = run_pytest(folder, *given, "-v", "--junitxml", "x.xml", "--html", page, "--self-contained-html")
        self.stdout = told.stdout
        self.words = dict(re.findall(rf"^test::{RULE}\[(.+)\] ([A-Z]+)", told.stdout, re.MULTILINE))
        cases = [case for suite in JUnitXml.fromfile(str(folder / "x.xml")) for case in suite]
        self.junit: dict[str, TestCase] = {case.name.partition("[")[2][:-1]: case for case in cases}
        assert len(self.junit) == len(cases)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("grain")
    write_snapshot(snapshot(*(host(NAMES[mix], mix.split()) for mix in MIXES)), folder / "x.jsonl")
    (folder / "w.yaml").write_text(waivers())
    mild = ("--hv-fail-at", "error", "--hv-severity-of", f"{RULE}=warning")
    return {"as it is": Run(run_pytest, folder), "mild": Run(run_pytest, folder, *mild)}


# --- what a case is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mix", MIXES)
def test_a_case_is_the_worst_of_its_members(mix: str, runs: dict[str, Run]) -> None:
    for run, word in zip(runs.values(), MIXES[mix], strict=True):
        assert run.words[NAMES[mix]] == word
        found = run.junit[NAMES[mix]].result
        kinds = {Failure: "FAILED", Error: "ERROR", Skipped: "SKIPPED"}
        assert [kinds[type(one)] for one in found] == ([] if word == "PASSED" else [word])


def test_a_case_counts_its_members_and_lists_those_that_did_not_pass(runs: dict[str, Run]) -> None:
    name = NAMES["good mute lost waived excused plain"]
    first, *text = runs["as it is"].junit[name].result[0].text.splitlines()
    assert first.endswith("1 failed, 1 unknown, 2 waived, 1 not applicable, 1 passed")
    listed = re.findall(r"^(\w[\w ]*)  hv\d\d/([a-z]+)", "\n".join(text), re.MULTILINE)
    assert listed == [
        ("unknown", "lost"),
        ("failed", "mute"),
        ("waived", "excused"),
        ("waived", "waived"),
        ("not applicable", "plain"),
    ]
    assert any(line.startswith("Resolution: ") for line in text)


def test_a_case_of_one_member_is_told_as_that_member(runs: dict[str, Run]) -> None:
    found = judge_snapshot(
        snapshot(host("hv01", ["mute"]), unread_source("hv02")), Scope(rules=(RULE, "server-*", "estate-*"))
    )
    alone = {one.id: one for one in bundles(found.decisions, found.estate, Grain.MACHINE)}
    for one in bundles(found.decisions, found.estate, Grain.SERVER):
        same = alone.get(one.id) or alone[f"test::{RULE}[hv01/mute0hv01]"]
        assert (one.verdict, one.details()) == (same.verdict, same.details())


def test_members_that_share_a_reason_tell_it_where_there_is_one_line(runs: dict[str, Run]) -> None:
    (skip,) = runs["as it is"].junit[NAMES["plain plain"]].result
    assert skip.message == "2 not applicable: no failover address is configured"


def properties(case: TestCase) -> dict[str, str]:
    return {one.get("name"): one.get("value") for one in case._elem.iter("property")}


def test_properties_are_counts_and_no_list(runs: dict[str, Run]) -> None:
    found = properties(runs["as it is"].junit[NAMES["good mute lost waived excused plain"]])
    assert found == {
        "rule": RULE,
        "severity": "error",
        "server": NAMES["good mute lost waived excused plain"],
        "failed": "1",
        "unknown": "1",
        "waived": "2",
        "not_applicable": "1",
        "passed": "1",
    }
    below = properties(runs["mild"].junit[NAMES["good mute"]])
    assert below["remark"].startswith("below the gate's severity (would fail): 1 failed, 1 passed")


ALL = every().decisions
PARTS = st.lists(st.sampled_from(ALL), min_size=1, unique_by=id)


@given(PARTS, st.sampled_from(COARSE))
def test_every_verdict_is_in_one_case_which_is_no_greener(decisions: list[Decision], grain: Grain) -> None:
    found = bundles(decisions, every().estate, grain)
    assert Counter(id(one) for bundle in found for one in bundle.members) == Counter(map(id, decisions))
    assert len({bundle.id for bundle in found}) == len(found)
    for bundle in found:
        red = not bundle.allowed and bundle.verdict.outcome.result in (Result.FAILED, Result.UNKNOWN)
        assert red is any(
            one.closes is not Exit.OPEN or one.reported.outcome.result is Result.UNKNOWN for one in bundle.members
        )
        assert sum(bundle.counts.values()) == len(bundle.members)
        assert {one.verdict.rule.key for one in bundle.members} == {bundle.verdict.rule.key}


def bundle_of(machines: int) -> Bundle:
    found = judge_snapshot(snapshot(host("hv01", ["mute"] * machines)), Scope(rules=(RULE,)))
    (one,) = bundles(found.decisions, found.estate, Grain.RULE, "they are in out")
    return one


def test_a_long_list_is_bounded_and_says_where_the_rest_is() -> None:
    one = bundle_of(300)
    lines = list(one.lines())
    assert len(lines) == MOST_LINES + 2
    assert (lines[0], lines[-1]) == ("300 failed", "… and 280 more: they are in out")
    long = replace(one.members[0].reported.outcome, finding="x" * 10_000)
    member = replace(one.members[0], reported=replace(one.members[0].reported, outcome=long))
    assert max(map(len, replace(one, members=(member, member)).lines())) == LONGEST


# --- ids and selection ------------------------------------------------------------------------------------------------

BY_SERVER = ["bln-hv01", "bln-hv02", "bln-hv03", "fra-hv04", "fra-node1", "fra-node2"]


def run_demo(
    run_pytest: RunPytest, folder: Path, grain: str, *arguments: str | Path
) -> tuple[int, dict[str, int], str]:
    run = run_pytest(folder, "--inventory", LAB, "--hv-grain", grain, *arguments)
    return run.returncode, counts(run.stdout), run.stdout + run.stderr


def test_ids_name_the_server_or_the_rule_alone(tmp_path: Path, run_pytest: RunPytest) -> None:
    given = ("--inventory", LAB, "--collect-only", "-q", "--hv-rule", "server-*", "--hv-rule", "estate-*")
    by_server = ids(run_pytest(tmp_path, *given, "--hv-rule", RULE, "--hv-grain", "server").stdout)
    assert sorted(by_server) == sorted(
        [
            "demo::estate-has-replicated-machines[demo]",
            *(f"demo::{rule}[{name}]" for rule in (RULE, "server-was-read") for name in BY_SERVER),
        ]
    )
    by_rule = ids(run_pytest(tmp_path, *given, "--hv-rule", RULE, "--hv-grain", "rule").stdout)
    assert by_rule == ["demo::estate-has-replicated-machines", f"demo::{RULE}", "demo::server-was-read"]


def test_servers_whose_names_print_alike_have_cases_of_their_own() -> None:
    names = ("hv\u00e9", "hve\u0301")
    found = table(Estate(name="lab", time=NOW, servers=tuple(Server(name=name) for name in names), replicated=()))
    kept = [one.id for one in bundles(found.decisions, found.estate, Grain.SERVER) if "server-was-read" in one.id]
    assert kept == [f"lab::server-was-read[{names[0]}]", f"lab::server-was-read[{names[0]}~2]"]
    assert kept == [one.id for one in found.verdicts if "server-was-read" in one.id]


SELECTIONS = [
    ("server", (f"demo::{RULE}[bln-hv01]",), {"error": 1}),
    ("server", (f"demo::{RULE}",), {"error": 5, "failed": 1}),
    ("server", ("-n", "2", f"demo::{RULE}[fra-node2]"), {"failed": 1}),
    ("server", ("-k", "fra-node2"), {"failed": 1, "passed": 1}),
    ("server", ("-m", "server_was_read"), {"passed": 5, "error": 1}),
    ("server", ("-m", "severity_error", "--deselect", f"demo::{RULE}["), {"passed": 6, "error": 1}),
    ("rule", (f"demo::{RULE}",), {"error": 1}),
    ("rule", ("demo::estate-has-replicated-machines", "-n", "2"), {"passed": 1}),
    ("rule", ("-k", "integration"), {"error": 1}),
    ("rule", ("-m", "server_was_read"), {"error": 1}),
]


@pytest.mark.parametrize(
    ("grain", "arguments", "expected"), SELECTIONS, ids=[" ".join((one[0], *one[1])) for one in SELECTIONS]
)
def test_selection(
    grain: str, arguments: tuple[str, ...], expected: dict[str, int], tmp_path: Path, run_pytest: RunPytest
) -> None:
    known = ("--hv-rule", RULE, "--hv-rule", "server-was-read", "--hv-rule", "estate-*")
    code, found, _ = run_demo(run_pytest, tmp_path, grain, *known, *arguments)
    assert {word: number for word, number in found.items() if word != "deselected"} == expected
    assert code == 1, "the gate is closed, whatever pytest shows of it"


def test_a_case_of_another_grain_is_not_found(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, "--hv-grain", "server", f"demo::{RULE}[bln-hv01/sql01]")
    assert (run.returncode, "or --hv-grain server has no such case" in run.stderr) == (4, True)


@pytest.mark.parametrize("grain", COARSE)
def test_last_failed_runs_what_failed(grain: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    options = ("-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}")
    _, first, _ = run_demo(run_pytest, tmp_path, grain, *options)
    _, again, _ = run_demo(run_pytest, tmp_path, grain, *options, "--lf")
    red = {word: first[word] for word in ("failed", "error") if word in first}
    assert {word: number for word, number in again.items() if word in ("failed", "error", "passed")} == red
    green = sum(number for word, number in first.items() if word in ("passed", "skipped"))
    assert green == again["deselected"]


def junit_of(run_pytest: RunPytest, folder: Path, *arguments: str) -> dict[str, tuple[str, ...]]:
    run_demo(run_pytest, folder, "server", *arguments, "--hv-report-dir", "out", "--junitxml", "x.xml")
    cases = [case for suite in JUnitXml.fromfile(str(folder / "x.xml")) for case in suite]
    return {case.name: tuple(str(one.text) for one in case.result) for case in cases}


def test_workers_of_xdist_tell_the_same(tmp_path: Path, run_pytest: RunPytest) -> None:
    alone = junit_of(run_pytest, tmp_path)
    assert junit_of(run_pytest, tmp_path, "-n", "2") == alone
    assert any("Resolution: " in text for texts in alone.values() for text in texts)


# --- what else there is -----------------------------------------------------------------------------------------------


def test_the_gate_and_the_reports_do_not_depend_on_it(tmp_path: Path, run_pytest: RunPytest) -> None:
    codes = {run_demo(run_pytest, tmp_path, grain, "--hv-report-dir", grain)[0] for grain in Grain}
    assert codes == {1}
    kept = {grain: {path.name: path.read_bytes() for path in (tmp_path / grain).iterdir()} for grain in Grain}
    gates = {grain: json.loads(kept[grain].pop("gate.json")) for grain in Grain}
    assert [gate.pop("grain") for gate in gates.values()] == list(Grain)
    for gate in gates.values():
        gate.pop("age_seconds")
        del gate["run"]["decided"]
    for reports in kept.values():  # the page says when, as gate.json does
        reports["report.html"] = re.sub(rb"<dt>Gate decided</dt><dd>[^<]*", b"", reports["report.html"])
    for grain in COARSE:
        assert gates[grain] == gates[Grain.MACHINE]
        assert kept[grain] == kept[Grain.MACHINE]


@pytest.mark.parametrize("grain", COARSE)
def test_the_html_report_has_a_row_for_each_case(grain: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    _, found, _ = run_demo(run_pytest, tmp_path, grain)
    page, data = report_of(run_pytest, tmp_path, "--inventory", LAB, "--hv-grain", grain)
    assert len(rows_of(data)) == sum(found.values())
    assert "A row may stand for several verdicts" in page
    assert "<img src=x" not in page


def test_rows_are_bounded_with_many_servers(tmp_path: Path, run_pytest: RunPytest) -> None:
    write_snapshot(snapshot(*(host(f"h{number:04}", ["good"]) for number in range(700))), tmp_path / "x.jsonl")
    given = ("--hv-rule", RULE, "--hv-rule", "server-was-read", "--hv-grain", "server")
    page, data = report_of(run_pytest, tmp_path, "--snapshot", tmp_path / "x.jsonl", *given)
    assert len(rows_of(data)) == 1000
    assert "The table below shows 1,000 of 1,400." in page


def test_the_option_is_named_in_the_header_and_a_wrong_one_is_refused(tmp_path: Path, run_pytest: RunPytest) -> None:
    _, _, told = run_demo(run_pytest, tmp_path, "rule", "--hv-server", "fra-*")
    assert re.search(r"^hyperv-compliance .*: estate demo .*--hv-server fra-\*, --hv-grain rule$", told, re.MULTILINE)
    assert run_pytest(tmp_path, "--inventory", LAB, "--hv-grain", "disk").returncode == 4
    stray = run_pytest(tmp_path, "--hv-grain", "server")
    assert (stray.returncode, "--hv-grain needs an estate" in stray.stderr) == (4, True)


def test_a_large_run_names_the_option_once() -> None:
    assert hint(MANY, None) == ""
    assert hint(MANY + 1, Grain.MACHINE) == ""
    assert "--hv-grain server" in hint(MANY + 1, None)


def test_the_hint_stands_in_the_header(tmp_path: Path, run_pytest: RunPytest) -> None:
    servers = (unread_source(f"hv{number}") for number in range(MANY // 4 + 1))  # each is a case of four rules or more
    write_snapshot(snapshot(*servers), tmp_path / "x.jsonl")
    run = run_pytest(tmp_path, "--snapshot", "x.jsonl", "-k", "nosuch")
    assert re.search(r"^\d{2,3},\d{3} cases: --hv-grain server", run.stdout, re.MULTILINE)
    assert run.stdout.count("--hv-grain") == 1
