"""The sample page and its picture in docs/sample: made by one command, and of the page as it is now."""

from __future__ import annotations

import os
from pathlib import Path

from tests.report.sample import DIGEST, FOLDER, PAGE, PICTURE, SIZE, digest_of, parts_of, sample, write_sample
from tests.running import ROOT

ANEW = "write it anew: python -m tests.report.sample"


def test_the_sample_is_of_the_page_as_it_is() -> None:
    assert parts_of((FOLDER / PAGE).read_text("utf-8")) == parts_of(sample()), ANEW


def test_the_picture_is_of_the_sample() -> None:
    assert (FOLDER / DIGEST).read_text("ascii") == f"{digest_of(FOLDER / PAGE)}  {PAGE}\n", ANEW
    assert size_of(FOLDER / PICTURE) == SIZE


def test_the_command_writes_both(browser: str, tmp_path: Path) -> None:
    files = write_sample(tmp_path, browser)
    assert [path.name for path in files] == [PAGE, PICTURE, DIGEST]
    assert size_of(tmp_path / PICTURE) == SIZE


def test_the_sample_names_no_place_of_whoever_wrote_it() -> None:
    assert os.fspath(ROOT) not in sample()


def size_of(picture: Path) -> tuple[int, int]:
    """Return the width and height that a PNG's header has."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
