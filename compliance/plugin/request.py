"""pytest's options and arguments -> what a run was asked to do. Files are read here; nothing is sent anywhere."""

from __future__ import annotations

import getpass
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compliance import audit
from compliance.gate.policy import policy_of_options, read_policy
from compliance.inventory.limit import Limit
from compliance.judge.scope import Scope
from compliance.plan import Plan, read_plan
from compliance.plugin.handover import Handover, read_handover
from compliance.plugin.ini_file import IniOptions
from compliance.plugin.options import POLICY_OPTIONS, Grain
from compliance.words import printable, shorten


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One run. ``grain`` is None where none was given; ``cases`` are ids of ours that were given as arguments.

    ``handover`` is what the controller of pytest-xdist hands a worker, which then reads no file of the user's.
    """

    plan: Plan
    scope: Scope
    save: str | None = None
    author: str = ""  # who runs it and where, for the evidence block; empty where nobody is to be named
    cases: tuple[str, ...] = ()
    grain: Grain | None = None
    handover: Handover | None = None

    @property
    def narrowed(self) -> str:
        return audit.narrowed(self.plan.limit, self.scope)


def read_request(config: pytest.Config, ini: IniOptions) -> Request:
    """Read the files that the options name, and take our ids out of pytest's arguments. UsageError for a mistake.

    An estate that stands in pytest's configuration file runs beside its `testpaths`.
    """
    option = config.option
    handover = read_handover(config)
    plan = handover.plan if handover else _read_plan(option, ini)
    return Request(
        plan=plan,
        scope=Scope(
            sites=tuple(option.hv_site),
            groups=tuple(option.hv_group),
            servers=tuple(option.hv_server),
            machines=tuple(option.hv_vm),
            rules=tuple(option.hv_rule),
            severities=tuple(option.hv_severity),
        ),
        save=option.hv_save,
        author=author_of(option.hv_author),
        cases=tuple(_take_arguments(config, printable(plan.estate), keep_testpaths=ini.name_estate)),
        grain=Grain(option.hv_grain) if option.hv_grain else None,
        handover=handover,
    )


def author_of(name: str | None) -> str:
    """Return who is named as having run this: by the option, or by the account and the machine; ``off`` is nobody."""
    if name is not None:
        return "" if name.casefold() == "off" else shorten(name)
    try:
        account = getpass.getuser()
    except (KeyError, OSError, ImportError):  # no such user in this container; on Windows no variable says it
        account = "unknown account"
    return shorten(f"{account}@{platform.node() or 'unknown machine'}")


def _read_plan(option: Any, ini: IniOptions) -> Plan:
    return read_plan(
        option.hv_inventory,
        option.hv_snapshot,
        policies=option.hv_policy,
        options=policy_of_options(_policy_options(vars(option))),
        defaults=[
            *(read_policy(Path(name)) for name in ini.policy.get("hv_policy", ())),
            policy_of_options(_policy_options(ini.policy)),
        ],
        waivers=option.hv_waivers,
        baseline=option.hv_baseline,
        limit=Limit(pattern=option.hv_limit or ""),
        saves=bool(option.hv_save),
    )


def _policy_options(options: Mapping[str, Any]) -> dict[str, object]:
    """By the policy's keys; None for what was not given."""
    values: dict[str, object] = {name: options.get(f"hv_{name}") for name in POLICY_OPTIONS}
    pairs = [pair.partition("=") for pair in options.get("hv_severity_of", ())]
    return values | {"severity": {rule: severity for rule, _, severity in pairs} or None}


def _take_arguments(config: pytest.Config, estate: str, *, keep_testpaths: bool) -> list[str]:
    """Ids of our cases are arguments too; and without any path only the estate runs, not the folder it runs in."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        if not (keep_testpaths and config.args_source is pytest.Config.ArgsSource.TESTPATHS):
            config.args = []
        return []
    ours = [argument for argument in config.args if _is_ours(argument, estate)]
    config.args = [argument for argument in config.args if argument not in ours]
    return [f"{estate}::{argument.split('::', 1)[1]}" for argument in ours]


def _is_ours(argument: str, estate: str) -> bool:
    """pytest prints ids relative to the folder that it runs in, so a path may stand before the estate's name."""
    path, separator, _ = argument.partition("::")
    return bool(separator) and Path(path).name == estate and not Path(path).exists()
