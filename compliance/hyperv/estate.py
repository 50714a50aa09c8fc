"""A snapshot's rows become an estate: each server's machines, then both sides of every replica joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compliance.hyperv.clusters import with_clusters
from compliance.hyperv.guests.connections import tie_guests
from compliance.hyperv.host import HostRows, first_list
from compliance.hyperv.machines import machines_of
from compliance.hyperv.membership import by_own_word
from compliance.hyperv.names import NameIndex
from compliance.hyperv.remarks import server_remarks, with_remarks_on_sides
from compliance.hyperv.replication import full_names_of
from compliance.hyperv.rows import cut
from compliance.hyperv.sides import join_sides, unlisted_partners
from compliance.model import Estate, Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import ServerRecord, Snapshot
from compliance.words import join_names, shorten_value


def translate(snapshot: Snapshot) -> Estate:
    """The estate that a snapshot shows, both sides of every replica joined."""
    snapshot, claims = by_own_word(snapshot)
    servers, clusters = with_clusters(snapshot, [_server(source) for source in snapshot.servers], claims)
    index = NameIndex(servers, snapshot.left_out, clusters)
    unlisted = unlisted_partners(servers, index)
    servers = tuple(
        replace(server, unlisted=tuple(partner.name for partner in unlisted if server.name in partner.servers))
        for server in with_remarks_on_sides(servers, index)
    )
    servers, connections = tie_guests(servers, snapshot.guests, clusters, snapshot.left_out)
    return Estate(
        name=snapshot.estate,
        time=snapshot.time,
        servers=servers,
        clusters=clusters,
        replicated=join_sides(servers, clusters, NameIndex(servers, snapshot.left_out, clusters)),
        connections=connections,
        settings=snapshot.settings,
        stretched=snapshot.stretched,
        unlisted=unlisted,
    )


def _server(source: ServerRecord) -> Server:
    server = Server(
        name=source.name,
        endpoint=source.endpoint,
        cluster=source.cluster,
        site=source.site,
        groups=source.groups,
        insecure=source.insecure,
        remarks=(source.insecure,) if source.insecure else (),
    )
    if isinstance(source.reading, Unread):
        return replace(server, unread=source.reading)
    reading = source.reading
    version = None if reading.version is None else cut(reading.version)
    server = replace(server, version=version, clock_ahead=reading.clock_ahead)
    first = first_list(reading)
    if isinstance(first, Unread):
        return replace(server, unread=first)
    host = HostRows(source, reading, first)
    machines = machines_of(host)
    return replace(
        server,
        host_name=first.host,
        full_names=full_names_of(host),
        machines=machines,
        networks=host.additions.networks,
        doubt=_doubt(source, host, machines),
        remarks=server_remarks(source, host, machines),
    )


def _doubt(source: ServerRecord, host: HostRows, machines: Sequence[VirtualMachine]) -> str | None:
    """Return why what came from a server can't be the whole. Its machines point here: one cause, one alarm."""
    doubts: list[str] = []
    if not machines and not source.may_be_empty and source.cluster is None:  # of a node, its cluster says it
        doubts.append("shows its own row, but not one virtual machine: if that is so, set `may_be_empty: true` for it")
    if host.unlisted:
        doubts.append(
            "shows rows of virtual machines that it does not list "
            f"({join_names([shorten_value(guid) for guid in host.unlisted], most=3)}): "
            "the account may lack rights there, or they came and went during the audit"
        )
    if any(machine.replicated is not False for machine in machines):
        if not isinstance(host.offers, Unread) and not host.shows_offers:
            doubts.append("shows not one Data Exchange row of a machine, and every virtual machine has one")
        elif not isinstance(host.failover, Unread) and not (
            host.shows_failover_settings or host.may_lack_failover_settings
        ):
            doubts.append(
                "shows not one failover setting row of a machine: if none of its machines has a failover address, "
                "set `defaults: {may_lack_failover_settings: true}` in the inventory"
            )
    return "; ".join(doubts) or None
