"""docs/causes.md: each cause, by the guest's system or the setting, and what to do, from the data that reports use."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.advice import Advice
from compliance.rules.remedies.case import Family
from compliance.rules.remedies.causes_text import cause_heading
from compliance.rules.remedies.command import Command
from compliance.rules.remedies.remedy import REMEDIES, WITHOUT_REMEDY
from tests.rules.remedies.cases import GUID, NIC_GUID, case

SAMPLES = (None, Family.DEBIAN, Family.UBUNTU, Family.RED_HAT, Family.WINDOWS)
INTRODUCTION = """# Causes and remedies

Each way to fail or to be unknown has a *cause*: a key that stays the same while the sentences beside it may change.
Findings are grouped by it in every report, and each cause has its own remedy, by the guest's system or the machine's
setting. The key is `cause` in results.json, results.csv, actions.csv, SARIF and JUnit; `actions.csv` has a line for
each machine and cause.

Commands are for review. Nothing of this suite runs one, and none was tried on a Windows host: cmdlets and parameters
are those of [Microsoft's reference](https://learn.microsoft.com/powershell/module/hyper-v/).

- What changes something in PowerShell carries `-WhatIf`: it says what it would do. Take that off to do it.
- A machine is named by its id, an adapter and an integration service by the end of theirs: names need not be unique,
  and those of integration services are translated.
- Values in angle brackets are yours to fill in: PowerShell refuses a line that still has one, before it runs any of it.
  What stands on the replica is what the replica gets, so its address, mask and gateway are those of the replica's site.
  An address that is on the wrong side is filled in only if it is valid and the guest does not use it on its primary
  today. Mask and gateway are filled in where all other failover addresses on the server have the same ones. A switch is
  the one of the same name as on the other side, or the only one that machines on the server use.
- What a host or a guest wrote stands in single quotes. A name with control or direction characters gets no command.
- Commands for a guest need root there, or an administrator.
- `INVENTORY` is the path of your inventory.

A rule of your own has its own causes, and its `resolution` as its remedy.
"""


def page() -> str:
    """Return the page."""
    return f"{INTRODUCTION}\n{table()}\n{without()}"


def table() -> str:
    """Return a row for each way to mend a cause."""
    head = ("cause", "what is wrong", "on, or when", "what to do", "command for review")
    lines = [head, ("---",) * len(head), *(row for cause in Cause for row in _rows(cause))]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def without() -> str:
    """Return the causes that need no remedy, each with the reason."""
    lines = "".join(f"- `{cause}`: {reason}\n" for cause, reason in WITHOUT_REMEDY.items())
    return f"Causes of what is no finding:\n\n{lines}"


def _rows(cause: Cause) -> Iterator[tuple[str, ...]]:
    for number, way in enumerate(REMEDIES.get(cause, ())):
        first = number == 0
        command = _sample(cause, way)
        shown = f"{command.where.replace('<', '&lt;')}: `{_text(command)}`" if command else ""
        yield (f"`{cause}`" if first else "", cause_heading(cause) if first else "", way.when, way.text, shown)


def _sample(cause: Cause, way: Advice) -> Command | None:
    """Return the command of the first sample for which the way is."""
    families = [family for family in Family if str(family) == way.when] or SAMPLES
    made = (way.command(case(cause, family)) for family in families)
    return next((command for command in made if command), None)


def _text(command: Command) -> str:
    """Return a command with names in place of ids; a bar would end the cell of the table."""
    text = command.text.replace(GUID, "id of the machine").replace(NIC_GUID, "id of the adapter")
    return text.replace("|", "\\|")
