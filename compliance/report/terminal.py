"""What pytest's terminal shows at the end: findings by cause first, the answer last, where it stays in sight.

At most some sixty lines, unless everything is asked for (`-v`): then each machine stands on a line with its finding.
The lines know no colour, only what they mean; whoever writes them has a terminal, and colours.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain, groupby, islice

from compliance.model import Evidence
from compliance.report.by_cause import CauseGroup, common_remedy, count_subjects, groups_by_cause
from compliance.report.gate_text import gate_lines
from compliance.report.readiness import count_lines, direction_text, kinds_text
from compliance.report.table import READ_AGAIN, Table, unlisted_partners_text
from compliance.report.text import subject_text
from compliance.report.wrapping import rows, wrap
from compliance.rule import Result, Severity, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.remedies.remedy import Shell, remedy_of
from compliance.words import plural, printable

MOST_LINES = 60
"""Lines of a summary, if not everything is asked for."""
MOST_REASONS = 8
MOST_WAIVERS = 3
MOST_REMARKS = 5
ALL = "-v lists them all"
NEXT = "Next: -v lists each machine here, with its finding and what to do"
SHELLS = {Shell.POWERSHELL: "PowerShell", Shell.SH: "shell"}


class Tone(StrEnum):
    """What a line means; whoever writes it picks the colour."""

    PLAIN = "plain"
    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    PASSED_IF = "passed if"
    ANSWER = "answer"
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class TerminalLine:
    """One line of the terminal: printable, and whole."""

    text: str
    tone: Tone = Tone.PLAIN

    def __str__(self) -> str:
        return self.text


def summary(
    table: Table,
    width: int = 100,
    *,
    most: int | None = MOST_LINES,
    notes: Sequence[str] = (),
    pointers: Sequence[str] = (),
) -> list[TerminalLine]:
    """Return the findings, then the answer. ``most``: lines in all, as far as the answer leaves room; None for
    everything. ``notes`` stand before the answer. ``pointers``, where it goes on, are the last lines; they hold links
    and commands that are copied, so they are never wrapped."""
    answer = list(_answer(table, width, notes, pointers, everything=most is None))
    blocks = [_block(group, width) for group in _unknown_once(groups_by_cause(table))]
    if most is None:
        return [*_full(blocks, width, commands=True), *_remarks(table, width, None), *answer]
    room = most - len(answer)
    lines = chain(_full(blocks, width, commands=False), _remarks(table, width, None))
    whole = [*islice(lines, max(room, 0) + 1)]  # thousands of findings need not be wrapped to see that there is no room
    if len(whole) <= room:
        return [*whole, *answer]
    rest = [*_remarks(table, width, MOST_REMARKS), *answer, *_lines(NEXT, width)]
    return [*_short([_with_name(block, width) for block in blocks], width, most - len(rest)), *rest]


# --- the answer -------------------------------------------------------------------------------------------------------


def _answer(
    table: Table, width: int, notes: Sequence[str], pointers: Sequence[str], *, everything: bool
) -> Iterator[TerminalLine]:
    yield TerminalLine("")
    for text in (*_limits(table), *notes):
        yield from _lines(text, width)
    yield from _lines(f"{direction_text(table)}.", width)
    for text in filter(None, (kinds_text(table), *count_lines(table))):
        yield from _lines(text, width, first="  ", then="    ")
    yield TerminalLine("")
    yield from _lines(f"{_capital(printable(table.headline))}.", width, tone=Tone.ANSWER)
    yield from _gate(table, width, everything=everything)
    again = f" {READ_AGAIN}" if table.is_old else ""
    yield from _lines(f"{_capital(printable(table.data))}.{again}", width)
    yield from (TerminalLine(printable(pointer)) for pointer in pointers)


def _limits(table: Table) -> Iterator[str]:
    """Yield what the answer does not cover."""
    if table.estate.settings.evidence is Evidence.BPA:
        yield "Evidence: bpa. Judged by Microsoft's own test alone: no guest was asked."
    if table.scope:
        yield f"Only a part was judged: {table.scope}"
    if not table.complete:
        yield "The snapshot is incomplete: the gathering was interrupted."
    if partners := unlisted_partners_text(table):
        yield f"{partners}."


def _gate(table: Table, width: int, *, everything: bool) -> Iterator[TerminalLine]:
    gate = table.gate
    every = len((*gate.ended, *gate.ending, *gate.unused))
    first, *reasons = gate_lines(gate, every if everything else MOST_WAIVERS)
    yield TerminalLine(first, Tone.OPEN if gate.is_open else Tone.CLOSED)
    bullets = [text for text in reasons if text.startswith("  - ")]
    shown = bullets if everything else bullets[:MOST_REASONS]
    for text in shown:
        yield from _lines(text.removeprefix("  - "), width, first="  - ", then="    ")
    if left := len(bullets) - len(shown):
        yield TerminalLine(f"  … and {plural(left, 'more reason')}: {ALL}")
    for text in reasons:
        if text not in bullets:
            yield from _lines(text, width, first="  ", then="    ")


# --- findings ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """A group as lines: its heading, what to do, and its subjects in columns, each row with how many stand on it."""

    group: CauseGroup
    heading: tuple[TerminalLine, ...]
    remedy: tuple[TerminalLine, ...]
    rows: tuple[tuple[str, int], ...]

    def cut(self, count: int) -> list[TerminalLine]:
        """Return the first ``count`` rows, and a word of what is left out."""
        left = sum(number for _, number in self.rows[count:])
        more = [TerminalLine(f"    … and {left:,} more")] if count and left else []
        return [*(TerminalLine(row) for row, _ in self.rows[:count]), *more]


def _block(group: CauseGroup, width: int) -> _Block:
    has_remedy = group.remedy and group.word in (*Severity, Result.UNKNOWN)
    remedy = _lines(f"To do: {group.remedy}", width, first="  ", then="  ") if has_remedy else ()
    return _Block(
        group=group,
        heading=_heading(group, group.title, width),
        remedy=tuple(remedy),
        rows=tuple(rows(_names(group.verdicts), width, "    ")),
    )


def _with_name(block: _Block, width: int) -> _Block:
    """Return a block of one subject headed by its name in place of `1 machine`: a line less, and whose it is first."""
    group = block.group
    before, colon, what = group.title.partition(": ")
    if sum(count for _, count in block.rows) != 1 or before != group.count or not colon:
        return block
    return replace(block, heading=_heading(group, f"{_names(group.verdicts)[0]}: {what}", width), rows=())


def _heading(group: CauseGroup, title: str, width: int) -> tuple[TerminalLine, ...]:
    lead = f"{group.word.upper()}  "
    lines = wrap(printable(title), width, first=lead, then=" " * len(lead))
    return tuple(TerminalLine(text, Tone(group.word)) for text in lines)


def _names(verdicts: Iterable[Verdict]) -> list[str]:
    """Return whom a group is about, each machine once: `hv01/sql01`, or `sql01 (hv01, hv02)` with several sides."""
    sides: dict[str, dict[str, Verdict]] = {}
    for verdict in verdicts:
        machine = verdict.machine
        key = f"{machine.guid.casefold()}/{verdict.adapter.guid if verdict.adapter else ''}" if machine else ""
        sides.setdefault(key or f" {verdict.label}", {})[verdict.label] = verdict
    return [_name([*of_machine.values()]) for of_machine in sides.values()]


def _name(verdicts: Sequence[Verdict]) -> str:
    first = verdicts[0]
    if len(verdicts) == 1 or first.machine is None:
        return first.label
    places = [one.machine.place for one in verdicts if one.machine]
    name = first.label.removeprefix(f"{printable(first.machine.place)}/")
    return f"{name} ({', '.join(map(printable, places))})"


def _full(blocks: Sequence[_Block], width: int, *, commands: bool) -> Iterator[TerminalLine]:
    """Yield each machine on a line of its own, with its finding; ``commands``: and what may be run to mend it."""
    for block in blocks:
        yield TerminalLine("")
        yield from block.heading
        rule = block.group.rule
        if block.group.word in list(Severity):
            yield from _lines(f"Rule: {rule.title} ({rule.key})", width, first="  ", then="  ")
        yield from block.remedy
        for verdict in block.group.verdicts:
            yield from _subject(verdict, width, with_remedy=not block.group.remedy, commands=commands)


def _subject(verdict: Verdict, width: int, *, with_remedy: bool, commands: bool) -> Iterator[TerminalLine]:
    yield from _lines(subject_text(verdict), width, first="    ", then="        ")
    remedy = remedy_of(verdict) if verdict.outcome.result in (Result.FAILED, Result.UNKNOWN) else None
    if remedy and with_remedy:
        yield from _lines(f"To do: {remedy.text}", width, first="        ", then="        ")
    if remedy and remedy.command and commands:
        where = f"{SHELLS[remedy.command.shell]}, {printable(remedy.command.where)}; look at it first:"
        yield from _lines(where, width, first="        ", then="        ")
        # Never wrapped: it is copied.
        yield from (TerminalLine(f"          {printable(text)}") for text in remedy.command.text.splitlines())


def _short(blocks: Sequence[_Block], width: int, room: int) -> Iterator[TerminalLine]:
    """Yield headings, names in columns and what to do in as many lines as there is room for: every heading first, then
    a row of names below each, then what to do, then more names, the worst first in each turn; empty lines last."""
    kept = list(_fitting(blocks, room))
    used = sum(len(block.heading) for block in kept) + (len(kept) < len(blocks))
    counts, remedies = [0] * len(kept), [0] * len(kept)
    grown = True
    while grown:
        grown = False
        for number, block in enumerate(kept):
            more = len(block.cut(counts[number] + 1)) - len(block.cut(counts[number]))
            if counts[number] < len(block.rows) and used + more <= room:
                used, counts[number], grown = used + more, counts[number] + 1, True
        for number, block in enumerate(kept):
            if not remedies[number] and used + len(block.remedy) <= room:
                used, remedies[number] = used + len(block.remedy), len(block.remedy)
    apart = [TerminalLine("")] if used + len(kept) <= room else []
    for block, count, of_remedy in zip(kept, counts, remedies, strict=True):
        yield from (*apart, *block.heading, *block.remedy[:of_remedy], *block.cut(count))
    if left := len(blocks) - len(kept):
        yield from _lines(f"… and {plural(left, 'more list')}: {ALL}", width)


def _fitting(blocks: Sequence[_Block], room: int) -> Iterator[_Block]:
    """Yield the blocks whose headings find room, and leave a line to say how many don't."""
    used = 0
    for number, block in enumerate(blocks):
        used += len(block.heading)
        if used + (number + 1 < len(blocks)) > room:
            return
        yield block


def _unknown_once(groups: Iterable[CauseGroup]) -> Iterator[CauseGroup]:
    """Yield the groups without what is unknown for a reason that an earlier rule's list has: the rules on one side of a
    machine rest on each other, and each of them says so."""
    reasons: dict[tuple[str, str], set[str]] = defaultdict(set)
    for _, of_rule in groupby(groups, key=lambda group: (group.word, group.rule.key)):
        same_rule = [*of_rule]
        for group in same_rule:
            decisions = [one for one in group.decisions if not _is_known(one.verdict, reasons[_side(one.verdict)])]
            if group.word != Result.UNKNOWN or len(decisions) == len(group.decisions):
                yield group
            elif decisions:
                verdicts = [one.verdict for one in decisions]
                count, remedy = count_subjects(group.rule, verdicts), common_remedy(verdicts)
                yield replace(group, decisions=tuple(decisions), count=count, remedy=remedy)
        for verdict in (one.verdict for group in same_rule for one in group.decisions):
            reasons[_side(verdict)] |= {verdict.outcome.cause, verdict.outcome.finding} - {""}


POINTERS = frozenset({Cause.REQUIRED_UNKNOWN, Cause.REQUIRED_FAILED})
"""Causes that point to what another rule says."""


def _is_known(verdict: Verdict, reasons: Collection[str]) -> bool:
    outcome = verdict.outcome
    return outcome.cause in reasons or outcome.finding in reasons or (bool(reasons) and outcome.cause in POINTERS)


def _side(verdict: Verdict) -> tuple[str, str]:
    machine = verdict.machine
    return (machine.server, machine.guid) if machine else (verdict.server or verdict.label, "")


def _remarks(table: Table, width: int, most: int | None) -> Iterator[TerminalLine]:
    remarks = [f"{printable(name)}: {remark}" for name, remark in table.remarks()]
    if remarks:
        yield TerminalLine("")
        yield TerminalLine("REMARKS")
    for remark in remarks[:most]:
        yield from _lines(remark, width, first="    ", then="        ")
    if left := len(remarks) - len(remarks[:most]):
        yield TerminalLine(f"    … and {plural(left, 'more remark')}: {ALL}")


def _lines(
    text: str, width: int, *, first: str = "", then: str = "", tone: Tone = Tone.PLAIN
) -> Iterator[TerminalLine]:
    yield from (TerminalLine(line, tone) for line in wrap(printable(text), width, first=first, then=then))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
