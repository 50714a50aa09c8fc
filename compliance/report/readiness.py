"""Readiness as outputs show it: how many machines have each word, and those that are not plainly ready."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from compliance.judge.headline import DIRECTIONS_OF_POLICY, count_words
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.report.table import Table
from compliance.rule import Verdict

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


def open_machines(table: Table) -> list[Readiness]:
    """Return the machines that are not plainly ready in a direction that closes the gate, worst first."""
    asked = DIRECTIONS_OF_POLICY[table.policy.direction]
    found = [one for one in table.readiness if one.word is not Word.READY and one.direction in asked]
    return sorted(found, key=lambda one: (WORST_FIRST.index(one.word), [*Direction].index(one.direction)))


def word_text(one: Readiness) -> str:
    """Return the word, with the condition: where the reason is a finding of its own, or too long to repeat."""
    return f"{one.word} {one.condition}" if one.word is Word.READY_IF else str(one.word)


def readiness_text(one: Readiness) -> str:
    """Return the word, with the condition or the reason."""
    return word_text(one) if one.word in (Word.READY, Word.READY_IF) else f"{one.word}: {one.reason}"


def machine_text(one: Readiness) -> str:
    """Return where it is and its name: ``hv01/sql01``."""
    return f"{one.primary or one.replica or '?'}/{one.name}"


class ReadinessOf:
    """Finds the readiness of the machine that a verdict is about."""

    def __init__(self, table: Table) -> None:
        self._by_side: dict[int, list[Readiness]] = defaultdict(list)
        for one in table.readiness:
            for side in one.sides:
                self._by_side[id(side)].append(one)

    def __call__(self, verdict: Verdict) -> Sequence[Readiness]:
        return self._by_side.get(id(verdict.vm), ()) if verdict.vm else ()
