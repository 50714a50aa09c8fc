"""Answers in the shapes that hosts were recorded with (txwinrm, go-wsman, WinRb, pypsrp, OMI). The texts are ours."""

from __future__ import annotations

ID = "uuid:11111111-2222-4333-8444-000000000001"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2"

_ROOT = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:n="http://schemas.xmlsoap.org/ws/2004/09/enumeration"'
    ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">'
)
_XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_CIM = 'xmlns:cim="http://schemas.dmtf.org/wbem/wscim/1/common"'

ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
EPR = 'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'

IDENTIFY_RESPONSE = (
    '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
    '<wsmid:IdentifyResponse xmlns:wsmid="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd">'
    "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
    "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
    "<wsmid:ProductVersion>OS: {version} SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
    "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
)


def envelope(body: str, relates_to: str | None = ID) -> bytes:
    related = "" if relates_to is None else f"<a:RelatesTo>{relates_to}</a:RelatesTo>"
    header = (
        "<s:Header><a:Action>http://schemas.xmlsoap.org/ws/2004/09/enumeration/Response</a:Action>"
        "<a:MessageID>uuid:AAAAAAAA-0000-4000-8000-00000000000A</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To>{related}</s:Header>"
    )
    return f"{_ROOT}{header}<s:Body>{body}</s:Body></s:Envelope>".encode()


def typed(cls: str, properties: str) -> str:
    """A typed instance as Windows writes it: every namespace declared on the instance."""
    return f'<p:{cls} {_XSI} xmlns:p="{WMI}/{cls}" {_CIM} xsi:type="p:{cls}_Type">{properties}</p:{cls}>'


def fragment(properties: str) -> str:
    """An instance of a projection: no namespace and no class."""
    return (
        f'<w:XmlFragment {_XSI} xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd">{properties}</w:XmlFragment>'
    )


def machine(name: str) -> str:
    return typed("Msvm_ComputerSystem", f"<p:Name>{name}</p:Name>")


def first(*items: str, context: str = "", relates_to: str | None = ID) -> bytes:
    """An optimized EnumerateResponse: one that is complete has an empty context and w:EndOfSequence."""
    end = "" if context else "<w:EndOfSequence/>"
    held = f"<n:EnumerationContext>{context}</n:EnumerationContext><w:Items>{''.join(items)}</w:Items>{end}"
    return envelope(f"<n:EnumerateResponse>{held}</n:EnumerateResponse>", relates_to)


def pulled(*items: str, context: str = "", relates_to: str | None = ID) -> bytes:
    """A PullResponse: the last one has no context at all."""
    before = f"<n:EnumerationContext>{context}</n:EnumerationContext>" if context else ""
    after = "" if context else "<n:EndOfSequence/>"
    held = f"{before}<n:Items>{''.join(items)}</n:Items>{after}"
    return envelope(f"<n:PullResponse>{held}</n:PullResponse>", relates_to)


def fault(subcode: str, detail: str, *, reason: str = "the reason", relates_to: str | None = ID) -> bytes:
    code = f"<s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
    told = f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason><s:Detail>{detail}</s:Detail>'
    return envelope(f"<s:Fault>{code}{told}</s:Fault>", relates_to)


def wsman_fault(code: str, message: str = "the message", inner: str = "") -> str:
    return (
        '<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"'
        f' Code="{code}" Machine="hv01"><f:Message>{message}{inner}</f:Message></f:WSManFault>'
    )


def provider_fault(inner: str) -> str:
    return (
        '<f:ProviderFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" provider="WMI Provider"'
        rf' path="%systemroot%\system32\WsmWmiPl.dll">{inner}</f:ProviderFault>'
    )


def wmi_error(code: int, status: int, *, cls: str = "MSFT_WmiError", namespace: str = "") -> str:
    uri = f"{namespace or 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2'}/{cls}"
    return (
        f'<p:{cls} b:IsCIM_Error="true" {_XSI} xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
        f' xmlns:p="{uri}" {_CIM} xsi:type="p:{cls}_Type">'
        f'<p:CIMStatusCode xsi:type="cim:cimUnsignedInt">{status}</p:CIMStatusCode>'
        '<p:ErrorSource xsi:type="cim:cimString" xsi:nil="true"/>'
        '<p:Message xsi:type="cim:cimString">the WMI message</p:Message>'
        f'<p:MessageID xsi:type="cim:cimString">HRESULT 0x{code:08x}</p:MessageID>'
        f'<p:error_Code xsi:type="cim:cimUnsignedInt">{code}</p:error_Code>'
        f'<p:error_Type xsi:type="cim:cimString">HRESULT</p:error_Type></p:{cls}>'
    )


OMI_ERROR = (
    '<p:OMI_Error b:IsCIM_Error="TRUE" xmlns:b="http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"'
    ' xmlns:p="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/OMI_Error">'
    "<p:CIMStatusCode>5</p:CIMStatusCode><p:Message>no such class</p:Message>"
    "<p:MessageID>OMI:MI_Result:5</p:MessageID><p:OMI_Code>5</p:OMI_Code></p:OMI_Error>"
)
