"""What is asked of each kind of peer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from compliance.child import Children
from compliance.credentials.find import Credential
from compliance.gather.cluster import read_cluster
from compliance.gather.guests.unix import read_guest
from compliance.gather.guests.windows import read_windows_guest
from compliance.gather.peers import Peer
from compliance.gather.server import Clock, Watch, read_server
from compliance.gather.sources import source_of
from compliance.gather.threads import Question
from compliance.hyperv import queries
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.guests import GuestEntry, WindowsGuest
from compliance.inventory.inventory import Inventory
from compliance.snapshot.snapshot import Reading, ServerRecord

LetGo = Callable[[ServerRecord], ServerRecord]
"""What takes the rows of a record, and leaves what they show."""


class Questions:
    """What is asked of each kind of peer."""

    def __init__(self, inventory: Inventory, credentials: Mapping[str, Credential], let_go: LetGo, now: Clock) -> None:
        self.children = Children()
        self._limits = inventory.limits
        self._credentials = credentials
        self._let_go: LetGo = let_go if not inventory.clusters else lambda record: record
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
        return partial(self._read_server, entry, credential)

    def _read_server(self, entry: Entry, credential: Credential | None, *, watch: Watch) -> Reading:
        """Read a server, and let its rows go: here, so that whatever fails with them costs this server only."""
        reading = read_server(entry, credential, self._limits, self._now, watch=watch)
        record = self._let_go(source_of(entry, reading))
        return record.reading if isinstance(record.reading, Reading) else reading

    def again(self, witnesses: Sequence[Entry]) -> Question:
        """Return what nodes are asked for their cluster when all of them were read."""
        asked = queries.OF_CLUSTER_AGAIN
        return partial(read_cluster, witnesses, self._credentials, self._limits, self._now, asked=asked)
