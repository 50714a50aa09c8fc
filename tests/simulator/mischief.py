"""How a server spoils an answer: it changes its text, says something else, or says it in a way that never ends well."""

import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from threading import Event

from tests.simulator import wire
from tests.simulator.played import Fault

SOAP_TYPE = "application/soap+xml;charset=UTF-8"
LARGE = 100 * 2**20  # octets, of what is flooded with a length, or packed
DEPTH, ATTRIBUTES = 200_000, 50_000


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an honest server would send."""

    status: int
    payload: bytes
    kind: str

    def head(self, length: int | None) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Status", f"Content-Type: {self.kind}"]
        lines += [] if length is None else [f"Content-Length: {length}"]
        return "\r\n".join([*lines, "", ""]).encode()


# --- another text: sent, and sealed, as an honest one is ---


def _related_to_another(answer: bytes, _trap: str) -> bytes:
    return re.sub(rb"(:RelatesTo>)[^<]+", rb"\g<1>" + wire.upper_uuid().encode(), answer)


def _with_laughs(answer: bytes, _trap: str) -> bytes:
    """Entities that would grow to some gigabytes."""
    grown = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    return f'<!DOCTYPE e [<!ENTITY e0 "lol">{grown}]>'.encode() + _with(b"&e9;", answer)


def _with_entities_elsewhere(answer: bytes, trap: str) -> bytes:
    declared = f'<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y SYSTEM "{trap}">'
    return f"<!DOCTYPE e [{declared}]>".encode() + _with(b"&x;&y;", answer)


def _deep(answer: bytes, _trap: str) -> bytes:
    return _with(b"<d>" * DEPTH + b"</d>" * DEPTH, answer)


def _broad(answer: bytes, _trap: str) -> bytes:
    return _with(b"<a %b/>" % b" ".join(b'a%d=""' % number for number in range(ATTRIBUTES)), answer)


def _with(addition: bytes, answer: bytes) -> bytes:
    """``addition`` in the first value of the first instance, or else of the body."""
    start = max(answer.find(b"Items>"), answer.find(b":Body>"))
    at = answer.find(b"</", start)
    return answer[:at] + addition + answer[at:]


CHANGES: Mapping[Fault, Callable[[bytes, str], bytes]] = {
    Fault.WRONG_RELATES_TO: _related_to_another,
    Fault.DOCTYPE: _with_laughs,
    Fault.EXTERNAL_ENTITIES: _with_entities_elsewhere,
    Fault.DEEP: _deep,
    Fault.BROAD: _broad,
    Fault.NOT_UTF8: lambda answer, _trap: _with(b"caf\xe9\xff", answer),
    Fault.CONTROL_CHARACTERS: lambda answer, _trap: _with(b"\x01\x1b[31m&#7;", answer),
}


# --- another answer: whole, and never sealed ---


@dataclass(frozen=True, kw_only=True)
class Page:
    status: int
    body: bytes = b""
    kind: str = "text/html; charset=us-ascii"
    headers: tuple[tuple[str, str], ...] = ()


_UNAVAILABLE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r\n'
    b"<HTML><HEAD><TITLE>Service Unavailable</TITLE></HEAD>\r\n"
    b"<BODY><h2>Service Unavailable</h2>\r\n<hr><p>HTTP Error 503. The service is unavailable.</p>\r\n"
    b"</BODY></HTML>\r\n"
)
_GATEWAY = "<html><h1>Gateway gestört</h1><p>Größe überschritten – bitte später erneut</p></html>".encode("cp1252")
_PORTAL = (
    b"<!DOCTYPE html><html><p>The envelope, please:</p>"
    b"<form action=/login>tell us your password <input name=password></form></html>"
)


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(wbits=31)  # gzip's form
    return b"".join(packer.compress(b"<w/>" * 2**18) for _ in range(LARGE >> 20)) + packer.flush()


def page(fault: Fault, trap: str) -> Page | None:
    """What is said in place of an answer; ``trap`` is a URL that records who follows a redirect."""
    offers = (("WWW-Authenticate", "Negotiate"), ("WWW-Authenticate", 'Basic realm="WSMAN"'))
    pages = {
        Fault.REDIRECT: Page(status=302, headers=(("Location", trap),)),
        Fault.REDIRECT_307: Page(status=307, headers=(("Location", trap),)),
        Fault.FORGOTTEN: Page(status=400),
        Fault.LOCKED_OUT: Page(status=401, headers=offers),
        Fault.HTML_404: Page(status=404, body=b"<html>Not Found</html>"),
        Fault.PROXY_407: Page(
            status=407, body=_PORTAL, headers=(("Proxy-Authenticate", 'Basic realm="proxy"'), *offers)
        ),
        Fault.EMPTY_413: Page(status=413),
        Fault.EMPTY_500: Page(status=500),
        Fault.GATEWAY_502: Page(status=502, body=_GATEWAY, kind="text/html; charset=windows-1252"),
        Fault.HTML_503: Page(status=503, body=_UNAVAILABLE),
        Fault.PORTAL: Page(status=200, body=_PORTAL),
        Fault.BOMB: Page(status=200, body=_bomb(), kind=SOAP_TYPE, headers=(("Content-Encoding", "gzip"),)),
    }
    return pages.get(fault)


# --- an answer that comes otherwise: octets as they travel; the connection ends after them ---

_WAVE = b"<w/>" * 2**14


def _stalled(_answer: Answer, stopping: Event) -> Iterator[bytes]:
    stopping.wait()
    yield b""


def _stalled_in_body(answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield from _cut(answer, stopping)
    stopping.wait()


def _cut(answer: Answer, _stopping: Event) -> Iterator[bytes]:
    size = len(answer.payload)
    yield answer.head(size) + answer.payload[: size // 2]


def _dripped(answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield answer.head(len(answer.payload))
    yield from _slowly(answer.payload, stopping)


def _dripped_head(_answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Slow: "
    yield from _slowly(itertools.repeat(ord("x")), stopping)


def _slowly(octets: Iterable[int], stopping: Event) -> Iterator[bytes]:
    for octet in octets:
        yield bytes([octet])
        if stopping.wait(0.2):
            return


def _flooded(answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield answer.head(None) + f'<s:Envelope xmlns:s="{wire.SOAP}"><s:Body>'.encode()
    while not stopping.is_set():
        yield _WAVE


def _flooded_as_announced(answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield answer.head(LARGE)
    yield from itertools.takewhile(lambda _: not stopping.is_set(), itertools.repeat(_WAVE, LARGE // len(_WAVE)))


def _refused_at_length(_answer: Answer, stopping: Event) -> Iterator[bytes]:
    yield f"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nContent-Length: {100 * LARGE}\r\n\r\n".encode()
    while not stopping.is_set():
        yield _WAVE


Script = Callable[[Answer, Event], Iterator[bytes]]
SCRIPTS: Mapping[Fault, Script] = {
    Fault.STALL: _stalled,
    Fault.STALL_IN_BODY: _stalled_in_body,
    Fault.CUT: _cut,
    Fault.DRIP: _dripped,
    Fault.DRIP_HEAD: _dripped_head,
    Fault.FLOOD: _flooded,
    Fault.FLOOD_ANNOUNCED: _flooded_as_announced,
    Fault.ABSURD_401: _refused_at_length,
}
