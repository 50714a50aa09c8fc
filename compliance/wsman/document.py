"""Bytes from a host become an XML tree here and nowhere else: what a document may hold is decided on this page."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from compliance.errors import ReadError, Why

SOAP = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/soap/envelope/")
WSMAN = ("http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",)
ENUMERATION = ("http://schemas.xmlsoap.org/ws/2004/09/enumeration",)
ADDRESSING = ("http://schemas.xmlsoap.org/ws/2004/08/addressing", "http://www.w3.org/2005/08/addressing")
IDENTITY = ("http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd",)
SCHEMA_INSTANCE = ("http://www.w3.org/2001/XMLSchema-instance",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A SOAP envelope's two halves. ``repaired``: characters that XML forbids stood in it and are U+FFFD now."""

    header: Element
    body: Element
    repaired: bool


def document(reply: bytes) -> Envelope:
    """Return the envelope in ``reply``: UTF-8 or UTF-16, no DOCTYPE. Raises ReadError (BROKEN) for everything else.

    Characters that XML 1.0 forbids may stand in a machine's name or note (WinRM's own client has an error for it,
    2150859018); one repair pass replaces them, so that one name doesn't cost the whole batch.
    """
    text, repaired = _as_utf8(reply)
    _refuse_prolog(text)
    try:
        root = _tree(text)
    except _MALFORMED as first:
        mended = _mended(text)
        if mended == text:
            raise ReadError(f"the answer is not XML: {first}", why=Why.BROKEN) from first
        repaired = True
        try:
            root = _tree(mended)
        except _MALFORMED as second:
            raise ReadError(f"the answer is not XML: {second}", why=Why.BROKEN) from second
    body = only(root, names("Body", SOAP))
    if root.tag.casefold() not in names("Envelope", SOAP) or body is None:
        raise ReadError("the answer is XML, but no SOAP envelope", why=Why.BROKEN)
    header = only(root, names("Header", SOAP))
    return Envelope(header=Element("none") if header is None else header, body=body, repaired=repaired)


def is_envelope(reply: bytes) -> bool:
    """Return whether a body looks like SOAP, in UTF-8 or UTF-16. What else came is no WS-Management, and told by its
    status."""
    return bool(_ENVELOPE.search(reply[:4096].replace(b"\0", b"")))  # UTF-16's every other octet


def names(local: str, *families: tuple[str, ...]) -> frozenset[str]:
    """Return the tags under which ``local`` is accepted. Some hosts answer with namespace URIs in the case of the
    request (Windows' URIs are not case sensitive), so tags are compared case-folded, and never by prefix."""
    return frozenset(f"{{{uri}}}{local}".casefold() for family in families for uri in family)


def child(parent: Element, wanted: frozenset[str]) -> Element | None:
    """Return the first child with one of the tags from :func:`names`."""
    return next(children(parent, wanted), None)


def only(parent: Element, wanted: frozenset[str]) -> Element | None:
    """Return the child with one of the tags from :func:`names`. Raises ReadError (BROKEN) where there are two: to read
    one and not the other would hide what stands in it."""
    matching = list(children(parent, wanted))
    if len(matching) > 1:
        raise ReadError(f"the answer has more than one {local_name(matching[0].tag)}", why=Why.BROKEN)
    return matching[0] if matching else None


def children(parent: Element, wanted: frozenset[str]) -> Iterator[Element]:
    return (element for element in parent if element.tag.casefold() in wanted)


def local_name(tag: str) -> str:
    return tag.rpartition("}")[2]


def text_of(element: Element | None) -> str:
    """Return all text under ``element`` without surrounding space; empty when there is no element."""
    return "" if element is None else "".join(element.itertext()).strip()


# --- parts ---

_MALFORMED = (ElementTree.ParseError, ValueError, LookupError)

# WinRM sends neither a DOCTYPE nor comments before the root element. Only what is known to be harmless passes, so no
# trick with a comment hides a DOCTYPE, and no entity is ever declared.
_PROLOG = re.compile(rb"\s*(?:<\?xml\s[^<>]*\?>\s*)?<[^!?\s]")

_ENVELOPE = re.compile(rb"<(?:[\w.-]+:)?envelope[\s>]", re.IGNORECASE)

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CHARACTER_REFERENCE = re.compile("&#(?:x([0-9a-fA-F]+)|([0-9]+));")
_REPLACEMENT = "\ufffd"


def legal(text: str) -> str:
    """Return ``text`` with U+FFFD for every character that XML 1.0 can't carry, escaped or not."""
    return _FORBIDDEN.sub(_REPLACEMENT, text)


def _as_utf8(reply: bytes) -> tuple[bytes, bool]:
    encoding = _utf16(reply)
    if encoding is None:
        return reply.removeprefix(codecs.BOM_UTF8), False
    text = reply.decode(encoding, "replace").removeprefix("\ufeff")
    return text.encode("utf-8", "replace"), False


def _utf16(reply: bytes) -> str | None:
    """DSP0226 allows UTF-16 answers; a fault that arrives before the request was read has been seen to use it."""
    if reply.startswith((codecs.BOM_UTF16_LE, b"<\0")):
        return "utf-16-le"
    if reply.startswith((codecs.BOM_UTF16_BE, b"\0<")):
        return "utf-16-be"
    return None


def _refuse_prolog(text: bytes) -> None:
    if _PROLOG.match(text):
        return
    if not text.strip():
        raise ReadError("the answer is empty", why=Why.BROKEN)
    if b"<!doctype" in text[:4096].lower():
        raise ReadError("the answer has a DOCTYPE: WinRM never sends one, so it is refused unread", why=Why.BROKEN)
    raise ReadError("the answer is not XML: it does not begin with an element", why=Why.BROKEN)


def _tree(text: bytes) -> Element:
    # The encoding is given, so a declaration in the document can't choose another one.
    parser = ElementTree.XMLParser(encoding="utf-8")
    parser.feed(text)
    root = parser.close()
    if not isinstance(root, Element):
        raise TypeError("the parser's target built no element")
    return root


def _mended(text: bytes) -> bytes:
    readable = legal(text.decode("utf-8", "replace"))
    return _CHARACTER_REFERENCE.sub(_legal_reference, readable).encode("utf-8")


def _legal_reference(match: re.Match[str]) -> str:
    hexadecimal, decimal = match.groups()
    digits = (hexadecimal or decimal).lstrip("0") or "0"
    if len(digits) > 7:  # the last code point is 1114111
        return _REPLACEMENT
    number = int(digits, 16 if hexadecimal else 10)
    if number > 0x10FFFF or _FORBIDDEN.match(chr(number)):
        return _REPLACEMENT
    return match.group()
