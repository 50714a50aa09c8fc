"""The program's name: the one place from which help, hints and documentation's tests take it."""

from __future__ import annotations

import re

PROGRAM = "hyperv-compliance"
"""The command that the wheel installs; `python -m compliance` is the same without an installation."""

A_FILE = "INVENTORY"
"""Stands for the file, by whatever path it has there."""
PLAIN = re.compile(r"[\w./\\:][\w./\\:-]*")
QUOTABLE = re.compile(r"[\w./\\:][\w ./\\:;,@+=()&'-]*")


def doctor_command(inventory: str, server: str) -> str:
    """Return the command that finds out why a server can't be read, to be copied into any shell: all take double
    quotes, and a file whose name some shell would read otherwise even there is not named. A server's name has the form
    that an inventory holds it to, which no shell reads otherwise."""
    file = inventory
    if not PLAIN.fullmatch(inventory):
        file = f'"{inventory}"' if QUOTABLE.fullmatch(inventory) else A_FILE
    return f"{PROGRAM} doctor --inventory {file} --server {server}"
