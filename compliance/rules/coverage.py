"""Was there something to judge at all? No silence may turn into green."""

from __future__ import annotations

from dataclasses import replace

from compliance.model import Estate, Server, Settings
from compliance.rule import Outcome, Severity, passed, rule, unknown


@rule(
    "server-was-read",
    severity=Severity.ERROR,
    title="Every server of the inventory is read",
    issue="Nothing can be said of virtual machines on a server that was not read.",
    impact="A failover may go wrong on these servers, and no rule would have told.",
    resolution=(
        "Do what the reason says, or take the server out of the inventory. A server that is down for good reason is "
        "still one that was not read."
    ),
    violated="were not read",
)
def server_was_read(server: Server) -> Outcome:
    outcome = _read(server)
    return replace(outcome, remarks=server.remarks)


def _read(server: Server) -> Outcome:
    if server.unread:
        return unknown(f"{server.unread.why}: {server.unread}")
    if server.doubt:
        return unknown(server.doubt)
    version = f", version {server.version}" if server.version else ""
    count = len(server.machines)
    return passed(f"{count} virtual machine{'' if count == 1 else 's'}{version}")


@rule(
    "estate-has-replicated-machines",
    severity=Severity.ERROR,
    title="The estate has replicated virtual machines",
    issue="Not one virtual machine of the estate takes part in a replication, so no rule judged anything.",
    impact="An account without rights, an inventory of the wrong servers and an estate without replication look alike.",
    resolution=(
        "Check the account's rights and the inventory; if it is so, set `may_be_empty: true` at the inventory's top."
    ),
)
def estate_has_replicated_machines(estate: Estate, settings: Settings) -> Outcome:
    count = len(estate.replicated)
    if count:
        return passed(f"{count} side{'' if count == 1 else 's'} of replicated virtual machines")
    if settings.may_be_empty:
        return passed("no replicated virtual machine, as the inventory allows")
    unread = sum(server.unread is not None for server in estate.servers)
    but = f"; {unread} of {len(estate.servers)} servers were not read" if unread else ""
    return unknown(f"not one replicated virtual machine was seen{but}")
