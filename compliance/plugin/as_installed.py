"""Our own modules as Python loads them, past pytest's finder.

pytest rewrites the assertions of a plugin's whole distribution, in case that tests are among its modules. Here none is;
and to rewrite is to compile each module anew, at every start where the installation can't be written to.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import pytest


def load_as_installed(config: pytest.Config) -> None:
    """Find our modules before pytest does, until this run ends."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)

    def remove() -> None:
        with suppress(ValueError):  # somebody may have put back the finders of before
            sys.meta_path.remove(finder)

    config.add_cleanup(remove)


class _Finder:
    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path) if name.startswith("compliance.") else None
