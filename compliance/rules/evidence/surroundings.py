"""What stands around a machine on its server and at its site, for commands. Only remedies ask for it, so it is late."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from ipaddress import IPv4Network

from compliance.model import Estate, FailoverAddress, Role, Server, Unread, VirtualMachine
from compliance.rules.evidence.settings import IPAddress, mistakes_in, network_of, parsed
from compliance.rules.evidence.sites import Sites
from compliance.words import shorten

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)
NetworkThere = tuple[IPv4Network, str, str]
"""A network, with the mask and the gateway as they are written there."""


class EstateSurroundings:
    """Looks around in an estate; each part is looked at once, when it is first asked for."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._networks: dict[str, dict[NetworkThere, set[str]]] = {}
        self._switches: dict[str, frozenset[str]] = {}

    def network_on(self, server: str, guid: str) -> tuple[str, str] | None:
        """Return the mask and the gateway of the one network in which all other replicas' failover addresses there are,
        other than this machine's; None for no network, or several."""
        if server not in self._networks:
            self._networks[server] = _networks(self._servers[server]) if server in self._servers else {}
        others = [way for way, guids in self._networks[server].items() if guids != {guid}]
        return others[0][1:] if len(others) == 1 else None

    def switches_on(self, server: str) -> frozenset[str]:
        """Return the names of the switches there that some machine's adapter is connected to."""
        if server not in self._switches:
            machines = self._servers[server].machines if server in self._servers else ()
            self._switches[server] = frozenset(name for machine in machines for name in _switches(machine))
        return self._switches[server]

    def set_for(self, address: str, server: str) -> tuple[str, ...]:
        """Return the replicas at the server's site for which an address is set, printable: `dc01 on fra-hv01`."""
        there = parsed(address)
        return self._by_address.get((self._sites.network_of(server), there), ()) if there else ()

    @cached_property
    def _servers(self) -> dict[str, Server]:
        return {server.name: server for server in self._estate.servers}

    @cached_property
    def _sites(self) -> Sites:
        return Sites.of(self._estate)

    @cached_property
    def _by_address(self) -> dict[tuple[str, IPAddress], tuple[str, ...]]:
        found: dict[tuple[str, IPAddress], dict[str, None]] = defaultdict(dict)
        for server in self._estate.servers:
            site = self._sites.network_of(server.name)
            for machine in server.machines:
                for text in machine.failover_addresses if machine.role in REPLICAS else ():
                    if address := parsed(text):
                        found[site, address][f"{machine.name} on {machine.server}"] = None
        return {place: tuple(map(shorten, names)) for place, names in found.items()}


def _networks(server: Server) -> dict[NetworkThere, set[str]]:
    """Return the networks of valid IPv4 failover addresses of replicas, each with the machines that have one in it."""
    found: dict[NetworkThere, set[str]] = defaultdict(set)
    for machine in server.machines:
        for setting in machine.settings if machine.role in REPLICAS else ():
            if way := _network(setting):
                found[way].add(machine.guid)
    return found


def _network(setting: FailoverAddress) -> NetworkThere | None:
    if len(setting.addresses) != 1 or len(setting.gateways) != 1 or any(mistakes_in(setting)):
        return None
    address, mask, gateway = parsed(setting.addresses[0]), setting.subnets[0], setting.gateways[0]
    network, router = network_of(address, mask) if address else None, parsed(gateway)
    return (network, mask, gateway) if isinstance(network, IPv4Network) and router and router in network else None


def _switches(machine: VirtualMachine) -> list[str]:
    adapters = () if isinstance(machine.adapters, Unread) else machine.adapters
    return [adapter.switch for adapter in adapters if adapter.switch]
