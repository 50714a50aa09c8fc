"""By what an inventory of Ansible's is known before anybody reads it as one."""

from __future__ import annotations

YAML_NAMES = frozenset({".yaml", ".yml", ".json"})
"""How the names of files end that are YAML; every other one is INI."""
SECTIONS = ("hosts", "children", "vars")
"""What a group holds."""
