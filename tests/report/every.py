"""One small table with every outcome, waiver and state, over rules of its own: what the writers' golden files tell.

``python -m tests.report.every`` writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from compliance.gate.baseline import Baseline, Finding, finding_of
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT, Policy
from compliance.gate.waivers import Waiver, WaiverEntry, WaiverFile
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.model import Cluster, Estate, ReplicatedVM, Role, Server, Unread
from compliance.report.actions import actions
from compliance.report.annotations import workflow_commands
from compliance.report.csv_rows import csv_rows
from compliance.report.gate_json import gate_json
from compliance.report.results import results
from compliance.report.sarif import sarif
from compliance.report.summary import summary
from compliance.report.table import Table
from compliance.rule import Outcome, Result, Severity, failed, not_applicable, passed, rule, unknown
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from tests.hosts import NOW
from tests.report.tables import mute_machine

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = {"hyperv-compliance": "0.1.0", "python": "3.11.7", "pytest": "9.2.0"}
LATER = datetime(2027, 6, 1, tzinfo=UTC)


@rule(
    "guest-answers",
    severity=Severity.ERROR,
    title="The guest answers",
    issue="Some guests don't.",
    impact="They keep their address.",
    resolution="Install it.\n\nThen look again.",
    violated="would keep the primary's address",
    link="https://example.org/rule",
    quoted=True,
)
def guest_answers(vm: ReplicatedVM) -> Outcome:
    # On one server alone: a hostile text, which is a server's name as well, is never taken for a kind.
    kind = vm.machine.name.rstrip("0123456789") if vm.machine.server.startswith("hv") else ""
    if kind in ("lost", "excused"):
        return unknown("the guest is off", evidence="nothing")
    if kind == "plain":
        return not_applicable("no failover address is configured")
    if kind == "good":
        return passed(evidence="answer of the guest")
    told = failed("the guest never answered", evidence="answer of the guest")
    facts = {ADDRESSES_NOW: ("10.1.0.20", "fe80::1"), BPA: ("compliant",), "Cores": ("4",)}
    return replace(told, facts=facts, remarks=("its clock is late",))


@rule("has-note", severity=Severity.INFORMATION, title="It has a note", impact="None.", resolution="Write one.")
def has_note(vm: ReplicatedVM) -> Outcome:
    return failed("no note") if str(vm.machine) == "hv01/good01" else passed()


@rule(
    "was-read",
    severity=Severity.ERROR,
    title="The server was read",
    impact="Not seen.",
    resolution="Look there.",
    judges_unread=True,
)
def was_read(server: Server) -> Outcome:
    return unknown(f"{server.unread.why}: {server.unread}") if server.unread else passed()


RULES = (guest_answers, was_read, has_note)
MACHINES = ("good01", "bad01", "known01", "changed01", "waived01", "ended01", "lost01", "excused01", "plain01")


def waiver(place: str, machine: str, ends: datetime) -> Waiver:
    entry = {
        "rule": "guest-answers",
        "machine": machine,
        "reason": "replaced in June",
        "owner": "anna",
        "expires": f"{ends - timedelta(days=1):%Y-%m-%d}",
        "ticket": "CHG-1",
    }
    return Waiver(place=place, entry=WaiverEntry.model_validate(entry), ends=ends)


WAIVERS = WaiverFile(
    name="waivers.yaml",
    digest="sha256:aa",
    waivers=(
        waiver("waivers.yaml:2", "hv01/waived01", LATER),
        waiver("waivers.yaml:8", "hv01/ended01", NOW),
        waiver("waivers.yaml:14", "hv01/excused01", NOW + timedelta(days=3)),
        waiver("waivers.yaml:20", "hv01/nobody", LATER),
    ),
)


def estate() -> Estate:
    machines = [mute_machine(name, "hv01", guid=f"{number:08d}") for number, name in enumerate(MACHINES)]
    other = mute_machine("good02", "hv02", cluster="hvcl01", guid="00000009", role=Role.REPLICA)
    servers = (
        Server(name="hv02", cluster="hvcl01", host_name="HV02", version="10.0.20348"),
        Server(name="hv01", site="berlin", groups=("sql", "web"), remarks=("its clock is 7 minutes ahead",)),
        Server(name="hv03", cluster="hvcl01", unread=Unread("connection refused")),
    )
    cluster = Cluster(
        name="hvcl01",
        own_name="HVCL01",
        nodes=("hv02", "hv03"),
        expected=1,
        doubts=("1 of its 2 nodes could not be read: hv03 (connection refused)",),
        remarks=("by its own word hv02 is paused",),
    )
    return Estate(name="lab", time=NOW, servers=servers, clusters=(cluster,), replicated=(*machines, other))


def _baseline(found: Estate) -> Baseline:
    known = {one.label: finding for one in judge(found, RULES) if (finding := finding_of(one))}
    changed = replace(known["hv01/changed01"], evidence="0" * 32)
    gone = Finding(identity="f" * 32, evidence="e" * 32, rule="guest-answers", label="hv01/gone01", server="hv01")
    findings = {one.identity: one for one in (known["hv01/known01"], changed, gone)}
    return Baseline(name="known.json", digest="sha256:bb", findings=findings)


def every(policy: Policy = DEFAULT, **changes: object) -> Table:
    found = estate()
    grounds = Grounds(policy=policy, now=NOW, waivers=WAIVERS.waivers, baseline=_baseline(found))
    decisions, gate = decide(judge(found, RULES), found, grounds)
    known: dict[str, object] = {
        "tool": "hyperv-compliance 0.1.0",
        "inventory": "inventories/lab.yaml",
        "inventory_digest": "sha256:cc",
        "file": "inventories/lab.yaml",
        "lines": {"hv01": 3, "hv02": 5, "hv03": 7},
        "policy": policy,
        "waiver_files": (WAIVERS,),
        "baseline": grounds.baseline,
    }
    known["readiness"] = readiness_of(found, judge(found))
    return Table(estate=found, decisions=decisions, gate=gate, **{**known, **changes})  # type: ignore[arg-type]


def hostile(text: str) -> Table:
    """The same text wherever a host, a guest, an inventory or a waiver may write."""
    found = every()
    machine = mute_machine(text, text, guid=text, role=Unread(text))
    outcome = Outcome(Result.FAILED, text, text, remarks=(text,), facts=dict.fromkeys((ADDRESSES_NOW, BPA), (text,)))
    servers = (
        Server(name=text, host_name=text, site=text, groups=(text,), version=text, insecure=text, remarks=(text,)),
        Server(name=f"{text}2", unread=Unread(text)),
        Server(name=f"{text}3", doubt=text),
    )
    other = Estate(name=text, time=NOW, servers=servers, replicated=(machine,))
    texts = dict.fromkeys(("reason", "owner", "ticket", "approved_by"), text)
    first = WAIVERS.waivers[0]
    one = replace(first, place=text, entry=first.entry.model_copy(update={"machine": None, "server": ("*",), **texts}))
    verdicts = [
        replace(verdict, outcome=replace(outcome, result=verdict.outcome.result))
        for verdict in judge(other, RULES)
        if verdict.outcome.result is not Result.PASSED
    ]
    verdicts += [replace(verdict, rule=replace(has_note)) for verdict in verdicts]  # not waived
    gone = Finding(identity="f" * 32, evidence="e" * 32, rule="guest-answers", label=text, server=text)
    baseline = Baseline(name=text, digest=text, findings={gone.identity: gone})
    grounds = Grounds(policy=DEFAULT, now=NOW, waivers=(one,), baseline=baseline)
    decisions, gate = decide(verdicts, other, grounds)
    file = WaiverFile(name=text, digest=text, waivers=(one,))
    named = {"tool": text, "inventory": text, "inventory_digest": text, "file": text, "scope": text}
    readiness = tuple(replace(one, guid=text, name=text, reason=text, today=text) for one in found.readiness)
    weighed = {"waiver_files": (file,), "baseline": baseline}
    return replace(
        found, estate=other, decisions=decisions, gate=gate, readiness=readiness, lines={}, **weighed, **named
    )


WRITERS: Mapping[str, Callable[[Table], str]] = {
    "results.json": lambda table: "".join(results(table)),
    "results.sarif": sarif,
    "results.csv": lambda table: "".join(csv_rows(table)),
    "actions.csv": lambda table: "".join(actions(table)),
    "summary.md": summary,
    "gate.json": lambda table: gate_json(table, VERSIONS),
    "annotations.txt": lambda table: "\n".join(workflow_commands(table)) + "\n",
}

if __name__ == "__main__":
    for name, writer in WRITERS.items():
        (GOLDEN / name).write_bytes(writer(every()).encode())
        sys.stdout.write(f"{GOLDEN / name}\n")
