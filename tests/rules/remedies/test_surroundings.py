"""What others on the server and at the site have is filled in, and nothing that only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.judge.judge import judge
from compliance.model import Adapter, AdapterConnection, Estate, FailoverAddress, VirtualMachine
from compliance.rule import Result, Rule
from compliance.rules.addresses import failover_ip_is_free, failover_ip_is_valid
from compliance.rules.evidence.surroundings import EstateSurroundings
from compliance.rules.remedies.remedy import Remedy, remedy_of
from compliance.rules.replica import replica_adapter_is_connected, replica_has_failover_address
from tests.values import adapter, address, estate, replica, static, vm

SITES = {"hv01": "berlin", "hv02": "frankfurt"}


def nic(name: str, **changes: object) -> Adapter:
    return replace(adapter(of=name), **changes)  # type: ignore[arg-type]


def pair(name: str, *settings: FailoverAddress, switch: str = "LAN", there: str = "LAN") -> list[VirtualMachine]:
    """Return a primary with a static address, and its replica; ``there`` empty: that one is on no switch."""
    primary = vm(name, adapters=(nic(name, today=static("10.1.0.20"), switch=switch),))
    return [primary, replica(primary, *settings, adapters=(nic(name, switch=there),))]


def with_address(name: str, text: str, **changes: str) -> list[VirtualMachine]:
    return pair(name, address(text, on=adapter(of=name), **changes))


def remedies(rule: Rule, *pairs: list[VirtualMachine]) -> dict[str, Remedy]:
    """Return what is to be done about each machine that the rule finds."""
    found: Estate = estate(*(machine for both in pairs for machine in both), sites=SITES)
    failed = [verdict for verdict in judge(found, [rule]) if verdict.outcome.result is Result.FAILED]
    return {one.machine.name: done for one in failed if one.machine and (done := remedy_of(one))}


def options(remedy: Remedy) -> str:
    assert remedy.command
    return remedy.command.text.rpartition(" | ")[2]


FREE = "-IPv4Address <ADDRESS> -IPv4SubnetMask <MASK> -IPv4DefaultGateway <GATEWAY>"
KNOWN = "-IPv4Address <ADDRESS> -IPv4SubnetMask '255.255.255.0' -IPv4DefaultGateway '10.2.0.1'"
WEB = with_address("web", "10.2.0.21")
AROUND = {
    "one network": ([WEB, with_address("sql", "10.2.0.22")], KNOWN),
    "two networks": ([WEB, with_address("sql", "10.3.0.22", gateway="10.3.0.1")], FREE),
    "two gateways": ([WEB, with_address("sql", "10.2.0.22", gateway="10.2.0.254")], FREE),
    "one without a gateway": ([with_address("web", "10.2.0.21", gateway="")], FREE),
    "a gateway of IPv6": ([with_address("web", "10.2.0.21", gateway="fe80::1")], FREE),
    "one that is not valid": ([with_address("web", "10.2.0.21", mask="255.0.255.0")], FREE),
}


@pytest.mark.parametrize("name", AROUND)
def test_mask_and_gateway_are_those_that_all_others_there_have(name: str) -> None:
    others, expected = AROUND[name]
    found = remedies(replica_has_failover_address, pair("app"), *others)["app"]
    assert options(found) == f"Set-VMNetworkAdapterFailoverConfiguration {expected} -WhatIf"
    assert found.command
    assert found.command.where == (
        "on hv02 (fill in <ADDRESS>; mask and gateway are those of all other failover addresses there)"
        if expected == KNOWN
        else "on hv02 (fill in <ADDRESS>, <MASK>, <GATEWAY>)"
    )


def test_a_gateway_is_corrected_only_within_the_network_of_the_others() -> None:
    wrong = {"gateway": "10.9.0.1"}
    fits, other = with_address("fits", "10.2.0.23", **wrong), with_address("other", "10.4.0.23", **wrong)
    found = remedies(failover_ip_is_valid, fits, other, WEB)
    assert options(found["fits"]).endswith("-IPv4DefaultGateway '10.2.0.1' -WhatIf")
    assert options(found["other"]).endswith("-IPv4DefaultGateway <GATEWAY> -WhatIf")


def test_a_doubled_address_is_changed_on_one_of_both() -> None:
    first, second = with_address("dc", "10.2.0.13"), with_address("intranet", "10.2.0.13")
    found = remedies(failover_ip_is_free, first, second, WEB)
    text = "Give dc on hv02 or intranet on hv02 another address than 10.2.0.13, and leave the other as it is."
    assert {name: remedy.text for name, remedy in found.items()} == {"dc": text, "intranet": text}
    assert options(found["dc"]) == f"Set-VMNetworkAdapterFailoverConfiguration {KNOWN} -WhatIf"


def test_an_address_of_three_is_left_to_one() -> None:
    found = remedies(failover_ip_is_free, *(with_address(name, "10.2.0.13") for name in ("a", "b", "c")))
    text = "Leave 10.2.0.13 to one of a on hv02, b on hv02, c on hv02, and give each of the others its own."
    assert {remedy.text for remedy in found.values()} == {text}


SWITCHES = {
    "the one of the other side, of which nothing is known there": ([], "LAN", "'LAN'"),
    "the one of the other side, which is there": ([("web", "LAN"), ("sql", "DMZ")], "LAN", "'LAN'"),
    "the only one there": ([("web", "DMZ")], "LAN", "'DMZ'"),
    "several there, none of them the other side's": ([("web", "DMZ"), ("sql", "VPN")], "LAN", "<SWITCH>"),
    "nobody knows": ([], "", "<SWITCH>"),
    "a hostile name": ([], "x'; Remove-VM *; y", "'x''; Remove-VM *; y'"),
    "a name that no command may hold": ([], "a\nreboot", "<SWITCH>"),
}


@pytest.mark.parametrize("name", SWITCHES)
def test_the_switch_is_the_other_sides_or_the_only_one(name: str) -> None:
    others, switch, expected = SWITCHES[name]
    app = pair("app", address("10.2.0.20", on=adapter(of="app")), switch=switch, there="")
    app[1] = replace(app[1], adapters=(nic("app", connected=False, connection=AdapterConnection.NONE, switch=""),))
    around = [
        pair(other, address(f"10.2.0.3{at}", on=adapter(of=other)), there=there)
        for at, (other, there) in enumerate(others)
    ]
    found = remedies(replica_adapter_is_connected, app, *around)["app"]
    assert options(found) == f"Connect-VMNetworkAdapter -SwitchName {expected} -WhatIf"
    assert found.command
    assert (" (fill in <SWITCH>)" in found.command.where) is (expected == "<SWITCH>")
    assert ("the switch is called so on the other side" in found.command.where) is (
        expected not in ("<SWITCH>", "'DMZ'")
    )


def test_what_is_around_is_looked_up_on_no_server_that_is_not_there() -> None:
    around = EstateSurroundings(estate(*WEB, sites=SITES))
    assert (around.network_on("hv09", ""), around.switches_on("hv09"), around.set_for("10.2.0.21", "hv09")) == (
        None,
        frozenset(),
        (),
    )
