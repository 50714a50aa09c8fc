"""What is asked of each kind of peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from compliance.child import Children
from compliance.credentials.find import Credential
from compliance.gather.cluster import read_cluster
from compliance.gather.guests.unix import read_guest
from compliance.gather.guests.windows import read_windows_guest
from compliance.gather.peers import Peer
from compliance.gather.server import Clock, read_server
from compliance.gather.threads import Question
from compliance.hyperv import queries
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.guests import GuestEntry, WindowsGuest
from compliance.inventory.inventory import Inventory


class Questions:
    """What is asked of each kind of peer."""

    def __init__(self, inventory: Inventory, credentials: Mapping[str, Credential], now: Clock) -> None:
        self.children = Children()
        self._limits = inventory.limits
        self._credentials = credentials
        self._now = now

    def of(self, peer: Peer) -> Question:
        entry, limits, now = peer.entry, self._limits, self._now
        credential = self._credentials.get(entry.login) if entry.login else None
        if isinstance(entry, GuestEntry):
            return partial(read_guest, entry, credential, limits, now, self.children)
        if isinstance(entry, WindowsGuest):
            return partial(read_windows_guest, entry, credential, limits, now)
        if isinstance(entry, ClusterEntry):
            return partial(read_cluster, (entry, *entry.nodes), self._credentials, limits, now)
        return partial(read_server, entry, credential, limits, now)

    def again(self, witnesses: Sequence[Entry]) -> Question:
        """Return what nodes are asked for their cluster when all of them were read."""
        asked = queries.OF_CLUSTER_AGAIN
        return partial(read_cluster, witnesses, self._credentials, self._limits, self._now, asked=asked)
