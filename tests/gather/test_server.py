"""One server's reading over a connection that answers whatever it likes: it ends, and holds only what was told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain, cycle, repeat
from typing import cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.errors import LostError, ReadError, Why
from compliance.gather.patience import REBUILDS
from compliance.gather.server import Reader
from compliance.hyperv.queries import QUERIES
from compliance.model import Unread
from compliance.snapshot.snapshot import Reading
from compliance.wsman import conversation
from compliance.wsman.connection import Connection
from tests.hosts import NOW
from tests.wsman.samples import IDENTIFY_RESPONSE, first, fragment
from tests.wsman.test_conversation import Host, Move, Reply, begins, moves, says


class Talk:
    """In place of a connection: one reply a message."""

    def __init__(self, reply_to: Callable[[bytes], Reply], most: int = 100) -> None:
        self._reply_to = reply_to
        self._left = most

    def send(self, message: bytes) -> bytes:
        self._left -= 1
        assert self._left, "it does not come to an end"
        return Host(self._reply_to(message))(message)

    def reopen(self) -> None:
        """Nothing is open."""


def read(talk: Talk, now: Callable[[], datetime] = lambda: NOW) -> Reading:
    """By a clock that stands still, so that nobody waits."""
    connection = cast(Connection, talk)
    still = {"clock": lambda: 0.0, "sleep": lambda _seconds: None}
    return Reader(connection, 60.0, 60.0, now, lambda *_: None, **still).read()


lost = Move("lost", LostError("lost", why=Why.UNREACHABLE), cuts=True)


@settings(deadline=None)
@given(
    st.lists(moves | st.just(lost), min_size=1, max_size=30).filter(
        # A page with rows now and then, and none that ends, goes on to the cap of 10,000 answers: that takes too long.
        lambda played: not all(move.goes_on for move in played) or not any(move.rows for move in played)
    )
)
def test_a_reading_ends_and_holds_nothing_that_was_not_told(played: list[Move]) -> None:
    said: list[Move] = []
    answers = cycle(played)

    def reply_to(_: bytes) -> Reply:
        said.append(next(answers))
        return said[-1].reply

    queries = (len(QUERIES) + 3) * 3  # each by WQL, for less, and whole
    talk = Talk(reply_to, most=queries * 2 * (len(played) * conversation.MAX_EMPTY + 2))
    try:
        reading = read(talk)
    except ReadError as error:
        assert str(error).isprintable()  # noqa: PT017 - the other errors are what this test is about
        return
    assert said.count(lost) <= len(REBUILDS)
    read_whole = [rows for rows in (*reading.classes.values(), *reading.again.values()) if not isinstance(rows, Unread)]
    assert len(read_whole) <= sum(move.ends for move in said)
    told = {name for move in said for name in move.rows}
    assert told.issuperset(row["Name"] for rows in read_whole for row in rows if "Name" in row)


# --- its version and its clock ----------------------------------------------------------------------------------------


def with_clock(told: str, version: str) -> Callable[[bytes], Reply]:
    row = fragment(f"<LocalDateTime><Datetime>{told}</Datetime></LocalDateTime><Version>{version}</Version>")

    def reply_to(message: bytes) -> Reply:
        if b"Identify/>" in message:
            return says(IDENTIFY_RESPONSE.format(version="0.0.0").encode())
        return (lambda asked: first(row, relates_to=asked)) if b"LocalDateTime" in message else begins()

    return reply_to


zones = st.integers(-23 * 60, 23 * 60).map(lambda minutes: f"{minutes // 60:+03d}:{minutes % 60:02d}") | st.just("Z")
signs = st.text(st.characters(exclude_categories=("C",), exclude_characters="<&"), max_size=30)
stamps = st.from_regex(r"[0-9*]{14}\.[0-9*]{6}[-+:][0-9*]{3}", fullmatch=True)


@settings(deadline=None)
@given(st.datetimes(datetime(1601, 1, 2), datetime(9998, 1, 1)), zones, st.integers(0, 6))
def test_a_time_with_a_zone_is_the_servers(told: datetime, zone: str, digits: int) -> None:
    """Windows cuts the zeros at the end of a fraction: every length was recorded, and +08:00 beside Z."""
    fraction = f"{told.microsecond:06d}"[:digits]
    text = f"{told:%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}"
    ahead = read(Talk(with_clock(f"{told.year:04d}-{text}{zone}", "10.0.20348"))).clock_ahead
    offset = timedelta() if zone == "Z" else datetime.strptime(zone, "%z").utcoffset()
    assert offset is not None
    exact = told.replace(microsecond=int(fraction.ljust(6, "0")), tzinfo=UTC) - offset
    assert ahead == exact - NOW


@settings(deadline=None)
@given(signs.map(str.strip) | stamps, signs)
@example("1601-01-01T00:00:00", "1" * 5_000)
@example("20261102063000.000000+060", "6.2.9200")
@example("0001-01-01T00:00:00+23:59", "")
def test_any_other_time_is_none(told: str, version: str) -> None:
    reading = read(Talk(with_clock(told, version)))
    assert reading.version == version
    if reading.clock_ahead is None:
        assert reading.notes == ("its clock could not be read: no time with a zone came",)
    else:
        assert datetime.fromisoformat(told) - NOW == reading.clock_ahead
    assert reading.clock_ahead is None or not stamps_alike(told)


@pytest.mark.parametrize(("there", "ahead"), [(5, -5), (10, 0), (14, 0), (20, 0), (26, 6)])
def test_what_an_answer_took_is_no_difference_of_clocks(there: int, ahead: int) -> None:
    """It is asked at second 10, and its answer is there at second 20, as on a slow line or a busy machine."""
    seconds = chain((0, 10, 20), repeat(30))
    told = f"{NOW + timedelta(seconds=there):%Y-%m-%dT%H:%M:%SZ}"
    reading = read(Talk(with_clock(told, "10.0.20348")), lambda: NOW + timedelta(seconds=next(seconds)))
    assert reading.clock_ahead == timedelta(seconds=ahead)


def stamps_alike(told: str) -> bool:
    """CIM's own form, which WS-Management renders otherwise: nobody may take it for another."""
    return len(told) == 25 and told[14] == "."
