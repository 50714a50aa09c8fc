"""What was gathered, as it came: one value for a live run and an offline one, to and from JSON lines.

The first line is a header, then one line a server. The header counts the servers, so that a file that was cut off
is noticed; a file is written beside its place and moved there whole.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from compliance.errors import SnapshotError, Why
from compliance.garbage import uncollected
from compliance.model import Evidence, Row, Settings, Unread
from compliance.snapshot import json_values as strict

FORMAT = "hyperv-compliance snapshot"
VERSION = 1
MAX_LINE = 256 * 1024 * 1024
"""Characters of one server's line. 5,000 machines make some 20 MB; more is a mistake or a trap, not a server."""

T = TypeVar("T")
Answer = tuple[Row, ...] | Unread
"""The rows of one class, or why it has none to show."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one server answered. ``again`` holds what was read a second time, at the end; ``left_out`` names, as
    ``Class.Property``, what was larger than the server may send and so was not read. ``cluster`` is what the server
    says of the cluster that it is a node of: empty where it is none, or was not asked."""

    started: datetime
    finished: datetime
    version: str | None = None
    clock_ahead: timedelta | None = None
    classes: Mapping[str, Answer] = field(default_factory=dict)
    again: Mapping[str, Answer] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cluster: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One server or cluster of the inventory, and its reading or the reason why there is none."""

    name: str
    endpoint: str = ""
    cluster: str | None = None  # the entry of the inventory that it was read as a node of
    site: str | None = None
    groups: tuple[str, ...] = ()
    may_be_empty: bool = False
    may_lack_failover_settings: bool = False
    insecure: str | None = None  # what the inventory allowed that an attacker would like
    reading: Reading | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestReading:
    """What a guest's shell printed, by section, or what a Windows guest answered, by class or value of its registry."""

    started: datetime
    finished: datetime
    sections: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestSource:
    """One way into a guest, and what was seen there or why nothing was. ``machines``: patterns of whose guest it is."""

    name: str
    machines: tuple[str, ...]
    insecure: str | None = None  # as a server's
    reading: GuestReading | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """An estate as it was gathered. ``time`` is the start of the gathering; ages count from it.

    The nodes of ``clusters`` are among the servers. A cluster whose nodes are not known stands there itself, unread.
    """

    estate: str
    time: datetime
    tool: str
    inventory: str = ""
    settings: Settings = Settings()
    servers: tuple[Source, ...] = ()
    guests: tuple[GuestSource, ...] = ()
    clusters: tuple[Source, ...] = ()
    complete: bool = True
    limit: str = ""  # the pattern that chose among the inventory's servers
    left_out: tuple[str, ...] = ()  # what a partner may call those that it did not choose


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Write it whole or not at all; gzip where the name ends in ``.gz``. SnapshotError where it can't be written."""
    beside = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as raw:
            _write(snapshot, raw, compressed=path.name.endswith(".gz"))
            raw.flush()
            os.fsync(raw.fileno())
        beside.replace(path)
    except OSError as error:
        raise SnapshotError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


def refuse_unwritable(path: Path) -> None:
    """SnapshotError where a snapshot could not be written: to be asked before hours of gathering, not after."""
    beside = _beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        beside.touch()
    except OSError as error:
        raise SnapshotError(f"{path}: can't be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)


@uncollected()
def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot; SnapshotError with one line where it is missing, damaged, foreign or newer than this tool."""
    try:
        with path.open("rb") as raw:
            if raw.read(2) == b"\x1f\x8b":
                raw.seek(0)
                with gzip.open(raw, "rb") as unpacked:
                    return _read(path, unpacked)
            raw.seek(0)
            return _read(path, raw)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SnapshotError(f"{path}: damaged: the compressed data ends early or is broken") from error
    except OSError as error:
        raise SnapshotError(f"{path}: can't be read: {error.strerror or error}") from error


def join_snapshots(snapshots: Sequence[tuple[Path, Snapshot]]) -> Snapshot:
    """One estate from sites that were gathered apart; the same server twice is a mistake.

    The settings must agree, since the verdicts of one run can't follow two. The time is the oldest one.
    """
    (first_path, first), *others = snapshots
    seen = {source.name.casefold(): first_path for source in (*first.servers, *first.clusters)}
    for path, snapshot in others:
        if snapshot.settings != first.settings:
            raise SnapshotError(f"{path}: was gathered with other settings (evidence, boot grace) than {first_path}")
        # A cluster that was not read stands among its servers as well, and that is no second time.
        names = {source.name.casefold(): source.name for source in (*snapshot.servers, *snapshot.clusters)}
        for key, name in names.items():
            if earlier := seen.get(key):
                raise SnapshotError(f"{path}: server {name!r} is also in {earlier}: give each server once")
            seen[key] = path
    whole = [snapshot for _, snapshot in snapshots]
    return replace(
        first,
        estate="+".join(dict.fromkeys(one.estate for one in whole)),
        time=min(one.time for one in whole),
        inventory=" ".join(dict.fromkeys(one.inventory for one in whole if one.inventory)),
        servers=tuple(source for one in whole for source in one.servers),
        guests=tuple(source for one in whole for source in one.guests),
        clusters=tuple(source for one in whole for source in one.clusters),
        complete=all(one.complete for one in whole),
        limit=" ".join(dict.fromkeys(one.limit for one in whole if one.limit)),
        left_out=tuple(dict.fromkeys(name for one in whole for name in one.left_out)),
    )


# --- writing ---------------------------------------------------------------------------------------------------------


def _beside(path: Path) -> Path:
    return path.parent / f".{path.name}.{os.getpid()}"


def _write(snapshot: Snapshot, raw: BinaryIO, *, compressed: bool) -> None:
    if not compressed:
        raw.writelines(_lines(snapshot))
        return
    # No name and no time in gzip's header: the same snapshot gives the same bytes.
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.writelines(_lines(snapshot))


def _lines(snapshot: Snapshot) -> Iterable[bytes]:
    yield _line(
        {
            "format": FORMAT,
            "version": VERSION,
            "tool": snapshot.tool,
            "time": snapshot.time.isoformat(),
            "estate": snapshot.estate,
            "inventory": snapshot.inventory,
            "settings": {
                "evidence": snapshot.settings.evidence.value,
                "boot_grace_seconds": snapshot.settings.boot_grace.total_seconds(),
                "may_be_empty": snapshot.settings.may_be_empty,
            },
            "complete": snapshot.complete,
            **({"limit": snapshot.limit, "left_out": list(snapshot.left_out)} if snapshot.limit else {}),
            "servers": len(snapshot.servers),
            **({"guests": len(snapshot.guests)} if snapshot.guests else {}),  # newer than the format
            # Newer than the format: without a cluster a file is as it was, with one an older version refuses it.
            **({"clusters": len(snapshot.clusters)} if snapshot.clusters else {}),
        }
    )
    for source in (*snapshot.servers, *snapshot.clusters):
        yield _line(_source_to_json(source))
    for guest in snapshot.guests:
        yield _line(_guest_to_json(guest))


def _line(value: object) -> bytes:
    # ASCII only: a lone surrogate or a line separator from a host can't break the file.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _source_to_json(source: Source) -> dict[str, object]:
    return {
        "server": source.name,
        "endpoint": source.endpoint,
        **({"cluster": source.cluster} if source.cluster is not None else {}),
        "site": source.site,
        "groups": list(source.groups),
        "may_be_empty": source.may_be_empty,
        "may_lack_failover_settings": source.may_lack_failover_settings,
        "insecure": source.insecure,
        **(
            {"unread": _unread_to_json(source.reading)}
            if isinstance(source.reading, Unread)
            else {"read": _reading_to_json(source.reading)}
        ),
    }


def _guest_to_json(source: GuestSource) -> dict[str, object]:
    reading = source.reading
    if isinstance(reading, Unread):
        found: dict[str, object] = {"unread": _unread_to_json(reading)}
    else:
        times = {"started": reading.started.isoformat(), "finished": reading.finished.isoformat()}
        answers = {name: _answer_to_json(answer) for name, answer in reading.answers.items()}
        found = {"read": {**times, "sections": dict(reading.sections), **({"answers": answers} if answers else {})}}
    return {"guest": source.name, "machines": list(source.machines), "insecure": source.insecure, **found}


def _reading_to_json(reading: Reading) -> dict[str, object]:
    return {
        "started": reading.started.isoformat(),
        "finished": reading.finished.isoformat(),
        "version": reading.version,
        "clock_ahead_seconds": None if reading.clock_ahead is None else reading.clock_ahead.total_seconds(),
        "classes": _answers_to_json(reading.classes),
        "again": _answers_to_json(reading.again),
        "left_out": list(reading.left_out),
        "notes": list(reading.notes),
        **({"cluster": _answers_to_json(reading.cluster)} if reading.cluster else {}),
    }


def _answers_to_json(answers: Mapping[str, Answer]) -> dict[str, object]:
    return {name: _answer_to_json(answer) for name, answer in answers.items()}


def _answer_to_json(answer: Answer) -> dict[str, object]:
    return (
        {"unread": _unread_to_json(answer)} if isinstance(answer, Unread) else {"rows": [dict(row) for row in answer]}
    )


def _unread_to_json(unread: Unread) -> dict[str, str]:
    return {"reason": unread.reason, "why": unread.why.value}


# --- reading ---------------------------------------------------------------------------------------------------------


def _read(path: Path, lines: BinaryIO | gzip.GzipFile) -> Snapshot:
    header = _json(path, 1, lines)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SnapshotError(f"{path}:1: not a snapshot of hyperv-compliance")
    if header.get("version") != VERSION:
        raise SnapshotError(
            f"{path}:1: format {strict.short(header.get('version'))} is not known to this version, which reads "
            f"{VERSION}: update hyperv-compliance, or gather again"
        )
    try:
        settings = header["settings"]
        servers = strict.count(header["servers"])
        expected = servers + strict.count(header.get("clusters", 0))  # newer than the format
        guests = strict.count(header.get("guests", 0))
        snapshot = Snapshot(
            estate=strict.text(header["estate"]),
            time=strict.moment(header["time"]),
            tool=strict.text(header["tool"]),
            inventory=strict.text(header["inventory"]),
            settings=Settings(
                evidence=Evidence(settings["evidence"]),
                boot_grace=timedelta(seconds=float(settings["boot_grace_seconds"])),
                may_be_empty=strict.truth(settings["may_be_empty"]),
            ),
            complete=strict.truth(header["complete"]),
            limit=strict.text(header.get("limit", "")),  # newer than the format, as is the next
            left_out=strict.texts(header.get("left_out", [])),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SnapshotError(f"{path}:1: damaged header: {strict.what(error)}") from error
    sources = [_line_of(path, number, lines, _source_from_json) for number in range(2, expected + 2)]
    last = expected + guests + 1
    inside = [_line_of(path, number, lines, _guest_from_json) for number in range(expected + 2, last + 1)]
    if lines.readline(1):
        counted = f"{servers} servers" + (f" and {guests} guests" if guests else "")
        raise SnapshotError(f"{path}:{last + 1}: more lines than the header's {counted}")
    for kind, some in (("server", sources[:servers]), ("cluster", sources[servers:])):
        doubled = [name for name, count in Counter(source.name.casefold() for source in some).items() if count > 1]
        if doubled:
            raise SnapshotError(f"{path}: {kind} {strict.short(doubled[0])!r} stands in it twice")
    _refuse_half_clusters(path, sources[:servers], sources[servers:])
    return replace(snapshot, servers=tuple(sources[:servers]), clusters=tuple(sources[servers:]), guests=tuple(inside))


def _refuse_half_clusters(path: Path, servers: Sequence[Source], clusters: Sequence[Source]) -> None:
    """Nodes without their cluster, which alone knows what is missing on them; or one without a node."""
    named, there = {one.cluster for one in servers} - {None}, {one.name for one in clusters}
    for name in sorted(str(one) for one in named ^ there):
        lacks = "no server as its node" if name in there else "servers as its nodes, but not the cluster itself"
        raise SnapshotError(f"{path}: damaged: of the cluster {strict.short(name)!r} it has {lacks}")


def _line_of(path: Path, number: int, lines: BinaryIO | gzip.GzipFile, parse: Callable[[object], T]) -> T:
    value = _json(path, number, lines)
    try:
        return parse(value)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise SnapshotError(f"{path}:{number}: damaged line: {strict.what(error)}") from error


def _json(path: Path, number: int, lines: BinaryIO | gzip.GzipFile) -> object:
    line = lines.readline(MAX_LINE)
    if not line:
        raise SnapshotError(f"{path}:{number}: damaged: the file ends before this line")
    try:
        return json.loads(line, object_pairs_hook=_object)
    except _DoubledKeyError as error:
        raise SnapshotError(f"{path}:{number}: damaged: {error}") from error
    except (ValueError, RecursionError) as error:
        raise SnapshotError(f"{path}:{number}: damaged or not a snapshot: no line of JSON") from error


class _DoubledKeyError(ValueError):
    pass


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """JSON lets the last of two equal keys win in silence; nothing that we write has two."""
    found = dict(pairs)
    if len(found) < len(pairs):
        doubled = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _DoubledKeyError(f"the key {strict.short(doubled)} stands twice")
    return found


def _source_from_json(value: object) -> Source:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return Source(
        name=strict.text(value["server"]),
        endpoint=strict.text(value["endpoint"]),
        cluster=None if value.get("cluster") is None else strict.text(value["cluster"]),  # newer than the format
        site=None if value["site"] is None else strict.text(value["site"]),
        groups=strict.texts(value["groups"]),
        may_be_empty=strict.truth(value["may_be_empty"]),
        may_lack_failover_settings=strict.truth(value["may_lack_failover_settings"]),
        insecure=None if value["insecure"] is None else strict.text(value["insecure"]),
        reading=_unread_from_json(value["unread"]) if "unread" in value else _reading_from_json(value["read"]),
    )


def _guest_from_json(value: object) -> GuestSource:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return GuestSource(
        name=strict.text(value["guest"]),
        machines=strict.texts(value["machines"]),
        insecure=None if value["insecure"] is None else strict.text(value["insecure"]),
        reading=_unread_from_json(value["unread"]) if "unread" in value else _guest_reading_from_json(value["read"]),
    )


def _guest_reading_from_json(value: object) -> GuestReading:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'read'")
    return GuestReading(
        started=strict.moment(value["started"]),
        finished=strict.moment(value["finished"]),
        sections={strict.text(name): strict.text(text) for name, text in value["sections"].items()},
        answers={strict.text(name): _answer_from_json(one) for name, one in value.get("answers", {}).items()},
    )


def _reading_from_json(value: object) -> Reading:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'read'")
    ahead = value["clock_ahead_seconds"]
    return Reading(
        started=strict.moment(value["started"]),
        finished=strict.moment(value["finished"]),
        version=None if value["version"] is None else strict.text(value["version"]),
        clock_ahead=None if ahead is None else timedelta(seconds=float(ahead)),
        classes=_answers_from_json(value["classes"]),
        again=_answers_from_json(value["again"]),
        left_out=strict.texts(value.get("left_out", [])),  # newer than the format
        notes=strict.texts(value["notes"]),
        cluster=_answers_from_json(value.get("cluster", {})),  # newer than the format
    )


def _answers_from_json(value: Mapping[str, Mapping[str, object]]) -> dict[str, Answer]:
    return {strict.text(name): _answer_from_json(answer) for name, answer in value.items()}


def _answer_from_json(value: Mapping[str, object]) -> Answer:
    if "unread" in value:
        return _unread_from_json(value["unread"])
    rows = value["rows"]
    if not isinstance(rows, list):
        raise TypeError("expected a list under 'rows'")
    return tuple(_row_from_json(row) for row in rows)


def _row_from_json(value: object) -> Row:
    if not isinstance(value, dict):
        raise TypeError("expected a row to be an object")
    for name, content in value.items():
        if content is None or isinstance(content, str):
            continue
        if not isinstance(content, list) or not all(entry is None or isinstance(entry, str) for entry in content):
            raise TypeError(f"expected text, null or a list of them under {strict.short(name)}")
    return value


def _unread_from_json(value: object) -> Unread:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'unread'")
    return Unread(strict.text(value["reason"]), Why(value["why"]))
