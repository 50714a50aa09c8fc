"""The command itself: help, version, and mistakes in what was typed."""

from __future__ import annotations

import pytest

from compliance.__main__ import main
from compliance.commands.parser import COMMANDS, parser_for


def test_no_argument_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: hyperv-compliance ")
    assert all(f"    {name}" in out for name in COMMANDS)


def test_the_version_names_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("hyperv-compliance ")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"hyperv-compliance {name}" in capsys.readouterr().out
    assert parser_for([name]).prog == "hyperv-compliance"


@pytest.mark.parametrize("words", [["nothing"], ["rules", "--jsn"], ["--loud"], ["diff"]])
def test_a_mistake_is_exit_code_4_and_names_the_help(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 4
    assert "--help" in capsys.readouterr().err
