"""A simulated cluster read over the wire: its nodes found, its machines expected, and every way in which it may lie."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.credentials.find import Credential
from compliance.errors import Why
from compliance.gate.exits import Exit
from compliance.gate.policy import DEFAULT, Policy
from compliance.gather.gather import gather
from compliance.gather.progress import Progress
from compliance.hyperv.queries import CLUSTER, MACHINE_SETTINGS, NODES, OF_CLUSTER, RESOURCES
from compliance.hyperv.server import let_go
from compliance.inventory.entries import ClusterEntry, Entry, Limits
from compliance.judge.scope import Scope
from compliance.model import Unread
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import inventory
from tests.canary import CANARY
from tests.clustered import DOWN, NESTED, TEXT, UP, Cluster, cluster_rows, cluster_wire
from tests.host_rows import host_rows
from tests.hosts import NOW, Host, Vm
from tests.lab import closed_port
from tests.running import RunPytest
from tests.simulator import Fault, Played, Simulator

CREDENTIALS = {"audit": Credential(username="audit", password=CANARY)}
FAST = Limits(connect=2, operation=3, server=6, threads=1)
SQL = Vm(name="sql01", hosts=(("hv01.dr.example", "hv09.dr.example"),))
WEB = Vm(name="web01", hosts=(("hv02.dr.example", "hv09.dr.example"),))
WHOLE = Cluster(machines=[(SQL, "HV01"), (WEB, "HV02")], broker="hvbroker")
IP = "lab::failover-ip-needs-integration-services"
READ = "lab::cluster-was-read[hvcl01]"
NAMESPACES = frozenset({"root/cimv2", "root/virtualization/v2", "root/mscluster"})


@dataclass
class Estate:
    """Three simulated nodes: where each machine stands, and what all nodes say of their cluster."""

    simulators: Mapping[str, Simulator]
    cluster: Cluster
    placed: dict[str, list[Vm]]

    def stand(self, cluster: Cluster | None = None, **placed: Sequence[Vm]) -> None:
        self.cluster = cluster or self.cluster
        self.placed |= {name: list(vms) for name, vms in placed.items()}
        for name, simulator in self.simulators.items():
            simulator.played = _played(name, self.placed[name], self.cluster)

    def entry(self, name: str, /, **changes: object) -> Entry:
        return Entry(**{**self._settings(name), "name": name.lower(), **changes})  # type: ignore[arg-type]

    def inventory_of(self, **changes: object) -> ClusterEntry:
        """By the cluster's own name, which hv01 answers to; each node has a port of its own."""
        nodes = tuple(self.entry(name) for name in self.simulators)
        known = {**self._settings("HV01"), "name": "hvcl01", "domain": "", "nodes": nodes}
        return ClusterEntry(**{**known, **changes})  # type: ignore[arg-type]

    def _settings(self, name: str) -> dict[str, object]:
        simulator = self.simulators[name]
        return {
            "address": "127.0.0.1",
            "port": simulator.port,
            "scheme": "http",
            "transport": "basic",
            "cleartext": True,
            "credential": "audit",
        }


def _played(name: str, vms: Sequence[Vm], cluster: Cluster) -> Played:
    rows = {**host_rows(Host(name=name, vms=vms)), **cluster_rows(cluster)}
    return Played(rows=rows, computer=name, clock=NOW, namespaces=NAMESPACES)


@contextmanager
def playing(cluster: Cluster = WHOLE, **placed: Sequence[Vm]) -> Iterator[Estate]:
    with ExitStack() as stack:
        names = ("HV01", "HV02", "HV03")
        simulators = {
            name: stack.enter_context(Simulator(_played(name, (), cluster), scheme="http", auth="basic"))
            for name in names
        }
        estate = Estate(simulators, cluster, {name: [] for name in names})
        estate.stand(**(placed or {"HV01": [SQL], "HV02": [WEB]}))
        yield estate


def read(
    clusters: Sequence[ClusterEntry],
    servers: Sequence[Entry] = (),
    tell: Callable[[Progress], None] = lambda _: None,
    limits: Limits = FAST,
) -> Snapshot:
    found = inventory(servers, clusters=tuple(clusters), limits=limits)
    return gather(found, CREDENTIALS, tool="test", tell=tell, now=lambda: NOW)


def results(snapshot: Snapshot, policy: Policy = DEFAULT) -> dict[str, tuple[str, str]]:
    settings = policy.over(snapshot.settings)
    table = judge_snapshot(replace(snapshot, settings=settings), Scope())
    return {verdict.id: (verdict.outcome.result.value, verdict.outcome.finding) for verdict in table.verdicts}


def asked(simulator: Simulator, class_name: str) -> int:
    return sum(class_name in message.query for message in simulator.log)


def test_rows_that_can_not_be_let_go_cost_their_server_only() -> None:
    """It is done when all were read, in the one thread that has everything. A listed server stands alone then."""
    fails_with = {"hv02", "hv03"}

    def fail(record: ServerRecord) -> ServerRecord:
        if record.name in fails_with and isinstance(record.reading, Reading):
            raise ZeroDivisionError
        return let_go(record)

    kept: list[Snapshot] = []
    with playing() as estate:
        found = inventory([estate.entry("HV03")], clusters=(estate.inventory_of(),), limits=FAST)
        gather(found, CREDENTIALS, tool="test", keep=kept.append, let_go=fail, now=lambda: NOW)
        port = estate.simulators["HV02"].port
    (snapshot,) = kept
    servers = {record.name: record for record in snapshot.servers}
    assert {name: record.cluster for name, record in servers.items()} == {
        "hv01": "hvcl01",
        "hv02": "hvcl01",
        "hv03": None,
    }
    assert isinstance(servers["hv01"].reading, Reading)
    broken = servers["hv02"].reading, servers["hv03"].reading
    assert broken[0] == Unread(f"127.0.0.1:{port}: unexpected ZeroDivisionError", Why.BROKEN)
    assert isinstance(broken[1], Unread)
    verdicts = results(snapshot)
    assert verdicts[f"{IP}[hvcl01/sql01]"][0] == "passed"
    assert verdicts["lab::server-was-read[hv03]"][0] == "unknown"


def test_who_interrupts_a_run_waits_for_no_rows_to_be_let_go() -> None:
    steps: list[str] = []

    def slow(record: ServerRecord) -> ServerRecord:
        steps.append(f"let go {record.name}")
        return let_go(record)

    def interrupts(progress: Progress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with playing() as estate:
        found = inventory([estate.entry("HV01")], clusters=(estate.inventory_of(),), limits=FAST)
        snapshot = gather(
            found,
            CREDENTIALS,
            tool="test",
            tell=interrupts,
            keep=lambda snapshot: steps.append(f"kept {len(snapshot.servers)}"),
            let_go=slow,
            now=lambda: NOW,
        )
    assert not snapshot.complete
    assert steps == ["kept 3"]


@pytest.mark.parametrize("spelled", [NESTED, TEXT])
def test_a_cluster_is_read_whole(spelled: str, tmp_path: Path) -> None:
    with playing(replace(WHOLE, spelled=spelled)) as estate:
        snapshot = read([estate.inventory_of()])
    assert [(source.name, source.cluster) for source in snapshot.servers] == [
        ("hv01", "hvcl01"),
        ("hv02", "hvcl01"),
        ("hv03", "hvcl01"),
    ]
    (cluster,) = snapshot.clusters
    assert isinstance(cluster.reading, Reading)
    expected = cluster_wire(estate.cluster)
    assert {name: list(map(dict, rows)) for name, rows in cluster.reading.again.items()} == {
        name: list(map(dict, rows)) for name, rows in expected.items() if name != CLUSTER
    }
    assert cluster.reading.classes[RESOURCES] == cluster.reading.again[RESOURCES]
    told = results(snapshot)
    assert {key: result for key, (result, _) in told.items() if IP in key} == {
        f"{IP}[hvcl01/sql01]": "passed",
        f"{IP}[hvcl01/web01]": "passed",
    }
    assert told[READ] == ("passed", "3 nodes, and each of its 2 clustered virtual machines was seen")
    write_snapshot(snapshot, tmp_path / "kept.jsonl")
    again = read_snapshot(tmp_path / "kept.jsonl")
    assert (again, results(again)) == (snapshot, told)


def test_a_cluster_costs_few_messages() -> None:
    """Beside what each node costs as a server: the list of nodes, the name, the resources; the first and last again."""
    with playing() as estate:
        read([estate.inventory_of()])
    of_nodes = {name: asked(simulator, NODES) for name, simulator in estate.simulators.items()}
    assert of_nodes == {"HV01": 3, "HV02": 1, "HV03": 1}
    assert [asked(simulator, RESOURCES) for simulator in estate.simulators.values()] == [2, 0, 0]
    for name in ("HV02", "HV03"):
        messages = [message for message in estate.simulators[name].log if "cluster" in message.resource.lower()]
        assert len(messages) <= 4  # its own list of nodes and its cluster's name, with a Pull each


def test_a_server_that_is_no_node_costs_one_message() -> None:
    with playing() as estate:
        simulator = estate.simulators["HV01"]
        simulator.played = replace(simulator.played, namespaces=NAMESPACES - {"root/mscluster"})
        snapshot = read([], [estate.entry("HV01")])
    messages = [one for one in simulator.log if "mscluster" in f"{one.resource} {one.query}".lower()]
    assert len(messages) == 1
    (source,) = snapshot.servers
    assert isinstance(source.reading, Reading)
    assert source.reading.cluster == {}
    assert results(snapshot)["lab::server-was-read[hv01]"][0] == "passed"


@pytest.mark.parametrize("dead", [1, 2])
def test_seeds_are_tried_where_the_clusters_name_answers_nothing(dead: int) -> None:
    port = closed_port()
    with playing() as estate:
        nodes = [estate.entry(name) for name in estate.simulators]
        nodes[: dead - 1] = [entry.model_copy(update={"port": port}) for entry in nodes[: dead - 1]]
        snapshot = read([estate.inventory_of(port=port, nodes=tuple(nodes))])
    (cluster,) = snapshot.clusters
    assert isinstance(cluster.reading, Reading)
    assert any(note.startswith(f"was read through hv0{dead}, since ") for note in cluster.reading.notes)
    assert results(snapshot)[READ][0] == ("passed" if dead == 1 else "unknown")


def test_a_cluster_that_answers_nothing_is_unread() -> None:
    port = closed_port()
    with playing() as estate:
        snapshot = read([estate.inventory_of(port=port, nodes=())])
    assert [(source.name, source.cluster) for source in snapshot.servers] == [("hvcl01", "hvcl01")]
    told = results(snapshot)
    assert {result for result, _ in told.values()} == {"unknown"}
    assert {READ, f"{IP}[hvcl01]", "lab::server-was-read[hvcl01]"} <= told.keys()
    assert all(key.endswith(("[hvcl01]", "[lab]")) for key in told)


def test_a_server_that_is_no_node_is_no_cluster() -> None:
    with playing() as estate:
        for simulator in estate.simulators.values():
            simulator.played = replace(simulator.played, namespaces=NAMESPACES - {"root/mscluster"})
        snapshot = read([estate.inventory_of(nodes=())])
    result, finding = results(snapshot)[READ]
    assert (result, "has no root/mscluster: it is no node of a cluster" in finding) == ("unknown", True), finding


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.ACCESS_CIM])
def test_denied_rights_on_the_cluster_are_told(fault: Fault) -> None:
    with playing() as estate:
        for simulator in estate.simulators.values():
            simulator.faults = {NODES: fault}
        clustered = results(read([estate.inventory_of()]))
        alone = read([], [estate.entry("HV01")])
    assert (clustered[READ][0], "not permitted" in clustered[READ][1]) == ("unknown", True), clustered[READ]
    table = judge_snapshot(alone, Scope())
    (server,) = table.estate.servers
    assert any("whether it is a node of a cluster could not be read" in remark for remark in server.remarks)
    assert results(alone)["lab::server-was-read[hv01]"][0] == "passed"


def test_a_refused_password_is_not_tried_on_the_next_node() -> None:
    with playing() as estate:
        wrong = {"audit": Credential(username="audit", password="wrong")}
        found = inventory([], clusters=(estate.inventory_of(),), limits=FAST)
        snapshot = gather(found, wrong, tool="test", now=lambda: NOW)
    assert [len(simulator.authorization_seen) > 0 for simulator in estate.simulators.values()] == [True, False, False]
    assert results(snapshot)[READ][0] == "unknown"


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.EMPTY, Fault.QUOTA])
@pytest.mark.slow
def test_resources_that_do_not_come_put_the_cluster_in_doubt(fault: Fault) -> None:
    with playing() as estate:
        for simulator in estate.simulators.values():
            simulator.faults = {RESOURCES: fault}
        told = results(read([estate.inventory_of()]))
    assert told[READ][0] == "unknown"
    assert told[f"{IP}[hvcl01/sql01]"][0] == "passed"


def test_private_properties_that_cannot_be_sent_leave_the_names() -> None:
    """WMI may not be able to write them: the projection with them fails, the one without does not."""
    with playing() as estate:
        for simulator in estate.simulators.values():
            without = {RESOURCES: frozenset({"PrivateProperties"})}
            simulator.played = replace(simulator.played, missing_properties=without)
        snapshot = read([estate.inventory_of()])
    result, finding = results(snapshot)[READ]
    assert result == "unknown"
    assert "which virtual machine a resource is can't be told: sql01" in finding, finding


# --- while it is read -------------------------------------------------------------------------------------------------


def moving(estate: Estate, after: str, **placed: Sequence[Vm]) -> Callable[[Progress], None]:
    """A migration that ends as soon as a node has been read."""

    def tell(progress: Progress) -> None:
        if progress.finished == after:
            owners = {vm.name: name for name, vms in {**estate.placed, **placed}.items() for vm in vms}
            machines = [(vm, owners.get(vm.name, owner)) for vm, owner in estate.cluster.machines]
            estate.stand(replace(estate.cluster, machines=machines), **placed)

    return tell


def test_a_machine_that_moves_to_a_node_that_is_still_to_be_read_is_judged_there() -> None:
    with playing() as estate:
        snapshot = read([estate.inventory_of()], tell=moving(estate, "hv01", HV01=[], HV03=[SQL]))
    table = judge_snapshot(snapshot, Scope())
    (vm,) = [vm for vm in table.estate.replicated if vm.machine.name == "sql01"]
    assert vm.machine.server == "hv03"
    assert "was seen on hv01, hv03: it moved during the audit, and hv03 owned it at the end" in vm.machine.remarks
    assert results(snapshot)[f"{IP}[hvcl01/sql01]"][0] == "passed"
    assert results(snapshot)[READ][0] == "passed"


def test_a_machine_that_moves_to_a_node_that_was_read_already_is_read_there_again() -> None:
    with playing() as estate:
        snapshot = read([estate.inventory_of()], tell=moving(estate, "hv01", HV02=[], HV01=[SQL, WEB]))
        assert [asked(simulator, MACHINE_SETTINGS) for simulator in estate.simulators.values()] == [2, 1, 1]
    told = results(snapshot)
    assert {told[f"{IP}[hvcl01/{name}]"][0] for name in ("sql01", "web01")} == {"passed"}
    assert told[READ][0] == "passed"


def test_what_leaves_a_node_meanwhile_is_not_lost_by_reading_it_again() -> None:
    """One moves to the node that was read already, another leaves it for nowhere: the first reading stands."""
    with playing() as estate:
        snapshot = read([estate.inventory_of()], tell=moving(estate, "hv01", HV02=[], HV01=[WEB]))
    told = results(snapshot)
    assert told[f"{IP}[hvcl01/web01]"] == (
        "unknown",
        "its cluster expects it (online, hv01 owns it), but no node showed it, not even at the end",
    )
    assert told[f"{IP}[hvcl01/sql01]"][0] == "passed"
    assert told[READ] == ("unknown", "1 of its 2 virtual machines stood on no node: web01")


def test_an_expected_machine_that_is_nowhere_is_unknown() -> None:
    with playing(HV01=[SQL]) as estate:
        told = results(read([estate.inventory_of()]))
        assert [asked(simulator, MACHINE_SETTINGS) for simulator in estate.simulators.values()] == [1, 1, 1]
    assert {result for key, (result, _) in told.items() if "web01" in key} == {"unknown"}
    assert f"{IP}[hvcl01/web01]" in told
    assert told[READ][0] == "unknown"


@pytest.mark.parametrize("state", [UP, DOWN])
def test_a_node_that_is_down_makes_the_cluster_incomplete(state: int) -> None:
    cluster = replace(WHOLE, nodes={"HV01": UP, "HV02": UP, "HV03": state})
    with playing(cluster) as estate:
        port = closed_port()  # now, or one of the simulators could take it
        nodes = (estate.entry("HV01"), estate.entry("HV02"), estate.entry("HV03", port=port))
        told = results(read([estate.inventory_of(nodes=nodes)]))
    assert told[READ][0] == "unknown"
    assert "1 of its 3 nodes could not be read: hv03" in told[READ][1]
    assert ("by its own word down: hv03" in told[READ][1]) is (state == DOWN)
    assert told["lab::server-was-read[hv03]"][0] == "unknown"
    assert told[f"{IP}[hvcl01/sql01]"][0] == "passed"


def test_an_interrupted_gathering_knows_what_it_did_not_read() -> None:
    def stop(progress: Progress) -> None:
        if progress.finished == "hv01":
            raise KeyboardInterrupt

    with playing() as estate:
        snapshot = read([estate.inventory_of()], tell=stop)
    assert not snapshot.complete
    first, *others = [source.reading for source in snapshot.servers]
    assert (isinstance(first, Unread), len(others)) == (False, 2)
    assert all("interrupted" in str(one) for one in others if isinstance(one, Unread))  # one may have arrived as well
    assert results(snapshot)[READ][0] == "unknown"


# --- servers alone ----------------------------------------------------------------------------------------------------


def test_a_machine_on_an_unlisted_node_is_not_missed_in_silence() -> None:
    with playing() as estate:
        snapshot = read([], [estate.entry("HV01"), estate.entry("HV03", may_be_empty=True)])
    told = results(snapshot)
    for name in ("hv01", "hv03"):
        result, finding = told[f"lab::server-was-read[{name}]"]
        assert result == "unknown"
        assert "1 of its 3 nodes is not in the inventory: hv02" in finding
    allowed = results(snapshot, replace(DEFAULT, partial_clusters="tell"))
    assert allowed["lab::server-was-read[hv01]"][0] == "passed"


def test_all_nodes_listed_alone_are_told_nothing() -> None:
    with playing() as estate:
        entries = [estate.entry(name, may_be_empty=True) for name in estate.simulators]
        told = results(read([], entries))
    assert {told[f"lab::server-was-read[hv0{number}]"][0] for number in (1, 2, 3)} == {"passed"}


def test_a_listed_server_that_is_a_node_is_read_once() -> None:
    """By the same endpoint; under another one only what it says tells, and then it is judged once."""
    with playing() as estate:
        listed = estate.entry("HV01", name="berlin-1")
        found = inventory([listed], clusters=(estate.inventory_of(),), limits=FAST, lines={"berlin-1": 3, "hvcl01": 7})
        snapshot = gather(found, CREDENTIALS, tool="test", now=lambda: NOW)
    assert [(source.name, source.cluster) for source in snapshot.servers] == [
        ("berlin-1", "hvcl01"),
        ("hv02", "hvcl01"),
        ("hv03", "hvcl01"),
    ]
    assert asked(estate.simulators["HV01"], MACHINE_SETTINGS) == 1
    assert results(snapshot)[READ][0] == "passed"
    remarks = {server.name: server.remarks for server in judge_snapshot(snapshot, Scope()).estate.servers}
    told = "is listed as a server, and is a node of the cluster hvcl01: it was read once (lab.yaml, lines 3 and 7)"
    assert {name: told in each for name, each in remarks.items()} == {"berlin-1": True, "hv02": False, "hv03": False}


def test_a_listed_server_at_another_address_is_judged_once() -> None:
    with playing() as estate:
        listed = estate.entry("HV01", name="berlin-1", address="localhost")
        snapshot = read([estate.inventory_of()], [listed])
    told = results(snapshot)
    labels = {key.rpartition("[")[2].partition("/eth-")[0].rstrip("]") for key in told if "sql01" in key}
    assert labels == {"hvcl01/sql01"}
    assert told["lab::server-was-read[berlin-1]"][0] == "passed"


@pytest.mark.parametrize("name", ["hv01", "HV02"])
def test_a_cluster_may_be_called_as_one_of_its_nodes(name: str) -> None:
    """Its entry may name any node. Readings are kept by name: the node's must not take the cluster's place."""
    with playing() as estate:
        nodes = tuple(estate.entry(one, name=f"{one}.dr.example") for one in estate.simulators)
        whole = read([estate.inventory_of(name=f"{name}.dr.example", nodes=nodes)])
    told = results(whole)
    assert told[f"lab::cluster-was-read[{name}.dr.example]"][0] == "passed", told
    assert {key.rpartition("[")[2] for key in told if key.startswith(IP)} == {
        f"{name}.dr.example/sql01]",
        f"{name}.dr.example/web01]",
    }


# --- hostile ----------------------------------------------------------------------------------------------------------

HOSTILE: dict[str, Mapping[str, int]] = {
    "another domain": {"HV01": UP, "hv02.attacker.example": UP},
    "addresses": {"HV01": UP, "127.0.0.1": UP, "2130706433": UP, "0x7f000001": UP, "localhost": UP},
    "signs": {"HV01": UP, "hv02\r\nHost: x": UP, "hv 02": UP, "hv02:22": UP, "u@hv02": UP, "": UP},
}


@pytest.mark.parametrize("nodes", HOSTILE.values(), ids=HOSTILE.keys())
def test_names_that_are_none_are_not_followed(nodes: Mapping[str, int]) -> None:
    with playing(replace(WHOLE, nodes=nodes)) as estate:
        snapshot = read([estate.inventory_of()])
    assert [source.name for source in snapshot.servers] == ["hv01"]
    assert [len(simulator.log) > 0 for simulator in estate.simulators.values()] == [True, False, False]
    assert results(snapshot)[READ][0] == "unknown"


def test_a_server_that_is_no_node_by_its_own_word_keeps_its_cases() -> None:
    """hv01 is listed; the cluster that hv02 speaks for names it as a node, and itself as the owner of its machine."""
    fails = replace(SQL, kvp=12)
    with playing(replace(WHOLE, machines=[(SQL, "HV02")]), HV01=[fails], HV02=[SQL]) as estate:
        simulator = estate.simulators["HV01"]
        simulator.played = replace(simulator.played, namespaces=NAMESPACES - {"root/mscluster"})
        listed = estate.entry("HV01")
        alone = results(read([], [listed]))
        snapshot = read([estate.inventory_of(port=estate.simulators["HV02"].port)], [listed])
    both = results(snapshot)
    assert alone[f"{IP}[hv01/sql01]"][0] == "failed"
    assert {name: both[name] for name in alone if "hv01" in name} == {
        name: result for name, result in alone.items() if "hv01" in name
    }
    assert both[READ][0] == "unknown"
    assert "it names as its nodes servers that don't confirm it: hv01 (is a node of no cluster)" in both[READ][1]


def test_a_listed_server_that_was_not_read_stands_alone(tmp_path: Path) -> None:
    port = closed_port()
    with playing(replace(WHOLE, nodes={"HV01": UP})) as estate:
        listed = estate.entry("HV01", port=port)
        snapshot = read([estate.inventory_of(nodes=(listed,))], [listed])
    assert [(source.name, source.cluster) for source in snapshot.servers] == [("hv01", None), ("hvcl01", "hvcl01")]
    told = results(snapshot)
    assert {told[READ][0], told["lab::server-was-read[hv01]"][0]} == {"unknown"}
    write_snapshot(snapshot, tmp_path / "s.jsonl")
    assert results(read_snapshot(tmp_path / "s.jsonl")) == told


def test_ten_thousand_nodes_are_none() -> None:
    with playing(replace(WHOLE, nodes={f"HV{number:05}": UP for number in range(10_000)})) as estate:
        began = time.monotonic()
        snapshot = read([estate.inventory_of()])
    assert time.monotonic() - began < 10
    assert [(source.name, source.cluster) for source in snapshot.servers] == [("hvcl01", "hvcl01")]
    assert "10,000 nodes" in results(snapshot)[READ][1]


def test_a_nodes_name_is_completed_by_the_clusters_own_domain() -> None:
    cluster = ClusterEntry(name="hvcl01.dr.example", transport="kerberos", scheme="http", site="berlin")
    node = cluster.node("HV02")
    assert (node.name, node.address, node.port, node.site) == ("hv02.dr.example", "hv02.dr.example", 5985, "berlin")
    assert cluster.model_copy(update={"domain": "other.example"}).node("HV02").address == "hv02.other.example"
    assert ClusterEntry(name="hvcl01", transport="kerberos").node("HV02").address == "hv02"
    listed = Entry(name="x", address="hv02.dr.example", transport="kerberos")
    assert cluster.model_copy(update={"nodes": (listed,)}).node("HV02") is listed


def test_the_queries_are_those_of_the_schema() -> None:
    """Against the classes as Microsoft publishes them for Server 2019."""
    known = {
        NODES: {"Name", "State"},
        CLUSTER: {"Name"},
        RESOURCES: {"Name", "Type", "State", "OwnerNode", "OwnerGroup", "PrivateProperties"},
    }
    assert {query.class_name: set(query.properties) for query in OF_CLUSTER} == known


def test_a_cluster_from_a_file_to_the_gate(tmp_path: Path, run_pytest: RunPytest) -> None:
    with playing(HV01=[SQL]) as estate:  # web01 is expected, and nowhere
        ports = {name: simulator.port for name, simulator in estate.simulators.items()}
        nodes = "".join(
            f"\n  - {{name: {name.lower()}, address: 127.0.0.1, port: {port}}}" for name, port in ports.items()
        )
        (tmp_path / "lab.yaml").write_text(
            f"clusters:\n- name: hvcl01\n  address: 127.0.0.1\n  port: {ports['HV01']}\n  domain: dr.example\n"
            f"  nodes:{nodes}\n"
            "defaults: {scheme: http, transport: basic, cleartext: true, credential: audit}\n"
        )
        env = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": CANARY}
        run = run_pytest(
            tmp_path, "--inventory", "lab.yaml", "--hv-save", "s.jsonl", "--hv-report-dir", "out", "-rA", env=env
        )
    assert run.returncode == Exit.NOT_JUDGED, run.stdout
    assert f"PASSED {IP}[hvcl01/sql01]" in run.stdout
    assert "hvcl01/web01 (not seen): its cluster expects it (online, hv02 owns it), but no node" in run.stdout
    assert "hvcl01: 1 of its 2 virtual machines stood on no node: web01" in run.stdout
    again = run_pytest(tmp_path, "--snapshot", "s.jsonl", "--hv-report-dir", "again")
    assert again.returncode == run.returncode
    for report in ("results.csv", "summary.md"):
        assert (tmp_path / "again" / report).read_text() == (tmp_path / "out" / report).read_text()
