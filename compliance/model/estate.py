"""Servers, clusters, and the estate that they are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.errors import Why
from compliance.model.inside import GuestConnection
from compliance.model.judging import Judging
from compliance.model.machines import ReplicaAdapter, ReplicatedVM, VirtualMachine
from compliance.model.unread import Unread

READ_AS = "was read as "
"""How a remark begins that names who logged in: it asks for nobody's attention."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """One Hyper-V server. ``unread`` is set where nothing it says may be trusted; it has no machines then."""

    name: str
    endpoint: str = ""
    cluster: str | None = None  # of the inventory, that it is a node of
    host_name: str | None = None  # as its own row has it: a computer's name, without a domain
    full_names: tuple[str, ...] = ()  # with a domain, as its own replication settings call it
    site: str | None = None
    groups: tuple[str, ...] = ()
    version: str | None = None
    clock_ahead: timedelta | None = None
    insecure: str | None = None  # what the inventory allowed that an attacker would like
    unread: Unread | None = None
    doubt: str | None = None  # read, but what came can't be the whole
    partial: str | None = None  # a node of a cluster of which not every node is in the inventory
    machines: tuple[VirtualMachine, ...] = ()
    unlisted: tuple[str, ...] = ()  # partners of its machines that nobody listed
    networks: tuple[str, ...] | Unread = Unread(
        "not asked for", Why.NOT_ASKED
    )  # its own addresses with their subnets: 10.2.0.5/24
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Partner:
    """A server that replication settings name and the inventory does not."""

    name: str
    servers: tuple[str, ...]  # whose settings name it
    machines: int

    def __str__(self) -> str:
        return f"{self.name} ({self.machines} machine{'' if self.machines == 1 else 's'} on {', '.join(self.servers)})"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """One failover cluster of the inventory. Its nodes are servers, and its machines are theirs.

    ``missing`` are those that it has as resources and that stand on no node: nothing is known of them but their name.
    """

    name: str
    endpoint: str = ""
    own_name: str | None = None
    site: str | None = None
    groups: tuple[str, ...] = ()
    insecure: str | None = None
    unread: Unread | None = None
    nodes: tuple[str, ...] = ()  # servers
    labels: frozenset[str] = frozenset()  # what a partner may call it: its own names, and its Replica Broker's
    expected: int = 0
    missing: tuple[VirtualMachine, ...] = ()
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Estate:
    """All servers of one audit, both sides joined."""

    name: str
    time: datetime
    servers: tuple[Server, ...]
    clusters: tuple[Cluster, ...] = ()
    replicated: tuple[ReplicatedVM, ...]
    connections: tuple[GuestConnection, ...] = ()
    settings: Judging = Judging()
    stretched: tuple[frozenset[str], ...] = ()  # sites that share their networks, so that an address is valid at each
    unlisted: tuple[Partner, ...] = ()  # partners on which nobody looked

    @property
    def read(self) -> tuple[Server | Cluster, ...]:
        """Whatever was to be read: servers, then clusters."""
        return (*self.servers, *self.clusters)

    def __str__(self) -> str:
        return self.name


Subject = Estate | Cluster | Server | ReplicatedVM | ReplicaAdapter
