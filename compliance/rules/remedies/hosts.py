"""Commands of the Hyper-V module, each for one named host: a machine by its GUID, an adapter and a service by its Id.

Names of machines need not be unique, and those of integration services are translated; ids are neither. Cmdlets and
parameters are those of Microsoft's reference (MicrosoftDocs/windows-powershell-docs, winserver2016-ps to
winserver2025-ps); whatever changes something carries -WhatIf. Nothing was tried on a Windows host.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from compliance.model import FailoverAddress, Role, VirtualMachine
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.settings import mistakes_in, network_of, parsed
from compliance.rules.evidence.today import addresses_in_use
from compliance.rules.remedies.case import RemedyCase
from compliance.rules.remedies.command import Command, Shell
from compliance.rules.remedies.quoting import UnquotableError, quote_guid, quote_powershell

DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
"""The last part of a component's Id, ``Microsoft:<machine>\\<this>`` (recorded rows of Msvm_KvpExchangeComponent)."""
ADDRESS, MASK, GATEWAY, SWITCH = "<address>", "<mask>", "<gateway>", "<switch>"
"""What only an administrator knows; in quotes, so that a command that still has one is refused and no more."""


def enable_data_exchange(case: RemedyCase) -> Command | None:
    """Return what switches Data Exchange on for the side that the finding is about."""
    return _enable(case.machine)


def enable_where_the_guest_runs(case: RemedyCase) -> Command | None:
    """Return what switches Data Exchange on for the side on which the guest runs."""
    return _enable(case.guest_side)


def _enable(machine: VirtualMachine | None) -> Command | None:
    component = _of_id(DATA_EXCHANGE)
    return _on_machine(machine, f"Get-VMIntegrationService | {component} | Enable-VMIntegrationService -WhatIf")


def start_primary(case: RemedyCase) -> Command | None:
    """Return what starts the guest where it is a primary that is off; never a replica's, which would be a failover."""
    primary = case.side_of(Role.PRIMARY)
    return _on_machine(primary, "Start-VM -WhatIf") if primary else None


def resume(case: RemedyCase) -> Command | None:
    return _on_machine(case.guest_side, "Resume-VM -WhatIf")


def list_adapters(case: RemedyCase) -> Command | None:
    """Return what shows a machine's adapters, with their ids: it changes nothing."""
    return _on_machine(case.machine, "Get-VMNetworkAdapter | Select-Object 'Name', 'Id', 'MacAddress', 'IsLegacy'")


def list_addresses(case: RemedyCase) -> Command | None:
    """Return what shows the addresses that the guest has now: it changes nothing."""
    return _on_machine(case.machine, "Get-VMNetworkAdapter | Select-Object 'Name', 'SwitchName', 'IPAddresses'")


def connect(case: RemedyCase) -> Command | None:
    """Return what connects the adapter to a switch of its server."""
    return _on_adapter(case.machine, case.adapter_guid, f"Connect-VMNetworkAdapter -SwitchName '{SWITCH}' -WhatIf")


def add_adapter(case: RemedyCase) -> Command | None:
    """Return what gives the side that the finding is about a synthetic adapter."""
    return _on_machine(case.machine, f"Add-VMNetworkAdapter -SwitchName '{SWITCH}' -WhatIf")


def add_adapter_on_primary(case: RemedyCase) -> Command | None:
    """Return what gives the primary a synthetic adapter, or the side of the finding where no primary was seen."""
    return _on_machine(
        case.side_of(Role.PRIMARY) or case.machine, f"Add-VMNetworkAdapter -SwitchName '{SWITCH}' -WhatIf"
    )


# --- failover addresses -----------------------------------------------------------------------------------------------


def set_address(case: RemedyCase) -> Command | None:
    """Return what sets an address on the adapter, of which nothing is known yet."""
    return _set(case.machine, case.adapter_guid, _placeholders())


def correct_address(case: RemedyCase) -> Command | None:
    """Return what corrects the adapter's address: what is right of it stays, what is wrong is left open. None where it
    has more addresses of one kind than the cmdlet sets."""
    return _set(case.machine, case.adapter_guid, _options(case.setting)) if case.setting else None


def add_ipv4_address(case: RemedyCase) -> Command | None:
    """Return what sets an IPv4 address on the first adapter that has one of IPv6."""
    machine = case.machine
    settings = machine.settings if machine else ()
    guid = next((setting.adapter_guid for setting in settings if ":" in str(setting)), "")
    return _set(machine, case.adapter_guid or guid, _placeholders())


def set_on_replica(case: RemedyCase) -> Command | None:
    """Return what sets on the replica what stands on its primary.

    An address that the guest uses on the primary is right there, for the way back, and would be wrong on the replica:
    then, and where it is not valid, the values are left open.
    """
    primary = case.side_of(Role.PRIMARY)
    there = _setting_of(primary, case.adapter_guid)
    options = _options(there) if primary and there and _is_for_the_replica(there, primary) else _placeholders()
    return _set(case.machine, case.adapter_guid, options)


def _is_for_the_replica(setting: FailoverAddress, primary: VirtualMachine) -> bool:
    """Is it valid, and none that the guest uses on its primary?"""
    in_use = {parsed(text) for text in addresses_in_use(primary)}
    return bool(in_use) and not any(mistakes_in(setting)) and in_use.isdisjoint(map(parsed, setting.addresses))


def _setting_of(machine: VirtualMachine | None, adapter_guid: str) -> FailoverAddress | None:
    settings = machine.settings if machine else ()
    return next((setting for setting in settings if setting.adapter_guid == adapter_guid), None)


def _set(machine: VirtualMachine | None, adapter_guid: str, options: str | None) -> Command | None:
    if options is None:
        return None
    return _on_adapter(machine, adapter_guid, f"Set-VMNetworkAdapterFailoverConfiguration {options} -WhatIf")


def _placeholders() -> str:
    return f"-IPv4Address '{ADDRESS}' -IPv4SubnetMask '{MASK}' -IPv4DefaultGateway '{GATEWAY}'"


def _options(setting: FailoverAddress) -> str | None:
    """Return the cmdlet's options for a setting: one address of each kind with its mask, gateway and DNS servers."""
    wrong = {mistake.cause for mistake in mistakes_in(setting)}
    masks = [*setting.subnets, *[""] * len(setting.addresses)]
    pairs = [(parsed(text), mask) for text, mask in zip(setting.addresses, masks, strict=False)]
    kinds = [4 if address is None or address.version == 4 else 6 for address, _ in pairs]
    if len(set(kinds)) != len(kinds) or not kinds:
        return None
    return " ".join(option for address, mask in pairs for option in _option(setting, address, mask, wrong))


def _option(
    setting: FailoverAddress, address: IPv4Address | IPv6Address | None, mask: str, wrong: Iterable[Cause]
) -> Iterator[str]:
    """Yield an address with what belongs to it; ``address`` None: what is there is none, of IPv4 or nobody knows."""
    kind = address.version if address else 4
    is_masked = address is not None and Cause.MASKS_DIFFER not in wrong and network_of(address, mask) is not None
    yield f"-IPv{kind}Address {_value(address, ADDRESS, is_wrong=Cause.INVALID in wrong)}"
    if kind == 4:
        yield f"-IPv4SubnetMask {_value(parsed(mask) if is_masked else None, MASK)}"
    else:
        yield f"-IPv6SubnetPrefixLength {quote_powershell(mask if is_masked else MASK)}"
    gateways = [gateway for text in setting.gateways if (gateway := parsed(text)) and gateway.version == kind]
    if gateways or (setting.gateways and Cause.GATEWAY_INVALID in wrong):
        first = gateways[0] if gateways else None
        yield f"-IPv{kind}DefaultGateway {_value(first, GATEWAY, is_wrong=Cause.GATEWAY_INVALID in wrong)}"
    servers = [server for text in setting.dns_servers if (server := parsed(text)) and server.version == kind]
    for name, server in zip(("Preferred", "Alternate"), servers, strict=False):
        yield f"-IPv{kind}{name}DNSServer {_value(server, '')}"


def _value(address: IPv4Address | IPv6Address | None, placeholder: str, *, is_wrong: bool = False) -> str:
    return quote_powershell(placeholder if address is None or is_wrong else str(address))


# --- pipelines --------------------------------------------------------------------------------------------------------


def _on_machine(machine: VirtualMachine | None, rest: str) -> Command | None:
    """Return a pipeline that begins with the machine; None where its GUID is none, or no server shows it."""
    if machine is None or not machine.server:
        return None
    try:
        return Command(Shell.POWERSHELL, f"on {machine.server}", f"Get-VM -Id {quote_guid(machine.guid)} | {rest}")
    except UnquotableError:
        return None


def _on_adapter(machine: VirtualMachine | None, adapter_guid: str, rest: str) -> Command | None:
    """Return a pipeline that begins with an adapter: its Id ends with its GUID (Microsoft:<machine>\\<adapter>)."""
    try:
        quote_guid(adapter_guid)
    except UnquotableError:
        return None
    return _on_machine(machine, f"Get-VMNetworkAdapter | {_of_id(adapter_guid)} | {rest}")


def _of_id(guid: str) -> str:
    """Return what picks a component or an adapter by the last part of its Id."""
    return f"Where-Object {{ $_.Id -like '*\\{guid}' }}"
