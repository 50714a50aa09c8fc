"""Virtual machines and estates as frozen values: valid by default, and a case names what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from compliance.hyperv.names import NameIndex
from compliance.hyperv.sides import join_sides
from compliance.model import (
    Adapter,
    AdapterConnection,
    Addresses,
    Answer,
    Estate,
    FailoverAddress,
    Guest,
    Power,
    ReplicaAdapter,
    ReplicatedVM,
    Role,
    Server,
    Unread,
    VirtualMachine,
)
from tests.hosts import NOW, guid

WINDOWS = Guest(
    answer=Answer.OK,
    os_name="Windows Server 2022 Standard",
    os_version="10.0.20348",
    integration_services_version="10.0.20348",
)
OTHER = {
    Role.NONE: "hv02",
    Role.PRIMARY: "hv02",
    Role.REPLICA: "hv01",
    Role.EXTENDED_REPLICA: "hv02",
    Role.TEST_REPLICA: "hv01",
}


def adapter(name: str = "Network Adapter", of: str = "app", **changes: object) -> Adapter:
    """A connected adapter whose guest uses one static address with a gateway."""
    own = guid(f"{of} {name}")
    values: dict[str, object] = {
        "guid": own,
        "name": name,
        "mac": f"00155D{own[:6]}",
        "connected": True,
        "connection": AdapterConnection.SWITCH,
        "switch": "Servers",
        **changes,
    }
    return Adapter(**values)  # type: ignore[arg-type]


def address(
    *addresses: str, on: Adapter | None = None, mask: str | Sequence[str] = "255.255.255.0", gateway: str = "10.2.0.1"
) -> FailoverAddress:
    """A failover address with one mask for each, set on an adapter; on one that nobody lists without."""
    masks = (mask,) * len(addresses) if isinstance(mask, str) else tuple(mask)
    return FailoverAddress(
        adapter_guid=on.guid if on else guid("nobody's"),
        adapter=on,
        addresses=addresses,
        subnets=masks if mask else (),
        gateways=(gateway,) if gateway else (),
    )


def static(*addresses: str, gateway: str = "10.1.0.1") -> Addresses:
    return Addresses(addresses=addresses, gateways=(gateway,) if gateway else (), dynamic=False)


def dynamic(*addresses: str, gateway: str = "10.1.0.1") -> Addresses:
    return replace(static(*addresses, gateway=gateway), dynamic=True)


def vm(name: str = "app", role: Role = Role.PRIMARY, **changes: object) -> VirtualMachine:
    """A primary that runs and answers, or a replica that is off."""
    runs = role in (Role.PRIMARY, Role.TEST_REPLICA)
    values: dict[str, object] = {
        "server": "hv01" if role is Role.PRIMARY else "hv02",
        "guid": guid(name),
        "name": name,
        "role": role,
        "power": Power.RUNNING if runs else Power.OFF,
        "replicated": role is not Role.TEST_REPLICA,
        "uptime": timedelta(days=4) if runs else timedelta(0),
        "data_exchange_offered": True,
        "guest": WINDOWS if runs else None,
        "adapters": (adapter(of=name),),
        "partners": (OTHER[role],),
        **changes,
    }
    partners = values["partners"]
    assert isinstance(partners, tuple | Unread)
    named = () if isinstance(partners, Unread) else partners
    sources = 0 if values["role"] is Role.PRIMARY else 1
    values = {"receives_from": named[:sources], "sends_to": named[sources:], **values}
    return VirtualMachine(**values)  # type: ignore[arg-type]


def replica(primary: VirtualMachine, *settings: FailoverAddress, **changes: object) -> VirtualMachine:
    """The other side of a primary, off, with the same adapters."""
    adapters = primary.adapters
    if not isinstance(adapters, Unread):
        adapters = tuple(replace(one, today=Unread("is off")) for one in adapters)
    values = {"guid": primary.guid, "adapters": adapters, "failover": settings, "partners": (primary.server,)}
    return vm(**{"name": primary.name, "role": Role.REPLICA, **values, **changes})  # type: ignore[arg-type]


def estate(*machines: VirtualMachine, **changes: object) -> Estate:
    """All machines on their servers, both sides joined."""
    sites = changes.pop("sites", {})
    assert isinstance(sites, dict)
    names = dict.fromkeys(machine.server for machine in machines)
    servers = tuple(
        Server(
            name=name,
            site=sites.get(name),
            machines=tuple(machine for machine in machines if machine.server == name),
        )
        for name in names
    )
    made = Estate(name="test", time=NOW, servers=servers, replicated=join_sides(servers, (), NameIndex(servers)))
    return replace(made, **changes)  # type: ignore[arg-type]


def side_of(estate: Estate, server: str, name: str = "app") -> ReplicatedVM:
    return next(vm for vm in estate.replicated if (vm.machine.server, vm.machine.name) == (server, name))


def replica_adapter(vm: ReplicatedVM, number: int = 0) -> ReplicaAdapter:
    from compliance.judge.subjects import adapters_of

    adapters = adapters_of(vm)
    assert isinstance(adapters, tuple)
    return adapters[number]
