"""What a case costs, beside bare pytest: a generated test file with as many passing, failing and erring cases.

    python benchmarks/cases.py                      # 1,000, 10,000 and 50,000 replicated machines
    python benchmarks/cases.py --sizes 10000
    python benchmarks/cases.py --profile 10000      # where one run spends its time

Read ratios, and CPU rather than wall time. Bare pytest runs without any plugin, ours with those that it brings along.
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
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from benchmarks.real_guest import published
from compliance.hyperv.estate import translate
from compliance.hyperv.server import let_go
from compliance.judge.judge import judge
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import ORDINARY, WINDOWS, Host, Vm, replica_of
from tests.running import counts

BARE_THERE = 350
"""Microseconds of a passing case of bare pytest where the aim was set. Elsewhere it takes others: the aim is scaled."""
AIM = 0.35 * BARE_THERE
"""Microseconds an item, over start-up, there."""
SIZES = (1_000, 10_000, 50_000)
REPORTS_AT = 10_000
"""The size at which reports are written; beyond it each run is made once, below it the cheapest of three counts."""
LONGEST = 1800.0
"""Seconds after which a run is stopped: bare pytest lists failures in quadratic time."""
A_SERVER = 50
NUMBER = "CAFE0000"
"""Stands in the GUIDs of the first pair of servers where others have their own number."""
FAILOVER, TODAY = "10.100.0.", "10.0.0."
"""The first pair's networks; every pair has its own, since no two machines may have one address."""


# --- what is judged ---------------------------------------------------------------------------------------------------


def write_estate(path: Path, machines: int, *, healthy: bool = False) -> None:
    """So many replicated machines, 50 a server, both sides; 10 % fail and 4 % can't be judged, unless ``healthy``.

    The builders make one pair of servers, and the others are its copies under other names: minutes become a second.
    """
    pairs, rest = divmod(machines, 2 * A_SERVER)
    primary = _primary(A_SERVER, healthy=healthy)
    replica = Host(name="REP00000", vms=[replica_of(vm) for vm in primary.vms])
    head, *pair = _lines(path, primary, replica)
    last = _lines(path, _primary(rest, healthy=healthy))[1:] if rest else []
    header = {**json.loads(head), "servers": 2 * pairs + len(last)}
    with path.open("w", encoding="ascii") as file:
        file.write(json.dumps(header) + "\n")
        for number in range(pairs):
            file.writelines(_renumbered(line, number) + "\n" for line in pair)
        file.writelines(_renumbered(line, pairs) + "\n" for line in last)


def _primary(machines: int, *, healthy: bool) -> Host:
    return Host(name="PRI00000", vms=[_machine(0 if healthy else at, at) for at in range(machines)])


def _machine(kind: int, at: int) -> Vm:
    guid = f"{NUMBER}-0000-4000-8000-{at:012d}"
    ordinary = Vm(
        name=f"vm{at:02d}",
        guid=guid,
        hosts=(("PRI00000.dr.example", "REP00000.dr.example"),),
        nics=(replace(ORDINARY[0], addresses=(f"{FAILOVER}{at + 1}",), gateways=(f"{FAILOVER}254",)),),
        items=published(f"pri00000-{NUMBER}", at),
    )
    if kind % 10 == 3:  # a guest that never answered
        return replace(ordinary, kvp=12, heartbeat=12, items=WINDOWS)
    if kind % 20 == 17:  # one that has just started
        return replace(ordinary, kvp=12, heartbeat=12, items=WINDOWS, uptime=180_000)
    return ordinary


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
        FAILOVER: f"10.{100 + number // 250}.{number % 250}.",
        TODAY: f"10.{number // 250}.{number % 250}.",
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
    assert not subject, "the guest does not answer Data Exchange; it has been up for 4 days"

@pytest.mark.parametrize("subject", labels({passed} + {failed}, {error}))
def test_unknown(subject, unread):
    assert subject
"""


def write_bare(path: Path, outcomes: Mapping[str, int]) -> None:
    path.write_text(
        BARE.format(passed=outcomes.get("passed", 0), failed=outcomes.get("failed", 0), error=outcomes.get("error", 0)),
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


def cost_of(folder: Path, arguments: Sequence[str], *, plugins: bool, program: str = "pytest") -> Cost:
    """One run in ``folder``, apart from this one's environment. Stopped after LONGEST seconds."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COMPLIANCE_", "COV"))}
    if not plugins:
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    output = folder / "output.txt"
    with output.open("wb") as file:
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", program, *(["--color=no"] if program == "pytest" else []), *arguments],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        timer = threading.Timer(LONGEST, process.kill)
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # it was waited for here, and Popen can't know
    text = output.read_text(encoding="utf-8", errors="replace")
    # 10: a benchmark may play a part of an estate, whose gate is closed
    if process.returncode not in (0, 1, 10, -9):
        raise SystemExit(f"{program} ended with {process.returncode}:\n{text[-2000:]}")
    megabytes = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    outcomes = {} if process.returncode == -9 else counts(text)
    return Cost(wall=wall, cpu=used.ru_utime + used.ru_stime, peak=megabytes, outcomes=outcomes)


# --- the comparison ---------------------------------------------------------------------------------------------------

ESTATE = "--snapshot=estate.jsonl"
WITHOUT_OF_TESTS = ("-p", "no:hypothesispytest", "-p", "no:xdist", "-p", "no:xdist.looponfail")
"""Without the plugins that only the tests bring: Hypothesis alone may take a second to start."""
AS_USERS_HAVE_IT = (*WITHOUT_OF_TESTS, ESTATE)
TESTS, PASSING = "test_bare.py", "test_passing.py"
HTML = ("--html=report.html", "--self-contained-html")
JUNIT = ("--junitxml=report.xml",)
PYTEST_HTML = ("-p", "pytest_html.plugin", "-p", "pytest_metadata.plugin")
OURS, BARE_DEFAULT, BARE_QUIET, BARE_PASSING = (
    "ours",
    "bare pytest",
    "bare pytest --tb=no",
    "bare pytest, all passing",
)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One line of the table: a way to call pytest. ``plugins``: let pytest find those that are installed."""

    name: str
    arguments: tuple[str, ...]
    plugins: bool


RUNS = (
    Run(name=OURS, arguments=AS_USERS_HAVE_IT, plugins=True),
    Run(name="ours, no other plugin", arguments=("-p", "compliance.plugin.hooks", ESTATE), plugins=False),
    Run(name=BARE_PASSING, arguments=(PASSING,), plugins=False),
    Run(name=BARE_QUIET, arguments=(TESTS, "--tb=no"), plugins=False),
    Run(name=BARE_DEFAULT, arguments=(TESTS,), plugins=False),
)
REPORTING_RUNS = (
    Run(name="ours --html", arguments=(*AS_USERS_HAVE_IT, *HTML), plugins=True),
    Run(name="ours --junitxml", arguments=(*AS_USERS_HAVE_IT, *JUNIT), plugins=True),
    Run(name=f"{BARE_QUIET} --html", arguments=(TESTS, "--tb=no", *PYTEST_HTML, *HTML), plugins=False),
    Run(name=f"{BARE_QUIET} --junitxml", arguments=(TESTS, "--tb=no", *JUNIT), plugins=False),
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A run's cost, beside that of the same run on one machine or case, which is its start-up."""

    cost: Cost
    startup: Cost

    @property
    def micro(self) -> float:
        return (self.cost.cpu - self.startup.cpu) / max(self.cost.items, 1) * 1e6


def compare(folder: Path, machines: int) -> dict[str, Measured]:
    """All runs on one size, by name."""
    one, many = folder / "one", folder / "many"
    for where, size in ((one, 1), (many, machines)):
        where.mkdir(exist_ok=True)
        write_estate(where / "estate.jsonl", size)
        write_bare(where / TESTS, {"passed": 1})
        write_bare(where / PASSING, {"passed": 1})
    measured: dict[str, Measured] = {}
    for run in (*RUNS, *(REPORTING_RUNS if machines == REPORTS_AT else ())):
        startup = cheapest(one, run.arguments, runs=3, plugins=run.plugins)
        runs = 3 if machines <= REPORTS_AT else 1
        cost = cheapest(many, run.arguments, runs=runs, plugins=run.plugins)
        measured[run.name] = Measured(cost=cost, startup=startup)
        if run.name == OURS:
            write_bare(many / TESTS, cost.outcomes)
            write_bare(many / PASSING, {"passed": cost.items})
    return measured


def tell(machines: int, measured: Mapping[str, Measured]) -> None:
    ours = measured[OURS].cost
    outcomes = ", ".join(f"{count:,} {word}" for word, count in ours.outcomes.items())
    print(f"\n{machines:,} replicated machines, {ours.items:,} cases: {outcomes}")
    print(f"{'':32}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'µs an item':>12}{'CPU / bare':>12}{'/ --tb=no':>12}")
    for name, one in measured.items():
        if not one.cost.outcomes:
            print(f"{name:32}{one.cost.wall:9.1f}{one.cost.cpu:9.1f}{one.cost.peak:9.0f}   stopped unfinished")
            continue
        ratios = "".join(_ratio(one.cost, measured[bare].cost) for bare in (BARE_DEFAULT, BARE_QUIET))
        print(f"{name:32}{one.cost.wall:9.2f}{one.cost.cpu:9.2f}{one.cost.peak:9.0f}{one.micro:12.0f}{ratios}")


def _ratio(cost: Cost, bare: Cost) -> str:
    """At most so much, where the other one was stopped."""
    return f"{'' if bare.outcomes else '<'}{cost.cpu / bare.cpu:.2f}".rjust(12)


def conclude(by_size: Mapping[int, Mapping[str, Measured]]) -> None:
    print()
    for machines, measured in by_size.items():
        ours, passing = measured[OURS], measured[BARE_PASSING]
        scaled = ours.micro * BARE_THERE / passing.micro
        print(
            f"aim {AIM:.0f} µs an item, at {machines:,} machines: {scaled:.0f} µs where a passing case of bare pytest "
            f"takes {BARE_THERE} µs (here {ours.micro:.0f} and {passing.micro:.0f}; start-up {ours.startup.cpu:.2f} s)"
        )


# --- the stages of a run ----------------------------------------------------------------------------------------------


class Stages:
    """A plugin that notes the CPU time of pytest's phases; ours come first in each, and are counted with it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.process_time()

    def next(self, name: str) -> None:
        """What was used since the last note belongs to this stage."""
        now = time.process_time()
        self.seconds[name] = self.seconds.get(name, 0.0) + now - self._start
        self._start = now

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, None, None]:
        self.next("start, read the snapshot")
        yield
        self.next("translate, judge")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, object, object]:
        result = yield
        self.next("collect")
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        result = yield
        self.next("run")
        return result


def stages_of(folder: Path) -> dict[str, float]:
    with quiet(folder):
        stages = Stages()
        pytest.main(["--color=no", *AS_USERS_HAVE_IT], plugins=[stages])
        stages.next("summary, end")
    return stages.seconds


def alone(path: Path) -> dict[str, float]:
    """Our own functions, without pytest."""
    started = time.process_time()
    read = read_snapshot(path, let_go)
    was_read = time.process_time()
    estate = translate(read)
    translated = time.process_time()
    judge(estate)
    return {
        "read the snapshot, translate servers": was_read - started,
        "join their sides": translated - was_read,
        "judge": time.process_time() - translated,
    }


def tell_stages(folder: Path, items: int) -> None:
    """Each in a fresh process, over what one machine takes. A second rule doubles what pytest does, not the rest."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn, max_tasks_per_child=1) as fresh:
        one, many = (fresh.submit(stages_of, folder / name).result() for name in ("one", "many"))
        functions = fresh.submit(alone, folder / "many" / "estate.jsonl").result()
    total = sum(many.values()) - sum(one.values())
    print("\nstages, over start-up           CPU s  µs an item   share")
    for name, seconds in many.items():
        over = seconds - one[name]
        print(f"  {name:26}{over:9.2f}{over / items * 1e6:12.1f}{over / total:8.0%}")
    print(f"  {'total':26}{total:9.2f}{total / items * 1e6:12.1f}")
    by_pytest = sum(many[name] - one[name] for name in ("collect", "run", "summary, end"))
    print(f"  by pytest, for each item: {by_pytest / items * 1e6:.0f} µs; the rest once a machine, however many rules")
    print("  without pytest: " + ", ".join(f"{name} {took / items * 1e6:.1f} µs" for name, took in functions.items()))


@contextlib.contextmanager
def quiet(folder: Path) -> Iterator[None]:
    """In that folder, and without pytest's output."""
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        yield


def profile(folder: Path, machines: int) -> None:
    write_estate(folder / "estate.jsonl", machines)
    profiler = cProfile.Profile()
    with quiet(folder):
        profiler.runcall(pytest.main, ["--color=no", *AS_USERS_HAVE_IT])
    for order in ("tottime", "cumtime"):
        pstats.Stats(profiler, stream=sys.stdout).strip_dirs().sort_stats(order).print_stats(30)


def compile_apart(folder: Path) -> None:
    """Let children keep what they compile, and there: compiling is not what is measured."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")


# --- for the table of aims --------------------------------------------------------------------------------------------


def cost_of_a_case(folder: Path, count: int) -> float:
    """Return the CPU seconds of one passing case of bare pytest, over those of a run of one."""
    seconds = [_passing(folder, number, runs=3).cpu for number in (1, count)]
    return (seconds[1] - seconds[0]) / (count - 1)


def item_beside_bare(folder: Path, machines: int) -> tuple[float, float]:
    """Return the CPU seconds of one case of ours, a machine each, and of as many bare ones, over start-up."""
    write_estate(folder / "estate.jsonl", 1)
    start = cheapest(folder, AS_USERS_HAVE_IT, runs=3, plugins=True)
    write_estate(folder / "estate.jsonl", machines)
    ours = Measured(cost=cheapest(folder, AS_USERS_HAVE_IT, runs=2, plugins=True), startup=start)
    return ours.micro / 1e6, cost_of_a_case(folder, ours.cost.items)


def starts(folder: Path, count: int, runs: int) -> tuple[float, float, float]:
    """Return the CPU seconds of so many bare cases, of README's main line, and of the same cases beside our plugin.

    In turns, the cheapest of each; the first turn compiles, and does not count.
    """
    write_bare(folder / PASSING, {"passed": count})
    with_ours = (PASSING, "-p", "compliance.plugin.hooks")
    seconds = [
        (
            cost_of(folder, (PASSING,), plugins=False).cpu,
            cost_of(folder, ("demo",), plugins=True, program="compliance").cpu,
            cost_of(folder, with_ours, plugins=False).cpu,
        )
        for _ in range(runs + 1)
    ]
    bare, demo, idle = (min(column) for column in zip(*seconds[1:], strict=True))
    return bare, demo, idle


def _passing(folder: Path, count: int, *, runs: int) -> Cost:
    write_bare(folder / PASSING, {"passed": count})
    return cheapest(folder, (PASSING,), runs=runs, plugins=False)


# --- the command ------------------------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="replicated machines")
    parser.add_argument("--profile", type=int, metavar="N", help="only profile one run on so many machines")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        compile_apart(folder)
        if asked.profile:
            profile(folder, asked.profile)
            return
        by_size = {}
        for machines in asked.sizes:
            by_size[machines] = compare(folder, machines)
            tell(machines, by_size[machines])
            tell_stages(folder, by_size[machines][OURS].cost.items)
        conclude(by_size)


if __name__ == "__main__":
    main()
