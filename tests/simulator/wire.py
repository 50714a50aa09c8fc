"""The XML around the instances, in two dialects.

Windows: the shape of the answers recorded in zenoss/txwinrm (txwinrm/test/data), of the recorded Hyper-V host in
r4sd/go-wsman (hyperv/testdata/recorded_*.xml), and of the faults in WinRb/WinRM (tests/spec/stubs/responses) and
jborean93/pypsrp (tests/tests_pypsrp/responses). OMI: microsoft/omi, Unix/wsman.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
CIM_COMMON = "http://schemas.dmtf.org/wbem/wscim/1/common"
CIM_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"
CIM_SCHEMA = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
EVENTING = "http://schemas.xmlsoap.org/ws/2004/08/eventing"
FAULT_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
MS_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
MS_WSMAN = "http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd"
SOAP = "http://www.w3.org/2003/05/soap-envelope"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

FAULT_ACTIONS = {
    "addressing": f"{ADDRESSING}/fault",
    "enumeration": f"{ENUMERATION}/fault",
    "transfer": f"{TRANSFER}/fault",
    "wsman": "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
}


@dataclass(kw_only=True, eq=False)
class Refusal(Exception):  # noqa: N818 - "Fault" is the word for what a server is told to play
    """A SOAP fault, in terms that both dialects can write."""

    family: str  # key of FAULT_ACTIONS
    subcode: str  # with the prefixes of Windows: n:CannotProcessFilter
    number: int  # WSManFault Code, or the HRESULT of the CIM error
    text: str
    receiver: bool = False
    cim_status: int = 1  # 1 is CIM_ERR_FAILED
    cim_error: bool = False  # detail is MSFT_WmiError in place of WSManFault
    by_provider: bool = False  # WSManFault nested in a ProviderFault
    extended: str = ""  # the query, for an ExtendedStatus
    namespace: str = "root/cimv2"
    fault_detail: str = ""
    related: bool = True


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What an answer needs to know of its server and its request."""

    locale: str
    computer: str
    relates_to: str


def upper_uuid() -> str:
    return f"uuid:{str(uuid.uuid4()).upper()}"


class Windows:
    """WinRM as it was recorded: no XML declaration, one line, xml:lang of the host, Action first."""

    omi = False
    xsi_nil = 'xsi:nil="true"'
    true, false = "true", "false"
    identity_vendor = "Microsoft Corporation"
    _declared: Mapping[str, Mapping[str, str]] = {
        "enumeration": {"s": SOAP, "a": ADDRESSING, "n": ENUMERATION, "w": WSMAN},
        "transfer": {"s": SOAP, "a": ADDRESSING, "x": TRANSFER, "p": MS_WSMAN, "w": WSMAN},
        "fault": {
            "s": SOAP,
            "a": ADDRESSING,
            "n": ENUMERATION,
            "x": TRANSFER,
            "e": EVENTING,
            "p": MS_WSMAN,
            "w": WSMAN,
        },
    }

    def envelope(self, kind: str, action: str, body: str, heading: Heading, *, related: bool = True) -> str:
        relates = f"<a:RelatesTo>{escape(heading.relates_to)}</a:RelatesTo>" if related and heading.relates_to else ""
        return (
            f'<s:Envelope xml:lang="{heading.locale}"{_declarations(self._declared[kind])}><s:Header>'
            f"<a:Action>{action}</a:Action><a:MessageID>{upper_uuid()}</a:MessageID>"
            f"<a:To>{ANONYMOUS}</a:To>{relates}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )

    def context(self) -> str:
        return upper_uuid()

    def enumerated(self, context: str | None, items: str | None, heading: Heading) -> str:
        """`context` None: the sequence is complete. `items` None: the enumeration was not optimized."""
        listed = "" if items is None else f"<w:Items>{items}</w:Items>"
        end = "<w:EndOfSequence/>" if context is None else ""
        body = (
            f"<n:EnumerateResponse><n:EnumerationContext>{context or ''}</n:EnumerationContext>{listed}{end}"
            "</n:EnumerateResponse>"
        )
        return self.envelope("enumeration", f"{ENUMERATION}/EnumerateResponse", body, heading)

    def pulled(self, context: str | None, items: str, heading: Heading) -> str:
        more = "" if context is None else f"<n:EnumerationContext>{context}</n:EnumerationContext>"
        end = "<n:EndOfSequence/>" if context is None else ""
        body = f"<n:PullResponse>{more}<n:Items>{items}</n:Items>{end}</n:PullResponse>"
        return self.envelope("enumeration", f"{ENUMERATION}/PullResponse", body, heading)

    def released(self, heading: Heading) -> str:
        return self.envelope("enumeration", f"{ENUMERATION}/ReleaseResponse", "", heading)

    def got(self, instance: str, heading: Heading) -> str:
        return self.envelope("transfer", f"{TRANSFER}/GetResponse", instance, heading)

    def invoked(self, uri: str, method: str, values: Mapping[str, str | None], heading: Heading) -> str:
        return self.envelope("transfer", f"{uri}/{method}Response", _output(uri, method, values), heading)

    def identified(self, version: str, locale: str) -> str:
        return (
            f'<s:Envelope xml:lang="{locale}" xmlns:s="{SOAP}"><s:Header/><s:Body>'
            f"{_identity(self.identity_vendor, f'OS: {version} SP: 0.0 Stack: 3.0')}</s:Body></s:Envelope>"
        )

    def refused(self, refusal: Refusal, heading: Heading) -> str:
        text = escape(refusal.text)
        named = refusal.fault_detail
        first = f"<w:FaultDetail>{FAULT_DETAIL}{named}</w:FaultDetail>" if named else ""
        detail = _wmi_error(refusal) if refusal.cim_error else _wsman_fault(refusal, heading.computer)
        code = "s:MustUnderstand" if refusal.subcode == "s:MustUnderstand" else _role(refusal, "s")
        subcode = "" if code == refusal.subcode else f"<s:Subcode><s:Value>{refusal.subcode}</s:Value></s:Subcode>"
        body = (
            f"<s:Fault><s:Code><s:Value>{code}</s:Value>{subcode}</s:Code>"
            f'<s:Reason><s:Text xml:lang="{heading.locale}">{text}</s:Text></s:Reason>'
            f"<s:Detail>{first}{detail}</s:Detail></s:Fault>"
        )
        return self.envelope("fault", FAULT_ACTIONS[refusal.family], body, heading, related=refusal.related)


class Omi:
    """Microsoft's server for Linux: other prefixes, To first, no xml:lang, a context beside EndOfSequence."""

    omi = True
    xsi_nil = 'xsi:nil="true"'
    true, false = "TRUE", "FALSE"
    identity_vendor = "Open Management Infrastructure"
    _declared: Mapping[str, str] = {
        "SOAP-ENV": SOAP,
        "wsa": ADDRESSING,
        "wsen": ENUMERATION,
        "e": EVENTING,
        "wsman": WSMAN,
        "wsmb": CIM_BINDING,
        "wsmid": IDENTITY,
        "wxf": TRANSFER,
        "cim": CIM_COMMON,
        "msftwinrm": MS_WSMAN,
        "wsmanfault": MS_FAULT,
    }

    def __init__(self) -> None:
        self._contexts = 0

    def envelope(self, action: str, body: str, heading: Heading) -> str:
        return (
            f"<SOAP-ENV:Envelope{_declarations(self._declared)}><SOAP-ENV:Header>"
            f"<wsa:To>{ANONYMOUS}</wsa:To><wsa:Action>{action}</wsa:Action>"
            f"<wsa:MessageID>{upper_uuid()}</wsa:MessageID><wsa:RelatesTo>{escape(heading.relates_to)}</wsa:RelatesTo>"
            f"</SOAP-ENV:Header><SOAP-ENV:Body>{body}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
        )

    def context(self) -> str:
        self._contexts += 1
        return str(self._contexts)

    def enumerated(self, context: str | None, items: str | None, heading: Heading) -> str:
        end = "<wsman:EndOfSequence></wsman:EndOfSequence>" if context is None else ""
        body = (
            f"<wsen:EnumerateResponse><wsen:EnumerationContext>{context or self.context()}</wsen:EnumerationContext>"
            f"<wsman:Items>{items or ''}</wsman:Items>{end}</wsen:EnumerateResponse>"
        )
        return self.envelope(f"{ENUMERATION}/EnumerateResponse", body, heading)

    def pulled(self, context: str | None, items: str, heading: Heading) -> str:
        end = "<wsen:EndOfSequence></wsen:EndOfSequence>" if context is None else ""
        body = (
            f"<wsen:PullResponse><wsen:EnumerationContext>{context or self.context()}</wsen:EnumerationContext>"
            f"<wsen:Items>{items}</wsen:Items>{end}</wsen:PullResponse>"
        )
        return self.envelope(f"{ENUMERATION}/PullResponse", body, heading)

    def released(self, heading: Heading) -> str:
        return self.envelope(f"{ENUMERATION}/ReleaseResponse", "", heading)

    def got(self, instance: str, heading: Heading) -> str:
        return self.envelope(f"{TRANSFER}/GetResponse", instance, heading)

    def invoked(self, uri: str, method: str, values: Mapping[str, str | None], heading: Heading) -> str:
        return self.envelope(f"{uri}/{method}Response", _output(uri, method, values), heading)

    def identified(self, version: str, locale: str) -> str:  # noqa: ARG002 - OMI has no locale
        return (
            f"<SOAP-ENV:Envelope{_declarations(self._declared)}><SOAP-ENV:Header></SOAP-ENV:Header><SOAP-ENV:Body>"
            f"{_identity(self.identity_vendor, version)}</SOAP-ENV:Body></SOAP-ENV:Envelope>"
        )

    def refused(self, refusal: Refusal, heading: Heading) -> str:
        text = escape(refusal.text)
        prefix, name = refusal.subcode.split(":")
        ours = {"a": "wsa", "n": "wsen", "w": "wsman", "s": "SOAP-ENV"}[prefix]
        detail = (
            f'<p:OMI_Error xmlns:p="{CIM_SCHEMA}OMI_Error" xmlns:xsi="{XSI}" xsi:type="p:OMI_Error_Type" '
            f'wsmb:IsCIM_Error="true"><p:CIMStatusCode>{refusal.cim_status}</p:CIMStatusCode>'
            f"<p:CIMStatusCodeDescription>{text}</p:CIMStatusCodeDescription><p:ErrorType>0</p:ErrorType>"
            f"<p:Message>{text}</p:Message><p:MessageID>OMI:MI_Result:{refusal.cim_status}</p:MessageID>"
            f'<p:OtherErrorType xsi:nil="true"/><p:OMI_Code>{refusal.cim_status}</p:OMI_Code>'
            "<p:OMI_Type>MI</p:OMI_Type></p:OMI_Error>"
        )
        body = (
            f"<SOAP-ENV:Fault><SOAP-ENV:Code><SOAP-ENV:Value>{_role(refusal, 'SOAP-ENV')}</SOAP-ENV:Value>"
            f"<SOAP-ENV:Subcode><SOAP-ENV:Value>{ours}:{name}</SOAP-ENV:Value></SOAP-ENV:Subcode></SOAP-ENV:Code>"
            f'<SOAP-ENV:Reason><SOAP-ENV:Text xml:lang="en-US">{text}</SOAP-ENV:Text></SOAP-ENV:Reason>'
            f"<SOAP-ENV:Detail>{detail}</SOAP-ENV:Detail></SOAP-ENV:Fault>"
        )
        return self.envelope(FAULT_ACTIONS[refusal.family], body, heading)


Dialect = Windows | Omi


def _output(uri: str, method: str, values: Mapping[str, str | None]) -> str:
    """What a method gives; not recorded, but written as NetXMS and GLPI's agent read it."""
    given = "".join(
        f'<p:{name} xsi:nil="true"/>' if value is None else f"<p:{name}>{escape(value)}</p:{name}>"
        for name, value in values.items()
    )
    return f'<p:{method}_OUTPUT xmlns:xsi="{XSI}" xmlns:p="{uri}">{given}</p:{method}_OUTPUT>'


def _declarations(namespaces: Mapping[str, str]) -> str:
    return "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in namespaces.items())


def _identity(vendor: str, version: str) -> str:
    return (
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}"><wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>'
        f"<wsmid:ProductVendor>{vendor}</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>{escape(version)}</wsmid:ProductVersion></wsmid:IdentifyResponse>"
    )


def _role(refusal: Refusal, prefix: str) -> str:
    return f"{prefix}:{'Receiver' if refusal.receiver else 'Sender'}"


def _wsman_fault(refusal: Refusal, computer: str) -> str:
    text = escape(refusal.text)
    opening = f'<f:WSManFault xmlns:f="{MS_FAULT}" Code="{refusal.number}" Machine="{escape(computer)}">'
    inner = f"{opening}<f:Message>{text}</f:Message></f:WSManFault>"
    if not refusal.by_provider:
        return inner
    extended = f"<f:ExtendedError>{_extended_status(refusal)}</f:ExtendedError>" if refusal.extended else ""
    return (
        rf'{opening}<f:Message><f:ProviderFault provider="WMI Provider" path="%systemroot%\system32\WsmWmiPl.dll">'
        f"{inner}{extended}</f:ProviderFault></f:Message></f:WSManFault>"
    )


def _extended_status(refusal: Refusal) -> str:
    return (
        f'<p:__ExtendedStatus xmlns:xsi="{XSI}" xmlns:p="{WMI}{refusal.namespace}/__ExtendedStatus" '
        f'xmlns:cim="{CIM_COMMON}" xsi:type="p:__ExtendedStatus_Type"><p:Description xsi:nil="true"/>'
        f"<p:Operation>ExecQuery</p:Operation><p:ParameterInfo>{escape(refusal.extended)}</p:ParameterInfo>"
        '<p:ProviderName>WinMgmt</p:ProviderName><p:StatusCode xsi:nil="true"/></p:__ExtendedStatus>'
    )


def _wmi_error(refusal: Refusal) -> str:
    text = escape(refusal.text)
    nothing = None
    fields: dict[str, tuple[str, object]] = {
        "CIMStatusCode": ("UnsignedInt", refusal.cim_status),
        "CIMStatusCodeDescription": ("String", nothing),
        "ErrorSource": ("String", nothing),
        "ErrorSourceFormat": ("UnsignedShort", 0),
        "ErrorType": ("UnsignedShort", 0),
        "Message": ("String", text),
        "MessageID": ("String", f"HRESULT {refusal.number:#010x}"),
        "OtherErrorSourceFormat": ("String", nothing),
        "OtherErrorType": ("String", nothing),
        "OwningEntity": ("String", nothing),
        "PerceivedSeverity": ("UnsignedShort", 0),
        "ProbableCause": ("UnsignedShort", 0),
        "ProbableCauseDescription": ("String", nothing),
        "error_Category": ("UnsignedInt", 13 if refusal.cim_status == 3 else 0),
        "error_Code": ("UnsignedInt", refusal.number),
        "error_Type": ("String", "HRESULT"),
        "error_WindowsErrorMessage": ("String", text),
    }
    written = "".join(
        f'<p:{name} xsi:type="cim:cim{kind}" xsi:nil="true"/>'
        if value is nothing
        else f'<p:{name} xsi:type="cim:cim{kind}">{value}</p:{name}>'
        for name, (kind, value) in fields.items()
    )
    return (
        f'<p:MSFT_WmiError b:IsCIM_Error="true" xmlns:xsi="{XSI}" xmlns:b="{CIM_BINDING}" '
        f'xmlns:p="{CIM_SCHEMA}MSFT_WmiError" xmlns:cim="{CIM_COMMON}" xsi:type="p:MSFT_WmiError_Type">'
        f"{written}</p:MSFT_WmiError>"
    )
