"""A cluster's word held against its nodes': what is missing is told, what stands twice is judged once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import MOST_NODES, Nodes, nodes_of, private_properties
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Cluster as TranslatedCluster
from compliance.model import Estate, Judging, Unread
from compliance.rule import Result
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from tests.builders import snapshot, source, unread_source
from tests.clustered import DOWN, NESTED, PAUSED, TEXT, UP, Cluster, cluster_source, node_source
from tests.hosts import Host, Vm, replica_of

SQL = Vm(name="sql01", hosts=(("hv01.dr.example", "hv09.dr.example"),))
WEB = Vm(name="web01", hosts=(("hv02.dr.example", "hv09.dr.example"),))
WHOLE = Cluster(machines=[(SQL, "HV01"), (WEB, "HV02")])
IP = "failover-ip-needs-integration-services"


def nodes(*placed: tuple[str, Vm], cluster: Cluster = WHOLE) -> list[ServerRecord]:
    return [node_source(cluster, name, *[vm for on, vm in placed if on == name]) for name in cluster.nodes]


def estate(sources: list[ServerRecord], *clusters: ServerRecord, given: Judging = Judging()) -> Estate:
    return translate(snapshot(*sources, clusters=clusters or [cluster_source(WHOLE)], settings=given))


def outcomes(found: Estate, rule: str = IP) -> dict[str, tuple[str, str]]:
    return {one.label: (str(one.outcome.result), one.outcome.finding) for one in judge(found) if one.rule.key == rule}


def the(found: Estate) -> TranslatedCluster:
    (cluster,) = found.clusters
    return cluster


BOTH = [("HV01", SQL), ("HV02", WEB)]


def test_a_whole_cluster_passes_and_names_its_machines() -> None:
    found = estate(nodes(*BOTH))
    assert outcomes(found, "cluster-was-read") == {
        "hvcl01": ("passed", "3 nodes, and each of its 2 clustered virtual machines was seen")
    }
    assert {label: result for label, (result, _) in outcomes(found).items()} == {
        "hvcl01/sql01": "passed",
        "hvcl01/web01": "passed",
    }
    assert [(str(vm.machine), vm.machine.server) for vm in found.replicated] == [
        ("hvcl01/sql01", "hv01"),
        ("hvcl01/web01", "hv02"),
    ]
    assert the(found).remarks == ()
    # Nobody says that hv03 may be empty: the cluster does.
    assert {label: result for label, (result, _) in outcomes(found, "server-was-read").items()} == {
        "hv01": "passed",
        "hv02": "passed",
        "hv03": "passed",
    }


@pytest.mark.parametrize("spelled", [NESTED, TEXT])
def test_what_is_expected_and_seen_nowhere_is_unknown(spelled: str) -> None:
    cluster = replace(WHOLE, spelled=spelled)
    found = estate(nodes(("HV01", SQL), cluster=cluster), cluster_source(cluster))
    result, finding = outcomes(found)["hvcl01/web01"]
    assert result == "unknown"
    assert finding == "its cluster expects it (online, hv02 owns it), but no node showed it, not even at the end"
    assert outcomes(found)["hvcl01/sql01"][0] == "passed"
    assert outcomes(found, "cluster-was-read") == {
        "hvcl01": ("unknown", "1 of its 2 virtual machines stood on no node: web01")
    }
    for rule in {verdict.rule for verdict in judge(found)}:
        assert all(
            verdict.outcome.result is Result.UNKNOWN
            for verdict in judge(found, [rule])
            if verdict.machine and verdict.machine.name == "web01"
        )


def test_what_is_expected_only_at_the_end_or_only_at_the_start_is_expected() -> None:
    later = cluster_source(replace(WHOLE, machines=[(SQL, "HV01")]), later=replace(WHOLE, machines=[(WEB, "HV02")]))
    assert [machine.name for machine in the(estate(nodes(), later)).missing] == ["sql01", "web01"]


def test_what_was_seen_at_the_end_of_one_reading_is_no_missing_machine() -> None:
    """It appeared while its node was read: the second list has it."""
    late = node_source(WHOLE, "HV02", WEB)
    reading = late.reading
    assert isinstance(reading, Reading)
    early = {**reading.classes, queries.MACHINES: source(Host(name="HV02")).reading.classes[queries.MACHINES]}  # type: ignore[union-attr]
    sources = [node_source(WHOLE, "HV01", SQL), replace(late, reading=replace(reading, classes=early)), nodes()[2]]
    found = estate(sources)
    assert the(found).missing == ()
    assert outcomes(found)["hvcl01/web01"][0] == "unknown"


MOVED = [
    # where it was seen, who owns it at the end, where it is judged, and what is said of that
    (("HV01", "HV02"), "HV02", "hv02", "passed"),
    (("HV01", "HV02"), "HV01", "hv01", "passed"),
    (("HV01", "HV02", "HV03"), "HV03", "hv03", "passed"),
    (("HV01", "HV02"), "HV03", "hv01", "unknown"),
    (("HV01", "HV02"), "HV77", "hv01", "unknown"),
]


@pytest.mark.parametrize(("seen", "owner", "node", "result"), MOVED)
def test_what_stands_twice_is_judged_once(seen: tuple[str, ...], owner: str, node: str, result: str) -> None:
    later = replace(WHOLE, machines=[(SQL, owner), (WEB, "HV02")])
    found = estate(nodes(*[(name, SQL) for name in seen], ("HV02", WEB)), cluster_source(WHOLE, later=later))
    (vm,) = [vm for vm in found.replicated if vm.machine.name == "sql01"]
    assert (vm.machine.server, outcomes(found)["hvcl01/sql01"][0]) == (node, result)
    assert [machine.name for server in found.servers for machine in server.machines].count("sql01") == 1
    told = (*vm.machine.remarks, *vm.machine.changed)
    assert any(f"was seen on {', '.join(name.lower() for name in seen)}" in one for one in told)


def test_no_owner_settles_nothing() -> None:
    said = cluster_source(WHOLE)
    assert isinstance(said.reading, Reading)
    silent = replace(said, reading=replace(said.reading, again={}))
    found = estate(nodes(("HV01", SQL), ("HV02", SQL), ("HV02", WEB)), silent)
    assert outcomes(found)["hvcl01/sql01"] == (
        "unknown",
        "was seen on hv01, hv02, and its cluster does not say which one owns it",
    )


def test_a_machine_that_is_no_resource_is_kept() -> None:
    local = Vm(name="local01", hosts=SQL.hosts)
    found = estate(nodes(*BOTH, ("HV03", local)))
    (vm,) = [vm for vm in found.replicated if vm.machine.name == "local01"]
    assert vm.machine.remarks == ("is no resource of the cluster hvcl01: it stays with its node",)
    assert (str(vm), outcomes(found)["hvcl01/local01"][0]) == ("hvcl01/local01", "passed")
    assert outcomes(found, "cluster-was-read")["hvcl01"][0] == "passed"


UNREAD = Unread("refused")
DOUBTS: dict[str, tuple[dict[str, object], str]] = {
    "nodes that are down": ({"nodes": {"HV01": UP, "HV02": UP, "HV03": DOWN}}, "by its own word down: hv03"),
    "another node": (
        {"nodes": {"HV01": UP, "HV02": UP, "HV03": UP, "HV04": UP}},
        "not read as nodes of it: hv04",
    ),
    "a name that is none": (
        {"nodes": {"HV01": UP, "HV02": UP, "HV03": UP, "attacker.example": UP, "a\nb": UP}},
        "it names nodes by what is no name of one, so they were not read: attacker.example, a\\u000ab",
    ),
}


@pytest.mark.parametrize(("changes", "told"), DOUBTS.values(), ids=DOUBTS.keys())
def test_what_makes_a_cluster_incomplete(changes: dict[str, object], told: str) -> None:
    cluster = replace(WHOLE, **changes)  # type: ignore[arg-type]
    found = estate(nodes(*BOTH), cluster_source(cluster))
    assert outcomes(found, "cluster-was-read") == {"hvcl01": ("unknown", told)}
    assert outcomes(found)["hvcl01/sql01"][0] == "passed"


def test_a_node_that_was_not_read_makes_it_incomplete() -> None:
    sources = [*nodes(*BOTH)[:2], replace(unread_source("hv03"), cluster="hvcl01")]
    assert outcomes(estate(sources), "cluster-was-read") == {
        "hvcl01": ("unknown", "1 of its 3 nodes could not be read: hv03 (refused)")
    }


def test_a_node_that_joins_meanwhile_was_not_read() -> None:
    later = replace(WHOLE, nodes={**WHOLE.nodes, "HV04": UP})
    told = outcomes(estate(nodes(*BOTH), cluster_source(WHOLE, later=later)), "cluster-was-read")
    assert told == {"hvcl01": ("unknown", "became nodes during the audit, and were not read: hv04")}


def test_a_paused_node_is_only_remarked() -> None:
    cluster = replace(WHOLE, nodes={"HV01": UP, "HV02": PAUSED, "HV03": UP})
    found = estate(nodes(*BOTH), cluster_source(cluster))
    assert (the(found).doubts, the(found).remarks) == ((), ("by its own word hv02 is paused",))


@pytest.mark.parametrize("when", ["classes", "again"])
@pytest.mark.parametrize("name", [queries.RESOURCES, queries.NODES])
def test_whatever_is_unread_of_a_cluster_is_no_pass(when: str, name: str) -> None:
    said = cluster_source(WHOLE)
    assert isinstance(said.reading, Reading)
    answers = {**getattr(said.reading, when), name: UNREAD}
    found = estate(nodes(*BOTH), replace(said, reading=replace(said.reading, **{when: answers})))
    result, finding = outcomes(found, "cluster-was-read")["hvcl01"]
    assert (result, "refused" in finding) == ("unknown", True)


PRIVATE: dict[str, tuple[object, object]] = {
    "nested": ("VmID=0a&Path=C%3A%5Ca%26b", {"VmID": "0a", "Path": "C:\\a&b"}),
    "CIM-XML": (
        '<INSTANCE><PROPERTY NAME="VmID"><VALUE>0a</VALUE></PROPERTY></INSTANCE>',
        {"VmID": "0a"},
    ),
    "elements in text": ('<p:P xmlns:p="urn:x"><p:VmID>0a</p:VmID></p:P>', {"VmID": "0a"}),
    "no element": ("<", None),
    "a DOCTYPE": ("<!DOCTYPE x [<!ENTITY e 'x'>]><x><VmID>&e;</VmID></x>", None),
    "too long": (f"<x><VmID>{'0' * 70_000}</VmID></x>", None),
    "another text": ("MSCluster_Property", None),
    "nothing": ("", None),
    "NULL": (None, None),
    "a list": (["VmID=0a"], None),
}


@pytest.mark.parametrize(("value", "expected"), PRIVATE.values(), ids=PRIVATE.keys())
def test_private_properties_in_each_spelling(value: object, expected: object) -> None:
    found = private_properties({queries.PRIVATE_PROPERTIES: value})  # type: ignore[dict-item]
    assert isinstance(found, Unread) if expected is None else found == expected
    assert isinstance(private_properties({}), Unread)


@pytest.mark.parametrize("value", ["", "Left=out", "VmID=not-a-guid", "<x/>", None])
def test_a_resource_whose_machine_is_not_told_puts_the_cluster_in_doubt(value: str | None) -> None:
    said = cluster_source(WHOLE)
    assert isinstance(said.reading, Reading)
    rows = [{**row, queries.PRIVATE_PROPERTIES: value} for row in said.reading.classes[queries.RESOURCES]]  # type: ignore[union-attr]
    answers = {**said.reading.classes, queries.RESOURCES: tuple(rows)}
    again = {**said.reading.again, queries.RESOURCES: tuple(rows)}
    found = estate(nodes(*BOTH), replace(said, reading=replace(said.reading, classes=answers, again=again)))
    result, finding = outcomes(found, "cluster-was-read")["hvcl01"]
    assert (result, "which virtual machine a resource is can't be told: sql01" in finding) == ("unknown", True), finding
    assert any("private-properties-come" in remark for remark in the(found).remarks)
    # Nothing is said of not being a resource where that is not known.
    assert all(machine.remarks == () for server in found.servers for machine in server.machines)


def test_the_other_spelling_is_told_as_what_we_did_not_assume() -> None:
    cluster = replace(WHOLE, spelled=TEXT)
    found = estate(nodes(*BOTH, cluster=cluster), cluster_source(cluster))
    assert the(found).doubts == ()
    assert [remark.partition(":")[0] for remark in the(found).remarks] == [
        "contradicts what we assume, private-properties-are-nested"
    ]


@given(st.text() | st.text("<>&;=\"'VmID/ \n"))
def test_no_text_breaks_what_reads_it(text: str) -> None:
    found = private_properties({queries.PRIVATE_PROPERTIES: text})
    assert isinstance(found, Unread) or all(isinstance(part, str) for pair in found.items() for part in pair)
    nodes_found = nodes_of(({"Name": text, "State": text},))
    assert isinstance(nodes_found, Nodes)
    assert all(label.isascii() and "." not in label for label in nodes_found.states)


# --- nodes by name ----------------------------------------------------------------------------------------------------

NAMES: dict[str, bool] = {
    "HV01": True,
    "hv-01_a": True,
    "1st": True,
    "a" * 15: True,
    "a" * 16: False,
    "": False,
    " HV01": False,
    "HV01\n": False,
    "HV 01": False,
    "hv01.attacker.example": False,
    "10.0.0.1": False,
    "2130706433": False,
    "0x7f000001": False,
    "localhost": False,
    "-hv01": False,
    "hv01@x": False,
    "hv01:8080": False,
    "hv01/x": False,
    "[::1]": False,
    "häv": False,
}


@pytest.mark.parametrize(("name", "is_one"), NAMES.items())
def test_only_a_plain_label_names_a_node(name: str, is_one: bool) -> None:
    found = nodes_of(({"Name": name, "State": "0"},))
    assert isinstance(found, Nodes)
    assert (list(found.states), len(found.refused)) == (([name.casefold()], 0) if is_one else ([], 1))


@pytest.mark.parametrize(("allowed", "result"), [(False, "unknown"), (True, "passed")])
@pytest.mark.parametrize("placed", [[], [("HV01", SQL)]])
def test_a_cluster_without_any_machine_may_be_an_account_without_rights(
    allowed: bool, result: str, placed: list[tuple[str, Vm]]
) -> None:
    found = estate(nodes(*placed), cluster_source(replace(WHOLE, machines=()), may_be_empty=allowed))
    assert outcomes(found, "cluster-was-read")["hvcl01"][0] == result


def test_a_list_that_no_cluster_has_is_unread() -> None:
    many = tuple({"Name": f"hv{number}", "State": "0"} for number in range(10_000))
    assert nodes_of(many) == Unread("it names 10,000 nodes, and a cluster has 64 at most")
    assert isinstance(nodes_of(many[:MOST_NODES]), Nodes)
    assert isinstance(nodes_of(()), Unread)
    twice = nodes_of((many[0], many[0]))
    assert isinstance(twice, Nodes)
    assert twice.refused == ("hv0 twice",)


# --- the other side ---------------------------------------------------------------------------------------------------

REPLICAS = Cluster(name="HVCL01", machines=[(SQL, "HV02")], broker="hvbroker")


def joined(hosts: tuple[tuple[str | None, str | None], ...], *, on: str = "HV02") -> tuple[str, str]:
    """The primary on a server alone, its replica in a cluster: who is the replica's partner, and the other way."""
    primary = replace(SQL, hosts=hosts)
    replica = replica_of(primary)
    sources = [
        source(Host(name="HV09", vms=[primary])),
        *[node_source(REPLICAS, name, *[replica] if name == on else []) for name in REPLICAS.nodes],
    ]
    cluster = replace(REPLICAS, machines=[(SQL, on)])
    found = estate(sources, cluster_source(cluster))
    sides = {str(vm): vm.partner for vm in found.replicated}
    return str(sides["hvcl01/sql01"]), str(sides["hv09/sql01"])


OTHER_SIDES: dict[str, tuple[tuple[tuple[str | None, str | None], ...], str]] = {
    "its node": ((("hv09.dr.example", "hv02.dr.example"),), "HV02"),
    "the node that it was on": ((("hv09.dr.example", "hv01.dr.example"),), "HV02"),
    "the broker": ((("hv09.dr.example", "hvbroker.dr.example"),), "HV02"),
    "the broker, and it moved": ((("hv09.dr.example", "HVBROKER.dr.example"),), "HV03"),
    "the cluster": ((("hv09.dr.example", "hvcl01.dr.example"),), "HV01"),
}


@pytest.mark.parametrize(("hosts", "on"), OTHER_SIDES.values(), ids=OTHER_SIDES.keys())
def test_a_cluster_is_one_partner(hosts: tuple[tuple[str | None, str | None], ...], on: str) -> None:
    replica, primary = joined(hosts, on=on)
    assert replica == "hv09/sql01"
    assert primary == "its replica hvcl01/sql01 is off too"


def test_a_node_that_a_machine_has_left_is_not_its_other_side() -> None:
    found = estate(nodes(("HV03", SQL), ("HV02", replace(WEB, hosts=(("hv01.x", "hvcl01.x"),)))))
    partners = {str(vm): vm.machine.partners for vm in found.replicated}
    assert partners["hvcl01/sql01"] == ("hv09.dr.example",)
    assert partners["hvcl01/web01"] == Unread("its replication settings name no server outside its cluster")


def test_another_clusters_name_is_no_partner() -> None:
    _, primary = joined((("hv09.dr.example", "other.dr.example"),))
    assert primary == "its other side is on other.dr.example, which is not in the inventory: add that server"


def test_a_cluster_that_does_not_hold_it_contradicts() -> None:
    primary = replace(SQL, hosts=(("hv09.dr.example", "hvbroker.dr.example"),))
    sources = [source(Host(name="HV09", vms=[primary])), source(Host(name="HV08", vms=[replica_of(primary)]))]
    sources += [node_source(REPLICAS, name, *[WEB] if name == "HV02" else []) for name in REPLICAS.nodes]
    found = estate(sources, cluster_source(replace(REPLICAS, machines=[(WEB, "HV02")])))
    partners = {str(vm): str(vm.partner) for vm in found.replicated}
    assert partners["hv09/sql01"] == (
        "its replication settings name hvbroker.dr.example, but hv01, hv02, hv03 do not hold it"
    )


# --- servers that were listed alone -----------------------------------------------------------------------------------


def alone(*names: str, given: Judging = Judging(), cluster: Cluster = WHOLE) -> Estate:
    vms = {"HV01": SQL, "HV02": WEB, "HV03": Vm(name="x")}
    sources = [node_source(cluster, name, vms[name], of=None) for name in names]
    return translate(Snapshot(estate="test", time=snapshot().time, tool="0", settings=given, servers=tuple(sources)))


def test_nodes_that_nobody_listed_close_the_gate() -> None:
    told = outcomes(alone("HV01", "HV02"), "server-was-read")
    finding = (
        "is a node of the cluster HVCL01, and 1 of its 3 nodes is not in the inventory: hv03; "
        "virtual machines there were not seen"
    )
    assert told == {"hv01": ("unknown", finding), "hv02": ("unknown", finding)}


def test_policy_may_allow_a_part() -> None:
    found = alone("HV01", "HV02", given=Judging(may_be_partial=True))
    verdicts = [one for one in judge(found) if one.rule.key == "server-was-read"]
    assert {one.outcome.result for one in verdicts} == {Result.PASSED}
    assert all("1 of its 3 nodes" in " ".join(one.outcome.remarks) for one in verdicts)


def test_all_nodes_alone_are_no_part() -> None:
    found = alone("HV01", "HV02", "HV03")
    assert [server.partial for server in found.servers] == [None, None, None]
    assert {str(vm) for vm in found.replicated} == {"hv01/sql01", "hv02/web01", "hv03/x"}


def test_a_server_of_another_cluster_is_only_called_the_same() -> None:
    strangers = Cluster(name="OTHER", nodes={"HV03": UP, "HV77": UP})
    sources = [node_source(WHOLE, name, SQL, of=None) for name in ("HV01", "HV02")]
    sources.append(node_source(strangers, "HV03", WEB, of=None))
    found = translate(snapshot(*sources))
    assert all("hv03" in (server.partial or "") for server in found.servers[:2])


def test_what_was_not_told_of_a_cluster_is_a_remark() -> None:
    found = source(Host(name="HV01", vms=[SQL]))
    assert isinstance(found.reading, Reading)
    denied = replace(found, reading=replace(found.reading, cluster={queries.NODES: UNREAD}))
    (server,) = translate(snapshot(denied)).servers
    assert (server.partial, server.remarks) == (
        None,
        ("whether it is a node of a cluster could not be read: refused",),
    )


def test_a_server_that_names_no_node_is_of_no_cluster() -> None:
    """The feature is installed, and no cluster was made: told, since a list without rows could also hide them."""
    found = source(Host(name="HV01", vms=[SQL]))
    assert isinstance(found.reading, Reading)
    bare = replace(found, reading=replace(found.reading, cluster={queries.NODES: (), queries.CLUSTER: ()}))
    (server,) = translate(snapshot(bare)).servers
    assert (server.partial, server.remarks) == (
        None,
        ("has root/mscluster, which names no node: taken for a server of no cluster",),
    )


# --- one server under two names ---------------------------------------------------------------------------------------


def test_a_server_that_is_a_node_is_judged_once() -> None:
    twin = replace(node_source(WHOLE, "HV01", SQL, of=None), name="old-name", endpoint="10.1.0.11:5986")
    found = estate([twin, *nodes(*BOTH)])
    assert sorted(map(str, found.replicated)) == ["hvcl01/sql01", "hvcl01/web01"]
    server = next(one for one in found.servers if one.name == "old-name")
    assert server.remarks == ("is the same server as hv01 of the cluster hvcl01: its machines are judged there",)
    assert outcomes(found, "cluster-was-read")["hvcl01"][0] == "passed"


def test_a_server_stands_in_for_a_node_that_was_not_read() -> None:
    twin = replace(node_source(WHOLE, "HV01", SQL, of=None), name="old-name", endpoint="10.1.0.11:5986")
    broken = replace(unread_source("hv01"), cluster="hvcl01")
    found = estate([twin, broken, *nodes(*BOTH)[1:]])
    assert {str(vm): vm.machine.server for vm in found.replicated} == {
        "hvcl01/sql01": "old-name",
        "hvcl01/web01": "hv02",
    }
    assert outcomes(found, "cluster-was-read")["hvcl01"] == (
        "unknown",
        "1 of its 3 nodes could not be read: hv01 (refused)",
    )


def test_a_cluster_that_was_not_read_stands_for_its_nodes() -> None:
    stand_in = ServerRecord(name="hvcl01", cluster="hvcl01", reading=UNREAD)
    found = estate([stand_in], ServerRecord(name="hvcl01", reading=UNREAD))
    assert outcomes(found)["hvcl01"][0] == "unknown"
    assert outcomes(found, "cluster-was-read") == {"hvcl01": ("unknown", "incomplete: refused")}


def test_ids_do_not_change_with_the_node() -> None:
    before = {verdict.id for verdict in judge(estate(nodes(*BOTH)))}
    after = {verdict.id for verdict in judge(estate(nodes(("HV03", SQL), ("HV02", WEB))))}
    assert before == after


# --- two sites that name their nodes alike ----------------------------------------------------------------------------


def elsewhere(name: str, *vms: Vm, cluster: str = "HVCL01") -> ServerRecord:
    """A node of another site's cluster, listed alone, whose nodes are called as those of the cluster that is listed."""
    found = node_source(replace(WHOLE, name=cluster), name, *vms, of=None)
    return replace(found, name=f"{name.lower()}.other.example", endpoint=f"{name.lower()}.other.example:5986")


@pytest.mark.parametrize("cluster", ["HVCL01", "HVCL02"])
def test_machines_of_a_node_that_is_only_called_alike_do_not_vanish(cluster: str) -> None:
    mail = Vm(name="mail01", hosts=(("hv01.other.example", "hv09.dr.example"),))
    found = estate([*nodes(*BOTH), *(elsewhere(name, mail, cluster=cluster) for name in ("HV01",))])
    assert "hv01.other.example/mail01" in outcomes(found)
    assert the(found).doubts == ()


def test_nodes_that_are_only_called_alike_do_not_stand_for_what_is_not_listed() -> None:
    others = [elsewhere(name, Vm(name=f"on {name}"), cluster="HVCL02") for name in ("HV01", "HV02")]
    found = estate([*nodes(*BOTH), *others])
    told = outcomes(found, "server-was-read")["hv01.other.example"]
    assert told[0] == "unknown"
    assert "1 of its 3 nodes is not in the inventory: hv03" in told[1]
