"""Somebody in between on the loopback, who hears all and says what he likes: drop, delay, reorder, replay, forge.

``Middle`` plays with whole messages of HTTP, as who reads plain http can; ``Wiretap`` with the octets of a connection
over TLS, of which he understands nothing.
"""

from __future__ import annotations

import base64
import re
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tests.wsman.acceptor import SEALED
from tests.wsman.listener import answer, read_request
from tests.wsman.samples import IDENTIFY_RESPONSE, fault, first, wmi_error, wsman_fault

SOAP = "Content-Type: application/soap+xml;charset=UTF-8"
SEALED_KIND = re.compile(rb"Content-Type: multipart/encrypted;[^\r]*")
ENVELOPES = (
    fault("n:CannotProcessFilter", wmi_error(0x8004100E, 3), relates_to=None),  # no such namespace
    fault("a:DestinationUnreachable", wsman_fault("2150858752"), relates_to=None),  # no such class
    fault("w:AccessDenied", wsman_fault("5"), relates_to=None),
    fault("n:InvalidEnumerationContext", wsman_fault("2150858779"), relates_to=None),
    fault("w:EncodingLimit", wsman_fault("2150858824"), relates_to=None),  # too large: ask without the guests' items
    fault("w:TimedOut", wsman_fault("2150858793"), relates_to=None),
    IDENTIFY_RESPONSE.format(version="6.2.9200").encode(),  # of a version that has fewer classes
    first(),
)
FORGED = (
    *(answer(500, envelope, SOAP) for envelope in ENVELOPES),
    *(answer(200, envelope, SOAP) for envelope in ENVELOPES),
    *(answer(500, envelope, SEALED) for envelope in ENVELOPES),
    *(answer(500, envelope, SEALED.replace("SPNEGO", "CredSSP")) for envelope in ENVELOPES),
    answer(200, ENVELOPES[0].decode().encode("utf-16"), SOAP),
    answer(401, b"", "WWW-Authenticate: Negotiate"),
    answer(401, b"", 'WWW-Authenticate: Basic realm="WSMAN"'),
    answer(407, b"", 'Proxy-Authenticate: Basic realm="proxy"', "Proxy-Authenticate: NTLM"),
    answer(302, b"", "Location: http://127.0.0.1:1/wsman"),
    answer(400),
    answer(403, b"<html/>"),
    answer(404, b"<html/>"),
    answer(500),
    answer(200),
    answer(502, b"<html/>"),
    answer(503, b"<html/>"),
    b"HTTP/1.1 200 OK\r\n\r\n" + ENVELOPES[0],
    b"\xff\xfe not HTTP",
)


@dataclass(frozen=True)
class Move:
    """What is done to one answer; ``number`` picks an octet, an earlier answer or a forgery."""

    kind: str
    number: int = 0


class Middle:
    """One server's neighbour: a script for a listener, that plays ``moves`` by the number of the exchange."""

    def __init__(self, port: int, moves: Mapping[int, Move], *, always: Move | None = None, since: int = 0) -> None:
        self._port = port
        self._moves = moves
        self._always, self._since = always, since
        self.exchanges = 0
        self.heard = bytearray()
        self.sent: list[bytes] = []
        self.held: list[bytes] = []

    def __call__(self, plug: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as origin:
            while True:
                request = b"\r\n\r\n".join(read_request(plug))
                self.heard += request
                number, self.exchanges = self.exchanges, self.exchanges + 1
                always = self._always if number >= self._since else None
                move = self._moves.get(number, always or Move("pass"))
                exchange = Exchange(self, plug, origin, request)
                MOVES[move.kind](exchange, move.number)


@dataclass(frozen=True)
class Exchange:
    """One request that was heard, on its way."""

    middle: Middle
    plug: socket.socket
    origin: socket.socket
    request: bytes

    def forward(self) -> bytes:
        """Return the server's own answer. Raises EOFError where it hung up."""
        self.origin.sendall(self.request)
        said = b"\r\n\r\n".join(read_request(self.origin))
        self.middle.sent.append(said)
        return said

    def say(self, octets: bytes) -> None:
        self.plug.sendall(octets)

    def earlier(self, number: int) -> bytes:
        """Return an answer that was sent before, if there is one."""
        before = self.middle.sent or [FORGED[0]]
        return before[-1 - number % len(before)]


def _pick(number: int) -> bytes:
    return FORGED[number % len(FORGED)]


def _hang_up(_exchange: Exchange, _number: int) -> None:
    raise EOFError


def _drop(exchange: Exchange, _number: int) -> None:
    exchange.forward()
    raise EOFError


def _say_nothing(exchange: Exchange, _number: int) -> None:
    exchange.forward()
    while exchange.plug.recv(65536):
        pass
    raise EOFError


def _delay(exchange: Exchange, _number: int) -> None:
    said = exchange.forward()
    threading.Event().wait(0.05)
    exchange.say(said)


def _hold(exchange: Exchange, number: int) -> None:
    """Its answer is for the next one, and this one gets another."""
    said = exchange.forward()
    exchange.middle.held.append(said)
    held = exchange.middle.held
    exchange.say(held.pop(0) if len(held) > 1 else exchange.earlier(number + 1))


def _replay_unasked(exchange: Exchange, number: int) -> None:
    exchange.say(exchange.earlier(number))


def _replay(exchange: Exchange, number: int) -> None:
    exchange.forward()
    exchange.say(exchange.earlier(number))


def _ask_twice(exchange: Exchange, _number: int) -> None:
    exchange.forward()
    exchange.say(exchange.forward())


def _forge(exchange: Exchange, number: int) -> None:
    exchange.forward()
    exchange.say(_pick(number))


def _forge_unasked(exchange: Exchange, number: int) -> None:
    exchange.say(_pick(number))


def _flip(exchange: Exchange, number: int) -> None:
    said = bytearray(exchange.forward())
    said[-1 - number % len(said)] ^= 1 << number % 8
    exchange.say(bytes(said))


def _change_status(exchange: Exchange, number: int) -> None:
    status = (200, 201, 400, 401, 403, 404, 500, 503)[number % 8]
    exchange.say(re.sub(rb"\AHTTP/1.1 \d+", f"HTTP/1.1 {status}".encode(), exchange.forward()))


def _weaken(exchange: Exchange, number: int) -> None:
    """Strike flags out of an NTLM challenge, where this is one: signatures, sealing, long keys (MS-NLMP 2.2.2.5)."""
    said = exchange.forward()
    token = re.search(rb"WWW-Authenticate: Negotiate (\S+)", said)
    challenge = bytearray(base64.b64decode(token[1])) if token else b""
    if len(challenge) > 24:
        (flags,) = struct.unpack_from("<I", challenge, 20)
        without = (0x10, 0x20, 0x30, 0x80000, 0x20000000, 0x80030)[number % 6]
        struct.pack_into("<I", challenge, 20, flags & ~without)
        said = said.replace(token[1] if token else b"", base64.b64encode(challenge))
    exchange.say(said)


MOVES: Mapping[str, Callable[[Exchange, int], None]] = {
    "pass": lambda exchange, _: exchange.say(exchange.forward()),
    "hang up": _hang_up,
    "drop": _drop,
    "say nothing": _say_nothing,
    "delay": _delay,
    "hold": _hold,
    "replay": _replay,
    "replay unasked": _replay_unasked,
    "ask twice": _ask_twice,
    "double": lambda exchange, _: exchange.say(exchange.forward() * 2),
    "forge": _forge,
    "forge unasked": _forge_unasked,
    "forge before": lambda exchange, number: exchange.say(_pick(number) + exchange.forward()),
    "forge after": lambda exchange, number: exchange.say(exchange.forward() + _pick(number)),
    "flip": _flip,
    "change status": _change_status,
    "call clear": lambda exchange, _: exchange.say(SEALED_KIND.sub(SOAP.encode(), exchange.forward())),
    "cut": lambda exchange, number: _cut(exchange, exchange.forward(), number),
    "weaken": _weaken,
}


def _cut(exchange: Exchange, said: bytes, number: int) -> None:
    exchange.say(said[: number % len(said)])
    raise EOFError


class Wiretap:
    """A script for a listener: octets of a server's side are played with by the number of their arrival."""

    def __init__(self, port: int, moves: Mapping[int, Move]) -> None:
        self._port = port
        self._moves = moves
        self._arrivals = 0
        self.heard = bytearray()

    def __call__(self, plug: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._port), timeout=5) as origin:
            back = threading.Thread(target=self._play_back, args=(origin, plug), daemon=True)
            back.start()
            with suppress(OSError):
                while octets := plug.recv(65536):
                    self.heard += octets
                    origin.sendall(octets)
                origin.shutdown(socket.SHUT_WR)
            back.join(5)

    def _play_back(self, origin: socket.socket, plug: socket.socket) -> None:
        with suppress(OSError):
            held = b""
            while octets := origin.recv(65536):
                number, self._arrivals = self._arrivals, self._arrivals + 1
                move = self._moves.get(number, Move("pass"))
                octets, held = _garble(move, octets, held)
                plug.sendall(octets)
        with suppress(OSError):
            plug.shutdown(socket.SHUT_WR)


def _garble(move: Move, octets: bytes, held: bytes) -> tuple[bytes, bytes]:
    """Return what is sent on, and what is held back for later."""
    at = move.number % len(octets)
    kinds: Mapping[str, tuple[bytes, bytes]] = {
        "pass": (octets + held, b""),
        "drop": (b"", held),
        "hold": (held, octets),
        "double": (octets * 2, held),
        "flip": (octets[:at] + bytes([octets[at] ^ 1 << move.number % 8]) + octets[at + 1 :], held),
        "cut": (octets[:at], held),
        "forge": (_pick(move.number), held),
        "forge before": (_pick(move.number) + octets, held),
        "forge after": (octets + _pick(move.number), held),
    }
    return kinds[move.kind]


TLS_MOVES: Sequence[str] = ("drop", "hold", "double", "flip", "cut", "forge", "forge before", "forge after")
