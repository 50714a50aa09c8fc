"""Who is a terminal: not a pipe, not nothing, and not Windows' NUL, which says that it is one."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from compliance.credentials.terminal import is_terminal
from tests.canary import CANARY
from tests.running import ROOT


class Device(io.BytesIO):
    """A character device, as NUL is one; ``Console`` is what Python reads a console by."""

    def isatty(self) -> bool:
        super().isatty()  # ValueError where it is closed
        return True


class Console(Device):
    pass


def stream(raw: Device) -> IO[str]:
    return io.TextIOWrapper(io.BufferedReader(raw))  # type: ignore[arg-type]  # it reads like a raw one


@pytest.mark.parametrize(
    ("raw", "windows", "expected"),
    [(Device(), False, True), (Device(), True, False), (Console(), True, True)],
)
def test_a_device_is_a_terminal_but_on_windows(raw: Device, windows: bool, expected: bool) -> None:
    assert is_terminal(stream(raw), windows=windows, console=Console) is expected


def test_nobody_is_there() -> None:
    closed = stream(Console())
    closed.close()
    with Path(os.devnull).open(encoding="ascii") as nothing:
        for one in (None, nothing, io.StringIO(), closed):
            assert not is_terminal(one)
    assert not is_terminal(stream(Device()), windows=True, console=None)


INVENTORY = """
servers: [{name: hv01, address: 127.0.0.1, port: 1, scheme: http, transport: ntlm, credential: audit}]
credentials: {audit: {username: audit, prompt: true}}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [("pytest", "--inventory", "lab.yaml"), ("compliance", "doctor", "--inventory", "lab.yaml")]
)
@pytest.mark.parametrize("closed", [False, True])
def test_a_job_is_told_at_once(arguments: tuple[str, ...], closed: bool, tmp_path: Path) -> None:
    """Its input is the null device, whatever that says of itself on this system, or nothing at all."""
    (tmp_path / "lab.yaml").write_text(INVENTORY)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COMPLIANCE_"))}
    before = "import os; os.close(0); " if closed else ""
    code = f"{before}import sys, subprocess; sys.exit(subprocess.call([sys.executable, '-m', *sys.argv[1:]]))"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env={**inherited, "PYTHONPATH": str(ROOT), "COMPLIANCE_OTHER_PASSWORD": CANARY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 4, ended.stdout + ended.stderr
    assert "credential `audit`: prompt: there is no terminal to ask on" in ended.stdout + ended.stderr
