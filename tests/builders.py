"""Servers and virtual machines for tests: a valid one by default, and a case names what differs.

``host_rows`` gives the instances that a real server would hold, for the simulator to play; ``wire`` gives the same
rows as they come over the wire, for the translator's tests.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from compliance.gate.policy import DEFAULT
from compliance.hyperv.queries import OF_REPLICATION, QUERIES, queries_for, queries_of_replication
from compliance.inventory.entries import Entry, Limits
from compliance.inventory.inventory import Inventory
from compliance.model import Judging, Row, Unread
from compliance.snapshot.snapshot import Reading, ServerRecord, Snapshot

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


def linux(name: str, version: str, address: str = "10.1.0.30") -> dict[str, str]:
    """As Linux's daemon publishes it: the distribution's version is the major one, OSVersion is the kernel's."""
    return {
        "OSName": name,
        "OSMajorVersion": version,
        "OSVersion": "6.1.0",
        "OSBuildNumber": "6.1.0-21-amd64",
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


def host_rows(host: Host) -> RowsByClass:
    rows: RowsByClass = {query.class_name: [] for query in (*QUERIES, *OF_REPLICATION)}
    if host.own_row:
        rows["Msvm_ComputerSystem"].append(_own_row(host))
    rows["Msvm_ReplicationServiceSettingData"].append(
        {"InstanceID": f"Microsoft:{host.name}\\HVR", "RecoveryServerEnabled": host.replica_server, "HttpPort": 80}
    )
    rows["Msvm_VirtualEthernetSwitch"] += [
        {"Name": switch_guid(host.name, name), "ElementName": name, "CreationClassName": "Msvm_VirtualEthernetSwitch"}
        for name in host.switches
    ]
    rows["Win32_NetworkAdapterConfiguration"].append(
        {
            "IPEnabled": True,
            "IPAddress": [str(ip_interface(network).ip) for network in host.own_networks],
            "IPSubnet": [_mask(network) for network in host.own_networks],
        }
    )
    for vm in host.vms:
        _add_machine(rows, vm, host)
    for name in host.planned:
        rows["Msvm_VirtualSystemSettingData"].append(
            _setting(guid(name), guid(name), "Microsoft:Hyper-V:System:Planned", name)
        )
        rows["Msvm_KvpExchangeComponentSettingData"].append(_offer(guid(name), 3))
    _add_templates(rows)
    if host.version.startswith("6."):
        del rows["Msvm_SecuritySettingData"]
    if host.version.startswith("6.2."):
        del rows["Msvm_ReplicationRelationship"]
        for row in rows["Msvm_ReplicationSettingData"]:
            del row["ReplicationProvider"]
            row["InstanceID"] = str(row["InstanceID"]).rsplit("\\", 1)[0]
    return rows


def _own_row(host: Host) -> dict[str, object]:
    return {
        "Name": host.name,
        "ElementName": host.name,
        "Caption": "宿主计算机系统",
        "CreationClassName": "Msvm_ComputerSystem",
        "Description": "Microsoft Hosting Computer System",
        "EnabledState": 2,
        "OperationalStatus": [2],
        "StatusDescriptions": ["Operating normally"],
    }


def _add_machine(rows: RowsByClass, vm: Vm, host: Host) -> None:
    rows["Msvm_ComputerSystem"].append(
        {
            "Name": vm.id,
            "ElementName": vm.name,
            "Caption": "Virtual Machine",
            "CreationClassName": "Msvm_ComputerSystem",
            "Description": "Microsoft Virtual Machine",
            "EnabledState": vm.power,
            "HealthState": 5,
            "InstallDate": NOW - timedelta(days=200, microseconds=500),
            "LastReplicationTime": NOW - timedelta(minutes=4) if vm.mode else NEVER,
            "OnTimeInMilliseconds": vm.uptime,
            "OperationalStatus": [2],
            "ProcessID": 4242 if vm.power in (2, 9) else None,
            "ReplicationHealth": 1 if vm.mode else 0,
            "ReplicationMode": vm.mode,
            "ReplicationState": vm.state,
            "StatusDescriptions": ["Operating normally"],
        }
    )
    if vm.realized:
        rows["Msvm_VirtualSystemSettingData"].append(
            _setting(vm.id, vm.id, "Microsoft:Hyper-V:System:Realized", vm.name)
        )
    if vm.offer_row:
        rows["Msvm_KvpExchangeComponentSettingData"].append(_offer(vm.id, vm.offered))
    _add_copies(rows, vm)
    relationships = vm.relationships
    if relationships is None:
        relationships = {0: vm.state} if vm.mode else {}
    for number, state in relationships.items():
        rows["Msvm_ReplicationRelationship"].append(
            {
                "InstanceID": f"Microsoft:{vm.id}\\HVR\\{number}",
                "ElementName": vm.name,
                "ReplicationState": state,
                "ReplicationHealth": 1,
                "LastReplicationTime": NOW - timedelta(minutes=4),
            }
        )
    for number, (primary, recovery) in enumerate(vm.hosts):
        rows["Msvm_ReplicationSettingData"].append(
            {
                "InstanceID": f"Microsoft:{vm.id}\\HVR\\{number}",
                "VirtualSystemIdentifier": vm.id,
                "VirtualSystemType": "Microsoft:Hyper-V:Replica",
                "PrimaryHostSystem": primary,
                "PrimaryConnectionPoint": primary,
                "RecoveryHostSystem": recovery,
                "RecoveryConnectionPoint": recovery,
                "RecoveryServerPortNumber": 443,
                "ReplicationProvider": f"\\\\HV01\\root\\virtualization\\v2:Msvm_ReplicationProvider.InstanceID="
                f'"Microsoft:HV01\\\\ReplicationProvider\\\\{vm.provider}"',
            }
        )
    for number, nic in enumerate(vm.nics):
        _add_nic(rows, vm, nic, number, host)
    rows["Msvm_SecuritySettingData"].append(
        {
            "InstanceID": f"Microsoft:{vm.id}\\{guid('security')}",
            "ShieldingRequested": vm.shielded,
            "TpmEnabled": vm.shielded,
        }
    )
    if vm.test_of:
        rows["Msvm_ReplicaSystemDependency"].append(
            {"Antecedent": _reference(vm.test_of), "Dependent": _reference(vm.id)}
        )
    if vm.has_components:
        _add_components(rows, vm)


def _add_copies(rows: RowsByClass, vm: Vm) -> None:
    """Checkpoints and recovery points have settings of their own, which speak of the machine as it once was."""
    kinds = ["Microsoft:Hyper-V:Snapshot:Realized"] * vm.checkpoints
    kinds += ["Microsoft:Hyper-V:Snapshot:Replica:Standard"] * vm.recovery_points
    for number, kind in enumerate(kinds):
        copy = guid(f"{vm.id} copy {number}")
        rows["Msvm_VirtualSystemSettingData"].append(_setting(copy, vm.id, kind, f"{vm.name} - {number}"))
        rows["Msvm_KvpExchangeComponentSettingData"].append(_offer(copy, 3))
        rows["Msvm_FailoverNetworkAdapterSettingData"].append(
            _failover(copy, guid(f"{vm.id} nic 0"), Nic(addresses=("10.99.0.1",)))
        )
        rows["Msvm_SyntheticEthernetPortSettingData"].append(
            {"InstanceID": f"Microsoft:{copy}\\{guid(f'{vm.id} nic 0')}", "ElementName": "Network Adapter"}
        )


def mac_of(vm: Vm, number: int = 0) -> str:
    """Of its adapter of that number; both sides of a replica have the same one."""
    return _mac(guid(f"{vm.id} nic {number}"))


def _mac(nic_guid: str) -> str:
    return "00155D" + nic_guid[:6]


def switch_guid(host: str, name: str) -> str:
    return guid(f"{host} switch {name}")


def _mask(network: str) -> str:
    """As Win32_NetworkAdapterConfiguration gives it: a mask, or the length of a prefix of IPv6."""
    of = ip_interface(network)
    return str(of.netmask) if of.version == 4 else str(of.network.prefixlen)


def _reference(machine: str) -> str:
    """A reference as it comes: what wsman/row.py makes of an endpoint reference."""
    uri = "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2/Msvm_ComputerSystem"
    return f"{uri}?CreationClassName=Msvm_ComputerSystem&Name={machine}"


def _add_nic(rows: RowsByClass, vm: Vm, nic: Nic, number: int, host: Host) -> None:
    nic_guid = guid(f"{vm.id} nic {number}")
    kind = "Msvm_EmulatedEthernetPortSettingData" if nic.legacy else "Msvm_SyntheticEthernetPortSettingData"
    rows[kind].append(
        {
            "InstanceID": f"Microsoft:{vm.id}\\{nic_guid}",
            "ElementName": nic.name,
            "Address": _mac(nic_guid),
            "ResourceType": 10,
            "StaticMacAddress": False,
        }
    )
    rows["Msvm_EthernetPortAllocationSettingData"].append(
        {
            # One identifier of a real dump mixes cases; nothing may depend on it.
            "InstanceID": f"Microsoft:{vm.id.lower()}\\{nic_guid}\\C",
            "EnabledState": 2 if nic.connected else 3,
            "HostResource": [] if nic.switch is None else [_path(host, "Msvm_VirtualEthernetSwitch", nic.switch)],
            "PoolID": nic.pool,
            "ResourceType": 33,
        }
    )
    if nic.guest_row:
        rows["Msvm_GuestNetworkAdapterConfiguration"].append(_guest_addresses(vm, nic, number, nic_guid))
    if nic.failover_row:
        rows["Msvm_FailoverNetworkAdapterSettingData"].append(_failover(vm.id, nic_guid, nic))


def _path(host: Host, class_name: str, switch: str) -> str:
    namespace = f"\\\\{host.name}\\root\\virtualization\\v2"
    return f'{namespace}:{class_name}.CreationClassName="{class_name}",Name="{switch_guid(host.name, switch)}"'


def _guest_addresses(vm: Vm, nic: Nic, number: int, nic_guid: str) -> dict[str, object]:
    """Without data of a guest such a row says DHCP, no protocol and no address (recorded on a real host)."""
    addresses = nic.today
    if addresses is None:
        published = vm.items.get("NetworkAddressIPv4", "") if isinstance(vm.items, Mapping) and number == 0 else ""
        addresses = [one for one in published.split(";") if is_address(one)] if vm.answers else []
    networks = [ip_interface(f"{one}/{64 if ':' in one else 24}").network for one in addresses]
    four, six = (any((":" in address) is is_six for address in addresses) for is_six in (False, True))
    masks = [str(one.netmask) if one.version == 4 else str(one.prefixlen) for one in networks]
    return {
        "InstanceID": f"Microsoft:GuestNetwork\\{vm.id}\\{nic_guid}",
        "DHCPEnabled": nic.dhcp if addresses else True,
        "ProtocolIFType": {(False, False): 0, (True, False): 4096, (False, True): 4097, (True, True): 4098}[four, six],
        "IPAddresses": list(addresses),
        "Subnets": list(masks if nic.masks is None else nic.masks) if addresses else [],
        "DefaultGateways": list([str(one[1]) for one in networks] if nic.routers is None else nic.routers),
        "DNSServers": [],
    }


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _add_components(rows: RowsByClass, vm: Vm) -> None:
    items = vm.items if isinstance(vm.items, Sequence) else [kvp_item(*pair) for pair in vm.items.items()]
    common = {
        "CreationClassName": "Msvm_KvpExchangeComponent",
        "SystemCreationClassName": "Msvm_ComputerSystem",
        "SystemName": vm.id,
        "EnabledState": 2,
    }
    rows["Msvm_KvpExchangeComponent"].append(
        {
            **common,
            "DeviceID": f"Microsoft:{DATA_EXCHANGE}",
            "OperationalStatus": None if vm.kvp is None else [vm.kvp, 2],
            "StatusDescriptions": ["OK"],
            "GuestIntrinsicExchangeItems": items if vm.kvp in (2, 3) else [],
        }
    )
    rows["Msvm_HeartbeatComponent"].append(
        {
            **common,
            "CreationClassName": "Msvm_HeartbeatComponent",
            "DeviceID": f"Microsoft:{HEARTBEAT}",
            "OperationalStatus": None if vm.heartbeat is None else [vm.heartbeat, 2],
        }
    )


def _add_templates(rows: RowsByClass) -> None:
    """Defaults and pools come back from a plain enumeration too."""
    for name in ("Default", "Maximum"):
        rows["Msvm_KvpExchangeComponentSettingData"].append(
            {"InstanceID": f"Microsoft:Definition\\{DATA_EXCHANGE}\\{name}", "EnabledState": 2}
        )
    template = f"Microsoft:Definition\\{guid('nic')}\\Default"
    rows["Msvm_SyntheticEthernetPortSettingData"].append({"InstanceID": template})
    rows["Msvm_EthernetPortAllocationSettingData"].append({"InstanceID": f"Microsoft:Pool\\{guid('pool')}"})


def _setting(own: str, machine: str, kind: str, name: str) -> dict[str, object]:
    return {
        "InstanceID": f"Microsoft:{own}",
        "VirtualSystemIdentifier": machine,
        "VirtualSystemType": kind,
        "ElementName": name,
        "Version": "10.0",
        "CreationTime": NOW - timedelta(days=200),
    }


def _offer(owner: str, state: int | None) -> dict[str, object]:
    return {"InstanceID": f"Microsoft:{owner}\\{DATA_EXCHANGE}", "EnabledState": state, "ElementName": "Datenaustausch"}


def _failover(owner: str, nic_guid: str, nic: Nic) -> dict[str, object]:
    return {
        "InstanceID": f"Microsoft:FailoverNetworkSetting\\{owner}\\{nic_guid}",
        "DHCPEnabled": nic.protocol_type in (0, 4097),
        "ProtocolIFType": nic.protocol_type,
        "IPAddresses": list(nic.addresses),
        "Subnets": list(_masks_of(nic.addresses) if nic.subnets is None else nic.subnets),
        "DefaultGateways": list(nic.gateways),
        "DNSServers": list(nic.dns),
    }


def _masks_of(addresses: Sequence[str | None]) -> list[str]:
    return ["64" if ":" in address else "255.255.255.0" for address in addresses if address and address.strip()]


def kvp_item(name: str, data: str) -> str:
    return (
        '<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem">'
        '<PROPERTY NAME="Caption" PROPAGATED="true" TYPE="string"></PROPERTY>'
        f'<PROPERTY NAME="Data" TYPE="string"><VALUE>{escape(data)}</VALUE></PROPERTY>'
        f'<PROPERTY NAME="Name" TYPE="string"><VALUE>{escape(name)}</VALUE></PROPERTY>'
        '<PROPERTY NAME="Source" TYPE="uint16"><VALUE>2</VALUE></PROPERTY></INSTANCE>'
    )


# --- the same rows as they come over the wire -------------------------------------------------------------------------


def wire(rows: Mapping[str, Sequence[Mapping[str, object]]]) -> dict[str, tuple[Row, ...]]:
    """What a projection of each class gives: absent arrays, NULL scalars, numbers as text."""
    return {
        query.class_name: tuple(_wire_row(row, query.properties) for row in rows[query.class_name])
        for query in (*QUERIES, *OF_REPLICATION)
        if query.class_name in rows
    }


ARRAYS = frozenset(
    [
        "IPAddresses",
        "Subnets",
        "DefaultGateways",
        "DNSServers",
        "OperationalStatus",
        "StatusDescriptions",
        "GuestIntrinsicExchangeItems",
        "HostResource",
        "IPAddress",
        "IPSubnet",
    ]
)


def _wire_row(row: Mapping[str, object], properties: Sequence[str]) -> Row:
    found: dict[str, str | list[str | None] | None] = {}
    for name in sorted(properties, key=str.casefold):
        value = row.get(name)
        if name in ARRAYS:
            entries = [_wire_text(entry) for entry in value or ()]  # type: ignore[attr-defined]
            if entries:
                found[name] = entries[0] if len(entries) == 1 else entries
        else:
            found[name] = _wire_text(value)
    return found


def _wire_text(value: object) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def source(host: Host, *, rows: Mapping[str, object] | None = None, **changes: object) -> ServerRecord:
    """A server that was read; ``rows`` replaces the answer of a class, by rows or by an Unread."""
    classes = {**wire(host_rows(host)), **(rows or {})}
    machines: Any = classes["Msvm_ComputerSystem"]
    of_replication = queries_of_replication(host.version, machines)
    asked = (*queries_for(host.version), *of_replication)
    spared = {query.class_name for query in OF_REPLICATION} - {query.class_name for query in of_replication}
    classes = {name: answer for name, answer in classes.items() if name not in spared or name in (rows or {})}
    values: dict[str, object] = {
        "name": host.name.lower(),
        "endpoint": f"{host.name.lower()}.dr.example:5986",
        "reading": Reading(
            started=NOW,
            finished=NOW,
            version=host.version,
            classes=classes,  # type: ignore[arg-type]
            again={"Msvm_ComputerSystem": classes["Msvm_ComputerSystem"]},  # type: ignore[dict-item]
            asked_properties={query.class_name: query.properties for query in asked},
        ),
    }
    return ServerRecord(**{**values, **changes})  # type: ignore[arg-type]


def with_text(found: ServerRecord, old: str, new: str) -> ServerRecord:
    """The same server, which says ``new`` wherever it said ``old``."""
    assert isinstance(found.reading, Reading)
    classes = {
        name: answer
        if isinstance(answer, Unread)
        else tuple({key: new if text == old else text for key, text in row.items()} for row in answer)
        for name, answer in found.reading.classes.items()
    }
    return replace(found, reading=replace(found.reading, classes=classes))


def unread_source(name: str, reason: str = "refused") -> ServerRecord:
    return ServerRecord(name=name, endpoint=f"{name}.dr.example:5986", reading=Unread(reason))


def inventory(entries: Sequence[Entry], **changes: object) -> Inventory:
    """An inventory that no file holds."""
    values: dict[str, object] = {
        "name": "lab",
        "servers": tuple(entries),
        "snapshot": None,
        "limits": Limits(),
        "policy": DEFAULT,
        "may_be_empty": False,
        "path": Path("lab.yaml"),
        "digest": "",
        "lines": {},
    }
    return Inventory(**{**values, **changes})  # type: ignore[arg-type]


def snapshot(*sources: ServerRecord, settings: Judging = Judging(), clusters: Sequence[ServerRecord] = ()) -> Snapshot:
    return Snapshot(estate="test", time=NOW, tool="0", settings=settings, servers=sources, clusters=tuple(clusters))
