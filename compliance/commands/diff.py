"""``hyperv-compliance diff``: two snapshots of one estate, and whether the later one is worse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from compliance.commands.output import add_out, refuse_out, write_lines
from compliance.diff.as_json import as_json
from compliance.diff.as_markdown import as_markdown
from compliance.diff.as_text import as_text
from compliance.diff.compare import compare
from compliance.diff.difference import Audit, Difference
from compliance.hyperv.estate import translate
from compliance.hyperv.server import let_go
from compliance.judge.judge import judge
from compliance.snapshot.read import read_snapshot

WRITERS: dict[str, tuple[Callable[[Difference], Iterator[str]], str]] = {
    "json": (as_json, "write JSON, for programs"),
    "markdown": (as_markdown, "write Markdown, for a change ticket or a pull request"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Exit code: 0 if no outcome got worse; 1 if one did, or if less was read than before; 4 for a mistake in an "
        "option or a file."
    )
    parser.add_argument("before", metavar="BEFORE", type=Path, help="the earlier snapshot, of pytest's --hv-save")
    parser.add_argument("after", metavar="AFTER", type=Path, help="a later snapshot of the same estate")
    form = parser.add_mutually_exclusive_group()
    for name, (writer, what) in WRITERS.items():
        form.add_argument(f"--{name}", dest="writer", action="store_const", const=writer, default=as_text, help=what)
    add_out(parser)


def run(options: argparse.Namespace) -> int:
    """Return 1 where it got worse. UsageError where a snapshot can't be read, or where they are of two estates."""
    refuse_out(options.out, (options.before, options.after))
    difference = compare(_audit(options.before), _audit(options.after))
    write_lines(options.writer(difference), sys.stdout, options.out)
    return int(difference.is_worse)


def _audit(path: Path) -> Audit:
    snapshot = read_snapshot(path, let_go)
    estate = translate(snapshot)
    return Audit(estate=estate, verdicts=judge(estate), tool=snapshot.tool, complete=snapshot.complete)
