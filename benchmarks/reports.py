"""What judging and reporting cost: time beside bare pytest, each writer's time and bytes, and the peak of memory.

    python benchmarks/reports.py                    # 1,000 and 10,000 machines by pytest; writers at 5,000 and 50,000
    python benchmarks/reports.py --sizes 500 5000   # the writers at other sizes
    python benchmarks/reports.py --only memory      # or run, or writers

Read ratios, and CPU rather than wall time. Each measurement has a process of its own; a writer's is forked from one
that holds the table already, so that its peak is what it adds. POSIX only.
"""

from __future__ import annotations

import argparse
import csv
import gc
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from benchmarks.cases import AS_USERS_HAVE_IT, PASSING, Cost, cheapest, cost_of, quiet, write_bare, write_estate
from compliance.audit import judge_snapshot
from compliance.hyperv.server import let_go
from compliance.judge.judge import all_rules
from compliance.judge.scope import Scope
from compliance.plugin.report_folder import GATE, WRITERS, Pieces, Reports, octets
from compliance.report.gate_json import gate_json
from compliance.report.table import Table
from compliance.rule import Outcome
from compliance.snapshot.read import read_snapshot

Found = TypeVar("Found")
AIM_MB = 350
TRIES = 5
AIM_RATIO = 10.5
"""Times the seconds, for ten times the machines."""
RUNS = ((), ("--hv-report-dir=out",), ("--hv-grain=server",), ("--hv-grain=server", "--hv-report-dir=out"))
RUN_SIZES = (1_000, 10_000)
SIZES = (5_000, 50_000)
SHARES = {"0 % failing": True, "10 % failing": False}
"""Whether the estate is healthy."""
ALL: Mapping[str, Callable[[Table], Pieces]] = {**WRITERS, GATE: lambda table: gate_json(table, {})}


# --- the run ----------------------------------------------------------------------------------------------------------


def measure_run(folder: Path, sizes: Sequence[int] = RUN_SIZES) -> None:
    """Microseconds a verdict over start-up, beside as many passing cases of bare pytest."""
    one = folder / "one"
    one.mkdir()
    write_estate(one / "estate.jsonl", 1)
    write_bare(one / PASSING, {"passed": 1})
    print(f"{'the run':48}{'items':>9}{'CPU s':>9}{'peak MB':>9}{'µs a verdict':>14}{'of a bare case':>16}")
    for machines in sizes:
        many = folder / str(machines)
        many.mkdir()
        write_estate(many / "estate.jsonl", machines)
        for arguments in RUNS:
            costs = [cheapest(where, (*AS_USERS_HAVE_IT, *arguments), runs=2, plugins=True) for where in (one, many)]
            if not arguments:
                verdicts = costs[1].items
                write_bare(many / PASSING, {"passed": verdicts})
                bare = [cheapest(where, (PASSING,), runs=2, plugins=False) for where in (one, many)]
                _tell_run(f"{machines:,} machines, bare pytest", bare, verdicts, bare)
            _tell_run(f"{machines:,} machines {' '.join(arguments)}", costs, verdicts, bare)


def _tell_run(name: str, costs: Sequence[Cost], verdicts: int, bare: Sequence[Cost]) -> None:
    cost = costs[1]
    micro, bare_micro = ((last.cpu - first.cpu) / verdicts * 1e6 for first, last in (costs, bare))
    shown = f"{name.replace('--hv-', ''):48}{cost.items:9,}{cost.cpu:9.2f}{cost.peak:9.0f}"
    print(f"{shown}{micro:14.0f}{micro / bare_micro:16.2f}")


# --- the writers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a report took: seconds of CPU, bytes, and MB over those of the table."""

    seconds: float
    size: int
    memory: float


TABLES: dict[str, Table] = {}
"""In a process that measures writers; those that are forked from it find it there."""


def peak() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def write_one(name: str) -> Written:
    """Once, since a second time would find what the first one cached."""
    before, start = peak(), time.process_time()
    size = sum(map(len, octets(ALL[name](TABLES["own"]))))
    return Written(seconds=time.process_time() - start, size=size, memory=peak() - before)


def write_all(path: Path) -> dict[str, Written]:
    """In a fresh process."""
    TABLES["own"] = judge_snapshot(read_snapshot(path, let_go), Scope())
    gc.freeze()  # as a run does
    fork = multiprocessing.get_context("fork")
    found = {}
    for name in ALL:
        tries = []
        for _ in range(TRIES):
            with ProcessPoolExecutor(max_workers=1, mp_context=fork) as forked:
                tries.append(forked.submit(write_one, name).result())
        found[name] = min(tries, key=lambda one: one.seconds)
    found["verdicts"] = Written(seconds=0, size=len(TABLES["own"].decisions), memory=0)
    return found


def measure_writers(folder: Path, sizes: Sequence[int]) -> None:
    for share, healthy in SHARES.items():
        found = {}
        for machines in sizes:
            path = folder / f"{machines}.jsonl"
            write_estate(path, machines, healthy=healthy)
            found[machines] = in_fresh_process(write_all, path)
        print(f"\n{share}, for 1,000 verdicts:")
        print(f"{'':16}" + "".join(f"{f'{n:,} machines':>32}" for n in sizes) + f"{'seconds, last / first':>24}")
        for name in ALL:
            cells = "".join(_cell(found[machines][name], found[machines]["verdicts"].size) for machines in sizes)
            ratio = found[sizes[-1]][name].seconds / max(found[sizes[0]][name].seconds, 1e-6)
            print(f"{name:16}{cells}{ratio:24.1f}")
        whole = [sum(one.seconds for one in found[machines].values()) for machines in sizes]
        print(f"{'all of them':16}{'':{32 * len(sizes)}}{whole[-1] / whole[0]:24.1f}  (aim: {AIM_RATIO})")


def _cell(one: Written, verdicts: int) -> str:
    thousands = verdicts / 1000
    return f"{one.seconds / thousands * 1000:9.2f} ms{one.size / thousands:9,.0f} B{one.memory:+6.0f} MB"


# --- memory -----------------------------------------------------------------------------------------------------------


Step = tuple[str, float, float]
"""Its name, seconds of CPU, and the peak of memory after it."""


def steps_of(path: Path) -> list[Step]:
    """In a fresh process, without pytest."""
    told: list[Step] = []

    def note(step: str) -> None:
        nonlocal start
        told.append((step, time.process_time() - start, peak()))
        start = time.process_time()

    start = time.process_time()
    snapshot = read_snapshot(path, let_go)
    note("read, translate servers")
    table = judge_snapshot(snapshot, Scope())
    note("join, judge, decide")
    del snapshot
    gc.freeze()  # both as a run does
    reports = Reports(path.parent / "reports")
    reports.begin()
    reports.write(table)
    note("write every report")
    return told


def measure_memory(folder: Path, sizes: Sequence[int]) -> None:
    """The steps at each size, and the command itself at the last."""
    for share, healthy in SHARES.items():
        print(f"\n{share}")
        print(f"{'':28}" + "".join(f"{f'{n:,} machines':>24}" for n in sizes) + f"{'CPU, last / first':>24}")
        found = []
        for machines in sizes:
            write_estate(folder / "estate.jsonl", machines, healthy=healthy)
            found.append(_cheapest([in_fresh_process(steps_of, folder / "estate.jsonl") for _ in range(2)]))
        for steps in zip(*found, strict=True):
            cells = "".join(f"{cpu:13.2f} s{top:6.0f} MB" for _, cpu, top in steps)
            print(f"{steps[0][0]:28}{cells}{steps[-1][1] / steps[0][1]:24.1f}")
        whole = [sum(cpu for _, cpu, _ in steps) for steps in found]
        print(f"{'all of it':28}{'':{24 * len(sizes)}}{whole[-1] / whole[0]:24.1f}  (aim: {AIM_RATIO})")
    print(f"\nthe command, {sizes[-1]:,} machines, 10 % failing; aim: at most {AIM_MB} MB")
    for grain in ("server", "rule", "machine"):
        cost = cost_of(folder, (*AS_USERS_HAVE_IT, f"--hv-grain={grain}", "--hv-report-dir=out"), plugins=True)
        print(f"  --hv-grain {grain:9}{cost.items:9,} items{cost.cpu:8.1f} s CPU{cost.peak:6.0f} MB")


def _cheapest(runs: Sequence[Sequence[Step]]) -> list[Step]:
    """Of each step the least that a run took, and the highest peak."""
    return [
        (name, min(cpu for _, cpu, _ in tries), max(top for _, _, top in tries))
        for tries in zip(*runs, strict=True)
        for name in [tries[0][0]]
    ]


def in_fresh_process(function: Callable[[Path], Found], path: Path) -> Found:
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as fresh:
        return fresh.submit(function, path).result()


# --- for the table of aims --------------------------------------------------------------------------------------------

WHOLE = (*AS_USERS_HAVE_IT, "--hv-grain=server", "--hv-report-dir=out")
"""The command with all that it can write."""


def verdicts_in(reports: Path) -> int:
    """Return how many verdicts were written there."""
    with (reports / "results.csv").open(encoding="utf-8-sig", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def first_verdict(folder: Path, machines: int) -> float:
    """Return the CPU seconds that the command takes until a rule judges for the first time."""
    write_estate(folder / "estate.jsonl", machines)
    return in_fresh_process(_until_first_verdict, folder)


class _ReachedError(BaseException):
    """A rule was asked: no more is measured."""


def _until_first_verdict(folder: Path) -> float:
    """In a process that ends with it: nothing else may be asked of its rules."""
    reached: list[float] = []

    def judge(*_: object) -> Outcome:
        reached.append(time.process_time())
        raise _ReachedError

    for rule in all_rules():
        object.__setattr__(rule, "judge", judge)
    with quiet(folder), suppress(_ReachedError):
        start = time.process_time()
        pytest.main(["--color=no", *AS_USERS_HAVE_IT, "--hv-grain=server"])
    return reached[0] - start


# --- the command ------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="machines, for the writers")
    parser.add_argument(
        "--run-sizes", type=int, nargs="+", default=RUN_SIZES, metavar="N", help="machines, for the run"
    )
    parser.add_argument("--only", choices=["run", "writers", "memory"], help="one of the three parts")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        if asked.only in (None, "run"):
            measure_run(folder, asked.run_sizes)
        if asked.only in (None, "writers"):
            measure_writers(folder, asked.sizes)
        if asked.only in (None, "memory"):
            measure_memory(folder, asked.sizes)


if __name__ == "__main__":
    main()
