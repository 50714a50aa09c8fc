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


AT_EXIT = """
import atexit, gc
from pathlib import Path

atexit.register(lambda: Path("kept").write_text(str(gc.get_freeze_count() > 0)))  # the first is called last
"""
LISTENER = """
class Listener:
    def __init__(self):
        self.file = open("results", "w")  # and never closed

    def pytest_runtest_logreport(self, report):
        self.file.write(f"{report.when}\\n")

def pytest_configure(config):
    config.pluginmanager.register(Listener())
"""


@pytest.mark.parametrize("others", ["none", "conftest.py", "listener.py", "test_own.py"])
def test_what_is_kept_goes_with_the_process_where_nobody_else_took_part(
    run_pytest: RunPytest, tmp_path: Path, others: str
) -> None:
    """Else what others left open is closed as Python closes it."""
    write_snapshot(snapshot(source(Host(name="HV01", vms=[Vm(name="sql01")]))), tmp_path / "estate.jsonl")
    (tmp_path / "sitecustomize.py").write_text(AT_EXIT)
    arguments = {"listener.py": ("-p", "listener"), "test_own.py": ("test_own.py",)}.get(others, ())
    if others != "none":
        own = "def test_own(): pass\n" if others == "test_own.py" else LISTENER
        (tmp_path / others).write_text(own)
    environ = {"PYTHONPATH": str(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugin = ("-p", "compliance.plugin.hooks")
    run_pytest(tmp_path, *plugin, "--snapshot", "estate.jsonl", *arguments, env=environ)
    assert (tmp_path / "kept").read_text() == str(others == "none")
    if others in ("conftest.py", "listener.py"):
        assert (tmp_path / "results").read_text().endswith("call\nteardown\n")
