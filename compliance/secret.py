"""A password on its way through the program: nothing that prints, logs, copies or stores values shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NoReturn


class Secret:
    """``reveal`` is called where the password leaves for a server, and nowhere else.

    No subclass of str: what formats, joins or writes text would take its value without asking.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return "Secret(...)"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, _memo: object) -> Secret:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a secret is not pickled")


class Environment(Mapping[str, str]):
    """Environment variables that hold passwords: a traceback with locals shows that they were there, and no more."""

    __slots__ = ("_variables",)

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._variables)

    def __len__(self) -> int:
        return len(self._variables)

    def __repr__(self) -> str:
        return f"Environment(of {len(self)} variables)"
