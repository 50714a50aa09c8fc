"""Will the guest put the failover address on its adapter? Its system, as it published it, held against a table.

Data Exchange hands the address to a service or daemon inside; whether something there applies it depends on the system.
What a table says of a system is likely and no more: nobody looked into this guest.
"""

from __future__ import annotations

from dataclasses import replace

from compliance.model import Evidence, Guest, Inside, ReplicatedVM, Settings, Unread
from compliance.rule import Outcome, Result, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.find import find
from compliance.rules.evidence.handover import NOTHING, guest_seen, handed_over, inside_of, runs_on
from compliance.rules.evidence.system import Says, System


@rule(
    "guest-can-apply-failover-ip",
    severity=Severity.WARNING,
    title="The operating system in the guest is one that applies a failover address",
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
        "See what is said of each machine's system, and try a test failover: it shows what no table can.\n\n"
        "Windows: keep it updated. Red Hat before 9.5, Oracle and SUSE: keep NetworkManager off the adapter. Debian: "
        "bring a script of your own to the path that the daemon calls. Ubuntu: let ifupdown own the adapter. FreeBSD: "
        "use an IPv4 address on the first adapter.\n\n"
        "The page docs/failover-address.md of this suite tells the whole way of the address, with the table and its "
        "sources."
    ),
    violated="run a system that is known not to apply its failover address",
)
def guest_can_apply_failover_ip(vm: ReplicatedVM, settings: Settings) -> Outcome:
    outcome = with_remarks(_decide(vm, settings), (*vm.machine.remarks, *vm.remarks))
    guest = guest_seen(vm)
    return replace(outcome, addresses_now=guest.addresses) if guest else outcome


def _decide(vm: ReplicatedVM, settings: Settings) -> Outcome:
    """What the founding rule fails is its finding: one cause, one alarm. What it does not know stays not known."""
    handover = handed_over(vm, settings)
    if handover.result in (Result.UNKNOWN, Result.NOT_APPLICABLE):
        return handover
    if handover.result is Result.FAILED:
        return _beside(vm, "the address does not even reach the guest, see the rule on integration services")
    if settings.evidence is Evidence.BPA:
        return _beside(vm, "no guest was asked (evidence: bpa)")
    if isinstance(inside_of(vm), Inside):
        return not_applicable("the guest was looked into, which shows more than a table: see the rule on that")
    side = runs_on(vm)
    if isinstance(side, Unread) or not isinstance(side.guest, Guest):
        return unknown("no guest was seen that could have published its system", evidence=NOTHING)
    return _judged(vm, side.guest, where="" if side is vm.machine else f" on {side.server}")


def _beside(vm: ReplicatedVM, why: str) -> Outcome:
    """Not this rule's turn; what it would say is a remark, so that who repairs the one thing learns of the other."""
    guest = guest_seen(vm)
    told = _judged(vm, guest, where="") if guest else unknown(why)
    outcome = not_applicable(why)
    if told.result is Result.UNKNOWN or not told.remarks:
        return outcome
    return with_remarks(outcome, (f"besides, {told.finding}", *told.remarks))


def _judged(vm: ReplicatedVM, guest: Guest, *, where: str) -> Outcome:
    row = find(guest) if guest.items_read else Unread("what it published was too large to be read")
    if isinstance(row, Unread):
        return unknown(f"the guest{where} answers Data Exchange, but {row}", evidence=NOTHING)
    runs = f"the guest{where} runs {guest.system}, {_said(row)}"
    six = [] if row.takes_ipv6 else [address for address in vm.machine.failover_addresses if ":" in address]
    if six:
        runs = f"the guest{where} runs {guest.system}, which takes no IPv6 address at a failover: {', '.join(six)}"
    outcome = failed(runs) if six or row.says is Says.KNOWN_NOT else passed(runs)
    evidence = f"likely, by the system that the guest{where} published"
    return with_remarks(replace(outcome, evidence=evidence), _remarks(row))


def _said(row: System) -> str:
    match row.says:
        case Says.WORKS:
            return "which applies a failover address"
        case Says.WORKS_IF:
            return "which applies a failover address on a condition"
        case Says.NO_STATEMENT:
            return "of which nobody says whether it applies a failover address"
        case Says.KNOWN_NOT:
            return f"which is known not to apply a failover address: {row.why}"


def _remarks(row: System) -> tuple[str, ...]:
    """The condition or the doubt, who says it, and what to do."""
    sources = ", ".join(map(str, row.sources))
    match row.says:
        case Says.WORKS:
            return ()
        case Says.WORKS_IF:
            said = f"works only if {row.why} ({sources})"
        case Says.NO_STATEMENT:
            said = f"nobody documents whether it works on {row}{row.why and f', but {row.why}'}: try a test failover"
        case Says.KNOWN_NOT:
            said = f"according to {sources}"
    return (said, row.advice) if row.advice else (said,)
