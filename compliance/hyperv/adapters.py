"""A virtual machine's network adapters: what they lead to on their server, and what the guest uses on them now.

A failover address and its adapter are joined by the adapter's GUID, the last in the InstanceID of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_address

from compliance.errors import Why
from compliance.hyperv import queries
from compliance.hyperv.host import HostRows, switch_of, why_no_address
from compliance.hyperv.rows import MOST_LETTERS, cut, filled, nic_of, read_word, shared, text, words_of
from compliance.model import Adapter, AdapterConnection, Addresses, Guest, Row, Unread

ENABLED = {2: True, 3: False}
AN_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
AN_IPV4_ADDRESS = re.compile(rf"{AN_OCTET}(?:\.{AN_OCTET}){{3}}")
"""As nearly all are: known several times as fast as by a parser, which has the last word on all else."""
TELLS_NONE = Unread("its guest tells no address of it", Why.NO_GUEST_DATA)


def adapters_of(host: HostRows, guid: str) -> dict[str, Adapter]:
    """Return the adapters of a machine by their GUIDs, as far as they were read."""
    connections = {rest.upper().removesuffix("\\C"): row for rest, row in host.connections_of.get(guid, ())}
    today = _addresses_by_adapter(host, guid)
    adapters: dict[str, Adapter] = {}
    for legacy, rows in ((False, host.synthetic_of), (True, host.legacy_of)):
        for rest, row in rows.get(guid, ()):
            nic = nic_of(rest)
            name, mac = row.get("ElementName"), row.get("Address")
            connected, connection, switch = _leads_to(host, connections.get(nic))
            adapters[nic] = Adapter(
                guid=nic,
                name=shared(cut(name)) if isinstance(name, str) else "",
                mac=cut(mac) if isinstance(mac, str) else None,
                legacy=legacy,
                connected=connected,
                connection=connection,
                switch=switch,
                today=today[nic] if nic in today else _why_no_row(host),
            )
    return adapters


def all_adapters(host: HostRows, guid: str, adapters: Mapping[str, Adapter]) -> tuple[Adapter, ...] | Unread:
    """Return a machine's adapters in the order of their GUIDs, or why they may not be all."""
    if host.unread_adapters:
        return Unread(f"its network adapters could not be read: {host.unread_adapters}", host.unread_adapters.why)
    if not host.shows_adapters:
        return Unread(f"{host.name} shows not one network adapter of a machine")
    if not host.shows_synthetic_adapters and _speaks_of_others(host, guid, adapters):
        return Unread(f"{host.name} shows not one synthetic network adapter of a machine")
    if host.untied_adapters:
        return Unread(
            f"{host.name} shows a network adapter that can't be tied to a machine ({host.untied_adapters[0]}); "
            "it may be this one's"
        )
    return tuple(adapters[nic] for nic in sorted(adapters))


def _speaks_of_others(host: HostRows, guid: str, adapters: Mapping[str, Adapter]) -> bool:
    """Return whether a failover setting or a connection is that of an adapter which no class of adapters shows."""
    settings = {nic for nic, _ in host.failover_of.get(guid, ())}
    connections = {rest.upper().removesuffix("\\C") for rest, _ in host.connections_of.get(guid, ())}
    return bool((settings | connections) - adapters.keys())


def parsed_addresses(texts: Iterable[str]) -> tuple[str, ...]:
    """Return those of the texts that are an IP address. A guest writes what it likes there, and Windows a sentence:
    "The following Msvm_KvpExchangeDataItem.Name keys are deprecated …" (hashicorp/packer-plugin-hyperv issue 134)."""
    return tuple([text for text in texts if len(text) <= MOST_LETTERS and _is_address(text)])


@lru_cache(maxsize=16384)
def _is_address(text: str) -> bool:
    if AN_IPV4_ADDRESS.fullmatch(text):
        return True
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def with_guest_addresses(adapters: Mapping[str, Adapter], guest: Guest | Unread | None) -> dict[str, Adapter]:
    """Return the adapters of a machine, the only one of it with what Data Exchange published where nothing better is
    known: whether such an address came by DHCP is not known."""
    if len(adapters) != 1 or not isinstance(guest, Guest) or not guest.addresses:
        return dict(adapters)
    ((nic, adapter),) = adapters.items()
    if not isinstance(adapter.today, Unread) or adapter.today.why not in (Why.NOT_ASKED, Why.NO_GUEST_DATA):
        return dict(adapters)
    return {nic: replace(adapter, today=Addresses(addresses=guest.addresses))}


# --- what it leads to -------------------------------------------------------------------------------------------------


def _leads_to(host: HostRows, row: Row | None) -> tuple[bool | Unread, AdapterConnection | Unread, str]:
    """Return whether an adapter is connected, to what, and the name of its switch: of most of a server the same."""
    words = None if row is None else words_of(row, ("EnabledState", "HostResource", "PoolID"))
    if words not in host.memo.connections:
        host.memo.connections[words] = _connected(row), *_connection(host, row)
    return host.memo.connections[words]


def _connected(row: Row | None) -> bool | Unread:
    return Unread("has no connection row") if row is None else read_word(row, "EnabledState", ENABLED)


def _connection(host: HostRows, row: Row | None) -> tuple[AdapterConnection | Unread, str]:
    """Return what an adapter leads to, and the name of its switch. Microsoft's module takes EnabledState alone for
    "connected", and shows a switch only where HostResource names one that exists, or a pool."""
    if isinstance(host.connections, Unread):
        return Unread(f"its connection could not be read: {host.connections}", host.connections.why), ""
    enabled = _connected(row)
    if row is None and host.untied_connections:
        return Unread(f"{host.name} shows a connection that can't be tied to an adapter; it may be this one's"), ""
    if row is None or isinstance(enabled, Unread):
        return enabled if isinstance(enabled, Unread) else Unread("has no connection row"), ""
    if not enabled:
        return AdapterConnection.NONE, ""
    resources = filled(row, "HostResource")
    if resources:
        return _switch(host, resources)
    if "PoolID" not in host.asked_properties.get(queries.CONNECTIONS, ()):
        reason = f"names no switch, and whether it is connected to a pool was {host.not_asked.reason}"
        return Unread(reason), ""  # known to be odd, whatever was not asked for
    pool = text(row, "PoolID")
    if isinstance(pool, Unread):
        return pool, ""
    return (
        AdapterConnection.POOL if pool and pool.strip() else Unread("is enabled, but names neither switch nor pool")
    ), ""


def _switch(host: HostRows, resources: tuple[str, ...]) -> tuple[AdapterConnection | Unread, str]:
    """Return what a named switch is. That the server has no such switch is believed only where the names of all its
    switches, and the path, have the form that we know: no verdict hangs on a form that was inferred wrongly."""
    if host.additions.switches is None:
        return host.not_asked, ""
    switches = [host.additions.switches.get(guid) for path in resources if (guid := switch_of(path))]
    known = [name for name in switches if name is not None]
    if known:
        return AdapterConnection.SWITCH, known[0]
    if len(switches) < len(resources):
        # Where no path of this server has the form that we know, the form was inferred wrongly, and none is judged.
        return (Unread("names a switch in another form") if host.names_switches else AdapterConnection.SWITCH), ""
    return (AdapterConnection.LOST if host.additions.has_all_switches else AdapterConnection.SWITCH), ""


# --- what the guest uses on it now ------------------------------------------------------------------------------------


def _addresses_by_adapter(host: HostRows, guid: str) -> dict[str, Addresses | Unread]:
    return {nic: _addresses(row) for nic, row in host.guest_addresses_of.get(guid, ())}


def _addresses(row: Row) -> Addresses | Unread:
    """Return what a guest uses on one adapter. Without data from a guest such a row says DHCP, no protocol and no
    address (recorded on a real host), so that DHCP is believed only beside an address."""
    given = filled(row, "IPAddresses")
    addresses = parsed_addresses(given)
    if not addresses:
        reason = "gives what is no address" if given else why_no_address(row)
        if reason:
            return Unread(f"its row of the guest's addresses {reason}")
        return TELLS_NONE
    dynamic = {"true": True, "false": False}.get(str(row.get("DHCPEnabled")).casefold())
    gateways = filled(row, "DefaultGateways")
    if parsed_addresses(gateways) != gateways:
        return Unread("its row of the guest's addresses gives what is no gateway")
    if dynamic is None:
        return Unread("its row of the guest's addresses does not say whether they come by DHCP")
    return Addresses(
        addresses=addresses,
        subnets=filled(row, "Subnets"),
        gateways=gateways,
        dns_servers=parsed_addresses(filled(row, "DNSServers")),
        dynamic=dynamic,
    )


def _why_no_row(host: HostRows) -> Unread:
    if isinstance(host.guest_addresses, Unread):
        why = host.guest_addresses.why
        return (
            host.guest_addresses
            if why is Why.NOT_ASKED
            else Unread(f"what its guest uses could not be read: {host.guest_addresses}", why)
        )
    return Unread("the guest's addresses have no row of it")
