"""Where a command's lines go: to a terminal, into a pipe, or into the file that ``--out`` names.

A shell's ``>`` spoils a file on Windows: PowerShell 5.1 writes UTF-16, and PowerShell 7 reads what comes by the
console's code page, so that an umlaut becomes another letter. ``--out`` writes UTF-8 itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from compliance.errors import UsageError
from compliance.files import whole
from compliance.words import printable


def add_out(parser: argparse.ArgumentParser) -> None:
    """Add ``--out``."""
    parser.add_argument(
        "--out", metavar="FILE", type=Path, help="write this file, in UTF-8, whatever the shell's > does"
    )


def refuse_out(out: Path | None, inputs: Iterable[Path | None] = ()) -> None:
    """Raise UsageError before the work where the file can't be written, or is one of those that are read."""
    if out is None:
        return
    for path in inputs:
        if path is not None and path.exists() and out.exists() and path.samefile(out):
            raise UsageError(f"--out {printable(str(out))}: is what is read; name another file")
    try:
        whole.refuse_unwritable(out)
    except OSError as error:
        raise _cannot_be_written(out, error) from error


def adapt(out: TextIO) -> None:
    """Let a stream take every letter: in UTF-8, but for a terminal, which may lack some and shows an escape."""
    if isinstance(out, TextIOWrapper):
        out.reconfigure(encoding=None if out.isatty() else "utf-8", errors="backslashreplace")


def write_lines(lines: Iterable[str], stream: TextIO, out: Path | None = None) -> None:
    """Write the lines into the file ``out``, and its name to the stream; without one, the lines themselves.

    UsageError where the file can't be written.
    """
    adapt(stream)
    if out is None:
        stream.writelines(f"{line}\n" for line in lines)
    else:
        content = "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")
        try:
            with whole.replace_file(out) as file:
                file.write(content)
        except OSError as error:
            raise _cannot_be_written(out, error) from error
        stream.write(f"{printable(str(out))}: written\n")
    stream.flush()


def _cannot_be_written(out: Path, error: OSError) -> UsageError:
    return UsageError(f"--out {printable(str(out))}: can't be written: {error.strerror or error}")
