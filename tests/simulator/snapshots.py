"""A snapshot's lines as something to play, so that a live run can be tried without a Windows host."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from tests.simulator.played import Played

CHOSEN_BY: Mapping[str, Mapping[str, object]] = {"Win32_NetworkAdapterConfiguration": {"IPEnabled": True}}
"""What a question asks of a class's rows and does not keep: each row that was recorded had it."""


@dataclass(frozen=True, kw_only=True)
class SnapshotServer:
    """A server of a snapshot that was read, with what an inventory says of it."""

    name: str
    site: str | None
    groups: tuple[str, ...]
    played: Played


def estate_and_servers(path: Path) -> tuple[str, list[SnapshotServer]]:
    """Name of the estate and its servers; those that could not be read are left out."""
    lines = _lines(path)
    header = next(lines)
    servers = [
        SnapshotServer(
            name=str(line["server"]),
            site=line.get("site"),
            groups=tuple(line.get("groups") or ()),
            played=played_from_snapshot_line(line),
        )
        for line in islice(lines, header.get("servers"))  # behind them stand clusters, which are no servers
        if "read" in line
    ]
    return str(header.get("estate") or path.name.partition(".")[0]), servers


def played_from_snapshot_line(line: Mapping[str, object]) -> Played:
    """What one line of a snapshot recorded. A class that could not be read is absent.

    Rows hold the text of the wire; classes.json says which of it is a date.
    """
    read = line["read"]
    if not isinstance(read, Mapping):
        raise TypeError(f"{line.get('server')}: 'read' is not an object")
    classes: Mapping[str, Mapping[str, object]] = read["classes"]
    rows = {name: _rows(name, entry["rows"]) for name, entry in classes.items() if "rows" in entry}
    of_cluster = {name: entry["rows"] for name, entry in read.get("cluster", {}).items() if "rows" in entry}
    clock = read.get("clock")
    return Played(
        rows={**rows, **of_cluster},  # type: ignore[dict-item]  # JSON
        version=str(read.get("version") or ""),
        computer=str(line.get("server") or "HV01").partition(".")[0].upper(),
        clock=datetime.fromisoformat(str(clock)) if clock else None,
        absent=frozenset(classes) - frozenset(rows),
        namespaces=frozenset({"root/cimv2", "root/virtualization/v2", *(["root/mscluster"] if of_cluster else [])}),
    )


def _rows(name: str, rows: Any) -> Any:
    return [{**CHOSEN_BY[name], **row} for row in rows] if name in CHOSEN_BY else rows


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)
