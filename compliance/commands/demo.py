"""`hyperv-compliance demo`: judge the demo estate that comes with the program, and say what to look at next."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from compliance.commands.audit.command import PAGE, REPORTS, run_pytest
from compliance.commands.packaged import packaged_file
from compliance.program import PROGRAM
from compliance.words import printable
from compliance.world import World

ESTATES = {False: "demo.yaml", True: "demo-guests.yaml"}
"""By whether guests are looked into."""
OF_PYTEST = frozenset(
    {
        *("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"),
        *("conftest.py", "PYTEST_ADDOPTS", "PYTEST_PLUGINS"),
    }
)
"""Files and variables by which somebody may ask for another plugin of pytest's."""
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
            *["--disable-plugin-autoload"] * (not _asks_for_plugins(Path.cwd(), os.environ)),
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


def _asks_for_plugins(folder: Path, environ: Mapping[str, str]) -> bool:
    """Does anything here? Else none has a say, and none is looked for in all that is installed, which takes a tenth of
    the demo's time."""
    files = (above / name for above in (folder, *folder.parents) for name in OF_PYTEST)
    return not OF_PYTEST.isdisjoint(environ) or any(file.exists() for file in files)


def _next_steps(folder: Path) -> Sequence[str]:
    return (
        "",
        f"The demo estate has findings, so the exit code is {FINDINGS}, as in a pipeline.",
        f"  see the report         open {printable(str(folder / PAGE))}",
        f"  see what is judged     {PROGRAM} rules",
        f"  audit your servers     {PROGRAM} init (asks for them)",
    )
