"""What stands before a rule: a subject that was read, and the rules on which it rests. No author thinks of either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from compliance.model import Cluster, ReplicaAdapter, ReplicatedVM, Server, Subject
from compliance.rule import Outcome, Result, Rule, not_applicable, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import beyond_reading, unread_side


def why_unread(subject: Subject) -> Outcome | None:
    """Return what is said of a subject that was not read, or not whole; None for one that was."""
    match subject:
        case Server():
            why = subject.unread or subject.doubt
            return unknown(f"was not read: {why}", cause=Cause.SERVER_UNREAD) if why else None
        case Cluster():
            whole = subject.unread or "; ".join(subject.doubts)
            return unknown(f"was not read: {whole}", cause=Cause.CLUSTER_UNREAD) if whole else None
        case ReplicaAdapter(vm=vm) | (ReplicatedVM() as vm):
            outcome = unread_side(vm.machine) and beyond_reading(vm.machine)  # another provider's is said to be one
            return with_remarks(outcome, (*vm.machine.remarks, *vm.remarks)) if outcome else None
    return None


def pointing_to(rule: Rule, outcome: Outcome) -> Outcome | None:
    """Return what a rule says that rests on this one's outcome; None where that lets it be judged."""
    match outcome.result:
        case Result.UNKNOWN:
            cause = outcome.cause or Cause.REQUIRED_UNKNOWN
            return unknown(f"{rule.key} is unknown: {outcome.finding}", cause=cause, wait=outcome.wait)
        case Result.FAILED:
            return not_applicable(f"{rule.key} failed: see there", cause=Cause.REQUIRED_FAILED)
        case Result.NOT_APPLICABLE:
            return not_applicable(outcome.finding, cause=outcome.cause)
    return None


def subject_of(required: Rule, subject: Subject, servers: Mapping[str, Server]) -> Subject | None:
    """Return what a required rule judges for this subject: the same, an adapter's machine, or its server. None where
    it judges no side of this role."""
    vm = subject.vm if isinstance(subject, ReplicaAdapter) else subject
    if required.subject is Server and isinstance(vm, ReplicatedVM):
        return servers.get(vm.machine.server)
    on = vm if required.subject is ReplicatedVM else subject
    if isinstance(vm, ReplicatedVM) and vm.machine.role not in required.sides:
        return None
    return on if isinstance(on, required.subject) else None


def check_requirements(rules: Sequence[Rule]) -> None:
    """Raise TypeError where a rule rests on one that there is not, on one of other subjects, or on itself."""
    by_key = {rule.key: rule for rule in rules}
    for rule in rules:
        for key in rule.requires:
            if key not in by_key:
                raise TypeError(f"rule {rule.key} requires {key}, which is no rule")
            other = by_key[key].subject
            if not (other is rule.subject or (rule.of_machines and other in (ReplicatedVM, Server))):
                raise TypeError(f"rule {rule.key} requires {key}, which judges other subjects")
    try:
        TopologicalSorter({rule.key: rule.requires for rule in rules}).prepare()
    except CycleError as error:
        raise TypeError(f"rules require each other: {' -> '.join(error.args[1])}") from None
