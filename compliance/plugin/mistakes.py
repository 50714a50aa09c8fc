"""Our one-line errors as pytest's: exit code 4, no traceback. And the one mistake that leaves a run without us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from compliance.errors import UsageError
from compliance.words import printable


def lines_of(error: BaseException) -> list[str]:
    """Return each line of an error's text, printable: a name in it may come from a file."""
    texts = error.args if isinstance(error, pytest.UsageError) else (error,)
    return [printable(line) for text in texts for line in str(text).split("\n")]


@contextmanager
def usage_errors() -> Iterator[None]:
    """Within this context a UsageError of ours is raised as pytest's."""
    try:
        yield
    except UsageError as error:
        raise pytest.UsageError(*lines_of(error)) from error


def register(config: pytest.Config, part: object, name: str) -> None:
    """Register a part of ours. UsageError where ``-p no:NAME`` keeps it out: the rest would end with pytest's own exit
    code, which knows no gate."""
    if config.pluginmanager.register(part, name) is None:
        raise pytest.UsageError(f"-p no:{name} would leave the estate unjudged: leave it out")
