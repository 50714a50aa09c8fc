"""The command that finds out why a server can't be read."""

from __future__ import annotations

from compliance.model import Unread
from compliance.program import A_FILE, doctor_command
from compliance.rules.remedies.case import RemedyCase
from compliance.rules.remedies.command import Command, Shell
from compliance.rules.remedies.quoting import SERVER_NAME

HERE = "where this suite runs"


def ask_doctor(case: RemedyCase) -> Command | None:
    """Return the doctor's command for the server that the finding is about."""
    return _ask(case.server)


def ask_doctor_there(case: RemedyCase) -> Command | None:
    """Return the doctor's command for the server of the other side; for the finding's own where that was not seen."""
    partner = case.vm.partner if case.vm else None
    return _ask(case.server if partner is None or isinstance(partner, Unread) else partner.server)


def _ask(server: str) -> Command | None:
    """The doctor takes patterns: a name that is one, or that a shell would read otherwise, gets no command."""
    return Command(Shell.SH, HERE, doctor_command(A_FILE, server)) if SERVER_NAME.fullmatch(server) else None
