"""One enumeration in every dialect that a host may speak: Windows', of a class or of a projection, OMI's, and mixtures.

What differs was recorded (txwinrm, go-wsman, OMI) or is allowed by DSP0230; nothing of it may change what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape

from tests.wsman.samples import ID, WMI

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
CIM = "http://schemas.dmtf.org/wbem/wscim/1/common"
OF_OMI = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2"


class Kind(Enum):
    """What a value is, by its element in DSP0230."""

    TEXT = "string"
    FLAG = "boolean"
    NUMBER = "unsignedLong"
    MOMENT = "Datetime"
    LENGTH = "Interval"


@dataclass(frozen=True)
class Value:
    """One property's: None is NULL, a list is an array."""

    kind: Kind
    told: str | list[str | None] | None


Instance = Mapping[str, Value]

# --- dates ---


def windows(kind: Kind, text: str) -> str:
    return f'<cim:{kind.value} xmlns:cim="{CIM}">{text}</cim:{kind.value}>'


def in_a_projection(kind: Kind, text: str) -> str:
    return f'<{kind.value} xmlns="">{text}</{kind.value}>'


def by_dsp0230(_kind: Kind, text: str) -> str:
    return f'<c:CIM_DateTime xmlns:c="{CIM}">{text}</c:CIM_DateTime>'


def bare(_kind: Kind, text: str) -> str:
    return text


# --- text ---


def escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def numbered(text: str) -> str:
    return "".join(f"&#{ord(sign)};" if place % 2 else f"&#x{ord(sign):x};" for place, sign in enumerate(text))


def as_cdata(text: str) -> str:
    if "\r" in text:  # which no CDATA can carry
        return escaped(text)
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def with_a_comment(text: str) -> str:
    return f"{escaped(text[:1])}<!-- {CIM} -->{escaped(text[1:])}"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    fragment: bool = False  # a projection's: neither namespaces nor a class
    namespace: str = WMI
    prefix: str = "p"  # empty: the default namespace
    null: str = "true"  # xsi:nil
    typed: bool = False  # xsi:type on each property
    flag: Callable[[str], str] = str.lower
    date: Callable[[Kind, str], str] = windows
    text: Callable[[str], str] = escaped
    empty_is_null: bool = False  # an array without elements: one NULL, or no element at all
    alphabetical: bool = True
    first: bool = True  # the answer to Enumerate, or the last one to Pull
    spare_context: bool = False  # a context beside the end
    prefixes: tuple[str, str, str, str] = ("s", "a", "n", "w")
    between: str = ""
    encoding: str = "utf-8"


WINDOWS = Dialect()
PROJECTED = Dialect(fragment=True, date=in_a_projection)
OMI = Dialect(
    namespace=OF_OMI,
    typed=True,
    flag=str.upper,
    date=bare,
    empty_is_null=True,
    alphabetical=False,
    spare_context=True,
    prefixes=("SOAP-ENV", "wsa", "wsen", "wsman"),
    between="\n  ",
)


def written(dialect: Dialect, class_name: str, instances: Sequence[Instance]) -> bytes:
    """The only answer to an enumeration, or the last one."""
    s, a, n, w = dialect.prefixes
    items = dialect.between.join(_instance(dialect, class_name, one) for one in instances)
    empty = "" if dialect.first else None
    context = "7" if dialect.spare_context else empty
    told = "" if context is None else f"<{n}:EnumerationContext>{context}</{n}:EnumerationContext>"
    response, of = (f"{n}:EnumerateResponse", w) if dialect.first else (f"{n}:PullResponse", n)
    answer = (
        f'<{s}:Envelope xmlns:{s}="{SOAP}" xmlns:{a}="{ADDRESSING}" xmlns:{n}="{ENUMERATION}" xmlns:{w}="{WSMAN}">'
        f"{dialect.between}<{s}:Header><{a}:RelatesTo>{ID}</{a}:RelatesTo></{s}:Header><{s}:Body>"
        f"<{response}>{told}<{of}:Items>{items}</{of}:Items><{of}:EndOfSequence/></{response}></{s}:Body></{s}:Envelope>"
    )
    return answer.encode(dialect.encoding)


def _instance(dialect: Dialect, class_name: str, instance: Instance) -> str:
    prefix = "" if dialect.fragment else dialect.prefix
    name = f"{prefix}:{class_name}" if prefix else class_name
    space = (
        f'xmlns:{prefix}="{dialect.namespace}/{class_name}"' if prefix else f'xmlns="{dialect.namespace}/{class_name}"'
    )
    names = sorted(instance, key=str.casefold) if dialect.alphabetical else [*instance]
    properties = "".join(
        dialect.between + _property(dialect, f"{prefix}:{one}" if prefix else one, instance[one]) for one in names
    )
    if dialect.fragment:
        return f'<w:XmlFragment xmlns:xsi="{XSI}" xmlns:w="{WSMAN}">{properties}</w:XmlFragment>'
    kind = f'xsi:type="{name}_Type"'
    return f'<{name} xmlns:xsi="{XSI}" {space} xmlns:cim="{CIM}" {kind}>{properties}</{name}>'


def _property(dialect: Dialect, tag: str, value: Value) -> str:
    kind = f' xsi:type="cim:{value.kind.value}"' if dialect.typed and not dialect.fragment else ""
    null = f'<{tag} xsi:nil="{dialect.null}"/>'
    if value.told == []:
        return null if dialect.empty_is_null else ""
    told = value.told if isinstance(value.told, list) else [value.told]
    return "".join(
        null if one is None else f"<{tag}{kind}>{_content(dialect, value.kind, one)}</{tag}>" for one in told
    )


def _content(dialect: Dialect, kind: Kind, text: str) -> str:
    if kind is Kind.FLAG:
        return dialect.flag(text)
    return dialect.date(kind, text) if kind in (Kind.MOMENT, Kind.LENGTH) else dialect.text(text)
