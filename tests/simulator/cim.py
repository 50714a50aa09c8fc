"""Instances as XML: which properties a class has, and how each value is written.

The shape was recorded from Windows (zenoss/txwinrm txwinrm/test/data; r4sd/go-wsman hyperv/testdata/recorded_*.xml):
namespaces declared on every instance, properties in alphabetical order without regard to case, a NULL scalar nil, a
NULL array absent, an array as repeated elements, dates in cim:Datetime with trailing zeros cut.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from tests.simulator.wire import ADDRESSING, CIM_COMMON, CIM_SCHEMA, WSMAN, XSI, Dialect

Row = Mapping[str, object]

REFERENCE = "CIM_ManagedElement"
_IDENTIFIERS = frozenset({"InstanceID", "VirtualSystemIdentifier", "SystemName", "Name", "DeviceID"})
_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_DMTF_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)\.(\d{6})[+-]\d{3}")
_DMTF_INTERVAL = re.compile(r"(\d{8})(\d\d)(\d\d)(\d\d)\.(\d{6}):000")


@dataclass(frozen=True)
class Class:
    """A CIM class as one server has it."""

    name: str
    namespace: str
    properties: Mapping[str, str]  # name -> CIM type, "[]" behind that of an array


@cache
def known_classes() -> Mapping[str, Class]:
    """Lower-case name -> class, out of classes.json."""
    text = Path(__file__).with_name("classes.json").read_text(encoding="utf-8")
    return {
        name.lower(): Class(
            name,
            entry["namespace"],
            {prop: kind for kind, names in entry["properties"].items() for prop in names},
        )
        for name, entry in json.loads(text)["classes"].items()
    }


def class_of_rows(name: str, rows: Iterable[Row], without: frozenset[str]) -> Class:
    """The known class, or one made from the rows; properties that only the rows have are taken in."""
    known = known_classes().get(name.lower())
    properties = dict(known.properties) if known else {}
    for row in rows:
        for prop, value in row.items():
            if prop not in properties:
                properties[prop] = "string[]" if isinstance(value, list | tuple) else "string"
    return Class(
        known.name if known else name,
        known.namespace if known else _namespace_of(name),
        {prop: properties[prop] for prop in sorted(properties, key=str.lower) if prop not in without},
    )


def written(played: Class, rows: Sequence[Row], uri: str, columns: Sequence[str] | None, dialect: Dialect) -> list[str]:
    """Each row as XML: an instance, or with `columns` what a projection makes of it."""
    chosen = sorted(columns, key=str.lower) if columns is not None else list(played.properties)
    fragment = columns is not None and not dialect.omi
    prefix = "" if fragment else "p:"
    if fragment:
        opening = f'<w:XmlFragment xmlns:xsi="{XSI}" xmlns:w="{WSMAN}">'
        closing = "</w:XmlFragment>"
    else:
        namespace = f"{CIM_SCHEMA}{played.name}" if dialect.omi else escape(uri, {'"': "&quot;"})
        opening = (
            f'<p:{played.name} xmlns:xsi="{XSI}" xmlns:p="{namespace}" xmlns:cim="{CIM_COMMON}" '
            f'xsi:type="p:{played.name}_Type">'
        )
        closing = f"</p:{played.name}>"
    writers = [(name, _property_writer(prefix + name, played.properties[name], dialect, fragment)) for name in chosen]
    return [opening + "".join([write(row.get(name)) for name, write in writers]) + closing for row in rows]


def scrambled(row: Row) -> Row:
    """The row with its identifiers in another form."""
    return {
        name: _scrambled_text(value) if name in _IDENTIFIERS and isinstance(value, str) else value
        for name, value in row.items()
    }


def as_text(value: object) -> str:
    """A value as a selector would name it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _scrambled_text(text: str) -> str:
    if text.startswith("Microsoft:"):
        text = "MS/" + text.removeprefix("Microsoft:")
    return _GUID.sub(r"{\1}", text)


def _namespace_of(name: str) -> str:
    if name.lower().startswith("msvm_"):
        return "root/virtualization/v2"
    return "root/mscluster" if name.lower().startswith("mscluster_") else "root/cimv2"


def _property_writer(tag: str, kind: str, dialect: Dialect, fragment: bool) -> Callable[[object], str]:
    opening, closing, nil = f"<{tag}>", f"</{tag}>", f'<{tag} xsi:nil="true"/>'
    null = "" if kind.endswith("[]") and not dialect.omi else nil
    value_of = _value_writer(kind.removesuffix("[]"), dialect, fragment)

    def write(value: object) -> str:
        if value is None:
            return null
        if isinstance(value, list | tuple):
            return "".join([nil if one is None else opening + value_of(one) + closing for one in value])
        return opening + value_of(value) + closing

    return write


def _value_writer(kind: str, dialect: Dialect, fragment: bool) -> Callable[[object], str]:
    def timed(element: str, text: str) -> str:
        if dialect.omi:
            return text
        return f"<{element}>{text}</{element}>" if fragment else f"<cim:{element}>{text}</cim:{element}>"

    def write(value: object) -> str:
        if kind == REFERENCE and isinstance(value, str):
            return _reference(value)
        if isinstance(value, Mapping):
            # An embedded object, as masterzen/winrm reads it: elements in the namespace of its own class.
            tag, declared = ("", "") if fragment else ("e:", f' xmlns:e="{CIM_SCHEMA}MSCluster_Property"')
            return "".join([f"<{tag}{name}{declared}>{write(inner)}</{tag}{name}>" for name, inner in value.items()])
        if isinstance(value, str):
            if kind == "datetime":
                return timed(*_time_of_text(value)) if value else ""
            if kind == "boolean" and value.lower() in ("true", "false"):
                return dialect.true if value.lower() == "true" else dialect.false
            return _escaped(value)
        if isinstance(value, bool):
            return dialect.true if value else dialect.false
        if isinstance(value, int):
            return str(value)
        if isinstance(value, datetime):
            return timed("Datetime", _date_text(value))
        if isinstance(value, timedelta):
            return timed("Interval", _interval_text(value))
        raise TypeError(f"the simulator cannot play {value!r} as a CIM value")

    return write


def _reference(text: str) -> str:
    """``URI?key=value&key=value`` as an endpoint reference, whose parts stand directly in the property (recorded)."""
    uri, _, keys = text.partition("?")
    selectors = "".join(
        f'<w:Selector Name="{_escaped(name)}">{_escaped(value)}</w:Selector>'
        for name, _, value in (key.partition("=") for key in keys.split("&"))
    )
    return (
        f'<a:Address xmlns:a="{ADDRESSING}">{ADDRESSING}/role/anonymous</a:Address>'
        f'<a:ReferenceParameters xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}">'
        f"<w:ResourceURI>{_escaped(uri)}</w:ResourceURI><w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters>"
    )


def _escaped(text: str) -> str:
    if text.isalnum():
        return text
    return escape(text, {'"': "&quot;", "\r": "&#xD;"})


def _time_of_text(text: str) -> tuple[str, str]:
    """Text of a snapshot or of WMI -> element name and text on the wire."""
    if match := _DMTF_DATE.fullmatch(text):
        year, month, day, hour, minute, second, micro = map(int, match.groups())
        return "Datetime", _date_text(datetime(year, month, day, hour, minute, second, micro, tzinfo=UTC))
    if match := _DMTF_INTERVAL.fullmatch(text):
        days, hours, minutes, seconds, micro = map(int, match.groups())
        span = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, microseconds=micro)
        return "Interval", _interval_text(span)
    return ("Interval" if text.startswith("P") else "Datetime"), escape(text)


def _date_text(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text.rjust(19, '0')}{_fraction(moment.microsecond)}Z"


def _interval_text(span: timedelta) -> str:
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"P{span.days}DT{hours}H{minutes}M{seconds}{_fraction(span.microseconds)}S"


def _fraction(microseconds: int) -> str:
    return f".{microseconds:06}".rstrip("0") if microseconds else ""
