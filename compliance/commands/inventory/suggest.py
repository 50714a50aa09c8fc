"""`inventory suggest`: partner servers that replication settings name and nobody listed, as entries to paste."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from compliance.commands.inventory.show import FINE
from compliance.errors import UsageError
from compliance.hyperv.estate import translate
from compliance.hyperv.rows import first_label
from compliance.hyperv.server import let_go
from compliance.inventory.as_yaml import item
from compliance.inventory.entries import Entry
from compliance.inventory.limit import EVERYTHING
from compliance.inventory.read import read_any
from compliance.model import Partner
from compliance.snapshot.read import read_snapshot
from compliance.words import join_names, plural, printable
from compliance.world import World

LACKS = 1
"""Exit code where there are partners that nobody listed."""


def suggest(file: Path | None, snapshot: Path | None, world: World) -> tuple[Iterable[str], int]:
    """Return the lines, and the exit code. UsageError where there is no snapshot to take partners from."""
    inventory = read_any(file, EVERYTHING, world) if file else None
    snapshot = snapshot or (inventory.snapshot if inventory else None)
    if snapshot is None:
        raise UsageError(
            "partners are known from what was gathered: give --snapshot FILE (pytest's --hv-save wrote it)"
        )
    labels = {first_label(name) for entry in (inventory.hosts if inventory else ()) for name in _names(entry)}
    partners = [
        partner
        for partner in translate(read_snapshot(snapshot, let_go)).unlisted
        if first_label(partner.name) not in labels
    ]
    if not partners:
        return [f"# Every partner that {printable(str(snapshot))} names is listed."], FINE
    return _entries(partners, snapshot), LACKS


def _names(entry: Entry) -> tuple[str, str]:
    return entry.name, entry.address


def _entries(partners: Sequence[Partner], snapshot: Path) -> Iterator[str]:
    yield f"# Partners that {printable(str(snapshot))} names and nobody listed. Hosts wrote these names: look at each"
    yield "# before you paste it."
    yield "servers:"
    for partner in partners:
        where = join_names(partner.servers)
        yield from item(_keys(partner), f"partner of {plural(partner.machines, 'machine')} on {where}")
    yield "# Settings do not tell a server's name from a cluster's or a Replica Broker's. Where it is one of those,"
    yield "# paste this in place of its entry above, so that every node is read:"
    yield "# clusters:"
    for partner in partners:
        yield from (f"# {line}" for line in item(_keys(partner)))


def _keys(partner: Partner) -> dict[str, object]:
    name = re.sub(r"[^\w.-]", "-", partner.name)[:200]
    keys: dict[str, object] = {"name": name}
    return keys | ({"address": partner.name} if name != partner.name else {})
