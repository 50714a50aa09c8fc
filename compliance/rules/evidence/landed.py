"""Did a guest come up with its failover address, after a failover or a test of one? What addresses it tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from compliance.model import Guest, Judging, Power, ReplicatedVM, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Result, failed, not_applicable, passed, unknown
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import ANSWERING, age, beyond_question
from compliance.rules.evidence.once import once_a_machine
from compliance.rules.evidence.settings import IPAddress, is_routed, parsed
from compliance.rules.evidence.today import addresses_in_use, today_of_adapter
from compliance.words import join_names

LANDED = "seen after a failover"
NOT_FAILED_OVER = not_applicable("it was not failed over")


@lru_cache(maxsize=16)
def _is_in_state(power: Power | Unread) -> Outcome:
    """Return the same for every replica that is off, which most are."""
    return not_applicable(f"it is {power}")


@once_a_machine
def landing_of(vm: ReplicatedVM, settings: Judging) -> Outcome:
    """Return what a failover that was made, or a test replica, shows."""
    machine = vm.machine
    if outcome := beyond_question(machine):
        return outcome
    if machine.power not in (Power.RUNNING, Power.PAUSED):  # a paused guest keeps what it told
        return _is_in_state(machine.power)
    if machine.role is not Role.TEST_REPLICA:
        if isinstance(machine.failed_over, Unread):
            return unknown(f"not known whether it was failed over: {machine.failed_over}", cause=Cause.MACHINE_UNREAD)
        if not machine.failed_over:
            return NOT_FAILED_OVER
    return _landed(machine, settings)


def has_landed(vm: ReplicatedVM, settings: Judging) -> bool:
    """Return whether a machine was failed over, and came up with its failover address."""
    return landing_of(vm, settings).result is Result.PASSED


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
    by_adapter = {nic.guid: own for nic in adapters if (own := _routable(today_of_adapter(nic).addresses))}
    for setting in machine.settings:
        others = {address for guid, own in by_adapter.items() if guid != setting.adapter_guid for address in own}
        has = by_adapter.get(setting.adapter_guid) or seen - others
        if missing := [text for text in setting.addresses if parsed(text) not in has]:
            on = f" on {setting.adapter}" if setting.adapter and len(by_adapter) > 1 else ""
            yield f"came up with {_names(has) or 'nothing'}{on}: expected {join_names(missing)}"


def _routable(texts: Iterable[str]) -> set[IPAddress]:
    addresses = {parsed(text.partition("%")[0]) for text in texts} - {None}
    return {address for address in addresses if address and is_routed(address)}


def _not_known(reason: str) -> Outcome:
    return unknown(f"not known whether it has its address: {reason}", cause=Cause.LANDING_UNKNOWN)


def _names(addresses: set[IPAddress]) -> str:
    four = sorted(address for address in addresses if isinstance(address, IPv4Address))
    six = sorted(address for address in addresses if isinstance(address, IPv6Address))
    return join_names([*four, *six])
