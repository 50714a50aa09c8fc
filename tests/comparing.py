"""Two audits to compare, and what was found between them in a form that a table can hold."""

from __future__ import annotations

from typing import Any

from compliance.diff.difference import Audit, Changed, Difference, Fate
from compliance.hyperv.estate import translate
from compliance.judge.judge import judge
from compliance.model import Judging, Unread
from compliance.rules.coverage import estate_has_replicated_machines, server_was_read
from compliance.rules.failover import failover_ip_needs_integration_services
from compliance.snapshot.snapshot import ServerRecord
from tests.builders import snapshot, source
from tests.hosts import Host, Nic, Vm, guid, replica_of

ADDRESS = Nic(addresses=("10.2.0.20",), subnets=("255.255.255.0",), gateways=("10.2.0.1",))
SQL = Vm(name="sql01", guid=guid("sql01"), nics=(ADDRESS,))
RULES = (failover_ip_needs_integration_services, server_was_read, estate_has_replicated_machines)
"""Enough to fail, flip and tell: what compares, decides or writes knows no rule, so a new one changes no test of it."""


def audit(*sources: ServerRecord, given: Judging = Judging(), **changes: Any) -> Audit:
    estate = translate(snapshot(*sources, settings=given))
    return Audit(estate=estate, verdicts=judge(estate, RULES), **changes)


def primary(*vms: Vm, name: str = "HV01", **changes: Any) -> ServerRecord:
    return source(Host(name=name, vms=vms), **changes)


def replica(*vms: Vm, name: str = "HV02", **changes: Any) -> ServerRecord:
    return source(Host(name=name, vms=[replica_of(vm) for vm in vms]), **changes)


def changes(entry: Changed) -> list[tuple[str, str, str | None, str | None]]:
    """``?`` for what is not known."""
    return [
        (one.what, one.of, *("?" if isinstance(side, Unread) else side for side in (one.before, one.after)))
        for one in entry.changes
    ]


def flips(entry: Changed) -> list[str]:
    return [
        " -> ".join(str(outcome.result) if outcome else "not asked" for outcome in (flip.before, flip.after))
        for flip in entry.flips
    ]


def entry_of(difference: Difference, label: str) -> Changed:
    found = [entry for entry in difference.entries if entry.label == label]
    assert len(found) == 1, [entry.label for entry in difference.entries]
    return found[0]


def fates(difference: Difference) -> dict[str, Fate]:
    return {entry.label: entry.fate for entry in difference.entries if entry.fate is not Fate.STAYED}
