"""One server's rows become a server of the estate, as far as it alone says what it is; then its rows can be let go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from compliance.hyperv.host import HostRows, first_list
from compliance.hyperv.machines import machines_of
from compliance.hyperv.remarks import server_remarks
from compliance.hyperv.replication import full_names_of
from compliance.hyperv.rows import cut
from compliance.model import Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Essence, Reading, ServerRecord
from compliance.snapshot.write import packed
from compliance.words import join_names, shorten_value

NO_MACHINE = "shows its own row, but not one virtual machine: if that is so, set `may_be_empty: true` for it"


def server_of(record: ServerRecord) -> Server:
    """Return the server that a record shows, whether its rows are still there or were let go."""
    reading = record.reading
    if isinstance(reading, Unread):
        return replace(_from_inventory(record), unread=reading)
    if reading.essence is None:
        return _translated(record, reading).server
    if record.cluster == reading.essence.server.cluster:
        return reading.essence.server
    assert record.cluster is None  # noqa: S101  # the claim of a cluster may be vain; nobody becomes a node so late
    return replace(reading.essence.server, cluster=None, doubt=reading.essence.doubt_alone)


def let_go(record: ServerRecord) -> ServerRecord:
    """Return a record without its rows, and with the server that they show: all that the estate needs of them."""
    return _without_rows(record, lambda _: None)


def keep_line(record: ServerRecord) -> ServerRecord:
    """Return the same for a snapshot that is to be saved: its rows stay as a line has them."""
    return _without_rows(record, packed)


def _without_rows(record: ServerRecord, line_of: Callable[[Reading], bytes | None]) -> ServerRecord:
    reading = record.reading
    if isinstance(reading, Unread) or reading.essence:
        return record
    essence = replace(_translated(record, reading), octets=line_of(reading))
    return replace(record, reading=replace(reading, classes={}, again={}, asked_properties=None, essence=essence))


def _from_inventory(record: ServerRecord) -> Server:
    """Return a server as the inventory has it."""
    return Server(
        name=record.name,
        endpoint=record.endpoint,
        cluster=record.cluster,
        site=record.site,
        groups=record.groups,
        insecure=record.insecure,
        remarks=(record.insecure,) if record.insecure else (),
    )


def _translated(record: ServerRecord, reading: Reading) -> Essence:
    version = None if reading.version is None else cut(reading.version)
    server = replace(_from_inventory(record), version=version, clock_ahead=reading.clock_ahead)
    first = first_list(reading)
    if isinstance(first, Unread):
        return Essence(server=replace(server, unread=first), doubt_alone=None)
    host = HostRows(record, reading, first)
    machines = machines_of(host)
    doubts = _doubts(host, machines)
    is_empty = not machines and not record.may_be_empty
    alone = [NO_MACHINE, *doubts] if is_empty else doubts
    server = replace(
        server,
        host_name=first.host,
        full_names=full_names_of(host),
        machines=machines,
        networks=host.additions.networks,
        doubt="; ".join(alone if record.cluster is None else doubts) or None,  # of a node, its cluster says it
        remarks=server_remarks(record, host, machines),
    )
    return Essence(server=server, doubt_alone="; ".join(alone) or None)


def _doubts(host: HostRows, machines: Sequence[VirtualMachine]) -> list[str]:
    """Return why what came from a server can't be the whole. Its machines point here: one cause, one alarm."""
    doubts: list[str] = []
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
    return doubts
