"""The table of docs/causes.md, from the data that the reports use: cause by cause, by system or setting, what to do.

``python -m tests.causes_page`` writes it anew between its markers; a test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.advice import Advice
from compliance.rules.remedies.case import Family
from compliance.rules.remedies.causes_text import cause_heading
from compliance.rules.remedies.command import Command
from compliance.rules.remedies.remedy import REMEDIES, WITHOUT_REMEDY
from tests.rules.remedies.cases import GUID, NIC_GUID, case

PAGE = Path(__file__).parent.parent / "docs" / "causes.md"
BEGIN = "<!-- causes: begin, written by python -m tests.causes_page -->\n"
END = "<!-- causes: end -->"
SAMPLES = (None, Family.DEBIAN, Family.UBUNTU, Family.RED_HAT, Family.WINDOWS)


def written(page: str) -> str:
    """Return the page with its table as the data are."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{without()}\n{END}{after}"


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
        shown = f"{command.where}: `{_text(command)}`" if command else ""
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


if __name__ == "__main__":
    PAGE.write_bytes(written(PAGE.read_text("utf-8")).encode())
    sys.stdout.write(f"{PAGE}\n")
