"""What a failover that was made shows: did the guest come up with its address, and does it run only once?"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from compliance.model import Guest, Power, ReplicatedVM, Role, Settings, Unread, VirtualMachine
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import ANSWERING, age, beyond_question
from compliance.rules.evidence.settings import IPAddress, parsed
from compliance.rules.evidence.today import addresses_in_use
from compliance.words import join_names

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)
LANDED = "seen after a failover"
GUEST_IS_THERE = (Power.RUNNING, Power.PAUSED)


@rule(
    "failover-ip-landed",
    severity=Severity.ERROR,
    title="A machine that was failed over came up with its failover address",
    issue="A failover, or a test of one, was made, and the guest answers without having all its failover addresses.",
    impact="The machine runs, and is not reached where everybody expects it.",
    resolution=(
        "See what the other rules say of the machine, and set the address inside the guest by hand. If somebody "
        "changed the address after the failover, change the failover address as well, or waive this finding."
    ),
    violated="came up without their failover address",
    sides=(*REPLICAS, Role.TEST_REPLICA),
)
def failover_ip_landed(vm: ReplicatedVM, settings: Settings) -> Outcome:
    machine = vm.machine
    if outcome := beyond_question(machine):
        return outcome
    if machine.power not in (Power.RUNNING, Power.PAUSED):  # a paused guest keeps what it told
        return not_applicable(f"it is {machine.power}")
    if machine.role is not Role.TEST_REPLICA:
        if isinstance(machine.failed_over, Unread):
            return unknown(f"not known whether it was failed over: {machine.failed_over}", cause=Cause.MACHINE_UNREAD)
        if not machine.failed_over:
            return not_applicable("it was not failed over")
    return _landed(machine, settings)


def _landed(machine: VirtualMachine, settings: Settings) -> Outcome:
    guest, uptime = machine.guest, machine.uptime
    if not isinstance(guest, Guest) or guest.answer not in ANSWERING:
        if machine.role is Role.TEST_REPLICA:
            return _not_known("its guest does not answer Data Exchange")
        return not_applicable("its guest does not answer Data Exchange: see the rule on integration services")
    if isinstance(uptime, Unread):
        return _not_known(str(uptime))
    if uptime <= settings.boot_grace:
        return not_applicable("it was started a short while ago: its guest may not have its address yet")
    now = {address for text in addresses_in_use(machine) if (address := parsed(text.partition("%")[0]))}
    routable = {address for address in now if not (address.is_link_local or address.is_loopback)}
    if not routable:
        has = "only link-local addresses" if now else "no address"
        return _not_known(f"its guest tells {has}")
    missing = [text for text in machine.failover_addresses if parsed(text) not in now]
    if missing:
        return failed(
            f"came up with {_names(routable)}: expected {join_names(missing)}", evidence=LANDED, cause=Cause.NOT_LANDED
        )
    since = f"seen {age(uptime)} after its start"
    return passed(f"came up with {join_names(machine.failover_addresses)} ({since})", evidence=LANDED)


def _not_known(reason: str) -> Outcome:
    return unknown(f"not known whether it has its address: {reason}", cause=Cause.LANDING_UNKNOWN)


def _names(addresses: set[IPAddress]) -> str:
    four = sorted(address for address in addresses if isinstance(address, IPv4Address))
    six = sorted(address for address in addresses if isinstance(address, IPv6Address))
    return join_names([*four, *six])


@rule(
    "runs-on-one-side",
    severity=Severity.ERROR,
    title="A replicated virtual machine runs on one side only",
    issue="The primary and its replica both run.",
    impact=(
        "Both claim the same names and may have the same addresses, and both are changed: what one of them writes will "
        "be lost."
    ),
    resolution=(
        "Find out which of them is used, and shut the other one down. Then reverse the replication or cancel the "
        "failover. To try a replica while its primary runs, make a test failover."
    ),
    violated="run on both sides",
    sides=REPLICAS,
)
def runs_on_one_side(vm: ReplicatedVM) -> Outcome:
    machine = vm.machine
    for doubt in (machine.doubt, machine.role, machine.power, machine.replicated):
        if isinstance(doubt, Unread):
            return unknown(str(doubt), cause=Cause.MACHINE_UNREAD)
    if machine.foreign:
        return not_applicable("another provider than Hyper-V Replica replicates it", cause=Cause.OTHER_PROVIDER)
    if machine.power not in GUEST_IS_THERE:
        return passed(f"the {machine.role} is {machine.power}")
    if machine.changed:
        return unknown("; ".join(machine.changed), cause=Cause.MACHINE_CHANGED)
    for other in vm.others:
        if isinstance(other.power, Unread) or other.changed:
            reason = "; ".join(other.changed) or str(other.power)
            return unknown(f"whether it runs on {other.server} is not known: {reason}", cause=Cause.PARTNER_CHANGED)
    running = [other for other in vm.others if other.power in GUEST_IS_THERE]
    if running:
        names = join_names(f"the {other.role} on {other.server}" for other in running)
        return failed(
            f"runs here as the {machine.role}, and so does {names}: expected one of them", cause=Cause.BOTH_RUN
        )
    if isinstance(vm.partner, Unread) and not vm.others:
        return with_remarks(unknown("the other side was not seen", cause=Cause.SIDE_NOT_SEEN), (str(vm.partner),))
    return passed(f"runs on {machine.server} only")
