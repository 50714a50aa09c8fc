"""Ansible's YAML inventories: groups that hold `hosts`, `children` and `vars` (plugin ansible.builtin.yaml)."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.errors import InventoryError
from compliance.files.yaml_file import shown
from compliance.inventory.ansible.groups import Graph
from compliance.inventory.ansible.ranges import names_in
from compliance.inventory.ansible.yaml_nodes import Node

SECTIONS = ("hosts", "children", "vars")
DEEPEST = 50
"""Groups within groups; more is a circle of anchors."""


def read_yaml(root: Node, graph: Graph) -> None:
    """Add what the file says to ``graph``. InventoryError with each thing that is none of a group's."""
    mistakes: list[str] = []
    for name, group in root.items():
        mistakes += _group(name, group, graph, DEEPEST)
    if mistakes:
        raise InventoryError("\n".join(mistakes))


def _group(name: str, node: Node, graph: Graph, room: int) -> Iterator[str]:
    group = graph.group(name, node.origin)
    if not room:
        yield f"{node.origin}: groups within groups without an end"
    elif not node.is_nothing and not node.is_mapping:
        yield f"{node.origin}: group {shown(name)}: expected `hosts`, `children` or `vars`, got {told(node)}"
    if not room or not node.is_mapping:
        return
    for section, below in node.items():
        if section not in SECTIONS:
            yield f"{below.origin}: group {shown(name)} holds `hosts`, `children` and `vars`; got {shown(section)}"
        elif not below.is_nothing and not below.is_mapping:
            yield f"{below.origin}: {section} of group {shown(name)}: expected a mapping, got {told(below)}"
        elif not below.is_nothing:
            for key, value in below.items():
                if section == "hosts":
                    yield from _host(key, value, name, graph)
                elif section == "vars":
                    group.variables[key] = value.value()
                else:
                    group.children[key] = value.origin
                    yield from _group(key, value, graph, room - 1)


def _host(pattern: str, node: Node, group: str, graph: Graph) -> Iterator[str]:
    if not node.is_nothing and not node.is_mapping:
        yield f"{node.origin}: {shown(pattern)}: expected variables, got {told(node)}"
        return
    try:
        names, port = names_in(pattern)
    except ValueError as error:
        yield f"{node.origin}: {shown(pattern)}: {error}"
        return
    variables = {} if node.is_nothing else {key: value.value() for key, value in node.items()}
    for name in names:
        graph.add_host(name, group, variables, port=port, file=node.where, line=node.line)


def told(node: Node) -> str:
    """What stands there, without a word of it: it may be a password."""
    return "nothing" if node.is_nothing else "a mapping" if node.is_mapping else "text" if node.text() else "a list"
