"""Two checkouts side by side: whether they write the same reports, and what the newer one costs of the older.

    git worktree add ../before 53fd06a
    python benchmarks/versions.py ../before                  # beside this checkout; about half an hour
    python benchmarks/versions.py ../before --sizes 5000 --runs 1

Both take turns on the same estates, so that what else the machine does befalls them alike. A case is the CPU time of
one of bare pytest, as in README.md. Each checkout is imported as it lies there, by the Python and the libraries of this
environment. POSIX only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import cases, reports
from benchmarks.aims import DEMO_CASES, where

HERE = Path(__file__).parent.parent
SIZES = (5_000, 40_000, 50_000)
BARE_CASES = 10_000
FIRST_VERDICT = """\
import os, sys, time
import pytest
from compliance.judge.judge import all_rules

def judge(*_):
    print(f"reached after {time.process_time() - start}", file=sys.__stdout__)
    sys.__stdout__.flush()
    os._exit(0)

for rule in all_rules():
    object.__setattr__(rule, "judge", judge)
start = time.process_time()
pytest.main(sys.argv[1:])
"""
"""It rests on where either version has its rules, and ends with a traceback where that moved."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What was measured of both, one figure a turn; ``unit`` stands behind each."""

    what: str
    before: Sequence[float]
    after: Sequence[float]
    unit: str

    @property
    def ratio(self) -> float:
        return median(self.after) / median(self.before)

    def cells(self) -> tuple[str, ...]:
        return self.what, self._cell(self.before), self._cell(self.after), f"{self.ratio:.2f} x"

    def _cell(self, figures: Sequence[float]) -> str:
        style = ",.0f" if median(figures) >= 100 else ".2f"
        return f"{median(figures):{style}} {self.unit} ({min(figures):{style}}-{max(figures):{style}})"


@dataclass(frozen=True, kw_only=True)
class Start:
    """CPU seconds on an estate of one machine: the whole command, and the time until a rule is asked."""

    whole: float
    first: float


class Both:
    """Runs the same in both checkouts, in turns."""

    def __init__(self, checkouts: Sequence[Path], folder: Path, runs: int) -> None:
        self._checkouts = checkouts
        self.folder = folder
        self._runs = runs

    def measure(self, run: Callable[[Path], tuple[float, ...]]) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
        """Yield both checkouts' figures, once for each that ``run`` returns; it is given the name of the checkout."""
        turns = [[self._in(checkout, run) for checkout in self._checkouts] for _ in range(self._runs)]
        for at in range(len(turns[0][0])):
            yield [before[at] for before, _ in turns], [after[at] for _, after in turns]

    def starts(self) -> dict[Path, Start]:
        """Return what one machine takes in each, the cheapest of all turns."""
        cases.write_estate(self.folder / "estate.jsonl", 1)

        def start(_: Path) -> tuple[float, ...]:
            return whole_command(self.folder).cpu, first_verdict(self.folder)

        of_whole, of_first = self.measure(start)
        wholes, firsts = ([min(figures) for figures in both] for both in (of_whole, of_first))
        return {
            checkout: Start(whole=whole, first=first)
            for checkout, whole, first in zip(self._checkouts, wholes, firsts, strict=True)
        }

    @staticmethod
    def _in(checkout: Path, run: Callable[[Path], tuple[float, ...]]) -> tuple[float, ...]:
        with imported_from(checkout):
            return run(checkout)


@contextmanager
def imported_from(checkout: Path) -> Iterator[None]:
    """Let the children of this process import our package from there."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(checkout)
    try:
        yield
    finally:
        del os.environ["PYTHONPATH"]
        if before is not None:
            os.environ["PYTHONPATH"] = before


# --- the lines --------------------------------------------------------------------------------------------------------


def of_size(both: Both, case: float, machines: int, one: Mapping[Path, Start]) -> Iterator[Line]:
    """The whole command on so many machines, and the time until a rule is asked, over what ``one`` machine takes."""
    estate = both.folder / "estate.jsonl"
    cases.write_estate(estate, machines)
    written: list[Mapping[str, str]] = []

    def command(checkout: Path) -> tuple[float, ...]:
        cost = whole_command(both.folder)
        written.append(digests_of(both.folder / "out"))
        return (cost.cpu - one[checkout].whole) / case, cost.peak

    def first(checkout: Path) -> tuple[float, ...]:
        return ((first_verdict(both.folder) - one[checkout].first) / case,)

    (before, after), (peak_before, peak_after) = both.measure(command)
    yield Line(what=f"{machines:,} machines: the whole command", before=before, after=after, unit="cases")
    yield Line(what=f"{machines:,} machines: its peak of memory", before=peak_before, after=peak_after, unit="MB")
    for before, after in both.measure(first):
        yield Line(what=f"{machines:,} machines: to the first verdict", before=before, after=after, unit="cases")
    tell_digests(f"{machines:,} machines", *written[-2:])


def of_items(both: Both, case: float, machines: int) -> Iterator[Line]:
    """One case for each machine, over a run of one machine."""
    one, many = both.folder / "one", both.folder / "many"
    for folder, size in ((one, 1), (many, machines)):
        folder.mkdir()
        cases.write_estate(folder / "estate.jsonl", size)

    def item(_: Path) -> tuple[float, ...]:
        start, cost = (cases.cost_of(folder, cases.AS_USERS_HAVE_IT, plugins=True) for folder in (one, many))
        return ((cost.cpu - start.cpu) / cost.items / case,)

    for before, after in both.measure(item):
        yield Line(what="a case of ours", before=before, after=after, unit="cases")


def of_start(both: Both) -> Iterator[Line]:
    written: list[Mapping[str, str]] = []

    def start(_: Path) -> tuple[float, ...]:
        bare, demo, idle = cases.starts(both.folder, DEMO_CASES, 1)
        written.append(digests_of(both.folder / "reports"))
        return demo / bare, idle / bare

    what = ("README's main line", "a run of pytest without an estate")
    for name, (before, after) in zip(what, both.measure(start), strict=True):
        yield Line(what=name, before=before, after=after, unit=f"x {DEMO_CASES} bare cases")
    tell_digests("the demo", *written[-2:])


def whole_command(folder: Path) -> cases.Cost:
    shutil.rmtree(folder / "out", ignore_errors=True)
    return cases.cost_of(folder, reports.WHOLE, plugins=True)


def first_verdict(folder: Path) -> float:
    """Return the CPU seconds from the start of pytest to the first call of a rule."""
    (folder / "first_verdict.py").write_text(FIRST_VERDICT, encoding="utf-8")
    arguments = [sys.executable, "first_verdict.py", *cases.AS_USERS_HAVE_IT, "--hv-grain=server"]
    done = subprocess.run(arguments, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return float(done.stdout.rpartition("reached after ")[2])


# --- what was written -------------------------------------------------------------------------------------------------


MOMENT = re.compile(rb'"age_seconds": \d+|"decided": "[^"]+"|<dt>Gate decided</dt><dd>[^<]+')
"""What says when a run was."""


def digests_of(folder: Path) -> Mapping[str, str]:
    """Return the digest of each file in it, by its name, without the moment of the run."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    contents = {path.relative_to(folder).as_posix(): MOMENT.sub(b"", path.read_bytes()) for path in files}
    return {name: hashlib.sha256(content).hexdigest()[:12] for name, content in contents.items()}


def tell_digests(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Print whether both wrote the same files."""
    print(f"\n{what}, what was written:")
    for name in sorted(before.keys() | after.keys()):
        digests = [side.get(name, "not written") for side in (before, after)]
        print(f"  {name:24}" + ("  the same, " + digests[0] if len({*digests}) == 1 else f"  {' -> '.join(digests)}"))


def print_table(lines: Sequence[Line]) -> None:
    table = [("median (least-most)", "before", "after", "after / before"), *[line.cells() for line in lines]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    print()
    for cells in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path, help="a checkout of the older version")
    parser.add_argument("after", type=Path, nargs="?", default=HERE, help="the newer one (default: this one)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="N", help="machines")
    parser.add_argument("--runs", type=int, default=3, help="turns of each (default: 3)")
    asked = parser.parse_args()
    checkouts = [asked.before.resolve(), asked.after.resolve()]
    for checkout in checkouts:
        if not (checkout / "compliance" / "__init__.py").is_file():
            parser.error(f"{checkout}: no checkout of this project: it has no compliance/__init__.py")
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        cases.compile_apart(folder)
        both = Both(checkouts, folder, asked.runs)
        case = cases.cost_of_a_case(folder, BARE_CASES)
        lines = [*of_start(both), *of_items(both, case, asked.sizes[0])]
        one = both.starts()
        for machines in asked.sizes:
            lines += of_size(both, case, machines, one)
    print_table(lines)
    print(f"\nA case of bare pytest: {case * 1e6:.0f} µs.")
    for name, checkout in zip(("Before", "After"), checkouts, strict=True):
        print(f"{name}: {where(checkout)}")


if __name__ == "__main__":
    sys.exit(main())
