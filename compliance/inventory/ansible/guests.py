"""Hosts of Ansible's as ways into guests: `ansible://HOST` becomes the entry that somebody would have written.

Windows guests are told by what servers are told by. For the others names and meanings are those of the connection
plugins ansible.builtin.ssh, paramiko_ssh and local as ansible-core 2.19 documents them; of several names for one thing
the later one wins. What tells Ansible how to work once it is in (`ansible_become`, the interpreter, pipelining) is of
no concern: one script is read there, and it needs no other account. What tells it how to get in and is not done here is
a mistake.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from compliance.errors import InventoryError
from compliance.files.yaml_file import MOST_MISTAKES
from compliance.inventory import guests as guest_entry
from compliance.inventory.ansible.hosts import Host, Literal, VariableValue
from compliance.inventory.ansible.logins import AnsibleLogins
from compliance.inventory.ansible.plugins import FALSE, TRUE
from compliance.inventory.ansible.read import HostReader, file_beside, listing_of
from compliance.inventory.ansible.templates import UnusableError, content_of, text_of
from compliance.inventory.ansible.variables import connection_of, last_of, not_windows, number_of
from compliance.inventory.document import SCHEMA
from compliance.inventory.guests import AnsibleGuest, GuestEntry, WayIn, WindowsGuest
from compliance.inventory.inventory import Inventory
from compliance.inventory.listener import Listener
from compliance.words import printable, quote

SCHEMES = {"ssh": "ssh", "smart": "ssh", "paramiko": "paramiko", "paramiko_ssh": "paramiko", "local": "local"}
ADDRESS = ("ansible_host", "ansible_ssh_host")
USER = ("ansible_user", "ansible_ssh_user")
PASSWORD = ("ansible_password", "ansible_ssh_pass", "ansible_ssh_password")
PORT = ("ansible_port", "ansible_ssh_port")
KEY = ("ansible_private_key_file", "ansible_ssh_private_key_file")
CHECKING = ("ansible_host_key_checking", "ansible_ssh_host_key_checking")
ARGUMENTS = ("ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args")
OF_PARAMIKO = {
    ADDRESS: ("ansible_paramiko_host",),
    USER: ("ansible_paramiko_user",),
    PASSWORD: ("ansible_paramiko_pass", "ansible_paramiko_password"),
    PORT: ("ansible_paramiko_port",),
    KEY: ("ansible_paramiko_private_key_file",),
    CHECKING: ("ansible_paramiko_host_key_checking",),
}
HARMLESS = frozenset(
    {
        *(f"ansible_ssh_{name}" for name in ("pipelining", "retries", "timeout", "transfer_method", "use_tty")),
        *(f"ansible_ssh_{name}" for name in ("verbosity", "password_mechanism")),
        *(f"ansible_paramiko_{name}" for name in ("pty", "timeout", "banner_timeout")),
    }
)
"""How Ansible works over the connection, and how long it waits: `limits` say that here."""
OWN = ("credential", "key", "ssh_config", "known_hosts", "verify")
"""Keys of our entry, which go before what the host's variables say."""


def with_guests(inventory: Inventory, environ: Mapping[str, str], listing_command: str | None) -> Inventory:
    """InventoryError with each entry whose host is not there, or says what can't be done here."""
    return _GuestsOfAnsible(inventory=inventory, environ=environ, listing_command=listing_command).whole()


@dataclass(kw_only=True, slots=True)
class _GuestsOfAnsible:
    inventory: Inventory
    environ: Mapping[str, str] = field(repr=False)
    listing_command: str | None
    mistakes: list[str] = field(default_factory=list)

    def whole(self) -> Inventory:
        entries = self.inventory.guests_of_ansible
        hosts = self._hosts({guest.inventory: None for _, guest in entries})
        logins = AnsibleLogins(environ=self.environ, reserved=frozenset(self._refused_credentials(hosts)))
        readers = {path: HostReader(path=path, logins=logins) for path in hosts}
        lines = dict(self.inventory.lines)
        taken = {guest.name.casefold(): lines[guest.name] for guest in self.inventory.guests}
        ways: list[WayIn] = []
        for line, guest in entries:
            if guest.inventory not in hosts:
                continue  # why, is told once
            try:
                way = _way(guest, _host(guest, hosts[guest.inventory]), readers[guest.inventory])
            except UnusableError as error:
                self._add(line, guest, *str(error).splitlines())
                continue
            if first := taken.get(way.name.casefold()):
                self._add(line, guest, f"{quote(way.name)} is on line {first} already")
            taken[way.name.casefold()] = lines[way.name] = line
            ways.append(way)
        if self.mistakes:
            raise InventoryError("\n".join(self.mistakes[:MOST_MISTAKES]))
        content = json.dumps([way.model_dump(mode="json") for way in ways], sort_keys=True)
        return replace(
            self.inventory,
            guests=tuple(sorted((*self.inventory.guests, *ways), key=lambda way: lines[way.name])),
            guests_of_ansible=(),
            lines=lines,
            logins={**self.inventory.logins, **logins.by_name},
            remarks=(*self.inventory.remarks, *(remark for reader in readers.values() for remark in reader.remarks())),
            digest=f"sha256:{hashlib.sha256((self.inventory.digest + content).encode()).hexdigest()}",
        )

    def _add(self, line: int, guest: AnsibleGuest, *reasons: str) -> None:
        place = f"{printable(str(self.inventory.path))}:{line}: {guest.connection}"
        self.mistakes += [f"{place}: {reason}" for reason in reasons]

    def _hosts(self, paths: Iterable[Path]) -> dict[Path, dict[str, Host]]:
        hosts = {}
        for path in paths:
            try:
                listing = listing_of(path, self.environ, self.listing_command)
            except InventoryError as error:
                self.mistakes += str(error).splitlines()
            else:
                hosts[path] = {host.name: host for host in listing.hosts}
        return hosts

    def _refused_credentials(self, hosts: Mapping[Path, Mapping[str, Host]]) -> Iterator[str]:
        """Credentials whose names no login of Ansible's may take: it would be tried on their servers."""
        yield from self.inventory.credentials
        for peer in (*self.inventory.known, *(guest for _, guest in self.inventory.guests_of_ansible)):
            yield (peer.credential or "").casefold()
        for host in (host for by_name in hosts.values() for host in by_name.values()):
            with suppress(UnusableError):
                yield (text_of(host, "hyperv_credential") or "").casefold()


def _host(guest: AnsibleGuest, hosts: Mapping[str, Host]) -> Host:
    name = guest.connection.partition("://")[2]
    if name not in hosts:
        near = next(iter(get_close_matches(name, hosts, 1)), None)
        hint = f" (did you mean {quote(near)}?)" if near else ""
        raise UnusableError(f"{printable(str(guest.inventory))} lists no host {quote(name)}{hint}")
    return hosts[name]


def _way(guest: AnsibleGuest, host: Host, reader: HostReader) -> WayIn:
    """UnusableError with a line for each mistake."""
    try:
        is_windows = not_windows(host) is None
        way = _windows(guest, host, reader) if is_windows else _shell(guest, host, reader.logins)
    except UnusableError as error:
        mistakes = str(error).splitlines()
        at = printable(f"{host.origin}: {host.name}: ")
        raise UnusableError("\n".join(text if text.startswith(at) else at + text for text in mistakes)) from None
    if wrong := [f"{key}: {reason}" for key, reason in guest_entry.conflicts(way)]:
        raise UnusableError("\n".join(wrong))
    return way


# --- ssh, paramiko, local ---------------------------------------------------------------------------------------------


def _shell(guest: AnsibleGuest, host: Host, logins: AnsibleLogins) -> GuestEntry:
    kind = connection_of(host)
    if kind not in SCHEMES:
        raise UnusableError(f"ansible_connection: {quote(kind)} is none of {', '.join((*SCHEMES, 'winrm', 'psrp'))}")
    own = {key: getattr(guest, key) for key in OWN if key in guest.model_fields_set}
    if SCHEMES[kind] == "local":  # nothing else is read of the host: Ansible's plugin has no use for it either
        return GuestEntry(machine=guest.machine, connection="local://").model_copy(update=own)
    of_plugin = OF_PARAMIKO if SCHEMES[kind] == "paramiko" else {}
    credential, user = _credential(guest, host, of_plugin, logins)
    scheme = "paramiko" if credential else SCHEMES[kind]
    _check(guest, host, scheme, SCHEMES[kind], (*CHECKING, *of_plugin.get(CHECKING, ())))
    keys: dict[str, object] = {"machine": guest.machine}
    keys["connection"] = _connection(scheme, "" if credential else user or "", host, of_plugin)
    key, variable = (None, "") if "key" in own else last_of(host, (*KEY, *of_plugin.get(KEY, ())))
    if key is not None:
        keys["key"] = file_beside(key, guest.inventory.parent)
    try:
        entry = GuestEntry.model_validate(keys, context=guest.inventory.parent)
    except ValidationError as error:
        wrong = error.errors(include_url=False)
        places = {"key": variable, "connection": "address, user and port"}
        mistakes = [
            (places.get(str(detail["loc"][0]), str(detail["loc"][0])), SCHEMA.message(detail)) for detail in wrong
        ]
        raise UnusableError("\n".join(f"{name}: {text}" for name, text in mistakes)) from None
    return entry.model_copy(update={"credential": credential, **own})


VariableNames = tuple[str, ...]


def _credential(
    guest: AnsibleGuest, host: Host, of_plugin: Mapping[VariableNames, VariableNames], logins: AnsibleLogins
) -> tuple[str | None, str | None]:
    """Return the credential, where there is a password, and the user, which a credential of ours has itself."""
    ours = guest.credential or text_of(host, "hyperv_credential")
    if ours:
        return ours, None
    user, _ = last_of(host, (*USER, *of_plugin.get(USER, ())))
    names = (*PASSWORD, *of_plugin.get(PASSWORD, ()))
    password = next((name for name in reversed(names) if content_of(host, name) is not None), None)
    if password is None:
        return None, user
    if not user:
        raise UnusableError(f"{password}: the host has no ansible_user")
    return logins.take(host, user, password), user


def _connection(scheme: str, user: str, host: Host, of_plugin: Mapping[VariableNames, VariableNames]) -> str:
    address, _ = last_of(host, (*ADDRESS, *of_plugin.get(ADDRESS, ()), "hyperv_address"))
    port, variable = last_of(host, (*PORT, *of_plugin.get(PORT, ()), "hyperv_port"))
    behind = "" if port is None else f":{number_of(port, variable)}"
    return f"{scheme}://{f'{user}@' if user else ''}{_bracketed(address or host.name)}{behind}"


def _bracketed(address: str) -> str:
    address = address.strip().strip("[]")
    return f"[{address}]" if ":" in address else address


def _check(guest: AnsibleGuest, host: Host, scheme: str, plugin: str, checking: VariableNames) -> None:
    """UnusableError for each variable that says how to get in, and is not taken."""
    taken = {
        *ADDRESS,
        *USER,
        *PASSWORD,
        *PORT,
        *KEY,
        *CHECKING,
        *(name for names in OF_PARAMIKO.values() for name in names),
    }
    prefixes = r"ansible_(ssh_|private_key)" if plugin == "ssh" else r"ansible_(ssh_|paramiko_|private_key)"
    wrong = []
    for name in sorted(host.variables):
        if content_of(host, name) is None or not re.match(prefixes, name) or name in taken | HARMLESS:
            continue
        if name not in ARGUMENTS:
            wrong.append(f"{name}: can't be done here; write this guest's entry by hand, with ssh:// and `ssh_config:`")
        elif scheme != "ssh":
            wrong.append(f"{name}: needs `ssh://`, which takes a key; this host logs in with a password or paramiko")
        elif guest.ssh_config is None:
            wrong.append(
                f"{name}: is not taken over: say the same in a file and name it as `ssh_config:` in this entry"
            )
    for name in () if "verify" in guest.model_fields_set else checking:
        text = (text_of(host, name) or "").strip().lower()
        if text and text not in TRUE | FALSE:
            wrong.append(f"{name}: expected `true` or `false`, got {quote(text)}")
        elif text in FALSE:
            wrong.append(
                f"{name}: host keys are checked here; say `verify:` in this entry, true, or false to accept any"
            )
    if wrong:
        raise UnusableError("\n".join(map(printable, wrong)))


# --- Windows ----------------------------------------------------------------------------------------------------------


def _windows(guest: AnsibleGuest, host: Host, reader: HostReader) -> WindowsGuest:
    """As a server of the same variables would be reached."""
    if useless := [key for key in ("key", "ssh_config", "known_hosts") if key in guest.model_fields_set]:
        raise UnusableError("\n".join(f"{key}: `winrm://` has no use for it" for key in useless))
    own = {"hyperv_credential": guest.credential} if guest.credential else {}
    own |= {"hyperv_verify": str(guest.verify)} if "verify" in guest.model_fields_set else {}
    values = {name: VariableValue(content=Literal(text), origin="this entry") for name, text in own.items()}
    before = len(reader.mistakes)
    reader.take(replace(host, variables={**host.variables, **values}))
    if wrong := reader.mistakes[before:]:
        raise UnusableError("\n".join(wrong))
    entry, remarks = reader.entries[host.name], reader.translated[host.name]
    for key, usual in (("path", "/wsman"), ("kerberos_host", None)):
        if getattr(entry, key) != usual:
            raise UnusableError(
                f"{remarks.variables[key]}: is for servers alone; take it away, or reach this guest otherwise"
            )
    try:
        return WindowsGuest(
            machine=guest.machine,
            connection=f"winrm://{_bracketed(entry.address)}:{entry.port}",
            **{key: getattr(entry, key) for key in Listener.model_fields},
        )
    except ValidationError as error:
        raise UnusableError(f"its address: {SCHEMA.message(error.errors(include_url=False)[0])}") from None
