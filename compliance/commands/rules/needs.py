"""Which classes and properties each rule rests on: without them it says something else, of one machine at least.

Seen, not thought out: tests/commands/test_needs.py takes one property after the other out of the estates of the tests
and compares the outcomes. A rule of somebody else's package has none here.
"""

from __future__ import annotations

from collections.abc import Mapping

from compliance.hyperv import queries
from compliance.hyperv.guests import queries as guest_queries

Needs = Mapping[str, frozenset[str]]
"""Class -> properties."""


def _join(*parts: Needs) -> Needs:
    names = {name for part in parts for name in part}
    return {name: frozenset().union(*(part.get(name, frozenset()) for part in parts)) for name in sorted(names)}


def _needs_of(class_name: str, *properties: str) -> Needs:
    return {class_name: frozenset(properties)}


_LIST = _needs_of(queries.MACHINES, "Name", "ReplicationMode")
_SIDE = _join(
    _LIST,
    _needs_of(queries.MACHINES, "ElementName", "EnabledState", "ReplicationState"),
    _needs_of(queries.MACHINE_SETTINGS, "VirtualSystemIdentifier", "VirtualSystemType"),
    _needs_of(queries.KVP_SETTINGS, "InstanceID"),
    _needs_of(queries.RELATIONSHIPS, "InstanceID", "ReplicationState"),
    _needs_of(queries.REPLICATION, "InstanceID", "ReplicationProvider"),
)
"""Which machine it is, which side of it, and whose replication."""
_ADDRESS = _join(
    _SIDE,
    _needs_of(queries.FAILOVER_ADDRESSES, "InstanceID", "DHCPEnabled", "IPAddresses", "ProtocolIFType"),
    _needs_of(queries.SYNTHETIC_ADAPTERS, "InstanceID", "Address", "ElementName"),
    _needs_of(queries.LEGACY_ADAPTERS, "InstanceID", "Address", "ElementName"),
)
_ITEMS = _needs_of(queries.KVP_COMPONENTS, "SystemName", queries.GUEST_ITEMS)
_GUEST = _join(
    _ITEMS,
    _needs_of(queries.KVP_COMPONENTS, "OperationalStatus"),
    _needs_of(queries.KVP_SETTINGS, "EnabledState"),
    _needs_of(queries.MACHINES, "OnTimeInMilliseconds"),
)
_TODAY = _needs_of(queries.GUEST_ADDRESSES, "InstanceID", "DHCPEnabled", "IPAddresses")
_CONNECTION = _join(
    _needs_of(queries.CONNECTIONS, "InstanceID", "EnabledState", "HostResource"),
    _needs_of(queries.SWITCHES, "Name", "ElementName"),
)
_INSIDE = _join(*(_needs_of(query.class_name, *query.properties) for query in guest_queries.QUERIES))
"""Of a Windows guest; of one with Linux or FreeBSD its daemon, script and network are looked at by a shell."""

NEEDS: Mapping[str, Needs] = {
    "cluster-was-read": _join(*(_needs_of(query.class_name, *query.properties) for query in queries.OF_CLUSTER)),
    "server-was-read": _join(
        _needs_of(queries.MACHINES, "Name"),
        _needs_of(queries.FAILOVER_ADDRESSES, "InstanceID"),
        _needs_of(queries.KVP_SETTINGS, "InstanceID"),
    ),
    "estate-has-replicated-machines": _LIST,
    "failover-ip-needs-integration-services": _join(
        _ADDRESS,
        _GUEST,
        _needs_of(queries.HEARTBEATS, "SystemName", "OperationalStatus"),
        _needs_of(queries.SECURITY, "InstanceID", "ShieldingRequested"),
    ),
    "guest-can-apply-failover-ip": _join(_ADDRESS, _GUEST),
    "guest-applies-failover-ip": _join(_ADDRESS, _INSIDE),
    "guests-were-read": _join(
        _needs_of(queries.MACHINES, "Name", "ElementName", "EnabledState"),
        _needs_of(queries.SYNTHETIC_ADAPTERS, "InstanceID", "Address"),
        _INSIDE,
    ),
    "failover-ip-is-valid": _join(_ADDRESS, _needs_of(queries.FAILOVER_ADDRESSES, "Subnets", "DefaultGateways")),
    "failover-ip-is-free": _join(_ADDRESS, _ITEMS, _TODAY),
    "failover-ip-differs-from-today": _join(
        _ADDRESS, _ITEMS, _TODAY, _needs_of(queries.HOST_ADDRESSES, "IPAddress", "IPSubnet")
    ),
    "failover-ip-landed": _join(_ADDRESS, _GUEST, _TODAY),
    "replica-has-failover-address": _join(
        _ADDRESS, _ITEMS, _TODAY, _needs_of(queries.GUEST_ADDRESSES, "DefaultGateways")
    ),
    "replica-adapter-is-connected": _join(_ADDRESS, _CONNECTION),
    "replica-adapter-without-address-is-connected": _join(_ADDRESS, _CONNECTION),
    "runs-on-one-side": _SIDE,
}


def needs_of(key: str) -> dict[str, list[str]]:
    """Return class -> properties of a rule, sorted; empty for a rule that is none of ours."""
    return {name: sorted(properties) for name, properties in NEEDS.get(key, {}).items()}
