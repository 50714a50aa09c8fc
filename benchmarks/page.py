"""What the page for people costs at 50,000 virtual machines: its size, and the time of a browser to open and to use it.

    python -m benchmarks.page                     # 50,000 machines, 18 rules
    python -m benchmarks.page --machines 5000 --keep page.html

An estate of 1,000 machines is judged and copied, each copy with names, GUIDs and addresses of its own. Needs Chromium.
Aims: at most 5 MB, 1 s until the first row stands, 0.1 s for anything that is clicked or typed.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from compliance.gate.decision import Decision
from compliance.judge.readiness import Readiness
from compliance.model import FailoverAddress, ReplicaAdapter, ReplicatedVM, Server, VirtualMachine
from compliance.report.page.page import page
from compliance.report.table import Table
from compliance.rule import Verdict
from tests.devtools import Chromium
from tests.report.large import with_rules

AT_ONCE = 1_000
"""Machines of the estate that is copied."""
RULES = 18
AIMS = {"MB": 5.0, "open": 1000.0}
WAITING = 120.0
"""Milliseconds for which a search waits for the next key."""
AIM = 100.0
"""Milliseconds for anything else."""


def copies(table: Table, times: int) -> Table:
    """Return the table of so many copies of an estate, in which nothing but rules and texts is shared."""
    made = [_Copy(table, number) for number in range(times)]
    estate = replace(table.estate, servers=tuple(server for copy in made for server in copy.servers.values()))
    return replace(
        table,
        estate=replace(estate, replicated=tuple(vm for copy in made for vm in copy.sides.values())),
        decisions=tuple(decision for copy in made for decision in copy.decisions),
        readiness=tuple(row for copy in made for row in copy.readiness),
    )


class _Copy:
    """One copy of all servers, sides, decisions and rows."""

    def __init__(self, table: Table, number: int) -> None:
        self.number = number
        self.servers: Mapping[str, Server] = {
            server.name: replace(server, name=self._server(server.name)) for server in table.estate.servers
        }
        self.sides = {id(vm): replace(vm, machine=self._machine(vm.machine)) for vm in table.estate.replicated}
        self.decisions = [self._decision(one) for one in table.decisions]
        verdicts = {id(old.verdict): new.verdict for old, new in zip(table.decisions, self.decisions, strict=True)}
        self.readiness = [self._row(row, verdicts) for row in table.readiness]

    def _server(self, name: str) -> str:
        return f"{name}-{self.number:02d}" if name else ""

    def _address(self, text: str) -> str:
        return text.replace("10.", f"{11 + self.number}.", 1) if text.startswith("10.") else text

    def _machine(self, machine: VirtualMachine) -> VirtualMachine:
        settings = tuple(self._setting(one) for one in machine.settings)
        return replace(
            machine,
            server=self._server(machine.server),
            name=f"{machine.name}-{self.number:02d}",
            guid=f"{self.number:08X}{machine.guid[8:]}",
            failover=settings if isinstance(machine.failover, tuple) else machine.failover,
        )

    def _setting(self, setting: FailoverAddress) -> FailoverAddress:
        return replace(setting, addresses=tuple(map(self._address, setting.addresses)))

    def _decision(self, decision: Decision) -> Decision:
        verdict = self._verdict(decision.verdict)
        is_same = decision.reported is decision.verdict
        return replace(decision, verdict=verdict, reported=verdict if is_same else self._verdict(decision.reported))

    def _verdict(self, verdict: Verdict) -> Verdict:
        subject = verdict.subject
        match subject:
            case ReplicatedVM():
                subject = self.sides[id(subject)]
            case ReplicaAdapter():
                subject = replace(subject, vm=self.sides[id(subject.vm)])
            case Server():
                subject = self.servers[subject.name]
        outcome = verdict.outcome
        words = " ".join(map(self._address, outcome.finding.split(" ")))
        return replace(
            verdict,
            subject=subject,
            label=f"{verdict.label}-{self.number:02d}",
            outcome=replace(outcome, finding=words),
        )

    def _row(self, row: Readiness, verdicts: Mapping[int, Verdict]) -> Readiness:
        sides = tuple(self.sides[id(vm)] for vm in row.sides)
        return replace(
            row,
            guid=sides[0].machine.guid,
            name=sides[0].machine.name,
            primary=self._server(row.primary),
            replica=self._server(row.replica),
            failover_addresses=tuple(map(self._address, row.failover_addresses)),
            today=self._address(row.today),
            reason=" ".join(map(self._address, row.reason.split(" "))),
            sides=sides,
            verdict=verdicts.get(id(row.verdict)) if row.verdict else None,
        )


# --- in a browser -----------------------------------------------------------------------------------------------------

FIELD = (
    "(() => {{ const field = document.querySelector('[name={0}]'); {1}; field.dispatchEvent(new Event('{2}')); }})()"
)
FIRST = FIELD.format("cause", "field.selectedIndex = 1", "change")
TYPE = FIELD.format("text", "field.value = 'sql0012'", "input")
CLEAR = "document.getElementById('clear').click()"
COLUMNS = ("name", "from", "address", "today", "reason", "remedy", "ready")
STEPS: Sequence[tuple[str, str]] = (
    ("a count", "document.querySelector('[data-ready=unknown]').click()"),
    ("clear the filters", CLEAR),
    ("filter by site", FIELD.format("arriving", "field.value = 'frankfurt'", "change")),
    ("filter by server", FIELD.format("server", "field.value = 'fra-hv003-01'", "change")),
    ("clear again", CLEAR),
    ("filter by cause", FIRST),
    ("clear once more", CLEAR),
    *((f"sort by {name}", f"document.querySelector('[data-sort={name}]').click()") for name in COLUMNS),
    ("all directions", FIELD.format("direction", "field.value = 'all'", "change")),
    ("open a row", "document.querySelector('.opener').click()"),
    ("show more", "document.querySelector('.more').click()"),
    *((f"tab {number}", f"document.querySelectorAll('#views button')[{number}].click()") for number in (1, 2, 3, 0)),
)
OPENED = "document.querySelector('.side')"
TIMED = """
new Promise((go) => {{
  const start = performance.now();
  {0};
  const look = () => {{
    if ({1}) requestAnimationFrame(() => setTimeout(() => go(performance.now() - start)));
    else setTimeout(look, 1);
  }};
  look();
}})
"""


def measure(chromium: Chromium, path: Path) -> dict[str, tuple[float, float]]:
    """Return milliseconds for each thing that a reader does, by the clock and of CPU; the best of three each."""
    found: dict[str, tuple[float, float]] = {}

    def time_it(name: str, act: Callable[[], float | None]) -> None:
        cpu, start = chromium.cpu(), time.perf_counter()
        by_page = act()
        took = (time.perf_counter() - start) * 1000 if by_page is None else by_page
        best = found.get(name, (1e9, 1e9))
        spent = chromium.cpu() - (0 if name == "open" else cpu)  # a page that is opened has a process of its own
        found[name] = min(best[0], took), min(best[1], spent)

    def click(script: str, done: str, waiting: float = 0) -> Callable[[], float]:
        return lambda: float(chromium.run(TIMED.format(script, done))) - waiting

    for _ in range(3):
        chromium.size(1280, 900)
        time_it("open", lambda: chromium.open(path))
        chromium.run("new Promise((go) => setTimeout(go, 2000))")
        for name, script in STEPS:
            time_it(name, click(script, OPENED if name == "open a row" else "true"))
        status = "document.getElementById('status').textContent"
        time_it("type", click(TYPE, f"{status} !== {chromium.run(status)!r}", WAITING))
    return found


def written(machines: int) -> str:
    """Return the page of so many machines."""
    return page(copies(with_rules(min(AT_ONCE, machines), RULES), max(machines // AT_ONCE, 1)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=50_000)
    parser.add_argument("--keep", type=Path, help="write the page there")
    options = parser.parse_args()
    browser = shutil.which("chromium")
    start = time.process_time()
    table = copies(with_rules(min(AT_ONCE, options.machines), RULES), max(options.machines // AT_ONCE, 1))
    took = time.process_time() - start
    print(f"{len(table.readiness):,} rows, {len(table.decisions):,} verdicts, made in {took:.1f} s CPU", flush=True)
    gc.freeze()
    start = time.process_time()
    text = page(table)
    size = len(text.encode()) / 1e6
    print(f"written in {time.process_time() - start:.1f} s CPU: {size:.2f} MB (aim: {AIMS['MB']})", flush=True)
    if browser is None:
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path = options.keep or Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        with Chromium(browser, Path(folder)) as chromium:
            for name, (took, cpu) in measure(chromium, path.absolute()).items():
                print(f"{name:28}{took:8.0f} ms, {cpu:6.0f} ms of CPU (aim: {AIMS.get(name, AIM):.0f})")
            print(f"mistakes: {chromium.mistakes}")


if __name__ == "__main__":
    main()
