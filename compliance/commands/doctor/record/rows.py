"""A row of a host's as an anonymous copy may show it: which kind of text each property holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from compliance.commands.doctor.record import clusters as anonymous_clusters
from compliance.commands.doctor.record.guest_items import replace_item
from compliance.commands.doctor.record.pseudonyms import Pseudonyms
from compliance.commands.doctor.record.values import (
    Replacer,
    replace_address,
    replace_description,
    replace_host,
    replace_identifier,
    replace_mac,
    replace_machine_or_host,
    replace_netmask,
    replace_number,
    replace_reference,
    replace_type_name,
    replace_version,
)
from compliance.hyperv import queries
from compliance.hyperv.rows import A_GUID
from compliance.model import Row

QUERIES = (*queries.QUERIES, *queries.OF_REPLICATION, queries.CLOCK)
PROPERTIES = frozenset(name for query in QUERIES for name in query.properties)
CLASSES = frozenset(query.class_name for query in QUERIES)
KNOWN = PROPERTIES | anonymous_clusters.PROPERTIES


def replace_row(other: Pseudonyms, class_name: str, row: Row) -> Row:
    changed: dict[str, str | list[str | None] | None] = {}
    for name, value in row.items():
        change = partial(_text, other, class_name, name, row)
        if isinstance(value, list):
            new: str | list[str | None] | None = [None if entry is None else change(entry) for entry in value]
        else:
            new = None if value is None else change(value)
        changed[name if name in KNOWN else other.name(name, "property")] = new
    return changed


def _text(other: Pseudonyms, class_name: str, name: str, row: Row, text: str) -> str:
    if class_name in anonymous_clusters.CLASSES:
        return anonymous_clusters.text_of_cluster(other, class_name, name, row, text)
    if name == "ElementName":
        return _element_name(other, class_name, row, text)
    if name not in KNOWN:
        return other.name(text, "value")
    return CHANGES.get(name, replace_number)(other, text)


def _element_name(other: Pseudonyms, class_name: str, row: Row, text: str) -> str:
    if class_name in (queries.SYNTHETIC_ADAPTERS, queries.LEGACY_ADAPTERS):
        return other.name(text, "adapter")
    if class_name == queries.SWITCHES:
        return other.name(text, "switch")
    own = row.get("Name")
    is_server = class_name == queries.MACHINES and isinstance(own, str) and not A_GUID.fullmatch(own)
    return other.host(text, "server") if is_server else other.name(text, "vm")


CHANGES: Mapping[str, Replacer] = {  # of all others that we ask for, numbers and truths are kept
    "Name": replace_machine_or_host,
    "SystemName": replace_machine_or_host,
    "VirtualSystemIdentifier": replace_machine_or_host,
    "InstanceID": replace_identifier,
    "DeviceID": replace_identifier,
    "VirtualSystemType": replace_type_name,
    "ReplicationProvider": replace_identifier,
    "HostResource": replace_identifier,
    "PoolID": replace_identifier,
    "Antecedent": replace_reference,
    "Dependent": replace_reference,
    "IPAddress": replace_address,
    "IPSubnet": replace_netmask,
    "Version": replace_version,
    "PrimaryHostSystem": replace_host,
    "RecoveryHostSystem": replace_host,
    "PrimaryConnectionPoint": replace_host,
    "RecoveryConnectionPoint": replace_host,
    "IPAddresses": replace_address,
    "DefaultGateways": replace_address,
    "DNSServers": replace_address,
    "Subnets": replace_netmask,
    "Address": replace_mac,
    "StatusDescriptions": replace_description,
    queries.GUEST_ITEMS: replace_item,
}
