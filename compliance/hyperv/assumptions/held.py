"""What our reading rests on and no server has confirmed yet, and what these servers say to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from compliance.hyperv.assumptions import additions as assumed_additions
from compliance.hyperv.assumptions import forms as assumed_forms
from compliance.hyperv.assumptions import rows as assumed_rows
from compliance.hyperv.assumptions.statement import Assumption, AssumptionCheck, Basis, Sign, assumed
from compliance.hyperv.host import NOBODY, HostRows, first_list
from compliance.hyperv.names import NameIndex
from compliance.hyperv.sides import PARTNERS
from compliance.model import Role, Server, Unread, VirtualMachine
from compliance.snapshot.snapshot import Reading, ServerRecord
from compliance.words import shorten_value

ON_A_SERVER: tuple[AssumptionCheck[HostRows], ...] = tuple(
    value
    for module in (assumed_rows, assumed_forms, assumed_additions)
    for value in vars(module).values()
    if isinstance(value, AssumptionCheck)
)


def assumptions(source: ServerRecord, reading: Reading) -> tuple[Assumption, ...]:
    """What one server says to each statement; where its list of machines was not read, most is not seen."""
    first = first_list(reading)
    return assumptions_on(HostRows(source, reading, NOBODY if isinstance(first, Unread) else first))


def assumptions_on(host: HostRows) -> tuple[Assumption, ...]:
    return tuple(statement.on(host) for statement in ON_A_SERVER)


def assumptions_on_sides(servers: Sequence[Server]) -> tuple[Assumption, ...]:
    """Return what the two sides of every replication say to each statement."""
    return assumptions_on_pairs(pairs_of(servers, NameIndex(servers)))


def assumptions_on_pairs(pairs: Sequence[ReplicationPair]) -> tuple[Assumption, ...]:
    return tuple(statement.on(pairs) for statement in ON_SIDES)


# --- both sides -------------------------------------------------------------------------------------------------------


class ReplicationPair(NamedTuple):
    """A replicated virtual machine, a server that its settings name and that was read, and what that one holds."""

    machine: VirtualMachine
    server: Server
    other: VirtualMachine | None  # of the same GUID

    def __str__(self) -> str:
        return f"{shorten_value(str(self.machine))} on {self.server}"


def pairs_of(servers: Sequence[Server], index: NameIndex) -> tuple[ReplicationPair, ...]:
    return tuple(
        ReplicationPair(machine, server, other)
        for own in servers
        for machine in own.machines
        if machine.replicated is True and not machine.changed and not isinstance(machine.partners, Unread)
        for name in machine.partners
        for server, other in _held(machine, name, index)
    )


def _held(machine: VirtualMachine, name: str, index: NameIndex) -> Iterator[tuple[Server, VirtualMachine | None]]:
    """The server of that name, or of its cluster the node that holds the machine; nothing where one was not read."""
    party = index.read_party(name)
    if not party:
        return
    other = next(
        (machine_there for machine_there in index.holders[machine.guid] if machine_there.server in party), None
    )
    yield party[other.server] if other else next(iter(party.values())), other


def _fits(machine: VirtualMachine, other: VirtualMachine) -> bool:
    return isinstance(machine.role, Role) and other.role in PARTNERS.get(machine.role, ())


@assumed(
    "partner-holds-machine",
    "the server that replication settings name as the other side holds a virtual machine of the same GUID",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-replicationsettingdata names the node; that the GUID is the same is common knowledge",
)
def partner_holds_machine(pairs: Sequence[ReplicationPair]) -> Iterable[Sign]:
    return (None if pair.other else str(pair) for pair in pairs)


@assumed(
    "same-guid",
    "both sides of a replication have one GUID, not only one name",
    Basis.INFERRED,
    "common knowledge; documented nowhere",
)
def same_guid(pairs: Sequence[ReplicationPair]) -> Iterator[Sign]:
    for pair in pairs:
        if pair.other:
            yield None
        elif any(other.name == pair.machine.name and _fits(pair.machine, other) for other in pair.server.machines):
            yield str(pair)


@assumed(
    "sides-fit",
    "the two sides of a replication are primary and replica, or replica and extended replica",
    Basis.INFERRED,
    "MicrosoftDocs/win32, msvm-computersystem documents the roles, not how they meet",
)
def sides_fit(pairs: Sequence[ReplicationPair]) -> Iterator[Sign]:
    for pair in pairs:
        if pair.other and isinstance(pair.other.role, Role):
            fits = _fits(pair.machine, pair.other)
            yield None if fits else f"{pair} ({pair.machine.role}, {pair.other.role})"


ON_SIDES: tuple[AssumptionCheck[Sequence[ReplicationPair]], ...] = (partner_holds_machine, same_guid, sides_fit)
