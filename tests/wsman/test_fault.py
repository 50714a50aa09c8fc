"""What a fault means: every refusal that is known of Windows, in recorded forms and some that nobody recorded yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from compliance.errors import Why
from compliance.wsman import envelope
from compliance.wsman.fault import TEXT_LIMIT, Fault
from tests.wsman.samples import ID, OMI_ERROR, WMI, fault, provider_fault, wmi_error, wsman_fault
from tests.wsman.samples import envelope as sample

Detail = Callable[[str], str]
"""A fault's detail with this code in it, as the host would write it: decimal, or 0x and hexadecimal."""


def alone(code: str) -> str:
    return wsman_fault(code)


def nested(code: str) -> str:
    return wsman_fault(code, "", provider_fault(wsman_fault(code)))


def told(code: str) -> str:
    """The provider says plain text where others nest a second WSManFault."""
    return wsman_fault(code, "", provider_fault("The parameter is incorrect."))


def cim(status: int) -> Detail:
    return lambda code: wmi_error(int(code, 0), status)


def nothing(_code: str) -> str:
    return ""


# What went wrong, how it is told, SOAP's subcode, the code, and what it means to us. What comes as bare HTTP is in
# test_connection.py.
TABLE: list[tuple[str, Detail, str, int, Why]] = [
    ("invalid class in WQL", nested, "n:CannotProcessFilter", 2150858778, Why.REFUSED),
    ("bad WQL", alone, "n:CannotProcessFilter", 2150858778, Why.REFUSED),
    ("invalid namespace in WQL", cim(3), "n:CannotProcessFilter", 2150858778, Why.ABSENT),
    ("invalid class by status", cim(5), "n:CannotProcessFilter", 2150858778, Why.ABSENT),
    ("not found by URI", nested, "a:DestinationUnreachable", 2150858752, Why.ABSENT),
    ("no resource URI", alone, "a:DestinationUnreachable", 2150858754, Why.ABSENT),
    ("unknown prefix of a URI", alone, "a:DestinationUnreachable", 2150858811, Why.ABSENT),
    ("WQL on a class", alone, "w:InvalidParameter", 2150859003, Why.REFUSED),
    ("keys in an Enumerate", alone, "a:DestinationUnreachable", 2150859016, Why.REFUSED),
    ("namespaces differ", alone, "a:DestinationUnreachable", 2150859067, Why.REFUSED),
    ("access denied", alone, "w:AccessDenied", 5, Why.NOT_PERMITTED),
    ("access denied as HRESULT", alone, "w:AccessDenied", 0x80070005, Why.NOT_PERMITTED),
    ("WMI's service refuses", alone, "w:AccessDenied", 2150859012, Why.NOT_PERMITTED),
    ("WMI's provider refuses", alone, "w:AccessDenied", 2150859013, Why.NOT_PERMITTED),
    ("no connection to WMI", alone, "w:AccessDenied", 2150859014, Why.NOT_PERMITTED),
    ("WMI refuses, as a CIM error", cim(2), "w:AccessDenied", 0x80041003, Why.NOT_PERMITTED),
    ("remote access is off", alone, "w:AccessDenied", 2150859229, Why.NOT_PERMITTED),
    ("remote access to the plug-in is off", alone, "w:InternalError", 2150859235, Why.NOT_PERMITTED),
    ("operations of a user", alone, "w:InternalError", 2150859174, Why.BUSY),
    ("shells of a user", cim(27), "w:QuotaLimit", 2150859173, Why.BUSY),
    ("load of a user", alone, "w:QuotaLimit", 2150859175, Why.BUSY),
    ("load of the system", alone, "w:InternalError", 2150859176, Why.BUSY),
    ("users of a plug-in", alone, "w:InternalError", 2150859237, Why.BUSY),
    ("operations of a plug-in", alone, "w:InternalError", 2150859239, Why.BUSY),
    ("operations of a user and plug-in", alone, "w:InternalError", 2150859240, Why.BUSY),
    ("resources of a plug-in", alone, "w:InternalError", 2150859242, Why.BUSY),
    ("busy", alone, "w:QuotaLimit", 2150858815, Why.BUSY),
    ("timed out", alone, "w:TimedOut", 2150858793, Why.TIMED_OUT),
    ("nothing to pull yet", alone, "n:TimedOut", 2150858780, Why.TIMED_OUT),
    ("context unknown", alone, "n:InvalidEnumerationContext", 2150858779, Why.BROKEN),
    ("context closed", alone, "n:InvalidEnumerationContext", 2150858759, Why.BROKEN),
    ("context lost by a failed Pull", alone, "w:InternalError", 2150858884, Why.BROKEN),
    ("a Pull unlike its Enumerate", alone, "w:InternalError", 2150859181, Why.BROKEN),
    ("an item larger than the envelope", alone, "w:EncodingLimit", 2150858824, Why.TOO_LARGE),
    ("an answer larger than the service's limit", alone, "w:EncodingLimit", 2150858825, Why.TOO_LARGE),
    ("an envelope that is too large", alone, "w:EncodingLimit", 2150858790, Why.TOO_LARGE),
    ("MaxEnvelopeSize below 8192", alone, "w:EncodingLimit", 2150858878, Why.BROKEN),
    ("selectors missing", alone, "w:InvalidSelectors", 2150858842, Why.REFUSED),
    ("selectors unexpected", alone, "w:InvalidSelectors", 2150858843, Why.REFUSED),
    ("selectors of a wrong value", alone, "w:InvalidSelectors", 2150858845, Why.REFUSED),
    ("a bad header", alone, "a:InvalidMessageInformationHeader", 2150858767, Why.BROKEN),
    ("a datetime that can't be written", cim(1), "w:SchemaValidationError", 2150858817, Why.REFUSED),
    ("a body against the schema", alone, "w:SchemaValidationError", 2150858817, Why.REFUSED),
    ("unknown dialect", alone, "n:FilterDialectRequestedUnavailable", 2150858777, Why.REFUSED),
    ("invalid parameter", told, "w:InvalidParameter", 87, Why.REFUSED),
    ("invalid parameter inside", told, "w:InternalError", 87, Why.REFUSED),
    ("a Win32 error of a provider", told, "w:InternalError", 0x80070002, Why.BROKEN),
    ("embedded too deep", alone, "w:InternalError", 2150859008, Why.REFUSED),
    ("a reference to another machine", alone, "w:InternalError", 2150859009, Why.REFUSED),
    *(
        (f"WMI error {code:#x} {how}", form, "w:InternalError", code, why)
        # Which of the two a class uses nobody has recorded.
        for how, form in (("nested", nested), ("as a CIM error", cim(1)))
        for code, why in (
            (0x80041001, Why.BROKEN),
            (0x80041002, Why.ABSENT),
            (0x80041003, Why.NOT_PERMITTED),
            (0x8004100E, Why.ABSENT),
            (0x80041010, Why.ABSENT),
            (0x80041017, Why.REFUSED),
            (0x80041033, Why.BUSY),
        )
    ),
]


def read_as(reply: bytes) -> Fault:
    """The fault that each reader of answers finds in ``reply``."""
    readers = (partial(envelope.page, relates_to=ID), partial(envelope.instance, relates_to=ID), envelope.identity)
    found = []
    for read in readers:
        with pytest.raises(Fault) as caught:
            read(reply)
        found.append(caught.value)
    assert len({str(one) for one in found}) == 1
    assert "\n" not in str(found[0])
    return found[0]


@pytest.mark.parametrize("written", ["{}", "{:#x}", "0X{:08X}"])
@pytest.mark.parametrize(
    ("detail", "subcode", "code", "why"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_what_a_fault_means(detail: Detail, subcode: str, code: int, why: Why, written: str) -> None:
    found = read_as(fault(subcode, detail(written.format(code))))
    assert (found.why, found.code, found.subcode) == (why, code, subcode.partition(":")[2])
    assert found.context_expired == (code in (2150858779, 2150858759, 2150858884))


INNER_ACCESS = wsman_fault("2150858752", "outer", provider_fault(wsman_fault("5", "Access is denied. ")))
STANDARD = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2"
STORAGE = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/microsoft/windows/storage"
DENIED = fault("w:AccessDenied", wsman_fault("5", "Zugriff verweigert: \u00fc"))
FORMS: list[tuple[str, bytes, Why, int | None, str | None]] = [
    ("without RelatesTo", fault("w:QuotaLimit", wmi_error(1, 27), relates_to=None), Why.BUSY, 1, "QuotaLimit"),
    ("the innermost counts", fault("w:X", INNER_ACCESS), Why.NOT_PERMITTED, 5, "X"),
    ("inner zero", fault("w:X", wsman_fault("5", "", provider_fault(wsman_fault("0")))), Why.NOT_PERMITTED, 5, "X"),
    ("inner unknown", fault("w:X", wsman_fault("5", "", provider_fault(wsman_fault("9")))), Why.NOT_PERMITTED, 9, "X"),
    ("signed", fault("w:X", wsman_fault("-2147217405")), Why.NOT_PERMITTED, 0x80041003, "X"),
    ("CIM error in root/virtualization/v2", fault("w:X", wmi_error(1, 2, namespace=WMI)), Why.NOT_PERMITTED, 1, "X"),
    ("CIM error in root/standardcimv2", fault("w:X", wmi_error(1, 5, namespace=STANDARD)), Why.ABSENT, 1, "X"),
    ("CIM error elsewhere", fault("w:X", wmi_error(1, 3, namespace=STORAGE)), Why.ABSENT, 1, "X"),
    ("Hyper-V's own error", fault("w:X", wmi_error(0x80041002, 6, cls="Msvm_Error")), Why.ABSENT, 0x80041002, "X"),
    ("another CIM error", fault("w:X", wmi_error(1, 15, cls="Vendor_Error")), Why.REFUSED, 1, "X"),
    ("OMI's error", fault("w:X", OMI_ERROR), Why.ABSENT, None, "X"),
    ("status alone", fault("w:InternalError", wmi_error(0, 2)), Why.NOT_PERMITTED, None, "InternalError"),
    ("damaged code", fault("w:X", wsman_fault("five")), Why.BROKEN, None, "X"),
    ("endless code", fault("w:X", wsman_fault("9" * 5000)), Why.BROKEN, None, "X"),
    ("code cut off", fault("w:InternalError", wsman_fault("")), Why.BROKEN, None, "InternalError"),
    ("no detail", fault("w:AccessDenied", ""), Why.NOT_PERMITTED, None, "AccessDenied"),
    ("no detail, too large", fault("w:EncodingLimit", ""), Why.TOO_LARGE, None, "EncodingLimit"),
    ("no detail, busy", fault("w:Concurrency", ""), Why.BUSY, None, "Concurrency"),
    ("nothing at all", sample("<s:Fault/>"), Why.BROKEN, None, None),
    ("UTF-16", DENIED.decode().encode("utf-16"), Why.NOT_PERMITTED, 5, "AccessDenied"),
    ("UTF-16, big-endian, no mark", DENIED.decode().encode("utf-16-be"), Why.NOT_PERMITTED, 5, "AccessDenied"),
    ("a code page", DENIED.decode().encode("cp1252"), Why.NOT_PERMITTED, 5, "AccessDenied"),
]


@pytest.mark.parametrize(
    ("reply", "why", "code", "subcode"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS]
)
def test_how_a_fault_may_be_told(reply: bytes, why: Why, code: int | None, subcode: str | None) -> None:
    found = read_as(reply)
    assert (found.why, found.code, found.subcode) == (why, code, subcode)


def test_a_fault_tells_all_it_knows() -> None:
    found = read_as(fault("n:CannotProcessFilter", told("87")))
    assert (found.text, found.provider, found.outer) == ("The parameter is incorrect.", "WMI Provider", 87)
    assert str(found) == "The parameter is incorrect. [CannotProcessFilter, fault 87 (0x00000057), WMI Provider]"


WINRM, NAMESPACE, HYPERV = "Remote Management Users", "Remote Enable", "Hyper-V Administrators"
PLUGIN = "wsman/1/wmi/ WmiNamespace"
RIGHTS: list[tuple[str, str, set[str]]] = [
    ("WinRM", wsman_fault("5"), {WINRM}),
    ("WinRM, as HRESULT", wsman_fault("0x80070005"), {WINRM}),
    ("WinRM, and nobody knows why", wsman_fault("5", "", wsman_fault("9")), {WINRM}),
    ("a provider behind WinRM", INNER_ACCESS, {NAMESPACE, PLUGIN}),
    ("the namespace", wmi_error(0x80041003, 2), {NAMESPACE}),
    ("WMI's service", wsman_fault("2150859012"), {NAMESPACE, PLUGIN}),
    ("WMI's provider", wsman_fault("2150859013"), {NAMESPACE, HYPERV}),
    ("the way to WMI", wsman_fault("2150859014"), {NAMESPACE, PLUGIN}),
    ("remote access", wsman_fault("2150859229"), set()),
    ("remote access to the plug-in", wsman_fault("2150859235"), set()),
    ("nobody knows", "", {WINRM, NAMESPACE, HYPERV}),
]


@pytest.mark.parametrize(("detail", "named"), [row[1:] for row in RIGHTS], ids=[row[0] for row in RIGHTS])
def test_who_is_not_permitted_hears_which_right_is_missing(detail: str, named: set[str]) -> None:
    found = read_as(fault("w:AccessDenied", detail))
    assert found.why is Why.NOT_PERMITTED
    assert {right for right in (WINRM, NAMESPACE, HYPERV, PLUGIN) if right in str(found)} == named
    assert "likely missing: " in str(found)


def test_who_is_refused_otherwise_hears_of_no_right() -> None:
    assert not [row[0] for row in TABLE if row[4] is not Why.NOT_PERMITTED and "missing" in _text_of(row)]


def _text_of(row: tuple[str, Detail, str, int, Why]) -> str:
    _, detail, subcode, code, _ = row
    return str(read_as(fault(subcode, detail(str(code)))))


def test_a_hosts_text_is_one_harmless_line() -> None:
    text = f"a\nb\u202ec\td \x1b[31m{'x' * 100_000}".replace("\x1b", "")
    with pytest.raises(Fault) as caught:
        envelope.page(fault("w:InternalError", wsman_fault("1", text)), ID)
    assert caught.value.text.startswith("a b\\u202ec d [31mxx")
    assert len(caught.value.text) == TEXT_LIMIT
