"""How much of what is in scope was judged: servers, and the machines that have, or may have, a failover address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.rule import Result, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Servers that were read, and replicated virtual machines of which it is known whether they are ready."""

    servers: int
    servers_read: int
    machines: int
    machines_judged: int

    @property
    def server_percent(self) -> float:
        return 100 * self.servers_read / self.servers if self.servers else 100

    @property
    def machine_percent(self) -> float:
        return 100 * self.machines_judged / self.machines if self.machines else 100


@dataclass(frozen=True, kw_only=True, slots=True)
class SilentMachine:
    """A machine whose readiness is unknown, why, and of which no verdict says so: a side of it was not seen."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class MachineCount:
    """Machines that have, or may have, a failover address in the direction that is asked for; and those of them that
    are known to be ready, ready on a condition, or not ready. ``silent``: those of the rest that have no verdict which
    failed or is unknown, so that none closes the gate."""

    all: int
    judged: int
    silent: tuple[SilentMachine, ...] = ()


def coverage_of(verdicts: Sequence[Verdict], machines: MachineCount | None = None) -> Coverage:
    """Return it for the verdicts in scope, so that a narrowed gate counts what it is about.

    Without a count of machines those are counted that every rule in scope could judge.
    """
    subjects = {
        id(verdict.subject): verdict for verdict in verdicts
    }.values()  # each once, whatever number of rules there is
    unknown = [verdict for verdict in verdicts if verdict.outcome.result is Result.UNKNOWN]
    servers = {verdict.server for verdict in subjects} - {None}
    machines = machines or _count(subjects, unknown)
    return Coverage(
        servers=len(servers),
        servers_read=len(servers - {verdict.server for verdict in unknown if verdict.machine is None}),
        machines=machines.all,
        machines_judged=machines.judged,
    )


def _count(subjects: Iterable[Verdict], unknown: Iterable[Verdict]) -> MachineCount:
    seen = {_machine(verdict) for verdict in subjects} - {None}
    return MachineCount(len(seen), len(seen - {_machine(verdict) for verdict in unknown}))


def _machine(verdict: Verdict) -> tuple[str, str] | None:
    machine = verdict.machine
    return (machine.server, machine.guid) if machine else None
