"""What many servers cost: gathering them, beside a bare socket client, and beside parsing and unsealing alone.

    python benchmarks/servers.py                    # 100 servers
    python benchmarks/servers.py --servers 1000
    python benchmarks/servers.py --profile          # where the time of one reading goes

Each server has 50 replicated machines, answers every HTTP request after 50 ms, and seals its messages by NTLM. They
are played by processes of their own, so that no CPU of theirs is counted; but they share the cores with us, and who
waits between two messages finds its caches cold. So the CPU of a reading is measured without any latency as well.
``latency s`` is the wall time that would remain if only waiting took time: a thread's requests x latency. The bare
client (bare.py) has the same reader above it. POSIX only.
"""

from __future__ import annotations

import argparse
import cProfile
import math
import multiprocessing
import pstats
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import spnego

from benchmarks import wire
from benchmarks.bare import BareClient
from benchmarks.real_guest import published
from compliance.credentials.find import Credential
from compliance.gather.gather import gather
from compliance.inventory.entries import Entry, Limits
from compliance.snapshot.snapshot import Reading, Snapshot
from tests.builders import inventory
from tests.hosts import Host, Vm
from tests.replayed import USERS, Exchange, id_of, read, recorded, replaying
from tests.simulator import sealing

AIM_RATIO = 1.25
"""Client CPU a server, beside that of a bare socket client."""
AIM_SHARE = 0.85
"""Of the latency bound, while the cores are not full."""
READINGS = 30
"""Readings of each kind without latency, whose CPU is compared."""
AT_ONCE = 5
"""Readings of one kind in a row, before the next kind's turn."""
CREDENTIAL = Credential(username="audit", password=USERS["audit"])
LIMITS = Limits(connect=30, operation=60, server=300)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is gathered. ``ports`` are those of the players."""

    servers: int
    threads: int
    ports: Sequence[int]

    @property
    def entries(self) -> list[Entry]:
        return [
            Entry(
                name=f"hv{number:04}",
                address="127.0.0.1",
                port=self.ports[number % len(self.ports)],
                scheme="http",
                transport="ntlm",
                credential="audit",
            )
            for number in range(self.servers)
        ]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """``cpu`` and ``wall`` in seconds of all servers together, ``memory`` in MiB: before, and at its peak."""

    cpu: float
    wall: float
    memory: tuple[float, float]
    most_threads: int = 0


def main() -> None:
    asked = _parser().parse_args()
    exchanges = exchanges_of(asked.machines)
    login = requests_of_login()
    octets = [sum(len(one.asked) for one in exchanges), sum(len(one.before + one.after) for one in exchanges)]
    print(f"A server: {asked.machines} machines, {len(exchanges)} messages and {login} of the login, ", end="")
    print(f"{octets[0] / 1e3:.0f} kB out, {octets[1] / 1e3:.0f} kB in")
    if asked.profile:
        return _profile(exchanges)
    beside = beside_bare(exchanges, asked.readings)
    print(f"One after another, without latency, CPU a server, medians of {asked.readings} readings each:")
    print(f"  parsing and unsealing alone {beside.floor * 1e3:8.1f} ms")
    print(f"  a bare client               {beside.bare * 1e3:8.1f} ms   {beside.bare / beside.floor:.2f} of that")
    print(f"  ours                        {beside.ours * 1e3:8.1f} ms   {beside.ours / beside.floor:.2f} of that")
    print(f"  ours beside the bare client {beside.ratio:8.2f}      (aim: {AIM_RATIO})\n")
    titles = ("threads", "wall s", "latency s", "CPU s", "share", "ms/server", "of bare", "MiB", "threads seen")
    print("".join(f"{title:>13}" for title in titles))
    for threads in asked.threads:
        cost = gathering(exchanges, asked.servers, threads, asked.latency, asked.players)
        _tell(asked, threads, cost, beside.bare, len(exchanges) + login)
    print(f"\nAim: a share of at least {AIM_SHARE} while a core is left.")
    return None


def exchanges_of(machines: int) -> list[Exchange]:
    """Return what is said while a server of so many machines is read, whose guests publish what real ones do."""
    vms = [Vm(name=f"vm{number:03}", items=published("vm", number)) for number in range(machines)]
    return recorded(Host(vms=vms))


def requests_of_login() -> int:
    """Return how many HTTP requests our NTLM login takes, counted at the simulator."""
    with wire.playing(wire.SEALED, wire.host_of(1)) as server:
        wire.read_as_we_do(server)
        heard = server.heard()
    return heard.requests - len(heard.messages)


def gathering(exchanges: Sequence[Exchange], servers: int, threads: int, latency: float, players: int = 1) -> Cost:
    """Return what it costs to gather so many servers, in a fresh process."""
    with _playing(exchanges, latency, players) as ports:
        return _apart(_gathered, Work(servers=servers, threads=threads, ports=ports))


def bound_of(servers: int, requests: int, latency: float, threads: int) -> float:
    """Return the seconds that remain if only waiting takes time. A server is one thread's from its first request to its
    last: of a hundred, the last four wait as long as sixteen do."""
    return math.ceil(servers / threads) * requests * latency


# --- one client beside another ----------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Beside:
    """CPU seconds of one reading: parsing and unsealing alone, the bare client's, and ours, which gathers one server.
    ``ratio`` is the median of ours / bare over rounds that took turns."""

    floor: float
    bare: float
    ours: float
    ratio: float


def beside_bare(exchanges: Sequence[Exchange], readings: int) -> Beside:
    """Compare the clients in one fresh process, in turns, so that what else the machine does meets all alike."""
    with _playing(exchanges, 0.0, 1) as ports, _fresh() as fresh:
        return fresh.submit(_take_turns, exchanges, ports[0], readings).result()


def _take_turns(exchanges: Sequence[Exchange], port: int, readings: int) -> Beside:
    at_once = min(AT_ONCE, readings)
    rounds = max(readings // at_once, 1)
    unsealing = _Unsealing(exchanges, rounds * at_once + 1)
    work = Work(servers=1, threads=1, ports=[port])

    def read_by_bare() -> None:
        with BareClient(port, "audit", USERS["audit"]) as client:
            read(client)

    ways: Sequence[Callable[[], object]] = (lambda: read(unsealing), read_by_bare, lambda: _gather(work))
    for way in ways:  # imports and first times
        way()
    seconds = [[_cpu_of(way, at_once) for way in ways] for _ in range(rounds)]
    floor, bare, ours = (statistics.median(column) for column in zip(*seconds, strict=True))
    return Beside(floor=floor, bare=bare, ours=ours, ratio=statistics.median(line[2] / line[1] for line in seconds))


def _cpu_of(act: Callable[[], object], times: int) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - start) / times


def _tell(asked: argparse.Namespace, threads: int, cost: Cost, bare: float, requests: int) -> None:
    bound = bound_of(asked.servers, requests, asked.latency, threads)
    values = (
        f"{threads}",
        f"{cost.wall:.1f}",
        f"{bound:.1f}",
        f"{cost.cpu:.1f}",
        f"{bound / cost.wall:.2f}",
        f"{cost.cpu / asked.servers * 1e3:.1f}",
        f"{cost.cpu / asked.servers / bare:.2f}",
        f"{cost.memory[0]:.0f}-{cost.memory[1]:.0f}",
        f"{cost.most_threads}",
    )
    print("".join(f"{value:>13}" for value in values))


def _apart(measure: Callable[[Work], Cost], work: Work) -> Cost:
    """In a fresh process, whose peak of memory is nobody else's."""
    with _fresh() as pool:
        return pool.submit(measure, work).result()


def _fresh() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _gathered(work: Work) -> Cost:
    _gather(Work(servers=1, threads=1, ports=work.ports))  # imports and first times
    limits = LIMITS.model_copy(update={"threads": work.threads})
    most = threading.active_count()

    def tell(_progress: object) -> None:
        nonlocal most
        most = max(most, threading.active_count())

    found = inventory(work.entries, limits=limits)
    return _measured(lambda: gather(found, {"audit": CREDENTIAL}, tool="benchmark", tell=tell), lambda: most)


def _gather(work: Work) -> Snapshot:
    found = inventory(work.entries, limits=LIMITS.model_copy(update={"threads": work.threads}))
    snapshot = gather(found, {"audit": CREDENTIAL}, tool="benchmark")
    _check(snapshot)
    return snapshot


def _measured(act: Callable[[], Snapshot], most_threads: Callable[[], int]) -> Cost:
    before, cpu, wall = _peak(), time.process_time(), time.monotonic()
    snapshot = act()
    cost = Cost(
        cpu=time.process_time() - cpu,
        wall=time.monotonic() - wall,
        memory=(before, _peak()),
        most_threads=most_threads(),
    )
    _check(snapshot)
    return cost


def _check(snapshot: Snapshot) -> None:
    for source in snapshot.servers:
        assert isinstance(source.reading, Reading), f"{source.name}: {source.reading}"
        assert not source.reading.notes, f"{source.name}: {source.reading.notes}"


def _peak() -> float:
    """MiB that this process had at most; macOS counts in other units."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


# --- the players, elsewhere -------------------------------------------------------------------------------------------


@contextmanager
def _playing(exchanges: Sequence[Exchange], latency: float, processes: int) -> Iterator[list[int]]:
    """Ports on the loopback, each of a process of its own."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(processes)]
    players = [context.Process(target=_play, args=(exchanges, latency, theirs), daemon=True) for _, theirs in pipes]
    for player, (_, theirs) in zip(players, pipes, strict=True):
        player.start()
        theirs.close()
    try:
        yield [_told(ours) for ours, _ in pipes]
    finally:
        for player, (ours, _) in zip(players, pipes, strict=True):
            ours.close()  # which ends the player
            player.join(10)


def _told(pipe: Pipe) -> int:
    if not pipe.poll(30):
        raise SystemExit("a player does not answer")
    port: int = pipe.recv()
    return port


def _play(exchanges: Sequence[Exchange], latency: float, pipe: Pipe) -> None:
    with replaying(exchanges, latency) as port:
        pipe.send(port)
        with suppress(EOFError):
            pipe.recv()


# --- the floor --------------------------------------------------------------------------------------------------------


class _Unsealing:
    """A ``send`` whose answers lie sealed beside it: what is left of a reading without sockets and HTTP."""

    def __init__(self, exchanges: Sequence[Exchange], times: int) -> None:
        users = sealing.Users(USERS, "HV01")
        with users.in_environment():
            server = spnego.server(protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm)
            self._client = spnego.client(
                "audit", USERS["audit"], protocol="ntlm", options=spnego.NegotiateOptions.use_ntlm
            )
            token = None
            while not self._client.complete:
                token = server.step(self._client.step(token) or b"") if not server.complete else None
        users.close()
        sealed = [(one, server.wrap_winrm(one.before + one.after)) for _ in range(times) for one in exchanges]
        self._ready = iter(sealed)

    def reopen(self) -> None:
        """There is no connection that could be lost."""

    def send(self, message: bytes) -> bytes:
        self._client.wrap_winrm(message)
        exchange, sealed = next(self._ready)
        plain = self._client.unwrap_winrm(sealed.header, sealed.data)
        cut = len(exchange.before)
        return plain[:cut] + id_of(message) + plain[cut:]


# --- where the time goes ----------------------------------------------------------------------------------------------


def _profile(exchanges: Sequence[Exchange]) -> None:
    """Of readings one after another, in the threads that read: all of them profiled, without latency."""
    profiler = cProfile.Profile()
    with _playing(exchanges, 0.0, 1) as ports:
        work = Work(servers=READINGS, threads=1, ports=ports)
        _gather(work)
        threading.setprofile(lambda *_: profiler.enable())
        _gather(work)
        threading.setprofile(None)
    pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--servers", type=int, default=100)
    parser.add_argument("--machines", type=int, default=50, help="of each server")
    parser.add_argument("--latency", type=float, default=0.05, metavar="S", help="seconds before each answer")
    parser.add_argument("--threads", type=int, nargs="+", default=[8, 16, 32, 64])
    parser.add_argument("--players", type=int, default=1, help="processes that play the servers")
    parser.add_argument("--readings", type=int, default=READINGS, help="of each kind, without latency")
    parser.add_argument("--profile", action="store_true")
    return parser


if __name__ == "__main__":
    main()
