"""Whose guest is at the end of a way in? Only that of the machine whose host says the same of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.hyperv.guests.connections import tie_guests
from compliance.judge.judge import judge
from compliance.model import Cluster, Estate, Inside, Power, Role, Server, Unread, VirtualMachine
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.guests import guest_can_apply_failover_ip
from compliance.rules.inside import guest_applies_failover_ip
from compliance.snapshot.snapshot import GuestRecord
from tests.builders import snapshot, source, unread_source, with_text
from tests.guests.replies import guest, sections
from tests.host_rows import mac_of
from tests.hosts import Host, Nic, Vm, guid, replica_of

SQL = Vm(name="sql01")
WEB = Vm(name="web01")
WAY = "ssh://audit@sql01.dr.example"


def estate(*guests: GuestRecord, vm: Vm = SQL, rows: dict[str, object] | None = None) -> Estate:
    hosts = source(Host(name="HV01", vms=[vm, WEB]), rows=rows), source(Host(name="HV02", vms=[replica_of(vm)]))
    return translate(replace(snapshot(*hosts), guests=guests))


def machine(found: Estate, name: str = "hv01/sql01") -> VirtualMachine:
    return next(one for server in found.servers for one in server.machines if str(one) == name)


@pytest.mark.parametrize("pattern", ["sql01", "SQL01", "hv01/sql01", "hv02/sql01", "sql*", "*", guid("sql01")])
def test_a_machine_is_found_by_any_of_its_names_on_either_side(pattern: str) -> None:
    found = estate(guest(pattern, seen=sections(SQL)))
    inside = machine(found).inside
    assert isinstance(inside, Inside)
    assert inside.connection == WAY
    (way,) = found.connections
    assert way.proved == ("hv01/sql01",)
    assert {"hv01/sql01", "hv02/sql01"} <= set(way.matched)


def test_nobody_looks_where_no_way_leads() -> None:
    found = estate(guest("web01", seen=sections(WEB)))
    assert machine(found).inside is None
    assert isinstance(machine(found, "hv01/web01").inside, Inside)


def test_a_side_that_is_off_has_no_guest_of_its_own() -> None:
    found = machine(estate(guest("sql01", seen=sections(SQL))), "hv02/sql01").inside
    assert found == Unread("its guest does not run on hv02, so what was seen there is not this one's")


def test_a_way_that_matches_nothing_is_there_and_empty() -> None:
    (way,) = estate(guest("sql99", seen=sections(SQL))).connections
    assert (way.matched, way.proved) == ((), ())


OTHERS = Vm(name="other")
NO_ADAPTERS = Unread("refused")
NOT_THIS = f"what answers at {WAY} is not known to be this machine: "
DOUBTS = {
    "another machine's adapters and GUID": (sections(OTHERS), f"it is another virtual machine ({OTHERS.id}, expected "),
    "another machine's adapters": (sections(OTHERS, pool=""), "it has an adapter 00:15:5D:"),
    "another machine's GUID": (
        sections(SQL, pool=f"pool=read\nVirtualMachineId\n{OTHERS.id}"),
        "it is another virtual machine (",
    ),
    "one adapter too many": (
        sections(SQL, adapters=sections(SQL)["adapters"] + "\nadapter=eth1 mac=00:15:5d:ff:ff:ff driver=hv_netvsc"),
        "it has an adapter 00:15:5D:FF:FF:FF",
    ),
    "nothing that could agree": (sections(SQL, adapters="", pool=""), "it shows no synthetic adapter and no GUID"),
    "an adapter that is none of Hyper-V's": (
        sections(SQL, adapters=sections(SQL)["adapters"].replace("hv_netvsc", "e1000"), pool=""),
        "it shows no synthetic adapter and no GUID",
    ),
    "not on Hyper-V": (
        sections(SQL, platform="sys_vendor=QEMU\nproduct_name=Standard PC"),
        "Red Hat Enterprise Linux 10.0 there is not on Hyper-V (its firmware is QEMU Standard PC)",
    ),
}


@pytest.mark.parametrize(("seen", "told"), DOUBTS.values(), ids=DOUBTS)
def test_who_is_not_this_machine(seen: dict[str, str], told: str) -> None:
    found = estate(guest("sql01", seen=seen))
    inside = machine(found).inside
    assert isinstance(inside, Unread)
    assert str(inside).startswith(NOT_THIS + told)
    assert found.connections[0].proved == ()


@pytest.mark.parametrize(
    "seen",
    [
        sections(SQL, pool=""),
        sections(SQL, pool="closed=yes"),
        sections(SQL, adapters=""),
        sections(SQL, pool=sections(SQL)["pool"].lower().replace("virtualmachineid", "VirtualMachineId")),
        sections(SQL, adapters=sections(SQL)["adapters"] + "\nadapter=docker0 mac=02:42:ac:11:00:02 driver=bridge"),
    ],
)
def test_one_thing_that_agrees_is_enough(seen: dict[str, str]) -> None:
    assert isinstance(machine(estate(guest("sql01", seen=seen))).inside, Inside)


def test_a_host_that_does_not_show_adapters_leaves_the_guid() -> None:
    rows: dict[str, object] = {"Msvm_SyntheticEthernetPortSettingData": Unread("refused")}
    assert isinstance(machine(estate(guest("sql01", seen=sections(SQL)), rows=rows)).inside, Inside)
    told = machine(estate(guest("sql01", seen=sections(SQL, pool="")), rows=rows)).inside
    assert "its network adapters could not be read: refused, and the guest holds no GUID" in str(told)


def test_the_way_that_leads_here_is_found_among_several() -> None:
    web = guest("*", way="ssh://web", seen=sections(WEB))
    dead = guest("*", way="ssh://dead", seen=Unread("ssh://dead: nobody listens at its port", Why.UNREACHABLE))
    sql = guest("*", way="ssh://sql", seen=sections(SQL))
    found = estate(dead, web, sql)
    inside = machine(found).inside
    assert isinstance(inside, Inside)
    assert inside.connection == "ssh://sql"
    assert [way.proved for way in found.connections] == [(), ("hv01/web01",), ("hv01/sql01",)]
    lost = machine(estate(dead, web)).inside
    assert isinstance(lost, Unread)
    assert str(lost).startswith("ssh://dead: nobody listens at its port; what answers at ssh://web is not known to be")
    assert lost.why is Why.UNREACHABLE


def test_several_adapters() -> None:
    vm = Vm(name="sql01", nics=(Nic(), Nic(name="second"), Nic(legacy=True)))
    assert isinstance(machine(estate(guest("sql01", seen=sections(vm)), vm=vm)).inside, Inside)


# --- copies -----------------------------------------------------------------------------------------------------------


def with_a_copy(copy: Vm, **seen: str) -> Estate:
    """Another machine that runs, with the adapters of sql01."""
    third = with_text(source(Host(name="HV03", vms=[copy])), mac_of(copy), mac_of(SQL))
    hosts = source(Host(name="HV01", vms=[SQL])), source(Host(name="HV02", vms=[replica_of(SQL)])), third
    return translate(replace(snapshot(*hosts), guests=[guest("hv01/sql01", seen=sections(SQL, **seen))]))


def test_adapters_that_two_machines_share_prove_neither() -> None:
    found = machine(with_a_copy(Vm(name="copy"), pool="")).inside
    assert found == Unread(f"what answers at {WAY} may as well be hv03/copy: both run, and are alike to it")


def test_the_guid_tells_copies_apart() -> None:
    assert isinstance(machine(with_a_copy(Vm(name="copy"))).inside, Inside)


def test_a_copy_that_is_off_is_none() -> None:
    assert isinstance(machine(with_a_copy(Vm(name="copy", power=3), pool="")).inside, Inside)


def test_where_both_sides_run_a_guest_is_of_neither() -> None:
    both = with_a_copy(replace(replica_of(SQL), power=2, uptime=100))
    assert "may as well be hv03/sql01" in str(machine(both).inside)


def test_ways_of_one_name_are_two() -> None:
    """Joined snapshots, each of which had `local://`."""
    mine = guest("sql01", way="local://", seen=sections(SQL))
    stray = guest("web01", way="local://", seen=sections(OTHERS))
    found = estate(mine, stray)
    assert [way.proved for way in found.connections] == [("hv01/sql01",), ()]


# --- who was not read -------------------------------------------------------------------------------------------------

NAMES = ("edge01", "app01", "db01")
GREENER = (Result.NOT_APPLICABLE, Result.PASSED)


def verdicts(guests: tuple[GuestRecord, ...], hosts: tuple[Host, ...], unread: str = "") -> dict[str, Outcome]:
    sources = [unread_source(host.name.lower()) if host.name == unread else source(host) for host in hosts]
    rules = [guest_applies_failover_ip, guest_can_apply_failover_ip]
    estate = translate(replace(snapshot(*sources), guests=guests))
    return {f"{verdict.rule.key} {verdict.label}": verdict.outcome for verdict in judge(estate, rules)}


def pair(names: Iterable[str]) -> tuple[tuple[Vm, ...], tuple[Host, ...]]:
    vms = tuple(Vm(name=name, hosts=(("BLN-HV01.dr.example", "FRA-HV01.dr.example"),)) for name in names)
    return vms, (Host(name="BLN-HV01", vms=vms), Host(name="FRA-HV01", vms=[replica_of(vm) for vm in vms]))


NO_SCRIPT = {"scripts": ""}
RULE = "guest-applies-failover-ip"


@pytest.mark.parametrize("pattern", ["bln-hv01/edge01", "bln-hv01/*", "bln-*/edge01", "BLN-HV01/EDGE01", "bln-*"])
def test_a_connection_does_not_vanish_with_the_server_that_it_names(pattern: str) -> None:
    (edge,), hosts = pair(["edge01"])
    guests = (guest(pattern, seen=sections(edge, **NO_SCRIPT)),)
    assert verdicts(guests, hosts)[f"{RULE} fra-hv01/edge01"].result is Result.FAILED
    outcome = verdicts(guests, hosts, unread="BLN-HV01")[f"{RULE} fra-hv01/edge01"]
    assert (outcome.result, outcome.cause) == (Result.UNKNOWN, Cause.GUEST_NOT_LOOKED_INTO)


def elsewhere(partner: str) -> Server:
    """The only server that was read: a replica of edge01, whose primary is somewhere else."""
    copy = VirtualMachine(
        server="fra-hv01",
        guid=guid("edge01"),
        name="edge01",
        role=Role.REPLICA,
        power=Power.OFF,
        replicated=True,
        partners=(partner,),
    )
    return Server(name="fra-hv01", host_name="FRA-HV01", machines=(copy,))


CL, HV = Cluster(name="bln-cl", unread=Unread("refused")), Server(name="bln-hv01", unread=Unread("refused"))
PLACES: dict[str, tuple[str, str, tuple[Server, ...], tuple[Cluster, ...], tuple[str, ...], bool]] = {
    "a cluster that was not read": ("bln-cl/edge01", "BLN-BROKER", (), (CL,), (), True),
    "a cluster that was read in part": ("bln-cl/edge01", "X", (), (Cluster(name="bln-cl", doubts=("x",)),), (), True),
    "a node of a cluster": ("bln-cl/edge01", "BLN-HV01", (replace(HV, cluster="bln-cl"),), (), (), True),
    "a server": ("bln-hv01/edge01", "BLN-HV01.dr.example", (HV,), (), (), True),
    "a server that shows half": ("bln-hv01/edge01", "BLN-HV01", (Server(name="bln-hv01", doubt="x"),), (), (), True),
    "a server that a limit left out": ("bln-hv01/edge01", "BLN-HV01", (), (), ("bln-hv01",), True),
    "a name that the machine may have there": ("bln-hv01/old-name", "BLN-HV01", (HV,), (), (), True),
    "another server": ("bln-hv02/edge01", "BLN-HV01", (HV,), (), (), False),
    "a host of that name in another domain": (
        "bln-hv01/edge01",
        "fra-hv01.other.example",
        (HV, Server(name="fra-hv01.dr.example", endpoint="fra-hv01.dr.example:5986", host_name="FRA-HV01")),
        (),
        (),
        True,
    ),
    "where all was read": ("bln-hv01/edge01", "BLN-HV01", (), (), (), False),
    "its other side was read": ("bln-hv01/edge01", "FRA-HV01", (HV,), (), (), False),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_connection_may_be_for_a_side_that_was_not_read(case: str) -> None:
    pattern, partner, servers, clusters, left_out, may_be = PLACES[case]
    tied, _ = tie_guests((elsewhere(partner), *servers), [guest(pattern, seen=sections(SQL))], clusters, left_out)
    assert isinstance(tied[0].machines[0].inside, Unread) is may_be


def test_what_proves_to_be_this_machine_is_taken_whoever_was_not_read() -> None:
    (edge,), hosts = pair(["edge01"])
    guests = (guest("fra-hv01/edge01", seen=sections(edge, **NO_SCRIPT)),)
    outcome = verdicts(guests, hosts, unread="FRA-HV01")[f"{RULE} bln-hv01/edge01"]
    assert (outcome.result, outcome.cause) == (Result.FAILED, Cause.SCRIPT_MISSING)


def test_a_machine_that_no_connection_can_be_for_has_none() -> None:
    vms, hosts = pair(["edge01", "app01"])
    guests = (guest("bln-hv01/edge01", seen=sections(vms[0])),)
    assert verdicts(guests, hosts, unread="BLN-HV01")[f"{RULE} fra-hv01/app01"].result is Result.NOT_APPLICABLE


@st.composite
def inventories(draw: st.DrawFn) -> tuple[tuple[GuestRecord, ...], tuple[Host, ...], str]:
    """Machines on two servers, some called otherwise on the replica's, and connections that name them in any way."""
    vms, (here, there) = pair(draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)))
    renamed = [replace(copy, name=draw(st.sampled_from([copy.name, f"{copy.name}-replica"]))) for copy in there.vms]
    hosts = (here, replace(there, vms=renamed))
    patterns = [f"{place}{name}" for place in ("bln-hv01/", "fra-hv01/", "") for name in (*NAMES, "*", "e*")]
    patterns += [f"bln-*/{name}" for name in NAMES] + [vm.id for vm in vms]
    machines = st.lists(st.sampled_from(patterns), min_size=1, max_size=2, unique=True)
    guests = []
    for number in range(draw(st.integers(1, 3))):
        vm = draw(st.sampled_from(vms))
        seen = draw(st.sampled_from([sections(vm), sections(vm, **NO_SCRIPT), Unread("dead")]))
        guests.append(guest(*draw(machines), way=f"ssh://{number}", seen=seen))
    return tuple(guests), hosts, draw(st.sampled_from(["BLN-HV01", "FRA-HV01"]))


@given(inventories())
def test_a_server_that_was_not_read_makes_no_guest_greener(
    inventory: tuple[tuple[GuestRecord, ...], tuple[Host, ...], str],
) -> None:
    guests, hosts, unread = inventory
    before, after = verdicts(guests, hosts), verdicts(guests, hosts, unread)
    for case in before.keys() & after.keys():
        if before[case].result in (Result.FAILED, Result.UNKNOWN):
            assert after[case].result not in GREENER, (case, before[case], after[case])
