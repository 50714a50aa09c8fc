"""Commands of the Hyper-V module, each for one named host: a machine by its GUID, an adapter and a service by its Id.

Names of machines need not be unique, and those of integration services are translated; ids are neither. Cmdlets and
parameters are those of Microsoft's reference (MicrosoftDocs/windows-powershell-docs, winserver2016-ps to
winserver2025-ps); whatever changes something carries -WhatIf. Nothing was tried on a Windows host.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from compliance.model import Adapter, FailoverAddress, Role, Unread, VirtualMachine
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.settings import mistakes_in, network_of, parsed
from compliance.rules.evidence.today import addresses_in_use
from compliance.rules.remedies.case import RemedyCase
from compliance.rules.remedies.command import Command, Shell
from compliance.rules.remedies.quoting import UnquotableError, is_plain, quote_guid, quote_powershell
from compliance.words import join_names

DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
"""The last part of a component's Id, ``Microsoft:<machine>\\<this>`` (recorded rows of Msvm_KvpExchangeComponent)."""
ADDRESS, MASK, PREFIX, GATEWAY, SWITCH = "<ADDRESS>", "<MASK>", "<LENGTH>", "<GATEWAY>", "<SWITCH>"
"""What only an administrator knows: outside of quotes, where PowerShell refuses the line before it runs any of it,
`The '<' operator is reserved for future use` (ParserError, RedirectionNotSupported, in 5.1 and in 7)."""
AS_THE_OTHERS = "mask and gateway are those of all other failover addresses there"
PLACEHOLDER = re.compile("|".join((ADDRESS, MASK, PREFIX, GATEWAY, SWITCH)))
QUOTED = re.compile("'[^']*'")


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
    switch, why = _switch(case)
    return _on_adapter(case.machine, case.adapter_guid, f"Connect-VMNetworkAdapter -SwitchName {switch} -WhatIf", why)


def add_adapter(case: RemedyCase) -> Command | None:
    """Return what gives the side that the finding is about a synthetic adapter."""
    switch, why = _switch(case)
    return _on_machine(case.machine, f"Add-VMNetworkAdapter -SwitchName {switch} -WhatIf", why)


def add_adapter_on_primary(case: RemedyCase) -> Command | None:
    """Return what gives the primary a synthetic adapter, or the side of the finding where no primary was seen: on the
    switch of the legacy adapter that it takes the place of."""
    machine = case.side_of(Role.PRIMARY) or case.machine
    switches = {adapter.switch for adapter in _adapters(machine) if adapter.legacy and is_plain(adapter.switch)}
    switch = quote_powershell(switches.pop()) if len(switches) == 1 else SWITCH
    return _on_machine(machine, f"Add-VMNetworkAdapter -SwitchName {switch} -WhatIf")


def _switch(case: RemedyCase) -> tuple[str, str]:
    """Return the switch for an adapter, quoted, and why this one: the other side's, where its server has one of this
    name, as far as that was seen; else the only one there. A place to fill in where nobody knows it."""
    machine = case.machine
    seen = case.surroundings.switches_on(machine.server) if case.surroundings and machine else frozenset()
    adapters = (adapter for side in _other_sides(case) for adapter in _adapters(side))
    switches = {adapter.switch for adapter in adapters if adapter.guid == case.adapter_guid}
    for name in sorted(filter(is_plain, switches)):
        if name in seen or not seen:
            return quote_powershell(name), "the switch is called so on the other side"
    if len(seen) == 1 and all(map(is_plain, seen)):
        return quote_powershell(next(iter(seen))), "the only switch that machines there are connected to"
    return SWITCH, ""


def _other_sides(case: RemedyCase) -> Iterator[VirtualMachine]:
    if case.vm:
        yield from case.vm.others
        if not isinstance(case.vm.partner, Unread):
            yield case.vm.partner


def _adapters(machine: VirtualMachine | None) -> Iterable[Adapter]:
    return () if machine is None or isinstance(machine.adapters, Unread) else machine.adapters


# --- failover addresses -----------------------------------------------------------------------------------------------


def set_address(case: RemedyCase) -> Command | None:
    """Return what sets an address on the adapter, of which nothing is known yet."""
    return _set_new(case, case.machine, case.adapter_guid)


def set_another_address(case: RemedyCase) -> Command | None:
    """Return what sets another address of the same network; what else is set on the adapter stays."""
    setting = case.setting
    if setting is None or any(mistakes_in(setting)):
        return set_address(case)
    taken = {text for text in setting.addresses if len(holders_of(case, text)) > 1}
    return _set(case.machine, case.adapter_guid, _options(setting, leave_out=taken or set(setting.addresses)))


def holders_of(case: RemedyCase, address: str) -> tuple[str, ...]:
    """Return the replicas at the site for which an address is set."""
    return case.surroundings.set_for(address, case.machine.server) if case.surroundings and case.machine else ()


def network_for(case: RemedyCase) -> tuple[str, str] | None:
    """Return mask and gateway of the network in which all others on the server have theirs; None where not known."""
    machine = case.machine
    return case.surroundings.network_on(machine.server, machine.guid) if case.surroundings and machine else None


def correct_address(case: RemedyCase) -> Command | None:
    """Return what corrects the adapter's address: what is right of it stays; what is wrong is left open, but for the
    mask and the gateway that all others there have, if its address is in their network. None where it has more
    addresses of one kind than the cmdlet sets."""
    options = _options(case.setting) if case.setting else None
    known = network_for(case)
    if options is None or known is None or case.setting is None:
        return _set(case.machine, case.adapter_guid, options)
    (mask, gateway), router = known, parsed(known[1])
    network = network_of(router, mask) if router else None
    addresses = [address for text in case.setting.addresses if (address := parsed(text)) and address.version == 4]
    if not network or (ADDRESS not in options and any(address not in network for address in addresses)):
        return _set(case.machine, case.adapter_guid, options)
    filled = options.replace(MASK, quote_powershell(mask)).replace(GATEWAY, quote_powershell(gateway))
    return _set(case.machine, case.adapter_guid, filled, AS_THE_OTHERS if filled != options else "")


def add_ipv4_address(case: RemedyCase) -> Command | None:
    """Return what sets an IPv4 address on the first adapter that has one of IPv6."""
    machine = case.machine
    settings = machine.settings if machine else ()
    guid = next((setting.adapter_guid for setting in settings if ":" in str(setting)), "")
    return _set_new(case, machine, case.adapter_guid or guid)


def set_on_replica(case: RemedyCase) -> Command | None:
    """Return what sets on the replica what stands on its primary.

    An address that the guest uses on the primary is right there, for the way back, and would be wrong on the replica:
    then, and where it is not valid, the values are left open.
    """
    primary = case.side_of(Role.PRIMARY)
    there = _setting_of(primary, case.adapter_guid)
    if primary and there and _is_for_the_replica(there, primary):
        return _set(case.machine, case.adapter_guid, _options(there))
    return set_address(case)


def _is_for_the_replica(setting: FailoverAddress, primary: VirtualMachine) -> bool:
    """Is it valid, and none that the guest uses on its primary?"""
    in_use = {parsed(text) for text in addresses_in_use(primary)}
    return bool(in_use) and not any(mistakes_in(setting)) and in_use.isdisjoint(map(parsed, setting.addresses))


def _setting_of(machine: VirtualMachine | None, adapter_guid: str) -> FailoverAddress | None:
    settings = machine.settings if machine else ()
    return next((setting for setting in settings if setting.adapter_guid == adapter_guid), None)


def _set(machine: VirtualMachine | None, adapter_guid: str, options: str | None, note: str = "") -> Command | None:
    if options is None:
        return None
    return _on_adapter(machine, adapter_guid, f"Set-VMNetworkAdapterFailoverConfiguration {options} -WhatIf", note)


def _set_new(case: RemedyCase, machine: VirtualMachine | None, adapter_guid: str) -> Command | None:
    """Return what sets an address in the network in which all others on the server have theirs, if they have one."""
    mask, gateway = network_for(case) or ("", "")
    options = (
        f"-IPv4Address {ADDRESS} -IPv4SubnetMask {_value(parsed(mask), MASK)} "
        f"-IPv4DefaultGateway {_value(parsed(gateway), GATEWAY)}"
    )
    return _set(machine, adapter_guid, options, AS_THE_OTHERS if mask else "")


def _options(setting: FailoverAddress, leave_out: Collection[str] = ()) -> str | None:
    """Return the cmdlet's options for a setting: one address of each kind with its mask, gateway and DNS servers.
    ``leave_out``: addresses in whose place another is to be filled in."""
    wrong = {mistake.cause for mistake in mistakes_in(setting)}
    masks = [*setting.subnets, *[""] * len(setting.addresses)]
    pairs = [(text, parsed(text), mask) for text, mask in zip(setting.addresses, masks, strict=False)]
    kinds = [4 if address is None or address.version == 4 else 6 for _, address, _ in pairs]
    if len(set(kinds)) != len(kinds) or not kinds:
        return None
    return " ".join(
        option
        for text, address, mask in pairs
        for option in _option(setting, address, mask, {Cause.INVALID, *wrong} if text in leave_out else wrong)
    )


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
        yield f"-IPv6SubnetPrefixLength {quote_powershell(mask) if is_masked else PREFIX}"
    gateways = [gateway for text in setting.gateways if (gateway := parsed(text)) and gateway.version == kind]
    if gateways or (setting.gateways and Cause.GATEWAY_INVALID in wrong):
        first = gateways[0] if gateways else None
        yield f"-IPv{kind}DefaultGateway {_value(first, GATEWAY, is_wrong=Cause.GATEWAY_INVALID in wrong)}"
    servers = [server for text in setting.dns_servers if (server := parsed(text)) and server.version == kind]
    for name, server in zip(("Preferred", "Alternate"), servers, strict=False):
        yield f"-IPv{kind}{name}DNSServer {quote_powershell(str(server))}"


def _value(address: IPv4Address | IPv6Address | None, placeholder: str, *, is_wrong: bool = False) -> str:
    return placeholder if address is None or is_wrong else quote_powershell(str(address))


# --- pipelines --------------------------------------------------------------------------------------------------------


def _on_machine(machine: VirtualMachine | None, rest: str, note: str = "") -> Command | None:
    """Return a pipeline that begins with the machine; None where its GUID is none, or no server shows it."""
    if machine is None or not machine.server:
        return None
    places = list(dict.fromkeys(PLACEHOLDER.findall(QUOTED.sub("", rest))))
    notes = "; ".join(filter(None, (f"fill in {join_names(places)}" if places else "", note)))
    where = f"on {machine.server}" + (f" ({notes})" if notes else "")
    try:
        return Command(Shell.POWERSHELL, where, f"Get-VM -Id {quote_guid(machine.guid)} | {rest}")
    except UnquotableError:
        return None


def _on_adapter(machine: VirtualMachine | None, adapter_guid: str, rest: str, note: str = "") -> Command | None:
    """Return a pipeline that begins with an adapter: its Id ends with its GUID (Microsoft:<machine>\\<adapter>)."""
    try:
        quote_guid(adapter_guid)
    except UnquotableError:
        return None
    return _on_machine(machine, f"Get-VMNetworkAdapter | {_of_id(adapter_guid)} | {rest}", note)


def _of_id(guid: str) -> str:
    """Return what picks a component or an adapter by the last part of its Id."""
    return f"Where-Object {{ $_.Id -like '*\\{guid}' }}"
