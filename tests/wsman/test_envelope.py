"""SOAP to values and back, in tables: the recorded shapes, the tolerated ones, and the refused ones."""

from __future__ import annotations

from contextlib import suppress
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import LinkError, ReadError, Why
from compliance.wsman import envelope
from compliance.wsman.document import legal
from compliance.wsman.fault import Fault
from compliance.wsman.row import DEPTH, ParsedRow
from tests.wsman.samples import (
    ANONYMOUS,
    EPR,
    ID,
    IDENTIFY_RESPONSE,
    WMI,
    fault,
    first,
    fragment,
    machine,
    pulled,
    typed,
)
from tests.wsman.samples import envelope as sample

# --- instances ---

REFERENCE = (
    f"<p:ManagedElement {EPR}><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>"
    f"<w:ResourceURI>{WMI}/Msvm_ComputerSystem</w:ResourceURI><w:SelectorSet>"
    '<w:Selector Name="CreationClassName">Msvm_ComputerSystem</w:Selector>'
    '<w:Selector Name="Name">a=b&amp;c</w:Selector></w:SelectorSet></a:ReferenceParameters></p:ManagedElement>'
)
EMBEDDED = {"S": "A=1 %26 2&B=3"}
NESTED_REFERENCE = (
    f"<p:Dependent {EPR}><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>"
    f"<w:ResourceURI>{WMI}/B</w:ResourceURI><w:SelectorSet><w:Selector Name='Antecedent'><a:EndpointReference>"
    f"<a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>{WMI}/A</w:ResourceURI></a:ReferenceParameters>"
    "</a:EndpointReference></w:Selector></w:SelectorSet></a:ReferenceParameters></p:Dependent>"
)

ROWS: list[tuple[str, str, ParsedRow]] = [
    ("text", "<p:Name>vmms</p:Name>", {"Name": "vmms"}),
    ("unicode", "<p:Name>web &amp; db – 東京</p:Name>", {"Name": "web & db – 東京"}),
    ("white space is the value's", "<p:Name> a b </p:Name>", {"Name": " a b "}),
    ("empty", "<p:Name></p:Name>", {"Name": ""}),
    ("nil", '<p:Name xsi:nil="true"/>', {"Name": None}),
    ("nil as 1", '<p:Name xsi:nil="1"/>', {"Name": None}),
    ("not nil", '<p:Name xsi:nil="false"/>', {"Name": ""}),
    ("absent", "", {}),
    ("array", "<p:N>1</p:N><p:N>2</p:N><p:N>3</p:N>", {"N": ["1", "2", "3"]}),
    ("array of one", "<p:N>1</p:N>", {"N": "1"}),
    ("array with nil", '<p:N>1</p:N><p:N xsi:nil="true"/>', {"N": ["1", None]}),
    ("typed property", '<p:N xsi:type="cim:cimString">1</p:N>', {"N": "1"}),
    ("datetime", "<p:D><cim:Datetime>2025-12-17T09:55:22.7Z</cim:Datetime></p:D>", {"D": "2025-12-17T09:55:22.7Z"}),
    ("datetime, bare", "<p:D>2025-12-17T09:55:22Z</p:D>", {"D": "2025-12-17T09:55:22Z"}),
    ("datetime, un-namespaced", "<p:D><Datetime>2025-12-17T09:55:22Z</Datetime></p:D>", {"D": "2025-12-17T09:55:22Z"}),
    ("datetime, nil", '<p:D><cim:Datetime xsi:nil="true"/></p:D>', {"D": None}),
    (
        "datetimes",
        "<p:D><cim:Datetime>a</cim:Datetime></p:D><p:D><cim:Datetime>b</cim:Datetime></p:D>",
        {"D": ["a", "b"]},
    ),
    ("interval", "<p:D><cim:Interval>P0DT0H1M40S</cim:Interval></p:D>", {"D": "P0DT0H1M40S"}),
    (
        "CIM_DateTime",
        "<p:D><cim:CIM_DateTime>20251217095522.000000+000</cim:CIM_DateTime></p:D>",
        {"D": "20251217095522.000000+000"},
    ),
    (
        "reference",
        REFERENCE,
        {"ManagedElement": f"{WMI}/Msvm_ComputerSystem?CreationClassName=Msvm_ComputerSystem&Name=a%3Db%26c"},
    ),
    ("reference in a reference", NESTED_REFERENCE, {"Dependent": f"{WMI}/B?Antecedent={WMI}/A"}),
    ("embedded object", "<p:S><q:A xmlns:q='q'>1 &amp; 2</q:A><q:B xmlns:q='q'><q:C>3</q:C></q:B></p:S>", EMBEDDED),
    ("one in its class's element", "<p:S><q:C xmlns:q='q'><q:A>1 &amp; 2</q:A><q:B>3</q:B></q:C></p:S>", EMBEDDED),
    ("comment", "<p:Name>a<!-- b -->c</p:Name>", {"Name": "ac"}),
    ("CDATA", "<p:Name><![CDATA[<INSTANCE>]]></p:Name>", {"Name": "<INSTANCE>"}),
]


@pytest.mark.parametrize(("properties", "row"), [case[1:] for case in ROWS], ids=[case[0] for case in ROWS])
def test_rows(properties: str, row: ParsedRow) -> None:
    assert envelope.page(first(typed("Msvm_X", properties)), ID).instances == [row]
    bare = properties.replace("<p:", "<").replace("</p:", "</")
    if "cim:" not in bare:
        assert envelope.page(first(fragment(bare)), ID).instances == [row]
    assert envelope.instance(sample(typed("Msvm_X", properties)), ID) == row


def test_a_projection() -> None:
    items = fragment(
        '<Name>a</Name><InstallDate><Datetime>2026-03-09T02:57:32.5Z</Datetime></InstallDate><S xsi:nil="true"/>'
    )
    assert envelope.page(first(items), ID).instances == [
        {"Name": "a", "InstallDate": "2026-03-09T02:57:32.5Z", "S": None}
    ]


def test_an_object_with_its_reference() -> None:
    item = f"<w:Item>{machine('a')}<a:EndpointReference><a:Address>x</a:Address></a:EndpointReference></w:Item>"
    assert envelope.page(first(item), ID).instances == [{"Name": "a"}]


# --- pages ---

W, N = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd", "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
OMI_LAST = pulled(machine("a"), context="7").replace(b"</n:Items>", b"</n:Items><n:EndOfSequence/>")
OTHER_PREFIXES = first(machine("a")).replace(b"<n:", b"<e:").replace(b"</n:", b"</e:").replace(b"xmlns:n=", b"xmlns:e=")
PAGES: list[tuple[str, bytes, int, str | None]] = [
    ("first of many", first(machine("a"), context="uuid:1"), 1, "uuid:1"),
    ("complete", first(machine("a")), 1, None),
    ("nothing there", first(), 0, None),
    (
        "not optimized",
        sample("<n:EnumerateResponse><n:EnumerationContext>uuid:1</n:EnumerationContext></n:EnumerateResponse>"),
        0,
        "uuid:1",
    ),
    ("middle", pulled(machine("a"), machine("b"), context="uuid:2"), 2, "uuid:2"),
    ("last", pulled(machine("a")), 1, None),
    ("last of OMI, with a context", OMI_LAST, 1, None),
    ("end in the other namespace", first(machine("a")).replace(b"w:EndOf", b"n:EndOf"), 1, None),
    ("items in the other namespace", pulled(machine("a")).replace(b"n:Items", b"w:Items"), 1, None),
    ("namespaces in another case", first(machine("a"), context="c").replace(W.encode(), W.upper().encode()), 1, "c"),
    ("other prefixes", OTHER_PREFIXES, 1, None),
    ("RelatesTo in another case", first(relates_to=ID.upper()), 0, None),
    ("byte order mark and declaration", b"\xef\xbb\xbf<?xml version='1.0' encoding='utf-8'?>\r\n" + first(), 0, None),
    ("UTF-16", first(machine("東京")).decode().encode("utf-16"), 1, None),
    ("UTF-16 without a mark", first(machine("a")).decode().encode("utf-16-be"), 1, None),
]


@pytest.mark.parametrize(("reply", "count", "context"), [case[1:] for case in PAGES], ids=[case[0] for case in PAGES])
def test_pages(reply: bytes, count: int, context: str | None) -> None:
    page = envelope.page(reply, ID)
    assert (len(page.instances), page.context, page.last, page.repaired) == (count, context, context is None, False)


@pytest.mark.parametrize(
    "forbidden", ["\x01", "&#1;", "&#x1F;", "&#xD800;", "&#1114112;", "&#99999999999;", "\ufffe", "\0"]
)
def test_characters_that_xml_forbids_cost_no_batch(forbidden: str) -> None:
    page = envelope.page(first(machine(f"web{forbidden}01"), machine("a&#9;b &amp;amp; c")), ID)
    assert page.instances == [{"Name": "web\ufffd01"}, {"Name": "a\tb &amp; c"}]
    assert page.repaired


def test_bytes_that_are_no_utf8_cost_no_batch() -> None:
    page = envelope.page(first(machine("MARK")).replace(b"MARK", b"caf\xe9"), ID)
    assert (page.instances, page.repaired) == ([{"Name": "caf\ufffd"}], True)


BOMB = b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
DEEP = "<p:N>" + "<p:D>" * (DEPTH + 1) + "</p:D>" * (DEPTH + 1) + "</p:N>"
TWICE = b"<n:EnumerationContext>2</n:EnumerationContext><n:Items>"
REFUSED: list[tuple[str, bytes, str]] = [
    ("empty", b"", "empty"),
    ("blank", b" \r\n", "empty"),
    ("text", b"Service Unavailable", "not XML"),
    ("HTML", b"<!DOCTYPE html><html/>", "DOCTYPE"),
    ("DOCTYPE", BOMB + first(), "DOCTYPE"),
    ("DOCTYPE behind a comment", b"<!-- <s:Envelope> -->" + BOMB + first(), "DOCTYPE"),
    ("DOCTYPE behind an instruction", b"<?a <b ?>" + BOMB + first(), "DOCTYPE"),
    ("DOCTYPE in UTF-16", (BOMB + first()).decode().encode("utf-16"), "DOCTYPE"),
    ("DOCTYPE behind a declaration", b'<?xml version="1.0" encoding="utf-7"?>' + BOMB + first(), "DOCTYPE"),
    ("an undeclared entity", first(machine("&lol;")), "not XML"),
    ("cut", first()[:-20], "not XML"),
    ("two", first() * 2, "not XML"),
    ("other XML", b"<html/>", "no SOAP envelope"),
    ("no body", b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"/>', "no SOAP envelope"),
    ("another answer", sample("<n:ReleaseResponse/>"), "no EnumerateResponse"),
    ("nothing in it", sample(""), "no EnumerateResponse"),
    ("no context and no end", sample("<n:PullResponse><n:Items/></n:PullResponse>"), "neither its end"),
    ("an empty context and no end", first(machine("a")).replace(b"<w:EndOfSequence/>", b""), "neither its end"),
    ("two bodies", first().replace(b"</s:Envelope>", b"<s:Body/></s:Envelope>"), "more than one Body"),
    ("two headers", first().replace(b"<s:Body>", b"<s:Header/><s:Body>"), "more than one Header"),
    ("two answers", first().replace(b"</s:Body>", b"<n:PullResponse/></s:Body>"), "more than one EnumerateResponse"),
    ("two contexts", pulled(context="1").replace(b"<n:Items>", TWICE), "more than one EnumerationContext"),
    ("too deep", first(typed("Msvm_X", DEEP)), "levels deep"),
]


@pytest.mark.parametrize(("reply", "text"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_what_is_refused(reply: bytes, text: str) -> None:
    with pytest.raises(ReadError, match=text) as caught:
        envelope.page(reply, ID)
    assert caught.value.why is Why.BROKEN


@pytest.mark.slow
def test_half_a_million_levels_are_refused_and_not_fallen_into() -> None:
    levels = 500_000
    with pytest.raises(ReadError, match="levels deep"):
        envelope.page(first(typed("X", "<p:N>" + "<a>" * levels + "</a>" * levels + "</p:N>")), ID)


@pytest.mark.parametrize("relates_to", ["uuid:other", None])
def test_a_shifted_answer_breaks_the_link(relates_to: str | None) -> None:
    with pytest.raises(LinkError) as caught:
        envelope.page(first(relates_to=relates_to), ID)
    assert caught.value.why is Why.BROKEN
    with pytest.raises(LinkError):
        envelope.instance(sample(machine("a"), relates_to), ID)


def test_a_shifted_fault_breaks_the_link_but_one_without_id_is_a_fault() -> None:
    with pytest.raises(LinkError):
        envelope.page(fault("w:TimedOut", "", relates_to="uuid:other"), ID)
    with pytest.raises(Fault):
        envelope.page(fault("w:TimedOut", "", relates_to=None), ID)


# --- methods ---

REGISTRY = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/StdRegProv"


def method_output(values: str, method: str = "GetStringValue", uri: str = REGISTRY, more: str = "") -> bytes:
    nil = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    return sample(f'<p:{method}_OUTPUT {nil} xmlns:p="{uri}">{values}</p:{method}_OUTPUT>{more}')


def told(reply: bytes) -> ParsedRow:
    return envelope.output(reply, ID, REGISTRY, "GetStringValue")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ("<p:ReturnValue>0</p:ReturnValue><p:sValue>x</p:sValue>", {"ReturnValue": "0", "sValue": "x"}),
        ('<p:ReturnValue>2</p:ReturnValue><p:sValue xsi:nil="true"/>', {"ReturnValue": "2", "sValue": None}),
        ("<p:sValue>a</p:sValue><p:sValue>b</p:sValue>", {"sValue": ["a", "b"]}),
        ("", {}),
    ],
)
def test_what_a_method_gave(values: str, expected: ParsedRow) -> None:
    assert told(method_output(values)) == expected
    assert told(method_output(values, uri=REGISTRY.lower())) == expected


@pytest.mark.parametrize(
    "reply",
    [
        method_output("", method="SetStringValue"),
        method_output("", uri=REGISTRY.replace("cimv2", "default")),
        method_output("", more=f'<p:GetStringValue_OUTPUT xmlns:p="{REGISTRY}"/>'),
        method_output("", more="<x/>"),
        first(),
    ],
)
def test_what_no_method_gave(reply: bytes) -> None:
    with pytest.raises(ReadError) as error:
        told(reply)
    assert error.value.why is Why.BROKEN


@given(st.binary(max_size=60) | st.text(alphabet="<>/p:sValue&;0 x", max_size=60).map(str.encode))
def test_any_bytes_in_a_methods_answer_are_told_or_read(content: bytes) -> None:
    with suppress(ReadError):
        found = told(method_output("@").replace(b"@", content))
        assert all(isinstance(name, str) for name in found)


# --- identity ---


@pytest.mark.parametrize(
    ("told", "version"),
    [
        *[("10.0.20348", "10.0.20348"), ("6.3.9600", "6.3.9600"), ("0.0.0", None), ("unknown", None)],
        *[("10.0." + "9" * 9, None), ("1" * 999 + ".0.1", None), ("１０.٠.20348", None)],
    ],
)
def test_identity(told: str, version: str | None) -> None:
    identity = envelope.identity(IDENTIFY_RESPONSE.format(version=told).encode())
    assert (identity.vendor, identity.version) == ("Microsoft Corporation", version)
    assert identity.protocol == "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"


def test_who_is_no_ws_management_host_has_no_identity() -> None:
    with pytest.raises(ReadError, match="no IdentifyResponse"):
        envelope.identity(first())


# --- requests ---

NASTY = "\"<&>'\r\n]]>\0\ud800 東京"


def _all_requests(text: str) -> list[envelope.Message]:
    return [
        envelope.identify_request(),
        envelope.enumerate_request(text),
        envelope.enumerate_request(text, text),
        envelope.pull_request(text, text),
        envelope.release_request(text, text),
        envelope.get_request(text, {text: text}),
    ]


def test_requests_only_read() -> None:
    sent = {request.action for request in _all_requests("x")}
    assert sent == envelope.READ_ONLY_ACTIONS
    for request in _all_requests("x")[1:]:
        assert request.content.count(b"<a:Action") == 1
        assert f">{request.action}</a:Action>".encode() in request.content


def test_no_method_is_invoked_but_one_that_reads_the_registry() -> None:
    assert [*envelope.READ_ONLY_METHODS] == [f"{REGISTRY}/GetStringValue"]
    for resource, method in [
        (REGISTRY, "SetStringValue"),
        (REGISTRY, "getstringvalue"),
        (REGISTRY.replace("cimv2", "default"), "GetStringValue"),
        ("http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/Win32_Process", "Create"),
    ]:
        with pytest.raises(ValueError, match="is not known to read only"):
            envelope.invoke_request(resource, method, {})


@given(st.text() | st.just(NASTY))
def test_a_method_is_asked_with_its_arguments_in_their_order(text: str) -> None:
    asked = envelope.invoke_request(REGISTRY, "GetStringValue", {"hDefKey": "2147483650", "sSubKeyName": text})
    assert asked.action == f"{REGISTRY}/GetStringValue"
    assert asked.content.count(f">{asked.action}</a:Action>".encode()) == 1
    given_ones = ElementTree.fromstring(asked.content).find(f".//{{{REGISTRY}}}GetStringValue_INPUT")
    assert given_ones is not None
    assert [(one.tag, one.text or "") for one in given_ones] == [
        (f"{{{REGISTRY}}}hDefKey", "2147483650"),
        (f"{{{REGISTRY}}}sSubKeyName", legal(text)),
    ]


@given(st.text() | st.just(NASTY))
def test_requests_stay_well_formed_whatever_is_put_into_them(text: str) -> None:
    for request in _all_requests(text):
        ElementTree.fromstring(request.content)


def test_a_query_arrives_as_it_was_written() -> None:
    query = "SELECT Name FROM Msvm_X WHERE A = \"b\" AND C < 'd' & e\r\n"
    root = ElementTree.fromstring(envelope.enumerate_request("http://x/*", query).content)
    told = root.find(f".//{{{W}}}Filter")
    assert told is not None
    assert (told.text, told.get("Dialect")) == (query, "http://schemas.microsoft.com/wbem/wsman/1/WQL")


def test_what_a_request_says() -> None:
    root = ElementTree.fromstring(envelope.enumerate_request("http://x/y", seconds=54).content)
    assert root.findtext(f".//{{{W}}}MaxElements") == "32000"
    assert root.findtext(f".//{{{W}}}MaxEnvelopeSize") == "512000"
    assert root.findtext(f".//{{{W}}}OperationTimeout") == "PT54.000S"
    assert (
        ElementTree.fromstring(envelope.pull_request("http://x/y", "c").content).findtext(f".//{{{N}}}MaxElements")
        == "32000"
    )
    assert envelope.pull_request("r", "c").message_id != envelope.pull_request("r", "c").message_id
