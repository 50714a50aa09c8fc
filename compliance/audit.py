"""One run, from top to bottom. pytest is not known here: its plugin calls these steps one after the other.

1. ``read_plan`` (plan.py): the files that the user named become a plan; nothing is sent anywhere.
2. ``take_snapshot``: an inventory is gathered, side by side; what was gathered before is taken as it is. Here all I/O
   ends.
3. ``judge_snapshot``, a function of values: the snapshot becomes an estate, every rule judges it, verdicts become each
   machine's readiness, and the gate decides. Every report is written from its table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from importlib import metadata
from typing import TYPE_CHECKING

from compliance.garbage import uncollected
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.hyperv.estate import translate
from compliance.hyperv.server import keep_line, let_go
from compliance.inventory.limit import Limit
from compliance.judge.conclusion import readiness_of
from compliance.judge.headline import count_machines, in_scope
from compliance.judge.judge import judge
from compliance.judge.packages import packages_with_rules
from compliance.judge.scope import Scope
from compliance.judge.silent import silent_machines
from compliance.plan import Plan, path_from_here, rules_of
from compliance.report.origin import SNAPSHOT_CLOCK, THIS_CLOCK, Origin, RulePackage, logins_of
from compliance.report.table import Table
from compliance.snapshot.snapshot import Snapshot, SnapshotFile
from compliance.world import World

if TYPE_CHECKING:
    from compliance.gather.progress import Progress

DISTRIBUTION = "hyperv-compliance"


def tool() -> str:
    """The tool's name and version, as reports and snapshots carry it."""
    try:
        return f"{DISTRIBUTION} {metadata.version(DISTRIBUTION)}"
    except metadata.PackageNotFoundError:
        return DISTRIBUTION


def take_snapshot(
    planned: Plan,
    world: World,
    tell: Callable[[Progress], None] = lambda _: None,
    keep: Callable[[Snapshot], None] = lambda _: None,
) -> Snapshot:
    """Return the snapshot that was planned, gathered now if need be. UsageError where a credential is not there.

    ``keep`` is called with it, and with what there is of it where something ends the gathering early. Only what is
    gathered has a use for credentials: for a snapshot none is looked for, and nobody is asked.
    """

    def by_policy(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, settings=planned.policy.over(snapshot.settings))

    if planned.snapshot is not None:
        snapshot = by_policy(planned.snapshot)
        keep(snapshot)
        return snapshot
    assert planned.inventory  # noqa: S101  # a plan has one of the two
    from compliance.gather.gather import (
        gather,  # an offline run needs no transport, and starts 0.2 s earlier without
    )
    from compliance.inventory.logins import credentials_of

    credentials = credentials_of(planned.inventory.known, planned.inventory, world)
    gathered = gather(
        planned.inventory,
        credentials,
        tool=tool(),
        tell=tell,
        keep=lambda snapshot: keep(by_policy(snapshot)),
        let_go=keep_line if planned.saves else let_go,
    )
    return by_policy(gathered)


@uncollected()
def judge_snapshot(
    snapshot: Snapshot,
    scope: Scope,
    planned: Plan | None = None,
    *,
    now: datetime | None = None,
    author: str = "",
    saved: SnapshotFile | None = None,
) -> Table:
    """Every verdict in scope and the gate, from a snapshot alone: what a live run and an offline one have in common.

    ``now`` is the moment by which waivers end and to which the snapshot's age counts; the snapshot's last, if left out.
    ``author`` and ``saved`` are for the evidence block alone: who ran it, and the file that the snapshot was saved to.
    """
    planned = planned or Plan(estate=snapshot.estate, name_as_typed="")
    policy, inventory = planned.policy, planned.inventory
    estate = translate(snapshot)
    judgements = judge(estate, rules_of(policy))
    servers = {server.name: server for server in estate.servers}
    readiness = in_scope(readiness_of(estate, judgements), scope.sides(judgements, servers))
    every = [each for each in judgements if each.rule.key not in policy.off] if policy.off else judgements
    verdicts = scope.chosen(every, servers, policy.fail_at)
    grounds = Grounds(
        policy=policy,
        now=now or snapshot.span[1],
        span=snapshot.span,
        complete=snapshot.complete,
        narrowed=bool(narrowed(snapshot.limit, scope)),
        selected=scope.selects(verdicts, servers),
        unmet=scope.unmet(every, estate.servers),
        waivers=[waiver for file in planned.waiver_files for waiver in file.waivers],
        baseline=planned.baseline,
        machines=replace(
            count_machines(readiness, policy.direction), silent=silent_machines(readiness, judgements, policy)
        ),
    )
    decisions, gate = decide(verdicts, estate, grounds)
    return Table(
        estate=estate,
        decisions=decisions,
        gate=gate,
        readiness=readiness,
        tool=tool(),
        inventory=planned.name_as_typed,
        inventory_digest=snapshot.inventory_digest,
        file=planned.file,
        lines=inventory.lines if inventory else {},
        files={name: path_from_here(file) for name, file in inventory.files.items()} if inventory else {},
        scope=narrowed(snapshot.limit, scope),
        complete=snapshot.complete,
        policy=policy,
        waiver_files=planned.waiver_files,
        baseline=planned.baseline,
        origin=Origin(
            author=author,
            inventory_digest=planned.inventory.digest if planned.inventory else "",
            decided=grounds.now,
            clock=THIS_CLOCK if now else SNAPSHOT_CLOCK,
            gathered_by=snapshot.tool,
            files=snapshot.files,
            saved=saved,
            packages=tuple(RulePackage(name, version) for name, version in packages_with_rules()),
            logins=tuple(logins_of(snapshot)),
        ),
    )


def narrowed(limit: str, scope: Scope) -> str:
    """As the options that made it; empty where the whole estate was read and judged."""
    return " ".join(part for part in (str(Limit(pattern=limit)), str(scope)) if part)
