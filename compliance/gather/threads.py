"""One daemon thread a peer: one that hangs in name resolution can't be stopped and must not hold up the end."""

from __future__ import annotations

import os
import queue
import threading
from contextlib import suppress
from typing import Protocol

from compliance.errors import ReadError, Why
from compliance.gather.peers import Peer, PeerResult, peers_of
from compliance.gather.server import Watch
from compliance.hyperv.cluster_rows import MOST_NODES
from compliance.inventory.entries import Entry
from compliance.inventory.inventory import Inventory
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, Reading
from compliance.words import plural

DESCRIPTORS = 4
"""File descriptors that a server may need at once: its socket, the one that the watch cuts it by, and two for name
lookup, certificates or tickets."""
OF_GUESTS = 8
"""The same for a guest: three pipes to ssh, twice while it starts, and what its start is told by."""
RESERVED = 16
"""Descriptors that are left to everybody else: reports, the snapshot, modules that are loaded late."""

Arrived = queue.SimpleQueue[tuple[Peer, "PeerResult | None"]]
"""What a peer's thread hands over: its result, or None as soon as the peer took the login."""


class Question(Protocol):
    """What is asked of one peer. ReadError where it could not be read as a whole."""

    def __call__(self, *, watch: Watch) -> Reading | GuestReading: ...


def affordable(threads: int, each: int = DESCRIPTORS) -> int:
    """Return how many of ``threads`` this process may open descriptors for (`ulimit -n`); at least one."""
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


def threads_for(inventory: Inventory) -> tuple[int, str | None]:
    """Return how many peers are asked side by side, and a remark where it is fewer than the inventory wants."""
    possible = len(peers_of(inventory)) + MOST_NODES * len(inventory.clusters)
    wanted = min(inventory.limits.threads, possible)
    threads = affordable(wanted, OF_GUESTS if inventory.guests else DESCRIPTORS)
    if threads >= wanted:
        return threads, None
    peers = f"{plural(threads, 'server')}{' or guests' if inventory.guests else ''}"
    return threads, f"{peers} side by side in place of {wanted}: this process may open few files (ulimit -n)"


def start_thread(peer: Peer, question: Question, arrived: Arrived) -> None:
    """Ask one peer in a thread of its own; what comes of it goes to ``arrived``."""
    threading.Thread(target=_work, args=(peer, question, arrived), name=f"read {peer}", daemon=True).start()


def why_broken(where: str, error: Exception) -> Unread:
    """Return what stands for a peer with which something failed that nobody thought of."""
    return Unread(f"{where}: unexpected {type(error).__name__}", Why.BROKEN)


def _work(peer: Peer, question: Question, arrived: Arrived) -> None:
    is_in = False

    def watch(_query: object, _answer: object, _seconds: float) -> None:
        nonlocal is_in
        if not is_in:
            is_in = True
            arrived.put((peer, None))

    # The one broad except: whatever fails with one peer must cost that peer only.
    try:
        result: PeerResult = question(watch=watch)
    except ReadError as error:
        result = Unread(str(error), error.why)
    except Exception as error:
        where = f"{peer.entry.address}:{peer.entry.port}" if isinstance(peer.entry, Entry) else peer.name
        result = why_broken(where, error)
    if isinstance(result, GuestReading):
        arrived.put((peer, None))
    arrived.put((peer, result))
