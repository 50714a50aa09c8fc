"""Whatever is found in the estates of the tests has the remedy of its cause, and none falls back to its rule's text."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.errors import SnapshotError
from compliance.judge.readiness import Word
from compliance.judge.scope import Scope
from compliance.rule import Result
from compliance.rules.remedies.remedy import REMEDIES
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Snapshot
from tests.running import ROOT

FOLDERS = (ROOT / "tests" / "cases" / "data", ROOT / "inventories", ROOT / "tests")
FILES = sorted(path for folder in FOLDERS for path in folder.glob("*.jsonl*"))


def snapshot_of(path: Path) -> Snapshot | None:
    """Return it; None for a file that is no snapshot, on purpose."""
    try:
        return read_snapshot(path)
    except SnapshotError:
        return None


SNAPSHOTS = {path.name: snapshot for path in FILES if (snapshot := snapshot_of(path))}


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_each_finding_has_the_remedy_of_its_cause(name: str) -> None:
    table = judge_snapshot(SNAPSHOTS[name], Scope())
    outcomes = [(one.verdict.rule.key, one.verdict.outcome) for one in table.decisions]
    found = [(key, one) for key, one in outcomes if one.result in (Result.FAILED, Result.UNKNOWN)]
    assert [(key, outcome) for key, outcome in found if outcome.cause not in REMEDIES] == []
    open_machines = [one for one in table.readiness if one.word in (Word.NOT_READY, Word.UNKNOWN, Word.READY_IF)]
    assert [machine for machine in open_machines if machine.remedy is None] == []
