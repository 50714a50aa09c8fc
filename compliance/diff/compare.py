"""What changed between two audits of one estate, and which outcomes it flipped: verdicts in, one value out.

A machine is its GUID: on the same server it is the same machine, whatever its role and its name; elsewhere it is the
same one where its role is the same. What one side did not see is "not known" there, and never "came" or "went".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from compliance.diff.aspects import Change, cluster_changes, estate_changes, machine_changes, server_changes
from compliance.errors import UsageError
from compliance.hyperv.rows import first_label, some
from compliance.model import Cluster, Estate, Role, Server, Unread, VirtualMachine
from compliance.rule import Outcome, Result, Severity, Verdict, unknown
from compliance.words import printable


class Fate(StrEnum):
    """What became of something between two audits."""

    STAYED = "stayed"
    CAME = "came"
    WENT = "went"
    LOST = "not known now"
    FOUND = "known now"


class Effect(StrEnum):
    """What a flip is worth. A failure that is not known any more is none that got better."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "other"


HARM = {Result.PASSED: 0, Result.NOT_APPLICABLE: 0, Result.WAIVED: 0, Result.UNKNOWN: 1, Result.FAILED: 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """A rule that says something else; None: it was not, or is no longer, asked."""

    rule: str
    severity: Severity
    before: Outcome | None
    after: Outcome | None

    @property
    def effect(self) -> Effect:
        was = HARM[self.before.result] if self.before else 0
        if self.after and HARM[self.after.result] > was:
            return Effect.WORSE
        return Effect.BETTER if self.after and was and not HARM[self.after.result] else Effect.OTHER


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """Something that changed, or of which an outcome flipped.

    ``reason`` says why it is not known on one side. ``because`` labels what else changed that may have flipped its
    outcomes, such as the same guest on its partner host. ``is_explained`` is false for flips that no change explains.
    """

    label: str
    server: str = ""  # "" for the estate and for clusters
    cluster: str = ""  # for clusters alone
    guid: str = ""  # "" for the estate and for servers
    role: Role | Unread | None = None  # None for the estate and for servers
    fate: Fate
    reason: str = ""
    changes: tuple[Change, ...] = ()
    flips: tuple[Flip, ...] = ()
    because: tuple[str, ...] = ()
    is_explained: bool = True

    @property
    def kind(self) -> str:
        return "machine" if self.guid else "server" if self.server else "cluster" if self.cluster else "estate"

    @property
    def effects(self) -> frozenset[Effect]:
        return frozenset(flip.effect for flip in self.flips)

    @property
    def bears(self) -> bool:
        """May it have moved an outcome, its own or its partner's?"""
        return self.fate is not Fate.STAYED or any(change.bears for change in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """One side of a comparison."""

    estate: Estate
    verdicts: tuple[Verdict, ...]
    tool: str = ""
    complete: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """How much one side saw: the frame of what it can say."""

    time: datetime
    tool: str
    complete: bool
    servers: int
    unread: int
    machines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Two audits of one estate, and every entry of what is not the same: the estate's, servers', machines'."""

    estate: str
    before: Seen
    after: Seen
    entries: tuple[Entry, ...]

    @property
    def is_worse(self) -> bool:
        """Did an outcome get worse, or does the later audit see less than the earlier one?"""
        less = self.before.complete and not self.after.complete
        return less or any(Effect.WORSE in entry.effects or _is_unread_now(entry) for entry in self.entries)

    def flips(self, effect: Effect) -> int:
        return sum(flip.effect is effect for entry in self.entries for flip in entry.flips)


def _is_unread_now(entry: Entry) -> bool:
    """Whether or not a rule asks for it."""
    return entry.kind in ("server", "cluster") and (
        entry.fate is Fate.LOST or any(isinstance(change.after, Unread) for change in entry.changes)
    )


def compare(before: Audit, after: Audit) -> Difference:
    """What changed from ``before`` to ``after``. UsageError where they are of two estates."""
    if before.estate.name != after.estate.name:
        names = " and ".join(repr(one.estate.name[:80]) for one in (before, after))
        raise UsageError(f"two estates can't be compared: {names}")
    old, new = _Side(before, "earlier"), _Side(after, "later")
    servers = [entry for entry in (*_clusters(old, new), *_servers(old, new)) if _is_worth_telling(entry)]
    machines = [found for found in _machines(old, new) if _is_worth_telling(found.entry)]
    estate = _estate(old, new, has_cause=any(one.bears for one in (*servers, *(found.entry for found in machines))))
    explained = _explained(machines, [entry for entry in (estate, *servers) if entry.bears], old, new)
    return Difference(
        estate=before.estate.name,
        before=_seen(before),
        after=_seen(after),
        entries=(*([estate] if _is_worth_telling(estate) else []), *servers, *explained),
    )


def _is_worth_telling(entry: Entry) -> bool:
    return bool(entry.flips or entry.changes or entry.fate is not Fate.STAYED)


def _seen(audit: Audit) -> Seen:
    servers = audit.estate.servers
    return Seen(
        time=audit.estate.time,
        tool=audit.tool,
        complete=audit.complete,
        servers=len(servers),
        unread=sum(server.unread is not None for server in servers),
        machines=sum(len(server.machines) for server in servers),
    )


# --- one side ---------------------------------------------------------------------------------------------------------

Key = tuple[str, str]
"""Server or cluster, and GUID, without case: a machine. Without the GUID: a server. Without both: the estate. A cluster
itself is ``cluster``, a space and its name, which no server is called."""


class _Side:
    """One audit, ready to be asked. ``which``: the earlier or the later one."""

    def __init__(self, audit: Audit, which: str) -> None:
        self.audit = audit
        self.which = which
        self.clusters = {cluster.name.casefold(): cluster for cluster in audit.estate.clusters}
        # A cluster whose nodes are not known stands among the servers, and is told as a cluster.
        self.servers = {
            key: server for server in audit.estate.servers if (key := server.name.casefold()) not in self.clusters
        }
        self.machines: dict[str, list[VirtualMachine]] = defaultdict(list)
        for _, server in sorted(self.servers.items()):
            for machine in server.machines:
                self.machines[machine.guid.casefold()].append(machine)
        self.outcomes: dict[Key, dict[str, Verdict]] = defaultdict(dict)
        for verdict in audit.verdicts:
            # A server that stands in for its machines says nothing that its own reading does not say.
            if verdict.machine or not verdict.rule.of_machines:
                self.outcomes[_key_of(verdict)][_case_of(verdict)] = verdict
        self._names = Counter((one.place, one.name) for all_of in self.machines.values() for one in all_of)
        self._elsewhere = self._may_be_elsewhere()

    def outcomes_of(self, machine: VirtualMachine | None) -> Mapping[str, Verdict]:
        return self.outcomes.get(_key(machine), {}) if machine else {}

    def label_of(self, machine: VirtualMachine) -> str:
        """As its verdicts are labelled; else by the same pattern."""
        own = [verdict for verdict in self.outcomes_of(machine).values() if not verdict.adapter]
        if own:
            return own[0].label
        clash = f"~{machine.guid[:8].casefold()}" if self._names[machine.place, machine.name] > 1 else ""
        return f"{printable(machine.place)}/{printable(machine.name)}{clash}"

    def blindness(self, machine: VirtualMachine) -> str:
        """Why this side may not have seen a machine of the other one; empty where it would have."""
        if machine.cluster and machine.cluster.casefold() in self.clusters:
            return self._elsewhere
        server = self.servers.get(machine.server.casefold())
        if server is None:
            return f"{machine.place} is not in the {self.which} audit"
        if server.unread:
            return f"{server.name} was not read in the {self.which} audit: {server.unread}"
        return f"{server.name}, in the {self.which} audit, {server.doubt}" if server.doubt else self._elsewhere

    def _may_be_elsewhere(self) -> str:
        blind = sorted(one.name for one in self.servers.values() if one.unread or one.doubt or one.partial)
        blind += sorted(one.name for one in self.clusters.values() if one.unread or one.doubts)
        if blind:
            return f"the {self.which} audit did not see the machines on {some(blind)}"
        return "" if self.audit.complete else f"the {self.which} audit was interrupted"

    def hides(self, server: Server) -> str:
        """Why a server of the other side may be there, though it does not stand here; empty where it would."""
        if not self.audit.complete:
            return f"the {self.which} audit was interrupted"
        cluster = self.clusters.get((server.cluster or "").casefold())
        if cluster is None or cluster.unread is None:
            return ""
        return f"the nodes of {cluster.name} are not known in the {self.which} audit"


def _key(machine: VirtualMachine) -> Key:
    return machine.place.casefold(), machine.guid.casefold()


def _case_of(verdict: Verdict) -> str:
    """A rule, and of which adapter: two adapters are two cases."""
    adapter = verdict.adapter
    return f"{verdict.rule.key} of {verdict.label.rsplit('/', 1)[1]}" if adapter else verdict.rule.key


def _key_of(verdict: Verdict) -> Key:
    if isinstance(verdict.subject, Cluster):
        return _key_of_cluster(verdict.subject.name)
    return _key(verdict.machine) if verdict.machine else ((verdict.server or "").casefold(), "")


def _key_of_cluster(name: str) -> Key:
    return f"cluster {name.casefold()}", ""


# --- estate and servers -----------------------------------------------------------------------------------------------


def _estate(old: _Side, new: _Side, *, has_cause: bool) -> Entry:
    changes = estate_changes(old.audit.estate.settings, new.audit.estate.settings)
    flips = _flips(old.outcomes.get(("", ""), {}), new.outcomes.get(("", ""), {}), Fate.STAYED)
    return Entry(
        label=printable(new.audit.estate.name),
        fate=Fate.STAYED,
        changes=changes,
        flips=flips,
        is_explained=bool(changes) or has_cause or not flips,
    )


def _servers(old: _Side, new: _Side) -> Iterator[Entry]:
    for key in sorted(old.servers.keys() | new.servers.keys()):
        was, now = old.servers.get(key), new.servers.get(key)
        some_one = now or was
        assert some_one  # noqa: S101  # the key came from one of the two
        reason = "" if was and now else (old if now else new).hides(some_one)
        fate = _fate(was, now, is_hidden=bool(reason))
        changes = server_changes(was, now) if was and now else ()
        flips = _flips(old.outcomes.get((key, ""), {}), new.outcomes.get((key, ""), {}), fate)
        yield Entry(
            label=printable(some_one.name),
            server=some_one.name,
            fate=fate,
            reason=reason,
            changes=changes,
            flips=flips,
            is_explained=not flips or fate is not Fate.STAYED or any(change.bears for change in changes),
        )


def _clusters(old: _Side, new: _Side) -> Iterator[Entry]:
    for key in sorted(old.clusters.keys() | new.clusters.keys()):
        was, now = old.clusters.get(key), new.clusters.get(key)
        some_one = now or was
        assert some_one  # noqa: S101  # the key came from one of the two
        fate = _fate(was, now, is_hidden=False)  # an interrupted audit names its clusters all the same
        olds, news = (side.outcomes.get(_key_of_cluster(key), {}) for side in (old, new))
        changes = cluster_changes(was, now) if was and now else ()
        flips = _flips(olds, news, fate)
        yield Entry(
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
    return Fate.FOUND if is_hidden else Fate.CAME


# --- machines ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    entry: Entry
    was: VirtualMachine | None
    now: VirtualMachine | None


def _machines(old: _Side, new: _Side) -> Iterator[_Found]:
    for guid in old.machines.keys() | new.machines.keys():
        for was, now in _paired(old.machines.get(guid, ()), new.machines.get(guid, ())):
            yield _Found(_machine(was, now, old, new), was, now)


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
        for one in list(was):
            other = next((other for other in now if is_same(one, other)), None)
            if other is not None:
                was.remove(one)
                now.remove(other)
                yield one, other
    yield from ((one, None) for one in was)
    yield from ((None, other) for other in now)


def _machine(was: VirtualMachine | None, now: VirtualMachine | None, old: _Side, new: _Side) -> Entry:
    machine = now or was
    assert machine  # noqa: S101  # each pair holds one at least
    reason = "" if was and now else (old if now else new).blindness(machine)
    fate = _fate(was, now, is_hidden=bool(reason))
    return Entry(
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
    found = []
    for key, verdict in sorted(verdicts.items(), key=lambda item: (item[1].rule.severity.rank, item[0])):
        before = olds[key].outcome if key in olds else unknown(reason) if fate is Fate.FOUND else None
        after = news[key].outcome if key in news else unknown(reason) if fate is Fate.LOST else None
        if (before and before.result) != (after and after.result):
            found.append(Flip(rule=key, severity=verdict.rule.severity, before=before, after=after))
    return tuple(found)


def _explained(machines: Sequence[_Found], others: Sequence[Entry], old: _Side, new: _Side) -> Iterator[Entry]:
    """The entries in their order, each with what else may have flipped its outcomes: the settings, the same guest on
    another server, a server that it names as its partner's. A machine that came or went explains itself."""
    settings = [entry.label for entry in others if entry.kind == "estate"]
    servers = {label: entry.label for entry in others if entry.kind == "server" for label in _labels(entry, old, new)}
    by_guid: dict[str, list[Entry]] = defaultdict(list)
    for found in machines:
        if found.entry.bears:
            by_guid[found.entry.guid.casefold()].append(found.entry)
    for found in sorted(machines, key=_order):
        entry = found.entry
        if not entry.flips or entry.fate is not Fate.STAYED:
            yield entry
            continue
        twins = sorted(one.label for one in by_guid[entry.guid.casefold()] if one is not entry)
        because = (*settings, *(twins or sorted(servers[name] for name in _partners(found) if name in servers)))
        yield replace(entry, because=because, is_explained=entry.bears or bool(because))


def _labels(entry: Entry, old: _Side, new: _Side) -> Iterable[str]:
    sides = (side.servers.get(entry.server.casefold()) for side in (old, new))
    return {first_label(server.host_name or server.name) for server in sides if server}


def _partners(found: _Found) -> set[str]:
    partners = [one.partners for one in (found.was, found.now) if one and not isinstance(one.partners, Unread)]
    return {first_label(name) for names in partners for name in names}


def _order(found: _Found) -> tuple[str, str, str, str]:
    machine = found.now or found.was
    assert machine  # noqa: S101  # see _machine
    return machine.place.casefold(), machine.name.casefold(), machine.guid, str(machine.role)
