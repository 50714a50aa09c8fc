"""What the servers of an inventory log in with: passwords of the environment, tickets of keytabs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compliance.credentials import Credential, find_credential
from compliance.inventory import Entry
from compliance.wsman.tickets import Ticket


def credentials_of(entries: Iterable[Entry], environ: Mapping[str, str]) -> dict[str, Credential]:
    """Each one once, by ``Entry.login``. UsageError where a variable or a keytab is missing or wrong.

    No KDC is asked here: the first server that needs a ticket does, in its own thread, so that the others go on.
    """
    entry_of = {entry.login: entry for entry in entries if entry.login}
    return {login: _credential(entry, environ) for login, entry in entry_of.items()}


def _credential(entry: Entry, environ: Mapping[str, str]) -> Credential:
    if entry.keytab is None:
        return find_credential(entry.credential or "", environ)
    ticket = Ticket(entry.keytab, entry.principal)
    return Credential(username=ticket.principal, password="", cache=ticket.cache)
