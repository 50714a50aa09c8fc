"""Logins that come with an inventory of Ansible's: which credential each is called, and how its password is had."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial

from compliance.errors import UsageError
from compliance.inventory.ansible import by_ansible
from compliance.inventory.ansible.hosts import Host
from compliance.inventory.ansible.templates import UnusableError, text_of
from compliance.inventory.inventory import CarriedLogin
from compliance.words import printable

NAMES_ITSELF = "ansible"
"""The credential's name where a host names no user."""


@dataclass(kw_only=True, slots=True)
class AnsibleLogins:
    """Hosts that say the same user and password share one, so that a wrong password is tried on few of them."""

    environ: Mapping[str, str] = field(repr=False)
    reserved: frozenset[str]  # credentials that are no login of Ansible's, in small letters
    by_name: dict[str, CarriedLogin] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)  # user and password -> credential

    def take(self, host: Host, user: str, variable: str | None) -> str:
        """The credential's name; ``variable`` holds the password. UnusableError where that can't be understood."""
        # Neither a vault nor the environment is opened: such a password is told from others by how it is written.
        written = text_of(host, variable, lambda cipher: cipher, lambda name: f"env {name}") if variable else None
        name = self._credential(user, written or "")
        if user and variable:
            self.by_name.setdefault(name, partial(_login, host, user, variable, self._open(host, variable)))
        return name

    def _credential(self, user: str, written: str) -> str:
        if (user, written) not in self._names:
            word = re.sub(r"\W+", "_", re.split(r"[\\@]", user.partition("@")[0])[-1], flags=re.ASCII).strip("_")
            word = (word if word[:1].isalpha() else f"{NAMES_ITSELF}_{word}".strip("_"))[:50]
            taken = {name.casefold() for name in self._names.values()} | self.reserved
            numbers = (f"{word}_{number}" for number in range(2, len(taken) + 3))
            free = next(name for name in (word, *numbers) if name.casefold() not in taken)
            self._names[user, written] = free
        return self._names[user, written]

    def _open(self, host: Host, variable: str) -> Callable[[str], str]:
        place = printable(f"{host.origin}: {host.name}: {variable}")
        return cache(lambda cipher: by_ansible.decrypt(cipher, place, self.environ))


def _login(host: Host, user: str, variable: str, open_vault: Callable[[str], str]) -> tuple[str, str]:
    try:
        return user, text_of(host, variable, open_vault) or ""
    except UnusableError as error:
        raise UsageError(printable(f"{host.origin}: {host.name}: {error}")) from None
