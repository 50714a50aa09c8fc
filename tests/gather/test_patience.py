"""Second chances by a clock that is handed in: pauses grow, the deadline holds, and a reason says what was tried."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from compliance.errors import LinkError, LostError, ReadError, Why
from compliance.gather.patience import REBUILDS, WAITS, Patience


class Clock:
    """Stands still but for who sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


LOST = LostError("hv01:5985: connection refused", why=Why.UNREACHABLE)
STOPPED = LostError("hv01:5985: HTTP 503: stopped", why=Why.BUSY)
BUSY = ReadError("busy", why=Why.BUSY)
LATE = ReadError("late", why=Why.TIMED_OUT)


class Case:
    def __init__(self, *errors: ReadError, seconds: float = 60.0) -> None:
        self.clock = Clock()
        self.notes: list[str] = []
        self.opened: list[float] = []
        self._errors = list(errors)
        self.patience = Patience(
            self.clock.now + seconds, self._reopen, self.notes.append, lambda: self.clock.now, self.clock.sleep
        )

    def _reopen(self) -> None:
        self.opened.append(self.clock.now - 1000.0)

    def ask(self) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return "rows"

    def insist(self) -> str:
        return self.patience.insist(self.ask)


GOOD: list[tuple[tuple[ReadError, ...], list[float]]] = [
    ((), []),
    ((LOST,), [0.5]),
    ((LOST, LOST), [0.5, 2.0]),
    ((LOST, STOPPED, LOST), [0.5, 2.0, 8.0]),
    ((BUSY,), [1.0]),
    ((BUSY, BUSY), [1.0, 4.0]),
    ((LATE,), [1.0]),
    ((BUSY, LOST, LATE), [1.0, 0.5, 1.0]),
]


@pytest.mark.parametrize(("errors", "pauses"), GOOD)
def test_who_recovers_is_read_after_growing_pauses(errors: tuple[ReadError, ...], pauses: list[float]) -> None:
    case = Case(*errors)
    assert (case.insist(), case.clock.slept) == ("rows", pauses)
    rebuilt = sum(isinstance(error, LostError) for error in errors)
    assert (len(case.opened), len(case.notes)) == (rebuilt, rebuilt)


def test_a_service_that_restarts_is_connected_to_again_when_it_listens() -> None:
    """Both new connections were spent within 20 ms once; a service that restarts for 0.3 s was lost for the run."""
    case = Case()

    def ask() -> str:
        if case.clock.now - 1000.0 < 0.3:
            raise LOST
        return "rows"

    assert case.patience.insist(ask) == "rows"
    assert case.opened == [0.5]


BAD: list[tuple[tuple[ReadError, ...], float, str, list[float]]] = [
    ((LOST,) * 4, 60.0, "refused; it had answered before, and was connected to again 3 times", [*REBUILDS]),
    ((LOST,) * 4, 5.0, "refused; it had answered before, and was connected to again 2 times", [0.5, 2.0]),
    ((LOST,) * 4, 0.4, "hv01:5985: connection refused; it had answered before", []),
    ((STOPPED,) * 4, 1.0, "stopped; it had answered before, and was connected to again 1 time", [0.5]),
    ((BUSY,) * 3, 60.0, "busy", [*WAITS[Why.BUSY]]),
    ((BUSY,) * 3, 3.0, "busy", [1.0]),
    ((LATE,) * 2, 60.0, "late", [1.0]),
    ((ReadError("no", why=Why.NOT_PERMITTED),), 60.0, "no", []),
    ((LinkError("never answered", why=Why.UNREACHABLE),), 60.0, "never answered", []),
]


@pytest.mark.parametrize(("errors", "seconds", "reason", "pauses"), BAD)
def test_who_does_not_is_left_with_a_reason(
    errors: tuple[ReadError, ...], seconds: float, reason: str, pauses: list[float]
) -> None:
    case = Case(*errors, seconds=seconds)
    with pytest.raises(ReadError) as caught:
        case.insist()
    assert str(caught.value).endswith(reason)
    assert caught.value.why is errors[-1].why
    assert case.clock.slept == pauses
    assert sum(pauses) <= seconds


def test_new_connections_are_counted_for_the_server_and_not_for_a_class() -> None:
    asks: list[Callable[[], str]] = [Case(LOST).ask for _ in range(len(REBUILDS) + 1)]
    case = Case()
    for ask in asks[:-1]:
        assert case.patience.insist(ask) == "rows"
    with pytest.raises(LinkError, match="it had answered before"):
        case.patience.insist(asks[-1])
