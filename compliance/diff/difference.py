"""What a comparison of two audits comes to: what changed, which outcomes flipped, whose readiness turned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from compliance.diff.aspects import Change
from compliance.judge.readiness import Direction, Readiness
from compliance.model import Estate, Role, Unread
from compliance.rule import Outcome, Result, Severity, Verdict


class Fate(StrEnum):
    """What became of something between two audits."""

    STAYED = "stayed"
    CAME = "came"
    WENT = "went"
    LOST = "not known now"
    KNOWN_NOW = "known now"


class Effect(StrEnum):
    """What a flip is worth. A failure that is not known any more is none that got better."""

    WORSE = "worse"
    BETTER = "better"
    OTHER = "other"


HARM = {Result.PASSED: 0, Result.NOT_APPLICABLE: 0, Result.WAIVED: 0, Result.UNKNOWN: 1, Result.FAILED: 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """A rule that says something else; None: it was not, or is no longer, asked."""

    rule: str
    severity: Severity
    before: Outcome | None
    after: Outcome | None

    @property
    def effect(self) -> Effect:
        was = HARM[self.before.result] if self.before else 0
        if self.after and HARM[self.after.result] > was:
            return Effect.WORSE
        return Effect.BETTER if self.after and was and not HARM[self.after.result] else Effect.OTHER


@dataclass(frozen=True, kw_only=True, slots=True)
class Changed:
    """Something that changed, or of which an outcome flipped.

    ``reason`` says why it is not known on one side. ``because`` labels what else changed that may have flipped its
    outcomes, such as the same guest on its partner host. ``is_explained`` is false for flips that no change explains.
    """

    label: str
    server: str = ""  # "" for the estate and for clusters
    cluster: str = ""  # for clusters alone
    guid: str = ""  # "" for the estate and for servers
    role: Role | Unread | None = None  # None for the estate and for servers
    fate: Fate
    reason: str = ""
    changes: tuple[Change, ...] = ()
    flips: tuple[Flip, ...] = ()
    because: tuple[str, ...] = ()
    is_explained: bool = True

    @property
    def kind(self) -> str:
        return "machine" if self.guid else "server" if self.server else "cluster" if self.cluster else "estate"

    @property
    def effects(self) -> frozenset[Effect]:
        return frozenset(flip.effect for flip in self.flips)

    @property
    def bears(self) -> bool:
        """May it have moved an outcome, its own or its partner's?"""
        return self.fate is not Fate.STAYED or any(change.bears for change in self.changes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A machine whose readiness is another one in a direction; None: it was not seen there, or is no more."""

    direction: Direction
    before: Readiness | None
    after: Readiness | None

    @property
    def machine(self) -> Readiness:
        readiness = self.after or self.before
        assert readiness  # noqa: S101  # a turn has one of the two
        return readiness


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """One side of a comparison."""

    estate: Estate
    verdicts: tuple[Verdict, ...]
    tool: str = ""
    complete: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditExtent:
    """How much one side saw: the frame of what it can say."""

    time: datetime
    tool: str
    complete: bool
    servers: int
    unread: int
    machines: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Two audits of one estate, and every entry of what is not the same: the estate's, servers', machines'."""

    estate: str
    before: AuditExtent
    after: AuditExtent
    entries: tuple[Changed, ...]
    turns: tuple[Turn, ...] = ()

    @property
    def is_worse(self) -> bool:
        """Did an outcome get worse, or does the later audit see less than the earlier one?"""
        less = self.before.complete and not self.after.complete
        return less or any(Effect.WORSE in entry.effects or _is_unread_now(entry) for entry in self.entries)

    def flips(self, effect: Effect) -> int:
        return sum(flip.effect is effect for entry in self.entries for flip in entry.flips)


def _is_unread_now(entry: Changed) -> bool:
    """Whether or not a rule asks for it."""
    return entry.kind in ("server", "cluster") and (
        entry.fate is Fate.LOST or any(isinstance(change.after, Unread) for change in entry.changes)
    )
