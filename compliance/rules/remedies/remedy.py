"""What an administrator does about a finding: a sentence or two, and where there is one a command to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from compliance.rule import Result, Verdict


class Shell(StrEnum):
    """What a command is written for."""

    POWERSHELL = "powershell"
    SH = "sh"


@dataclass(frozen=True, slots=True)
class Command:
    """A command for review: this suite runs none. ``where`` is a place for people (``on hv01``, ``in the guest app``):
    a host's text, so not yet printable. ``text`` is safe to copy: others' text stands in quotes only, on its line."""

    shell: Shell
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """``text``: one or two plain sentences, printable."""

    text: str
    command: Command | None = None


def remedy_of(verdict: Verdict) -> Remedy | None:
    """Return what to do about a failed, unknown or waived verdict; None where nothing is to be done."""
    if verdict.outcome.result in (Result.PASSED, Result.NOT_APPLICABLE):
        return None
    return Remedy(verdict.rule.resolution.partition("\n\n")[0])
