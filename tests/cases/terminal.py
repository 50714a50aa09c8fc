"""What the terminal says of each input: `python -m tests.cases.terminal` writes the texts anew."""

from __future__ import annotations

import os
from pathlib import Path

from compliance.audit import judge_snapshot
from compliance.errors import SnapshotError
from compliance.judge.scope import Scope
from compliance.report.terminal import summary
from compliance.snapshot.read import read_snapshot
from tests.cases.inputs import DATA

TEXTS = Path(__file__).with_name("terminal")
INPUTS = sorted(path.name for path in DATA.iterdir() if ".jsonl" in path.name)


def text_of(name: str) -> str:
    """Return what is printed at 80 columns with `-v`, or the mistake where the file is refused."""
    try:
        table = judge_snapshot(read_snapshot(DATA / name), Scope())
    except SnapshotError as error:
        return f"{str(error).removeprefix(f'{DATA}{os.sep}')}\n"
    return "".join(f"{line}\n" for line in summary(table, 80, most=None))


def text_file(name: str) -> Path:
    return TEXTS / f"{name.partition('.')[0]}.txt"


if __name__ == "__main__":
    for one in INPUTS:
        text_file(one).write_text(text_of(one), encoding="utf-8")
