"""A cluster's own answers: asked of its name, or of the first of its nodes that gives them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from compliance.credentials.find import Credential
from compliance.errors import ReadError, Why
from compliance.gather.server import Clock, Reader, Watch, endpoint_of, name_identity
from compliance.hyperv import queries
from compliance.hyperv.queries import Query
from compliance.inventory.entries import Entry, Limits
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading
from compliance.wsman.connection import Connection


def read_cluster(
    entries: Sequence[Entry],
    credentials: Mapping[str, Credential],
    limits: Limits,
    now: Clock,
    *,
    asked: Sequence[Query] = queries.OF_CLUSTER,
    watch: Watch = lambda _query, _answer, _seconds: None,
) -> Reading:
    """Read a cluster through the first of ``entries`` that is a node of one. ReadError where none is.

    A refused password ends it at once, since one more attempt could lock the account. A ticket locks nobody out, and
    not every cluster's name has a service that Kerberos knows.
    """
    deadline = time.monotonic() + limits.server
    failed: list[ReadError] = []
    for entry in entries:
        credential = credentials.get(entry.login) if entry.login else None
        try:
            reading = _read(entry, credential, limits, now, asked, watch, deadline)
        except ReadError as error:
            failed.append(error)
            if error.why is Why.LOGIN_REFUSED and credential is not None and credential.password:
                break
            continue
        skipped = [f"was read through {entry}, since {error}" for error in failed[:1]]
        return replace(reading, notes=(*reading.notes, *skipped))
    raise ReadError("; ".join(dict.fromkeys(map(str, failed))), why=failed[-1].why if failed else Why.UNREACHABLE)


def _read(
    entry: Entry,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    asked: Sequence[Query],
    watch: Watch,
    deadline: float,
) -> Reading:
    endpoint = endpoint_of(entry, credential, limits)
    with Connection(endpoint, deadline=deadline) as connection:
        reader = Reader(connection, deadline, endpoint.server_seconds, now, watch)
        reading = reader.read_classes(asked[:1])
        nodes = reading.classes[asked[0].class_name]
        if isinstance(nodes, Unread):
            no_cluster = f"has no {asked[0].namespace}: it is no node of a cluster"
            reason = no_cluster if nodes.why is Why.ABSENT else f"its nodes could not be read: {nodes}"
            raise ReadError(f"{entry.address}:{entry.port}: {reason}", why=nodes.why)
        return name_identity(_with_slim_resources(reader, reader.read_classes(asked[1:], before=reading)), connection)


def _with_slim_resources(reader: Reader, reading: Reading) -> Reading:
    """Read the resources without private properties where they could not be sent: the names are left at least. How
    WinRM writes those is not known, nor that it can."""
    answer = reading.classes.get(queries.RESOURCES)
    if not isinstance(answer, Unread) or answer.why not in (Why.REFUSED, Why.TOO_LARGE, Why.BROKEN, Why.ABSENT):
        return reading
    without = reader.read_classes([queries.CLUSTER_RESOURCES.slim], before=reading)
    lost = f"{queries.RESOURCES}.{queries.PRIVATE_PROPERTIES}"
    note = f"could not send {lost}: {answer}"
    return replace(without, too_large=(*without.too_large, lost), notes=(*without.notes, note))
