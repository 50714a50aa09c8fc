"""Ansible inventory -> our inventory: its Windows hosts as entries, and every host that is none told by its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from compliance.errors import InventoryError
from compliance.files.yaml_file import MOST_MISTAKES
from compliance.gate.policy import DEFAULT, read_policy
from compliance.inventory.ansible import by_ansible, without_ansible
from compliance.inventory.ansible.hosts import AnsibleHosts, Host
from compliance.inventory.ansible.logins import AnsibleLogins
from compliance.inventory.ansible.templates import UnusableError, text_of
from compliance.inventory.ansible.variables import BY_DEFAULT, HostKeys, estate_text, not_windows, translate_host
from compliance.inventory.document import SCHEMA
from compliance.inventory.entries import Entry, Limits, conflicts
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import Limit
from compliance.words import join_names, plural, printable, quote

MOST_NAMES = 10
IN_CLEAR = "Ansible's default for http without a user@domain is Basic, whose password everybody reads: set"
UNUSED = "is not used for kerberos: whoever runs this needs a ticket (kinit), or set hyperv_keytab"


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsibleReading:
    """An inventory, and what its entries came from, for who wants to show it."""

    inventory: Inventory
    listing: AnsibleHosts
    entries: Mapping[str, HostKeys]  # by server's name


def read_ansible(
    path: Path, *, limit: Limit, environ: Mapping[str, str], listing_command: str | None
) -> AnsibleReading:
    """InventoryError for each host that is Windows and can't be used; UsageError where ``limit`` meets nothing."""
    listing, where = listing_of(path, environ, listing_command), printable(str(path))
    chosen = limit.chosen({host.name: (*host.groups, "all") for host in listing.hosts})
    hosts = [host for host in sorted(listing.hosts, key=lambda a_host: a_host.name) if host.name in chosen]
    reader = HostReader(path=path, logins=AnsibleLogins(environ=environ, reserved=frozenset(_own_credentials(hosts))))
    for host in hosts:
        reader.take(host)
    reader.check(where, len(chosen))
    left_out = sorted(host.name for host in listing.hosts if host.name not in chosen)
    return AnsibleReading(
        inventory=reader.inventory(limit, tuple(left_out)), listing=listing, entries=reader.translated
    )


def listing_of(path: Path, environ: Mapping[str, str], listing_command: str | None) -> AnsibleHosts:
    """Every host of it, of which there is one at least."""
    if listing_command:
        listing = _with_places(by_ansible.list_hosts(path, listing_command, environ), path)
    else:
        listing = without_ansible.list_hosts(path)
    if not listing.hosts:
        raise InventoryError(f"{printable(str(path))}: lists no host")
    return replace(listing, hosts=tuple(replace(host, environ=environ) for host in listing.hosts))


def _own_credentials(hosts: Iterable[Host]) -> Iterator[str]:
    """Credentials of our own kind, whose names no login of Ansible's may take."""
    for host in hosts:
        with suppress(UnusableError):
            yield (text_of(host, "hyperv_credential") or "").casefold()


def _with_places(listing: AnsibleHosts, path: Path) -> AnsibleHosts:
    """Ansible tells no lines. Where our own reading finds the same host or value, the place is that one's."""
    try:
        known = {host.name: host for host in without_ansible.list_hosts(path).hosts}
    except InventoryError:  # plugins, vaults: it knows less then
        known = {host.name: host for host in without_ansible.places(path)}
    hosts = []
    for host in listing.hosts:
        mine = known.get(host.name, host)
        file, line, also = mine.file, mine.line, mine.variables
        variables = {
            name: also[name] if name in also and also[name].content == value.content else value
            for name, value in host.variables.items()
        }
        hosts.append(replace(host, file=file, line=line, variables=variables))
    return replace(listing, hosts=tuple(hosts))


@dataclass(kw_only=True, slots=True)
class HostReader:
    """Takes host by host, and remembers what was wrong."""

    path: Path
    logins: AnsibleLogins
    entries: dict[str, Entry] = field(default_factory=dict)
    hosts: dict[str, Host] = field(default_factory=dict)
    translated: dict[str, HostKeys] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # hosts that are not Windows
    unused: list[str] = field(default_factory=list)  # hosts whose password nobody needs

    def take(self, host: Host) -> None:
        try:
            if not_windows(host):
                self.others.append(host.name)
                return
            keys = translate_host(host)
            self._log_in(host, keys)
        except UnusableError as error:
            self.mistakes.append(mistake_of(host, error))
            return
        entry = self._entry(host, keys)
        if entry is not None:
            self.entries[host.name], self.hosts[host.name], self.translated[host.name] = entry, host, keys

    def check(self, where: str, count: int) -> None:
        """What one host says of another, and whether there is any."""
        self.mistakes += _doubled(self.hosts, self.entries)
        if not self.entries and not self.mistakes:
            what = f"none of its {count} hosts is Windows (`ansible_connection` winrm or psrp): {_some(self.others)}"
            self.mistakes.append(f"{where}: {what}")
        if self.mistakes:
            if len(self.mistakes) > MOST_MISTAKES:
                self.mistakes[MOST_MISTAKES:] = [f"{where}: and {len(self.mistakes) - MOST_MISTAKES} more mistakes"]
            raise InventoryError("\n".join(self.mistakes))

    def inventory(self, limit: Limit, left_out: tuple[str, ...]) -> Inventory:
        where = printable(str(self.path))
        try:
            name = estate_text(self.hosts, "hyperv_estate") or self.path.absolute().stem
            policy = estate_text(self.hosts, "hyperv_policy")
        except UnusableError as error:
            raise InventoryError(f"{where}: {error}") from None
        entries = tuple(self.entries.values())
        content = json.dumps([entry.model_dump(mode="json") for entry in entries], sort_keys=True)
        return Inventory(
            name=_estate(name, where),
            servers=entries,
            snapshot=None,
            limits=Limits(),
            policy=DEFAULT.after(read_policy(_folder(self.path) / policy)) if policy else DEFAULT,
            may_be_empty=False,
            path=self.path,
            digest=f"sha256:{hashlib.sha256(content.encode()).hexdigest()}",
            lines={name: host.line for name, host in self.hosts.items() if host.line},
            files={name: host.file for name, host in self.hosts.items() if host.line and host.file != where},
            logins=self.logins.by_name,
            remarks=tuple(self.remarks()),
            limit=limit.pattern,
            left_out=left_out,
        )

    def remarks(self) -> Iterator[str]:
        """For every run, one line of each kind."""
        if self.others:
            yield f"not Windows, so not read: {_some(self.others)}"
        if self.unused:
            yield f"a password {UNUSED}: {_some(self.unused)}"

    def _entry(self, host: Host, keys: HostKeys) -> Entry | None:
        values = {"name": host.name, "groups": list(host.groups), **keys.keys}
        for key in ("ca", "certificate", "key", "keytab"):
            if isinstance(file := values.get(key), str):
                values[key] = file_beside(file, _folder(self.path))
        try:
            entry = Entry.model_validate(values, context=_folder(self.path))
        except ValidationError as error:
            self.mistakes += [
                mistake_of(host, f"{_variable_of(keys, str(detail['loc'][0]))}: {SCHEMA.message(detail)}")
                for detail in error.errors(include_url=False)
                if detail["type"] != "default_factory_not_called"
            ]
            return None
        wrong = [mistake_of(host, _conflict_text(keys, *detail)) for detail in conflicts(entry)]
        self.mistakes += wrong
        return None if wrong else entry

    def _log_in(self, host: Host, keys: HostKeys) -> None:
        """Name the credential: ours, where a variable says so; else the one that came with the inventory."""
        if keys.keys["transport"] not in ("ntlm", "credssp", "basic"):
            if keys.keys["transport"] == "kerberos" and keys.password and "keytab" not in keys.keys:
                keys.remarks.append(f"{keys.password} {UNUSED}")
                self.unused.append(host.name)
            return
        if "credential" in keys.keys:
            return
        keys.set("credential", self.logins.take(host, keys.user or "", keys.password), keys.password or "ansible_user")


def mistake_of(host: Host, reason: object) -> str:
    """Return the line that says what is wrong with a host: a dynamic source may call it anything."""
    return printable(f"{host.origin}: {host.name}: {reason}")


def _variable_of(keys: HostKeys, key: str) -> str:
    return keys.variables.get(key, "the host's name" if key == "name" else key)


def _conflict_text(keys: HostKeys, key: str, reason: str) -> str:
    variable = _variable_of(keys, key)
    if key == "scheme" and keys.keys["transport"] == "basic":
        transport = keys.variables["transport"]
        if BY_DEFAULT in transport:
            return f"{IN_CLEAR} {transport.partition(',')[0]} to ntlm, or hyperv_transport"
        return f"{transport}: Basic over http, whose password everybody reads (hyperv_cleartext=true allows it)"
    return f"{variable}: {reason}"


def _doubled(hosts: Mapping[str, Host], entries: Mapping[str, Entry]) -> Iterator[str]:
    names: dict[str, str] = {}
    endpoints: dict[tuple[str, int, str], str] = {}
    for name, entry in entries.items():
        first = names.setdefault(name.casefold(), name)
        if first != name:
            yield mistake_of(hosts[name], f"is {first} ({hosts[first].origin}) already, in other letters")
            continue
        first = endpoints.setdefault((entry.address.casefold(), entry.port, entry.path), name)
        if first != name:
            place = f"{hosts[first].origin})" if hosts[first].line else f"{hosts[first].file})"
            yield mistake_of(hosts[name], f"listens where {first} does ({place}: {quote(entry.address)}")


def _estate(name: str, where: str) -> str:
    try:
        Entry.model_validate({"name": name})
    except ValidationError as error:
        message = SCHEMA.message(error.errors(include_url=False)[0])
        raise InventoryError(f"{where}: the estate's name: {message} (set hyperv_estate for all hosts)") from None
    return name


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def file_beside(name: str, folder: Path) -> Path:
    """Beside the inventory; or where Ansible looks for it, in the working folder."""
    path = Path(name).expanduser()
    return path if (folder / path).exists() or not path.exists() else path.absolute()


def _some(names: Sequence[str]) -> str:
    return f"{plural(len(names), 'host')} ({join_names(names, MOST_NAMES)})"
