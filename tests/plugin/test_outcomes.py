"""docs/outcomes.md, cell by cell, by the real command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase

from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.clustered import UP, Cluster, cluster_source, node_source
from tests.hosts import Host, Vm, replica_of
from tests.running import ROOT, RunPytest

RULE = "failover-ip-needs-integration-services"
SQL = Vm(name="sql01")


def mute(name: str, **changes: object) -> Vm:
    return Vm(name=name, kvp=12, heartbeat=12, **changes)  # type: ignore[arg-type]


KNOWN = [SQL, mute("known01"), mute("changed01", offered=3)]
NOW = [SQL, *map(mute, ("known01", "changed01", "new01", "waived01", "ended01"))]
NOW += [Vm(name="lost01", kvp=13), Vm(name="excused01", kvp=13), Vm(name="plain01", nics=())]
RUNS = {
    "as it is": ("--hv-baseline", "before/results.json"),
    "mild": ("--hv-fail-at", "error", "--hv-severity-of", f"{RULE}=warning"),
    "lenient": (
        *("--hv-expired-waivers", "tell", "--hv-least-machines-judged", "0", "--hv-least-servers-read", "0"),
        *("--hv-partial-clusters", "tell"),
    ),
}
CLUSTER = Cluster(nodes={"HV11": UP, "HV12": UP}, machines=[(Vm(name="db01"), "HV11")])
SQL21 = Vm(name="sql21")
ALONE = Cluster(name="HVCL02", nodes={"HV21": UP, "HV22": UP})
OTHER_RULES = {"hvcl01": "cluster-was-read", "hv21": "server-was-read"}
ROWS = {  # the run and the case that show it
    "passed": ("as it is", "hv01/sql01"),
    "failed": ("as it is", "hv01/new01"),
    "failed, at a severity below `fail_at`": ("mild", "hv01/new01"),
    "failed, known in the baseline": ("as it is", "hv01/known01"),
    "failed, known, evidence changed": ("as it is", "hv01/changed01"),
    "failed, waived": ("as it is", "hv01/waived01"),
    "failed, its waiver has ended": ("as it is", "hv01/ended01"),
    "failed, its waiver has ended, `expired_waivers: tell`": ("lenient", "hv01/ended01"),
    "unknown, a machine": ("as it is", "hv01/lost01"),
    "unknown, a server that was not read": ("as it is", "hv03"),
    "unknown, at a severity below `fail_at`": ("mild", "hv01/lost01"),
    "unknown, a machine, tolerated by `least_machines_judged`": ("lenient", "hv01/lost01"),
    "unknown, a server, tolerated by `least_servers_read`": ("lenient", "hv03"),
    "unknown, a cluster that was not read whole": ("as it is", "hvcl01"),
    "unknown, a cluster, tolerated by `least_servers_read`": ("lenient", "hvcl01"),
    "unknown, a server alone whose cluster has other nodes": ("as it is", "hv21"),
    "the same, `partial_clusters: tell`": ("lenient", "hv21"),
    "unknown, waived machine by machine": ("as it is", "hv01/excused01"),
    "not applicable": ("as it is", "hv01/plain01"),
}


def waiver(machine: str, days: int) -> str:
    expires = f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"
    return f"- {{rule: {RULE}, machine: hv01/{machine}, reason: known, owner: anna, expires: {expires}}}\n"


WAIVERS = f"waivers:\n{waiver('waived01', 1)}{waiver('excused01', 1)}{waiver('ended01', -2)}"


def table() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "outcomes.md").read_text("utf-8")
    first = text.partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in first.splitlines() if line.startswith("| ")]
    return {cells[0]: cells[1:] for cells in rows[2:]}


def case(label: str, rule: str = RULE) -> str:
    return f"{rule}[{label}]"


class Run:
    """What one run said of each case, in each of its outputs."""

    def __init__(self, run_pytest: RunPytest, folder: Path, arguments: tuple[str, ...]) -> None:
        out, junit = folder / "out", folder / "out.xml"
        given = ("--snapshot", "now.jsonl", "--hv-waivers", "waivers.yaml", *arguments)
        told = run_pytest(folder, *given, "-v", "--hv-report-dir", out, "--junitxml", junit)
        self.words = dict(re.findall(r"^test::([\w-]+\[.+\]) ([A-Z]+)", told.stdout, re.MULTILINE))
        cases = [case for suite in JUnitXml.fromfile(str(junit)) for case in suite]
        self.junit: dict[str, TestCase] = {case.name: case for case in cases}
        run = json.loads((out / "results.sarif").read_text())["runs"][0]
        self.sarif = {case(one["message"]["text"].split(":")[0], one["ruleId"]): one for one in run["results"]}
        results = json.loads((out / "results.json").read_text())
        self.results = {case(one["label"], one["rule"]): one for one in results["results"]}
        self.passed = {case(label, one["rule"]) for one in results["passed"] for label in one["labels"]}

    def cells(self, case: str) -> list[str]:
        assert (case in self.passed) is not (case in self.results)
        result = self.results.get(case, {"result": None, "closes": 0})
        kept = f"`{result['result']}`" if result["result"] else "in `passed`"
        return [self.words[case].lower(), self._junit(case), self._sarif(case), kept, str(result["closes"])]

    def _junit(self, case: str) -> str:
        kinds = {Failure: "failure", Error: "error", Skipped: "skipped"}
        found = self.junit[case].result
        return kinds[type(found[0])] if found else "—"

    def _sarif(self, case: str) -> str:
        found: dict[str, Any] | None = self.sarif.get(case)
        if found is None:
            return "—"
        state = found.get("baselineState", "new")
        parts = [f"`{found['level']}`", *([f"`{state}`"] if state != "new" else [])]
        return ", ".join([*parts, *(["suppressed"] if found["suppressions"] else [])])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, run_pytest: RunPytest) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("outcomes")
    other = source(Host(name="HV02", vms=[replica_of(SQL)]))
    write_snapshot(snapshot(source(Host(name="HV01", vms=KNOWN)), other), folder / "before.jsonl")
    nodes = node_source(CLUSTER, "HV11", Vm(name="db01")), replace(unread_source("hv12"), cluster="hvcl01")
    servers = (
        source(Host(name="HV01", vms=NOW)),
        other,
        unread_source("hv03"),
        *nodes,
        node_source(ALONE, "HV21", SQL21, of=None),
    )
    write_snapshot(snapshot(*servers, clusters=[cluster_source(CLUSTER)]), folder / "now.jsonl")
    (folder / "waivers.yaml").write_text(WAIVERS)
    run_pytest(folder, "--snapshot", "before.jsonl", "--hv-report-dir", "before")
    return {name: Run(run_pytest, folder, arguments) for name, arguments in RUNS.items()}


def test_each_row_has_its_case() -> None:
    assert set(table()) == set(ROWS)


@pytest.mark.parametrize("outcome", ROWS)
def test_an_outcome_is_what_the_table_says(outcome: str, runs: dict[str, Run]) -> None:
    run, label = ROWS[outcome]
    assert runs[run].cells(case(label, OTHER_RULES.get(label, RULE))) == table()[outcome]


def test_what_is_below_the_gate_says_so_in_junit(runs: dict[str, Run]) -> None:
    case = runs["mild"].junit[f"{RULE}[hv01/new01]"]
    remarks = [one.get("value") for one in case._elem.iter("property") if one.get("name") == "remark"]
    assert [one.partition(":")[0] for one in remarks] == ["below the gate's severity (would fail)"]
