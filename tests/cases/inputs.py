"""The inputs, and the same in other words: other names, other sites, more adapters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from compliance.model import Row, Unread
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, RowsOrUnread, ServerRecord, Snapshot
from tests.hosts import guid

DATA = Path(__file__).parent / "data"
NAMED = ("Msvm_ComputerSystem", "Msvm_VirtualSystemSettingData", "Msvm_ReplicationRelationship")
ADAPTERS = "Msvm_SyntheticEthernetPortSettingData"
CONNECTIONS = "Msvm_EthernetPortAllocationSettingData"


def read(name: str) -> Snapshot:
    return read_snapshot(DATA / name)


def renamed(snapshot: Snapshot, suffix: str) -> Snapshot:
    """Every virtual machine has another name; servers keep theirs, since partners name them."""

    def row(old: Row) -> Row:
        name = old.get("ElementName")
        is_machine = str(old.get("InstanceID", old.get("Name", ""))).count("-") >= 4
        return {**old, "ElementName": f"{name}{suffix}"} if isinstance(name, str) and is_machine else old

    return _with_rows(snapshot, dict.fromkeys(NAMED, row), {})


def at_sites(snapshot: Snapshot, sites: Mapping[str, str]) -> Snapshot:
    servers = tuple(replace(server, site=sites.get(server.name)) for server in snapshot.servers)
    return replace(snapshot, servers=servers)


def with_more_adapters(snapshot: Snapshot, count: int) -> Snapshot:
    """Every virtual machine has more adapters, which are connected and have no failover address."""
    more: dict[str, tuple[Row, ...]] = {}
    for server in snapshot.servers:
        adapters, connections = [], []
        for row in _rows(server, "Msvm_ComputerSystem"):
            machine = str(row["Name"])
            for nic in (guid(f"{machine} more {number}") for number in range(count if machine.count("-") == 4 else 0)):
                adapters.append({"InstanceID": f"Microsoft:{machine}\\{nic}", "ElementName": "Storage", "Address": ""})
                connections.append({"InstanceID": f"Microsoft:{machine}\\{nic}\\C", "EnabledState": "2"})
        more |= {f"{server.name} {ADAPTERS}": tuple(adapters), f"{server.name} {CONNECTIONS}": tuple(connections)}
    return _with_rows(snapshot, {}, more)


def _rows(server: ServerRecord, class_name: str) -> tuple[Row, ...]:
    answer = server.reading.classes.get(class_name, ()) if isinstance(server.reading, Reading) else ()
    return () if isinstance(answer, Unread) else tuple(answer)


def _with_rows(snapshot: Snapshot, change: Mapping[str, object], more: Mapping[str, tuple[Row, ...]]) -> Snapshot:
    servers = []
    for server in snapshot.servers:
        reading = server.reading
        if isinstance(reading, Reading):
            classes, again = (
                {name: _changed(name, answer, server.name, change, more) for name, answer in answers.items()}
                for answers in (reading.classes, reading.again)
            )
            reading = replace(reading, classes=classes, again=again)
        servers.append(replace(server, reading=reading))
    return replace(snapshot, servers=tuple(servers))


def _changed(
    name: str, answer: RowsOrUnread, server: str, change: Mapping[str, object], more: Mapping[str, tuple[Row, ...]]
) -> RowsOrUnread:
    if isinstance(answer, Unread):
        return answer
    row = change.get(name, lambda old: old)
    return (*map(row, answer), *more.get(f"{server} {name}", ()))  # type: ignore[arg-type]
