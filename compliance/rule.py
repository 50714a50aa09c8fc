"""What a rule is, and what it may say. A rule is one function; its metadata stands at its head and nowhere else."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from compliance.model import Cluster, Estate, ReplicatedVM, Server, Settings, Subject, VirtualMachine


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


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a rule says of one subject. ``finding`` is one line: what is there, then what was expected.

    ``cause`` is the stable key of why it failed or is unknown (``data-exchange-no-contact``): identities, remedies and
    groups of findings rest on it, never on the sentence. ``condition`` is what a pass still needs and nobody looked at
    (``NetworkManager leaves its adapter alone``): such a machine is *ready if*. ``rests_on`` are keys and values
    that the cause is about and the subject doesn't show by itself (another machine's GUID, an address): with others of
    them it is another finding, and no longer known.
    """

    result: Result
    finding: str
    evidence: str = ""
    cause: str = ""
    condition: str = ""
    bpa: str = ""
    remarks: tuple[str, ...] = ()
    addresses_now: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()


def passed(finding: str = "", *, evidence: str = "", condition: str = "") -> Outcome:
    return Outcome(Result.PASSED, finding, evidence, condition=condition)


def failed(finding: str, *, evidence: str = "", cause: str = "", rests_on: tuple[str, ...] = ()) -> Outcome:
    return Outcome(Result.FAILED, finding, evidence, cause, rests_on=rests_on)


def unknown(finding: str, *, evidence: str = "", cause: str = "") -> Outcome:
    return Outcome(Result.UNKNOWN, finding, evidence, cause)


def not_applicable(finding: str, *, cause: str = "") -> Outcome:
    return Outcome(Result.NOT_APPLICABLE, finding, cause=cause)


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
    link: str | None
    quoted: bool  # the text is Microsoft's, under CC BY 4.0
    only_with_ways: bool  # asked only where the inventory names ways into guests: else it had nothing to say anywhere
    subject: type[Subject]
    judge: Callable[[Subject, Settings], Outcome]

    def __str__(self) -> str:
        return self.key


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """A rule's outcome on a subject. A server that was not read stands in for what it would have shown."""

    rule: Rule
    estate: str
    label: str  # `server/machine`, or the server, or the estate: unique for the rule
    subject: Subject
    outcome: Outcome

    @property
    def id(self) -> str:
        return f"{self.estate}::{self.rule.key}[{self.label}]"

    @property
    def machine(self) -> VirtualMachine | None:
        return self.subject.machine if isinstance(self.subject, ReplicatedVM) else None

    @property
    def server(self) -> str | None:
        if isinstance(self.subject, ReplicatedVM):
            return self.subject.machine.server
        return self.subject.name if isinstance(self.subject, Server) else None

    @property
    def cluster(self) -> str | None:
        """The cluster that it is about, or whose node or virtual machine it is about."""
        match self.subject:
            case Cluster():
                return self.subject.name
            case Server():
                return self.subject.cluster
            case ReplicatedVM():
                return self.subject.machine.cluster
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
    link: str | None = None,
    quoted: bool = False,
    only_with_ways: bool = False,
) -> Callable[[Callable[..., Outcome]], Rule]:
    """Make a rule of a function ``(subject) -> Outcome`` or ``(subject, settings) -> Outcome``.

    The annotation of the first parameter picks the subject: ``Estate``, ``Cluster``, ``Server`` or
    ``ReplicatedVM``.
    """

    def make(function: Callable[..., Outcome]) -> Rule:
        parameters = list(inspect.signature(function).parameters)
        hints = typing.get_type_hints(function)
        subject = hints[parameters[0]]
        if subject not in (Estate, Cluster, Server, ReplicatedVM):
            raise TypeError(f"rule {key}: {function.__name__}'s first parameter must be annotated with a subject")
        with_settings = len(parameters) > 1

        def judge(on: Subject, settings: Settings) -> Outcome:
            return function(on, settings) if with_settings else function(on)

        return Rule(
            key=key,
            severity=severity,
            title=title,
            issue=issue,
            impact=impact,
            resolution=resolution,
            violated=violated or f"violate {key}",
            link=link,
            quoted=quoted,
            only_with_ways=only_with_ways,
            subject=subject,
            judge=judge,
        )

    return make


def with_remarks(outcome: Outcome, remarks: tuple[str, ...]) -> Outcome:
    return replace(outcome, remarks=(*outcome.remarks, *remarks)) if remarks else outcome
