"""One Windows guest, from its entry to what it answered: our own WS-Man, which starts nothing there.

testinfra's way into Windows is a shell by WinRM, in which it starts PowerShell.
"""

from __future__ import annotations

import time

from compliance.credentials.find import Credential
from compliance.errors import ReadError, Why
from compliance.gather.server import Clock, Reader, Watch, endpoint_of
from compliance.hyperv.guests.queries import GET_STRING, QUERIES, REGISTRY, VALUES
from compliance.hyperv.queries import CIMV2
from compliance.inventory.entries import Limits
from compliance.inventory.guests import WindowsGuest
from compliance.model import Unread
from compliance.snapshot.snapshot import GuestReading, RowsOrUnread
from compliance.wsman.connection import Connection

MOST_LETTERS = 64 * 1024
"""Of one answer. A machine with its full twelve adapters makes some 4,000; as sections are cut, so that a guest which
never ends costs a snapshot nothing."""


def read_windows_guest(
    entry: WindowsGuest, credential: Credential | None, limits: Limits, now: Clock, *, watch: Watch
) -> GuestReading:
    """Read it by one connection. Raise ReadError, which names that, where it as a whole can't be read."""
    deadline = time.monotonic() + limits.server
    endpoint = endpoint_of(entry, credential, limits)
    started = now()
    try:
        with Connection(endpoint, deadline=deadline) as connection:
            answers = _answers(Reader(connection, deadline, endpoint.server_seconds, now, watch))
    except ReadError as error:
        raise type(error)(f"{entry.connection}: {str(error).removeprefix(f'{endpoint}: ')}", why=error.why) from error
    return GuestReading(started=started, finished=now(), answers=answers)


def _answers(reader: Reader) -> dict[str, RowsOrUnread]:
    answers = {query.class_name: reader.answer(query) for query in QUERIES}
    answers |= {str(value): reader.invoke(CIMV2, REGISTRY, GET_STRING, value.arguments) for value in VALUES}
    return {name: _bounded(answer) for name, answer in answers.items()}


def _bounded(answer: RowsOrUnread) -> RowsOrUnread:
    if isinstance(answer, Unread):
        return answer
    letters = sum(len(name) + len(str(value)) for row in answer for name, value in row.items())
    if letters > MOST_LETTERS:
        return Unread(f"its answer is longer than {MOST_LETTERS:,} letters, which no guest needs", Why.TOO_LARGE)
    return answer
