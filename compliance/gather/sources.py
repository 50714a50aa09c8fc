"""Readings take their places in the snapshot, each with what the inventory says of its server, cluster or guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from compliance.credentials.find import Credential
from compliance.inventory.entries import Entry
from compliance.inventory.guests import GuestEntry, WayIn
from compliance.inventory.listener import Listener
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, GuestRecord, Reading, ServerRecord
from compliance.words import shorten

MOST_OF_AN_ACCOUNT = 120
"""Letters of the name that we log in by."""


def source_of(entry: Entry, reading: Reading | Unread, cluster: str | None = None) -> ServerRecord:
    """Return a reading with what the inventory says of its server."""
    return ServerRecord(
        name=entry.name,
        endpoint=f"{entry.address}:{entry.port}",
        cluster=cluster,
        site=entry.site,
        groups=entry.groups,
        may_be_empty=entry.may_be_empty,
        may_lack_failover_settings=entry.may_lack_failover_settings,
        insecure=_insecure(entry),
        transport=entry.transport,
        reading=reading,
    )


def with_accounts(
    sources: Iterable[ServerRecord], entries: Iterable[Entry], credentials: Mapping[str, Credential]
) -> Iterator[ServerRecord]:
    """Yield the sources with the name that we log in to each by; of two entries of one name the first one counts."""
    by_name = {entry.name: entry for entry in reversed([*entries])}
    for source in sources:
        yield replace(source, account=_account(by_name[source.name], credentials))


def _account(entry: Entry | WayIn, credentials: Mapping[str, Credential]) -> str:
    """Return the name that we log in by; empty where a ticket, a key or a certificate says it and we don't know it."""
    credential = credentials.get(entry.login) if entry.login else None
    if credential:
        return shorten(credential.username, MOST_OF_AN_ACCOUNT)
    if isinstance(entry, GuestEntry):
        return shorten(entry.endpoint.rpartition("@")[0], MOST_OF_AN_ACCOUNT)
    return shorten(entry.principal or "", MOST_OF_AN_ACCOUNT)


def with_note(source: ServerRecord, note: str) -> ServerRecord:
    """Return a server that was read with one more note on its reading."""
    reading = source.reading
    return (
        source
        if isinstance(reading, Unread)
        else replace(source, reading=replace(reading, notes=(*reading.notes, note)))
    )


def guest_of(entry: WayIn, reading: GuestReading | Unread, credentials: Mapping[str, Credential]) -> GuestRecord:
    """Return what was seen in a guest with what the inventory says of the way there."""
    return GuestRecord(
        name=entry.name,
        machines=entry.machine,
        insecure=_insecure(entry),
        account=_account(entry, credentials),
        transport=entry.scheme if isinstance(entry, GuestEntry) else entry.transport,
        reading=reading,
    )


def _insecure(entry: Listener | GuestEntry) -> str | None:
    if isinstance(entry, GuestEntry):
        return None if entry.verify else "its host key was not checked (`verify: false` in the inventory)"
    if not entry.verify:
        return "its certificate was not verified (`verify: false` in the inventory)"
    if entry.cleartext:
        password = ", the password too" if entry.transport == "basic" else ""
        return f"its answers came unencrypted over http{password} (`cleartext: true` in the inventory)"
    return None
