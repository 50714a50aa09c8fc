"""A server whose rows were let go says what it said with them, and its line stays what it was."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from compliance.errors import SnapshotError
from compliance.hyperv.estate import translate
from compliance.hyperv.server import keep_line, let_go
from compliance.model import Unread
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot
from compliance.snapshot.write import lines_of, write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.clustered import Cluster, cluster_source, node_source
from tests.hosts import Host, Vm, replica_of
from tests.hyperv.test_anonymous_estates import odd_estates

ROOT = Path(__file__).parents[2]
NO_SNAPSHOTS = "estate-*"  # tests/cases has some that are refused
FILES = sorted(
    path
    for folder in ("inventories", "tests")
    for path in (ROOT / folder).rglob("*.jsonl*")
    if not path.match(NO_SNAPSHOTS)
)
SQL = Vm(name="sql01", hosts=(("hv01.dr.example", "hv09.dr.example"),))
WEB = Vm(name="web01", hosts=(("hv02.dr.example", "hv09.dr.example"),))
WHOLE = Cluster(machines=[(SQL, "HV01"), (WEB, "HV02")])
OTHER = replace(WHOLE, name="OTHER")
NODES = [node_source(WHOLE, "HV01", SQL), node_source(WHOLE, "HV02", WEB), node_source(WHOLE, "HV03")]
CLUSTERED = {
    "whole": snapshot(*NODES, clusters=[cluster_source(WHOLE)]),
    "a node that was not read": snapshot(
        NODES[0], replace(unread_source("hv02"), cluster="hvcl01"), NODES[2], clusters=[cluster_source(WHOLE)]
    ),
    "a claim in vain, of a server without a machine": snapshot(
        *NODES[:2], node_source(OTHER, "HV03"), clusters=[cluster_source(WHOLE)]
    ),
    "a claim in vain, of a server that is no node": snapshot(
        *NODES, source(Host(name="HV09", vms=[replica_of(SQL)]), cluster="hvcl01"), clusters=[cluster_source(WHOLE)]
    ),
    "a server without its own row": snapshot(source(Host(name="HV01"), rows={"Msvm_ComputerSystem": ()})),
    "no server": snapshot(),
}


def without_rows(found: Snapshot, take: Callable[[ServerRecord], ServerRecord] = let_go) -> Snapshot:
    return replace(found, servers=tuple(map(take, found.servers)))


def rows_in(found: Snapshot) -> list[object]:
    readings = [record.reading for record in found.servers if isinstance(record.reading, Reading)]
    return [rows for reading in readings for rows in (reading.classes, reading.again, reading.asked_properties) if rows]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_an_estate_is_the_same_without_rows(path: Path) -> None:
    slim = read_snapshot(path, let_go)
    assert rows_in(slim) == []
    assert translate(slim) == translate(read_snapshot(path))


@pytest.mark.parametrize("name", CLUSTERED)
def test_a_cluster_is_the_same_without_rows(name: str) -> None:
    assert translate(without_rows(CLUSTERED[name])) == translate(CLUSTERED[name])


@settings(deadline=None)
@given(odd_estates())
def test_what_nobody_has_ever_seen_is_the_same_without_rows(found: Snapshot) -> None:
    assert translate(without_rows(found)) == translate(found)


def test_rows_are_let_go_once() -> None:
    (once,) = without_rows(snapshot(source(Host(vms=[SQL])))).servers
    assert let_go(once) is once
    assert keep_line(once) is once


# --- what is saved ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_line_is_kept_as_it_would_be_written(path: Path) -> None:
    assert list(lines_of(read_snapshot(path, keep_line))) == list(lines_of(read_snapshot(path)))


@settings(deadline=None)
@given(odd_estates())
def test_a_line_that_nobody_has_ever_seen_is_kept(found: Snapshot) -> None:
    assert list(lines_of(without_rows(found, keep_line))) == list(lines_of(found))


def test_a_server_without_a_line_is_never_written_as_one_that_showed_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with pytest.raises(ValueError, match="the rows of hv01 were let go"):
        write_snapshot(without_rows(snapshot(source(Host(vms=[SQL])))), path)
    assert not path.exists()


# --- memory and mistakes ----------------------------------------------------------------------------------------------


@contextmanager
def no_collector() -> Iterator[None]:
    """As while a snapshot is read: what refers back to itself stays."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def peak_of(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_rows_of_all_servers_are_never_there_at_once(tmp_path: Path) -> None:
    text = "x" * 100_000
    hosts = [
        source(Host(name=f"HV{at:02d}", vms=[Vm(name=f"vm{at}", items={"Note": f"{at}{text}"})])) for at in range(40)
    ]
    path = tmp_path / "s.jsonl"
    write_snapshot(snapshot(*hosts), path)
    read_snapshot(path, let_go)  # what is made once is there
    with no_collector():
        whole, slim = peak_of(lambda: read_snapshot(path)), peak_of(lambda: read_snapshot(path, let_go))
    assert whole > 40 * len(text)
    assert slim < whole / 3


@pytest.mark.parametrize("take", [let_go, keep_line, lambda record: record])
def test_a_damaged_last_line_is_named_whatever_becomes_of_rows(
    take: Callable[[ServerRecord], ServerRecord], tmp_path: Path
) -> None:
    path = tmp_path / "s.jsonl"
    write_snapshot(snapshot(source(Host(vms=[SQL])), source(Host(name="HV02"))), path)
    path.write_bytes(path.read_bytes()[:-20] + b"\n")
    with pytest.raises(SnapshotError, match=r"s\.jsonl:3: damaged or not a snapshot: no line of JSON"):
        read_snapshot(path, take)


def test_what_was_not_read_stays_as_it_is() -> None:
    record = unread_source("hv01")
    assert isinstance(record.reading, Unread)
    assert let_go(record) is record
    assert keep_line(record) is record
