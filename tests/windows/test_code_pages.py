"""Runs whose output goes to a console or a pipe of an old code page: nothing breaks, and no file knows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import LAB, RunCommand, RunPytest

PAGES = ("cp437", "cp850", "cp1252", "utf-8")


def environ(page: str) -> dict[str, str]:
    """Python in a console of this code page, as far as a pipe can play one."""
    return {"PYTHONIOENCODING": page, "PYTHONUTF8": "1" if page == "utf-8" else "0"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> dict[str, dict[str, bytes]]:
    """What a run on the estate with hard names writes, by code page."""
    folder = tmp_path_factory.mktemp("pages")
    for page in PAGES:
        run = run_pytest(folder, "--inventory", LAB, "--hv-report-dir", page, "-v", env=environ(page))
        assert run.returncode == 1, run.stdout + run.stderr
        assert "INTERNALERROR" not in run.stdout
        assert "UnicodeEncodeError" not in run.stdout + run.stderr
    names = ("results.json", "results.csv", "results.sarif", "summary.md")
    return {page: {name: (folder / page / name).read_bytes() for name in names} for page in PAGES}


@pytest.mark.parametrize("page", PAGES)
def test_no_report_depends_on_the_code_page(page: str, reports: dict[str, dict[str, bytes]]) -> None:
    assert reports[page] == reports["utf-8"]


@pytest.mark.parametrize("page", PAGES)
def test_a_command_prints_and_writes_the_same(page: str, tmp_path: Path, command: RunCommand) -> None:
    (tmp_path / "hosts.ini").write_text(
        "[dr]\nZürich-hv01 ansible_connection=winrm ansible_user=audit\n東京-hv02 ansible_connection=winrm\n",
        encoding="utf-8",
    )
    convert = ("inventory", "convert", "hosts.ini")
    run = command(*convert, "--out", "site.yaml", folder=tmp_path, env=environ(page))
    assert (run.returncode, run.stderr) == (0, "")
    text = (tmp_path / "site.yaml").read_text(encoding="utf-8")
    assert "Zürich-hv01" in text
    assert "東京-hv02" in text
    assert command("inventory", "show", "site.yaml", folder=tmp_path, env=environ(page)).returncode == 0


def test_utf_16_of_powershell_is_named(tmp_path: Path, command: RunCommand) -> None:
    (tmp_path / "site.yaml").write_bytes("servers: [{name: hv01}]\r\n".encode("utf-16"))
    run = command("inventory", "show", "site.yaml", folder=tmp_path)
    assert (run.returncode, run.stdout) == (4, "")
    assert "site.yaml:1: is UTF-16, as PowerShell's `>` writes: save it as UTF-8" in run.stderr
