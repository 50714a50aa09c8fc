"""What version 0.1 took for the same finding, so that a results.json that it wrote stays a baseline for ever.

Its digests were made of words: roles, answers and sentences as it wrote them. They are frozen here, and nothing here
reads a word of what the product says today. Nothing is added: what 0.1 did not know has no finding of its making.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from compliance.model import (
    Answer,
    Cluster,
    Estate,
    Guest,
    GuestConnection,
    Inside,
    Power,
    ReplicatedVM,
    Role,
    Unread,
    VirtualMachine,
)
from compliance.rule import Result, Verdict

ROLES: Mapping[Role, str] = {
    Role.NONE: "not replicated",
    Role.PRIMARY: "primary",
    Role.REPLICA: "replica",
    Role.TEST_REPLICA: "test replica",
    Role.EXTENDED_REPLICA: "extended replica",
}
ANSWERS: Mapping[Answer, str] = {
    Answer.OK: "OK",
    Answer.DEGRADED: "OK with an older protocol",
    Answer.NO_PROTOCOL: "no compatible protocol",
    Answer.NO_CONTACT: "no contact",
    Answer.LOST: "lost communication",
}


def identity_of(verdict: Verdict) -> str:
    """Return what names a finding by its estate, rule, machine and side, as 0.1 did."""
    return digest(verdict.estate, verdict.rule.key, *_subject(verdict))


def evidence_of(verdict: Verdict) -> str:
    """Return what a failed verdict rests on, as 0.1 wrote it; empty, and so never the same, for a rule that it did not
    have. It took only what had failed from a baseline, so what is unknown needs no words here."""
    words = _WORDS.get(verdict.rule.key)
    return digest("failed", *words(verdict)) if words and verdict.outcome.result is Result.FAILED else ""


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _subject(verdict: Verdict) -> tuple[str, ...]:
    if machine := verdict.machine:
        role = str(machine.role) if isinstance(machine.role, Unread) else ROLES[machine.role]
        return "machine", machine.guid.casefold(), role
    if isinstance(verdict.subject, Cluster):
        return "cluster", verdict.subject.name.casefold()
    return ("server", verdict.server.casefold()) if verdict.server else ("estate",)


# --- words of the rules that could fail -------------------------------------------------------------------------------


def _answered(verdict: Verdict) -> tuple[str, ...]:
    """failover-ip-needs-integration-services"""
    machine = _machine(verdict)
    if machine.data_exchange_offered is False:
        return _with_state("offer on this host", machine)
    place = _elsewhere(verdict)
    return _with_state(f"answer of the same guest{place}" if place else "answer of the guest", machine)


def _by_its_system(verdict: Verdict) -> tuple[str, ...]:
    """guest-can-apply-failover-ip"""
    evidence = f"likely, by the system that the guest{_elsewhere(verdict)} published"
    return _with_state(evidence, _machine(verdict))


def _seen_inside(verdict: Verdict) -> tuple[str, ...]:
    """guest-applies-failover-ip"""
    side = _runs_on(verdict)
    inside = side.inside if isinstance(side, VirtualMachine) else None
    name = inside.connection if isinstance(inside, Inside) else ""
    return _with_state(f"seen inside the guest, by {name}", _machine(verdict))


def _leads_nowhere(verdict: Verdict) -> tuple[str, ...]:
    """guests-were-read"""
    estate = verdict.subject
    assert isinstance(estate, Estate)  # noqa: S101  # the rule's subject
    blind = any(server.unread or server.doubt for server in estate.servers)
    ways = [way for way in estate.connections if blind or not way.left_out]
    lost = sum(not _is_found(way) for way in ways)
    return (f"{lost} of {len(ways)} ways into guests lead to no machine that they are for",)


_WORDS: Mapping[str, Callable[[Verdict], tuple[str, ...]]] = {
    "failover-ip-needs-integration-services": _answered,
    "guest-can-apply-failover-ip": _by_its_system,
    "guest-applies-failover-ip": _seen_inside,
    "guests-were-read": _leads_nowhere,
}


def _with_state(evidence: str, machine: VirtualMachine) -> tuple[str, ...]:
    guest = machine.guest.answer if isinstance(machine.guest, Guest) else machine.guest
    return (
        evidence,
        str(machine.data_exchange_offered),
        ANSWERS[guest] if isinstance(guest, Answer) else str(guest),
        *sorted(f"{setting.adapter_guid.casefold()} {', '.join(setting.addresses)}" for setting in machine.settings),
    )


def _elsewhere(verdict: Verdict) -> str:
    """Return `` on SERVER`` where the guest runs on the other side, as far as 0.1 could see."""
    side = _runs_on(verdict)
    if not isinstance(side, VirtualMachine) or side is _machine(verdict):
        return ""
    return f" on {side.server}"


def _runs_on(verdict: Verdict) -> VirtualMachine | Unread:
    machine = _machine(verdict)
    if machine.power in (Power.RUNNING, Power.PAUSED) or not isinstance(verdict.subject, ReplicatedVM):
        return machine
    return verdict.subject.partner


def _machine(verdict: Verdict) -> VirtualMachine:
    assert verdict.machine  # noqa: S101  # an unread server stands in for its machines as unknown, never as failed
    return verdict.machine


def _is_found(way: GuestConnection) -> bool:
    return bool(way.matched and way.proved) and not isinstance(way.inside, Unread)
