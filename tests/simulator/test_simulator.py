"""The simulator against the literal shapes that were recorded from Windows."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import requests
from winrm.exceptions import InvalidCredentialsError, WinRMTransportError
from winrm.transport import Transport

from tests.canary import CANARY
from tests.portable import posix
from tests.simulator import Fault, Played, Simulator, played_from_snapshot_line

V2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2"
CIMV2 = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
GET = "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get"
MESSAGE_ID = "uuid:11111111-2222-4333-8444-000000000001"
IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"><s:Header/><s:Body><i:Identify/></s:Body>'
    "</s:Envelope>"
)
PREAMBLE = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header>'
    "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/enumeration/{action}Response</a:Action>"
    "<a:MessageID>{id}</a:MessageID>"
    "<a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To>"
    "<a:RelatesTo>uuid:11111111-2222-4333-8444-000000000001</a:RelatesTo></s:Header><s:Body>"
)
UPPER_UUID = re.compile("uuid:[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
VM = {
    "CreationClassName": "Msvm_ComputerSystem",
    "ElementName": "web & db – 東京",
    "EnabledState": 2,
    "InstallDate": datetime(2026, 3, 9, 2, 57, 32, 488100, tzinfo=UTC),
    "LastReplicationTime": datetime(1601, 1, 1, tzinfo=UTC),
    "Name": "8F0A1C52-0000-4000-8000-00000000A001",
    "OperationalStatus": (2, 32768),
    "Roles": (),
}
PASSWORD = CANARY


class Client:
    """Requests in the shape of those that real hosts were asked with."""

    def __init__(self, simulator: Simulator, user: str = "audit", password: str = PASSWORD) -> None:
        self.url = simulator.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(simulator.ca)
        self.session.auth = (user, password)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()

    def send(self, body: str, **more: object) -> requests.Response:
        return self.session.post(self.url, data=body.encode(), allow_redirects=False, timeout=5, **more)

    def enumerate(self, name: str, optimized: bool = True, **more: object) -> requests.Response:
        return self.send(enumerate_request(f"{V2}/{name}", optimized=optimized, **more))

    def query(self, wql: str, resource: str = f"{V2}/*") -> requests.Response:
        return self.send(enumerate_request(resource, wql=wql))

    def pull(self, context: str, elements: int | None = 32000, envelope: int = 512000) -> requests.Response:
        return self.send(pull_request(context, elements, envelope))

    def all(self, name: str, **more: int) -> list[requests.Response]:
        answers = [self.enumerate(name, **more)]
        while context := context_of(answers[-1]):
            answers.append(self.pull(context, **more))
        return answers


def envelope(action: str, resource: str, body: str, size: int = 512000, headers: str = "") -> str:
    return f"""<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" \
xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration" \
xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">
  <s:Header>
    <a:To>https://hv01.example.test:5986/wsman</a:To>
    <w:ResourceURI s:mustUnderstand="true">{resource}</w:ResourceURI>
    <a:ReplyTo><a:Address s:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous\
</a:Address></a:ReplyTo>
    <a:Action s:mustUnderstand="true">{action}</a:Action>
    <w:MaxEnvelopeSize s:mustUnderstand="true">{size}</w:MaxEnvelopeSize>
    <a:MessageID>{MESSAGE_ID}</a:MessageID>
    <w:Locale xml:lang="en-US" s:mustUnderstand="false"/>
    <p:DataLocale xml:lang="en-US" s:mustUnderstand="false"/>
    <w:OperationTimeout>PT60.000S</w:OperationTimeout>{headers}
  </s:Header>
  <s:Body>{body}</s:Body>
</s:Envelope>"""


def enumerate_request(resource: str, *, optimized: bool = True, wql: str = "", envelope_size: int = 512000) -> str:
    asked = "<w:OptimizeEnumeration/><w:MaxElements>32000</w:MaxElements>" if optimized else ""
    if wql:
        asked += f'<w:Filter Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL">{wql}</w:Filter>'
    return envelope(f"{ENUMERATION}/Enumerate", resource, f"<n:Enumerate>{asked}</n:Enumerate>", envelope_size)


def pull_request(context: str, elements: int | None = 32000, size: int = 512000) -> str:
    most = "" if elements is None else f"<n:MaxElements>{elements}</n:MaxElements>"
    body = f"<n:Pull><n:EnumerationContext>{context}</n:EnumerationContext>{most}</n:Pull>"
    return envelope(f"{ENUMERATION}/Pull", f"{V2}/*", body, size)


def get_request(resource: str, **selectors: str) -> str:
    written = "".join(f'<w:Selector Name="{name}">{value}</w:Selector>' for name, value in selectors.items())
    return envelope(GET, resource, "", headers=f"<w:SelectorSet>{written}</w:SelectorSet>" if written else "")


def context_of(answer: requests.Response) -> str:
    found = re.search(r"<(?:n|wsen):EnumerationContext>([^<]*)<", answer.text)
    return found.group(1) if found and "EndOfSequence" not in answer.text else ""


def code_of(answer: requests.Response) -> tuple[int, str, str]:
    """HTTP status, subcode, innermost number."""
    subcode = re.search(r"<s:Subcode><s:Value>([^<]*)", answer.text)
    numbers = re.findall(r'Code="(\d+)"|<p:error_Code xsi:type="cim:cimUnsignedInt">(\d+)', answer.text)
    return answer.status_code, subcode.group(1) if subcode else "", "".join(numbers[-1])


def vms(count: int, **more: object) -> Played:
    rows = [VM | {"Name": f"8F0A1C52-0000-4000-8000-{n:012X}"} for n in range(count)]
    return Played(rows={"Msvm_ComputerSystem": rows}, **more)


@pytest.fixture(scope="module")
def many():
    with Simulator(vms(5)) as simulator, Client(simulator) as client:
        yield client


def test_a_class_of_one_instance_comes_whole_in_the_first_answer():
    with Simulator(vms(1)) as simulator, Client(simulator) as client:
        answer = client.enumerate("Msvm_ComputerSystem")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/soap+xml;charset=UTF-8"
    text = answer.content.decode()
    message_id = re.search("<a:MessageID>(.*?)</a:MessageID>", text).group(1)
    assert UPPER_UUID.fullmatch(message_id)
    start = PREAMBLE.format(action="Enumerate", id=message_id) + (
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items><p:Msvm_ComputerSystem "
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ComputerSystem" '
        'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common" xsi:type="p:Msvm_ComputerSystem_Type">'
        '<p:Caption xsi:nil="true"/><p:CommunicationStatus xsi:nil="true"/>'
        "<p:CreationClassName>Msvm_ComputerSystem</p:CreationClassName>"
    )
    assert text.startswith(start)
    assert text.endswith(
        "</p:Msvm_ComputerSystem></w:Items><w:EndOfSequence/></n:EnumerateResponse></s:Body></s:Envelope>"
    )
    assert "<p:ElementName>web &amp; db – 東京</p:ElementName>" in text
    assert "<p:InstallDate><cim:Datetime>2026-03-09T02:57:32.4881Z</cim:Datetime></p:InstallDate>" in text
    assert "<p:LastReplicationTime><cim:Datetime>1601-01-01T00:00:00Z</cim:Datetime></p:LastReplicationTime>" in text
    assert "<p:OperationalStatus>2</p:OperationalStatus><p:OperationalStatus>32768</p:OperationalStatus>" in text
    assert "Roles" not in text
    assert "IdentifyingDescriptions" not in text


def test_properties_stand_in_alphabetical_order_without_regard_to_case():
    row = {"BIOSNumLock": True, "AutomaticStartupActionDelay": timedelta(seconds=100), "Notes": ["one", "two"]}
    played = Played(rows={"Msvm_VirtualSystemSettingData": [row]})
    with Simulator(played) as simulator, Client(simulator) as client:
        text = client.enumerate("Msvm_VirtualSystemSettingData").text
    names = re.findall(r"<p:(\w+)[ >]", text)[1:]
    assert names == sorted(names, key=str.lower)
    assert "<p:AutomaticStartupActionDelay><cim:Interval>P0DT0H1M40S</cim:Interval>" in text
    assert "<p:BIOSNumLock>true</p:BIOSNumLock>" in text
    assert "<p:Notes>one</p:Notes><p:Notes>two</p:Notes>" in text


def test_of_many_instances_the_first_answer_holds_one_and_a_context(many):
    first = many.enumerate("Msvm_ComputerSystem")
    assert first.text.count("<p:Name>") == 1
    assert "EndOfSequence" not in first.text
    context = context_of(first)
    assert UPPER_UUID.fullmatch(context)
    second = many.pull(context, elements=2)
    assert second.text.count("<p:Name>") == 2
    assert f"<n:PullResponse><n:EnumerationContext>{context_of(second)}</n:EnumerationContext><n:Items>" in second.text
    assert context_of(second) != context
    last = many.pull(context_of(second))
    assert "<n:PullResponse><n:Items><p:Msvm_ComputerSystem" in last.text
    assert last.text.endswith("</n:Items><n:EndOfSequence/></n:PullResponse></s:Body></s:Envelope>")


def test_without_optimization_the_first_answer_is_only_a_context(many):
    answer = many.enumerate("Msvm_ComputerSystem", optimized=False)
    context = context_of(answer)
    assert answer.text.endswith(
        f"<n:EnumerateResponse><n:EnumerationContext>{context}</n:EnumerationContext></n:EnumerateResponse>"
        "</s:Body></s:Envelope>"
    )
    assert many.pull(context, elements=None).text.count("<p:Name>") == 1


def test_a_class_without_instances_is_complete_and_empty(many):
    assert many.enumerate("Msvm_ReplicationRelationship").text.endswith(
        "<n:EnumerateResponse><n:EnumerationContext></n:EnumerationContext><w:Items></w:Items><w:EndOfSequence/>"
        "</n:EnumerateResponse></s:Body></s:Envelope>"
    )


def test_a_used_or_released_context_is_refused(many):
    context = context_of(many.enumerate("Msvm_ComputerSystem"))
    newer = context_of(many.pull(context, elements=1))
    expected = (500, "n:InvalidEnumerationContext", "2150858779")
    assert code_of(many.pull(context)) == expected
    body = f"<n:Release><n:EnumerationContext>{newer}</n:EnumerationContext></n:Release>"
    released = many.send(envelope(f"{ENUMERATION}/Release", f"{V2}/*", body))
    assert released.status_code == 200
    assert released.text.endswith("<s:Body></s:Body></s:Envelope>")
    assert code_of(many.pull(newer)) == expected


def test_a_batch_fills_half_of_the_envelope_in_characters():
    with Simulator(vms(60), envelope_kb=32) as simulator, Client(simulator) as client:
        answers = client.all("Msvm_ComputerSystem")
    sizes = [len(answer.text) for answer in answers]
    assert len(sizes) > 3
    assert max(sizes) <= 16384
    assert all(16384 - size < 2600 for size in sizes[1:-1])
    assert sum(answer.text.count("<p:Name>") for answer in answers) == 60


def test_an_item_that_does_not_fit_is_an_encoding_limit():
    row = VM | {"ElementName": "x" * 20000}
    with Simulator(Played(rows={"Msvm_ComputerSystem": [row]})) as simulator, Client(simulator) as client:
        assert code_of(client.enumerate("Msvm_ComputerSystem", envelope_size=16384))[1:] == (
            "w:EncodingLimit",
            "2150858824",
        )
        assert code_of(client.enumerate("Msvm_ComputerSystem", envelope_size=8000))[2] == "2150858878"


def test_a_projection_gives_fragments_without_namespaces():
    row = VM | {"Name": "8F0A1C52-0000-4000-8000-00000000A001", "InstallDate": "2026-03-09T02:57:32.5Z"}
    with Simulator(Played(rows={"Msvm_ComputerSystem": [row]})) as simulator, Client(simulator) as client:
        text = client.query("SELECT Name,Roles, enabledstate ,InstallDate,Status FROM Msvm_ComputerSystem").text
        whole = client.query("select * from Msvm_ComputerSystem").text
    assert text.endswith(
        '<w:Items><w:XmlFragment xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><EnabledState>2</EnabledState>'
        "<InstallDate><Datetime>2026-03-09T02:57:32.5Z</Datetime></InstallDate>"
        '<Name>8F0A1C52-0000-4000-8000-00000000A001</Name><Status xsi:nil="true"/></w:XmlFragment></w:Items>'
        "<w:EndOfSequence/></n:EnumerateResponse></s:Body></s:Envelope>"
    )
    assert f'xmlns:p="{V2}/Msvm_ComputerSystem"' in whole


def test_unknown_things_are_refused_in_the_recorded_forms(many):
    unknown = many.query("SELECT Name FROM Msvm_NoSuch")
    assert code_of(unknown) == (500, "n:CannotProcessFilter", "2150858778")
    assert (
        r'<f:ProviderFault provider="WMI Provider" path="%systemroot%\system32\WsmWmiPl.dll">'
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="2150858778" Machine="HV01">'
    ) in unknown.text
    assert "<p:ParameterInfo>SELECT Name FROM Msvm_NoSuch</p:ParameterInfo>" in unknown.text
    assert code_of(many.query("SELECT NoSuch FROM Msvm_ComputerSystem"))[2] == "2150858778"
    assert code_of(many.query("SELECT Name FROM Msvm_ComputerSystem WHERE Name = 1"))[2] == "2150858778"
    unreachable = (500, "a:DestinationUnreachable", "2150858752")
    assert code_of(many.enumerate("Msvm_NoSuch")) == unreachable
    assert code_of(many.send(enumerate_request(f"{CIMV2}/Msvm_ComputerSystem"))) == unreachable
    on_class = many.query("SELECT Name FROM Msvm_ComputerSystem", resource=f"{V2}/Msvm_ComputerSystem")
    assert code_of(on_class)[2] == "2150859003"


def test_a_host_without_hyper_v_has_no_such_namespace():
    played = Played(rows={}, namespaces=frozenset({"root/cimv2"}))
    with Simulator(played) as simulator, Client(simulator) as client:
        by_query = client.query("SELECT Name FROM Msvm_ComputerSystem")
        by_uri = client.enumerate("Msvm_ComputerSystem")
    assert code_of(by_query) == (500, "n:CannotProcessFilter", "2150858778")
    assert '<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">3</p:CIMStatusCode>' in by_query.text
    assert '<p:MessageID xsi:type="cim:cimString">HRESULT 0x8033801a</p:MessageID>' in by_query.text
    assert code_of(by_uri) == (500, "a:DestinationUnreachable", "2150858752")


def test_an_older_version_lacks_classes_and_properties():
    played = vms(
        1,
        absent=frozenset({"Msvm_ReplicationProvider"}),
        missing_properties={"Msvm_ComputerSystem": frozenset({"HwThreadsPerCoreRealized"})},
    )
    with Simulator(played) as simulator, Client(simulator) as client:
        assert "HwThreads" not in client.enumerate("Msvm_ComputerSystem").text
        assert code_of(client.query("SELECT Name, HwThreadsPerCoreRealized FROM Msvm_ComputerSystem"))[0] == 500
        assert code_of(client.enumerate("Msvm_ReplicationProvider"))[2] == "2150858752"
        assert code_of(client.query("SELECT Name FROM Msvm_ReplicationProvider"))[2] == "2150858778"


def test_get_of_the_singleton_and_by_keys():
    clock = datetime(2026, 11, 24, 12, 0, 0, 500000, tzinfo=UTC)
    with Simulator(vms(2, clock=clock)) as simulator, Client(simulator) as client:
        system = client.send(get_request(f"{CIMV2}/Win32_OperatingSystem"))
        by_keys = client.send(
            get_request(
                f"{V2}/Msvm_ComputerSystem",
                CreationClassName="Msvm_ComputerSystem",
                Name="8f0a1c52-0000-4000-8000-000000000001",
            )
        )
        by_name = client.send(get_request(f"{V2}/Msvm_ComputerSystem", Name="8F0A1C52-0000-4000-8000-000000000001"))
        enumerated = client.send(
            enumerate_request(f"{CIMV2}/*", wql="SELECT Version, LocalDateTime FROM Win32_OperatingSystem")
        )
    assert "<p:LocalDateTime><cim:Datetime>2026-11-24T12:00:00.5Z</cim:Datetime></p:LocalDateTime>" in system.text
    assert "<p:Version>10.0.20348</p:Version>" in system.text
    assert "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/GetResponse</a:Action>" in system.text
    assert "<p:Name>8F0A1C52-0000-4000-8000-000000000001</p:Name>" in by_keys.text
    assert code_of(by_name) == (500, "a:DestinationUnreachable", "2150858752")
    assert "<Version>10.0.20348</Version></w:XmlFragment>" in enumerated.text


def test_identify_tells_the_version_to_who_has_logged_in():
    with Simulator(vms(0)) as simulator, Client(simulator) as client:
        inside = client.send(IDENTIFY)
        simulator.played = vms(0, version="")
        hidden = client.send(IDENTIFY)
        outside = requests.post(
            simulator.url,
            data=IDENTIFY,
            headers={"WSMANIDENTIFY": "unauthenticated"},
            verify=str(simulator.ca),
            timeout=5,
        )
    assert inside.text == (
        '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
        '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse>"
        "</s:Body></s:Envelope>"
    )
    assert "OS: 0.0.0 SP: 0.0 Stack: 3.0" in hidden.text
    assert "OS: 0.0.0 SP: 0.0 Stack: 3.0" in outside.text


def test_a_locale_that_must_be_understood_is_not(many):
    body = enumerate_request(f"{V2}/Msvm_ComputerSystem")
    answer = many.send(
        body.replace('<w:Locale xml:lang="en-US" s:mustUnderstand="false"', '<w:Locale s:mustUnderstand="true"')
    )
    assert "<s:Code><s:Value>s:MustUnderstand</s:Value></s:Code>" in answer.text
    assert code_of(answer)[2] == "2150858887"


def test_a_wrong_password_gets_401_without_a_body():
    with Simulator(vms(0)) as simulator, Client(simulator, password="wrong") as client:
        answer = client.send(IDENTIFY)
        assert answer.status_code == 401
        assert answer.content == b""
        assert answer.raw.headers.getlist("WWW-Authenticate") == ["Negotiate", "Kerberos", 'Basic realm="WSMAN"']
        assert simulator.log == []
        assert simulator.authorization_seen == ["Basic"]


def test_the_log_tells_what_was_asked(many):
    with Simulator(vms(2)) as simulator, Client(simulator) as client:
        request = enumerate_request(f"{V2}/*", wql="SELECT Name FROM Msvm_ComputerSystem")
        answer = client.send(request)
    (message,) = simulator.log
    assert (message.action, message.resource, message.query) == (
        "Enumerate",
        f"{V2}/*",
        "SELECT Name FROM Msvm_ComputerSystem",
    )
    assert (message.bytes_in, message.bytes_out, message.status) == (len(request), len(answer.content), 200)


def transport(simulator: Simulator, password: str = PASSWORD, **more: object) -> Transport:
    return Transport(
        simulator.url, "audit", password, auth_method="ntlm", ca_trust_path=str(simulator.ca), proxy=None, **more
    )


@pytest.mark.parametrize(
    ("scheme", "encryption"), [("http", "auto"), ("http", "always"), ("https", "auto"), ("https", "always")]
)
def test_pywinrm_reads_over_ntlm(scheme, encryption):
    with Simulator(vms(100), scheme=scheme, auth="ntlm") as simulator:
        winrm = transport(simulator, message_encryption=encryption)
        first = winrm.send_message(enumerate_request(f"{V2}/Msvm_ComputerSystem"))
        context = re.search(rb"<n:EnumerationContext>(.*?)<", first).group(1).decode()
        second = winrm.send_message(pull_request(context))
        with pytest.raises(WinRMTransportError) as refused:
            winrm.send_message(pull_request(context))
        winrm.close_session()
    assert first.count(b"<p:Name>") == 1
    assert second.count(b"<p:Name>") == 99
    assert refused.value.args[1] == 500
    assert 'Code="2150858779"' in refused.value.args[2]
    assert simulator.authorization_seen == ["Negotiate", "Negotiate"]


def test_ntlm_refuses_a_wrong_password_and_what_is_not_sealed():
    with Simulator(vms(0), scheme="http", auth="ntlm") as simulator:
        with pytest.raises(InvalidCredentialsError):
            transport(simulator, password="wrong").send_message(IDENTIFY)
        with pytest.raises(WinRMTransportError) as unsealed:
            transport(simulator, message_encryption="never").send_message(IDENTIFY)
        lost = requests.post(
            simulator.url,
            data=b"--Encrypted Boundary\r\n",
            headers={"Content-Type": 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"'},
            timeout=5,
        )
    assert unsealed.value.args[1:] == (500, "")
    assert (lost.status_code, lost.content) == (400, b"")


def test_two_simulators_have_different_passwords_for_the_same_user():
    with (
        Simulator(vms(0), scheme="http", auth="ntlm", users={"audit": "one"}) as one,
        Simulator(vms(0), scheme="http", auth="ntlm", users={"audit": "two"}) as two,
    ):
        assert b"Identify" in transport(one, password="one").send_message(IDENTIFY)
        assert b"Identify" in transport(two, password="two").send_message(IDENTIFY)
        with pytest.raises(InvalidCredentialsError):
            transport(two, password="one").send_message(IDENTIFY)


def test_the_omi_dialect_differs_where_omi_does():
    row = VM | {"Roles": None}
    played = Played(
        rows={"Msvm_ComputerSystem": [row], "Msvm_VirtualSystemSettingData": [{"BIOSNumLock": True, "InstanceID": "x"}]}
    )
    with Simulator(played, dialect="omi") as simulator, Client(simulator) as client:
        answer = client.enumerate("Msvm_ComputerSystem")
        projected = client.query("SELECT InstanceID, BIOSNumLock FROM Msvm_VirtualSystemSettingData")
        late = client.enumerate("Msvm_NoSuch", optimized=False)
        fault = client.pull(context_of(late))
    ET.fromstring(answer.content)
    assert answer.text.startswith('<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://www.w3.org/2003/05/soap-envelope"')
    assert "<SOAP-ENV:Header><wsa:To>" in answer.text
    assert 'xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/Msvm_ComputerSystem"' in answer.text
    assert "<p:InstallDate>2026-03-09T02:57:32.4881Z</p:InstallDate>" in answer.text
    assert '<p:IdentifyingDescriptions xsi:nil="true"/>' in answer.text
    assert re.search("<wsen:EnumerationContext>[0-9]+</wsen:EnumerationContext><wsman:Items>", answer.text)
    assert "<wsman:EndOfSequence></wsman:EndOfSequence>" in answer.text
    assert "<p:BIOSNumLock>TRUE</p:BIOSNumLock><p:InstanceID>x</p:InstanceID></p:Msvm_Virtual" in projected.text
    assert fault.status_code == 500
    assert "<p:CIMStatusCode>5</p:CIMStatusCode>" in fault.text
    assert "OMI_Error" in fault.text


def fault_answer(fault: Fault, ask=lambda client: client.enumerate("Msvm_ComputerSystem"), **more: object):
    with Simulator(vms(3), faults={"Msvm_ComputerSystem": fault}, **more) as simulator, Client(simulator) as client:
        return ask(client)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault.REFUSED, (500, "w:AccessDenied", "5")),
        (Fault.ACCESS_CIM, (500, "w:AccessDenied", "2147749891")),
        (Fault.QUOTA, (500, "w:InternalError", "2150859174")),
        (Fault.TIMED_OUT, (500, "w:TimedOut", "2150858793")),
    ],
)
def test_a_class_can_be_refused(fault, expected):
    answer = fault_answer(fault)
    assert code_of(answer) == expected
    assert ("RelatesTo" in answer.text) is (fault is not Fault.ACCESS_CIM)


def test_wql_alone_can_be_refused():
    query = "SELECT Name FROM Msvm_ComputerSystem"
    refused = (500, "n:CannotProcessFilter", "2150858778")
    assert code_of(fault_answer(Fault.WQL_REFUSED, lambda client: client.query(query))) == refused
    assert fault_answer(Fault.WQL_REFUSED).status_code == 200
    with Simulator(vms(1), wql=False) as simulator, Client(simulator) as client:
        assert code_of(client.query(query)) == refused
        assert client.enumerate("Msvm_ComputerSystem").status_code == 200


def test_an_enumeration_can_expire_once_or_never_end():
    with (
        Simulator(vms(1), faults={"Msvm_ComputerSystem": Fault.EXPIRED_CONTEXT}) as simulator,
        Client(simulator) as client,
    ):
        assert code_of(client.all("Msvm_ComputerSystem")[-1])[2] == "2150858779"
        assert client.all("Msvm_ComputerSystem")[-1].text.count("<p:Name>") == 1
        simulator.faults = {"*": Fault.ENDLESS}
        context = context_of(client.enumerate("Msvm_ComputerSystem"))
        for _ in range(5):
            answer = client.pull(context)
            context = context_of(answer)
            assert answer.text.count("<p:Name>") == 1
        simulator.faults = {"msvm_computersystem": Fault.EMPTY}
        assert "<w:Items></w:Items>" in client.enumerate("Msvm_ComputerSystem").text


def test_identifiers_can_be_scrambled():
    row = {
        "InstanceID": r"Microsoft:8F0A1C52-0000-4000-8000-00000000A001\HVR\0",
        "Name": "8F0A1C52-0000-4000-8000-00000000A001",
        "ElementName": "8F0A1C52-0000-4000-8000-00000000A001",
    }
    played = Played(rows={"Msvm_ReplicationRelationship": [row]})
    with Simulator(played, faults={"*": Fault.SCRAMBLED_IDS}) as simulator, Client(simulator) as client:
        text = client.enumerate("Msvm_ReplicationRelationship").text
    assert r"<p:InstanceID>MS/{8F0A1C52-0000-4000-8000-00000000A001}\HVR\0</p:InstanceID>" in text
    assert "<p:Name>{8F0A1C52-0000-4000-8000-00000000A001}</p:Name>" in text
    assert "<p:ElementName>8F0A1C52-0000-4000-8000-00000000A001</p:ElementName>" in text


def test_answers_can_be_spoilt():
    related = fault_answer(Fault.WRONG_RELATES_TO)
    assert related.status_code == 200
    assert MESSAGE_ID not in related.text
    assert fault_answer(Fault.DOCTYPE).text.startswith("<!DOCTYPE e [<!ENTITY e0")
    empty = fault_answer(Fault.EMPTY_500)
    assert (empty.status_code, empty.content) == (500, b"")
    assert "<h2>Service Unavailable</h2>" in fault_answer(Fault.HTML_503).text
    moved = fault_answer(Fault.REDIRECT, redirect_to="https://127.0.0.1:9/trap")
    assert (moved.status_code, moved.headers["Location"]) == (302, "https://127.0.0.1:9/trap")


def test_connections_can_be_spoilt():
    def short(client: Client) -> requests.Response:
        body = enumerate_request(f"{V2}/Msvm_ComputerSystem").encode()
        return client.session.post(client.url, data=body, timeout=0.3)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        fault_answer(Fault.CUT)
    with pytest.raises(requests.exceptions.ReadTimeout):
        fault_answer(Fault.STALL, short)

    def read_on(client: Client, seconds: float) -> int:
        body = enumerate_request(f"{V2}/Msvm_ComputerSystem").encode()
        end, size = time.monotonic() + seconds, 0
        with client.session.post(client.url, data=body, timeout=5, stream=True) as answer:
            for chunk in answer.iter_content(1 if seconds > 0.3 else 65536):
                size += len(chunk)
                if time.monotonic() > end:
                    break
        return size

    assert 2 <= fault_answer(Fault.DRIP, lambda client: read_on(client, 0.5)) <= 5
    assert fault_answer(Fault.FLOOD, lambda client: read_on(client, 0.2)) > 1_000_000


def test_many_threads_and_a_quick_end():
    with Simulator(vms(3), faults={"Msvm_ReplicationService": Fault.STALL}) as simulator:
        counts = []

        def read() -> None:
            with Client(simulator) as client:
                counts.append(sum(one.text.count("<p:Name>") for one in client.all("Msvm_ComputerSystem")))

        def hang() -> None:
            with Client(simulator) as client, pytest.raises(requests.exceptions.ConnectionError):
                client.enumerate("Msvm_ReplicationService")

        hanging = threading.Thread(target=hang)
        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in [hanging, *threads]:
            thread.start()
        for thread in threads:
            thread.join()
        start = time.monotonic()
    assert time.monotonic() - start < 30
    hanging.join(30)
    assert not hanging.is_alive()
    assert counts == [3] * 8


def test_five_hundred_full_instances_take_less_than_a_tenth_of_a_second():
    with Simulator(vms(500)) as simulator, Client(simulator) as client:
        client.send(IDENTIFY)
        best = min(cost(lambda: client.enumerate("Msvm_ComputerSystem")) for _ in range(3))
    assert best < 0.1


def cost(call) -> float:
    """Processor time of client and server: the clock on the wall also counts whoever else is working."""
    start = time.process_time()
    call()
    return time.process_time() - start


def test_ipv6_has_the_same_certificate():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with Simulator(vms(0), host="::1") as simulator, Client(simulator) as client:
        assert client.send(IDENTIFY).status_code == 200


SNAPSHOT_LINE = {
    "server": "hv01.example.test",
    "site": "Aachen",
    "groups": ["primary", "yes"],
    "read": {
        "version": "10.0.17763",
        "clock": "2026-11-24T12:00:00Z",
        "classes": {
            "Msvm_ReplicationSettingData": {
                "rows": [
                    {
                        "InstanceID": "Microsoft:x",
                        "CreationTime": "2026-03-09T02:57:32.5Z",
                        "AutoResynchronizeIntervalStart": "P0DT18H30M0S",
                        "IncludedDisks": ["a", "b"],
                        "Description": "2026-03-09T02:57:32.5Z",
                        "AutoResynchronizeEnabled": "true",
                        "RecoveryHistory": "4",
                    }
                ]
            },
            "Msvm_ReplicationProvider": {"unread": "class is absent"},
        },
    },
}


def test_a_line_of_a_snapshot_is_played_as_it_was_on_the_wire():
    with Simulator(played_from_snapshot_line(SNAPSHOT_LINE)) as simulator, Client(simulator) as client:
        text = client.enumerate("Msvm_ReplicationSettingData").text
        assert code_of(client.enumerate("Msvm_ReplicationProvider"))[2] == "2150858752"
        assert "OS: 10.0.17763 " in client.send(IDENTIFY).text
    assert "<p:CreationTime><cim:Datetime>2026-03-09T02:57:32.5Z</cim:Datetime></p:CreationTime>" in text
    assert "<p:AutoResynchronizeIntervalStart><cim:Interval>P0DT18H30M0S</cim:Interval>" in text
    assert "<p:IncludedDisks>a</p:IncludedDisks><p:IncludedDisks>b</p:IncludedDisks>" in text
    assert "<p:Description>2026-03-09T02:57:32.5Z</p:Description>" in text
    assert "<p:AutoResynchronizeEnabled>true</p:AutoResynchronizeEnabled>" in text


def test_a_line_that_was_asked_for_by_a_condition_is_an_answer_to_it():
    rows = [{"IPAddress": ["10.1.0.5"], "IPSubnet": ["255.255.255.0"]}]
    read = {"classes": {"Win32_NetworkAdapterConfiguration": {"rows": rows}}}
    with (
        Simulator(played_from_snapshot_line({"server": "hv01", "read": read})) as simulator,
        Client(simulator) as client,
    ):
        query = "SELECT IPAddress, IPSubnet FROM Win32_NetworkAdapterConfiguration WHERE IPEnabled = TRUE"
        text = client.query(query, f"{CIMV2}/*").text
    assert "<IPAddress>10.1.0.5</IPAddress>" in text


def test_by_hand(tmp_path):
    snapshot, inventory = tmp_path / "estate.jsonl.gz", tmp_path / "inventory.yaml"
    lines = [{"estate": "lab"}, SNAPSHOT_LINE, {"server": "hv02", "unread": "no route"}]
    snapshot.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
    options = ["--seconds", "0.1", "--scheme", "http", "--auth", "ntlm", "--inventory-out", inventory]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.simulator", "--snapshot", snapshot, *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    line = "$env:COMPLIANCE_DEMO_USERNAME = 'demo'" if os.name == "nt" else "export COMPLIANCE_DEMO_USERNAME=demo"
    assert f"  {line}\n" in ended.stdout
    assert "COMPLIANCE_DEMO_PASSWORD" in ended.stdout
    text = inventory.read_text(encoding="utf-8")
    assert re.sub(r"port: \d+", "port: 0", text) == (
        'name: "lab"\nservers:\n  - name: "hv01.example.test"\n    address: "127.0.0.1"\n    port: 0\n'
        '    scheme: "http"\n    transport: "ntlm"\n    credential: "demo"\n    site: "Aachen"\n'
        '    groups: ["primary", "yes"]\n'
    )


@posix
def test_by_hand_until_ctrl_c(tmp_path):
    snapshot = tmp_path / "estate.jsonl"
    snapshot.write_text("\n".join(map(json.dumps, [{"estate": "lab"}, SNAPSHOT_LINE])), encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.simulator", "--snapshot", snapshot], stdout=subprocess.PIPE, text=True
    ) as running:
        shown = list(iter(running.stdout.readline, "Stop it with Ctrl-C.\n"))
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    ca = re.search('ca: "(.*)"', "".join(shown)).group(1)
    assert not Path(ca).exists()
