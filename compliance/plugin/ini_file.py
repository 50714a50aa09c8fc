"""Our options in pytest's configuration file. What the command line says wins, option by option and whole.

An estate that stands there must not come over runs that are about something else: it counts where the command line
names no path, or one of our options or ids.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import UsageError
from compliance.plugin.options import FILES, OPTIONS, POLICY_KEYS, POLICY_OPTIONS, REPEATABLE, Grain

ESTATE = ("hv_inventory", "hv_snapshot")


def add_keys(parser: pytest.Parser) -> None:
    for name in OPTIONS:
        kind: Any = "linelist" if name in REPEATABLE else "string"
        parser.addini(name, f"as --{name.replace('_', '-')}, which wins", type=kind, default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class IniOptions:
    """What was taken from the file: does it name the estate, what does it say of the policy, what in it is no value?"""

    name_estate: bool = False
    policy: Mapping[str, Any] = field(default_factory=dict)  # of POLICY_KEYS, what the command line does not say itself
    mistakes: tuple[str, ...] = ()

    def refuse_mistakes(self) -> None:
        if self.mistakes:
            raise UsageError("\n".join(self.mistakes))


def apply_ini(config: pytest.Config) -> IniOptions:
    """Put the configuration file's values where the command line says nothing. What it says of the policy is kept
    apart: a policy file of the command line says more than any key here."""
    option = config.option
    given = [name for name in OPTIONS if getattr(option, name) not in (None, [])]
    names_estate = any(name in given for name in ESTATE)
    if not names_estate and not given and (_names_paths(config) or not has_estate(config)):
        return IniOptions()
    mistakes, policy = [], {}
    for name in OPTIONS:
        if name in given or (name in ESTATE and names_estate):
            continue
        try:
            value = _value(config, name)
            if value in (None, "", []):
                continue
            if name in POLICY_KEYS:
                policy[name] = value
            else:
                setattr(option, name, value)
        except (TypeError, ValueError) as error:  # the former: a file of TOML, whose values have types
            mistakes.append(f"{config.inipath}: {name}: {error}")
    named = not names_estate and has_estate(config)
    return IniOptions(name_estate=named, policy=policy, mistakes=tuple(mistakes))


def has_estate(config: pytest.Config) -> bool:
    """Does the configuration file name one, whether it counts or not?"""
    return any(config.getini(name) for name in ESTATE)


def _names_paths(config: pytest.Config) -> bool:
    """Is the run about paths alone? An id of ours, whose path is none, makes it one about the estate, too."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    folder = config.invocation_params.dir
    return all("::" not in one or (folder / one.partition("::")[0]).exists() for one in config.args)


def _value(config: pytest.Config, name: str) -> Any:
    """TypeError or ValueError says what is wrong with it."""
    value = config.getini(name)
    if not value:
        return value
    if name in FILES:
        return [_beside(config, one) for one in value] if isinstance(value, list) else _beside(config, value)
    if POLICY_OPTIONS.get(name.removeprefix("hv_"), {}).get("type") is float:
        return _number(value)
    if name == "hv_grain" and value not in (grains := [grain.value for grain in Grain]):
        raise ValueError(f"expected {', '.join(grains)}, got {value[:60]!r}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, got {text[:60]!r}") from None


def _beside(config: pytest.Config, name: str) -> str:
    """From the file's folder; told from the working folder, as the command line would have named it."""
    if config.inipath is None:
        return name
    path = config.inipath.parent / name
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
