"""A cluster may claim any server as its node: what it claims without the server's own word changes nothing there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.hyperv import queries
from compliance.hyperv.estate import translate
from compliance.hyperv.membership import by_own_word
from compliance.hyperv.names import NameIndex
from compliance.judge.judge import judge
from compliance.judge.scope import Scope
from compliance.model import Unread
from compliance.plugin.report_folder import WRITERS
from compliance.rule import Outcome, Result
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from tests.builders import snapshot, source, unread_source
from tests.clustered import UP, Cluster, cluster_source, node_source
from tests.hosts import Host, Vm, replica_of

FAILS = Vm(name="sql01", kvp=12, hosts=(("hv01.dr.example", "hv09.dr.example"),))
WORKS = Vm(name="sql01", hosts=(("hv02.dr.example", "hv09.dr.example"),))
HONEST = Cluster(name="HVCL01", nodes={"HV01": UP, "HV02": UP}, machines=[(FAILS, "HV01")])
OPEN = (Result.FAILED, Result.UNKNOWN)
Key = tuple[str, str | None, str]
"""Rule, server, and the machine's GUID or nothing."""


def outcomes(found: Snapshot) -> dict[Key, Outcome]:
    return {
        (one.rule.key, one.server, one.machine.guid if one.machine else ""): one.outcome
        for one in judge(translate(found))
    }


def doubts(found: Snapshot) -> str:
    (cluster,) = translate(found).clusters
    return "; ".join(cluster.doubts)


def of_no_cluster(name: str, *vms: Vm) -> ServerRecord:
    return source(Host(name=name, vms=vms), cluster="evil")


def evil(*names: str, owner: str, name: str = "EVIL") -> ServerRecord:
    """A cluster of the inventory that names servers as its nodes, and one of them as the owner of a machine."""
    cluster = Cluster(name=name, nodes=dict.fromkeys(names, UP), machines=[(FAILS, owner)])
    return cluster_source(cluster, name="evil", endpoint="evil.attacker.example:5986")


CLAIMED = {
    "a server of no cluster": (lambda vm, name: of_no_cluster(name, vm), "is a node of no cluster"),
    "a node of another cluster": (
        lambda vm, name: node_source(HONEST, name, vm, of="evil"),
        "is a node of the cluster HVCL01",
    ),
    "one that may not be asked": (
        lambda vm, name: with_answers(of_no_cluster(name, vm), {queries.NODES: Unread("refused")}),
        "of which cluster it is a node could not be read: refused",
    ),
    "one that is not among the nodes that it names": (
        lambda vm, name: node_source(Cluster(name="EVIL", nodes={"HV77": UP}), name, vm, of="evil"),
        "does not count itself among the nodes of EVIL",
    ),
    "one that gives the cluster no name": (
        lambda vm, name: with_answers(
            of_no_cluster(name, vm), {queries.NODES: ({"Name": name, "State": "0"},), queries.CLUSTER: ()}
        ),
        "it gives the cluster no name",
    ),
}


def with_answers(found: ServerRecord, answers: dict[str, object]) -> ServerRecord:
    assert isinstance(found.reading, Reading)
    return replace(found, reading=replace(found.reading, cluster=answers))  # type: ignore[arg-type]


@pytest.mark.parametrize(("server", "why"), CLAIMED.values(), ids=CLAIMED.keys())
def test_a_claim_takes_no_machine_away(server: object, why: str) -> None:
    """hv02 holds a copy that works, and the cluster says that it owns the machine: hv01's would be gone."""
    listed = [server(FAILS, "HV01"), server(WORKS, "HV02")]  # type: ignore[operator]
    before = outcomes(snapshot(*(replace(one, cluster=None) for one in listed)))
    with_evil = snapshot(*listed, clusters=[evil("HV01", "HV02", owner="HV02")])
    after = outcomes(with_evil)
    assert {key: after.get(key) for key, _ in before.items() if key[1]} == {
        key: outcome for key, outcome in before.items() if key[1]
    }
    assert before["failover-ip-needs-integration-services", "hv01", FAILS.id].result is Result.FAILED
    assert after["cluster-was-read", None, ""].result is Result.UNKNOWN
    assert f"hv01 ({why})" in doubts(with_evil)
    assert "not read as nodes" not in doubts(with_evil)


def test_a_cluster_that_nobody_confirms_stands_for_its_nodes_in_every_report() -> None:
    found = snapshot(of_no_cluster("HV01", FAILS), of_no_cluster("HV02"), clusters=[evil("HV01", "HV02", owner="HV02")])
    table = judge_snapshot(found, Scope())
    assert [(server.name, server.cluster) for server in table.estate.servers] == [
        ("hv01", None),
        ("hv02", None),
        ("evil", "evil"),
    ]
    assert {"hv01", "hv02", "evil"} == {one.server for one in table.verdicts if one.server}
    for write in WRITERS.values():
        assert list(write(table))


def test_a_server_without_machines_stays_in_doubt() -> None:
    """Of a node, its cluster says that it is empty: a claim must not say it of a server."""
    listed = of_no_cluster("HV01")
    after = outcomes(snapshot(listed, clusters=[evil("HV01", owner="HV01")]))
    assert after["server-was-read", "hv01", ""].result is Result.UNKNOWN


def test_a_node_that_nobody_listed_is_still_missed() -> None:
    """hv01 says that hv02 is a node of its cluster, and nobody listed that. A claim to have an hv02 is no listing."""
    listed = node_source(HONEST, "HV01", FAILS, of=None)
    claimed = replace(unread_source("hv02.attacker.example"), cluster="evil")
    before = outcomes(snapshot(listed))
    assert before["server-was-read", "hv01", ""].result is Result.UNKNOWN
    after = outcomes(snapshot(listed, claimed, clusters=[evil("HV02", owner="HV02")]))
    assert after["server-was-read", "hv01", ""] == before["server-was-read", "hv01", ""]


def test_a_cluster_that_hides_a_node_of_it_is_in_doubt() -> None:
    """It calls itself as the real one, and leaves a node out that the others name."""
    listed = node_source(HONEST, "HV01", FAILS, of="evil")
    found = snapshot(listed, clusters=[evil("HV01", owner="HV01", name="HVCL01")])
    assert "hv01 names nodes of it that it does not name itself: hv02" in doubts(found)
    assert outcomes(found)["server-was-read", "hv01", ""].result is Result.UNKNOWN


def test_a_node_that_was_not_read_lets_no_other_node_answer_for_it() -> None:
    """The cluster that claims hv01 has another node, which would answer for what hv01 holds."""
    cluster = Cluster(name="EVIL", nodes={"HV01": UP, "EVIL2": UP}, machines=[(FAILS, "EVIL2")])
    claimed = replace(unread_source("hv01"), cluster="evil")
    other = node_source(cluster, "EVIL2", FAILS, of="evil")
    found = translate(snapshot(claimed, other, clusters=[cluster_source(cluster, name="evil")]))
    index = NameIndex(found.servers, (), found.clusters)
    assert set(index.party("hv01.dr.example")) == {"hv01"}
    assert set(index.party("evil2")) == {"hv01", "evil2"}


def test_one_machine_in_two_roles_is_not_settled_by_its_owner() -> None:
    other = replica_of(FAILS, kvp=2, power=2)
    sources = [node_source(HONEST, "HV01", FAILS), node_source(HONEST, "HV02", other)]
    found = snapshot(*sources, clusters=[cluster_source(HONEST)])
    (side,) = [one for one in translate(found).replicated if one.machine.name == "sql01"]
    assert side.machine.changed == ("was seen on hv01, hv02, in different roles",)


def test_a_twin_that_shows_something_else_hides_nothing() -> None:
    """A node in another domain calls itself as the listed server does, and shows the same machine at its best."""
    listed = node_source(HONEST, "HV01", FAILS, of=None)
    second = node_source(HONEST, "HV02", of=None, may_be_empty=True)
    alike = [node_source(HONEST, name, *vms, of="evil") for name, vms in (("HV01", [WORKS]), ("HV02", []))]
    nodes = [replace(one, name=f"{one.name}.attacker.example", endpoint="10.9.9.9:5986") for one in alike]
    claims = cluster_source(replace(HONEST, machines=[]), name="evil", may_be_empty=True)
    after = outcomes(snapshot(listed, second, *nodes, clusters=[claims]))
    key = ("failover-ip-needs-integration-services", "hv01", FAILS.id)
    assert after[key].result in OPEN


# --- whatever it says -------------------------------------------------------------------------------------------------

NAMES = ("HV01", "HV02", "HV03", "HV09", "EVIL", "10.1.0.1", "")
MACHINES = ("sql01", "web01", "mail01")


@st.composite
def machines(draw: st.DrawFn, name: str) -> Vm:
    return Vm(
        name=name,
        mode=draw(st.sampled_from([0, 1, 2])),
        power=draw(st.sampled_from([2, 3])),
        kvp=draw(st.sampled_from([2, 12, 13])),
        offered=draw(st.sampled_from([2, 3])),
        hosts=draw(st.sampled_from([(("hv01.x", "hv02.x"),), (("hv03.x", "hv09.x"),), ()])),
    )


CLUSTERS = st.builds(
    Cluster,
    name=st.sampled_from(["HVCL01", "EVIL", ""]),
    nodes=st.dictionaries(st.sampled_from(NAMES), st.sampled_from([0, 1, 2]), min_size=1, max_size=4),
    machines=st.lists(st.tuples(st.sampled_from([Vm(name=name) for name in MACHINES]), st.sampled_from(NAMES))),
    broker=st.sampled_from(["", "hv02", "hv09"]),
)


@st.composite
def listed_servers(draw: st.DrawFn) -> list[ServerRecord]:
    """Three servers: nodes of a cluster that is real, of none, or not read. No machine stands twice in one role."""
    found = []
    roles = set()
    for name in ("HV01", "HV02", "HV03"):
        vms = []
        for vm in draw(st.lists(st.sampled_from(MACHINES), unique=True, max_size=2)):
            machine = draw(machines(vm))
            if (vm, machine.mode) not in roles:
                roles.add((vm, machine.mode))
                vms.append(machine)
        kind = draw(st.sampled_from(["node", "alone", "unread"]))
        if kind == "unread":
            found.append(unread_source(name.lower()))
        elif kind == "alone":
            found.append(source(Host(name=name, vms=vms)))
        else:
            found.append(node_source(replace(HONEST, nodes={"HV01": UP, "HV02": UP, "HV03": UP}), name, *vms, of=None))
    return found


@given(
    listed_servers(),
    CLUSTERS,
    CLUSTERS,
    st.sets(st.sampled_from(["hv01", "hv02", "hv03"])),
    st.booleans(),
    st.booleans(),
)
def test_a_hostile_cluster_hides_and_greens_nothing(
    listed: list[ServerRecord], first: Cluster, later: Cluster, claimed: set[str], is_empty: bool, has_node: bool
) -> None:
    hostile = cluster_source(first, later=later, name="evil", endpoint="evil.x:5986", may_be_empty=is_empty)
    servers = [
        replace(one, cluster="evil") if one.name in claimed and isinstance(one.reading, Reading) else one
        for one in listed
    ]
    if has_node:
        servers.append(replace(unread_source("hv09.attacker.example"), cluster="evil"))
    before, after = outcomes(snapshot(*listed)), outcomes(snapshot(*servers, clusters=[hostile]))
    confirmed = {one.name for one in by_own_word(snapshot(*servers, clusters=[hostile]))[0].servers if one.cluster}
    assert first.name.casefold() == "hvcl01" or not confirmed - {"hv09.attacker.example", "evil"}
    of_subject: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for (rule, _, machine), outcome in after.items():
        of_subject[rule, machine].append(outcome.result)
    for (rule, server, machine), outcome in before.items():
        if outcome.result not in OPEN or server is None:
            continue
        if first.name.casefold() == "hvcl01":  # servers may confirm it: it is the real one as far as anybody knows
            doubtful = not machine and after["cluster-was-read", None, ""].result in OPEN  # an empty node is its matter
            assert doubtful or any(result in OPEN for result in of_subject[rule, machine])
        else:
            assert after[rule, server, machine].result is outcome.result


# --- a stranger that answers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stranger", ["a server", "a server that calls itself as the partner", "a node of a cluster"])
@pytest.mark.parametrize("names", [("hv01.dr.example", "hv02.dr.example"), ("hv66.dr.example", "hv02.dr.example")])
def test_a_stranger_answers_for_nobody(stranger: str, names: tuple[str, str]) -> None:
    """hv02's replica names hv01, which was not read. Somebody else shows the primary at its best, whoever it names."""
    primary = Vm(name="sql01", hosts=(("hv01.dr.example", "hv02.dr.example"),))
    here = source(Host(name="HV02", vms=[replica_of(primary)]))
    unread = unread_source("hv01")
    best = replace(primary, hosts=(names,))
    cluster = Cluster(name="EVIL", nodes={"HV66": UP, "HV01": UP}, machines=[(best, "HV66")], broker="hv01")
    answering = {
        "a server": source(Host(name="HV66", vms=[best])),
        "a server that calls itself as the partner": replace(source(Host(name="HV01", vms=[best])), name="hv66"),
        "a node of a cluster": node_source(cluster, "HV66", best, of="evil"),
    }[stranger]
    clusters = [cluster_source(cluster, name="evil")] if stranger == "a node of a cluster" else []
    after = outcomes(snapshot(here, unread, answering, clusters=clusters))
    assert after["failover-ip-needs-integration-services", "hv02", primary.id].result is Result.UNKNOWN


# --- a partner that nobody listed -------------------------------------------------------------------------------------

NOT_LISTED = "its other side is on hv01.dr.example, which is not in the inventory: add that server"
NAMES_ANOTHER = (
    "its replication settings name hv01.dr.example, but hv66.dr.example has that name by its own word alone and does "
    "not name hv02"
)
OF_SQL = Vm(name="sql01")
ELSEWHERE = replace(OF_SQL, hosts=(("hv66.dr.example", "hv09.dr.example"),))


def partner_of_a_replica(cluster: Cluster, node: str, vm: Vm, domain: str) -> str:
    """Who answers for hv02/sql01, whose primary is on hv01.dr.example, beside a cluster that holds the same GUID."""
    name = f"{node.lower()}.{domain}"
    found = snapshot(
        replace(node_source(cluster, node, vm, of="evil"), name=name, endpoint=f"{name}:5986"),
        source(Host(name="HV02", vms=[replica_of(OF_SQL)])),
        clusters=[cluster_source(replace(cluster, machines=[(vm, node)]), name="evil", endpoint=f"evil.{domain}:5986")],
    )
    side = next(vm for vm in translate(found).replicated if vm.machine.server == "hv02")
    return str(side.partner) if isinstance(side.partner, Unread) else side.partner.server


AS_NODE, AS_BROKER = Cluster(name="EVIL", nodes={"HV01": UP}), Cluster(name="EVIL", nodes={"HV66": UP}, broker="hv01")
STRANGE = {
    "a node of the same name in another domain": (AS_NODE, "HV01", OF_SQL, "attacker.example", NOT_LISTED),
    "a node of that name in its domain": (AS_NODE, "HV01", OF_SQL, "dr.example", "hv01.dr.example"),
    "a broker of the same name in another domain": (AS_BROKER, "HV66", OF_SQL, "attacker.example", NOT_LISTED),
    "a broker of that name, that names another": (AS_BROKER, "HV66", ELSEWHERE, "dr.example", NAMES_ANOTHER),
    "a broker of that name": (AS_BROKER, "HV66", OF_SQL, "dr.example", "hv66.dr.example"),
    "a cluster that calls itself so, in another domain": (
        Cluster(name="HV01", nodes={"HV66": UP}),
        "HV66",
        OF_SQL,
        "attacker.example",
        NOT_LISTED,
    ),
}


@pytest.mark.parametrize("case", STRANGE)
def test_no_cluster_answers_by_a_name_of_another_domain(case: str) -> None:
    *given, expected = STRANGE[case]
    assert partner_of_a_replica(*given) == expected  # type: ignore[arg-type]  # of the table's own columns
