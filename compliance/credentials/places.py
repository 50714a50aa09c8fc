"""Where a password is kept, as an inventory says it under `credentials:`. Nothing is asked for here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from compliance.files.keys import Label, Model

Argument = Annotated[str, Field(max_length=2000)]


def beside_the_inventory(value: Path, info: ValidationInfo) -> Path:
    """Return a path as relative to the inventory's folder. Whether it is there is asked where the password is needed:
    an offline run has no use for it."""
    return value if info.context is None else info.context / value


class PasswordPlace(Model):
    """One account, and where its password is kept. Without such a place the password is read from the environment."""

    username: Label | None = None
    """The account, such as `DR\\audit`; left out: COMPLIANCE_<NAME>_USERNAME holds it."""
    keyring: Label | None = None
    """The system's keyring (extra `keyring`): the service under which it holds the account's password."""
    password_command: Annotated[tuple[Argument, ...], Field(strict=False, min_length=1)] | None = None
    """A program and its arguments, run once, without a shell; the first line that it prints is the password."""
    password_file: Annotated[Path, Field(strict=False), AfterValidator(beside_the_inventory)] | None = None
    """A file of one line, the password, that nobody else may read (0600); relative to the inventory's folder."""
    prompt: bool = False
    """true: ask for the password on the terminal, before anything is read."""

    @model_validator(mode="after")
    def be_single(self) -> PasswordPlace:
        if len(self.places) > 1:
            raise ValueError(f"a password is kept in one place, got {' and '.join(f'`{key}`' for key in self.places)}")
        return self

    @property
    def places(self) -> tuple[str, ...]:
        """Return the keys that say where the password is, one at most."""
        values = {
            "keyring": self.keyring,
            "password_command": self.password_command,
            "password_file": self.password_file,
            "prompt": self.prompt or None,
        }
        return tuple(key for key, value in values.items() if value is not None)
