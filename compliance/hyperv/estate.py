"""A snapshot's rows become an estate: each server's machines, then both sides of every replica joined."""

from __future__ import annotations

from dataclasses import replace

from compliance.hyperv.clusters import with_clusters
from compliance.hyperv.guests.connections import tie_guests
from compliance.hyperv.membership import by_own_word
from compliance.hyperv.names import NameIndex
from compliance.hyperv.remarks import with_remarks_on_sides
from compliance.hyperv.server import server_of
from compliance.hyperv.sides import join_sides, unlisted_partners
from compliance.model import Estate
from compliance.snapshot.snapshot import Snapshot


def translate(snapshot: Snapshot) -> Estate:
    """The estate that a snapshot shows, both sides of every replica joined."""
    snapshot, claims = by_own_word(snapshot)
    servers, clusters = with_clusters(snapshot, [server_of(source) for source in snapshot.servers], claims)
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
