"""One file of ours -> an inventory. A mistake is told with its line, and all mistakes of a file are told at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from compliance.files.keys import meant
from compliance.files.yaml_file import KeyPath, UserFile, content_of
from compliance.gate.policy import DEFAULT
from compliance.inventory import guests as guest_entry
from compliance.inventory.document import GUEST_SCHEMAS, KEYS_OF_SERVERS, SCHEMA, InventoryFile, SharedSites
from compliance.inventory.entries import ClusterEntry, Entry, ServerKeys, by_name, conflicts
from compliance.inventory.guests import AnsibleGuest, WayIn
from compliance.inventory.inventory import Inventory
from compliance.inventory.stretched import SiteMention, Stretch
from compliance.words import quote

NEITHER = "expected `servers`, `clusters`, `include` or `snapshot`, got none of them"

OF_THE_ESTATE = ("snapshot", "limits", "policy", "may_be_empty")
"""What an inventory that others include does not say."""


def read_inventory(path: Path) -> Inventory:
    return inventory_of(path, content_of(path))


def inventory_of(path: Path, content: bytes, *, included: bool = False) -> Inventory:
    """What ``content`` says. ``path`` is for messages; its folder is where files are looked for.

    One that is ``included`` may say nothing of the estate as a whole: that is for the file that includes it.
    """
    text = UserFile(path, sharing="what servers share goes to `defaults`")
    document = text.document(content)
    _check_credentials(text, document)
    _check_source(text, document)
    for key in OF_THE_ESTATE if included else ():
        if key in document:
            text.add((key,), "counts only in the inventory that includes this one: say it there")
    lists = ("servers", "clusters", "guests")
    head = {key: value for key, value in document.items() if key not in lists or not isinstance(value, list)}
    known = SCHEMA.check(text, InventoryFile, {"name": path.stem} | head)
    entries = _entries(text, document)
    guests = _guests(text, document)
    if known is None or text.mistakes:
        raise text.error()
    return Inventory(
        name=known.name,
        guests=tuple(guest for guest in guests.values() if not isinstance(guest, AnsibleGuest)),
        guests_of_ansible=tuple(
            (text.line(place), guest) for place, guest in guests.items() if isinstance(guest, AnsibleGuest)
        ),
        servers=tuple(entry for place, entry in entries.items() if place[0] == "servers"),
        clusters=tuple(_with_nodes(entries)),
        snapshot=known.snapshot,
        credentials={name.casefold(): source for name, source in known.credentials.items()},
        include={path: text.line(("include", at)) for at, path in enumerate(known.include)},
        limits=known.limits,
        policy=DEFAULT.after(known.policy),
        may_be_empty=known.may_be_empty,
        stretches=tuple(_stretches(text, known.stretched)),
        path=path,
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        lines={entry.name: text.line(place) for place, entry in entries.items()}
        | {guest.name: text.line(place) for place, guest in guests.items() if not isinstance(guest, AnsibleGuest)},
    )


def _stretches(text: UserFile, stretched: tuple[SharedSites, ...]) -> Iterator[Stretch]:
    for number, sites in enumerate(stretched):
        yield tuple(
            SiteMention(site=site, place=text.where(("stretched", number, at))) for at, site in enumerate(sites)
        )


def _check_source(text: UserFile, document: dict[str, object]) -> None:
    keys = [key for key in KEYS_OF_SERVERS if key in document]
    for key in keys:
        if document[key] == []:
            text.add((key,), f"expected at least one {'file' if key == 'include' else key[:-1]}, got an empty list")
    if keys and "snapshot" in document:
        text.add(("snapshot",), f"stands in place of `{keys[0]}`; keep one of the two")
    elif "guests" in document and "snapshot" in document:
        text.add(("guests",), "a snapshot has its own; nobody is asked")
    elif document.get("snapshot", "") is None:
        text.add(("snapshot",), "expected the name of a file, got nothing")
    elif not {*KEYS_OF_SERVERS, "snapshot"} & {*document, *(meant(key, InventoryFile) for key in document)}:
        text.add((), f"{NEITHER}; nor are there groups with `hosts`, as an inventory of Ansible has them")


def _check_credentials(text: UserFile, document: dict[str, object]) -> None:
    """Two that differ in the size of letters would share the environment's variables."""
    section = document.get("credentials")
    names: dict[str, KeyPath] = {}
    for name, source in section.items() if isinstance(section, dict) else ():
        place = ("credentials", str(name))
        first = names.setdefault(str(name).casefold(), place)
        if first != place:
            text.add(place, f"is {text.describe(first)} already")
        if isinstance(source, dict) and "password" in source:
            text.add((*place, "password"), "a password does not stand in an inventory: name where it is kept")


def _entries(text: UserFile, document: dict[str, object]) -> dict[KeyPath, Entry]:
    entries: dict[KeyPath, Entry] = {}
    names: dict[str, KeyPath] = {}
    endpoints: dict[tuple[str, int, str], KeyPath] = {}
    for place, model_of, value in _entries_of(document):
        entry = SCHEMA.check(text, model_of, value, place, is_told=lambda at: _is_inherited(text, at))
        if isinstance(value, dict) and isinstance(name := value.get("name"), str):
            first = names.setdefault(name.casefold(), place)
            if first != place:
                text.add((*place, "name"), f"{quote(name)} is {text.describe(first)} already")
                continue
        if entry is None:
            continue
        entries[place] = entry
        if not isinstance(entry, ClusterEntry):  # a cluster's address may be a node's
            first = endpoints.setdefault((entry.address.casefold(), entry.port, entry.path), place)
            if first != place:
                text.add(
                    (*place, "address"), f"{quote(entry.address)}, port and path are {text.describe(first)} already"
                )
        for key, reason in conflicts(entry):
            text.add((*place, key), reason)
    return entries


def _entries_of(document: dict[str, object]) -> Iterator[tuple[KeyPath, type[Entry], object]]:
    """Every server, cluster and node, with what it inherits: nodes from their cluster, all from `defaults`."""
    shared = _settings_in(document.get("defaults"))
    for index, server in enumerate(map(by_name, _list(document.get("servers")))):
        yield ("servers", index), Entry, shared | server if isinstance(server, dict) else server
    for index, cluster in enumerate(map(by_name, _list(document.get("clusters")))):
        place: KeyPath = ("clusters", index)
        if not isinstance(cluster, dict):
            yield place, ClusterEntry, cluster
            continue
        nodes = cluster.get("nodes", [])
        alone = {key: value for key, value in cluster.items() if key != "nodes" or not isinstance(nodes, list)}
        yield place, ClusterEntry, shared | alone
        for number, node in enumerate(map(by_name, _list(nodes))):
            inherited = shared | _settings_in(cluster)
            yield (*place, "nodes", number), Entry, inherited | node if isinstance(node, dict) else node


def _settings_in(value: object) -> dict[str, object]:
    return {key: value[key] for key in ServerKeys.model_fields if key in value} if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _with_nodes(entries: Mapping[KeyPath, Entry]) -> Iterator[ClusterEntry]:
    for place, cluster in entries.items():
        if isinstance(cluster, ClusterEntry):
            nodes = [node for at, node in entries.items() if at[:3] == (*place, "nodes")]
            yield cluster.model_copy(update={"nodes": tuple(nodes)})


def _guests(text: UserFile, document: dict[str, object]) -> dict[KeyPath, WayIn | AnsibleGuest]:
    section = document.get("guests")
    entries: dict[KeyPath, WayIn | AnsibleGuest] = {}
    known: dict[str, KeyPath] = {}
    for index, guest in enumerate(section if isinstance(section, list) else ()):
        place = ("guests", index)
        model_of = guest_entry.model_of(guest)
        entry = GUEST_SCHEMAS[model_of].check(text, model_of, guest, place)
        if entry is None:
            continue
        entries[place] = entry
        if isinstance(entry, AnsibleGuest):
            continue  # which way that is, and whether it is there already, is seen later
        first = known.setdefault(entry.connection.casefold(), place)
        if first != place:
            text.add((*place, "connection"), f"{quote(entry.connection)} is {text.describe(first)} already")
        for key, reason in guest_entry.conflicts(entry):
            text.add((*place, key), reason)
    return entries


def _is_inherited(text: UserFile, at: KeyPath) -> bool:
    """Told where the cluster or `defaults` says it."""
    if at in text.lines:
        return False
    if len(at) > 4 and at[2] == "nodes":
        return (*at[:2], *at[4:]) in text.lines or ("defaults", *at[4:]) in text.lines
    return ("defaults", *at[2:]) in text.lines
