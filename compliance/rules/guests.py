"""Will the guest put the failover address on its adapter? Its system, as it published it, held against a table.

Data Exchange hands the address to a service or daemon inside; whether something there applies it depends on the system.
What a table says of a system is likely and no more: nobody looked into this guest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from compliance.model import Evidence, Guest, Inside, Judging, ReplicatedVM, Unread
from compliance.rule import (
    Outcome,
    Result,
    Severity,
    failed,
    not_applicable,
    passed,
    rule,
    unknown,
    with_facts,
    with_remarks,
)
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.facts import ADDRESSES_NOW, MachineFacts, addresses_now
from compliance.rules.evidence.find import find
from compliance.rules.evidence.handover import NOTHING, guest_seen, handed_over, inside_of, runs_on
from compliance.rules.evidence.landed import has_landed
from compliance.rules.evidence.system import Statement, System
from compliance.site import THE_WAY_PAGE
from compliance.words import join_names


@rule(
    "guest-can-apply-failover-ip",
    severity=Severity.WARNING,
    title="The guest's operating system applies a failover address",
    issue=(
        "The host hands a failover address to the guest's Data Exchange service or daemon. On Linux and FreeBSD the "
        "daemon calls a script, which must be there and must write for what manages the guest's network. On some "
        "systems it is missing, or writes for something else."
    ),
    impact=(
        "Data Exchange answers and everything looks right, but after a failover the guest comes up with the address "
        "that it had, or with none."
    ),
    resolution=(
        "Follow the advice beside each machine, then run a test failover to confirm.\n\n"
        "Windows: keep it updated. Red Hat, CentOS, Oracle, Rocky and AlmaLinux from 8.7 on: let NetworkManager "
        "manage the adapter, and keep hyperv-daemons updated. Red Hat 7 and SUSE: keep NetworkManager off the adapter. "
        "Debian: bring a script of your own to the path that the daemon calls. Ubuntu: let ifupdown own the adapter, "
        "or bring a script for netplan. FreeBSD: use an IPv4 address on the first adapter.\n\n"
        f"See {THE_WAY_PAGE}, and the table of systems there."
    ),
    unknown_when=(
        "The guest published no system, or a name or version that can't be read; or the rule on integration services "
        "is unknown."
    ),
    violated="run a system that does not apply its failover address",
)
def guest_can_apply_failover_ip(vm: ReplicatedVM, settings: Judging) -> Outcome:
    outcome = with_remarks(_decide(vm, settings), (*vm.machine.remarks, *vm.remarks))
    return with_facts(outcome, MachineFacts(vm, FACTS)) if guest_seen(vm) else outcome


FACTS = {ADDRESSES_NOW: addresses_now}


def _decide(vm: ReplicatedVM, settings: Judging) -> Outcome:
    """Return the outcome. What the founding rule fails is its finding: one cause, one alarm; what it does not know
    stays not known."""
    handover = handed_over(vm, settings)
    if handover.result in (Result.UNKNOWN, Result.NOT_APPLICABLE):
        return replace(handover, condition="")
    if handover.result is Result.FAILED:
        return _not_its_turn(vm, "the address does not even reach the guest, see the rule on integration services")
    if settings.evidence is Evidence.BPA:
        return _not_its_turn(vm, "no guest was asked (evidence: bpa)")
    if has_landed(vm, settings):
        return not_applicable("it was failed over and has its failover address, which shows more than a table")
    if isinstance(inside_of(vm), Inside):
        return not_applicable("the guest was looked into, which shows more than a table: see the rule on that")
    side = runs_on(vm)
    if isinstance(side, Unread) or not isinstance(side.guest, Guest):
        finding = "no guest was seen that could have published its system"
        return unknown(finding, evidence=NOTHING, cause=Cause.SYSTEM_NOT_PUBLISHED)
    return _judged(vm, side.guest, where="" if side is vm.machine else f" on {side.server}")


def _not_its_turn(vm: ReplicatedVM, why: str) -> Outcome:
    """Return that it is not this rule's turn; what it would say is a remark, so that who repairs one learns of the
    other."""
    guest = guest_seen(vm)
    outcome = not_applicable(why)
    if guest is None:
        return outcome
    by_system = _judged(vm, guest, where="")
    if by_system.result is Result.UNKNOWN or not by_system.remarks:
        return outcome
    return with_remarks(outcome, (f"besides, {by_system.finding}", *by_system.remarks))


def _judged(vm: ReplicatedVM, guest: Guest, *, where: str) -> Outcome:
    row = find(guest) if guest.items_read else Unread("what it published was too large to be read")
    if isinstance(row, Unread):
        finding = f"the guest{where} answers Data Exchange, but {row}"
        return unknown(finding, evidence=NOTHING, cause=Cause.SYSTEM_NOT_PUBLISHED)
    six = [] if row.takes_ipv6 else [address for address in vm.machine.failover_addresses if ":" in address]
    outcome = _by_row(row, f"the guest{where} runs {guest.system}", six, _evidence(where))
    return with_remarks(outcome, _remarks(row))


@lru_cache(maxsize=4096)
def _evidence(where: str) -> str:
    """Return one text for all machines of a server."""
    return f"likely, by the system that the guest{where} published"


def _by_row(row: System, runs: str, six: Sequence[str], evidence: str) -> Outcome:
    """Return what the table says of a system; ``six``: IPv6 addresses that it does not take."""
    if six:
        finding = f"{runs}, which takes no IPv6 address at a failover: {join_names(six)}"
        return failed(finding, evidence=evidence, cause=Cause.TAKES_NO_IPV6)
    match row.statement:
        case Statement.WORKS:
            return passed(f"{runs}, which applies a failover address", evidence=evidence)
        case Statement.WORKS_IF:
            finding = f"{runs}, which applies a failover address only if {row.why}"
            return passed(finding, evidence=evidence, condition=row.why)
        case Statement.NO_STATEMENT:
            finding = f"{runs}, of which nobody says whether it applies a failover address"
            condition = "its system applies a failover address, which nobody documents"
            return passed(finding, evidence=evidence, condition=condition)
        case Statement.NOT_AS_INSTALLED:
            finding = f"{runs}, which as installed does not apply a failover address: {row.why}"
            return failed(finding, evidence=evidence, cause=Cause.SYSTEM_NOT_AS_INSTALLED)
        case Statement.KNOWN_NOT:
            finding = f"{runs}, which is known not to apply a failover address: {row.why}"
            return failed(finding, evidence=evidence, cause=Cause.SYSTEM_KNOWN_NOT)


def _remarks(row: System) -> tuple[str, ...]:
    """Return the doubt, who says it, what else is known and what to do."""
    if row.statement is Statement.WORKS:
        return ()
    sources = f"according to {join_names(row.sources)}"
    if row.statement is Statement.NO_STATEMENT:
        sources = f"nobody documents whether it works on {row}{row.why and f', but {row.why}'}: try a test failover"
    return (sources, *row.notes, *((row.advice,) if row.advice else ()))
