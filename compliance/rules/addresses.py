"""Is a failover address one that a machine can have at its replica's site: valid, free, and not today's?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from compliance.model import FailoverAddress, ReplicaAdapter, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.neighbours import Clash, Neighbours
from compliance.rules.evidence.settings import mistakes_in, parsed
from compliance.rules.evidence.subnets import Subnets
from compliance.rules.evidence.today import addresses_in_use
from compliance.words import join_names, plural, quote

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)
WITHOUT = not_applicable("no failover address is set on it")
"""Made once, as every adapter without one has it."""
HAS_BEEN_MADE = not_applicable("the failover has been made")
MOST_CLASHES = 4
"""Told of one address. Thousands of machines may have the same one, and each would tell of all."""


@rule(
    "failover-ip-is-valid",
    severity=Severity.ERROR,
    title="A failover address is one that a host can have, with its mask and a gateway in its subnet",
    issue=(
        "A failover address, its mask or its gateway is not valid: the guest can't have it, or can't reach anything "
        "with it."
    ),
    impact=(
        "After a failover the guest comes up without the address, or without a way out of its subnet. Nothing warns "
        "when such an address is set."
    ),
    resolution=(
        "Correct the address, its mask and its gateway in the failover settings of the adapter, on the side that is "
        "named. They belong to the site of that side: what stands on the replica is what the replica gets."
    ),
    unknown_when="Never by itself: without failover settings there is nothing to judge.",
    violated="have a failover address that is not valid",
)
def failover_ip_is_valid(adapter: ReplicaAdapter) -> Outcome:
    setting = adapter.setting
    if setting is None:
        return WITHOUT
    mistakes = list(mistakes_in(setting))
    if mistakes:
        first, *others = mistakes
        outcome = failed(first.finding, cause=first.cause)
        return with_remarks(outcome, tuple(f"besides, {mistake.finding}" for mistake in others))
    ways = f", gateway {join_names(setting.gateways)}" if setting.gateways else ", no gateway"
    return with_remarks(passed(f"{join_names(setting.addresses)}{ways}"), tuple(_remarks(adapter)))


def _remarks(adapter: ReplicaAdapter) -> list[str]:
    setting = adapter.setting
    assert setting  # noqa: S101  # its caller looked
    addresses = [parsed(text) for text in setting.addresses]
    twice = dict.fromkeys(str(address) for address in addresses if addresses.count(address) > 1)
    remarks = [f"{join_names(twice)} is set twice on it"] if twice else []
    remarks += [f"its DNS server {quote(text)} is no address" for text in setting.dns_servers if not parsed(text)]
    if all(address is not None and address.version == 6 for address in addresses):
        # Hyper-V then writes DHCPEnabled true for the adapter (tools/hv/hv_kvp_daemon.c)
        remarks.append(f"{setting} is IPv6 only: IPv4 of this adapter becomes DHCP at a failover")
    return remarks


@rule(
    "failover-ip-is-free",
    severity=Severity.ERROR,
    title="A failover address belongs to one machine only",
    issue="A failover address is set for another virtual machine at the same site too, or is in use there now.",
    impact="After a failover two machines have one address: both are reached by chance, or neither.",
    resolution=(
        "Give each machine an address of its own at the replica's site, and keep failover addresses out of the ranges "
        "that others use there. Where two sites have the same networks apart from each other, name the sites in the "
        "inventory (`site`)."
    ),
    unknown_when=(
        "The address is another machine's, but whether both are in one network is not known: name the sites of their "
        "servers."
    ),
    violated="have a failover address that is another machine's too",
    sides=REPLICAS,
)
def failover_ip_is_free(adapter: ReplicaAdapter, neighbours: Neighbours) -> Outcome:
    setting = adapter.setting
    if setting is None:
        return WITHOUT
    if own := next(_set_on_others(adapter.machine, setting), None):
        return failed(
            f"{own} is set on two of its adapters: expected one of its own for each", cause=Cause.ADDRESS_TAKEN
        )
    clashes = [*islice(neighbours.clashes(adapter.machine, setting), MOST_CLASHES)]
    if clashes:
        return with_remarks(_taken(clashes[0]), tuple(f"{clash.address} {clash.claim.text}" for clash in clashes[1:]))
    seen = neighbours.seen_at(adapter.machine)
    if seen.known == seen.machines and not seen.unread:
        return passed(f"nobody else has {setting} there")
    unread = f", and {join_names(seen.unread)} was not read" if seen.unread else ""
    return passed(
        f"nobody else has {setting} among the {seen.known:,} of {plural(seen.machines, 'machine')} seen there{unread}"
    )


def _taken(clash: Clash) -> Outcome:
    cause = Cause.ADDRESS_IN_USE if clash.claim.in_use else Cause.ADDRESS_TAKEN
    finding = f"{clash.address} {clash.claim.text}"
    if clash.doubt:
        return unknown(f"{finding}; {clash.doubt}", cause=cause)
    return failed(f"{finding}: expected an address of its own", cause=cause)


def _set_on_others(machine: VirtualMachine, setting: FailoverAddress) -> Iterator[str]:
    """Yield its addresses that another adapter of its own machine gets as well: a guest has an address only once."""
    others = [other for other in machine.settings if other.adapter_guid != setting.adapter_guid]
    taken = {parsed(text) for other in others for text in other.addresses} - {None}
    yield from (text for text in setting.addresses if parsed(text) in taken)


@rule(
    "failover-ip-differs-from-today",
    severity=Severity.WARNING,
    title="A failover address differs from the address of today",
    issue="The failover address is the one that the guest has today, though the replica stands at another site.",
    impact="After a failover the guest comes up with an address of the site that failed, and nothing there reaches it.",
    resolution=(
        "Set an address of the replica's site on the replica. If both sites share their networks, say so in the "
        "inventory: `stretched: [[berlin, frankfurt]]`."
    ),
    unknown_when="It is not known which server the primary is on, or whether the machine was failed over.",
    violated="have today's address as their failover address, at another site",
    sides=REPLICAS,
)
def failover_ip_differs_from_today(adapter: ReplicaAdapter, subnets: Subnets) -> Outcome:
    setting, machine, primary = adapter.setting, adapter.machine, adapter.vm.partner
    if setting is None:
        return WITHOUT
    if isinstance(machine.failed_over, Unread):
        return unknown(str(machine.failed_over), cause=Cause.MACHINE_UNREAD)
    if machine.failed_over:
        return HAS_BEEN_MADE
    if isinstance(machine.partners, Unread):
        return unknown(f"its primary is not known: {machine.partners}", cause=Cause.PARTNER_UNREAD)
    if isinstance(primary, Unread) or primary.role is not Role.PRIMARY:
        return not_applicable("the guest was not seen on its primary")
    if subnets.sites.are_stretched(machine.server, primary.server):
        return not_applicable("the sites of both sides share their networks", cause=Cause.STRETCHED)
    today = addresses_in_use(primary)
    if not today:
        return not_applicable("not known what it uses today", cause=Cause.TODAY_UNKNOWN)
    own = {parsed(text) for text in today}
    same = [text for text in setting.addresses if (address := parsed(text)) and address in own]
    if not same:
        return passed(f"{setting} is not what it has today")
    finding = f"{join_names(same)} is the address that it has on {primary.server} today"
    if subnets.sites.differ(machine.server, primary.server) and not subnets.share(machine.server, primary.server):
        here, there = subnets.sites.site_of(machine.server), subnets.sites.site_of(primary.server)
        return failed(f"{finding}, at {quote(there)}: expected one of {quote(here)}", cause=Cause.SAME_AS_TODAY)
    return with_remarks(passed(f"{setting}, as today"), (f"{finding}{_why_not_judged(adapter, primary, subnets)}",))


def _why_not_judged(adapter: ReplicaAdapter, primary: VirtualMachine, subnets: Subnets) -> str:
    if subnets.share(adapter.machine.server, primary.server):
        return "; both hosts are in one subnet"
    if subnets.sites.differ(adapter.machine.server, primary.server) is None:
        return ": whether it is valid there is not known, since the inventory does not name the sites of both servers"
    return "; both sides are at one site"
