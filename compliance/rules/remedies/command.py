"""What an administrator does about a finding: a sentence or two, and where there is one a command to look at first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """``text``: one or two plain sentences, printable; ``common`` is the same without what differs from machine to
    machine, and stands above a group of them. ``is_foreign``: the text holds words of hosts or guests, as ``common``
    never does."""

    text: str
    command: Command | None = None
    common: str = ""
    is_foreign: bool = False
