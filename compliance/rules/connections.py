"""Does every guest connection of the inventory lead to the guest that it is for?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from compliance.model import Estate, GuestConnection, Unread
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.words import join_names, plural

MOST_REMARKS = 50
"""Connections that lead nowhere, each a remark."""


@rule(
    "guests-were-read",
    severity=Severity.WARNING,
    title="Every guest connection leads to the guest that it is for",
    issue="A guest connection of the inventory (`guests:`) was not read, matches no machine, or leads to another one.",
    impact="Nothing is known of these guests from inside: whether they apply their failover addresses is unknown.",
    resolution="Do what stands beside each connection, or take it out of the inventory's `guests`.",
    unknown_when=(
        "A connection was not answered, or what answered is not proved to be the guest; or a server was not read that "
        "may have the machine."
    ),
    applies=lambda estate: bool(estate.connections),
)
def guests_were_read(estate: Estate) -> Outcome:
    blind = any(server.unread or server.doubt for server in estate.servers)
    # A server that was not read may be the one that a limit left out.
    tried = [known for known in estate.connections if blind or not known.left_out]
    skipped = [known for known in estate.connections if known.left_out and not blind]
    remarks = (*(f"{known}: {known.insecure}" for known in estate.connections if known.insecure), *_left_out(skipped))
    if skipped and not tried:
        outcome = not_applicable("no guest was asked: --hv-limit left out the servers of all guest connections")
        return with_remarks(outcome, remarks)
    lost = [(known, reason) for known in tried if (reason := _why_lost(known))]
    if not lost:
        each = "leads to its machine" if len(tried) == 1 else "lead to their machines"
        return with_remarks(passed(f"{plural(len(tried), 'guest connection')} (`guests:`) {each}"), remarks)
    return with_remarks(_lost(lost, len(tried), blind=blind), (*remarks, *_reasons(lost)))


def _lost(lost: Sequence[tuple[GuestConnection, str]], tried: int, *, blind: bool) -> Outcome:
    """Return the finding. A connection that matches nothing where all was read is a mistake of the inventory; all else
    is not known."""
    of = f"{len(lost)} of {plural(tried, 'guest connection')} (`guests:`)"
    unmatched = [known for known, _ in lost if not known.matched]
    if unmatched and not blind:
        names = tuple(sorted(str(known) for known, _ in lost))
        verb = "matches no machine" if len(unmatched) == len(lost) == 1 else "match no machine"
        finding = f"{of} {verb}" if len(unmatched) == len(lost) else f"{of} lead to no machine that they are for"
        return failed(finding, cause=Cause.CONNECTIONS_LOST, rests_on=names)
    return unknown(f"{of} lead to no machine that they are for", cause=Cause.CONNECTIONS_UNKNOWN)


def _reasons(lost: Sequence[tuple[GuestConnection, str]]) -> Iterator[str]:
    for known, reason in lost[:MOST_REMARKS]:
        yield f"{known}: {reason}"
    if len(lost) > MOST_REMARKS:
        yield f"and {plural(len(lost) - MOST_REMARKS, 'connection')} more"


def _left_out(skipped: Sequence[GuestConnection]) -> Iterator[str]:
    if skipped:
        yield f"not asked for, since --hv-limit left out the server on which the guest would run: {join_names(skipped)}"


def _why_lost(known: GuestConnection) -> str:
    """Return why it says nothing of a machine; empty where it does."""
    if known.proved:
        return ""
    if not known.matched:
        return f"no machine of the estate is called {' or '.join(known.patterns)}"
    if isinstance(known.inside, Unread):
        return str(known.inside).removeprefix(f"{known}: ")
    return f"what answers there is not known to be the guest of {' or '.join(known.matched[:3])}"
