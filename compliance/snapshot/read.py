"""JSON lines as a snapshot, read as if somebody else had written them: whole and of a known format, or an error."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import chain
from pathlib import Path
from typing import BinaryIO, TypeVar

from compliance.errors import SnapshotError, Why
from compliance.files.whole import open_regular, why_unreadable
from compliance.garbage import uncollected
from compliance.model import Evidence, Judging, Unread
from compliance.patterns import MOST_OF_A_NAME
from compliance.snapshot import json_values as strict
from compliance.snapshot.lines import AT_ONCE, CappedLines, TooMuchError
from compliance.snapshot.snapshot import (
    FORMAT,
    VERSION,
    GuestReading,
    GuestRecord,
    Reading,
    RowsOrUnread,
    ServerRecord,
    Snapshot,
    SnapshotFile,
)
from compliance.words import shorten_value

MOST_BOOT_GRACE = timedelta(days=1)
NEVER_WRITTEN = frozenset({Why.NOT_ASKED, Why.NO_GUEST_DATA})
"""Reasons that are concluded when a snapshot is judged. Rules go on without what was not to be had, so that a file may
not say so."""
MOST_OF_AN_ACCOUNT = 256
"""Letters of an account's name, and of a transport's."""

PLAIN = frozenset({str, type(None)})
"""Types of what a row has as its values where none of them is a list."""

T = TypeVar("T")


@uncollected()
def read_snapshot(path: Path, take: Callable[[ServerRecord], ServerRecord] = lambda record: record) -> Snapshot:
    """Read a snapshot; SnapshotError with one line where it is missing, damaged, foreign or newer than this tool.

    ``take`` is called with each server as soon as its line was read, and what it returns takes its place: the rows of
    all servers of a large estate need not be there at once.
    """
    try:
        with open_regular(path, AT_ONCE) as raw:
            snapshot = _read_packed_or_plain(path, raw, take)
            raw.seek(0)
            digest = f"sha256:{hashlib.file_digest(raw, 'sha256').hexdigest()}"
            return replace(snapshot, files=(SnapshotFile(str(path), digest),))
    except TooMuchError as error:
        raise SnapshotError(f"{path}: no snapshot of ours: it {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SnapshotError(f"{path}: damaged: the compressed data ends early or is broken") from error
    except OSError as error:
        raise SnapshotError(f"{path}: can't be read: {why_unreadable(path, error)}") from error


def _read_packed_or_plain(path: Path, raw: BinaryIO, take: Callable[[ServerRecord], ServerRecord]) -> Snapshot:
    is_packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not is_packed:
        return _read(path, CappedLines(raw), take)
    with gzip.open(raw, "rb") as unpacked:
        return _read(path, CappedLines(unpacked, packed=raw), take)


def _read(path: Path, lines: CappedLines, take: Callable[[ServerRecord], ServerRecord]) -> Snapshot:
    header = _json(path, 1, lines)
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise SnapshotError(f"{path}:1: not a snapshot of hyperv-compliance")
    version = header.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= VERSION:
        raise SnapshotError(
            f"{path}:1: format {shorten_value(version)} is not known to this version, which reads 1 to {VERSION}: "
            "update hyperv-compliance, or gather again"
        )
    try:
        settings = header["settings"]
        servers = strict.count(header["servers"])
        expected = servers + strict.count(header.get("clusters", 0))  # newer than the format
        guests = strict.count(header.get("guests", 0))
        snapshot = Snapshot(
            estate="+".join(strict.name(part) for part in strict.text(header["estate"]).split("+")),  # joined ones
            time=strict.moment(header["time"]),
            latest=strict.moment(header["latest"]) if "latest" in header else None,  # newer than the format
            tool=strict.label(header["tool"]),
            inventory_digest=strict.label(header["inventory"]),
            settings=Judging(
                evidence=Evidence(settings["evidence"]),
                boot_grace=_boot_grace(settings["boot_grace_seconds"]),
                may_be_empty=strict.truth(settings["may_be_empty"]),
            ),
            stretched=_stretched_from_json(header.get("stretched", [])),  # newer than the format
            complete=strict.truth(header["complete"]),
            limit=strict.label(header.get("limit", "")),  # newer than the format, as is the next
            left_out=strict.labels(header.get("left_out", [])),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise SnapshotError(f"{path}:1: damaged header: {strict.what(error)}") from error
    of_server = partial(_source_from_json, version=version)
    of_servers = [take(_line_of(path, number, lines, of_server)) for number in range(2, servers + 2)]
    of_clusters = [_line_of(path, number, lines, of_server) for number in range(servers + 2, expected + 2)]
    last = expected + guests + 1
    inside = [_line_of(path, number, lines, _guest_from_json) for number in range(expected + 2, last + 1)]
    if lines.readline():
        counted = f"{servers} servers" + (f" and {guests} guests" if guests else "")
        raise SnapshotError(f"{path}:{last + 1}: more lines than the header's {counted}")
    for kind, some in (("server", of_servers), ("cluster", of_clusters)):
        doubled = [name for name, count in Counter(source.name.casefold() for source in some).items() if count > 1]
        if doubled:
            raise SnapshotError(f"{path}: {kind} {shorten_value(doubled[0])!r} stands in it twice")
    _refuse_half_clusters(path, of_servers, of_clusters)
    return replace(snapshot, servers=tuple(of_servers), clusters=tuple(of_clusters), guests=tuple(inside))


def _boot_grace(value: object) -> timedelta:
    """Return the boot grace, which an inventory and a policy hold to one day at most."""
    seconds = strict.seconds(value)
    if not 0 <= seconds <= MOST_BOOT_GRACE.total_seconds():
        raise ValueError(f"a boot grace of {shorten_value(value)} seconds, expected one day at most")
    return timedelta(seconds=seconds)


def _stretched_from_json(value: object) -> tuple[frozenset[str], ...]:
    if not isinstance(value, list):
        raise TypeError("expected a list under 'stretched'")
    lists = [strict.labels(sites, MOST_OF_A_NAME) for sites in value]
    every = [site for sites in lists for site in sites]
    if any(len(sites) < 2 for sites in lists) or len(every) > len(set(every)):
        raise ValueError("expected lists of sites under 'stretched', each site once")
    return tuple(map(frozenset, lists))


def _refuse_half_clusters(path: Path, servers: Sequence[ServerRecord], clusters: Sequence[ServerRecord]) -> None:
    """Nodes without their cluster, which alone knows what is missing on them; or one without a node."""
    names, there = {record.cluster for record in servers} - {None}, {record.name for record in clusters}
    for name in sorted(str(record) for record in names ^ there):
        lacks = "no server as its node" if name in there else "servers as its nodes, but not the cluster itself"
        raise SnapshotError(f"{path}: damaged: of the cluster {shorten_value(name)!r} it has {lacks}")


def _line_of(path: Path, number: int, lines: CappedLines, parse: Callable[[object], T]) -> T:
    value = _json(path, number, lines)
    try:
        return parse(value)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise SnapshotError(f"{path}:{number}: damaged line: {strict.what(error)}") from error


def _json(path: Path, number: int, lines: CappedLines) -> object:
    line = lines.readline()
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
    entries = dict(pairs)
    if len(entries) < len(pairs):
        doubled = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _DoubledKeyError(f"the key {shorten_value(doubled)} stands twice")
    return entries


def _source_from_json(value: object, version: int) -> ServerRecord:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return ServerRecord(
        name=strict.name(value["server"]),
        endpoint=strict.label(value["endpoint"]),
        cluster=None if value.get("cluster") is None else strict.name(value["cluster"]),  # newer than the format
        site=None if value["site"] is None else strict.label(value["site"], MOST_OF_A_NAME),
        groups=strict.labels(value["groups"], MOST_OF_A_NAME),
        may_be_empty=strict.truth(value["may_be_empty"]),
        may_lack_failover_settings=strict.truth(value["may_lack_failover_settings"]),
        insecure=None if value["insecure"] is None else strict.label(value["insecure"]),
        account=strict.label(value.get("account", ""), MOST_OF_AN_ACCOUNT),  # newer than the format, as is the next
        transport=strict.label(value.get("transport", ""), MOST_OF_AN_ACCOUNT),
        reading=_unread_from_json(value["unread"]) if "unread" in value else _reading_from_json(value["read"], version),
    )


def _guest_from_json(value: object) -> GuestRecord:
    if not isinstance(value, dict):
        raise TypeError("expected an object")
    return GuestRecord(
        name=strict.label(value["guest"]),
        machines=strict.labels(value["machines"]),
        insecure=None if value["insecure"] is None else strict.label(value["insecure"]),
        account=strict.label(value.get("account", ""), MOST_OF_AN_ACCOUNT),  # newer than the format, as is the next
        transport=strict.label(value.get("transport", ""), MOST_OF_AN_ACCOUNT),
        reading=_unread_from_json(value["unread"]) if "unread" in value else _guest_reading_from_json(value["read"]),
    )


def _guest_reading_from_json(value: object) -> GuestReading:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'read'")
    return GuestReading(
        started=strict.moment(value["started"]),
        finished=strict.moment(value["finished"]),
        sections={strict.text(name): strict.text(text) for name, text in value["sections"].items()},
        answers={strict.text(name): _answer_from_json(answer) for name, answer in value.get("answers", {}).items()},
    )


def _reading_from_json(value: object, version: int) -> Reading:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'read'")
    ahead = value["clock_ahead_seconds"]
    return Reading(
        started=strict.moment(value["started"]),
        finished=strict.moment(value["finished"]),
        version=None if value["version"] is None else strict.text(value["version"]),
        clock_ahead=None if ahead is None else timedelta(seconds=strict.seconds(ahead)),
        classes=_answers_from_json(value["classes"]),
        again=_answers_from_json(value["again"]),
        too_large=strict.texts(value.get("too_large", value.get("left_out", []))),  # the latter in version 1
        notes=strict.texts(value["notes"]),
        cluster=_answers_from_json(value.get("cluster", {})),  # newer than the format
        asked_properties=_properties_from_json(value["asked"]) if version > 1 else None,
    )


def _properties_from_json(value: object) -> dict[str, tuple[str, ...]] | None:
    """Return what each class was asked for; None of a server that 0.1 read, whose snapshot was written anew."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'asked'")
    return {strict.text(name): strict.texts(properties) for name, properties in value.items()}


def _answers_from_json(value: Mapping[str, Mapping[str, object]]) -> dict[str, RowsOrUnread]:
    return {strict.text(name): _answer_from_json(answer) for name, answer in value.items()}


def _answer_from_json(value: Mapping[str, object]) -> RowsOrUnread:
    if "unread" in value:
        return _unread_from_json(value["unread"])
    rows = value["rows"]
    if not isinstance(rows, list):
        raise TypeError("expected a list under 'rows'")
    if not _are_plain(rows):  # as those of nearly every class are
        for row in rows:
            _refuse_odd_row(row)
    return tuple(rows)


def _are_plain(rows: list[dict[str, object]]) -> bool:
    """Return whether they are rows at all, and without a list."""
    return {dict}.issuperset(map(type, rows)) and PLAIN.issuperset(
        map(type, chain.from_iterable(map(dict.values, rows)))
    )


def _refuse_odd_row(value: object) -> None:
    if not isinstance(value, dict):
        raise TypeError("expected a row to be an object")
    for name, content in value.items():
        if type(content) not in PLAIN and not (isinstance(content, list) and PLAIN.issuperset(map(type, content))):
            raise TypeError(f"expected text, null or a list of them under {shorten_value(name)}")


def _unread_from_json(value: object) -> Unread:
    if not isinstance(value, dict):
        raise TypeError("expected an object under 'unread'")
    why = Why(value["why"])
    if why in NEVER_WRITTEN:
        raise ValueError(f"no snapshot says {why.value!r}, which would excuse what is missing")
    return Unread(strict.text(value["reason"]), why)
