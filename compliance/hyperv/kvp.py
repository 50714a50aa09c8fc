"""Key-value pairs from inside a guest: CIM-XML that the guest wrote part of, so nothing in it is trusted.

Shape: ``<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Data" …><VALUE>…`` (MicrosoftDocs/win32,
"Getting the virtual machine DNS name"). Properties are found by name; their order means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from xml.etree import ElementTree
from xml.parsers import expat

from compliance.hyperv.rows import remembered

MAX_ITEM = 64 * 1024
"""Characters. A key has at most 512 bytes and a value 2,048 (Linux: include/uapi/linux/hyperv.h), so this is ample."""
MAX_VALUE = 2048
MOST_OF_AN_ITEM = 1024
"""Characters of one that is read once, however many guests publish it: they differ in a few of theirs."""

PROPERTY = (
    r'<PROPERTY NAME="%s"(?: PROPAGATED="true")? TYPE="[a-z0-9]{1,16}">'
    r"(?:<VALUE>(%s[^<>&\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]*+)</VALUE>)?</PROPERTY>"
)
OTHERS = f"(?:{PROPERTY % ('(?!Data|Name)[A-Za-z]{1,64}', '?:')})*+"
AS_HOSTS_WRITE_IT = re.compile(
    r'<INSTANCE CLASSNAME="[A-Za-z_]{1,64}">'
    rf"{OTHERS}{PROPERTY % ('Data', '')}{OTHERS}{PROPERTY % ('Name', '')}{OTHERS}</INSTANCE>"
)
"""An item without an entity, a line break or anything else that only a parser understands, its properties in the order
of their names."""


class Lost(Enum):
    """Why an item tells nothing."""

    TOO_LONG = "too long"
    FORBIDDEN = "with a DOCTYPE"
    NO_XML = "not well-formed"
    NO_PAIR = "without a name and data"


def parse_items(items: Iterable[str | None]) -> dict[str, str]:
    """Name -> data of every item that can be read; a broken or hostile one loses only itself."""
    pairs = [pair for pair in map(parse_item, filter(None, items)) if not isinstance(pair, Lost)]
    return dict(reversed(pairs))  # of two with one name the first counts


@remembered(MOST_OF_AN_ITEM)
def parse_item(item: str) -> tuple[str, str] | Lost:
    if len(item) > MAX_ITEM:
        return Lost.TOO_LONG
    if match := AS_HOSTS_WRITE_IT.fullmatch(item):
        return _pair(match[2], match[1] or "")
    name = data = None
    try:
        root = safe_tree(item)
    except _ForbiddenError:
        return Lost.FORBIDDEN
    except (ElementTree.ParseError, expat.ExpatError, ValueError):
        return Lost.NO_XML
    for element in root if root.tag == "INSTANCE" else ():
        if element.tag == "PROPERTY":
            value = element.find("VALUE")
            text = "" if value is None else (value.text or "")
            if element.get("NAME") == "Name":
                name = text
            elif element.get("NAME") == "Data":
                data = text
    return _pair(name, data)


def _pair(name: str | None, data: str | None) -> tuple[str, str] | Lost:
    return (name, data[:MAX_VALUE]) if name and data is not None else Lost.NO_PAIR


class _ForbiddenError(ValueError):
    pass


def safe_tree(item: str) -> ElementTree.Element:
    """Somebody's XML as a tree, without a DOCTYPE: ParseError, ExpatError or ValueError for anything else."""

    # expat reports a DOCTYPE before it expands anything that the DOCTYPE declares; raising there ends the parse.
    # The encoding is ours to say: what a declaration names is the guest's word, and a name unknown to Python raises.
    def refuse(*_: object) -> None:
        raise _ForbiddenError("DOCTYPE")

    text = item.encode("utf-8", "replace")
    if b"<!" in text:  # without it there is no DOCTYPE, and nearly every item is read once instead of twice
        guard = expat.ParserCreate("utf-8")
        guard.StartDoctypeDeclHandler = refuse
        guard.Parse(text, True)
    return ElementTree.fromstring(text, ElementTree.XMLParser(encoding="utf-8"))
