"""YAML as Ansible writes it: with tags, anchors and long texts, of which only what is needed is taken, with its line.

The files of our own are read by files/yaml_file.py, which refuses all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from compliance.errors import InventoryError
from compliance.inventory.ansible import yaml_words
from compliance.inventory.ansible.hosts import Content, Literal, Other, Value, Vaulted, content_of
from compliance.words import quote, shorten

VAULTED_FILE = "$ANSIBLE_VAULT;"
VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
PLAIN = "plain"
"""Stands for the tag of a scalar that has neither a tag nor quotes."""
TEXT = "tag:yaml.org,2002:str"
TYPED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
DEEPEST = 4  # lists within a variable
MOST_ITEMS = 1000


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the place where it stands."""

    where: str
    node: Any
    key: Any = None  # where it stands under one, that is its place

    @property
    def origin(self) -> str:
        return f"{self.where}:{self.line}"

    @property
    def line(self) -> int:
        return int((self.key or self.node).start_mark.line) + 1

    @property
    def is_nothing(self) -> bool:
        return self.node is None or _is_null(self.node)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.node, MappingNode)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Of a mapping, in order; `<<` brings in what it names, and what is said beside it wins."""
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in self.node.value:
            if not isinstance(key, ScalarNode):
                line = key.start_mark.line + 1
                raise InventoryError(f"{self.where}:{line}: expected a name, got a list or a mapping")
            if key.value == "<<":
                for one in value.value if isinstance(value, SequenceNode) else [value]:
                    if isinstance(one, MappingNode) and one is not self.node:
                        merged |= {name: item for name, item in Node(self.where, one).items() if name not in merged}
            else:
                own[key.value] = Node(self.where, value, key)
        yield from (merged | own).items()

    @property
    def text(self) -> str | None:
        """The text of a scalar; None for what is none, as a number is."""
        return _text(self.node)

    @property
    def has_text_key(self) -> bool:
        """Ansible takes no number for a name."""
        return self.key is None or _text(self.key) is not None

    @property
    def kind(self) -> str:
        """What stands there, without a word of it: it may be a password."""
        if self.is_nothing:
            return "nothing"
        if isinstance(self.node, ScalarNode):
            return "text" if self.text is not None else "a number or a truth value"
        return "a mapping" if self.is_mapping else "a list"

    def value(self) -> Value:
        return Value(content=_content(self.node), origin=self.origin)


def root_of(text: str, where: str) -> Node | None:
    """The one document of ``text``; None where it is empty. InventoryError with the line where it is no YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    try:
        node = yaml.compose(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InventoryError(f"{where}:{line}: not YAML: unprintable character U+{error.character:04X}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InventoryError(f"{where}:{line}: not YAML: {shorten(str(error.problem), 100)}") from error
    except (YAMLError, ValueError, OverflowError) as error:
        raise InventoryError(f"{where}:1: not YAML") from error
    except RecursionError as error:
        raise InventoryError(f"{where}:1: nested too deeply") from error
    return None if node is None else Node(where, node)


class _Resolver(VersionedResolver):
    """Leaves plain scalars to yaml_words: ruamel's own reading is YAML 1.2's."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return Tag(suffix=PLAIN) if kind is ScalarNode and implicit[0] else super().resolve(kind, value, implicit)


def _content(node: Any, depth: int = 0) -> Content:
    if isinstance(node, ScalarNode):
        return _scalar(node)
    if isinstance(node, SequenceNode) and depth < DEEPEST and len(node.value) <= MOST_ITEMS:
        return tuple(_content(one, depth + 1) for one in node.value)
    return Other("a list" if isinstance(node, SequenceNode) else "a mapping")


def _scalar(node: Any) -> Content:
    tag = str(node.tag or "")
    if tag in VAULT_TAGS:
        return Vaulted(node.value)
    if tag == "!unsafe":
        return Literal(node.value)
    if tag == TEXT:
        return str(node.value)
    if tag not in {PLAIN, *TYPED}:
        return Other(f"a value with the tag {quote(tag)}")
    try:
        return content_of(yaml_words.value_of(node.value))
    except ValueError:
        return Other("a number that none can read")


def _text(node: Any) -> str | None:
    if not isinstance(node, ScalarNode):
        return None
    if str(node.tag) == PLAIN:
        return node.value if _is_text(node.value) else None
    return None if str(node.tag) in TYPED else str(node.value)


def _is_text(word: str) -> bool:
    try:
        return isinstance(yaml_words.value_of(word), str)
    except ValueError:
        return False


def _is_null(node: Any) -> bool:
    is_typed = isinstance(node, ScalarNode) and str(node.tag) in {PLAIN, *TYPED}
    return is_typed and bool(yaml_words.NOTHING.fullmatch(node.value))
