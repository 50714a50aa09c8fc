"""Ansible's YAML inventories: groups that hold `hosts`, `children` and `vars` (plugin ansible.builtin.yaml)."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.errors import InventoryError
from compliance.inventory.ansible.groups import Graph
from compliance.inventory.ansible.marks import SECTIONS
from compliance.inventory.ansible.ranges import names_in
from compliance.inventory.ansible.yaml_nodes import Node
from compliance.words import quote

ANSWER = "_meta"
DEEPEST = 50
"""Groups within groups; more is a circle of anchors."""


def read_yaml(root: Node, graph: Graph) -> None:
    """Add what the file says to ``graph``. InventoryError with each thing that is none of a group's."""
    mistakes: list[str] = []
    for name, group in root.items():
        mistakes += _read_group(name, group, graph, DEEPEST)
    if mistakes:
        raise InventoryError("\n".join(mistakes))


def _read_group(name: str, node: Node, graph: Graph, room: int) -> Iterator[str]:
    """Yield the mistakes."""
    group = graph.group(name, node.origin)
    if not room:
        yield f"{node.origin}: groups within groups without an end"
    elif name == ANSWER:
        yield (
            f"{node.origin}: {ANSWER} makes this the answer of a dynamic source, which Ansible reads from no file: "
            "name the source itself, or write it as YAML (ansible-inventory -i SOURCE --list --yaml)"
        )
    elif not node.has_text_key:
        yield f"{node.origin}: a group's name is text: put {quote(name)} in quotes"
    elif not node.is_nothing and not node.is_mapping:
        yield f"{node.origin}: group {quote(name)}: expected `hosts`, `children` or `vars`, got {node.kind}"
    if not room or name == ANSWER or not node.is_mapping:
        return
    for section, below in node.items():
        if section not in SECTIONS:
            yield f"{below.origin}: group {quote(name)} holds `hosts`, `children` and `vars`; got {quote(section)}"
        elif section != "vars" and (only := below.text):  # Ansible takes a name for a mapping of it alone
            yield from _read_member(section, name, only, Node(below.where, None, below.key, below.merges), graph, room)
        elif not below.is_nothing and not below.is_mapping:
            yield f"{below.origin}: {section} of group {quote(name)}: expected a mapping, got {below.kind}"
        elif not below.is_nothing:
            for key, value in below.items():
                if section == "vars":
                    group.variables[key] = value.value()
                elif not value.has_text_key:
                    what = "host" if section == "hosts" else "group"
                    yield f"{value.origin}: a {what}'s name is text: put {quote(key)} in quotes"
                else:
                    yield from _read_member(section, name, key, value, graph, room)


def _read_member(section: str, group: str, name: str, node: Node, graph: Graph, room: int) -> Iterator[str]:
    if section == "hosts":
        yield from _read_host(name, node, group, graph)
        return
    graph.group(group, node.origin).children[name] = node.origin
    yield from _read_group(name, node, graph, room - 1)


def _read_host(pattern: str, node: Node, group: str, graph: Graph) -> Iterator[str]:
    if not node.is_nothing and not node.is_mapping:
        yield f"{node.origin}: {quote(pattern)}: expected variables, got {node.kind}"
        return
    try:
        names, port = names_in(pattern)
    except ValueError as error:
        yield f"{node.origin}: {quote(pattern)}: {error}"
        return
    variables = {} if node.is_nothing else {key: value.value() for key, value in node.items()}
    for name in names:
        graph.add_host(name, group, variables, port=port, file=node.where, line=node.line)
