"""No message, help text or report says what a native reader stumbles over: one word for one thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.commands.parser import COMMANDS
from compliance.report.page.page import SCRIPTS
from tests.modules import module_files, name_of, nodes_of
from tests.running import ROOT, RunCommand, RunPytest

PHRASES = re.compile(r"\b(not judged|accepted|notices?|(?:is|are|was|were) told|means? nothing)\b", re.IGNORECASE)
"""*unknown*, *waived*, *remark*, and plain verbs say it."""
OTHERS_WORDS = {
    "report/annotations.py": {"notice"},  # a level of GitHub's
    "report/sarif.py": {"accepted"},  # a status of SARIF's
    "hyperv/assumptions/forms.py": {"wql-accepted"},  # a key
}
PAGES = ("page.html.j2", *(f"script/{name}.js" for name in SCRIPTS))


def messages(path: Path) -> Iterator[str]:
    """Yield the texts of a module, without what documents it."""
    documentation = {id(node.value) for node in nodes_of(path) if isinstance(node, ast.Expr)}
    for node in nodes_of(path):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_message_says_it() -> None:
    found = {
        (name, text)
        for path in module_files()
        for text in messages(path)
        if PHRASES.search(text) and text not in OTHERS_WORDS.get(name := name_of(path), ())
    }
    assert found == set()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_does_not_say_it(name: str) -> None:
    assert not PHRASES.findall((ROOT / "compliance" / "report" / "page" / name).read_text("utf-8"))


def test_the_golden_reports_do_not_say_it() -> None:
    golden = {path.name: path.read_text("utf-8") for path in (ROOT / "tests" / "report" / "golden").iterdir()}
    golden["annotations.txt"] = golden["annotations.txt"].replace("::notice ", "")
    golden["results.sarif"] = golden["results.sarif"].replace('"status":"accepted"', "")
    assert {name: PHRASES.findall(text) for name, text in golden.items() if PHRASES.search(text)} == {}


def test_no_help_says_it(tmp_path: Path, run_pytest: RunPytest, command: RunCommand) -> None:
    ours = run_pytest(tmp_path, "--help").stdout.partition("Hyper-V compliance:")[2]
    assert "--hv-report-dir" in ours
    keys = [line for line in ours.splitlines() if line.startswith("  hv_")]
    assert keys
    assert all("the command line wins" in ours[ours.index(key) :][:300] for key in keys)
    texts = [ours.partition("\n\n")[0], *keys]
    texts += [command(*name, "--help").stdout for name in ((), *((name,) for name in COMMANDS))]
    assert [PHRASES.findall(text) for text in texts if PHRASES.search(text)] == []


@pytest.mark.parametrize(
    ("text", "is_odd"),
    [("could not be judged", False), ("it was not judged", True), ("a remark", False), ("Notices", True)],
)
def test_what_is_looked_for(text: str, is_odd: bool) -> None:
    assert bool(PHRASES.search(text)) is is_odd
