"""`python -m compliance inventory`: what one says once it is resolved, what it lacks, and Ansible's as ours."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from compliance.errors import UsageError
from compliance.files.yaml_file import Place, UserFile, content_of, visible
from compliance.hyperv.estate import translate
from compliance.hyperv.rows import first_label
from compliance.inventory.ansible.hosts import Host
from compliance.inventory.ansible.read import Found
from compliance.inventory.ansible.templates import UnusableError, text_of
from compliance.inventory.as_yaml import item, scalar
from compliance.inventory.includes import file_of, place_of
from compliance.inventory.inventory import ClusterEntry, Entry, Inventory, Settings
from compliance.inventory.limit import EVERYTHING, Limit
from compliance.inventory.listener import PORTS
from compliance.inventory.read import Around, found_by_ansible, is_ansible, read_any
from compliance.model import Partner
from compliance.snapshot.read import read_snapshot

FORMAT, VERSION = "hyperv-compliance inventory", 1
FINE, LACKS = 0, 1
"""Exit codes: nothing to say, or partners that nobody listed."""
DEFAULT = "default"
NOWHERE: Place = ("servers", -1)
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
    """A server, or a cluster with the nodes that the inventory names, with the origin of each value."""

    entry: Entry
    place: str
    origins: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    nodes: tuple[Shown, ...] = ()

    @property
    def values(self) -> Iterator[tuple[str, object, str]]:
        """What is not said anywhere and means nothing is left out."""
        for key, value in self.entry:
            origin = self.origins.get(key) or (_of_default(key, self.entry))
            if key == "domain" and value is None:  # of a cluster: what its nodes will be called by
                value, origin = self.entry.address.partition(".")[2], "its address"
            if key not in ("name", "nodes") and not (origin == DEFAULT and value in (None, False, ())):
                yield key, str(value) if isinstance(value, Path) else value, origin


def _of_default(key: str, entry: Entry) -> str:
    if key == "address" and entry.address == entry.name:
        return "its name"
    return f"{DEFAULT} of {entry.scheme}" if key == "port" and entry.port == PORTS[entry.scheme] else DEFAULT


def _show(options: argparse.Namespace, world: World) -> tuple[Iterable[str], int]:
    limit = Limit(pattern=options.limit)
    inventory = read_any(options.file, limit, world.around)
    found = _shown(inventory, limit, world.around)
    return (_as_json(inventory, found) if options.json else _as_text(inventory, found)), FINE


def _shown(inventory: Inventory, limit: Limit, around: Around) -> list[Shown]:
    """Servers, then clusters."""

    @cache
    def source(file: str) -> Found | _Lines:
        path = Path(file)
        if path == inventory.path and is_ansible(path):
            return found_by_ansible(path, limit, around)
        return found_by_ansible(path, EVERYTHING, around) if is_ansible(path) else _Lines.of(path)

    top = str(inventory.path)
    whole = source(top) if inventory.servers else None

    def shown(entry: Entry) -> Shown:
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
        nodes = tuple(map(shown, entry.nodes)) if isinstance(entry, ClusterEntry) else ()
        place = place_of(inventory, entry.name)
        return Shown(entry=entry, place=place, origins=origins, remarks=remarks, nodes=nodes)

    return [shown(entry) for entry in (*inventory.servers, *inventory.clusters)]


def _origin(variable: str, host: Host) -> str:
    value = host.variables.get(variable)
    return f"{variable} ({value.origin})" if value else variable


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """Of a file of ours: which key stands on which line."""

    text: UserFile
    places: Mapping[str, Place] = field(default_factory=dict)  # name of a server, cluster or node -> where it stands

    @classmethod
    def of(cls, path: Path) -> _Lines:
        text = UserFile(path)
        return cls(text=text, places=dict(_places(text.document(content_of(path)), ("servers", "clusters"))))

    def origins(self, name: str) -> dict[str, str]:
        """By key: its own line, that of its cluster, or that of the defaults."""
        place, where = self.places.get(name, NOWHERE), visible(str(self.text.path))
        above = [(place[:2], ", its cluster")] if len(place) > 2 else []
        found: dict[str, str] = {}
        for key in ClusterEntry.model_fields:
            shared = [*above, (("defaults",), ", defaults")] if key in Settings.model_fields else []
            lines = ((self.text.lines.get((*at, key)), word) for at, word in ((place, ""), *shared))
            found |= next(({key: f"{where}:{line}{word}"} for line, word in lines if line), {})
        return found


def _places(holder: Mapping[str, object], lists: Iterable[str], above: Place = ()) -> Iterator[tuple[str, Place]]:
    for key in lists:
        given = holder.get(key)
        for at, one in enumerate(given if isinstance(given, list) else ()):
            if isinstance(one, dict):
                yield str(one.get("name")), (*above, key, at)
                yield from _places(one, ("nodes",), (*above, key, at))


def _as_text(inventory: Inventory, found: Sequence[Shown]) -> Iterator[str]:
    count = _counted(len(inventory.servers), "server") if inventory.servers or not inventory.clusters else ""
    clusters = _counted(len(inventory.clusters), "cluster") if inventory.clusters else ""
    told = " and ".join(filter(None, (count, clusters)))
    yield f"estate {inventory.name}, {told}, from {visible(str(inventory.path))}"
    if inventory.snapshot:
        yield f"  snapshot {visible(str(inventory.snapshot))}"
    if inventory.limit:
        yield f"  {Limit(pattern=inventory.limit)} left out {len(inventory.left_out)} more names"
    for remark in inventory.remarks:
        yield f"  {remark}"
    for one in found:
        yield from _told(one, "cluster " if isinstance(one.entry, ClusterEntry) else "")
        for node in one.nodes:
            yield from _told(node, f"node of {one.entry.name}: ")


def _told(one: Shown, kind: str) -> Iterator[str]:
    yield ""
    yield f"{kind}{one.entry.name}  ({one.place})"
    rows = [(key, visible(scalar(value)), origin) for key, value, origin in one.values]
    wide = [min(max((len(row[at]) for row in rows), default=0), WIDEST) for at in (0, 1)]
    yield from (f"  {key:{wide[0]}}  {value:{wide[1]}}  {origin}" for key, value, origin in rows)
    yield from (f"  remark: {remark}" for remark in one.remarks)


def _as_json(inventory: Inventory, found: Sequence[Shown]) -> Iterator[str]:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "estate": inventory.name,
        "file": str(inventory.path),
        "snapshot": str(inventory.snapshot) if inventory.snapshot else None,
        "limit": inventory.limit,
        "left_out": inventory.left_out,
        "remarks": inventory.remarks,
        "servers": [_document(one) for one in found if not isinstance(one.entry, ClusterEntry)],
        "clusters": [
            _document(one) | {"nodes": [_document(node) for node in one.nodes]}
            for one in found
            if isinstance(one.entry, ClusterEntry)
        ],
    }
    yield json.dumps(document, indent=2, ensure_ascii=True)


def _document(one: Shown) -> dict[str, object]:
    return {
        "name": one.entry.name,
        "place": one.place,
        "values": {key: {"value": value, "origin": origin} for key, value, origin in one.values},
        "remarks": one.remarks,
    }


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


# --- suggest ----------------------------------------------------------------------------------------------------------


def _suggest(options: argparse.Namespace, world: World) -> tuple[Iterable[str], int]:
    inventory = read_any(options.file, EVERYTHING, world.around) if options.file else None
    snapshot = options.snapshot or (inventory.snapshot if inventory else None)
    if snapshot is None:
        raise UsageError(
            "partners are known from what was gathered: give --snapshot FILE (pytest's --hv-save wrote it)"
        )
    listed = {first_label(name) for entry in (inventory.hosts if inventory else ()) for name in _names(entry)}
    found = [one for one in translate(read_snapshot(snapshot)).unlisted if first_label(one.name) not in listed]
    if not found:
        return [f"# Every partner that {visible(str(snapshot))} names is listed."], FINE
    return _entries(found, snapshot), LACKS


def _names(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.address


def _entries(found: Sequence[Partner], snapshot: Path) -> Iterator[str]:
    yield f"# Partners that {visible(str(snapshot))} names and nobody listed. Hosts wrote these names: look at each"
    yield "# before you paste it."
    yield "servers:"
    for partner in found:
        where = ", ".join(map(visible, partner.servers[:5]))
        yield from item(_keys(partner), f"partner of {_counted(partner.machines, 'machine')} on {where}")
    yield "# Settings do not tell a server's name from a cluster's or a Replica Broker's. Where it is one of those,"
    yield "# paste this in place of its entry above, so that every node is read:"
    yield "# clusters:"
    for partner in found:
        yield from (f"# {line}" for line in item(_keys(partner)))


def _keys(partner: Partner) -> dict[str, object]:
    name = re.sub(r"[^\w.-]", "-", partner.name)[:200]
    keys: dict[str, object] = {"name": name}
    return keys | ({"address": partner.name} if name != partner.name else {})


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
