"""Records, inventories and snapshots of described servers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from compliance.gate.policy import DEFAULT
from compliance.hyperv.queries import OF_REPLICATION, queries_for, queries_of_replication
from compliance.inventory.entries import Entry, Limits
from compliance.inventory.inventory import Inventory
from compliance.model import Judging, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from tests.host_rows import host_rows
from tests.hosts import NOW, Host
from tests.wire_rows import wire


def source(host: Host, *, rows: Mapping[str, object] | None = None, **changes: object) -> ServerRecord:
    """A server that was read; ``rows`` replaces the answer of a class, by rows or by an Unread."""
    classes = {**wire(host_rows(host)), **(rows or {})}
    machines: Any = classes["Msvm_ComputerSystem"]
    of_replication = queries_of_replication(host.version, machines)
    asked = (*queries_for(host.version), *of_replication)
    spared = {query.class_name for query in OF_REPLICATION} - {query.class_name for query in of_replication}
    classes = {name: answer for name, answer in classes.items() if name not in spared or name in (rows or {})}
    values: dict[str, object] = {
        "name": host.name.lower(),
        "endpoint": f"{host.name.lower()}.dr.example:5986",
        "reading": Reading(
            started=NOW,
            finished=NOW,
            version=host.version,
            classes=classes,  # type: ignore[arg-type]
            again={"Msvm_ComputerSystem": classes["Msvm_ComputerSystem"]},  # type: ignore[dict-item]
            asked_properties={query.class_name: query.properties for query in asked},
        ),
    }
    return ServerRecord(**{**values, **changes})  # type: ignore[arg-type]


def with_text(found: ServerRecord, old: str, new: str) -> ServerRecord:
    """The same server, which says ``new`` wherever it said ``old``."""
    assert isinstance(found.reading, Reading)
    classes = {
        name: answer
        if isinstance(answer, Unread)
        else tuple({key: new if text == old else text for key, text in row.items()} for row in answer)
        for name, answer in found.reading.classes.items()
    }
    return replace(found, reading=replace(found.reading, classes=classes))


def unread_source(name: str, reason: str = "refused") -> ServerRecord:
    return ServerRecord(name=name, endpoint=f"{name}.dr.example:5986", reading=Unread(reason))


def inventory(entries: Sequence[Entry], **changes: object) -> Inventory:
    """An inventory that no file holds."""
    values: dict[str, object] = {
        "name": "lab",
        "servers": tuple(entries),
        "snapshot": None,
        "limits": Limits(),
        "policy": DEFAULT,
        "may_be_empty": False,
        "path": Path("lab.yaml"),
        "digest": "",
        "lines": {},
    }
    return Inventory(**{**values, **changes})  # type: ignore[arg-type]


def snapshot(*sources: ServerRecord, settings: Judging = Judging(), clusters: Sequence[ServerRecord] = ()) -> Snapshot:
    return Snapshot(estate="test", time=NOW, tool="0", settings=settings, servers=sources, clusters=tuple(clusters))
