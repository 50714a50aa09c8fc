"""docs/options.md: every option of pytest's that is ours, and every command, from what their parsers are made of."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator

from compliance.commands.parser import COMMANDS, PASS_ON, parser_for
from compliance.plugin.options import POLICY_KEYS, SELECTION, Option, estate_options
from compliance.program import PROGRAM
from tests.docs.markdown import code, escaped, table_of

INTRODUCTION = f"""Every option that this package adds to `pytest`, and every option of `{PROGRAM}`. Each option of
pytest is also an option of `{PROGRAM} audit`, and a key of pytest's configuration file
([what wins](inventories.md#options-in-pytests-configuration-file))."""
POLICY = """The same keys stand in a `policy:` block of the inventory or in a policy file, without `hv_`.
[The gate](gate.md) explains them."""


def page() -> str:
    """Return the page."""
    scope = {f"hv_{name}" for name in SELECTION}
    others = {option.dest for option in estate_options()} - {*POLICY_KEYS, *scope}
    return "\n\n".join(
        [
            "# Options",
            INTRODUCTION,
            "## What is read, saved and written",
            _table(others),
            "## What the gate is about",
            "Everything is read all the same. A filter that matches nothing keeps the gate closed.",
            _table(scope),
            "## What closes the gate",
            POLICY,
            _table(POLICY_KEYS),
            "## Commands",
            *_commands(),
        ]
    )


def _table(keys: Collection[str]) -> str:
    options = [option for option in estate_options() if option.dest in keys]
    rows = ((_written(option), code(option.dest), escaped(option.attributes["help"])) for option in options)
    return table_of(("option", "key", "what it does"), rows)


def _written(option: Option) -> str:
    value = option.attributes.get("metavar") or "\\|".join(option.attributes.get("choices", ()))
    return ", ".join(code(f"{name} {value}".rstrip()) for name in option.names)


def _commands() -> Iterator[str]:
    for name in COMMANDS:
        parsers = {known: parser for known, parser, _ in _below(parser_for([name]))}
        if below := [*_below(parsers[name])]:
            for part, parser, summary in below:
                yield from _command(f"{name} {part}", parser, summary)
        else:
            yield from _command(name, parsers[name], parsers[name].description or "")


def _below(parser: argparse.ArgumentParser) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield each command below a parser: its name, its own parser and what it does."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            summaries = {choice.dest: choice.help or "" for choice in action._choices_actions}
            yield from ((name, inner, summaries.get(name, "")) for name, inner in action.choices.items())


def _command(name: str, parser: argparse.ArgumentParser, summary: str) -> Iterator[str]:
    yield f"### `{PROGRAM} {name}`"
    yield escaped(f"{summary[:1].upper()}{summary[1:]}".rstrip(".") + f". {parser.epilog or ''}")
    if rows := [*_rows(parser, without={option.dest for option in estate_options()} if name in PASS_ON else ())]:
        yield table_of(("option", "what it does"), rows)


def _rows(parser: argparse.ArgumentParser, without: Collection[str]) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction) or action.help == argparse.SUPPRESS or action.dest in without:
            continue
        value = action.metavar or "\\|".join(map(str, action.choices or ()))
        value = value if isinstance(value, str) and action.nargs != 0 else ""
        names = [name for name in action.option_strings if name.startswith("--")] or action.option_strings
        written = [f"{name} {value}".rstrip() for name in names] or [value or action.dest]
        yield ", ".join(map(code, written)), escaped(action.help or "")
