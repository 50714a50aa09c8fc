"""Between which servers, or sites, anybody uses failover addresses at all: elsewhere nobody misses one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from compliance.model import Estate, ReplicatedVM, Role, VirtualMachine
from compliance.rules.evidence.sites import Sites

Pair = frozenset[str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """An index of the estate, made once."""

    sites: Sites
    with_addresses: frozenset[Pair]

    @classmethod
    def of(cls, estate: Estate) -> Self:
        sites = Sites.of(estate)
        pairs = {
            _pair(sites, vm.machine, other) for vm in estate.replicated if vm.machine.settings for other in vm.others
        }
        return cls(sites, frozenset(pairs))

    def uses_addresses(self, machine: VirtualMachine, other: VirtualMachine) -> bool:
        """Does any machine that replicates between these two have a failover address?"""
        return _pair(self.sites, machine, other) in self.with_addresses


def sender_of(vm: ReplicatedVM) -> VirtualMachine | None:
    """Return the side from which a replica receives its changes, as far as it was seen."""
    role = Role.PRIMARY if vm.machine.role is Role.REPLICA else Role.REPLICA
    return next((other for other in vm.others if other.role is role), None)


def _pair(sites: Sites, machine: VirtualMachine, other: VirtualMachine) -> Pair:
    """By sites where the inventory names both, else by servers, or their clusters."""
    here, there = sites.site_of(machine.server), sites.site_of(other.server)
    return frozenset((f"site {here}", f"site {there}") if here and there else (machine.place, other.place))
