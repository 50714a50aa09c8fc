"""`audit` is the run of `pytest --inventory`: the same answer, and reports by default."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pytest
from _pytest.config import get_config

from compliance.commands.audit.arguments import LONG, SHORT, split_words
from compliance.commands.audit.command import NO_ESTATE, World, show_page
from tests.running import DEMO, LAB, RunCommand, RunPytest

# Command line -> the word that is the inventory.
WORDS = [
    ("site.yaml", "site.yaml"),
    ("site.yaml -q", "site.yaml"),
    ("-q site.yaml", "site.yaml"),
    ("--hv-vm app01 site.yaml", "site.yaml"),
    ("--hv-vm=app01 site.yaml", "site.yaml"),
    ("--hv-report-dir out site.yaml checks", "site.yaml"),
    ("-k app01 site.yaml", "site.yaml"),
    ("-kapp01 site.yaml", "site.yaml"),
    ("-qk app01 site.yaml", "site.yaml"),
    ("-n 2 --dist load site.yaml", "site.yaml"),
    ("--junitxml out.xml site.yaml", "site.yaml"),
    ("--color no site.yaml", "site.yaml"),
    ("demo::server-was-read[hv01] site.yaml", "site.yaml"),
    ("-", "-"),
    ("", None),
    ("-q", None),
    ("-k app01", None),
    ("demo::server-was-read[hv01]", None),
    ("--inventory site.yaml checks", None),
    ("--hv-inventory=site.yaml", None),
    ("checks --snapshot a.jsonl --snapshot b.jsonl", None),
]


@pytest.mark.parametrize(("line", "inventory"), WORDS)
def test_the_inventory_is_the_first_word_that_belongs_to_no_option(line: str, inventory: str | None) -> None:
    arguments = line.split()
    words = split_words(arguments)
    assert words.inventory == inventory
    assert sorted(words.rest) == sorted(word for word in arguments if word != inventory)


def test_every_option_with_a_value_is_known() -> None:
    """Of pytest and the plugins that come with it: else its value would be taken for the inventory."""
    config = get_config([])
    config.pluginmanager.load_setuptools_entrypoints("pytest11")
    parser = config._parser
    options = [option.attrs() | {"names": option.names()} for group in parser._groups for option in group.options]
    options += [option.attrs() | {"names": option.names()} for option in parser._anonymous.options]
    taking = {
        name
        for option in options
        if option.get("nargs") is None and option.get("action", "store") in ("store", "append")
        for name in option["names"]
        if not name.startswith("--hypothesis")
    }
    assert taking - LONG - {f"-{letter}" for letter in SHORT} == set()


def test_it_is_the_run_of_pytest(command: RunCommand, run_pytest: RunPytest, tmp_path: Path) -> None:
    by_pytest, by_command = tmp_path / "pytest", tmp_path / "command"
    by_pytest.mkdir()
    by_command.mkdir()
    first = run_pytest(by_pytest, "--inventory", DEMO, "--hv-report-dir", "reports", "--hv-site", "berlin")
    second = command("audit", DEMO, "--hv-site", "berlin", folder=by_command)
    assert (first.returncode, second.returncode) == (1, 1), second.stderr
    for name in ("results.json", "results.csv", "summary.md"):
        assert (by_command / "reports" / name).read_bytes() == (by_pytest / "reports" / name).read_bytes()
    assert "The reports are in reports." in second.stdout.splitlines()
    assert f"Report: {(by_command / 'reports' / 'report.html').as_uri()}" in second.stdout.splitlines()
    assert "warning" not in second.stdout.splitlines()[-1]


# Options, exit code, and what is said.
ENDS = [
    ((), 4, NO_ESTATE),
    (("none.yaml",), 4, "ERROR: none.yaml: can't be read: No such file or directory"),
    (("--hv-vm", "nobody"), 4, NO_ESTATE),
    ((LAB, "--hv-fail-at", "loud"), 4, "argument --hv-fail-at: invalid choice: 'loud'"),
    ((LAB, "--hv-loud"), 4, "hyperv-compliance audit: error: unrecognized arguments: --hv-loud"),
    ((DEMO, "--collect-only", "-q"), 0, "demo::server-was-read[bln-hv01]"),
    (("--snapshot", DEMO.with_name("demo.jsonl.gz"), "-q"), 1, "The reports are in reports."),
]


@pytest.mark.parametrize(("arguments", "code", "says"), ENDS)
def test_how_it_ends(
    arguments: Sequence[str | Path], code: int, says: str, command: RunCommand, tmp_path: Path
) -> None:
    done = command("audit", *arguments, folder=tmp_path)
    assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


def test_the_configuration_file_counts_as_for_pytest(command: RunCommand, tmp_path: Path) -> None:
    shutil.copy(DEMO, tmp_path)
    shutil.copy(DEMO.with_name("demo.jsonl.gz"), tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\nhv_inventory = demo.yaml\nhv_report_dir = elsewhere\n")
    done = command("audit", "-q", folder=tmp_path)
    assert done.returncode == 1, done.stdout
    assert json.loads((tmp_path / "elsewhere" / "gate.json").read_bytes())["exit_code"] == 1
    assert not (tmp_path / "reports").exists()


BROWSER = """\
import sys
from pathlib import Path

Path("opened").open("a").write(sys.argv[1] + "\\n")
"""


@pytest.mark.parametrize(("more", "opened"), [([], True), (["--collect-only"], False)])
def test_a_page_is_opened_that_this_run_wrote(
    more: list[str], opened: bool, command: RunCommand, tmp_path: Path
) -> None:
    (tmp_path / "browser.py").write_text(BROWSER)
    page = tmp_path / "reports" / "report.html"
    page.parent.mkdir()
    page.write_text("an earlier one")
    browser = f"{Path(sys.executable).as_posix()} {(tmp_path / 'browser.py').as_posix()} %s"
    done = command("audit", "--open", DEMO, "-q", *more, folder=tmp_path, env={"BROWSER": browser})
    seen = tmp_path / "opened"
    assert (seen.read_text().splitlines() if seen.exists() else []) == [page.as_uri()] * opened, done.stderr


def test_where_no_browser_opens_the_page_is_named() -> None:
    err = StringIO()
    page = Path("reports", "report.html")
    show_page(page, World(open_page=lambda _: False, err=err))
    assert err.getvalue() == f"No browser could be opened here. The page is {page.absolute().as_uri()}\n"
