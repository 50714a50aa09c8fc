"""`python -m compliance inventory`: what one says once it is resolved, what it lacks, and Ansible's as ours."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from compliance.ansible.hosts import Host
from compliance.ansible.read import Found
from compliance.ansible.templates import UnusableError, text_of
from compliance.errors import UsageError
from compliance.hyperv.rows import first_label
from compliance.hyperv.translate import translate
from compliance.includes import file_of, place_of
from compliance.inventories import Around, found_by_ansible, is_ansible, read_any
from compliance.inventory import Entry, Inventory, Settings
from compliance.limit import EVERYTHING, Limit
from compliance.listener import PORTS
from compliance.model import Partner
from compliance.snapshot import read_snapshot
from compliance.userfile import UserFile, content_of, visible
from compliance.yaml_text import item, scalar

FORMAT, VERSION = "hyperv-compliance inventory", 1
FINE, LACKS = 0, 1
"""Exit codes: nothing to say, or partners that nobody listed."""
DEFAULT = "default"
WIDEST = 40
"""Letters of a column."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "None of these asks a server anything, or for a credential. A mistake in a file is exit code 4."
    commands = parser.add_subparsers(metavar="WHAT", required=True)
    show = commands.add_parser("show", help="the resolved estate, each value with its origin")
    show.add_argument("file", metavar="FILE", type=Path, help="an inventory, ours or Ansible's")
    show.add_argument("--json", action="store_true", help="one JSON document in place of the text")
    suggest = commands.add_parser("suggest", help="entries for partner servers that nobody listed")
    suggest.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the inventory that may lack some")
    suggest.add_argument("--snapshot", metavar="FILE", type=Path, help="what was gathered (--hv-save)")
    convert = commands.add_parser("convert", help="an inventory of Ansible's as one of ours")
    convert.add_argument("file", metavar="HOSTS", type=Path, help="a file, folder or program that Ansible reads")
    for below in (show, convert):
        below.add_argument("--limit", metavar="PATTERN", default="", help="only these servers and groups")
    for name, below in (("show", show), ("suggest", suggest), ("convert", convert)):
        below.set_defaults(what=name)


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """What the command touches beside files."""

    out: TextIO
    around: Around


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """The exit code. UsageError for a mistake in a file or an option."""
    world = world or World(out=sys.stdout, around=Around(environ=os.environ))
    if isinstance(world.out, TextIOWrapper):
        world.out.reconfigure(errors="backslashreplace")  # a terminal may lack letters of a name
    lines, code = {"show": _show, "suggest": _suggest, "convert": _convert}[options.what](options, world)
    world.out.writelines(f"{line}\n" for line in lines)
    world.out.flush()
    return code


# --- show -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A server with the origin of each value."""

    entry: Entry
    place: str
    origins: Mapping[str, str]
    remarks: tuple[str, ...] = ()

    @property
    def values(self) -> Iterator[tuple[str, object, str]]:
        """What is not said anywhere and means nothing is left out."""
        for key, value in self.entry:
            origin = self.origins.get(key) or (_of_default(key, self.entry))
            if key != "name" and not (origin == DEFAULT and value in (None, False, ())):
                yield key, str(value) if isinstance(value, Path) else value, origin


def _of_default(key: str, entry: Entry) -> str:
    if key == "address" and entry.address == entry.name:
        return "its name"
    return f"{DEFAULT} of {entry.scheme}" if key == "port" and entry.port == PORTS[entry.scheme] else DEFAULT


def _show(options: argparse.Namespace, world: World) -> tuple[Iterable[str], int]:
    limit = Limit(pattern=options.limit)
    inventory = read_any(options.file, limit, world.around)
    servers = _shown(inventory, limit, world.around)
    return (_as_json(inventory, servers) if options.json else _as_text(inventory, servers)), FINE


def _shown(inventory: Inventory, limit: Limit, around: Around) -> list[Shown]:
    @cache
    def source(file: str) -> Found | _Lines:
        path = Path(file)
        if path == inventory.path and is_ansible(path):
            return found_by_ansible(path, limit, around)
        return found_by_ansible(path, EVERYTHING, around) if is_ansible(path) else _Lines.of(path)

    top = str(inventory.path)
    whole = source(top) if inventory.servers else None
    found = []
    for entry in inventory.servers:
        said = whole if isinstance(whole, Found) else source(file_of(inventory, entry.name))
        if isinstance(said, Found):
            told = said.entries[entry.name]
            host = next(one for one in said.listing.hosts if one.name == entry.name)
            origins = {key: _origin(variable, host) for key, variable in told.variables.items()}
            if entry.groups:
                origins["groups"] = "its groups"
            remarks = tuple(told.remarks)
        else:
            origins, remarks = said.origins(entry.name), ()
        place = place_of(inventory, entry.name)
        found.append(Shown(entry=entry, place=place, origins=origins, remarks=remarks))
    return found


def _origin(variable: str, host: Host) -> str:
    value = host.variables.get(variable)
    return f"{variable} ({value.origin})" if value else variable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """Of a file of ours: which key stands on which line."""

    text: UserFile
    index: Mapping[str, int] = field(default_factory=dict)  # server's name -> its place in the list

    @classmethod
    def of(cls, path: Path) -> _Lines:
        text = UserFile(path)
        servers = text.document(content_of(path)).get("servers")
        names = [one.get("name") for one in servers if isinstance(one, dict)] if isinstance(servers, list) else []
        return cls(text=text, index={str(name): at for at, name in enumerate(names)})

    def origins(self, server: str) -> dict[str, str]:
        lines, where = self.text.lines, visible(str(self.text.path))
        found = {}
        for key in Entry.model_fields:
            if line := lines.get(("servers", self.index.get(server, -1), key)):
                found[key] = f"{where}:{line}"
            elif key in Settings.model_fields and (line := lines.get(("defaults", key))):
                found[key] = f"{where}:{line}, defaults"
        return found


def _as_text(inventory: Inventory, servers: list[Shown]) -> Iterator[str]:
    count = f"{len(servers)} server{'' if len(servers) == 1 else 's'}"
    yield f"estate {inventory.name}, {count}, from {visible(str(inventory.path))}"
    if inventory.snapshot:
        yield f"  snapshot {visible(str(inventory.snapshot))}"
    if inventory.limit:
        yield f"  {Limit(pattern=inventory.limit)} left out {len(inventory.left_out)} more names"
    for remark in inventory.remarks:
        yield f"  {remark}"
    for server in servers:
        yield ""
        yield f"{server.entry.name}  ({server.place})"
        rows = [(key, visible(scalar(value)), origin) for key, value, origin in server.values]
        wide = [min(max((len(row[at]) for row in rows), default=0), WIDEST) for at in (0, 1)]
        yield from (f"  {key:{wide[0]}}  {value:{wide[1]}}  {origin}" for key, value, origin in rows)
        yield from (f"  remark: {remark}" for remark in server.remarks)


def _as_json(inventory: Inventory, servers: list[Shown]) -> Iterator[str]:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "estate": inventory.name,
        "file": str(inventory.path),
        "snapshot": str(inventory.snapshot) if inventory.snapshot else None,
        "limit": inventory.limit,
        "left_out": inventory.left_out,
        "remarks": inventory.remarks,
        "servers": [
            {
                "name": one.entry.name,
                "place": one.place,
                "values": {key: {"value": value, "origin": origin} for key, value, origin in one.values},
                "remarks": one.remarks,
            }
            for one in servers
        ],
    }
    yield json.dumps(document, indent=2, ensure_ascii=True)


# --- suggest ----------------------------------------------------------------------------------------------------------


def _suggest(options: argparse.Namespace, world: World) -> tuple[Iterable[str], int]:
    inventory = read_any(options.file, EVERYTHING, world.around) if options.file else None
    snapshot = options.snapshot or (inventory.snapshot if inventory else None)
    if snapshot is None:
        raise UsageError(
            "partners are known from what was gathered: give --snapshot FILE (pytest's --hv-save wrote it)"
        )
    listed = {first_label(name) for entry in (inventory.servers if inventory else ()) for name in _names(entry)}
    found = [one for one in translate(read_snapshot(snapshot)).unlisted if first_label(one.name) not in listed]
    if not found:
        return [f"# Every partner that {visible(str(snapshot))} names is listed."], FINE
    return _entries(found, snapshot), LACKS


def _names(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.address


def _entries(found: Iterable[Partner], snapshot: Path) -> Iterator[str]:
    yield f"# Partners that {visible(str(snapshot))} names and nobody listed. Hosts wrote these names: look at each"
    yield "# before you paste it. Where it is a Replica Broker's, it stands for a cluster: list the nodes."
    yield "servers:"
    for partner in found:
        name = re.sub(r"[^\w.-]", "-", partner.name)[:200]
        keys = {"name": name} | ({"address": partner.name} if name != partner.name else {})
        machines = f"{partner.machines} machine{'' if partner.machines == 1 else 's'}"
        yield from item(keys, f"partner of {machines} on {', '.join(map(visible, partner.servers[:5]))}")


# --- convert ----------------------------------------------------------------------------------------------------------


def _convert(options: argparse.Namespace, world: World) -> tuple[Iterable[str], int]:
    if not is_ansible(options.file):
        raise UsageError(f"{visible(str(options.file))}: no inventory of Ansible's, so there is nothing to convert")
    return _converted(found_by_ansible(options.file, Limit(pattern=options.limit), world.around)), FINE


def _converted(found: Found) -> Iterator[str]:
    inventory = found.inventory
    folder = inventory.path if inventory.path.is_dir() else inventory.path.parent
    keys_of = {entry.name: _said(entry, folder) for entry in inventory.servers}
    shared = _shared(list(keys_of.values()))
    yield f"# Converted from {found.listing.how}. Files are relative to {visible(str(folder))}."
    for remark in inventory.remarks:
        yield f"# {remark[:1].upper()}{remark[1:]}."
    yield from _to_set(found)
    yield f"name: {scalar(inventory.name)}"
    yield "servers:"
    for name, keys in keys_of.items():
        own = {key: value for key, value in keys.items() if key not in shared}
        yield from item({"name": name} | own, "; ".join(map(visible, found.entries[name].remarks)))
    if shared:
        yield "defaults:"
        yield from (f"  {key}: {scalar(value)}" for key, value in shared.items())


def _to_set(found: Found) -> Iterator[str]:
    """The variables that hold what is not written here."""
    hosts = {host.name: host for host in found.listing.hosts}
    users: dict[str, str] = {}
    for entry in found.inventory.servers:
        if entry.credential is not None:
            users.setdefault(entry.credential, _user(hosts[entry.name], found.entries[entry.name].user))
    if users:
        yield "# No password is written here. Before a run, set:"
    for name, user in users.items():
        variables = f"COMPLIANCE_{name.upper()}_USERNAME={_quoted(user)} COMPLIANCE_{name.upper()}_PASSWORD='…'"
        yield f"#     export {variables}"


def _user(host: Host, user: str | None) -> str:
    try:
        return user or text_of(host, "ansible_user") or "…"
    except UnusableError:
        return "…"


def _quoted(text: str) -> str:
    """For a POSIX shell."""
    return "'" + visible(text).replace("'", "'\\''") + "'"


def _said(entry: Entry, folder: Path) -> dict[str, object]:
    """What differs from the defaults of our own inventories."""
    plain = Entry(name=entry.name, scheme=entry.scheme)
    said: dict[str, object] = {} if entry.scheme == "https" else {"scheme": entry.scheme}
    for key, value in entry:
        if value == getattr(plain, key):
            continue
        if isinstance(value, Path):
            value = str(value.relative_to(folder)) if value.is_relative_to(folder) else str(value.absolute())
        said[key] = value
    return said


def _shared(said: list[dict[str, object]]) -> dict[str, object]:
    """What all of several servers say alike."""
    if len(said) < 2:
        return {}
    return {
        key: value
        for key, value in said[0].items()
        if key in Settings.model_fields and all(other.get(key) == value for other in said[1:])
    }
