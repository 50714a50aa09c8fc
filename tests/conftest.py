"""What holds for every test of ours: warnings are errors, and no server is asked for anything but to be read."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
READING = {
    "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd/Identify",
    f"{ENUMERATION}/Enumerate",
    f"{ENUMERATION}/Pull",
    f"{ENUMERATION}/Release",
    "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Only here: as a setting of the project it would reach the main job too."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error"))


def actions() -> Counter[str]:
    """What all simulators of this process were asked for; a run without any doesn't load them."""
    server = sys.modules.get("tests.simulator.server")
    return server.ACTIONS if server else Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # a worker of xdist, which tells the one who started it
        session.config.workeroutput["actions"] = dict(actions())
    if session.exitstatus == pytest.ExitCode.OK and not READING.issuperset(actions()):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    import tests.simulator.server

    tests.simulator.server.ACTIONS.update(getattr(node, "workeroutput", {}).get("actions", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = actions()
    if found:
        told = ", ".join(f"{count} {uri.rpartition('/')[2]}" for uri, count in found.most_common())
        terminalreporter.write_line(f"servers were asked for: {told}")
    for uri in sorted(found.keys() - READING):
        terminalreporter.write_line(f"ERROR a server was asked for what is not reading: {uri or 'no action'}", red=True)
