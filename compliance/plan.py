"""What a run is about to judge, and by what: read from the files that the user named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import reduce
from pathlib import Path

from compliance.errors import UsageError
from compliance.gate.baseline import Baseline, read_baseline
from compliance.gate.policy import DEFAULT, Policy, PolicyBlock, read_policy
from compliance.gate.waivers import WaiverFile, read_waivers
from compliance.hyperv.server import keep_line, let_go
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import EVERYTHING, INSTEAD, OPTION, Limit
from compliance.inventory.read import read_any
from compliance.inventory.stretched import refuse_unknown_sites
from compliance.judge.judge import all_rules
from compliance.rule import Rule
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import ServerRecord, Snapshot, join_snapshots
from compliance.words import quote


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
    saves: bool = False  # what is read is going to be saved, so that its lines are kept

    @property
    def limit(self) -> str:
        """What chose among the servers that were, or are to be, read."""
        return self.snapshot.limit if self.snapshot else self.inventory.limit if self.inventory else ""

    @property
    def remarks(self) -> tuple[str, ...]:
        return self.inventory.remarks if self.inventory else ()


def read_plan(
    inventory: str | None,
    snapshots: Sequence[str],
    *,
    policies: Sequence[str] = (),
    options: PolicyBlock | None = None,
    waivers: Sequence[str] = (),
    baseline: str | None = None,
    limit: Limit = EVERYTHING,
    defaults: Sequence[PolicyBlock] = (),
    saves: bool = False,
) -> Plan:
    """Read the files that the user named. UsageError with one line for each mistake; nothing is sent anywhere.

    What a later one of inventory, ``defaults``, ``policies`` and ``options`` says of the policy wins. Each server of a
    snapshot is translated as its line is read, and its rows are let go; with ``saves`` its line is kept.
    """
    blocks = [*defaults, *(read_policy(Path(name)) for name in policies), *([options] if options else [])]
    of_files = _read_plan(inventory, snapshots, limit, keep_line if saves else let_go)
    planned = replace(
        of_files,
        policy=reduce(Policy.after, blocks, of_files.policy),
        waiver_files=tuple(read_waivers(Path(name), [rule.key for rule in all_rules()]) for name in waivers),
        baseline=None if baseline is None else read_baseline(Path(baseline), of_files.estate),
        saves=saves,
    )
    rules_of(planned.policy)
    return planned


def _read_plan(
    inventory: str | None, snapshots: Sequence[str], limit: Limit, take: Callable[[ServerRecord], ServerRecord]
) -> Plan:
    if inventory is not None and snapshots:
        raise UsageError("--inventory and --snapshot were both given: an inventory is read live, a snapshot is not")
    if inventory is None:
        if limit.pattern:
            raise UsageError(f"{OPTION} chooses servers to read: --snapshot has been read; {INSTEAD}")
        joined = join_snapshots([(Path(name), read_snapshot(Path(name), take)) for name in snapshots])
        return Plan(
            estate=joined.estate, name_as_typed=", ".join(snapshots), file=path_from_here(snapshots[0]), snapshot=joined
        )
    if not inventory:
        raise UsageError("--inventory names no file: is a variable empty?")
    inventory_read = read_any(Path(inventory), limit)
    before = read_snapshot(inventory_read.snapshot, take) if inventory_read.snapshot else None
    return Plan(
        estate=inventory_read.name,
        name_as_typed=inventory,
        file=path_from_here(inventory),
        inventory=inventory_read,
        snapshot=before and _as_inventory_says(before, inventory_read),
        policy=inventory_read.policy,
    )


def path_from_here(name: str) -> str:
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


def rules_of(policy: Policy) -> list[Rule]:
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
