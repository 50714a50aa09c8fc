"""The rows that a server shows of itself and its machines, by the names that Windows gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from ipaddress import ip_address, ip_interface
from xml.sax.saxutils import escape

from compliance.hyperv.queries import OF_REPLICATION, QUERIES
from tests.hosts import DATA_EXCHANGE, HEARTBEAT, NEVER, NOW, Host, Nic, RowsByClass, Vm, guid


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
