"""Our own net under all tests: a run fails that asked a server for anything but to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import counts, run_pytest

ASKING = """
from tests.simulator import Simulator
from tests.simulator.test_simulator import V2, Client, envelope, vms

def test_it():
    with Simulator(vms(1)) as simulator, Client(simulator) as client:
        client.enumerate("Msvm_ComputerSystem")
        client.send(envelope("{action}", f"{{V2}}/Msvm_ComputerSystem", ""))
"""
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"


@pytest.mark.parametrize(
    ("action", "more"),
    [(GET, ()), (GET.replace("Get", "Delete"), ()), ("", ()), (GET.replace("Get", "Delete"), ("-n", "2"))],
)
def test_who_asks_for_more_than_to_read_fails_the_run(action: str, more: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ASKING.format(action=action))
    run = run_pytest(tmp_path, "-p", "tests.conftest", *more)
    assert counts(run.stdout) == {"passed": 1}, run.stdout + run.stderr
    assert run.returncode == (action != GET)
    assert "servers were asked for: " in run.stdout
    assert (f"not reading: {action or 'no action'}\n" in run.stdout) == (action != GET)
