"""The plugin's door: its options and fixtures. What an estate needs is loaded and registered only where one is named.

In everybody else's runs nothing here does anything, and little is imported: all of it would cost half a second.
"""

from __future__ import annotations

import os
from argparse import ArgumentError
from contextlib import nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from compliance.plugin.ini_file import add_keys, apply_ini, has_estate
from compliance.plugin.mistakes import register, usage_errors
from compliance.plugin.options import NEEDS_ESTATE, estate_options
from compliance.words import printable

if TYPE_CHECKING:  # the model takes a tenth of pytest's own start to load
    from compliance.model import ReplicatedVM, Server

OWNERS_OF_INVENTORY = {"pytest_ansible": "pytest-ansible"}
"""Modules that own ``--inventory``, and the names of their plugins. We keep ``--hv-inventory`` beside them."""


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    group = parser.getgroup("hyperv-compliance", "Hyper-V compliance")
    inventory_is_taken = _inventory_is_taken(pluginmanager)
    for option in estate_options():
        names = list(option.names[1:] if inventory_is_taken and option.dest == "hv_inventory" else option.names)
        _add(group, names, option.dest, **option.attributes)
    add_keys(parser)


def _add(group: pytest.OptionGroup, names: list[str], dest: str, **attributes: Any) -> None:
    """An option under its short name where that is free, else under our prefix alone."""
    try:
        group.addoption(*names, dest=dest, **attributes)
    except (ValueError, ArgumentError):
        if len(names) < 2:
            raise
        group.addoption(*names[1:], dest=dest, **attributes)


def _inventory_is_taken(pluginmanager: pytest.PytestPluginManager) -> bool:
    """Whoever registers second breaks pytest's start, and we may be first: so look for known owners of the name."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False
    return any(
        find_spec(module) and find_spec("ansible") and not pluginmanager.is_blocked(name)
        for module, name in OWNERS_OF_INVENTORY.items()
    )


def pytest_configure(config: pytest.Config) -> None:
    option = config.option
    if option.help or option.showfixtures or option.show_fixtures_per_test:
        return
    ini = apply_ini(config)
    has_estate = option.hv_inventory is not None or option.hv_snapshot
    if not has_estate and option.hv_report_dir is None and not ini.mistakes:
        _refuse_stray_options(config)
        return
    from compliance.garbage import uncollected  # see the module's docstring
    from compliance.plugin.as_installed import load_as_installed

    load_as_installed(config)
    with uncollected():
        from compliance.plugin.report_folder import Reports
        from compliance.plugin.session import EstateSession

    with usage_errors():
        reports = Reports.for_options(config)
        with reports.watching() if reports else nullcontext():
            ini.refuse_mistakes()
            if not has_estate:
                _refuse_stray_options(config)
            register(config, EstateSession.planned(config, ini, reports), "compliance.plugin.session")


def _refuse_stray_options(config: pytest.Config) -> None:
    """An option of ours that would be ignored in silence, in a run that then looks green."""
    for name in NEEDS_ESTATE:
        if config.getoption(name) not in (None, []):
            option = name.replace("_", "-")
            raise pytest.UsageError(f"--{option} needs an estate: give --inventory or --snapshot")


def pytest_report_header(config: pytest.Config) -> list[str]:
    arguments = [str(argument) for argument in config.invocation_params.args]
    meant_for_us = config.option.hv_inventory is None and any(word.startswith("--inventory") for word in arguments)
    if meant_for_us and _inventory_is_taken(config.pluginmanager):
        return ["hyperv-compliance: --inventory belongs to another plugin here; ours is --hv-inventory"]
    return []


# --- users' own checks ------------------------------------------------------------------------------------------------


@pytest.fixture
def replicated_vm(request: pytest.FixtureRequest) -> ReplicatedVM:
    """Each side of each replicated virtual machine of the estate; an error for each server that was not read."""
    subject: ReplicatedVM = _readable(request)
    return subject


@pytest.fixture
def hyperv_server(request: pytest.FixtureRequest) -> Server:
    """Each Hyper-V server of the inventory; an error for each that was not read."""
    subject: Server = _readable(request)
    return subject


def _readable(request: pytest.FixtureRequest) -> Any:
    if not hasattr(request, "param"):
        of_file = "; the configuration file's counts where no path is given" if has_estate(request.config) else ""
        pytest.fail(f"{request.fixturename} needs an estate: give --inventory or --snapshot{of_file}", pytrace=False)
    from compliance.model import Unread  # whoever has made the parameters has loaded it

    if isinstance(request.param, Unread):
        pytest.fail(printable(str(request.param)), pytrace=False)
    return request.param
