"""Python's collector of cycles is off while our own cases run, and on for all other tests, however a run ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import Host, Vm
from tests.running import RunPytest

CONFTEST = """
import gc
from pathlib import Path

import pytest

def pytest_runtest_logreport(report):
    with Path("states").open("a") as file:
        file.write(f"{'theirs' if '.py' in report.nodeid else 'ours'} {gc.isenabled()}\\n")

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish():
    Path("end").write_text(str(gc.isenabled()))
"""
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)


@pytest.mark.parametrize("arguments", [(), ("-x",)], ids=["to the end", "to the first failure"])
def test_it_is_off_for_our_own_cases_alone(run_pytest: RunPytest, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    write_snapshot(snapshot(source(Host(name="HV01", vms=[Vm(name="sql01"), MUTE]))), tmp_path / "estate.jsonl")
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_own.py").write_text("def test_own(): pass\n")
    run_pytest(tmp_path, "--snapshot", "estate.jsonl", "test_own.py", *arguments)
    states = set((tmp_path / "states").read_text().splitlines())
    assert states == {"ours False"} | ({"theirs True"} if not arguments else set())
    assert (tmp_path / "end").read_text() == "True"


@pytest.mark.parametrize("theirs_first", [True, False])
def test_it_stays_off_where_a_test_of_theirs_switched_it_off(
    run_pytest: RunPytest, tmp_path: Path, theirs_first: bool
) -> None:
    """As for a benchmark of their own, between two of their tests."""
    write_snapshot(snapshot(source(Host(name="HV01", vms=[Vm(name="sql01")]))), tmp_path / "estate.jsonl")
    hook = "def pytest_collection_modifyitems(items): items.sort(key=lambda item: '.py' in item.nodeid"
    (tmp_path / "conftest.py").write_text(f"{CONFTEST}\n\n{hook}, reverse={theirs_first})\n")
    (tmp_path / "test_own.py").write_text("import gc\ndef test_a(): gc.disable()\ndef test_b(): pass\n")
    run_pytest(tmp_path, "--snapshot", "estate.jsonl", "test_own.py")
    lines = (tmp_path / "states").read_text().splitlines()
    theirs = [line for line in lines if line.startswith("theirs")]
    assert lines.index("ours False") == (6 if theirs_first else 0)
    assert theirs == ["theirs True"] + 5 * ["theirs False"]  # the first is its setup
    assert (tmp_path / "end").read_text() == "False"
