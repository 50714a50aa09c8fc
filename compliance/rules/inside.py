"""Will the guest put the failover address on its adapter? What a look into it shows, link by link.

The links are those of the way from Data Exchange to the adapter, in the order of a diagnosis: the first one that is
broken is the finding, the others stand beside it. What can't be read breaks nothing, and passes nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator

from compliance.model import Inside, InsideUnix, InsideWindows, ReplicatedVM, Unread
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence import advice
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.faults import faults_of
from compliance.rules.evidence.handover import NOTHING, beyond_question, inside_of, seen_by
from compliance.rules.evidence.links import Link, concerned, links_of
from compliance.site import THE_WAY_PAGE


@rule(
    "guest-applies-failover-ip",
    severity=Severity.ERROR,
    title="The guest has everything that applies a failover address",
    issue=(
        "Data Exchange hands the failover address to a daemon inside the guest. The daemon writes it to a file and "
        "calls a script, hv_set_ifconfig, which alone puts it on the adapter. The host sees the daemon, and nothing "
        "behind it. On Windows a service, vmickvpexchange, does all of it."
    ),
    impact=(
        "Data Exchange answers and everything looks right, but after a failover the guest comes up with the address "
        "that it had, or with none."
    ),
    resolution=(
        "Do what stands beside each guest: its package, service, script or file, by the names that its own system has "
        "for them. Then try a test failover.\n\n"
        f"See {THE_WAY_PAGE}."
    ),
    unknown_when=(
        "The guest was not looked into, what answered is not proved to be this machine's guest, or a link could not "
        "be read."
    ),
    violated="have a guest that would not apply its failover address",
    applies=lambda estate: bool(estate.connections),
)
def guest_applies_failover_ip(vm: ReplicatedVM) -> Outcome:
    if outcome := beyond_question(vm.machine):
        return outcome
    inside = inside_of(vm)
    if inside is None:
        return not_applicable("the inventory names no connection into this guest")
    if isinstance(inside, Unread):
        return unknown(f"the guest was not looked into: {inside}", evidence=NOTHING, cause=Cause.GUEST_NOT_LOOKED_INTO)
    return _judged(vm, inside)


def _judged(vm: ReplicatedVM, inside: Inside) -> Outcome:
    links = [*links_of(vm, inside)]
    broken = [link for link in links if link.fix is not None]
    doubtful = [link for link in links if link.fix is None]
    evidence = seen_by(inside)
    if broken:
        first, *others = broken
        outcome = failed(f"{inside}: {first.finding}", evidence=evidence, cause=first.cause)
        outcome = with_remarks(outcome, (first.fix or "",))
        others += doubtful
    elif doubtful:
        first, *others = doubtful
        outcome = unknown(f"{inside}: {first.finding}", evidence=evidence, cause=first.cause)
    else:
        return with_remarks(passed(_complete(vm, inside), evidence=evidence), _remarks(vm, inside))
    return with_remarks(outcome, (*map(_besides, others), *_remarks(vm, inside)))


def _besides(link: Link) -> str:
    return f"besides, {link.finding}" + (f": {link.fix}" if link.fix else "")


def _complete(vm: ReplicatedVM, inside: Inside) -> str:
    if not isinstance(inside, InsideUnix):
        return f"{inside}: its service vmickvpexchange runs, and sets the address itself"
    daemon = inside.daemon
    assert daemon  # noqa: S101  # else a link was broken
    assert not isinstance(daemon.writes, Unread)  # noqa: S101  # the same
    names = ", ".join(adapter.name for adapter in concerned(vm, inside))
    return (
        f"{inside}: its daemon {daemon.program} runs and is started at boot, and its script {daemon.script} writes for "
        f"{advice.names_of(daemon.writes)}, as {names or 'its adapter'} needs"
    )


def _remarks(vm: ReplicatedVM, inside: Inside) -> tuple[str, ...]:
    return (
        *(f"{adapter.name} has its address by DHCP now" for adapter in concerned(vm, inside) if adapter.dynamic),
        *(_of_version(inside.integration_services) if isinstance(inside, InsideWindows) else ()),
        *(_of_daemon(inside) if isinstance(inside, InsideUnix) else ()),
    )


def _of_daemon(inside: InsideUnix) -> Iterator[str]:
    if inside.daemon:
        yield from faults_of(inside.daemon.package)
    if isinstance(inside.log, Unread):
        yield f"lines of failed attempts were not looked for: {inside.log}"
        return
    for line in inside.log:
        yield f"its log says: {line}"


def _of_version(version: str | Unread | None) -> tuple[str, ...]:
    if isinstance(version, Unread):
        return (f"the version of its integration services is not known: {version}",)
    return (f"its integration services are {version}",) if version else ()
