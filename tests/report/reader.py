"""Reads our HTML as strictly as it is meant: the report's own elements, closed in order, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser


class Reader(HTMLParser):
    """Fails on any element, attribute or comment that no writer of ours makes."""

    TAGS = "style section p strong table caption thead tbody tr th td div h3 h4 h5 span a dl dt dd ul li"
    ATTRIBUTES = "class id scope href rel tabindex role aria-label data-column-type data-label"

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag in self.TAGS.split()
        assert {name for name, _ in attrs} <= {*self.ATTRIBUTES.split()}
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        assert re.fullmatch(r"<td class=\"col-\w+\">\w+</td>|<th class=\"sortable\"[^<>]*>[\w' ]+</th>", data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert not reader.open
    return reader
