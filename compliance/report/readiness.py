"""Readiness as outputs show it: how many machines have each word, and those that are not plainly ready."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compliance.judge.headline import DIRECTIONS_OF_POLICY, WITH_ADDRESS, count_words
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.report.table import Table
from compliance.rule import Verdict
from compliance.words import plural

WORST_FIRST = (Word.NOT_READY, Word.UNKNOWN, Word.READY_IF, Word.NO_ADDRESS, Word.NOT_OURS, Word.READY)
DIRECTIONS = {
    "failover": "a failover closes the gate, a failback does not",
    "failback": "a failback closes the gate, a failover does not",
    "both": "failover and failback close the gate",
}
"""The policy's `direction`, in words."""

Counts = Mapping[Word, int]


def direction_text(table: Table) -> str:
    """Return which direction closes the gate: ``Direction both: failover and failback close the gate``."""
    return f"Direction {table.policy.direction}: {DIRECTIONS[table.policy.direction]}"


def count_directions(table: Table) -> list[tuple[Direction, Counts]]:
    """Return how many machines have each word, for each direction in which some may come up."""
    return [(direction, counts) for direction, counts in count_words(table.readiness).items() if counts.total()]


def count_lines(table: Table) -> Iterator[str]:
    """Yield a line a direction: ``Failover: 4 not ready, 1 unknown, 14 ready``. No word of it is anybody else's."""
    for direction, counts in count_directions(table):
        words = ", ".join(f"{counts[word]:,} {word}" for word in WORST_FIRST if counts[word])
        beside = "" if direction in DIRECTIONS_OF_POLICY[table.policy.direction] else " (does not close the gate)"
        yield f"{direction.value.capitalize()}: {words}{beside}"


def kinds_text(table: Table, noun: str = "replicated virtual machine") -> str:
    """Return how many machines there are, and of which kinds, so that it adds up; empty where there are none."""
    asked = DIRECTIONS_OF_POLICY[table.policy.direction][0]
    counts = count_words(table.readiness)[asked]
    kinds = {
        "with a failover address": sum(counts[word] for word in WITH_ADDRESS),
        "without a failover address": counts[Word.NO_ADDRESS],
        "of another provider": counts[Word.NOT_OURS],
    }
    found = {kind: count for kind, count in kinds.items() if count}
    machines = plural(counts.total(), noun)
    if len(found) == 1:
        return "".join(f"{machines} {kind}" for kind in found)
    kinds_found = ", ".join(f"{count:,} {kind}" for kind, count in found.items())
    return f"{machines}: {kinds_found.replace('without a failover address', 'without one')}" if found else ""


def open_machines(table: Table) -> list[Readiness]:
    """Return the machines that are not plainly ready in a direction that closes the gate, worst first."""
    directions = DIRECTIONS_OF_POLICY[table.policy.direction]
    found = [
        machine for machine in table.readiness if machine.word is not Word.READY and machine.direction in directions
    ]
    return sorted(found, key=lambda machine: (WORST_FIRST.index(machine.word), [*Direction].index(machine.direction)))


def word_text(machine: Readiness) -> str:
    """Return the word, with the condition: where the reason is a finding of its own, or too long to repeat."""
    return f"{machine.word} {machine.condition}" if machine.word is Word.READY_IF else str(machine.word)


def readiness_text(machine: Readiness) -> str:
    """Return the word, with the condition or the reason."""
    return word_text(machine) if machine.word in (Word.READY, Word.READY_IF) else f"{machine.word}: {machine.reason}"


def machine_text(machine: Readiness) -> str:
    """Return where it is and its name: ``hv01/sql01``."""
    return f"{machine.primary or machine.replica or '?'}/{machine.name}"


class ReadinessOf:
    """Finds the readiness of the machine that a verdict is about."""

    def __init__(self, table: Table) -> None:
        self._by_side: dict[int, tuple[Readiness, ...]] = {}
        for machine in table.readiness:
            for side in machine.sides:
                self._by_side[id(side)] = (*self._by_side.get(id(side), ()), machine)

    def __call__(self, verdict: Verdict) -> Sequence[Readiness]:
        return self._by_side.get(id(verdict.vm), ()) if verdict.vm else ()
