"""The modules of the package as syntax trees: parsed when a test asks for them, once a process."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "compliance"


@cache
def module_files() -> tuple[Path, ...]:
    """Return the file of each module, by name."""
    return tuple(sorted(PACKAGE.rglob("*.py")))


def name_of(path: Path) -> str:
    """Return the path below the package, as tables of the tests write it."""
    return path.relative_to(PACKAGE).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the tree of one module."""
    return ast.parse(path.read_text("utf-8"), str(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return every node of one module's tree."""
    return tuple(ast.walk(tree_of(path)))
