"""Which address is whose at each site: those set for machines there, those in use there now, and the hosts' own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import Self

from compliance.model import Estate, FailoverAddress, Power, ReplicatedVM, Role, Server, Unread, VirtualMachine
from compliance.rules.evidence.settings import IPAddress, parsed
from compliance.rules.evidence.sites import Sites
from compliance.rules.evidence.today import addresses_in_use

Site = str


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody who has an address at a site, or gets it. ``owner``: the GUID of a machine; empty for a host."""

    owner: str
    text: str  # `is set for hv02/web`, `is used by hv02/web now`
    in_use: bool


@dataclass(slots=True)
class Seen:
    """How many machines there are at a site, and of how many the addresses are known."""

    machines: int = 0
    known: int = 0
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """An index of the estate, made once. Servers of which the inventory names no site are one place, and so are
    sites that share their networks."""

    sites: Sites
    claims: Mapping[tuple[Site, IPAddress], tuple[Claim, ...]]
    seen: Mapping[Site, Seen]

    @classmethod
    def of(cls, estate: Estate) -> Self:
        sites = Sites.of(estate)
        claims: dict[tuple[Site, IPAddress], list[Claim]] = defaultdict(list)
        seen: dict[Site, Seen] = defaultdict(Seen)
        for server in estate.servers:
            site = sites.network_of(server.name)
            _count(server, seen[site])
            for address in _own_addresses(server):
                claims[(site, address)].append(Claim("", f"is the address of the host {server.name}", in_use=True))
            for machine in server.machines:
                for address, claim in _of_machine(machine):
                    claims[(site, address)].append(claim)
        for vm in estate.replicated:
            for other in _set_on_the_wrong_side(vm):
                for address, claim in _of_settings(vm.machine):
                    claims[(sites.network_of(other.server), address)].append(claim)
        return cls(sites, {key: tuple(dict.fromkeys(found)) for key, found in claims.items()}, seen)

    def clashes(self, machine: VirtualMachine, setting: FailoverAddress) -> Iterator[tuple[str, Claim]]:
        """Yield each of its addresses that is another's as well, and whose."""
        site = self.sites.network_of(machine.server)
        for text in setting.addresses:
            address = parsed(text)
            for claim in self.claims.get((site, address), ()) if address else ():
                if claim.owner != machine.guid:
                    yield text, claim

    def seen_at(self, machine: VirtualMachine) -> Seen:
        return self.seen[self.sites.network_of(machine.server)]


def _count(server: Server, seen: Seen) -> None:
    if server.unread or server.doubt:
        seen.unread.append(server.name)
    for machine in server.machines:
        seen.machines += 1
        runs = machine.power is not Power.OFF and machine.power is not Power.SAVED
        if not isinstance(machine.failover, Unread) and (addresses_in_use(machine) or not runs):
            seen.known += 1


def _own_addresses(server: Server) -> Iterator[IPAddress]:
    for network in () if isinstance(server.networks, Unread) else server.networks:
        try:
            yield ip_interface(network).ip
        except ValueError:
            continue


def _of_machine(machine: VirtualMachine) -> Iterator[tuple[IPAddress, Claim]]:
    """A test replica speaks for the replica that it was made from; one that can't be tied to any speaks for nobody."""
    is_test = machine.role is Role.TEST_REPLICA
    owner = machine.test_of or "" if is_test else machine.guid
    if not owner:
        return
    if not is_test:
        yield from _of_settings(machine)
    for text in addresses_in_use(machine):
        address = parsed(text.partition("%")[0])
        if address and not (address.is_link_local or address.is_loopback):
            yield address, Claim(owner, f"is used by {machine} now", in_use=True)


def _of_settings(machine: VirtualMachine) -> Iterator[tuple[IPAddress, Claim]]:
    for text in machine.failover_addresses:
        if address := parsed(text):
            yield address, Claim(machine.guid, f"is set for {machine} too", in_use=False)


def _set_on_the_wrong_side(vm: ReplicatedVM) -> Iterator[VirtualMachine]:
    """Yield the replicas without an address of a primary that has one: whoever set it there meant it for them."""
    if vm.machine.role is Role.PRIMARY and vm.machine.settings:
        yield from (other for other in vm.others if other.role is Role.REPLICA and other.failover == ())
