"""What the doctor found, for people: one line a step, and what to do under the server that it is for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from compliance.commands.doctor.examination import ClassRead, Examination, Grant, Status, Step
from compliance.words import plural, shorten

MARKS = {Status.OK: "ok", Status.WARNING: "warning", Status.FAILED: "FAILED", Status.NOT_TRIED: "-"}
LONGEST = 1000
"""Characters of one text; all parts of it that a host wrote are cut shorter where they come in."""
PERHAPS = (
    "Perhaps missing, and what an administrator would run on the host (PowerShell, as administrator). For review:"
    " nothing was run, and no Windows server was at hand to try it on."
)
WAY_IN = "This way in works. As an inventory, which looks for files in its own folder:"
_MARK, _KEY = 9, 13


def examination_lines(examination: Examination, width: int) -> Iterator[str]:
    """Lines of at most ``width`` characters, but for commands, which are copied."""
    yield _safe(f"{examination.name} ({examination.endpoint}, {examination.way})")
    for step in examination.steps:
        if step.text:
            yield from _step(step, width)
        if step.key == "classes":
            yield from _table(examination.classes, width)
    not_tried = [step.key for step in examination.steps if step.status is Status.NOT_TRIED and not step.text]
    if not_tried:
        yield from _folded(f"not tried: {', '.join(not_tried)}", width, "  " + " " * _MARK)
    yield from _grants(examination.grants, width)


def trouble_lines(examination: Examination, width: int) -> Iterator[str]:
    """Yield a line where all is well; else the steps that are not, and what is missing."""
    steps = {step.key: step for step in examination.steps}
    if examination.works:
        yield from _folded(f"{examination.name}: {steps['audit'].text} ({examination.way})", width, "")
        return
    yield _safe(f"{examination.name} ({examination.endpoint}, {examination.way})")
    for step in examination.steps:
        if step.text and step.status is not Status.OK:
            yield from _step(step, width)
    yield from _grants(examination.grants, width)


def next_lines(step: str, again: str, width: int) -> Iterator[str]:
    """Yield what to do next, below a server that can't be audited, and the command that tries it again."""
    yield from _folded(f"Next: {step}. Then run {'this again.' if not again else 'this:'}", width, "  ")
    if again:
        yield f"      {_safe(again)}"


def way_in(inventory: str, width: int) -> Iterator[str]:
    """The lines of an inventory, to be copied as they are."""
    yield from _folded(WAY_IN, width, "  ")
    yield ""
    yield from inventory.splitlines()


def summary(examinations: Sequence[Examination]) -> str:
    """The last line."""
    stuck = [examination for examination in examinations if not examination.works]
    if not stuck:
        return f"{plural(len(examinations), 'server')} can be audited."
    where = ", ".join(f"{_safe(examination.name)} ({examination.stuck})" for examination in stuck)
    return f"{len(examinations) - len(stuck)} of {plural(len(examinations), 'server')} can be audited; not: {where}."


def _step(step: Step, width: int) -> Iterator[str]:
    lead = f"  {MARKS[step.status]:<{_MARK}}{step.key:<{_KEY}}"
    yield from _folded(step.text, width, lead)
    for detail in step.details:
        yield from _folded(detail, width, " " * len(lead))


def _table(classes: Sequence[ClassRead], width: int) -> Iterator[str]:
    if not classes:
        return
    indent = " " * (2 + _MARK + _KEY)
    longest = max(len(read.name) for read in classes)
    yield f"{indent}{'':<{longest}}  {'rows':>7} {'seconds':>8} {'messages':>8} {'octets':>10}"
    for read in classes:
        rows = "-" if read.unread else f"{read.rows:,}"
        yield f"{indent}{read.name:<{longest}}  {rows:>7} {read.seconds:>8.2f} {read.messages:>8,} {read.octets:>10,}"
    reasons: dict[str, list[str]] = {}
    for read in classes:
        if read.unread:
            reasons.setdefault(str(read.unread), []).append(read.name)
    for reason, names in reasons.items():  # a server that refuses one class mostly refuses them all alike
        shortened = names if len(names) < 4 else [names[0], f"and {len(names) - 1} more"]
        yield from _folded(f"{' '.join(shortened)}: {reason}", width, indent)


def _grants(grants: Sequence[Grant], width: int) -> Iterator[str]:
    if not grants:
        return
    yield ""
    yield from _folded(PERHAPS, width, "  ")
    for number, grant in enumerate(grants, start=1):
        yield from _grant(number, grant, width)


def _grant(number: int, grant: Grant, width: int) -> Iterator[str]:
    yield ""
    yield from _folded(f"{number}. {grant.missing} [{grant.basis}]", width, "  ", "     ")
    yield from _folded(grant.why, width, "     ")
    yield from (f"         {_safe(command)}" for command in grant.commands)


def _folded(text: str, width: int, lead: str, rest: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        _safe(text),
        width,
        initial_indent=lead,
        subsequent_indent=rest or " " * len(lead),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _safe(text: str) -> str:
    return shorten(text, LONGEST)
