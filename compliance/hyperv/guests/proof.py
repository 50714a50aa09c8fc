"""Whose guest is at the end of a connection? That of the machine of which its host says the same, and of no other.

An address or a name proves nothing: it may have been given to another machine since the inventory was written. What
the host knows of the machine and the guest of itself has to agree: the MAC addresses of its synthetic adapters, and
the machine's GUID, which Data Exchange leaves in the guest. The firmware's UUID is not compared: most accounts can't
read it, and hosts are not asked for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from compliance.hyperv.guests.networks import fold_mac
from compliance.model import GuestConnection, Inside, Power, Server, Unread, VirtualMachine
from compliance.words import join_names

NO_ADDRESS = "0" * 12
"""What an adapter has whose host never gave it an address."""
RUNS = frozenset({Power.RUNNING, Power.PAUSED})


class Rivals:
    """Machines whose guests run, by what a guest may prove itself by."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._by: dict[str, list[VirtualMachine]] = defaultdict(list)
        for server in servers:
            for machine in server.machines:
                macs = _macs(machine)
                keys = {machine.guid.upper()} | (set() if isinstance(macs, Unread) else macs)
                for key in keys if machine.power in RUNS else ():
                    self._by[key].append(machine)

    def rival_of(self, machine: VirtualMachine, inside: Inside) -> VirtualMachine | None:
        """Return another machine of which the guest proves as much: a copy that kept its addresses, or the other side
        where both run."""
        keys = {inside.machine_id, *(adapter.mac for adapter in inside.adapters)}
        others = (other for key in keys if isinstance(key, str) for other in self._by.get(key, ()))
        return next((other for other in others if _differ(other, machine) and not _doubt(other, inside)), None)


def _differ(machine: VirtualMachine, other: VirtualMachine) -> bool:
    return (machine.guid, machine.server) != (other.guid, other.server)


def inside_of(machine: VirtualMachine, connections: Sequence[GuestConnection], rivals: Rivals) -> Inside | Unread:
    """Return what the first connection showed that proved to lead here; else why none did."""
    if machine.power not in RUNS:
        return Unread(f"its guest does not run on {machine.server}, so what was seen there is not this one's")
    reasons = []
    for connection in connections:
        inside = connection.inside
        if isinstance(inside, Unread):
            reasons.append(inside)
        elif doubt := _doubt(machine, inside):
            reasons.append(Unread(f"what answers at {connection.name} is not known to be this machine: {doubt}"))
        elif rival := rivals.rival_of(machine, inside):
            why = f"what answers at {connection.name} may as well be {rival}: both run, and are alike to it"
            reasons.append(Unread(why))
        else:
            return inside
    return Unread("; ".join(dict.fromkeys(map(str, reasons))), reasons[0].why)


def _doubt(machine: VirtualMachine, inside: Inside) -> str:
    """Return why it may be another machine's guest; empty where one thing at least agrees, and nothing contradicts."""
    if inside.on_hyperv is False:
        firmware = f" (its firmware is {inside.platform})" if inside.platform else ""
        return f"{inside} there is not on Hyper-V{firmware}"
    machine_id = inside.machine_id
    if isinstance(machine_id, str) and machine_id != machine.guid.upper():
        return f"it is another virtual machine ({machine_id}, expected {machine.guid.upper()})"
    there = {adapter.mac for adapter in inside.adapters if adapter.synthetic} - {NO_ADDRESS}
    here = _macs(machine)
    if isinstance(here, Unread):
        return "" if isinstance(machine_id, str) else f"{here}, and the guest holds no GUID of its machine"
    if strange := sorted(there - here):
        return f"it has an adapter {_spelled(strange)}, and this machine has {_spelled(sorted(here)) or 'none'}"
    if there or isinstance(machine_id, str):
        return ""
    return "it shows no synthetic adapter and no GUID of its machine"


def _macs(machine: VirtualMachine) -> frozenset[str] | Unread:
    if isinstance(machine.adapters, Unread):
        return machine.adapters
    macs = (fold_mac(adapter.mac) for adapter in machine.adapters if adapter.mac and not adapter.legacy)
    return frozenset(macs) - {NO_ADDRESS}


def _spelled(macs: Sequence[str]) -> str:
    return join_names([":".join(digits[at : at + 2] for at in range(0, 12, 2)) for digits in macs])
