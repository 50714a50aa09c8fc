"""results.json: every verdict, for programs, and for a later run as its baseline.

The form is in results.schema.json beside this file; keys may be added, none changes its meaning. It depends on the
snapshot, the policy, the waivers and the baseline alone: not on the clock beyond what of the waivers has ended by it,
and not on what the inventory was called, so that a run and its replay write the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from compliance.gate.baseline import FORMAT, VERSION
from compliance.gate.decision import Decision
from compliance.judge.readiness import Readiness
from compliance.model import Cluster, ReplicatedVM, Server, VirtualMachine
from compliance.report.json_parts import compact, grounds, lines, present, waiver, waivers
from compliance.report.remedies import Remedies
from compliance.report.table import ATTRIBUTION, Table, rank
from compliance.rule import Result, Rule, Verdict
from compliance.rules.evidence.facts import ADDRESSES_NOW, BPA


def results(table: Table) -> Iterator[str]:
    """In pieces, since a whole one may take more memory than all that it tells of."""
    estate = table.estate
    head = {
        "format": FORMAT,
        "version": VERSION,
        "tool": table.tool,
        "estate": estate.name,
        "time": estate.time.isoformat(),
        "complete": table.complete,
        "scope": table.scope,
        "inventory_digest": table.inventory_digest,
        "unread_servers": sorted(server.name for server in table.unread),
        "headline": table.headline,
        "counts": {result.value: table.count(result) for result in Result},
        **grounds(table),
    }
    decisions = table.ordered
    lists: dict[str, Iterable[object]] = {
        "rules": [_rule(rule) for rule in sorted(table.rules.values(), key=rank)],
        "servers": [_server(server) for server in sorted(estate.servers, key=lambda one: one.name.casefold())],
        **({"clusters": [_cluster(one) for one in estate.clusters]} if estate.clusters else {}),
        "waivers": [waiver(one) for one in waivers(table)],
        "remedies": [{"key": key, "text": text} for key, text in table.remedies.texts.items()],
        "readiness": (_readiness(one, table.remedies) for one in _in_order(table.readiness)),
        "results": _results(table, decisions),
        "passed": _passed(decisions),
        "vanished": [
            present({"rule": one.rule, "label": one.label, "server": one.server, "identity": one.identity})
            for one in table.gate.vanished
        ],
    }
    yield compact(head)[:-1]
    for name, values in lists.items():
        yield f",\n{compact(name)}:"
        yield from lines(values)
    yield "}\n"


def _rule(rule: Rule) -> dict[str, object]:
    known = {
        "key": rule.key,
        "severity": rule.severity.value,
        "title": rule.title,
        "issue": rule.issue,
        "impact": rule.impact,
        "resolution": rule.resolution,
        "link": rule.link,
        "attribution": ATTRIBUTION if rule.quoted else None,
    }
    return present(known)


def _server(server: Server) -> dict[str, object]:
    known = {
        "name": server.name,
        "host_name": server.host_name,
        "cluster": server.cluster,
        "site": server.site,
        "groups": list(server.groups),
        "version": server.version,
        "why_unread": server.unread.why.value if server.unread else None,
        "reason": str(server.unread) if server.unread else None,
        "doubt": server.doubt,
        "partial": server.partial,
        "insecure": server.insecure,
        "remarks": list(server.remarks),
    }
    return {**present(known), "read": server.unread is None, "machines": len(server.machines)}


def _cluster(cluster: Cluster) -> dict[str, object]:
    known = {
        "name": cluster.name,
        "own_name": cluster.own_name,
        "site": cluster.site,
        "groups": list(cluster.groups),
        "nodes": list(cluster.nodes),
        "why_unread": cluster.unread.why.value if cluster.unread else None,
        "reason": str(cluster.unread) if cluster.unread else None,
        "doubts": list(cluster.doubts),
        "insecure": cluster.insecure,
        "remarks": list(cluster.remarks),
    }
    return {**present(known), "read": cluster.unread is None, "machines": cluster.expected}


def _in_order(machines: Iterable[Readiness]) -> list[Readiness]:
    """Return them by name, GUID, direction and server: the last first, since all four as one key would take more memory
    than the rest of the report."""
    ordered = sorted(machines, key=lambda machine: machine.primary or machine.replica)
    ordered.sort(key=lambda machine: machine.direction)
    ordered.sort(key=lambda machine: machine.guid.casefold())
    ordered.sort(key=lambda machine: machine.name.casefold())
    return ordered


def _readiness(machine: Readiness, remedies: Remedies) -> dict[str, object]:
    known = {
        "guid": machine.guid,
        "name": machine.name,
        "direction": machine.direction.value,
        "word": machine.word.value,
        "reason": machine.reason,
        "condition": machine.condition,
        "rests_on": machine.rests_on.value if machine.rests_on else None,
        "primary": machine.primary,
        "replica": machine.replica,
        "failover_addresses": list(machine.failover_addresses),
        "today": machine.today,
    }
    return {**known, **present({"cause": machine.cause, **_remedy(machine, remedies)})}


def _remedy(subject: Verdict | Readiness, remedies: Remedies) -> dict[str, object]:
    """Return the key of what to do, which many share, and the command, which is each one's own."""
    remedy = remedies.of(subject)
    command = remedy.command if remedy else None
    shown = {"shell": command.shell.value, "where": command.where, "text": command.text} if command else None
    return {"remedy": remedies.key_of(subject), "command": shown}


def _results(table: Table, decisions: Sequence[Decision]) -> Iterator[dict[str, object]]:
    servers = {server.name: server for server in table.estate.servers}
    for one in decisions:
        if one.reported.outcome.result is not Result.PASSED:
            yield _result(one, servers.get(one.verdict.server or ""), table.remedies)


def _result(decision: Decision, server: Server | None, remedies: Remedies) -> dict[str, object]:
    verdict, shown, finding = decision.verdict, decision.reported.outcome.result, decision.finding
    outcome = verdict.outcome
    known = {
        "server": verdict.server,
        "cluster": verdict.cluster,
        "judged": outcome.result.value if shown is not outcome.result else None,
        "finding": outcome.finding,
        "evidence": outcome.evidence,
        "cause": outcome.cause,
        **_remedy(verdict, remedies),
        "bpa": outcome.fact(BPA),
        "remarks": list(outcome.remarks),
        "machine": _machine(verdict.machine) if verdict.machine else None,
        "site": server.site if server else None,
        "groups": list(server.groups) if server else None,
        "addresses_now": list(outcome.facts.get(ADDRESSES_NOW, ())),
        "facts": {name: list(values) for name, values in outcome.facts.items() if name not in (ADDRESSES_NOW, BPA)},
        "identity": finding.identity if finding else None,
        "evidence_digest": finding.evidence if finding else None,
        "state": decision.state.name.lower() if decision.state else None,
        "waiver": decision.waiver.place if decision.waiver else None,
        "waiver_has_ended": decision.has_ended or None,
    }
    head = {"rule": verdict.rule.key, "label": verdict.label, "result": shown.value}
    return {**head, "severity": verdict.rule.severity.value, "closes": int(decision.closes), **present(known)}


def _machine(machine: VirtualMachine) -> dict[str, object]:
    addresses = {"failover_addresses": list(machine.failover_addresses)} if machine.failover_addresses else {}
    return {"guid": machine.guid, "name": machine.name, "side": str(machine.role), **addresses}


def _passed(decisions: Sequence[Decision]) -> Iterator[dict[str, object]]:
    """Their labels only, by rule and server; those apart that passed on a condition."""
    passed = [decision.verdict for decision in decisions if decision.reported.outcome.result is Result.PASSED]
    for (rule, server, condition), group in groupby(passed, key=_group):
        head = present({"rule": rule, "server": server, "condition": condition})
        yield {**head, "labels": [verdict.label for verdict in group]}


def _group(verdict: Verdict) -> tuple[str, str | None, str]:
    """Servers stand together."""
    subject = verdict.subject
    server = subject.machine.server if isinstance(subject, ReplicatedVM) else None
    return verdict.rule.key, server, verdict.outcome.condition
