"""PowerShell stands beside every shell block of README and docs, and is PowerShell: our users sit at Windows machines.

It is parsed by a grammar, not run. What the grammar takes for a word and Windows PowerShell 5.1 does not is refused by
name; and the grammar refuses `--option=value`, which PowerShell takes: write `--option value`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from tests.running import ROOT

SHELLS = {"sh", "bash", "shell", "console"}
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SCRIPTS = sorted((ROOT / "docs").rglob("*.ps1"))
NOT_OURS = {
    r"&&|\|\|": "Windows PowerShell 5.1 has no && and ||: write two lines",
    r"^\s*(export|source|set -)\b": "is a word of sh",
    r"^\s*\w+=\S* ": "sets a variable as sh does: $env:NAME = 'value'",
    r"\\$": "a line goes on after ` in PowerShell",
    r"/dev/null|<<|\bbin/": "is of POSIX",
    r"\bpython3\b": "is called py or python on Windows",
    r"(?<=[\w.:])>|(?<= )>": "5.1 writes UTF-16 by >: use an option that writes the file",
}


@dataclass(frozen=True)
class Block:
    place: str
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.place}: {self.text.splitlines()[0][:60]}"


def blocks(path: Path) -> Iterator[Block]:
    """Return the fenced blocks of a page in their order, those within lists and tabs as well."""
    text = path.read_text(encoding="utf-8")
    place = path.relative_to(ROOT).as_posix()
    for match in re.finditer(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        indent, language, content = match.groups()
        yield Block(place, language, re.sub(f"^{indent}", "", content, flags=re.MULTILINE))


def errors(script: str) -> list[str]:
    """Return what the grammar could not parse, each by its line."""
    found: list[str] = []

    def look(node: Node) -> None:
        if node.is_error or node.is_missing:
            text = (node.text or b"").decode()[:60]
            found.append(f"line {node.start_point.row + 1}: {text!r}")
        for child in node.children:
            if child.has_error or child.is_missing:
                look(child)

    look(Parser(Language(tree_sitter_powershell.language())).parse(script.encode()).root_node)
    return found


def posix_words(script: str) -> list[str]:
    """Return what belongs to another shell, or to a later PowerShell than Windows brings along."""
    lines = [line for line in script.splitlines() if not line.lstrip().startswith("#")]
    return [f"{line}: {why}" for line in lines for pattern, why in NOT_OURS.items() if re.search(pattern, line)]


ALL = [block for path in FILES for block in blocks(path)]
POWERSHELL = [block for block in ALL if block.language == "powershell"]


def test_powershell_follows_each_shell_block() -> None:
    pairs = zip(ALL, [*ALL[1:], Block("", "", "")], strict=True)
    lacking = {
        block.name
        for block, after in pairs
        if block.language in SHELLS and (after.place, after.language) != (block.place, "powershell")
    }
    assert sorted(lacking) == [], "put a ```powershell block behind each"


@pytest.mark.parametrize("block", POWERSHELL, ids=lambda block: block.name)
def test_a_block_is_powershell(block: Block) -> None:
    assert errors(block.text) == []
    assert posix_words(block.text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_powershell(path: Path) -> None:
    text = path.read_text(encoding="ascii")  # 5.1 takes a script without a byte order mark for the system's code page
    assert errors(text) == []


OF_NO_CMD = re.compile(r"\b(?:pip3? install|pipx install|keyring set|hyperv-compliance|pytest)\b[^`;\n]* '|--[\w-]+ '")
"""cmd.exe takes single quotes for part of a word; double ones are quotes to cmd, PowerShell and POSIX shells alike."""


def test_a_command_is_quoted_for_every_shell() -> None:
    pages = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    modules = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "compliance").rglob("*.py")
    }
    found = {name: found for name, text in (pages | modules).items() if (found := OF_NO_CMD.findall(text))}
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["pip install 'hyperv-compliance[keyring]'", r"hyperv-compliance doctor hv01 x 'DR\audit'", r"give --user 'DR\a'"],
)
def test_a_command_that_cmd_would_read_otherwise_is_seen(line: str) -> None:
    assert OF_NO_CMD.search(line)


REFUSED = [
    "for i in a; do x; done",
    "pytest --inventory 'site.yaml",
    "pytest \\\n  --inventory site.yaml",
    "export COMPLIANCE_AUDIT_USERNAME='x'",
    "A=b pytest",
    "pytest && echo done",
    ".venv/bin/pytest",
    "pytest > reports.txt",
    "pytest 2>/dev/null",
    "cat <<EOF\nx\nEOF",
]


@pytest.mark.parametrize("script", REFUSED)
def test_what_is_none_is_refused(script: str) -> None:
    assert errors(script) + posix_words(script)
