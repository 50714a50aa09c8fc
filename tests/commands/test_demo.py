"""`demo` in an empty folder: reports, the exit code of a pipeline, and what to look at next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.running import RunCommand


@pytest.mark.parametrize(("more", "estate"), [((), "demo"), (("--guests",), "demo-guests")])
def test_it_judges_the_demo_and_says_what_is_next(
    more: tuple[str, ...], estate: str, command: RunCommand, tmp_path: Path
) -> None:
    done = command("demo", *more, folder=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    assert json.loads((tmp_path / "reports" / "results.json").read_bytes())["estate"] == estate
    *_, last = lines = done.stdout.splitlines()
    assert f"open {Path('reports', 'report.html')}" in done.stdout
    assert "hyperv-compliance init" in last
    steps = lines[lines.index("The demo estate has findings, so the exit code is 1, as in a pipeline.") :]
    assert [line for line in steps if len(line) > 80] == []


def test_each_machine_is_listed_where_that_is_asked(command: RunCommand, tmp_path: Path) -> None:
    done = command("demo", "-v", folder=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Connect-VMNetworkAdapter" in done.stdout


def test_a_folder_that_can_not_be_written_promises_no_report(command: RunCommand, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file")
    done = command("demo", folder=tmp_path)
    assert done.returncode == 4
    assert "report.html" not in done.stdout


def test_another_plugin_has_a_say_only_where_it_is_asked_for(command: RunCommand, tmp_path: Path) -> None:
    results = tmp_path / "reports" / "results.json"
    alone = command("demo", folder=tmp_path)
    judged = results.read_bytes()
    asked = command("demo", folder=tmp_path, env={"PYTEST_ADDOPTS": "--html=page.html"})
    assert asked.returncode == 1, asked.stdout + asked.stderr
    assert (tmp_path / "page.html").is_file()
    (tmp_path / "conftest.py").write_text("def pytest_html_report_title(report):\n    assert report\n")
    configured = command("demo", folder=tmp_path)
    assert configured.returncode == 1, configured.stdout + configured.stderr
    assert [" html-" in run.stdout for run in (alone, asked, configured)] == [False, True, True]
    assert results.read_bytes() == judged
