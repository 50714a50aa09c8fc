"""Will the guest be handed its failover address? The steps that every rule on it begins with, and their order.

What the host offers, then what the guest answers, here or on its partner's host. The line of each step is one of the
founding rule's, ``failover-ip-needs-integration-services``; a rule that goes on from a passed one asks nothing again.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache

from compliance.model import (
    Answer,
    Evidence,
    Guest,
    Inside,
    InsideUnix,
    InsideWindows,
    Judging,
    Power,
    ReplicatedVM,
    Service,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Result, failed, not_applicable, passed, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.once import once_a_machine

HOST_OFFER = "offer on this host"
GUEST = "answer of the guest"
NOTHING = "nothing"

GUEST_IS_THERE = (Power.RUNNING, Power.PAUSED)
ANSWERING = frozenset({Answer.OK, Answer.DEGRADED})


GUEST_ANSWERS = "the guest answers Data Exchange"
"""The condition of a pass for which no guest was asked."""
PUBLISHES = "its Data Exchange works: it answers, and published nothing"


@once_a_machine
def handed_over(vm: ReplicatedVM, settings: Judging) -> Outcome:
    """Return what the first step says that does not pass. Their order is the rule: nothing unread is passed over."""
    machine = vm.machine
    if outcome := (
        beyond_question(machine) or _not_injectable(machine) or _not_offered(machine) or _adapter_unread(machine)
    ):
        return outcome
    if settings.evidence is Evidence.BPA:
        return passed(
            "Data Exchange is offered on this host; the guest was not asked (evidence: bpa)",
            evidence=HOST_OFFER,
            condition=GUEST_ANSWERS,
        )
    runs_here = runs_on(vm) is machine
    answer = _answer_of(machine, settings, where="") if runs_here else _answer_on_partner(vm, settings)
    return _with_look_inside(answer, vm)


def beyond_question(machine: VirtualMachine) -> Outcome | None:
    """Return what no rule on failover addresses goes beyond: a machine that is not known, or has none."""
    return beyond_reading(machine) or _no_failover_address(machine)


def beyond_reading(machine: VirtualMachine) -> Outcome | None:
    """Return what no rule on a replicated machine goes beyond: what was not read, or belongs to another provider."""
    if machine.foreign:
        return not_applicable(
            "another provider than Hyper-V Replica replicates it, which handles addresses itself",
            cause=Cause.OTHER_PROVIDER,
        )
    if outcome := unread_side(machine):
        return outcome
    return _unread(machine.failover, Cause.SETTINGS_UNREAD) if isinstance(machine.failover, Unread) else None


def unread_side(machine: VirtualMachine) -> Outcome | None:
    """Return why no rule may judge this side at all: what it is was not read, or changed while it was."""
    for doubt in (machine.doubt, machine.role, machine.power, machine.replicated):
        if isinstance(doubt, Unread):
            return _unread(doubt, Cause.MACHINE_UNREAD)
    if machine.changed:
        return unknown("; ".join(machine.changed), evidence=NOTHING, cause=Cause.MACHINE_CHANGED)
    return None


def _unread(why: Unread, cause: Cause) -> Outcome:
    """One cause, one alarm: what is a server's own fault is said there, and each of its machines only points to it."""
    if why.server:
        return not_applicable(f"the cause is at its server: see {why.server}", cause=Cause.SERVER_FAULT)
    return unknown(str(why), evidence=NOTHING, cause=cause)


def runs_on(vm: ReplicatedVM) -> VirtualMachine | Unread:
    """Return the side on which the guest is, so that what it says is seen there; or why nobody sees it."""
    return vm.machine if vm.machine.power in GUEST_IS_THERE else vm.partner


def guest_seen(vm: ReplicatedVM) -> Guest | None:
    """What was published about the guest, here or on its partner's host."""
    for machine in (vm.machine, vm.partner):
        if isinstance(machine, VirtualMachine) and isinstance(machine.guest, Guest) and machine.guest.published:
            return machine.guest
    return None


def inside_of(vm: ReplicatedVM) -> Inside | Unread | None:
    """What a look into its guest showed, on the side where it runs; None where the inventory names no connection."""
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
    return f"seen inside the guest, by {inside.connection}"


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


def _no_failover_address(machine: VirtualMachine) -> Outcome | None:
    return None if machine.failover else not_applicable("no failover address is configured", cause=Cause.NO_ADDRESS)


def _not_injectable(machine: VirtualMachine) -> Outcome | None:
    """Return why nothing can be injected, whatever the guest answers.

    Legacy adapters take no failover address (Set-VMNetworkAdapterFailoverConfiguration), and a shielded machine has
    Data Exchange blocked (Microsoft's guarded-fabric documentation).
    """
    for setting in machine.settings:
        if setting.adapter and setting.adapter.legacy:
            return failed(
                f"{setting} is set on the legacy adapter {setting.adapter}, where no failover address is applied: "
                "expected a synthetic adapter",
                evidence=HOST_OFFER,
                cause=Cause.LEGACY_ADAPTER,
            )
        if setting.adapter is None and not isinstance(machine.adapters, Unread):
            return failed(
                f"{setting} is set on an adapter that the server does not list: expected one of its network adapters",
                evidence=HOST_OFFER,
                cause=Cause.NO_SUCH_ADAPTER,
            )
    if machine.shielded is True:
        return failed(
            "it is a shielded virtual machine, where Data Exchange is blocked: no installation makes a failover "
            "address arrive; give it one by DHCP at the replica's site",
            evidence=HOST_OFFER,
            cause=Cause.SHIELDED,
        )
    return None


def _adapter_unread(machine: VirtualMachine) -> Outcome | None:
    """Return that nobody knows on which kind of adapter an address is set: on a legacy one it is never applied."""
    if isinstance(machine.adapters, Unread) and any(setting.adapter is None for setting in machine.settings):
        return _unread(machine.adapters, Cause.ADAPTERS_UNREAD)
    return None


def _not_offered(machine: VirtualMachine) -> Outcome | None:
    offered = machine.data_exchange_offered
    if isinstance(offered, Unread):
        if offered.server:
            return _unread(offered, Cause.OFFER_UNREAD)
        return unknown(
            f"whether Data Exchange is offered is not known: {offered}", evidence=NOTHING, cause=Cause.OFFER_UNREAD
        )
    if offered:
        return None
    return failed(
        "Data Exchange is switched off in the settings of the virtual machine: nothing can hand the guest its address",
        evidence=HOST_OFFER,
        cause=Cause.OFFER_OFF,
    )


def _answer_of(machine: VirtualMachine, settings: Judging, *, where: str) -> Outcome:
    return _paused(machine, where=where) if machine.power is Power.PAUSED else _running(machine, settings, where=where)


def _running(machine: VirtualMachine, settings: Judging, *, where: str) -> Outcome:
    evidence = _evidence(where)
    guest = machine.guest
    if isinstance(guest, Unread):
        return unknown(str(guest), evidence=NOTHING, cause=Cause.GUEST_UNREAD)
    if guest is None:
        return unknown(
            f"is running{where}, but its Data Exchange component has no row",
            evidence=NOTHING,
            cause=Cause.GUEST_NO_ROW,
        )
    if isinstance(guest.answer, Unread):
        return unknown(f"its Data Exchange component{where} {guest.answer}", evidence=NOTHING, cause=Cause.GUEST_UNREAD)
    if guest.answer in ANSWERING:
        silent = guest.items_read and not guest.published
        return passed(_answers(guest, where), evidence=evidence, condition=PUBLISHES if silent else "")
    if guest.answer is Answer.NO_PROTOCOL:
        return failed(
            f"the guest{where} speaks no version of Data Exchange that its host knows: expected an answer",
            evidence=evidence,
            cause=Cause.GUEST_NO_PROTOCOL,
        )
    if guest.answer is Answer.LOST:
        return unknown(
            f"the guest{where} answered Data Exchange since it started, but does not answer now",
            evidence=evidence,
            cause=Cause.GUEST_LOST,
        )
    return _no_contact(machine, settings, where=where)


def _no_contact(machine: VirtualMachine, settings: Judging, *, where: str) -> Outcome:
    """No contact means "not installed or not yet contacted" (MicrosoftDocs/win32): time tells them apart."""
    uptime = machine.uptime
    if isinstance(uptime, Unread):
        return unknown(
            f"the guest{where} does not answer Data Exchange, and {uptime}",
            evidence=NOTHING,
            cause=Cause.UPTIME_UNREAD,
        )
    if uptime <= settings.boot_grace:
        return unknown(
            f"the guest{where} does not answer Data Exchange yet, {age(uptime)} after its start "
            f"(the grace is {age(settings.boot_grace)})",
            evidence=_evidence(where),
            cause=Cause.GUEST_BOOTS,
            wait=settings.boot_grace - uptime,
        )
    cause = (
        "other integration services answer, so the Data Exchange service or daemon is missing or stopped"
        if machine.heartbeat in ANSWERING
        else "integration services are not installed or not running"
    )
    return failed(
        f"the guest{where} does not answer Data Exchange; it has been up for {age(uptime)}: {cause}",
        evidence=_evidence(where),
        cause=Cause.GUEST_NO_CONTACT,
    )


def age(time: timedelta) -> str:
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
    reason = (
        "its Data Exchange component has no row"
        if guest is None
        else str(guest if isinstance(guest, Unread) else guest.answer)
    )
    return unknown(
        f"is paused{where}, and Data Exchange says: {reason}",
        evidence=NOTHING,
        cause=Cause.GUEST_PAUSED,
    )


def _answers(guest: Guest, where: str) -> str:
    silent = "has published nothing about itself" if guest.items_read else "what it published was too large to be read"
    about = f" ({guest})" if guest.published else f", but {silent}"
    protocol = " with an older protocol" if guest.answer is Answer.DEGRADED else ""
    return f"the guest{where} answers Data Exchange{protocol}{about}"


# --- on the partner host ----------------------------------------------------------------------------------------------


def _answer_on_partner(vm: ReplicatedVM, settings: Judging) -> Outcome:
    """Judge the guest's answer on the host where it runs: the disks are copies. Nothing else of that host counts."""
    machine, partner = vm.machine, vm.partner

    def not_known(finding: str, cause: Cause) -> Outcome:
        return unknown(finding, evidence=HOST_OFFER, cause=cause)

    if isinstance(partner, Unread):
        return not_known(
            f"Data Exchange is offered, but the guest is {machine.power} and was not seen elsewhere: {partner}",
            Cause.GUEST_NOT_SEEN,
        )
    if isinstance(partner.doubt, Unread):
        return not_known(
            f"what {partner.server} says of the guest can't be used: {partner.doubt}", Cause.PARTNER_UNREAD
        )
    if partner.changed:
        return not_known(f"on {partner.server}, {'; '.join(partner.changed)}", Cause.PARTNER_CHANGED)
    if isinstance(partner.data_exchange_offered, Unread):
        return not_known(
            f"whether {partner.server} offers Data Exchange is not known: {partner.data_exchange_offered}",
            Cause.PARTNER_OFFER_UNREAD,
        )
    if not partner.data_exchange_offered:
        return not_known(
            f"the guest runs on {partner.server}, which does not offer it Data Exchange, so its answer can't be seen",
            Cause.PARTNER_OFFER_OFF,
        )
    return _answer_of(partner, settings, where=f" on {partner.server}")


@lru_cache(maxsize=4096)
def _evidence(where: str) -> str:
    """Return one text for all machines of a server."""
    return f"answer of the same guest{where}" if where else GUEST
