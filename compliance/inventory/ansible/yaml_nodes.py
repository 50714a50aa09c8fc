"""YAML as Ansible writes it: with tags, anchors and long texts, of which only what is needed is taken, with its line.

The files of our own are read by files/yaml_file.py, which refuses all of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from compliance.errors import InventoryError
from compliance.inventory.ansible import yaml_words
from compliance.inventory.ansible.hosts import Content, Literal, Other, VariableValue, Vaulted, content_of
from compliance.words import quote, shorten

VAULTED_FILE = "$ANSIBLE_VAULT;"
VAULT_TAGS = frozenset({"!vault", "!vault-encrypted"})
PLAIN = "plain"
"""Stands for the tag of a scalar that has neither a tag nor quotes."""
TEXT = "tag:yaml.org,2002:str"
TYPED = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))
DEEPEST = 60
"""Values within values."""
DEEPEST_LIST = 4
MOST_ITEMS = 200
"""Of one variable's lists, all within counted."""
MOST_MERGED = 200_000
"""Keys that `<<` brings in, in one file: anchors can multiply a few lines."""


@dataclass(slots=True)
class _Merges:
    """What `<<` made of each mapping so far: each is done once, however many anchors lead to it."""

    done: dict[int, list[tuple[Any, Any]]] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)
    keys: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """A value and the place where it stands."""

    where: str
    node: Any
    key: Any = None  # where it stands under one, that is its place
    merges: _Merges = field(default_factory=_Merges, repr=False, compare=False)

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
        """Yield what a mapping holds, in order; `<<` brings in what it names, and what is said beside it wins."""
        for key, value in self._pairs(self.node):
            yield key.value, Node(self.where, value, key, self.merges)

    def _pairs(self, mapping: Any) -> list[tuple[Any, Any]]:
        """Return a mapping's keys and values as nodes. InventoryError where `<<` leads to itself, or multiplies."""
        known = self.merges.done.get(id(mapping))
        if known is not None:
            return known
        if id(mapping) in self.merges.open:
            raise InventoryError(f"{self.where}:{mapping.start_mark.line + 1}: a `<<` that leads to itself")
        self.merges.open.add(id(mapping))
        own: dict[str, tuple[Any, Any]] = {}
        merged: dict[str, tuple[Any, Any]] = {}
        for key, value in mapping.value:
            line = key.start_mark.line + 1
            if not isinstance(key, ScalarNode):
                raise InventoryError(f"{self.where}:{line}: expected a name, got a list or a mapping")
            if key.value != "<<":
                own[key.value] = (key, value)
                continue
            for other in value.value if isinstance(value, SequenceNode) else [value]:
                pairs = self._pairs(other) if isinstance(other, MappingNode) else []
                self.merges.keys += len(pairs)
                if self.merges.keys > MOST_MERGED:
                    raise InventoryError(f"{self.where}:{line}: `<<` brings in more than {MOST_MERGED:,} keys")
                merged = {pair[0].value: pair for pair in pairs} | merged
        self.merges.open.discard(id(mapping))
        self.merges.done[id(mapping)] = list((merged | own).values())
        return self.merges.done[id(mapping)]

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

    def value(self) -> VariableValue:
        return VariableValue(content=_content(self.node), origin=self.origin)


def root_of(text: str, where: str) -> Node | None:
    """The one document of ``text``; None where it is empty. InventoryError with the line where it is no YAML."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    yaml.Composer = _Composer
    try:
        node = yaml.compose(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise InventoryError(f"{where}:{line}: not YAML: unprintable character U+{error.character:04X}") from error
    except _TooDeepError as error:
        raise InventoryError(f"{where}:{error.problem_mark.line + 1}: nested more than {DEEPEST} deep") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InventoryError(f"{where}:{line}: not YAML: {shorten(str(error.problem), 100)}") from error
    except (YAMLError, ValueError, OverflowError) as error:
        raise InventoryError(f"{where}:1: not YAML") from error
    return None if node is None else Node(where, node)


class _Resolver(VersionedResolver):
    """Leaves plain scalars to yaml_words: ruamel's own reading is YAML 1.2's."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        return Tag(suffix=PLAIN) if kind is ScalarNode and implicit[0] else super().resolve(kind, value, implicit)


class _TooDeepError(MarkedYAMLError):
    pass


class _Composer(Composer):
    """Refuses what is nested too deeply, before Python does."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            mark = self.parser.peek_event().start_mark
            raise _TooDeepError(problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _content(node: Any) -> Content:
    if isinstance(node, ScalarNode):
        return _scalar(node)
    items = _items(node, [MOST_ITEMS], DEEPEST_LIST) if isinstance(node, SequenceNode) else None
    if items is None:
        return Other("a list" if isinstance(node, SequenceNode) else "a mapping")
    return items


def _items(node: Any, room: list[int], depth: int) -> tuple[Content, ...] | None:
    """Return a list's items; None where it holds more than ``room``, or more lists within lists than ``depth``."""
    room[0] -= len(node.value)
    if room[0] < 0 or not depth:
        return None
    contents: list[Content] = []
    for item in node.value:
        if isinstance(item, SequenceNode):
            below = _items(item, room, depth - 1)
            if below is None:
                return None
            contents.append(below)
        else:
            contents.append(_content(item))
    return tuple(contents)


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
