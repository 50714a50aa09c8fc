"""Every error we raise on purpose. Callers tell them apart by class; people by the one line of text."""

from __future__ import annotations

from enum import StrEnum


class ComplianceError(Exception):
    """The root of all our errors. ``str(error)`` is one line: where, what, and what to do."""


class UsageError(ComplianceError):
    """Something that the user wrote or named is wrong: an option, a file, an environment variable. Exit code 4."""


class InventoryError(UsageError):
    """An inventory is missing, damaged or says something that it can't mean."""


class SnapshotError(UsageError):
    """A snapshot is missing, damaged, foreign, or of a newer format."""


class Why(StrEnum):
    """What stood between us and a server's answer; the text is what a report calls it."""

    UNREACHABLE = "unreachable"
    LOGIN_REFUSED = "login refused"
    LOGIN_IMPOSSIBLE = "login not possible"  # from here: nothing was sent, so no password counts as tried
    NOT_PERMITTED = "not permitted"
    NOT_HYPERV = "not Hyper-V"
    ABSENT = "class not on this version"
    REFUSED = "query refused"
    BUSY = "busy"
    TIMED_OUT = "timed out"
    TOO_LARGE = "too large"
    BROKEN = "protocol broken"
    INCOMPLETE = "incomplete"
    NOT_ASKED = "not asked for"  # by the version that wrote a snapshot, or of a server on which nothing replicates
    NO_GUEST_DATA = "the guest tells none"  # the server was asked and answered, and its guest gave it nothing


class ReadError(ComplianceError):
    """A server, or one class of it, could not be read. ``why`` says what a caller may do about it."""

    def __init__(self, reason: str, *, why: Why) -> None:
        super().__init__(reason)
        self.why = why


class LinkError(ReadError):
    """The connection itself failed: nothing more can be read over it, and no later request should be sent on it."""


class LostError(LinkError):
    """The connection stood and is gone: over a new one, what was under way may be started again."""
