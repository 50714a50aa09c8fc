"""What a case costs, beside bare pytest: a generated test file with as many passing, failing and erring cases.

    python benchmarks/cases.py                      # 1,000, 10,000 and 50,000 replicated machines
    python benchmarks/cases.py --sizes 10000
    python benchmarks/cases.py --profile 10000      # where one run spends its time

Read ratios, and CPU rather than wall time. Bare pytest runs without any plugin, ours with all that are installed.
Start-up, which is a run on one machine or one case, is subtracted from the microseconds an item. POSIX only.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import io
import json
import multiprocessing
import os
import pstats
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compliance.hyperv.translate import translate
from compliance.judge import judge
from compliance.snapshot import read_snapshot, write_snapshot
from tests.builders import Host, Vm, replica_of, snapshot, source
from tests.running import counts

AIM = 130
"""Microseconds an item, over start-up."""
SIZES = (1_000, 10_000, 50_000)
REPORTS_AT = 10_000
"""The size at which reports are written; beyond it each run is made once, below it the cheapest of three counts."""
LONGEST = 900.0
"""Seconds after which a run is stopped."""
A_SERVER = 50
NUMBER = "CAFE0000"
"""Stands in the GUIDs of the first pair of servers where others have their own number."""


# --- what is judged ---------------------------------------------------------------------------------------------------


def write_estate(path: Path, machines: int) -> None:
    """So many replicated machines, 50 a server, both sides; 10 % fail and 4 % can't be judged.

    The builders make one pair of servers, and the others are its copies under other names: minutes become a second.
    """
    pairs, rest = divmod(machines, 2 * A_SERVER)
    primary = _primary(A_SERVER)
    replica = Host(name="REP00000", vms=[replica_of(vm) for vm in primary.vms])
    head, *pair = _lines(path, primary, replica)
    last = _lines(path, _primary(rest))[1:] if rest else []
    header = {**json.loads(head), "servers": 2 * pairs + len(last)}
    with path.open("w", encoding="ascii") as file:
        file.write(json.dumps(header) + "\n")
        for number in range(pairs):
            file.writelines(_renumbered(line, number) + "\n" for line in pair)
        file.writelines(_renumbered(line, pairs) + "\n" for line in last)


def _primary(machines: int) -> Host:
    return Host(name="PRI00000", vms=[_machine(at) for at in range(machines)])


def _machine(at: int) -> Vm:
    guid = f"{NUMBER}-0000-4000-8000-{at:012d}"
    hosts = (("PRI00000.dr.example", "REP00000.dr.example"),)
    if at % 10 == 3:  # a guest that never answered
        return Vm(name=f"vm{at:02d}", guid=guid, hosts=hosts, kvp=12, heartbeat=12)
    if at % 20 == 17:  # one that has just started
        return Vm(name=f"vm{at:02d}", guid=guid, hosts=hosts, kvp=12, heartbeat=12, uptime=180_000)
    return Vm(name=f"vm{at:02d}", guid=guid, hosts=hosts)


def _lines(path: Path, *hosts: Host) -> list[str]:
    write_snapshot(snapshot(*map(source, hosts)), path)
    return path.read_text(encoding="ascii").splitlines()


def _renumbered(line: str, number: int) -> str:
    changes = {
        NUMBER: f"{number:08X}",
        NUMBER.lower(): f"{number:08x}",
        "PRI00000": f"PRI{number:05d}",
        "pri00000": f"pri{number:05d}",
        "REP00000": f"REP{number:05d}",
        "rep00000": f"rep{number:05d}",
    }
    for old, new in changes.items():
        line = line.replace(old, new)
    return line


BARE = """\
import pytest

def labels(first, count):
    return [f"pri{{number // 50:05d}}/vm{{number % 50:02d}}" for number in range(first, first + count)]

@pytest.fixture
def unread():
    raise RuntimeError("the guest does not answer Data Exchange yet, 3 minutes after its start")

@pytest.mark.parametrize("subject", labels(0, {passed}))
def test_rule(subject):
    assert subject

@pytest.mark.parametrize("subject", labels({passed}, {failed}))
def test_violated_rule(subject):
    assert not subject, "the guest never answered Data Exchange in the 4 days since it started"

@pytest.mark.parametrize("subject", labels({passed} + {failed}, {error}))
def test_unknown(subject, unread):
    assert subject
"""


def write_bare(path: Path, outcomes: Mapping[str, int]) -> None:
    path.write_text(
        BARE.format(
            passed=outcomes.get("passed", 0), failed=outcomes.get("failed", 0), error=outcomes.get("error", 0)
        ),
        encoding="utf-8",
    )


# --- what a run costs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One run of pytest as the system counted it: seconds, and the peak in MB."""

    wall: float
    cpu: float
    peak: float
    outcomes: Mapping[str, int] = field(default_factory=dict)  # empty where it was stopped

    @property
    def items(self) -> int:
        return sum(self.outcomes.get(word, 0) for word in ("passed", "failed", "error", "skipped"))


def cheapest(folder: Path, arguments: Sequence[str], *, runs: int, plugins: bool) -> Cost:
    return min((cost_of(folder, arguments, plugins=plugins) for _ in range(runs)), key=lambda cost: cost.cpu)


def cost_of(folder: Path, arguments: Sequence[str], *, plugins: bool) -> Cost:
    """One run in ``folder``, apart from this one's environment. Stopped after LONGEST seconds."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COMPLIANCE_", "COV"))}
    if not plugins:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    output = folder / "output.txt"
    with output.open("wb") as file:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "--color=no", *arguments],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        timer = threading.Timer(LONGEST, process.kill)
        timer.start()
        _, status, used = os.wait4(process.pid, 0)
        timer.cancel()
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, and Popen can't know
    text = output.read_text(encoding="utf-8", errors="replace")
    if process.returncode not in (0, 1, -9):
        raise SystemExit(f"pytest ended with {process.returncode}:\n{text[-2000:]}")
    megabytes = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    outcomes = {} if process.returncode == -9 else counts(text)
    return Cost(wall=wall, cpu=used.ru_utime + used.ru_stime, peak=megabytes, outcomes=outcomes)


# --- the comparison ---------------------------------------------------------------------------------------------------

OURS, OURS_ALONE, BARE_DEFAULT, BARE_QUIET = "ours", "ours, no other plugin", "bare pytest", "bare pytest --tb=no"
HTML = "--html=report.html --self-contained-html"
JUNIT = "--junitxml=report.xml"
PYTEST_HTML = "-p pytest_html.plugin -p pytest_metadata.plugin"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A run of the table, beside the run on one machine or case that is its start-up."""

    name: str
    machines: int
    cost: Cost
    startup: Cost

    @property
    def micro(self) -> float:
        return (self.cost.cpu - self.startup.cpu) / max(self.cost.items, 1) * 1e6


class Bench:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._startups: dict[tuple[str, ...], Cost] = {}
        self.lines: list[Line] = []

    def compare(self, machines: int) -> None:
        ours = self._run(OURS, machines, ["--snapshot=estate.jsonl"], plugins=True)
        alone = ["-p", "compliance.plugin", "--snapshot=estate.jsonl"]
        self._run(OURS_ALONE, machines, alone, plugins=False)
        write_bare(self._folder / "test_bare.py", ours.cost.outcomes)
        self._run(BARE_QUIET, machines, ["test_bare.py", "--tb=no"], plugins=False)
        self._run(BARE_DEFAULT, machines, ["test_bare.py"], plugins=False)
        if machines == REPORTS_AT:
            for report, more in ((HTML, PYTEST_HTML), (JUNIT, "")):
                option = report.split("=")[0]
                self._run(f"{OURS} {option}", machines, ["--snapshot=estate.jsonl", *report.split()], plugins=True)
                bare = ["test_bare.py", "--tb=no", *report.split(), *more.split()]
                self._run(f"{BARE_QUIET} {option}", machines, bare, plugins=False)

    def _run(self, name: str, machines: int, arguments: Sequence[str], *, plugins: bool) -> Line:
        startup = self._startup(arguments, plugins=plugins)
        write_estate(self._folder / "estate.jsonl", machines)
        runs = 3 if machines <= REPORTS_AT else 1
        cost = cheapest(self._folder, arguments, runs=runs, plugins=plugins)
        line = Line(name=name, machines=machines, cost=cost, startup=startup)
        self.lines.append(line)
        print(_row(line, self.bare(machines)), flush=True)
        return line
