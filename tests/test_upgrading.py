"""docs/upgrading.md: it names every rule that is new, and its three lines do what they say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

from compliance.judge.judge import all_rules
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import Host, Vm, replica_of
from tests.running import ROOT, RunPytest

PAGE = (ROOT / "docs" / "upgrading.md").read_text(encoding="utf-8")
KEYS_OF_0_1 = {
    rule["key"]
    for path in (ROOT / "tests" / "version_0_1").glob("*-results.json")
    for rule in json.loads(path.read_text("utf-8"))["rules"]
} | {"cluster-was-read"}


def test_each_new_rule_is_named() -> None:
    for rule in all_rules():
        assert rule.key in KEYS_OF_0_1 or f"`{rule.key}`" in PAGE, rule.key


def test_the_three_lines_take_todays_findings_as_a_baseline(tmp_path: Path, run_pytest: RunPytest) -> None:
    mute = Vm(name="mute01", kvp=12, heartbeat=12)
    hosts = Host(name="HV01", vms=[mute]), Host(name="HV02", vms=[replica_of(mute)])
    write_snapshot(snapshot(*map(source, hosts)), tmp_path / "today.jsonl.gz")
    block = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    assert block
    first, copy, again = (shlex.split(line) for line in block[1].splitlines())
    assert run_pytest(tmp_path, *first[1:]).returncode == 1
    assert copy[0] == "cp"
    shutil.copy(tmp_path / copy[1], tmp_path / copy[2])
    run = run_pytest(tmp_path, *again[1:])
    assert run.returncode == 0, run.stdout
    assert "known in the baseline" in run.stdout
