"""Failover addresses by themselves: valid, free, and not today's."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.judge.judge import judge
from compliance.model import Estate, FailoverAddress, Power, Role, Server, Unread, VirtualMachine
from compliance.rule import Outcome, Result, Rule
from compliance.rules.addresses import failover_ip_differs_from_today, failover_ip_is_free, failover_ip_is_valid
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.neighbours import Neighbours, _claims, _uses
from compliance.rules.evidence.settings import IPAddress, is_routed, network_of, parsed
from tests.hosts import guid
from tests.values import WINDOWS, adapter, address, estate, replica, static, vm

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
NIC = adapter()


def outcome_of(rule: Rule, found: Estate, label: str = "hv02/app") -> Outcome:
    """The only outcome on the adapters of a machine."""
    (verdict,) = [verdict for verdict in judge(found, [rule]) if verdict.label.startswith(label)]
    return verdict.outcome


def with_setting(setting: FailoverAddress | None, primary: VirtualMachine | None = None, **changes: object) -> Estate:
    primary = primary or vm()
    return estate(primary, replica(primary, *([setting] if setting else []), **changes))


# --- valid ------------------------------------------------------------------------------------------------------------

ANY = ".".join("0000")
SIX = address("2001:db8:2::20", on=NIC, mask="64", gateway="2001:db8:2::1")
BOTH = address("10.2.0.20", "2001:db8:2::20", on=NIC, mask=("255.255.255.0", "64"))
VALID = {
    "plain": address("10.2.0.20", on=NIC),
    "no gateway": address("10.2.0.20", on=NIC, gateway=""),
    "both families": BOTH,
    "a gateway of each": replace(BOTH, gateways=("10.2.0.1", "2001:db8:2::1")),
    "six": SIX,
    "a link-local gateway": replace(SIX, gateways=("fe80::1",)),
    "a link-local gateway with its zone": replace(SIX, gateways=("fe80::1%12",)),
    "31": address("10.2.0.20", on=NIC, mask="255.255.255.254", gateway="10.2.0.21"),
    "31, the other": address("10.2.0.21", on=NIC, mask="255.255.255.254", gateway="10.2.0.20"),
    "32": address("10.2.0.20", on=NIC, mask="255.255.255.255", gateway="10.2.0.1"),
    "128": replace(SIX, subnets=("128",)),
    "127": replace(SIX, addresses=("2001:db8:2::",), subnets=("127",), gateways=("2001:db8:2::1",)),
    "a wide mask": address("10.2.0.255", on=NIC, mask="255.255.0.0"),
    "a gateway of the second subnet": address("10.2.0.20", "10.3.0.20", on=NIC, gateway="10.3.0.1"),
}
INVALID = {
    "no number": (address("10.2.0.999", on=NIC), Cause.INVALID),
    "three numbers": (address("10.2.20", on=NIC), Cause.INVALID),
    "reserved": (address("240.0.0.20", on=NIC, gateway=""), Cause.INVALID),
    "leading zeros": (address("10.2.0.020", on=NIC), Cause.INVALID),
    "with a length": (address("10.2.0.20/24", on=NIC), Cause.INVALID),
    "a name": (address("app.example", on=NIC), Cause.INVALID),
    "blanks inside": (address("10.2. 0.20", on=NIC), Cause.INVALID),
    "unspecified": (address(ANY, on=NIC), Cause.INVALID),
    "loopback": (address("127.0.0.1", on=NIC), Cause.INVALID),
    "multicast": (address("224.0.0.5", on=NIC), Cause.INVALID),
    "link-local": (address("169.254.7.7", on=NIC), Cause.INVALID),
    "everybody's": (address("255.255.255.255", on=NIC), Cause.INVALID),
    "of the network": (address("10.2.0.0", on=NIC), Cause.INVALID),
    "of the broadcast": (address("10.2.0.255", on=NIC), Cause.INVALID),
    "six, unspecified": (replace(SIX, addresses=("::",)), Cause.INVALID),
    "six, loopback": (replace(SIX, addresses=("::1",)), Cause.INVALID),
    "six, multicast": (replace(SIX, addresses=("ff02::1",)), Cause.INVALID),
    "six, link-local": (replace(SIX, addresses=("fe80::20",)), Cause.INVALID),
    "six, with a zone": (replace(SIX, addresses=("2001:db8:2::20%3",)), Cause.INVALID),
    "the second": (address("10.2.0.20", "10.2.0.999", on=NIC), Cause.INVALID),
    "holes": (address("10.2.0.20", on=NIC, mask="255.0.255.0"), Cause.MASK_INVALID),
    "the wrong way round": (address("10.2.0.20", on=NIC, mask="0.0.0.255"), Cause.MASK_INVALID),
    "a mask of nothing": (address("10.2.0.20", on=NIC, mask=ANY), Cause.MASK_INVALID),
    "out of range": (address("10.2.0.20", on=NIC, mask="255.255.256.0"), Cause.MASK_INVALID),
    "a length for four": (address("10.2.0.20", on=NIC, mask="24"), Cause.MASK_INVALID),
    "six, out of range": (replace(SIX, subnets=("129",)), Cause.MASK_INVALID),
    "six, negative": (replace(SIX, subnets=("-1",)), Cause.MASK_INVALID),
    "six, a mask of four": (replace(SIX, subnets=("255.255.255.0",)), Cause.MASK_INVALID),
    "six, other digits": (replace(SIX, subnets=("\u0666\u0664",)), Cause.MASK_INVALID),
    "no mask": (address("10.2.0.20", on=NIC, mask=""), Cause.MASK_INVALID),
    "fewer masks": (address("10.2.0.20", "10.2.0.21", on=NIC, mask=("255.255.255.0",)), Cause.MASKS_DIFFER),
    "more masks": (address("10.2.0.20", on=NIC, mask=("255.255.255.0", "64")), Cause.MASKS_DIFFER),
    "gateway outside": (address("192.168.1.1", on=NIC, gateway="192.168.31.1"), Cause.GATEWAY_INVALID),
    "gateway itself": (address("10.2.0.1", on=NIC), Cause.GATEWAY_INVALID),
    "gateway no address": (address("10.2.0.20", on=NIC, gateway="10.2.0.300"), Cause.GATEWAY_INVALID),
    "gateway unspecified": (address("10.2.0.20", on=NIC, gateway=ANY), Cause.GATEWAY_INVALID),
    "gateway of the broadcast": (address("10.2.0.20", on=NIC, gateway="10.2.0.255"), Cause.GATEWAY_INVALID),
    "gateway link-local of four": (address("10.2.0.20", on=NIC, gateway="169.254.0.1"), Cause.GATEWAY_INVALID),
    "gateway of the other family": (address("10.2.0.20", on=NIC, gateway="2001:db8:2::1"), Cause.GATEWAY_INVALID),
    "gateway behind a 31": (
        address("10.2.0.20", on=NIC, mask="255.255.255.254", gateway="10.2.0.1"),
        Cause.GATEWAY_INVALID,
    ),
}


@pytest.mark.parametrize("setting", VALID.values(), ids=VALID)
def test_what_is_valid(setting: FailoverAddress) -> None:
    outcome = outcome_of(failover_ip_is_valid, with_setting(setting))
    assert outcome.result is PASSED, outcome.finding


@pytest.mark.parametrize(("setting", "cause"), INVALID.values(), ids=INVALID)
def test_what_is_not_valid(setting: FailoverAddress, cause: Cause) -> None:
    outcome = outcome_of(failover_ip_is_valid, with_setting(setting))
    assert (outcome.result, outcome.cause) == (FAILED, cause), outcome.finding


def test_a_primary_is_judged_as_well_by_its_own_setting() -> None:
    found = estate(vm(failover=(address("10.1.0.999", on=NIC),)))
    assert outcome_of(failover_ip_is_valid, found, "hv01/app").result is FAILED


def test_without_an_address_there_is_nothing_to_judge() -> None:
    assert outcome_of(failover_ip_is_valid, with_setting(None)).result is NOT_APPLICABLE


@pytest.mark.parametrize("changes", [{"failover": Unread("refused")}, {"adapters": Unread("refused")}])
def test_what_was_not_read_is_the_machines_own_unknown(changes: dict[str, object]) -> None:
    found = with_setting(address("10.2.0.20", on=NIC), **changes)
    (verdict,) = [one for one in judge(found, [failover_ip_is_valid]) if one.server == "hv02"]
    assert (verdict.label, verdict.outcome.result, verdict.outcome.finding) == ("hv02/app", UNKNOWN, "refused")


def test_only_six_makes_four_dynamic() -> None:
    outcome = outcome_of(failover_ip_is_valid, with_setting(SIX))
    assert outcome.remarks == ("2001:db8:2::20 is IPv6 only: IPv4 of this adapter becomes DHCP at a failover",)


def test_a_dns_server_that_is_no_address_is_a_remark() -> None:
    outcome = outcome_of(failover_ip_is_valid, with_setting(replace(SIX, addresses=SIX.addresses, dns_servers=("dc",))))
    assert outcome.remarks[0] == "its DNS server `dc` is no address"


@given(st.integers(1, 32), st.integers(0, 2**32 - 1))
def test_a_mask_is_what_the_standard_library_makes_of_its_length(length: int, number: int) -> None:
    network = IPv4Network((number, length), strict=False)
    assert network_of(IPv4Address(number), str(network.netmask)) == network


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_whatever_somebody_set_is_judged(text: str, mask: str, gateway: str) -> None:
    setting = FailoverAddress(
        adapter_guid=NIC.guid, adapter=NIC, addresses=(text,), subnets=(mask,), gateways=(gateway,)
    )
    outcome = outcome_of(failover_ip_is_valid, with_setting(setting))
    assert outcome.finding.isprintable()
    assert outcome.result is FAILED or parsed(text)


@given(st.ip_addresses(v=4), st.integers(8, 30))
def test_no_address_of_a_network_itself_passes(number: IPv4Address, length: int) -> None:
    network = ip_network((int(number), length), strict=False)
    for wrong in (network.network_address, network.broadcast_address):
        setting = address(str(wrong), on=NIC, mask=str(network.netmask), gateway="")
        assert outcome_of(failover_ip_is_valid, with_setting(setting)).result is FAILED


# --- free -------------------------------------------------------------------------------------------------------------

WEB, OTHER = vm("web"), adapter(of="web")


def free(*others: VirtualMachine, networks: tuple[str, ...] = (), **changes: object) -> Outcome:
    """What is said of hv02/app, which is to get 10.2.0.20, beside other machines."""
    primary = vm(guest=replace(WINDOWS, addresses=("10.1.0.20",)))
    found = estate(primary, replica(primary, address("10.2.0.20", on=NIC)), *others, **changes)
    servers = tuple(replace(server, networks=networks) if server.name == "hv02" else server for server in found.servers)
    return outcome_of(failover_ip_is_free, replace(found, servers=servers))


def web(server: str, *addresses: str) -> VirtualMachine:
    return replica(WEB, address(*addresses, on=OTHER), server=server)


def copies(server: str) -> tuple[VirtualMachine, VirtualMachine]:
    """Both sides of a machine that was copied with its GUID, and its address, and replicates by itself."""
    primary = vm(server="hv05", partners=(server,))
    return primary, replica(primary, address("10.2.0.20", on=NIC), server=server)


SITES = {"sites": {"hv01": "berlin", "hv02": "frankfurt", "hv03": "frankfurt", "hv04": "vienna", "hv05": "berlin"}}
RUNS = {"adapters": (replace(OTHER, today=static("10.2.0.20")),)}
TEST = vm("app - Test", Role.TEST_REPLICA, adapters=(replace(NIC, today=static("10.2.0.20")),))

FREE: dict[str, tuple[Outcome, Result, str]] = {
    "nobody else": (free(), PASSED, "nobody else has 10.2.0.20 there"),
    "set twice": (free(WEB, web("hv02", "10.2.0.20")), FAILED, "10.2.0.20 is set for hv02/web too"),
    "written otherwise": (
        free(WEB, web("hv02", "10.2.0.21", "10.2.0.20")),
        FAILED,
        "10.2.0.20 is set for hv02/web too",
    ),
    "on another server of the site": (free(WEB, web("hv03", "10.2.0.20"), **SITES), FAILED, "is set for hv03/web too"),
    "at a third site": (free(WEB, web("hv04", "10.2.0.20"), **SITES), PASSED, ""),
    "sites that nobody named": (free(WEB, web("hv09", "10.2.0.20")), FAILED, "is set for hv09/web too"),
    "a way back to there": (
        free(vm("web", server="hv02", failover=(address("10.2.0.20", on=OTHER),)), **SITES),
        FAILED,
        "is set for hv02/web too",
    ),
    "on the wrong side": (
        free(vm("web", failover=(address("10.2.0.20", on=OTHER),)), replica(WEB), **SITES),
        FAILED,
        "is set for hv01/web too",
    ),
    "in use there": (free(vm("web", server="hv03", **RUNS), **SITES), FAILED, "is used by hv03/web now"),
    "in use elsewhere": (free(vm("web", server="hv04", **RUNS), **SITES), PASSED, ""),
    "in use at a stretched site": (
        free(vm("web", server="hv04", **RUNS), **SITES, stretched=(frozenset({"frankfurt", "vienna"}),)),
        FAILED,
        "is used by hv04/web now",
    ),
    "the host's": (free(networks=("10.2.0.20/24",)), FAILED, "is the address of the host hv02"),
    "a test of its own": (free(replace(TEST, test_of=guid("app"))), PASSED, ""),
    "a test that can't be tied": (free(TEST), PASSED, ""),
    "another's test": (free(replace(TEST, test_of=guid("web"))), FAILED, "is used by hv02/app - Test now"),
    "another's test, of a site that nobody named": (
        free(replace(TEST, server="hv09", test_of=guid("web")), **SITES),
        UNKNOWN,
        "whether it is at the same site is not known: name the site of hv09 in the inventory",
    ),
    "a test of its own on another node": (free(replace(TEST, server="hv03", test_of=guid("app")), **SITES), PASSED, ""),
    "on a server of no site": (
        free(WEB, web("hv09", "10.2.0.20"), **SITES),
        UNKNOWN,
        "10.2.0.20 is set for hv09/web too; whether it is at the same site is not known: name the site of hv09",
    ),
    "at a site, and its own server at none": (
        free(WEB, web("hv03", "10.2.0.20"), sites={"hv01": "berlin", "hv03": "frankfurt"}),
        UNKNOWN,
        "name the site of hv02 in the inventory",
    ),
    "at its site, and on a server of no site": (
        free(WEB, web("hv09", "10.2.0.20"), vm("third", server="hv03", **RUNS), **SITES),
        FAILED,
        "is used by hv03/third now",
    ),
    "a copy of its GUID": (free(*copies("hv03"), **SITES), FAILED, "10.2.0.20 is set for hv03/app too"),
    "a copy of its GUID at a third site": (free(*copies("hv04"), **SITES), PASSED, ""),
    "a copy that replicates no more": (
        free(vm("app", Role.NONE, server="hv03", replicated=False, **RUNS), **SITES),
        FAILED,
        "is used by hv03/app now",
    ),
    "perhaps a side of its own": (
        free(replica(vm(), address("10.2.0.20", on=NIC), server="hv03", partners=("hv09",)), **SITES),
        UNKNOWN,
        "whether it and the one on hv03, of the same GUID, are one machine is not known",
    ),
    "not all seen": (free(vm("x", server="hv02", guest=None)), PASSED, "among the 2 of 3 machines seen there"),
}


def test_an_address_is_set_on_one_adapter_of_a_machine() -> None:
    backup, primary = adapter("Backup"), vm()
    settings = (address("10.2.0.20", on=NIC), address("10.2.0.20", on=backup))
    found = estate(primary, replica(primary, *settings, adapters=(NIC, backup)))
    outcomes = [verdict.outcome for verdict in judge(found, [failover_ip_is_free])]
    assert [(one.result, one.cause) for one in outcomes] == [(FAILED, Cause.ADDRESS_TAKEN)] * 2


@pytest.mark.parametrize(("outcome", "result", "finding"), FREE.values(), ids=FREE)
def test_free(outcome: Outcome, result: Result, finding: str) -> None:
    assert outcome.result is result, outcome.finding
    assert finding in outcome.finding


def test_a_server_that_was_not_read_is_named() -> None:
    found = with_setting(address("10.2.0.20", on=NIC))
    found = replace(found, servers=(*found.servers, Server(name="hv07", unread=Unread("login refused"))))
    assert outcome_of(failover_ip_is_free, found).finding.endswith("seen there, and hv07 was not read")


NEAR = [st.ip_addresses(network=near) for near in ("127.0.0.0/8", "169.254.0.0/16", "fe80::/10", "::/120")]


@given(st.one_of(st.ip_addresses(), *NEAR))
def test_an_address_is_routed_that_is_none_of_a_host_alone(address: IPAddress) -> None:
    assert is_routed(address) == (not (address.is_link_local or address.is_loopback))


SOME = st.lists(st.sampled_from(["10.2.0.20", "10.2.0.21", "2001:db8::20", "2001:DB8::20"]), max_size=2, unique=True)
SERVERS = st.sampled_from(["hv01", "hv02", "hv03", "hv09"])


@st.composite
def machines(draw: st.DrawFn) -> VirtualMachine:
    name, role, server = draw(st.sampled_from(["app", "web", "db"])), draw(st.sampled_from(list(Role))), draw(SERVERS)
    own = replace(adapter(of=name), today=static(*draw(SOME)))
    return vm(
        name,
        role,
        server=server,
        partners=(draw(SERVERS),),
        failover=tuple(address(text, on=own) for text in draw(SOME)),
        adapters=(own,),
        test_of=draw(st.sampled_from([None, guid("app"), guid("web")])) if role is Role.TEST_REPLICA else None,
    )


@given(
    st.lists(machines(), max_size=6, unique_by=lambda machine: (machine.server, machine.guid)),
    st.dictionaries(SERVERS, st.sampled_from(["berlin", "vienna", "bonn"])),
    st.sampled_from([(), (frozenset({"berlin", "vienna"}),)]),
)
def test_an_address_that_nobody_shares_is_in_no_clash(
    machines: list[VirtualMachine], sites: dict[str, str], stretched: tuple[frozenset[str], ...]
) -> None:
    found = estate(*machines, sites=sites, stretched=stretched)
    index = Neighbours.of(found)
    whole = replace(index, claims=_claims(_uses(found, index.owners), index.sites))  # of every address there is
    for side in found.replicated:
        for setting in side.machine.settings:
            assert [*index.clashes(side.machine, setting)] == [*whole.clashes(side.machine, setting)]


def test_an_extended_replica_and_a_way_back_are_the_same_machine() -> None:
    primary = vm(failover=(address("10.2.0.20", on=NIC),))
    middle = replica(primary, address("10.2.0.20", on=NIC), partners=("hv01", "hv03"))
    last = replica(middle, address("10.2.0.20", on=NIC), role=Role.EXTENDED_REPLICA, server="hv03", partners=("hv02",))
    verdicts = judge(estate(primary, middle, last), [failover_ip_is_free])
    assert [verdict.outcome.result for verdict in verdicts] == [PASSED, PASSED]


def test_a_primary_is_never_judged_by_whose_its_address_is() -> None:
    assert judge(estate(vm(failover=(address("10.2.0.20", on=NIC),))), [failover_ip_is_free]) == ()


# --- not today's ------------------------------------------------------------------------------------------------------

TODAY = vm(adapters=(replace(NIC, today=static("10.2.0.20")),))
SAME = address("10.2.0.20", on=NIC)


def differs(setting: FailoverAddress = SAME, primary: VirtualMachine = TODAY, **changes: object) -> Outcome:
    own = {key: changes.pop(key) for key in ("failed_over", "power") if key in changes}
    networks = changes.pop("networks", ())
    found = estate(primary, replica(primary, setting, **own), **{**SITES, **changes})
    servers = tuple(replace(server, networks=networks) for server in found.servers)
    return outcome_of(failover_ip_differs_from_today, replace(found, servers=servers))


DIFFERS: dict[str, tuple[Outcome, Result, str]] = {
    "another": (differs(address("10.2.0.21", on=NIC)), PASSED, ""),
    "the same": (differs(), FAILED, Cause.SAME_AS_TODAY),
    "written otherwise": (
        differs(
            address("2001:DB8:0::20", on=NIC, mask="64", gateway=""),
            vm(adapters=(replace(NIC, today=static("2001:db8::20")),)),
        ),
        FAILED,
        Cause.SAME_AS_TODAY,
    ),
    "sites that nobody named": (differs(sites={}), PASSED, ""),
    "one site": (differs(sites={"hv01": "berlin", "hv02": "berlin"}), PASSED, ""),
    "stretched": (differs(stretched=(frozenset({"berlin", "frankfurt"}),)), NOT_APPLICABLE, Cause.STRETCHED),
    "hosts of one subnet": (differs(networks=("10.9.0.5/24",)), PASSED, ""),
    "not known": (differs(primary=vm()), NOT_APPLICABLE, Cause.TODAY_UNKNOWN),
    "failed over": (differs(failed_over=True), NOT_APPLICABLE, ""),
    "perhaps failed over": (differs(failed_over=Unread("not given")), UNKNOWN, Cause.MACHINE_UNREAD),
    "off on both sides": (differs(primary=vm(power=Power.OFF, guest=None)), NOT_APPLICABLE, ""),
}


@pytest.mark.parametrize(("outcome", "result", "cause"), DIFFERS.values(), ids=DIFFERS)
def test_differs(outcome: Outcome, result: Result, cause: str) -> None:
    assert (outcome.result, outcome.cause) == (result, cause), outcome.finding


def test_the_same_address_is_a_remark_where_nobody_named_the_sites() -> None:
    assert "does not name the sites" in differs(sites={}).remarks[0]
    assert "both hosts are in one subnet" in differs(networks=("10.9.0.5/24",)).remarks[0]


def test_a_primarys_own_setting_is_for_the_way_back() -> None:
    own = vm(failover=(SAME,), adapters=(replace(NIC, today=static("10.2.0.20")),))
    assert judge(estate(own, **SITES), [failover_ip_differs_from_today]) == ()
