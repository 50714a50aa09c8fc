"""What a failover that was made shows: did the guest come up with its address, and does it run only once?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address

from compliance.model import Guest, Judging, Power, ReplicatedVM, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Result, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import ANSWERING, age, beyond_question
from compliance.rules.evidence.settings import IPAddress, parsed
from compliance.rules.evidence.today import addresses_in_use, today_of_adapter
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
    violated="came up without the failover address",
    sides=(*REPLICAS, Role.TEST_REPLICA),
)
def failover_ip_landed(vm: ReplicatedVM, settings: Judging) -> Outcome:
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


def has_landed(vm: ReplicatedVM, settings: Judging) -> bool:
    """Return whether a machine was failed over, and came up with its failover address."""
    return failover_ip_landed.judge(vm, settings).result is Result.PASSED


def _landed(machine: VirtualMachine, settings: Judging) -> Outcome:
    guest, uptime = machine.guest, machine.uptime
    is_test = machine.role is Role.TEST_REPLICA
    is_starting = not isinstance(uptime, Unread) and uptime <= settings.boot_grace
    if is_test and is_starting:
        return not_applicable("it was started a short while ago: its guest may not have its address yet")
    if not isinstance(guest, Guest) or guest.answer not in ANSWERING:
        if is_test:
            return _not_known("its guest does not answer Data Exchange")
        return not_applicable("its guest does not answer Data Exchange: see the rule on integration services")
    if isinstance(uptime, Unread):
        return _not_known(str(uptime))
    seen = _routable(addresses_in_use(machine))
    if not seen:
        has = "only link-local addresses" if addresses_in_use(machine) else "no address"
        return _not_known(f"its guest tells {has}")
    lacking = [*_lacking(machine, seen)]
    if not lacking:
        since = f"seen {age(uptime)} after its start"
        return passed(f"came up with {join_names(machine.failover_addresses)} ({since})", evidence=LANDED)
    finding = "; ".join(lacking)
    if is_starting:
        reason = f"{finding}, {age(uptime)} after its start (the grace is {age(settings.boot_grace)})"
        left = settings.boot_grace - uptime
        return unknown(f"not known whether it gets its address: {reason}", cause=Cause.GUEST_BOOTS, wait=left)
    return failed(finding, evidence=LANDED, cause=Cause.NOT_LANDED)


def _lacking(machine: VirtualMachine, seen: set[IPAddress]) -> Iterator[str]:
    """Yield what each adapter has that lacks one of its own failover addresses. What Data Exchange's items tell belongs
    to no adapter: it counts for one of which the guest tells nothing else, unless another one is known to have it."""
    adapters = () if isinstance(machine.adapters, Unread) else machine.adapters
    by_adapter = {one.guid: own for one in adapters if (own := _routable(today_of_adapter(one).addresses))}
    for setting in machine.settings:
        others = {address for guid, own in by_adapter.items() if guid != setting.adapter_guid for address in own}
        has = by_adapter.get(setting.adapter_guid) or seen - others
        if missing := [text for text in setting.addresses if parsed(text) not in has]:
            on = f" on {setting.adapter}" if setting.adapter and len(by_adapter) > 1 else ""
            yield f"came up with {_names(has) or 'nothing'}{on}: expected {join_names(missing)}"


def _routable(texts: Iterable[str]) -> set[IPAddress]:
    addresses = {parsed(text.partition("%")[0]) for text in texts} - {None}
    return {address for address in addresses if address and not (address.is_link_local or address.is_loopback)}


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
