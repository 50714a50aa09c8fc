"""What changed between two audits of one estate, and which outcomes it flipped: verdicts in, one value out.

A machine is its GUID: on the same server it is the same machine, whatever its role and its name; elsewhere it is the
same one where its role is the same. What one side did not see is "not known" there, and never "came" or "went".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from compliance.diff.aspects import cluster_changes, estate_changes, machine_changes, server_changes
from compliance.diff.difference import Audit, AuditExtent, Changed, Difference, Fate, Flip, Turn
from compliance.diff.side import AuditIndex, key_of_cluster
from compliance.errors import UsageError
from compliance.hyperv.rows import first_label
from compliance.judge.conclusion import readiness_of
from compliance.judge.readiness import Direction, Readiness
from compliance.model import Unread, VirtualMachine
from compliance.rule import Verdict, unknown
from compliance.words import printable, quote


def compare(before: Audit, after: Audit) -> Difference:
    """What changed from ``before`` to ``after``. UsageError where they are of two estates."""
    if before.estate.name != after.estate.name:
        names = " and ".join(quote(one.estate.name) for one in (before, after))
        raise UsageError(f"two estates can't be compared: {names}")
    old, new = AuditIndex(before, "earlier"), AuditIndex(after, "later")
    servers = [entry for entry in (*_clusters(old, new), *_servers(old, new)) if _is_worth_telling(entry)]
    machines = [compared for compared in _machines(old, new) if _is_worth_telling(compared.entry)]
    estate = _estate(
        old, new, has_cause=any(one.bears for one in (*servers, *(compared.entry for compared in machines)))
    )
    explained = _explained(machines, [entry for entry in (estate, *servers) if entry.bears], old, new)
    return Difference(
        estate=before.estate.name,
        before=_seen(before),
        after=_seen(after),
        turns=tuple(_turns(before, after)),
        entries=(*([estate] if _is_worth_telling(estate) else []), *servers, *explained),
    )


def _is_worth_telling(entry: Changed) -> bool:
    return bool(entry.flips or entry.changes or entry.fate is not Fate.STAYED)


def _seen(audit: Audit) -> AuditExtent:
    servers = audit.estate.servers
    return AuditExtent(
        time=audit.estate.time,
        tool=audit.tool,
        complete=audit.complete,
        servers=len(servers),
        unread=sum(server.unread is not None for server in servers),
        machines=sum(len(server.machines) for server in servers),
    )


# --- readiness --------------------------------------------------------------------------------------------------------


def _turns(before: Audit, after: Audit) -> Iterator[Turn]:
    """Yield the machines whose word is another one, or whose condition is; by name."""
    olds, news = (_readiness(audit) for audit in (before, after))
    turns = (
        Turn(direction=key[1], before=was, after=now)
        for key in {**olds, **news}  # no set: copies of one machine would stand in another order each time
        if _word(was := olds.get(key)) != _word(now := news.get(key))
    )
    yield from sorted(turns, key=lambda turn: (turn.machine.name.casefold(), turn.machine.guid, turn.direction))


def _word(readiness: Readiness | None) -> tuple[str, str] | None:
    return (readiness.word, readiness.condition) if readiness else None


def _readiness(audit: Audit) -> dict[tuple[str, Direction, int], Readiness]:
    """By GUID and direction; copies of one GUID are told apart by the order of their servers."""
    readiness: dict[tuple[str, Direction, int], Readiness] = {}
    ordered = sorted(readiness_of(audit.estate, audit.verdicts), key=lambda each: (each.primary, each.replica))
    for each in ordered:
        places = ((each.guid.casefold(), each.direction, number) for number in count())
        readiness[next(key for key in places if key not in readiness)] = each
    return readiness


# --- estate and servers -----------------------------------------------------------------------------------------------


def _estate(old: AuditIndex, new: AuditIndex, *, has_cause: bool) -> Changed:
    changes = estate_changes(old.audit.estate.settings, new.audit.estate.settings)
    flips = _flips(old.outcomes.get(("", ""), {}), new.outcomes.get(("", ""), {}), Fate.STAYED)
    return Changed(
        label=printable(new.audit.estate.name),
        fate=Fate.STAYED,
        changes=changes,
        flips=flips,
        is_explained=bool(changes) or has_cause or not flips,
    )


def _servers(old: AuditIndex, new: AuditIndex) -> Iterator[Changed]:
    for key in sorted(old.servers.keys() | new.servers.keys()):
        was, now = old.servers.get(key), new.servers.get(key)
        some_one = now or was
        assert some_one  # noqa: S101  # the key came from one of the two
        reason = "" if was and now else (old if now else new).hides(some_one)
        fate = _fate(was, now, is_hidden=bool(reason))
        changes = server_changes(was, now) if was and now else ()
        flips = _flips(old.outcomes.get((key, ""), {}), new.outcomes.get((key, ""), {}), fate)
        yield Changed(
            label=printable(some_one.name),
            server=some_one.name,
            fate=fate,
            reason=reason,
            changes=changes,
            flips=flips,
            is_explained=not flips or fate is not Fate.STAYED or any(change.bears for change in changes),
        )


def _clusters(old: AuditIndex, new: AuditIndex) -> Iterator[Changed]:
    for key in sorted(old.clusters.keys() | new.clusters.keys()):
        was, now = old.clusters.get(key), new.clusters.get(key)
        some_one = now or was
        assert some_one  # noqa: S101  # the key came from one of the two
        fate = _fate(was, now, is_hidden=False)  # an interrupted audit names its clusters all the same
        olds, news = (side.outcomes.get(key_of_cluster(key), {}) for side in (old, new))
        changes = cluster_changes(was, now) if was and now else ()
        flips = _flips(olds, news, fate)
        yield Changed(
            label=printable(some_one.name),
            cluster=some_one.name,
            fate=fate,
            changes=changes,
            flips=flips,
            is_explained=not flips or fate is not Fate.STAYED or any(change.bears for change in changes),
        )


def _fate(was: object, now: object, *, is_hidden: bool) -> Fate:
    if was and now:
        return Fate.STAYED
    if was:
        return Fate.LOST if is_hidden else Fate.WENT
    return Fate.KNOWN_NOW if is_hidden else Fate.CAME


# --- machines ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _SameMachine:
    entry: Changed
    was: VirtualMachine | None
    now: VirtualMachine | None


def _machines(old: AuditIndex, new: AuditIndex) -> Iterator[_SameMachine]:
    for guid in old.machines.keys() | new.machines.keys():
        for was, now in _paired(old.machines.get(guid, ()), new.machines.get(guid, ())):
            yield _SameMachine(_machine(was, now, old, new), was, now)


SAME: Sequence[Callable[[VirtualMachine, VirtualMachine], bool]] = (
    lambda one, other: one.place.casefold() == other.place.casefold(),
    lambda one, other: one.server.casefold() == other.server.casefold(),
    lambda one, other: one.role == other.role,
    lambda one, other: isinstance(one.role, Unread) or isinstance(other.role, Unread),
)
"""Of one GUID, the nearest first. After a failover the two sides have changed their roles, and not their servers."""


def _paired(
    olds: Sequence[VirtualMachine], news: Sequence[VirtualMachine]
) -> Iterator[tuple[VirtualMachine | None, VirtualMachine | None]]:
    was, now = list(olds), list(news)
    for is_same in SAME:
        for machine in list(was):
            other = next((other for other in now if is_same(machine, other)), None)
            if other is not None:
                was.remove(machine)
                now.remove(other)
                yield machine, other
    yield from ((machine, None) for machine in was)
    yield from ((None, other) for other in now)


def _machine(was: VirtualMachine | None, now: VirtualMachine | None, old: AuditIndex, new: AuditIndex) -> Changed:
    machine = now or was
    assert machine  # noqa: S101  # each pair holds one at least
    reason = "" if was and now else (old if now else new).blindness(machine)
    fate = _fate(was, now, is_hidden=bool(reason))
    return Changed(
        label=(new if now else old).label_of(machine),
        server=machine.server,
        guid=machine.guid,
        role=machine.role,
        fate=fate,
        reason=reason,
        changes=machine_changes(was, now) if was and now else (),
        flips=_flips(old.outcomes_of(was), new.outcomes_of(now), fate, reason),
    )


# --- outcomes ---------------------------------------------------------------------------------------------------------


def _flips(olds: Mapping[str, Verdict], news: Mapping[str, Verdict], fate: Fate, reason: str = "") -> tuple[Flip, ...]:
    """By severity. What is not known on one side could not be judged there: it was not "not asked"."""
    verdicts = {**olds, **news}
    flips = []
    for key, verdict in sorted(verdicts.items(), key=lambda item: (item[1].rule.severity.rank, item[0])):
        before = olds[key].outcome if key in olds else unknown(reason) if fate is Fate.KNOWN_NOW else None
        after = news[key].outcome if key in news else unknown(reason) if fate is Fate.LOST else None
        if (before and before.result) != (after and after.result):
            flips.append(Flip(rule=key, severity=verdict.rule.severity, before=before, after=after))
    return tuple(flips)


def _explained(
    machines: Sequence[_SameMachine], others: Sequence[Changed], old: AuditIndex, new: AuditIndex
) -> Iterator[Changed]:
    """The entries in their order, each with what else may have flipped its outcomes: the settings, the same guest on
    another server, a server that it names as its partner's. A machine that came or went explains itself."""
    settings = [entry.label for entry in others if entry.kind == "estate"]
    servers = {label: entry.label for entry in others if entry.kind == "server" for label in _labels(entry, old, new)}
    by_guid: dict[str, list[Changed]] = defaultdict(list)
    for pair in machines:
        if pair.entry.bears:
            by_guid[pair.entry.guid.casefold()].append(pair.entry)
    for pair in sorted(machines, key=_order):
        entry = pair.entry
        if not entry.flips or entry.fate is not Fate.STAYED:
            yield entry
            continue
        twins = sorted(twin.label for twin in by_guid[entry.guid.casefold()] if twin is not entry)
        because = (*settings, *(twins or sorted(servers[name] for name in _partners(pair) if name in servers)))
        yield replace(entry, because=because, is_explained=entry.bears or bool(because))


def _labels(entry: Changed, old: AuditIndex, new: AuditIndex) -> Iterable[str]:
    sides = (side.servers.get(entry.server.casefold()) for side in (old, new))
    return {first_label(server.host_name or server.name) for server in sides if server}


def _partners(pair: _SameMachine) -> set[str]:
    partners = [side.partners for side in (pair.was, pair.now) if side and not isinstance(side.partners, Unread)]
    return {first_label(name) for names in partners for name in names}


def _order(pair: _SameMachine) -> tuple[str, str, str, str]:
    machine = pair.now or pair.was
    assert machine  # noqa: S101  # see _machine
    return machine.place.casefold(), machine.name.casefold(), machine.guid, str(machine.role)
