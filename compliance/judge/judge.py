"""An estate and rules become verdicts. All of them, once, before anybody asks for one."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import compliance.rules
from compliance.errors import UsageError
from compliance.judge.labels import adapter_labels, labels_of
from compliance.judge.packages import rules_of_packages
from compliance.judge.requirements import check_requirements, pointing_to, subject_of, why_unread
from compliance.judge.subjects import adapters_of, sides_of, spoken, test_replicas
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Role, Server, Subject, Unread
from compliance.rule import Index, Outcome, Rule, Verdict, unknown
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.surroundings import EstateSurroundings
from compliance.words import join_names, printable

MOST_KNOWN = 4096
"""Outcomes that are looked at for an equal one."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule of this suite and of installed packages, worst severity first. A rule is one by standing in a
    module of ``rules``, or of an entry point. UsageError where a package's rules can't be taken."""
    bundled = tuple(_bundled())
    check_requirements(bundled)
    rules = (*bundled, *rules_of_packages())
    doubled = {key: count for key, count in Counter(rule.key for rule in rules).items() if count > 1}
    if doubled:
        modules = join_names(sorted({rule.module for rule in rules if rule.key in doubled}))
        raise UsageError(f"two rules are called {min(doubled)}: in {modules}")
    try:
        check_requirements(rules)
    except TypeError as error:
        raise UsageError(str(error)) from error
    return tuple(sorted(rules, key=lambda rule: (rule.severity.rank, rule.key)))


def _bundled() -> Iterator[Rule]:
    for family in pkgutil.iter_modules(compliance.rules.__path__):
        if not family.ispkg:
            module = importlib.import_module(f"{compliance.rules.__name__}.{family.name}")
            yield from (value for value in vars(module).values() if isinstance(value, Rule))


def judge(estate: Estate, rules: Sequence[Rule] | None = None) -> tuple[Verdict, ...]:
    """Judge every subject by every rule. Where a server could not be read, the server stands in for its machines."""
    bench = _Bench(estate, all_rules() if rules is None else rules)
    return tuple(verdict for rule in bench.rules if rule.applies(estate) for verdict in bench.judge(rule))


class _Bench:
    """What the rules of one call have in common: labels, adapters, indexes and outcomes are made once, however many
    rules ask for them."""

    def __init__(self, estate: Estate, rules: Sequence[Rule]) -> None:
        self.estate = estate
        self.rules = rules
        self.by_key = {rule.key: rule for rule in (*all_rules(), *rules)}
        self.tests = tuple(test_replicas(estate))
        self.labels = labels_of(estate, self.tests)
        self.servers = {server.name: server for server in estate.servers}
        self.surroundings = EstateSurroundings(estate)
        self.adapters: dict[int, tuple[ReplicaAdapter, ...] | Outcome] = {}
        self.adapter_labels: dict[int, str] = {}
        self.indexes: dict[type[Index], Index] = {}
        self.required = {key for rule in self.by_key.values() for key in rule.requires}
        self.known: dict[str, Outcome] = {}  # by what they say, the last few
        self.outcomes: dict[tuple[str, int], Outcome] = {}  # of those that another rule rests on
        machines = (*estate.replicated, *self.tests)
        self.unread = {id(vm): outcome for vm in machines if (outcome := why_unread(vm))}

    def judge(self, rule: Rule) -> Iterator[Verdict]:
        if rule.of_machines:
            for server in self.estate.servers:
                if server.unread:
                    yield self._unread(rule, server, server.unread)
            for vm in self._sides(rule):
                yield from self._on_adapters(rule, vm) if rule.subject is ReplicaAdapter else [self._on(rule, vm)]
            return
        of_kind: dict[type[Subject], Sequence[Subject]] = {Server: self.estate.servers, Cluster: self.estate.clusters}
        for subject in of_kind.get(rule.subject, (self.estate,)):
            yield self._on(rule, subject)

    def _sides(self, rule: Rule) -> Iterator[ReplicatedVM]:
        yield from sides_of(self.estate, rule.sides)
        if Role.TEST_REPLICA in rule.sides:
            yield from self.tests

    def _on(self, rule: Rule, subject: Subject) -> Verdict:
        return self._verdict(rule, subject, self._outcome(rule, subject))

    def _outcome(self, rule: Rule, subject: Subject) -> Outcome:
        """Return what a rule says of a subject; the rule is called once, and never on what was not read."""
        if rule.key not in self.required:
            return self._say(rule, subject)
        key = rule.key, id(subject)
        if key not in self.outcomes:
            self.outcomes[key] = self._say(rule, subject)
        return self.outcomes[key]

    def _say(self, rule: Rule, subject: Subject) -> Outcome:
        before = (None if rule.judges_unread else self._why_unread(subject)) or self._required(rule, subject)
        return before or self._once(rule.judge(subject, self.estate.settings, self._index(rule)))

    def _once(self, outcome: Outcome) -> Outcome:
        """Return the outcome that came before and is equal, if it is not long ago: most machines pass in few words, and
        a large estate has each once."""
        known = self.known.get(outcome.finding)
        if known == outcome:
            return known
        if len(self.known) == MOST_KNOWN:
            self.known.clear()
        self.known[outcome.finding] = outcome
        return outcome

    def _why_unread(self, subject: Subject) -> Outcome | None:
        """Return what is said of it by every rule; of a machine it is found once, for all of them and its adapters."""
        vm = subject.vm if isinstance(subject, ReplicaAdapter) else subject
        return self.unread.get(id(vm)) if isinstance(vm, ReplicatedVM) else why_unread(subject)

    def _required(self, rule: Rule, subject: Subject) -> Outcome | None:
        """Return what is to be said in a rule's place where one on which it rests did not pass."""
        for key in rule.requires:
            required = self.by_key[key]
            on = subject_of(required, subject, self.servers)
            if on is not None and (outcome := pointing_to(required, self._outcome(required, on))):
                return outcome
        return None

    def _on_adapters(self, rule: Rule, vm: ReplicatedVM) -> Iterator[Verdict]:
        adapters = self._adapters(vm)
        if isinstance(adapters, Outcome):
            yield self._verdict(rule, vm, adapters)
            return
        outcomes = [(adapter, self._outcome(rule, adapter)) for adapter in adapters]
        for subject, outcome in spoken(vm, outcomes):
            yield self._verdict(rule, subject, outcome)

    def _adapters(self, vm: ReplicatedVM) -> tuple[ReplicaAdapter, ...] | Outcome:
        adapters = self.adapters.get(id(vm))
        if adapters is None:
            adapters = self.adapters[id(vm)] = self.unread.get(id(vm)) or adapters_of(vm, self.surroundings)
            if not isinstance(adapters, Outcome):
                names = adapter_labels(self.labels[id(vm)], adapters)
                self.adapter_labels.update((id(adapter), names[adapter.guid]) for adapter in adapters)
        return adapters

    def _index(self, rule: Rule) -> Index | None:
        if rule.index is None:
            return None
        if rule.index not in self.indexes:
            self.indexes[rule.index] = rule.index.of(self.estate)
        return self.indexes[rule.index]

    def _unread(self, rule: Rule, server: Server, why: Unread) -> Verdict:
        outcome = unknown(f"its virtual machines are unknown, since it was not read: {why}", cause=Cause.SERVER_UNREAD)
        return self._verdict(rule, server, outcome)

    def _verdict(self, rule: Rule, subject: Subject, outcome: Outcome) -> Verdict:
        label = self.labels.get(id(subject)) or self.adapter_labels.get(id(subject)) or printable(str(subject))
        return Verdict(rule=rule, estate=self.estate.name, label=label, subject=subject, outcome=outcome)
