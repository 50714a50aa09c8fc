"""Keyrings as the package `keyring` takes them: chosen by PYTHON_KEYRING_BACKEND, and of no use."""

from __future__ import annotations

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class Locked(KeyringBackend):
    priority = 1

    def get_password(self, *_which: str) -> str | None:
        raise KeyringLocked("Failed to unlock the collection!\nDismissed")

    def set_password(self, *_which: str) -> None:
        raise NotImplementedError


class Broken(Locked):
    def get_password(self, *_which: str) -> str | None:
        raise SystemError("the backend has a bug")


class Bug(BaseException):
    """Nobody catches it, as if we had a bug ourselves."""


class Deadly(Locked):
    def get_password(self, *_which: str) -> str | None:
        raise Bug
