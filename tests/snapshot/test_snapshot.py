"""A snapshot comes back as it was written; a damaged one is one clear line, whatever the damage."""

from __future__ import annotations

import errno
import gzip
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import SnapshotError, Why
from compliance.model import Evidence, Judging, Unread
from compliance.patterns import NAME
from compliance.snapshot.read import NEVER_WRITTEN, read_snapshot
from compliance.snapshot.snapshot import FORMAT, Reading, ServerRecord, Snapshot, join_snapshots
from compliance.snapshot.write import save_gathered, write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import NOW, Host, Vm

SMALL = replace(
    snapshot(
        source(Host(vms=[Vm(name="sql01"), Vm(name="宿主 \u2028\x1b[31m")]), site="Berlin", groups=("a", "b")),
        source(
            Host(name="HV02"),
            rows={"Msvm_HeartbeatComponent": Unread("not on this version", Why.ABSENT)},
            may_be_empty=True,
            insecure="accepts any certificate",
        ),
        unread_source("hv03"),
        settings=Judging(evidence=Evidence.BPA, boot_grace=timedelta(seconds=90.5), may_be_empty=True),
    ),
    inventory_digest="lab.yaml",
    complete=False,
    limit="berlin:!hv09",
    left_out=("hv09", "hv09.dr.example"),
)
PLACES = ["small.jsonl", "small.jsonl.gz"]

# Tests with many examples share one folder; each example writes its file anew.
shared_folder = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def written(found: Snapshot, path: Path) -> Path:
    write_snapshot(found, path)
    return path


def complaint(path: Path) -> str:
    """The one line about a file that can't be read."""
    with pytest.raises(SnapshotError) as caught:
        read_snapshot(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert line.isprintable()
    assert len(line) < len(str(path)) + 200
    return line[len(str(path)) :]


# --- there and back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
def test_it_comes_back_as_it_was_written(place: str, tmp_path: Path) -> None:
    assert read_snapshot(written(SMALL, tmp_path / "new folder" / place)) == SMALL


def test_the_content_decides_whether_it_is_unpacked(tmp_path: Path) -> None:
    packed = written(SMALL, tmp_path / "small.jsonl.gz")
    assert packed.read_bytes()[:2] == b"\x1f\x8b"
    assert read_snapshot(packed.rename(tmp_path / "small.jsonl")) == SMALL


@pytest.mark.parametrize("place", PLACES)
def test_the_same_snapshot_gives_the_same_bytes(place: str, tmp_path: Path) -> None:
    first = written(SMALL, tmp_path / "1" / place).read_bytes()
    assert written(SMALL, tmp_path / "2" / f"another-{place}").read_bytes() == first
    if place.endswith(".gz"):
        assert first[3:8] == bytes(5)  # neither a name nor a time in gzip's header


def test_one_line_a_server_in_plain_ascii(tmp_path: Path) -> None:
    lines = written(SMALL, tmp_path / "s.jsonl").read_bytes().split(b"\n")
    assert len(lines) == 1 + len(SMALL.servers) + 1
    assert all(line.isascii() for line in lines)
    assert [json.loads(line)["server"] for line in lines[1:-1]] == ["hv01", "hv02", "hv03"]


def test_the_last_line_may_lack_its_end(tmp_path: Path) -> None:
    path = written(SMALL, tmp_path / "s.jsonl")
    path.write_bytes(path.read_bytes()[:-1])
    assert read_snapshot(path) == SMALL


PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")  # JSON writes one character and two halves of one alike
text = st.text(st.characters(exclude_categories=()), max_size=12).filter(lambda one: not PAIR.search(one))
maybe = st.none() | text
names = st.from_regex(NAME, fullmatch=True).filter(lambda one: one.isprintable() and len(one) < 40)
labels = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "), min_size=1, max_size=12)
maybe_label = st.none() | labels
label_lists = st.lists(labels, max_size=2).map(tuple)
zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2000, 1, 2), datetime(2199, 1, 1), timezones=zones)
unread = st.builds(Unread, text, st.sampled_from(sorted(set(Why) - NEVER_WRITTEN)))
rows = st.lists(st.dictionaries(text, maybe | st.lists(maybe, max_size=3), max_size=3), max_size=3).map(tuple)
classes = st.dictionaries(text, rows | unread, max_size=3)
texts = st.lists(text, max_size=2).map(tuple)
skews = st.none() | st.timedeltas(timedelta(days=-9_000), timedelta(days=9_000))
readings = st.builds(
    Reading,
    started=times,
    finished=times,
    version=maybe,
    clock_ahead=skews,
    classes=classes,
    again=classes,
    notes=texts,
)
sources = st.builds(
    ServerRecord,
    name=names,
    endpoint=labels,
    site=maybe_label,
    groups=label_lists,
    may_be_empty=st.booleans(),
    may_lack_failover_settings=st.booleans(),
    insecure=maybe_label,
    reading=readings | unread,
)
snapshots = st.builds(
    Snapshot,
    estate=names,
    time=times,
    tool=labels,
    inventory_digest=labels,
    settings=st.builds(
        Judging,
        evidence=st.sampled_from(Evidence),
        boot_grace=st.timedeltas(timedelta(0), timedelta(days=1)),
        may_be_empty=st.booleans(),
    ),
    servers=st.lists(sources, max_size=3, unique_by=lambda one: one.name.casefold()).map(tuple),
    complete=st.booleans(),
    latest=st.none() | times,
)


@shared_folder
@given(snapshots, st.sampled_from(PLACES))
def test_whatever_a_host_said_comes_back(tmp_path: Path, found: Snapshot, place: str) -> None:
    back = read_snapshot(written(found, tmp_path / place))
    assert back == found
    assert back.time.utcoffset() == found.time.utcoffset()


# --- whole or not at all ----------------------------------------------------------------------------------------------


@contextmanager
def files_no_longer_than(limit: int) -> Iterator[None]:
    """As on a full disk: a longer write fails half-way. Python ignores the signal that comes with it."""
    resource = pytest.importorskip("resource", reason="only POSIX limits the size of files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def refused(found: Snapshot, path: Path) -> str:
    with pytest.raises(SnapshotError) as caught:
        write_snapshot(found, path)
    line = str(caught.value)
    assert line.startswith(f"{path}: can't be written: ")
    assert line.isprintable()
    return line


@pytest.mark.parametrize("place", PLACES)
def test_a_write_that_fails_half_way_leaves_the_old_file_alone(place: str, tmp_path: Path) -> None:
    path = written(replace(SMALL, servers=()), tmp_path / place)
    before = path.read_bytes()
    with files_no_longer_than(1000):
        line = refused(SMALL, path)
    assert "large" in line
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_half_way_leaves_no_new_file(tmp_path: Path) -> None:
    with files_no_longer_than(1000):
        refused(SMALL, tmp_path / "s.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_values_that_json_does_not_know_leave_the_old_file_alone(tmp_path: Path) -> None:
    """A mistake of ours, so no SnapshotError; but it costs no snapshot either."""
    path = written(SMALL, tmp_path / "s.jsonl")
    before = path.read_bytes()
    wrong = source(Host(), rows={"Msvm_HeartbeatComponent": ({"SystemName": object()},)})
    with pytest.raises(TypeError):
        write_snapshot(snapshot(wrong), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def save_where_nothing_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: Callable[[Path], None]) -> str:
    """``last`` meets the second place, a folder of its own, when all is written and not yet moved to its name."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr("os.fsync", lambda _: last(next((tmp_path / "elsewhere").iterdir())))
    (tmp_path / "file").touch()
    with pytest.raises(SnapshotError) as caught:
        save_gathered(SMALL, tmp_path / "file" / "s.jsonl")
    return str(caught.value)


def test_what_was_gathered_is_named_where_it_stays_beside_in_the_second_place_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = save_where_nothing_can_be(tmp_path, monkeypatch, lambda folder: (folder / "s.jsonl").mkdir())
    assert line.startswith(f"{tmp_path / 'file' / 's.jsonl'}: can't be written: ")
    _, is_named, left = line.partition("; what was read is in ")
    assert is_named
    assert Path(left).parents[1] == tmp_path / "elsewhere"
    assert read_snapshot(Path(left)) == SMALL


def test_what_was_gathered_and_fits_nowhere_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(folder: Path) -> None:
        (folder / "of a scanner").touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    line = save_where_nothing_can_be(tmp_path, monkeypatch, fill)
    assert line.startswith(f"{tmp_path / 'file' / 's.jsonl'}: can't be written: ")
    assert "what was read is in" not in line


def test_a_new_snapshot_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = written(snapshot(), tmp_path / "s.jsonl")
    assert read_snapshot(written(SMALL, path)) == SMALL
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_not_written_over_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "s.jsonl"
    folder.mkdir()
    refused(SMALL, folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_it_is_not_written_below_a_file(tmp_path: Path) -> None:
    file = written(SMALL, tmp_path / "s.jsonl")
    refused(SMALL, file / "below.jsonl")
    assert read_snapshot(file) == SMALL


# --- what can't be read -----------------------------------------------------------------------------------------------


def head(**changes: object) -> dict[str, Any]:
    known = {
        "format": FORMAT,
        "version": 1,
        "tool": "0",
        "time": "2026-11-02T06:30:00+00:00",
        "estate": "test",
        "inventory": "",
        "settings": {"evidence": "observed", "boot_grace_seconds": 600.0, "may_be_empty": False},
        "complete": True,
        "servers": 1,
    }
    return {**known, **changes}


def server(**changes: object) -> dict[str, Any]:
    known = {
        "server": "hv01",
        "endpoint": "",
        "site": None,
        "groups": [],
        "may_be_empty": False,
        "may_lack_failover_settings": False,
        "insecure": None,
        "read": read(),
    }
    return {**known, **changes}


def read(**changes: object) -> dict[str, Any]:
    known = {
        "started": "2026-11-02T06:30:00+00:00",
        "finished": "2026-11-02T06:30:00+00:00",
        "version": None,
        "clock_ahead_seconds": None,
        "classes": {},
        "again": {},
        "notes": [],
    }
    return {**known, **changes}


def lines(*values: object) -> bytes:
    return b"".join(json.dumps(value).encode() + b"\n" for value in values)


def test_the_files_of_these_tests_are_good(tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(), server()))
    reading = Reading(
        started=datetime(2026, 11, 2, 6, 30, tzinfo=UTC), finished=datetime(2026, 11, 2, 6, 30, tzinfo=UTC)
    )
    assert read_snapshot(path) == Snapshot(
        estate="test", time=NOW, tool="0", servers=(ServerRecord(name="hv01", reading=reading),)
    )


def test_missing(tmp_path: Path) -> None:
    assert complaint(tmp_path / "no.jsonl") == ": can't be read: No such file or directory"


def test_a_folder(tmp_path: Path) -> None:
    assert complaint(tmp_path) == ": can't be read: Is a directory"


FOREIGN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", ":1: damaged: the file ends before this line"),
    "a line end": (b"\n", ":1: damaged or not a snapshot: no line of JSON"),
    "text": (b"servers:\n  - name: hv01\n", ":1: damaged or not a snapshot: no line of JSON"),
    "binary": (b"\x7fELF\x02\x01\x01\0\xff\xfe", ":1: damaged or not a snapshot: no line of JSON"),
    "UTF-16": (lines(head()).decode().encode("utf-16"), ":1: damaged or not a snapshot: no line of JSON"),
    "foreign JSON": (b'{"servers": []}\n', ":1: not a snapshot of hyperv-compliance"),
    "a list": (b"[]\n", ":1: not a snapshot of hyperv-compliance"),
    "a number": (b"1\n", ":1: not a snapshot of hyperv-compliance"),
    "null": (b"null\n", ":1: not a snapshot of hyperv-compliance"),
    "deep": (b"[" * 100_000 + b"]" * 100_000, ":1: damaged or not a snapshot: no line of JSON"),
    "a huge number": (b"9" * 100_000, ":1: damaged or not a snapshot: no line of JSON"),
    "newer": (
        lines(head(version=3), server()),
        ":1: format 3 is not known to this version, which reads 1 to 2: update hyperv-compliance, or gather again",
    ),
    "no version": (lines({"format": FORMAT}), ":1: format None is not known to this version"),
    "a hostile version": (lines(head(version="\x1b[2J\n" * 100)), ":1: format \\u001b[2J"),
}


@pytest.mark.parametrize(("content", "says"), FOREIGN.values(), ids=FOREIGN.keys())
def test_a_file_that_is_no_snapshot(content: bytes, says: str, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(content)
    assert complaint(path).startswith(says)


NO_TEXT = [None, 1, True, 1.5, [], {}, ["x"]]
NO_LABEL = [*NO_TEXT, "a\nb", "\x1b[31m", "lab\ud800", "\u202e", "x" * 5000]
NO_NAME = [*NO_LABEL, "", "a b", "a/b", "::set-output name=x", "x" * 201]
NO_TRUTH = [None, 0, 1, "true", [], {}]
NO_TIME = [*NO_TEXT, "", "yesterday", "2026-11-02T06:30:00", "2026-13-02T06:30:00+00:00", "\x1b\n"]
NO_TIME += ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1999-12-31T00:00:00+00:00"]
NO_TEXTS = [None, "ab", 1, {}, [None], [1], [["x"]]]
NO_NUMBER = ["x", [], {}, "nan", float("nan"), float("inf"), 1e300, 10**400, "9" * 5000]
BAD_HEADER: dict[str, list[Any]] = {
    "tool": NO_LABEL,
    "time": NO_TIME,
    "estate": NO_NAME,
    "inventory": NO_LABEL,
    "settings": [None, 1, "x", [], {}],
    "complete": NO_TRUTH,
    "servers": [None, "1", True, 1.0, -1, [], {}, float("nan"), -(10**400)],
}
BAD_SETTINGS: dict[str, list[Any]] = {
    "evidence": [None, "hearsay", "", [], {}],
    "boot_grace_seconds": [None, *NO_NUMBER, "600", True, -1, 86_401, 4_000 * 86_400],
    "may_be_empty": NO_TRUTH,
}
BAD_SERVER: dict[str, list[Any]] = {
    "server": NO_NAME,
    "endpoint": NO_LABEL,
    "site": [*NO_LABEL[1:], "x" * 201],
    "groups": [*NO_TEXTS, ["a\nb"]],
    "may_be_empty": NO_TRUTH,
    "may_lack_failover_settings": NO_TRUTH,
    "insecure": NO_TEXT[1:],
    "read": [None, 1, "x", [], {}],
    "unread": [
        *[None, 1, "x", [], {}],
        *[{"reason": "x"}, {"why": "busy"}, {"reason": 1, "why": "busy"}],
        *[{"reason": "x", "why": why} for why in (None, 1, "whim", [], {}, "not asked for", "the guest tells none")],
    ],
}
NO_CLASSES = [
    *[None, 1, "x", []],
    *[{"Msvm_X": answer} for answer in (None, 1, "rows", [], {}, {"rows": None}, {"rows": {}}, {"unread": None})],
    *[{"Msvm_X": {"rows": [row]}} for row in (None, 1, "x", [], {"P": 1}, {"P": True}, {"P": {}}, {"P": [1]})],
    {"Msvm_X": {"rows": [{"P": [["x"]]}]}},
    {"Msvm_X": {"rows": [{"\x1b\n" * 99: 1}]}},
]
BAD_READ: dict[str, list[Any]] = {
    "started": NO_TIME,
    "finished": NO_TIME,
    "version": NO_TEXT[1:],
    "clock_ahead_seconds": [*NO_NUMBER, "1"],
    "classes": NO_CLASSES,
    "again": NO_CLASSES,
    "notes": NO_TEXTS,
}
MISSING = object()


def without(known: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    return {name: one for name, one in {**known, key: value}.items() if one is not MISSING}


def damaged(cases: dict[str, list[Any]]) -> list[Any]:
    return [
        pytest.param(key, value, id=f"{key}-{'missing' if value is MISSING else ascii(value)[:24]}")
        for key, values in cases.items()
        for value in [*([] if key == "unread" else [MISSING]), *values]
    ]


@pytest.mark.parametrize(("key", "value"), damaged(BAD_HEADER))
def test_a_damaged_header(key: str, value: object, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(without(head(), key, value), server()))
    line = complaint(path)
    assert line.startswith(":1: damaged")
    assert (value is not MISSING) or line == f":1: damaged header: {key} is missing"


@pytest.mark.parametrize(("key", "value"), damaged(BAD_SETTINGS))
def test_damaged_settings(key: str, value: object, tmp_path: Path) -> None:
    known = without(head()["settings"], key, value)
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(settings=known), server()))
    assert complaint(path).startswith(":1: damaged")


@pytest.mark.parametrize(("key", "value"), damaged(BAD_SERVER))
def test_a_damaged_server(key: str, value: object, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(), without(server(), key, value)))
    line = complaint(path)
    assert line.startswith(":2: damaged line: ")
    assert (value is not MISSING) or line == f":2: damaged line: {key} is missing"


@pytest.mark.parametrize(("key", "value"), damaged(BAD_READ))
def test_a_damaged_reading(key: str, value: object, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(), server(read=without(read(), key, value))))
    assert complaint(path).startswith(":2: damaged")


@pytest.mark.parametrize("value", [None, 1, "x", [], [["x"]]])
def test_a_server_that_is_no_object(value: object, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(), value))
    assert complaint(path) == ":2: damaged line: expected an object"


@pytest.mark.parametrize("where", ["tool", "server", "why", "P"])
def test_deep_nesting_anywhere(where: str, tmp_path: Path) -> None:
    """About where Python's own limit lies, one function may still bear what the next one does not."""
    unread_class = {"Msvm_X": {"unread": {"reason": "x", "why": "@" if where == "why" else "busy"}}}
    row_class = {"Msvm_Y": {"rows": [{"P": "@" if where == "P" else "x"}]}}
    content = lines(
        head(tool="@" if where == "tool" else "0"),
        server(server="@" if where == "server" else "hv01", read=read(classes={**unread_class, **row_class})),
    )
    path = tmp_path / "s.jsonl"
    for depth in [*range(800, 1000, 7), *range(980, 1000), 3_000, 30_000]:
        path.write_bytes(content.replace(b'"@"', b"[" * depth + b"]" * depth))
        assert "damaged" in complaint(path)


def test_cut_off_after_each_line(tmp_path: Path) -> None:
    path = written(SMALL, tmp_path / "s.jsonl")
    whole = path.read_bytes().splitlines(keepends=True)
    for count in range(len(whole)):
        path.write_bytes(b"".join(whole[:count]))
        assert complaint(path) == f":{count + 1}: damaged: the file ends before this line"


def test_cut_off_inside_a_line(tmp_path: Path) -> None:
    path = written(SMALL, tmp_path / "s.jsonl")
    whole = path.read_bytes()
    ends = {match.end() for match in re.finditer(b"\n", whole)}
    for length in {*range(1, 700, 13), *range(700, len(whole) - 1, 211)} - ends:
        path.write_bytes(whole[:length])
        number = whole[:length].count(b"\n") + 1
        assert complaint(path).startswith(f":{number}: damaged") or length + 1 in ends


def test_a_compressed_file_that_was_cut_off(tmp_path: Path) -> None:
    path = written(SMALL, tmp_path / "s.jsonl.gz")
    whole = path.read_bytes()
    for length in {*range(2, 40), *range(40, len(whole), 17), *range(len(whole) - 9, len(whole))}:
        path.write_bytes(whole[:length])
        assert "damaged" in complaint(path)


def test_a_compressed_file_in_which_a_byte_changed(tmp_path: Path) -> None:
    """A checksum stands at the end, so it is noticed even where the content is JSON still."""
    path = written(SMALL, tmp_path / "s.jsonl.gz")
    whole = path.read_bytes()
    for place in {*range(10, len(whole) - 8, 29), *range(len(whole) - 8, len(whole))}:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        complaint(path)


def test_something_after_a_compressed_file(tmp_path: Path) -> None:
    path = written(SMALL, tmp_path / "s.jsonl.gz")
    whole = path.read_bytes()
    path.write_bytes(whole + b"more")
    assert "damaged" in complaint(path)
    path.write_bytes(whole + gzip.compress(b"more\n"))
    assert complaint(path) == ":5: more lines than the header's 3 servers"


@pytest.mark.parametrize("more", [b"\n", b" ", lines(server(server="hv02")), b"\xff"])
def test_more_lines_than_announced(more: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(), server()) + more)
    assert complaint(path) == ":3: more lines than the header's 1 servers"


@pytest.mark.parametrize("again", ["hv01", "HV01", "Hv01"])
def test_a_server_that_stands_in_it_twice(again: str, tmp_path: Path) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(head(servers=2), server(), server(server=again)))
    assert complaint(path) == ": server 'hv01' stands in it twice"


@shared_folder
@given(st.binary(max_size=200) | st.text().map(str.encode) | st.binary(max_size=99).map(gzip.compress))
def test_no_file_raises_anything_else(tmp_path: Path, content: bytes) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(content)
    complaint(path)


scalars = st.none() | st.booleans() | st.integers() | st.floats() | text
json_values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(text, st.lists(scalars, max_size=2), max_size=3)


def replaced(value: Any, path: tuple[Any, ...], new: object) -> Any:
    if not path:
        return new
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from ((key, *rest) for rest in paths(one))


FULL = [
    head(servers=2),
    server(
        groups=["a"],
        read=read(classes={"Msvm_X": {"rows": [{"P": "x", "Q": ["y", None]}]}}, notes=["n"], version="10.0"),
    ),
    {**server(server="hv02", unread={"reason": "x", "why": "busy"})},
]


@shared_folder
@given(st.sampled_from(list(paths(FULL))).filter(lambda path: len(path) > 0), json_values)
def test_no_other_value_at_any_place_raises_anything_else(tmp_path: Path, where: tuple[Any, ...], new: object) -> None:
    (path := tmp_path / "s.jsonl").write_bytes(lines(*replaced(FULL, where, new)))
    read_or_complain(path)


@shared_folder
@given(st.data())
def test_no_mutation_of_a_good_file_raises_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    whole = lines(*FULL)
    if data.draw(st.booleans()):
        whole = gzip.compress(whole, mtime=0)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(start + 30, len(whole))))
    (path := tmp_path / "s.jsonl").write_bytes(whole[:start] + data.draw(st.binary(max_size=30)) + whole[end:])
    read_or_complain(path)


def read_or_complain(path: Path) -> None:
    try:
        found = read_snapshot(path)
    except SnapshotError:
        complaint(path)
    else:
        write_snapshot(found, path)
        assert read_snapshot(path) == found


# --- joined -----------------------------------------------------------------------------------------------------------


def site(name: str, *servers: str, **changes: object) -> tuple[Path, Snapshot]:
    found = replace(snapshot(*map(unread_source, servers)), estate=name, inventory_digest=f"{name}.yaml")
    return Path(f"{name}.jsonl"), replace(found, **changes)


def test_one_estate_from_two_sites() -> None:
    older = NOW - timedelta(hours=1)
    joined = join_snapshots([site("berlin", "hv01"), site("bonn", "hv03", "hv02", time=older, tool="1")])
    assert joined == replace(
        snapshot(*map(unread_source, ("hv01", "hv03", "hv02"))),
        estate="berlin+bonn",
        time=older,
        latest=NOW,
        inventory_digest="berlin.yaml bonn.yaml",
    )


def test_the_oldest_time_counts_across_zones() -> None:
    east = datetime(2026, 11, 2, 9, 0, tzinfo=timezone(timedelta(hours=3)))  # 6:00 UTC
    assert join_snapshots([site("a", "x"), site("b", "y", time=east)]).time == east


def test_one_site_is_itself() -> None:
    path, found = site("berlin", "hv01")
    assert join_snapshots([(path, found)]) == found


def test_the_same_estate_in_parts_keeps_its_name() -> None:
    joined = join_snapshots([site("lab", "hv01"), site("lab", "hv02")])
    assert (joined.estate, joined.inventory_digest) == ("lab", "lab.yaml")


def test_an_interrupted_part_makes_the_whole_incomplete() -> None:
    assert not join_snapshots([site("a", "hv01"), site("b", "hv02", complete=False)]).complete


@pytest.mark.parametrize("again", ["hv02", "HV02"])
def test_the_same_server_in_two_files(again: str) -> None:
    with pytest.raises(SnapshotError) as caught:
        join_snapshots([site("a", "hv01"), site("b", "hv02"), site("c", "hv03", again)])
    assert str(caught.value) == f"c.jsonl: server {again!r} is also in b.jsonl: give each server once"


def test_the_same_file_twice() -> None:
    path, found = site("a", "hv01")
    with pytest.raises(SnapshotError, match=r"a\.jsonl: server 'hv01' is also in a\.jsonl"):
        join_snapshots([(path, found), (path, found)])


OTHER_SETTINGS: dict[str, Callable[[Judging], Judging]] = {
    "evidence": lambda known: replace(known, evidence=Evidence.BPA),
    "boot grace": lambda known: replace(known, boot_grace=timedelta(minutes=9)),
    "may be empty": lambda known: replace(known, may_be_empty=True),
}


@pytest.mark.parametrize("change", OTHER_SETTINGS.values(), ids=OTHER_SETTINGS.keys())
def test_two_settings_can_not_be_followed(change: Callable[[Judging], Judging]) -> None:
    with pytest.raises(SnapshotError) as caught:
        join_snapshots([site("a", "hv01"), site("b", "hv02", settings=change(Judging()))])
    assert str(caught.value).startswith("b.jsonl: was gathered with other settings")
    assert str(caught.value).endswith("than a.jsonl")
