"""Readings take their places in the snapshot, each with what the inventory says of its server, cluster or guest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from compliance.gather.nodes import Membership, why_no_nodes
from compliance.gather.peers import Results
from compliance.inventory.guests import GuestEntry, WayIn
from compliance.inventory.inventory import Entry, Inventory
from compliance.inventory.listener import Listener
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, GuestSource, Reading, Source


def servers_of(inventory: Inventory, membership: Membership, results: Results) -> Iterator[Source]:
    """Yield the servers of the inventory, then the nodes of clusters. A cluster whose nodes are not known stands for
    them."""
    for entry in inventory.servers:
        cluster = membership.cluster_of(entry)
        yield source_of(entry, _with_both_places(inventory, entry, results.host(entry), cluster), cluster)
    for entry in membership.unlisted:
        yield source_of(entry, results.host(entry), membership.cluster_of(entry))
    for entry in inventory.clusters:
        if not membership.has_nodes(entry):
            yield source_of(entry, why_no_nodes(results.host(entry)), entry.name)


def _with_both_places(
    inventory: Inventory, entry: Entry, reading: Reading | Unread, cluster: str | None
) -> Reading | Unread:
    """Return a listed server's reading with a note where it is a node, too: it was read once, as the list says."""
    if cluster is None or isinstance(reading, Unread):
        return reading
    lines = [str(line) for name in (entry.name, cluster) if (line := inventory.lines.get(name))]
    where = f" ({inventory.path.name}, lines {' and '.join(lines)})" if lines else ""
    note = f"is listed as a server, and is a node of the cluster {cluster}: it was read once{where}"
    return replace(reading, notes=(*reading.notes, note))


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
