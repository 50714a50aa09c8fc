"""One way into a guest, as an inventory says it: a shell over ssh, a Windows guest's own WinRM listener, or a host of
Ansible's that is one of the two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from compliance.files.keys import CREDENTIAL, File, Globs, Model
from compliance.inventory import listener
from compliance.inventory.listener import PORTS, Listener
from compliance.words import quote

ADDRESS = r"([A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?"
CONNECTION = rf"^(local://|(ssh|paramiko)://([A-Za-z0-9_.\\-]+@)?{ADDRESS})$"
WINRM = rf"^winrm://{ADDRESS}$"
ANSIBLE = "^ansible://[A-Za-z0-9_][A-Za-z0-9._:-]*$"


def check_connection(value: str) -> str:
    """A way into a guest. What is written in place of one is not echoed where it may hold a password."""
    match = re.fullmatch(CONNECTION, value)
    if match and (not match[5] or 0 < int(match[5][1:]) < 65536):
        return value
    if re.search(":[^/]*@", value):
        raise ValueError("a password has no place here: name a `credential` (paramiko), or take a key (ssh)")
    ways = "`ssh://[user@]host[:port]`, `paramiko://[user@]host[:port]`, `winrm://host[:port]`, `ansible://host` or `local://`"
    raise ValueError(f"expected {ways}, got {quote(value)}")


def check_listening(value: str) -> str:
    """Where a Windows guest listens; what stands in place of it is not echoed either."""
    match = re.fullmatch(WINRM, value)
    if match and (not match[2] or 0 < int(match[2][1:]) < 65536):
        return value
    if "@" in value:
        raise ValueError("nobody's name has a place here: the `credential` has it")
    raise ValueError(f"expected `winrm://host[:port]`, got {quote(value)}")


def check_ansible_host(value: str) -> str:
    """A host of Ansible's, by its name there alone."""
    if re.fullmatch(ANSIBLE, value):
        return value
    raise ValueError("expected `ansible://host`, with the host's name in the `inventory` and nothing else")


ConnectionURL = Annotated[
    str, AfterValidator(check_connection), WithJsonSchema({"type": "string", "pattern": CONNECTION, "maxLength": 300})
]

Listening = Annotated[
    str, AfterValidator(check_listening), WithJsonSchema({"type": "string", "pattern": WINRM, "maxLength": 300})
]

AnsibleHost = Annotated[
    str, AfterValidator(check_ansible_host), WithJsonSchema({"type": "string", "pattern": ANSIBLE, "maxLength": 300})
]


class GuestEntry(Model):
    """One way into a guest."""

    machine: Globs
    """Whose guest it is: the machine's name, server/name or GUID, a pattern (`*`, `?`) or a list of them."""
    connection: ConnectionURL
    """ssh://[user@]host[:port] by OpenSSH, paramiko://[user@]host[:port] with a password, local:// for this machine."""
    credential: Annotated[str, Field(pattern=CREDENTIAL, max_length=60)] | None = None
    """As for servers; for paramiko:// only, since ssh takes keys, an agent, or what its configuration says."""
    key: File | None = None
    """A private key; relative to the inventory's folder."""
    ssh_config: File | None = None
    """OpenSSH's configuration in place of your own, for jump hosts and more; relative to the inventory's folder."""
    known_hosts: File | None = None
    """Host keys that we trust instead of your own list; relative to the inventory's folder."""
    verify: bool = True
    """false accepts any host key: whoever stands in between can read and change what we see."""

    @property
    def name(self) -> str:
        """As snapshots and reports call it."""
        return self.connection

    @property
    def login(self) -> str | None:
        """As an Entry's."""
        return self.credential

    @property
    def scheme(self) -> str:
        return self.connection.partition(":")[0]

    @property
    def endpoint(self) -> str:
        """``[user@]host[:port]``."""
        return self.connection.partition("://")[2]


class WindowsGuest(Listener):
    """One way into a Windows guest: its WinRM listener, by the keys of a server's."""

    machine: Globs
    """Whose guest it is: the machine's name, server/name or GUID, a pattern (`*`, `?`) or a list of them."""
    connection: Listening
    """winrm://host[:port]; the port, if left out, is its scheme's."""

    @property
    def name(self) -> str:
        """As snapshots and reports call it."""
        return self.connection

    @property
    def address(self) -> str:
        return self._parts[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self._parts[1][1:]) if self._parts[1] else PORTS[self.scheme]

    @property
    def path(self) -> str:
        return "/wsman"

    @property
    def kerberos_host(self) -> None:
        """Its ticket is for the name that it is reached by."""

    @property
    def _parts(self) -> tuple[str, str]:
        match = re.fullmatch(WINRM, self.connection)
        assert match  # noqa: S101  # else there would be no entry
        return match[1], match[2] or ""


class AnsibleGuest(Model):
    """One way into a guest that an inventory of Ansible's knows: becomes one of the others as soon as that is read."""

    machine: Globs
    """Whose guest it is: the machine's name, server/name or GUID, a pattern (`*`, `?`) or a list of them."""
    connection: AnsibleHost
    """ansible://HOST, by the host's name in `inventory`."""
    inventory: File
    """Ansible's; relative to the inventory's folder. Its variables say how the guest is reached."""
    credential: Annotated[str, Field(pattern=CREDENTIAL, max_length=60)] | None = None
    """In place of the host's own password."""
    key: File | None = None
    """In place of the host's own private key, for ssh; relative to the inventory's folder."""
    ssh_config: File | None = None
    """In place of what the host's variables tell ssh, for jump hosts and more; relative to the inventory's folder."""
    known_hosts: File | None = None
    """Host keys that we trust instead of your own list; relative to the inventory's folder."""
    verify: bool = True
    """As elsewhere. A host's variables that switch the check of host keys off do not count before this is said."""


WayIn = GuestEntry | WindowsGuest


def model_of(value: object) -> type[GuestEntry | WindowsGuest | AnsibleGuest]:
    """Which of the three an entry of a file means to be."""
    connection = value.get("connection") if isinstance(value, dict) else None
    scheme = connection.partition("://")[0] if isinstance(connection, str) else ""
    if scheme == "winrm":
        return WindowsGuest
    return AnsibleGuest if scheme == "ansible" else GuestEntry


def conflicts(entry: WayIn) -> Iterator[tuple[str, str]]:
    return listener.conflicts(entry) if isinstance(entry, WindowsGuest) else _shell_conflicts(entry)


def _shell_conflicts(entry: GuestEntry) -> Iterator[tuple[str, str]]:
    no_use = f"`{entry.scheme}://` has no use for it"
    if entry.credential is not None and entry.scheme == "ssh":
        yield "credential", f"{no_use}: OpenSSH takes a `key`, an agent, or what `ssh_config` says"
    if entry.credential is not None and entry.scheme == "paramiko" and "@" in entry.endpoint:
        yield "connection", "names a user, and so does the `credential`; keep one of the two"
    if entry.ssh_config is not None and entry.scheme == "paramiko":
        yield "ssh_config", f"{no_use}: take `ssh://` for jump hosts"
    if not entry.verify and entry.known_hosts is not None:
        yield "known_hosts", "nobody looks at it with `verify: false`"
    if entry.scheme == "local":
        for key in ("credential", "key", "ssh_config", "known_hosts"):
            if getattr(entry, key) is not None:
                yield key, no_use
        if not entry.verify:
            yield "verify", no_use
