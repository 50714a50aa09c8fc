"""What a failover that was made shows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, RestsOn, Word
from compliance.model import Answer, Estate, FailoverAddress, Guest, Power, Role, Unread, VirtualMachine
from compliance.rule import Outcome, Result
from compliance.rules.evidence.causes import Cause
from compliance.rules.landing import failover_ip_landed, runs_on_one_side
from tests.hosts import guid
from tests.values import WINDOWS, adapter, address, estate, replica, static, vm

PASSED, FAILED, UNKNOWN, NOT_APPLICABLE = Result.PASSED, Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE
NIC = adapter()
SET = address("10.2.0.20", on=NIC)
AFTER = timedelta(hours=2)


def has(*addresses: str) -> dict[str, object]:
    return {"adapters": (replace(NIC, today=static(*addresses)),)}


OTHER = adapter("Backup")
ON_OTHER = address("10.2.9.9", on=OTHER)


def on_two(first: tuple[str, ...], second: tuple[str, ...]) -> dict[str, object]:
    """A failover address is set on each of two adapters, which have these now."""
    own = (replace(NIC, today=static(*first)), replace(OTHER, today=static(*second)))
    return {"adapters": own, "failover": (SET, ON_OTHER)}


def failed_over(*settings: object, primary: Power = Power.OFF, **changes: object) -> Estate:
    own = vm(power=primary, guest=WINDOWS if primary is Power.RUNNING else None)
    values = {"failed_over": True, "power": Power.RUNNING, "uptime": AFTER, "guest": WINDOWS, **changes}
    return estate(own, replica(own, *(settings or (SET,)), **values))  # type: ignore[arg-type]


def in_a_test(**changes: object) -> Estate:
    own = vm()
    values = {"test_of": own.guid, "failover": (SET,), "uptime": AFTER, **changes}
    return estate(own, replica(own, SET), vm("app - Test", Role.TEST_REPLICA, **values))


def landed(found: Estate, name: str = "app") -> Outcome:
    (verdict,) = [one for one in judge(found, [failover_ip_landed]) if one.machine and one.machine.name == name]
    return verdict.outcome


MUTE = Guest(answer=Answer.NO_CONTACT)
LANDED: dict[str, tuple[Estate, Result, str, Word]] = {
    "there": (failed_over(**has("10.2.0.20", "fe80::1")), PASSED, "", Word.READY),
    "the old one": (failed_over(**has("10.1.0.20")), FAILED, Cause.NOT_LANDED, Word.NOT_READY),
    "the old one, paused since": (
        failed_over(**has("10.1.0.20"), power=Power.PAUSED),
        FAILED,
        Cause.NOT_LANDED,
        Word.NOT_READY,
    ),
    "one of two": (
        failed_over(address("10.2.0.20", "10.2.0.21", on=NIC), **has("10.2.0.20")),
        FAILED,
        Cause.NOT_LANDED,
        Word.NOT_READY,
    ),
    "by what it published": (failed_over(guest=replace(WINDOWS, addresses=("10.2.0.20",))), PASSED, "", Word.READY),
    "none told": (failed_over(), UNKNOWN, Cause.LANDING_UNKNOWN, Word.UNKNOWN),
    "link-local only": (failed_over(**has("169.254.1.1")), UNKNOWN, Cause.LANDING_UNKNOWN, Word.UNKNOWN),
    "just started": (
        failed_over(**has("10.1.0.20"), uptime=timedelta(minutes=3)),
        UNKNOWN,
        Cause.GUEST_BOOTS,
        Word.UNKNOWN,
    ),
    "just started, and there": (failed_over(**has("10.2.0.20"), uptime=timedelta(minutes=3)), PASSED, "", Word.READY),
    "on each adapter": (failed_over(**on_two(("10.2.0.20",), ("10.2.9.9",))), PASSED, "", Word.READY),
    "on swapped adapters": (
        failed_over(**on_two(("10.2.9.9",), ("10.2.0.20",))),
        FAILED,
        Cause.NOT_LANDED,
        Word.NOT_READY,
    ),
    "on the other adapter alone": (
        failed_over(**on_two((), ("10.2.0.20", "10.2.9.9")), guest=replace(WINDOWS, addresses=("10.2.0.20",))),
        FAILED,
        Cause.NOT_LANDED,
        Word.NOT_READY,
    ),
    "on one by what it published": (
        failed_over(**on_two((), ("10.2.9.9",)), guest=replace(WINDOWS, addresses=("10.2.0.20", "10.2.9.9"))),
        PASSED,
        "",
        Word.READY,
    ),
    "both run": (failed_over(**has("10.2.0.20"), primary=Power.RUNNING), PASSED, "", Word.NOT_READY),
    "no answer": (failed_over(**has("10.1.0.20"), guest=MUTE), NOT_APPLICABLE, "", Word.NOT_READY),
    "off again": (failed_over(power=Power.OFF, guest=None), NOT_APPLICABLE, "", Word.UNKNOWN),
    "not failed over": (failed_over(failed_over=False, **has("10.1.0.20")), NOT_APPLICABLE, "", Word.READY),
    "perhaps failed over": (
        failed_over(failed_over=Unread("not given")),
        UNKNOWN,
        Cause.MACHINE_UNREAD,
        Word.UNKNOWN,
    ),
    "no address": (
        failed_over(failover=(), **has("10.1.0.20")),
        NOT_APPLICABLE,
        Cause.NO_ADDRESS,
        Word.NO_ADDRESS,
    ),
}


@pytest.mark.parametrize(("found", "result", "cause", "word"), LANDED.values(), ids=LANDED)
def test_a_failover_that_was_made(found: Estate, result: Result, cause: str, word: Word) -> None:
    (verdict,) = judge(found, [failover_ip_landed])
    assert (verdict.outcome.result, verdict.outcome.cause) == (result, cause), verdict.outcome.finding
    readiness = readiness_of(found, judge(found))[0]
    assert readiness.word is word, readiness.reason


TESTED: dict[str, tuple[Estate, Result, Word]] = {
    "there": (in_a_test(**has("10.2.0.20")), PASSED, Word.READY),
    "the old one": (in_a_test(**has("10.1.0.20")), FAILED, Word.NOT_READY),
    "whose it is nobody knows": (in_a_test(**has("10.1.0.20"), test_of=None), FAILED, Word.READY),
    "no answer": (in_a_test(guest=MUTE), UNKNOWN, Word.UNKNOWN),
    "no answer yet": (in_a_test(guest=MUTE, uptime=timedelta(minutes=3)), NOT_APPLICABLE, Word.READY),
    "whose it is nobody knows, and no answer": (in_a_test(guest=MUTE, test_of=None), UNKNOWN, Word.READY),
    "off": (in_a_test(power=Power.OFF), NOT_APPLICABLE, Word.READY),
    "not read": (in_a_test(failover=Unread("refused")), UNKNOWN, Word.UNKNOWN),
}


@pytest.mark.parametrize(("found", "result", "word"), TESTED.values(), ids=TESTED)
def test_a_test_failover(found: Estate, result: Result, word: Word) -> None:
    outcome = landed(found, "app - Test")
    assert outcome.result is result, outcome.finding
    assert readiness_of(found, judge(found))[0].word is word


CHANGED = (address("10.2.0.21", on=NIC),)
BESIDE = (SET, address("10.2.9.20", on=adapter("Backup")))


@pytest.mark.parametrize("settings", [CHANGED, BESIDE], ids=["another address", "one more"])
def test_a_test_speaks_for_the_settings_that_it_was_made_with(settings: tuple[FailoverAddress, ...]) -> None:
    own = vm()
    now = replica(own, *settings, data_exchange_offered=False)
    test = vm("app - Test", Role.TEST_REPLICA, test_of=own.guid, failover=(SET,), uptime=AFTER, **has("10.2.0.20"))
    found = estate(own, now, test)
    assert landed(found, "app - Test").result is PASSED
    assert readiness_of(found, judge(found))[0].word is Word.NOT_READY


def test_a_landing_decides_alone_and_is_the_strongest_evidence() -> None:
    """Data Exchange was switched off since; the machine has come up with its address all the same."""
    found = failed_over(**has("10.2.0.20"), data_exchange_offered=False)
    readiness = readiness_of(found, judge(found))[0]
    assert (readiness.direction, readiness.word, readiness.rests_on) == (
        Direction.FAILOVER,
        Word.READY,
        RestsOn.LANDED,
    )


def test_an_address_on_another_adapter_is_named_by_adapter() -> None:
    (verdict,) = judge(failed_over(**on_two(("10.2.9.9",), ("10.2.0.20",))), [failover_ip_landed])
    assert verdict.outcome.finding == (
        "came up with 10.2.9.9 on Network Adapter: expected 10.2.0.20; "
        "came up with 10.2.0.20 on Backup: expected 10.2.9.9"
    )


# --- on one side ------------------------------------------------------------------------------------------------------


def sides(found: Estate) -> list[Result]:
    return [verdict.outcome.result for verdict in judge(found, [runs_on_one_side])]


def alone(**changes: object) -> VirtualMachine:
    return vm("app", Role.REPLICA, power=Power.RUNNING, guid=guid("app"), **changes)


ONE_SIDE: dict[str, tuple[Estate, Result]] = {
    "the primary": (failed_over(power=Power.OFF, primary=Power.RUNNING), PASSED),
    "the replica": (failed_over(), PASSED),
    "both": (failed_over(primary=Power.RUNNING), FAILED),
    "nobody saw the other": (estate(alone()), UNKNOWN),
    "not read": (estate(alone(doubt=Unread("refused"))), UNKNOWN),
    "another provider": (estate(alone(foreign=True)), NOT_APPLICABLE),
}


@pytest.mark.parametrize(("found", "result"), ONE_SIDE.values(), ids=ONE_SIDE)
def test_on_one_side(found: Estate, result: Result) -> None:
    assert sides(found) == [result]


def test_a_test_replica_is_no_side() -> None:
    assert sides(in_a_test()) == [PASSED]
