"""Which verdicts a run shows: patterns for sites, groups, servers, machines, rules and severities. What is judged never
changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from compliance.model import Cluster, Server
from compliance.patterns import any_matches
from compliance.rule import Result, Severity, Verdict, passed


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """Glob patterns, without case; none narrows nothing. Several of one kind widen, kinds narrow each other."""

    servers: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()

    @property
    def narrows(self) -> bool:
        """Is there any pattern? Without one every verdict is in scope, and none need be asked."""
        return any(patterns for _, patterns in self._patterns())

    def holds(self, verdict: Verdict, servers: Mapping[str, Server] = MappingProxyType({})) -> bool:
        """``servers`` by their names: what they say of sites and groups. One without a site is on none."""
        return (
            _holds(self.rules, [verdict.rule.key])
            and _holds(self.severities, [verdict.rule.severity.value])
            and self._holds_place(verdict, servers)
            and self._holds_subject(verdict)
        )

    def chosen(self, every: Sequence[Verdict], servers: Mapping[str, Server], fail_at: Severity) -> Sequence[Verdict]:
        """Return the verdicts in scope, and that a server or cluster was not read where none of them closes the gate
        over it: rules below ``fail_at`` never do, and what was not read may hold anything that was asked for."""
        if not self.narrows:
            return every
        closed = {
            (verdict.server, verdict.cluster)
            for verdict in every
            if _is_open(verdict) and verdict.rule.severity.rank <= fail_at.rank and self.holds(verdict, servers)
        }
        wide = replace(self, rules=(), severities=())

        def is_lost(verdict: Verdict) -> bool:
            is_place = isinstance(verdict.subject, Server | Cluster) and verdict.rule.judges_unread
            return (
                is_place
                and _is_open(verdict)
                and (verdict.server, verdict.cluster) not in closed
                and wide.holds(verdict, servers)
            )

        return [verdict for verdict in every if self.holds(verdict, servers) or is_lost(verdict)]

    def selects(self, verdicts: Iterable[Verdict], servers: Mapping[str, Server] = MappingProxyType({})) -> bool:
        """Is one of these asked for itself? What is kept only because it is open is an answer to no question."""
        return any(self.holds(replace(verdict, outcome=passed("")), servers) for verdict in verdicts)

    def sides(
        self, verdicts: Iterable[Verdict], servers: Mapping[str, Server] = MappingProxyType({})
    ) -> set[tuple[str, str]]:
        """Return server and GUID of each side of a machine that is meant, whatever rules are selected."""
        wide = replace(self, rules=(), severities=())
        meant = (verdict for verdict in verdicts if wide.holds(verdict, servers)) if wide.narrows else verdicts
        on_each = {id(verdict.subject): verdict for verdict in meant}  # of one subject any: a rule each speaks of it
        machines = (verdict.machine for verdict in on_each.values())
        return {(machine.server, machine.guid) for machine in machines if machine}

    def unmet(self, verdicts: Iterable[Verdict], servers: Iterable[Server]) -> tuple[str, ...]:
        """The options that mean nothing that there is: else the gate would be about less, in silence."""
        if not self.narrows:
            return ()
        names: dict[str, set[str]] = {kind: set() for kind, _ in self._patterns() if kind != "severity"}
        for verdict in verdicts:
            names["rule"].add(verdict.rule.key)
            names["server"] |= {name for name in (verdict.server, verdict.cluster) if name}
            names["vm"] |= _names(verdict)
        for server in servers:
            names["site"] |= {server.site} if server.site else set()
            names["group"] |= set(server.groups)
        return tuple(
            f"--hv-{kind} {pattern}"
            for kind, patterns in self._patterns()
            for pattern in patterns
            if kind in names and not any_matches([pattern], names[kind])
        )

    def _holds_place(self, verdict: Verdict, servers: Mapping[str, Server]) -> bool:
        if verdict.server is None:  # of the whole estate; what is open about it stays
            return not (self.sites or self.groups) or _is_open(verdict)
        server = servers.get(verdict.server)
        site, groups = (server.site, server.groups) if server else (None, ())
        return _holds(self.sites, [] if site is None else [site]) and _holds(self.groups, groups)

    def _holds_subject(self, verdict: Verdict) -> bool:
        machine = verdict.machine
        if machine:
            return self._holds_server(verdict) and _holds(self.machines, [*_names(verdict)])
        # A server or an estate that could not be judged may hold a machine that was asked for: it stays.
        open_question = _is_open(verdict)
        if verdict.server is None and verdict.cluster is None:
            return open_question or not (self.servers or self.machines)
        return self._holds_server(verdict) and (open_question or not self.machines)

    def _holds_server(self, verdict: Verdict) -> bool:
        """A server is meant by its cluster's name as well."""
        return _holds(self.servers, [name for name in (verdict.server, verdict.cluster) if name])

    def _patterns(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return (
            ("site", self.sites),
            ("group", self.groups),
            ("server", self.servers),
            ("vm", self.machines),
            ("rule", self.rules),
            ("severity", self.severities),
        )

    def __str__(self) -> str:
        """As the options that made it; empty where nothing is narrowed."""
        return " ".join(f"--hv-{name} {pattern}" for name, patterns in self._patterns() for pattern in patterns)


def _names(verdict: Verdict) -> set[str]:
    """What its machine may be called; empty where it is about none."""
    machine = verdict.machine
    return {machine.name, machine.guid, str(machine), verdict.label} if machine else set()


def _is_open(verdict: Verdict) -> bool:
    return verdict.outcome.result not in (Result.PASSED, Result.NOT_APPLICABLE)


def _holds(patterns: Sequence[str], names: Sequence[str]) -> bool:
    return not patterns or any_matches(patterns, names)
