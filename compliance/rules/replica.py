"""Is all that a replica needs set on the replica itself: an address for each adapter, and a switch behind it?"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from compliance.errors import Why
from compliance.model import (
    Adapter,
    AdapterConnection,
    Addresses,
    ReplicaAdapter,
    ReplicatedVM,
    Role,
    Unread,
)
from compliance.rule import Outcome, Severity, failed, not_applicable, passed, rule, unknown, with_remarks
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.handover import runs_on
from compliance.rules.evidence.pairs import Pairs, sender_of
from compliance.rules.evidence.today import today_of_adapter
from compliance.words import join_names, quote

REPLICAS = (Role.REPLICA, Role.EXTENDED_REPLICA)
HAS_ADDRESS = not_applicable("a failover address is set on it: see the rule on that")
HAS_NONE = not_applicable("no failover address is set on it")
"""Made once, as most adapters have one of the two."""
NOTHING_TO_READ = (Why.NOT_ASKED, Why.NO_GUEST_DATA)
"""Why what a guest uses today is not known though nothing went wrong: of an old snapshot, of a guest that is off."""


# --- an address -------------------------------------------------------------------------------------------------------


@rule(
    "replica-has-failover-address",
    severity=Severity.WARNING,
    title="A replica has a failover address for each adapter that needs one",
    issue=(
        "An adapter of a replica has no failover address, though its guest uses a static address today; or the address "
        "is set on the primary, where it is for the way back."
    ),
    impact=(
        "After a failover the guest comes up with the address that it has on the primary, which is not valid at the "
        "replica's site."
    ),
    resolution=(
        "Set the failover address on the replica, on the server that is named: what stands on the replica is what the "
        "replica gets. What stands on the primary is what the machine gets when it is failed back.\n\n"
        "If both sites share their networks, say so in the inventory: `stretched: [[berlin, frankfurt]]`."
    ),
    unknown_when="The settings of the primary, or what the guest uses today, were asked for and not read.",
    violated="have no failover address where one is needed",
    bpa=236,  # which asks for an address on each replica, also of one whose guest uses DHCP
    sides=REPLICAS,
)
def replica_has_failover_address(adapter: ReplicaAdapter, pairs: Pairs) -> Outcome:
    if adapter.setting:
        return passed(join_names(adapter.setting.addresses), condition=_has_all_adapters(adapter.vm))
    machine, sender = adapter.machine, sender_of(adapter.vm)
    if isinstance(machine.partners, Unread):
        return unknown(f"what stands on its primary is not known: {machine.partners}", cause=Cause.PARTNER_UNREAD)
    if sender and pairs.sites.are_stretched(machine.server, sender.server):
        return not_applicable("the sites of both sides share their networks", cause=Cause.STRETCHED)
    if adapter.adapter is None:
        return _lacking(adapter, pairs)
    if sender and sender.role is Role.PRIMARY and isinstance(sender.failover, Unread):
        if sender.failover.server:
            return not_applicable(
                f"the cause is at the server of its primary: see {sender.server}", cause=Cause.SERVER_FAULT
            )
        return unknown(f"what stands on {sender.server} is not known: {sender.failover}", cause=Cause.SETTINGS_UNREAD)
    if sender and sender.role is Role.PRIMARY and (on_primary := _set_on(sender.settings, adapter.guid)):
        return failed(
            f"{on_primary} is set on {sender.server}, the primary, where it is for the way back: expected here, on "
            "the replica",
            cause=Cause.WRONG_SIDE,
        )
    return _as_today(adapter, pairs)


def _has_all_adapters(vm: ReplicatedVM) -> str:
    """Return the condition of a pass while the adapters are not read of the side where the guest runs; else nothing."""
    side = runs_on(vm)
    if isinstance(side, Unread) or not isinstance(side.adapters, Unread):
        return ""
    return f"no adapter is on {side.server} alone: {side.adapters}"


def _lacking(adapter: ReplicaAdapter, pairs: Pairs) -> Outcome:
    """Return what to say of an adapter that only the side has where the guest runs: no failover brings it."""
    machine, sender, there = adapter.machine, sender_of(adapter.vm), adapter.there
    assert isinstance(there, Adapter)  # noqa: S101  # it is a subject because that side has it
    is_covered = bool(machine.settings)
    today = today_of_adapter(there)
    lacks = f"the replica has no such adapter as {quote(there.name or there.guid)}"
    if today.dynamic is None:
        outcome = _today_unknown(adapter, is_covered=is_covered)
        return replace(outcome, finding=f"{lacks}; {outcome.finding}")
    finding = f"{lacks}, which has {today.text} today"
    is_missed = is_covered or (sender and pairs.uses_addresses(machine, sender))
    if today.dynamic or not _has_gateway(adapter) or not is_missed:
        return with_remarks(not_applicable(lacks), (finding,))
    return failed(f"{finding}: expected it there too, with a failover address", cause=Cause.ADAPTER_LACKING)


def _set_on(settings: tuple[object, ...], guid: str) -> object | None:
    return next((setting for setting in settings if getattr(setting, "adapter_guid", "") == guid), None)


def _as_today(adapter: ReplicaAdapter, pairs: Pairs) -> Outcome:
    """Without one the replica uses the primary's address, static or dynamic (the cmdlet's documentation)."""
    today = today_of_adapter(adapter.there)
    is_covered = bool(adapter.machine.settings)
    if today.dynamic is None:
        return _today_unknown(adapter, is_covered=is_covered)
    names = join_names(today.addresses)
    if today.dynamic:
        return passed(f"uses DHCP today ({names}): it needs a scope or a reservation at the replica's site")
    if not _has_gateway(adapter):
        remark = f"keeps {names}, static today; it has no default gateway, so nothing is routed to it"
        return with_remarks(not_applicable("it has no default gateway today"), (remark,))
    if is_covered:
        return failed(
            f"{names} is static today, and no failover address is set on this adapter, though others have one",
            cause=Cause.ADAPTER_WITHOUT,
        )
    sender = sender_of(adapter.vm)
    if sender and not pairs.uses_addresses(adapter.machine, sender):
        return not_applicable(f"no machine between {sender.place} and {adapter.machine.place} has a failover address")
    return failed(f"{names} is static today, and no failover address is set on the replica", cause=Cause.STATIC_WITHOUT)


def _today_unknown(adapter: ReplicaAdapter, *, is_covered: bool) -> Outcome:
    """Where others have an address, this one may need one as well: a condition of whoever calls the machine ready."""
    why = adapter.there if isinstance(adapter.there, Unread) else adapter.there.today
    if isinstance(why, Unread) and why.why not in NOTHING_TO_READ:
        return unknown(f"not known what it uses today: {why}", cause=Cause.TODAY_UNREAD)
    reason = f": {why}" if isinstance(why, Unread) else ""
    outcome = not_applicable(f"not known what it uses today{reason}", cause=Cause.TODAY_UNKNOWN)
    name = adapter.adapter or (adapter.guid if isinstance(adapter.there, Unread) else adapter.there)
    return replace(outcome, condition=f"{name} needs no failover address{reason}") if is_covered else outcome


def _has_gateway(adapter: ReplicaAdapter) -> bool:
    there = adapter.there
    return not isinstance(there, Unread) and isinstance(there.today, Addresses) and bool(there.today.gateways)


# --- a switch ---------------------------------------------------------------------------------------------------------


@rule(
    "replica-adapter-is-connected",
    severity=Severity.ERROR,
    title="A replica's adapter with a failover address is connected to a switch",
    issue=(
        "The adapter of a replica is connected to no switch, or to one that its server does not have. Hyper-V creates "
        "replicas disconnected."
    ),
    impact="After a failover the guest has its address, and nobody reaches it.",
    resolution=(
        "Connect the replica's adapter to a switch of its server: "
        "`Connect-VMNetworkAdapter -VMName app -SwitchName Servers` there. A replica that is off disturbs nobody."
    ),
    unknown_when="What the adapter is connected to was not read.",
    violated="have a replica whose adapter is connected to no switch",
    sides=REPLICAS,
)
def replica_adapter_is_connected(adapter: ReplicaAdapter) -> Outcome:
    if adapter.setting is None:
        return HAS_NONE
    if adapter.adapter is None:
        return not_applicable("the server lists no such adapter: see the rule on integration services")
    return _connection(adapter)


@rule(
    "replica-adapter-without-address-is-connected",
    severity=Severity.INFORMATION,
    title="A replica's adapter is connected to a switch, though it has no failover address",
    issue=(
        "The adapter of a replica without a failover address is connected to no switch, or to one that its server does "
        "not have. Hyper-V creates replicas disconnected, so this is often meant so."
    ),
    impact="After a failover nobody reaches the guest by this adapter until somebody connects it.",
    resolution=(
        "If the guest is to be reached after a failover, connect the replica's adapter to a switch of its server: "
        "`Connect-VMNetworkAdapter -VMName app -SwitchName Servers` there."
    ),
    unknown_when="Never by itself: where it is not known what the adapter is connected to, the rule is not applicable.",
    violated="have a replica without a failover address whose adapter is connected to no switch",
    sides=REPLICAS,
)
def replica_adapter_without_address_is_connected(adapter: ReplicaAdapter) -> Outcome:
    if adapter.setting or adapter.adapter is None:
        return HAS_ADDRESS
    outcome = _connection(adapter)
    if outcome.cause == Cause.CONNECTION_UNREAD or outcome.condition:
        return not_applicable("not known whether it is connected, and no failover address is set on it")
    return outcome


@lru_cache(maxsize=1024)
def _connected_to(switch: str) -> Outcome:
    """Return that it is; the machines of a site have few switches."""
    return passed(f"connected to the switch {quote(switch)}" if switch else "connected to a switch")


def _connection(adapter: ReplicaAdapter) -> Outcome:
    own = adapter.adapter
    assert own  # noqa: S101  # both rules looked
    match own.connection:
        case AdapterConnection.SWITCH:
            return _connected_to(own.switch)
        case AdapterConnection.POOL:
            remark = "connected to a pool of switches: to which one, its server decides"
            return with_remarks(passed("connected to a pool of switches"), (remark,))
        case AdapterConnection.NONE:
            return failed("connected to no switch: expected one of its server", cause=Cause.NOT_CONNECTED)
        case AdapterConnection.LOST:
            return failed(
                "connected to a switch that its server does not have: expected one of its server",
                cause=Cause.SWITCH_LOST,
            )
    if own.connected is False:
        return failed("connected to no switch: expected one of its server", cause=Cause.NOT_CONNECTED)
    if own.connection.why is Why.NOT_ASKED and own.connected is True:
        condition = f"its adapter is connected: {own.connection}"
        return replace(passed(f"enabled; its switch was {own.connection}"), condition=condition)
    return unknown(f"not known whether it is connected: {own.connection}", cause=Cause.CONNECTION_UNREAD)
