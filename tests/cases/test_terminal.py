"""The first thing that an administrator reads of each input."""

from __future__ import annotations

import pytest

from tests.cases.terminal import INPUTS, TEXTS, text_file, text_of


@pytest.mark.parametrize("name", INPUTS)
def test_the_terminal_of_each_input(name: str) -> None:
    assert text_of(name) == text_file(name).read_text("utf-8"), "if it is meant: python -m tests.cases.terminal"


def test_no_text_is_left_over() -> None:
    assert set(TEXTS.iterdir()) == {text_file(name) for name in INPUTS}
