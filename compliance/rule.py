"""What a rule is, and what it may say. A rule is one function; its metadata stands at its head and nowhere else."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from sys import intern
from types import MappingProxyType
from typing import Protocol, Self

from compliance.model import (
    Cluster,
    Estate,
    Judging,
    ReplicaAdapter,
    ReplicatedVM,
    Role,
    Server,
    Subject,
    VirtualMachine,
)
from compliance.site import page_link
from compliance.words import printable

SUBJECTS = (Estate, Cluster, Server, ReplicatedVM, ReplicaAdapter)
SIDES = frozenset({Role.PRIMARY, Role.REPLICA, Role.EXTENDED_REPLICA})
"""The sides that a rule on virtual machines or their adapters judges, unless it says otherwise."""


class Severity(StrEnum):
    """BPA's three words, worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class Result(StrEnum):
    """Five different things. ``WAIVED`` is the gate's to say, never a rule's."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"
    PASSED = "passed"


NO_FACTS: Mapping[str, tuple[str, ...]] = MappingProxyType({})
"""What most outcomes have, and share."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of one subject. ``finding`` is one line: what is there, then what was expected.

    ``cause`` is the stable key of why it failed or is unknown (``data-exchange-no-contact``): identities, remedies and
    groups of findings rest on it, never on the sentence. ``condition`` is what a pass still needs and nobody looked at
    (``NetworkManager leaves its adapter alone``): such a machine is *ready if*. ``rests_on`` are keys and values
    that the cause is about and the subject doesn't show by itself (another machine's GUID, an address): with others of
    them it is another finding, and no longer known. ``facts`` are shown beside the finding, by names for people
    (``Address now``): nothing rests on them. ``wait``: after so long a time another run may know.
    """

    result: Result
    finding: str
    evidence: str = ""
    cause: str = ""
    condition: str = ""
    remarks: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NO_FACTS, hash=False)
    wait: timedelta | None = None

    def fact(self, name: str) -> str:
        return ", ".join(self.facts.get(name, ()))


def passed(finding: str = "", *, evidence: str = "", condition: str = "") -> Outcome:
    return Outcome(Result.PASSED, finding, evidence, condition=condition)


def failed(finding: str, *, evidence: str = "", cause: str = "", rests_on: tuple[str, ...] = ()) -> Outcome:
    return Outcome(Result.FAILED, finding, evidence, cause, rests_on=rests_on)


def unknown(finding: str, *, evidence: str = "", cause: str = "", wait: timedelta | None = None) -> Outcome:
    return Outcome(Result.UNKNOWN, finding, evidence, cause, wait=wait)


def not_applicable(finding: str, *, cause: str = "") -> Outcome:
    return Outcome(Result.NOT_APPLICABLE, finding, cause=cause)


class Index(Protocol):
    """What a rule has to know of the whole estate beside its subject: made once for all of them."""

    @classmethod
    def of(cls, estate: Estate) -> Self: ...


class Judge(Protocol):
    """A rule's function, whatever it asks for: ``index`` is what its ``Rule.index`` made of the estate."""

    def __call__(self, on: Subject, settings: Judging, index: Index | None = None) -> Outcome: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A rule's metadata and its function. ``impact`` and ``resolution`` hold paragraphs, separated by an empty line.

    ``violated`` completes the sentence "3 of 41 replicated virtual machines …" for people who read one line only.
    """

    key: str
    severity: Severity
    title: str
    issue: str
    impact: str
    resolution: str
    violated: str
    unknown_when: str  # one or two sentences
    link: str | None  # Microsoft's page where the text is quoted, else the rule's own where one is published
    bpa: int | None  # the number of the rule in Microsoft's model of Server 2012 that it stands for
    quoted: bool  # the text is Microsoft's, under CC BY 4.0
    applies: Callable[[Estate], bool]  # False: it would say nothing of anything in this estate, and is not asked
    judges_unread: bool  # it is about what was not read, and asked of it; every other rule is never called on that
    requires: tuple[str, ...]  # keys of rules on which it rests
    subject: type[Subject]
    sides: frozenset[Role]  # of which it judges virtual machines, or their adapters
    index: type[Index] | None
    judge: Judge
    module: str  # that defines it

    @property
    def of_machines(self) -> bool:
        """Does it judge virtual machines or their adapters? Then a server that was not read stands in for its own."""
        return self.subject in (ReplicatedVM, ReplicaAdapter)

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A rule's outcome on a subject. A server that was not read stands in for what it would have shown."""

    rule: Rule
    estate: str
    label: str  # `server/machine`, `server/machine/eth-XXXXXX`, the server, or the estate: unique for the rule
    subject: Subject
    outcome: Outcome

    @property
    def id(self) -> str:
        return f"{printable(self.estate)}::{self.rule.key}[{self.label}]"

    @property
    def vm(self) -> ReplicatedVM | None:
        """The virtual machine that it is about, or whose adapter it is about."""
        subject = self.subject
        if isinstance(subject, ReplicatedVM):
            return subject
        return subject.vm if isinstance(subject, ReplicaAdapter) else None

    @property
    def machine(self) -> VirtualMachine | None:
        subject = self.subject  # looked at here: every stage and writer asks each verdict for it, and often
        if isinstance(subject, ReplicatedVM):
            return subject.machine
        return subject.vm.machine if isinstance(subject, ReplicaAdapter) else None

    @property
    def adapter(self) -> ReplicaAdapter | None:
        return self.subject if isinstance(self.subject, ReplicaAdapter) else None

    @property
    def server(self) -> str | None:
        if machine := self.machine:
            return machine.server
        return self.subject.name if isinstance(self.subject, Server) else None

    @property
    def cluster(self) -> str | None:
        """The cluster that it is about, or whose node or virtual machine it is about."""
        if machine := self.machine:
            return machine.cluster
        match subject := self.subject:
            case Cluster():
                return subject.name
            case Server():
                return subject.cluster
        return None


def rule(
    key: str,
    *,
    severity: Severity,
    title: str,
    impact: str,
    resolution: str,
    issue: str = "",
    violated: str = "",
    unknown_when: str = "",
    link: str | None = None,
    bpa: int | None = None,
    quoted: bool = False,
    applies: Callable[[Estate], bool] = lambda _: True,
    judges_unread: bool = False,
    requires: Collection[str] = (),
    sides: Collection[Role] = SIDES,
) -> Callable[[Callable[..., Outcome]], Rule]:
    """Make a rule of a function ``(subject, ...) -> Outcome``.

    The annotation of the first parameter picks the subject: ``Estate``, ``Cluster``, ``Server``, ``ReplicatedVM`` or
    ``ReplicaAdapter``. Another may be annotated with ``Judging``, and another with an ``Index``.

    It is never called on a server, cluster or side of a machine that was not read: that is unknown, with its reason.
    Nor is it where a rule that it ``requires`` is unknown, failed or not applicable for the same subject (for an
    adapter also: for its machine): that one has said it, and this one points there.
    """

    def make(function: Callable[..., Outcome]) -> Rule:
        parameters = list(inspect.signature(function).parameters)
        hints = typing.get_type_hints(function)
        subject = hints[parameters[0]]
        if subject not in SUBJECTS:
            raise TypeError(f"rule {key}: {function.__name__}'s first parameter must be annotated with a subject")
        kinds = [hints.get(name) for name in parameters[1:]]
        indexes = [kind for kind in kinds if kind is not Judging]
        if len(indexes) > 1 or not all(hasattr(kind, "of") for kind in indexes):
            raise TypeError(f"rule {key}: {function.__name__} may ask for Judging and for one index, and no more")

        return Rule(
            key=key,
            severity=severity,
            title=title,
            issue=issue,
            impact=impact,
            resolution=resolution,
            violated=violated or f"violate {key}",
            unknown_when=unknown_when,
            link=link or _page_of(key, function.__module__),
            bpa=bpa,
            quoted=quoted,
            applies=applies,
            judges_unread=judges_unread,
            requires=tuple(requires),
            subject=subject,
            sides=frozenset(sides),
            index=indexes[0] if indexes else None,
            judge=_judge_of(function, kinds),
            module=function.__module__,
        )

    return make


def _judge_of(function: Callable[..., Outcome], kinds: Sequence[object]) -> Judge:
    """Return a rule's function as it is called, with what it asks for: once for each subject, so nothing is looked up
    that is known here."""

    def judge(on: Subject, settings: Judging, index: Index | None = None) -> Outcome:  # noqa: ARG001  # as all are called
        return function(on)

    def judge_with_settings(on: Subject, settings: Judging, index: Index | None = None) -> Outcome:  # noqa: ARG001  # the same
        return function(on, settings)

    def judge_with_index(on: Subject, settings: Judging, index: Index | None = None) -> Outcome:  # noqa: ARG001  # the same
        return function(on, index)

    def judge_with_several(on: Subject, settings: Judging, index: Index | None = None) -> Outcome:
        return function(on, *(settings if kind is Judging else index for kind in kinds))

    if len(kinds) > 1:
        return judge_with_several
    if not kinds:
        return judge
    return judge_with_settings if kinds[0] is Judging else judge_with_index


def _page_of(key: str, module: str) -> str | None:
    """Return the page of a rule of ours, where the documentation has an address."""
    return page_link(f"rules/{key}") if module.startswith("compliance.rules.") else None


def with_facts(outcome: Outcome, facts: Mapping[str, tuple[str, ...]]) -> Outcome:
    """Return the outcome with these facts; built at once, since ``replace`` looks at each field three times.

    Of many machines the same is said, and their facts differ: they share the text at least.
    """
    known = outcome
    return Outcome(
        known.result,
        intern(str(known.finding)),
        known.evidence,
        known.cause,
        known.condition,
        known.remarks,
        known.rests_on,
        facts,
        known.wait,
    )


def with_remarks(outcome: Outcome, remarks: tuple[str, ...]) -> Outcome:
    return replace(outcome, remarks=(*outcome.remarks, *remarks)) if remarks else outcome
