"""One run's audit: options become a snapshot, the snapshot an estate, the estate verdicts. pytest is not known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.credentials import Credential, find_credential
from compliance.errors import UsageError
from compliance.hyperv.translate import translate
from compliance.inventory import Inventory, read_inventory
from compliance.judge import judge
from compliance.model import Evidence
from compliance.report.table import Table
from compliance.scope import Scope
from compliance.snapshot import Snapshot, join_snapshots, read_snapshot

if TYPE_CHECKING:
    from compliance.gather import Progress

DISTRIBUTION = "hyperv-compliance"


def tool() -> str:
    """The tool's name and version, as reports and snapshots carry it."""
    try:
        return f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return DISTRIBUTION


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run is about to judge: an inventory to gather, or a snapshot that is there already."""

    estate: str
    named: str  # the inventory or the snapshots, as the user named them
    inventory: Inventory | None = None
    snapshot: Snapshot | None = None
    evidence: Evidence | None = None


def plan(inventory: str | None, snapshots: Sequence[str], evidence: str | None = None) -> Plan:
    """Read the files that the user named. UsageError with one line for each mistake; nothing is sent anywhere."""
    chosen = Evidence(evidence) if evidence else None
    if inventory is not None and snapshots:
        raise UsageError("--inventory and --snapshot were both given: an inventory is read live, a snapshot is not")
    if inventory is not None:
        if not inventory:
            raise UsageError("--inventory names no file: is a variable empty?")
        found = read_inventory(Path(inventory))
        kept = _as_inventory_says(read_snapshot(found.snapshot), found) if found.snapshot else None
        return Plan(estate=found.name, named=inventory, inventory=found, snapshot=kept, evidence=chosen)
    joined = join_snapshots([(Path(name), read_snapshot(Path(name))) for name in snapshots])
    return Plan(estate=joined.estate, named=", ".join(snapshots), snapshot=joined, evidence=chosen)


def _as_inventory_says(snapshot: Snapshot, inventory: Inventory) -> Snapshot:
    """An inventory that stands before a snapshot names the estate and sets how it is judged."""
    return replace(snapshot, estate=inventory.name, settings=inventory.settings)


def take_snapshot(
    planned: Plan, environ: Mapping[str, str], tell: Callable[[Progress], None] = lambda _: None
) -> Snapshot:
    """The snapshot that was planned, gathered now if need be. UsageError where a credential is not there."""
    snapshot = planned.snapshot
    if snapshot is None:
        assert planned.inventory  # noqa: S101  # a plan has one of the two
        from compliance.gather import gather  # an offline run needs no transport, and starts 0.2 s earlier without

        snapshot = gather(planned.inventory, _credentials(planned.inventory, environ), tool=tool(), tell=tell)
    if planned.evidence:
        snapshot = replace(snapshot, settings=replace(snapshot.settings, evidence=planned.evidence))
    return snapshot


def _credentials(inventory: Inventory, environ: Mapping[str, str]) -> dict[str, Credential]:
    names = dict.fromkeys(entry.credential for entry in inventory.servers if entry.credential)
    return {name: find_credential(name, environ) for name in names}


def judged(snapshot: Snapshot, scope: Scope, named: str = "") -> Table:
    """Every verdict in scope, from a snapshot alone: what a live run and an offline one have in common."""
    estate = translate(snapshot)
    return Table(
        estate=estate,
        verdicts=tuple(verdict for verdict in judge(estate) if scope.holds(verdict)),
        tool=tool(),
        inventory=named,
        inventory_digest=snapshot.inventory,
        scope=str(scope),
        complete=snapshot.complete,
    )
