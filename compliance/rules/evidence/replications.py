"""Which sides are one machine: one GUID within one replication, as the join ties it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from compliance.model import ReplicatedVM, Role, Unread, VirtualMachine


def key_of(machine: VirtualMachine) -> tuple[str, str]:
    return machine.server, machine.guid


def replications_of(sides: Sequence[ReplicatedVM]) -> list[tuple[ReplicatedVM, ...]]:
    """Return the sides of each replication, as the join ties them."""
    root: dict[tuple[str, str], tuple[str, str]] = {}

    def find(key: tuple[str, str]) -> tuple[str, str]:
        while (above := root.setdefault(key, key)) != key:
            root[key] = root[above]
            key = root[key]
        return key

    for vm in sides:
        ends = (*vm.others, *((vm.partner,) if isinstance(vm.partner, VirtualMachine) else ()))
        for end in ends:
            root[find(key_of(end))] = find(key_of(vm.machine))
    groups: dict[tuple[str, str], list[ReplicatedVM]] = defaultdict(list)
    for vm in sides:
        groups[find(key_of(vm.machine))].append(vm)
    return [tuple(group) for group in groups.values()]


def copies_of(replications: Sequence[tuple[ReplicatedVM, ...]]) -> Mapping[str, tuple[str, ...]]:
    """Return the servers of each GUID that more than one replication has."""
    servers: dict[str, list[str]] = defaultdict(list)
    times: dict[str, int] = defaultdict(int)
    for sides in replications:
        times[sides[0].machine.guid] += 1
        servers[sides[0].machine.guid] += [vm.machine.server for vm in sides]
    return {guid: tuple(dict.fromkeys(names)) for guid, names in servers.items() if times[guid] > 1}


SENDER = {Role.REPLICA: Role.PRIMARY, Role.EXTENDED_REPLICA: Role.REPLICA}


def side_of(sides: Sequence[ReplicatedVM], role: Role) -> ReplicatedVM | None:
    """Return the side of this role. A replica that was left behind on a former server still names its primary: the one
    counts which another side's own settings name, and none where the side that sends was seen and names another server,
    on which nobody looked."""
    of_role = [vm for vm in sides if vm.machine.role is role]
    if not of_role:
        return None
    senders = [vm for vm in sides if vm.machine.role is SENDER.get(role)]
    if any(not isinstance(vm.machine.partners, Unread) for vm in senders):
        return next((vm for vm in of_role if any(vm.machine in sender.others for sender in senders)), None)
    if len(of_role) == 1:
        return of_role[0]
    tied = {key_of(other) for vm in sides if vm not in of_role for other in vm.others}
    return next((vm for vm in of_role if key_of(vm.machine) in tied), of_role[0])
