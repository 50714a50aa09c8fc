"""Whether a process is this run's alone, so that what it keeps may go with it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from compliance.plugin.cases import Case

PROGRAMS = frozenset({"pytest", "py.test", "hyperv-compliance", "compliance"})
KNOWN = frozenset(
    {
        *("pytest", "_pytest", "pluggy", "compliance", "pytest_html", "pytest_metadata", "testinfra", "xdist"),
        *("_hypothesis_pytestplugin", "platformdirs"),
    }
)
"""Packages whose plugins leave no file open that Python's last collection would write to the end."""


def is_alone(session: pytest.Session) -> bool:
    """Did nobody's code take part but pytest's, ours, and plugins that are known to need no last collection?"""
    items = getattr(session, "items", ())  # xdist's controller has none
    owners = {_owner(plugin) for plugin in session.config.pluginmanager.get_plugins()}
    return _is_program() and {Case}.issuperset(map(type, items)) and owners <= KNOWN


def _is_program() -> bool:
    """Is it the command, and not a program that runs pytest within itself?"""
    path = Path(getattr(sys.modules["__main__"], "__file__", None) or "")
    return (path.parent if path.name == "__main__.py" else path).stem in PROGRAMS  # also `pytest.exe/__main__.py`


def _owner(plugin: object) -> str:
    name = plugin.__name__ if isinstance(plugin, ModuleType | type) else type(plugin).__module__
    return str(plugin.__module__ if isinstance(plugin, type) else name).partition(".")[0]
