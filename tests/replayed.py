"""Many servers at little cost: one conversation, recorded from the simulator and played again to whoever logs in.

The simulator builds each answer anew, which costs more than reading it. Here an answer is bytes that lie ready; only
the login, the sealing and the id that it relates to are made for each connection.
"""

from __future__ import annotations

import base64
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.gather.server import Reader
from compliance.snapshot.snapshot import Reading
from tests.canary import CANARY
from tests.host_rows import host_rows
from tests.hosts import NOW, Host
from tests.simulator import Played, sealing, wire
from tests.simulator.service import Service, parse

USERS = {"audit": CANARY}
PATIENCE = 1.0
_ID = re.compile(rb"(?<=<a:MessageID>)[^<]+")
_VARIES = re.compile(rb"(?<=<a:MessageID>)[^<]+|(?<=<w:OperationTimeout>)[^<]+")


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A message and its answer. ``asked`` is without what varies; the id of whoever asks goes between the halves."""

    asked: bytes
    before: bytes
    after: bytes
    status: int = 200

    def answer(self, message: bytes) -> bytes:
        if self.asked != _VARIES.sub(b"", message):
            raise ValueError("another question than the recorded one")
        return self.before + id_of(message) + self.after


def id_of(message: bytes) -> bytes:
    found = _ID.search(message)
    return found[0] if found else b""


def recorded(host: Host) -> list[Exchange]:
    """What is said while such a host is read."""
    recorder = _Recorder(host)
    read(recorder)
    return recorder.exchanges


def read(sender: object) -> Reading:
    """A server's reading over whatever has a ``send``."""
    until = time.monotonic() + 60
    return Reader(sender, until, PATIENCE, lambda: datetime.now(UTC), lambda *_: None).read()  # type: ignore[arg-type]


class _Recorder:
    """A ``send`` that asks a simulated service without any network, and keeps what was said."""

    def __init__(self, host: Host) -> None:
        self.exchanges: list[Exchange] = []
        played = Played(rows=host_rows(host), version=host.version, computer=host.name, clock=NOW)
        self._service = Service(played, wire.Windows(), wql=True, envelope_kb=500)

    def reopen(self) -> None:
        """There is no connection that could be lost."""

    def send(self, message: bytes) -> bytes:
        status, text = self._service.answer(parse(message))
        assert status in (200, 500), text  # a server without failover clustering says so by a fault
        answer, number = text.encode(), id_of(message)
        before, _, after = answer.partition(number) if number else (answer, b"", b"")
        self.exchanges.append(Exchange(asked=_VARIES.sub(b"", message), before=before, after=after, status=status))
        return answer


@contextmanager
def replaying(exchanges: Sequence[Exchange], latency: float = 0.0) -> Iterator[int]:
    """A port of the loopback that plays any number of servers, over http: sealed NTLM, or Basic in clear."""
    users = sealing.Users(USERS, "HV01")
    with socket.create_server(("127.0.0.1", 0), backlog=512) as door:
        port: int = door.getsockname()[1]
        accepting = threading.Thread(target=_accept, args=(door, users, exchanges, latency), daemon=True)
        accepting.start()
        try:
            yield port
        finally:
            with suppress(OSError):
                door.shutdown(socket.SHUT_RDWR)
            accepting.join(5)
            users.close()


def _accept(door: socket.socket, users: sealing.Users, exchanges: Sequence[Exchange], latency: float) -> None:
    with suppress(OSError):  # the door is closed
        while True:
            plug, _ = door.accept()
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(plug, users, exchanges, latency), daemon=True).start()


def _serve(plug: socket.socket, users: sealing.Users, exchanges: Sequence[Exchange], latency: float) -> None:
    """One connection: the login, then the recorded conversation from its beginning."""
    login = sealing.Login(users)
    left = iter(exchanges)
    with plug, suppress(EOFError, ConnectionError):
        while True:
            head, body = _request(plug)
            time.sleep(latency)
            found = re.search(rb"\r\nAuthorization: (\w+) ([^\r]+)", head)
            scheme, token = found.groups() if found else (b"", b"")
            if scheme == b"Basic":
                played = next(left)
                plug.sendall(_told(played.answer(body), "application/soap+xml;charset=UTF-8", played.status))
            elif scheme:
                plug.sendall(_login_step(login, token))
            elif login.complete:
                played = next(left)
                plug.sendall(_told(*login.sealed(played.answer(login.unsealed(body))), played.status))
            else:
                plug.sendall(_unauthorized(b"Negotiate"))


def _request(plug: socket.socket) -> tuple[bytes, bytes]:
    received = _more(plug)
    while b"\r\n\r\n" not in received:
        received += _more(plug)
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"\r\nContent-Length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += _more(plug)
    return head, body


def _more(plug: socket.socket) -> bytes:
    part = plug.recv(65536)
    if not part:
        raise EOFError
    return part


def _login_step(login: sealing.Login, token: bytes) -> bytes:
    challenge = login.step(base64.b64decode(token))
    if login.complete:
        return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    return _unauthorized(b"Negotiate " + base64.b64encode(challenge or b""))


def _unauthorized(offer: bytes) -> bytes:
    return b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: %b\r\nContent-Length: 0\r\n\r\n" % offer


def _told(body: bytes, kind: str, status: int) -> bytes:
    head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
