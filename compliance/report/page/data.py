"""What the page knows, as compact JSON: columns in place of rows, each text once, and nothing for what passed.

50,000 machines under 18 rules are 900,000 verdicts. A machine that has neither a finding nor a bit in a rule's
"not applicable" passed it, and the counts say so: they come from the verdicts, not from the columns.
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from compliance.gate.decision import Decision
from compliance.gate.exits import Exit
from compliance.model import Cluster, Estate, ReplicatedVM, Server
from compliance.report.gate_text import gate_lines
from compliance.report.table import Table, impacts
from compliance.rule import Result, Rule
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA
from compliance.words import printable

LONGEST = 600
"""Letters of one text that a host may have had a hand in."""

VERSION = 2

Place = tuple[type, str]


def data(table: Table) -> str:
    """For a ``<script type="application/json">``: no ``<``, so that no text ends the element or begins another."""
    told = json.dumps(_document(table), ensure_ascii=False, separators=(",", ":"))
    # Line separators are harmless in JSON today, and were not in every browser.
    for sign in "<>&\u2028\u2029":
        told = told.replace(sign, f"\\u{ord(sign):04x}")
    return told.encode("utf-8", "replace").decode()


def _document(table: Table) -> dict[str, object]:
    rules = list({one.verdict.rule.key: one.verdict.rule for one in table.decisions}.values())
    machines = _Machines(table)
    texts = _Texts()
    findings = _findings(table, rules, machines, texts)
    return {
        "version": VERSION,
        "estate": texts.plain(table.estate.name),
        "sentence": texts.plain(table.headline, 2000),
        "gate": [texts.plain(line, 1000) for line in gate_lines(table.gate)],
        "open": table.gate.is_open,
        "rules": [_rule(rule, table) for rule in rules],
        "servers": _servers(table),
        "machines": machines.columns(),
        "not_applicable": _not_applicable(table, rules, machines),
        "findings": findings,
        "vanished": [[one.rule, texts.plain(one.label)] for one in table.gate.vanished],
        "has_baseline": table.baseline is not None,
        "texts": texts.found,
    }


class _Texts:
    """Each text once, capped and printable; columns hold its number, and 0 is none."""

    def __init__(self) -> None:
        self.found: list[str] = [""]
        self._numbers: dict[str, int] = {"": 0}

    def number(self, text: str) -> int:
        if text not in self._numbers:
            self._numbers[text] = len(self.found)
            self.found.append(self.plain(text))
        return self._numbers[text]

    @staticmethod
    def plain(text: str, longest: int = LONGEST) -> str:
        text = printable(text[: longest * 2])
        return text if len(text) <= longest else f"{text[: longest - 1]}…"


class _Machines:
    """Every replicated machine in scope, in the estate's order, by a number."""

    def __init__(self, table: Table) -> None:
        self._servers = {server.name: number for number, server in enumerate(table.estate.servers)}
        self.numbers: dict[int, int] = {}
        self._columns: dict[str, list[object]] = {"name": [], "server": [], "side": []}
        self.sides: list[str] = []
        for decision in table.decisions:
            subject = decision.verdict.subject
            if isinstance(subject, ReplicatedVM) and id(subject) not in self.numbers:
                self._add(subject, decision.verdict.label)

    def _add(self, subject: ReplicatedVM, label: str) -> None:
        self.numbers[id(subject)] = len(self.numbers)
        side = printable(str(subject.machine.role))
        if side not in self.sides:
            self.sides.append(side)
        place = printable(subject.machine.place)
        self._columns["name"].append(_Texts.plain(label.removeprefix(f"{place}/"), 256))
        self._columns["server"].append(self._servers[subject.machine.server])
        self._columns["side"].append(self.sides.index(side))

    def columns(self) -> Mapping[str, object]:
        return {**self._columns, "sides": self.sides}


def _rule(rule: Rule, table: Table) -> dict[str, object]:
    counts = Counter(one.shown.outcome.result for one in table.decisions if one.verdict.rule.key == rule.key)
    return {
        "key": rule.key,
        "severity": rule.severity.value,
        "title": rule.title,
        "issue": rule.issue,
        "impact": rule.impact,
        "impacts": impacts(rule),
        "resolution": rule.resolution,
        "link": rule.link if (rule.link or "").startswith("https://") else None,
        "quoted": rule.quoted,
        "of_machines": rule.of_machines,
        "counts": {result.value: counts[result] for result in Result},
    }


def _servers(table: Table) -> list[dict[str, object]]:
    """Servers, then clusters. One that no verdict in scope is about was not judged, and has not passed."""
    judged: set[tuple[type, str | None]] = set()
    for decision in table.decisions:
        kind = Cluster if isinstance(decision.verdict.subject, Cluster) else Server
        judged.add((kind, decision.verdict.cluster if kind is Cluster else decision.verdict.server))
    estate = table.estate
    told = [*map(_server, estate.servers), *map(_cluster, estate.clusters)]
    return [one | {"judged": place in judged} for one, place in zip(told, _places(estate), strict=True)]


def _server(server: Server) -> dict[str, object]:
    plain = _Texts.plain
    return {**_both(server), "version": plain(server.version or ""), "cluster": plain(server.cluster or "")}


def _cluster(cluster: Cluster) -> dict[str, object]:
    """Behind the servers, as one of them that has nodes in place of machines."""
    return {**_both(cluster), "nodes": [_Texts.plain(node) for node in cluster.nodes]}


def _both(one: Server | Cluster) -> dict[str, object]:
    plain = _Texts.plain
    return {
        "name": plain(one.name),
        "site": plain(one.site or ""),
        "groups": [plain(group) for group in one.groups],
        "unread": plain(str(one.unread)) if one.unread else "",
        "insecure": plain(one.insecure or ""),
        "remarks": [plain(remark) for remark in one.remarks[:20]],
    }


def _places(estate: Estate) -> Mapping[Place, int]:
    """A cluster may bear a server's name: where its nodes are not known, one stands there for them."""
    return {(type(one), one.name): number for number, one in enumerate(estate.read)}


def _findings(table: Table, rules: Sequence[Rule], machines: _Machines, texts: _Texts) -> dict[str, list[object]]:
    """Whatever neither passed nor was not applicable, worst first; ``subject`` is a machine's number, or -1 - that of a
    server or cluster, or null for the estate."""
    numbers = {rule.key: number for number, rule in enumerate(rules)}
    places = _places(table.estate)
    order = (Result.FAILED, Result.UNKNOWN, Result.WAIVED)
    found = [one for one in table.decisions if one.shown.outcome.result in order]
    found.sort(key=lambda one: (order.index(one.shown.outcome.result), one.verdict.rule.severity.rank))
    columns: dict[str, list[object]] = {}
    for decision in found:
        for name, value in _finding(decision, numbers, places, machines, texts):
            columns.setdefault(name, []).append(value)
    return columns


def _finding(
    decision: Decision, rules: Mapping[str, int], places: Mapping[Place, int], machines: _Machines, texts: _Texts
) -> list[tuple[str, object]]:
    verdict, outcome = decision.shown, decision.shown.outcome
    subject: int | None = machines.numbers.get(id(verdict.subject))
    if isinstance(verdict.subject, Server | Cluster):
        subject = -1 - places[type(verdict.subject), verdict.subject.name]
    after = verdict.machine.failover_addresses if verdict.machine else ()
    return [
        ("rule", rules[verdict.rule.key]),
        ("subject", subject),
        ("result", outcome.result.value[0]),  # f, u, w
        ("text", texts.number(outcome.finding)),
        ("evidence", texts.number(outcome.evidence)),
        ("bpa", texts.number(outcome.fact(BPA))),
        ("remarks", [texts.number(remark) for remark in outcome.remarks[:10]]),
        ("now", texts.number(_join_addresses(outcome.facts.get(ADDRESSES_NOW, ())))),
        ("after", texts.number(_join_addresses(after))),
        ("guid", texts.plain(verdict.machine.guid, 64) if verdict.machine else ""),
        ("state", texts.number(decision.state.value if decision.state else "")),
        ("waiver", texts.number(decision.waiver.place if decision.waiver else "")),
        ("closes", 0 if decision.closes is Exit.OPEN else 1),
    ]


def _join_addresses(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 8} more" if len(addresses) > 8 else ""
    return ", ".join(addresses[:8]) + more


def _not_applicable(table: Table, rules: Sequence[Rule], machines: _Machines) -> list[str]:
    """For each rule a bit a machine, the first in the lowest bit of the first octet, in base64; empty where none is."""
    size = (len(machines.numbers) + 7) // 8
    sets = {rule.key: bytearray(size) for rule in rules}
    for decision in table.decisions:
        verdict = decision.shown
        number = machines.numbers.get(id(verdict.subject))
        if number is not None and verdict.outcome.result is Result.NOT_APPLICABLE:
            sets[verdict.rule.key][number // 8] |= 1 << number % 8
    return [base64.b64encode(bits).decode() if any(bits) else "" for bits in sets.values()]
