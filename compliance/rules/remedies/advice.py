"""One way to mend a cause, and when it is the one to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from compliance.rules.remedies.case import Family, RemedyCase
from compliance.rules.remedies.command import Command, Remedy


def give_no_command(_: RemedyCase) -> Command | None:
    """Return None: what is to be done is done by hand."""
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """``when`` names the system or the setting for which it is, in words for people; of a cause's ways the first that
    ``applies`` is taken. ``specific`` puts what differs from machine to machine in the text's place; ``is_foreign``
    where that holds words of hosts or guests."""

    text: str
    command: Callable[[RemedyCase], Command | None] = give_no_command
    when: str = ""
    applies: Callable[[RemedyCase], bool] = lambda _: True
    specific: Callable[[RemedyCase], str] | None = None
    is_foreign: bool = False

    def remedy(self, case: RemedyCase) -> Remedy:
        """Return what is to be done in this case."""
        specific = self.specific(case) if self.specific else ""
        is_foreign = self.is_foreign and bool(specific)
        return Remedy(specific or self.text, self.command(case), self.text, is_foreign=is_foreign)


Ways = tuple[Advice, ...]


def always(text: str, command: Callable[[RemedyCase], Command | None] = give_no_command) -> Ways:
    """Return one way for every system and setting."""
    return (Advice(text=text, command=command),)


def on(family: Family, text: str, command: Callable[[RemedyCase], Command | None] = give_no_command) -> Advice:
    """Return the way on one family of systems."""
    return Advice(text=text, command=command, when=str(family), applies=lambda case: case.family is family)
