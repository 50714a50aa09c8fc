"""One CIM instance in XML becomes a flat row of text. What a property means is decided later, by its schema."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from compliance.errors import ReadError, Why
from compliance.wsman.document import ADDRESSING, SCHEMA_INSTANCE, WSMAN, child, children, local_name, names, text_of

ParsedRow = dict[str, str | list[str | None] | None]
"""Property name -> text. An absent property has no key; nil is None; repeated elements are a list.

Windows leaves out a NULL array altogether and sends an array of one like a scalar, so only the schema can tell
``None``, absent and ``[]`` apart (1,441 recorded instances, txwinrm and go-wsman).
"""

# Levels below a property. Real values nest five deep (a reference in a selector of a reference).
DEPTH = 32


def row(instance: Element, wanted: frozenset[str] | None = None) -> ParsedRow:
    """Return the properties of ``instance``: a typed instance, or the XmlFragment that a projection gives.

    ``wanted`` names those that are kept, None means all: what nobody asked for is not looked at.

    Raises ReadError (BROKEN) when a value nests deeper than :data:`DEPTH`.
    """
    properties: ParsedRow = {}
    for element in instance:
        name = element.tag.rpartition("}")[2]  # not local_name(): a call per property is a tenth of a run's parsing
        if wanted is not None and name not in wanted:
            continue
        value = element.text
        if len(element):
            value = _nested(element)
        elif not value:
            value = None if element.keys() and _is_nil(element) else ""
        if name in properties:
            _append(properties, name, value)
        else:
            properties[name] = value
    return properties


def _append(properties: ParsedRow, name: str, value: str | None) -> None:
    earlier = properties[name]
    if isinstance(earlier, list):
        earlier.append(value)
    else:
        properties[name] = [earlier, value]


# --- values that are elements themselves ---

# cim:Datetime and cim:Interval from Windows (recorded); Datetime without namespace in fragments (recorded);
# cim:CIM_DateTime from OMI and iDRAC; Date and Time are allowed by DSP0230.
_TIMES = frozenset({"datetime", "interval", "cim_datetime", "date", "time"})
_NIL = names("nil", SCHEMA_INSTANCE)
_XSI_NIL = f"{{{SCHEMA_INSTANCE[0]}}}nil"  # as all recorded hosts write it
_PARAMETERS = names("ReferenceParameters", ADDRESSING)
_ENDPOINT = names("EndpointReference", ADDRESSING)
_RESOURCE = names("ResourceURI", WSMAN)
_SELECTOR_SET = names("SelectorSet", WSMAN)
_SELECTOR = names("Selector", WSMAN)

_QUOTED = str.maketrans({sign: f"%{ord(sign):02X}" for sign in "%&=?+#"})


def _is_nil(element: Element) -> bool:
    value = element.get(_XSI_NIL) or next((value for key, value in element.items() if key.casefold() in _NIL), "")
    return value.strip() in ("true", "1")


def _nested(element: Element) -> str | None:
    first = element[0]
    if len(element) == 1 and local_name(first.tag).casefold() in _TIMES:
        return None if _is_nil(first) else text_of(first)
    _refuse_depth(element)
    return _reference(element) or _embedded(element)


def _reference(element: Element) -> str | None:
    """Return ``ResourceURI?Key=value&Key=value``, with ``%&=?+#`` of a value percent-encoded; None when it is none.

    The parts of the endpoint reference stand directly in the property (recorded), or inside an EndpointReference
    when a selector is itself a reference (DSP0227).
    """
    wrapped = child(element, _ENDPOINT)
    parameters = child(element if wrapped is None else wrapped, _PARAMETERS)
    if parameters is None:
        return None
    uri = text_of(child(parameters, _RESOURCE))
    keys = [
        _key(selector) for chosen in children(parameters, _SELECTOR_SET) for selector in children(chosen, _SELECTOR)
    ]
    return f"{uri}?{'&'.join(keys)}" if keys else uri


def _key(selector: Element) -> str:
    value = _reference(selector) or text_of(selector)
    return f"{selector.get('Name', '').translate(_QUOTED)}={value.translate(_QUOTED)}"


def _embedded(element: Element) -> str:
    """Return an embedded object as ``Name=value&Name=value``, quoted as a reference's keys are. One level is told
    apart; below it stand texts in order. Where the object is wrapped in an element of its class, the wrapping is none
    of it."""
    if len(element) == 1 and len(element[0]):
        element = element[0]
    return "&".join(f"{local_name(part.tag).translate(_QUOTED)}={_texts(part).translate(_QUOTED)}" for part in element)


def _texts(element: Element) -> str:
    return " ".join(part for text in element.itertext() if (part := text.strip()))


def _refuse_depth(element: Element) -> None:
    level = [element]
    for _ in range(DEPTH):
        level = [below for above in level for below in above]
        if not level:
            return
    raise ReadError(f"a value nests more than {DEPTH} levels deep", why=Why.BROKEN)
