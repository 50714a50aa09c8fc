"""Lengths of time and the age of a snapshot, as people say them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from compliance.words import plural

MOST_AHEAD = timedelta(minutes=5)
"""How far a snapshot may be ahead of the gate's clock: two clocks of one estate differ by seconds."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def span_text(span: timedelta) -> str:
    """Return ``90 minutes``, ``36 hours``, ``12 days``; what is negative counts as nothing."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if minutes < 120:
        return plural(minutes, "minute")
    return plural(minutes // 60, "hour") if minutes < 72 * 60 else plural(minutes // (24 * 60), "day")


def moment_text(time: datetime) -> str:
    """Return ``2 Nov 2026 06:30 UTC``, in every locale; in ISO 8601 what no UTC has, at the calendar's edge."""
    try:
        time = time.astimezone(UTC)
    except OverflowError:
        return time.isoformat()
    return f"{time.day} {_MONTHS[time.month - 1]} {time.year} {time:%H:%M} UTC"


def data_text(time: datetime, age: timedelta) -> str:
    """Return ``data from 2 Nov 2026 06:30 UTC, 27 days ago``: the snapshot's time, and its age by the gate's clock.

    Terminal, page and gate.json say it; results.json, results.csv and summary.md never do, since they are the same
    whenever they are written.
    """
    when = "just now" if age < timedelta(minutes=1) else f"{span_text(age)} ago"
    if age < -MOST_AHEAD:
        when = f"{span_text(-age)} ahead of this clock"
    return f"data from {moment_text(time)}, {when}"
