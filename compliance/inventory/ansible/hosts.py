"""What an Ansible inventory lists: hosts with their groups and variables, each variable with its origin.

Contents are kept as text, whatever type they were written in: a variable's reader knows what it needs. No ``repr``
shows one, since any may be a password.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from compliance.words import quote


@dataclass(frozen=True, slots=True)
class Vaulted:
    """One value that ansible-vault encrypted."""

    cipher: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that holds no template, whatever it looks like (``!unsafe``)."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Other:
    """A value of a kind that no variable of ours has."""

    what: str


Content = str | None | Vaulted | Literal | Other | tuple["Content", ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class VariableValue:
    content: Content = field(repr=False)
    origin: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """``origin`` is where it stands, as ``file:line``; ``line`` is 0 where that is not known.

    ``environ`` is what `lookup('env', …)` reads.
    """

    name: str
    groups: tuple[str, ...] = ()
    variables: Mapping[str, VariableValue] = field(default_factory=dict)
    file: str = ""
    line: int = 0
    environ: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def origin(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsibleHosts:
    """``how`` says who resolved it, for people. ``folder`` is where relative file names are looked for."""

    hosts: tuple[Host, ...]
    how: str


def content_of(value: object) -> Content:
    """A value of JSON, or of Python as INI files spell it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return tuple(content_of(entry) for entry in value)
    if isinstance(value, dict):
        if isinstance(cipher := value.get("__ansible_vault"), str):
            return Vaulted(cipher)
        if isinstance(text := value.get("__ansible_unsafe"), str):
            return Literal(text)
    return Other(quote(value) if isinstance(value, dict) else "a value of an unknown kind")
