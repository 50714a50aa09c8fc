"""The words in which every writer tells a difference between two audits, with somebody else's words kept apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from compliance.diff.aspects import Change, Known
from compliance.diff.difference import AuditExtent, Changed, Difference, Effect, Fate, Flip, Turn
from compliance.judge.readiness import Readiness
from compliance.model import Unread
from compliance.words import plural


class Theirs(str):
    """Text that a host, a guest or an inventory wrote: each writer escapes it in its own language."""

    __slots__ = ()


MOST_LETTERS = 300
"""Of one text of somebody's. A guest may hand its host values of 2,048."""


Line = tuple[str, ...]
"""Pieces of one line: ours as they are, and ``Theirs``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One entry as it is told: its line, and what stands below it."""

    head: Line
    below: tuple[Line, ...] = ()
    entries: int = 1  # that it tells


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffSection:
    title: str
    items: tuple[Item, ...]

    @property
    def entries(self) -> int:
        return sum(item.entries for item in self.items)


SECTIONS: Sequence[tuple[str, Callable[[Changed], bool]]] = (
    ("Got worse", lambda entry: Effect.WORSE in entry.effects and entry.fate is not Fate.LOST),
    ("Not known now", lambda entry: entry.fate is Fate.LOST),
    ("Got better", lambda entry: Effect.BETTER in entry.effects and entry.fate is not Fate.KNOWN_NOW),
    ("Came", lambda entry: entry.fate is Fate.CAME),
    ("Went", lambda entry: entry.fate is Fate.WENT),
    ("Known now", lambda entry: entry.fate is Fate.KNOWN_NOW),
    ("Other outcomes", lambda entry: bool(entry.flips)),
    ("Changed, and no outcome with it", lambda entry: bool(entry.changes)),
)
"""The first one that holds an entry tells it."""

TOGETHER = frozenset({"Not known now", "Known now"})
"""Sections that tell the machines of one reason in one item: a server that was not read may hold thousands."""
MOST_NAMES = 10


def sections(difference: Difference) -> tuple[DiffSection, ...]:
    """All of it, the worst first; those that hold nothing are left out."""
    held: dict[str, list[Changed]] = {title: [] for title, _ in SECTIONS}
    for entry in difference.entries:
        held[next(title for title, holds in SECTIONS if holds(entry))].append(entry)
    turned = (
        [DiffSection(title="Readiness turned", items=tuple(map(_turn, difference.turns)))] if difference.turns else []
    )
    return (
        *turned,
        *_of_entries(held),
    )


def _of_entries(held: Mapping[str, Sequence[Changed]]) -> Iterator[DiffSection]:
    yield from (
        DiffSection(title=title, items=tuple(_together(entries) if title in TOGETHER else map(_item, entries)))
        for title, entries in held.items()
        if entries
    )


def sentence(difference: Difference) -> str:
    """What a person reads who reads one line."""
    if not (difference.entries or difference.turns):
        return "Nothing changed, and every outcome is as it was."
    worse, better, other = (difference.flips(effect) for effect in Effect)
    fates = Counter((entry.kind, entry.fate) for entry in difference.entries if entry.kind != "estate")
    kinds = (("cluster", "cluster"), ("server", "server"), ("machine", "virtual machine"))
    parts = [
        f"{_counted(count, noun)} {'changed' if fate is Fate.STAYED else _verb(fate, count)}"
        for kind, noun in kinds
        for fate in Fate
        if (count := fates[kind, fate])
    ]
    outcomes = (
        f"{_counted(worse, 'outcome')} got worse, {better or 'none'} got better, {other or 'none'} otherwise flipped"
    )
    machines = {(turn.machine.guid, turn.machine.primary) for turn in difference.turns}
    turned = [f"the readiness of {plural(len(machines), 'virtual machine')} turned"] if machines else []
    return "; ".join([outcomes.capitalize(), *turned, *([", ".join(parts)] if parts else [])]) + "."


def _verb(fate: Fate, count: int) -> str:
    return str(fate) if fate in (Fate.CAME, Fate.WENT) else f"{'is' if count == 1 else 'are'} {fate}"


def frame(difference: Difference) -> Iterator[Line]:
    """What each side saw, and what limits the comparison."""
    before, after = difference.before, difference.after
    yield ("Before: ", *_seen(before))
    yield ("After: ", *_seen(after))
    if before.time > after.time:
        yield ("The first snapshot is the newer one: before and after are swapped.",)
    for word, seen in (("first", before), ("second", after)):
        if not seen.complete:
            yield (f"The {word} snapshot is incomplete: the gathering was interrupted.",)
    unexplained = sum(not entry.is_explained for entry in difference.entries)
    if unexplained:
        noun = "entry" if unexplained == 1 else "entries"
        yield (f"{unexplained} {noun} flipped without any change that is listed here.",)


def _seen(seen: AuditExtent) -> Line:
    unread = f", {seen.unread} of them not read" if seen.unread else ""
    counted = f"{_counted(seen.servers, 'server')}{unread}, {_counted(seen.machines, 'virtual machine')}"
    return (f"{time_text(seen.time)}, {counted}", *((", ", Theirs(seen.tool)) if seen.tool else ()))


def time_text(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S %Z}"


def _turn(turn: Turn) -> Item:
    machine = turn.machine
    where = Theirs(f"{machine.primary or machine.replica}/{machine.name}")
    before, after = _readiness(turn.before), _readiness(turn.after)
    reason = (": ", Theirs(turn.after.reason)) if turn.after and turn.after.reason else ()
    return Item(head=("machine ", where, f", {turn.direction}: ", *before, " -> ", *after, *reason))


def _readiness(readiness: Readiness | None) -> Line:
    if readiness is None:
        return ("not seen",)
    return (str(readiness.word), *((" ", Theirs(readiness.condition)) if readiness.condition else ()))


# --- entries ----------------------------------------------------------------------------------------------------------


def _item(entry: Changed) -> Item:
    return Item(head=_head(entry), below=tuple(_below(entry)))


def _head(entry: Changed) -> Line:
    role: Line = (f" ({entry.role})",) if entry.role else ()
    if isinstance(entry.role, Unread):
        role = (" (role not known: ", Theirs(entry.role.reason), ")")
    fate = () if entry.fate is Fate.STAYED else (f": {entry.fate}",)
    reason = (", since ", Theirs(entry.reason)) if entry.reason else ()
    return (f"{entry.kind} ", Theirs(entry.label), *role, *fate, *reason)


def _below(entry: Changed) -> Iterator[Line]:
    for change in entry.changes:
        yield _change(change)
    for flip in entry.flips:
        yield _flip(flip)
    if entry.because:
        names = [piece for label in entry.because[:MOST_NAMES] for piece in (", ", Theirs(label))]
        more = f" and {len(entry.because) - MOST_NAMES} more" if len(entry.because) > MOST_NAMES else ""
        yield ("see also ", *names[1:], more)
    if not entry.is_explained:
        yield ("no change that is listed here explains it",)


def _change(change: Change) -> Line:
    of = (" (", Theirs(change.of), ")") if change.of else ()
    return (change.what, *of, ": ", *_known(change.before), " -> ", *_known(change.after))


def _known(value: Known) -> Line:
    if value is None:
        return ("none",)
    return ("not known (", Theirs(value.reason), ")") if isinstance(value, Unread) else (Theirs(value),)


def _flip(flip: Flip) -> Line:
    before = str(flip.before.result) if flip.before else "not asked"
    after = str(flip.after.result) if flip.after else "not asked"
    outcome = flip.after or flip.before
    finding = outcome.finding if outcome else ""
    lead = "" if flip.after else "was: "
    text = (f": {lead}", Theirs(finding)) if finding else ()
    return (f"{flip.severity.upper()} {flip.rule}: {before} -> {after}", *text)


def _together(entries: Sequence[Changed]) -> Iterator[Item]:
    """Servers one by one; machines by their reason, with what was, or is, found on them."""
    groups: dict[str, list[Changed]] = {}
    for entry in entries:
        if entry.kind == "machine":
            groups.setdefault(entry.reason, []).append(entry)
        else:
            yield _item(entry)
    for reason, group in groups.items():
        yield _item(group[0]) if len(group) == 1 else _group(reason, group)


def _group(reason: str, group: Sequence[Changed]) -> Item:
    fate = group[0].fate
    flips = Counter(_flip(flip)[0] for entry in group for flip in entry.flips)
    names = [piece for entry in group[:MOST_NAMES] for piece in (", ", Theirs(entry.label))]
    more = f" and {len(group) - MOST_NAMES} more" if len(group) > MOST_NAMES else ""
    return Item(
        head=(f"{_counted(len(group), 'virtual machine')}: {fate}, since ", Theirs(reason)),
        below=(("named ", *names[1:], more), *((f"{count} x {what}",) for what, count in sorted(flips.items()))),
        entries=len(group),
    )


def _counted(count: int, what: str) -> str:
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"
