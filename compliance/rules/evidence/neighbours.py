"""Which address is whose at each site: those set for machines there, those in use there now, and the hosts' own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import NamedTuple, Self

from compliance.model import Estate, FailoverAddress, Power, ReplicatedVM, Role, Server, Unread, VirtualMachine
from compliance.rules.evidence.replications import key_of, replications_of
from compliance.rules.evidence.settings import IPAddress, is_routed, parsed
from compliance.rules.evidence.sites import Sites
from compliance.rules.evidence.today import addresses_in_use

Site = str


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose an address is: all sides of one replication, or one machine that nothing replicates. A copy of its GUID
    elsewhere is another owner; where the join tied no two sides of one of them, nobody knows whether they are one."""

    key: tuple[str, str]  # of one of its machines, by which it is known
    is_whole: bool = True  # both its primary and its replica were seen, or it has no other side

    @property
    def guid(self) -> str:
        return self.key[1]

    def is_surely_not(self, other: Owner) -> bool:
        return self != other and (self.guid != other.guid or (self.is_whole and other.is_whole))


HOST = Owner(("", ""))


@dataclass(frozen=True, slots=True)
class AddressClaim:
    """Somebody who has an address at a site, or gets it."""

    owner: Owner
    server: str
    text: str  # `is set for hv02/web`, `is used by hv02/web now`
    in_use: bool


@dataclass(frozen=True, slots=True)
class Clash:
    """One of a machine's addresses that is another's too. ``doubt``: why it may be none after all."""

    address: str
    claim: AddressClaim
    doubt: str = ""


@dataclass(slots=True)
class SiteCount:
    """How many machines there are at a site, and of how many the addresses are known."""

    machines: int = 0
    known: int = 0
    unread: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """An index of the estate, made once. Servers of which the inventory names no site are one place, and so are
    sites that share their networks; a server without a site may be at any of those that are named.

    ``claims``: on the addresses that are not one owner's alone; of all others there is nothing to say.
    """

    sites: Sites
    owners: Mapping[tuple[str, str], Owner]
    claims: Mapping[IPAddress, Mapping[Site, Sequence[AddressClaim]]]
    seen: Mapping[Site, SiteCount]

    @classmethod
    def of(cls, estate: Estate) -> Self:
        sites, owners = Sites.of(estate), _owners(estate)
        seen: dict[Site, SiteCount] = defaultdict(SiteCount)
        for server in estate.servers:
            _count(server, seen[sites.network_of(server.name)])
        return cls(sites, owners, _claims(_shared(_uses(estate, owners), _own_settings(estate, owners)), sites), seen)

    def clashes(self, machine: VirtualMachine, setting: FailoverAddress) -> Iterator[Clash]:
        """Yield each of its addresses that is another's as well, and whose. Those come first that are sure."""
        site, owner = self.sites.network_of(machine.server), self.owners[key_of(machine)]
        doubtful: list[Clash] = []
        for text in setting.addresses:
            address = parsed(text)
            places = self.claims.get(address, {}) if address else {}
            for claim in places.get(site, ()):
                if claim.owner == owner:
                    continue
                if owner.is_surely_not(claim.owner):
                    yield Clash(text, claim)
                elif not doubtful:
                    doubt = f"whether it and the one on {claim.server}, of the same GUID, are one machine is not known"
                    doubtful.append(Clash(text, claim, doubt))
            doubtful += self._elsewhere(text, owner, machine.server, places) if not doubtful else ()
        yield from doubtful

    def _elsewhere(
        self, text: str, owner: Owner, server: str, places: Mapping[Site, Sequence[AddressClaim]]
    ) -> Iterator[Clash]:
        """Yield the first claim of another that may be at the same site, since one of both has none in the inventory:
        what is at no site may be at each, and what is at one may be where a server without a site is."""
        site = self.sites.network_of(server)
        for place in (place for place in places if place != site and not (place and site)):
            for claim in places[place]:
                if owner.is_surely_not(claim.owner):
                    nameless = claim.server if site else server
                    doubt = "whether it is at the same site is not known: "
                    yield Clash(text, claim, f"{doubt}name the site of {nameless} in the inventory")
                    return

    def seen_at(self, machine: VirtualMachine) -> SiteCount:
        return self.seen[self.sites.network_of(machine.server)]


def _owners(estate: Estate) -> dict[tuple[str, str], Owner]:
    """Return whose each machine is that replicates."""
    owners: dict[tuple[str, str], Owner] = {}
    for sides in replications_of(estate.replicated):
        roles = {vm.machine.role for vm in sides}
        owner = Owner(key_of(sides[0].machine), is_whole={Role.PRIMARY, Role.REPLICA} <= roles)
        owners.update((key_of(vm.machine), owner) for vm in sides)
    return owners


def _owner_of(
    machine: VirtualMachine, owners: Mapping[tuple[str, str], Owner], by_guid: Mapping[str, Collection[Owner]]
) -> Owner | None:
    """Return whose a machine's addresses are. A test replica speaks for the replica that it was made from, which is on
    the same server, or on another node; one that can't be tied to any speaks for nobody."""
    if machine.role is not Role.TEST_REPLICA:
        return owners.get(key_of(machine)) or Owner(key_of(machine))
    if not machine.test_of:
        return None
    key = machine.server, machine.test_of
    if key in owners:
        return owners[key]
    elsewhere = by_guid.get(machine.test_of, (Owner(key),))
    return next(iter(elsewhere)) if len(elsewhere) == 1 else None


class _Use(NamedTuple):
    """One address that somebody has or gets; it becomes a claim where it is not its owner's alone, which few are."""

    address: IPAddress
    owner: Owner
    server: str
    machine: VirtualMachine | None  # None: the host itself
    in_use: bool

    def claim(self) -> AddressClaim:
        if self.machine is None:
            text = f"is the address of the host {self.server}"
        else:
            text = f"is used by {self.machine} now" if self.in_use else f"is set for {self.machine} too"
        return AddressClaim(self.owner, self.server, text, self.in_use)


def _uses(estate: Estate, owners: Mapping[tuple[str, str], Owner]) -> Iterator[_Use]:
    by_guid: dict[str, set[Owner]] = defaultdict(set)
    for owner in owners.values():
        by_guid[owner.guid].add(owner)
    for server in estate.servers:
        for address in _own_addresses(server):
            yield _Use(address, HOST, server.name, None, in_use=True)
        for machine in server.machines:
            if owner_of_machine := _owner_of(machine, owners, by_guid):
                yield from _of_machine(machine, owner_of_machine)
    for vm in estate.replicated:
        for other in _set_on_the_wrong_side(vm):
            yield from _of_settings(vm.machine, owners[key_of(vm.machine)], server=other.server)


def _own_settings(estate: Estate, owners: Mapping[tuple[str, str], Owner]) -> Iterator[_Use]:
    """Yield the addresses that are going to be asked for, so that none is taken for its owner's alone by mistake."""
    for vm in estate.replicated:
        yield from _of_settings(vm.machine, owners[key_of(vm.machine)], server=vm.machine.server)


def _shared(uses: Iterable[_Use], own: Iterable[_Use]) -> Iterator[_Use]:
    """Yield the uses of addresses that are not one owner's alone, each address's in their order."""
    first: dict[IPAddress, _Use] = {}
    more: dict[IPAddress, list[_Use]] = defaultdict(list)
    for use in uses:
        if first.setdefault(use.address, use) is not use:
            more[use.address].append(use)
    several = {address for address, others in more.items() if any(use.owner != first[address].owner for use in others)}
    several |= {use.address for use in own if use.address in first and first[use.address].owner != use.owner}
    for address in several:
        yield first[address]
        yield from more.get(address, ())


def _claims(uses: Iterable[_Use], sites: Sites) -> dict[IPAddress, dict[Site, tuple[AddressClaim, ...]]]:
    claims: dict[IPAddress, dict[Site, dict[AddressClaim, None]]] = defaultdict(lambda: defaultdict(dict))
    for use in uses:
        claims[use.address][sites.network_of(use.server)][use.claim()] = None
    return {address: {site: tuple(there) for site, there in places.items()} for address, places in claims.items()}


def _count(server: Server, seen: SiteCount) -> None:
    if server.unread or server.doubt:
        seen.unread.append(server.name)
    for machine in server.machines:
        seen.machines += 1
        is_off = machine.power is Power.OFF or machine.power is Power.SAVED
        if not isinstance(machine.failover, Unread) and (is_off or addresses_in_use(machine)):
            seen.known += 1


def _own_addresses(server: Server) -> Iterator[IPAddress]:
    for network in () if isinstance(server.networks, Unread) else server.networks:
        try:
            yield ip_interface(network).ip
        except ValueError:
            continue


def _of_machine(machine: VirtualMachine, owner: Owner) -> Iterator[_Use]:
    if machine.role is not Role.TEST_REPLICA:
        yield from _of_settings(machine, owner, server=machine.server)
    for text in addresses_in_use(machine):
        address = parsed(text.partition("%")[0])
        if address and is_routed(address):
            yield _Use(address, owner, machine.server, machine, in_use=True)


def _of_settings(machine: VirtualMachine, owner: Owner, *, server: str) -> Iterator[_Use]:
    """``server``: where they would be used."""
    for text in machine.failover_addresses:
        if address := parsed(text):
            yield _Use(address, owner, server, machine, in_use=False)


def _set_on_the_wrong_side(vm: ReplicatedVM) -> Iterator[VirtualMachine]:
    """Yield the replicas without an address of a primary that has one: whoever set it there meant it for them."""
    if vm.machine.role is Role.PRIMARY and vm.machine.settings:
        yield from (other for other in vm.others if other.role is Role.REPLICA and other.failover == ())
