"""The command line of `hyperv-compliance inventory`, and where its lines go: to a terminal, a pipe or a file."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from compliance.commands.inventory.convert import convert
from compliance.commands.inventory.show import FINE, show
from compliance.commands.inventory.suggest import suggest
from compliance.commands.output import add_out, refuse_out, write_lines
from compliance.inventory.limit import Limit
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
    for below in (show_parser, suggest_parser, convert_parser):
        add_out(below)
    for name, below in (("show", show_parser), ("suggest", suggest_parser), ("convert", convert_parser)):
        below.set_defaults(what=name)


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return the exit code. UsageError for a mistake in a file or an option."""
    world = world or World()
    refuse_out(options.out, (options.file, getattr(options, "snapshot", None)))
    lines, code = _lines(options, world, options.out)
    write_lines(lines, world.out, options.out)
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
