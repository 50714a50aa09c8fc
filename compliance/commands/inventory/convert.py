"""`inventory convert`: an inventory of Ansible's as one of ours, without its passwords."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from compliance.errors import UsageError
from compliance.inventory.ansible.hosts import Host
from compliance.inventory.ansible.read import AnsibleReading
from compliance.inventory.ansible.templates import UnusableError, text_of
from compliance.inventory.as_yaml import item, scalar
from compliance.inventory.entries import Entry, ServerKeys
from compliance.inventory.limit import Limit
from compliance.inventory.read import is_ansible, translate_ansible
from compliance.words import printable
from compliance.world import World

TO_FILL_IN = "..."


def convert(file: Path, limit: Limit, world: World, *, folder: Path | None, is_windows: bool) -> Iterator[str]:
    """Return the lines. ``folder`` is where they are written to, to which names of files become relative; the
    inventory's own, if that is not known. UsageError where the file is none of Ansible's."""
    if not is_ansible(file):
        raise UsageError(f"{printable(str(file))}: no inventory of Ansible's, so there is nothing to convert")
    return _lines(translate_ansible(file, limit, world), folder, is_windows=is_windows)


def _lines(reading: AnsibleReading, folder: Path | None, *, is_windows: bool) -> Iterator[str]:
    inventory = reading.inventory
    folder = folder or (inventory.path if inventory.path.is_dir() else inventory.path.parent)
    keys_of = {entry.name: _own_keys(entry, folder) for entry in inventory.servers}
    shared = _shared_keys(list(keys_of.values()))
    yield f"# Converted from {reading.listing.how}. Files are relative to {printable(str(folder))}."
    for remark in inventory.remarks:
        yield f"# {printable(remark[:1].upper() + remark[1:])}."
    yield from _variables_to_set(reading, is_windows=is_windows)
    yield f"name: {scalar(inventory.name)}"
    yield "servers:"
    for name, keys in keys_of.items():
        own = {key: value for key, value in keys.items() if key not in shared}
        yield from item({"name": name} | own, "; ".join(map(printable, reading.entries[name].remarks)))
    if shared:
        yield "defaults:"
        yield from (f"  {key}: {scalar(value)}" for key, value in shared.items())


def _variables_to_set(reading: AnsibleReading, *, is_windows: bool) -> Iterator[str]:
    """Yield, as comments, the variables that hold what is not written here."""
    hosts = {host.name: host for host in reading.listing.hosts}
    users: dict[str, str] = {}
    for entry in reading.inventory.servers:
        if entry.credential is not None:
            users.setdefault(entry.credential, _user_of(hosts[entry.name], reading.entries[entry.name].user))
    if users:
        yield "# No password is written here. Before a run, set:"
    for name, user in users.items():
        variables = {f"COMPLIANCE_{name.upper()}_USERNAME": user, f"COMPLIANCE_{name.upper()}_PASSWORD": TO_FILL_IN}
        yield f"#     {shell_line(variables, is_windows=is_windows)}"


def shell_line(variables: dict[str, str], *, is_windows: bool) -> str:
    """Return the line that sets them: PowerShell's on Windows, a POSIX shell's elsewhere."""
    if is_windows:
        return "; ".join(f"$env:{name} = '{_doubled(value)}'" for name, value in variables.items())
    quoted = {name: "'" + printable(value).replace("'", "'\\''") + "'" for name, value in variables.items()}
    return "export " + " ".join(f"{name}={value}" for name, value in quoted.items())


def _doubled(text: str) -> str:
    """PowerShell ends a text at each of five kinds of single quotes, unless it is doubled."""
    return "".join(sign * 2 if sign in "'\u2018\u2019\u201a\u201b" else sign for sign in printable(text))


def _user_of(host: Host, user: str | None) -> str:
    try:
        return user or text_of(host, "ansible_user") or TO_FILL_IN
    except UnusableError:
        return TO_FILL_IN


def _own_keys(entry: Entry, folder: Path) -> dict[str, object]:
    """Return what differs from the defaults of our own inventories."""
    plain = Entry(name=entry.name, scheme=entry.scheme)
    keys: dict[str, object] = {} if entry.scheme == "https" else {"scheme": entry.scheme}
    for key, value in entry:
        if value != getattr(plain, key):
            keys[key] = _file_name(value, folder) if isinstance(value, Path) else value
    return keys


def _file_name(file: Path, folder: Path) -> str:
    for path, below in ((file, folder), (file.absolute(), folder.absolute())):
        if path.is_relative_to(below):
            return path.relative_to(below).as_posix()
    return str(file.absolute())


def _shared_keys(keys_of: list[dict[str, object]]) -> dict[str, object]:
    """Return what all of several servers say alike."""
    if len(keys_of) < 2:
        return {}
    first, *others = keys_of
    return {
        key: value
        for key, value in first.items()
        if key in ServerKeys.model_fields and all(other.get(key) == value for other in others)
    }
