"""Whatever neither passed nor was not applicable, for the lists by rule and server, and beside each machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compliance.gate.decision import Decision
from compliance.gate.exits import Exit
from compliance.model import Cluster, ReplicatedVM, Server
from compliance.report.page.rows import Machines
from compliance.report.page.texts import Pool, plain
from compliance.report.remedies import Remedies
from compliance.report.table import Table, leave_out_repeats
from compliance.rule import Result
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.rules.evidence.replications import key_of
from compliance.rules.remedies.causes_text import cause_heading
from compliance.rules.remedies.remedy import Command
from compliance.words import join_names

ORDER = (Result.FAILED, Result.UNKNOWN, Result.WAIVED)
LONGEST_COMMAND = 4000
Place = tuple[type, str]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A decision, and the number of its subject: a machine's, -1 - that of a server or cluster, or None."""

    decision: Decision
    subject: int | None


def findings_of(table: Table, machines: Machines, places: Mapping[Place, int]) -> list[FindingRow]:
    """Return the findings, worst first. A server that was not read stands under its own rule only."""
    decisions = [one for one in table.more_than_passed if one.reported.outcome.result in ORDER]
    unknown = [one.reported for one in decisions if one.reported.outcome.result is Result.UNKNOWN]
    once = {id(verdict) for verdict in leave_out_repeats(unknown, table.servers_judged)} if unknown else ()
    decisions = [
        one for one in decisions if one.reported.outcome.result is not Result.UNKNOWN or id(one.reported) in once
    ]
    decisions.sort(key=lambda one: (ORDER.index(one.reported.outcome.result), one.verdict.rule.severity.rank))
    return [FindingRow(one, _subject(one, machines, places)) for one in decisions]


def _subject(decision: Decision, machines: Machines, places: Mapping[Place, int]) -> int | None:
    verdict = decision.verdict
    if verdict.vm:
        return machine_number(verdict.vm, machines)
    if isinstance(verdict.subject, Server | Cluster):
        return -1 - places[type(verdict.subject), verdict.subject.name]
    return None


def machine_number(vm: ReplicatedVM, machines: Machines) -> int | None:
    """Return the number of the machine of which this is a side, or that it was made from to try a failover."""
    number = machines.numbers.get(id(vm))
    if number is None and vm.machine.test_of:
        number = machines.by_key.get((vm.machine.server, vm.machine.test_of))
    return machines.by_key.get(key_of(vm.machine)) if number is None else number


def finding_columns(
    findings: Sequence[FindingRow],
    rules: Mapping[str, int],
    servers: Mapping[str, int],
    waivers: Mapping[str, int],
    texts: Pool,
    remedies: Remedies,
) -> dict[str, list[object]]:
    """Return the columns that lists need; what else there is of a machine's findings stands with the machine."""
    columns: dict[str, list[object]] = {}
    for finding in findings:
        verdict, outcome = finding.decision.reported, finding.decision.reported.outcome
        remedy = remedies.of(finding.decision.verdict)
        state, waiver = finding.decision.state, finding.decision.waiver
        cause = cause_heading(outcome.cause) or verdict.rule.violated
        values: tuple[tuple[str, object], ...] = (
            ("rule", rules[verdict.rule.key]),
            ("subject", finding.subject),
            ("label", 0 if finding.subject is not None and not verdict.adapter else texts.number(verdict.label)),
            ("server", servers.get(verdict.server or "", -1)),
            ("result", outcome.result.value[0]),  # f, u, w
            ("text", texts.number(outcome.finding)),
            ("cause", texts.number(cause)),
            ("remedy", texts.number(remedy.text if remedy else "")),
            ("state", texts.number(state.value if state else "")),
            ("waiver", waivers.get(waiver.place, -1) if waiver else -1),
            ("closes", 0 if finding.decision.closes is Exit.OPEN else 1),
        )
        for name, value in values:
            columns.setdefault(name, []).append(value)
    return columns


def finding_details(finding: FindingRow, texts: Pool, remedies: Remedies) -> list[object]:
    """Return evidence, what BPA would say, the address now and the remarks; then the command or null."""
    verdict = finding.decision.verdict
    outcome, remedy = verdict.outcome, remedies.of(verdict)
    now = join_names(outcome.facts.get(ADDRESSES_NOW, ()), 8)
    return [
        [texts.cite(text) for text in (outcome.evidence, outcome.fact(BPA), now, *outcome.remarks[:10])],
        command_of(remedy.command) if remedy and remedy.command else None,
    ]


def command_of(command: Command) -> list[str] | None:
    """Return shell, place and text; None where a copy would not be what was seen."""
    if len(command.text) > LONGEST_COMMAND or not all(line.isprintable() for line in command.text.split("\n")):
        return None
    return [command.shell.value, plain(command.where), command.text]
