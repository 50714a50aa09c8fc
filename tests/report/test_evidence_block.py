"""The evidence block: what it says of a run, what it does not know, and which reports never have it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.judge.scope import Scope
from compliance.model import READ_AS
from compliance.plan import read_plan
from compliance.plugin.request import author_of
from compliance.report.evidence_block import NOT_RECORDED, evidence_block
from compliance.report.gate_json import gate_json
from compliance.report.origin import Origin
from compliance.report.table import Table
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import GuestReading, GuestRecord, Reading, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import NOW, Host, Vm
from tests.report.every import VERSIONS, WRITERS, every, hostile
from tests.running import RunPytest

CLOCK = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
ACCOUNT = {"account": "DR\\audit", "transport": "ntlm"}
READ = source(Host(vms=[Vm(name="sql01")]), **ACCOUNT)
assert isinstance(READ.reading, Reading)
SAID = replace(READ, name="hv02", reading=replace(READ.reading, notes=(f"{READ_AS}reader@DR.EXAMPLE",)))
OLD = source(Host(name="HV04"))
GUEST = GuestRecord(
    name="ssh://root@sql01",
    machines=("sql01",),
    account="root",
    transport="ssh",
    reading=GuestReading(started=NOW, finished=NOW + timedelta(seconds=3)),
)
FULL = replace(
    snapshot(READ, SAID, replace(unread_source("hv03"), account="DR\\audit", transport="ntlm"), OLD), guests=(GUEST,)
)


def facts(table: Table) -> dict[str, tuple[str, ...]]:
    return dict(evidence_block(table).facts)


def test_how_each_server_and_guest_was_read() -> None:
    rows = evidence_block(judge_snapshot(FULL, Scope())).logins
    began = f"{NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert [(one.name, one.kind, one.account, one.transport, one.started) for one in rows] == [
        ("hv01", "server", "DR\\audit", "ntlm", began),
        ("hv02", "server", "reader@DR.EXAMPLE", "ntlm", began),  # the login's own word goes first
        ("hv03", "server", "DR\\audit", "ntlm", "not read"),
        ("hv04", "server", NOT_RECORDED, NOT_RECORDED, began),
        ("ssh://root@sql01", "guest", "root", "ssh", began),
    ]
    assert rows[-1].finished == f"{NOW + timedelta(seconds=3):%Y-%m-%d %H:%M:%S} UTC"


def test_accounts_come_back_from_a_snapshot(tmp_path: Path) -> None:
    write_snapshot(FULL, tmp_path / "x.jsonl.gz")
    again = read_snapshot(tmp_path / "x.jsonl.gz")
    assert again == FULL
    assert evidence_block(judge_snapshot(again, Scope())).logins == evidence_block(judge_snapshot(FULL, Scope())).logins


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz"])
def test_the_digest_is_that_of_the_file(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    written = write_snapshot(FULL, path)
    assert written.digest == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert read_snapshot(path).files == (written,)
    planned = read_plan(None, [str(path)])
    assert planned.snapshot
    assert (
        facts(judge_snapshot(planned.snapshot, Scope(), planned))["Snapshot"][0]
        == f"read from {path} ({written.digest})"
    )


def test_who_ran_it_and_by_which_clock_the_gate_was_decided() -> None:
    found = judge_snapshot(FULL, Scope(), now=CLOCK, author="anna@runner01")
    assert facts(found)["Run by"] == ("anna@runner01",)
    assert facts(found)["Gate decided"] == ("2026-11-30 01:02:03 UTC, by this machine's clock",)
    alone = judge_snapshot(FULL, Scope())
    assert facts(alone)["Run by"] == ("not named",)
    assert facts(alone)["Gate decided"][0].endswith("by the snapshot's own time, not a clock")


@pytest.mark.parametrize(("option", "author"), [("off", ""), ("OFF", ""), ("pipeline 4711", "pipeline 4711")])
def test_the_author_is_what_the_option_says(option: str, author: str) -> None:
    assert author_of(option) == author
    assert "@" in author_of(None)


def test_waivers_and_what_is_weaker() -> None:
    block = evidence_block(every())
    assert [(one.place, one.state, one.met_a_finding) for one in block.waivers] == [
        ("waivers.yaml:2", "in force", True),
        ("waivers.yaml:8", "ended", True),
        ("waivers.yaml:14", "ending", True),
        ("waivers.yaml:20", "in force", False),
    ]
    assert block.waivers[0].covers == "rule guest-answers; machine hv01/waived01"
    known = dict(block.facts)
    assert known["Weaker than by default"] == ("nothing",)
    assert known["Policy"][0].startswith("fail_at: warning, least_servers_read: 100, ")


def test_it_changes_no_report_that_stays_the_same_whenever_it_is_written() -> None:
    found = every()
    origin = judge_snapshot(FULL, Scope(), now=CLOCK, author="anna@runner01").origin
    for name in ("results.json", "results.csv", "summary.md"):
        assert WRITERS[name](replace(found, origin=origin)) == WRITERS[name](found)
    run = json.loads(gate_json(replace(found, origin=origin), VERSIONS))["run"]
    assert (run["author"], run["decided"]) == ("anna@runner01", "2026-11-30T01:02:03+00:00")
    assert run["logins"][0] == {
        "server": "hv01",
        "account": "DR\\audit",
        "transport": "ntlm",
        "from": NOW.isoformat(),
        "to": NOW.isoformat(),
    }


def test_nothing_is_known_of_a_table_that_no_run_made() -> None:
    run = json.loads(gate_json(every(origin=Origin()), VERSIONS))["run"]
    assert (run["author"], run["decided"], run["logins"]) == (None, None, [])


@pytest.mark.parametrize("text", ["x\x1b[2J\n\u202e\u2028y\ud800", "<img src=x onerror=alert(1)>"])
def test_all_of_it_is_printable(text: str) -> None:
    strange: Snapshot = replace(FULL, servers=(replace(READ, account=text, transport=text),), tool=text)
    origin = judge_snapshot(strange, Scope(), now=CLOCK, author=text).origin
    block = evidence_block(replace(hostile(text), origin=origin))
    rows = (*block.logins, *block.waivers)
    texts = [line for _, lines in block.facts for line in lines]
    texts += [str(getattr(row, name)) for row in rows for name in row.__slots__]
    assert all(one.isprintable() for one in texts)


def test_a_run_says_who_ran_it_in_gate_json(tmp_path: Path, run_pytest: RunPytest) -> None:
    path = tmp_path / "x.jsonl"
    digest = write_snapshot(FULL, path).digest
    arguments = ("--snapshot", "x.jsonl", "--hv-save", "y.jsonl", "--hv-report-dir", "out")
    run_pytest(tmp_path, *arguments)
    run = json.loads((tmp_path / "out" / "gate.json").read_text())["run"]
    assert run["author"] == author_of(None)
    assert run["clock"] == "this machine's clock"
    assert run["snapshots"] == [{"name": "x.jsonl", "digest": digest}]
    saved = f"sha256:{hashlib.sha256((tmp_path / 'y.jsonl').read_bytes()).hexdigest()}"
    assert run["saved"] == {"name": "y.jsonl", "digest": saved}
    run_pytest(tmp_path, *arguments, "--hv-author", "off")
    assert json.loads((tmp_path / "out" / "gate.json").read_text())["run"]["author"] is None
