"""Asking a person for a password while pytest holds the terminal's input: once, before any server is read."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from compliance.credentials.terminal import is_terminal
from compliance.world import Ask


def asker(config: pytest.Config) -> Ask | None:
    """Return how to ask, or None where nobody is there to answer: a job of CI, a pipe, a worker of xdist."""
    with _its_input(config):
        if not is_terminal(sys.stdin):
            return None

    def ask(text: str) -> str:
        with _its_input(config):
            return getpass.getpass(text)

    return ask


@contextmanager
def _its_input(config: pytest.Config) -> Iterator[None]:
    """The process's own stdin. pytest's capture puts /dev/null in its place from its start on (not with ``-s``)."""
    capture: Any = config.pluginmanager.get_plugin("capturemanager")
    if capture is None or not capture.is_globally_capturing():
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        capture.resume_global_capture()
        capture.suspend_global_capture()  # as it is between pytest's phases: output goes out, input is kept away
