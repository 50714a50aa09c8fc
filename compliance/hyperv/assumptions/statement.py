"""What an assumption is: a sentence that our reading rests on, where it comes from, and what a server says to it.

Sources leave questions open, and no server was at hand; so every inference is one that a real server confirms or
contradicts by the rows that are read anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Generic, TypeVar

MOST_EXAMPLES = 3


class Basis(StrEnum):
    """How a statement came to be known."""

    DOCUMENTED = "documented"  # Microsoft says so, and it was not seen
    RECORDED = "recorded"  # somebody published what a real server answered, or code that lives with such answers
    INFERRED = "inferred"  # from something near it


class AssumptionState(StrEnum):
    """What a server says to a statement."""

    HOLDS = "holds"
    CONTRADICTED = "contradicted"
    NOT_SEEN = "not seen"


Sign = str | int | None
"""What bears on a statement: None for one thing that agrees, a number for so many of them, and a text, printable and
short, for one that speaks against it."""

Observed = TypeVar("Observed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Assumption:
    """A statement, and what was seen: how many things agree, how many don't, and the first few of these."""

    key: str
    statement: str
    basis: Basis
    origin: str
    agreeing: int
    against: int
    examples: tuple[str, ...]

    @property
    def state(self) -> AssumptionState:
        if self.against:
            return AssumptionState.CONTRADICTED
        return AssumptionState.HOLDS if self.agreeing else AssumptionState.NOT_SEEN

    def __str__(self) -> str:
        """One line: the statement, and what was seen."""
        text, seen = f"{self.statement} ({self.basis})", self.agreeing + self.against
        if self.state is not AssumptionState.CONTRADICTED:
            return f"{text}: so in {seen} of {seen}" if seen else f"{text}: {AssumptionState.NOT_SEEN}"
        left = self.against - len(self.examples)
        more = f" and {left} more" if left else ""
        return f"{text}: not so in {self.against} of {seen}: {', '.join(self.examples)}{more}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AssumptionCheck(Generic[Observed]):
    """A statement and the function that looks for signs of it."""

    key: str
    statement: str
    basis: Basis
    origin: str
    look: Callable[[Observed], Iterable[Sign]]

    def on(self, seen: Observed) -> Assumption:
        agreeing = 0
        against: list[str] = []
        for sign in self.look(seen):
            if isinstance(sign, str):
                against.append(sign)
            else:
                agreeing += 1 if sign is None else sign
        return Assumption(
            key=self.key,
            statement=self.statement,
            basis=self.basis,
            origin=self.origin,
            agreeing=agreeing,
            against=len(against),
            examples=tuple(islice(dict.fromkeys(against), MOST_EXAMPLES)),
        )


def remarks_on(assumptions: Sequence[Assumption]) -> tuple[str, ...]:
    """A line for each assumption that was contradicted: a report that hides them would be believed too much."""
    return tuple(
        f"contradicts what we assume, {one.key}: {one}"
        for one in assumptions
        if one.state is AssumptionState.CONTRADICTED
    )


def assumed(
    key: str, statement: str, basis: Basis, origin: str
) -> Callable[[Callable[[Observed], Iterable[Sign]]], AssumptionCheck[Observed]]:
    """Make a statement of a function that looks for its signs; like a rule's, its metadata stands at its head."""

    def make(look: Callable[[Observed], Iterable[Sign]]) -> AssumptionCheck[Observed]:
        return AssumptionCheck(key=key, statement=statement, basis=basis, origin=origin, look=look)

    return make
