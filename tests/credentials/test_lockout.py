"""A wrong password is tried on few servers, a right one on all, and a silent server holds up nobody."""

from __future__ import annotations

from compliance.credentials.lockout import TRIES, Door


def test_few_are_asked_until_one_takes_it() -> None:
    door = Door(patience=5)
    for number in range(TRIES):
        assert door.may_ask(now=0)
        door.ask(f"hv{number}", now=0)
    assert not door.may_ask(now=1)
    door.took("hv0")
    assert door.may_ask(now=1)
    assert not door.is_shut


def test_as_many_refusals_shut_it() -> None:
    door = Door(patience=5)
    for number in range(TRIES):
        door.ask(f"hv{number}", now=0)
        door.answered(f"hv{number}", refused=True)
    assert door.is_shut
    assert not door.may_ask(now=1000)
    assert door.refused_by == ["hv0", "hv1"]


def test_a_server_that_is_not_there_refuses_nothing() -> None:
    door = Door(patience=5)
    for number in range(20):
        assert door.may_ask(now=0)
        door.ask(f"hv{number}", now=0)
        door.answered(f"hv{number}", refused=False)
    assert not door.is_shut


def test_a_server_that_says_nothing_holds_up_nobody_for_long() -> None:
    door = Door(patience=5)
    for number in range(TRIES):
        door.ask(f"hv{number}", now=0)
    assert not door.may_ask(now=4.9)
    assert door.may_ask(now=5.1)


def test_what_one_took_another_may_refuse() -> None:
    door = Door(patience=5)
    door.ask("hv0", now=0)
    door.took("hv0")
    for number in range(1, 9):
        door.ask(f"hv{number}", now=0)
        door.answered(f"hv{number}", refused=True)
    assert not door.is_shut
