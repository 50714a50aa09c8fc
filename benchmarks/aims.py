"""Each aim of speed and size in one table: the aim, today's figure, the ratio, and what it was measured beside.

    python benchmarks/aims.py                       # some 20 minutes on two idle cores
    python benchmarks/aims.py --small               # whether it runs, in half a minute
    python benchmarks/aims.py --only servers page
    python benchmarks/aims.py --machines 10000 --sides 8000   # a fifth; aims in cases are scaled, those in MB are not

README.md of this folder says what each line measures, what a *case* is, and where the physical limit lies. POSIX only.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pytest

from benchmarks import cases, page, reports, servers, wire
from tests.devtools import Chromium

OF_TWO_RULES = 2
"""Machine rules of 0.1, for which the aim of the whole command was set; each verdict more may cost ``MORE`` cases."""
MORE = 0.017
DEMO_CASES = 89
"""Of the demo when its aim was set."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How large everything is. ``machines`` counts sides, half of them primaries."""

    machines: int = 50_000
    sides: int = 40_000
    items: int = 10_000
    case: int = 10_000
    a_server: int = 50
    readings: int = 30
    servers: int = 100
    starts: int = 5


SMALL = Sizes(machines=300, sides=200, items=100, case=300, a_server=3, readings=2, servers=4, starts=1)
THREADS, LATENCY = 16, 0.05


@dataclass(frozen=True, kw_only=True)
class Line:
    """``share`` is today's figure as a fraction of the aim; at most 1 meets it, but where ``at_least``."""

    what: str
    aim: str
    today: str
    share: float
    beside: str
    at_least: bool = False

    @property
    def verdict(self) -> str:
        is_met = self.share >= 1 if self.at_least else self.share <= 1
        return f"{self.share:.2f} of it{'' if is_met else ', missed'}"


class Bench:
    """What several lines have in common, measured once."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        self.folder = folder
        self.sizes = sizes

    @cached_property
    def case(self) -> float:
        """CPU seconds of one passing case of bare pytest."""
        return cases.cost_of_a_case(self.room("case"), self.sizes.case)

    @cached_property
    def start(self) -> cases.Cost:
        """The command on one machine, compiled before: the first run of all is for that."""
        self.command(1)
        return self.command(1)

    @cached_property
    def failing(self) -> cases.Cost:
        """The command on all machines, of which 10 % fail."""
        return self.command(self.sizes.machines)

    def command(self, machines: int, *, healthy: bool = False) -> cases.Cost:
        """Return what the whole command costs on such an estate, by server, with every report."""
        folder = self.room("command")
        shutil.rmtree(folder / "out", ignore_errors=True)
        cases.write_estate(folder / "estate.jsonl", machines, healthy=healthy)
        return cases.cost_of(folder, reports.WHOLE, plugins=True)

    def room(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder


# --- the lines --------------------------------------------------------------------------------------------------------


def of_servers(bench: Bench) -> Iterator[Line]:
    sizes = bench.sizes
    exchanges = servers.exchanges_of(sizes.a_server)
    beside = servers.beside_bare(exchanges, sizes.readings)
    yield Line(
        what=f"CPU to read a server of {sizes.a_server} machines, sealed by NTLM",
        aim=f"<= {servers.AIM_RATIO} x",
        today=f"{beside.ratio:.2f} x",
        share=beside.ratio / servers.AIM_RATIO,
        beside=f"a bare socket client, same reader: {beside.bare * 1e3:.1f} ms, ours {beside.ours * 1e3:.1f} ms",
    )
    bound = servers.bound_of(sizes.servers, len(exchanges) + servers.requests_of_login(), LATENCY, THREADS)
    cost = servers.gathering(exchanges, sizes.servers, THREADS, LATENCY)
    yield Line(
        what=f"share of what waiting alone takes, {sizes.servers} servers by {THREADS} threads",
        aim=f">= {servers.AIM_SHARE}",
        today=f"{bound / cost.wall:.2f}",
        share=bound / cost.wall / servers.AIM_SHARE,
        beside=f"50 ms before each answer: {bound:.1f} s, ours {cost.wall:.1f} s",
        at_least=True,
    )


def of_wire(bench: Bench) -> Iterator[Line]:
    machines = bench.sizes.a_server
    shares = wire.shares_of(*wire.measure(wire.SEALED, wire.host_of(machines), 1))
    yield Line(
        what="messages a class",
        aim=f"<= {wire.AIM_MESSAGES:g}",
        today=f"{shares.messages:.2f}",
        share=shares.messages / wire.AIM_MESSAGES,
        beside=f"{shares.listing} for {shares.enumerations} enumerations, at most {shares.most:g}",
    )
    yield Line(
        what=f"bytes a server, {machines} machines of two checkpoints, without the guests' own items",
        aim=f"<= {wire.AIM_BYTES} x",
        today=f"{shares.octets:.2f} x",
        share=shares.octets / wire.AIM_BYTES,
        beside=f"plain enumeration of the same classes ({shares.whole:.2f} x with the guests' items)",
    )


def of_first_verdict(bench: Bench) -> Iterator[Line]:
    spent = [reports.first_verdict(bench.room("first"), machines) for machines in (1, bench.sizes.machines)]
    aim = 6_000 * bench.sizes.machines / Sizes.machines
    yield _in_cases(bench, f"{_machines(bench)}: from the file to the first verdict", spent[1] - spent[0], aim)


def of_items(bench: Bench) -> Iterator[Line]:
    ours, bare = cases.item_beside_bare(bench.room("items"), bench.sizes.items)
    yield Line(
        what=f"CPU of one case of ours, {bench.sizes.items:,} machines",
        aim="<= 0.35 x",
        today=f"{ours / bare:.2f} x",
        share=ours / bare / 0.35,
        beside=f"a passing case of bare pytest: {bare * 1e6:.0f} µs, ours {ours * 1e6:.0f} µs",
    )


def of_command(bench: Bench) -> Iterator[Line]:
    yield _megabytes(f"{_machines(bench)}: peak of memory, all rules and reports", bench.failing.peak, reports.AIM_MB)
    cost = bench.command(bench.sizes.sides)
    verdicts = reports.verdicts_in(bench.room("command") / "out")
    aim = 12_000 * bench.sizes.sides / Sizes.sides + MORE * max(verdicts - OF_TWO_RULES * bench.sizes.sides, 0)
    what = f"the whole command on {bench.sizes.sides:,} machines, by server, all reports"
    line = _in_cases(bench, what, cost.cpu - bench.start.cpu, aim)
    yield replace(line, beside=f"{line.beside}; {verdicts:,} verdicts")
    yield _megabytes("its peak of memory", cost.peak, 300)


def of_growth(bench: Bench) -> Iterator[Line]:
    many = bench.sizes.machines
    few = many // 10
    start = bench.start.cpu
    for share, healthy in reports.SHARES.items():
        tenth = bench.command(few, healthy=healthy)
        whole = bench.command(many, healthy=True) if healthy else bench.failing
        ratio = (whole.cpu - start) / max(tenth.cpu - start, 0.01)
        yield Line(
            what=f"CPU for ten times the machines, {share}",
            aim=f"<= {reports.AIM_RATIO} x",
            today=f"{ratio:.1f} x",
            share=ratio / reports.AIM_RATIO,
            beside=f"{few:,} machines: {tenth.cpu:.1f} s, {many:,}: {whole.cpu:.1f} s",
        )


def of_page(bench: Bench) -> Iterator[Line]:
    text = page.written(bench.sizes.machines)
    size = len(text.encode()) / 1e6
    yield Line(
        what=f"{_machines(bench)}: report.html",
        aim=f"<= {page.AIMS['MB']:g} MB",
        today=f"{size:.1f} MB",
        share=size / page.AIMS["MB"],
        beside=f"{page.RULES} rules; {size * 1e6 / bench.sizes.machines:.0f} bytes a machine",
    )
    browser = shutil.which("chromium")
    if browser is None:
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        path = Path(name) / "page.html"
        path.write_text(text, encoding="utf-8")
        with Chromium(browser, Path(name)) as chromium:
            times = page.measure(chromium, path)
    opened = times.pop("open")
    slowest = max(times, key=lambda step: times[step][0])
    for what, (clock, cpu), aim in (
        ("opening it, until its first row stands", opened, page.AIMS["open"]),
        (f"the slowest click ({slowest})", times[slowest], page.AIM),
    ):
        yield Line(
            what=what,
            aim=f"<= {aim:.0f} ms",
            today=f"{clock:.0f} ms",
            share=clock / aim,
            beside=f"the clock, which other programs slow down: {cpu:.0f} ms of CPU",
        )


def of_start(bench: Bench) -> Iterator[Line]:
    bare, ours, idle = cases.starts(bench.room("start"), DEMO_CASES, bench.sizes.starts)
    yield _times(f"the demo, README's main line: {ours:.2f} s", ours / bare, 1.6, bare)
    yield _times(f"a run of pytest without an estate: {idle:.2f} s", idle / bare, 1.03, bare)


def _times(what: str, ratio: float, aim: float, bare: float) -> Line:
    beside = f"bare pytest with {DEMO_CASES} cases: {bare:.2f} s"
    return Line(what=what, aim=f"<= {aim} x", today=f"{ratio:.2f} x", share=ratio / aim, beside=beside)


def _in_cases(bench: Bench, what: str, seconds: float, aim: float) -> Line:
    count = seconds / bench.case
    beside = f"bare pytest, whose case is {bench.case * 1e6:.0f} µs: {seconds:.1f} s"
    return Line(what=what, aim=f"<= {aim:,.0f} cases", today=f"{count:,.0f} cases", share=count / aim, beside=beside)


def _megabytes(what: str, peak: float, aim: float) -> Line:
    beside = "the process's own peak, as the kernel counts it"
    return Line(what=what, aim=f"<= {aim} MB", today=f"{peak:.0f} MB", share=peak / aim, beside=beside)


def _machines(bench: Bench) -> str:
    return f"{bench.sizes.machines:,} machines"


LINES: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "servers": of_servers,
    "wire": of_wire,
    "first": of_first_verdict,
    "items": of_items,
    "command": of_command,
    "growth": of_growth,
    "page": of_page,
    "start": of_start,
}


# --- the table --------------------------------------------------------------------------------------------------------


def print_table(lines: Sequence[Line]) -> None:
    table = [("what", "aim", "today", "of the aim", "measured beside")]
    table += [(line.what, line.aim, line.today, line.verdict, line.beside) for line in lines]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def where(checkout: Path = Path(__file__).parent) -> str:
    """Return on what it was measured: the versions, the commit, and what else the machine had to do."""
    git = ["git", "-C", str(checkout), "log", "-1", "--format=%h"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "no commit"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    versions = f"Python {platform.python_version()}, pytest {pytest.__version__}"
    return f"{commit}, {versions}, {os.cpu_count()} cores, load {load}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true", help="small sizes, whose figures say little")
    parser.add_argument("--only", nargs="+", choices=[*LINES], default=[*LINES], metavar="PART", help=", ".join(LINES))
    parser.add_argument("--machines", type=int, help=f"of the large estate (default: {Sizes.machines:,})")
    parser.add_argument("--sides", type=int, help=f"of the command's (default: {Sizes.sides:,})")
    asked = parser.parse_args()
    sizes = SMALL if asked.small else Sizes()
    sizes = replace(sizes, machines=asked.machines or sizes.machines, sides=asked.sides or sizes.sides)
    before = where()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        cases.compile_apart(Path(name))
        bench = Bench(Path(name), sizes)
        for part in asked.only:
            for line in LINES[part](bench):
                lines.append(line)
                print(f"{part}: {line.today}", file=sys.stderr, flush=True)
    print_table(lines)
    print(f"\nBefore: {before}\nAfter:  {where()}")
    if asked.small:
        print("Small sizes: this shows that it runs, not how fast.")


if __name__ == "__main__":
    main()
