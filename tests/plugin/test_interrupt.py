"""The first Ctrl-C raises, the second one doesn't break off what the first one began."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from compliance.plugin.interrupt import SIGNALS, interrupted_once, signals_of
from tests.portable import posix


@pytest.fixture
def nobody_chose() -> Iterator[None]:
    """A job in the background is started with a SIGINT that is ignored, one under nohup with such a SIGHUP."""
    handlers = dict.fromkeys(SIGNALS, signal.SIG_DFL) | {signal.SIGINT: signal.default_int_handler}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("nobody_chose")
@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_one_raises_and_later_ones_wait_for_the_end(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in SIGNALS]
    saved = False
    with interrupted_once():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        for again in SIGNALS:
            signal.raise_signal(again)
        saved = True
    assert saved
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_an_ignored_signal_stays_ignored_and_a_handler_stays_its_owners() -> None:
    heard: list[int] = []
    chosen = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(signal.SIGINT, signal.SIG_IGN), signal.signal(signal.SIGTERM, lambda *_: heard.append(1))]
    try:
        with interrupted_once():
            for number in chosen:
                signal.raise_signal(number)
    finally:
        for number, handler in zip(chosen, before, strict=True):
            signal.signal(number, handler)
    assert heard == [1]


def test_windows_sends_another_one_than_terminals_do() -> None:
    windows = SimpleNamespace(SIGINT=2, SIGTERM=15, SIGBREAK=21)
    assert signals_of(windows) == (2, 15, 21)
    assert {"SIGINT", "SIGTERM"} <= {number.name for number in SIGNALS}


@posix
def test_no_signal_that_can_be_caught_throws_away_what_was_read() -> None:
    """Those that are left are nobody's wish to stop: a program's faults, what can't be caught, what ends nothing."""
    faults = {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP", "SIGSTKFLT", "SIGEMT"}
    harmless = {"SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGINFO", "SIGPIPE", "SIGXFSZ"}  # Python ignores the last
    stops = {"SIGKILL", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"}
    unused = {"SIGIO", "SIGPROF", "SIGPWR", "SIGVTALRM"}  # sent to who asked for them, or to init
    named = {number.name for number in signal.Signals if not number.name.startswith("SIGRT")}
    assert named - faults - harmless - stops - unused == {number.name for number in SIGNALS}


def test_outside_of_the_main_thread_nothing_is_changed() -> None:
    reached = threading.Event()

    def work() -> None:
        with interrupted_once():
            reached.set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert reached.is_set()
