"""What many servers cost: gathering them, beside the same answers unsealed and parsed without any network.

    python benchmarks/servers.py                    # 100 servers
    python benchmarks/servers.py --servers 1000
    python benchmarks/servers.py --profile          # where the time of one reading goes

Each server has 50 replicated machines, answers every HTTP request after 50 ms, and seals its messages by NTLM. They
are played by processes of their own, so that no CPU of theirs is counted; but they share the cores with us, and who
waits between two messages finds its caches cold. So the CPU of a reading is measured without any latency as well.
``latency s`` is the wall time that would remain if only waiting took time: requests x latency / threads. POSIX only.
"""

from __future__ import annotations

import argparse
import cProfile
import multiprocessing
import pstats
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe

import spnego

from benchmarks.real_guest import published
from compliance.credentials.find import Credential
from compliance.gather.gather import gather
from compliance.inventory.entries import Entry, Limits
from compliance.snapshot.snapshot import Reading, Snapshot
from tests.builders import inventory
from tests.hosts import Host, Vm
from tests.replayed import USERS, Exchange, id_of, read, recorded, replaying
from tests.simulator import sealing

AIM_RATIO = 1.3
"""Client CPU a server, beside parsing and unsealing alone."""
AIM_SHARE = 0.85
"""Of the latency bound, while the cores are not full."""
LOGIN = 3
"""HTTP requests of an NTLM login: the blank one, the negotiation, the answer to the challenge."""
READINGS = 30
"""Readings without a network that the floor is the mean of."""
CREDENTIAL = Credential(username="audit", password=USERS["audit"])
LIMITS = Limits(connect=30, operation=60, server=300)


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is gathered. ``ports`` are those of the players."""

    servers: int
    threads: int
    ports: Sequence[int] = ()
    exchanges: Sequence[Exchange] = ()

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
    exchanges = recorded(
        Host(vms=[Vm(name=f"vm{number:03}", items=published("vm", number)) for number in range(asked.machines)])
    )
    octets = [sum(len(one.asked) for one in exchanges), sum(len(one.before + one.after) for one in exchanges)]
    print(f"A server: {asked.machines} machines, {len(exchanges)} messages and {LOGIN} of the login, ", end="")
    print(f"{octets[0] / 1e3:.0f} kB out, {octets[1] / 1e3:.0f} kB in")
    if asked.profile:
        return _profile(exchanges)
    floor = _apart(_floor, Work(servers=asked.readings, threads=1, exchanges=exchanges)).cpu / asked.readings
    print(f"Floor, parsing and sealing alone: {floor * 1e3:.1f} ms CPU a server")
    with _playing(exchanges, 0.0, 1) as ports:
        prompt = _apart(_gathered, Work(servers=asked.readings, threads=1, ports=ports)).cpu / asked.readings
    print(f"One after another, without latency: {prompt * 1e3:.1f} ms CPU a server, ratio {prompt / floor:.2f}\n")
    titles = ("threads", "wall s", "latency s", "CPU s", "share", "ms/server", "ratio", "MiB", "threads seen")
    print("".join(f"{title:>13}" for title in titles))
    for threads in asked.threads:
        with _playing(exchanges, asked.latency, asked.players) as ports:
            cost = _apart(_gathered, Work(servers=asked.servers, threads=threads, ports=ports))
        _tell(asked, threads, cost, floor, len(exchanges) + LOGIN)
    print(f"\nAims: a ratio of at most {AIM_RATIO}, and a share of at least {AIM_SHARE} while a core is left.")
    return None


def _tell(asked: argparse.Namespace, threads: int, cost: Cost, floor: float, requests: int) -> None:
    bound = asked.servers * requests * asked.latency / threads
    values = (
        f"{threads}",
        f"{cost.wall:.1f}",
        f"{bound:.1f}",
        f"{cost.cpu:.1f}",
        f"{bound / cost.wall:.2f}",
        f"{cost.cpu / asked.servers * 1e3:.1f}",
        f"{cost.cpu / asked.servers / floor:.2f}",
        f"{cost.memory[0]:.0f}-{cost.memory[1]:.0f}",
        f"{cost.most_threads}",
    )
    print("".join(f"{value:>13}" for value in values))


def _apart(measure: Callable[[Work], Cost], work: Work) -> Cost:
    """In a fresh process, whose peak of memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, work).result()


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
    return gather(found, {"audit": CREDENTIAL}, tool="benchmark")


def _measured(act: Callable[[], Snapshot], most_threads: Callable[[], int]) -> Cost:
    before, cpu, wall = _peak(), time.process_time(), time.monotonic()
    snapshot = act()
    cost = Cost(
        cpu=time.process_time() - cpu,
        wall=time.monotonic() - wall,
        memory=(before, _peak()),
        most_threads=most_threads(),
    )
    for source in snapshot.servers:
        assert isinstance(source.reading, Reading), f"{source.name}: {source.reading}"
        assert not source.reading.notes, f"{source.name}: {source.reading.notes}"
    return cost


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


def _floor(work: Work) -> Cost:
    sender = _Unsealing(work.exchanges, work.servers + 1)
    read(sender)
    before, cpu, wall = _peak(), time.process_time(), time.monotonic()
    for _ in range(work.servers):
        read(sender)
    return Cost(cpu=time.process_time() - cpu, wall=time.monotonic() - wall, memory=(before, _peak()))


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
    parser.add_argument("--readings", type=int, default=READINGS, help="without a network, whose mean is the floor")
    parser.add_argument("--profile", action="store_true")
    return parser


if __name__ == "__main__":
    main()
