"""The socket below pywinrm: opened by us, counted, and cut when the time is up, whatever the host is doing."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_read

_SocketAddress = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Wire:
    """One host's socket at a time.

    urllib3's timeouts count from one read to the next: a host that sends an octet per half second held a timeout of
    3 s for ever (measured with pywinrm 0.5.0). So the watch shuts the socket down when the message's time is up; that
    ends headers, bodies and TLS handshakes alike. It has a descriptor of its own, because ``ssl`` takes the first one
    over before the handshake is done.
    """

    def __init__(self, address: str, port: int, connect: float) -> None:
        self._address = address
        self._port = port
        self._connect = connect
        self._until = 0.0
        self._runs = False  # a message is under way
        self._lifeline: socket.socket | None = None
        self._connections: list[HTTPConnection | _Plug] = []
        self._lock = threading.Lock()
        self.expired = False
        self.phase = "connect"

    @contextmanager
    def until(self, moment: float) -> Iterator[None]:
        """Within this context nothing lasts longer than to ``moment`` (of ``time.monotonic``)."""
        with self._lock:
            self._until = moment
            self._runs = True
            self.expired = False
        _watch.look_at(self, moment)
        try:
            yield
        finally:
            with self._lock:
                self._runs = False

    def remaining(self) -> float:
        """Return seconds. Raises TimeoutError when there are none left."""
        seconds = self._until - time.monotonic()
        if seconds <= 0 or self.expired:
            raise TimeoutError("the message's time is up")
        return seconds

    def open(self) -> socket.socket:
        """Return a connected socket. Raises OSError: gaierror, ConnectionRefusedError, TimeoutError, no route."""
        self.phase = "lookup"
        reach = min(self._connect, self.remaining())
        until = time.monotonic() + reach
        failure: OSError = socket.gaierror(socket.EAI_NONAME, "the name has no address")
        for family, kind, protocol, _, target in resolve(self._address, self._port, reach):
            self.phase = "connect"
            plug = socket.socket(family, kind, protocol)
            try:
                plug.settimeout(max(until - time.monotonic(), 0.001))
                plug.connect(target)
                plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                plug.settimeout(self.remaining())
                self._hold(plug.dup())
            except OSError as error:
                plug.close()
                failure = error
                continue
            return plug
        raise failure

    def connect(self) -> None:
        """Open a socket that no library holds, in place of any other; ``idle_plug`` returns it."""
        self.hang_up()
        plug = self.open()
        self._connections.append(_Plug(plug))
        self.phase = "answer"

    def register(self, connection: HTTPConnection) -> None:
        """Remember ``connection``: an answer left unread keeps its socket, and nobody else would close it."""
        self._connections.append(connection)

    def idle_plug(self) -> socket.socket | None:
        """Return the socket of an open connection on which the host has neither hung up nor said anything unasked."""
        idle = (connection.sock for connection in self._connections if connection.is_connected)
        return next((plug for plug in idle if not (isinstance(plug, ssl.SSLSocket) and plug.pending())), None)

    def hang_up(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._hold(None)

    def close(self) -> None:
        self.hang_up()
        _watch.forget(self)

    def _hold(self, lifeline: socket.socket | None) -> None:
        with self._lock:
            if self._lifeline is not None:
                self._lifeline.close()
            self._lifeline = lifeline

    def cut_if_late(self) -> float | None:
        """Return, for the watch, when to look again; None where nothing is under way, or the time was up."""
        with self._lock:
            if not self._runs:
                return None
            if self._until > time.monotonic():
                return self._until
            self.expired = True
            if self._lifeline is not None:
                with suppress(OSError):
                    self._lifeline.shutdown(socket.SHUT_RDWR)
            return None


class _Plug:
    """A socket that no library holds, with what is asked of urllib3's connections."""

    def __init__(self, plug: socket.socket) -> None:
        self.sock = plug

    @property
    def is_connected(self) -> bool:
        return not wait_for_read(self.sock, timeout=0.0)

    def close(self) -> None:
        self.sock.close()


def connection_classes(wire: Wire) -> dict[str, type[HTTPConnection]]:
    """Return urllib3's connections on a wire, by scheme."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            plug = wire.open()
            wire.register(self)
            wire.phase = "answer"
            return plug

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            plug = wire.open()
            wire.register(self)
            wire.phase = "TLS"
            return plug

        def connect(self) -> None:
            super().connect()
            wire.phase = "answer"
            # urllib3 uses this for one thing, its InsecureRequestWarning. Not to verify is the inventory's own
            # choice, told elsewhere; a warning, or an error where warnings are errors, would say it again.
            self.is_verified = True

    return {"http": Plain, "https": Encrypted}


class _Timekeeper:
    """One thread that looks after the time of all wires; a timer of its own for each message cost some 0.4 ms of CPU.

    A wire is looked at when its earliest message could be late, and most are done by then: so a message costs an entry
    in a table, and no wake-up. The thread ends when the last wire is forgotten.
    """

    def __init__(self) -> None:
        self._moments: dict[Wire, float] = {}  # of time.monotonic, when each is to be looked at
        self._next = 0.0
        self._thread: threading.Thread | None = None
        self._changed = threading.Condition()

    def look_at(self, wire: Wire, moment: float) -> None:
        with self._changed:
            if self._moments.get(wire, moment + 1) <= moment:
                return  # and when that time has come, the wire says until when it is
            self._moments[wire] = moment
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep, daemon=True, name="watch of wires")
                self._thread.start()
            elif moment < self._next:
                self._changed.notify()

    def forget(self, wire: Wire) -> None:
        with self._changed:
            self._moments.pop(wire, None)
            if not self._moments:
                self._changed.notify()

    def _keep(self) -> None:
        with self._changed:
            while self._moments:
                self._next = min(self._moments.values())
                self._changed.wait(max(self._next - time.monotonic(), 0.0))
                for wire in [wire for wire, moment in self._moments.items() if moment <= time.monotonic()]:
                    later = wire.cut_if_late()
                    if later is None:
                        del self._moments[wire]
                    else:
                        self._moments[wire] = later
            self._thread = None


_watch = _Timekeeper()


def resolve(
    address: str, port: int, seconds: float, *, lookup: Callable[..., Sequence[_SocketAddress]] = socket.getaddrinfo
) -> Sequence[_SocketAddress]:
    """Return the addresses of a name. A lookup can't be interrupted, so it is left behind when it takes too long.

    Raises gaierror, or TimeoutError after ``seconds``.
    """
    if _is_number(address):
        return lookup(address, port, type=socket.SOCK_STREAM)  # asks nobody
    answers: queue.SimpleQueue[Sequence[_SocketAddress] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(lookup(address, port, type=socket.SOCK_STREAM))
        except OSError as error:
            answers.put(error)
        except (UnicodeError, ValueError) as error:  # a label that IDNA can't encode
            answers.put(socket.gaierror(socket.EAI_NONAME, str(error)))

    threading.Thread(target=ask, daemon=True, name=f"resolve {address}").start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError("the name lookup took too long") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _is_number(address: str) -> bool:
    try:
        ip_address(address)
    except ValueError:
        return False
    return True
