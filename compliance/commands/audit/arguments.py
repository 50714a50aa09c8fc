"""Which word of a command line is the inventory: all others are pytest's, which is handed them as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compliance.plugin.options import estate_options

LONG = frozenset(
    {
        # pytest
        *("--maxfail", "--pdbcls", "--capture", "--lfnf", "--last-failed-no-failures", "--durations"),
        *("--durations-min", "--verbosity", "--report-chars", "--tb", "--show-capture", "--color", "--code-highlight"),
        *("--pastebin", "--junitxml", "--junit-xml", "--junitprefix", "--junit-prefix", "--pythonwarnings"),
        *("--max-warnings", "--ignore", "--ignore-glob", "--deselect", "--confcutdir", "--import-mode"),
        *("--doctest-report", "--doctest-glob", "--config-file", "--rootdir", "--basetemp", "--override-ini"),
        *("--assert", "--log-level", "--log-format", "--log-date-format", "--log-cli-level", "--log-cli-format"),
        *("--log-cli-date-format", "--log-file", "--log-file-mode", "--log-file-level", "--log-file-format"),
        *("--log-file-date-format", "--log-auto-indent", "--log-disable"),
        # pytest-html, pytest-metadata, pytest-xdist, pytest-testinfra
        *("--html", "--css", "--metadata-from-json", "--metadata-from-json-file", "--numprocesses", "--maxprocesses"),
        *("--max-worker-restart", "--dist", "--tx", "--px", "--rsyncdir", "--rsyncignore", "--testrunuid"),
        *("--maxschedchunk", "--connection", "--hosts", "--ssh-config", "--ssh-extra-args", "--ssh-identity-file"),
        *("--sudo-user", "--ansible-inventory"),
        *(name for option in estate_options() for name in option.names),
    }
)
"""Options whose value may be the next word. Another plugin's take it after `=`, or stand behind the inventory."""
SHORT = frozenset("kmrWcpon")
"""The same with one letter."""
ESTATE = ("--inventory", "--hv-inventory", "--snapshot", "--hv-snapshot")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandLine:
    """A command line. ``inventory``: the word that names one, or None; ``rest``: the others, in their order."""

    inventory: str | None
    rest: tuple[str, ...]


def split_words(arguments: Sequence[str]) -> CommandLine:
    """Return the inventory and the rest. It is the first word that is no option, no option's value and no case's id
    (`estate::rule[machine]`), unless an option names the estate."""
    if any(word.partition("=")[0] in ESTATE for word in arguments):
        return CommandLine(inventory=None, rest=tuple(arguments))
    is_value = False
    for place, word in enumerate(arguments):
        if not is_value and (not word.startswith("-") or word == "-") and "::" not in word:
            return CommandLine(inventory=word, rest=(*arguments[:place], *arguments[place + 1 :]))
        is_value = not is_value and _takes_next(word)
    return CommandLine(inventory=None, rest=tuple(arguments))


def _takes_next(word: str) -> bool:
    if word.startswith("--"):
        return word in LONG
    letters = word[1:]
    taking = next((place for place, letter in enumerate(letters) if letter in SHORT), None)
    return word.startswith("-") and taking is not None and taking == len(letters) - 1
