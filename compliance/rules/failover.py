"""Will an alternate failover address be applied? BPA's rule on integration services, carried to the guest's own answer.

The issue, impact and resolution are quoted from Microsoft's Windows Server documentation, by Microsoft and
contributors, CC BY 4.0 (see NOTICE); the list of machines, which the page leaves open, is filled in by the report.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from compliance.model import (
    Answer,
    Evidence,
    FailoverAddress,
    Guest,
    Power,
    ReplicatedVM,
    Role,
    Settings,
    Unread,
    VirtualMachine,
)
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks

HOST_OFFER = "offer on this host"
GUEST = "answer of the guest"
NOTHING = "nothing"

ANSWERING = frozenset({Answer.OK, Answer.DEGRADED})


@rule(
    "failover-ip-needs-integration-services",
    severity=Severity.ERROR,
    title=(
        "Integration services must be installed before primary or Replica virtual machines can use an alternate "
        "IP address after a failover"
    ),
    issue=(
        "Virtual machines participating in replication can be configured to use a specific IP address in the event of "
        "failover, but only if integration services are installed in the guest operating system of the virtual machine."
    ),
    impact=(
        "In the event of a failover (planned, unplanned, or test), the Replica virtual machine will come online using "
        "the same IP address as the primary virtual machine. This configuration might cause connectivity issues."
    ),
    resolution=(
        "Use Virtual Machine Connection to install integration services in the virtual machine.\n\n"
        "As of Windows Server 2016, integration services for Windows virtual machines are delivered through Windows "
        "Update. Ensure these virtual machines are configured to receive Windows updates to get the latest version of "
        "integration services. The Linux kernel now includes Linux integration services (LIS) and is updated for new "
        "releases, but Linux distributions based on older kernels may not have the latest enhancements or fixes. For "
        "details, see Supported Linux and FreeBSD virtual machines for Hyper-V on Windows."
    ),
    violated="would keep the primary's address after a failover",
    link=(
        "https://learn.microsoft.com/windows-server/virtualization/hyper-v/best-practices-analyzer/"
        "integration-services-must-be-installed-before-primary-or-replica-virtual-machines-can-use-an-alternate-ip-"
        "address-after-a-failover"
    ),
    quoted=True,
)
def failover_ip_needs_integration_services(vm: ReplicatedVM, settings: Settings) -> Outcome:
    outcome = _decide(vm, settings)
    guest = _guest_seen(vm)
    return replace(
        with_remarks(outcome, (*vm.machine.remarks, *vm.remarks, *_remarks(vm.machine, guest))),
        bpa=_bpa(vm.machine),
        addresses_now=guest.addresses if guest else (),
    )


def _decide(vm: ReplicatedVM, settings: Settings) -> Outcome:
    """The first step that has something to say. Their order is the rule: nothing unread is passed over."""
    machine = vm.machine
    steps: tuple[Callable[[VirtualMachine], Outcome | None], ...] = (
        _not_known,
        _no_failover_address,
        _not_offered,
    )
    for step in steps:
        if outcome := step(machine):
            return outcome
    if settings.evidence is Evidence.BPA:
        return passed(
            "Data Exchange is offered on this host; the guest was not asked (evidence: bpa)", evidence=HOST_OFFER
        )
    if machine.power is Power.RUNNING:
        return _running(machine, settings, where="")
    if machine.power is Power.PAUSED:
        return _paused(machine, where="")
    return _on_partner(vm, settings)


# --- on this host -----------------------------------------------------------------------------------------------------


def _not_known(machine: VirtualMachine) -> Outcome | None:
    for doubt in (machine.role, machine.doubt, machine.power, machine.replicated):
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
    where = f" on {partner.server}"
    return _paused(partner, where=where) if partner.power is Power.PAUSED else _running(partner, settings, where=where)


def _evidence(where: str) -> str:
    return f"answer of the same guest{where}" if where else GUEST


# --- beside the verdict -----------------------------------------------------------------------------------------------


def _bpa(machine: VirtualMachine) -> str:
    """What Microsoft's own test says: replicas only, nothing but the offer (Hyper-V.ps1 of Server 2012, rule 230)."""
    if isinstance(machine.role, Unread) or isinstance(machine.replicated, Unread) or isinstance(machine.doubt, Unread):
        return "not comparable"
    if machine.role is not Role.REPLICA:
        return "not judged (BPA looks at replicas only)"
    if isinstance(machine.failover, Unread):
        return "not comparable"
    offered = machine.data_exchange_offered
    if not machine.failover:
        # Its script counts a missing address as one, by PowerShell's `@() += $null`; inferred, never seen.
        return "compliant" if offered is True else "not comparable"
    return "compliant" if offered is True else "violating"


def _guest_seen(vm: ReplicatedVM) -> Guest | None:
    """What was published about the guest, here or on its partner's host."""
    for machine in (vm.machine, vm.partner):
        if isinstance(machine, VirtualMachine) and isinstance(machine.guest, Guest) and machine.guest.published:
            return machine.guest
    return None


RED_HAT_LIKE = ("red hat", "centos", "oracle", "rocky", "alma", "fedora")


def _remarks(machine: VirtualMachine, guest: Guest | None) -> tuple[str, ...]:
    if isinstance(machine.failover, Unread) or not machine.failover:
        return ()
    found = [remark for setting in machine.failover for remark in _adapter_remarks(setting)]
    system = (guest.os_name or "").casefold() if guest else ""
    if "freebsd" in system and any(":" in address for address in machine.failover_addresses):
        found.append("FreeBSD takes no IPv6 address at a failover (Microsoft's page on FreeBSD, note 4)")
    if "debian" in system:
        found.append(
            "static IP injection is not listed as available on Debian, and its hyperv-daemons package brings no "
            "hv_set_ifconfig script"
        )
    if any(name in system for name in RED_HAT_LIKE):
        found.append(
            "static IP injection may not work where NetworkManager manages the adapter (note 2 on Microsoft's page)"
        )
    return tuple(found)


def _adapter_remarks(setting: FailoverAddress) -> list[str]:
    adapter = setting.adapter
    if adapter is None:
        return [f"{setting} hangs on an adapter that the server does not list"]
    if adapter.legacy:
        return [f"{setting} hangs on the legacy adapter {adapter}, where failover addresses are not supported"]
    if adapter.connected is False:
        return [f"the adapter of {setting}, {adapter}, is connected to no switch"]
    return []
