"""Where servers stand, as the inventory says it: which of two share their networks, and which do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from compliance.model import Estate


@dataclass(frozen=True, slots=True)
class Sites:
    """The site of each server, its cluster's where it has none of its own; and sites that share their networks."""

    by_server: Mapping[str, str | None]
    stretched: tuple[frozenset[str], ...] = ()

    @classmethod
    def of(cls, estate: Estate) -> Self:
        clusters = {cluster.name: cluster.site for cluster in estate.clusters}
        sites = {server.name: server.site or clusters.get(server.cluster or "") for server in estate.servers}
        return cls(sites, estate.stretched)

    def site_of(self, server: str) -> str | None:
        return self.by_server.get(server)

    def are_stretched(self, server: str, other: str) -> bool:
        """Do both share their networks, so that an address is valid at each?"""
        first, second = self.site_of(server), self.site_of(other)
        return first != second and any(first in sites and second in sites for sites in self.stretched)

    def network_of(self, server: str) -> str:
        """Return one name for all sites that share networks with its own; empty where the inventory names no site."""
        site = self.site_of(server)
        return min({site} | self._reached_from(site)) if site else ""

    def _reached_from(self, site: str) -> set[str]:
        reached, more = {site}, {site}
        while more:
            more = {other for sites in self.stretched if sites & more for other in sites} - reached
            reached |= more
        return reached

    def differ(self, server: str, other: str) -> bool | None:
        """Are they at two sites that don't share their networks? None where the inventory names no site of one."""
        first, second = self.site_of(server), self.site_of(other)
        if first is None or second is None:
            return None
        return first != second and not self.are_stretched(server, other)
