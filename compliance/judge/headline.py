"""The one sentence that people read who read no more: how many virtual machines would come up with their address.

It counts machines, never sides, of the scope and direction that are asked for; and it says nothing of what no rule
could judge, and nothing of keeping an address where none is set.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from compliance.gate.coverage import MachineCount
from compliance.gate.decision import Decision
from compliance.judge.landings import SideKey
from compliance.judge.readiness import DIRECTIONS, Direction, Readiness, Word
from compliance.rule import Result
from compliance.rules.evidence.causes import Cause
from compliance.words import MOST_NAMES, plural, printable, shorten

DIRECTIONS_OF_POLICY: Mapping[str, tuple[Direction, ...]] = {
    "failover": (Direction.FAILOVER, Direction.EXTENDED_FAILOVER),
    "failback": (Direction.FAILBACK,),
    "both": (Direction.FAILOVER, Direction.EXTENDED_FAILOVER, Direction.FAILBACK),
}
"""Directions by the word of the policy."""
WITH_ADDRESS = frozenset({Word.READY, Word.READY_IF, Word.NOT_READY, Word.UNKNOWN})
"""Words of machines that have, or may have, a failover address."""
MOST_CONDITIONS = 2
MOST_OF_A_CONDITION = 160  # letters
Show = Callable[[str], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """Machines in one direction. ``waived``, ``known``: those whose every finding a waiver, or the baseline, covers."""

    words: Counter[Word]
    waived: Mapping[Word, int] = field(default_factory=dict)
    known: Mapping[Word, int] = field(default_factory=dict)
    conditions: Mapping[str, int] = field(default_factory=dict)
    there: Mapping[Word, int] = field(default_factory=dict)  # those that were failed over, and run there already
    without: Sequence[Readiness] = ()
    of_others: frozenset[str] = frozenset()  # GUIDs of those that another provider replicates

    @property
    def with_address(self) -> int:
        return sum(self.words[word] for word in WITH_ADDRESS)


def headline(
    readiness: Sequence[Readiness],
    decisions: Iterable[Decision],
    direction: str,
    unread: Sequence[str] = (),
    show: Show = printable,
) -> str:
    """Return the sentence, without a full stop at its end. ``readiness`` and ``decisions`` are those in scope,
    ``unread`` the servers in scope that were not read. ``show`` writes a text that may be a host's or a guest's."""
    covered = covered_sides(decisions)
    parts: list[str] = []
    before: list[Tally] = []
    for wanted in DIRECTIONS_OF_POLICY[direction]:
        tally = tally_of([each for each in readiness if each.direction is wanted], covered)
        if wanted is Direction.FAILOVER or direction == "failback" or tally.with_address:
            parts += _sentences(tally, wanted, before, show)
            before.append(tally)
    if unread:
        were, their = ("was", "its") if len(unread) == 1 else ("were", "their")
        names = ", ".join(map(show, unread[:MOST_NAMES]))
        more = f" and {len(unread) - MOST_NAMES:,} more" if len(unread) > MOST_NAMES else ""
        parts.append(f"{names}{more} {were} not read: {their} machines are not counted")
    return ". ".join(parts)


def tally_of(readiness: Iterable[Readiness], covered: Mapping[SideKey, str]) -> Tally:
    """Return the numbers of one direction. ``covered``: sides whose every finding is `waived` or `known`."""
    machines = [*readiness]
    by_cover: dict[str, Counter[Word]] = defaultdict(Counter)
    for machine in machines:
        by_cover[cover_of(machine, covered)][machine.word] += 1
    return Tally(
        words=Counter(machine.word for machine in machines),
        waived=by_cover["waived"],
        known=by_cover["known"],
        conditions=Counter(machine.condition for machine in machines if machine.word is Word.READY_IF),
        there=Counter(machine.word for machine in machines if machine.runs_there),
        without=[machine for machine in machines if machine.word is Word.NO_ADDRESS],
        of_others=frozenset(machine.guid.casefold() for machine in machines if machine.word is Word.NOT_OURS),
    )


def count_words(readiness: Iterable[Readiness]) -> dict[Direction, Counter[Word]]:
    """Return how many machines have each word, by direction."""
    counts: dict[Direction, Counter[Word]] = {direction: Counter() for direction in Direction}
    for machine in readiness:
        counts[machine.direction][machine.word] += 1
    return counts


def count_machines(readiness: Iterable[Readiness], direction: str) -> MachineCount:
    """Return how many machines have, or may have, an address in the direction that is asked for, and of how many of
    them it is known in each whether they are ready."""
    words: dict[frozenset[SideKey], list[Word]] = defaultdict(list)
    for item in readiness:
        if item.direction in DIRECTIONS_OF_POLICY[direction] and item.word in WITH_ADDRESS:
            words[sides_of(item)].append(item.word)
    judged = sum(Word.UNKNOWN not in machine for machine in words.values())
    return MachineCount(len(words), judged)


def in_scope(readiness: Iterable[Readiness], sides: Collection[SideKey]) -> tuple[Readiness, ...]:
    """Return the machines of which one of these sides is one. Which rules are selected is of no matter."""
    wanted = frozenset(sides)  # once: a copy for each machine would be quadratic
    return tuple(machine for machine in readiness if not wanted.isdisjoint(sides_of(machine)))


# --- what a waiver or the baseline covers -----------------------------------------------------------------------------


def covered_sides(decisions: Iterable[Decision]) -> dict[SideKey, str]:
    """Return the sides that have findings, each of them waived or known."""
    words: dict[SideKey, set[str]] = defaultdict(set)
    for decision in decisions:
        if decision.finding and (machine := decision.verdict.machine):
            is_covered = decision.reported.outcome.result is Result.WAIVED
            cover = ("waived" if decision.waiver else "known") if is_covered else ""
            words[machine.server, machine.guid].add(cover)
    return {side: "waived" if "waived" in covers else "known" for side, covers in words.items() if "" not in covers}


def cover_of(each: Readiness, covered: Mapping[SideKey, str]) -> str:
    """By the side that holds the address of the direction."""
    role = DIRECTIONS[each.direction]
    machines = (vm.machine for vm in each.sides if vm.machine.role is role)
    return next((covered.get((machine.server, machine.guid), "") for machine in machines), "")


def sides_of(readiness: Readiness) -> frozenset[SideKey]:
    """Return server and GUID of each side of a machine that was seen."""
    return frozenset((vm.machine.server, vm.machine.guid) for vm in readiness.sides)


# --- words ------------------------------------------------------------------------------------------------------------

_AT: Mapping[Direction, str] = {
    Direction.FAILOVER: "",
    Direction.EXTENDED_FAILOVER: "At an extended failover, ",
    Direction.FAILBACK: "At a failback, ",
}


def _sentences(tally: Tally, direction: Direction, before: Sequence[Tally], show: Show) -> Iterator[str]:
    """Yield what is known of one direction. ``before``: those of which the sentence has spoken already, so that it need
    not say again what `would` means, nor which machines another provider replicates."""
    if any(earlier.with_address for earlier in before):
        yield f"{direction.value.capitalize()}: {'; '.join(_in_short(tally, before, show))}"
    else:
        yield from _in_full(tally, direction, show)
    count = tally.words[Word.NOT_OURS]
    if count and all(tally.of_others != earlier.of_others for earlier in before):
        yield f"{count:,} {'is' if count == 1 else 'are'} replicated by another provider than Hyper-V Replica"


def _in_full(tally: Tally, direction: Direction, show: Show) -> Iterator[str]:
    at = _AT[direction]
    if not tally.words.total():
        yield f"{at}no replicated virtual machine was seen"
    if tally.with_address:
        yield at + "; ".join(_of_addresses(tally, show))
    if count := len(tally.without):
        own = ", ".join(_instead(tally.without, show)) if direction is not Direction.FAILBACK else ""
        subject = f"{count:,} more" if tally.with_address else f"{at}{plural(count, 'virtual machine')}"
        yield f"{subject} {_has(count)} no failover address{f': {own}' if own else ''}"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _of_addresses(tally: Tally, show: Show) -> Iterator[str]:
    """Yield what is known first: of the first part's machines the address is named, the others follow in short."""
    count, words = tally.with_address, tally.words
    their, machines = ("its", "virtual machine") if count == 1 else ("their", "virtual machines")
    address = f"come up with {their} failover address"
    if words[Word.UNKNOWN] == count:
        yield f"it is unknown whether {plural(count, 'virtual machine')} would {address}"
        return
    first, *others = _parts(tally, show)
    only = f" {first.only}" if first.only else ""
    yield f"{first.count:,} of {count:,} {machines} {first.would} {address}{only}{first.cover}"
    yield from (f"{part.count:,} {part}" for part in others)
    yield from (f"{part.count:,} {part}" for part in _unknown(tally))


def _in_short(tally: Tally, before: Sequence[Tally], show: Show) -> Iterator[str]:
    """Yield the same for a later direction: ``8 of 16 would``, ``3 would not``, ``2 more have no failover address``."""
    first, *others = (*_parts(tally, show, before), *_unknown(tally))
    yield f"{first.count:,} of {tally.with_address:,} {first}"
    yield from (f"{part.count:,} {part}" for part in others)
    if count := len(tally.without):
        yield f"{count:,} more {_has(count)} no failover address"


@dataclass(frozen=True, slots=True)
class _Part:
    """Machines of one answer: how many, ``would`` or ``would not``, on which condition, and what of them is covered."""

    count: int
    would: str
    only: str = ""
    cover: str = ""

    def __str__(self) -> str:
        return f"{self.only or self.would}{self.cover}"


def _parts(tally: Tally, show: Show, before: Sequence[Tally] = ()) -> list[_Part]:
    """Return the answers that some machines have. A condition that is the only one so far is not repeated."""
    earlier = {condition for tally_before in before for condition in tally_before.conditions}
    parts = [
        _Part(tally.words[Word.READY], "would", cover=_with_cover(tally, Word.READY)),
        _Part(tally.words[Word.NOT_READY], "would not", cover=_with_cover(tally, Word.NOT_READY)),
    ]
    for condition, count in _most(tally.conditions):
        only = f"only if {show(shorten(condition, MOST_OF_A_CONDITION))}" if condition else "only on a condition"
        parts.append(_Part(count, "would", "only on that condition" if earlier == {condition} else only))
    return [part for part in parts if part.count]


def _unknown(tally: Tally) -> Iterator[_Part]:
    if count := tally.words[Word.UNKNOWN]:
        yield _Part(count, "is unknown" if count == 1 else "are unknown", cover=_with_cover(tally, Word.UNKNOWN))


def _with_cover(tally: Tally, word: Word) -> str:
    there = tally.there.get(word, 0)
    runs = "runs" if there == 1 else "run"
    covers = [(f"{runs} on the replica already", there)]
    if word is not Word.READY:
        covers = [("waived", tally.waived.get(word, 0)), ("known", tally.known.get(word, 0)), *covers]
    text = ", ".join(f"{count:,} {cover}" for cover, count in covers if count)
    return f" ({text.replace(' ', ' of them ', 1)})" if text else ""


def _most(conditions: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Yield the commonest; what is beyond them as one, without its words."""
    ordered = sorted(conditions.items(), key=lambda item: (-item[1], item[0]))
    first = ordered if len(ordered) <= MOST_CONDITIONS else ordered[: MOST_CONDITIONS - 1]
    yield from first
    if rest := sum(count for _, count in ordered[len(first) :]):
        yield "", rest


def _instead(without: Sequence[Readiness], show: Show) -> Iterator[str]:
    """Yield what machines without a failover address will have."""
    causes = Counter(machine.cause for machine in without)
    if count := causes.pop(Cause.BY_DHCP, 0):
        yield f"{count:,} {'uses' if count == 1 else 'use'} DHCP"
    if count := causes.pop(Cause.STATIC_WITHOUT, 0):
        today = next(machine.today for machine in without if machine.cause == Cause.STATIC_WITHOUT).removesuffix(
            ", static"
        )
        yield f"1 would keep {show(_address(today))}" if count == 1 else f"{count:,} would keep their static address"
    if count := causes.pop(Cause.STRETCHED, 0):
        yield f"{count:,} {'keeps' if count == 1 else 'keep'} an address that is valid there"
    if rest := causes.total():
        of = "" if rest == len(without) else f"of {rest:,} "
        yield f"{of}it is not known what {'it' if rest == 1 else 'they'} would use"


def _address(text: str) -> str:
    """Return a guest's word for its address where it is one."""
    try:
        return str(ip_address(text))
    except ValueError:
        return "its static address"
