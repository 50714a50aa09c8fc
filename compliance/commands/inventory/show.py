"""`inventory show`: an inventory once it is resolved, each value with the place that it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from compliance.files.yaml_file import KeyPath, UserFile, content_of
from compliance.inventory.ansible.hosts import Host
from compliance.inventory.ansible.read import AnsibleReading
from compliance.inventory.as_yaml import scalar
from compliance.inventory.entries import ClusterEntry, Entry, Limits, ServerKeys
from compliance.inventory.includes import file_of, place_of
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import EVERYTHING, Limit
from compliance.inventory.listener import PORTS
from compliance.inventory.read import is_ansible, read_any, translate_ansible
from compliance.words import join_names, plural, printable
from compliance.world import World

FORMAT, VERSION = "hyperv-compliance inventory", 1
FINE = 0
"""Exit code where there is nothing to say."""
DEFAULT = "default"
NOWHERE: KeyPath = ("servers", -1)
WIDEST = 40
"""Letters of a column."""


def show(file: Path, limit: Limit, world: World, *, as_json: bool) -> Iterable[str]:
    """Return the lines. UsageError for a mistake in a file, or a limit that meets nothing."""
    inventory = read_any(file, limit, world)
    entries = _listings(inventory, limit, world)
    limits = _limits(inventory)
    return _as_json(inventory, entries, limits) if as_json else _as_text(inventory, entries, limit, limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryOrigins:
    """A server, or a cluster with the nodes that the inventory names, with the origin of each value."""

    entry: Entry
    place: str
    origins: Mapping[str, str]
    remarks: tuple[str, ...] = ()
    nodes: tuple[EntryOrigins, ...] = ()

    @property
    def values(self) -> Iterator[tuple[str, object, str]]:
        """Key, value and origin; what nobody says and changes nothing is left out."""
        for key, value in self.entry:
            origin = self.origins.get(key) or _default_origin(key, self.entry)
            if key == "domain" and value is None:  # of a cluster: what its nodes will be called by
                value, origin = self.entry.address.partition(".")[2], "its address"
            if key not in ("name", "nodes") and not (origin == DEFAULT and value in (None, False, ())):
                yield key, str(value) if isinstance(value, Path) else value, origin


def _default_origin(key: str, entry: Entry) -> str:
    if key == "address" and entry.address == entry.name:
        return "its name"
    return f"{DEFAULT} of {entry.scheme}" if key == "port" and entry.port == PORTS[entry.scheme] else DEFAULT


def _listings(inventory: Inventory, limit: Limit, world: World) -> list[EntryOrigins]:
    """Return servers, then clusters."""

    @cache
    def source_of(file: str) -> AnsibleReading | _Lines:
        path = Path(file)
        if path == inventory.path and is_ansible(path):
            return translate_ansible(path, limit, world)
        return translate_ansible(path, EVERYTHING, world) if is_ansible(path) else _Lines.of(path)

    top = source_of(str(inventory.path)) if inventory.servers else None

    def listing_of(entry: Entry) -> EntryOrigins:
        source = top if isinstance(top, AnsibleReading) else source_of(file_of(inventory, entry.name))
        origins, remarks = (
            _origins(source, entry) if isinstance(source, AnsibleReading) else (source.origins(entry.name), ())
        )
        nodes = tuple(map(listing_of, entry.nodes)) if isinstance(entry, ClusterEntry) else ()
        return EntryOrigins(
            entry=entry, place=place_of(inventory, entry.name), origins=origins, remarks=remarks, nodes=nodes
        )

    return [listing_of(entry) for entry in (*inventory.servers, *inventory.clusters)]


def _origins(source: AnsibleReading, entry: Entry) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variable and place of each value, and the remarks, of a host of Ansible's."""
    keys = source.entries[entry.name]
    host = next(host for host in source.listing.hosts if host.name == entry.name)
    origins = {key: _variable_origin(variable, host) for key, variable in keys.variables.items()}
    return origins | ({"groups": "its groups"} if entry.groups else {}), tuple(keys.remarks)


def _variable_origin(variable: str, host: Host) -> str:
    value = host.variables.get(variable)
    return f"{variable} ({value.origin})" if value else variable


def _limits(inventory: Inventory) -> dict[str, tuple[float, str]]:
    """Return the limits by key, each with its origin: one that says more than the limit above it was lowered."""
    text = UserFile(inventory.path)
    document = {} if is_ansible(inventory.path) else text.document(content_of(inventory.path))
    own = document.get("limits")
    stated = own if isinstance(own, dict) else {}
    values: dict[str, tuple[float, str]] = {}
    above = ""
    for key in ("server", "operation", "connect", "threads"):
        value = getattr(inventory.limits, key)
        place = f"{printable(str(inventory.path))}:{text.lines.get(('limits', key))}"
        lowered = above and value == getattr(inventory.limits, above)
        if key in stated and stated[key] == value:
            origin = place
        elif key in stated:
            origin = f"lowered from {stated[key]:g} ({place}): `{above}` is lower"
        else:
            origin = f"as `{above}`" if lowered and value < Limits.model_fields[key].default else DEFAULT
        values[key] = (value, origin)
        above = key
    return values


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lines:
    """Of a file of ours: which key stands on which line."""

    text: UserFile
    places: Mapping[str, KeyPath] = field(default_factory=dict)  # name of a server, cluster or node -> where it stands

    @classmethod
    def of(cls, path: Path) -> _Lines:
        text = UserFile(path)
        return cls(text=text, places=dict(_places(text.document(content_of(path)), ("servers", "clusters"))))

    def origins(self, name: str) -> dict[str, str]:
        """Return the line by key: its own, that of its cluster, or that of the defaults."""
        place, where = self.places.get(name, NOWHERE), printable(str(self.text.path))
        above = [(place[:2], ", its cluster")] if len(place) > 2 else []
        origins: dict[str, str] = {}
        for key in ClusterEntry.model_fields:
            shared = [*above, (("defaults",), ", defaults")] if key in ServerKeys.model_fields else []
            lines = ((self.text.lines.get((*at, key)), word) for at, word in ((place, ""), *shared))
            origins |= next(({key: f"{where}:{line}{word}"} for line, word in lines if line), {})
        return origins


def _places(holder: Mapping[str, object], lists: Iterable[str], above: KeyPath = ()) -> Iterator[tuple[str, KeyPath]]:
    for key in lists:
        entries = holder.get(key)
        for at, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, dict):
                yield str(entry.get("name")), (*above, key, at)
                yield from _places(entry, ("nodes",), (*above, key, at))
            else:
                yield str(entry), (*above, key, at)


def _as_text(
    inventory: Inventory, listings: Sequence[EntryOrigins], limit: Limit, limits: Mapping[str, tuple[float, str]]
) -> Iterator[str]:
    servers = plural(len(inventory.servers), "server") if inventory.servers or not inventory.clusters else ""
    clusters = plural(len(inventory.clusters), "cluster") if inventory.clusters else ""
    count = " and ".join(filter(None, (servers, clusters)))
    yield f"estate {inventory.name}, {count}, from {printable(str(inventory.path))}"
    if inventory.snapshot:
        yield f"  snapshot {printable(str(inventory.snapshot))}"
    if inventory.limit:
        yield f"  {printable(str(limit))} left out {plural(len(inventory.left_out), 'more name')}"
    for sites in inventory.stretched:
        yield f"  stretched: {join_names(sorted(sites), most=len(sites))}"
    for remark in inventory.remarks:
        yield f"  {printable(remark)}"
    for listing in listings:
        yield from _paragraph(listing, "cluster " if isinstance(listing.entry, ClusterEntry) else "")
        for node in listing.nodes:
            yield from _paragraph(node, f"node of {listing.entry.name}: ")
    if any(origin != DEFAULT for _, origin in limits.values()):
        yield ""
        yield "limits, in seconds but for threads"
        yield from _rows((key, _shortest(value), origin) for key, (value, origin) in limits.items())


def _paragraph(listing: EntryOrigins, kind: str) -> Iterator[str]:
    yield ""
    yield f"{kind}{listing.entry.name}  ({listing.place})"
    yield from _rows(listing.values)
    yield from (f"  remark: {printable(remark)}" for remark in listing.remarks)


def _shortest(number: float) -> float:
    return int(number) if number == int(number) else number


def _rows(values: Iterable[tuple[str, object, str]]) -> Iterator[str]:
    rows = [(key, scalar(value), printable(origin)) for key, value, origin in values]
    wide = [min(max((len(row[at]) for row in rows), default=0), WIDEST) for at in (0, 1)]
    yield from (f"  {key:{wide[0]}}  {value:{wide[1]}}  {origin}" for key, value, origin in rows)


def _as_json(
    inventory: Inventory, listings: Sequence[EntryOrigins], limits: Mapping[str, tuple[float, str]]
) -> Iterator[str]:
    document = {
        "format": FORMAT,
        "version": VERSION,
        "estate": inventory.name,
        "file": str(inventory.path),
        "snapshot": str(inventory.snapshot) if inventory.snapshot else None,
        "limit": inventory.limit,
        "left_out": inventory.left_out,
        "stretched": [sorted(sites) for sites in inventory.stretched],
        "remarks": inventory.remarks,
        "limits": {key: {"value": value, "origin": origin} for key, (value, origin) in limits.items()},
        "servers": [_document(listing) for listing in listings if not isinstance(listing.entry, ClusterEntry)],
        "clusters": [
            _document(listing) | {"nodes": [_document(node) for node in listing.nodes]}
            for listing in listings
            if isinstance(listing.entry, ClusterEntry)
        ],
    }
    yield json.dumps(document, indent=2, ensure_ascii=True)


def _document(listing: EntryOrigins) -> dict[str, object]:
    return {
        "name": listing.entry.name,
        "place": listing.place,
        "values": {key: {"value": value, "origin": origin} for key, value, origin in listing.values},
        "remarks": listing.remarks,
    }
