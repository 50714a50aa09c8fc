"""What one server's reading costs on the wire, beside a plain enumeration of the same classes.

    python benchmarks/wire.py
    python benchmarks/wire.py --machines 3 --readings 1   # a look whether it runs

A simulated server, in a process of its own, with replicated machines of two checkpoints each. Bytes are bodies as
they travelled, sealed or not; HTTP headers, TLS and the messages of a login are not in them. Loopback only.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from typing import Any, Literal

from benchmarks.real_guest import published
from compliance.credentials.find import Credential
from compliance.gather.server import read_server
from compliance.hyperv.queries import AGAIN, CLOCK, KVP_COMPONENTS, OF_REPLICATION, queries_for
from compliance.inventory.entries import Entry, Limits
from compliance.wsman.connection import Connection
from compliance.wsman.conversation import class_uri, enumerate_instances, hold, identify
from compliance.wsman.endpoint import Endpoint
from tests.host_rows import host_rows
from tests.hosts import NOW, Host, Vm
from tests.replayed import USERS
from tests.simulator import Message, Played, Simulator

AIM_MESSAGES = 2.0
"""Messages a class."""
AIM_BYTES = 0.28
"""Of those of a plain enumeration of the same classes, apart from the guests' own items, which no projection makes
smaller."""
LIMITS = Limits(connect=5, operation=30, server=60)
CREDENTIAL = Credential(username="audit", password=USERS["audit"])
MACHINES = 20
READINGS = 15
"""Readings of each kind, in turn, whose CPU the median is taken of; one more, before them, is not counted."""


def host_of(machines: int) -> Host:
    """Return a server with so many replicated machines, whose guests publish what real ones do."""
    return Host(
        vms=[Vm(name=f"vm{number:02d}", checkpoints=2, items=published("vm", number)) for number in range(machines)]
    )


@dataclass(frozen=True, kw_only=True)
class Way:
    name: str
    scheme: Literal["http", "https"]
    auth: Literal["basic", "ntlm"]


SEALED = Way(name="http, sealed NTLM", scheme="http", auth="ntlm")
WAYS = (Way(name="TLS, Basic", scheme="https", auth="basic"), SEALED)


# --- the server, elsewhere --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the server heard since it was last asked. ``requests`` counts logins, too."""

    messages: Sequence[Message]
    requests: int


class Server:
    def __init__(self, way: Way, pipe: Pipe) -> None:
        self._pipe = pipe
        port, ca = self._told()
        self.entry = Entry(
            name="hv01",
            address="127.0.0.1",
            port=port,
            scheme=way.scheme,
            transport=way.auth,
            credential="audit",
            ca=ca if way.scheme == "https" else None,
        )
        self.endpoint = Endpoint(
            address=self.entry.address,
            port=port,
            scheme=way.scheme,
            transport=way.auth,
            username=CREDENTIAL.username,
            password=CREDENTIAL.password,
            ca=self.entry.ca,
        )

    def heard(self) -> Heard:
        self._pipe.send("heard")
        heard: Heard = self._told()
        return heard

    def _told(self) -> Any:  # whatever the other process sent
        if not self._pipe.poll(30):
            raise SystemExit("the simulator does not answer")
        return self._pipe.recv()


@contextmanager
def playing(way: Way, host: Host) -> Iterator[Server]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_play, args=(way, host, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Server(way, ours)
    finally:
        ours.close()  # which ends the other one
        process.join(10)


def _play(way: Way, host: Host, pipe: Pipe) -> None:
    played = Played(rows=host_rows(host), version=host.version, computer=host.name, clock=NOW)
    with Simulator(played, scheme=way.scheme, auth=way.auth) as simulator:
        pipe.send((simulator.port, simulator.ca))
        try:
            while pipe.recv():
                pipe.send(Heard(messages=simulator.log[:], requests=len(simulator.requests_seen)))
                simulator.log.clear()
                simulator.requests_seen.clear()
        except EOFError:
            return


# --- two ways to read it ----------------------------------------------------------------------------------------------


def read_as_we_do(server: Server) -> None:
    reading = read_server(server.entry, CREDENTIAL, LIMITS, lambda: datetime.now(UTC))
    assert not reading.notes, reading.notes


def read_plainly(server: Server) -> None:
    """The same classes in the same order, whole. A server without failover clustering has no class of it to give."""
    with Connection(server.endpoint, time.monotonic() + LIMITS.server) as connection:
        hold(identify(), connection.send)
        for query in (CLOCK, *queries_for(Host().version), *OF_REPLICATION, AGAIN):
            hold(enumerate_instances(class_uri(query.namespace, query.class_name)), connection.send)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Seen from the client: ``sent`` are bytes of requests, ``received`` of answers."""

    enumerations: int = 0
    messages: int = 0
    sent: int = 0
    received: int = 0

    @property
    def octets(self) -> int:
        return self.sent + self.received

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(
            enumerations=self.enumerations + other.enumerations,
            messages=self.messages + other.messages,
            sent=self.sent + other.sent,
            received=self.received + other.received,
        )


@dataclass(frozen=True, kw_only=True)
class Cost:
    by_class: Mapping[str, Traffic]
    requests: int
    cpu: float  # the client's, in seconds

    def total(self, without: str = "") -> Traffic:
        return sum((one for name, one in self.by_class.items() if name != without), Traffic())


def costs(server: Server, readers: Sequence[Callable[[Server], None]], readings: int) -> list[Cost]:
    """Each reader's cost, in turn, so that what else the machine does meets all alike."""
    seconds: dict[Callable[[Server], None], list[float]] = defaultdict(list)
    heard: dict[Callable[[Server], None], Heard] = {}
    for _ in range(readings + 1):
        for read in readers:
            start = time.process_time()
            read(server)
            seconds[read].append(time.process_time() - start)
            heard[read] = server.heard()
    return [
        Cost(
            by_class=_by_class(heard[read].messages),
            requests=heard[read].requests,
            cpu=statistics.median(seconds[read][1:]),
        )
        for read in readers
    ]


_FROM = re.compile(r"\bFROM (\w+)")


def _by_class(messages: Sequence[Message]) -> dict[str, Traffic]:
    """A Pull names no class under WQL, but belongs to the Enumerate before it: there is one connection."""
    found: dict[str, Traffic] = {}
    name = ""
    for message in messages:
        if message.action == "Identify":
            name = "Identify"
        elif message.action == "Enumerate":
            queried = _FROM.search(message.query or "")
            name = queried[1] if queried else message.resource.rpartition("/")[2]
        started = int(message.action == "Enumerate")
        more = Traffic(enumerations=started, messages=1, sent=message.bytes_in, received=message.bytes_out)
        found[name] = found.get(name, Traffic()) + more
    return found


# --- what is printed --------------------------------------------------------------------------------------------------


def print_table(way: Way, host: Host, ours: Cost, plain: Cost) -> None:
    rows = host_rows(host)
    print(f"\n{way.name}{'':{53 - len(way.name)}}ours{'':19}plain enumeration{'':8}ours / plain")
    titles = f"{'messages':>10}{'out':>8}{'in':>9}"
    print(f"{'':39}{'rows':>5}{titles}{titles}{'in':>8}{'both':>7}")
    for name, one in ours.by_class.items():
        _line(name, str(len(rows.get(name, [""]))), one, plain.by_class.get(name, Traffic()))
    _line("total", "", ours.total(), plain.total())
    _line(f"without {KVP_COMPONENTS}", "", ours.total(KVP_COMPONENTS), plain.total(KVP_COMPONENTS))
    print(f"HTTP requests, with the login's: {ours.requests} and {plain.requests}")
    print(f"client CPU: {ours.cpu * 1e3:.0f} ms and {plain.cpu * 1e3:.0f} ms, ratio {ours.cpu / plain.cpu:.2f}")


def _line(name: str, rows: str, ours: Traffic, plain: Traffic) -> None:
    counts = "".join(f"{one.messages:10}{one.sent:8,}{one.received:9,}" for one in (ours, plain))
    ratios = f"{ours.received / plain.received:8.2f}{ours.octets / plain.octets:7.2f}" if plain.messages else ""
    print(f"{name:39}{rows:>5}{counts}{ratios}")


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Ours, beside a plain enumeration. ``octets`` and ``answers`` are apart from the guests' own items, ``whole`` is
    with them."""

    enumerations: int
    listing: int
    most: float
    octets: float
    answers: float
    whole: float

    @property
    def messages(self) -> float:
        """Messages a class."""
        return self.listing / self.enumerations


def shares_of(ours: Cost, plain: Cost) -> Shares:
    total, less, plain_less = ours.total(), ours.total(KVP_COMPONENTS), plain.total(KVP_COMPONENTS)
    return Shares(
        enumerations=total.enumerations,
        listing=total.messages - ours.by_class["Identify"].messages,
        most=max(one.messages / one.enumerations for one in ours.by_class.values() if one.enumerations),
        octets=less.octets / plain_less.octets,
        answers=less.received / plain_less.received,
        whole=total.octets / plain.total().octets,
    )


def conclude(way: Way, shares: Shares) -> None:
    print(
        f"{way.name}: aim {AIM_MESSAGES:g} messages a class: {shares.messages:.2f} "
        f"({shares.listing} for {shares.enumerations} enumerations, at most {shares.most:g}, and Identify)"
    )
    print(
        f"{way.name}: aim {AIM_BYTES} of the bytes without {KVP_COMPONENTS}: {shares.octets:.2f} "
        f"(answers alone {shares.answers:.2f}; with it {shares.whole:.2f})"
    )


def measure(way: Way, host: Host, readings: int) -> tuple[Cost, Cost]:
    """Return the costs of our reading and of a plain enumeration."""
    with playing(way, host) as server:
        ours, plain = costs(server, [read_as_we_do, read_plainly], readings)
    return ours, plain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", type=int, default=MACHINES)
    parser.add_argument("--readings", type=int, default=READINGS)
    asked = parser.parse_args()
    host = host_of(asked.machines)
    measured = []
    for way in WAYS:
        ours, plain = measure(way, host, asked.readings)
        measured.append((way, shares_of(ours, plain)))
        print_table(way, host, ours, plain)
    print()
    for way, shares in measured:
        conclude(way, shares)


if __name__ == "__main__":
    main()
