"""`hyperv-compliance demo`: judge the demo estate that comes with the program, and say what to look at next."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from compliance.commands.audit.command import PAGE, REPORTS, run_pytest
from compliance.commands.packaged import packaged_file
from compliance.program import PROGRAM
from compliance.words import printable
from compliance.world import World

ESTATES = {False: "demo.yaml", True: "demo-guests.yaml"}
"""By whether guests are looked into."""
FINDINGS = 1
"""The exit code of a gate that findings close."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Needs no server and no network. Exit code: 1, as in a pipeline: the demo estates have findings."
    parser.add_argument("--guests", action="store_true", help="the estate whose guests are looked into")
    parser.add_argument("-v", "--verbose", action="store_true", help="list each machine, with what to do")
    parser.add_argument("--open", action="store_true", help="open the page for people in a browser at the end")
    parser.add_argument(
        "--hv-report-dir",
        metavar="DIR",
        default=REPORTS,
        help=f"write the reports into this folder (default: {REPORTS})",
    )


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return the exit code of the run."""
    folder = Path(options.hv_report_dir)
    inventory = packaged_file(ESTATES[options.guests])
    code = run_pytest(
        [
            "-p",
            "no:cacheprovider",
            f"--hv-inventory={inventory}",
            f"--hv-report-dir={folder}",
            *["-v"] * options.verbose,
        ],
        opens=options.open,
        world=world or World(),
    )
    if code == FINDINGS:
        sys.stdout.writelines(f"{line}\n" for line in _next_steps(folder))
    return code


def _next_steps(folder: Path) -> Sequence[str]:
    return (
        "",
        f"The demo estate has findings, so the exit code is {FINDINGS}, as in a pipeline.",
        f"  see the report         open {printable(str(folder / PAGE))}",
        f"  see what is judged     {PROGRAM} rules",
        f"  audit your servers     {PROGRAM} init (asks for them)",
    )
