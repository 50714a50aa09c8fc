"""Which subjects a rule has in an estate. What could not be read is a subject too: never silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compliance.model import Adapter, Estate, ReplicaAdapter, ReplicatedVM, Role, Surroundings, Unread
from compliance.rule import Outcome, Result, Rule, not_applicable, unknown
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import beyond_reading, runs_on

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)


def is_on(rule: Rule, role: Role | Unread) -> bool:
    """Does a rule judge machines of this role, or their adapters? Each does where the role is not known."""
    return rule.of_machines and (isinstance(role, Unread) or role in rule.sides)


def test_replicas(estate: Estate) -> Iterator[ReplicatedVM]:
    """Yield the copies that test failovers made: each runs by itself, and is no side of a replication."""
    alone = Unread("a test replica has no other side")
    for server in estate.servers:
        for machine in server.machines:
            if machine.role is Role.TEST_REPLICA:
                yield ReplicatedVM(machine=machine, partner=alone)


def adapters_of(vm: ReplicatedVM, surroundings: Surroundings | None = None) -> tuple[ReplicaAdapter, ...] | Outcome:
    """Return its network adapters and what is set on each; or what is to be said of the machine as a whole instead."""
    machine = vm.machine
    if outcome := beyond_reading(machine):
        return outcome
    if isinstance(machine.adapters, Unread):
        return unknown(str(machine.adapters), cause=Cause.ADAPTERS_UNREAD)
    own = {adapter.guid: adapter for adapter in machine.adapters}
    settings = {setting.adapter_guid: setting for setting in machine.settings}
    there = _adapters_there(vm)
    found = tuple(
        [
            ReplicaAdapter(
                vm=vm,
                guid=guid,
                adapter=own.get(guid),
                setting=settings.get(guid),
                there=there if isinstance(there, Unread) else there.get(guid) or _not_shown(vm),
                surroundings=surroundings,
            )
            for guid in {**own, **settings, **_lacked_by(vm, own, there)}
        ]
    )
    return found or not_applicable("has no network adapter")


def _adapters_there(vm: ReplicatedVM) -> Mapping[str, Adapter] | Unread:
    """Return the adapters, by their GUIDs, that the machine has on the side where the guest runs."""
    side = runs_on(vm)
    if isinstance(side, Unread):
        return side
    return side.adapters if isinstance(side.adapters, Unread) else {adapter.guid: adapter for adapter in side.adapters}


def _not_shown(vm: ReplicatedVM) -> Unread:
    side = runs_on(vm)
    return side if isinstance(side, Unread) else Unread(f"{side.server} shows no such adapter of it")


def _lacked_by(
    vm: ReplicatedVM, own: Mapping[str, Adapter], there: Mapping[str, Adapter] | Unread
) -> Mapping[str, Adapter]:
    """Return the adapters that a replica lacks and the side has where the guest runs: added later, for one.
    That both sides share GUIDs is inferred: where not one is shared, none is lacked."""
    is_elsewhere = runs_on(vm) is not vm.machine and vm.machine.role in REPLICAS
    if not is_elsewhere or isinstance(there, Unread) or own.keys().isdisjoint(there):
        return {}
    return {guid: adapter for guid, adapter in there.items() if guid not in own}


def spoken(
    vm: ReplicatedVM, outcomes: Sequence[tuple[ReplicaAdapter, Outcome]]
) -> Sequence[tuple[ReplicaAdapter | ReplicatedVM, Outcome]]:
    """Return the adapters of which a rule has something to say; the machine itself where it is about none of them."""
    concerned = [(adapter, outcome) for adapter, outcome in outcomes if not _is_silent(outcome)]
    return concerned or [(vm, outcome) for _, outcome in outcomes[:1]]


def _is_silent(outcome: Outcome) -> bool:
    return outcome.result is Result.NOT_APPLICABLE and not outcome.cause and not outcome.remarks
