"""Every recorded form of a fault, and some that nobody recorded yet."""

from __future__ import annotations

import pytest

from compliance.errors import Why
from compliance.wsman import envelope
from compliance.wsman.fault import Fault, one_line
from tests.wsman.samples import ID, OMI_ERROR, WMI, fault, provider_fault, wmi_error, wsman_fault
from tests.wsman.samples import envelope as sample

INNER_ACCESS = wsman_fault("2150858752", "outer", provider_fault(wsman_fault("5", "Access is denied. ")))
STANDARD = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/standardcimv2"
FAULTS: list[tuple[str, bytes, Why, int | None, str | None]] = [
    (
        "invalid class by WQL",
        fault("n:CannotProcessFilter", wsman_fault("2150858778", "", provider_fault(wsman_fault("2150858778")))),
        Why.REFUSED,
        2150858778,
        "CannotProcessFilter",
    ),
    (
        "not found by URI",
        fault("a:DestinationUnreachable", wsman_fault("2150858752", "", provider_fault(wsman_fault("2150858752")))),
        Why.ABSENT,
        2150858752,
        "DestinationUnreachable",
    ),
    (
        "invalid namespace",
        fault("n:CannotProcessFilter", wmi_error(2150858778, 3)),
        Why.ABSENT,
        2150858778,
        "CannotProcessFilter",
    ),
    ("operations", fault("w:InternalError", wsman_fault("2150859174")), Why.BUSY, 2150859174, "InternalError"),
    (
        "quota without RelatesTo",
        fault("w:QuotaLimit", wmi_error(2150859173, 27), relates_to=None),
        Why.BUSY,
        2150859173,
        "QuotaLimit",
    ),
    ("timed out", fault("w:TimedOut", wsman_fault("2150858793")), Why.TIMED_OUT, 2150858793, "TimedOut"),
    ("access denied", fault("w:AccessDenied", wsman_fault("5")), Why.NOT_PERMITTED, 5, "AccessDenied"),
    (
        "context",
        fault("n:InvalidEnumerationContext", wsman_fault("2150858779")),
        Why.BROKEN,
        2150858779,
        "InvalidEnumerationContext",
    ),
    ("encoding limit", fault("w:EncodingLimit", wsman_fault("2150858824")), Why.TOO_LARGE, 2150858824, "EncodingLimit"),
    ("selectors", fault("w:InvalidSelectors", wsman_fault("2150858843")), Why.REFUSED, 2150858843, "InvalidSelectors"),
    (
        "datetime",
        fault("w:SchemaValidationError", wmi_error(2150858817, 1)),
        Why.REFUSED,
        2150858817,
        "SchemaValidationError",
    ),
    (
        "generic failure",
        fault("w:InternalError", wmi_error(0x80041001, 1, namespace=WMI)),
        Why.BROKEN,
        0x80041001,
        "InternalError",
    ),
    (
        "header",
        fault("a:InvalidMessageInformationHeader", wsman_fault("2150858767")),
        Why.BROKEN,
        2150858767,
        "InvalidMessageInformationHeader",
    ),
    ("WQL on a class", fault("w:InternalError", wsman_fault("2150859003")), Why.REFUSED, 2150859003, "InternalError"),
    (
        "dialect",
        fault("n:FilterDialectRequestedUnavailable", ""),
        Why.REFUSED,
        None,
        "FilterDialectRequestedUnavailable",
    ),
    (
        "WMI refuses",
        fault("w:InternalError", wsman_fault("0x80338104")),
        Why.NOT_PERMITTED,
        2150859012,
        "InternalError",
    ),
    ("WMI access", fault("w:InternalError", wmi_error(0x80041003, 2)), Why.NOT_PERMITTED, 0x80041003, "InternalError"),
    ("status alone", fault("w:InternalError", wmi_error(0, 2)), Why.NOT_PERMITTED, None, "InternalError"),
    (
        "the innermost counts",
        fault("a:DestinationUnreachable", INNER_ACCESS),
        Why.NOT_PERMITTED,
        5,
        "DestinationUnreachable",
    ),
    ("inner zero", fault("w:X", wsman_fault("5", "", provider_fault(wsman_fault("0")))), Why.NOT_PERMITTED, 5, "X"),
    ("signed", fault("w:X", wsman_fault("-2147217405")), Why.NOT_PERMITTED, 0x80041003, "X"),
    (
        "provider's own namespace",
        fault("w:X", wmi_error(0x80041010, 5, namespace=STANDARD)),
        Why.ABSENT,
        0x80041010,
        "X",
    ),
    (
        "Hyper-V's own error",
        fault("w:X", wmi_error(0x80041002, 6, cls="Msvm_Error", namespace=WMI)),
        Why.ABSENT,
        0x80041002,
        "X",
    ),
    ("OMI", fault("w:X", OMI_ERROR), Why.ABSENT, None, "X"),
    ("plug-in quota", fault("w:X", wsman_fault("2150859240")), Why.BUSY, 2150859240, "X"),
    ("damaged code", fault("w:X", wsman_fault("five")), Why.BROKEN, None, "X"),
    ("endless code", fault("w:X", wsman_fault("9" * 5000)), Why.BROKEN, None, "X"),
    ("no detail", fault("w:AccessDenied", ""), Why.NOT_PERMITTED, None, "AccessDenied"),
    ("nothing at all", sample("<s:Fault/>"), Why.BROKEN, None, None),
    (
        "UTF-16",
        fault("w:AccessDenied", wsman_fault("5")).decode().encode("utf-16"),
        Why.NOT_PERMITTED,
        5,
        "AccessDenied",
    ),
]


@pytest.mark.parametrize(
    ("reply", "why", "code", "subcode"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS]
)
def test_faults(reply: bytes, why: Why, code: int | None, subcode: str | None) -> None:
    with pytest.raises(Fault) as caught:
        envelope.page(reply, ID)
    error = caught.value
    assert (error.why, error.code, error.subcode) == (why, code, subcode)
    assert "\n" not in str(error)
    for read in (lambda: envelope.instance(reply, ID), lambda: envelope.identity(reply)):
        with pytest.raises(Fault):
            read()


def test_a_fault_tells_all_it_knows() -> None:
    with pytest.raises(Fault) as caught:
        envelope.page(fault("a:DestinationUnreachable", INNER_ACCESS), ID)
    error = caught.value
    assert (error.text, error.provider, error.outer) == ("Access is denied.", "WMI Provider", 2150858752)
    assert str(error) == "Access is denied. [DestinationUnreachable, fault 5 (0x00000005), WMI Provider]"


def test_a_hosts_text_is_one_harmless_line() -> None:
    assert one_line("a\n\x1b[31mb\u202ec\td") == "a [31mb c d"
    assert len(one_line("x" * 100_000)) == 300
