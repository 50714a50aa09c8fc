"""What a look into a guest shows: who would apply a failover address there, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from compliance.model.unread import Unread


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
