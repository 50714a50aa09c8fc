"""The command line of `hyperv-compliance inventory`, and where its lines go: to a terminal, a pipe or a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from compliance.commands.inventory.convert import convert
from compliance.commands.inventory.show import FINE, show
from compliance.commands.inventory.suggest import suggest
from compliance.errors import UsageError
from compliance.files import whole
from compliance.inventory.limit import Limit
from compliance.words import printable
from compliance.world import World

OPTION = "--limit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the three subcommands and their options."""
    parser.epilog = "None of these asks a server anything, or for a credential. A mistake in a file is exit code 4."
    commands = parser.add_subparsers(metavar="WHAT", required=True)
    show_parser = commands.add_parser("show", help="the resolved estate, each value with its origin")
    show_parser.add_argument("file", metavar="FILE", type=Path, help="an inventory, ours or Ansible's")
    show_parser.add_argument("--json", action="store_true", help="one JSON document in place of the text")
    suggest_parser = commands.add_parser("suggest", help="entries for partner servers that nobody listed")
    suggest_parser.add_argument("file", metavar="FILE", type=Path, nargs="?", help="the inventory that may lack some")
    suggest_parser.add_argument(
        "--snapshot", metavar="FILE", type=Path, help="a snapshot, as pytest's --hv-save writes"
    )
    convert_parser = commands.add_parser("convert", help="an inventory of Ansible's as one of ours")
    convert_parser.add_argument("file", metavar="HOSTS", type=Path, help="a file, folder or program that Ansible reads")
    for below in (show_parser, convert_parser):
        below.add_argument(OPTION, metavar="PATTERN", default="", help="only these servers and groups")
    for below in (suggest_parser, convert_parser):
        below.add_argument(
            "--out", metavar="FILE", type=Path, help="write this file, in UTF-8, whatever the shell's > does"
        )
    for name, below in (("show", show_parser), ("suggest", suggest_parser), ("convert", convert_parser)):
        below.set_defaults(what=name)


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return the exit code. UsageError for a mistake in a file or an option."""
    world = world or World()
    out: Path | None = getattr(options, "out", None)
    if out is not None:
        _refuse_own_input(out, options)
    lines, code = _lines(options, world, out)
    if out is None:
        _print(lines, world.out)
    else:
        _write(lines, out)
        world.out.write(f"{printable(str(out))}: written\n")
        world.out.flush()
    return code


def _lines(options: argparse.Namespace, world: World, out: Path | None) -> tuple[Iterable[str], int]:
    """Return what is to be written, and the exit code."""
    if options.what == "suggest":
        return suggest(options.file, options.snapshot, world)
    limit = Limit(pattern=options.limit, option=OPTION)
    if options.what == "convert":
        folder = None if out is None else out.absolute().parent
        return convert(options.file, limit, world, folder=folder, is_windows=world.is_windows), FINE
    return show(options.file, limit, world, as_json=options.json), FINE


def _refuse_own_input(out: Path, options: argparse.Namespace) -> None:
    for file in (options.file, getattr(options, "snapshot", None)):
        if file is not None and file.exists() and out.exists() and file.samefile(out):
            raise UsageError(f"--out {printable(str(out))}: is what is read; name another file")


def _print(lines: Iterable[str], out: TextIO) -> None:
    """Print the lines: in UTF-8, whatever the machine is used to, but for a terminal, which may lack letters."""
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding=None if out.isatty() else "utf-8", errors="backslashreplace")
    out.writelines(f"{line}\n" for line in lines)
    out.flush()


def _write(lines: Iterable[str], path: Path) -> None:
    content = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
    try:
        with whole.replace_file(path) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"--out {printable(str(path))}: can't be written: {error.strerror or error}") from error
