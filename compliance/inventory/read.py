"""Whatever a user names as an inventory: a file of ours with what it includes, or one of Ansible's, told apart.

Ours has `servers`, `clusters`, `include` or `snapshot` at its top. Ansible's is a folder, a program, a file of groups
that hold `hosts`, `children` or `vars`, or anything whose name is not one of YAML's: that is INI, which has no mark of
its own. Its reader is loaded where there is one to read: it is a fifth of all that an inventory of ours takes to load.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    CollectionStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from compliance.errors import InventoryError
from compliance.files.yaml_file import ENCODED, NotTextError, content_of, text_of
from compliance.inventory.ansible.marks import SECTIONS, YAML_NAMES
from compliance.inventory.document import InventoryFile
from compliance.inventory.includes import limited, read_with_includes
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import EVERYTHING, Limit
from compliance.inventory.own_file import inventory_of
from compliance.words import printable
from compliance.world import World

if TYPE_CHECKING:
    from compliance.inventory.ansible.read import AnsibleReading

OURS = frozenset({"servers", "clusters", "include", "snapshot"})
ONLY_OURS = frozenset(InventoryFile.model_fields) - OURS
OF_ANSIBLE = frozenset({"all", "ungrouped", "plugin"})

DEEPEST = 60
"""Values within values, as Ansible's may be."""


def read_any(path: Path, limit: Limit = EVERYTHING, world: World | None = None) -> Inventory:
    """InventoryError for mistakes in the files, each with its place; UsageError for a ``limit`` that meets nothing."""
    world = world or World()
    if is_ansible(path):
        return translate_ansible(path, limit, world).inventory

    def read(file: Path, included: bool) -> Inventory:
        if included and is_ansible(file):
            return translate_ansible(file, EVERYTHING, world).inventory
        mine = inventory_of(file, content_of(file), included=included)
        return _with_guests(mine, world) if mine.guests_of_ansible else mine

    inventory = read_with_includes(path, read)
    if inventory.snapshot:
        limit.refuse_for_snapshot()
    return limited(inventory, limit)


def translate_ansible(path: Path, limit: Limit, world: World) -> AnsibleReading:
    from compliance.inventory.ansible.by_ansible import LIST  # see the module's docstring
    from compliance.inventory.ansible.read import read_ansible

    command = world.find_command(LIST, world.environ)
    return read_ansible(path, limit=limit, environ=world.environ, listing_command=command)


def _with_guests(inventory: Inventory, world: World) -> Inventory:
    from compliance.inventory.ansible.by_ansible import LIST  # see the module's docstring
    from compliance.inventory.ansible.guests import with_guests

    return with_guests(inventory, world.environ, world.find_command(LIST, world.environ))


def is_ansible(path: Path) -> bool:
    """False for what is neither, too, if its name is YAML's: our own reader tells what it expected."""
    if path.is_dir():
        return True
    content = content_of(path)
    if content.startswith(b"#!"):
        return True
    try:
        text = text_of(content)
    except NotTextError as error:
        if content.startswith(ENCODED):  # nobody reads it, Ansible neither
            raise InventoryError(f"{printable(str(path))}:{error.line}: {error}") from error
        return path.suffix not in YAML_NAMES
    decided = _by_keys(text)
    return path.suffix not in YAML_NAMES if decided is None else decided


def _by_keys(text: str) -> bool | None:
    """Ansible's (True) or ours (False) by the first key that only one of them has; None where there is none.

    Event by event, so that a large file is not read twice.
    """
    try:
        for keys, event in _values(YAML(typ="safe", pure=True).parse(text)):
            is_mapping = isinstance(event, MappingStartEvent)
            if len(keys) == 2 and keys[1] in SECTIONS and keys[0] not in ONLY_OURS:
                return True
            if len(keys) == 1 and keys[0] in OF_ANSIBLE:
                return True
            if len(keys) == 1 and keys[0] in OURS and not is_mapping:  # a group of Ansible's may be called so
                return False
    except (YAMLError, ValueError, OverflowError, RecursionError):
        return None
    return None


def _values(events: Iterator[Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Each value that stands in nothing but mappings: the keys that lead to it, and the event that it begins with."""
    keys: list[str | None] = []  # of each mapping that is open, the key that is read; None where the next is one
    below = 0  # lists that are open, and all within
    for event in events:
        if isinstance(event, MappingEndEvent | SequenceEndEvent):
            if below:
                below -= 1
            else:
                keys.pop()
            if not below and keys:
                keys[-1] = None
        elif not isinstance(event, NodeEvent):
            continue
        elif len(keys) + below > DEEPEST:
            return  # whoever reads it says so
        elif below or not keys:
            if isinstance(event, CollectionStartEvent):
                if isinstance(event, MappingStartEvent) and not below:
                    keys.append(None)
                else:
                    below += 1
        elif keys[-1] is None:
            if not isinstance(event, ScalarEvent):
                return  # a key that is no text: none of the two has one
            keys[-1] = event.value
        else:
            yield tuple(key or "" for key in keys), event
            if isinstance(event, MappingStartEvent):
                keys.append(None)
            elif isinstance(event, SequenceStartEvent):
                below += 1
            else:
                keys[-1] = None
