"""The examples of docs: inventories load, checks of one's own run, tables name every key and every file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from compliance.gate.exits import Exit
from compliance.gate.policy import PolicyBlock
from compliance.plugin.options import OPTIONS
from compliance.plugin.report_folder import GATE, WRITERS
from tests.docs.every import DOCS
from tests.running import DEMO, RunPytest, counts


def text_of(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text_of(name), re.DOTALL)


def test_the_first_inventory_loads(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "site.yaml").write_text(blocks("start.md", "yaml")[0])
    run = run_pytest(tmp_path, "--inventory", "site.yaml")
    assert run.returncode == 4
    assert "COMPLIANCE_AUDIT_USERNAME and COMPLIANCE_AUDIT_PASSWORD are missing" in run.stderr


def test_the_waiver_is_one(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "waivers.yaml").write_text(blocks("waivers.md", "yaml")[0])
    run = run_pytest(tmp_path, "--inventory", DEMO, "--hv-waivers", "waivers.yaml")
    assert run.returncode in (Exit.VIOLATED, Exit.WAIVER_ENDED)


def test_the_examples_of_own_checks_run(tmp_path: Path, run_pytest: RunPytest) -> None:
    (example,) = (block for block in blocks("rules-of-your-own.md", "python") if "replicated_vm" in block)
    (tmp_path / "test_example.py").write_text(example)
    run = run_pytest(tmp_path, "--inventory", DEMO, "test_example.py", "--hv-rule", "failover-*")
    assert counts(run.stdout)["passed"] > 20
    assert "fixture" not in run.stderr


def test_the_start_writes_what_it_says(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", DEMO, "--hv-report-dir", "reports")
    assert run.returncode == 1
    assert (tmp_path / "reports" / "report.html").is_file()


def test_the_exit_codes_are_all_there() -> None:
    table = text_of("gate.md").partition("| exit code |")[2].partition("\n\n")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == {*map(int, Exit)}


def test_the_policys_keys_are_all_there() -> None:
    table = text_of("gate.md").partition("| key | option |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [*PolicyBlock.model_fields]


def test_the_files_are_all_there() -> None:
    assert set(re.findall(r"^\| `([\w.]+)` \|", text_of("files.md"), re.MULTILINE)) == {GATE, *WRITERS}


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_listed(name: str) -> None:
    assert f"`{name}`" in text_of("options.md")
