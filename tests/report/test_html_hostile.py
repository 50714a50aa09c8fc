"""Names and findings that want to be HTML or script stay text, in each place where pytest-html puts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.report.html.bpa_page import summary
from compliance.report.html.environment import environment
from compliance.report.html.rows import detail, detail_of_several, foreign_cells, header_cells, row_cells
from compliance.report.table import Table
from tests.report.reader import read
from tests.report.tables import hostile, small
from tests.running import TitleIn

HOSTILE = (
    "<img src=x onerror=\"document.title='owned'\">",
    '" onmouseover="document.title=\'owned\'" x="',
    "'></td></tr></table><script>document.title='owned'</script>",
    "</script></style></section>--><script>document.title='owned'</script><!--",
    "\u202egnp.exe\u2066\nE next \x1b[31m\ud800",
    "&lt;b&gt;",
)


def everything(found: Table) -> list[str]:
    """Every piece of HTML that pytest-html gets from us, as it puts them together."""
    rows = [f"<table><tr>{''.join(row_cells(verdict))}</tr></table>" for verdict in found.verdicts]
    foreign = foreign_cells(['<td class="col-result">Failed</td>'], found.estate.name)
    return [
        *summary(found, shown=1, rows_left_out=2, several=True, page='"><script>'),
        *detail_of_several([found.estate.name] * 2),
        *rows,
        *(piece for verdict in found.verdicts for piece in detail(verdict)),
        *(f"<div>{value}</div>" for value in environment(found).values()),
        f"<table><thead><tr>{''.join(header_cells())}</tr></thead><tr>{''.join(foreign)}</tr></table>",
    ]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_is_text_everywhere(text: str) -> None:
    found = hostile(text)
    for piece in everything(found):
        reader = read(piece)
        assert all(link.startswith(("#hv-rule-", "https://", '"><script>')) for link in reader.links)
        assert not any(letter in piece for letter in "\u202e\u2066\x1b\ud800")
    shown = "".join(read("".join(everything(found))).text)
    assert text.isprintable() is (text in shown)


def test_a_detail_is_one_line_and_begins_with_a_tag() -> None:
    """pytest-html wraps lines that begin with an E in HTML of its own."""
    for verdict in hostile("a\nE b").verdicts:
        for piece in detail(verdict):
            assert piece.startswith("<div")
            assert "\n" not in piece


def test_a_name_runs_no_script_in_a_browser(browser: str, tmp_path: Path, title_in: TitleIn) -> None:
    found = "\n".join(piece for text in HOSTILE for piece in everything(hostile(text)))
    assert title_after(title_in, browser, tmp_path, found) == "quiet"
    assert title_after(title_in, browser, tmp_path, HOSTILE[0]) == "owned", "or this test would see nothing"


def title_after(title_in: TitleIn, browser: str, folder: Path, body: str) -> str:
    head = "<head><meta charset=utf-8><title>quiet</title></head>"
    return title_in(browser, folder, f"<!DOCTYPE html><html>{head}<body>{body}</body></html>")


def test_long_text_is_cut() -> None:
    page = "".join(everything(hostile("x" * 5000)))
    assert "x" * 2001 not in page
    assert f"{'x' * 600}…" in page


def test_the_same_table_gives_the_same_text() -> None:
    assert everything(small()) == everything(small())
