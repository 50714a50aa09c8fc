"""Inventories name credentials; the environment holds them, or a place that `credentials:` names. None is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from compliance.credentials.ask_places import Ask, from_command, from_file, from_keyring, from_prompt
from compliance.credentials.places import Source
from compliance.errors import UsageError
from compliance.files.yaml_file import cut
from compliance.secret import Environment, Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """``origin`` says in words for people where it came from; a bare ``password`` is made a secret."""

    username: str
    password: Secret = field(repr=False)
    cache: Callable[[], str] | None = field(default=None, repr=False)  # of Kerberos tickets, see Endpoint
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.password, str):
            object.__setattr__(self, "password", Secret(self.password))


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Where credentials may be found: what was here when the program started, and who is there to be asked."""

    environ: Environment
    sources: Mapping[str, Source] = field(default_factory=dict)  # by the credential's name
    folder: Path = Path()  # the inventory's, where programs are run
    ask: Ask | None = None  # None where nobody is there


def find_credential(name: str, around: Surroundings) -> Credential:
    """The environment's variables, each for itself; the inventory for what they leave open.

    UsageError in one line that names the credential, the place, and what to do.
    """
    source = around.sources.get(name.casefold())
    variables = [f"COMPLIANCE_{name.upper()}_{part}" for part in ("USERNAME", "PASSWORD")]
    username = around.environ.get(variables[0]) or (source.username if source else None)
    password = Secret(around.environ.get(variables[1], ""))
    if not source or not source.places:
        missing = [variable for variable, value in zip(variables, (username, password), strict=True) if not value]
        if missing:
            raise UsageError(_missing(name, variables, missing) + ("" if source else _near(name, around.sources)))
    elif not username:
        raise UsageError(f"credential `{name}`: whose is it? Add `username:` to it, or set {variables[0]}")
    elif not password:
        return _kept(name, source, username, around)
    return Credential(username=username or "", password=password, origin=_called(name, "the environment"))


def _missing(name: str, variables: Sequence[str], missing: Sequence[str]) -> str:
    return (
        f"credential `{name}` is read from the environment, from {' and '.join(variables)}: "
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or empty"
    )


def _near(name: str, sources: Iterable[str]) -> str:
    near = next(iter(get_close_matches(name.casefold(), sources, 1)), None)
    return f" (did you mean `{near}` of `credentials`?)" if near else ""


def _kept(name: str, source: Source, username: str, around: Surroundings) -> Credential:
    try:
        password, place = _found(source, username, around)
    except UsageError as error:
        raise UsageError(f"credential `{name}`: {error} (or set COMPLIANCE_{name.upper()}_PASSWORD)") from error
    return Credential(username=username, password=password, origin=_called(name, place))


def _found(source: Source, username: str, around: Surroundings) -> tuple[Secret, str]:
    """The password, and where it was, in words."""
    if source.keyring is not None:
        return from_keyring(source.keyring, username), f"keyring service `{cut(source.keyring)}`"
    if source.password_command is not None:
        found = from_command(source.password_command, around.folder, around.environ)
        return found, f"password_command `{cut(Path(source.password_command[0]).name)}`"
    if source.password_file is not None:
        return from_file(source.password_file), f"password_file {cut(str(source.password_file))}"
    return from_prompt(username, around.ask), "the terminal"


def _called(name: str, place: str) -> str:
    return f"credential `{name}` from {place}"
