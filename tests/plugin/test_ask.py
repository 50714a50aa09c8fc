"""A person at a terminal: a real one, on which pytest runs as somebody started it."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.canary import silent
from tests.inventory.test_logins import kept, tried
from tests.plugin.test_plugin import PASSWORD, sealed_servers
from tests.running import APART, ROOT

pty = pytest.importorskip("pty", reason="Windows has no pseudo-terminals")

# As a shell starts a job: the terminal is the process's own, so that Ctrl-C reaches it.
AS_A_PERSON = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
ASKED = re.compile(rb"Password of audit: ")


def at_a_terminal(folder: Path, *arguments: str, answer: bytes) -> tuple[int, str]:
    """What the program ends with, and what stood on the terminal; ``answer`` is typed when the program asks."""
    ours, its = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COMPLIANCE_"))}
    process = subprocess.Popen(
        [sys.executable, "-c", AS_A_PERSON, "-m", *arguments],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown, answered, until = b"", False, time.monotonic() + 60
    try:
        while time.monotonic() < until and (part := _next(ours)):
            shown += part
            if not answered and ASKED.search(shown):
                os.write(ours, answer)
                answered = True
        return process.wait(60), silent(shown.decode(errors="replace"))
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def _next(terminal: int) -> bytes:
    """Empty at the end: Linux tells it by an error."""
    try:
        ready, _, _ = select.select([terminal], [], [], 60)
        return os.read(terminal, 65536) if ready else b""
    except OSError:
        return b""


PYTEST = ("pytest", "--inventory=live.yaml", *APART)


@pytest.mark.parametrize("more", [(), ("-s",), ("-n2",)], ids=" ".join)
def test_a_person_is_asked_once_and_before_any_server(more: tuple[str, ...], tmp_path: Path) -> None:
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, "prompt: true")
        code, shown = at_a_terminal(tmp_path, *PYTEST, *more, answer=PASSWORD.encode() + b"\n")
        assert (code, tried(servers)) == (0, [1, 1]), shown
    assert len(ASKED.findall(shown.encode())) == 1


LOOKING = """
import sys, pytest

def pytest_collection():
    pytest.exit(f"a terminal: {sys.stdin.isatty()}", returncode=7)
"""


def test_the_input_is_kept_from_others_afterwards(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(LOOKING)
    with sealed_servers(tmp_path):
        kept(tmp_path, "prompt: true")
        _, shown = at_a_terminal(tmp_path, *PYTEST, answer=PASSWORD.encode() + b"\n")
    assert "a terminal: False" in shown


def test_ctrl_c_is_exit_code_2(tmp_path: Path) -> None:
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, "prompt: true")
        for arguments in ((*PYTEST, "--hv-report-dir=reports"), ("compliance", "doctor", "--inventory", "live.yaml")):
            code, shown = at_a_terminal(tmp_path, *arguments, answer=b"\x03")
            assert code == 2, shown
            assert "Traceback" not in shown
        assert tried(servers) == [0, 0]
    gate = json.loads((tmp_path / "reports" / "gate.json").read_text())
    assert (gate["open"], gate["exit_code"]) == (False, 2)


def test_who_answers_nothing_hears_so(tmp_path: Path) -> None:
    with sealed_servers(tmp_path):
        kept(tmp_path, "prompt: true")
        code, shown = at_a_terminal(tmp_path, *PYTEST, answer=b"\x04")
    assert code == 4
    assert "credential `audit`: prompt: no password was given (or set COMPLIANCE_AUDIT_PASSWORD)" in shown


def test_the_doctor_asks_too(tmp_path: Path) -> None:
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, "prompt: true")
        asked = ("compliance", "doctor", "--inventory", "live.yaml")
        code, shown = at_a_terminal(tmp_path, *asked, answer=PASSWORD.encode() + b"\n")
        assert (code, tried(servers)) == (0, [1, 1]), shown


def test_a_program_has_no_terminal_to_read(tmp_path: Path) -> None:
    reads = "import sys; print(open('audit.secret').read() if not sys.stdin.read() else '')"
    with sealed_servers(tmp_path):
        kept(tmp_path, f'password_command: [{sys.executable}, -c, "{reads}"]')
        code, shown = at_a_terminal(tmp_path, "compliance", "doctor", "--inventory", "live.yaml", answer=b"")
    assert code == 0, shown
