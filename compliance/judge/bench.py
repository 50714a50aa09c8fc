"""One call of all rules. Each machine is taken up once, so that its rules share what they begin with; the verdicts
stand rule by rule all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from compliance.judge.labels import adapter_labels, labels_of
from compliance.judge.requirements import pointing_to, subject_of, why_unread
from compliance.judge.subjects import adapters_of, is_on, spoken, test_replicas
from compliance.model import Cluster, Estate, ReplicaAdapter, ReplicatedVM, Role, Server, Subject, Unread
from compliance.rule import Index, Outcome, Rule, Verdict, unknown
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.surroundings import EstateSurroundings
from compliance.words import printable

MOST_KNOWN = 4096
"""Outcomes that are looked at for an equal one."""
RuleVerdicts = tuple[Rule, list[Verdict]]


class Bench:
    """What the rules of one call have in common: labels, indexes and outcomes are made once, however many rules ask for
    them. ``known``: rules on which these may rest."""

    def __init__(self, estate: Estate, rules: Sequence[Rule], known: Iterable[Rule]) -> None:
        self._estate = estate
        self._by_key = {rule.key: rule for rule in (*known, *rules)}
        self._required = {key for rule in self._by_key.values() for key in rule.requires}
        self._verdicts: list[RuleVerdicts] = [(rule, []) for rule in rules if rule.applies(estate)]
        self._tests = tuple(test_replicas(estate))
        self._labels = labels_of(estate, self._tests)
        self._servers = {server.name: server for server in estate.servers}
        self._surroundings = EstateSurroundings(estate)
        self._indexes: dict[type[Index], Index] = {}
        self._alike: dict[str, Outcome] = {}  # by what they say, the last few
        self._outcomes: dict[tuple[str, int], Outcome] = {}  # of those that another rule rests on
        self._outcomes_of_machine: dict[tuple[str, int], Outcome] = {}  # the same, of the machine that is taken up

    def judge(self) -> Iterator[Verdict]:
        for rule, verdicts in self._verdicts:
            verdicts += self._on_unread_servers(rule) if rule.of_machines else self._on_others(rule)
        asked: dict[Role | Unread, list[RuleVerdicts]] = {}
        for vm in (*self._estate.replicated, *self._tests):
            role = vm.machine.role
            if role not in asked:
                asked[role] = [(rule, verdicts) for rule, verdicts in self._verdicts if is_on(rule, role)]
            self._on_machine(vm, asked[role])
        for _, verdicts in self._verdicts:
            yield from verdicts

    def _on_unread_servers(self, rule: Rule) -> Iterator[Verdict]:
        """Yield what stands in for the machines that a server which was not read would have shown."""
        for server in self._estate.servers:
            if why := server.unread:
                finding = f"its virtual machines are unknown, since it was not read: {why}"
                yield self._verdict(rule, server, unknown(finding, cause=Cause.SERVER_UNREAD), self._label(server))

    def _on_others(self, rule: Rule) -> Iterator[Verdict]:
        of_kind: dict[type[Subject], Sequence[Subject]] = {Server: self._estate.servers, Cluster: self._estate.clusters}
        for subject in of_kind.get(rule.subject, (self._estate,)):
            outcome = self._outcome(rule, subject, why_unread(subject))
            yield self._verdict(rule, subject, outcome, self._label(subject))

    def _on_machine(self, vm: ReplicatedVM, asked: Iterable[RuleVerdicts]) -> None:
        """Ask each of these rules of a machine, or of its adapters."""
        self._outcomes_of_machine.clear()
        unread, label = why_unread(vm), self._label(vm)
        adapters = unread or adapters_of(vm, self._surroundings)
        labels = {} if isinstance(adapters, Outcome) else adapter_labels(label, adapters)
        for rule, verdicts in asked:
            if rule.subject is ReplicatedVM:
                verdicts.append(self._verdict(rule, vm, self._outcome(rule, vm, unread), label))
            elif isinstance(adapters, Outcome):
                verdicts.append(self._verdict(rule, vm, adapters, label))
            else:
                outcomes = [(adapter, self._outcome(rule, adapter, unread)) for adapter in adapters]
                for subject, outcome in spoken(vm, outcomes):
                    own = labels[subject.guid] if isinstance(subject, ReplicaAdapter) else label
                    verdicts.append(self._verdict(rule, subject, outcome, own))

    def _outcome(self, rule: Rule, subject: Subject, unread: Outcome | None) -> Outcome:
        """Return what a rule says of a subject; the rule is called once, and never on what was not read.

        ``unread``: what is said of the subject in the place of every rule that is not about that.
        """
        if rule.key not in self._required:
            return self._say(rule, subject, unread)
        outcomes = self._outcomes_of_machine if rule.of_machines else self._outcomes
        key = rule.key, id(subject)
        if key not in outcomes:
            outcomes[key] = self._say(rule, subject, unread)
        return outcomes[key]

    def _say(self, rule: Rule, subject: Subject, unread: Outcome | None) -> Outcome:
        if unread and not rule.judges_unread:
            return unread
        if rule.requires and (outcome := self._say_in_its_place(rule, subject, unread)):
            return outcome
        index = self._index(rule.index) if rule.index else None
        return self._once(rule.judge(subject, self._estate.settings, index))

    def _say_in_its_place(self, rule: Rule, subject: Subject, unread: Outcome | None) -> Outcome | None:
        """Return what is to be said where a rule on which this one rests did not pass."""
        for key in rule.requires:
            required = self._by_key[key]
            if on := subject_of(required, subject, self._servers):
                outcome = self._outcome(required, on, unread if required.of_machines else why_unread(on))
                if pointing := pointing_to(required, outcome):
                    return pointing
        return None

    def _once(self, outcome: Outcome) -> Outcome:
        """Return the outcome that came before and is equal, if it is not long ago: most machines pass in few words, and
        a large estate has each once."""
        alike = self._alike.get(outcome.finding)
        if alike is outcome or alike == outcome:
            return alike
        if len(self._alike) == MOST_KNOWN:
            self._alike.clear()
        self._alike[outcome.finding] = outcome
        return outcome

    def _index(self, kind: type[Index]) -> Index:
        if kind not in self._indexes:
            self._indexes[kind] = kind.of(self._estate)
        return self._indexes[kind]

    def _label(self, subject: Subject) -> str:
        return self._labels.get(id(subject)) or printable(str(subject))

    def _verdict(self, rule: Rule, subject: Subject, outcome: Outcome, label: str) -> Verdict:
        return Verdict(rule=rule, estate=self._estate.name, label=label, subject=subject, outcome=outcome)
