"""Inventories that include others: one estate, whose servers stand in several files, each with defaults of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from compliance.credentials.places import PasswordPlace
from compliance.errors import InventoryError
from compliance.files.yaml_file import MOST_MISTAKES
from compliance.gate.policy import DEFAULT
from compliance.inventory.entries import ClusterEntry, Entry
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import Limit
from compliance.inventory.stretched import refuse_doubled_sites, refuse_unknown_sites
from compliance.words import printable, quote

DEEPEST = 5

Read = Callable[[Path, bool], Inventory]
"""One file's inventory; the second says whether another one includes it."""


def read_with_includes(path: Path, read: Read) -> Inventory:
    """``path`` and what it includes. InventoryError with every mistake of every file, each with its own place."""
    inventory = _IncludingReader(read).whole(path, ())
    refuse_doubled_sites(inventory.stretches)
    if not inventory.snapshot:  # whose sites are known when it is read
        refuse_unknown_sites(inventory.stretches, (entry.site for entry in inventory.hosts))
    return inventory


class _IncludingReader:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._met: dict[Path, str] = {}  # file -> where it was included

    def whole(self, path: Path, above: tuple[Path, ...]) -> Inventory:
        inventory = self._read(path, bool(above))
        if not inventory.include:
            return inventory
        parts, mistakes = [inventory], []
        for file, line in inventory.include.items():
            place = f"{printable(str(path))}:{line}"
            try:
                self._refuse(file, place, (*above, path))
                parts.append(_without_policy(self.whole(file, (*above, path))))
            except InventoryError as error:
                mistakes.append(str(error))
        mistakes += _doubled(parts)
        if mistakes:
            lines = "\n".join(mistakes).splitlines()
            more = [f"{printable(str(path))}: and {len(lines) - MOST_MISTAKES} more mistakes"]
            raise InventoryError("\n".join(lines[:MOST_MISTAKES] + (more if len(lines) > MOST_MISTAKES else [])))
        return _joined(parts)

    def _refuse(self, file: Path, place: str, above: tuple[Path, ...]) -> None:
        """What would never end, or is there already."""
        known = file.resolve()
        if known in [file_above.resolve() for file_above in above]:
            raise InventoryError(f"{place}: include: {printable(str(file))} is one of those that include this file")
        if len(above) > DEEPEST:
            raise InventoryError(f"{place}: include: files within files, more than {DEEPEST} deep")
        first = self._met.setdefault(known, place)
        if first != place:
            raise InventoryError(f"{place}: include: {printable(str(file))} is included on {first} already")


def _without_policy(part: Inventory) -> Inventory:
    if part.policy != DEFAULT:  # of Ansible's variables; a file of ours was told at its line
        raise InventoryError(f"{printable(str(part.path))}: hyperv_policy counts only in what is not included")
    return part


def _joined(parts: Sequence[Inventory]) -> Inventory:
    first = parts[0]
    for part in parts:
        others = {peer.credential for other in parts if other is not part for peer in other.peers}
        if doubled := others & set(part.logins):  # one name, and two passwords
            raise InventoryError(
                f"{printable(str(part.path))}: its login {quote(min(map(str, doubled)))} has the name of a credential "
                "of another file of this estate: name one otherwise (hyperv_credential, or a guest's `credential`)"
            )
    credentials: dict[str, PasswordPlace] = {}
    for part in parts:
        for name, source in part.credentials.items():
            if credentials.setdefault(name, source) != source:
                raise InventoryError(
                    f"{printable(str(part.path))}: credential {quote(name)} is kept elsewhere by another file of this "
                    "estate: name it otherwise, or say it once"
                )
    digests = " ".join(part.digest for part in parts)
    return replace(
        first,
        servers=tuple(entry for part in parts for entry in part.servers),
        clusters=tuple(cluster for part in parts for cluster in part.clusters),
        guests=tuple(guest for part in parts for guest in part.guests),
        lines={name: line for part in parts for name, line in part.lines.items()},
        files={peer.name: file_of(part, peer.name) for part in parts[1:] for peer in part.known},
        credentials=credentials,
        logins={name: login for part in parts for name, login in part.logins.items()},
        stretches=tuple(stretch for part in parts for stretch in part.stretches),
        remarks=tuple(remark for part in parts for remark in part.remarks),
        digest=f"sha256:{hashlib.sha256(digests.encode()).hexdigest()}",
        include={},
    )


def file_of(inventory: Inventory, server: str) -> str:
    return inventory.files.get(server, str(inventory.path))


def place_of(inventory: Inventory, server: str) -> str:
    """``file:line``, or the file where the line is not known."""
    line = inventory.lines.get(server)
    return printable(file_of(inventory, server)) + (f":{line}" if line else "")


def _doubled(parts: Sequence[Inventory]) -> Iterator[str]:
    """A server, cluster, node or way into a guest that two files list: both places are told. Within one file that is
    told already."""
    names: dict[str, tuple[int, str]] = {}
    endpoints: dict[tuple[str, int, str], tuple[int, str]] = {}
    for number, part in enumerate(parts):
        for entry in (*part.hosts, *part.guests):
            place = place_of(part, entry.name)
            at, first = names.setdefault(entry.name.casefold(), (number, place))
            if at != number:
                yield f"{place}: {quote(entry.name)} is on {first} already"
                continue
            if not isinstance(entry, Entry) or isinstance(entry, ClusterEntry):  # whose address may be a node's
                continue
            endpoint = (entry.address.casefold(), entry.port, entry.path)
            at, first = endpoints.setdefault(endpoint, (number, place))
            if at != number:
                yield f"{place}: {quote(entry.address)}, port and path are those on {first} already"


def limited(inventory: Inventory, limit: Limit) -> Inventory:
    """Only the servers that are to be read; the others are remembered, so that none of them is called unknown."""
    if not limit.pattern:
        return inventory
    entries = (*inventory.servers, *inventory.clusters)
    chosen = limit.chosen({entry.name: (*entry.groups, "all") for entry in entries})
    others = [entry for entry in entries if entry.name not in chosen]
    return replace(
        inventory,
        servers=tuple(entry for entry in inventory.servers if entry.name in chosen),
        clusters=tuple(entry for entry in inventory.clusters if entry.name in chosen),
        limit=limit.pattern,
        left_out=tuple(
            dict.fromkeys(
                name for entry in others for kept_entry in _all(entry) for name in (kept_entry.name, kept_entry.address)
            )
        ),
    )


def _all(entry: Entry) -> tuple[Entry, ...]:
    """With the nodes that a cluster names: partners may be told either's name."""
    return (entry, *entry.nodes) if isinstance(entry, ClusterEntry) else (entry,)
