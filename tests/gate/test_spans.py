"""Lengths of time and a snapshot's age as people say them, whatever the clocks and the locale are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from compliance.gate.spans import data_text, moment_text, span_text

TIME = datetime(2026, 11, 2, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(minutes=-5), "0 minutes"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=36), "36 hours"),
        (timedelta(days=12, hours=5), "12 days"),
    ],
)
def test_a_span_as_people_say_it(span: timedelta, text: str) -> None:
    assert span_text(span) == text


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (TIME, "2 Nov 2026 06:30 UTC"),
        (TIME.astimezone(timezone(timedelta(hours=2))), "2 Nov 2026 06:30 UTC"),
        (datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), "0001-01-01T00:00:00+02:00"),
    ],
)
def test_a_moment_as_people_say_it(time: datetime, text: str) -> None:
    assert moment_text(time) == text


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(days=27, hours=3), "27 days ago"),
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=-4), "just now"),
        (timedelta(hours=-3), "3 hours ahead of this clock"),
    ],
)
def test_the_age_of_data(age: timedelta, text: str) -> None:
    assert data_text(TIME, age) == f"data from 2 Nov 2026 06:30 UTC, {text}"
