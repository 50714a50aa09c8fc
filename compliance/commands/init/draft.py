"""What the answers come to: an inventory of ours, as short as it can be. What is tried is what is written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from compliance.commands.doctor.one_server import WITH_A_PASSWORD, address_and_port
from compliance.inventory.as_yaml import item, scalar
from compliance.inventory.listener import PORTS
from compliance.program import PROGRAM

CREDENTIAL = "audit"
"""The credential's name: COMPLIANCE_AUDIT_PASSWORD goes before the prompt."""
PASSWORD = f"COMPLIANCE_{CREDENTIAL.upper()}_PASSWORD"


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftServer:
    """One server: ``typed`` is HOST or HOST:PORT, ``site`` empty where none was named, ``scheme`` as it was found.
    ``label`` is its name where another port of the same host has the host's own."""

    typed: str
    label: str = ""
    site: str = ""
    scheme: str = "https"

    @property
    def address(self) -> str:
        return address_and_port(self.typed)[0]

    @property
    def port(self) -> int | None:
        return address_and_port(self.typed)[1]

    @property
    def name(self) -> str:
        """The name in ids and reports, where letters, digits, `.`, `_` and `-` are allowed."""
        return self.label or re.sub(r"[^\w.-]", "-", self.address)

    @property
    def keys(self) -> Mapping[str, object]:
        """What stands at the server itself."""
        keys: dict[str, object] = {"name": self.name}
        if self.name != self.address:
            keys["address"] = self.address
        if self.site:
            keys["site"] = self.site
        if self.scheme != "https":
            keys["scheme"] = self.scheme
        if self.port not in (None, PORTS[self.scheme]):
            keys["port"] = self.port
        return keys


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """The servers, and what all of them share. ``ca`` is as typed, from the working folder."""

    hosts: tuple[DraftServer, ...]
    transport: str = "ntlm"
    username: str = ""
    ca: str = ""
    verify: bool = True
    path: Path = field(default_factory=lambda: Path("site.yaml"))

    @property
    def needs_password(self) -> bool:
        return self.transport in WITH_A_PASSWORD

    @property
    def yaml(self) -> str:
        """The file's text. No password is in it."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"# Written by `{PROGRAM} init`. `{PROGRAM} schema inventory --out inventory.schema.json` has every key."
        yield "servers:"
        for host in self.hosts:
            yield from item(host.keys)
        yield "defaults:"
        for key, value in self._defaults().items():
            yield f"  {key}: {scalar(value)}"
        if self.needs_password:
            yield "credentials:"
            yield f"  {CREDENTIAL}:"
            yield f"    username: {scalar(self.username)}"
            yield f"    prompt: true  # asked for on a terminal; where none is, {PASSWORD} holds the password"
            yield "                  # or, in place of prompt: keyring, password_command or password_file"

    def _defaults(self) -> Mapping[str, object]:
        keys: dict[str, object] = {"transport": self.transport}
        if self.needs_password:
            keys["credential"] = CREDENTIAL
        elif self.username:
            keys["principal"] = self.username
        if self.ca:
            keys["ca"] = from_folder(self.ca, self.path.absolute().parent)
        if not self.verify:
            keys["verify"] = False
        return keys


def from_folder(file: str, folder: Path) -> str:
    """Return the name of a file as an inventory in ``folder`` says it: relative, but for one on another drive."""
    path = Path(file).expanduser().absolute()
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # on another drive
        return str(path)


def hosts_of(typed: str, site: str, known: Sequence[DraftServer] = ()) -> tuple[DraftServer, ...]:
    """Return the servers that were typed, separated by blanks or commas, each once and none of ``known``."""
    words = {host.typed.casefold() for host in known}
    names = {host.name.casefold() for host in known}
    hosts: list[DraftServer] = []
    for word in filter(None, re.split(r"[\s,;]+", typed)):
        if word.casefold() in words:
            continue
        host = DraftServer(typed=word, site=site)
        if host.name.casefold() in names and host.port is not None:
            host = replace(host, label=f"{host.name}-{host.port}")
        words.add(word.casefold())
        names.add(host.name.casefold())
        hosts.append(host)
    return tuple(hosts)
