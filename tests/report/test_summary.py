"""summary.md, as a reader of Markdown understands it: somebody's text is code, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from compliance.model import Evidence, Judging
from compliance.report.markdown_parts import code
from compliance.report.summary import MOST_BYTES, MOST_ITEMS, summary
from tests.profiles import examples
from tests.report import tables
from tests.report.every import every, hostile

ALLOWED = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}


def inline(text: str) -> Iterator[Token]:
    for block in MarkdownIt("commonmark").enable("table").parse(text):
        assert block.type not in ("html_block", "fence", "code_block"), block.content
        yield from block.children or ()


def plain(text: str) -> str:
    """What is not code, as it is shown."""
    return "\n".join(token.content for token in inline(text) if token.type == "text")


TEXTS = (
    "`", "``a`` b", "a`", " x ", "<b>x</b>", "![i](https://evil.example/i)", "@someone", "#1", "https://evil.example",
    "| a | b |", "\\`x\\`", "\n\n# x", "</details>", "&lt;b&gt;", "``` x", "$x$", "    x", "x\u2028y", "***",
    "lost", "good01",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_somebodys_text_is_code(text: str) -> None:
    check(text)


@pytest.mark.slow
@settings(deadline=None, max_examples=examples(100))
@given(st.text(st.characters(exclude_categories=()), min_size=1, max_size=30))
def test_any_text_is_code(text: str) -> None:
    check(text)


@pytest.mark.parametrize("text", TEXTS)
def test_a_machine_that_the_advice_names_is_code(text: str) -> None:
    written = summary(tables.sharing_an_address(text))
    assert "and leave the other as it is" in written
    kinds = {token.type for token in inline(written)} - ALLOWED
    assert kinds <= {"link_open", "link_close", "html_inline"}
    assert "someone" not in plain(written)
    assert "evil" not in plain(written)
    assert {token.content for token in inline(written) if token.type == "html_inline"} <= {"<sub>", "</sub>"}


def check(text: str) -> None:
    written = summary(hostile(text))
    links = [token.attrs["href"] for token in inline(written) if token.type == "link_open"]
    assert links == [token.attrs["href"] for token in inline(summary(hostile("x"))) if token.type == "link_open"]
    kinds = {token.type for token in inline(written)} - ALLOWED
    assert kinds <= {"link_open", "link_close", "html_inline"}
    assert {token.content for token in inline(written) if token.type == "html_inline"} <= {"<sub>", "</sub>"}
    assert plain(written) == plain(summary(hostile("x")))


@pytest.mark.parametrize("text", ["x", "a`b", "``", "` `", "x" * 500])
def test_a_code_span_holds_what_it_was_given(text: str) -> None:
    (token,) = (one for one in inline(code(text)))
    assert token.type == "code_inline"
    assert token.content.strip() == (text if len(text) <= 300 else f"{text[:299]}…").strip()


def test_the_gate_and_the_sentence_stand_first() -> None:
    told = summary(every()).splitlines()
    assert told[:2] == ["## Hyper-V compliance of `lab`", ""]
    assert told[2].startswith("**1 of 10 virtual machines would not come up with their failover address; 9 are unknown")
    assert told[4] == "**The gate is closed (exit code 1).**"


def test_what_limits_the_run_is_told() -> None:
    found = every(complete=False, scope="--hv-vm x")
    bpa = replace(found, estate=replace(found.estate, settings=Judging(evidence=Evidence.BPA)))
    told = summary(bpa)
    assert "- Only a part was judged: `--hv-vm x`" in told
    assert "- The snapshot is incomplete" in told
    assert "- Evidence: bpa." in told
    assert "`hv03` was not read: its machines are not counted.**" in told


def test_a_rules_own_text_stands_below_what_is_wrong() -> None:
    told = summary(every())
    places = [told.index(part) for part in ("- **New:** `hv01/bad01`", "**Issue:**", "**Impact:**", "**Resolution:**")]
    assert places == sorted(places)


def test_long_lists_are_cut_and_counted() -> None:
    told = summary(replace(tables.many(MOST_ITEMS + 7), readiness=()))
    assert told.count("/vm") == MOST_ITEMS
    assert "- … and 7 more: `results.json` lists them all" in told


@pytest.mark.parametrize("most", [3_000, 4_000, 6_000, 20_000, MOST_BYTES])
@pytest.mark.parametrize("text", ["x", "東" * 600])
def test_it_is_never_larger_than_it_may_be(most: int, text: str) -> None:
    found = tables.many(150)
    one = next(decision for decision in found.decisions if decision.verdict.machine)
    shown = replace(one.reported, outcome=replace(one.reported.outcome, finding=text))
    told = summary(replace(found, readiness=(), decisions=(replace(one, reported=shown),) * 150), most)
    assert len(told.encode()) <= most
    listed = told.count("- `hv000/vm00000`")
    if listed < 150:
        assert f"and {150 - listed} more" in told or "left out here for want of room" in told
