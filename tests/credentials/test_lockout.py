"""A wrong password is tried on few servers, a right one on all, and a silent server holds up nobody."""

from __future__ import annotations

from compliance.credentials.lockout import TRIES, Lockout


def test_few_are_asked_until_one_takes_it() -> None:
    lockout = Lockout(patience=5)
    for number in range(TRIES):
        assert lockout.may_ask(now=0)
        lockout.ask(f"hv{number}", now=0)
    assert not lockout.may_ask(now=1)
    lockout.took("hv0")
    assert lockout.may_ask(now=1)
    assert not lockout.is_shut


def test_as_many_refusals_shut_it() -> None:
    lockout = Lockout(patience=5)
    for number in range(TRIES):
        lockout.ask(f"hv{number}", now=0)
        lockout.answered(f"hv{number}", refused=True)
    assert lockout.is_shut
    assert not lockout.may_ask(now=1000)
    assert lockout.refused_by == ["hv0", "hv1"]


def test_a_server_that_is_not_there_refuses_nothing() -> None:
    lockout = Lockout(patience=5)
    for number in range(20):
        assert lockout.may_ask(now=0)
        lockout.ask(f"hv{number}", now=0)
        lockout.answered(f"hv{number}", refused=False)
    assert not lockout.is_shut


def test_a_server_that_says_nothing_holds_up_nobody_for_long() -> None:
    lockout = Lockout(patience=5)
    for number in range(TRIES):
        lockout.ask(f"hv{number}", now=0)
    assert not lockout.may_ask(now=4.9)
    assert lockout.may_ask(now=5.1)


def test_what_one_took_another_may_refuse() -> None:
    lockout = Lockout(patience=5)
    lockout.ask("hv0", now=0)
    lockout.took("hv0")
    for number in range(1, 9):
        lockout.ask(f"hv{number}", now=0)
        lockout.answered(f"hv{number}", refused=True)
    assert not lockout.is_shut
