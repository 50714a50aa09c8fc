"""What Windows' Python writes is what Linux' writes: `python -m tests.both_sides WINDOWS_PYTHON`, started on Linux.

The same inventories and the same servers, which the simulator plays over TLS and over sealed NTLM, are audited by both;
what Windows saved is judged by both. Reports and snapshots must be equal byte for byte, but for what says when and by
which Python it was done.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, Snapshot
from tests.running import ROOT
from tests.simulator.__main__ import PASSWORD, USERNAME, inventory_text
from tests.simulator.server import Simulator
from tests.simulator.snapshots import estate_and_servers

EQUAL = ("results.json", "results.csv", "results.sarif", "summary.md")
"""The rest of the folder, report.html and gate.json, name Python's version and the age of what was judged."""
INVENTORIES = ("inventories/demo.yaml", "inventories/demo-guests.yaml", "tests/lab.yaml")
LIVE = (("https", "basic"), ("https", "ntlm"), ("http", "ntlm"))
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
REWRITE = (
    "import pathlib, sys; from compliance.snapshot.read import read_snapshot; "
    "from compliance.snapshot.write import write_snapshot; "
    "write_snapshot(read_snapshot(pathlib.Path(sys.argv[1])), pathlib.Path(sys.argv[2]))"
)
PATIENCE = 300.0
"""Seconds for one run, on a busy machine."""


@dataclass(frozen=True)
class Side:
    """A Python of one system, and how its files begin there."""

    name: str
    python: str
    environ: dict[str, str]

    def run(self, *arguments: str | Path, folder: Path, may_end: Sequence[int] = (0, 1, 10)) -> int:
        """Return the exit code. SystemExit where it is another one."""
        command = [self.python, *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode not in may_end:
            sys.exit(f"{self.name}: exit code {done.returncode} of {command}:\n{done.stdout.decode(errors='replace')}")
        return done.returncode


def audit(sides: Sequence[Side], folder: Path, *arguments: str | Path) -> None:
    """Run pytest on both sides, and hold their reports beside each other."""
    codes = [
        side.run(
            "-m", "pytest", "-q", "-p", "no:cacheprovider", "--hv-report-dir", side.name, *arguments, folder=folder
        )
        for side in sides
    ]
    expect(codes[0] == codes[1], f"exit codes {codes}", *arguments)
    for name in EQUAL:
        content = [(folder / side.name / name).read_bytes() for side in sides]
        expect(content[0] == content[1] != b"", f"{name} differs", *arguments)
    report(f"equal: exit code {codes[0]}, {', '.join(EQUAL)} of {' '.join(map(str, arguments))}")


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def expect(is_true: bool, what: str, *arguments: str | Path) -> None:
    if not is_true:
        sys.exit(f"not equal: {what}: {' '.join(map(str, arguments))}")


@contextmanager
def played(scheme: str, auth: str, folder: Path) -> Iterator[None]:
    """Play the demo's servers, and write their inventory into the folder."""
    estate, servers = estate_and_servers(ROOT / "inventories" / "demo.jsonl.gz")
    simulators = [Simulator(one.played, scheme=scheme, auth=auth, users={USERNAME: PASSWORD}) for one in servers]
    for simulator in simulators:
        simulator.__enter__()
    try:
        text = inventory_text(estate, list(zip(servers, simulators, strict=True)))
        (folder / "live.yaml").write_text(text, encoding="utf-8")
        yield
    finally:
        for simulator in simulators:
            simulator.__exit__(None, None, None)


def rows(snapshot: Snapshot) -> list[object]:
    """Return what the servers answered, without the times."""
    return [
        (server.name, server.site, server.groups, server.reading.classes, server.reading.again, server.reading.version)
        if isinstance(server.reading, Reading)
        else (server.name, server.reading)
        for server in snapshot.servers
    ]


def live(sides: Sequence[Side], folder: Path, scheme: str, auth: str) -> None:
    """Read the servers on both sides, and judge on both what Windows saved."""
    with played(scheme, auth, folder):
        for side in sides:
            side.run(
                "-m", "pytest", "-q", "--inventory", "live.yaml", "--hv-save", f"{side.name}.jsonl.gz", folder=folder
            )
    files = [folder / f"{side.name}.jsonl.gz" for side in sides]
    ours, theirs = (rows(read_snapshot(file)) for file in files)
    expect(ours == theirs != [], "what the servers answered", scheme, auth)
    expect(len(ours) == sum(len(one) > 2 for one in ours), "a server was not read", scheme, auth)
    report(f"equal: the rows of {len(ours)} servers, read live over {scheme} by {auth}")
    audit(sides, folder, "--snapshot", files[-1].name)


def snapshots(sides: Sequence[Side], folder: Path, source: Path) -> None:
    """Read a snapshot and write it anew on both sides: not compressed, which is zlib's version's own business."""
    for side in sides:
        side.run("-c", REWRITE, os.path.relpath(source, folder), f"{side.name}.jsonl", folder=folder)
    content = [(folder / f"{side.name}.jsonl").read_bytes() for side in sides]
    expect(content[0] == content[1] != b"", "a snapshot that was written anew", source)
    report(f"equal: {len(content[0]):,} bytes of {source.name}, written anew")


def main(windows_python: str) -> None:
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COMPLIANCE_", "HV_"))
    }
    login = {"COMPLIANCE_DEMO_USERNAME": USERNAME, "COMPLIANCE_DEMO_PASSWORD": PASSWORD}
    sides = (
        Side("linux", sys.executable, {**environ, **login, "PYTHONPATH": str(ROOT)}),
        Side("windows", windows_python, {**environ, **login, "PYTHONPATH": "Z:" + str(ROOT).replace("/", "\\")}),
    )
    with tempfile.TemporaryDirectory(prefix="beide Seiten ß ") as name:
        folder = Path(name)
        for inventory in INVENTORIES:
            audit(sides, folder, "--inventory", os.path.relpath(ROOT / inventory, folder))
        for source in sorted((ROOT / "inventories").glob("*.jsonl.gz")):
            snapshots(sides, folder, source)
        for scheme, auth in LIVE:
            live(sides, folder, scheme, auth)


if __name__ == "__main__":
    main(sys.argv[1])
