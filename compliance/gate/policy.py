"""What closes a gate: by an inventory, a file of its own, and options; the last one wins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from compliance.errors import UsageError
from compliance.files.keys import Model, Schema
from compliance.files.yaml_file import UserFile, content_of
from compliance.model import Evidence, Judging, Role
from compliance.rule import Severity, Verdict

Percent = Annotated[float, Field(ge=0, le=100)]
SeverityName = Literal["error", "warning", "information"]
FailOrTell = Literal["fail", "tell"]
DirectionName = Literal["failover", "failback", "both"]


class PolicyBlock(Model):
    """What closes the gate. A key that is left out says nothing; see Policy for what holds then."""

    fail_at: SeverityName | None = None
    """The least severity that closes the gate, failed and unknown alike: error, warning or information."""
    least_servers_read: Percent | None = None
    """Percent of servers that must have been read; 100, if left out."""
    least_machines_judged: Percent | None = None
    """Percent of the virtual machines with a failover address of which it must be known whether they are ready; 100, if
    left out."""
    oldest_snapshot: Annotated[float, Field(gt=0, le=87600)] | None = None
    """Hours; an older snapshot is no answer about today. No limit, if left out."""
    direction: DirectionName | None = None
    """What closes the gate: findings about a failover, about the failback after it, or both (if left out)."""
    expired_waivers: FailOrTell | None = None
    """fail: what they waived closes the gate again; tell: it stays waived, and every output says so."""
    unused_waivers: FailOrTell | None = None
    """fail: a waiver that waives nothing is a mistake (exit code 4); tell: it is listed."""
    partial_clusters: FailOrTell | None = None
    """fail: a server of whose cluster not every node is in the inventory could not be judged; tell: it is remarked."""
    evidence: Literal["observed", "bpa"] | None = None
    """What verdicts rest on: the guest's own answer (observed), or Microsoft's test of the host alone (bpa)."""
    boot_grace: Annotated[float, Field(ge=0, le=1440)] | None = None
    """Minutes that a virtual machine has after its start until its guest must answer; 10, if left out."""
    severity: dict[str, SeverityName] | None = None
    """Rule's key -> the severity that it has here, in place of its own."""
    rules: dict[str, Literal["off"]] | None = None
    """Rule's key -> off: the rule is switched off here, and every output says so."""


KIND = "a policy"
SCHEMA = Schema(root=PolicyBlock, item="policy")


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What holds, with safe defaults. ``evidence`` and ``boot_grace``: None where the snapshot's settings hold.
    ``off``: keys of rules that are not judged."""

    fail_at: Severity = Severity.WARNING
    least_servers_read: float = 100
    least_machines_judged: float = 100
    oldest_snapshot: timedelta | None = None
    direction: DirectionName = "both"
    expired_waivers: FailOrTell = "fail"
    unused_waivers: FailOrTell = "tell"
    partial_clusters: FailOrTell = "fail"
    evidence: Evidence | None = None
    boot_grace: timedelta | None = None
    severity: Mapping[str, Severity] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def after(self, block: PolicyBlock) -> Policy:
        """Return this policy, with what ``block`` says in place of it."""
        values: dict[str, Any] = {
            key: _UNITS[key](value) if key in _UNITS else value for key, value in block if value is not None
        }
        severity = {**self.severity, **values.pop("severity", {})}
        off = self.off | values.pop("rules", frozenset())
        return replace(self, **values, severity=severity, off=off)

    def over(self, settings: Judging) -> Judging:
        """A snapshot's settings, with what this policy says of how to judge."""
        return replace(
            settings,
            evidence=self.evidence or settings.evidence,
            boot_grace=settings.boot_grace if self.boot_grace is None else self.boot_grace,
            may_be_partial=self.partial_clusters == "tell",
        )

    def other_direction(self, verdict: Verdict) -> str:
        """Return the direction that a verdict is about, where the gate is not; empty where both are, or both are asked.

        A replica's address is used at a failover, a primary's at the failback after it. What is about a server, or a
        machine whose side is not known, is about both.
        """
        role = verdict.machine.role if verdict.machine else None
        if self.direction == "both" or not isinstance(role, Role):
            return ""
        about = "failback" if role is Role.PRIMARY else "failover"
        return "" if about == self.direction else about

    def weaker(self, settings: Judging) -> Iterator[str]:
        """Yield what opens the gate further than the defaults do: every output names it. ``settings`` are those by
        which the estate was judged, whether a policy, an inventory or a snapshot set them."""
        if self.fail_at.rank < DEFAULT.fail_at.rank:
            yield f"only {self.fail_at.value} closes the gate (`fail_at: {self.fail_at.value}`)"
        if self.direction != "both":
            other = "failback" if self.direction == "failover" else "failover"
            yield f"findings about a {other} don't close the gate (`direction: {self.direction}`)"
        for key, what in (("least_servers_read", "servers"), ("least_machines_judged", "machines")):
            if (percent := getattr(self, key)) < 100:
                yield f"{100 - percent:g} % of the {what} may be unknown (`{key}: {percent:g}`)"
        if self.expired_waivers == "tell":
            yield "waivers hold past their end (`expired_waivers: tell`)"
        if self.partial_clusters == "tell":
            yield "clusters may be read in part (`partial_clusters: tell`)"
        if settings.evidence is Evidence.BPA:
            yield "guests' own answers don't count (`evidence: bpa`)"
        if settings.boot_grace > Judging().boot_grace:
            minutes = f"{settings.boot_grace / timedelta(minutes=1):g}"
            yield f"guests may be silent for {minutes} minutes after their start (`boot_grace: {minutes}`)"
        for rule, severity in sorted(self.severity.items()):
            yield f"{rule} counts as {severity.value} (`severity`)"
        for rule in sorted(self.off):
            yield f"{rule} is switched off (`rules: {{{rule}: off}}`)"


DEFAULT = Policy()

_UNITS: Mapping[str, Callable[[Any], object]] = {
    "fail_at": Severity,
    "oldest_snapshot": lambda hours: timedelta(hours=hours),
    "evidence": Evidence,
    "boot_grace": lambda minutes: timedelta(minutes=minutes),
    "severity": lambda names: {rule: Severity(name) for rule, name in names.items()},
    "rules": frozenset,
}


def policy_of_options(options: Mapping[str, object]) -> PolicyBlock:
    """Options by the keys that they are named after; None is not given. UsageError with one line for each mistake."""
    try:
        return PolicyBlock.model_validate({key: value for key, value in options.items() if value is not None})
    except ValidationError as error:
        lines = [
            f"{option_of(str(detail['loc'][0]))}: {SCHEMA.message(detail)}"
            for detail in error.errors(include_url=False)
        ]
    raise UsageError("\n".join(lines))


def option_of(key: str) -> str:
    return "--hv-severity-of" if key == "severity" else f"--hv-{key.replace('_', '-')}"


def read_policy(path: Path) -> PolicyBlock:
    """A policy in a file of its own: the same keys as `policy:` in an inventory. UsageError for each mistake."""
    text = UserFile(path, kind=KIND, key="fail_at")
    block = SCHEMA.check(text, PolicyBlock, text.document(content_of(path, KIND)))
    if block is None or text.mistakes:
        raise text.error()
    return block
