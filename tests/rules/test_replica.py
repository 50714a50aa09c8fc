"""What has to stand on the replica itself: an address for each adapter that needs one, and a switch behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compliance.errors import Why
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Word
from compliance.model import Adapter, AdapterConnection, Addresses, Estate, Power, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.replica import (
    replica_adapter_is_connected,
    replica_adapter_without_address_is_connected,
    replica_has_failover_address,
)
from tests.values import adapter, address, dynamic, estate, replica, static, vm

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
NIC, BACKUP, OTHER = adapter(), adapter("Backup"), adapter("Other")
STATIC, DHCP = replace(NIC, today=static("10.1.0.20")), replace(NIC, today=dynamic("10.1.0.20"))
TRAP = replace(NIC, today=Addresses(addresses=(), dynamic=True))
SET = address("10.2.0.20", on=NIC)
NEIGHBOUR = vm("web")
BESIDE = (NEIGHBOUR, replica(NEIGHBOUR, address("10.2.0.30", on=adapter(of="web"))))
"""Another machine between the same servers, which has a failover address."""


def has_address(primary: VirtualMachine, *settings: object, beside: bool = True, **changes: object) -> list[Outcome]:
    found = estate(primary, replica(primary, *settings), *(BESIDE if beside else ()), **changes)  # type: ignore[arg-type]
    return outcomes(found)


def outcomes(found: Estate) -> list[Outcome]:
    return [
        verdict.outcome
        for verdict in judge(found, [replica_has_failover_address])
        if verdict.label.startswith("hv02/app")
    ]


ONE_ADAPTER: dict[str, tuple[list[Outcome], Result, str]] = {
    "set": (has_address(vm(), SET), PASSED, ""),
    "static": (has_address(vm(adapters=(STATIC,))), FAILED, Cause.STATIC_WITHOUT),
    "by DHCP": (has_address(vm(adapters=(DHCP,))), PASSED, ""),
    "a row without data": (has_address(vm(adapters=(TRAP,))), NOT_APPLICABLE, Cause.TODAY_UNKNOWN),
    "not known": (has_address(vm()), NOT_APPLICABLE, Cause.TODAY_UNKNOWN),
    "an address, but not whether by DHCP": (
        has_address(vm(adapters=(replace(NIC, today=Addresses(addresses=("10.1.0.20",))),))),
        NOT_APPLICABLE,
        Cause.TODAY_UNKNOWN,
    ),
    "on the primary only": (has_address(vm(failover=(SET,))), FAILED, Cause.WRONG_SIDE),
    "nobody there has one": (has_address(vm(adapters=(STATIC,)), beside=False), NOT_APPLICABLE, ""),
    "no gateway": (
        has_address(vm(adapters=(replace(NIC, today=static("10.1.0.20", gateway="")),))),
        NOT_APPLICABLE,
        "",
    ),
    "stretched": (
        has_address(
            vm(adapters=(STATIC,)),
            sites={"hv01": "berlin", "hv02": "frankfurt"},
            stretched=(frozenset({"berlin", "frankfurt"}),),
        ),
        NOT_APPLICABLE,
        Cause.STRETCHED,
    ),
    "stretched are others": (
        has_address(
            vm(adapters=(STATIC,)),
            sites={"hv01": "berlin", "hv02": "frankfurt"},
            stretched=(frozenset({"berlin", "vienna"}),),
        ),
        FAILED,
        Cause.STATIC_WITHOUT,
    ),
}


@pytest.mark.parametrize(("found", "result", "cause"), ONE_ADAPTER.values(), ids=ONE_ADAPTER)
def test_one_adapter(found: list[Outcome], result: Result, cause: str) -> None:
    assert [(outcome.result, outcome.cause) for outcome in found] == [(result, cause)], found[0].finding


def test_an_adapter_without_a_gateway_is_a_remark() -> None:
    (outcome,) = has_address(vm(adapters=(replace(NIC, today=static("192.168.7.1", gateway="")),)))
    assert outcome.remarks == (
        "keeps 192.168.7.1, static today; it has no default gateway, so nothing is routed to it",
    )


def test_what_was_not_read_is_the_machines_own_unknown() -> None:
    primary = vm()
    found = estate(primary, replica(primary, failover=Unread("refused")))
    assert [(one.result, one.cause) for one in outcomes(found)] == [(UNKNOWN, Cause.SETTINGS_UNREAD)]


def of_two(today: Addresses | Unread) -> list[Outcome]:
    return has_address(vm(adapters=(STATIC, replace(BACKUP, today=today))), SET)


def test_one_of_two_adapters() -> None:
    static_too = of_two(static("10.5.0.20", gateway="10.5.0.1"))
    assert [(one.result, one.cause) for one in static_too] == [(PASSED, ""), (FAILED, Cause.ADAPTER_WITHOUT)]
    assert [one.result for one in of_two(dynamic("10.5.0.20"))] == [PASSED, PASSED]
    assert [one.result for one in of_two(static("192.168.7.1", gateway=""))] == [PASSED, NOT_APPLICABLE]


def test_of_the_other_adapter_nobody_knows_whether_it_needs_one() -> None:
    unknown = of_two(Unread("not asked for by 0.1", Why.NOT_ASKED))
    assert unknown[1].condition == "Backup needs no failover address: not asked for by 0.1"


def lacking(today: Addresses | Unread, *settings: object, **changes: object) -> tuple[list[Outcome], Word]:
    """What is said where only the primary has the second adapter, and the word for the machine."""
    primary = vm(adapters=(STATIC, replace(BACKUP, today=today)))
    found = estate(primary, replica(primary, *settings, **{"adapters": (NIC,), **changes}), *BESIDE)  # type: ignore[arg-type]
    answers = readiness_of(found, judge(found))
    return outcomes(found), next(one.word for one in answers if one.name == "app")


LACKING: dict[str, tuple[tuple[list[Outcome], Word], Result, str, Word]] = {
    "static": (lacking(static("10.1.7.7"), SET), FAILED, Cause.ADAPTER_LACKING, Word.NOT_READY),
    "static, and nothing is set": (lacking(static("10.1.7.7")), FAILED, Cause.ADAPTER_LACKING, Word.NO_ADDRESS),
    "by DHCP": (lacking(dynamic("10.1.7.7"), SET), NOT_APPLICABLE, "", Word.READY),
    "no gateway": (lacking(static("10.1.7.7", gateway=""), SET), NOT_APPLICABLE, "", Word.READY),
    "not asked for": (
        lacking(Unread("not asked for by 0.1", Why.NOT_ASKED), SET),
        NOT_APPLICABLE,
        Cause.TODAY_UNKNOWN,
        Word.READY_IF,
    ),
    "not read": (lacking(Unread("refused"), SET), UNKNOWN, Cause.TODAY_UNREAD, Word.UNKNOWN),
}


@pytest.mark.parametrize(("answer", "result", "cause", "word"), LACKING.values(), ids=LACKING)
def test_an_adapter_that_only_the_primary_has(
    answer: tuple[list[Outcome], Word], result: Result, cause: str, word: Word
) -> None:
    found, its_word = answer
    assert (found[-1].result, found[-1].cause, its_word) == (result, cause, word), found[-1].finding
    assert "the replica has no such adapter as `Backup`" in found[-1].finding


def test_where_no_adapter_is_on_both_sides_none_is_lacked() -> None:
    """That they share GUIDs is inferred: were it wrong, each adapter of each primary would be a finding."""
    found, word = lacking(static("10.1.7.7"), address("10.2.0.20", on=OTHER), adapters=(OTHER,))
    assert [one.result for one in found] == [PASSED]
    assert word is Word.READY


def test_whether_an_adapter_is_lacked_is_open_while_the_primary_s_are_not_read() -> None:
    primary = vm(adapters=Unread("refused"))
    (outcome,) = outcomes(estate(primary, replica(primary, SET, adapters=(NIC,))))
    assert outcome.condition == "no adapter is on hv01 alone: refused"


def test_between_sites_as_between_servers() -> None:
    """Another pair of servers of the same two sites counts."""
    primary, other = vm(adapters=(STATIC,)), vm("web", server="hv11", partners=("hv12",))
    sites = {"hv01": "berlin", "hv11": "berlin", "hv02": "frankfurt", "hv12": "frankfurt"}
    there = replica(other, address("10.2.0.30", on=adapter(of="web")), server="hv12")
    assert [one.result for one in outcomes(estate(primary, replica(primary), other, there))] == [NOT_APPLICABLE]
    found = estate(primary, replica(primary), other, there, sites=sites)
    assert [one.result for one in outcomes(found)] == [FAILED]


def test_what_stands_on_the_replica_is_no_mistake_of_an_extended_one() -> None:
    primary = vm()
    middle = replica(primary, SET, partners=("hv01", "hv03"))
    last = replica(middle, role=Role.EXTENDED_REPLICA, server="hv03", partners=("hv02",), failover=())
    verdicts = judge(estate(primary, middle, last), [replica_has_failover_address])
    assert [verdict.outcome.result for verdict in verdicts] == [PASSED, NOT_APPLICABLE]


# --- a switch ---------------------------------------------------------------------------------------------------------


def connected(*settings: object, rule: object = replica_adapter_is_connected, **changes: object) -> Outcome:
    own = replace(NIC, **changes)
    primary = vm(adapters=(own,))
    found = estate(primary, replica(primary, *settings))  # type: ignore[arg-type]
    (verdict,) = judge(found, [rule])  # type: ignore[list-item]
    return verdict.outcome


OLD = Unread("not asked for by 0.1", Why.NOT_ASKED)
CONNECTIONS: dict[str, tuple[dict[str, object], Result, Result, str]] = {
    "a switch": ({}, PASSED, PASSED, ""),
    "a pool": ({"connection": AdapterConnection.POOL}, PASSED, PASSED, ""),
    "nothing": ({"connection": AdapterConnection.NONE}, FAILED, FAILED, Cause.NOT_CONNECTED),
    "a switch that is gone": ({"connection": AdapterConnection.LOST}, FAILED, FAILED, Cause.SWITCH_LOST),
    "neither": ({"connection": Unread("names neither")}, UNKNOWN, NOT_APPLICABLE, Cause.CONNECTION_UNREAD),
    "not asked for": ({"connection": OLD}, PASSED, NOT_APPLICABLE, ""),
    "not asked for, and off": ({"connection": OLD, "connected": False}, FAILED, FAILED, Cause.NOT_CONNECTED),
    "not asked for, and not read": (
        {"connection": OLD, "connected": Unread("no row")},
        UNKNOWN,
        NOT_APPLICABLE,
        Cause.CONNECTION_UNREAD,
    ),
}


@pytest.mark.parametrize(("changes", "result", "without", "cause"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_connections(changes: dict[str, object], result: Result, without: Result, cause: str) -> None:
    outcome = connected(SET, **changes)
    assert (outcome.result, outcome.cause) == (result, cause), outcome.finding
    assert connected(SET, rule=replica_adapter_without_address_is_connected, **changes).result is NOT_APPLICABLE
    assert connected(**changes).result is NOT_APPLICABLE
    assert connected(rule=replica_adapter_without_address_is_connected, **changes).result is without


def test_what_an_old_snapshot_did_not_ask_for_is_a_condition() -> None:
    assert connected(SET, connection=OLD).condition == "its adapter is connected: not asked for by 0.1"


def test_a_pool_is_a_remark() -> None:
    assert connected(SET, connection=AdapterConnection.POOL).remarks


def test_an_adapter_that_nobody_lists_is_the_founding_rules() -> None:
    primary = vm()
    found = estate(primary, replica(primary, address("10.2.0.20")))
    assert [verdict.outcome.result for verdict in judge(found, [replica_adapter_is_connected])] == [NOT_APPLICABLE]


def test_adapters_that_were_not_read_are_not_known() -> None:
    primary = vm()
    found = estate(primary, replica(primary, SET, adapters=Unread("refused")))
    assert [verdict.outcome.result for verdict in judge(found, [replica_adapter_is_connected])] == [UNKNOWN]


def test_labels_name_the_adapter() -> None:
    twin = Adapter(guid="0" * 8 + NIC.guid[8:], name="twin", mac=NIC.mac, connection=AdapterConnection.SWITCH)
    primary = vm(adapters=(NIC, twin, BACKUP))
    settings = [address(f"10.2.0.{number}", on=one) for number, one in enumerate((NIC, twin, BACKUP), 20)]
    verdicts = judge(estate(primary, replica(primary, *settings)), [replica_adapter_is_connected])
    assert [verdict.label for verdict in verdicts] == [
        f"hv02/app/{NIC.label}~{NIC.guid[:8].lower()}",
        f"hv02/app/{NIC.label}~00000000",
        f"hv02/app/{BACKUP.label}",
    ]


def test_a_guest_that_is_off_or_on_a_server_that_nobody_asked_is_no_question() -> None:
    for primary in (vm(power=Power.OFF, guest=None), vm(partners=("hv09",))):
        there = [replica(primary, partners=("hv07",) if primary.power is Power.RUNNING else ("hv01",))]
        found = estate(*([primary] if primary.power is Power.OFF else []), *there, *BESIDE)
        assert [(one.result, one.cause) for one in outcomes(found)] == [(NOT_APPLICABLE, Cause.TODAY_UNKNOWN)]


def test_a_side_that_was_not_read_makes_nothing_greener() -> None:
    """It failed while the primary answered; unread, nobody knows what the guest uses today, and it may still fail."""
    found = estate(replica(vm(adapters=(STATIC,))), *BESIDE)
    assert [(outcome.result, outcome.cause) for outcome in outcomes(found)] == [(UNKNOWN, Cause.TODAY_UNREAD)]
