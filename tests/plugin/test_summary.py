"""What the terminal says first and last, and in which colours."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compliance import audit
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.judge.scope import Scope
from compliance.plan import Plan
from compliance.plugin.report_folder import Reports
from compliance.plugin.request import Request
from compliance.plugin.summary import MARKUP, first_line, pointers
from compliance.report.table import Table
from compliance.report.terminal import Tone
from tests.builders import inventory
from tests.report.tables import small
from tests.running import DEMO, ROOT, RunPytest

SERVERS = [Entry(name=f"hv{number:02}", credential="audit") for number in range(6)]


def plan_of(**changes: object) -> Plan:
    return Plan(estate="production", name_as_typed="my site.yaml", inventory=inventory(SERVERS, **changes))


def last_lines(table: Table, plan: Plan, reports: Reports | None = None, html: str | None = None) -> list[str]:
    return list(pointers(table, Request(plan=plan, scope=Scope(), save="x.jsonl"), reports, html))


def test_the_first_line_says_whom_it_reads() -> None:
    assert first_line(plan_of()) == "reading 6 servers of production …"
    clusters = (ClusterEntry(name="hvcl01", address="hvcl01.dr.example", credential="audit"),)
    assert first_line(plan_of(clusters=clusters)) == "reading 6 servers and 1 cluster of production …"


def test_the_last_lines_say_where_it_goes_on(tmp_path: Path) -> None:
    reports = Reports(tmp_path)
    doctor = 'Next: hyperv-compliance doctor --inventory "my site.yaml" --server hv03'
    assert last_lines(small(), plan_of(), reports) == [
        "The snapshot is in x.jsonl.",
        f"The reports are in {tmp_path}.",
        doctor,
    ]
    reports.page.write_text("x")
    assert last_lines(small(), plan_of(), reports)[2:] == [f"Report: {reports.page.as_uri()}", doctor]
    assert last_lines(small(), plan_of())[1:] == [
        doctor,
        "Next: --hv-report-dir DIR writes report.html: each machine, why, and what to do",
    ]
    html = tmp_path / "x.html"
    html.write_text("x")
    assert f"Report: {html.as_uri()}" in last_lines(small(), plan_of(), None, str(html))


def test_an_offline_run_does_not_know_the_inventory() -> None:
    """Nor does one whose inventory names a snapshot, as the demo's: the doctor would refuse that file."""
    doctor = "Next: hyperv-compliance doctor --inventory INVENTORY --server hv03"
    of_a_snapshot = replace(plan_of(), inventory=replace(inventory(SERVERS), snapshot=Path("demo.jsonl.gz")))
    for plan in (replace(plan_of(), inventory=None), of_a_snapshot):
        assert last_lines(small(), plan)[1] == doctor


def test_each_tone_has_its_colour() -> None:
    assert set(MARKUP) == set(Tone)


@pytest.mark.parametrize(("color", "is_coloured"), [("yes", True), ("no", False), ("auto", False)])
def test_colours_are_pytests_own(color: str, is_coloured: bool, tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", DEMO, f"--color={color}")
    assert ("\x1b[31m\x1b[1mThe gate is closed (exit code 1)." in run.stdout) is is_coloured


IN_A_TERMINAL = """
import fcntl, os, pty, struct, sys, termios
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, int(sys.argv[1]), 0, 0))
if not os.fork():
    os.setsid()
    for number in range(3):
        os.dup2(slave, number)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *sys.argv[2:]])
os.close(slave)
while True:
    try:
        octets = os.read(master, 65536)
    except OSError:
        break
    if not octets:
        break
    os.write(1, octets)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of POSIX")
@pytest.mark.parametrize("width", [80, 200])
def test_in_a_terminal_the_answer_is_on_the_last_screen(width: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", IN_A_TERMINAL, str(width), "--inventory", str(DEMO), "-p", "no:cacheprovider"]
    environ = {"PATH": "/usr/bin:/bin", "TERM": "xterm", "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, timeout=120, check=False)
    text = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout.decode())
    assert done.stdout.count(b"\x1b[31m") > 1
    lines = text.replace("\r\n", "\n").splitlines()
    ours = lines[next(number for number, line in enumerate(lines) if "Hyper-V compliance ==" in line) :]
    assert all(len(line) <= width or line.startswith("Next: ") for line in ours)  # which is copied
    assert len(ours) <= 62
    screen = "\n".join(lines[-50:])
    assert "of 16 virtual machines would come up with their failover address" in screen
    assert "The gate is closed (exit code 1)." in screen
    assert audit.tool().partition(" ")[0] in text
