"""What is wrong, for each cause: to stand above the machines that have it."""

from __future__ import annotations

from collections.abc import Mapping

from compliance.rules.evidence.causes import Cause

HEADINGS: Mapping[Cause, str] = {
    Cause.SERVER_UNREAD: "their server was not read",
    Cause.OFFER_OFF: "Data Exchange is switched off in the settings of the virtual machine",
    Cause.GUEST_NO_CONTACT: "the Data Exchange service never answered",
}


def cause_heading(cause: str) -> str:
    """Return what is wrong, to stand after ``8 machines: ``; empty where the cause is none of ours."""
    return HEADINGS.get(cause, "")  # type: ignore[call-overload, no-any-return]  # a cause is its key
