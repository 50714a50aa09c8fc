"""Hyper-V servers and virtual machines as tests describe them: what differs from an ordinary one."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

NOW = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)

NEVER = datetime(1601, 1, 1, tzinfo=UTC)
DATA_EXCHANGE = "2A34B1C2-FD73-4043-8A5B-DD2159BC743F"
HEARTBEAT = "84EAAE65-2F2E-45F5-9BB5-0E857DC8EB47"
PROVIDER = "22391CDC-272C-4DDF-BA88-9BEFB1A0975C"
HOUR = 3_600_000  # milliseconds

RowsByClass = dict[str, list[dict[str, object]]]


def guid(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name)).upper()


WINDOWS = {
    "FullyQualifiedDomainName": "guest.dr.example",
    "OSName": "Windows Server 2019 Standard",
    "OSVersion": "10.0.17763",
    "IntegrationServicesVersion": "10.0.17763",
    "NetworkAddressIPv4": "10.1.0.20",
}


KERNELS = {
    ("Debian GNU/Linux", "12"): "6.1.0-21-amd64",
    ("Ubuntu", "22.04"): "5.15.0-91-generic",
    ("Ubuntu", "24.04"): "6.8.0-31-generic",
    ("SLES", "15.5"): "5.14.21-150500.55.52-default",
    ("Red Hat Enterprise Linux", "9.4"): "5.14.0-427.13.1.el9_4.x86_64",
    ("Rocky Linux", "9.4"): "5.14.0-427.13.1.el9_4.x86_64",
    ("Red Hat Enterprise Linux", "10.0"): "6.12.0-55.9.1.el10_0.x86_64",
}
"""What `uname -r` says on each, as public logs and package lists show it: `linux-headers-5.15.0-91-generic` (Jammy),
`linux-image-6.8.0-31-generic` (Noble), `Linux version 5.14.21-150500.55.52-default (geeko@buildhost)` (15 SP5)."""


def linux(name: str, version: str, address: str = "10.1.0.30") -> dict[str, str]:
    """As Linux's daemon publishes it: os-release's NAME and VERSION_ID, uname's release whole, and without what follows
    its first hyphen (tools/hv/hv_kvp_daemon.c, kvp_get_os_info)."""
    kernel = KERNELS.get((name, version), "6.1.0-21-amd64")
    return {
        "OSName": name,
        "OSMajorVersion": version,
        "OSVersion": kernel.partition("-")[0],
        "OSBuildNumber": kernel,
        "IntegrationServicesVersion": "3.1",
        "NetworkAddressIPv4": address,
    }


def freebsd(version: str, address: str = "10.1.0.30") -> dict[str, str]:
    items = linux("FreeBSD", "", address)
    return {**items, "OSVersion": version, "OSBuildNumber": version}


@dataclass(frozen=True, kw_only=True)
class Nic:
    name: str = "Network Adapter"
    addresses: Sequence[str | None] = ()
    subnets: Sequence[str] | None = None  # one for each address, unless said
    gateways: Sequence[str] = ()
    dns: Sequence[str] = ()
    protocol: int | None = None  # by the addresses, unless a case says otherwise
    legacy: bool = False
    connected: bool = True
    failover_row: bool = True
    switch: str | None = "LAN"  # the name of one of the host's; of another, the host has no such switch
    pool: str | None = None
    # What the guest uses now; by its items and its power, unless said. Its own site's network, not the replica's.
    today: Sequence[str] | None = None
    masks: Sequence[str] | None = None  # of these; 255.255.255.0 and 64, unless said
    routers: Sequence[str] | None = None  # the first address of each network, unless said
    dhcp: bool = False
    guest_row: bool = True

    @property
    def protocol_type(self) -> int:
        if self.protocol is not None:
            return self.protocol
        four = any(address and ":" not in address for address in self.addresses)
        six = any(address and ":" in address for address in self.addresses)
        return {(False, False): 0, (True, False): 4096, (False, True): 4097, (True, True): 4098}[four, six]


ORDINARY = (Nic(addresses=("10.2.0.20",), subnets=("255.255.255.0",), gateways=("10.2.0.1",)),)
"""What sql01 has; every other machine has an address of its own in its place, since no two may have the same."""


def _with_its_own_address(machine: str) -> Nic:
    network, number = int(machine[:2], 16) % 200 + 3, int(machine[2:4], 16) % 200 + 20
    return replace(ORDINARY[0], addresses=(f"10.2.{network}.{number}",), gateways=(f"10.2.{network}.1",))


@dataclass(frozen=True, kw_only=True)
class Vm:
    """One machine on one server, with the numbers that the wire carries."""

    name: str
    guid: str = ""
    mode: int | None = 1  # 0 none, 1 primary, 2 replica, 3 test replica, 4 extended replica
    state: int | None = 3  # the machine's own replication state
    power: int | None = 2
    uptime: int | None = 100 * HOUR
    relationships: Mapping[int, int | None] | None = None  # number -> state; by mode and state, unless said
    offered: int | None = 2
    offer_row: bool = True
    realized: bool = True
    kvp: int | None = 2  # OperationalStatus[0]
    kvp_row: bool | None = None  # by the power state, unless said
    items: Mapping[str, str] | Sequence[str] = field(default_factory=lambda: WINDOWS)
    heartbeat: int | None = 2
    nics: Sequence[Nic] = ORDINARY
    hosts: Sequence[tuple[str | None, str | None]] = (("hv01.dr.example", "hv02.dr.example"),)
    provider: str = PROVIDER
    checkpoints: int = 0
    recovery_points: int = 0
    shielded: bool = False
    test_of: str | None = None  # of a test replica: the GUID of its replica

    def __post_init__(self) -> None:
        if self.nics is ORDINARY and self.name != "sql01":
            object.__setattr__(self, "nics", (_with_its_own_address(self.id),))

    @property
    def id(self) -> str:
        return self.guid or guid(self.name)

    @property
    def answers(self) -> bool:
        """Does the guest tell its host anything?"""
        return self.has_components and self.kvp in (2, 3)

    @property
    def has_components(self) -> bool:
        return self.power in (2, 9) if self.kvp_row is None else self.kvp_row


def replica_of(vm: Vm, **changes: object) -> Vm:
    """The other side as it usually is: off, with an address of its own network."""
    values: dict[str, object] = {**vm.__dict__, "guid": vm.id, "mode": 2, "power": 3, "uptime": 0}
    return Vm(**{**values, **changes})  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class Host:
    name: str = "HV01"
    version: str = "10.0.20348"
    vms: Sequence[Vm] = ()
    replica_server: bool = True
    own_row: bool = True
    switches: Sequence[str] = ("LAN",)
    networks: Sequence[str] | None = None  # its own addresses; by the last digit of its name, unless said
    planned: Sequence[str] = ()  # names of planned machines

    @property
    def own_networks(self) -> Sequence[str]:
        """HV01 is in 10.1.0.0/24, HV02 in 10.2.0.0/24."""
        number = self.name[-1] if self.name[-1].isdigit() else "1"
        return (f"10.{number}.0.5/24", "fe80::5/64") if self.networks is None else self.networks
