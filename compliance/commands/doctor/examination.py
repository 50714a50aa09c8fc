"""What the doctor found: values without I/O, which the text and the JSON are written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from compliance.model import Unread
from compliance.snapshot.snapshot import ServerRecord

Fact = str | int | float | bool | None | Sequence["Fact"] | Mapping[str, "Fact"]


STEPS = (
    "name",
    "port",
    "tls",
    "listener",
    "login",
    "identify",
    "namespace",
    "classes",
    "rights",
    "clock",
    "assumptions",
    "audit",
)
"""In the order in which they are taken; each stands in every report."""


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"  # an audit works, and somebody should know
    FAILED = "failed"  # an audit does not work, or not whole
    NOT_TRIED = "not tried"  # something before it failed


class GrantBasis(StrEnum):
    """How we know that a command, or the right it gives, is what is missing."""

    DOCUMENTED = "documented"
    INFERRED = "inferred"


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One question on the way to an audit: ``text`` in a line, ``details`` in more, ``facts`` for programs."""

    key: str
    status: Status
    text: str
    details: tuple[str, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRead:
    """One class as it was read: what came, and what it took. ``unread`` says why nothing came."""

    name: str
    namespace: str
    rows: int
    seconds: float
    messages: int
    octets: int  # bodies, both ways
    unread: Unread | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """A right that is missing, and the least commands that would give it. They are for review, never run from here."""

    key: str
    missing: str
    why: str
    commands: tuple[str, ...]
    basis: GrantBasis


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """One server, examined as far as it could be. ``source`` is what an audit would have of it."""

    name: str
    endpoint: str
    way: str  # https, ntlm as DR\audit
    steps: tuple[Step, ...]
    source: ServerRecord
    classes: tuple[ClassRead, ...] = ()
    grants: tuple[Grant, ...] = ()
    messages: int = 0
    octets: int = 0
    seconds: float = 0.0

    @property
    def works(self) -> bool:
        """Does everything that an audit needs work?"""
        return not any(step.status in (Status.FAILED, Status.NOT_TRIED) for step in self.steps)

    @property
    def stuck(self) -> str:
        """The first step that failed, else the first that was not tried; empty where everything works."""
        of = {status: [step.key for step in self.steps if step.status is status] for status in Status}
        return next(iter((*of[Status.FAILED], *of[Status.NOT_TRIED])), "")

    @property
    def logged_in(self) -> bool:
        return any(step.key == "identify" and step.status is not Status.NOT_TRIED for step in self.steps)
