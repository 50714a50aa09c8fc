"""Which machines a guest connection of the inventory is for, and what it showed of them.

That does not depend on who was read: a connection that names a machine by a server which was not read may be for the
same machine's other side, and nobody may say that this one has none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from compliance.hyperv.guests.proof import RUNS, Rivals, inside_of
from compliance.hyperv.guests.unix import read_unix
from compliance.hyperv.guests.windows import read_windows
from compliance.hyperv.names import NameIndex
from compliance.hyperv.rows import first_label
from compliance.model import Cluster, GuestConnection, Inside, Role, Server, Unread, VirtualMachine
from compliance.patterns import any_matches, folded
from compliance.snapshot.snapshot import GuestReading, GuestRecord
from compliance.words import join_names

A_PATTERN = frozenset("*?[")


def tie_guests(
    servers: tuple[Server, ...],
    sources: Sequence[GuestRecord],
    clusters: Sequence[Cluster] = (),
    left_out: Iterable[str] = (),
) -> tuple[tuple[Server, ...], tuple[GuestConnection, ...]]:
    """Return the same servers, each machine with what its guest showed, and the connections with the machines to which
    they led.

    ``left_out``: names of servers of the inventory that were not to be read.
    """
    if not sources:
        return servers, ()
    left_out = tuple(left_out)
    guids_of, skipped, unseen = (
        _guids_by_name(servers),
        _LeftOut(servers, left_out),
        _Unseen(servers, clusters, left_out),
    )
    sure: dict[str, list[GuestConnection]] = defaultdict(list)
    perhaps: dict[str, list[GuestConnection]] = defaultdict(list)
    connections: list[GuestConnection] = []
    for source in sources:
        guids = _match(source.machines, guids_of)
        machines = [machine for machine in _machines(servers) if machine.guid in guids]
        reading = source.reading
        connection = GuestConnection(
            name=source.name,
            patterns=source.machines,
            insecure=source.insecure,
            inside=reading if isinstance(reading, Unread) else _understood(source.name, reading),
            matched=tuple(map(str, machines)),
            left_out=skipped.holds(source.machines, machines),
        )
        connections.append(connection)
        for guid in guids:
            sure[guid].append(connection)
        unmatched = frozenset(pattern for pattern in source.machines if not _match([pattern], guids_of))
        for guid in unseen.may_be_meant(source.machines, unmatched) - guids:
            perhaps[guid].append(connection)
    rivals = Rivals(servers)

    def tied(machine: VirtualMachine) -> VirtualMachine:
        if its_own := sure.get(machine.guid):
            return replace(machine, inside=inside_of(machine, its_own, rivals))
        if may_be := perhaps.get(machine.guid):
            return replace(machine, inside=unseen.inside_of(machine, may_be, rivals))
        return machine

    seen = tuple(replace(server, machines=tuple(map(tied, server.machines))) for server in servers)
    proved: dict[int, list[str]] = defaultdict(list)  # two sites may each have one of one name, such as local://
    for machine in _machines(seen):
        if isinstance(machine.inside, Inside):
            proved[id(machine.inside)].append(str(machine))
    return seen, tuple(replace(known, proved=tuple(proved[id(known.inside)])) for known in connections)


def _understood(connection: str, reading: GuestReading) -> Inside | Unread:
    if reading.answers:
        return read_windows(connection, reading.answers)
    return read_unix(connection, reading.sections)


def _machines(servers: Sequence[Server]) -> Iterator[VirtualMachine]:
    return (machine for server in servers for machine in server.machines)


def _guids_by_name(servers: Sequence[Server]) -> dict[str, set[str]]:
    """Return what a machine may be called -> the GUIDs of those that are. Both sides of a replica share one."""
    guids_of: dict[str, set[str]] = defaultdict(set)
    for machine in _machines(servers):
        for name in (machine.name, machine.guid, str(machine)):
            guids_of[folded(name)].add(machine.guid)
    return guids_of


def _match(patterns: Sequence[str], guids_of: Mapping[str, set[str]]) -> set[str]:
    matching: set[str] = set()
    for pattern in patterns:
        matching |= guids_of.get(folded(pattern), set())
        if A_PATTERN & set(pattern):
            matching |= {guid for name, guids in guids_of.items() if any_matches([pattern], [name]) for guid in guids}
    return matching


class _LeftOut:
    """Which guests may run on servers that ``--hv-limit`` left out."""

    def __init__(self, servers: Sequence[Server], left_out: Iterable[str]) -> None:
        self._left_out = {first_label(name) for name in left_out}
        self._here = {folded(name) for server in servers for name in (server.name, server.cluster) if name}

    def holds(self, patterns: Sequence[str], machines: Sequence[VirtualMachine]) -> bool:
        if not self._left_out:
            return False
        if machines:
            return all(map(self._runs_there, machines))
        return any(folded(pattern.rpartition("/")[0]) not in self._here for pattern in patterns)

    def _runs_there(self, machine: VirtualMachine) -> bool:
        """Return whether it does not run here, and its other side is there."""
        if isinstance(machine.power, Unread) or machine.power in RUNS or isinstance(machine.partners, Unread):
            return False
        return any(first_label(name) in self._left_out for name in machine.partners)


# --- who was not read -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Machine:
    """One machine on all servers that show it: the names that it has there."""

    guid: str
    names: frozenset[str]


class _Unseen:
    """Machines of which a side may be on a server that was not read; a connection may name that side."""

    def __init__(self, servers: Sequence[Server], clusters: Sequence[Cluster], left_out: Sequence[str]) -> None:
        blind = [server for server in servers if server.unread or server.doubt]
        doubtful = [cluster.name for cluster in clusters if cluster.unread or cluster.doubts]
        places = [*(server.name for server in blind), *(server.cluster or "" for server in blind), *doubtful, *left_out]
        self._places = tuple(dict.fromkeys(place for place in places if place))
        self._names = {folded(machine.name) for machine in _machines(servers)}
        self._machines: list[_Machine] = []
        if self._places:
            self._machines += self._with_unseen_side(servers, NameIndex(servers, left_out, clusters))

    def _with_unseen_side(self, servers: Sequence[Server], index: NameIndex) -> Iterator[_Machine]:
        sides: dict[str, list[VirtualMachine]] = defaultdict(list)
        for machine in _machines(servers):
            sides[machine.guid].append(machine)
        for guid, group in sides.items():
            if any(_may_have_unseen_side(machine, index) for machine in group):
                yield _Machine(guid, frozenset(folded(machine.name) for machine in group))

    def may_be_meant(self, patterns: Sequence[str], unmatched: Collection[str]) -> set[str]:
        """Return the GUIDs of machines that these patterns may name by a side that was not read; ``unmatched`` are
        those that name no machine which was read."""
        return {
            machine.guid
            for machine in self._machines
            if any(self._may_mean(pattern, machine, is_matched=pattern not in unmatched) for pattern in patterns)
        }

    def _may_mean(self, pattern: str, machine: _Machine, *, is_matched: bool) -> bool:
        names = {*machine.names, folded(machine.guid)}
        if any_matches([pattern], [f"{place}/{name}" for place in self._places for name in names]):
            return True
        place, _, name = folded(pattern).rpartition("/")
        is_there = not place or any_matches([place], self._places)
        is_known = name in self._names  # of a machine that has it here: nobody was renamed
        return is_there and not is_known and not is_matched and not A_PATTERN & set(name)

    def inside_of(
        self, machine: VirtualMachine, connections: Sequence[GuestConnection], rivals: Rivals
    ) -> Inside | Unread:
        """Return what was seen if it proves to be this machine; else that nobody can say whose it is."""
        inside = inside_of(machine, connections, rivals)
        if isinstance(inside, Inside):
            return inside
        names = join_names((connection.name for connection in connections), most=3)
        places = join_names(self._places, most=3)
        return Unread(f"the inventory may name a connection into its guest ({names}); {places} was not read: {inside}")


def _may_have_unseen_side(machine: VirtualMachine, index: NameIndex) -> bool:
    """Return whether its settings name a server that was not read whole, or name nobody."""
    if machine.role is Role.NONE or machine.replicated is False:
        return False
    if isinstance(machine.partners, Unread) or not machine.partners:
        return True
    return not all(map(_is_whole, map(index.read_party, machine.partners)))


def _is_whole(party: Mapping[str, Server]) -> bool:
    return bool(party) and not any(server.doubt for server in party.values())
