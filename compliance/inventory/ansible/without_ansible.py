"""Ansible inventories read without Ansible: plain INI and YAML, with group_vars and host_vars beside them.

What this can't do is a mistake that says so: dynamic sources, inventory plugins and vaulted files need ansible-core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

from compliance.errors import InventoryError
from compliance.files import yaml_file
from compliance.files.yaml_file import NotTextError, content_of
from compliance.inventory.ansible.groups import Graph, Variables
from compliance.inventory.ansible.hosts import AnsibleHosts, Host, VariableValue
from compliance.inventory.ansible.ini import read_ini
from compliance.inventory.ansible.marks import YAML_NAMES
from compliance.inventory.ansible.yaml_groups import read_yaml
from compliance.inventory.ansible.yaml_nodes import VAULTED_FILE, root_of
from compliance.words import printable

KIND = "an inventory of Ansible"
NEEDS_ANSIBLE = 'needs ansible-core: pip install "hyperv-compliance[ansible]"'
IGNORED = re.compile(
    r"^\.|^(host_vars|group_vars|vars_plugins)$|(~|\.(pyc|pyo|swp|bak|rpm|md|txt|rst|orig|cfg|retry))$"
)
"""Names in a folder that are no source (INVENTORY_IGNORE_EXTS and REJECT_EXTS of ansible-core 2.19)."""
DEEPEST_FOLDER = 5
MOST_FILES = 2000


def list_hosts(path: Path) -> AnsibleHosts:
    """InventoryError, with the place, for whatever can't be read or understood."""
    graph = Graph()
    for file in _sources(path):
        _read(file, graph)
    here = path if path.is_dir() else path.parent
    folders = [here] if here.resolve() == Path.cwd() else [here, Path.cwd()]  # a playbook's place is the second one

    @cache
    def names_in(folder: Path) -> frozenset[str]:
        with suppress(OSError):
            return frozenset(entry.name for entry in folder.iterdir())
        return frozenset()

    @cache
    def variables_beside_it(kind: str, name: str) -> Variables:
        variables: dict[str, VariableValue] = {}
        for folder in folders:
            for file in _files_of(folder / kind, name, names_in(folder / kind)):
                variables |= _variables(file)
        return variables

    how = f"{printable(str(path))}: read without Ansible, as plain INI or YAML ({NEEDS_ANSIBLE} for plugins and vaults)"
    return AnsibleHosts(hosts=graph.resolved(variables_beside_it), how=how)


def places(path: Path) -> list[Host]:
    """Hosts with the places where they stand first, as far as files can be read; without their variables."""
    graph = Graph()
    with suppress(InventoryError):
        for file in _sources(path):
            with suppress(InventoryError):
                _read(file, graph)
    return [replace(host, variables={}) for host in graph.hosts.values()]


def _sources(path: Path, room: int = DEEPEST_FOLDER) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    if not room:
        raise InventoryError(f"{printable(str(path))}: folders within folders, more than {DEEPEST_FOLDER} deep")
    for entry in _files_in(path):
        if not IGNORED.search(entry.name):
            yield from _sources(entry, room - 1)


def _read(file: Path, graph: Graph) -> None:
    where = printable(str(file))
    text = text_of(file)
    if text.startswith("#!"):
        raise InventoryError(f"{where}: a dynamic inventory, which {NEEDS_ANSIBLE}")
    if file.suffix not in YAML_NAMES and (file.suffix or not _looks_like_yaml(text)):
        read_ini(text, where, graph)
        return
    root = root_of(text, where)
    if root is None:
        return
    if not root.is_mapping:
        raise InventoryError(f"{root.origin}: expected groups with `hosts`, `children` or `vars`")
    if plugin := next((node for key, node in root.items() if key == "plugin"), None):
        raise InventoryError(f"{plugin.origin}: the configuration of an inventory plugin, which {NEEDS_ANSIBLE}")
    read_yaml(root, graph)


def _looks_like_yaml(text: str) -> bool:
    """Of a file without an ending: the first line that says anything is `---`, or a name and a colon."""
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";")))
    return bool(re.match(r"---|[\w-]+:\s*(#.*)?$|\{", next(lines, "")))


def text_of(file: Path) -> str:
    """A file's text. InventoryError where it is vaulted, which only Ansible opens."""
    content = content_of(file, KIND)
    where = printable(str(file))
    try:
        text = yaml_file.text_of(content)
    except NotTextError as error:
        raise InventoryError(f"{where}:{error.line}: {error}") from error
    if text.startswith(VAULTED_FILE):
        raise InventoryError(f"{where}: encrypted by ansible-vault, which {NEEDS_ANSIBLE}")
    return text


# --- group_vars and host_vars -----------------------------------------------------------------------------------------


def _files_of(folder: Path, name: str, there: frozenset[str]) -> list[Path]:
    """Return ``NAME``, ``NAME.yml`` and its like, or every file below the folder ``NAME``, in order.

    ``there`` are the names in the folder: asking it for each of many hosts would take its time.
    """
    files: list[Path] = []
    for ending in ("", ".yml", ".yaml", ".json"):
        if f"{name}{ending}" not in there:
            continue
        file = folder / f"{name}{ending}"
        with suppress(OSError):
            if file.is_dir() and not ending:
                files += _below(file, DEEPEST_FOLDER)
            elif file.is_file():
                files.append(file)
    return files


def _below(folder: Path, room: int) -> list[Path]:
    files: list[Path] = []
    for entry in _files_in(folder) if room else ():
        if entry.name.startswith(".") or entry.name.endswith("~"):
            continue
        if entry.is_dir():
            files += _below(entry, room - 1)
        elif entry.suffix in {"", *YAML_NAMES}:
            files.append(entry)
    return files


def _files_in(folder: Path) -> Sequence[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise InventoryError(f"{printable(str(folder))}: can't be read: {error.strerror}") from error
    if len(entries) > MOST_FILES:
        raise InventoryError(f"{printable(str(folder))}: more than {MOST_FILES:,} files; is it {KIND}?")
    return entries


def _variables(file: Path) -> Variables:
    root = root_of(text_of(file), printable(str(file)))
    if root is None or root.is_nothing:
        return {}
    if not root.is_mapping:
        raise InventoryError(f"{root.origin}: expected variables, `name: value`")
    return {name: node.value() for name, node in root.items()}
