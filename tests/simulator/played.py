"""What a simulated server plays: rows of classes, a version, and the ways in which it may misbehave."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

ANY_CLASS = "*"


@dataclass(frozen=True, kw_only=True)
class Played:
    """What one server answers.

    A value is text, a number, a boolean, None, an aware datetime, a timedelta, or a list or tuple of those. Text in a
    property whose CIM type is datetime may also be what the wire shows (`2026-03-09T02:57:32.5Z`, `P0DT0H1M40S`). A
    mapping is an embedded object.
    """

    rows: Mapping[str, Sequence[Mapping[str, object]]]
    version: str = "10.0.20348"
    computer: str = "HV01"
    clock: datetime | None = None
    locale: str = "en-US"
    absent: frozenset[str] = frozenset()
    missing_properties: Mapping[str, frozenset[str]] = field(default_factory=dict)
    namespaces: frozenset[str] = frozenset({"root/cimv2", "root/virtualization/v2"})
    registry: Mapping[str, str | tuple[str, str | None]] | None = None
    """Of a guest: path that begins with HKLM -> text, or ReturnValue and sValue as they are sent. None: a server,
    of which nobody may ask a method."""


class Fault(enum.Enum):
    """What goes wrong with a class, or with the whole server when the key is `*`."""

    # Answers of the service: only what concerns classes. Identify goes on working.
    EMPTY = "the class has no instances; with * every class but Win32_OperatingSystem"
    REFUSED = "WSManFault 5, access denied"
    WQL_REFUSED = "any WQL gets CannotProcessFilter, plain enumeration works"
    ACCESS_CIM = "MSFT_WmiError with CIMStatusCode 2 and HRESULT 0x80041003, without RelatesTo"
    QUOTA = "WSManFault 2150859174, too many operations"
    TIMED_OUT = "WSManFault 2150858793, at once"
    EXPIRED_CONTEXT = "the first Pull of the class gets InvalidEnumerationContext, later ones work"
    ENDLESS = "Pull never comes to an end"
    SAME_CONTEXT = "Pull never comes to an end, and its context is always the same"
    SCRAMBLED_IDS = "identifiers in another form: GUIDs in braces, MS/ in place of Microsoft:"

    # What follows spoils every answer of the class, with `*` also Identify's (mischief.py): another text ...
    WRONG_RELATES_TO = "the answer names another request"
    DOCTYPE = "the answer has a DOCTYPE with nested entities"
    EXTERNAL_ENTITIES = "the answer has entities that name a file and redirect_to"
    DEEP = "a value nests 200,000 levels deep"
    BROAD = "an element in a value has 50,000 attributes"
    NOT_UTF8 = "a value has octets that are no UTF-8"
    CONTROL_CHARACTERS = "a value has characters that XML forbids"

    # ... another answer ...
    REDIRECT = "HTTP 302 to redirect_to"
    REDIRECT_307 = "HTTP 307 to redirect_to, so that the method and the body are kept"
    FORGOTTEN = "HTTP 400 without a body, as when a sealed message comes from a session that is not known (any more)"
    LOCKED_OUT = "HTTP 401 although the login was good"
    HTML_404 = "HTTP 404 with a page"
    PROXY_407 = "HTTP 407 of a proxy that wants a login"
    EMPTY_413 = "HTTP 413 without a body"
    EMPTY_500 = "HTTP 500 without a body"
    GATEWAY_502 = "HTTP 502 with a page in a code page"
    HTML_503 = "HTTP 503 with the page of HTTP.sys"
    PORTAL = "HTTP 200 with a page that wants a password"
    BOMB = "100 MB, packed into a hundredth"

    # ... or an answer that comes in another way.
    STALL = "the request is read and never answered"
    STALL_IN_TLS = "the TLS handshake never ends; for `*` only"
    STALL_IN_BODY = "the second half of the body never comes"
    DRIP = "one byte of the answer every 0.2 seconds"
    DRIP_HEAD = "one byte of a header every 0.2 seconds, for ever"
    CUT = "the connection closes in the middle of the body"
    FLOOD = "the body never ends"
    FLOOD_ANNOUNCED = "a body of 100 MB, as Content-Length says"
    ABSURD_401 = "HTTP 401 with a body of 10 GB"


@dataclass(frozen=True, kw_only=True)
class Message:
    """A request that was authenticated and had a SOAP body."""

    action: str  # its last part: Enumerate, Pull, Release, Get, Identify; "" when the body is not SOAP
    resource: str  # the resource URI as it was sent
    query: str  # the WQL text
    bytes_in: int  # the body as it travelled, sealed or not
    bytes_out: int  # 0 when there is no ordinary answer
    status: int  # 0 when there is none
