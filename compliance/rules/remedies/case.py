"""What a remedy depends on beside its cause: the machine and its sides, the adapter, the guest's system."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from compliance.errors import Why
from compliance.model import (
    FailoverAddress,
    Inside,
    InsideUnix,
    InsideWindows,
    ReplicatedVM,
    Role,
    Server,
    Surroundings,
    Unread,
    VirtualMachine,
)
from compliance.rule import Result, Verdict
from compliance.rules.evidence.advice import row_of
from compliance.rules.evidence.find import find
from compliance.rules.evidence.handover import guest_seen, inside_of, runs_on
from compliance.rules.evidence.system import System


class Family(StrEnum):
    """Guests' systems that have the same packages, services and tools."""

    WINDOWS = "Windows"
    RED_HAT = "Red Hat and what is built after it"
    DEBIAN = "Debian"
    UBUNTU = "Ubuntu"
    SUSE = "SUSE"
    FREEBSD = "FreeBSD"


FAMILIES = {
    "built in": Family.WINDOWS,
    "hyperv-daemons (hypervkvpd)": Family.RED_HAT,
    "hyperv-daemons": Family.DEBIAN,
    "linux-cloud-tools-virtual": Family.UBUNTU,
    "hyper-v": Family.SUSE,
    "the base system": Family.FREEBSD,
}
"""By the package that answers Data Exchange, as the table of systems has it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemedyCase:
    """A finding as its remedy sees it.

    ``rule`` is a key; ``adapter_guid`` and ``setting`` are of the adapter that it is about; ``server`` is the
    verdict's, ``why`` the reason where that was not read; ``system`` is the row of the table for the guest's system;
    ``surroundings`` is known where the finding is about an adapter.
    """

    cause: str
    rule: str = ""
    vm: ReplicatedVM | None = None
    setting: FailoverAddress | None = None
    adapter_guid: str = ""
    server: str = ""
    why: Why | None = None
    wait: timedelta | None = None
    is_unknown: bool = False
    inside: Inside | None = None
    system: System | None = None
    surroundings: Surroundings | None = None

    @property
    def machine(self) -> VirtualMachine | None:
        """The side that it is about."""
        return self.vm.machine if self.vm else None

    @property
    def guest_side(self) -> VirtualMachine | None:
        """The side on which the guest runs, as far as that was seen."""
        side = runs_on(self.vm) if self.vm else None
        return None if isinstance(side, Unread) else side

    @property
    def family(self) -> Family | None:
        """Of the guest's system; None where that is not known, or has packages of its own."""
        if isinstance(self.inside, InsideWindows):
            return Family.WINDOWS
        if isinstance(self.inside, InsideUnix) and self.inside.is_freebsd:
            return Family.FREEBSD
        daemon = self.system.daemon if self.system else None
        return FAMILIES.get(daemon.package) if daemon else None

    def side_of(self, role: Role) -> VirtualMachine | None:
        """Return the side of its replication that has the role, as far as it was seen."""
        if self.vm is None:
            return None
        partner = () if isinstance(self.vm.partner, Unread) else (self.vm.partner,)
        return next((side for side in (self.vm.machine, *self.vm.others, *partner) if side.role is role), None)


def case_of(verdict: Verdict, *, with_guest: bool = True) -> RemedyCase:
    """Return the case of a verdict. ``with_guest``: does its remedy depend on the guest's system?"""
    adapter, subject = verdict.adapter, verdict.subject
    unread = subject.unread if isinstance(subject, Server) else None
    inside, system = _inside_and_system(verdict.vm) if with_guest else (None, None)
    return RemedyCase(
        cause=verdict.outcome.cause,
        rule=verdict.rule.key,
        vm=verdict.vm,
        setting=adapter.setting if adapter else None,
        adapter_guid=adapter.guid if adapter else "",
        server=verdict.server or "",
        why=unread.why if unread else None,
        wait=verdict.outcome.wait,
        is_unknown=verdict.outcome.result is Result.UNKNOWN,
        inside=inside,
        system=system,
        surroundings=adapter.surroundings if adapter else None,
    )


def case_of_side(cause: str, vm: ReplicatedVM) -> RemedyCase:
    """Return the case of a machine of which no rule's verdict says the cause."""
    inside, system = _inside_and_system(vm)
    return RemedyCase(cause=cause, vm=vm, server=vm.machine.server, inside=inside, system=system)


def _inside_and_system(vm: ReplicatedVM | None) -> tuple[Inside | None, System | None]:
    """Return what a look into the guest showed, and the row of the table for its system."""
    looked = inside_of(vm) if vm else None
    inside = looked if isinstance(looked, Inside) else None
    if isinstance(inside, InsideUnix):
        return inside, row_of(inside)
    guest = guest_seen(vm) if vm and inside is None else None
    row = find(guest) if guest else None
    return inside, None if isinstance(row, Unread) else row
