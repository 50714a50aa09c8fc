"""The WS-Management service behind the HTTP server: a request in, an answer out, enumerations in between.

Sources of the rules: MS-WSMV 3.1.4.1 for headers and limits, DSP0226 8 for enumerations, and the recordings named in
wire.py for what Windows does with them.
"""

import itertools
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.simulator import cim, refusals, wire
from tests.simulator.played import ANY_CLASS, Fault, Played
from tests.simulator.wire import Dialect, Heading, Refusal

_QUERY = re.compile(
    r"\s*SELECT\s+(\*|\w+(?:\s*,\s*\w+)*)\s+FROM\s+(\w+)"
    r"(?:\s+WHERE\s+(\w+\s*=\s*(?:'[^']*'|TRUE|FALSE)(?:\s+OR\s+\w+\s*=\s*'[^']*')*))?\s*;?\s*",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"(\w+)\s*=\s*(?:'([^']*)'|(TRUE|FALSE))", re.IGNORECASE)


def _is(value: object, text: str) -> bool:
    return value == text or (isinstance(value, bool) and cim.as_text(value) == text.lower())


_UNDERSTOOD = frozenset(
    {f"{{{wire.ADDRESSING}}}{name}" for name in ("Action", "To", "MessageID", "ReplyTo", "FaultTo", "From")}
    | {
        f"{{{wire.WSMAN}}}{name}"
        for name in ("ResourceURI", "MaxEnvelopeSize", "OperationTimeout", "SelectorSet", "OptionSet")
    }
    | {f"{{{wire.MS_WSMAN}}}{name}" for name in ("SessionId", "OperationID", "SequenceId")}
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A SOAP request, taken apart."""

    action: str = ""
    message_id: str = ""
    resource: str = ""
    timeout: str = ""
    max_envelope: int | None = None
    selectors: Mapping[str, str]
    not_understood: bool = False
    optimized: bool = False
    max_elements: int = 1  # DSP0226 8.4: one item when nothing is said
    dialect: str = ""
    query: str = ""
    context: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)  # of a method, by the tag that they were sent with

    @property
    def operation(self) -> str:
        return self.action.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Target:
    """What a resource URI and a query point to."""

    namespace: str
    class_name: str
    columns: tuple[str, ...] | None = None
    query: str = ""
    uri: str = ""  # of the class, in the spelling of the request
    one_of: tuple[tuple[str, str], ...] = ()  # property and value; a row that has none of them is left out


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A request, what the server played when it came, and what its answer's header needs."""

    request: Request
    played: Played
    heading: Heading


@dataclass
class _Enumeration:
    """An open enumeration: what is still to be sent."""

    class_name: str
    items: list[str]
    position: int = 0
    refusal: Refusal | None = None  # OMI tells of a failure with the first Pull


def parse(body: bytes) -> Request:
    """Raises ET.ParseError for what is not XML."""
    root = ET.fromstring(body)
    header = root.find(f"{{{wire.SOAP}}}Header")
    content = root.find(f"{{{wire.SOAP}}}Body")
    if content is not None and content.find(f"{{{wire.IDENTITY}}}Identify") is not None:
        return Request(action=f"{wire.IDENTITY}/Identify", selectors={})
    header = header if header is not None else ET.Element("none")
    asked = content[0] if content is not None and len(content) else ET.Element("none")
    filtered = asked.find(f"{{{wire.WSMAN}}}Filter")
    max_envelope = _text(header, wire.WSMAN, "MaxEnvelopeSize")
    elements = _text(asked, wire.ENUMERATION, "MaxElements") or _text(asked, wire.WSMAN, "MaxElements")
    return Request(
        action=_text(header, wire.ADDRESSING, "Action"),
        message_id=_text(header, wire.ADDRESSING, "MessageID"),
        resource=_text(header, wire.WSMAN, "ResourceURI"),
        timeout=_text(header, wire.WSMAN, "OperationTimeout"),
        max_envelope=int(max_envelope) if max_envelope.isdigit() else None,
        selectors={
            selector.get("Name", ""): (selector.text or "")
            for selector in header.findall(f"{{{wire.WSMAN}}}SelectorSet/{{{wire.WSMAN}}}Selector")
        },
        not_understood=any(_must_understand(one) and one.tag not in _UNDERSTOOD for one in header),
        optimized=asked.find(f"{{{wire.WSMAN}}}OptimizeEnumeration") is not None,
        max_elements=int(elements) if elements.isdigit() else 1,
        dialect=(filtered.get("Dialect") or "") if filtered is not None else "",
        query="".join(filtered.itertext()).strip() if filtered is not None else "",
        context=_text(asked, wire.ENUMERATION, "EnumerationContext"),
        arguments={one.tag: one.text or "" for one in asked} if asked.tag.endswith("_INPUT") else {},
    )


class Service:
    """One server's classes and open enumerations. Safe for threads."""

    def __init__(self, played: Played, dialect: Dialect, *, wql: bool, envelope_kb: int) -> None:
        self.played = played
        self._dialect = dialect
        self._wql = wql
        self._envelope_kb = envelope_kb
        self._faults: Mapping[str, Fault] = {}
        self._lock = threading.Lock()
        self._open: dict[str, _Enumeration] = {}
        self._expired: set[str] = set()  # classes whose EXPIRED_CONTEXT was played

    @property
    def faults(self) -> Mapping[str, Fault]:
        return self._faults

    @faults.setter
    def faults(self, faults: Mapping[str, Fault]) -> None:
        self._faults = {name.lower(): fault for name, fault in faults.items()}
        self._expired = set()

    def fault_of(self, request: Request) -> Fault | None:
        """The fault that this request meets: its class's, else the server's."""
        return self._fault_of_class(self._class_asked(request))

    def answer(self, request: Request) -> tuple[int, str]:
        """HTTP status and body."""
        if request.operation == "Identify":
            return 200, self.identified(logged_in=True)
        played = self.played
        heading = Heading(locale=played.locale, computer=played.computer, relates_to=request.message_id)
        try:
            self._check_headers(request)
            exchange = Exchange(request=request, played=played, heading=heading)
            return 200, self._operation(request)(exchange)
        except Refusal as refusal:
            return 500, self._dialect.refused(refusal, heading)

    def not_xml(self) -> tuple[int, str]:
        heading = Heading(locale=self.played.locale, computer=self.played.computer, relates_to="")
        return 500, self._dialect.refused(refusals.not_valid(), heading)

    def identified(self, *, logged_in: bool) -> str:
        version = self.played.version if logged_in and self.played.version else "0.0.0"
        return self._dialect.identified(version, self.played.locale)

    def _operation(self, request: Request) -> Callable[[Exchange], str]:
        operations = {
            f"{wire.ENUMERATION}/Enumerate": self._enumerate,
            f"{wire.ENUMERATION}/Pull": self._pull,
            f"{wire.ENUMERATION}/Release": self._release,
            f"{wire.TRANSFER}/Get": self._get,
        }
        if request.resource and request.action.startswith(f"{request.resource}/"):
            return self._invoke
        if request.action not in operations:
            raise refusals.unknown_action(request.action)
        return operations[request.action]

    def _check_headers(self, request: Request) -> None:
        if request.not_understood:
            raise refusals.not_understood()
        if request.timeout.startswith("PT-") or not request.message_id:
            raise refusals.bad_header(request.timeout)
        if request.max_envelope is not None and request.max_envelope < 8192:
            raise refusals.envelope_too_small()

    # Enumerations

    def _enumerate(self, exchange: Exchange) -> str:
        request, played, heading = exchange.request, exchange.played, exchange.heading
        target, failure = self._target_or_refusal(request, played)
        name = target.class_name if target else ""
        if failure is None and target is not None:
            fault = self._fault_of_class(name)
            try:
                items = self._items(target, played, fault)
            except Refusal as refusal:
                failure = refusal
        if failure is not None:
            if not self._dialect.omi or request.optimized:
                raise failure
            return self._dialect.enumerated(self._keep(_Enumeration(name, [], 0, failure)), None, heading)
        enumeration = _Enumeration(name, items)
        if not request.optimized or fault in (Fault.ENDLESS, Fault.SAME_CONTEXT, Fault.EXPIRED_CONTEXT):
            return self._dialect.enumerated(self._keep(enumeration), None, heading)
        # Recorded from 2008 R2 and 2012: the first answer holds one item, whatever MaxElements says.
        first = request.max_elements if self._dialect.omi else 1
        batch = self._batch(enumeration, first, request, heading)
        if enumeration.position == len(items):
            return self._dialect.enumerated(None, batch, heading)
        return self._dialect.enumerated(self._keep(enumeration), batch, heading)

    def _pull(self, exchange: Exchange) -> str:
        request, heading = exchange.request, exchange.heading
        with self._lock:
            enumeration = self._open.pop(request.context, None)
        if enumeration is None:
            raise refusals.unknown_context()
        if enumeration.refusal is not None:
            raise enumeration.refusal
        name = enumeration.class_name.lower()
        fault = self._fault_of_class(name)
        _refuse_by_fault(fault)
        if fault is Fault.EXPIRED_CONTEXT:
            with self._lock:
                first_time = name not in self._expired
                self._expired.add(name)
            if first_time:
                raise refusals.unknown_context()
        batch = self._batch(enumeration, request.max_elements, request, heading)
        if fault in (Fault.ENDLESS, Fault.SAME_CONTEXT):
            enumeration.position = 0
        elif enumeration.position == len(enumeration.items):
            return self._dialect.pulled(None, batch, heading)
        again = request.context if fault is Fault.SAME_CONTEXT else None
        return self._dialect.pulled(self._keep(enumeration, again), batch, heading)

    def _release(self, exchange: Exchange) -> str:
        with self._lock:
            enumeration = self._open.pop(exchange.request.context, None)
        if enumeration is None:
            raise refusals.unknown_context()
        return self._dialect.released(exchange.heading)

    def _keep(self, enumeration: _Enumeration, again: str | None = None) -> str:
        with self._lock:
            context = again or self._dialect.context()
            self._open[context] = enumeration
        return context

    def _batch(self, enumeration: _Enumeration, most: int, request: Request, heading: Heading) -> str:
        """The next items that fit. Recorded: the limit counts characters of two bytes, so half of it is filled."""
        limit = min(request.max_envelope or 1 << 62, self._envelope_kb * 1024) // 2
        room = limit - len(self._dialect.pulled(self._dialect_context_of_full_length(), "", heading))
        start = end = enumeration.position
        for item in itertools.islice(enumeration.items, start, start + most):
            room -= len(item)
            if room < 0:
                break
            end += 1
        if end == start and start < len(enumeration.items) and most > 0:
            raise refusals.item_too_large()
        enumeration.position = end
        return "".join(enumeration.items[start:end])

    def _dialect_context_of_full_length(self) -> str:
        return "0" if self._dialect.omi else "uuid:00000000-0000-0000-0000-000000000000"

    # Get

    def _get(self, exchange: Exchange) -> str:
        request, played = exchange.request, exchange.played
        target, failure = self._target_or_refusal(request, played)
        if failure is not None or target is None:
            raise failure or refusals.not_found()
        fault = self._fault_of_class(target.class_name)
        _refuse_by_fault(fault)
        played_class, rows = self._class_and_rows(target, played, fault)
        selectors = {name.lower(): value for name, value in request.selectors.items() if name != "__cimnamespace"}
        unknown = set(selectors) - {name.lower() for name in played_class.properties}
        if unknown:
            raise refusals.bad_selectors()
        if set(selectors) != {name.lower() for name in _keys(played_class)}:
            raise refusals.not_found()
        found = [row for row in rows if _selected(row, played_class, selectors)]
        if not found:
            raise refusals.not_found()
        instance = cim.written(played_class, found[:1], target.uri, None, self._dialect)[0]
        return self._dialect.got(instance, exchange.heading)

    # Methods: GetStringValue of a guest's StdRegProv, and none else

    def _invoke(self, exchange: Exchange) -> str:
        request, played = exchange.request, exchange.played
        target = self._target(request, played)
        _refuse_by_fault(self._fault_of_class(target.class_name))
        is_there = target.namespace == "root/cimv2" and target.class_name == "StdRegProv" not in played.absent
        if not is_there or played.registry is None:
            raise _no_such_class(target)
        if request.operation != "GetStringValue":
            raise refusals.unknown_action(request.action)
        hive, key, name = (
            request.arguments[f"{{{target.uri}}}{one}"] for one in ("hDefKey", "sSubKeyName", "sValueName")
        )
        found = played.registry.get(rf"HKLM\{key}\{name}") if hive == "2147483650" else None
        code, text = ("2", None) if found is None else found if isinstance(found, tuple) else ("0", found)
        return self._dialect.invoked(
            target.uri, request.operation, {"ReturnValue": code, "sValue": text}, exchange.heading
        )

    # What the request is about

    def _class_asked(self, request: Request) -> str:
        """For the choice of a fault; "" when there is none."""
        if request.context:
            with self._lock:
                enumeration = self._open.get(request.context)
            if enumeration is not None:
                return enumeration.class_name
        if request.dialect == wire.WQL:
            match = _QUERY.fullmatch(request.query)
            return match.group(2) if match else ""
        return request.resource.rpartition("/")[2]

    def _fault_of_class(self, name: str) -> Fault | None:
        return self._faults.get(name.lower()) or self._faults.get(ANY_CLASS)

    def _target_or_refusal(self, request: Request, played: Played) -> tuple[Target | None, Refusal | None]:
        try:
            return self._target(request, played), None
        except Refusal as refusal:
            return None, refusal

    def _target(self, request: Request, played: Played) -> Target:
        base, _, name = request.resource.rpartition("/")
        folded = f"{base}/".lower()
        selected = request.selectors.get("__cimnamespace")
        if folded.startswith(wire.WMI):
            namespace = _folded_namespace(base[len(wire.WMI) :])
            if selected is not None and _folded_namespace(selected) != namespace:
                raise refusals.namespaces_differ()
        elif folded == wire.CIM_SCHEMA:
            # MS-WSMV 3.1.4.1.1: without the selector it is root\hardware.
            namespace = _folded_namespace(selected or "root/hardware")
        else:
            raise refusals.not_found()
        if request.dialect == wire.WQL:
            return self._queried(request, namespace, name, f"{base}/", played)
        if request.dialect:
            raise refusals.unknown_dialect(request.dialect)
        if "?" in name:
            raise refusals.keys_in_uri()
        if namespace not in played.namespaces or name == "*":
            raise refusals.not_found()
        return Target(namespace=namespace, class_name=name, uri=request.resource)

    def _queried(self, request: Request, namespace: str, name: str, base: str, played: Played) -> Target:
        if name != "*":
            raise refusals.query_on_class()
        match = _QUERY.fullmatch(request.query)
        class_name = match.group(2) if match else ""
        if not self._wql or self._fault_of_class(class_name) is Fault.WQL_REFUSED:
            raise refusals.bad_query(request.query, namespace)
        if namespace not in played.namespaces:
            raise refusals.bad_namespace()
        if match is None:
            raise refusals.bad_query(request.query, namespace)
        columns = None if match.group(1) == "*" else tuple(one.strip() for one in match.group(1).split(","))
        return Target(
            namespace=namespace,
            class_name=class_name,
            columns=columns,
            query=request.query,
            uri=base + class_name,
            one_of=tuple((name, text or truth) for name, text, truth in _EQUALS.findall(match.group(3) or "")),
        )

    def _items(self, target: Target, played: Played, fault: Fault | None) -> list[str]:
        _refuse_by_fault(fault)
        played_class, rows = self._class_and_rows(target, played, fault)
        columns = target.columns
        if columns is not None:
            declared = {name.lower(): name for name in played_class.properties}
            if any(one.lower() not in declared for one in columns):
                raise refusals.bad_query(target.query, target.namespace)
            columns = tuple({declared[one.lower()]: None for one in columns})
        if target.one_of:
            rows = [row for row in rows if any(_is(row.get(name), value) for name, value in target.one_of)]
        uri = target.uri if not target.query else target.uri.rpartition("/")[0] + f"/{played_class.name}"
        return cim.written(played_class, rows, uri, columns, self._dialect)

    def _class_and_rows(
        self, target: Target, played: Played, fault: Fault | None
    ) -> tuple[cim.Class, Sequence[cim.Row]]:
        name = target.class_name.lower()
        rows = next((rows for one, rows in played.rows.items() if one.lower() == name), None)
        if name == "win32_operatingsystem":
            rows = [_operating_system(played, rows[0] if rows else {})]
        unknown = rows is None and name not in cim.known_classes()
        if unknown or name in {one.lower() for one in played.absent}:
            raise _no_such_class(target)
        without = next((names for one, names in played.missing_properties.items() if one.lower() == name), frozenset())
        spelled = next((one for one in played.rows if one.lower() == name), target.class_name)
        played_class = cim.class_of_rows(spelled, rows or (), frozenset(without))
        if played_class.namespace != target.namespace:
            raise _no_such_class(target)
        if fault is Fault.EMPTY and (name != "win32_operatingsystem" or name in self._faults):
            rows = ()
        if fault is Fault.SCRAMBLED_IDS:
            rows = [cim.scrambled(row) for row in rows or ()]
        return played_class, rows or ()


def _no_such_class(target: Target) -> Refusal:
    if target.query:
        return refusals.bad_query(target.query, target.namespace, cim_status=refusals.CIM_INVALID_CLASS)
    return refusals.not_found(cim_status=refusals.CIM_INVALID_CLASS)


def _refuse_by_fault(fault: Fault | None) -> None:
    match fault:
        case Fault.REFUSED:
            raise refusals.access_denied()
        case Fault.ACCESS_CIM:
            raise refusals.access_denied_by_wmi()
        case Fault.QUOTA:
            raise refusals.too_many_operations()
        case Fault.TIMED_OUT:
            raise refusals.timed_out()


def _operating_system(played: Played, given: cim.Row) -> cim.Row:
    version = played.version or "10.0.20348"
    caption = "Microsoft Windows Server Datacenter"
    return {
        "BuildNumber": version.rpartition(".")[2],
        "Caption": caption,
        "CreationClassName": "Win32_OperatingSystem",
        "CSCreationClassName": "Win32_ComputerSystem",
        "CSName": played.computer,
        "CurrentTimeZone": 0,
        "LocalDateTime": played.clock or datetime.now(UTC),
        "Manufacturer": "Microsoft Corporation",
        "MUILanguages": [played.locale],
        "Name": rf"{caption}|C:\Windows|\Device\Harddisk0\Partition4",
        "OSArchitecture": "64-bit",
        "ProductType": 3,
        "Status": "OK",
        "Version": version,
        **given,
    }


def _keys(played_class: cim.Class) -> frozenset[str]:
    """The key properties, after the CIM schema's parents: a singleton has none that a client must give."""
    if played_class.name == "Win32_OperatingSystem":
        return frozenset()
    names = played_class.properties.keys()
    if "DeviceID" in names and "SystemCreationClassName" in names:
        return frozenset({"SystemCreationClassName", "SystemName", "CreationClassName", "DeviceID"})
    if "SystemCreationClassName" in names:
        return frozenset({"SystemCreationClassName", "SystemName", "CreationClassName", "Name"})
    if "CreationClassName" in names:
        return frozenset({"CreationClassName", "Name"})
    return frozenset({"InstanceID"} if "InstanceID" in names else {"Name"})


def _selected(row: cim.Row, played_class: cim.Class, selectors: Mapping[str, str]) -> bool:
    values = {"creationclassname": played_class.name} | {
        name.lower(): cim.as_text(value) for name, value in row.items() if value is not None
    }
    return all(values.get(name, "").lower() == value.lower() for name, value in selectors.items())


def _folded_namespace(text: str) -> str:
    return text.replace("\\", "/").strip("/").lower()


def _text(parent: ET.Element, namespace: str, name: str) -> str:
    return (parent.findtext(f"{{{namespace}}}{name}") or "").strip()


def _must_understand(header: ET.Element) -> bool:
    """pywinrm writes the attribute without a namespace, and Windows takes it."""
    said = header.get(f"{{{wire.SOAP}}}mustUnderstand") or header.get("mustUnderstand") or ""
    return said.lower() in ("true", "1")
