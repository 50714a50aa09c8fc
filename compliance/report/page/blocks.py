"""What a row opens to: both sides of a machine, each step of the way there, and all of its findings.

It is packed in blocks of some hundred machines, of which a browser unpacks the one that somebody opens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from compliance.gate.decision import Decision
from compliance.model import ReplicatedVM, Unread
from compliance.report.page.findings import FindingRow, finding_details
from compliance.report.page.rows import Machines
from compliance.report.page.texts import Packed, Pool, pack
from compliance.report.page.way import RULES, WayStep, way_of
from compliance.report.table import Table
from compliance.rules.evidence.replications import key_of

MACHINES = 512
"""Of one block."""
LARGE = 30_000
"""Octets of one from which on it is packed."""
STEPS = (*WayStep,)
NUMBERS = {step: number for number, step in enumerate(STEPS)}
Key = tuple[str, str]


def blocks(
    table: Table, machines: Machines, findings: Sequence[FindingRow], servers: Mapping[str, int]
) -> Iterator[Packed]:
    """Yield the blocks of the machines, in their order."""
    by_side = _decisions_by_side(table)
    by_machine: dict[int, list[FindingRow]] = defaultdict(list)
    for finding in findings:
        if finding.subject is not None and finding.subject >= 0:
            by_machine[finding.subject].append(finding)
    all_sides = machines.sides
    for first in range(0, len(all_sides), MACHINES):
        texts = Pool()
        values = [
            [
                [_side(vm, by_side.get(key_of(vm.machine), ()), servers, texts) for vm in all_sides[number]],
                [finding_details(finding, texts, table.remedies) for finding in by_machine.get(number, ())],
            ]
            for number in range(first, min(first + MACHINES, len(all_sides)))
        ]
        yield pack({"machines": values, "texts": texts.texts}, LARGE)


def _decisions_by_side(table: Table) -> Mapping[Key, Sequence[Decision]]:
    """Return what was decided on each side, its adapters, and what was made from it to try a failover."""
    found: dict[Key, list[Decision]] = defaultdict(list)
    for decision in table.decisions:
        if decision.verdict.rule.key in RULES and (machine := decision.verdict.machine):
            found[machine.server, machine.test_of or machine.guid].append(decision)
    return found


def _side(vm: ReplicatedVM, decisions: Sequence[Decision], servers: Mapping[str, int], texts: Pool) -> list[object]:
    """Return the server; role, power and remarks; and the way: step, letter and lines."""
    machine = vm.machine
    role, power = (str(value.reason if isinstance(value, Unread) else value) for value in (machine.role, machine.power))
    return [
        servers.get(machine.server, -1),
        [texts.cite(text) for text in (role, power, *machine.remarks[:10])],
        [
            [NUMBERS[step], stage.letter, [texts.cite(text) for text in stage.evidence]]
            for step, stage in way_of(vm, decisions).items()
        ],
    ]
