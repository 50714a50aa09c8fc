"""docs/threats.md names every place where text leaves the process, a file is written or a program is started."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

import pytest

from compliance.plugin.report_folder import WRITERS
from tests.modules import PACKAGE, module_files, nodes_of
from tests.running import ROOT

PAGE = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
SINKS = frozenset(
    {
        *("print", "write", "writelines", "write_line", "write_sep", "rewrite", "write_text", "write_bytes"),
        *("dump", "mkdtemp", "mkstemp", "rmtree", "unlink", "touch", "chmod", "fdopen", "replace_file", "section"),
        *("Popen", "check_output", "check_call", "system", "popen", "spawnv", "execv", "getpass", "get_password"),
        *("warn", "warning", "info", "debug", "exception", "critical", "log", "getLogger"),
        *("exit", "fail", "skip", "notify_exception", "pytest.UsageError", "pprint", "breakpoint"),
        *("import webbrowser", "subprocess.run", "subprocess.call", "os.open"),
    }
)
"""Names of what is called."""
OTHERS = {
    *("report/annotations.py", "report/text.py", "report/terminal.py", "report/html/bpa_page.py"),
    "report/gate_json.py",
}
"""Writers that are no file of WRITERS."""


def calls(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Yield the name of each function that is called, and with what stands before its dot; and each module that is
    imported, since one that starts programs may be handed on as a value."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (f"import {alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute):
                yield called.attr
                yield f"{called.value.id if isinstance(called.value, ast.Name) else ''}.{called.attr}"
            elif isinstance(called, ast.Name):
                yield called.id


def sinks_of(text: str) -> set[str]:
    return SINKS.intersection(calls(ast.walk(ast.parse(text))))


def modules() -> set[str]:
    found = {path for path in module_files() if SINKS.intersection(calls(nodes_of(path)))}
    found |= set((PACKAGE / "diff").glob("as_*.py"))
    writers = {writer.__module__.removeprefix("compliance.").replace(".", "/") + ".py" for writer in WRITERS.values()}
    return {path.relative_to(PACKAGE).as_posix() for path in found} | writers | OTHERS


ROWS = re.findall(r"^\| `([\w/]+\.py)` \| (.+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_sink_has_its_row() -> None:
    rows = [row[0] for row in ROWS]
    assert len(rows) == len(set(rows))
    assert modules() - set(rows) == set(), "say in docs/threats.md what keeps it harmless, and which test holds that"
    assert set(rows) - modules() == set(), "no place of this kind is there any more"


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))))
def test_what_holds_it_is_there(path: str) -> None:
    assert "def test_" in (ROOT / path).read_text("utf-8")


def test_every_row_names_a_test() -> None:
    assert [row for row in ROWS if "`tests/" not in row[3]] == []


@pytest.mark.parametrize(
    "line",
    [
        "print(1)",
        "sys.stderr.write('x')",
        "Path('x').write_text('x')",
        "subprocess.run(['x'])",
        "subprocess.Popen(['x'])",
        "logging.getLogger('x').warning('x')",
        "pytest.exit('x')",
        "os.open('x', 1)",
    ],
)
def test_what_a_sink_looks_like(line: str) -> None:
    assert sinks_of(line)


def test_the_page_is_linked() -> None:
    assert "docs/threats.md" in (ROOT / "SECURITY.md").read_text("utf-8")
    assert "SECURITY.md" in (ROOT / "README.md").read_text("utf-8")
