"""gate.json: open or closed, and why, for pipelines. Written for every run that had anything to say.

Version 1, in this order; keys may be added, none changes its meaning. What a run did not come to know is null::

    {"format": "hyperv-compliance gate", "version": 1,
     "open": bool, "exit_code": n,              # what the process ended with
     "reasons": [{"exit_code": n, "text": sentence}],   # the worst first; none where it is open
     "weaker": [sentence],                      # what opens the gate further than the defaults do
     "estate": text, "time": ISO 8601, "age_seconds": n, "complete": bool, "scope": text,   # of the snapshot
     "grain": "machine" | "server" | "rule",    # what pytest's cases stand for; nothing else depends on it
     "counts": {"failed": n, "unknown": n, "waived": n, "not applicable": n, "passed": n},
     "headline": text, "data": text,            # the one sentence; of when, and how long ago by this machine's clock
     "direction": "failover" | "failback" | "both",     # what closes the gate
     "readiness": {"failover" | "extended_failover" | "failback": {"ready": n, "ready_if": n, "not_ready": n,
         "unknown": n, "no_failover_address": n, "not_ours": n}},       # virtual machines in scope, by direction
     "coverage": {"servers": n, "servers_read": n, "machines": n, "machines_judged": n},
     "unread_servers": [name],
     "waivers": [{..., "is": "in force" | "ending" | "ended", "met_a_finding": bool}],   # by their file's keys
     "vanished": n,                             # findings of the baseline that are no more; results.json lists them
     "inventory": {"name": text, "digest": text}, "policy": {...}, "waiver_files": [{"name": text, "digest": text}],
     "baseline": {"name": text, "digest": text} | null,
     "run": {"author": text | null,             # who ran it and where: user@host, or as --hv-author says
         "decided": ISO 8601, "clock": text,    # when the gate was decided, and by which clock
         "gathered_by": text,                   # the tool that gathered the snapshot, and its version
         "inventory_digest": text | null,       # of the inventory that this run read; `inventory` is the snapshot's
         "rule_packages": [{"name": text, "version": text}],     # installed ones, with rules of your own
         "snapshots": [{"name": text, "digest": text}],          # that it was read from; none where it was gathered
         "saved": {"name": text, "digest": text} | null,         # of --hv-save: SHA-256 of the file as it was written
         "logins": [{"server" | "cluster" | "guest": name, "account": text | null, "transport": text | null,
             "from": ISO 8601 | null, "to": ISO 8601 | null}]},  # null: not recorded, or not read
     "versions": {"hyperv-compliance": text, "python": text, "pytest": text}}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from compliance.gate.exits import Exit, Reason
from compliance.gate.gate import Gate
from compliance.judge.headline import count_words
from compliance.judge.readiness import Word
from compliance.report.evidence_block import run_values, waiver_values
from compliance.report.json_parts import grounds
from compliance.report.table import Table
from compliance.rule import Result
from compliance.words import printable

FORMAT = "hyperv-compliance gate"
VERSION = 1


def gate_json(table: Table, versions: Mapping[str, str], grain: str = "machine") -> str:
    """``versions``: of the tool and of what it ran on, by their names. ``grain``: what pytest's cases stand for."""
    gate, estate = table.gate, table.estate
    known = {
        "weaker": list(gate.weaker),
        "estate": estate.name,
        "time": estate.time.isoformat(),
        "age_seconds": int(gate.age.total_seconds()),
        "complete": table.complete,
        "scope": table.scope,
        "grain": grain,
        "counts": {result.value: table.count(result) for result in Result},
        "headline": printable(table.headline),
        "data": table.data,
        "direction": gate.direction,
        "readiness": _readiness(table),
        "coverage": _coverage(gate),
        "unread_servers": sorted(server.name for server in table.unread),
        "waivers": list(waiver_values(table)),
        "vanished": len(gate.vanished),
        "inventory": {"name": table.inventory, "digest": table.inventory_digest},
        **grounds(table),
        "run": run_values(table),
    }
    return _document(gate.code, gate.reasons, known, versions)


KNOWN = (
    *("weaker", "estate", "time", "age_seconds", "complete", "scope", "grain", "counts"),
    *("headline", "data", "direction", "readiness", "coverage"),
    *("unread_servers", "waivers", "vanished", "inventory", "policy", "waiver_files", "baseline"),
    "run",
)


def closed_gate_json(code: Exit, reasons: Sequence[str], versions: Mapping[str, str]) -> str:
    """Of a run that came to no verdict: a mistake in its files, an interruption, or one that has not ended yet."""
    whole = [Reason(code=code, text=text) for text in reasons]
    return _document(code, whole, dict.fromkeys(KNOWN), versions)


def _document(code: Exit, reasons: Sequence[Reason], known: Mapping[str, object], versions: Mapping[str, str]) -> str:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "open": code is Exit.OPEN,
        "exit_code": int(code),
        "reasons": [{"exit_code": int(reason.code), "text": reason.text} for reason in reasons],
        **known,
        "versions": dict(versions),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _readiness(table: Table) -> dict[str, dict[str, int]]:
    return {
        _key(direction): {_key(word): count[word] for word in Word}
        for direction, count in count_words(table.readiness).items()
    }


def _key(word: str) -> str:
    return word.replace(" ", "_")


def _coverage(gate: Gate) -> dict[str, int]:
    coverage = gate.coverage
    return {
        "servers": coverage.servers,
        "servers_read": coverage.servers_read,
        "machines": coverage.machines,
        "machines_judged": coverage.machines_judged,
    }
