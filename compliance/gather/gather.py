"""Inventory entries become a snapshot: servers and guests side by side, one thread, one connection, one deadline each.

A cluster is asked for its nodes first, and for its machines a second time when all nodes were read. All I/O of a run is
here and below. Whatever fails on one of them ends as an ``Unread`` with its reason, never as silence.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from compliance.credentials.find import Credential
from compliance.errors import SnapshotError, Why
from compliance.gather.logins import Lockouts
from compliance.gather.nodes import Membership, fuller, servers_of, with_later_answers
from compliance.gather.peers import Kind, Peer, PeerResult, Results, peer_of, peers_of
from compliance.gather.progress import SLOW_AFTER, Progress
from compliance.gather.questions import LetGo, Questions
from compliance.gather.server import Clock
from compliance.gather.sources import guest_of, source_of, with_accounts
from compliance.gather.threads import Arrived, Question, start_thread, threads_for, why_broken
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.inventory import Inventory
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot

ABANDON_AFTER = 5.0
"""Seconds past its deadline after which a peer's thread is given up: Kerberos, for one, heeds no deadline."""
WITNESSES = 3
"""Nodes that are asked, one after the other, for a cluster's resources at the end."""


def gather(
    inventory: Inventory,
    credentials: Mapping[str, Credential],
    *,
    tool: str,
    tell: Callable[[Progress], None] = lambda _: None,
    keep: Callable[[Snapshot], None] = lambda _: None,
    let_go: LetGo = lambda record: record,
    now: Clock = lambda: datetime.now(UTC),
) -> Snapshot:
    """Read every server, cluster and guest of the inventory. Ends at the latest one server's deadline after the last
    one was started; where there are clusters, two more after that.

    Whatever ends it early, ``keep`` is called with what there is: the snapshot is incomplete then, and says what was
    not read. A KeyboardInterrupt ends there; any other error goes on, such as one of ``tell``'s, for whom nobody
    listens any more. The threads that are still reading are left behind; they are daemons, and heed their deadlines.

    ``let_go`` takes the rows of a server's record when they are not needed any more: at once, or at the end where there
    are clusters, whose nodes are read by each other's. Those that are there when something ends it early stay: whoever
    interrupts a run waits for nothing but the file.
    """
    began = now()
    gathering = _Gathering(inventory, credentials, tell, Questions(inventory, credentials, let_go, now))
    try:
        gathering.read_all()
        snapshot = _let_rows_go(_snapshot_of(gathering, inventory, began, tool), inventory, let_go)
        keep(snapshot)
    except SnapshotError:
        raise
    except BaseException as error:  # whatever ends it, what was read is kept; all but Ctrl-C is raised again
        gathering.leave()
        snapshot = _snapshot_of(gathering, inventory, began, tool)
        keep(snapshot)
        if snapshot.complete or not isinstance(error, KeyboardInterrupt):
            raise
    return snapshot


def _let_rows_go(snapshot: Snapshot, inventory: Inventory, let_go: LetGo) -> Snapshot:
    """Return the snapshot without the rows that are still there. Whatever fails with a server's costs that server only,
    as while it is read. A listed server stands alone then: it was not read, and says nothing of being a node."""
    listed = {entry.name for entry in inventory.servers}

    def without_rows(record: ServerRecord) -> ServerRecord:
        try:
            return let_go(record)
        except Exception as error:  # what a host says may fail in a way that nobody thought of
            cluster = None if record.name in listed else record.cluster
            return replace(record, cluster=cluster, reading=why_broken(record.endpoint, error))

    return replace(snapshot, servers=tuple(map(without_rows, snapshot.servers)))


def _snapshot_of(gathering: _Gathering, inventory: Inventory, began: datetime, tool: str) -> Snapshot:
    results, logins = gathering.results, gathering.credentials
    entries = (*inventory.servers, *gathering.membership.unlisted, *inventory.clusters)
    servers = servers_of(inventory, gathering.membership, results)
    clusters = (source_of(entry, results.host(entry)) for entry in inventory.clusters)
    return Snapshot(
        estate=inventory.name,
        time=began,
        tool=tool,
        inventory_digest=inventory.digest,
        settings=inventory.settings,
        stretched=inventory.stretched,
        servers=tuple(with_accounts(servers, entries, logins)),
        clusters=tuple(with_accounts(clusters, inventory.clusters, logins)),
        guests=tuple(guest_of(entry, results.guest(entry), logins) for entry in inventory.guests),
        complete=gathering.is_complete,
        limit=inventory.limit,
        left_out=inventory.left_out,
    )


class _Gathering:
    """Who waits, who is being read, and what came: the one thread that starts all others."""

    def __init__(
        self,
        inventory: Inventory,
        credentials: Mapping[str, Credential],
        tell: Callable[[Progress], None],
        questions: Questions,
    ) -> None:
        self.results = Results()
        self.membership = Membership(inventory)
        self._inventory = inventory
        self.credentials = credentials
        self.is_complete = False
        self._questions = questions
        self._tell = tell
        self._began = time.monotonic()
        self._running: dict[Peer, float] = {}  # peer -> its start, in seconds of time.monotonic
        self._arrived: Arrived = queue.SimpleQueue()
        self._logins = Lockouts(credentials, inventory.limits.connect)

    def read_all(self) -> None:
        """Read everybody; then clusters again, when all nodes were read; then nodes to which something moved after they
        had been read."""
        self._read(peers_of(self._inventory), self._questions.of, self._take)
        clusters = self._inventory.clusters
        witnesses = {entry.name: list(self.membership.members(entry, self.results))[:WITNESSES] for entry in clusters}
        self._read(
            [peer_of(entry) for entry in clusters if witnesses[entry.name]],
            lambda peer: self._questions.again(witnesses[peer.name]),
            self._take_second_time,
        )
        moved = [entry for cluster in clusters for entry in self.membership.moved_to(cluster, self.results)]
        self._read([peer_of(entry) for entry in moved], self._questions.of, self._take_second_time)
        self.is_complete = True

    def leave(self) -> None:
        """Keep what has arrived; all else is unread."""
        with suppress(queue.Empty):
            while True:
                peer, result = self._arrived.get_nowait()
                if result is not None:
                    self.results.record_first(peer, result)
        for peer in (*peers_of(self._inventory), *map(peer_of, self.membership.unlisted)):
            when = "while it was being read" if peer in self._running else "before it was read"
            self.results.record_first(peer, Unread(f"the gathering was interrupted {when}", Why.INCOMPLETE))
        self._questions.children.end_all()

    # --- the loop ---

    def _read(
        self, waiting: list[Peer], question: Callable[[Peer], Question], take: Callable[[Peer, PeerResult], list[Peer]]
    ) -> None:
        """Ask everybody who is waiting. ``take`` keeps a result, and returns who is to be asked because of it."""
        limits = self._inventory.limits
        threads, remark = threads_for(self._inventory)
        if remark:
            self._show(remark=remark)
        while waiting or self._running:
            for peer, refusal in [(peer, why) for peer in waiting if (why := self._logins.refusal_of(peer))]:
                waiting.remove(peer)
                waiting += self._finish(peer, refusal, take)
            while len(self._running) < threads and (candidate := self._logins.next_of(waiting)):
                waiting.remove(candidate)
                self._running[candidate] = time.monotonic()
                self._logins.ask(candidate)
                start_thread(candidate, question(candidate), self._arrived)
            most = limits.server + ABANDON_AFTER
            for peer in [late for late, start in self._running.items() if time.monotonic() - start > most]:
                given_up = Unread(f"not done {most:g} seconds after its start, and given up", Why.TIMED_OUT)
                waiting += self._finish(peer, given_up, take)
            try:
                peer, result = self._arrived.get(timeout=min(1.0, limits.connect) if waiting else 1.0)
            except queue.Empty:
                self._show()
                continue
            if result is None:
                self._logins.took(peer)
            elif peer in self._running:  # else it was given up, and the run has gone on without it
                waiting += self._finish(peer, result, take)

    # --- what came ---

    def _finish(self, peer: Peer, result: PeerResult, take: Callable[[Peer, PeerResult], list[Peer]]) -> list[Peer]:
        following = take(peer, result)
        if self._running.pop(peer, None) is not None:
            self._logins.answered(peer, result)
        self._show(finished=peer.name, unread=result if isinstance(result, Unread) else None)
        return following

    def _take(self, peer: Peer, result: PeerResult) -> list[Peer]:
        """Keep a first result; of a cluster, return the nodes that are to be read now."""
        self.results.record(peer, result)
        if isinstance(peer.entry, ClusterEntry) and isinstance(result, Reading):
            return [peer_of(entry) for entry in self.membership.expand(peer.entry, result)]
        return []

    def _take_second_time(self, peer: Peer, result: PeerResult) -> list[Peer]:
        """Join what a cluster or a node answered the second time to what it answered first."""
        assert isinstance(peer.entry, Entry)  # noqa: S101  # no guest is asked twice
        assert isinstance(result, Reading | Unread)  # noqa: S101  # nor anything else of a host
        join = with_later_answers if peer.kind is Kind.CLUSTER else fuller
        self.results.record(peer, join(self.results.host(peer.entry), result))
        return []

    def _show(self, *, finished: str | None = None, unread: Unread | None = None, remark: str | None = None) -> None:
        now = time.monotonic()
        progress = Progress(
            done=len(self.results),
            total=len(peers_of(self._inventory)) + len(self.membership.unlisted),
            guests=bool(self._inventory.guests),
            finished=finished,
            unread=unread,
            slow=tuple(peer.name for peer, start in self._running.items() if now - start > SLOW_AFTER),
            seconds=now - self._began,
            limit=self._inventory.limits.server,
            remark=remark,
        )
        self._tell(progress)
