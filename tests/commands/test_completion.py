"""`completion SHELL`: each script is read by its own shell, which then completes what a user types."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Parser

from compliance.__main__ import main
from compliance.commands.completion import SHELLS
from compliance.commands.parser import COMMANDS
from compliance.judge.judge import all_rules

KEYS = {rule.key for rule in all_rules()}
# What was typed (the last word is to be completed) -> words that are offered, and words that are not.
TYPED: list[tuple[list[str], set[str], set[str]]] = [
    ([""], {*COMMANDS}, {"--hv-save"}),
    (["sch"], {"schema"}, {"audit"}),
    (["audit", "--hv-g"], {"--hv-group", "--hv-grain"}, {"--hv-site"}),
    (["audit", "site.yaml", "--op"], {"--open"}, {"show"}),
    (["audit", "--hv-grain", ""], {"machine", "server", "rule"}, {"--open"}),
    (["audit", "--hv-rule", "server-"], {"server-was-read"}, {"--open"}),
    (["inventory", ""], {"show", "suggest", "convert"}, {"--help"}),
    (["doctor", "--transport", "k"], {"kerberos"}, {"--user"}),
    (["rules", ""], KEYS, {"--json"}),
    (["schema", ""], {"inventory", "results", "policy", "waivers"}, {"--out"}),
]
BASH = """
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_hyperv_compliance
printf '%s\\n' "${COMPREPLY[@]}"
"""
# zsh's own completion needs a terminal: here its functions print what they are
# handed, of which zsh itself takes what begins as typed.
ZSH = """
compdef() { : }
_files() { : }
compadd() { shift; print -l -- "$@" }
source "$1"
shift
words=("$@") CURRENT=$#
_hyperv_compliance
"""
FISH = "source $argv[1]; complete -C (string join ' ' -- $argv[2..])"
PROGRAMS = {"bash": ("bash", "-c", BASH, "-"), "zsh": ("zsh", "-f", "-c", ZSH, "-"), "fish": ("fish", "-c", FISH)}


@pytest.mark.slow
@pytest.mark.parametrize("shell", PROGRAMS)
def test_a_shell_completes_what_was_typed(shell: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    program, *arguments = PROGRAMS[shell]
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"needs {program} (Debian: {program})")
    script = tmp_path / "script"
    script.write_text(_script(shell, capfd), encoding="utf-8")
    for typed, offered, others in TYPED:
        done = subprocess.run(
            [path, *arguments, str(script), "hyperv-compliance", *typed],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=60,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        words = {word for line in done.stdout.splitlines() if (word := line.partition("\t")[0]).startswith(typed[-1])}
        assert offered <= words, (typed, done.stderr)
        assert not others & words, typed


def test_powershell_reads_its_script(capfd: pytest.CaptureFixture[str]) -> None:
    """By its grammar: no PowerShell is at hand that would run it."""
    script = _script("powershell", capfd)
    tree = Parser(Language(tree_sitter_powershell.language())).parse(script.encode())
    assert not tree.root_node.has_error
    assert all(f"'{name} ' = " in script for name in COMMANDS)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_command_and_option_is_there(shell: str, capfd: pytest.CaptureFixture[str]) -> None:
    script = _script(shell, capfd)
    begin = "-l " if shell == "fish" else "--"
    for word in (*COMMANDS, *KEYS, *(f"{begin}{name}" for name in ("hv-save", "record", "snapshot", "guests"))):
        assert word in script


def _script(shell: str, capfd: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capfd.readouterr().out
