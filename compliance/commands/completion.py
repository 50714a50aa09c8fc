"""`hyperv-compliance completion SHELL`: a script that completes commands, options and values, made from the parsers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from compliance.commands.parser import COMMANDS, parser_for
from compliance.judge.judge import all_rules
from compliance.program import PROGRAM

SHELLS = ("bash", "zsh", "fish", "powershell")
INSTALL = {
    "bash": f'eval "$({PROGRAM} completion bash)" in ~/.bashrc',
    "zsh": f'eval "$({PROGRAM} completion zsh)" in ~/.zshrc, after compinit',
    "fish": f"{PROGRAM} completion fish | source in ~/.config/fish/config.fish",
    "powershell": f"{PROGRAM} completion powershell | Out-String | Invoke-Expression in $PROFILE",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shells."""
    parser.epilog = "To have it in each shell, put the line there: " + "; ".join(INSTALL.values()) + "."
    parser.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> int:
    """Return 0."""
    parsers = {name: _below(parser_for([name]), name) for name in COMMANDS}
    commands = {name: _words(parsers[name], summary) for name, (_, summary) in COMMANDS.items()}
    keys = tuple(rule.key for rule in all_rules())
    commands["rules"] = replace(commands["rules"], words=keys)
    commands["audit"] = replace(commands["audit"], options={**commands["audit"].options, "--hv-rule": keys})
    sys.stdout.write(WRITERS[options.shell](commands))
    return 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandWords:
    """What may follow a command: its options, each with its values where they are few, and its own words."""

    summary: str
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @property
    def every(self) -> str:
        return " ".join((*self.words, *self.options))


def _below(parser: argparse.ArgumentParser, name: str) -> argparse.ArgumentParser:
    return _subparsers(parser)[name]


def _subparsers(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers by their commands' names. argparse keeps them where no name of its own leads."""
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to list what it was told
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  # nor another name for this
            return action.choices
    return {}


def _words(parser: argparse.ArgumentParser, summary: str) -> CommandWords:
    options: dict[str, tuple[str, ...]] = {}
    words: list[str] = []
    for action in parser._actions:  # noqa: SLF001  # as above
        values = tuple(map(str, action.choices)) if action.choices else ()
        if action.option_strings:
            options |= {name: values for name in action.option_strings if name.startswith("--")}
        else:
            words += values
    for below in _subparsers(parser).values():
        options = {**_words(below, "").options, **options}
    return CommandWords(summary=summary, options=options, words=tuple(words))


def bash(commands: Mapping[str, CommandWords]) -> str:
    """Return the script. Where no word fits, bash completes names of files."""
    return f"""\
_hyperv_compliance() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words={_quoted(" ".join((*commands, "--help", "--version")))}
  else
    case "${{COMP_WORDS[1]}} ${{COMP_WORDS[COMP_CWORD - 1]}}" in
{_cases(commands)}    esac
  fi
  local but=()
  [[ $cur == -* ]] || but=(-X '-*')
  mapfile -t COMPREPLY < <(compgen "${{but[@]}}" -W "$words" -- "$cur")
}}
complete -o default -F _hyperv_compliance {PROGRAM}
"""


def zsh(commands: Mapping[str, CommandWords]) -> str:
    """Return the script, which needs `compinit`."""
    return f"""\
#compdef {PROGRAM}
_hyperv_compliance() {{
  local words_here=
  if (( CURRENT == 2 )); then
    words_here={_quoted(" ".join((*commands, "--help", "--version")))}
  else
    case "${{words[2]}} ${{words[CURRENT - 1]}}" in
{_cases(commands, "words_here")}    esac
  fi
  if [[ ${{words[CURRENT]}} == -* ]]; then
    compadd -- ${{=words_here}}
  else
    compadd -- ${{${{=words_here}}:#-*}}
    (( CURRENT == 2 )) || _files
  fi
}}
compdef _hyperv_compliance {PROGRAM}
"""


def _cases(commands: Mapping[str, CommandWords], variable: str = "words") -> str:
    """Return the arms of a `case` over the command and the word before."""
    lines: list[str] = []
    for name, words in commands.items():
        for option, values in words.options.items():
            if values:
                lines.append(f"      '{name} {option}') {variable}={_quoted(' '.join(values))} ;;\n")
        lines.append(f"      '{name} '*) {variable}={_quoted(words.every)} ;;\n")
    return "".join(lines)


def fish(commands: Mapping[str, CommandWords]) -> str:
    """Return the script."""
    return "".join(f"{line}\n" for line in _fish_lines(commands))


def _fish_lines(commands: Mapping[str, CommandWords]) -> Iterator[str]:
    for name, words in commands.items():
        yield f"complete -c {PROGRAM} -n __fish_use_subcommand -f -a {name} -d {_quoted(words.summary)}"
    for name, words in commands.items():
        begin = f"complete -c {PROGRAM} -n '__fish_seen_subcommand_from {name}'"
        if words.words:
            yield f"{begin} -a {_quoted(' '.join(words.words))}"
        for option, values in words.options.items():
            more = f" -x -a {_quoted(' '.join(values))}" if values else ""
            yield f"{begin} -l {option.removeprefix('--')}{more}"


def powershell(commands: Mapping[str, CommandWords]) -> str:
    """Return the script, for Windows PowerShell 5.1 and later. Where no word fits, it completes names of files."""
    first = " ".join((*commands, "--help", "--version"))
    table = "".join(f"    {_doubled(f'{name} ')} = {_doubled(words.every)}\n" for name, words in commands.items())
    values = "".join(
        f"    {_doubled(f'{name} {option}')} = {_doubled(' '.join(values))}\n"
        for name, words in commands.items()
        for option, values in words.options.items()
        if values
    )
    return f"""\
Register-ArgumentCompleter -Native -CommandName '{PROGRAM}' -ScriptBlock {{
  param($wordToComplete, $commandAst, $cursorPosition)
  $table = @{{
    '' = {_doubled(first)}
{table}{values}  }}
  $typed = @($commandAst.CommandElements | ForEach-Object {{ "$_" }})
  if ($wordToComplete -ne '') {{ $typed = @($typed | Select-Object -SkipLast 1) }}
  $words = $table['']
  if ($typed.Count -gt 1) {{
    $words = $table["$($typed[1]) $($typed[-1])"]
    if ($null -eq $words) {{ $words = $table["$($typed[1]) "] }}
  }}
  $isOption = $wordToComplete.StartsWith('-')
  "$words" -split ' ' | Where-Object {{ $_.StartsWith($wordToComplete) -and $_.StartsWith('-') -eq $isOption }} |
    ForEach-Object {{ [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }}
}}
"""


def _quoted(text: str) -> str:
    """Return the text in single quotes, as sh, zsh and fish read them: nothing of ours holds a backslash."""
    return "'" + text.replace("'", "'\\''") + "'"


def _doubled(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


WRITERS = {"bash": bash, "zsh": zsh, "fish": fish, "powershell": powershell}
