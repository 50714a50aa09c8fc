"""Readiness: one honest word for each virtual machine and direction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, Readiness, RestsOn, Word
from compliance.model import Answer, Estate, Evidence, Guest, Judging, Power, Role, Unread, VirtualMachine
from compliance.rules.evidence.causes import Cause
from tests.values import WINDOWS, adapter, address, dynamic, estate, replica, static, vm

NIC = adapter()


def readiness(found: Estate, direction: Direction = Direction.FAILOVER, name: str = "app") -> Readiness:
    return next(one for one in readiness_of(found, judge(found)) if one.direction is direction and one.name == name)


def pair(primary: VirtualMachine | None = None, **changes: object) -> Estate:
    """A primary and its replica with a failover address, unless a case says otherwise."""
    primary = primary or vm()
    changes = {"failover": (address("10.2.0.20", on=NIC),), **changes}
    return estate(primary, replica(primary, **changes))


MUTE = Guest(answer=Answer.NO_CONTACT)
WITHOUT = {"failover": ()}

CASES: dict[str, tuple[Estate, Word, str]] = {
    "healthy": (pair(), Word.READY, ""),
    "offered no more": (pair(data_exchange_offered=False), Word.NOT_READY, Cause.OFFER_OFF),
    "a mute guest": (pair(vm(guest=MUTE)), Word.NOT_READY, Cause.GUEST_NO_CONTACT),
    "a guest that is off": (pair(vm(power=Unread("not given"))), Word.UNKNOWN, Cause.GUEST_NOT_SEEN),
    "shielded": (pair(shielded=True), Word.NOT_READY, Cause.SHIELDED),
    "another provider": (pair(foreign=True), Word.NOT_OURS, Cause.OTHER_PROVIDER),
    "settings unread": (pair(failover=Unread("refused")), Word.UNKNOWN, Cause.SETTINGS_UNREAD),
    "a fault of its server": (pair(failover=Unread("no row", server="hv02")), Word.UNKNOWN, Cause.SERVER_FAULT),
    "only the primary was seen": (estate(vm()), Word.UNKNOWN, Cause.SIDE_NOT_SEEN),
    "nothing known of today": (pair(**WITHOUT), Word.NO_ADDRESS, Cause.TODAY_UNKNOWN),
    "static today": (
        pair(vm(adapters=(replace(NIC, today=static("10.1.0.20")),)), **WITHOUT),
        Word.NO_ADDRESS,
        Cause.STATIC_WITHOUT,
    ),
    "by DHCP today": (
        pair(vm(adapters=(replace(NIC, today=dynamic("10.1.0.20")),)), **WITHOUT),
        Word.NO_ADDRESS,
        Cause.BY_DHCP,
    ),
}


@pytest.mark.parametrize(("found", "word", "cause"), CASES.values(), ids=CASES)
def test_words(found: Estate, word: Word, cause: str) -> None:
    answer = readiness(found)
    assert (answer.word, answer.cause) == (word, cause), answer.reason


def test_both_sides_are_one_machine() -> None:
    found = pair()
    answers = readiness_of(found, judge(found))
    assert [(one.direction, one.primary, one.replica) for one in answers] == [
        (Direction.FAILOVER, "hv01", "hv02"),
        (Direction.FAILBACK, "hv01", "hv02"),
    ]
    assert answers[0].sides == answers[1].sides == found.replicated


def test_an_evidence_of_bpa_is_ready_on_a_condition_at_best() -> None:
    answer = readiness(replace(pair(), settings=Judging(evidence=Evidence.BPA)))
    assert (answer.word, answer.condition) == (Word.READY_IF, "the guest answers Data Exchange")


def test_what_it_rests_on() -> None:
    assert readiness(pair()).rests_on is RestsOn.ANSWER
    debian = replace(WINDOWS, os_name="Red Hat Enterprise Linux", os_major="9.6", integration_services_version="3.1")
    assert readiness(pair(vm(guest=debian))).rests_on is RestsOn.SYSTEM


def test_without_one_on_the_primary_a_failback_keeps_what_the_failover_sets() -> None:
    answer = readiness(pair(), Direction.FAILBACK)
    assert (answer.word, answer.reason) == (
        Word.NO_ADDRESS,
        "keeps what it has on the replica then, where 10.2.0.20 is set",
    )


def test_copies_of_one_guid_elsewhere_are_machines_of_their_own() -> None:
    primary, copy = vm(), vm(server="hv07", partners=Unread("not read"))
    found = estate(primary, replica(primary, address("10.2.0.20", on=NIC)), copy)
    answers = [one for one in readiness_of(found, judge(found)) if one.direction is Direction.FAILOVER]
    assert [(one.word, one.remarks) for one in answers] == [
        (Word.READY, ("a machine of the same GUID is on hv07",)),
        (Word.UNKNOWN, ("a machine of the same GUID is on hv01, hv02",)),
    ]


def test_an_extended_replica_is_a_direction_of_its_own() -> None:
    primary = vm()
    middle = replica(primary, address("10.2.0.20", on=NIC), partners=("hv01", "hv03"))
    last = replica(primary, role=Role.EXTENDED_REPLICA, server="hv03", partners=("hv02",), failover=())
    found = estate(primary, middle, last)
    assert readiness(found).word is Word.READY
    answer = readiness(found, Direction.EXTENDED_FAILOVER)
    assert (answer.word, answer.replica) == (Word.NO_ADDRESS, "hv03")


def test_a_replica_that_was_left_behind_says_nothing_of_its_machine() -> None:
    """The primary was paired anew: its former replica still names it, has an address, and the new one has none."""
    primary = vm(partners=("hv02",), adapters=(replace(NIC, today=dynamic("10.1.0.20")),))
    left = replica(primary, address("10.2.0.20", on=NIC), server="hv00", adapters=(NIC,))
    answer = readiness(estate(left, primary, replica(primary)))
    assert (answer.word, answer.replica) == (Word.NO_ADDRESS, "hv02")


def test_a_replica_that_its_primary_does_not_name_is_no_answer() -> None:
    """It was left behind, and the one that the primary names is on a server that nobody listed."""
    primary = vm(partners=("hv09",))
    left = replica(primary, address("10.2.0.20", on=NIC))
    answer = readiness(estate(primary, left))
    assert (answer.word, answer.cause, answer.replica) == (Word.UNKNOWN, Cause.SIDE_NOT_SEEN, "")
    assert "its other side is on hv09, which is not in the inventory" in answer.reason


def test_an_extended_replica_that_its_replica_does_not_name_is_no_answer() -> None:
    primary = vm()
    middle = replica(primary, address("10.2.0.20", on=NIC), partners=("hv01", "hv09"))
    left = replica(primary, address("10.3.0.20", on=NIC), role=Role.EXTENDED_REPLICA, server="hv03", partners=("hv02",))
    found = estate(primary, middle, left)
    answer = readiness(found, Direction.EXTENDED_FAILOVER)
    assert (readiness(found).word, answer.word, answer.replica) == (Word.READY, Word.UNKNOWN, "")


RUNS = {"power": Power.RUNNING, "uptime": timedelta(days=4), "guest": WINDOWS}


def test_a_replica_that_runs_is_open_while_its_primary_is_not_seen() -> None:
    """Nobody failed it over, and the primary may run as well."""
    alone = replica(vm(), address("10.2.0.20", on=NIC), **RUNS)
    answer = readiness(estate(alone))
    assert (answer.word, answer.cause) == (Word.UNKNOWN, Cause.SIDE_NOT_SEEN)


def test_a_landing_is_ready_though_its_primary_is_not_seen() -> None:
    """As after a disaster, when nothing of the primary's site answers."""
    there = (replace(NIC, today=static("10.2.0.20")),)
    landed = replica(vm(), address("10.2.0.20", on=NIC), **{**RUNS, "failed_over": True, "adapters": there})
    answer = readiness(estate(landed))
    assert (answer.word, answer.rests_on) == (Word.READY, RestsOn.LANDED)


@pytest.mark.parametrize("changes", [{"adapters": Unread("refused")}, {"partners": Unread("refused")}])
def test_an_address_on_the_primary_only_is_open_while_the_replica_can_not_be_judged(changes: dict[str, object]) -> None:
    """What is not read there turns neither direction into one that needs nothing, or is ready."""
    primary = vm(failover=(address("10.2.0.20", on=NIC),), adapters=(NIC,), partners=("hv02",))
    found = estate(primary, replica(primary, failover=(), **{"adapters": (NIC,), **changes}))
    words = {one.direction: one.word for one in readiness_of(found, judge(found))}
    assert words == {Direction.FAILOVER: Word.UNKNOWN, Direction.FAILBACK: Word.UNKNOWN}


def test_a_failback_is_open_while_the_replica_s_own_settings_are_not_read() -> None:
    primary = vm(failover=(address("10.2.0.20", on=NIC),), adapters=(NIC,))
    answer = readiness(estate(primary, replica(primary, failover=Unread("refused"))), Direction.FAILBACK)
    assert (answer.word, answer.cause) == (Word.UNKNOWN, Cause.SIDE_NOT_SEEN)


def test_a_failback_is_open_while_the_replica_could_not_be_tied_to_its_primary() -> None:
    """The primary names its replica, which names another: what is set on the second adapter may be meant for it."""
    backup = adapter("Backup")
    settings = (
        address("10.1.0.20", on=NIC, gateway="10.1.0.1"),
        address("10.9.0.20", on=backup, gateway="10.9.0.1"),
    )
    primary = vm(failover=settings, adapters=(NIC, backup))
    there = replica(primary, address("10.2.0.20", on=NIC), partners=("hv09",))
    answer = readiness(estate(primary, there), Direction.FAILBACK)
    assert (answer.word, answer.cause) == (Word.UNKNOWN, Cause.SIDE_NOT_SEEN)
