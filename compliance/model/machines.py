"""Virtual machines, and the sides of their replications."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from compliance.model.adapters import Adapter, FailoverAddress
from compliance.model.guest import Answer, Guest
from compliance.model.inside import Inside
from compliance.model.unread import Unread


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
        settings = self.settings
        if len(settings) == 1:
            return settings[0].addresses  # of most machines: the same tuple for whoever asks
        return tuple(address for setting in settings for address in setting.addresses)

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


class Surroundings(Protocol):
    """What stands around a machine on its server and at its site: what a command for it need not leave open."""

    def network_on(self, server: str, guid: str) -> tuple[str, str] | None:
        """Return the mask and the gateway of the one network in which all other replicas' failover addresses there are,
        other than this machine's; None for no network, or several."""

    def switches_on(self, server: str) -> frozenset[str]:
        """Return the names of the switches there that some machine's adapter is connected to."""

    def set_for(self, address: str, server: str) -> tuple[str, ...]:
        """Return the replicas at the server's site for which an address is set."""


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
    surroundings: Surroundings | None = field(default=None, compare=False, repr=False)

    @property
    def machine(self) -> VirtualMachine:
        return self.vm.machine

    @property
    def label(self) -> str:
        return self.adapter.label if self.adapter else f"eth-{self.guid[:8].upper()}"

    def __str__(self) -> str:
        return f"{self.machine}/{self.label}"
