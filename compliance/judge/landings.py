"""What failovers that were made, and tests of them, say of readiness: the last step, which decides alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from compliance.model import ReplicatedVM, Role, VirtualMachine
from compliance.rule import Result, Verdict
from compliance.rules.evidence.replications import key_of

LANDED = "failover-ip-landed"
ON_ONE_SIDE = "runs-on-one-side"
FAILED, UNKNOWN = Result.FAILED, Result.UNKNOWN
SideKey = tuple[str, str]
"""Server and GUID of one side of a machine."""


@dataclass(frozen=True, slots=True)
class Landings:
    """Verdicts by server and GUID of a side; those on a test replica by the replica that it was made from."""

    verdicts: Mapping[SideKey, Sequence[Verdict]]
    both_run: Mapping[SideKey, Verdict]

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Self:
        landings: dict[SideKey, list[Verdict]] = defaultdict(list)
        both_run: dict[SideKey, Verdict] = {}
        for verdict in verdicts:
            key = verdict.rule.key
            if key not in (LANDED, ON_ONE_SIDE) or (machine := verdict.machine) is None:
                continue
            if key == LANDED:
                landings[(machine.server, machine.test_of or machine.guid)].append(verdict)
            elif verdict.outcome.result in (FAILED, UNKNOWN):
                both_run[key_of(machine)] = verdict
        return cls(landings, both_run)

    def decisive(self, machine: VirtualMachine) -> Verdict | None:
        """Return what a landing decides: the machine's own before its test replicas', and a failed one first."""
        landings = [
            verdict
            for verdict in self.verdicts.get(key_of(machine), ())
            if verdict.outcome.result is Result.FAILED or _has_all_landed(verdict, machine)
        ]
        return min(landings, key=lambda verdict: (is_of_test(verdict), verdict.outcome.result), default=None)

    def unknown(self, machine: VirtualMachine) -> Verdict | None:
        """Return what is open about the last step, the machine's own first: its guest, or that of its test replica,
        runs there and does not show with what address."""
        open_landings = (
            verdict for verdict in self.verdicts.get(key_of(machine), ()) if verdict.outcome.result is Result.UNKNOWN
        )
        return min(open_landings, key=is_of_test, default=None)

    def on_both_sides(self, sides: Sequence[ReplicatedVM]) -> Verdict | None:
        """Return the finding that a replication runs on two sides, or that nobody knows whether it does."""
        found = [self.both_run[key] for vm in sides if (key := key_of(vm.machine)) in self.both_run]
        return min(found, key=lambda one: one.outcome.result is UNKNOWN, default=None)


def is_of_test(verdict: Verdict) -> bool:
    """Is it on what a test failover made, and not on the machine itself?"""
    return verdict.machine is not None and verdict.machine.role is Role.TEST_REPLICA


def _has_all_landed(verdict: Verdict, side: VirtualMachine) -> bool:
    """Did it come up with every address that is set on this side? A test replica keeps the settings of the day on
    which it was made, and those of the replica may have been changed since."""
    if verdict.outcome.result is not Result.PASSED or verdict.machine is None:
        return False
    return {*side.failover_addresses} <= {*verdict.machine.failover_addresses}
