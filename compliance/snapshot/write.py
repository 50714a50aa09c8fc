"""A snapshot as JSON lines: a header, then a line a server, a cluster, a guest.

The header counts the servers, so that a file that was cut off is noticed.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from compliance.errors import SnapshotError
from compliance.files import whole
from compliance.model import Unread
from compliance.snapshot.snapshot import (
    FORMAT,
    VERSION,
    GuestRecord,
    Reading,
    RowsOrUnread,
    ServerRecord,
    Snapshot,
    SnapshotFile,
)

FAST = 1
"""The level of compression of what stays in memory: texts repeat so much that a higher one gains little."""


def write_snapshot(snapshot: Snapshot, path: Path) -> SnapshotFile:
    """Write it whole or not at all; gzip where the name ends in ``.gz``. Return the file with the digest of what was
    written. SnapshotError where it can't be written."""
    try:
        with whole.replace_file(path, keep=True) as raw:
            digest = _write(snapshot, raw, compressed=path.name.endswith(".gz"))
    except OSError as error:
        raise SnapshotError(f"{path}: can't be written: {error.strerror or error}") from error
    return SnapshotFile(str(path), digest)


def save_gathered(snapshot: Snapshot, path: Path) -> SnapshotFile:
    """Write what was gathered just now. SnapshotError where it can't be written there; then it is kept elsewhere, which
    the error names: a disk that filled up must not cost hours of reading."""
    try:
        return write_snapshot(snapshot, path)
    except SnapshotError as error:
        if isinstance(error.__cause__, whole.LeftBesideError):
            raise
        elsewhere = _write_elsewhere(snapshot, path.name)
        raise SnapshotError(f"{error}; what was read is in {elsewhere}" if elsewhere else str(error)) from error


def _write_elsewhere(snapshot: Snapshot, name: str) -> Path | None:
    """Return the file in a folder of its own, which nobody else may enter: the one beside where only its last step
    fails. None where nothing could be written there either."""
    try:
        path = Path(tempfile.mkdtemp(prefix="hyperv-compliance-")) / name
    except OSError:
        return None
    try:
        write_snapshot(snapshot, path)
    except SnapshotError as error:
        if isinstance(error.__cause__, whole.LeftBesideError):
            return Path(error.__cause__.filename2)
        with suppress(OSError):  # a scanner may have left something in it
            path.parent.rmdir()
        return None
    return path


def refuse_unwritable(path: Path) -> None:
    """SnapshotError where a snapshot could not be written: to be asked before hours of gathering, not after."""
    try:
        whole.refuse_unwritable(path)
    except OSError as error:
        raise SnapshotError(f"{path}: can't be written: {error.strerror or error}") from error


def _write(snapshot: Snapshot, raw: BinaryIO, *, compressed: bool) -> str:
    """Return the digest of the octets that went into the file, which may be a pipe that nobody can read again."""
    file = _Digesting(raw)
    if not compressed:
        for line in lines_of(snapshot):
            file.write(line)
        return file.digest
    # No name and no time in gzip's header: the same snapshot gives the same bytes.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
        packed.writelines(lines_of(snapshot))
    return file.digest


class _Digesting:
    """A file to write to, as gzip needs one, that knows the digest of what was written."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._sum = hashlib.sha256()

    @property
    def digest(self) -> str:
        return f"sha256:{self._sum.hexdigest()}"

    def write(self, octets: bytes) -> int:
        self._sum.update(octets)
        return self._raw.write(octets)

    def flush(self) -> None:
        self._raw.flush()


def lines_of(snapshot: Snapshot) -> Iterable[bytes]:
    yield _line(
        {
            "format": FORMAT,
            "version": VERSION,
            "tool": snapshot.tool,
            "time": snapshot.time.isoformat(),
            "estate": snapshot.estate,
            "inventory": snapshot.inventory_digest,
            "settings": {
                "evidence": snapshot.settings.evidence.value,
                "boot_grace_seconds": snapshot.settings.boot_grace.total_seconds(),
                "may_be_empty": snapshot.settings.may_be_empty,
            },
            # Newer than the format, and only where there are some, as is the next.
            **({"latest": snapshot.latest.isoformat()} if snapshot.latest else {}),
            **({"stretched": [sorted(sites) for sites in snapshot.stretched]} if snapshot.stretched else {}),
            "complete": snapshot.complete,
            **({"limit": snapshot.limit, "left_out": list(snapshot.left_out)} if snapshot.limit else {}),
            "servers": len(snapshot.servers),
            **({"guests": len(snapshot.guests)} if snapshot.guests else {}),  # newer than the format
            # Newer than the format: without a cluster a file is as it was, with one an older version refuses it.
            **({"clusters": len(snapshot.clusters)} if snapshot.clusters else {}),
        }
    )
    for source in (*snapshot.servers, *snapshot.clusters):
        yield _line_of_source(source)
    for guest in snapshot.guests:
        yield _line(_guest_to_json(guest))


def _line(value: object) -> bytes:
    return _octets(value) + b"\n"


def _octets(value: object) -> bytes:
    # ASCII only: a lone surrogate or a line separator from a host can't break the file.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def packed(reading: Reading) -> bytes:
    """Return a whole reading as its line of a snapshot has it, packed: rows are small that way, and soon forgotten."""
    return zlib.compress(_octets(_reading_to_json(reading)), FAST)


def _line_of_source(source: ServerRecord) -> bytes:
    known, reading = _source_to_json(source), source.reading
    if isinstance(reading, Unread):
        return _line({**known, "unread": _unread_to_json(reading)})
    if reading.essence is None:
        return _line({**known, "read": _reading_to_json(reading)})
    if reading.essence.octets is None:
        raise ValueError(f"the rows of {source.name} were let go, and not kept as a line")
    return b'%b,"read":%b}\n' % (_octets(known).removesuffix(b"}"), zlib.decompress(reading.essence.octets))


def _source_to_json(source: ServerRecord) -> dict[str, object]:
    """Return what the inventory says of a server."""
    return {
        "server": source.name,
        "endpoint": source.endpoint,
        **({"cluster": source.cluster} if source.cluster is not None else {}),
        "site": source.site,
        "groups": list(source.groups),
        "may_be_empty": source.may_be_empty,
        "may_lack_failover_settings": source.may_lack_failover_settings,
        "insecure": source.insecure,
        **_login_to_json(source),
    }


def _login_to_json(source: ServerRecord | GuestRecord) -> dict[str, str]:
    """Return how we logged in: newer than the format, and only where it is known."""
    known = {"account": source.account, "transport": source.transport}
    return {key: value for key, value in known.items() if value}


def _guest_to_json(source: GuestRecord) -> dict[str, object]:
    reading = source.reading
    if isinstance(reading, Unread):
        document: dict[str, object] = {"unread": _unread_to_json(reading)}
    else:
        times = {"started": reading.started.isoformat(), "finished": reading.finished.isoformat()}
        answers = {name: _answer_to_json(answer) for name, answer in reading.answers.items()}
        document = {"read": {**times, "sections": dict(reading.sections), **({"answers": answers} if answers else {})}}
    known = {"guest": source.name, "machines": list(source.machines), "insecure": source.insecure}
    return {**known, **_login_to_json(source), **document}


def _reading_to_json(reading: Reading) -> dict[str, object]:
    return {
        "started": reading.started.isoformat(),
        "finished": reading.finished.isoformat(),
        "version": reading.version,
        "clock_ahead_seconds": None if reading.clock_ahead is None else reading.clock_ahead.total_seconds(),
        "classes": _answers_to_json(reading.classes),
        "again": _answers_to_json(reading.again),
        "too_large": list(reading.too_large),
        "notes": list(reading.notes),
        **({"cluster": _answers_to_json(reading.cluster)} if reading.cluster else {}),
        "asked": None
        if reading.asked_properties is None
        else {name: list(properties) for name, properties in reading.asked_properties.items()},
    }


def _answers_to_json(answers: Mapping[str, RowsOrUnread]) -> dict[str, object]:
    return {name: _answer_to_json(answer) for name, answer in answers.items()}


def _answer_to_json(answer: RowsOrUnread) -> dict[str, object]:
    return (
        {"unread": _unread_to_json(answer)} if isinstance(answer, Unread) else {"rows": [dict(row) for row in answer]}
    )


def _unread_to_json(unread: Unread) -> dict[str, str]:
    return {"reason": unread.reason, "why": unread.why.value}
