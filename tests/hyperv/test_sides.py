"""Who may answer for whose guest: only a server that this side's own settings name, or that names this one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.errors import Why
from compliance.hyperv.estate import translate
from compliance.model import Estate, ReplicatedVM, Unread
from compliance.snapshot.snapshot import ServerRecord
from tests.builders import snapshot, source, unread_source
from tests.hosts import Host, Vm, replica_of

SQL = Vm(name="sql01")
REPLICATION = "Msvm_ReplicationSettingData"


def estate(*sources: ServerRecord, left_out: tuple[str, ...] = ()) -> Estate:
    return translate(replace(snapshot(*sources), left_out=left_out))


def partner(of: str, *sources: ServerRecord, left_out: tuple[str, ...] = ()) -> str:
    """The server on which the guest of a machine was seen, or why it was seen nowhere."""
    side = {str(vm): vm for vm in estate(*sources, left_out=left_out).replicated}[of]
    return str(side.partner) if isinstance(side.partner, Unread) else side.partner.server


def host(name: str, /, *vms: Vm, **changes: object) -> ServerRecord:
    return source(Host(name=name, vms=vms), **changes)


def between(vm: Vm, primary: str, replica: str, **changes: object) -> Vm:
    return replace(vm, hosts=((primary, replica),), **changes)  # type: ignore[arg-type]


HERE = replica_of(SQL)  # on HV02, from hv01.dr.example
STRANGER = between(SQL, "hv66.dr.example", "hv67.dr.example")
LIAR = between(SQL, "hv66.dr.example", "hv02.dr.example")  # its settings name the right server
NOT_LISTED = "its other side is on hv01.dr.example, which is not in the inventory: add that server"
UNREAD_HERE = host("HV02", HERE, rows={REPLICATION: Unread("refused")})
UNREAD_WHY = "its partner is not known: its replication settings could not be read: refused"

# whom this side's settings name -> the sources, and who answers
CASES: dict[str, tuple[tuple[ServerRecord, ...], str]] = {
    "the one that it names": ((host("HV01", SQL), host("HV02", HERE)), "hv01"),
    "a third, that nobody named": ((host("HV02", HERE), host("HV66", STRANGER)), NOT_LISTED),
    "a third, whose settings name this one": ((host("HV02", HERE), host("HV66", LIAR)), NOT_LISTED),
    "the one that it names, beside a third": ((host("HV01", SQL), host("HV02", HERE), host("HV66", LIAR)), "hv01"),
    "its settings were not read, and another's name it": ((host("HV01", SQL), UNREAD_HERE), "hv01"),
    "its settings were not read, and a stranger's name another": ((UNREAD_HERE, host("HV66", STRANGER)), UNREAD_WHY),
    "its settings were not read, and two name it": (
        (host("HV01", SQL), UNREAD_HERE, host("HV66", LIAR)),
        UNREAD_WHY,
    ),
    "its settings name nobody": (
        (host("HV01", SQL), host("HV02", replace(HERE, hosts=((None, None),)))),
        "its partner is not known: its replication settings name no other server",
    ),
    "the one that it names was not read": (
        (unread_source("hv01"), host("HV02", HERE), host("HV66", LIAR)),
        "its other side is on hv01.dr.example, which was not read",
    ),
    "the one that it names does not hold it": (
        (host("HV01", Vm(name="web01")), host("HV02", HERE), host("HV66", LIAR)),
        "its replication settings name hv01.dr.example, but hv01 does not hold it",
    ),
    "the one that it names has another role": (
        (host("HV01", replace(SQL, mode=2)), host("HV02", HERE)),
        "no machine on hv01.dr.example has its GUID and the role of its other side",
    ),
    "another product replicates it": (
        (host("HV01", SQL), host("HV02", replace(HERE, provider="F9C2A8B1-0000-4000-8000-000000000001"))),
        "another product than Hyper-V Replica replicates it",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_who_answers(case: str) -> None:
    sources, expected = CASES[case]
    assert partner("hv02/sql01", *sources) == expected


def test_a_server_that_a_limit_left_out() -> None:
    sources = (host("HV02", HERE), host("HV66", LIAR))
    assert partner("hv02/sql01", *sources, left_out=("hv01",)) == (
        "its other side is on hv01.dr.example, which --hv-limit left out"
    )


@pytest.mark.parametrize("named", ["*", "*.dr.example", "hv 01", "...", "-"])
def test_what_is_no_host_s_name_can_not_be_added_to_an_inventory(named: str) -> None:
    found = translate(snapshot(host("HV02", between(HERE, named, "hv02.dr.example"))))
    (side,) = found.replicated
    assert str(side.partner) == f"its other side is on `{named}`, which is no host's name"
    assert isinstance(side.partner, Unread)
    assert side.partner.why is Why.INCOMPLETE  # not that nobody asked: it may have been the name of a listed server
    assert found.unlisted == ()


labels = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)


@given(st.lists(labels, min_size=4, max_size=4, unique=True), st.booleans())
def test_a_stranger_answers_for_nobody_whatever_it_is_called(names: list[str], names_the_right_one: bool) -> None:
    here, named, stranger, other = names
    replica = between(HERE, f"{named}.dr.example", f"{here}.dr.example")
    lie = between(SQL, f"{stranger}.dr.example", f"{here if names_the_right_one else other}.dr.example")
    found = partner(f"{here}/sql01", host(here.upper(), replica), host(stranger.upper(), lie))
    assert found == f"its other side is on {named}.dr.example, which is not in the inventory: add that server"


# --- chains -----------------------------------------------------------------------------------------------------------

CHAIN = (("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example"))
MIDDLE = replace(HERE, hosts=CHAIN, relationships={0: 3, 1: 3})
END = replace(replica_of(SQL), mode=4, hosts=(("hv02.dr.example", "hv03.dr.example"),))


def test_each_hop_is_taken_by_the_settings_of_the_server_that_it_leaves() -> None:
    sources = (host("HV01", SQL), host("HV02", MIDDLE), host("HV03", END))
    assert [partner(f"{name}/sql01", *sources) for name in ("hv02", "hv03")] == ["hv01", "hv01"]


def test_a_stranger_answers_for_no_hop_of_a_chain() -> None:
    sources = (host("HV02", MIDDLE), host("HV03", END), host("HV66", LIAR))
    assert partner("hv03/sql01", *sources) == (
        "its replica hv02/sql01 is off too; its other side is on hv01.dr.example, which is not in the inventory: "
        "add that server"
    )


def test_the_cause_comes_first_where_several_servers_are_missing() -> None:
    """The guest runs on hv01, whose failed read is the cause; that nobody listed hv03 is no more than a remark."""
    assert partner("hv02/sql01", unread_source("hv01"), host("HV02", MIDDLE)) == (
        "its other side is on hv01.dr.example, which was not read; or on hv03.dr.example, which is not in the "
        "inventory: add that server"
    )


def test_an_extended_replica_that_calls_itself_the_primary_is_none() -> None:
    """hv03 is named as the server to which this one sends, so it can't be the one that it receives from."""
    liar = replace(END, mode=1, power=2)
    found = partner("hv02/sql01", host("HV02", MIDDLE), host("HV03", liar))
    assert found.startswith("its other side is on hv01.dr.example, which is not in the inventory")


# --- two domains ------------------------------------------------------------------------------------------------------


def two_forests(named: str) -> tuple[ServerRecord, ...]:
    """Two servers called HV01, each with its own domain; HV02's replica names one of them."""
    here = between(HERE, named, "hv02.a.example")
    first = between(SQL, "hv01.a.example", "hv02.a.example")
    second = between(SQL, "hv01.b.example", "hv02.a.example")
    return (
        host("HV02", here),
        host("HV01", first, name="hv01-a", endpoint="10.0.0.1:5986"),
        host("HV01", second, name="hv01-b", endpoint="10.0.1.1:5986"),
    )


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("hv01.a.example", "hv01-a"),
        ("HV01.A.example.", "hv01-a"),
        ("hv01.b.example", "hv01-b"),
        ("hv01.c.example", "its other side is on hv01.c.example, which is not in the inventory: add that server"),
        ("hv01", "its other side is on hv01, and more than one server has that name"),
    ],
)
def test_two_servers_of_one_label_in_two_domains_are_two(named: str, expected: str) -> None:
    assert partner("hv02/sql01", *two_forests(named)) == expected


@pytest.mark.parametrize(("endpoint", "answers"), [("10.0.0.1:5986", False), ("hv01.b.example:5986", True)])
def test_a_server_that_was_not_read_may_be_the_one_that_is_meant(endpoint: str, answers: bool) -> None:
    """A server can call itself what it likes: it is no other's partner while the real one may be silent."""
    unread = replace(unread_source("hv01-b"), name="hv01", endpoint=endpoint)
    claims = host("HV01", between(SQL, "hv01.a.example", "hv02.a.example"), name="other", endpoint="10.9.9.9:5986")
    found = partner("hv02/sql01", host("HV02", between(HERE, "hv01.a.example", "hv02.a.example")), claims, unread)
    assert (found == "other") is answers


def test_the_other_side_may_have_this_servers_label_in_another_domain() -> None:
    primary = between(SQL, "hv01.a.example", "hv01.b.example")
    replica = between(HERE, "hv01.a.example", "hv01.b.example")
    sources = (host("HV01", primary, name="hv01-a"), host("HV01", replica, name="hv01-b"))
    found = {str(vm): vm for vm in estate(*sources).replicated}
    assert partners_of(found["hv01-a/sql01"]) == ("hv01.b.example",)
    assert partner("hv01-b/sql01", *sources) == "hv01-a"


def partners_of(vm: ReplicatedVM) -> tuple[str, ...] | Unread:
    return vm.machine.partners


def test_a_name_without_a_domain_is_compared_by_its_label() -> None:
    sources = (host("HV01", between(SQL, "hv01", "hv02")), host("HV02", between(HERE, "HV01", "HV02")))
    assert partner("hv02/sql01", *sources) == "hv01"


# --- by whose word a server has its name ------------------------------------------------------------------------------

CLAIMS = (
    "its other side is on hv01.dr.example, a name that the inventory gives to no server; hv66 calls itself so: if it "
    "is that server, make that its `name` in the inventory, else add the server"
)
NOT_MUTUAL = (
    "its replication settings name hv01.dr.example, but 192.0.2.66 has that name by its own word alone and does not "
    "name hv02"
)


def called(name: str, address: str, *vms: Vm) -> ServerRecord:
    """A server that calls itself HV01, by its name and its address in the inventory."""
    return host("HV01", *vms, name=name, endpoint=f"{address}:5986")


ELSEWHERE = between(SQL, "hv01.dr.example", "hv09.dr.example")
BY_WORD: dict[str, tuple[ServerRecord, str]] = {
    "listed by its name": (called("hv01", "hv01.dr.example", SQL), "hv01"),
    "by its name, at an address of another": (called("HV01", "alias.dr.example", SQL), "HV01"),
    "by any name, at its address": (called("berlin", "hv01.dr.example", SQL), "berlin"),
    "by its name, in another domain": (called("hv01.mgmt.example", "hv01.mgmt.example", SQL), "hv01.mgmt.example"),
    "by its name, at the end of a tunnel": (called("hv01", "localhost", SQL), "hv01"),
    "by an address alone": (called("192.0.2.66", "192.0.2.66", SQL), "192.0.2.66"),
    "by an address of IPv6": (called("berlin", "[2001:db8::66]", SQL), "berlin"),
    "by an address alone, and names another": (called("192.0.2.66", "192.0.2.66", ELSEWHERE), NOT_MUTUAL),
    "by another name": (called("hv66", "hv66.dr.example", SQL), CLAIMS),
    "by another name, and names another": (called("hv66", "hv66.dr.example", ELSEWHERE), CLAIMS),
}


@pytest.mark.parametrize("case", BY_WORD)
def test_a_server_is_nobody_s_partner_by_a_name_that_the_inventory_gives_it_not(case: str) -> None:
    claiming, expected = BY_WORD[case]
    assert partner("hv02/sql01", claiming, host("HV02", HERE)) == expected


def test_who_has_the_name_goes_before_who_claims_it() -> None:
    claiming = called("hv66", "hv66.dr.example", SQL)
    assert partner("hv02/sql01", claiming, host("HV01", SQL), host("HV02", HERE)) == "hv01"
    assert partner("hv02/sql01", claiming, unread_source("hv01"), host("HV02", HERE)) == (
        "its other side is on hv01.dr.example, which was not read"
    )
