"""Lines of a window's width, never broken inside a word; and names in columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.report.wrapping import cells, rows, wrap
from compliance.words import printable

CASES: dict[str, tuple[str, int, list[str]]] = {
    "it fits": ("a b", 10, ["- a b"]),
    "two lines": ("aaa bbb ccc", 8, ["- aaa", "    bbb", "    ccc"]),
    "a word that is wider stands whole": ("a bbbbbbbbbbbbb c", 8, ["- a", "    bbbbbbbbbbbbb", "    c"]),
    "hyphens are no place to break": ("replica-adapter is-connected", 20, ["- replica-adapter", "    is-connected"]),
    "wide signs take two cells": ("東京 大阪 a", 8, ["- 東京", "    大阪", "    a"]),
    "marks take none": ("e\u0301e\u0301 b", 6, ["- éé b"]),
    "nothing": ("", 8, []),
    "a command of a runner does not come to a line's start": ("aaaa ::error::x", 6, ["- aaaa", "    \\u003a:error::x"]),
}


@pytest.mark.parametrize(("text", "width", "lines"), CASES.values(), ids=CASES)
def test_a_text(text: str, width: int, lines: list[str]) -> None:
    assert list(wrap(text, width, first="- ", then="    ")) == lines


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.integers(10, 80))
def test_no_word_is_lost_or_broken_and_no_line_is_too_wide(text: str, width: int) -> None:
    safe = printable(text)
    lines = list(wrap(safe, width, first="- ", then="    "))
    assert all(line.isprintable() for line in lines)
    written = [word for line in lines for word in line.replace("\\u003a:", "::").split()]
    assert written == (["-"] if lines else []) + [word.replace("\\u003a:", "::") for word in safe.split()]
    for line in lines:
        assert cells(line.replace("\\u003a:", "::")) <= width or len(line.split()) <= 2


NAMES = [f"hv01/app{number:02}" for number in range(7)]


@pytest.mark.parametrize(
    ("width", "counts"),
    [(80, [6, 1]), (40, [3, 3, 1]), (24, [1] * 7), (10, [1] * 7)],
)
def test_names_stand_in_as_many_columns_as_fit(width: int, counts: list[int]) -> None:
    found = list(rows(NAMES, width, "    "))
    assert [count for _, count in found] == counts
    assert " ".join(line for line, _ in found).split() == NAMES
    assert all(len(line) <= width for line, _ in found) or width == 10


def test_no_name_is_no_row() -> None:
    assert list(rows([], 80, "    ")) == []
