"""The program's commands and their parsers. A command is loaded where it is named, and no earlier."""

from __future__ import annotations

import argparse
import importlib
import platform
from collections.abc import Sequence
from typing import NoReturn

from compliance.program import PROGRAM

# A command is a module with `add_arguments(parser)` and `run(options) -> exit code`; it is loaded where it is named.
COMMANDS = {
    "demo": ("compliance.commands.demo", "judge the demo estate, without any server, and write its reports"),
    "audit": (
        "compliance.commands.audit.command",
        "read the servers of an inventory, judge them, write the reports: the same run as `pytest --inventory`",
    ),
    "init": (
        "compliance.commands.init.command",
        "ask for servers, login and site, try the way there, and write an inventory",
    ),
    "doctor": ("compliance.commands.doctor.command", "find out why a server can't be read, and what to do about it"),
    "inventory": (
        "compliance.commands.inventory.command",
        "show an inventory with the origin of each value, suggest what it lacks, or convert one of Ansible's",
    ),
    "diff": (
        "compliance.commands.diff",
        "what changed between two snapshots of an estate, and the outcomes that flipped",
    ),
    "rules": ("compliance.commands.rules.command", "list the rules, or show one of them"),
    "schema": ("compliance.commands.schema", "print the JSON Schema of a file that you write, or of results.json"),
    "completion": ("compliance.commands.completion", "print a script that completes this command in your shell"),
}
PASS_ON = {"audit"}
"""Commands that take any option of pytest's as well: `options.words` is what was typed after the command's name."""
USAGE = 4
"""The exit code of a mistake in what was typed or in a file, as pytest has it."""


DESCRIPTION = (
    "When we fail over, will every virtual machine come up with the address we gave it? Reads Hyper-V servers only."
)
EPILOG = f"`{PROGRAM} COMMAND --help` has each command's options. Begin with `{PROGRAM} demo`."


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"ERROR: {message} (see {self.prog} --help)\n")


def parser_for(words: Sequence[str]) -> Parser:
    """Return the parser, with the options of the one command that ``words`` begin with: only that is loaded."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False)
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the program's version, and Python's")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        below = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name in words[:1]:
            command = importlib.import_module(module)
            command.add_arguments(below)
            below.set_defaults(command=command)
    return parser


class _PrintVersion(argparse.Action):
    """Print the version where it is asked for: to look it up takes longer than many a command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from compliance.audit import tool

        print(f"{tool()} (Python {platform.python_version()})")  # noqa: T201  # it was asked for, and the run ends here
        parser.exit()
