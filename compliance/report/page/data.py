"""What the page knows, as compact JSON: columns in place of rows, each text once, and details apart, in blocks.

50,000 machines under 18 rules are 900,000 verdicts. A table of them must be there at once, and one machine's whole
story only when somebody opens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from compliance.judge.headline import DIRECTIONS_OF_POLICY
from compliance.model import Cluster, Estate, Server
from compliance.report.json_parts import waivers
from compliance.report.page.blocks import MACHINES, STEPS, blocks
from compliance.report.page.findings import FindingRow, Place, finding_columns, findings_of
from compliance.report.page.rows import COVERS, DIRECTIONS, Machines, machine_columns, machines_of, row_columns
from compliance.report.page.texts import Pool, by_address, natural, pack, plain
from compliance.report.readiness import WORST_FIRST
from compliance.report.table import Table, impacts
from compliance.rule import Result, Rule

VERSION = 4


def data(table: Table) -> Iterator[str]:
    """For a ``<script type="application/json">``: no ``<``, so that no text ends the element or begins another.

    In pieces: what is there at once is let go before the blocks are made.
    """
    machines, places = machines_of(table), _places(table.estate)
    servers = {name: number for (kind, name), number in places.items() if kind is Server}
    findings = findings_of(table, machines, places)
    main = pack(_main(table, machines, findings, servers))
    yield f'{{"version":{VERSION},"block":{MACHINES},"main":{main},"blocks":['
    for number, block in enumerate(blocks(table, machines, findings, servers)):
        yield f"{',' if number else ''}{block}"
    yield "]}"


def _main(
    table: Table, machines: Machines, findings: Sequence[FindingRow], servers: Mapping[str, int]
) -> dict[str, object]:
    """Return what is there at once."""
    texts, addresses = Pool(), Pool()
    rows = row_columns(table, machines, servers, texts, addresses)
    numbers = {key: number for number, key in enumerate(table.rules)}
    all_waivers = {one.place: number for number, one in enumerate(waivers(table))}
    columns = finding_columns(findings, numbers, servers, all_waivers, texts, table.remedies)
    ordered, moved = texts.sorted(natural)
    for name in ("reason", "condition", "remedy", "cause"):
        rows[name] = [moved[at] for at in rows[name]]
    for name in ("text", "cause", "remedy", "state", "label"):
        columns[name] = [moved[at] for at in columns.get(name, ())]  # type: ignore[call-overload]  # numbers
    ordered_addresses, moved = addresses.sorted(by_address)
    for name in ("address", "today"):
        rows[name] = [moved[at] for at in rows[name]]
    return {
        **_head(table),
        "rules": [_rule(rule, table.counts) for rule in table.rules.values()],
        "servers": _servers(table),
        "machines": machine_columns(machines),
        "rows": rows,
        "findings": columns,
        "texts": ordered,
        "addresses": ordered_addresses,
    }


def _head(table: Table) -> dict[str, object]:
    asked = DIRECTIONS_OF_POLICY[table.policy.direction]
    return {
        "estate": plain(table.estate.name),
        "words": [word.value for word in WORST_FIRST],
        "directions": [direction.value for direction in DIRECTIONS],
        "asked": [DIRECTIONS.index(direction) for direction in asked],
        "covers": COVERS,
        "steps": [step.value for step in STEPS],
        "waivers": _waivers(table),
        "vanished": [[one.rule, plain(one.label)] for one in table.gate.vanished],
        "has_baseline": table.baseline is not None,
    }


def _waivers(table: Table) -> list[dict[str, object]]:
    """Return each waiver by what people ask of it, in the order of the files."""
    gate = table.gate
    states = {one.place: "ends soon" for one in gate.ending} | {one.place: "has ended" for one in gate.ended}
    unused = {one.place for one in gate.unused}
    return [
        {
            "place": plain(one.place),
            "state": states.get(one.place, "in force"),
            "used": one.place not in unused,
            "covers": plain(", ".join((*one.entry.rule, *(one.entry.machine or ()), *(one.entry.server or ())))),
            "reason": plain(one.entry.reason),
            "owner": plain(one.entry.owner),
            "approved": plain(one.entry.approved_by or ""),
            "ticket": plain(one.entry.ticket or ""),
            "expires": plain(one.entry.expires),
        }
        for one in waivers(table)
    ]


def _rule(rule: Rule, counts: Mapping[tuple[str, Result], int]) -> dict[str, object]:
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
        "counts": {result.value: counts.get((rule.key, result), 0) for result in Result},
    }


def _servers(table: Table) -> list[dict[str, object]]:
    """Servers, then clusters. One that no verdict in scope is about was not judged, and has not passed."""
    judged: set[tuple[type, str | None]] = {(Server, name) for name in {one.verdict.server for one in table.decisions}}
    subjects = (one.verdict.subject for one in table.decisions)
    judged |= {(Cluster, subject.name) for subject in subjects if isinstance(subject, Cluster)}
    estate = table.estate
    values = [*map(_server, estate.servers), *map(_cluster, estate.clusters)]
    return [one | {"judged": place in judged} for one, place in zip(values, _places(estate), strict=True)]


def _server(server: Server) -> dict[str, object]:
    return {**_both(server), "version": plain(server.version or ""), "cluster": plain(server.cluster or "")}


def _cluster(cluster: Cluster) -> dict[str, object]:
    """Behind the servers, as one of them that has nodes in place of machines."""
    return {**_both(cluster), "nodes": [plain(node) for node in cluster.nodes]}


def _both(one: Server | Cluster) -> dict[str, object]:
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
