"""What names a subject in an id: unique within a rule, and the same from one audit to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import count
from typing import TypeVar

from compliance.model import Estate, ReplicaAdapter, ReplicatedVM
from compliance.words import printable

Key = TypeVar("Key", int, str)


def labels_of(estate: Estate, tests: Iterable[ReplicatedVM] = ()) -> dict[int, str]:
    """Return the labels of servers, and of machines as ``server/machine`` or ``cluster/machine``, by the subjects' ids.

    Machines of one name in one place carry eight digits of their GUID while the clash lasts.
    """
    machines = {id(vm): vm.machine for vm in (*estate.replicated, *tests)}
    plain = {key: f"{printable(machine.place)}/{printable(machine.name)}" for key, machine in machines.items()}
    labels = dict(plain)
    for digits in (8, 36):
        taken = Counter(labels.values())
        if max(taken.values(), default=0) < 2:
            break
        for key, label in labels.items():
            if taken[label] > 1:
                labels[key] = f"{plain[key]}~{machines[key].guid.casefold()[:digits]}"
    return numbered({id(server): printable(server.name) for server in estate.servers} | labels)


def adapter_labels(machine: str, adapters: Iterable[ReplicaAdapter]) -> dict[str, str]:
    """Return ``server/machine/eth-XXXXXX`` for each adapter of a machine, by the adapters' GUIDs."""
    names = {adapter.guid: printable(adapter.label.rpartition("/")[2]) for adapter in adapters}
    if len(set(names.values())) == len(names):
        return {guid: f"{machine}/{name}" for guid, name in names.items()}
    taken = Counter(names.values())
    return numbered(
        {
            guid: f"{machine}/{name if taken[name] == 1 else f'{name}~{guid[:8].lower()}'}"
            for guid, name in names.items()
        }
    )


def numbered(labels: Mapping[Key, str]) -> dict[Key, str]:
    """Return the labels with a number behind those that were made to look like another's: the last resort."""
    if len(set(labels.values())) == len(labels):
        return dict(labels)
    unique: dict[Key, str] = {}
    taken: set[str] = set()
    for key, label in labels.items():
        numbers = (label if number == 1 else f"{label}~{number}" for number in count(1))
        unique[key] = next(free for free in numbers if free not in taken)
        taken.add(unique[key])
    return unique
