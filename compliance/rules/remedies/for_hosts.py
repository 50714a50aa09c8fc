"""What mends a cause that is on a host: what could not be read there, its settings, addresses and adapters."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.errors import Why
from compliance.model import Role
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.settings import parsed
from compliance.rules.remedies import hosts
from compliance.rules.remedies.advice import Advice, Ways, always
from compliance.rules.remedies.case import RemedyCase
from compliance.rules.remedies.doctor import ask_doctor, ask_doctor_there
from compliance.words import join_names

ASK_AGAIN = "Run again. If it stays unknown, let the doctor ask the server: it shows which query fails, and why."
ASK_THERE = (
    "Run again. If it stays unknown, let the doctor ask the server of the other side: it shows which query fails."
)
WAIT = "Run again while nobody moves, starts or stops the machine."
SET_IT = (
    "Set an address of the replica's site on the replica's adapter. If both sites share their networks, say so in the "
    "inventory (`stretched`) instead."
)


ONE_OF_THEM = "Two machines have one failover address: give one of them another, and leave the other as it is."


def _name_both(case: RemedyCase) -> str:
    """Return whose the address is: the same words for each of them, so that nobody changes all."""
    for address in case.setting.addresses if case.setting else ():
        names = hosts.holders_of(case, address)
        if len(names) == 2:
            return f"Give {' or '.join(names)} another address than {address}, and leave the other as it is."
        if len(names) > 2:
            return f"Leave {address} to one of {join_names(names)}, and give each of the others its own."
    return ""


def _unread(why: Why, when: str, text: str) -> Advice:
    return Advice(text=text, command=ask_doctor, when=when, applies=lambda case: case.why is why)


UNREAD: Ways = (
    _unread(
        Why.UNREACHABLE,
        "it can't be reached",
        "See that the server is up, and that its WinRM port (5986, or 5985 for http) is open to this machine. The "
        "doctor shows where the way to it ends.",
    ),
    _unread(
        Why.LOGIN_REFUSED,
        "it refuses the login",
        "Correct the account or its password, and try it on this one server by the doctor before the next run.",
    ),
    _unread(
        Why.LOGIN_IMPOSSIBLE,
        "no login is possible from here",
        "Mend what the reason names on this machine, such as a ticket, a certificate or a missing password: the server "
        "was sent nothing.",
    ),
    _unread(
        Why.NOT_PERMITTED,
        "the account has no right",
        "Give the account the rights that it lacks. The doctor names them, with a script for review.",
    ),
    _unread(
        Why.NOT_HYPERV,
        "it is no Hyper-V server",
        "Take it out of the inventory if it is no Hyper-V server; else install the role there.",
    ),
    _unread(Why.BUSY, "it is busy", "Run again when the server has less to do."),
    _unread(
        Why.TIMED_OUT,
        "it takes too long",
        "Run again when the server has less to do, or allow it more time (`limits` in the inventory).",
    ),
    _unread(
        Why.TOO_LARGE,
        "it answers more than is taken",
        "Let the doctor show which answer is too large: no Hyper-V server that is known sends as much.",
    ),
    _unread(
        Why.BROKEN,
        "something else answers",
        "Look for what answers in its place, such as a proxy. The doctor shows the answer.",
    ),
    Advice(
        text="Let the doctor walk to the server: it shows the step that fails, and what to do about it.",
        command=ask_doctor,
        when="for any other reason",
    ),
)

READING: Mapping[str, Ways] = {
    Cause.SERVER_UNREAD: UNREAD,
    Cause.SERVER_INCOMPLETE: always(
        "Give the account the right to read all that the reason names, or set what it names in the inventory if the "
        "server is like that.",
        ask_doctor,
    ),
    Cause.NODES_NOT_LISTED: always(
        "Add the cluster's other nodes to the inventory; or allow a cluster in part (`partial_clusters: tell`)."
    ),
    Cause.CLUSTER_UNREAD: always(
        "See that the cluster's name answers, and that the account may read it; then run again."
    ),
    Cause.CLUSTER_INCOMPLETE: always("Do what the reason says about the nodes that it names, and run again."),
    Cause.NOTHING_REPLICATED: always(
        "Check the account's rights and the servers that the inventory names. If nothing is replicated there, set "
        "`may_be_empty: true` at the inventory's top."
    ),
    Cause.REQUIRED_UNKNOWN: always("Do what is said beside the rule that this one rests on."),
    Cause.SERVER_FAULT: always("Mend the finding of the server that is named first.", ask_doctor),
    Cause.MACHINE_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.MACHINE_CHANGED: always(WAIT),
    Cause.SETTINGS_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.ADAPTERS_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.OFFER_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.GUEST_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.UPTIME_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.TODAY_UNREAD: always(ASK_THERE, ask_doctor_there),
    Cause.CONNECTION_UNREAD: always(ASK_AGAIN, ask_doctor),
    Cause.PARTNER_UNREAD: always(ASK_THERE, ask_doctor_there),
    Cause.PARTNER_CHANGED: always(WAIT),
    Cause.PARTNER_OFFER_UNREAD: always(ASK_THERE, ask_doctor_there),
    Cause.SIDE_NOT_SEEN: always(
        "Add the server of the other side to the inventory, or see why it was not read, and run again."
    ),
    Cause.NOT_JUDGED: always("Switch the rule on integration services on again (`policy: rules` in the inventory)."),
}


def _is_off(case: RemedyCase) -> bool:
    primary = case.side_of(Role.PRIMARY)
    return primary is not None and case.guest_side is None


MACHINE: Mapping[str, Ways] = {
    Cause.SHIELDED: always(
        "Give the machine an address by DHCP, with a reservation at the replica's site: Data Exchange is blocked in "
        "shielded machines."
    ),
    Cause.OFFER_OFF: always(
        "Switch Data Exchange on in the integration services of the virtual machine.", hosts.enable_data_exchange
    ),
    Cause.PARTNER_OFFER_OFF: always(
        "Switch Data Exchange on where the guest runs, and run again: then its answer can be seen.",
        hosts.enable_where_the_guest_runs,
    ),
    Cause.GUEST_NO_ROW: always(
        "Run again. If it stays unknown, see that Data Exchange is switched on in the settings of the virtual machine, "
        "and restart its guest."
    ),
    Cause.GUEST_PAUSED: always("Resume the guest, and run again.", hosts.resume),
    Cause.GUEST_NOT_SEEN: (
        Advice(
            when="its primary was seen, and is off",
            applies=_is_off,
            text="Start the guest on its primary and run again, or run a test failover of its replica.",
            command=hosts.start_primary,
        ),
        Advice(
            when="its other side was not seen",
            text=(
                "Add the server of its other side to the inventory, or see why it was not read; or run a test failover "
                "of the replica."
            ),
        ),
    ),
    Cause.BOTH_RUN: always(
        "Find out which side is used, and shut the other one down. Then reverse the replication or cancel the failover."
    ),
    Cause.NOT_LANDED: always(
        "Set the address inside the guest by hand, and mend what the other findings of this machine name. If the "
        "address was changed on purpose after the failover, change the failover address as well.",
        hosts.list_addresses,
    ),
    Cause.LANDING_UNKNOWN: always(
        "Look at the guest's addresses, in its console if its host shows none, or run again when it answers.",
        hosts.list_addresses,
    ),
}


def _is_unknown(case: RemedyCase) -> bool:
    return case.is_unknown


def _is_on_two_adapters(case: RemedyCase) -> bool:
    """Does another adapter of the same machine have one of its addresses?"""
    settings = case.machine.settings if case.machine else ()
    others = (setting for setting in settings if setting.adapter_guid != case.adapter_guid)
    taken = {parsed(text) for setting in others for text in setting.addresses} - {None}
    own = case.setting.addresses if case.setting else ()
    return any(parsed(text) in taken for text in own)


NAME_THE_SITES = (
    "Name the sites of the servers in the inventory (`site`), and list both sides of each replication: then it is "
    "known whether both addresses are at one site and of two machines. If they are, give one of them another."
)

ADDRESSES: Mapping[str, Ways] = {
    Cause.LEGACY_ADAPTER: always(
        "Replace the legacy adapter by a synthetic one, on the primary and with the machine off; then set the failover "
        "address on the new adapter. A legacy adapter takes none.",
        hosts.add_adapter_on_primary,
    ),
    Cause.NO_SUCH_ADAPTER: always(
        "Set the failover address on an adapter that the machine has: the one that it was set on is gone.",
        hosts.list_adapters,
    ),
    Cause.WRONG_SIDE: always(
        "Set the address on the replica, if it is one of the replica's site. What stands on the primary is what the "
        "machine gets at a failback.",
        hosts.set_on_replica,
    ),
    Cause.STATIC_WITHOUT: always(SET_IT, hosts.set_address),
    Cause.ADAPTER_WITHOUT: always(SET_IT, hosts.set_address),
    Cause.ADAPTER_LACKING: always(
        "Give the replica this adapter as well, connect it to a switch, and set a failover address on it: an adapter "
        "that the primary got later is not replicated.",
        hosts.add_adapter,
    ),
    Cause.KEEPS_FAILOVER_ADDRESS: always(
        "Set the address for after a failback on the primary, if it is another than the replica's."
    ),
    Cause.INVALID: always("Correct the address: it is none that a host can have.", hosts.correct_address),
    Cause.MASK_INVALID: always("Correct the subnet mask of the address.", hosts.correct_address),
    Cause.MASKS_DIFFER: always("Set one subnet mask for each address.", hosts.correct_address),
    Cause.GATEWAY_INVALID: always(
        "Correct the gateway: it has to be a router's address in the subnet of the failover address.",
        hosts.correct_address,
    ),
    Cause.ADDRESS_TAKEN: (
        Advice(when="not known whether it is at the same site", applies=_is_unknown, text=NAME_THE_SITES),
        Advice(
            when="on two adapters of one machine",
            applies=_is_on_two_adapters,
            text="Give one of the two adapters another address, and leave the other as it is.",
            command=hosts.set_another_address,
        ),
        Advice(
            text=ONE_OF_THEM,
            command=hosts.set_another_address,
            specific=_name_both,
            is_foreign=True,
        ),
    ),
    Cause.ADDRESS_IN_USE: (
        Advice(when="not known whether it is at the same site", applies=_is_unknown, text=NAME_THE_SITES),
        Advice(
            text="Give this machine another address, or free this one: the finding names who uses it now.",
            command=hosts.set_another_address,
        ),
    ),
    Cause.SAME_AS_TODAY: always(SET_IT, hosts.set_address),
    Cause.NOT_CONNECTED: (
        Advice(
            when="it has no failover address",
            applies=lambda case: case.setting is None,
            text="Connect the adapter to a switch of its server, if the guest is to be reached by it after a failover.",
            command=hosts.connect,
        ),
        Advice(
            text="Connect the adapter to a switch of its server. A replica that is off disturbs nobody.",
            command=hosts.connect,
        ),
    ),
    Cause.SWITCH_LOST: always(
        "Connect the adapter to a switch that its server has, or make the missing one again.", hosts.connect
    ),
}

FOR_HOSTS: Mapping[str, Ways] = {**READING, **MACHINE, **ADDRESSES}
