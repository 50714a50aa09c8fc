"""Which waivers cover a verdict. Names and patterns are folded once, and waivers sorted by what they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from compliance.gate.waivers import Waiver, WaiverEntry
from compliance.model import Estate, ReplicaAdapter, Server, VirtualMachine
from compliance.patterns import Patterns, beginning_of, folded, is_plain
from compliance.rule import Result, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class _SubjectNames:
    """What a verdict's subject may be called in a waiver, folded. Empty where it is about no such thing."""

    server: frozenset[str]  # and its cluster
    machine: frozenset[str]
    adapter: frozenset[str]
    site: frozenset[str]
    group: frozenset[str]


_KINDS = ("server", "machine", "adapter", "site", "group")


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A waiver with its patterns. ``order``: of the files, by which the first that covers a verdict is taken."""

    order: int
    waiver: Waiver
    kinds: tuple[tuple[str, Patterns], ...]

    def covers(self, names: _SubjectNames, *, without: str = "") -> bool:
        """Kinds narrow each other, several patterns of a kind widen it."""
        return all(patterns.match(getattr(names, kind)) for kind, patterns in self.kinds if kind != without)


class Waivers:
    """Waivers by the rules and machines that they name: thousands of them over thousands of findings take a moment."""

    def __init__(self, waivers: Iterable[Waiver], estate: Estate) -> None:
        self._estate = estate
        self._servers = {server.name: server for server in estate.servers}
        self._waivers = [_compiled(order, waiver) for order, waiver in enumerate(waivers)]
        self._by_rule: dict[str, _Sorted] = {}

    def covering(self, verdict: Verdict) -> list[Waiver]:
        """Return those that cover a verdict which failed or is unknown, in the order of the files.

        What is unknown is waived by an exact one only: it names one rule and, among all machines of the estate, one.
        """
        if not self._waivers:
            return []
        names = self._names(verdict)
        covering = [candidate for candidate in self._candidates(verdict.rule.key, names) if candidate.covers(names)]
        if verdict.outcome.result is Result.UNKNOWN:
            covering = [
                candidate
                for candidate in covering
                if candidate.waiver.is_exact and self._means(candidate, verdict, names)
            ]
        return [candidate.waiver for candidate in covering]

    def _candidates(self, rule: str, names: _SubjectNames) -> Sequence[_Compiled]:
        """Those that name the rule and may name this subject, in the order of the files."""
        if rule not in self._by_rule:
            key = folded(rule)
            self._by_rule[rule] = _Sorted(
                candidate for candidate in self._waivers if candidate.waiver.rules.match([key])
            )
        candidates = self._by_rule[rule].find(names)
        return [candidate for _, candidate in sorted(candidates.items())]

    def _means(self, candidate: _Compiled, verdict: Verdict, names: _SubjectNames) -> bool:
        """Does an exact waiver mean this verdict's machine and no other? The sides of a machine have one GUID, and each
        a role of its own.

        A server that wants its machine waived may call it as another's. So a name alone means a machine only where all
        servers were read and one machine is called so, and a name with its server never means a name with a slash.
        """
        machine, entry = verdict.machine, candidate.waiver.entry
        if machine is None:
            return False
        text = folded("".join(entry.machine or ()))
        is_full = text in names.machine - {folded(machine.name)} | {folded(str(machine)), folded(machine.guid)}
        with_server = len(entry.server or ()) == 1 and all(map(is_plain, entry.server or ()))
        if not is_full and not with_server and ("/" in text or self._is_any_unread):
            return False
        met = {(other.server, other.guid.casefold(), other.role) for other in (machine, *self._met(candidate))}
        return len({guid for _, guid, _ in met}) == 1 and len({role for _, _, role in met}) == len(met)

    @cached_property
    def _is_any_unread(self) -> bool:
        return any(server.unread for server in self._estate.servers)

    def _met(self, candidate: _Compiled) -> Iterator[VirtualMachine]:
        texts = map(folded, candidate.waiver.entry.machine or ())
        machines = (machine for text in texts for machine in self._by_name.get(text, ()))
        return (machine for machine in machines if candidate.covers(self._names_of(machine), without="adapter"))

    @cached_property
    def _by_name(self) -> Mapping[str, list[VirtualMachine]]:
        machines: dict[str, list[VirtualMachine]] = defaultdict(list)
        for vm in self._estate.replicated:
            for name in _machine_names(vm.machine):
                machines[name].append(vm.machine)
        return machines

    # --- names --------------------------------------------------------------------------------------------------------

    def _names(self, verdict: Verdict) -> _SubjectNames:
        if machine := verdict.machine:
            adapter = verdict.subject if isinstance(verdict.subject, ReplicaAdapter) else None
            return self._names_of(machine, verdict.label, adapter)
        return self._with(verdict.server, verdict.cluster)

    def _names_of(
        self, machine: VirtualMachine, label: str = "", adapter: ReplicaAdapter | None = None
    ) -> _SubjectNames:
        own = label.rpartition("/")[0] if adapter else label  # an adapter's label begins with its machine's
        names = frozenset((*_machine_names(machine), folded(own))) if own else _machine_names(machine)
        return self._with(machine.server, machine.cluster, names, _adapter_names(adapter, label) if adapter else ())

    def _with(
        self, server: str | None, cluster: str | None, machine: Iterable[str] = (), adapter: Iterable[str] = ()
    ) -> _SubjectNames:
        known: Server | None = self._servers.get(server or "")
        site, groups = (known.site, known.groups) if known else (None, ())
        return _SubjectNames(
            server=frozenset(folded(name) for name in (server, cluster) if name),
            machine=frozenset(machine),
            adapter=frozenset(adapter),
            site=frozenset([folded(site)] if site else []),
            group=frozenset(map(folded, groups)),
        )


def _compiled(order: int, waiver: Waiver) -> _Compiled:
    kinds = ((kind, getattr(waiver.entry, kind)) for kind in _KINDS)
    return _Compiled(order, waiver, tuple((kind, Patterns.of(patterns)) for kind, patterns in kinds if patterns))


class _Sorted:
    """Waivers by how the names begin that they cover, so that few of them are tried on a subject: by the first kind of
    their patterns of which each has a beginning."""

    def __init__(self, waivers: Iterable[_Compiled]) -> None:
        self._plain: dict[tuple[str, str], list[_Compiled]] = defaultdict(list)
        self._beginnings: dict[tuple[str, str], list[_Compiled]] = defaultdict(list)
        self._others: list[_Compiled] = []
        for candidate in waivers:
            keys = _beginnings(candidate.waiver.entry)
            for kind, text, is_whole in keys:
                (self._plain if is_whole else self._beginnings)[kind, text].append(candidate)
            if not keys:
                self._others.append(candidate)
        self._longest = max((len(text) for _, text in self._beginnings), default=0)

    def find(self, names: _SubjectNames) -> dict[int, _Compiled]:
        candidates = {candidate.order: candidate for candidate in self._others}
        for kind in _KINDS:
            for name in getattr(names, kind):
                candidates |= {candidate.order: candidate for candidate in self._plain.get((kind, name), ())}
                for length in range(1, min(len(name), self._longest) + 1):
                    candidates |= {
                        candidate.order: candidate for candidate in self._beginnings.get((kind, name[:length]), ())
                    }
        return candidates


def _beginnings(entry: WaiverEntry) -> list[tuple[str, str, bool]]:
    """Return kind, beginning, and whether that is all of it, for each text of the first kind that has beginnings."""
    for kind in ("machine", "adapter", "server", "group", "site"):
        texts: Collection[str] = getattr(entry, kind) or ()
        keys = [(kind, beginning_of(text), is_plain(text)) for text in map(folded, texts)]
        if keys and all(beginning for _, beginning, _ in keys):
            return list(dict.fromkeys(keys))
    return []


def _machine_names(machine: VirtualMachine) -> frozenset[str]:
    return frozenset(map(folded, (machine.name, str(machine), machine.guid)))


def _adapter_names(adapter: ReplicaAdapter, label: str) -> Iterator[str]:
    yield folded(adapter.guid)
    yield folded(label.rpartition("/")[2])
    if adapter.adapter:
        yield folded(adapter.adapter.name)
        yield folded(adapter.adapter.label)
