"""A listener that plays scripted bytes: no HTTP library, so that it can also say what no HTTP library would say."""

from __future__ import annotations

import itertools
import os
import random
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Script = Callable[[socket.socket], None]

SOAP = "http://www.w3.org/2003/05/soap-envelope"
IDENTIFIED = (
    f'<s:Envelope xmlns:s="{SOAP}"><s:Header/><s:Body>'
    '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
    "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
    "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
).encode()


class Listener:
    """Takes connections one after another and hands each to the next script; the last script stays."""

    def __init__(self, *scripts: Script, address: str = "127.0.0.1", port: int = 0) -> None:
        self.address = address
        self.requests: list[bytes] = []
        self.connections = 0
        self._scripts = itertools.chain(scripts, itertools.repeat(scripts[-1]))
        self._socket = socket.create_server(
            (address, port), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self.port = self._socket.getsockname()[1]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._stop.set()
        with socket.socket(self._socket.family) as knock:
            knock.connect_ex((self.address, self.port))
        for thread in self._threads:
            thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            plug, _ = self._socket.accept()
            if self._stop.is_set():
                plug.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._play, args=(plug, next(self._scripts)), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _play(self, plug: socket.socket, script: Script) -> None:
        with plug:
            plug.settimeout(5)
            try:
                script(plug)
            except (OSError, EOFError):
                return


@contextmanager
def listening(*scripts: Script, address: str = "127.0.0.1", port: int = 0) -> Iterator[Listener]:
    listener = Listener(*scripts, address=address, port=port)
    try:
        yield listener
    finally:
        listener.close()


def loopback() -> str:
    """An address of this machine that no other test uses, for tests that need a fixed port."""
    chance = random.Random(os.urandom(8))  # noqa: S311 - an address, not a secret
    return f"127.{chance.randint(10, 250)}.{chance.randint(1, 250)}.{chance.randint(1, 250)}"


def read_request(plug: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one HTTP request. Raises EOFError when the client has gone."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(plug)
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += _more(plug)
    return head, body


def _more(plug: socket.socket) -> bytes:
    part = plug.recv(65536)
    if not part:
        raise EOFError
    return part


def answer(status: int = 200, body: bytes = b"", *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def says(*replies: bytes, then: Script | None = None) -> Script:
    """Answer each request with the next reply, then hang up, or play ``then``."""

    def play(plug: socket.socket) -> None:
        for reply in replies:
            read_request(plug)
            plug.sendall(reply)
        if then is not None:
            then(plug)

    return play


def drips(start: bytes, part: bytes, seconds: float = 0.05) -> Script:
    """Send ``start``, and then ``part`` again and again until the client goes."""

    def play(plug: socket.socket) -> None:
        read_request(plug)
        plug.sendall(start)
        pause = threading.Event()
        while True:
            plug.sendall(part)
            pause.wait(seconds)

    return play


def over_tls(context: ssl.SSLContext, script: Script) -> Script:
    def play(plug: socket.socket) -> None:
        with context.wrap_socket(plug, server_side=True) as sealed:
            script(sealed)

    return play
