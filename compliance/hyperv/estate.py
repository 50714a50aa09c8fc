"""A snapshot's rows become an estate. With queries.py the one home of CIM names and numbers.

The joins are those of Microsoft's own BPA script: by the GUID in an InstanceID, without case, restricted to machines
that the server itself lists. What can't be joined is not "none": it is said.
"""

from __future__ import annotations

from dataclasses import replace

from compliance.hyperv.clusters import with_clusters
from compliance.hyperv.guests.whose import with_guests
from compliance.hyperv.host import HostRows, first_list
from compliance.hyperv.machines import machines_of
from compliance.hyperv.membership import by_own_word
from compliance.hyperv.remarks import server_remarks, with_remarks_on_sides
from compliance.hyperv.rows import cut, shown, some
from compliance.hyperv.sides import join_sides, unlisted_partners
from compliance.model import Estate, Server, Unread
from compliance.snapshot.snapshot import Snapshot, Source


def translate(snapshot: Snapshot) -> Estate:
    """The estate that a snapshot shows, both sides of every replica joined."""
    snapshot, claims = by_own_word(snapshot)
    servers, clusters = with_clusters(snapshot, [_server(source) for source in snapshot.servers], claims)
    servers = with_remarks_on_sides(servers, clusters)
    unlisted = unlisted_partners(servers, snapshot.left_out, clusters)
    servers = tuple(
        replace(server, unlisted=tuple(one.name for one in unlisted if server.name in one.servers))
        for server in servers
    )
    servers, ways = with_guests(servers, snapshot.guests, snapshot.left_out)
    return Estate(
        name=snapshot.estate,
        time=snapshot.time,
        servers=servers,
        clusters=clusters,
        replicated=join_sides(servers, snapshot.left_out, clusters),
        ways=ways,
        settings=snapshot.settings,
        stretched=snapshot.stretched,
        unlisted=unlisted,
    )


def _server(source: Source) -> Server:
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
    server = replace(server, host_name=first.host, machines=machines, remarks=server_remarks(source, host))
    if not machines and not source.may_be_empty and source.cluster is None:  # of a node, its cluster says it
        return replace(
            server,
            doubt="shows its own row, but not one virtual machine: if that is so, set `may_be_empty: true` for it",
        )
    if host.unlisted:
        unlisted = some([shown(one) for one in host.unlisted])
        return replace(
            server,
            doubt=f"shows rows of virtual machines that it does not list ({unlisted}): "
            "the account may lack rights there, or they came and went during the audit",
        )
    return server
