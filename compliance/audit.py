"""One run's audit: options become a snapshot, the snapshot an estate, the estate verdicts. pytest is not known here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import reduce
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from compliance.errors import UsageError
from compliance.garbage import uncollected
from compliance.gate.baseline import Baseline, read_baseline
from compliance.gate.decision import Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import DEFAULT, Policy, PolicyBlock, read_policy
from compliance.gate.waivers import WaiverFile, read_waivers
from compliance.hyperv.estate import translate
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import EVERYTHING, INSTEAD, OPTION, Limit
from compliance.inventory.read import read_any
from compliance.inventory.stretched import refuse_unknown_sites
from compliance.judge.conclusion import readiness_of
from compliance.judge.headline import count_machines, in_scope
from compliance.judge.judge import all_rules, judge
from compliance.judge.packages import packages_with_rules
from compliance.judge.scope import Scope
from compliance.judge.silent import silent_machines
from compliance.report.origin import SNAPSHOT_CLOCK, THIS_CLOCK, Origin, RulePackage, logins_of
from compliance.report.table import Table
from compliance.rule import Rule
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Snapshot, SnapshotFile, join_snapshots
from compliance.words import quote
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a run is about to judge, an inventory to gather or a snapshot that is there already; and by what."""

    estate: str
    name_as_typed: str  # the inventory or the snapshots, as the user named them
    file: str = ""  # the first of them, as the tools of a repository name a file
    inventory: Inventory | None = None
    snapshot: Snapshot | None = None
    policy: Policy = DEFAULT
    waiver_files: tuple[WaiverFile, ...] = ()
    baseline: Baseline | None = None

    @property
    def limit(self) -> str:
        """What chose among the servers that were, or are to be, read."""
        return self.snapshot.limit if self.snapshot else self.inventory.limit if self.inventory else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.inventory.remarks if self.inventory else ()


def narrowed(limit: str, scope: Scope) -> str:
    """As the options that made it; empty where the whole estate was read and judged."""
    return " ".join(part for part in (str(Limit(pattern=limit)), str(scope)) if part)


def plan(
    inventory: str | None,
    snapshots: Sequence[str],
    *,
    policies: Sequence[str] = (),
    options: PolicyBlock | None = None,
    waivers: Sequence[str] = (),
    baseline: str | None = None,
    limit: Limit = EVERYTHING,
    defaults: Sequence[PolicyBlock] = (),
) -> Plan:
    """Read the files that the user named. UsageError with one line for each mistake; nothing is sent anywhere.

    What a later one of inventory, ``defaults``, ``policies`` and ``options`` says of the policy wins.
    """
    blocks = [*defaults, *(read_policy(Path(name)) for name in policies), *([options] if options else [])]
    plan_of_files = _read_plan(inventory, snapshots, limit)
    planned = replace(
        plan_of_files,
        policy=reduce(Policy.after, blocks, plan_of_files.policy),
        waiver_files=tuple(read_waivers(Path(name), [rule.key for rule in all_rules()]) for name in waivers),
        baseline=None if baseline is None else read_baseline(Path(baseline), plan_of_files.estate),
    )
    _rules(planned.policy)
    return planned


def _read_plan(inventory: str | None, snapshots: Sequence[str], limit: Limit) -> Plan:
    if inventory is not None and snapshots:
        raise UsageError("--inventory and --snapshot were both given: an inventory is read live, a snapshot is not")
    if inventory is None:
        if limit.pattern:
            raise UsageError(f"{OPTION} chooses servers to read: --snapshot has been read; {INSTEAD}")
        joined = join_snapshots([(Path(name), read_snapshot(Path(name))) for name in snapshots])
        return Plan(
            estate=joined.estate, name_as_typed=", ".join(snapshots), file=_from_here(snapshots[0]), snapshot=joined
        )
    if not inventory:
        raise UsageError("--inventory names no file: is a variable empty?")
    inventory_read = read_any(Path(inventory), limit)
    kept = (
        _as_inventory_says(read_snapshot(inventory_read.snapshot), inventory_read) if inventory_read.snapshot else None
    )
    return Plan(
        estate=inventory_read.name,
        name_as_typed=inventory,
        file=_from_here(inventory),
        inventory=inventory_read,
        snapshot=kept,
        policy=inventory_read.policy,
    )


def _from_here(name: str) -> str:
    """With slashes, and relative to the working folder where it is below it."""
    path = Path(name)
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return path.as_posix()


def _as_inventory_says(snapshot: Snapshot, inventory: Inventory) -> Snapshot:
    """An inventory that stands before a snapshot names the estate, sets how it is judged and which sites are stretched.

    InventoryError for a site that the snapshot doesn't have.
    """
    refuse_unknown_sites(inventory.stretches, (source.site for source in (*snapshot.servers, *snapshot.clusters)))
    return replace(snapshot, estate=inventory.name, settings=inventory.settings, stretched=inventory.stretched)


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
    found = gather(
        planned.inventory, credentials, tool=tool(), tell=tell, keep=lambda snapshot: keep(by_policy(snapshot))
    )
    return by_policy(found)


@uncollected()
def judged(
    snapshot: Snapshot,
    scope: Scope,
    planned: Plan | None = None,
    *,
    now: datetime | None = None,
    author: str = "",
    saved: SnapshotFile | None = None,
) -> Table:
    """Every verdict in scope and the gate, from a snapshot alone: what a live run and an offline one have in common.

    ``now`` is the moment by which waivers end and to which the snapshot's age counts; the snapshot's own, if left out.
    ``author`` and ``saved`` are for the evidence block alone: who ran it, and the file that the snapshot was saved to.
    """
    planned = planned or Plan(estate=snapshot.estate, name_as_typed="")
    policy = planned.policy
    estate = translate(snapshot)
    servers = {server.name: server for server in estate.servers}
    judgements = judge(estate, _rules(policy))
    readiness = in_scope(readiness_of(estate, judgements), scope.sides(judgements, servers))
    every = [verdict for verdict in judgements if verdict.rule.key not in policy.off]
    verdicts = scope.chosen(every, servers, policy.fail_at)
    grounds = Grounds(
        policy=policy,
        now=now or snapshot.time,
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
        lines=planned.inventory.lines if planned.inventory else {},
        files={name: _from_here(file) for name, file in planned.inventory.files.items()} if planned.inventory else {},
        scope=narrowed(snapshot.limit, scope),
        complete=snapshot.complete,
        policy=policy,
        waiver_files=planned.waiver_files,
        baseline=planned.baseline,
        origin=Origin(
            author=author,
            decided=grounds.now,
            clock=THIS_CLOCK if now else SNAPSHOT_CLOCK,
            gathered_by=snapshot.tool,
            files=snapshot.files,
            saved=saved,
            packages=tuple(RulePackage(name, version) for name, version in packages_with_rules()),
            logins=tuple(logins_of(snapshot)),
        ),
    )


def _rules(policy: Policy) -> list[Rule]:
    """Return every rule, also those that the policy switches off, each with the severity that it gives it. UsageError
    for a key that is no rule's, and where a rule is off without which nothing would say what was not read."""
    rules = {rule.key: rule for rule in all_rules()}
    for key, what in (*((key, "severity") for key in policy.severity), *((key, "rules") for key in sorted(policy.off))):
        if key not in rules:
            near = next(iter(get_close_matches(key, rules, 1)), None)
            hint = f" (did you mean `{near}`?)" if near else ""
            raise UsageError(f"policy: {what}: no rule is called {quote(key)}{hint}")
    if seeing := sorted(key for key in policy.off if rules[key].judges_unread):
        raise UsageError(f"policy: rules: {seeing[0]} can't be off: nothing else says what was not read")
    weighed = (replace(rule, severity=policy.severity.get(key, rule.severity)) for key, rule in rules.items())
    return sorted(weighed, key=lambda rule: (rule.severity.rank, rule.key))
