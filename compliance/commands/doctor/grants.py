"""Which right is missing, and what an administrator would run on the host to give it.

Nothing here is run by us. Each command's source stands beside it. What Microsoft documents is told apart from what was
put together from several pages, or from what a number means: no Windows server was at hand to try it on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from compliance.commands.doctor.examination import Grant, GrantBasis
from compliance.errors import Why
from compliance.hyperv.queries import parse_version
from compliance.model import Unread
from compliance.wsman.endpoint import Endpoint

REMOTE_MANAGEMENT_USERS = "S-1-5-32-580"  # Microsoft, security identifiers: BUILTIN\Remote Management Users
HYPERV_ADMINISTRATORS = "S-1-5-32-578"  # the same page: BUILTIN\Hyper-V Administrators
SERVER_2016 = (10, 0)

_POLICIES = r"HKLM:\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
_CODE = re.compile(r"\bfault (\d{1,10}) \(0x[0-9A-F]{1,8}\)(, [^]]+)?\]")  # our own words; the last is a provider
# Which layer refuses with which number is inferred: WinRM itself says 5 (ERROR_ACCESS_DENIED, recorded), WMI says
# 0x80041003 (WBEM_E_ACCESS_DENIED), and wsmerror.h has a number for each way in which WMI may refuse WinRM.
_LAYERS = {
    **dict.fromkeys((5, 0x80070005, 2150859229, 2150859235), "WinRM"),
    **dict.fromkeys((2150859012, 2150859013, 2150859014), "plug-in"),
    0x80041003: "WMI",
}


def for_denied(endpoint: Endpoint, version: str | None, denied: Mapping[str, Unread]) -> tuple[Grant, ...]:
    """``denied`` is what each namespace answered: its name, and the refusal of one of its classes."""
    layers = {_layer(unread) for unread in denied.values()}
    grants: list[Grant] = []
    if layers & {"WinRM", ""}:
        grants.append(_remote_management(endpoint, version))
    if layers & {"WinRM", "plug-in", ""}:
        grants.append(_plug_in())
    if layers & {"WinRM", ""} and is_local(endpoint.username):
        grants.append(_unfiltered(endpoint))
    if layers & {"WMI", "plug-in", ""}:
        grants.append(_namespaces(endpoint, sorted(denied)))
    return tuple(grants)


def for_hidden(endpoint: Endpoint, version: str | None) -> tuple[Grant, ...]:
    """Hyper-V answers without an error and without its own row.

    A user's report, confirmed by the maintainers (microsoft/devhome issue 2476); that membership is what remote
    management needs: MicrosoftDocs/windowsserverdocs, Remotely-manage-Hyper-V-hosts.md.
    """
    return (
        Grant(
            key="hyper-v-administrators",
            missing="membership in Hyper-V Administrators",
            why="without it Hyper-V shows empty lists in place of an error. It allows everything with every virtual"
            " machine, since there is no read-only role: guard the account like an administrator's",
            commands=_join_group("Hyper-V Administrators", HYPERV_ADMINISTRATORS, endpoint, version),
            basis=GrantBasis.DOCUMENTED,
        ),
    )


def for_login(endpoint: Endpoint, why: Why) -> tuple[Grant, ...]:
    """After a login that was tried and failed: what else than the password it may be, the likeliest first."""
    if why is Why.BROKEN and not endpoint.encrypted and not endpoint.sealed:
        return (_encryption(),)
    if why is not Why.LOGIN_REFUSED:
        return ()
    grants = [_remote_management(endpoint, None, basis=GrantBasis.INFERRED)]
    grants += [_unfiltered(endpoint)] if is_local(endpoint.username) else []
    if endpoint.transport in ("ntlm", "kerberos") and endpoint.encrypted:
        grants.append(_binding())
    return (_mapping(),) if endpoint.transport == "certificate" else tuple(grants)


def for_scheme(transport: str) -> tuple[Grant, ...]:
    """The listener does not offer how we would log in."""
    grants = {
        # MicrosoftDocs/win32, WinRM, installation-and-configuration: Basic, Kerberos, Negotiate under service/auth.
        "basic": ("Basic", "Basic is off there, as it is by default; `transport: ntlm` or `kerberos` needs no change"),
        "ntlm": ("Negotiate", "Negotiate is off there, although it is on by default: ask why before"),
        "kerberos": ("Kerberos", "Kerberos is off there, although it is on by default: ask why before"),
    }.get(transport)
    if grants is None:
        return ()
    name, why = grants
    return (
        Grant(
            key=f"{name.casefold()}-login",
            missing=f"the listener's {name} login",
            why=why,
            commands=(f"Set-Item WSMan:\\localhost\\Service\\Auth\\{name} $true",),
            basis=GrantBasis.DOCUMENTED,
        ),
    )


def is_local(username: str) -> bool:
    """An account of the host itself: no domain, or the dot that stands for the host."""
    domain, backslash, _ = username.rpartition("\\")
    return bool(username) and (domain == "." if backslash else "@" not in username)


# --- each right and its commands --------------------------------------------------------------------------------------


def _remote_management(endpoint: Endpoint, version: str | None, basis: GrantBasis = GrantBasis.DOCUMENTED) -> Grant:
    """MicrosoftDocs/win32, WinRM, authentication-for-remote-connections: WinRM lets in Administrators and
    WinRMRemoteWMIUsers__. Enable-ServerManagerStandardUserRemoting (windows-powershell-docs): newer systems use Remote
    Management Users. That its lack may also show as HTTP 401 is inferred."""
    numbers = parse_version(version)
    old = numbers is not None and numbers < SERVER_2016
    extra = (f"net localgroup WinRMRemoteWMIUsers__ {_quoted(_account(endpoint))} /add",) if old else ()
    return Grant(
        key="remote-management-users",
        missing="membership in Remote Management Users"
        + (" or, before Server 2016, WinRMRemoteWMIUsers__" if old else ""),
        why=("if the password is right: " if basis is GrantBasis.INFERRED else "")
        + "WinRM itself lets in nobody else but administrators",
        commands=_join_group("Remote Management Users", REMOTE_MANAGEMENT_USERS, endpoint, version) + extra,
        basis=basis,
    )


def _plug_in() -> Grant:
    """MicrosoftDocs/win32, WinRM, installation-and-configuration, "WMI plug-in configuration notes"."""
    return Grant(
        key="wmi-plug-in",
        missing="a place in the WMI plug-in's security descriptor (read)",
        why="from Server 2012 on, WinRM's WMI plug-in asks for itself; if the groups above are in it, nothing is due",
        commands=("winrm configSDDL http://schemas.microsoft.com/wbem/wsman/1/wmi/ WmiNamespace",),
        basis=GrantBasis.DOCUMENTED,
    )


def _namespaces(endpoint: Endpoint, namespaces: Sequence[str]) -> Grant:
    """The right and its numbers (Enable Account 1, Remote Enable 0x20): MicrosoftDocs/win32, WmiSdk,
    access-to-wmi-namespaces and namespace-access-rights-constants. The methods: setting-namespace-security-descriptors.
    How PowerShell calls them: Steve Lee's Set-WmiNamespaceSecurity (MSDN blog of WMI, 2009), shortened here, not run.
    """
    asks = "Invoke-WmiMethod -Namespace {0} -Path '__systemsecurity=@' -Name"
    each = [
        line
        for namespace in namespaces
        for line in (
            f"$sd = ({asks.format(namespace)} GetSecurityDescriptor).Descriptor",
            "$sd.DACL += $ace.PSObject.ImmediateBaseObject",
            f"{asks.format(namespace)} SetSecurityDescriptor -ArgumentList $sd.PSObject.ImmediateBaseObject",
        )
    ]
    return Grant(
        key="namespace",
        missing=f"Enable Account and Remote Enable on {' and '.join(namespaces)}",
        why="by default only administrators may use a namespace from afar. By hand: wmimgmt.msc, WMI Control,"
        " Properties, Security; or in Windows PowerShell",
        commands=(
            f"$account = [Security.Principal.NTAccount]{_quoted(_account(endpoint))}",
            "$who = ([wmiclass]'Win32_Trustee').CreateInstance()",
            "$who.SidString = $account.Translate([Security.Principal.SecurityIdentifier]).Value",
            "$ace = ([wmiclass]'Win32_ACE').CreateInstance()",
            "$ace.AccessMask = 0x21; $ace.AceType = 0; $ace.AceFlags = 0; $ace.Trustee = $who",
            *each,
        ),
        basis=GrantBasis.INFERRED,
    )


def _unfiltered(endpoint: Endpoint) -> Grant:
    """MicrosoftDocs/win32, WinRM, obtaining-data-from-a-remote-computer; the same of WmiSdk,
    user-account-control-and-wmi, which does not recommend it."""
    return Grant(
        key="local-account",
        missing=f"administrators' rights of the local account {_account(endpoint)} over the network",
        why="only if it is a member of Administrators: Windows takes those rights from local accounts that come over"
        " the network. A domain account, or the groups above, is the better way; this switches it off for all of them",
        commands=(f"Set-ItemProperty {_POLICIES} LocalAccountTokenFilterPolicy 1 -Type DWord",),
        basis=GrantBasis.DOCUMENTED,
    )


def _binding() -> Grant:
    """The setting and its default (Relaxed): MicrosoftDocs/win32, WinRM, installation-and-configuration. That a login
    whose binding does not fit is answered by 401 was measured with NTLM, against pyspnego and not against Windows."""
    return Grant(
        key="channel-binding",
        missing="(perhaps) a match with CbtHardeningLevel; this only shows it",
        why="unless it says None, a login must name the certificate that the host shows: one that a proxy on the way"
        " exchanged for its own is refused",
        commands=(r"Get-Item WSMan:\localhost\Service\Auth\CbtHardeningLevel",),
        basis=GrantBasis.INFERRED,
    )


def _encryption() -> Grant:
    """MicrosoftDocs/win32, WinRM, installation-and-configuration: AllowUnencrypted, False by default. That it shows as
    HTTP 500 without a body: pywinrm issue 208."""
    return Grant(
        key="encryption",
        missing="nothing on the host: AllowUnencrypted is off there, and should stay so",
        why="leave out `cleartext: true`, so that NTLM or Kerberos seals the messages, or use `scheme: https`",
        commands=(r"Get-Item WSMan:\localhost\Service\AllowUnencrypted",),
        basis=GrantBasis.INFERRED,
    )


def _mapping() -> Grant:
    """MicrosoftDocs/win32, WinRM, authentication-for-remote-connections, "Client Certificate-based Authentication"."""
    return Grant(
        key="certificate-mapping",
        missing="a mapping of our certificate to a local account; this only shows what is there",
        why="a certificate logs in as the account that it is mapped to",
        commands=(
            "winrm enumerate winrm/config/service/certmapping",
            r"Get-Item WSMan:\localhost\Service\Auth\Certificate",
        ),
        basis=GrantBasis.DOCUMENTED,
    )


def _join_group(name: str, sid: str, endpoint: Endpoint, version: str | None) -> tuple[str, ...]:
    """By SID where there is Add-LocalGroupMember (PowerShell 5.1, in Server 2016 and later; PowerShell-Docs), since the
    groups have other names in other languages; `net localgroup` is older than all of them."""
    numbers = parse_version(version)
    if numbers is not None and numbers < SERVER_2016:
        return (f'net localgroup "{name}" {_quoted(_account(endpoint))} /add',)
    return (f"Add-LocalGroupMember -SID {sid} -Member {_quoted(_account(endpoint))}  # {name}",)


def _account(endpoint: Endpoint) -> str:
    return endpoint.username.removeprefix(".\\") or r"DOMAIN\account"


def _quoted(text: str) -> str:
    """For PowerShell, where a quote is doubled and nothing else means anything within single ones."""
    return "'" + text.replace("'", "''") + "'"


def _layer(unread: Unread) -> str:
    """Who refused, by the fault's number, which our own sentence gives after the host's text; empty if nobody knows.
    Where a provider is named, WinRM itself has let us in."""
    codes = _CODE.findall(unread.reason)
    if not codes:
        return ""
    layer = _LAYERS.get(int(codes[-1][0]), "")
    return "plug-in" if layer == "WinRM" and codes[-1][1] else layer
