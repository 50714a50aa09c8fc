"""What tests of Ansible's inventories share: the lines of a mistake, and values of entries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from compliance.errors import InventoryError
from compliance.inventory.inventory import Inventory
from compliance.inventory.read import read_any
from compliance.world import World


def mistakes(path: Path, world: World) -> list[str]:
    """Return the lines of the error that reading ``path`` raises, without its folder; none of them shows a password."""
    with pytest.raises(InventoryError) as error:
        read_any(path, world=world)
    assert "canary" not in str(error.value)
    return [line.removeprefix(f"{path.parent}{os.sep}") for line in str(error.value).splitlines()]


def entries(inventory: Inventory, *keys: str) -> dict[str, tuple[object, ...]]:
    """Return the values of these keys by the server's name."""
    return {entry.name: tuple(getattr(entry, key) for key in keys) for entry in inventory.servers}
