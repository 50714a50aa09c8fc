"""Inventory entries become a snapshot: servers and guests side by side, one thread, one connection, one deadline each.

A cluster is asked for its nodes first, and for its machines a second time when all nodes were read. All I/O of a run is
here and below. Whatever fails on one of them ends as an ``Unread`` with its reason, never as silence.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum
from functools import partial

from compliance.credentials.find import Credential
from compliance.credentials.lockout import Door
from compliance.errors import ReadError, Why
from compliance.gather.cluster import read_cluster
from compliance.gather.guests.processes import Processes
from compliance.gather.guests.unix import read_guest
from compliance.gather.guests.windows import read_windows_guest
from compliance.gather.server import Clock, Watch, read_server
from compliance.hyperv import queries
from compliance.hyperv.cluster_rows import MOST_NODES, nodes_of
from compliance.hyperv.clusters import owners_of_moved, shown_in
from compliance.inventory.guests import GuestEntry, WayIn, WindowsGuest
from compliance.inventory.inventory import ClusterEntry, Entry, Inventory, Limits
from compliance.inventory.listener import Listener
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, GuestSource, Reading, Snapshot, Source

Peer = Entry | WayIn
Told = Reading | GuestReading | Unread

ABANDON_AFTER = 5.0
"""Seconds past its deadline after which a server's thread is given up: Kerberos, for one, heeds no deadline."""
SLOW_AFTER = 5.0
"""Seconds after which a server that is being read is named."""
DESCRIPTORS = 4
"""File descriptors that a server may need at once: its socket, the one that the watch cuts it by, and two for name
lookup, certificates or tickets."""
OF_GUESTS = 8
"""The same for a guest: three pipes to ssh, twice while it starts, and what its start is told by."""
WITNESSES = 3
"""Nodes that are asked, one after the other, for a cluster's resources at the end."""
RESERVED = 16
"""Descriptors that are left to everybody else: reports, the snapshot, modules that are loaded late."""


class Phase(Enum):
    """What the crew is at. The last two are for clusters alone."""

    FIRST = "servers, and clusters' nodes"
    CLOSING = "clusters again, when all nodes were read"
    AFTER_A_MOVE = "nodes again, to which something moved after they had been read"


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the gathering is, ``seconds`` after its start. ``guests``: are there some among those that are asked?

    ``slow`` names servers that take longer than a few seconds, the slowest first; ``remark`` is a sentence about the
    gathering itself.
    """

    done: int
    total: int
    guests: bool = False
    finished: str | None = None
    unread: Unread | None = None
    slow: tuple[str, ...] = ()
    seconds: float = 0.0
    remark: str | None = None


def gather(
    inventory: Inventory,
    credentials: Mapping[str, Credential],
    *,
    tool: str,
    tell: Callable[[Progress], None] = lambda _: None,
    now: Clock = lambda: datetime.now(UTC),
) -> Snapshot:
    """Read every server and cluster of the inventory. Ends at the latest one server's deadline after the last one was
    started; where there are clusters, two more after that.

    A KeyboardInterrupt ends it at once: the snapshot is incomplete then, and tells what was not read. The threads that
    are still reading are left behind; they are daemons, and heed their deadlines.
    """
    began = now()
    crew = _Crew(inventory, credentials, tell, now)
    try:
        crew.read_all()
        complete = True
    except KeyboardInterrupt:
        crew.leave()
        complete = False
    return Snapshot(
        estate=inventory.name,
        time=began,
        tool=tool,
        inventory=inventory.digest,
        settings=inventory.settings,
        servers=tuple(crew.sources()),
        clusters=tuple(source_of(entry, crew.servers[entry.name]) for entry in inventory.clusters),
        guests=tuple(guest_of(entry, crew.guests[entry.name]) for entry in inventory.guests),
        complete=complete,
        limit=inventory.limit,
        left_out=inventory.left_out,
    )


def affordable(threads: int, each: int = DESCRIPTORS) -> int:
    """So many of ``threads`` as this process may open descriptors for (`ulimit -n`); at least one."""
    try:
        import resource  # POSIX only; Windows has no such limit for sockets
    except ImportError:
        return threads
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return threads
    taken = RESERVED
    with suppress(OSError):
        taken += len(os.listdir("/dev/fd"))  # noqa: PTH208  # names alone
    return max(1, min(threads, (most - taken) // each))


def source_of(entry: Entry, reading: Reading | Unread, cluster: str | None = None) -> Source:
    """A reading with what the inventory says of its server."""
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
    return GuestSource(name=entry.name, machines=entry.machine, insecure=_insecure(entry), reading=reading)


def _insecure(entry: Listener | GuestEntry) -> str | None:
    if isinstance(entry, GuestEntry):
        return None if entry.verify else "its host key was not checked (`verify: false` in the inventory)"
    if not entry.verify:
        return "its certificate was not verified (`verify: false` in the inventory)"
    if entry.cleartext:
        password = ", the password too" if entry.transport == "basic" else ""
        return f"what it says came unencrypted over http{password} (`cleartext: true` in the inventory)"
    return None


_Arrived = queue.SimpleQueue[tuple[str, "Told | None"]]
"""What a peer's thread tells: its reading, or None as soon as the peer took the login."""


@dataclass(slots=True)
class _Crew:
    """Daemon threads, since a thread that hangs in name resolution can't be stopped and must not hold up the end."""

    inventory: Inventory
    credentials: Mapping[str, Credential]
    tell: Callable[[Progress], None]
    now: Clock
    began: float = field(default_factory=time.monotonic)
    servers: dict[str, Reading | Unread] = field(default_factory=dict)
    guests: dict[str, GuestReading | Unread] = field(default_factory=dict)
    processes: Processes = field(default_factory=Processes)
    running: dict[str, float] = field(default_factory=dict)  # peer -> start, in seconds of time.monotonic
    arrived: _Arrived = field(default_factory=queue.SimpleQueue)
    doors: dict[str, Door] = field(default_factory=dict)  # by login
    asked: dict[str, Door] = field(default_factory=dict)  # by peer
    nodes: dict[str, Entry] = field(default_factory=dict)  # found in clusters, and listed nowhere
    cluster_of: dict[str, str] = field(default_factory=dict)  # server -> cluster, of listed servers too
    phase: Phase = Phase.FIRST

    def read_all(self) -> None:
        self._read(self.inventory.peers)
        self.phase = Phase.CLOSING
        self._read([one for one in self.inventory.clusters if self._members_read(one)])
        self.phase = Phase.AFTER_A_MOVE
        self._read([entry for cluster in self.inventory.clusters for entry in self._moved_to(cluster)])

    def sources(self) -> Iterator[Source]:
        """Those of the inventory, then the nodes of clusters. A cluster whose nodes are not known stands for them."""
        for entry in self.inventory.servers:
            name = self.cluster_of.get(entry.name)
            yield source_of(entry, self._with_both_places(entry, name), name)
        for entry in self.nodes.values():
            yield source_of(entry, self.servers[entry.name], self.cluster_of[entry.name])
        for cluster in self.inventory.clusters:
            if cluster.name not in self.cluster_of.values():
                yield source_of(cluster, self._why_no_nodes(self.servers[cluster.name]), cluster.name)

    def _with_both_places(self, entry: Entry, cluster: str | None) -> Reading | Unread:
        """A server that was listed, and found as a node, is told so: it was read once, as the list says."""
        reading = self.servers[entry.name]
        if cluster is None or isinstance(reading, Unread):
            return reading
        lines = [str(line) for name in (entry.name, cluster) if (line := self.inventory.lines.get(name))]
        where = f" ({self.inventory.path.name}, lines {' and '.join(lines)})" if lines else ""
        note = f"is listed as a server, and is a node of the cluster {cluster}: it was read once{where}"
        return replace(reading, notes=(*reading.notes, note))

    def _read(self, waiting: list[Peer]) -> None:
        limits = self.inventory.limits
        threads = self._threads()
        while waiting or self.running:
            waiting = self._not_shut_out(waiting)
            while len(self.running) < threads and (entry := self._next(waiting)):
                waiting.remove(entry)
                self._start(entry)
            self._abandon(limits.server + ABANDON_AFTER)
            try:
                name, reading = self.arrived.get(timeout=min(1.0, limits.connect) if waiting else 1.0)
            except queue.Empty:
                self.tell(self._progress())
                continue
            if reading is None:
                self.asked[name].took(name)
            elif name in self.running:  # else it was given up, and the run has gone on without it
                waiting += self._finish(name, reading)

    def _next(self, waiting: Sequence[Peer]) -> Peer | None:
        """The first one whose login may be tried now."""
        now = time.monotonic()
        return next((entry for entry in waiting if self._door(entry).may_ask(now)), None)

    def _not_shut_out(self, waiting: list[Peer]) -> list[Peer]:
        """Those that are still to be asked; what a password was refused for elsewhere is not tried on the rest."""
        shut = [entry for entry in waiting if self._door(entry).is_shut]
        for entry in shut:
            refused = " and ".join(self._door(entry).refused_by)
            login = self._login(entry) or "the same login"
            reason = f"not tried: {refused} refused {login}, and more attempts could lock the account"
            self._finish(entry.name, Unread(reason, Why.LOGIN_REFUSED))
        return [entry for entry in waiting if entry not in shut] if shut else waiting

    def _door(self, entry: Peer) -> Door:
        credential = self.credentials.get(entry.login) if entry.login else None
        if entry.login is None or credential is None or not credential.password:
            return Door(patience=0, is_taken=True)  # tickets and certificates lock nobody out
        return self.doors.setdefault(entry.login, Door(patience=self.inventory.limits.connect))

    def _login(self, entry: Peer) -> str:
        """Where it came from, for who must correct it."""
        credential = self.credentials.get(entry.login or "")
        return credential.origin if credential else ""

    def leave(self) -> None:
        """What has arrived is kept; all else is unread."""
        with suppress(queue.Empty):
            while True:
                name, reading = self.arrived.get_nowait()
                if reading is not None:
                    self._keep(name, reading)
        for entry in (*self.inventory.peers, *self.nodes.values()):
            when = "while it was being read" if entry.name in self.running else "before it was read"
            self._keep(entry.name, Unread(f"the gathering was interrupted {when}", Why.INCOMPLETE))
        self.processes.end_all()

    def _keep(self, name: str, reading: Told) -> None:
        """What came first stays."""
        if isinstance(reading, Reading | Unread) and "://" not in name:
            self.servers.setdefault(name, reading)
        elif isinstance(reading, GuestReading | Unread):
            self.guests.setdefault(name, reading)

    def _threads(self) -> int:
        guests = bool(self.inventory.guests)
        nodes = MOST_NODES * len(self.inventory.clusters)
        wanted = min(self.inventory.limits.threads, len(self.inventory.peers) + nodes)
        threads = affordable(wanted, OF_GUESTS if guests else DESCRIPTORS)
        if threads < wanted:
            peers = f"server{'' if threads == 1 else 's'}{' or guests' if guests else ''}"
            side_by_side = f"{threads} {peers} side by side in place of {wanted}"
            self.tell(self._progress(remark=f"{side_by_side}: this process may open few files (ulimit -n)"))
        return threads

    def _start(self, entry: Peer) -> None:
        self.running[entry.name] = time.monotonic()
        self.asked[entry.name] = self._door(entry)
        self.asked[entry.name].ask(entry.name, time.monotonic())
        arguments = (entry, self._question(entry), self.arrived)
        threading.Thread(target=_work, args=arguments, name=f"read {entry.name}", daemon=True).start()

    def _question(self, entry: Peer) -> _Question:
        limits, now = self.inventory.limits, self.now
        credential = self.credentials.get(entry.login) if entry.login else None
        if isinstance(entry, GuestEntry):
            return partial(_inside, entry, credential, limits, now, self.processes)
        if isinstance(entry, WindowsGuest):
            return partial(read_windows_guest, entry, credential, limits, now)
        if not isinstance(entry, ClusterEntry):
            return partial(read_server, entry, credential, limits, now)
        if self.phase is Phase.CLOSING:
            members, asked = self._members_read(entry)[:WITNESSES], queries.OF_CLUSTER_AGAIN
            return partial(read_cluster, members, self.credentials, limits, now, asked=asked)
        return partial(read_cluster, (entry, *entry.nodes), self.credentials, limits, now)

    # --- clusters ---

    def _finish(self, name: str, reading: Told) -> list[Entry]:
        """Note what came; of a cluster, return the nodes that are to be read now."""
        cluster = next((one for one in self.inventory.clusters if one.name == name), None)
        if isinstance(reading, GuestReading) or "://" in name:
            self._note(name, reading)
            return []
        if self.phase is Phase.CLOSING:
            self._note(name, _with_again(self.servers[name], reading))
            return []
        if self.phase is Phase.AFTER_A_MOVE:
            self._note(name, _fuller(self.servers[name], reading))
            return []
        self._note(name, reading)
        return self._expanded(cluster, reading) if cluster and isinstance(reading, Reading) else []

    def _expanded(self, cluster: ClusterEntry, reading: Reading) -> list[Entry]:
        """The cluster's nodes that nobody listed as servers, or as nodes of another cluster."""
        nodes = nodes_of(reading.classes[queries.NODES])
        new = []
        for label in () if isinstance(nodes, Unread) else nodes.states:
            entry = self._node(cluster, label)
            listed = self._listed(entry)
            if listed is None:
                self.nodes[entry.name] = entry
                new.append(entry)
            if listed is None or listed.name not in self.cluster_of:
                self.cluster_of[(listed or entry).name] = cluster.name
        return new

    def _node(self, cluster: ClusterEntry, label: str) -> Entry:
        """Readings are kept by name, and an inventory may call a cluster as one of its nodes."""
        entry = cluster.node(label)
        taken = {one.name.casefold() for one in self.inventory.clusters}
        return entry.model_copy(update={"name": f"{entry.name}-node"}) if entry.name.casefold() in taken else entry

    def _listed(self, node: Entry) -> Entry | None:
        """The same server, by name or by endpoint, so that none is read twice."""
        return next(
            (
                one
                for one in (*self.inventory.servers, *self.nodes.values())
                if one.name.casefold() == node.name.casefold() or _endpoint(one) == _endpoint(node)
            ),
            None,
        )

    def _members_read(self, cluster: ClusterEntry) -> list[Entry]:
        """Nodes that answered."""
        return [
            entry
            for entry in (*self.inventory.servers, *self.nodes.values())
            if self.cluster_of.get(entry.name) == cluster.name and isinstance(self.servers.get(entry.name), Reading)
        ]

    def _moved_to(self, cluster: ClusterEntry) -> list[Entry]:
        """Nodes that own by now what moved there after they had been read, so that no node showed it."""
        reading, members = self.servers[cluster.name], self._members_read(cluster)
        nodes = [one for entry in members if isinstance(one := self.servers[entry.name], Reading)]
        labels = owners_of_moved(reading, nodes) if isinstance(reading, Reading) else ()
        names = {entry.name for label in labels if (entry := self._listed(self._node(cluster, label)))}
        return [entry for entry in members if entry.name in names]

    @staticmethod
    def _why_no_nodes(reading: Reading | Unread) -> Unread:
        nodes = reading if isinstance(reading, Unread) else nodes_of(reading.classes.get(queries.NODES, ()))
        return nodes if isinstance(nodes, Unread) else Unread("none of its nodes was read as one of it")

    # --- what is done and what is left ---

    def _note(self, name: str, reading: Told) -> None:
        if isinstance(reading, Reading | Unread) and "://" not in name:
            self.servers[name] = reading  # in place of an earlier one, where something is read a second time
        self._keep(name, reading)
        if self.running.pop(name, None) is not None:
            refused = isinstance(reading, Unread) and reading.why is Why.LOGIN_REFUSED
            self.asked[name].answered(name, refused=refused)
        self.tell(self._progress(finished=name, unread=reading if isinstance(reading, Unread) else None))

    def _abandon(self, after: float) -> None:
        for name in [name for name, start in self.running.items() if time.monotonic() - start > after]:
            self._finish(name, Unread(f"not done {after:g} seconds after its start, and given up", Why.TIMED_OUT))

    def _progress(
        self, *, finished: str | None = None, unread: Unread | None = None, remark: str | None = None
    ) -> Progress:
        now = time.monotonic()
        return Progress(
            done=len(self.servers) + len(self.guests),
            total=len(self.inventory.peers) + len(self.nodes),
            guests=bool(self.inventory.guests),
            finished=finished,
            unread=unread,
            slow=tuple(name for name, start in self.running.items() if now - start > SLOW_AFTER),
            seconds=now - self.began,
            remark=remark,
        )


def _endpoint(entry: Entry) -> tuple[str, int, str]:
    return entry.address.casefold(), entry.port, entry.path


def _with_again(first: Reading | Unread, later: Reading | Unread) -> Reading | Unread:
    """A cluster's reading, with what it said when all nodes had been read."""
    if isinstance(first, Unread):
        return first
    if isinstance(later, Unread):
        return replace(first, again={query.class_name: later for query in queries.OF_CLUSTER_AGAIN})
    notes = tuple(dict.fromkeys((*first.notes, *later.notes)))
    return replace(first, finished=later.finished, again=later.classes, notes=notes)


def _fuller(first: Reading | Unread, later: Reading | Unread) -> Reading | Unread:
    """A node's later reading, if it shows what the first one did: what has left it meanwhile would be lost."""
    if not isinstance(first, Reading) or not isinstance(later, Reading) or not shown_in(first) <= shown_in(later):
        return first
    return replace(later, notes=(*later.notes, "was read a second time, since a virtual machine moved to it meanwhile"))


_Question = Callable[..., Reading | GuestReading]
"""What is asked of a server, a cluster or a guest; takes a ``watch``."""


def _inside(
    entry: GuestEntry,
    credential: Credential | None,
    limits: Limits,
    now: Clock,
    processes: Processes,
    *,
    watch: Watch,  # noqa: ARG001  # a guest tells all at once
) -> GuestReading:
    return read_guest(entry, credential, limits, now, processes)


def _work(entry: Peer, question: _Question, arrived: _Arrived) -> None:
    is_in = False

    def watch(_query: object, _answer: object, _seconds: float) -> None:
        nonlocal is_in
        if not is_in:
            is_in = True
            arrived.put((entry.name, None))

    # The one broad except: whatever fails with one peer must cost that peer only.
    try:
        reading: Told = question(watch=watch)
    except ReadError as error:
        reading = Unread(str(error), error.why)
    except Exception as error:
        where = f"{entry.address}:{entry.port}" if isinstance(entry, Entry) else entry.name
        reading = Unread(f"{where}: unexpected {type(error).__name__}", Why.BROKEN)
    if isinstance(reading, GuestReading):
        arrived.put((entry.name, None))
    arrived.put((entry.name, reading))
