"""Verdicts as pytest's items and reports. An item carries its outcome; nothing is computed when it runs.

A case takes the short way through pytest's protocol (no fixtures, no capture): 3 times cheaper at 10,000 cases,
measured with pytest 9.2. Where a debugger is asked for it goes the long way, with the same outcome.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Any

import pytest

from compliance.judge.conclusion import FOUNDING
from compliance.plugin.grain import Bundle
from compliance.report.readiness import readiness_text
from compliance.rule import Result, Verdict
from compliance.rules.remedies.remedy import remedy_of
from compliance.words import printable

CONDITION = "condition"
"""The property of what passed, if something holds that nobody looked at."""
MARKERS = {"severity_error", "severity_warning", "severity_information"}


class ViolationError(Exception):
    """A rule found a violation. Raised on the long way only."""


class UnknownError(Exception):
    """Whether a subject follows a rule is not known. Raised on the long way only."""


class EstateNode(pytest.Collector):
    """Stands above an estate's cases in pytest's tree; its id is the estate's name, whatever file it came from."""

    bundles: Sequence[Bundle] = ()

    @cached_property
    def ihook(self) -> Any:
        """The hooks of its cases. pytest's own property would look for conftest files four times for each of them."""
        return super().ihook

    @classmethod
    def of(cls, session: pytest.Session, estate: str, bundles: Sequence[Bundle]) -> EstateNode:
        node: EstateNode = cls.from_parent(session, name=estate, nodeid=estate)
        node.bundles = bundles
        return node

    def collect(self) -> list[Case]:
        return [Case.of(self, bundle) for bundle in self.bundles]


class Case(pytest.Item):
    """One rule on one subject, or on several, already judged."""

    bundle: Bundle
    verdict: Verdict  # as it is shown
    allowed: str = ""  # why it failed and closes nothing

    @property
    def ihook(self) -> Any:
        return self.parent.ihook if self.parent else super().ihook

    @property
    def finding(self) -> str:
        """What pytest, JUnit, xdist and terminals are given: a guest may have written parts of it."""
        return printable(self.verdict.outcome.finding)

    @classmethod
    def of(cls, parent: EstateNode, bundle: Bundle) -> Case:
        verdict = bundle.verdict
        # The id is given whole: pytest would derive one from rootdir, and --lf would not find it again.
        case: Case = cls.from_parent(parent, name=bundle.id.removeprefix(f"{parent.name}::"), nodeid=bundle.id)
        case.bundle = bundle
        case.verdict = verdict
        case.allowed = f"{bundle.allowed} (would fail)" if bundle.allowed else ""
        for marker in _markers(verdict.rule.severity.value, verdict.rule.key):
            case.add_marker(marker)
        is_plain = verdict.outcome.result is Result.PASSED and not verdict.outcome.condition
        if not is_plain or len(bundle.members) > 1 or verdict.rule.key == FOUNDING:
            case.user_properties.extend(properties_of(bundle))
        if case.allowed:
            case.user_properties.append(("remark", f"{case.allowed}: {case.finding}"))
        return case

    def setup(self) -> None:
        if self.verdict.outcome.result is Result.UNKNOWN:
            raise UnknownError(self.finding)
        if self.verdict.outcome.result in (Result.NOT_APPLICABLE, Result.WAIVED):
            pytest.skip(self.finding)

    def runtest(self) -> None:
        if self.verdict.outcome.result is Result.FAILED and not self.allowed:
            raise ViolationError(self.finding)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:  # noqa: ARG002  # pytest's parameter
        return self.bundle.details()

    def reportinfo(self) -> tuple[str, int | None, str]:
        return self.parent.name if self.parent else "", None, self.name

    @property
    def location(self) -> tuple[str, int | None, str]:
        """As reported. pytest's own would look for the estate's name in the file system, once for each case."""
        return self.reportinfo()


@lru_cache(maxsize=1024)
def _markers(severity: str, key: str) -> tuple[pytest.MarkDecorator, pytest.MarkDecorator]:
    """Return those of a rule's cases: by their names pytest would make two for each."""
    return getattr(pytest.mark, f"severity_{severity}"), getattr(pytest.mark, marker_of(key))


def marker_of(key: str) -> str:
    """A rule's key as pytest's -m takes it."""
    return key.replace("-", "_").replace(".", "_")


def properties_of(bundle: Bundle) -> Iterator[tuple[str, object]]:
    """For JUnit and xdist: pairs of plain, printable text."""
    return ((name, _printable(text)) for name, text in _texts(bundle))


_printable = lru_cache(maxsize=4096)(printable)
"""Most properties of a case are those of the case before."""


def _texts(bundle: Bundle) -> Iterator[tuple[str, str]]:
    verdict = bundle.verdict
    yield "rule", verdict.rule.key
    yield "severity", verdict.rule.severity.value
    if verdict.server:
        yield "server", verdict.server
    if verdict.cluster:
        yield "cluster", verdict.cluster
    if machine := verdict.machine:
        yield "virtual_machine", machine.name
        yield "guid", machine.guid
        yield "side", str(machine.role)
    if verdict.outcome.condition:
        yield CONDITION, verdict.outcome.condition
    if bundle.is_single:
        yield from _remedy(bundle.members[0].verdict)
    yield from (
        (f"readiness_{readiness.direction.replace(' ', '_')}", readiness_text(readiness))
        for readiness in bundle.readiness
    )
    if len(bundle.members) > 1:
        yield from ((result.value.replace(" ", "_"), str(count)) for result, count in bundle.counts.items())


def _remedy(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield why it failed or is unknown, as a key, and what to do about it."""
    if verdict.outcome.cause:
        yield "cause", str(verdict.outcome.cause)  # xdist takes no enum
    if remedy := remedy_of(verdict):
        yield "remedy", remedy.text
        if command := remedy.command:
            yield "command", f"{command.where}: {command.text}"


def word_of(report: object) -> tuple[str, str, str] | None:
    """Return pytest's category, letter and word for a report that passed on a condition: no plain pass anywhere."""
    if getattr(report, "when", "") != "call" or not getattr(report, "passed", False):
        return None
    is_conditional = any(name == CONDITION for name, _ in getattr(report, "user_properties", ()))
    return ("passed", ",", "PASSED IF") if is_conditional else None


def run(case: Case) -> None:
    """The short way: log start, the reports, log finish."""
    hook, nodeid, location = case.ihook, case.nodeid, case.location
    hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    for report in _reports(case):
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)


def _reports(case: Case) -> Iterator[pytest.TestReport]:
    outcome = case.verdict.outcome
    match outcome.result:
        case Result.PASSED:
            yield _report(case, "call", "passed", None)
        case Result.FAILED if case.allowed:
            yield _report(case, "call", "passed", None, sections=((case.allowed, case.bundle.details()),))
        case Result.FAILED:
            yield _report(case, "call", "failed", case.bundle.details())
        case Result.UNKNOWN:
            # A setup that fails is what pytest and JUnit call an error, not a failure.
            yield _report(case, "setup", "failed", case.bundle.details())
        case Result.NOT_APPLICABLE | Result.WAIVED:
            # pytest's own tuple would name a path of this machine.
            yield _report(case, "setup", "skipped", (case.location[0], 0, f"Skipped: {case.finding}"))
    yield _report(case, "teardown", "passed", None)


def _report(
    case: Case, when: str, outcome: str, longrepr: object, *, sections: Sequence[tuple[str, str]] = ()
) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=case.nodeid,
        location=case.location,
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]  # pytest's Literal; ours come from the table above
        longrepr=longrepr,  # type: ignore[arg-type]  # the same
        when=when,  # type: ignore[arg-type]  # the same
        sections=sections,
        duration=0.0,
        start=0.0,
        stop=0.0,
        user_properties=list(case.user_properties),
    )
