"""What an estate is, in the words of Hyper-V Replica: frozen values, no I/O, no CIM names.

``None`` says "there is none"; an ``Unread`` says that we don't know, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from compliance.errors import Why

READ_AS = "was read as "
"""How a remark begins that names who logged in: it asks for nobody's attention."""

Row = Mapping[str, "str | list[str | None] | None"]
"""One CIM instance as it came: absent is absent, NULL is ``None``, a repeated element is a list, all else is text."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that we don't know: ``reason`` is one line for people.

    ``server``: the server at whose own case the reason is said, so that its machines need only point there.
    """

    reason: str
    why: Why = Why.INCOMPLETE
    server: str = ""

    def __str__(self) -> str:
        return self.reason


class Evidence(StrEnum):
    """What a verdict on integration services may rest on."""

    OBSERVED = "observed"  # the guest's answer, here or on its partner host
    BPA = "bpa"  # Microsoft's own test alone: is Data Exchange offered on this host?


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """How an estate is judged. They travel in the snapshot, so that an offline run judges alike."""

    evidence: Evidence = Evidence.OBSERVED
    boot_grace: timedelta = timedelta(minutes=10)
    may_be_empty: bool = False
    may_be_partial: bool = False  # a cluster of which not every node is in the inventory; never in a snapshot


class Role(StrEnum):
    """The side of a replication that a virtual machine is, as its server says (Msvm_ComputerSystem.ReplicationMode)."""

    NONE = "not replicated"
    PRIMARY = "primary"
    REPLICA = "replica"
    TEST_REPLICA = "test replica"
    EXTENDED_REPLICA = "extended replica"


class Power(StrEnum):
    """Power state; what a rule does not tell apart is ``OTHER``."""

    RUNNING = "running"
    OFF = "off"
    PAUSED = "paused"
    SAVED = "saved"
    OTHER = "in another state"


class Answer(StrEnum):
    """What a service inside the guest answers its host (OperationalStatus[0] of an integration component)."""

    OK = "OK"
    DEGRADED = "OK with an older protocol"
    NO_PROTOCOL = "no compatible protocol"
    NO_CONTACT = "no contact"
    LOST = "lost communication"


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """What Data Exchange told its host about the operating system inside. Guest-controlled text: never trust it."""

    answer: Answer | Unread
    items_read: bool = True  # False: there may be some, but they were larger than the server may send
    os_name: str | None = None
    os_version: str | None = None  # of Windows and FreeBSD; Linux tells its kernel's here
    os_major: str | None = None  # OSMajorVersion, in which Linux tells its distribution's version
    os_build: str | None = None
    integration_services_version: str | None = None
    addresses: tuple[str, ...] = ()

    @property
    def published(self) -> bool:
        """Did the guest itself publish items? Nobody but a running service inside writes these two."""
        return bool(self.os_name or self.integration_services_version)

    @property
    def system(self) -> str:
        """Name and version as people say them: `Debian GNU/Linux 12 (kernel 6.1.0-21-amd64)`."""
        is_windows = "windows" in (self.os_name or "").casefold()
        version, kernel = (self.os_version, None) if is_windows or not self.os_major else (self.os_major, self.os_build)
        name = " ".join(part for part in (self.os_name, version) if part)
        return f"{name} (kernel {kernel})" if kernel else name

    def __str__(self) -> str:
        version = self.integration_services_version
        return ", ".join(part for part in (self.system, f"integration services {version}" if version else "") if part)


class AdapterConnection(StrEnum):
    """What an adapter of a virtual machine leads to on its server."""

    SWITCH = "connected"  # to a switch that the server has
    POOL = "connected to a pool of switches"
    NONE = "connected to no switch"
    LOST = "connected to a switch that its server does not have"


@dataclass(frozen=True, kw_only=True, slots=True)
class Addresses:
    """What a guest says of one adapter's addresses at the time of the snapshot. Guest-controlled text: never trust it.

    ``dynamic``: by DHCP; None where that is not known.
    """

    addresses: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    dynamic: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapter:
    """A network adapter of a virtual machine. ``connected`` to a switch is information only."""

    guid: str
    name: str
    mac: str | None = None
    legacy: bool = False
    connected: bool | Unread = Unread("not read")
    connection: AdapterConnection | Unread = Unread("not asked for", Why.NOT_ASKED)
    switch: str = ""  # its name, where it is connected to one and that is known
    # What the guest uses on it now. Unread: NOT_ASKED by the version that wrote the snapshot; NO_GUEST_DATA where the
    # server answered and its guest gave it nothing (it is off, for one); for any other reason it should have come.
    today: Addresses | Unread = Unread("not asked for", Why.NOT_ASKED)

    @property
    def label(self) -> str:
        """``eth-`` and the last six digits of its MAC address, else eight of its GUID: what names it in an id."""
        digits = "".join(sign for sign in self.mac or "" if sign in "0123456789abcdefABCDEF")
        return f"eth-{(digits[-6:] if len(digits) >= 6 else self.guid[:8]).upper()}"

    def __str__(self) -> str:
        return self.name or self.guid


@dataclass(frozen=True, kw_only=True, slots=True)
class FailoverAddress:
    """The alternate address of one adapter, applied inside the guest at the time of a failover."""

    adapter_guid: str
    adapter: Adapter | None
    addresses: tuple[str, ...]
    subnets: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.addresses)


class Stack(StrEnum):
    """What configures an adapter inside a guest. A script that writes for another one changes nothing."""

    WINDOWS = "Windows"
    NETWORK_MANAGER = "NetworkManager"
    NETPLAN = "netplan"
    NETWORKD = "systemd-networkd"
    IFUPDOWN = "ifupdown"
    IFCFG = "ifcfg files"
    WICKED = "wicked"
    RC_CONF = "rc.conf"


class Script(StrEnum):
    """The state of the script that applies an address."""

    THERE = "there"
    MISSING = "missing"
    NOT_EXECUTABLE = "not executable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Takes:
    """How many files a script takes: with fewer than ``least`` or more than ``most`` it ends and applies nothing.

    ``doubt``: why that is not known of what lies between.
    """

    least: int = 1
    most: int | None = None
    doubt: str = ""

    def fits(self, count: int | None) -> bool | Unread:
        """Return whether so many files do; ``count`` None: not known how many there are."""
        if count is None:
            strict = self.least > 1 or self.most is not None
            return Unread(self.doubt or "how many files its daemon hands over is not known") if strict else True
        if count < self.least or (self.most is not None and count > self.most):
            return False
        return Unread(self.doubt) if self.doubt else True

    def __str__(self) -> str:
        if self.most == self.least:
            return f"exactly {self.least}"
        return f"at most {self.most}" if self.most is not None else f"at least {self.least}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Daemon:
    """The program inside that answers Data Exchange, and the script that it calls to apply an address.

    ``hands_over``: the number of files that it calls the script with; None where its strings do not show it.
    ``wrapper``: it only starts the program of a package for the kernel that runs, and that package is not there.
    """

    program: str
    package: str | None = None
    running: bool | Unread
    at_boot: bool | Unread
    unit: str = ""
    script: str | Unread
    script_state: Script | Unread
    writes: tuple[Stack, ...] | Unread = ()  # what the script configures
    takes: Takes = Takes()
    hands_over: int | None = None
    loads: bool | Unread = True  # does it make NetworkManager load the connection that it writes?
    calls_ifup: bool | None = None  # None: not read
    confined: str = ""  # settings of its service that keep the script from writing its files
    wrapper: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class InnerAdapter:
    """A network adapter as its guest sees it."""

    name: str
    mac: str
    synthetic: bool
    stacks: tuple[Stack, ...] = ()  # what configures it
    dynamic: bool | None = None  # does it have its addresses by DHCP now? None: it has none


@dataclass(frozen=True, kw_only=True, slots=True)
class Inside:
    """What a look into a guest showed. Guest-controlled text: never trust it."""

    connection: str
    system: str  # as people say it
    on_hyperv: bool | Unread
    platform: str = ""
    adapters: tuple[InnerAdapter, ...]
    machine_id: str | Unread | None = None  # of the virtual machine, as its host told it by Data Exchange

    def __str__(self) -> str:
        return self.system


@dataclass(frozen=True, kw_only=True, slots=True)
class InsideUnix(Inside):
    """Of Linux or FreeBSD: a daemon, a script, and one of many network stacks."""

    distribution: str = ""  # its name and its version, as Data Exchange publishes them
    version: str = ""
    kernel: str
    driver: bool | Unread
    device: bool
    daemon: Daemon | None
    stacks: tuple[Stack, ...] = ()  # all that are there
    ifup: bool = False  # is there a program of that name?
    log: tuple[str, ...] | Unread = ()  # lines that tell of an address that was not applied

    @property
    def is_freebsd(self) -> bool:
        return self.kernel.startswith("FreeBSD")

    def __str__(self) -> str:
        return self.system or self.kernel


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The service of Windows that answers Data Exchange, and sets an address itself."""

    name: str
    running: bool | Unread
    disabled: bool | Unread


@dataclass(frozen=True, kw_only=True, slots=True)
class InsideWindows(Inside):
    """Of Windows: one service, and its own stack."""

    service: Service | Unread | None  # None: it is not installed
    integration_services: str | Unread | None = None  # their version


@dataclass(frozen=True, kw_only=True, slots=True)
class GuestConnection:
    """A connection into a guest that the inventory names: the patterns of whose guest it is, the machines that they
    match (as ``server/machine``), and those whose guest it proved to be."""

    name: str
    patterns: tuple[str, ...]
    insecure: str | None = None
    inside: Inside | Unread
    matched: tuple[str, ...] = ()
    proved: tuple[str, ...] = ()
    left_out: bool = False  # its guest runs on no server that was to be read, and `--hv-limit` left some out

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, kw_only=True, slots=True)
class VirtualMachine:
    """One virtual machine as one server shows it. The other side of its replication is another value."""

    server: str
    cluster: str | None = None  # of its server; there it may stand on another one tomorrow
    guid: str
    name: str
    role: Role | Unread
    power: Power | Unread
    replicated: bool | Unread
    doubt: Unread | None = None  # its own row was read, but not what every verdict on it needs
    uptime: timedelta | Unread = Unread("not read")
    failover: tuple[FailoverAddress, ...] | Unread = ()
    data_exchange_offered: bool | Unread = Unread("not read")
    guest: Guest | Unread | None = None
    heartbeat: Answer | Unread | None = None
    adapters: tuple[Adapter, ...] | Unread = Unread("not read")
    partners: tuple[str, ...] | Unread = ()  # host names, as this server's replication settings name them
    receives_from: tuple[str, ...] = ()  # those of the partners that send to this side, by its role
    sends_to: tuple[str, ...] = ()  # and those to which it sends
    sends_onward: bool = False  # a replica whose second relationship, with an extended replica, is alive
    replication_settings_read: bool = True  # False: they could not be read, so what another side's name counts
    failed_over: bool | Unread = False  # a replica whose relationship is in state 5 or 6: the failover has been made
    shielded: bool | Unread = False  # integration components are blocked there, Data Exchange among them
    foreign: bool = False  # another provider than Hyper-V Replica's own replicates it (Azure Site Recovery)
    test_of: str | None = None  # of a test replica: the GUID of the replica that it was made from, where that is known
    inside: Inside | Unread | None = None  # None: the inventory names no connection into this guest
    changed: tuple[str, ...] = ()  # what was another at the end of the audit than at its start
    remarks: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple[FailoverAddress, ...]:
        """Its failover addresses as far as they were read."""
        return () if isinstance(self.failover, Unread) else self.failover

    @property
    def failover_addresses(self) -> tuple[str, ...]:
        return tuple(address for setting in self.settings for address in setting.addresses)

    @property
    def place(self) -> str:
        """What names it together with its own name: the cluster, since a machine moves between nodes, or the server."""
        return self.cluster or self.server

    def __str__(self) -> str:
        return f"{self.place}/{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicatedVM:
    """One side of a replicated virtual machine, with the same guest as its partner host shows it.

    ``partner`` is the nearest machine of the same replication on which the guest runs, or the reason why there is none.
    """

    machine: VirtualMachine
    partner: VirtualMachine | Unread
    others: tuple[VirtualMachine, ...] = ()  # all other sides of its replication that were seen, running or not
    remarks: tuple[str, ...] = ()  # of the join

    def __str__(self) -> str:
        return str(self.machine)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplicaAdapter:
    """One network adapter of one side of a replicated virtual machine, with the same adapter as the other side has it.

    ``there``: on the side where the guest runs, joined by the adapter's GUID, which both sides share. ``setting``: the
    failover address that is set on it; a setting on an adapter that the server does not list has no ``adapter``.
    Without either it is one that a replica lacks: only the side has it where the guest runs.
    """

    vm: ReplicatedVM
    guid: str
    adapter: Adapter | None
    setting: FailoverAddress | None = None
    there: Adapter | Unread = Unread("not read")

    @property
    def machine(self) -> VirtualMachine:
        return self.vm.machine

    def __str__(self) -> str:
        return f"{self.machine}/{self.adapter.label if self.adapter else f'eth-{self.guid[:8].upper()}'}"


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
