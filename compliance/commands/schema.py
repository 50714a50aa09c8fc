"""`hyperv-compliance schema NAME`: the JSON Schema by which editors check a file, and programs read ours."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import compliance.report
from compliance.commands.packaged import packaged_file
from compliance.errors import UsageError
from compliance.files.whole import replace_file
from compliance.words import printable

NAMES = ("inventory", "results", "policy", "waivers")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.epilog = (
        "An editor takes it by a first line such as `# yaml-language-server: $schema=inventory.schema.json`, with the "
        "file beside."
    )
    parser.add_argument("name", choices=NAMES, help="the kind of file")
    parser.add_argument("--out", metavar="FILE", type=Path, help="write this file, in UTF-8 in any shell")


def run(options: argparse.Namespace) -> int:
    """Return 0. UsageError where the file can't be written."""
    content = schema_file(options.name).read_bytes()
    if options.out is None:
        sys.stdout.write(content.decode())
        return 0
    try:
        with replace_file(options.out) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"--out {options.out}: can't be written: {error.strerror or error}") from error
    sys.stdout.write(f"{printable(str(options.out))}: written\n")
    return 0


def schema_file(name: str) -> Path:
    """Return the path of the schema of a kind of file."""
    if name == "results":
        return Path(compliance.report.__path__[0]) / "results.schema.json"
    return packaged_file(f"{name}.schema.json")
