"""One noun, one meaning; names that a search finds; and pieces that fit on a page or two."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

import pytest

from tests.modules import module_files, name_of, nodes_of, tree_of

MOST_OF_A_MODULE = 350
MOST_OF_A_CLASS = 120
"""Lines, with their docstrings."""
VAGUE = frozenset(
    {"told", "found", "said", "shown", "listed", "named", "given", "asked", "whose", "beside", "kept", "one"}
)
"""They say that something happened to something; a search for them finds everything. Call it by what it holds."""


def nouns(tree: ast.Module) -> Iterator[str]:
    """Yield the names of a module's classes, wherever they stand, and of its type aliases."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name.strip("_")
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not is_type_variable(node):
            name = node.targets[0].id.strip("_")
            if name != name.upper() and name[0].isupper():
                yield name


def is_type_variable(node: ast.Assign) -> bool:
    """Is it the parameter of generic functions, which is no noun of ours?"""
    return isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "TypeVar"


def defined_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions, methods and classes wherever they stand, and of what a module or class holds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef | ast.Module):
            for statement in node.body:
                yield from targets(statement)


def targets(statement: ast.stmt) -> Iterator[str]:
    wholes = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    for whole in wholes:
        yield from (node.id for node in ast.walk(whole or ast.Pass()) if isinstance(node, ast.Name))


def test_a_noun_has_one_home() -> None:
    homes = defaultdict(list)
    for path in module_files():
        for noun in nouns(tree_of(path)):
            homes[noun].append(name_of(path))
    assert {noun: modules for noun, modules in homes.items() if len(modules) > 1} == {}


def test_nothing_is_called_by_a_word_that_says_nothing() -> None:
    vague = [
        f"{name_of(path)}: {name}"
        for path in module_files()
        for name in defined_names(tree_of(path))
        if name.strip("_").casefold() in VAGUE
    ]
    assert vague == []


def test_no_module_is_too_long() -> None:
    lines = {name_of(path): path.read_bytes().count(b"\n") for path in module_files()}
    assert {module: count for module, count in lines.items() if count > MOST_OF_A_MODULE} == {}


def test_no_class_is_too_long() -> None:
    classes = [
        (name_of(path), node.name, (node.end_lineno or 0) - node.lineno + 1)
        for path in module_files()
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef)
    ]
    assert [found for found in classes if found[2] > MOST_OF_A_CLASS] == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def told(): ...", ["told"]),
        ("class A:\n    def _shown(self): ...\n    given: int = 1", ["A", "_shown", "given"]),
        ("A, ASKED = 1, 2\nfor one in (): ...", ["A", "ASKED", "one"]),
        ("def f():\n    found = 1", ["f"]),
    ],
)
def test_which_names_are_looked_at(source: str, expected: list[str]) -> None:
    assert sorted(defined_names(ast.parse(source))) == sorted(expected)


def test_which_nouns_are_looked_at() -> None:
    tree = ast.parse("class _Row: ...\nRows = tuple[_Row, ...]\nMOST = 3\nT = TypeVar('T')\nrow = 1")
    assert list(nouns(tree)) == ["Row", "Rows"]
