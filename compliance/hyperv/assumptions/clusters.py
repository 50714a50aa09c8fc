"""What our reading of clusters rests on: how WinRM writes a resource's private properties was seen nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from compliance.hyperv import queries
from compliance.hyperv.assumptions.statement import Assumption, AssumptionCheck, Basis, Sign, assumed
from compliance.hyperv.cluster_rows import A_MACHINE, A_NODE, AN_ADDRESS, is_nested, machine_guid, of_type
from compliance.hyperv.rows import Rows, or_none, text
from compliance.model import Row, Unread
from compliance.snapshot.snapshot import Reading
from compliance.words import shorten_value


def assumptions_on_cluster(reading: Reading) -> tuple[Assumption, ...]:
    return tuple(statement.on(reading) for statement in ON_A_CLUSTER)


def _rows(reading: Reading, class_name: str) -> Rows:
    return or_none(reading.classes.get(class_name, Unread("was not asked for")))


def _of_machines(reading: Reading) -> Iterator[Row]:
    return of_type(_rows(reading, queries.RESOURCES), A_MACHINE)


@assumed(
    "private-properties-come",
    "the private properties of a virtual machine's resource come over WS-Management, with its VmID as a GUID",
    Basis.INFERRED,
    "Microsoft's Hyper-V module reads VmID there by DCOM; how WinRM writes an embedded object was recorded nowhere",
)
def private_properties_come(reading: Reading) -> Iterator[Sign]:
    for row in _of_machines(reading):
        guid = machine_guid(row)
        yield f"{shorten_value(row.get('Name'))}: {guid}" if isinstance(guid, Unread) else None


@assumed(
    "private-properties-are-nested",
    "an embedded object comes as nested elements, not as XML in text; both are read",
    Basis.INFERRED,
    "masterzen/winrm reads other embedded objects so; never seen of this class",
)
def private_properties_are_nested(reading: Reading) -> Iterator[Sign]:
    for row in _of_machines(reading):
        if isinstance(row.get(queries.PRIVATE_PROPERTIES), str):
            yield None if is_nested(row) else f"{shorten_value(row.get('Name'))}: as text"


@assumed(
    "node-names-are-labels",
    "a node is called by its NetBIOS name, without a domain",
    Basis.DOCUMENTED,
    f"Microsoft Learn, {queries.NODES}: Name is the label by which the object is known",
)
def node_names_are_labels(reading: Reading) -> Iterable[Sign]:
    for row in _rows(reading, queries.NODES):
        name = text(row, "Name")
        plain = isinstance(name, str) and A_NODE.fullmatch(name) and not AN_ADDRESS.fullmatch(name)
        yield None if plain else shorten_value(name)


@assumed(
    "owner-is-a-node",
    "the owner of a resource is one of the cluster's nodes, by the same name",
    Basis.RECORDED,
    "Microsoft's Hyper-V module takes OwnerNode for a computer's name (MSClusterResourceBaseView)",
)
def owner_is_a_node(reading: Reading) -> Iterator[Sign]:
    nodes = {name.casefold() for row in _rows(reading, queries.NODES) if isinstance(name := text(row, "Name"), str)}
    for row in _of_machines(reading):
        owner = text(row, "OwnerNode")
        if isinstance(owner, str):
            yield None if owner.casefold() in nodes else f"{shorten_value(row.get('Name'))}: {shorten_value(owner)}"


ON_A_CLUSTER: tuple[AssumptionCheck[Reading], ...] = (
    private_properties_come,
    private_properties_are_nested,
    node_names_are_labels,
    owner_is_a_node,
)
