"""Readings take their places in the snapshot, each with what the inventory says of its server, cluster or guest."""

from __future__ import annotations

from dataclasses import replace

from compliance.inventory.entries import Entry
from compliance.inventory.guests import GuestEntry, WayIn
from compliance.inventory.listener import Listener
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, GuestSource, Reading, Source


def source_of(entry: Entry, reading: Reading | Unread, cluster: str | None = None) -> Source:
    """Return a reading with what the inventory says of its server."""
    return Source(
        name=entry.name,
        endpoint=f"{entry.address}:{entry.port}",
        cluster=cluster,
        site=entry.site,
        groups=entry.groups,
        may_be_empty=entry.may_be_empty,
        may_lack_failover_settings=entry.may_lack_failover_settings,
        insecure=_insecure(entry),
        reading=reading,
    )


def with_note(source: Source, note: str) -> Source:
    """Return a server that was read with one more note on its reading."""
    reading = source.reading
    return (
        source
        if isinstance(reading, Unread)
        else replace(source, reading=replace(reading, notes=(*reading.notes, note)))
    )


def guest_of(entry: WayIn, reading: GuestReading | Unread) -> GuestSource:
    """Return what was seen in a guest with what the inventory says of the way there."""
    return GuestSource(name=entry.name, machines=entry.machine, insecure=_insecure(entry), reading=reading)


def _insecure(entry: Listener | GuestEntry) -> str | None:
    if isinstance(entry, GuestEntry):
        return None if entry.verify else "its host key was not checked (`verify: false` in the inventory)"
    if not entry.verify:
        return "its certificate was not verified (`verify: false` in the inventory)"
    if entry.cleartext:
        password = ", the password too" if entry.transport == "basic" else ""
        return f"its answers came unencrypted over http{password} (`cleartext: true` in the inventory)"
    return None
