"""Which classes and properties are read. With the rest of this folder the one home of CIM names.

Names and versions: MicrosoftDocs/win32, desktop-src/HyperV_v2; property lists of microsoft/wmi
(server2019, server23h2).
A query that names a property which the class lacks fails whole, so the version is asked first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from compliance.hyperv.rows import A_GUID, first_number
from compliance.model import Row, Unread

VIRTUALIZATION = "root/virtualization/v2"
CIMV2 = "root/cimv2"
MSCLUSTER = "root/mscluster"

MACHINES = "Msvm_ComputerSystem"
MACHINE_SETTINGS = "Msvm_VirtualSystemSettingData"
FAILOVER_ADDRESSES = "Msvm_FailoverNetworkAdapterSettingData"
KVP_SETTINGS = "Msvm_KvpExchangeComponentSettingData"
KVP_COMPONENTS = "Msvm_KvpExchangeComponent"
RELATIONSHIPS = "Msvm_ReplicationRelationship"
SYNTHETIC_ADAPTERS = "Msvm_SyntheticEthernetPortSettingData"
LEGACY_ADAPTERS = "Msvm_EmulatedEthernetPortSettingData"
HEARTBEATS = "Msvm_HeartbeatComponent"
REPLICATION = "Msvm_ReplicationSettingData"
REPLICA_SERVER = "Msvm_ReplicationServiceSettingData"
CONNECTIONS = "Msvm_EthernetPortAllocationSettingData"
GUEST_ADDRESSES = "Msvm_GuestNetworkAdapterConfiguration"
SWITCHES = "Msvm_VirtualEthernetSwitch"
SECURITY = "Msvm_SecuritySettingData"
TEST_REPLICAS = "Msvm_ReplicaSystemDependency"
HOST_ADDRESSES = "Win32_NetworkAdapterConfiguration"
OPERATING_SYSTEM = "Win32_OperatingSystem"
CLUSTER = "MSCluster_Cluster"
NODES = "MSCluster_Node"
RESOURCES = "MSCluster_Resource"
PRIVATE_PROPERTIES = "PrivateProperties"

GUEST_ITEM = "Msvm_KvpExchangeDataItem"
GUEST_ITEMS = "GuestIntrinsicExchangeItems"


def refuses_wql(namespace: str) -> str:
    """What a reading notes where WQL is refused; found again by this text."""
    return f"refuses WQL in {namespace}, so classes were enumerated whole"


REFUSES_WQL = refuses_wql(VIRTUALIZATION)

A_CLASS = re.compile(r"(?:Msvm|MSCluster|CIM|Win32)_[A-Za-z]{1,64}")

Version = tuple[int, ...]
SERVER_2012: Version = (6, 2)
SERVER_2012_R2: Version = (6, 3)
SERVER_2016: Version = (10, 0)


@dataclass(frozen=True, slots=True)
class Query:
    """One class, and the properties of it that are read. ``later`` names those that came after Server 2012, ``bulky``
    those without which it is asked again where a row is larger than the server may send. ``where`` spares the server
    rows that are of no use: what comes is looked at all the same. ``adds_only``: no pass rests on the class. It can add
    a finding or a word; silent or in another form than we inferred, it changes no verdict."""

    class_name: str
    properties: tuple[str, ...]
    namespace: str = VIRTUALIZATION
    since: Version = SERVER_2012
    later: Mapping[str, Version] = field(default_factory=dict)
    bulky: tuple[str, ...] = ()
    where: str = ""
    adds_only: bool = False

    @property
    def slim(self) -> Query:
        return replace(self, properties=tuple(name for name in self.properties if name not in self.bulky), bulky=())

    @property
    def wql(self) -> str:
        condition = f" WHERE {self.where}" if self.where else ""
        return f"SELECT {', '.join(self.properties)} FROM {self.class_name}{condition}"  # noqa: S608  # our own constants, and it is WQL


CLOCK = Query(OPERATING_SYSTEM, ("Version", "LocalDateTime"), namespace=CIMV2)
"""The server's version, where Identify hides it, and its clock."""

QUERIES = (
    Query(
        MACHINES,
        (
            "Name",
            "ElementName",
            "EnabledState",
            "ReplicationMode",
            "ReplicationState",
            "ReplicationHealth",
            "OnTimeInMilliseconds",
            "OperationalStatus",
            "ProcessID",
        ),
    ),
    Query(MACHINE_SETTINGS, ("InstanceID", "VirtualSystemIdentifier", "VirtualSystemType", "Version")),
    Query(
        FAILOVER_ADDRESSES,
        ("InstanceID", "DHCPEnabled", "ProtocolIFType", "IPAddresses", "Subnets", "DefaultGateways", "DNSServers"),
    ),
    Query(KVP_SETTINGS, ("InstanceID", "EnabledState")),
    Query(
        KVP_COMPONENTS,
        (
            "SystemName",
            "DeviceID",
            "EnabledState",
            "OperationalStatus",
            "StatusDescriptions",
            GUEST_ITEMS,
        ),
        bulky=(GUEST_ITEMS,),
    ),
    Query(
        RELATIONSHIPS,
        ("InstanceID", "ElementName", "ReplicationState", "ReplicationHealth"),
        since=SERVER_2012_R2,
    ),
    Query(SYNTHETIC_ADAPTERS, ("InstanceID", "ElementName", "Address")),
    Query(LEGACY_ADAPTERS, ("InstanceID", "ElementName", "Address")),
    Query(HEARTBEATS, ("SystemName", "OperationalStatus")),
    Query(
        REPLICATION,
        (
            "InstanceID",
            "PrimaryHostSystem",
            "PrimaryConnectionPoint",
            "RecoveryHostSystem",
            "RecoveryConnectionPoint",
            "ReplicationProvider",
        ),
        later={"ReplicationProvider": SERVER_2012_R2},
    ),
    Query(REPLICA_SERVER, ("InstanceID", "RecoveryServerEnabled")),
    Query(CONNECTIONS, ("InstanceID", "EnabledState", "HostResource", "PoolID")),
)

OF_REPLICATION = (
    Query(
        GUEST_ADDRESSES,
        ("InstanceID", "DHCPEnabled", "ProtocolIFType", "IPAddresses", "Subnets", "DefaultGateways", "DNSServers"),
    ),
    Query(SWITCHES, ("Name", "ElementName"), adds_only=True),
    Query(SECURITY, ("InstanceID", "ShieldingRequested"), since=SERVER_2016, adds_only=True),
    Query(TEST_REPLICAS, ("Antecedent", "Dependent"), adds_only=True),
    Query(HOST_ADDRESSES, ("IPAddress", "IPSubnet"), namespace=CIMV2, where="IPEnabled = TRUE", adds_only=True),
)
"""Asked where some machine replicates, and nowhere else. Properties and versions: MicrosoftDocs/win32, and the schema
of Server 2019 in microsoft/wmi."""

SINCE_0_1 = {CONNECTIONS: frozenset({"PoolID"})}
"""Properties of ``QUERIES`` for which hyperv-compliance 0.1 did not ask."""

NO_CONTACT = 12
"""OperationalStatus of a component whose guest does not answer."""
SILENT_AT_ONCE = 30
"""Machines whose components are named in one query; more are asked for by the whole class."""

AGAIN = Query(MACHINES, ("Name", "ElementName", "EnabledState", "ReplicationMode"))
"""Read a second time at the end: what changed in between is not judged."""


NODE_OF = Query(NODES, ("Name", "State"), namespace=MSCLUSTER)
"""Asked of every server: one without failover clustering has no such namespace, and says so in one message."""
CLUSTER_NAME = Query(CLUSTER, ("Name",), namespace=MSCLUSTER)
CLUSTER_RESOURCES = Query(
    RESOURCES,
    ("Name", "Type", "State", "OwnerNode", "OwnerGroup", PRIVATE_PROPERTIES),
    namespace=MSCLUSTER,
    bulky=(PRIVATE_PROPERTIES,),
    where=" OR ".join(
        f"Type = '{kind}'" for kind in ("Virtual Machine", "Virtual Machine Replication Broker", "Network Name")
    ),
)
"""As Microsoft's own code reads them (its Hyper-V module, MSClusterResourceBaseView; BPA's Hyper-V.ps1): a virtual
machine's resource has VmID among its private properties."""
OF_CLUSTER = (NODE_OF, CLUSTER_NAME, CLUSTER_RESOURCES)
OF_CLUSTER_AGAIN = (NODE_OF, CLUSTER_RESOURCES)


def parse_version(text: str | None) -> Version | None:
    """``10.0.20348`` as numbers; None for anything else."""
    parts = (text or "").split(".")
    if len(parts) < 2 or not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        return None
    return tuple(int(part) for part in parts)


def queries_for(version: str | None) -> tuple[Query, ...]:
    """Return what a server of this version can answer whole; all where the version is not known."""
    return _known_to(version, QUERIES)


def queries_of_replication(version: str | None, machines: Sequence[Row] | Unread) -> tuple[Query, ...]:
    """Return what is asked besides where one of the machines replicates, or may: a role that is not given counts."""
    if isinstance(machines, Unread) or not any(row.get("ReplicationMode", "") not in ("0", None) for row in machines):
        return ()
    return _known_to(version, OF_REPLICATION)


def _known_to(version: str | None, queries: Sequence[Query]) -> tuple[Query, ...]:
    numbers = parse_version(version)
    if numbers is None:
        return tuple(queries)
    return tuple(
        replace(
            query,
            properties=tuple(name for name in query.properties if numbers >= query.later.get(name, SERVER_2012)),
        )
        for query in queries
        if numbers >= query.since
    )


def asked_by_0_1(version: str | None) -> dict[str, tuple[str, ...]]:
    """Return what hyperv-compliance 0.1 asked a server of this version for: its snapshots don't say so themselves."""
    return {
        query.class_name: tuple(
            name for name in query.properties if name not in SINCE_0_1.get(query.class_name, frozenset())
        )
        for query in queries_for(version)
    }


def components_again(components: Sequence[Row] | Unread) -> Query | None:
    """Return the query for those Data Exchange components that showed no contact with their guest (status 12), or None
    where there are none: a guest that restarts just now shows the same for a while."""
    silent = [
        name
        for row in (() if isinstance(components, Unread) else components)
        if first_number(row, "OperationalStatus") == NO_CONTACT
        and isinstance(name := row.get("SystemName"), str)
        and A_GUID.fullmatch(name)
    ]
    if not silent:
        return None
    condition = " OR ".join(f"SystemName = '{guid}'" for guid in silent) if len(silent) <= SILENT_AT_ONCE else ""
    properties = ("SystemName", "OperationalStatus", GUEST_ITEMS)
    return Query(KVP_COMPONENTS, properties, bulky=(GUEST_ITEMS,), where=condition)
