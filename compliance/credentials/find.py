"""Inventories name credentials; the environment holds them, or a place that `credentials:` names. None is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from compliance.credentials.ask_places import from_command, from_file, from_keyring, from_prompt
from compliance.credentials.places import PasswordPlace
from compliance.errors import UsageError
from compliance.secret import Secret
from compliance.words import quote, shorten
from compliance.world import World

NOWHERE: Mapping[str, PasswordPlace] = {}
HERE = Path()


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


def find_credential(
    name: str, world: World, places: Mapping[str, PasswordPlace] = NOWHERE, folder: Path = HERE
) -> Credential:
    """Return a login: by the environment's variables, each for itself, and by the inventory where they leave it open.

    ``places`` are the inventory's, by the credentials' names in small letters; ``folder`` is the inventory's, in which
    programs are run. Raises UsageError in one line that names the credential, the place, and what to do.
    """
    place = places.get(name.casefold())
    variables = [f"COMPLIANCE_{name.upper()}_{part}" for part in ("USERNAME", "PASSWORD")]
    username = world.environ.get(variables[0]) or (place.username if place else None)
    password = Secret(world.environ.get(variables[1], ""))
    if not place or not place.places:
        missing = [variable for variable, value in zip(variables, (username, password), strict=True) if not value]
        if missing:
            raise UsageError(_missing(name, variables, missing) + ("" if place else _hint(name, places)))
    elif not username:
        raise UsageError(f"credential `{name}` has no `username:`: add it, or set {variables[0]}")
    elif not password:
        return _ask_place(name, place, username, world, folder)
    return Credential(username=username or "", password=password, origin=_origin(name, "the environment"))


def _missing(name: str, variables: Sequence[str], missing: Sequence[str]) -> str:
    return (
        f"credential `{name}` is read from the environment, from {' and '.join(variables)}: "
        f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or empty, so set "
        f"{'it' if len(missing) == 1 else 'them'}"
    )


def _hint(name: str, known: Iterable[str]) -> str:
    near = next(iter(get_close_matches(name.casefold(), known, 1)), None)
    return f" (did you mean `{near}` of `credentials`?)" if near else ""


def _ask_place(name: str, place: PasswordPlace, username: str, world: World, folder: Path) -> Credential:
    try:
        password, where = _read_password(place, username, world, folder)
    except UsageError as error:
        raise UsageError(f"credential `{name}`: {error} (or set COMPLIANCE_{name.upper()}_PASSWORD)") from error
    return Credential(username=username, password=password, origin=_origin(name, where))


def _read_password(place: PasswordPlace, username: str, world: World, folder: Path) -> tuple[Secret, str]:
    """Return the password, and where it was, in words."""
    if place.keyring is not None:
        return from_keyring(place.keyring, username), f"keyring service {quote(place.keyring)}"
    if place.password_command is not None:
        password = from_command(place.password_command, folder, world.environ)
        return password, f"password_command {quote(Path(place.password_command[0]).name)}"
    if place.password_file is not None:
        return from_file(place.password_file), f"password_file {shorten(str(place.password_file))}"
    return from_prompt(username, world.ask), "the terminal"


def _origin(name: str, where: str) -> str:
    return f"credential `{name}` from {where}"
