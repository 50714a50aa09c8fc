"""What the README and CONTRIBUTING say is what works."""

from __future__ import annotations

import re
from pathlib import Path

from compliance.audit import judged
from compliance.judge.scope import Scope
from compliance.snapshot.read import read_snapshot
from tests.demo import SNAPSHOT
from tests.running import DEMO, ROOT, RunPytest, counts

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_continuous_integration_runs_the_readmes_two_lines() -> None:
    ours = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    main, tests = blocks("sh")[:2]
    assert main.strip() in ours
    assert tests.strip() in ours


def test_the_sentence_is_the_demos() -> None:
    quoted = " ".join(line.removeprefix("> ") for line in README.splitlines() if line.startswith("> "))
    assert quoted == f"{judged(read_snapshot(SNAPSHOT), Scope()).headline}."


def test_every_option_is_documented_and_exists(tmp_path: Path, run_pytest: RunPytest) -> None:
    text = run_pytest(tmp_path, "--help").stdout
    ours = set(re.findall(r"--(?:hv-[a-z-]+|inventory|snapshot)(?=[ ,=])", text))
    assert ours
    for option in ours - {"--hv-snapshot"}:
        assert f"`{option}" in README, option
    for option in set(re.findall(r"--hv-[a-z]+(?:-[a-z]+)*", README)):
        assert option in text


def test_the_least_inventory_loads(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "site.yaml").write_text(blocks("yaml")[0])
    run = run_pytest(tmp_path, "--inventory", "site.yaml")
    assert run.returncode == 4
    assert "COMPLIANCE_AUDIT_USERNAME and COMPLIANCE_AUDIT_PASSWORD are missing" in run.stderr


def test_the_examples_of_own_checks_run(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_example.py").write_text(blocks("python")[0])
    run = run_pytest(tmp_path, "--inventory", DEMO, "test_example.py", "--hv-rule", "failover-*")
    assert counts(run.stdout)["passed"] > 20
    assert "fixture" not in run.stderr


def test_each_room_has_its_row_and_there_are_few() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| room |") : text.index("Imports go down")]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    rooms = {room for row in rows for room in re.findall(r"`([a-z_]+(?:\.py|/))`", row)}
    there = {path.name if path.is_file() else f"{path.name}/" for path in (ROOT / "compliance").iterdir()}
    assert rooms == there - {"__init__.py", "__main__.py", "__pycache__/"}
    assert len(rows) <= 16
