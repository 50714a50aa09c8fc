"""Cases for the remedies' tests and for the page of causes: one machine on two servers, with a guest of each family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from compliance.model import (
    Adapter,
    AdapterConnection,
    Addresses,
    Answer,
    Daemon,
    FailoverAddress,
    Guest,
    InnerAdapter,
    Inside,
    InsideUnix,
    InsideWindows,
    Power,
    ReplicatedVM,
    Role,
    Script,
    Service,
    Stack,
    VirtualMachine,
)
from compliance.rules.evidence.find import find
from compliance.rules.evidence.system import System
from compliance.rules.remedies.case import Family, RemedyCase

GUID = "4F3A2B1C-0000-4000-8000-00000000A001"
NIC_GUID = "7C6D5E4F-0000-4000-8000-00000000B001"
MAC = "00155D010203"
SYSTEMS: Mapping[Family, tuple[str, str, str]] = {
    Family.WINDOWS: ("Windows Server 2022 Standard", "10.0.20348", ""),
    Family.RED_HAT: ("Red Hat Enterprise Linux", "9.4", "Linux 5.14.0-427.el9.x86_64"),
    Family.DEBIAN: ("Debian GNU/Linux", "12", "Linux 6.1.0-21-amd64"),
    Family.UBUNTU: ("Ubuntu", "22.04", "Linux 5.15.0-91-generic"),
    Family.SUSE: ("SLES", "15.5", "Linux 5.14.21-default"),
    Family.FREEBSD: ("FreeBSD", "12.4", "FreeBSD 12.4-RELEASE"),
}
"""Name, version and kernel, as Data Exchange and a look inside give them."""


def system_of(family: Family) -> System:
    """Return the row of the table for the family's sample."""
    name, version, _ = SYSTEMS[family]
    row = find(Guest(answer=Answer.OK, os_name=name, os_version=version, os_major=version))
    assert isinstance(row, System)
    return row


def setting(*addresses: str, **changes: object) -> FailoverAddress:
    """Return a failover address with its mask and gateway."""
    known: dict[str, object] = {
        "addresses": addresses or ("10.2.0.20",),
        "subnets": ("255.255.255.0",),
        "gateways": ("10.2.0.1",),
        **changes,
    }
    return FailoverAddress(adapter_guid=NIC_GUID, adapter=None, **known)  # type: ignore[arg-type]


def machine(role: Role = Role.REPLICA, server: str = "hv02", **changes: object) -> VirtualMachine:
    """Return one side of the machine: its replica is off, its primary runs."""
    nic = Adapter(
        guid=NIC_GUID,
        name="Network Adapter",
        mac=MAC,
        connected=False,
        connection=AdapterConnection.NONE,
        today=Addresses(addresses=("10.1.0.20",), gateways=("10.1.0.1",), dynamic=False),
    )
    known: dict[str, object] = {
        "server": server,
        "guid": GUID,
        "name": "app01",
        "role": role,
        "power": Power.RUNNING if role is Role.PRIMARY else Power.OFF,
        "replicated": True,
        "adapters": (nic,),
        **changes,
    }
    return VirtualMachine(**known)  # type: ignore[arg-type]


def sides(text: str = "app01", *, guid: str = GUID, nic_guid: str = NIC_GUID, **changes: object) -> ReplicatedVM:
    """Return the replica, with the primary on which its guest runs. ``text``: what hosts and guests call everything."""
    adapter = Adapter(guid=nic_guid, name=text, mac=MAC)
    there = replace(setting(), adapter_guid=nic_guid, adapter=adapter)
    names: dict[str, object] = {"name": text, "guid": guid, "adapters": (adapter,)}
    primary = machine(Role.PRIMARY, "hv01", failover=(there,), **names)
    replica = machine(
        failover=(replace(setting(text), adapter_guid=nic_guid, dns_servers=(text,)),), **names, **changes
    )
    return ReplicatedVM(machine=replica, partner=primary, others=(primary,))


def inside(family: Family, text: str = "") -> Inside:
    """Return what a look into a guest of the family shows. ``text``: its own words for its unit, script and kernel."""
    name, version, kernel = SYSTEMS[family]
    common: dict[str, object] = {"connection": "ssh://app01", "system": f"{name} {version}", "on_hyperv": True}
    adapter = InnerAdapter(name=text or "eth0", mac=MAC, synthetic=True, stacks=(Stack.NETPLAN,))
    if family is Family.WINDOWS:
        service = Service(name=text or "vmickvpexchange", running=False, disabled=True)
        return InsideWindows(adapters=(adapter,), service=service, **common)  # type: ignore[arg-type]
    row = system_of(family)
    daemon = Daemon(
        program=text or "/usr/sbin/hv_kvp_daemon",
        running=False,
        at_boot=False,
        unit=text or (row.daemon.service if row.daemon and row.daemon.service.endswith(".service") else ""),
        script=text or (row.daemon.script if row.daemon else ""),
        script_state=Script.MISSING,
        writes=(Stack.IFUPDOWN,),
    )
    system = kernel.partition(" ")[0]
    return InsideUnix(
        adapters=(adapter,),
        distribution=name,
        version=version,
        kernel=f"{system} {text}" if text else kernel,
        driver=True,
        device=True,
        daemon=daemon,
        **common,  # type: ignore[arg-type]
    )


def case(cause: str, family: Family | None = None, text: str = "", **changes: object) -> RemedyCase:
    """Return a case in which all is known: its guest of the family was looked into, if one is named."""
    vm = changes.pop("vm", sides(text or "app01"))
    known: dict[str, object] = {
        "cause": cause,
        "vm": vm,
        "setting": setting(text) if text else setting(),
        "adapter_guid": NIC_GUID,
        "server": text or "hv02",
        "inside": inside(family, text) if family else None,
        "system": system_of(family) if family else None,
        **changes,
    }
    return RemedyCase(**known)  # type: ignore[arg-type]


def families() -> Iterator[Family | None]:
    """Yield each family, and none."""
    yield None
    yield from Family
