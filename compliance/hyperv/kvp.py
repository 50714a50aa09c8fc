"""Key-value pairs from inside a guest: CIM-XML that the guest wrote part of, so nothing in it is trusted.

Shape: ``<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Data" …><VALUE>…`` (MicrosoftDocs/win32,
"Getting the virtual machine DNS name"). Properties are found by name; their order means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.parsers import expat

MAX_ITEM = 64 * 1024
"""Characters. A key has at most 512 bytes and a value 2,048 (Linux: include/uapi/linux/hyperv.h), so this is ample."""
MAX_VALUE = 2048


def parse_items(items: Iterable[str | None]) -> dict[str, str]:
    """Name -> data of every item that can be read; a broken or hostile one loses only itself."""
    found: dict[str, str] = {}
    for item in items:
        if item and (pair := _parse(item)):
            found.setdefault(*pair)
    return found


def _parse(item: str) -> tuple[str, str] | None:
    if len(item) > MAX_ITEM:
        return None
    name = data = None
    try:
        root = _safe_tree(item)
    except (ElementTree.ParseError, expat.ExpatError, ValueError):
        return None
    if root.tag != "INSTANCE":
        return None
    for element in root:
        if element.tag == "PROPERTY":
            value = element.find("VALUE")
            text = "" if value is None else (value.text or "")
            if element.get("NAME") == "Name":
                name = text
            elif element.get("NAME") == "Data":
                data = text
    return (name, data[:MAX_VALUE]) if name and data is not None else None


class _ForbiddenError(ValueError):
    pass


def _safe_tree(item: str) -> ElementTree.Element:
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
