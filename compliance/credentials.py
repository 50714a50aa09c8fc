"""Inventories name credentials; the environment holds them. Nothing here prints one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from compliance.errors import UsageError


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    username: str
    password: str = field(repr=False)
    cache: Callable[[], str] | None = field(default=None, repr=False)  # of Kerberos tickets, see Endpoint


def find_credential(name: str, environ: Mapping[str, str]) -> Credential:
    username, password = (f"COMPLIANCE_{name.upper()}_{part}" for part in ("USERNAME", "PASSWORD"))
    missing = [variable for variable in (username, password) if not environ.get(variable)]
    if missing:
        raise UsageError(
            f"credential `{name}` is read from the environment, from {username} and {password}: "
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing or empty"
        )
    return Credential(username=environ[username], password=environ[password])
