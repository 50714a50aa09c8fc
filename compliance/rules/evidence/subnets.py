"""In which subnets servers are, as they say it themselves, and at which sites, as the inventory says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_interface
from typing import Self

from compliance.model import Estate, Server, Unread
from compliance.rules.evidence.sites import Sites


@dataclass(frozen=True, slots=True)
class Subnets:
    """An index of the estate, made once."""

    sites: Sites
    by_server: Mapping[str, frozenset[IPv4Network | IPv6Network]]

    @classmethod
    def of(cls, estate: Estate) -> Self:
        return cls(Sites.of(estate), {server.name: _subnets(server) for server in estate.servers})

    def share(self, server: str, other: str) -> bool:
        """Are both in one subnet? False where it is not known."""
        none: frozenset[IPv4Network | IPv6Network] = frozenset()
        return bool(self.by_server.get(server, none) & self.by_server.get(other, none))


def _subnets(server: Server) -> frozenset[IPv4Network | IPv6Network]:
    """Return those that others may be in: no link-local one, which every host has, and none of a single address."""
    networks = set()
    for text in () if isinstance(server.networks, Unread) else server.networks:
        try:
            network = ip_interface(text).network
        except ValueError:
            continue
        if network.prefixlen < network.max_prefixlen and not (network.is_link_local or network.is_loopback):
            networks.add(network)
    return frozenset(networks)
