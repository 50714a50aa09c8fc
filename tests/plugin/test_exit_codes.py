"""The contract of the exit codes, by the real command: pipelines act on these numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from compliance.gate.baseline import FORMAT, VERSION, finding_of
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.canary import CANARY
from tests.hosts import Host, Vm, replica_of
from tests.lab import closed_port
from tests.running import RunPytest

RULE = "failover-ip-needs-integration-services"
SQL = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
LOST = Vm(name="lost01", kvp=13)
NEW = Vm(name="new01", kvp=12, heartbeat=12)
OTHER_SIDE = source(Host(name="HV02", vms=[replica_of(SQL)]))


def estate(*vms: Vm) -> Snapshot:
    return snapshot(source(Host(name="HV01", vms=[SQL, *vms])), OTHER_SIDE)


SNAPSHOTS = {
    "healthy": estate(),
    "violated": estate(MUTE),
    "newly": estate(MUTE, NEW),
    "lost": estate(LOST),
    "both": estate(MUTE, LOST),
    "half": snapshot(*estate().servers, unread_source("hv03", "connection refused")),
    "dead": snapshot(unread_source("hv01"), unread_source("hv02")),
    "none": snapshot(source(Host(vms=[Vm(name="x", mode=0)]))),
    "incomplete": replace(estate(), complete=False),
}


def day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def waiver(machine: str, expires: str, *rules: str) -> str:
    entries = (
        f"- rule: {rule}\n  machine: {machine}\n  reason: known\n  owner: anna\n  expires: {expires}\n"
        for rule in rules or (RULE,)
    )
    return "".join(["waivers:\n", *entries])


def baseline(of: Snapshot, **changes: object) -> str:
    found = [(one, finding) for one in judge(translate(of)) if (finding := finding_of(one))]
    results = [
        {
            "result": verdict.outcome.result.value,
            "identity": finding.identity,
            "evidence_digest": finding.evidence,
            "rule": finding.rule,
            "label": finding.label,
            "server": finding.server,
        }
        for verdict, finding in found
    ]
    head = {"format": FORMAT, "version": VERSION, "estate": "test", "complete": True, "scope": "", "unread_servers": []}
    return json.dumps({**head, "results": results, **changes})


FILES = {
    "ended.yaml": waiver("hv01/mute01", day(-1)),
    "tomorrow.yaml": waiver("hv01/mute01", day(1)),
    "lost.yaml": waiver("hv01/lost01", day(1), RULE, "guest-can-apply-failover-ip"),
    "pattern.yaml": waiver("hv01/lost*", day(1)),
    "date.yaml": waiver("hv01/mute01", "2026-13-01"),
    "known.json": baseline(SNAPSHOTS["violated"]),
    "foreign.json": baseline(SNAPSHOTS["violated"], estate="other"),
    "partial.json": baseline(SNAPSHOTS["violated"], complete=False),
    "narrow.json": baseline(SNAPSHOTS["violated"], scope="--hv-vm x"),
    "blind.json": baseline(SNAPSHOTS["violated"], unread_servers=["hv03"]),
    "empty.json": "{}",
    "mild.yaml": f"fail_at: error\nseverity: {{{RULE}: warning}}\n",
    "policy.yaml": "fail_att: error\n",
    "servers.yaml": "servers: []\n",
    "nothing.yaml": "",
    "allowed.yaml": "snapshot: none.jsonl\nmay_be_empty: true\n",
    "down.yaml": f"servers: [{{name: hv01, address: 127.0.0.1, port: {closed_port()}, credential: audit}}]\n",
    "test_ok.py": "def test_ok(): pass\n",
    "test_bad.py": "def test_bad(): assert False\n",
    "test_import.py": "import nosuchmodule\n",
    "test_interrupt.py": "def test_interrupt(): raise KeyboardInterrupt\n",
    "test_exit.py": "import pytest\ndef test_exit(): pytest.exit('enough', returncode=7)\n",
    "test_death.py": "import os\ndef test_death(): os._exit(9)\n",
    "broken_plugin.py": "def pytest_runtest_logfinish(): raise RuntimeError\n",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("codes")
    for name, value in SNAPSHOTS.items():
        write_snapshot(value, found / f"{name}.jsonl")
    for name, text in FILES.items():
        (found / name).write_text(text)
    (found / "damaged.jsonl").write_bytes((found / "healthy.jsonl").read_bytes()[:-40])
    return found


def given(name: str, *more: str) -> tuple[str, ...]:
    return ("--snapshot", f"{name}.jsonl", *more)


LOGIN = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": CANARY}
SITUATIONS: list[tuple[str, Sequence[str], int, str]] = [
    # the gate
    ("healthy", given("healthy"), 0, "The gate is open (exit code 0)."),
    ("violated", given("violated"), 1, "1 finding at or above `warning`"),
    ("a machine not judged", given("lost"), 10, "1 of 2 replicated virtual machines could not be judged"),
    ("violated and not judged", given("both"), 1, "1 of 3 replicated virtual machines could not be judged"),
    ("a server not read", given("half"), 10, "1 of 3 servers could not be judged: hv03"),
    ("no server read", given("dead"), 10, "2 of 2 servers could not be judged"),
    ("no server answers", ("--inventory", "down.yaml"), 10, "1 of 1 server could not be judged: hv01"),
    ("no replicated machine", given("none"), 10, "replicated virtual machine"),
    ("no replicated machine, allowed", ("--inventory", "allowed.yaml"), 0, "The gate is open"),
    ("incomplete", given("incomplete"), 10, "the snapshot is incomplete"),
    ("too old", given("healthy", "--hv-oldest-snapshot", "0.001"), 10, "old at most"),
    ("old enough", given("healthy", "--hv-oldest-snapshot", "87600"), 0, "The gate is open"),
    # policy
    ("below the severity", given("violated", "--hv-policy", "mild.yaml"), 0, "only error closes the gate"),
    ("raised again", given("violated", "--hv-policy", "mild.yaml", "--hv-fail-at", "warning"), 1, "counts as warning"),
    ("servers may miss", given("half", "--hv-least-servers-read", "60"), 0, "40 % of the servers may be unknown"),
    ("too many miss", given("half", "--hv-least-servers-read", "70"), 10, "1 of 3 servers could not be judged"),
    ("machines may miss", given("lost", "--hv-least-machines-judged", "50"), 0, "of the machines may be unknown"),
    (
        "policy with a mistake",
        given("healthy", "--hv-policy", "policy.yaml"),
        4,
        "policy.yaml:1: fail_att: unknown key",
    ),
    ("policy missing", given("healthy", "--hv-policy", "no.yaml"), 4, "no.yaml: can't be read"),
    ("option out of range", given("healthy", "--hv-least-servers-read", "101"), 4, "expected at most 100"),
    ("severity of no rule", given("healthy", "--hv-severity-of", "x=error"), 4, "no rule is called `x`"),
    ("severity without a word", given("healthy", "--hv-severity-of", RULE), 4, "got nothing"),
    # waivers
    ("waived to the end of tomorrow", given("violated", "--hv-waivers", "tomorrow.yaml"), 0, "ends within 14 days"),
    (
        "waived until yesterday",
        given("violated", "--hv-waivers", "ended.yaml"),
        11,
        "the waiver of 1 finding has ended",
    ),
    (
        "waived past its end",
        given("violated", "--hv-waivers", "ended.yaml", "--hv-expired-waivers", "tell"),
        0,
        "waivers hold past their end",
    ),
    ("ended, and not judged", given("both", "--hv-waivers", "ended.yaml"), 10, "the waiver of 1 finding has ended"),
    ("not judged, waived exactly", given("lost", "--hv-waivers", "lost.yaml"), 0, "waived (unknown): known"),
    ("not judged, waived by pattern", given("lost", "--hv-waivers", "pattern.yaml"), 10, "met no finding"),
    ("waiver unused", given("healthy", "--hv-waivers", "tomorrow.yaml"), 0, "met no finding"),
    (
        "waiver unused, strict",
        given("healthy", "--hv-waivers", "tomorrow.yaml", "--hv-unused-waivers", "fail"),
        4,
        "1 waiver met no finding: tomorrow.yaml:2",
    ),
    ("waivers missing", given("healthy", "--hv-waivers", "no.yaml"), 4, "no.yaml: can't be read"),
    (
        "waiver on no day",
        given("violated", "--hv-waivers", "date.yaml"),
        4,
        "date.yaml:6: waivers[0].expires: expected a day",
    ),
    # baseline
    ("known", given("violated", "--hv-baseline", "known.json"), 0, "known in the baseline (would fail)"),
    ("known and new", given("newly", "--hv-baseline", "known.json"), 1, "1 finding at or above"),
    ("known and gone", given("healthy", "--hv-baseline", "known.json"), 0, "Fixed since the baseline (1): hv01/mute01"),
    ("baseline of another estate", given("violated", "--hv-baseline", "foreign.json"), 4, "of the estate 'other'"),
    ("baseline incomplete", given("violated", "--hv-baseline", "partial.json"), 4, "from an incomplete run"),
    ("baseline narrowed", given("violated", "--hv-baseline", "narrow.json"), 4, "from a narrowed run"),
    ("baseline of a blind run", given("violated", "--hv-baseline", "blind.json"), 4, "could not read hv03"),
    ("baseline missing", given("violated", "--hv-baseline", "no.json"), 4, "no.json: can't be read"),
    ("baseline that is none", given("violated", "--hv-baseline", "empty.json"), 4, "no results of hyperv-compliance"),
    # files
    ("inventory missing", ("--inventory", "no.yaml"), 4, "no.yaml: can't be read"),
    ("inventory empty", ("--inventory", "nothing.yaml"), 4, "nothing.yaml:1: "),
    ("inventory without servers", ("--inventory", "servers.yaml"), 4, "expected at least one server"),
    ("snapshot missing", given("no"), 4, "no.jsonl: can't be read"),
    ("snapshot damaged", given("damaged"), 4, "damaged.jsonl:"),
    ("option without an estate", ("--hv-baseline", "known.json", "test_ok.py"), 4, "--hv-baseline needs an estate"),
    # scope and pytest's own selection
    ("nothing in scope", given("healthy", "--hv-rule", "nosuch"), 4, "nothing was selected"),
    ("narrowed to the good", given("violated", "--hv-vm", "sql*"), 0, "Only a part was judged: --hv-vm sql*"),
    ("-k nosuch", given("healthy", "-k", "nosuch"), 4, "cases were judged, but not run by pytest"),
    ("-k to the good", given("violated", "-k", "sql01"), 1, "cases were judged, but not run by pytest"),
    ("-x", given("both", "-x"), 1, "cases were judged, but not run by pytest"),
    ("--deselect all that fails", given("violated", "--deselect", f"test::{RULE}"), 1, "1 finding at or above"),
    ("xdist", given("both", "-n", "2"), 1, "1 finding at or above"),
    ("without our session", given("violated", "-p", "no:compliance.plugin.session", "test_ok.py"), 4, "unjudged"),
    ("without the gate's end", given("incomplete", "-p", "no:compliance.plugin.ending", "test_ok.py"), 4, "unjudged"),
    ("without pytest's debugger", given("healthy", "-p", "no:debugging"), 0, "The gate is open"),
    ("--collect-only", given("violated", "--collect-only"), 0, "mute01"),
    ("--help", given("violated", "--help"), 0, "--hv-fail-at"),
    # beside users' own tests
    ("own test passes", given("healthy", "test_ok.py"), 0, " passed"),
    ("own test fails", given("healthy", "test_bad.py"), 1, "a test of your own failed"),
    ("own test fails beside what was not judged", given("lost", "test_bad.py"), 1, "could not be judged"),
    ("own test can't be imported", given("violated", "test_import.py"), 2, "nosuchmodule"),
    ("interrupted", given("healthy", "test_interrupt.py"), 2, "KeyboardInterrupt"),
    ("own test ends the run", given("violated", "test_exit.py"), 1, "enough"),
    ("worker killed", given("healthy", "-n", "2", "test_death.py"), 3, "crashed"),
    ("internal error", given("violated", "-p", "broken_plugin"), 3, "INTERNALERROR"),
]


FIRST = {code: name for name, _, code, _ in reversed(SITUATIONS)}
"""The first situation of each code starts a Python of its own, as a pipeline does; so does the one with a plugin from
the folder. The others fork from a process that has loaded pytest."""
FRESH = {*FIRST.values(), "internal error"}


@pytest.mark.parametrize(("name", "arguments", "code", "message"), SITUATIONS, ids=[case[0] for case in SITUATIONS])
def test_a_situation_ends_with_its_code(
    name: str, arguments: Sequence[str], code: int, message: str, folder: Path, tmp_path: Path, run_pytest: RunPytest
) -> None:
    fresh = {"PYTHONPATH": str(folder)} if name in FRESH else {}
    run = run_pytest(folder, *arguments, "--hv-report-dir", tmp_path, env={**LOGIN, **fresh})
    assert run.returncode == code, run.stdout[-3000:] + run.stderr[-2000:]
    assert message in run.stdout + run.stderr, run.stdout[-3000:] + run.stderr[-2000:]
    if code == 4 and "The gate is" not in run.stdout:
        assert "Traceback" not in run.stdout + run.stderr
    check_gate_json(tmp_path, run, is_judged=not {"--help", "--collect-only"} & {*arguments})


def check_gate_json(folder: Path, run: CompletedProcess[str], *, is_judged: bool) -> None:
    """It says what the process ended with, and the terminal says the same."""
    assert (folder / "gate.json").exists() is is_judged
    if is_judged:
        gate = json.loads((folder / "gate.json").read_text())
        assert (gate["exit_code"], gate["open"]) == (run.returncode, run.returncode == 0), gate["reasons"]
        assert bool(gate["reasons"]) is not gate["open"]
        if "The gate is" in run.stdout:
            assert f"(exit code {run.returncode})" in run.stdout
            assert all(one["text"] in run.stdout for one in gate["reasons"])
        elif run.returncode == 4:
            assert all(one["text"] in run.stderr for one in gate["reasons"])


WAYS = [(), ("-n", "2"), ("-x",), ("-p", "cacheprovider", "--lf"), ("-k", "sql01"), ("--maxfail=2",)]


@pytest.mark.parametrize("way", WAYS)
def test_however_it_is_run_the_gate_is_the_same(way: Sequence[str], folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, *given("both"), *way)
    assert run.returncode == 1
    start = run.stdout.index("The gate is closed")
    assert run.stdout[start:].startswith(
        "The gate is closed (exit code 1).\n"
        f"  - 1 finding at or above `warning`: {RULE} (1)\n"
        "  - 1 of 3 replicated virtual machines could not be judged\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device without room is Linux's")
def test_what_was_read_is_kept_where_there_is_room(folder: Path, tmp_path: Path, run_pytest: RunPytest) -> None:
    """The place that was named has room when it is tried, and none hours later."""
    env = {**LOGIN, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}  # a process of its own, with its own TMPDIR
    run = run_pytest(folder, "--inventory", "down.yaml", "--hv-save", "/dev/full", env=env)
    assert run.returncode == 4
    (kept,) = tmp_path.glob("hyperv-compliance-*/full")
    assert f"/dev/full: can't be written: No space left on device; what was read is in {kept}" in run.stderr
    assert kept.parent.stat().st_mode & 0o077 == 0
    assert [source.name for source in read_snapshot(kept).servers] == ["hv01"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device without room is Linux's")
def test_a_snapshot_that_is_there_already_is_kept_nowhere_else(folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, *given("healthy"), "--hv-save", "/dev/full")
    assert (run.returncode, "what was read is in" in run.stderr) == (4, False)
