"""The one door for somebody else's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.words import join_names, plural, printable, quote, shorten


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("sql01", "sql01"),
        ("Zu\u0308rich", "Zürich"),
        ("a\nb", "a\\u000ab"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\u202eabc", "\\u202eabc"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("##vso[task.complete]", "#\\u0023vso[task.complete]"),
        ("::set-output name=x::y", "\\u003a:set-output name=x::y"),
        ("  ::error::x", "  \\u003a:error::x"),
        ("::1", "::1"),
        ("::ffff:10.2.0.5/96", "::ffff:10.2.0.5/96"),
        ("fe80::1", "fe80::1"),
    ],
)
def test_printable(text: str, safe: str) -> None:
    assert printable(text) == safe


@given(st.text(st.characters(codec=None), max_size=40))
def test_whatever_comes_is_one_printable_line(text: str) -> None:
    safe = printable(text)
    assert safe.isprintable()
    assert printable(safe) == safe
    assert not safe.lstrip().startswith("::set-output")


@given(st.text(max_size=80), st.integers(2, 70))
def test_shortened_texts_are_short(text: str, most: int) -> None:
    assert len(shorten(text, most)) <= most


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        (None, "nothing"),
        ("", "nothing"),
        ([1], "a list"),
        ({}, "a mapping"),
        (True, "`true`"),
        ("x" * 80, f"`{'x' * 59}…`"),
    ],
)
def test_quote(value: object, quoted: str) -> None:
    assert quote(value) == quoted


def test_counts_and_names() -> None:
    assert [plural(count, "server") for count in (0, 1, 1200)] == ["0 servers", "1 server", "1,200 servers"]
    assert join_names(["a"]) == "a"
    assert join_names("abcdefgh") == "a, b, c, d, e and 3 more"
    assert join_names(["a\n", "b"], most=1) == "a\\u000a and 1 more"
