"""What we log in with to an inventory's servers and guests: passwords from where they are kept, tickets of keytabs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from compliance.credentials.find import Credential, find_credential
from compliance.inventory.entries import Entry
from compliance.inventory.guests import GuestEntry, WayIn
from compliance.inventory.inventory import CarriedLogin, Inventory
from compliance.secret import Secret
from compliance.words import MOST_OF_A_QUOTE, shorten
from compliance.world import World
from compliance.wsman.tickets import Ticket


def credentials_of(
    entries: Iterable[Entry | WayIn],
    inventory: Inventory,
    world: World,
    *,
    given: Mapping[str, Credential] | None = None,
) -> dict[str, Credential]:
    """Each one once, by ``Entry.login``; those that are ``given`` are there already. UsageError where one is missing.

    Those that came with the inventory are opened here, where servers are about to be read.

    No KDC is asked here: the first server that needs a ticket does, in its own thread, so that the others go on.
    """
    credentials = dict(given or {})
    for entry in entries:
        if entry.login and entry.login not in credentials:
            carried = inventory.logins.get(entry.login)
            credentials[entry.login] = (
                _opened(entry.login, carried) if carried else _credential(entry, inventory, world)
            )
    return credentials


def _opened(name: str, login: CarriedLogin) -> Credential:
    username, password = login()
    return Credential(username=username, password=Secret(password), origin=f"login `{name}` of the inventory")


def _credential(entry: Entry | WayIn, inventory: Inventory, world: World) -> Credential:
    if isinstance(entry, GuestEntry) or entry.keytab is None:
        return find_credential(entry.credential or "", world, inventory.credentials, inventory.path.parent)
    ticket = Ticket(entry.keytab, entry.principal)
    origin = f"keytab {shorten(str(entry.keytab), MOST_OF_A_QUOTE)}"
    return Credential(username=ticket.principal, password=Secret(""), cache=ticket.cache, origin=origin)
