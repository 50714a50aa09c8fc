"""What a run touches beside files and servers: its environment, whoever sits at its terminal, the programs it finds."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from compliance.secret import Environment

Ask = Callable[[str], str]
"""Shows a text on the terminal and returns what is typed there, without an echo. EOFError where nothing is."""


def find_command(name: str, environ: Mapping[str, str]) -> str | None:
    """Return where a program is: beside this Python, where an extra puts it, or on the environment's path."""
    program = Path(sys.executable).with_name(name)
    return str(program) if program.is_file() else shutil.which(name, path=environ.get("PATH"))


def terminal_width() -> int:
    """Return the letters of a line: the terminal's, within what people read with ease."""
    return min(max(shutil.get_terminal_size((100, 24)).columns, 60), 120)


def open_page(address: str) -> bool:
    """Open a page in the user's browser; False where there is none."""
    import webbrowser  # loads a dozen modules, which only this needs

    return webbrowser.open(address)


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The process's own world, unless a test makes another one: a bare mapping as ``environ`` becomes an Environment.

    ``width`` is that of a line, in letters."""

    environ: Environment = field(default_factory=lambda: Environment(os.environ))
    find_command: Callable[[str, Mapping[str, str]], str | None] = find_command
    ask: Ask | None = None  # None where nobody is there to answer
    out: TextIO = field(default_factory=lambda: sys.stdout, repr=False)
    err: TextIO = field(default_factory=lambda: sys.stderr, repr=False)
    width: int = field(default_factory=terminal_width)
    open_page: Callable[[str], bool] = open_page
    is_windows: bool = sys.platform == "win32"

    def __post_init__(self) -> None:
        if not isinstance(self.environ, Environment):  # a traceback with locals would show the passwords in it
            object.__setattr__(self, "environ", Environment(self.environ))
