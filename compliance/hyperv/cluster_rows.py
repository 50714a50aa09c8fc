"""What a failover cluster says of itself: its nodes, its virtual machines, and the names that partners know it by.

All of it is one server's word. A node's name is followed with a login, so it is taken by a strict form only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.parsers import expat

from compliance.hyperv import queries
from compliance.hyperv.kvp import MAX_ITEM, safe_tree
from compliance.hyperv.rows import A_GUID, Rows, cut, first_label, number, text
from compliance.model import Row, Unread
from compliance.words import join_names, shorten_value

MOST_NODES = 64
"""Of one cluster (Microsoft Learn, "Failover clustering hardware requirements and storage options")."""
A_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}")
"""A NetBIOS name: no dot, so that no other domain can be named."""
AN_ADDRESS = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]+|localhost", re.IGNORECASE)
"""What a resolver takes for an address, or for this very machine, where no domain follows."""

UP, DOWN, PAUSED, JOINING = "up", "down", "paused", "joining"
NODE_STATES = {0: UP, 1: DOWN, 2: PAUSED, 3: JOINING}
RESOURCE_STATES = {0: "inherited", 1: "initializing", 2: "online", 3: "offline", 4: "failed"} | {
    128: "pending",
    129: "going online",
    130: "going offline",
}
A_MACHINE = "Virtual Machine"
A_BROKER = "Virtual Machine Replication Broker"
A_NAME = "Network Name"


@dataclass(frozen=True, kw_only=True, slots=True)
class Nodes:
    """Label, without case, -> state. ``refused``: names that are none, printable."""

    states: Mapping[str, str]
    refused: tuple[str, ...] = ()


def nodes_of(answer: Rows | Unread) -> Nodes | Unread:
    """The nodes that a cluster names; unread where no cluster can have such nodes."""
    if isinstance(answer, Unread):
        return answer
    if not answer:
        return Unread("its list of nodes is empty")
    if len(answer) > MOST_NODES:
        return Unread(f"it names {len(answer):,} nodes, and a cluster has {MOST_NODES} at most")
    states: dict[str, str] = {}
    refused: list[str] = []
    for row in answer:
        name = text(row, "Name")
        if not isinstance(name, str) or not A_NODE.fullmatch(name) or AN_ADDRESS.fullmatch(name):
            refused.append(shorten_value(name))
        elif name.casefold() in states:
            refused.append(f"{name} twice")
        else:
            states[name.casefold()] = _state(row, NODE_STATES)
    return Nodes(states=states, refused=tuple(refused))


def name_of(answer: Rows | Unread) -> str | None:
    """What a cluster calls itself, where it says one thing."""
    names = [name for row in (() if isinstance(answer, Unread) else answer) if isinstance(name := row.get("Name"), str)]
    return cut(names[0].strip()) or None if len(names) == 1 else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """A virtual machine that a cluster has as a resource."""

    guid: str
    name: str
    owner: str  # a node's label, without case; empty where it is not told
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """``unclear``: resources of which it can't be told which virtual machine they are."""

    machines: Mapping[str, Expected]
    unclear: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()  # of the Replica Broker, as labels: partners are told these


def resources_of(answer: Rows | Unread) -> Resources | Unread:
    if isinstance(answer, Unread):
        return answer
    machines: dict[str, Expected] = {}
    unclear: list[str] = []
    for row in of_type(answer, A_MACHINE):
        guid = machine_guid(row)
        if isinstance(guid, Unread):
            unclear.append(f"{_machine_name(row)} ({guid})")
        else:
            machines[guid] = Expected(
                guid=guid, name=_machine_name(row), owner=_label(row, "OwnerNode"), state=_state(row, RESOURCE_STATES)
            )
    untyped = [row for row in answer if not isinstance(text(row, "Type"), str)]
    unclear += [f"{_machine_name(row)} (its type is not told)" for row in untyped]
    return Resources(machines=machines, unclear=tuple(unclear), names=_broker_names(answer))


def machine_guid(row: Row) -> str | Unread:
    """Which virtual machine a resource is."""
    properties = private_properties(row)
    if isinstance(properties, Unread):
        return properties
    value = next((value for name, value in properties.items() if name.casefold() == "vmid"), None)
    if value is None:
        return Unread(f"{queries.PRIVATE_PROPERTIES} came without VmID")
    guid = value.strip().strip("{}").upper()
    return guid if A_GUID.fullmatch(guid) else Unread("its VmID is no GUID")


def private_properties(row: Row) -> Mapping[str, str] | Unread:
    """An embedded object, in whichever way WinRM writes it: nested elements, which a row holds as ``Name=value&…``, or
    XML as text. No recording shows which it is."""
    value = row.get(queries.PRIVATE_PROPERTIES)
    if not isinstance(value, str) or not value.strip():
        return Unread(f"{queries.PRIVATE_PROPERTIES} did not come")
    if value.lstrip().startswith("<"):
        return _of_xml(value.strip())
    pairs = [part.partition("=") for part in value.split("&")]
    if not all(name and equals for name, equals, _ in pairs):
        return Unread(f"{queries.PRIVATE_PROPERTIES} came in a form that is not known")
    return {unquote(name): unquote(content) for name, _, content in pairs}


def is_nested(row: Row) -> bool:
    """Of the two ways, the nested one."""
    value = row.get(queries.PRIVATE_PROPERTIES)
    return isinstance(value, str) and not value.lstrip().startswith("<")


def of_type(rows: Rows, wanted: str) -> Iterator[Row]:
    return (row for row in rows if isinstance(kind := text(row, "Type"), str) and kind.strip() == wanted)


# --- parts ------------------------------------------------------------------------------------------------------------


def _of_xml(value: str) -> Mapping[str, str] | Unread:
    """CIM-XML (``<PROPERTY NAME="VmID"><VALUE>``), or elements that are called as their properties are."""
    if len(value) > MAX_ITEM:
        return Unread(f"{queries.PRIVATE_PROPERTIES} is too long")
    try:
        root = safe_tree(value)
    except (ElementTree.ParseError, expat.ExpatError, ValueError):
        return Unread(f"{queries.PRIVATE_PROPERTIES} is no XML")
    values: dict[str, str] = {}
    for element in root:
        inner = element.find("VALUE")
        name = element.get("NAME") or element.tag.rpartition("}")[2]
        values.setdefault(name, ((element if inner is None else inner).text or "").strip())
    return values


def _broker_names(rows: Rows) -> frozenset[str]:
    """The broker's client access point: its group, and the network names in it (Microsoft Learn, "Why is the Hyper-V
    Replica Broker required?": partners are given the broker's name)."""
    groups = {group for row in of_type(rows, A_BROKER) if (group := _label(row, "OwnerGroup", whole=True))}
    names = set(groups)
    for row in of_type(rows, A_NAME):
        if _label(row, "OwnerGroup", whole=True) not in groups:
            continue
        names.add(_label(row, "Name"))
        properties = private_properties(row)
        if not isinstance(properties, Unread):
            names |= {first_label(value) for key, value in properties.items() if key.casefold() in ("name", "dnsname")}
    return frozenset(name for name in names if A_NODE.fullmatch(name))


def _label(row: Row, property_name: str, *, whole: bool = False) -> str:
    value = text(row, property_name)
    if not isinstance(value, str):
        return ""
    return value.strip().casefold() if whole else first_label(value)


def _machine_name(row: Row) -> str:
    """``Virtual Machine sql01``: failover clustering's own name for the resource of ``sql01``."""
    name = text(row, "Name")
    if not isinstance(name, str) or not name.strip():
        return "a resource without a name"
    name = cut(name.strip())
    return name.removeprefix(f"{A_MACHINE} ").strip() or name


def _state(row: Row, names: Mapping[int, str]) -> str:
    value = number(row, "State")
    return names.get(value, f"in state {value}") if isinstance(value, int) else "in a state that is not told"


def some_of(names: tuple[str, ...]) -> str:
    """A few of a cluster's own words, for a line of ours."""
    return join_names([shorten_value(name) for name in names])
