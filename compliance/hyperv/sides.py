"""Both sides of a replica are one guest: tie them together by GUID, complementary roles and names.

That both sides share the GUID is common knowledge, but documented nowhere. So a server may answer for another one's
guest only where that one's own replication settings name it; where these were not read, those of the one that answers
must name the other. Whoever holds the same GUID and is named by nobody says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from compliance.errors import Why
from compliance.hyperv.names import NameIndex
from compliance.model import Cluster, Partner, Power, ReplicatedVM, Role, Server, Unread, VirtualMachine
from compliance.words import join_names, quote

PARTNERS = {
    Role.PRIMARY: (Role.REPLICA,),
    Role.REPLICA: (Role.PRIMARY, Role.EXTENDED_REPLICA),
    Role.EXTENDED_REPLICA: (Role.REPLICA,),
}
HOST_NAME = re.compile(r"(?=.*[^\W_])[\w.:-]+")
GUEST_IS_THERE = frozenset({Power.RUNNING, Power.PAUSED})


def join_sides(servers: Sequence[Server], clusters: Sequence[Cluster], index: NameIndex) -> tuple[ReplicatedVM, ...]:
    """Return every side of every replication, in the order of the servers. A role that could not be read counts as a
    side, and so does a machine that a cluster expects and no node showed."""
    sides = tuple(
        _joined(machine, index)
        for server in servers
        for machine in server.machines
        if (isinstance(machine.role, Unread) or machine.role in PARTNERS) and machine.replicated is not False
    )
    unseen = [machine for cluster in clusters for machine in cluster.missing]
    return (*sides, *(ReplicatedVM(machine=machine, partner=Unread(str(machine.doubt))) for machine in unseen))


def unlisted_partners(servers: Sequence[Server], index: NameIndex) -> tuple[Partner, ...]:
    """Return the servers that replication settings name and nobody listed, in alphabetical order."""
    naming: dict[str, list[VirtualMachine]] = defaultdict(list)
    names: dict[str, str] = {}
    for server in servers:
        for machine in server.machines:
            for name in () if isinstance(machine.partners, Unread) else dict.fromkeys(machine.partners):
                key = name.strip().casefold().rstrip(".")
                if is_host_name(key) and not index.is_listed(name) and not index.is_left_out(name):
                    names.setdefault(key, name)
                    naming[key].append(machine)
    return tuple(
        Partner(
            name=names[key],
            servers=tuple(dict.fromkeys(machine.server for machine in machines)),
            machines=len(machines),
        )
        for key, machines in sorted(naming.items())
    )


class _Ends(NamedTuple):
    """The machines on the other ends of a machine's relationships; and why one may be missing."""

    machines: tuple[VirtualMachine, ...]
    missing: str = ""


def _joined(machine: VirtualMachine, index: NameIndex) -> ReplicatedVM:
    """Walk from host to host until one is reached on which the guest runs; in a chain it may be two hops away. Each hop
    is taken by the settings of the server that it leaves."""
    seen = {machine.server}
    wave = [machine]
    stops: list[VirtualMachine | str] = []  # put into words only where they are needed: most end at a running guest
    missing: list[str] = []
    others: list[VirtualMachine] = []
    running: VirtualMachine | None = None
    while wave:
        following: list[VirtualMachine] = []
        for side in wave:
            ends = _other_ends(side, index)
            if ends.missing:
                stops.append(ends.missing)
                missing.append(ends.missing)
            following += [end for end in ends.machines if end.server not in seen]
        seen |= {end.server for end in following}
        others += following
        running = running or next((end for end in following if end.power in GUEST_IS_THERE), None)
        stops += following
        wave = following
    if running:
        return ReplicatedVM(machine=machine, partner=running, others=tuple(others), remarks=_remarks(machine, running))
    reasons = [stop if isinstance(stop, str) else _not_running(stop) for stop in stops]
    reason = Unread("; ".join(dict.fromkeys(reasons)), _why_nowhere(machine, others, missing, index))
    return ReplicatedVM(machine=machine, partner=reason, others=tuple(others))


def _why_nowhere(
    machine: VirtualMachine, others: Sequence[VirtualMachine], missing: Sequence[str], index: NameIndex
) -> Why:
    """Return whether something should have come: not of a guest that is known to run nowhere, nor of a server that
    nobody asked. What is no host's name is damaged: it may have been that of a server that was asked."""
    if others and not missing and not any(isinstance(other.power, Unread) or other.changed for other in others):
        return Why.NO_GUEST_DATA
    partners = () if isinstance(machine.partners, Unread) else machine.partners
    may_be_asked = any(index.is_listed(name) or not is_host_name(name) for name in partners)
    return Why.NOT_ASKED if partners and not others and not may_be_asked else Why.INCOMPLETE


def _not_running(machine: VirtualMachine) -> str:
    state = machine.power
    if isinstance(state, Unread):
        return f"the power state of {machine} is not known: {state}"
    return (
        f"its {machine.role} {machine} is {state} too"
        if state is Power.OFF
        else f"its {machine.role} {machine} is {state}"
    )


def _other_ends(machine: VirtualMachine, index: NameIndex) -> _Ends:
    if isinstance(machine.role, Unread) or machine.role not in PARTNERS:
        return _Ends((), f"the role of {machine} is {machine.role}")
    if machine.foreign:
        return _Ends((), "another product than Hyper-V Replica replicates it")
    if isinstance(machine.partners, Unread):
        reason = f"its partner is not known: {machine.partners}"
        return _Ends((), reason) if machine.replication_settings_read else _ends_that_name(machine, reason, index)
    ends: list[VirtualMachine] = []
    missing: list[str] = []
    lost: list[str] = []
    for role in PARTNERS[machine.role]:
        names = names_towards(role, machine)
        holders = _holders(machine, role, names, index)
        if len(holders) == 1:
            ends += holders
        elif holders:
            servers_of = join_names([other.server for other in holders], most=3)
            missing.append(f"{len(holders)} servers hold its {role}: {servers_of}")
        else:
            lost += names
    if lost:
        missing.append(_why_lost(machine, list(dict.fromkeys(lost)), index))
    return _Ends(tuple(ends), "; ".join(dict.fromkeys(missing)))


def _holders(machine: VirtualMachine, role: Role, names: tuple[str, ...], index: NameIndex) -> list[VirtualMachine]:
    """Return the machines of this role on the servers that have one of the names; on one that has it by its own word
    alone only a machine that names this side as well."""
    servers, by_word = index.meant_by(names)
    return [
        other
        for other in _others(machine, index)
        if other.role is role
        and other.server in servers
        and (other.server not in by_word or _names(other, machine, index))
    ]


def _names(other: VirtualMachine, machine: VirtualMachine, index: NameIndex) -> bool:
    """Do the replication settings of the other side name this one?"""
    assert isinstance(machine.role, Role)  # noqa: S101  # its caller asked
    return any(machine.server in index.party(name) for name in names_towards(machine.role, other))


def names_towards(role: Role, machine: VirtualMachine) -> tuple[str, ...]:
    """Return what a machine's settings call the server of the other side that has ``role``."""
    upstream = role is Role.PRIMARY or machine.role is Role.EXTENDED_REPLICA
    return machine.receives_from if upstream else machine.sends_to


def _others(machine: VirtualMachine, index: NameIndex) -> list[VirtualMachine]:
    return [other for other in index.holders[machine.guid] if other.server != machine.server]


def _ends_that_name(machine: VirtualMachine, reason: str, index: NameIndex) -> _Ends:
    """Return the other ends by their own settings, where this side's were not read: each must name this server."""
    assert isinstance(machine.role, Role)  # noqa: S101  # its caller asked
    naming = [
        other
        for other in _others(machine, index)
        if isinstance(other.role, Role) and other.role in PARTNERS[machine.role] and _names(other, machine, index)
    ]
    roles = [other.role for other in naming]
    if naming and len(set(roles)) == len(roles):
        return _Ends(tuple(naming))
    return _Ends((), reason)


def _why_lost(machine: VirtualMachine, names: Sequence[str], index: NameIndex) -> str:
    """Return why none of the servers that a machine's settings name could answer, the first cause first: one that was
    not read, then one that nobody asked, then one that says otherwise."""
    unread = [name for name in names if index.is_unread(name)]
    left_out = [name for name in names if index.is_left_out(name)]
    absent = [name for name in names if not index.is_listed(name) and name not in left_out]
    unlisted = [name for name in absent if is_host_name(name)]
    nameless = [name for name in absent if name not in unlisted]
    claimed = [name for name in unlisted if index.servers_claiming(name)]
    rest = [name for name in names if name not in (*unread, *left_out, *absent)]
    ambiguous = [name for name in rest if index.is_ambiguous(name)]
    places = [
        f"on {join_names(servers, most=3)}, {state}"
        for servers, state in (
            (unread, "which was not read"),
            (left_out, "which --hv-limit left out"),
            ([name for name in unlisted if name not in claimed], "which is not in the inventory: add that server"),
            *(([name], _why_not_believed(index.servers_claiming(name))) for name in claimed),
            ([quote(name) for name in nameless], "which is no host's name"),
            (ambiguous, "and more than one server has that name"),
        )
        if servers
    ]
    if places:
        return f"its other side is {'; or '.join(places)}"
    return _contradiction(machine, rest, index) or (
        f"no machine on {join_names(rest, most=3)} has its GUID and the role of its other side"
    )


def _why_not_believed(claiming: Sequence[str]) -> str:
    verb = "calls itself" if len(claiming) == 1 else "call themselves"
    return (
        f"a name that the inventory gives to no server; {join_names(claiming, most=3)} {verb} so: if it is that "
        "server, make that its `name` in the inventory, else add the server"
    )


def is_host_name(name: str) -> bool:
    """Is it a name, or an address, that a server of an inventory may have? A `*` of an authorization entry is none."""
    return HOST_NAME.fullmatch(name.strip()) is not None


def _contradiction(machine: VirtualMachine, names: Sequence[str], index: NameIndex) -> str:
    """Return what speaks against a server that the settings name, that was read, and that does not hold the machine."""
    holders = {other.server for other in index.holders[machine.guid]}
    for name in names:
        party = index.read_party(name)
        if party and not party.keys() & holders:
            does_not = f"{join_names(party, most=3)} {'do' if len(party) > 1 else 'does'} not"
            return f"its replication settings name {name}, but {does_not} hold it"
        if index.is_own_word(name) and (claiming := index.party(name).keys() & holders):
            names_not = f"{min(claiming)} has that name by its own word alone and does not name {machine.server}"
            return f"its replication settings name {name}, but {names_not}"
    return ""


def _remarks(machine: VirtualMachine, end: VirtualMachine) -> tuple[str, ...]:
    return () if machine.name == end.name else (f"is called {end.name!r} on {end.server}",)
