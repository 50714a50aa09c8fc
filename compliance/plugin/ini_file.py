"""Our options in pytest's configuration file. What the command line says wins, option by option and whole.

An estate that stands there must not come over runs that are about something else: it counts where the command line
names no path, or one of our options or ids.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from compliance.errors import UsageError
from compliance.plugin.options import FILES, OPTIONS, POLICY_KEYS, POLICY_OPTIONS, REPEATABLE, Grain
from compliance.words import quote

ESTATE = ("hv_inventory", "hv_snapshot")
PREFIX = "hv_"


def add_keys(parser: pytest.Parser) -> None:
    for name in OPTIONS:
        kind: Any = "linelist" if name in REPEATABLE else "string"
        parser.addini(name, f"same as --{name.replace('_', '-')}; the command line wins", type=kind, default=None)


class IniOptions(NamedTuple):  # a dataclass takes a hundredth of pytest's start to make
    """What was taken from the file: does it name the estate, what does it say of the policy, what in it is no value?"""

    name_estate: bool = False
    policy: Mapping[str, Any] = MappingProxyType({})  # of POLICY_KEYS, what the command line does not say itself
    mistakes: tuple[str, ...] = ()

    def refuse_mistakes(self) -> None:
        if self.mistakes:
            raise UsageError("\n".join(self.mistakes))


def apply_ini(config: pytest.Config) -> IniOptions:
    """Put the configuration file's values where the command line says nothing. What it says of the policy is kept
    apart: a policy file of the command line says more than any key here."""
    option = config.option
    mistakes = list(_unknown_keys(config))
    options_given = [name for name in OPTIONS if getattr(option, name) not in (None, [])]
    names_estate = any(name in options_given for name in ESTATE)
    if not names_estate and not options_given and (_names_paths(config) or not has_estate(config)):
        return IniOptions(mistakes=tuple(mistakes))
    policy = {}
    for name in OPTIONS:
        if name in options_given or (name in ESTATE and names_estate):
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
    names_it_here = not names_estate and has_estate(config)
    return IniOptions(name_estate=names_it_here, policy=policy, mistakes=tuple(mistakes))


def _unknown_keys(config: pytest.Config) -> Iterator[str]:
    """Yield a line for each key of ours that is mistyped. pytest itself warns, and the gate would stand open.

    It keeps those of ``-o`` among the file's since 9, and apart before; since then the file's have another name.
    """
    of_file = getattr(config, "_inicfg", None)
    if of_file is None:  # before pytest 9; since then a look at the other name is a warning
        of_file = config.inicfg
    of_options = {pair.partition("=")[0].strip() for pair in config.getoption("override_ini", None) or ()}
    for key in sorted({*of_file, *of_options}):
        like_ours = key.casefold().replace("-", "_")
        if not like_ours.startswith(PREFIX) or _is_known(config, key):
            continue
        from difflib import get_close_matches  # only for a mistake

        near = next(iter(get_close_matches(like_ours, OPTIONS, 1)), None)
        place = "-o" if key in of_options else config.inipath
        hint = f" (did you mean `{near}`?)" if near else ""
        yield f"{place}: no key of pytest's configuration is called {quote(key)}{hint}"


def _is_known(config: pytest.Config, key: str) -> bool:
    """A key of ours, or of another plugin that has taken to our prefix."""
    try:
        config.getini(key)
    except ValueError:
        return key in OPTIONS  # whose value is no value, which is another mistake
    except TypeError:
        pass
    return True


def has_estate(config: pytest.Config) -> bool:
    """Does the configuration file name one, whether it counts or not?"""
    return any(config.getini(name) for name in ESTATE)


def _names_paths(config: pytest.Config) -> bool:
    """Is the run about paths alone? An id of ours, whose path is none, makes it one about the estate, too."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return False
    folder = config.invocation_params.dir
    return all("::" not in argument or (folder / argument.partition("::")[0]).exists() for argument in config.args)


def _value(config: pytest.Config, name: str) -> Any:
    """TypeError or ValueError says what is wrong with it."""
    value = config.getini(name)
    if not value:
        return value
    if name in FILES:
        return (
            [_path_of(config, name_of_file) for name_of_file in value]
            if isinstance(value, list)
            else _path_of(config, value)
        )
    if POLICY_OPTIONS.get(name.removeprefix("hv_"), {}).get("type") is float:
        return _number(value)
    if name == "hv_grain" and value not in (grains := [grain.value for grain in Grain]):
        raise ValueError(f"expected {', '.join(grains)}, got {quote(value)}")
    return value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"expected a number, got {quote(text)}") from None


def _path_of(config: pytest.Config, name: str) -> str:
    """From the file's folder; told from the working folder, as the command line would have named it."""
    if config.inipath is None:
        return name
    path = config.inipath.parent / name
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
