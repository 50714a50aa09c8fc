"""The gate in words, the same ones for people at a terminal and for readers of a report."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.gate.gate import ENDING_SOON, Gate
from compliance.words import join_names, plural, printable

MOST_WAIVERS = 20


def gate_lines(gate: Gate, most_waivers: int = MOST_WAIVERS) -> Iterator[str]:
    """Yield open or closed and why, and what people should know in either case. ``most_waivers``: of each kind."""
    state = "open" if gate.is_open else "closed"
    yield f"The gate is {state} (exit code {int(gate.code)})."
    yield from (f"  - {printable(reason.text)}" for reason in gate.reasons)
    yield from (f"  Weaker than by default: {printable(text)}" for text in gate.weaker)
    for waivers, of_one, of_many in (
        (gate.ended, "has ended", "have ended"),
        (gate.ending, f"ends within {ENDING_SOON.days} days", f"end within {ENDING_SOON.days} days"),
        (gate.unused, "met no finding", "met no finding"),
    ):
        yield from (
            f"  Waiver {printable(one.place)} {of_one}: {printable(str(one))}" for one in waivers[:most_waivers]
        )
        if left := len(waivers[most_waivers:]):
            yield f"  {plural(left, 'more waiver')} {of_one if left == 1 else of_many}"
    if gate.vanished:
        names = join_names(finding.label for finding in gate.vanished)
        yield f"  Fixed since the baseline ({len(gate.vanished)}): {names}"
