"""Damage to a file that was good: it is told, or it changed nothing."""

from __future__ import annotations

import gzip
import json
import string
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import SnapshotError
from compliance.snapshot.lines import MOST_OCTETS, MOST_UNPACKED, MOST_VALUES, OCTETS_A_VALUE
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.write import lines_of
from tests.builders import snapshot, source
from tests.hosts import Host, Vm
from tests.snapshot.test_snapshot import SMALL, complaint, head, lines, server, shared_folder, written


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(SMALL, tmp_path_factory.mktemp("whole") / "s.jsonl").read_bytes()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return written(SMALL, tmp_path_factory.mktemp("packed") / "s.jsonl.gz").read_bytes()


def told_or_the_same(path: Path) -> None:
    try:
        found = read_snapshot(path)
    except SnapshotError:
        complaint(path)
    else:
        assert found == SMALL


@shared_folder
@given(st.data())
def test_a_damaged_compressed_file_is_told_or_means_the_same(
    tmp_path: Path, packed: bytes, data: st.DataObject
) -> None:
    """gzip's header may change without harm; behind it stands a checksum."""
    start = data.draw(st.integers(0, len(packed)) | st.integers(0, 20))
    end = data.draw(st.integers(start, min(start + 12, len(packed))))
    more = data.draw(st.binary(max_size=12) | st.sampled_from([b"\0", packed[:40], gzip.compress(b"")]))
    (path := tmp_path / "s.jsonl.gz").write_bytes(packed[:start] + more + packed[end:])
    told_or_the_same(path)


@pytest.mark.parametrize("number", range(4))
def test_a_line_that_is_lost_or_doubled_is_told(number: int, whole: bytes, tmp_path: Path) -> None:
    each = whole.splitlines(keepends=True)
    (path := tmp_path / "s.jsonl").write_bytes(b"".join(each[:number] + each[number + 1 :]))
    assert complaint(path)
    path.write_bytes(b"".join([*each[:number], each[number], *each[number:]]))
    assert complaint(path)


# --- what unpacks to more than it can be ------------------------------------------------------------------------------

BLANKS = b" " * 1024**2
BOMBS: dict[str, list[bytes]] = {
    "blanks in one line": [BLANKS] * 64,
    "rows of nothing": [b'{"server":"x","read":{"classes":{"Msvm_X":{"rows":[', *[b"{}," * 350_000] * 40],
    "lists of nothing": [b'{"server":"x","groups":[', *[b"[]," * 350_000] * 40],
    "a line without an end": [b"x" * 1024**2] * 130,
}
SAYS = (
    "no snapshot of ours: it unpacks to more than 200 times its size",
    "no snapshot of ours: it holds more values than a snapshot of its size can",
    "no snapshot of ours: it has a line of more than 128 MiB",
)


@pytest.mark.slow
@pytest.mark.parametrize("packed", [True, False], ids=["packed", "plain"])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_anything_is_built(bomb: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    with gzip.open(path, "wb") if packed else path.open("wb") as file:
        file.write(lines(head()))
        file.writelines(BOMBS[bomb])
    tracemalloc.start()
    try:
        line = complaint(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert line.removeprefix(": ") in SAYS or ":2: damaged" in line
    assert peak < 300 * 1024**2


def test_an_honest_file_stays_far_below() -> None:
    """50,000 virtual machines whose guests publish what Windows does; a small one is measured and multiplied."""
    items = {name: f"{name} {number}" for number, name in enumerate(string.ascii_letters[:21])}
    one = snapshot(source(Host(vms=[Vm(name=f"vm{number}", items=items, checkpoints=2) for number in range(100)])))
    whole = b"".join(lines_of(one))
    values = sum(whole.count(sign) for sign in (b",", b"[", b"{"))
    assert 500 * len(whole) < MOST_OCTETS / 5
    assert 500 * values < MOST_VALUES / 5
    assert values * OCTETS_A_VALUE < len(whole) / 5
    assert len(whole) < len(gzip.compress(whole, 9)) * MOST_UNPACKED / 2


# --- keys that stand twice --------------------------------------------------------------------------------------------

Place = tuple[str | int, ...]


def keys_of(value: Any, place: Place = ()) -> Iterator[Place]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        if isinstance(value, dict):
            yield (*place, key)
        yield from keys_of(one, (*place, key))


def with_two(value: Any, place: Place, first: object) -> str:
    """``value`` as JSON, in which the key at ``place`` stands twice, at first with another value."""
    if isinstance(value, list):
        return f"[{','.join(_deeper(number, one, place, first) for number, one in enumerate(value))}]"
    doubled = f"{json.dumps(place[0])}:{json.dumps(first)}," if len(place) == 1 else ""
    pairs = (f"{json.dumps(key)}:{_deeper(key, one, place, first)}" for key, one in value.items())
    return f"{{{doubled}{','.join(pairs)}}}"


def _deeper(key: str | int, value: Any, place: Place, first: object) -> str:
    return with_two(value, place[1:], first) if key == place[0] and len(place) > 1 else json.dumps(value)


@shared_folder
@given(st.data(), st.none() | st.text(max_size=5) | st.booleans() | st.just({"reason": "x", "why": "busy"}))
def test_a_key_that_stands_twice_is_told(tmp_path: Path, whole: bytes, data: st.DataObject, first: object) -> None:
    """JSON lets the last one win, so what a person reads and what is judged would be two things."""
    values = [json.loads(line) for line in whole.splitlines()]
    number = data.draw(st.integers(0, len(values) - 1))
    place = data.draw(st.sampled_from(list(keys_of(values[number]))))
    doubled = with_two(values[number], place, first)
    texts = [doubled if at == number else json.dumps(value) for at, value in enumerate(values)]
    (path := tmp_path / "s.jsonl").write_text("\n".join(texts) + "\n")
    assert complaint(path) == f":{number + 1}: damaged: the key {place[-1]} stands twice"


# --- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_forty_thousand_servers_are_no_trap(tmp_path: Path) -> None:
    """Their names were once compared each with each, which took a minute."""
    count = 40_000
    unread = {"unread": {"reason": "x", "why": "busy"}}
    servers = [
        {key: value for key, value in server(server=f"hv{n}").items() if key != "read"} | unread for n in range(count)
    ]
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(servers=count), *servers))
    started = time.process_time()
    assert len(read_snapshot(path).servers) == count
    assert time.process_time() - started < 8  # about 1 s; only a change of its order is an error
