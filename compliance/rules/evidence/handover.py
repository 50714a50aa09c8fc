"""Will the guest be handed its failover address? The steps that every rule on it begins with, and their order.

What the host offers, then what the guest answers, here or on its partner's host. The line of each step is one of the
founding rule's, ``failover-ip-needs-integration-services``; a rule that goes on from a passed one asks nothing again.
"""

from __future__ import annotations

from datetime import timedelta

from compliance.model import (
    Answer,
    Evidence,
    Guest,
    Inside,
    InsideUnix,
    InsideWindows,
    Power,
    ReplicatedVM,
    Service,
    Settings,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Result, failed, not_applicable, passed, unknown, with_remarks

HOST_OFFER = "offer on this host"
GUEST = "answer of the guest"
NOTHING = "nothing"

ANSWERING = frozenset({Answer.OK, Answer.DEGRADED})


def decide(vm: ReplicatedVM, settings: Settings) -> Outcome:
    """The first step that has something to say. Their order is the rule: nothing unread is passed over."""
    machine = vm.machine
    if outcome := beyond_question(machine) or _not_offered(machine):
        return outcome
    if settings.evidence is Evidence.BPA:
        return passed(
            "Data Exchange is offered on this host; the guest was not asked (evidence: bpa)", evidence=HOST_OFFER
        )
    answer = _asked(machine, settings, where="") if runs_on(vm) is machine else _on_partner(vm, settings)
    return _with_look_inside(answer, vm)


def beyond_question(machine: VirtualMachine) -> Outcome | None:
    """What no rule on failover addresses goes beyond: a machine that is not known, or has none."""
    return _not_known(machine) or _no_failover_address(machine)


def runs_on(vm: ReplicatedVM) -> VirtualMachine | Unread:
    """The side on which the guest is, so that what it says is seen there; or why nobody sees it."""
    return vm.machine if vm.machine.power in (Power.RUNNING, Power.PAUSED) else vm.partner


def guest_seen(vm: ReplicatedVM) -> Guest | None:
    """What was published about the guest, here or on its partner's host."""
    for machine in (vm.machine, vm.partner):
        if isinstance(machine, VirtualMachine) and isinstance(machine.guest, Guest) and machine.guest.published:
            return machine.guest
    return None


def inside_of(vm: ReplicatedVM) -> Inside | Unread | None:
    """What a look into its guest showed, on the side where it runs; None where the inventory names no way in."""
    side = runs_on(vm)
    if isinstance(side, Unread):
        return (
            None
            if vm.machine.inside is None
            else Unread(f"it is {vm.machine.power} and was not seen elsewhere: {side}")
        )
    if side.inside is not None and side.changed:
        return Unread(f"on {side.server}, {'; '.join(side.changed)}")
    return side.inside


def seen_by(inside: Inside) -> str:
    return f"seen inside the guest, by {inside.way}"


def _with_look_inside(answer: Outcome, vm: ReplicatedVM) -> Outcome:
    """A daemon or service that was seen running is an answer of the guest's where its host has none to show, or has one
    no more; what the host says stays a remark. A host that saw the guest fail to answer saw more."""
    inside = inside_of(vm)
    if answer.result is Result.PASSED or not isinstance(inside, Inside):
        return answer
    answering = _answering(inside)
    if answering is None:
        return answer
    runs = f"inside the guest the Data Exchange {answering} runs"
    if answer.result is Result.UNKNOWN:
        return with_remarks(passed(runs, evidence=seen_by(inside)), (f"of what its host sees: {answer.finding}",))
    return with_remarks(answer, (f"{runs}, {seen_by(inside)}",))


def _answering(inside: Inside) -> str | None:
    """What was seen running there that answers Data Exchange."""
    if isinstance(inside, InsideUnix) and inside.daemon and inside.daemon.running is True and inside.device:
        return f"daemon {inside.daemon.program}"
    if isinstance(inside, InsideWindows) and isinstance(inside.service, Service) and inside.service.running is True:
        return f"service {inside.service.name}"
    return None


# --- on this host -----------------------------------------------------------------------------------------------------


def _not_known(machine: VirtualMachine) -> Outcome | None:
    for doubt in (machine.doubt, machine.role, machine.power, machine.replicated):
        if isinstance(doubt, Unread):
            return unknown(str(doubt), evidence=NOTHING)
    return unknown("; ".join(machine.changed), evidence=NOTHING) if machine.changed else None


def _no_failover_address(machine: VirtualMachine) -> Outcome | None:
    if isinstance(machine.failover, Unread):
        return unknown(str(machine.failover), evidence=NOTHING)
    return None if machine.failover else not_applicable("no failover address is configured")


def _not_offered(machine: VirtualMachine) -> Outcome | None:
    offered = machine.data_exchange_offered
    if isinstance(offered, Unread):
        return unknown(f"whether Data Exchange is offered is not known: {offered}", evidence=NOTHING)
    if offered:
        return None
    return failed(
        "Data Exchange is switched off in the settings of the virtual machine: nothing can hand the guest its address",
        evidence=HOST_OFFER,
    )


def _asked(machine: VirtualMachine, settings: Settings, *, where: str) -> Outcome:
    return _paused(machine, where=where) if machine.power is Power.PAUSED else _running(machine, settings, where=where)


def _running(machine: VirtualMachine, settings: Settings, *, where: str) -> Outcome:
    evidence = _evidence(where)
    guest = machine.guest
    if isinstance(guest, Unread):
        return unknown(str(guest), evidence=NOTHING)
    if guest is None:
        return unknown(f"is running{where}, but its Data Exchange component has no row", evidence=NOTHING)
    if isinstance(guest.answer, Unread):
        return unknown(f"its Data Exchange component{where} {guest.answer}", evidence=NOTHING)
    if guest.answer in ANSWERING:
        return passed(_answers(guest, where), evidence=evidence)
    if guest.answer is Answer.NO_PROTOCOL:
        return failed(
            f"the guest{where} speaks no version of Data Exchange that its host knows: expected an answer",
            evidence=evidence,
        )
    if guest.answer is Answer.LOST:
        return unknown(
            f"the guest{where} answered Data Exchange since it started, but does not answer now", evidence=evidence
        )
    return _no_contact(machine, settings, where=where)


def _no_contact(machine: VirtualMachine, settings: Settings, *, where: str) -> Outcome:
    """No contact means "not installed or not yet contacted" (MicrosoftDocs/win32): time tells them apart."""
    uptime = machine.uptime
    if isinstance(uptime, Unread):
        return unknown(f"the guest{where} does not answer Data Exchange, and {uptime}", evidence=NOTHING)
    if uptime <= settings.boot_grace:
        return unknown(
            f"the guest{where} does not answer Data Exchange yet, {_age(uptime)} after its start "
            f"(the grace is {_age(settings.boot_grace)})",
            evidence=_evidence(where),
        )
    cause = (
        "other integration services answer, so the Data Exchange service or daemon is missing or stopped"
        if machine.heartbeat in ANSWERING
        else "integration services are not installed or not running"
    )
    return failed(
        f"the guest{where} never answered Data Exchange in the {_age(uptime)} since it started: {cause}",
        evidence=_evidence(where),
    )


def _age(time: timedelta) -> str:
    """In the largest unit that says enough: `3 days`, `40 minutes`."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if (count := int(time.total_seconds() // length)) > 1 or unit == "minute":
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError("minutes end the loop")


def _paused(machine: VirtualMachine, *, where: str) -> Outcome:
    """A paused guest keeps the answer that it gave; any other than a good one may be old."""
    guest = machine.guest
    if isinstance(guest, Guest) and guest.answer in ANSWERING:
        return passed(f"{_answers(guest, where)}; it is paused now", evidence=_evidence(where))
    said = (
        "its Data Exchange component has no row"
        if guest is None
        else str(guest if isinstance(guest, Unread) else guest.answer)
    )
    return unknown(f"is paused{where}, and Data Exchange says: {said}", evidence=NOTHING)


def _answers(guest: Guest, where: str) -> str:
    silent = "has published nothing about itself" if guest.items_read else "what it published was too large to be read"
    about = f" ({guest})" if guest.published else f", but {silent}"
    protocol = " with an older protocol" if guest.answer is Answer.DEGRADED else ""
    return f"the guest{where} answers Data Exchange{protocol}{about}"


# --- on the partner host ----------------------------------------------------------------------------------------------


def _on_partner(vm: ReplicatedVM, settings: Settings) -> Outcome:
    """The disks are copies, so the guest's answer on the host where it runs counts; nothing else of that host."""
    machine, partner = vm.machine, vm.partner
    if isinstance(partner, Unread):
        return unknown(
            f"Data Exchange is offered, but the guest is {machine.power} and was not seen elsewhere: {partner}",
            evidence=HOST_OFFER,
        )
    if isinstance(partner.doubt, Unread):
        return unknown(f"what {partner.server} says of the guest can't be used: {partner.doubt}", evidence=HOST_OFFER)
    if partner.changed:
        return unknown(f"on {partner.server}, {'; '.join(partner.changed)}", evidence=HOST_OFFER)
    if isinstance(partner.data_exchange_offered, Unread):
        return unknown(
            f"whether {partner.server} offers Data Exchange is not known: {partner.data_exchange_offered}",
            evidence=HOST_OFFER,
        )
    if not partner.data_exchange_offered:
        return unknown(
            f"the guest runs on {partner.server}, which does not offer it Data Exchange, so its answer can't be seen",
            evidence=HOST_OFFER,
        )
    return _asked(partner, settings, where=f" on {partner.server}")


def _evidence(where: str) -> str:
    return f"answer of the same guest{where}" if where else GUEST
