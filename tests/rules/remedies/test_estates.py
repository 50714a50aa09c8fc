"""Whatever is found in the estates of the tests has the remedy of its cause. What a rule on servers, clusters or the
estate finds without one has its rule's own text.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.errors import SnapshotError
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.judge.readiness import Word
from compliance.judge.scope import Scope
from compliance.model import Server
from compliance.report.actions import actions
from compliance.report.terminal import summary
from compliance.rule import Outcome, Result, Severity, failed, passed, rule
from compliance.rules.remedies.command import Remedy
from compliance.rules.remedies.remedy import REMEDIES, remedy_of
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Snapshot
from tests.report.tables import showing
from tests.report.tables import table as table_of
from tests.running import ROOT

FAILED = Result.FAILED
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
    outcomes = [(one.verdict.rule, one.verdict.outcome) for one in table.decisions]
    findings = [(rule, one) for rule, one in outcomes if one.result in (Result.FAILED, Result.UNKNOWN)]
    without = [(rule, outcome) for rule, outcome in findings if outcome.cause not in REMEDIES]
    assert [(rule.key, one) for rule, one in without if rule.of_machines or one.cause or one.result is not FAILED] == []
    open_machines = [one for one in table.readiness if one.word in (Word.NOT_READY, Word.UNKNOWN, Word.READY_IF)]
    assert [machine for machine in open_machines if machine.remedy is None] == []


# --- a rule that can fail in one way ----------------------------------------------------------------------------------


@rule(
    "server-has-a-version",
    severity=Severity.WARNING,
    title="A server says its version",
    impact="None.",
    resolution="Ask the server for its version.\n\nOr leave it.",
    violated="have no version that the tests like",
)
def server_has_a_version(server: Server) -> Outcome:
    return failed(f"version {server.version}") if server.version else passed()


def test_a_rule_without_a_cause_is_shown_by_its_own_words() -> None:
    """So one that can fail in one way only stands in its own file, and in no list of causes, words or remedies."""
    estate = translate(SNAPSHOTS["lab.jsonl.gz"])
    table = showing(table_of(estate), judge(estate, [server_has_a_version]))
    finding = next(one.verdict for one in table.decisions if one.verdict.outcome.result is FAILED)
    assert finding.outcome.cause == ""
    assert remedy_of(finding) == Remedy("Ask the server for its version.")
    lines = "".join(actions(table)).removeprefix("\ufeff")
    row = next(row for row in csv.DictReader(io.StringIO(lines)) if row["server"] == finding.server)
    assert (row["cause"], row["what_is_wrong"]) == ("server-has-a-version", "have no version that the tests like")
    assert row["remedy"] == "Ask the server for its version."
    assert any(line.text.endswith("have no version that the tests like") for line in summary(table))
