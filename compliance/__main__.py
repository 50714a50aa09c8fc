"""`python -m compliance COMMAND`: what is done with servers and snapshots beside a run of pytest."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from compliance.errors import UsageError
from compliance.words import printable

# A command is a module with `add_arguments(parser)` and `run(options) -> exit code`; it is loaded where it is named.
COMMANDS = {
    "diff": (
        "compliance.commands.diff",
        "what changed between two snapshots of an estate, and the outcomes that flipped",
    ),
    "inventory": (
        "compliance.commands.inventory.command",
        "show an inventory with the origin of each value, suggest what it lacks, or convert one of Ansible's",
    ),
    "doctor": ("compliance.commands.doctor.command", "find out why a server can't be read, and what to do about it"),
}
CUT_OFF, INTERRUPTED, USAGE = 1, 2, 4
"""Exit codes, as pytest has them: a mistake of the user's is 4, told in a line with its place."""


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = parser_for(given).parse_args(given)
        run: int = options.command.run(options)
    except UsageError as error:
        for line in str(error).split("\n"):
            sys.stderr.write(f"ERROR: {printable(line)}\n")
        return USAGE
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    except BrokenPipeError:  # the reader has seen enough, as `head` does; Python's end would try once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CUT_OFF
    return run


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"ERROR: {message} (see {self.prog} --help)\n")


def parser_for(given: Sequence[str]) -> Parser:
    parser = Parser(prog="python -m compliance", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        below = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name in given[:1]:
            command = importlib.import_module(module)
            command.add_arguments(below)
            below.set_defaults(command=command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
