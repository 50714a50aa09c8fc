"""WS-Management's SOAP: values to bytes and bytes to values. No I/O, and no message that changes anything on a host."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from compliance.errors import LinkError, ReadError, Why
from compliance.wsman import document
from compliance.wsman.document import (
    ADDRESSING,
    ENUMERATION,
    IDENTITY,
    WSMAN,
    Envelope,
    child,
    children,
    names,
    only,
    text_of,
)
from compliance.wsman.fault import fault_in
from compliance.wsman.row import ParsedRow, row

# Octets; larger values are clamped to the host's own limit, 512000 since Server 2012 (MS-WSMV 3.1.4.1.7, 2.2.4.10).
MAX_ENVELOPE_SIZE = 512_000
# Items in an answer: WinRM's MaxBatchItems. Without it a Pull gives one item (WS-Enumeration; WinRb issue 168).
MAX_ELEMENTS = 32_000
# Seconds that a host may work on one message: WinRM's MaxTimeoutms; more is clamped (MS-WSMV 3.1.4.1.6).
OPERATION_SECONDS = 60.0

ENUMERATE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Enumerate"
PULL = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Pull"
RELEASE = "http://schemas.xmlsoap.org/ws/2004/09/enumeration/Release"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
# Identify has no Action header (DSP0226 11); it stands here under its element's name.
IDENTIFY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd/Identify"

READ_ONLY_ACTIONS = frozenset({ENUMERATE, PULL, RELEASE, GET, IDENTIFY})
"""All that this program can ask of a server. None of them creates, changes, deletes or invokes anything."""

READ_ONLY_METHODS = frozenset({"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/StdRegProv/GetStringValue"})
"""The only methods that are ever invoked, by their Action, and in guests alone: a method can do anything, and this one
reads a text of the registry. StdRegProv is in root/cimv2 and root/default alike (Microsoft's page on the class); in
root/cimv2 an account needs no right to a second namespace."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A message, and the id that its answer must relate to."""

    action: str
    message_id: str
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What answers Identify. ``version`` is the system's (``10.0.20348``), None for who isn't logged in (0.0.0);
    ``stack`` is WinRM's own (``3.0``; ``2.0`` on the generation of 2008 R2)."""

    vendor: str
    version: str | None
    protocol: str
    stack: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """One answer of an enumeration. ``last`` is exactly when there is no context to pull with."""

    instances: list[ParsedRow]
    context: str | None
    repaired: bool

    @property
    def last(self) -> bool:
        return self.context is None


# --- requests ---


def identify_request() -> Message:
    content = (
        f'<s:Envelope xmlns:s="{_S}" xmlns:i="{IDENTITY[0]}"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'
    )
    return Message(action=IDENTIFY, message_id="", content=content.encode())


def enumerate_request(resource: str, query: str | None = None, *, seconds: float = OPERATION_SECONDS) -> Message:
    """Start an enumeration. ``query`` is WQL, for which ``resource`` must end in ``/*`` (2150859003 otherwise)."""
    filtered = "" if query is None else f'<w:Filter Dialect="{_WQL}">{_text(query)}</w:Filter>'
    # MaxElements belongs to w: here, since it comes with OptimizeEnumeration (DSP0226 8.2.3), and to n: in a Pull.
    options = f"<w:OptimizeEnumeration/><w:MaxElements>{MAX_ELEMENTS}</w:MaxElements>{filtered}"
    return _request(ENUMERATE, resource, f"<n:Enumerate>{options}</n:Enumerate>", seconds=seconds)


def pull_request(resource: str, context: str, *, seconds: float = OPERATION_SECONDS) -> Message:
    options = f"{_context(context)}<n:MaxElements>{MAX_ELEMENTS}</n:MaxElements>"
    return _request(PULL, resource, f"<n:Pull>{options}</n:Pull>", seconds=seconds)


def release_request(resource: str, context: str, *, seconds: float = OPERATION_SECONDS) -> Message:
    return _request(RELEASE, resource, f"<n:Release>{_context(context)}</n:Release>", seconds=seconds)


def get_request(resource: str, selectors: Mapping[str, str], *, seconds: float = OPERATION_SECONDS) -> Message:
    """Read one instance by its keys; a singleton (Win32_OperatingSystem) has none."""
    keys = "".join(
        f"<w:Selector Name={quoteattr(document.legal(name))}>{_text(value)}</w:Selector>"
        for name, value in selectors.items()
    )
    selected = f"<w:SelectorSet>{keys}</w:SelectorSet>" if keys else ""
    return _request(GET, resource, "", header=selected, seconds=seconds)


def invoke_request(
    resource: str, method: str, arguments: Mapping[str, str], *, seconds: float = OPERATION_SECONDS
) -> Message:
    """Call a method of a class without keys. ``arguments`` by name, in the order of the method's own parameters."""
    action = f"{resource}/{method}"
    if action not in READ_ONLY_METHODS:
        raise ValueError(f"{action} is not known to read only")
    parameters = "".join(f"<r:{name}>{_text(value)}</r:{name}>" for name, value in arguments.items())
    body = f"<r:{method}_INPUT xmlns:r={quoteattr(resource)}>{parameters}</r:{method}_INPUT>"
    return _request(action, resource, body, seconds=seconds)


# --- answers: each raises Fault for a SOAP fault and ReadError (BROKEN) for what it can't read ---


def page(reply: bytes, relates_to: str, wanted: frozenset[str] | None = None) -> Page:
    """Return instances and context of an EnumerateResponse or PullResponse; of each instance the ``wanted`` properties.

    The end is EndOfSequence, in either namespace: Windows uses w: in the first answer, n: in a Pull (83 of 83
    recordings, txwinrm), OMI leaves a context beside it. No context is no end: by WS-Enumeration 3.2 the former one
    would still be good, so an answer that has neither is refused, or the rest would be missing in silence.
    """
    answer = _answer(reply, relates_to)
    response = only(answer.body, _RESPONSES)
    if response is None:
        raise ReadError("the answer is no EnumerateResponse or PullResponse", why=Why.BROKEN)
    ended = child(response, _END) is not None
    context = text_of(only(response, _CONTEXT))
    if not (ended or context):
        raise ReadError("the answer tells neither its end nor how to go on", why=Why.BROKEN)
    items = (item for held in children(response, _ITEMS) for item in held)
    return Page(
        # An Item wraps the instance and its reference when EnumerateObjectAndEPR was asked (DSP0226 8.7).
        instances=[row(item[0] if item.tag.casefold() in _ITEM and len(item) else item, wanted) for item in items],
        context=None if ended else context,
        repaired=answer.repaired,
    )


def instance(reply: bytes, relates_to: str) -> ParsedRow:
    """Return the instance in the answer to a Get."""
    answer = _answer(reply, relates_to)
    if not len(answer.body):
        raise ReadError("the answer to Get is empty", why=Why.BROKEN)
    return row(answer.body[0])


def output(reply: bytes, relates_to: str, resource: str, method: str) -> ParsedRow:
    """Return what a method gave: its ReturnValue and its out parameters. One that failed answers in the same form, so
    what ReturnValue says is for the caller to look at."""
    answer = _answer(reply, relates_to)
    values = only(answer.body, names(f"{method}_OUTPUT", (resource,)))
    if values is None or len(answer.body) > 1:
        raise ReadError(f"the answer is no {method}_OUTPUT", why=Why.BROKEN)
    return row(values)


def identity(reply: bytes) -> Identity:
    """Return who answers. Identify has no addressing headers, so there is nothing to relate."""
    answer = document.document(reply)
    _raise_fault(answer)
    response = only(answer.body, names("IdentifyResponse", IDENTITY))
    if response is None:
        raise ReadError("the answer is no IdentifyResponse", why=Why.BROKEN)
    product = text_of(child(response, names("ProductVersion", IDENTITY)))
    version, stack = _SYSTEM.search(product), _STACK.search(product)
    return Identity(
        vendor=text_of(child(response, names("ProductVendor", IDENTITY))),
        version=None if version is None or version[1] == "0.0.0" else version[1],
        protocol=text_of(child(response, names("ProtocolVersion", IDENTITY))),
        stack=stack and stack[1],
    )


# --- parts ---

_S = document.SOAP[0]
_WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
_MICROSOFT = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
_ANONYMOUS = f"{ADDRESSING[0]}/role/anonymous"
# Any URL will do: the host doesn't compare it with itself (txwinrm sends another machine's name to all).
_TO = "http://localhost:5985/wsman"

_SYSTEM = re.compile(r"OS:\s*([0-9]{1,8}\.[0-9]{1,8}\.[0-9]{1,8})\b")
_STACK = re.compile(r"Stack:\s*([0-9]{1,4}\.[0-9]{1,4})\b")
_RESPONSES = names("EnumerateResponse", ENUMERATION) | names("PullResponse", ENUMERATION)
_CONTEXT = names("EnumerationContext", ENUMERATION)
_ITEMS = names("Items", WSMAN, ENUMERATION)
_ITEM = names("Item", WSMAN)
_END = names("EndOfSequence", WSMAN, ENUMERATION)
_RELATES_TO = names("RelatesTo", ADDRESSING)


def _request(action: str, resource: str, body: str, *, header: str = "", seconds: float) -> Message:
    message_id = f"uuid:{str(uuid.uuid4()).upper()}"
    content = (
        f'<s:Envelope xmlns:s="{_S}" xmlns:a="{ADDRESSING[0]}" xmlns:n="{ENUMERATION[0]}" xmlns:w="{WSMAN[0]}"'
        f' xmlns:p="{_MICROSOFT}"><s:Header>'
        f"<a:To>{_TO}</a:To>"
        f'<w:ResourceURI s:mustUnderstand="true">{_text(resource)}</w:ResourceURI>'
        f'<a:ReplyTo><a:Address s:mustUnderstand="true">{_ANONYMOUS}</a:Address></a:ReplyTo>'
        f'<a:Action s:mustUnderstand="true">{action}</a:Action>'
        f'<w:MaxEnvelopeSize s:mustUnderstand="true">{MAX_ENVELOPE_SIZE}</w:MaxEnvelopeSize>'
        f"<a:MessageID>{message_id}</a:MessageID>"
        # With mustUnderstand the service refuses a locale that it hasn't got (2150858887).
        '<w:Locale xml:lang="en-US" s:mustUnderstand="false"/>'
        '<p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>'
        f"<w:OperationTimeout>PT{max(seconds, 0.001):.3f}S</w:OperationTimeout>"
        f"{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )
    return Message(action=action, message_id=message_id, content=content.encode())


def _context(context: str) -> str:
    return f"<n:EnumerationContext>{_text(context)}</n:EnumerationContext>"


def _text(value: str) -> str:
    return escape(document.legal(value), {"\r": "&#13;"})


def _answer(reply: bytes, relates_to: str) -> Envelope:
    """Return the answer to our message. Raises Fault where it is one, LinkError where it answers another message.

    A success must name ours in RelatesTo: all that were recorded do. Some faults have none (WinRb's wmi_error_v2
    recording), and IdentifyResponse has no header at all, so those are tied by the channel alone: one HTTP answer for
    one request and none besides (``gauge``), over TLS, or sealed with a count that moves on with each (``sealing``).
    """
    answer = document.document(reply)
    related = text_of(only(answer.header, _RELATES_TO))
    if related:
        _refuse_stranger(related, relates_to)
    _raise_fault(answer)
    if not related:
        raise LinkError("the answer does not say which message it answers (no RelatesTo)", why=Why.BROKEN)
    return answer


def _refuse_stranger(related: str, relates_to: str) -> None:
    if related.casefold() != relates_to.casefold():
        raise LinkError("the answer belongs to another message (RelatesTo is not our MessageID)", why=Why.BROKEN)


def _raise_fault(answer: Envelope) -> None:
    fault = fault_in(answer.body)
    if fault is not None:
        raise fault
