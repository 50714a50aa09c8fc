"""What becomes of a cluster's rows in a snapshot for strangers: nodes are called as servers, machines as machines.

Of a resource's private properties only those stay that something is read from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote

from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import A_BROKER, A_MACHINE, A_NAME, is_nested, private_properties
from compliance.hyperv.rows import A_GUID
from compliance.model import Row, Unread

CLASSES = frozenset({queries.NODES, queries.CLUSTER, queries.RESOURCES})
PROPERTIES = frozenset(name for query in queries.OF_CLUSTER for name in query.properties)
KINDS = frozenset({A_MACHINE, A_BROKER, A_NAME})
LOST = "lost"
"""Stands for private properties that could not be read: no form that is known."""


def text_of_cluster(other: Pseudonyms, class_name: str, name: str, row: Row, text: str) -> str:
    change = CHANGES.get(name)
    if name == "Name" and class_name == queries.RESOURCES:
        return _resource(other, row, text)
    if name == queries.PRIVATE_PROPERTIES:
        return _private(other, row, text)
    return other.name(text, "value") if change is None else change(other, text)


def _resource(other: Pseudonyms, row: Row, text: str) -> str:
    if row.get("Type") == A_NAME:
        return other.host(text, "server")
    _, led, name = text.rpartition(f"{A_MACHINE} ")
    return led + other.name(name, "vm")


def _private(other: Pseudonyms, row: Row, text: str) -> str:
    properties = private_properties({**row, queries.PRIVATE_PROPERTIES: text})
    if isinstance(properties, Unread):
        return text if not text.strip() else LOST
    known = {
        name: _guid(other, value) if name.casefold() == "vmid" else other.host(value, "server")
        for name, value in properties.items()
        if name.casefold() in ("vmid", "name", "dnsname")
    }
    if is_nested({queries.PRIVATE_PROPERTIES: text}):
        return "&".join(f"{name}={quote(value, safe='{}')}" for name, value in (known or {"Left": "out"}).items())
    pairs = ((name, _escaped(value)) for name, value in known.items())
    items = "".join(f'<PROPERTY NAME="{name}"><VALUE>{value}</VALUE></PROPERTY>' for name, value in pairs)
    return f"<INSTANCE>{items}</INSTANCE>"


def _guid(other: Pseudonyms, value: str) -> str:
    core = value.strip().strip("{}")
    if not A_GUID.fullmatch(core):
        return other.name(value, "value")
    before, _, behind = value.partition(core)
    return before + other.guid(core) + behind


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;")


def _host(other: Pseudonyms, text: str) -> str:
    return other.host(text, "server")


def _state(other: Pseudonyms, text: str) -> str:
    return text if text.isascii() and text.isdigit() else other.name(text, "number")


def _kind(other: Pseudonyms, text: str) -> str:
    return text if text in KINDS else other.name(text, "type")


CHANGES: Mapping[str, Callable[[Pseudonyms, str], str]] = {
    "Name": _host,
    "State": _state,
    "Type": _kind,
    "OwnerNode": _host,
    "OwnerGroup": _host,
}
