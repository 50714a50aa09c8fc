"""Workers of pytest-xdist are handed the plan and the snapshot: they read none of the files that the user named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from compliance.plan import read_plan
from compliance.plugin.handover import KEY, Handover, delete_handover, read_handover, write_handover
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import NOW, Host, Vm, replica_of
from tests.running import RunPytest, counts

RULE = "failover-ip-needs-integration-services"
SQL = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
OTHER = Vm(name="other01", kvp=12, heartbeat=12)
ESTATE = snapshot(source(Host(name="HV01", vms=[SQL, MUTE, OTHER])), source(Host(name="HV02", vms=[replica_of(SQL)])))
DELETES = """
import pathlib
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        for name in ("lab.yaml", "x.jsonl", "waivers.yaml", "policy.yaml"):
            pathlib.Path(name).unlink()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_snapshot(ESTATE, tmp_path / "x.jsonl")
    (tmp_path / "lab.yaml").write_text("snapshot: x.jsonl\npolicy: {partial_clusters: tell}\n")
    (tmp_path / "policy.yaml").write_text("fail_at: error\n")
    ends = f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}"
    entry = f"- {{rule: {RULE}, machine: mute01, reason: known, owner: anna, expires: {ends}}}"
    (tmp_path / "waivers.yaml").write_text(f"waivers:\n{entry}\n")
    (tmp_path / "test_own.py").write_text("def test_own(replicated_vm): pass\n")
    return tmp_path


def test_workers_read_nothing_that_the_user_named(folder: Path, run_pytest: RunPytest) -> None:
    options = ("--inventory", "lab.yaml", "--hv-waivers", "waivers.yaml", "--hv-policy", "policy.yaml", "test_own.py")
    alone = run_pytest(folder, *options)
    (folder / "conftest.py").write_text(DELETES)
    env = {"TMPDIR": str(folder)}
    shared = run_pytest(folder, *options, "-n", "2", env=env)
    assert not (folder / "lab.yaml").exists()
    assert (shared.returncode, counts(shared.stdout)) == (alone.returncode, counts(alone.stdout)), shared.stdout
    assert alone.returncode == 1
    assert counts(alone.stdout)["skipped"] >= 1
    assert list(folder.glob("hyperv-compliance-*")) == []


def test_what_is_handed_over_is_what_comes(tmp_path: Path) -> None:
    write_snapshot(ESTATE, tmp_path / "x.jsonl")
    handover = Handover(plan=read_plan(None, [str(tmp_path / "x.jsonl")]), snapshot=ESTATE, now=NOW)
    path = write_handover(handover, tmp_path)
    config = SimpleNamespace(workerinput={KEY: str(path)})
    assert read_handover(config) == handover  # type: ignore[arg-type]
    assert read_handover(SimpleNamespace()) is None  # type: ignore[arg-type]
    delete_handover(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.jsonl"]
