"""``hyperv-compliance diff`` as a user runs it: another process, its exit code, and what it printed."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from compliance.snapshot.snapshot import Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import Host, Vm, replica_of
from tests.running import LAB, ROOT

SQL = Vm(name="sql01 東京")
GOOD = snapshot(source(Host(vms=[SQL])), source(Host(name="HV02", vms=[replica_of(SQL)])))
RENAMED = snapshot(source(Host(vms=[replace(SQL, name="sql99", guid=SQL.id)])), GOOD.servers[1])
BAD = snapshot(source(Host(vms=[replace(SQL, offered=3)])), GOOD.servers[1])
BLIND = snapshot(GOOD.servers[0], unread_source("hv02"))


def diff(folder: Path, *arguments: str | Path, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "compliance", "diff", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def written(folder: Path, **snapshots: Snapshot) -> None:
    for name, one in snapshots.items():
        write_snapshot(one, folder / name)


@pytest.mark.parametrize(
    ("after", "code", "says"),
    [
        (GOOD, 0, "Nothing changed, and every outcome is as it was."),
        (RENAMED, 0, "name: sql01 東京 -> sql99"),
        (BAD, 1, "Data Exchange: offered -> switched off"),
        (BLIND, 1, "reading: read -> not known (refused)"),
    ],
    ids=["same", "renamed", "worse", "less read"],
)
def test_the_exit_code_says_whether_it_is_worse(after: Snapshot, code: int, says: str, tmp_path: Path) -> None:
    written(tmp_path, a=GOOD, b=after)
    run = diff(tmp_path, "a", "b")
    assert (run.returncode, run.stderr) == (code, "")
    assert says in run.stdout
    back = diff(tmp_path, "b", "a", "--json")
    assert (back.returncode, json.loads(back.stdout)["is_worse"]) == (0, False)


def test_the_demo_does_not_differ_from_itself() -> None:
    demo = LAB.parent / "lab.jsonl.gz"
    run = diff(ROOT, demo, demo)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith("demo: Nothing changed")


MISTAKES = {
    "no file": (["a", "nowhere"], "nowhere: can't be read: No such file or directory"),
    "a folder": ([".", "a"], ".: can't be read: Is a directory"),
    "damaged": (["a", "cut.gz"], "cut.gz: damaged: the compressed data ends early or is broken"),
    "foreign": (["foreign", "a"], "foreign:1: not a snapshot of hyperv-compliance"),
    "of two estates": (["a", "other"], "two estates can't be compared: `test` and `other`"),
    "one file": (["a"], "the following arguments are required: AFTER (see hyperv-compliance diff --help)"),
    "two forms": (["--json", "--markdown", "a", "b"], "argument --markdown: not allowed with argument --json (see "),
    "an unknown option": (["a", "a", "--html"], "unrecognized arguments: --html (see "),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line(case: str, tmp_path: Path) -> None:
    written(tmp_path, a=GOOD, other=replace(GOOD, estate="other"))
    (tmp_path / "foreign").write_text('{"format": "something else"}\n')
    (tmp_path / "cut.gz").write_bytes(gzip.compress((tmp_path / "a").read_bytes())[:-20])
    arguments, says = MISTAKES[case]
    run = diff(tmp_path, *arguments)
    assert (run.returncode, run.stdout) == (4, "")
    (line,) = run.stderr.splitlines()
    assert line.startswith(f"ERROR: {says}")


@pytest.mark.parametrize("form", ["--json", "--markdown", ""])
def test_what_travels_is_the_same_bytes_wherever_it_is_made(form: str, tmp_path: Path) -> None:
    """Into a pipe as into a file, whatever letters the machine is used to."""
    written(tmp_path, a=GOOD, b=BAD)
    made = {diff(tmp_path, "a", "b", *form.split(), encoding=encoding).stdout for encoding in ("utf-8", "cp437")}
    run = diff(tmp_path, "a", "b", *form.split(), "--out", "was ändert.txt", encoding="cp850")
    assert (run.returncode, run.stdout, run.stderr) == (1, "was ändert.txt: written\n", "")
    assert made == {(tmp_path / "was ändert.txt").read_bytes().decode()}
    assert ("東京" in made.pop()) is (form != "--json")


def test_the_file_that_is_written_is_none_that_is_read(tmp_path: Path) -> None:
    written(tmp_path, a=GOOD, b=BAD)
    before = (tmp_path / "a").read_bytes()
    run = diff(tmp_path, "a", "b", "--out", "a")
    assert (run.returncode, run.stderr) == (4, "ERROR: --out a: is what is read; name another file\n")
    assert (tmp_path / "a").read_bytes() == before
