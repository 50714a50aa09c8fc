"""Our own net under all tests: a run fails that asked a server for anything but to be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.running import RunPytest, counts

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
def test_who_asks_for_more_than_to_read_fails_the_run(
    action: str, more: tuple[str, ...], tmp_path: Path, run_pytest: RunPytest
) -> None:
    (tmp_path / "test_it.py").write_text(ASKING.format(action=action))
    run = run_pytest(tmp_path, "-p", "tests.conftest", *more)
    assert counts(run.stdout) == {"passed": 1}, run.stdout + run.stderr
    assert run.returncode == (action != GET)
    assert "servers were asked for: " in run.stdout
    assert (f"not reading: {action or 'no action'}\n" in run.stdout) == (action != GET)


INVOKING = """
from tests.simulator import Simulator
from tests.simulator.played import Played
from tests.simulator.test_simulator import Client, envelope

METHOD, URI = "{method}", "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/StdRegProv"
GIVEN = "<r:hDefKey>2147483650</r:hDefKey><r:sSubKeyName>SOFTWARE</r:sSubKeyName><r:sValueName>x</r:sValueName>"
ASKED = '<r:' + METHOD + '_INPUT xmlns:r="' + URI + '">' + GIVEN + '</r:' + METHOD + '_INPUT>'

def test_it():
    with Simulator(Played(rows={{}}, registry={registry})) as simulator, Client(simulator) as client:
        client.send(envelope(URI + "/" + METHOD, URI, ASKED))
"""


@pytest.mark.parametrize(
    ("registry", "method", "code"),
    [({}, "GetStringValue", 0), (None, "GetStringValue", 1), ({}, "SetStringValue", 1), ({}, "EnumValues", 1)],
)
def test_a_guest_may_be_asked_for_a_text_of_its_registry_and_a_server_for_none(
    registry: dict[str, str] | None, method: str, code: int, tmp_path: Path, run_pytest: RunPytest
) -> None:
    (tmp_path / "test_it.py").write_text(INVOKING.format(registry=registry, method=method))
    run = run_pytest(tmp_path, "-p", "tests.conftest")
    assert counts(run.stdout) == {"passed": 1}, run.stdout + run.stderr
    assert run.returncode == code, run.stdout
    assert ("not reading: " in run.stdout) is bool(code)


# --- no password in any file ------------------------------------------------------------------------------------------

WRITING = """
import base64, gzip, pathlib, pytest
from tests.canary import CANARY

HOW = {{
    "plain": f"x{{CANARY}}y".encode(),
    "utf-16": CANARY.encode("utf-16"),
    "hexadecimal": CANARY.encode().hex().encode(),
    "base64": base64.b64encode(f"audit:{{CANARY}} of".encode()),
    "base64 of utf-16": base64.b64encode(f"a{{CANARY}}".encode("utf-16-le")),
    "gzip": gzip.compress(f"{{CANARY}}".encode()),
    "ours": CANARY[1:].encode(),
    "a log of it.secret": CANARY.encode(),
}}

@pytest.mark.parametrize("name", {names!r})
def test_it(name, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / name).write_bytes(HOW[name])

def test_that_fails():
    assert not {fails}
"""
LEAKING = ["plain", "utf-16", "hexadecimal", "base64", "base64 of utf-16", "gzip"]


@pytest.mark.parametrize(
    ("names", "fails", "more", "code"),
    [
        (LEAKING, False, (), 1),
        (LEAKING, False, ("-n2",), 1),
        (LEAKING, True, ("-x", "-n2"), 2),
        (["ours", "a log of it.secret"], False, (), 0),
        (["ours", "a log of it.secret"], False, ("-n2",), 0),
    ],
)
def test_a_password_in_a_file_fails_the_run(
    names: list[str], fails: bool, more: tuple[str, ...], code: int, tmp_path: Path, run_pytest: RunPytest
) -> None:
    (tmp_path / "test_it.py").write_text(WRITING.format(names=names, fails=fails))
    run = run_pytest(tmp_path, "-p", "tests.conftest", "--basetemp=base.secret", *more)
    assert run.returncode == code, run.stdout + run.stderr
    told = [line for line in run.stdout.splitlines() if line.startswith("ERROR a password is in ")]
    if fails:
        return
    assert sorted(line.rpartition("/")[2] for line in told) == (sorted(LEAKING) if code else [])
    assert "passwords were searched for in " in run.stdout
    files = len(LEAKING) if code else 1
    assert f" in {files} files and 0 outputs of programs, {len(names) - files} files of the tests' own" in run.stdout
