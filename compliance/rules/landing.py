"""What a failover that was made shows: did the guest come up with its address, and does it run only once?"""

from __future__ import annotations

from functools import lru_cache

from compliance.model import Judging, ReplicatedVM, Role, Unread
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import GUEST_IS_THERE
from compliance.rules.evidence.landed import landing_of
from compliance.words import join_names

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)


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
    unknown_when=(
        "It is not known whether the machine was failed over or when it was started, its guest shows no address, or "
        "it lacks its address and was started within the boot grace."
    ),
    violated="came up without the failover address",
    sides=(*REPLICAS, Role.TEST_REPLICA),
)
def failover_ip_landed(vm: ReplicatedVM, settings: Judging) -> Outcome:
    return landing_of(vm, settings)


@lru_cache(maxsize=64)
def _is_in_state(role: str, power: str) -> Outcome:
    """Return the same for every replica that is off, which most are."""
    return passed(f"the {role} is {power}")


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
    unknown_when="A side was not seen, its state was not read, or it changed during the audit.",
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
        return _is_in_state(str(machine.role), str(machine.power))
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
