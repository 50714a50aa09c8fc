"""What holds for every test of ours: warnings are errors, no server and no guest is asked for anything but to be read,
and no password is in any file that a run wrote.
"""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Generator, Mapping
from functools import cache, partial
from pathlib import Path

import pytest

from tests import canary, running
from tests.running import RunCommand, RunPytest, TitleIn

ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
READING = {
    "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd/Identify",
    f"{ENUMERATION}/Enumerate",
    f"{ENUMERATION}/Pull",
    f"{ENUMERATION}/Release",
    "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/StdRegProv/GetStringValue",  # of guests alone
}
FOLDER = pytest.StashKey[Path]()
LEAKS: list[str] = []
"""Files of this process's tests, and of its workers', that a password is in."""


PROCESSES = {"run_pytest", "command", "title_in", "browser", "with_ansible"}
"""Fixtures that start a process, most of which take a second or more."""
SLOW_FILES = {
    "commands/test_diff.py",
    "commands/test_inventory.py",
    "gather/test_gather_many.py",
    "guests/test_connection.py",
    "guests/test_gathering.py",
    "guests/test_trees.py",
    "inventory/ansible/test_broken.py",
    "inventory/ansible/test_folder.py",
    "inventory/ansible/test_ini.py",
    "inventory/ansible/test_ways.py",
    "kerberos/test_keytabs.py",
    "kerberos/test_logins.py",
    "plugin/test_ask.py",
    "test_documented_places.py",
    "test_fire.py",
    "test_recipe_sites.py",
    "test_recipes.py",
    "test_silence.py",
    "test_wheel.py",
}
"""Files whose tests start other programs, wait for deadlines, or go through thousands of estates."""

WARNINGS_ARE_ERRORS = pytest.mark.filterwarnings("error")

LONGEST = ("test_fuzz.py", "test_hostile.py")
"""The files that take a worker longest begin first: begun last, one would hold up the others, who are done."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: starts processes, or takes seconds; `-m 'not slow'` is a quick look")
    if hasattr(config.option, "loadscopereorder"):  # xdist's own order puts a file of one test last
        config.option.loadscopereorder = False
    if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):  # some hundred Pythons start: each would compile all of it anew
        bytecode = tempfile.mkdtemp(prefix="bytecode-")
        os.environ["PYTHONPYCACHEPREFIX"] = bytecode
        config.add_cleanup(partial(shutil.rmtree, bytecode, ignore_errors=True))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without a hunt for garbage, and leave what was collected out of later ones: it lives to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Make warnings errors, only here: as a setting of the project it would reach the main job too."""
    names = {path: _name_of(path) for path in {item.path for item in items}}
    for item in items:
        name = names[item.path]
        if name is not None:
            item.add_marker(WARNINGS_ARE_ERRORS)
        if name in SLOW_FILES or PROCESSES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.name not in LONGEST)


def _name_of(path: Path) -> str | None:
    """Return the name of a file of these tests as SLOW_FILES has it; None of a file elsewhere."""
    here = Path(__file__).parent
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else None


@cache
def _load_profile() -> None:
    from tests import profiles  # the main job loads this file too, where hypothesis need not be installed

    profiles.load_profile()


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule() -> None:
    """Choose how many examples hypothesis tries, before the first module of tests is imported."""
    _load_profile()


@pytest.fixture(scope="session")
def run_pytest() -> RunPytest:
    """Run pytest as a user does, in a process of its own."""
    return running.run_pytest


@pytest.fixture(scope="session")
def command() -> RunCommand:
    """Run `python -m compliance` as a user does."""
    return running.command


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the path of Chromium."""
    path = shutil.which("chromium")
    if not path:
        pytest.skip("needs chromium (Debian: chromium)")
    return path


@pytest.fixture(scope="session")
def title_in() -> TitleIn:
    """Load a page in Chromium and return its title."""
    return running.title_in


@pytest.fixture(scope="session", autouse=True)
def _written_here(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> None:
    pytestconfig.stash[FOLDER] = tmp_path_factory.getbasetemp()


def actions() -> Counter[str]:
    """What all simulators of this process were asked for; a run without any doesn't load them."""
    server = sys.modules.get("tests.simulator.server")
    return server.ACTIONS if server else Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if FOLDER in session.config.stash:
        LEAKS.extend(canary.search(session.config.stash[FOLDER]))
    if hasattr(session.config, "workeroutput"):  # a worker of xdist, which tells the one who started it
        counts = {"actions": dict(actions()), "searched": dict(canary.SEARCHED), "leaks": LEAKS}
        session.config.workeroutput.update(counts)
    if session.exitstatus == pytest.ExitCode.OK and (LEAKS or not READING.issuperset(actions())):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    import tests.simulator.server

    counts: Mapping[str, Mapping[str, int]] = getattr(node, "workeroutput", {})  # none of a worker that crashed
    tests.simulator.server.ACTIONS.update(counts.get("actions", {}))
    canary.SEARCHED.update(counts.get("searched", {}))
    LEAKS.extend(counts.get("leaks", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    asked_for = actions()
    if asked_for:
        counts = ", ".join(f"{count} {uri.rpartition('/')[2]}" for uri, count in asked_for.most_common())
        terminalreporter.write_line(f"servers were asked for: {counts}")
    for uri in sorted(asked_for.keys() - READING):
        terminalreporter.write_line(f"ERROR a server was asked for what is not reading: {uri or 'no action'}", red=True)
    searched = canary.SEARCHED
    if searched:
        ours = f"{searched['left out']} files of the tests' own left out"
        places = f"{searched['files']} files and {searched['outputs']} outputs of programs, {ours}"
        terminalreporter.write_line(f"passwords were searched for in {places}")
    for path in sorted(LEAKS):
        terminalreporter.write_line(f"ERROR a password is in {path}", red=True)
