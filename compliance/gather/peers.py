"""Whom a gathering asks: servers, clusters and guests; and what came from each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.guests import WayIn
from compliance.inventory.inventory import Inventory
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, Reading

PeerResult = Reading | GuestReading | Unread


class Kind(Enum):
    """What a peer is: each kind has questions of its own, and a place of its own in the snapshot."""

    SERVER = "server"
    CLUSTER = "cluster"
    GUEST = "guest"


@dataclass(frozen=True, slots=True)
class Peer:
    """One that is asked by one thread, over one connection, until one deadline. Two are the same by kind and name."""

    kind: Kind
    name: str
    entry: Entry | WayIn = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


def peer_of(entry: Entry | WayIn) -> Peer:
    """Return the peer that an entry of the inventory is."""
    if isinstance(entry, ClusterEntry):
        return Peer(Kind.CLUSTER, entry.name, entry)
    return Peer(Kind.SERVER if isinstance(entry, Entry) else Kind.GUEST, entry.name, entry)


def peers_of(inventory: Inventory) -> list[Peer]:
    """Return everybody whom the inventory names, clusters first: their nodes are not known before."""
    return [peer_of(entry) for entry in (*inventory.clusters, *inventory.servers, *inventory.guests)]


@dataclass(slots=True)
class Results:
    """What came, peer by peer."""

    _by_peer: dict[Peer, PeerResult] = field(default_factory=dict)

    def record(self, peer: Peer, result: PeerResult) -> None:
        """Keep a result, in place of an earlier one."""
        self._by_peer[peer] = result

    def record_first(self, peer: Peer, result: PeerResult) -> None:
        """Keep a result of a peer that has none yet."""
        self._by_peer.setdefault(peer, result)

    def host(self, entry: Entry) -> Reading | Unread:
        """Return what a server or a cluster answered. KeyError where it has no result yet."""
        result = self._by_peer[peer_of(entry)]
        assert not isinstance(result, GuestReading)  # noqa: S101  # only guests are asked for one
        return result

    def guest(self, entry: WayIn) -> GuestReading | Unread:
        """Return what was seen in a guest. KeyError where it has no result yet."""
        result = self._by_peer[peer_of(entry)]
        assert not isinstance(result, Reading)  # noqa: S101  # only hosts are asked for one
        return result

    def readings(self, entries: list[Entry]) -> Iterator[tuple[Entry, Reading]]:
        """Yield those of the entries that answered, with what they answered."""
        for entry in entries:
            if isinstance(reading := self._by_peer.get(peer_of(entry)), Reading):
                yield entry, reading

    def __len__(self) -> int:
        return len(self._by_peer)
