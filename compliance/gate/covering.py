"""Which waivers cover a verdict. Names and patterns are folded once, and waivers sorted by what they name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from compliance.gate.waivers import Waiver, WaiverEntry
from compliance.model import Estate, ReplicaAdapter, Server, VirtualMachine
from compliance.patterns import Patterns, folded, is_plain
from compliance.rule import Result, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class _Names:
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

    def covers(self, names: _Names, *, without: str = "") -> bool:
        """Kinds narrow each other, several patterns of a kind widen it."""
        return all(patterns.match(getattr(names, kind)) for kind, patterns in self.kinds if kind != without)


class Waivers:
    """Waivers by the rules and machines that they name: thousands of them over thousands of findings take a moment."""

    def __init__(self, waivers: Iterable[Waiver], estate: Estate) -> None:
        self._estate = estate
        self._servers = {server.name: server for server in estate.servers}
        self._waivers = [_compiled(order, waiver) for order, waiver in enumerate(waivers)]
        self._by_rule: dict[str, tuple[Mapping[tuple[str, str], Sequence[_Compiled]], Sequence[_Compiled]]] = {}

    def covering(self, verdict: Verdict) -> list[Waiver]:
        """Return those that cover a verdict which failed or is unknown, in the order of the files.

        What is unknown is waived by an exact one only: it names one rule and, among all machines of the estate, one.
        """
        if not self._waivers:
            return []
        names = self._names(verdict)
        covering = [one for one in self._candidates(verdict.rule.key, names) if one.covers(names)]
        if verdict.outcome.result is Result.UNKNOWN:
            covering = [one for one in covering if one.waiver.is_exact and self._means(one, verdict, names)]
        return [one.waiver for one in covering]

    def _candidates(self, rule: str, names: _Names) -> Sequence[_Compiled]:
        """Those that name the rule, and this subject by one of its names, or others by a pattern."""
        if rule not in self._by_rule:
            key = folded(rule)
            self._by_rule[rule] = _sorted(one for one in self._waivers if one.waiver.rules.match([key]))
        by_name, others = self._by_rule[rule]
        keys = ((kind, name) for kind in _KINDS for name in getattr(names, kind))
        named = {one.order: one for key in keys for one in by_name.get(key, ())}
        return sorted([*named.values(), *others], key=lambda one: one.order) if named else others

    def _means(self, one: _Compiled, verdict: Verdict, names: _Names) -> bool:
        """Does an exact waiver mean this verdict's machine and no other? The sides of a machine have one GUID, and each
        a role of its own.

        A server that wants its machine waived may call it as another's. So a name alone means a machine only where all
        servers were read and one machine is called so, and a name with its server never means a name with a slash.
        """
        machine, entry = verdict.machine, one.waiver.entry
        if machine is None:
            return False
        text = folded("".join(entry.machine or ()))
        is_full = text in names.machine - {folded(machine.name)} | {folded(str(machine)), folded(machine.guid)}
        with_server = len(entry.server or ()) == 1 and all(map(is_plain, entry.server or ()))
        if not is_full and not with_server and ("/" in text or self._is_any_unread):
            return False
        met = {(other.server, other.guid.casefold(), other.role) for other in (machine, *self._met(one))}
        return len({guid for _, guid, _ in met}) == 1 and len({role for _, _, role in met}) == len(met)

    @cached_property
    def _is_any_unread(self) -> bool:
        return any(server.unread for server in self._estate.servers)

    def _met(self, one: _Compiled) -> Iterator[VirtualMachine]:
        texts = map(folded, one.waiver.entry.machine or ())
        machines = (machine for text in texts for machine in self._by_name.get(text, ()))
        return (machine for machine in machines if one.covers(self._names_of(machine), without="adapter"))

    @cached_property
    def _by_name(self) -> Mapping[str, list[VirtualMachine]]:
        machines: dict[str, list[VirtualMachine]] = defaultdict(list)
        for vm in self._estate.replicated:
            for name in _machine_names(vm.machine):
                machines[name].append(vm.machine)
        return machines

    # --- names --------------------------------------------------------------------------------------------------------

    def _names(self, verdict: Verdict) -> _Names:
        if machine := verdict.machine:
            adapter = verdict.subject if isinstance(verdict.subject, ReplicaAdapter) else None
            return self._names_of(machine, verdict.label, adapter)
        return self._with(verdict.server, verdict.cluster)

    def _names_of(self, machine: VirtualMachine, label: str = "", adapter: ReplicaAdapter | None = None) -> _Names:
        own = label.rpartition("/")[0] if adapter else label  # an adapter's label begins with its machine's
        names = frozenset((*_machine_names(machine), folded(own))) if own else _machine_names(machine)
        return self._with(machine.server, machine.cluster, names, _adapter_names(adapter, label) if adapter else ())

    def _with(
        self, server: str | None, cluster: str | None, machine: Iterable[str] = (), adapter: Iterable[str] = ()
    ) -> _Names:
        known: Server | None = self._servers.get(server or "")
        site, groups = (known.site, known.groups) if known else (None, ())
        return _Names(
            server=frozenset(folded(name) for name in (server, cluster) if name),
            machine=frozenset(machine),
            adapter=frozenset(adapter),
            site=frozenset([folded(site)] if site else []),
            group=frozenset(map(folded, groups)),
        )


def _compiled(order: int, waiver: Waiver) -> _Compiled:
    kinds = ((kind, getattr(waiver.entry, kind)) for kind in _KINDS)
    return _Compiled(order, waiver, tuple((kind, Patterns.of(patterns)) for kind, patterns in kinds if patterns))


def _sorted(
    waivers: Iterable[_Compiled],
) -> tuple[Mapping[tuple[str, str], Sequence[_Compiled]], Sequence[_Compiled]]:
    """By the kind and text of what they name in full, and those that must be tried on each."""
    by_name: dict[tuple[str, str], list[_Compiled]] = defaultdict(list)
    others: list[_Compiled] = []
    for one in waivers:
        names = _plain_names(one.waiver.entry)
        for name in names:
            by_name[name].append(one)
        if not names:
            others.append(one)
    return by_name, others


def _plain_names(entry: WaiverEntry) -> list[tuple[str, str]]:
    """Return the texts of the first kind that holds no pattern: whatever it covers has one of these names."""
    for kind in ("machine", "adapter", "server", "group", "site"):
        texts: Collection[str] = getattr(entry, kind) or ()
        if texts and all(map(is_plain, texts)):
            return [(kind, text) for text in dict.fromkeys(map(folded, texts))]
    return []


def _machine_names(machine: VirtualMachine) -> frozenset[str]:
    return frozenset(map(folded, (machine.name, str(machine), machine.guid)))


def _adapter_names(adapter: ReplicaAdapter, label: str) -> Iterator[str]:
    yield folded(adapter.guid)
    yield folded(label.rpartition("/")[2])
    if adapter.adapter:
        yield folded(adapter.adapter.name)
        yield folded(adapter.adapter.label)
