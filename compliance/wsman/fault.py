"""SOAP faults: what a host says when it won't answer, turned into one error that says what a caller may do about it."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from compliance.errors import ReadError, Why
from compliance.words import shorten
from compliance.wsman.document import SOAP, child, local_name, names, text_of

TEXT_LIMIT = 300  # characters of a host's text in one line of ours


class Fault(ReadError):  # noqa: N818 - SOAP's own word
    """A host's refusal, in our terms.

    ``code`` is the innermost number (the cause), ``outer`` the one that WinRM wrapped around it, ``status`` the CIM
    status code, ``subcode`` SOAP's without prefix; None when the fault has none. ``text`` is the host's, in its
    language: for people, never to be matched.
    """

    def __init__(
        self,
        *,
        why: Why,
        code: int | None = None,
        outer: int | None = None,
        status: int | None = None,
        subcode: str | None = None,
        text: str = "",
        provider: str | None = None,
    ) -> None:
        reason = _sentence(text, code=code, subcode=subcode, provider=provider)
        super().__init__(f"{reason}; {_right(code, outer, provider)}" if why is Why.NOT_PERMITTED else reason, why=why)
        self.code = code
        self.outer = outer
        self.status = status
        self.subcode = subcode
        self.text = text
        self.provider = provider

    @property
    def context_expired(self) -> bool:
        """The host forgot the enumeration: it may be started again from the beginning."""
        return self.code in EXPIRED or self.outer in EXPIRED or self.subcode == "InvalidEnumerationContext"

    @property
    def refuses_dialect(self) -> bool:
        """The host takes no filter of this kind, whatever it says."""
        return bool({self.code, self.outer} & {2150858777}) or self.subcode in _NO_DIALECT


def fault_in(body: Element) -> Fault | None:
    """Return the fault in a SOAP body, whatever its detail is: WSManFault, a CIM error instance, both, or nothing at
    all."""
    element = child(body, _FAULT)
    if element is None:
        return None
    subcode = _subcode(element)
    wsman, cim = _wsman_detail(element), _cim_detail(element)
    code = cim.code if wsman.code is None else wsman.code
    outer = cim.code if wsman.outer is None else wsman.outer
    text = wsman.text or cim.text or text_of(_below(element, "Text")) or text_of(_below(element, "faultstring"))
    return Fault(
        why=_why(code, outer, cim.status, subcode),
        code=code,
        outer=outer,
        status=cim.status,
        subcode=subcode,
        text=shorten(" ".join(text.split()), TEXT_LIMIT),
        provider=wsman.provider,
    )


# --- which number means what: wsmerror.h, WMI's constants, DSP0226; recorded where a comment says so ---

_NO_DIALECT = frozenset({"FilterDialectRequestedUnavailable", "FilteringNotSupported"})
EXPIRED = frozenset({2150858779, 2150858759, 2150858884})

_BY_CODE: dict[int, Why] = {
    5: Why.NOT_PERMITTED,  # ERROR_ACCESS_DENIED (recorded)
    0x80070005: Why.NOT_PERMITTED,
    87: Why.REFUSED,  # ERROR_INVALID_PARAMETER (recorded)
    0x80041003: Why.NOT_PERMITTED,  # WBEM_E_ACCESS_DENIED
    2150859012: Why.NOT_PERMITTED,  # the WMI service refuses
    2150859013: Why.NOT_PERMITTED,  # the provider refuses
    2150859014: Why.NOT_PERMITTED,  # the connection to WMI is refused
    2150859229: Why.NOT_PERMITTED,  # WinRM takes no remote requests
    2150859235: Why.NOT_PERMITTED,  # its plug-in takes no remote connections
    2150858752: Why.ABSENT,  # class, namespace or instance not found by URI (recorded)
    2150858754: Why.ABSENT,
    2150858811: Why.ABSENT,
    0x80041002: Why.ABSENT,  # WBEM_E_NOT_FOUND
    0x8004100E: Why.ABSENT,  # WBEM_E_INVALID_NAMESPACE
    0x80041010: Why.ABSENT,  # WBEM_E_INVALID_CLASS
    2150859003: Why.REFUSED,  # WQL under a class's URI
    2150859016: Why.REFUSED,  # keys in an Enumerate
    2150859067: Why.REFUSED,  # __cimnamespace is not the URI's (recorded)
    2150858777: Why.REFUSED,  # unsupported dialect
    0x80041017: Why.REFUSED,  # WBEM_E_INVALID_QUERY
    2150858842: Why.REFUSED,  # selectors
    2150858843: Why.REFUSED,  # (recorded)
    2150858845: Why.REFUSED,
    2150859008: Why.REFUSED,  # embedded too deep: ask for fewer properties
    2150859009: Why.REFUSED,  # a reference to another computer: ask without it
    2150858817: Why.REFUSED,  # a datetime that the host can't write: ask without it (recorded)
    2150858815: Why.BUSY,
    2150859173: Why.BUSY,  # shells of a user (recorded)
    2150859174: Why.BUSY,  # operations of a user (recorded)
    2150859175: Why.BUSY,
    2150859176: Why.BUSY,
    **dict.fromkeys(range(2150859237, 2150859243), Why.BUSY),  # quotas of a plug-in
    0x80041033: Why.BUSY,  # WBEM_E_SHUTTING_DOWN
    2150858793: Why.TIMED_OUT,  # (recorded)
    2150858780: Why.TIMED_OUT,
    2150858878: Why.BROKEN,  # our own MaxEnvelopeSize is below 8192: to ask for less would not help
    2150858790: Why.TOO_LARGE,
    2150858824: Why.TOO_LARGE,  # one item is larger than the envelope
    2150858825: Why.TOO_LARGE,
}

_BY_STATUS: dict[int, Why] = {
    2: Why.NOT_PERMITTED,
    3: Why.ABSENT,  # namespace
    5: Why.ABSENT,  # class
    6: Why.ABSENT,  # instance
    7: Why.REFUSED,  # not supported
    14: Why.REFUSED,  # query language
    15: Why.REFUSED,  # query
    27: Why.BUSY,  # server limits (recorded with QuotaLimit)
}

_BY_SUBCODE: dict[str, Why] = {
    "AccessDenied": Why.NOT_PERMITTED,
    "DestinationUnreachable": Why.ABSENT,
    # Also for a class that doesn't exist (2150858778, recorded): only a plain enumeration can tell.
    "CannotProcessFilter": Why.REFUSED,
    "FilterDialectRequestedUnavailable": Why.REFUSED,
    "FilteringNotSupported": Why.REFUSED,
    "InvalidSelectors": Why.REFUSED,
    "InvalidParameter": Why.REFUSED,
    "SchemaValidationError": Why.REFUSED,
    "UnsupportedFeature": Why.REFUSED,
    "QuotaLimit": Why.BUSY,
    "Concurrency": Why.BUSY,
    "TimedOut": Why.TIMED_OUT,
    "EncodingLimit": Why.TOO_LARGE,
}

# Codes that say so little that a CIM status or a subcode beside them knows better.
_BY_VAGUE_CODE: dict[int, Why] = {2150858778: Why.REFUSED}


def _why(code: int | None, outer: int | None, status: int | None, subcode: str | None) -> Why:
    by_subcode = {name.casefold(): why for name, why in _BY_SUBCODE.items()}
    answers = (
        _BY_CODE.get(code or 0),
        _BY_CODE.get(outer or 0),
        _BY_STATUS.get(status or 0),
        by_subcode.get((subcode or "").casefold()),
        _BY_VAGUE_CODE.get(code or 0),
    )
    return next((why for why in answers if why is not None), Why.BROKEN)


# --- which right is likely missing ---

# The rights are Microsoft's (WinRM: authentication for remote connections, installation and configuration; WMI: setting
# namespace security). Which layer refuses with which number is inferred from the numbers' texts in wsmerror.h.
_WINRM = "membership in Remote Management Users (or WinRMRemoteWMIUsers__), or a place in `winrm configSDDL default`"
_NAMESPACE = "Enable Account and Remote Enable on the WMI namespace (wmimgmt.msc)"
_PLUGIN = f"{_NAMESPACE}, or a place in `winrm configSDDL http://schemas.microsoft.com/wbem/wsman/1/wmi/ WmiNamespace`"
_HYPERV = "membership in Hyper-V Administrators"
_RIGHTS: dict[int | None, str] = {
    5: _WINRM,
    0x80070005: _WINRM,
    0x80041003: _NAMESPACE,
    2150859012: _PLUGIN,
    2150859013: f"{_HYPERV}; or {_NAMESPACE}",
    2150859014: _PLUGIN,
    2150859229: "remote access itself, which its WinRM service gives to nobody",
    2150859235: "remote access itself, which its WMI plug-in gives to nobody",
}


def _right(code: int | None, outer: int | None, provider: str | None) -> str:
    right = next((_RIGHTS[number] for number in (code, outer) if number in _RIGHTS), None)
    if right is _WINRM and provider:  # WinRM let us in: it is WMI that denied the access
        right = _PLUGIN
    return f"likely missing: {right or f'{_WINRM}; or {_NAMESPACE}; or {_HYPERV}'}"


# --- the two forms of detail ---

_FAULT = names("Fault", SOAP)
_DIGITS = 24  # no code has more; int() of a host's million digits would take its time


@dataclass(frozen=True, kw_only=True, slots=True)
class _Detail:
    code: int | None = None
    outer: int | None = None
    status: int | None = None
    text: str = ""
    provider: str | None = None


def _wsman_detail(fault: Element) -> _Detail:
    """Return what is in f:WSManFault, with the provider's own WSManFault or plain text inside (WinRb and pypsrp
    recordings)."""
    codes: list[int] = []
    text, provider = "", None
    for element in fault.iter():
        match local_name(element.tag).casefold():
            case "wsmanfault":
                codes += [code for code in [_number(element.get("Code"))] if code is not None]
                text = _message(element) or text
            case "providerfault":
                provider = shorten(element.get("provider", ""), 80) or provider
                text = " ".join((element.text or "").split()) or text
    return _Detail(
        code=next((code for code in reversed(codes) if code), None),
        outer=codes[0] if codes else None,
        text=text,
        provider=provider,
    )


def _message(wsman_fault: Element) -> str:
    """Return the text of this WSManFault's own Message, not of the faults nested in it."""
    own = (element for element in wsman_fault if local_name(element.tag).casefold() == "message")
    return " ".join((element.text or "").strip() for element in own).strip()


def _cim_detail(fault: Element) -> _Detail:
    """Return what is in MSFT_WmiError, in whatever namespace its provider has, Msvm_Error, OMI_Error: an instance of
    CIM_Error."""
    error = next((element for element in fault.iter() if _is_cim_error(element)), None)
    if error is None:
        return _Detail()
    values = {local_name(element.tag).casefold(): text_of(element) for element in error}
    code = _number(values.get("error_code")) or _number(values.get("messageid", "").rpartition(" ")[2]) or None
    text = values.get("message") or values.get("error_windowserrormessage") or ""
    return _Detail(code=code, status=_number(values.get("cimstatuscode")), text=text)


def _is_cim_error(element: Element) -> bool:
    marked = any(
        local_name(key).casefold() == "iscim_error" and value.casefold() == "true" for key, value in element.items()
    )
    return marked or local_name(element.tag) in ("MSFT_WmiError", "OMI_Error", "Msvm_Error", "CIM_Error")


def _subcode(fault: Element) -> str | None:
    """Return SOAP 1.2's innermost Subcode, without its prefix."""
    subcodes = [element for element in fault.iter() if local_name(element.tag) == "Subcode"]
    if not subcodes:
        return None
    value = next((text_of(part) for part in subcodes[-1] if local_name(part.tag) == "Value"), "")
    return shorten(value.rpartition(":")[2], 80) or None


def _below(fault: Element, local: str) -> Element | None:
    return next((element for element in fault.iter() if local_name(element.tag) == local), None)


def _number(text: str | None) -> int | None:
    """Return what is decimal or 0x; unsigned 32 bit, whichever sign the host writes."""
    digits = (text or "").strip()
    if not digits or len(digits) > _DIGITS:
        return None
    try:
        number = int(digits, 16 if digits.casefold().startswith("0x") else 10)
    except ValueError:
        return None
    return number & 0xFFFFFFFF


def _sentence(text: str, *, code: int | None, subcode: str | None, provider: str | None) -> str:
    number = None if code is None else f"fault {code} (0x{code:08X})"
    marks = ", ".join(part for part in (subcode, number, provider) if part)
    return f"{text or 'the host gave no reason'} [{marks or 'no code'}]"
