"""`hyperv-compliance audit INVENTORY`: the same run as `pytest --inventory`, with a folder of reports by default."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pytest

from compliance.commands.audit.arguments import split_words
from compliance.plugin.ini_file import has_estate
from compliance.plugin.options import estate_options
from compliance.program import PROGRAM
from compliance.words import printable
from compliance.world import World

HOOKS = "compliance.plugin.hooks"
"""Named to pytest as well as by the wheel's entry point, under one name: so it is loaded once, installed or not."""
REPORTS = "reports"
PAGE = "report.html"
NO_ESTATE = (
    f"name the inventory to audit: {PROGRAM} audit FILE (`{PROGRAM} init` writes one, `{PROGRAM} demo` needs none), "
    f"or --snapshot FILE for what was saved earlier"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what pytest's own help lists among a hundred options of its own."""
    parser.allow_abbrev = False
    parser.epilog = (
        "Every option of pytest's works as well (-k, -q, --junitxml, --html, -n, …), and `pytest --inventory FILE` is "
        "the same run without a default for --hv-report-dir. Exit code: 0 the gate is open; 1 closed by findings; "
        "10 by what is unknown; 11 by waivers that ended; 4 a mistake in an option or a file; 2 interrupted."
    )
    parser.add_argument("inventory", metavar="INVENTORY", nargs="?", help="the servers to read and judge")
    parser.add_argument("--open", action="store_true", help="open the page for people in a browser at the end")
    for option in estate_options():
        attributes = dict(option.attributes)
        if option.dest == "hv_report_dir":
            attributes["help"] += f" (default: {REPORTS})"
        parser.add_argument(*option.names, dest=option.dest, **attributes)


def run(options: argparse.Namespace, world: World | None = None) -> int:
    """Return pytest's exit code."""
    words = split_words([word for word in options.words if word != "--open"])
    estate = [] if words.inventory is None else [f"--hv-inventory={words.inventory}"]
    return run_pytest([*estate, *words.rest], opens=options.open, world=world or World())


def run_pytest(arguments: Sequence[str], *, opens: bool, world: World) -> int:
    """Run pytest in this process, with a folder of reports by default, and open the page where that is asked."""
    folder = _Folder()
    code = int(pytest.main(["-p", HOOKS, *arguments], plugins=[folder]))
    if opens and (page := folder.new_page()):
        show_page(page, world)
    return code


def show_page(page: Path, world: World) -> None:
    """Open the page in the user's browser, or say where it is."""
    address = page.absolute().as_uri()
    if not world.open_page(address):
        world.err.write(f"No browser could be opened here. The page is {printable(address)}\n")


class _Folder:
    """A plugin of pytest's that lives for one run: sets the default, and knows whether a new page was written."""

    def __init__(self) -> None:
        self._page: Path | None = None
        self._before: tuple[int, int] | None = None

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        """Let pytest's own words on a mistake name the command that was typed."""
        parser.prog = f"{PROGRAM} audit"

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        option = config.option
        if option.help or option.showfixtures or option.show_fixtures_per_test:
            return
        if option.hv_inventory is None and not option.hv_snapshot and not has_estate(config):
            raise pytest.UsageError(NO_ESTATE)
        if option.hv_report_dir is None and not config.getini("hv_report_dir"):
            option.hv_report_dir = REPORTS
        folder = option.hv_report_dir or config.getini("hv_report_dir")
        self._page = Path(folder) / PAGE
        self._before = _stamp(self._page)

    def new_page(self) -> Path | None:
        """Return the page that this run wrote, or None."""
        return self._page if self._page and _stamp(self._page) not in (None, self._before) else None


def _stamp(page: Path) -> tuple[int, int] | None:
    try:
        status = page.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_ino
