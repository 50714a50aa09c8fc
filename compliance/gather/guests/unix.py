"""One guest, from its entry to what it said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from compliance.child import Children
from compliance.credentials.find import Credential
from compliance.errors import ReadError
from compliance.gather.guests.script import make_script, make_token, split_sections
from compliance.gather.guests.shell import run_script
from compliance.gather.server import Watch
from compliance.inventory.entries import Limits
from compliance.inventory.guests import GuestEntry
from compliance.snapshot.snapshot import GuestReading


def read_guest(
    entry: GuestEntry,
    credential: Credential | None,
    limits: Limits,
    now: Callable[[], datetime],
    children: Children,
    *,
    watch: Watch = lambda _query, _answer, _seconds: None,  # noqa: ARG001  # a guest answers all at once
) -> GuestReading:
    """Read it by one connection and one command. Raise ReadError, which names that, where it can't be read."""
    token = make_token()
    started = now()
    try:
        output = run_script(entry, credential, limits, make_script(token), children)
        sections = split_sections(output, token)
    except ReadError as error:
        raise type(error)(f"{entry.connection}: {error}", why=error.why) from error
    return GuestReading(started=started, finished=now(), sections=sections)
