"""What becomes of a cluster behind the translator: snapshots, differences, the gate, selection, reports, copies."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from compliance.audit import judge_snapshot
from compliance.commands.doctor.record.anonymous import anonymised
from compliance.diff.compare import Audit, Fate, compare
from compliance.errors import SnapshotError
from compliance.gate.baseline import finding_of
from compliance.gate.exits import Exit
from compliance.gate.policy import DEFAULT
from compliance.gate.waivers import read_waivers
from compliance.hyperv.estate import translate
from compliance.hyperv.queries import RESOURCES
from compliance.inventory.includes import limited
from compliance.inventory.limit import Limit
from compliance.inventory.own_file import inventory_of
from compliance.judge.judge import all_rules, judge
from compliance.judge.scope import Scope
from compliance.model import Cluster as ClusterSubject
from compliance.model import Estate, Unread
from compliance.plan import Plan
from compliance.report.annotations import workflow_commands
from compliance.report.csv_rows import csv_rows
from compliance.report.page.page import page
from compliance.report.results import results
from compliance.report.sarif import sarif
from compliance.report.summary import summary
from compliance.report.table import Table
from compliance.report.terminal import summary as terminal
from compliance.report.text import details
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot, join_snapshots
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.clustered import Cluster, cluster_source, node_source
from tests.comparing import changes, entry_of, fates, flips
from tests.hosts import Host, Vm, replica_of
from tests.running import ROOT
from tests.simulator.snapshots import estate_and_servers

SQL = Vm(name="sql01", hosts=(("hv01.dr.example", "hv09.dr.example"),))
WEB = Vm(name="web01", hosts=(("hv02.dr.example", "hv09.dr.example"),), kvp=12, heartbeat=12)
WHOLE = Cluster(machines=[(SQL, "HV01"), (WEB, "HV02")], broker="hvbroker")
SCHEMA = json.loads((ROOT / "compliance/report/results.schema.json").read_text("utf-8"))
UNREAD = Unread("refused")


def found(**placed: Vm) -> Snapshot:
    placed = placed or {"HV01": SQL, "HV02": WEB}
    nodes = [node_source(WHOLE, name, *([placed[name]] if name in placed else [])) for name in WHOLE.nodes]
    other = source(Host(name="HV09", vms=[replica_of(SQL)]))
    return snapshot(*nodes, other, clusters=[cluster_source(WHOLE)])


def unread() -> Snapshot:
    stand_in = ServerRecord(name="hvcl01", cluster="hvcl01", reading=UNREAD)
    other = source(Host(name="HV09", vms=[replica_of(SQL)]))
    return snapshot(stand_in, other, clusters=[ServerRecord(name="hvcl01", reading=UNREAD)])


def audit(taken: Snapshot) -> Audit:
    estate = translate(taken)
    return Audit(estate=estate, verdicts=judge(estate))


# --- snapshots --------------------------------------------------------------------------------------------------------


def test_a_snapshot_without_a_cluster_is_as_it_was(tmp_path: Path) -> None:
    write_snapshot(snapshot(source(Host(name="HV01", vms=[SQL]))), tmp_path / "s.jsonl")
    assert b"cluster" not in (tmp_path / "s.jsonl").read_bytes()


@pytest.mark.parametrize("taken", [found(), unread()], ids=["read", "unread"])
def test_a_snapshot_with_one_comes_back_whole(taken: Snapshot, tmp_path: Path) -> None:
    write_snapshot(taken, tmp_path / "s.jsonl.gz")
    assert read_snapshot(tmp_path / "s.jsonl.gz") == taken


def test_the_simulator_plays_its_nodes_as_nodes(tmp_path: Path) -> None:
    write_snapshot(found(), tmp_path / "s.jsonl")
    _, servers = estate_and_servers(tmp_path / "s.jsonl")
    assert [(one.name, "root/mscluster" in one.played.namespaces) for one in servers] == [
        ("hv01", True),
        ("hv02", True),
        ("hv03", True),
        ("hv09", False),
    ]


def test_a_tool_that_knows_no_clusters_refuses_the_file(tmp_path: Path) -> None:
    """An older version reads as many lines as the header has servers; it can't take a cluster for nothing."""
    path = tmp_path / "s.jsonl"
    write_snapshot(found(), path)
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head.replace(',"clusters":1', ""), *lines, ""]))
    with pytest.raises(SnapshotError, match="more lines than the header's 4 servers"):
        read_snapshot(path)


@pytest.mark.parametrize("count", ["2", "0", "-1", "null", "true", '"1"'])
def test_a_header_that_miscounts_its_clusters_is_damaged(count: str, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    write_snapshot(found(), path)
    path.write_text(path.read_text().replace('"clusters":1', f'"clusters":{count}'))
    with pytest.raises(SnapshotError):
        read_snapshot(path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"clusters": ()}, "servers as its nodes, but not the cluster itself"),
        ({"servers": ()}, "no server as its node"),
    ],
)
def test_half_a_cluster_is_damaged(change: dict[str, object], told: str, tmp_path: Path) -> None:
    """Its own word alone tells that a machine is missing: without it, nodes would pass as servers that are whole."""
    path = tmp_path / "half.jsonl"
    write_snapshot(replace(found(), **change), path)  # type: ignore[arg-type]
    with pytest.raises(SnapshotError, match=rf"damaged: of the cluster 'hvcl01' it has {told}$"):
        read_snapshot(path)


def test_the_same_cluster_in_two_snapshots_is_told() -> None:
    alone = replace(found(), servers=())
    with pytest.raises(SnapshotError, match="'hvcl01' is also in a"):
        join_snapshots([(Path("a"), alone), (Path("b"), alone)])
    other = snapshot(unread_source("hv77"))
    assert join_snapshots([(Path("a"), other), (Path("b"), unread())]).clusters == unread().clusters


# --- differences ------------------------------------------------------------------------------------------------------


def test_a_machine_that_moved_between_nodes_neither_went_nor_came() -> None:
    difference = compare(audit(found()), audit(found(HV03=SQL, HV02=WEB)))
    assert fates(difference) == {}
    entry = entry_of(difference, "hvcl01/sql01")
    assert (changes(entry), flips(entry)) == ([("node", "", "hv01", "hv03")], [])
    assert not difference.is_worse


def test_a_machine_that_moved_and_failed_over_is_the_same_one() -> None:
    difference = compare(audit(found()), audit(found(HV03=replica_of(SQL), HV02=WEB)))
    assert "hvcl01/sql01" not in fates(difference)
    assert ("role", "", "primary", "replica") in changes(entry_of(difference, "hvcl01/sql01"))


def test_a_machine_that_no_node_shows_any_more_is_not_known() -> None:
    difference = compare(audit(found()), audit(found(HV02=WEB)))
    assert fates(difference) == {"hvcl01/sql01": Fate.LOST}
    entry = entry_of(difference, "hvcl01")
    assert (entry.kind, flips(entry)) == ("cluster", ["passed -> unknown"])
    assert difference.is_worse


def test_what_an_unread_cluster_held_is_not_known() -> None:
    difference = compare(audit(found()), audit(unread()))
    assert fates(difference) == dict.fromkeys(["hv01", "hv02", "hv03", "hvcl01/sql01", "hvcl01/web01"], Fate.LOST)
    assert entry_of(difference, "hv01").reason == "the nodes of hvcl01 are not known in the later audit"
    assert difference.is_worse
    back = compare(audit(unread()), audit(found(HV01=SQL)))
    assert set(fates(back).values()) == {Fate.KNOWN_NOW}


def test_an_identity_stays_when_a_machine_moves() -> None:
    def identities(taken: Snapshot) -> set[str]:
        return {one.identity for verdict in judge(translate(taken)) if (one := finding_of(verdict))}

    assert identities(found()) == identities(found(HV01=SQL, HV03=WEB))


def test_each_cluster_has_an_identity_of_its_own() -> None:
    both = snapshot(
        *(ServerRecord(name=name, cluster=name, reading=UNREAD) for name in ("a", "b")),
        clusters=[ServerRecord(name=name, reading=UNREAD) for name in ("a", "b")],
    )
    findings = [finding_of(one) for one in judge(translate(both)) if one.rule.subject in (ClusterSubject, Estate)]
    assert len({one.identity for one in findings if one}) == len(findings) == 3


# --- the gate and selection -------------------------------------------------------------------------------------------


EVERYTHING = Scope()


def table(taken: Snapshot, scope: Scope = EVERYTHING, **policy: object) -> Table:
    plan = Plan(estate="test", name_as_typed="lab.yaml", policy=replace(DEFAULT, **policy))  # type: ignore[arg-type]
    return judge_snapshot(taken, scope, plan, now=datetime(2026, 11, 2, 7, tzinfo=UTC))


def partly() -> Snapshot:
    """One of three nodes was not read."""
    whole = found(HV01=SQL, HV02=replace(WEB, kvp=2, heartbeat=2))
    return replace(
        whole, servers=(*whole.servers[:2], replace(unread_source("hv03"), cluster="hvcl01"), whole.servers[3])
    )


def test_a_cluster_in_doubt_closes_the_gate() -> None:
    gate = table(partly()).gate
    assert gate.code is Exit.NOT_JUDGED
    assert "hvcl01: 1 of its 3 nodes could not be read: hv03 (refused)" in [reason.text for reason in gate.reasons]


def test_what_may_be_missing_of_servers_may_be_missing_of_clusters() -> None:
    assert table(partly(), least_servers_read=75, least_machines_judged=0).gate.is_open
    assert not table(partly(), least_servers_read=76, least_machines_judged=0).gate.is_open


def test_no_number_of_servers_read_makes_up_for_what_a_cluster_did_not_tell() -> None:
    """All its nodes were read: 100 % of the servers, and nobody knows which virtual machines they should have."""
    taken = found()
    (told,) = taken.clusters
    assert isinstance(told.reading, Reading)
    reading = replace(told.reading, again={**told.reading.again, RESOURCES: Unread("refused")})
    silent = replace(taken, clusters=(replace(told, reading=reading),))
    for scope in (EVERYTHING, Scope(sites=("none",)), Scope(machines=("none",))):
        gate = table(silent, scope, least_servers_read=1).gate
        assert Exit.NOT_JUDGED in [reason.code for reason in gate.reasons], scope


@pytest.mark.parametrize("key", ["server", "machine"])
def test_a_waiver_knows_a_cluster_by_its_name(key: str, tmp_path: Path) -> None:
    pattern = {"server": "hvcl01", "machine": "hvcl01/web01"}[key]
    told = f"waivers: [{{rule: '*', {key}: {pattern}, reason: a, owner: b, expires: 2027-01-01}}]"
    (tmp_path / "waivers.yaml").write_text(told)
    file = read_waivers(tmp_path / "waivers.yaml", [rule.key for rule in all_rules()])
    plan = Plan(estate="test", name_as_typed="lab.yaml", waiver_files=(file,))
    assert not table(found()).gate.is_open
    assert judge_snapshot(found(), EVERYTHING, plan, now=datetime(2026, 11, 2, 7, tzinfo=UTC)).gate.is_open


@pytest.mark.parametrize(
    ("scope", "labels"),
    [
        (Scope(servers=("hvcl01",)), {"hvcl01", "hv01", "hv02", "hv03", "hvcl01/sql01", "hvcl01/web01"}),
        (Scope(servers=("hv02",)), {"hv02", "hvcl01/web01"}),
        (Scope(machines=("hvcl01/sql01",)), {"hvcl01/sql01"}),
        (Scope(machines=("sql01",)), {"hvcl01/sql01", "hv09/sql01"}),
    ],
)
def test_selection_knows_a_cluster_by_its_name(scope: Scope, labels: set[str]) -> None:
    assert {verdict.label.partition("/eth-")[0] for verdict in table(found(), scope).verdicts} == labels


# --- reports ----------------------------------------------------------------------------------------------------------


def test_every_report_tells_the_cluster_and_the_node() -> None:
    made = table(found(HV02=WEB))  # sql01 is expected, and nowhere
    told = json.loads("".join(results(made)))
    jsonschema.validate(told, SCHEMA)
    web = next(one for one in told["results"] if one["label"] == "hvcl01/web01")
    assert (web["server"], web["cluster"], web["result"]) == ("hv02", "hvcl01", "failed")
    (cluster,) = told["clusters"]
    assert (cluster["nodes"], cluster["machines"]) == (["hv01", "hv02", "hv03"], 2)
    rows = list(csv.DictReader(io.StringIO("".join(csv_rows(made)).removeprefix("\ufeff"))))
    assert {(row["server"], row["cluster"], row["virtual_machine"]) for row in rows if row["virtual_machine"]} == {
        ("hv02", "hvcl01", "web01"),
        ("hv01", "hvcl01", "sql01"),
        ("hv09", "", "sql01"),
    }
    assert "hvcl01/web01 (primary on hv02): " in "\n".join(map(str, terminal(made, 300)))
    assert "`hvcl01/web01` (primary on `hv02`" in summary(made)
    failed = next(one for one in made.verdicts if one.label == "hvcl01/web01" and one.outcome.result == "failed")
    assert "Virtual machine: web01 (primary) on hv02, a node of hvcl01" in details(failed)
    kinds = [
        [place["kind"] for place in finding["locations"][0]["logicalLocations"]]
        for finding in json.loads(sarif(made))["runs"][0]["results"]
    ]
    assert ["cluster", "server", "virtual machine"] in [kind[:3] for kind in kinds]
    assert "1 of its 2 virtual machines stood on no node: sql01" in page(made)


def test_a_limit_chooses_clusters_as_it_chooses_servers() -> None:
    text = "clusters: [{name: a, groups: [x]}, {name: b}]\nservers: [{name: s}]\ndefaults: {credential: audit}\n"
    whole = inventory_of(Path("lab.yaml"), text.encode())
    one = limited(whole, Limit(pattern="x"))
    assert ([*one.servers, *map(str, one.clusters)], set(one.left_out)) == (["a"], {"b", "s"})


def test_findings_point_at_the_clusters_line() -> None:
    text = b"clusters:\n- name: hvcl01.dr.example\n  credential: audit\n- name: hvcl01\n  credential: audit\n"
    lines = inventory_of(Path("lab.yaml"), text).lines
    assert lines == {"hvcl01.dr.example": 2, "hvcl01": 4}
    made = replace(table(found(HV02=WEB)), file="lab.yaml", lines=lines)
    regions = {
        one["locations"][0]["physicalLocation"]["region"]["startLine"]
        for one in json.loads(sarif(made))["runs"][0]["results"]
    }
    assert 4 in regions
    assert any("line=4" in command for command in workflow_commands(made))


# --- copies for strangers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", ["nested", "text"])
def test_an_anonymous_copy_is_judged_alike_and_names_nobody(spelled: str, tmp_path: Path) -> None:
    cluster = replace(WHOLE, spelled=spelled)
    taken = found()
    taken = replace(taken, clusters=(cluster_source(cluster, later=replace(cluster, machines=[(SQL, "HV03")])),))
    copy = anonymised(taken)

    def judged_alike(one: Snapshot) -> Counter[tuple[str, str]]:
        return Counter((verdict.rule.key, str(verdict.outcome.result)) for verdict in judge(translate(one)))

    assert judged_alike(copy) == judged_alike(taken)
    assert anonymised(copy) == copy
    path = tmp_path / "copy.jsonl"
    write_snapshot(copy, path)
    text = path.read_text().casefold()
    for name in (
        "hvcl01",
        "hv01",
        "hv03",
        "sql01",
        "web01",
        "hvbroker",
        "clusterstorage",
        "vmstorerootpath",
        SQL.id.casefold(),
    ):
        assert name not in text, name
    (source_,) = copy.clusters
    assert isinstance(source_.reading, Reading)
    names = {str(row["Name"]).casefold() for row in source_.reading.classes["MSCluster_Node"]}  # type: ignore[union-attr]
    assert names == {server.name for server in copy.servers[:3]}
