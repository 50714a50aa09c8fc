"""A failover cluster for tests: what its nodes say in root/mscluster, for the simulator and for the translator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.sax.saxutils import escape

from compliance.hyperv.queries import CLUSTER, NODES, OF_CLUSTER, RESOURCES
from compliance.model import Row, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord
from tests.builders import source
from tests.hosts import NOW, Host, RowsByClass, Vm

UP, DOWN, PAUSED = 0, 1, 2
PLAIN = " :\\"
NESTED, TEXT = "nested", "text"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Its nodes with their states, and its machines with the node that owns each."""

    name: str = "HVCL01"
    nodes: Mapping[str, int] = field(default_factory=lambda: {"HV01": UP, "HV02": UP, "HV03": UP})
    machines: Sequence[tuple[Vm, str]] = ()
    broker: str = ""  # its client access point
    spelled: str = NESTED
    state: int = 2  # of each machine's resource


def cluster_rows(cluster: Cluster) -> RowsByClass:
    """As a host holds them: an embedded object is a mapping, or the text that it would be."""
    resources = [_machine(cluster, vm, owner) for vm, owner in cluster.machines]
    if cluster.broker:
        resources += _broker(cluster)
    resources.append(_resource("Cluster Disk 1", "Physical Disk", "HV01", "Available Storage", {"DiskSignature": "7"}))
    return {
        CLUSTER: [{"Name": cluster.name}],
        NODES: [{"Name": name, "State": state} for name, state in cluster.nodes.items()],
        RESOURCES: [_spelled(row, cluster.spelled) for row in resources],
    }


def _machine(cluster: Cluster, vm: Vm, owner: str) -> dict[str, object]:
    private = {"DependsOnSharedVolumes": "7f", "VmID": vm.id.lower(), "VmStoreRootPath": "C:\\ClusterStorage\\a & b"}
    return {
        **_resource(f"Virtual Machine {vm.name}", "Virtual Machine", owner, vm.name, private),
        "State": cluster.state,
    }


def _broker(cluster: Cluster) -> list[dict[str, object]]:
    kind = "Virtual Machine Replication Broker"
    owner, group = next(iter(cluster.nodes)), cluster.broker.upper()
    return [
        _resource(f"{kind} {group}", kind, owner, group, {"RecoveryServerEnabled": "true"}),
        _resource(group, "Network Name", owner, group, {"Name": group, "DnsName": cluster.broker}),
        _resource("Cluster Name", "Network Name", owner, "Cluster Group", {"Name": cluster.name}),
    ]


def _resource(name: str, kind: str, owner: str, group: str, private: Mapping[str, str]) -> dict[str, object]:
    return {
        "Name": name,
        "Type": kind,
        "State": 2,
        "OwnerNode": owner,
        "OwnerGroup": group,
        "PrivateProperties": dict(private),
    }


def _spelled(row: dict[str, object], how: str) -> dict[str, object]:
    private = row["PrivateProperties"]
    if how == NESTED or not isinstance(private, Mapping):
        return row
    pairs = ((name, escape(text)) for name, text in private.items())
    items = (f'<PROPERTY NAME="{name}" TYPE="string"><VALUE>{text}</VALUE></PROPERTY>' for name, text in pairs)
    return {**row, "PrivateProperties": f'<INSTANCE CLASSNAME="MSCluster_Property">{"".join(items)}</INSTANCE>'}


# --- the same as it comes over the wire -------------------------------------------------------------------------------


def cluster_wire(cluster: Cluster) -> dict[str, tuple[Row, ...]]:
    kinds = ("Virtual Machine", "Virtual Machine Replication Broker", "Network Name")
    rows = cluster_rows(cluster)
    rows[RESOURCES] = [row for row in rows[RESOURCES] if row["Type"] in kinds]
    return {
        query.class_name: tuple(
            {name: _text(row.get(name)) for name in sorted(query.properties)} for row in rows[query.class_name]
        )
        for query in OF_CLUSTER
    }


def _text(value: object) -> str | None:
    if isinstance(value, Mapping):
        return "&".join(f"{name}={quote(text, PLAIN)}" for name, text in value.items())
    return None if value is None else str(value)


def cluster_source(cluster: Cluster, *, later: Cluster | None = None, **changes: object) -> ServerRecord:
    """A cluster that was read; ``later`` is what it said when its nodes had been read."""
    first, again = cluster_wire(cluster), cluster_wire(later or cluster)
    del again[CLUSTER]
    values: dict[str, object] = {
        "name": cluster.name.lower(),
        "endpoint": f"{cluster.name.lower()}.dr.example:5986",
        "reading": Reading(started=NOW, finished=NOW, classes=first, again=again),
    }
    return ServerRecord(**{**values, **changes})  # type: ignore[arg-type]


def node_source(cluster: Cluster, name: str, *vms: Vm, of: str | None = "hvcl01", **changes: object) -> ServerRecord:
    """One of its nodes that was read, as a node of the inventory's cluster ``of``, or as a server alone."""
    found = source(Host(name=name, vms=vms), **{"cluster": of, **changes})
    if isinstance(found.reading, Unread):
        return found
    said = {name: rows for name, rows in cluster_wire(cluster).items() if name in (CLUSTER, NODES)}
    said[NODES] = tuple({"Name": row["Name"], "State": row["State"]} for row in said[NODES])
    reading = Reading(
        started=NOW,
        finished=NOW,
        version=found.reading.version,
        classes=found.reading.classes,
        again=found.reading.again,
        cluster=said,
    )
    return ServerRecord(**{**{key: getattr(found, key) for key in found.__slots__}, "reading": reading})
