"""The SOAP faults that a server answers, each with its numbers.

Numbers: wsmerror.h (as in dahall/Vanara, PInvoke/WsmSvc/wsmerror.cs) and the WMI constants. Which situation gives
which: the recorded faults named in wire.py, MS-WSMV 3.1.4.1, and for a query on a class URI r4sd/go-wsman. The texts
are ours; those of Windows are localised, so nobody may match on them.
"""

from tests.simulator.wire import Refusal

CIM_ACCESS_DENIED, CIM_INVALID_NAMESPACE, CIM_INVALID_CLASS, CIM_NOT_FOUND, CIM_INVALID_QUERY = 2, 3, 5, 6, 15


def access_denied() -> Refusal:
    return Refusal(
        family="wsman", subcode="w:AccessDenied", number=5, text="Access is denied. ", cim_status=CIM_ACCESS_DENIED
    )


def access_denied_by_wmi() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:AccessDenied",
        number=0x80041003,
        text="Access denied ",
        cim_status=CIM_ACCESS_DENIED,
        cim_error=True,
        related=False,
    )


def bad_header(text: str) -> Refusal:
    return Refusal(
        family="addressing",
        subcode="a:InvalidMessageInformationHeader",
        number=2150858767,
        text=f"A header is not valid: {text}",
    )


def bad_namespace() -> Refusal:
    return Refusal(
        family="enumeration",
        subcode="n:CannotProcessFilter",
        number=2150858778,
        text="The CIM namespace is not valid.",
        cim_status=CIM_INVALID_NAMESPACE,
        cim_error=True,
    )


def bad_query(query: str, namespace: str, cim_status: int = CIM_INVALID_QUERY) -> Refusal:
    return Refusal(
        family="enumeration",
        subcode="n:CannotProcessFilter",
        number=2150858778,
        text="The filter could not be processed.",
        cim_status=cim_status,
        by_provider=True,
        extended=query,
        namespace=namespace,
    )


def bad_selectors() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:InvalidSelectors",
        number=2150858843,
        text="The selectors are not valid.",
        fault_detail="UnexpectedSelectors",
    )


def envelope_too_small() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:EncodingLimit",
        number=2150858878,
        text="MaxEnvelopeSize is below 8192.",
        fault_detail="MinimumEnvelopeLimit",
    )


def item_too_large() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:EncodingLimit",
        number=2150858824,
        text="The answer is larger than the envelope may be.",
        fault_detail="MaxEnvelopeSizeExceeded",
    )


def keys_in_uri() -> Refusal:
    return Refusal(
        family="addressing",
        subcode="a:DestinationUnreachable",
        number=2150859016,
        text="The resource URI of an enumeration must not have keys.",
        fault_detail="InvalidResourceURI",
    )


def namespaces_differ() -> Refusal:
    return Refusal(
        family="addressing",
        subcode="a:DestinationUnreachable",
        number=2150859067,
        text="The namespaces of the resource URI and of __cimnamespace must match.",
        fault_detail="InvalidResourceURI",
        cim_status=CIM_INVALID_NAMESPACE,
    )


def not_found(cim_status: int = CIM_NOT_FOUND) -> Refusal:
    return Refusal(
        family="addressing",
        subcode="a:DestinationUnreachable",
        number=2150858752,
        text="The resource was not found.",
        by_provider=True,
        fault_detail="InvalidResourceURI",
        cim_status=cim_status,
    )


def not_understood() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="s:MustUnderstand",
        number=2150858887,
        text="A header that must be understood is not.",
    )


def not_valid() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:SchemaValidationError",
        number=2150858817,
        text="The request does not conform to its schema.",
    )


def query_on_class() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:InvalidParameter",
        number=2150859003,
        text="With a WQL filter the resource URI must not contain keys and the class name must be *.",
    )


def timed_out() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:TimedOut",
        number=2150858793,
        text="The operation did not end within OperationTimeout.",
        receiver=True,
    )


def too_many_operations() -> Refusal:
    return Refusal(
        family="wsman",
        subcode="w:InternalError",
        number=2150859174,
        text="This user is allowed a maximum number of 15 concurrent operations.",
        receiver=True,
    )


def unknown_action(action: str) -> Refusal:
    return Refusal(
        family="addressing",
        subcode="a:ActionNotSupported",
        number=2150858753,
        text=f"The action is not supported: {action}",
    )


def unknown_context() -> Refusal:
    return Refusal(
        family="enumeration",
        subcode="n:InvalidEnumerationContext",
        number=2150858779,
        text="The enumeration context is not valid.",
        receiver=True,
    )


def unknown_dialect(dialect: str) -> Refusal:
    return Refusal(
        family="enumeration",
        subcode="n:FilterDialectRequestedUnavailable",
        number=2150858777,
        text=f"The filter dialect is not supported: {dialect}",
    )
