"""``--hv-report-dir`` by the real command: what is there after a run, however it ended."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from jsonschema import Draft4Validator

from compliance.gate.exits import Exit
from compliance.plugin.report_folder import PAGE, WRITERS, Reports, junit_warning, tell_github
from compliance.report.table import Table
from compliance.snapshot.snapshot import Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import Host, Vm, replica_of
from tests.plugin.test_plugin import LOGIN, PASSWORD, sealed_servers
from tests.report.every import every
from tests.report.test_results import STRICT
from tests.report.test_sarif import SCHEMA
from tests.running import LAB, RunPytest, counts

SQL = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
OTHER_SIDE = source(Host(name="HV02", vms=[replica_of(SQL)]))
HEALTHY = snapshot(source(Host(name="HV01", vms=[SQL])), OTHER_SIDE)
VIOLATED = snapshot(source(Host(name="HV01", vms=[SQL, MUTE])), OTHER_SIDE)
FILES = {*WRITERS, "gate.json"}
POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no devices and pipes in folders")


def saved(folder: Path, found: Snapshot, name: str = "x.jsonl") -> Path:
    write_snapshot(found, folder / name)
    return folder / name


def gate_of(folder: Path, name: str = "out") -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / name / "gate.json").read_text())
    return told


def reasons(folder: Path) -> list[str]:
    return [one["text"] for one in gate_of(folder)["reasons"]]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_every_report_is_there_and_valid(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, "--hv-report-dir", "a/b")
    out = tmp_path / "a" / "b"
    assert run.returncode == 1, run.stdout + run.stderr
    assert f"The reports are in {Path('a') / 'b'}." in run.stdout
    assert names(out) == FILES
    told = json.loads((out / "results.json").read_text())
    assert [error.message for error in STRICT.iter_errors(told)] == []
    assert [
        error.message for error in Draft4Validator(SCHEMA).iter_errors(json.loads((out / "results.sarif").read_text()))
    ] == []
    rows = list(csv.reader(io.StringIO((out / "results.csv").read_text("utf-8-sig"), newline="")))
    assert len(rows) == 1 + sum(told["counts"].values()) == 1 + sum(counts(run.stdout).values())
    assert told["unread_servers"] == ["bln-hv03"]
    gate = gate_of(tmp_path, "a/b")
    assert (gate["exit_code"], gate["coverage"]["servers_read"], gate["versions"]["pytest"]) == (
        1,
        5,
        pytest.__version__,
    )


def page_linked_from(html: Path) -> list[str]:
    return re.findall(r'<a href="([^"]*)">\s*report.html</a>', html.read_text("utf-8"))


@pytest.mark.parametrize(
    ("html", "folder"),
    [
        ("x.html", "out"),
        ("out/log.html", "out"),
        ("logs/deep/x.html", "out"),
        ("x.html", "a:b/<i>&'\" % é"),
    ],
)
def test_pytest_htmls_report_links_to_the_page(html: str, folder: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    found = saved(tmp_path, HEALTHY)
    run = run_pytest(tmp_path, "--snapshot", found, "--html", html, "--self-contained-html", "--hv-report-dir", folder)
    assert run.returncode == 0, run.stdout + run.stderr
    (link,) = page_linked_from(tmp_path / html)
    assert not urlsplit(link).scheme
    target = (tmp_path / html).parent / unquote(unescape(link))
    assert target.resolve() == (tmp_path / folder / "report.html").resolve()
    assert target.is_file()


def test_without_a_page_there_is_no_link_to_one(tmp_path: Path, run_pytest: RunPytest) -> None:
    run_pytest(tmp_path, "--snapshot", saved(tmp_path, HEALTHY), "--html", "x.html", "--self-contained-html")
    assert page_linked_from(tmp_path / "x.html") == []


def test_a_replay_writes_the_same_bytes_and_no_password(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path):
        run = run_pytest(
            tmp_path, "--inventory", "live.yaml", "--hv-save", "x.jsonl", "--hv-report-dir", "live", env=LOGIN
        )
    assert run.returncode == 0, run.stdout + run.stderr
    again = run_pytest(tmp_path, "--snapshot", "x.jsonl", "--hv-report-dir", "replay", "-n", "2")
    assert again.returncode == 0
    for name in ("results.json", "results.csv", "summary.md"):
        assert (tmp_path / "replay" / name).read_bytes() == (tmp_path / "live" / name).read_bytes()
    assert not [path for path in (tmp_path / "live").iterdir() if PASSWORD in path.read_text("utf-8")]
    assert gate_of(tmp_path, "live")["inventory"]["name"] == "live.yaml"


def test_findings_point_at_their_servers_lines(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path) as servers:
        servers[1].__exit__(None, None, None)
        run = run_pytest(tmp_path, "--inventory", "live.yaml", "--hv-report-dir", "out", env=LOGIN)
    assert run.returncode == 10
    found = json.loads((tmp_path / "out" / "results.sarif").read_text())["runs"][0]["results"]
    lines = (tmp_path / "live.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, start=1) if "HV02" in text)
    places = {
        (one["physicalLocation"]["artifactLocation"]["uri"], one["physicalLocation"]["region"]["startLine"])
        for result in found
        for one in result["locations"]
        if result["message"]["text"].startswith("HV02")
    }
    assert places == {("live.yaml", line)}


def test_it_is_a_baseline_for_the_next_run(tmp_path: Path, run_pytest: RunPytest) -> None:
    path = saved(tmp_path, VIOLATED)
    assert run_pytest(tmp_path, "--snapshot", path, "--hv-report-dir", "first").returncode == 1
    known = ("--snapshot", path, "--hv-baseline", "first/results.json")
    assert run_pytest(tmp_path, *known, "--hv-report-dir", "out").returncode == 0
    assert gate_of(tmp_path)["open"] is True
    gone = run_pytest(tmp_path, "--snapshot", saved(tmp_path, HEALTHY), *known[2:], "--hv-report-dir", "out")
    assert (gone.returncode, gate_of(tmp_path)["vanished"]) == (0, 1)
    over = run_pytest(tmp_path, *known, "--hv-report-dir", "first")
    assert over.returncode == 4
    assert "--hv-baseline first/results.json: --hv-report-dir would overwrite it" in over.stderr
    assert names(tmp_path / "first") == FILES


# --- however it ends --------------------------------------------------------------------------------------------------

LIMIT = 12_000
"""Bytes of a file, on the disk that is full."""
OWN = {
    "test_death.py": "import os\ndef test_death(): os._exit(9)\n",
    "test_warning.py": "import warnings\ndef test_warning(): warnings.warn('x')\n",
    "test_folder.py": "from pathlib import Path\ndef test_folder(): Path('out/results.csv/x').mkdir(parents=True)\n",
    "test_full.py": "import resource\n"
    f"def test_full(): resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, resource.RLIM_INFINITY))\n",
    "test_no_gate.py": "from pathlib import Path\n"
    "def test_no_gate():\n    Path('out/gate.json').unlink()\n    Path('out/gate.json/x').mkdir(parents=True)\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a healthy snapshot, users' tests, and what an earlier run left behind."""
    saved(tmp_path, HEALTHY)
    for name, text in OWN.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    for name in FILES:
        (tmp_path / "out" / name).write_text('{"open": true}')
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--inventory", "no.yaml"), "no.yaml: can't be read: No such file or directory"),
        (("--snapshot", "x.jsonl", "--hv-waivers", "no.yaml"), "no.yaml: can't be read: No such file or directory"),
        (("--snapshot", "x.jsonl", "--hv-save", "out"), "out: can't be written: Is a directory"),
        ((), "--hv-report-dir needs an estate: give --inventory or --snapshot"),
    ],
)
def test_a_mistake_leaves_no_old_answer_behind(
    arguments: tuple[str, ...], says: str, folder: Path, run_pytest: RunPytest
) -> None:
    run = run_pytest(folder, *arguments, "--hv-report-dir", "out")
    assert run.returncode == 4
    assert (gate_of(folder)["exit_code"], gate_of(folder)["open"], reasons(folder)) == (4, False, [says])
    assert names(folder / "out") == {"gate.json", "mine.txt"}


def test_a_run_that_is_killed_has_said_closed_from_its_start(folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", "test_death.py")
    assert run.returncode == 9
    assert (gate_of(folder)["exit_code"], reasons(folder)) == (3, ["the run has not ended"])
    assert names(folder / "out") == {"gate.json", "mine.txt"}


def test_a_report_that_cant_be_written_closes_the_gate(folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", "test_folder.py")
    told = f"{Path('out') / 'results.csv'} can't be written: Is a directory"
    assert (run.returncode, gate_of(folder)["exit_code"], reasons(folder)) == (3, 3, [told])
    assert f"  - {told}" in run.stdout
    assert not [path for path in (folder / "out").iterdir() if path.name.startswith(".")]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_disk_that_fills_up_leaves_no_half_of_a_report(folder: Path, run_pytest: RunPytest) -> None:
    machines = [Vm(name=f"vm{number}") for number in range(60)]
    found = saved(folder, snapshot(source(Host(name="HV01", vms=machines))), "many.jsonl")
    run_pytest(folder, "--snapshot", found, "--hv-report-dir", "whole")
    too_large = {name for name in WRITERS if (folder / "whole" / name).stat().st_size > LIMIT}
    run = run_pytest(folder, "--snapshot", found, "--hv-report-dir", "out", "test_full.py")
    assert run.returncode == 3
    assert {"results.csv", "report.html"} <= too_large < set(WRITERS)
    assert names(folder / "out") == FILES - too_large | {"mine.txt"}
    assert set(reasons(folder)) >= {f"{Path('out') / name} can't be written: File too large" for name in too_large}


def test_a_gate_that_cant_be_written_closes_itself(folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", "test_no_gate.py")
    assert run.returncode == 3
    assert "gate.json can't be written: Is a directory" in run.stdout


def test_what_pytest_counts_after_its_summary_is_told_too(folder: Path, run_pytest: RunPytest) -> None:
    """``--max-warnings`` came with pytest 9."""
    limit = ("--max-warnings", "0") if "--max-warnings" in run_pytest(folder, "--help").stdout else ("-W", "error")
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", "test_warning.py", *limit)
    assert (run.returncode, gate_of(folder)["exit_code"], len(reasons(folder))) == (1, 1, 1)


def test_a_writer_that_fails_loses_neither_the_others_nor_the_gates_words(tmp_path: Path) -> None:
    def broken(_: Table) -> Iterator[str]:
        yield "half of it"
        raise OverflowError("date value out of range: \ud800")

    reports = Reports(tmp_path, writers={"results.csv": broken, "summary.md": lambda _: "whole", PAGE: broken})
    table = every()
    after = reports.write(table)
    again = reports.write(after)
    assert after.gate == again.gate
    assert (after.gate.code, names(tmp_path)) == (Exit.INTERNAL, {"gate.json", "summary.md"})
    assert {reason.text for reason in after.gate.reasons} == {
        *(reason.text for reason in table.gate.reasons),
        *(f"{tmp_path / name} can't be written: an internal error: OverflowError" for name in ("results.csv", PAGE)),
    }
    told = gate_of(tmp_path, ".")
    assert (told["exit_code"], told["open"], len(told["reasons"])) == (3, False, len(after.gate.reasons))


@pytest.mark.parametrize("is_open", [True, False])
def test_while_reports_are_written_the_gate_never_says_open(is_open: bool, tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def look(_: Table) -> str:
        seen.append(gate_of(tmp_path, "."))
        return ""

    reports = Reports(tmp_path, writers={"results.csv": look})
    reports.begin()
    table = every()
    opened = replace(table, gate=replace(table.gate, code=Exit.OPEN, reasons=()))
    reports.write(opened if is_open else table)
    assert [(one["open"], one["exit_code"]) for one in seen] == [(False, 3 if is_open else int(table.gate.code))]
    assert gate_of(tmp_path, ".")["open"] is is_open


OTHERS_FAIL = {
    "at the end": "def pytest_sessionfinish(): raise UnicodeEncodeError('utf-8', 'x', 0, 1, 'no surrogates')\n",
    "in the summary": "def pytest_terminal_summary(): raise ValueError('x')\n",
    "around the summary": "import pytest\n@pytest.hookimpl(wrapper=True)\n"
    "def pytest_terminal_summary():\n    yield\n    raise ValueError('x')\n",
}


@pytest.mark.parametrize("way", OTHERS_FAIL)
def test_a_report_of_another_plugin_that_fails(way: str, folder: Path, run_pytest: RunPytest) -> None:
    saved(folder, VIOLATED)
    (folder / "conftest.py").write_text(OTHERS_FAIL[way])
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out")
    assert (run.returncode, gate_of(folder)["exit_code"]) == (3, 3), run.stdout + run.stderr
    assert any("1 finding" in reason for reason in reasons(folder))
    assert "The gate is closed" in run.stdout
    assert "The reports are in out." in run.stdout
    assert names(folder / "out") == {*FILES, "mine.txt"}


@POSIX
def test_only_files_are_replaced(folder: Path, run_pytest: RunPytest) -> None:
    (folder / "other.csv").write_text("other")
    place = folder / "out" / "results.csv"
    for make, says in (
        (lambda: place.symlink_to("../other.csv"), "is a link: name the file itself"),
        (place.mkdir, "Is a directory"),
    ):
        place.unlink()
        make()
        run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out")
        reason = f"out: reports can't be written there: results.csv: {says}"
        assert (run.returncode, gate_of(folder)["exit_code"], reasons(folder)) == (4, 4, [reason])
        assert reason in run.stderr
    assert (folder / "other.csv").read_text() == "other"


@POSIX
def test_a_folder_that_is_a_loop_of_links(folder: Path, run_pytest: RunPytest) -> None:
    (folder / "loop").symlink_to("loop")
    for arguments in (("--hv-report-dir", "loop"), ("--hv-report-dir", "loop/x"), ("--hv-save", "loop/x.jsonl")):
        run = run_pytest(folder, "--snapshot", "x.jsonl", *arguments)
        assert run.returncode == 4, run.stdout + run.stderr
        assert "Too many levels of symbolic links" in run.stderr


@POSIX
def test_what_is_saved_to_the_null_device_leaves_it_there(folder: Path, run_pytest: RunPytest) -> None:
    assert run_pytest(folder, "--snapshot", "x.jsonl", "--hv-save", os.devnull).returncode == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@pytest.mark.parametrize("way", ["--collect-only", "--help", "--fixtures"])
def test_a_run_that_judges_nothing_touches_nothing(way: str, folder: Path, run_pytest: RunPytest) -> None:
    assert run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", way).returncode == 0
    assert gate_of(folder) == {"open": True}
    assert names(folder / "out") == {*FILES, "mine.txt"}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x.jsonl", "x.jsonl: reports can't be written there: File exists"),
        ("x.jsonl/out", "x.jsonl/out: reports can't be written there: Not a directory"),
        ("", "--hv-report-dir names no folder: is a variable empty?"),
    ],
)
def test_a_folder_that_cant_be_written_is_refused_before_anything_is_asked(
    name: str, says: str, folder: Path, run_pytest: RunPytest
) -> None:
    run = run_pytest(folder, "--inventory", "no.yaml", f"--hv-report-dir={name}")
    assert (run.returncode, says in run.stderr) == (4, True), run.stderr


@pytest.mark.parametrize(
    ("option", "file"), [("--junitxml", "results.csv"), ("--html", "gate.json"), ("--hv-save", "results.json")]
)
def test_two_reports_in_one_file_are_refused(option: str, file: str, folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-report-dir", "out", option, f"out/{file}")
    assert run.returncode == 4
    assert f"out/{file}: --hv-report-dir would overwrite it" in run.stderr


def test_a_server_that_was_not_read_is_in_every_report(tmp_path: Path, run_pytest: RunPytest) -> None:
    path = saved(tmp_path, snapshot(*HEALTHY.servers, unread_source("hv03", "connection refused")))
    run = run_pytest(tmp_path, "--snapshot", path, "--hv-report-dir", "out")
    assert (run.returncode, gate_of(tmp_path)["exit_code"]) == (10, 10)
    assert gate_of(tmp_path)["unread_servers"] == ["hv03"]
    for name in FILES:
        assert "hv03" in (tmp_path / "out" / name).read_text("utf-8"), name


def test_a_worker_of_xdist_writes_nothing(folder: Path) -> None:
    option = SimpleNamespace(hv_report_dir=str(folder / "out"), collectonly=False, hv_grain=None)
    assert Reports.for_options(SimpleNamespace(option=option, workerinput={})) is None  # type: ignore[arg-type]
    assert gate_of(folder) == {"open": True}
    assert Reports.for_options(SimpleNamespace(option=option)) is not None  # type: ignore[arg-type]
    assert names(folder / "out") == {"gate.json", "mine.txt"}


# --- in a workflow of GitHub ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_in_a_workflow_of_github(more: tuple[str, ...], tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "step.md").write_text("before\n")
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "step.md"}
    path = saved(tmp_path, VIOLATED)
    run = run_pytest(tmp_path, "--snapshot", path, "--hv-report-dir", "out", *more, env=env)
    commands = [line for line in run.stdout.splitlines() if line.startswith("::")]
    assert commands[0].startswith(
        "::error file=x.jsonl,title=Hyper-V compliance of test::1 of 2 virtual machines would "
    )
    assert "The gate is closed (exit code 1)" in commands[0]
    assert len(commands) == 2
    assert (tmp_path / "step.md").read_text("utf-8") == "before\n" + (tmp_path / "out" / "summary.md").read_text(
        "utf-8"
    )
    elsewhere = run_pytest(tmp_path, "--snapshot", path, env={"GITHUB_STEP_SUMMARY": "step.md"})
    assert "::error" not in elsewhere.stdout


def test_a_steps_summary_is_never_grown_beyond_what_github_shows(tmp_path: Path) -> None:
    step = tmp_path / "step.md"
    step.write_text("x" * 997_000)
    list(tell_github(every(), {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(step)}))
    assert 997_000 < step.stat().st_size <= 1_000_000
    assert "left out here for want of room" in step.read_text("utf-8")


def test_a_steps_summary_that_cant_be_written_is_told(tmp_path: Path) -> None:
    told = list(tell_github(every(), {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path)}))
    assert told[-1].removeprefix("The step's summary can't be written: ") in ("Is a directory", "Permission denied")


# --- JUnit ------------------------------------------------------------------------------------------------------------


def test_a_junit_file_that_gitlab_would_not_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text("x" * 2_000_001)
    assert list(junit_warning(str(path), 2_000_000)) == [f"{path} has 2 MB: GitLab reads 2 MB of one file."]
    assert list(junit_warning(str(path))) == list(junit_warning(None)) == list(junit_warning("nowhere.xml")) == []


def test_every_names_case_is_one_of_its_own_in_junit(tmp_path: Path, run_pytest: RunPytest) -> None:
    """GitLab drops all but the first of one name."""
    from junitparser import JUnitXml

    names = ("a", "A", "a\n", "a\\u000a", "a~00000000", "<&>]]>", "a", "::", "é", "e\u0301")
    machines = [Vm(name=name, guid=f"{number:08X}-0000-0000-0000-000000000000") for number, name in enumerate(names)]
    path = saved(tmp_path, replace(HEALTHY, servers=(source(Host(name="HV01", vms=machines)),)))
    run = run_pytest(tmp_path, "--snapshot", path, "--junitxml", "x.xml")
    cases = [(case.classname, case.name) for suite in JUnitXml.fromfile(str(tmp_path / "x.xml")) for case in suite]
    assert len(set(cases)) == len(cases) == sum(counts(run.stdout).values()) >= len(names)
