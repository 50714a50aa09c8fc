"""Where a command's lines go, and in which letters."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from compliance.commands.output import refuse_out, write_lines
from compliance.errors import UsageError

LINES = ("Zürich-hv01", "東京 \ud800")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


PLACES = {
    "a pipe": (io.TextIOWrapper, "cp1252", "Zürich-hv01\n東京 \\ud800\n".encode()),
    "a terminal of Western Europe": (Terminal, "cp850", "Zürich-hv01\n\\u6771\\u4eac \\ud800\n".encode("cp850")),
    "a terminal of the USA": (Terminal, "cp437", "Zürich-hv01\n\\u6771\\u4eac \\ud800\n".encode("cp437")),
    "a terminal of Windows Terminal": (Terminal, "utf-8", "Zürich-hv01\n東京 \\ud800\n".encode()),
}


@pytest.mark.parametrize(("stream", "encoding", "expected"), PLACES.values(), ids=PLACES)
def test_a_letter_that_is_lacking_is_an_escape(stream: type[io.TextIOWrapper], encoding: str, expected: bytes) -> None:
    content = io.BytesIO()
    write_lines(LINES, out := stream(content, encoding=encoding, newline="\n"))
    assert out.errors == "backslashreplace"
    assert content.getvalue() == expected


def test_a_file_is_utf_8(tmp_path: Path) -> None:
    content = io.BytesIO()
    path = tmp_path / "site.yaml"
    write_lines(LINES, out := io.TextIOWrapper(content, encoding="cp437", newline="\n"), path)
    assert path.read_bytes() == "Zürich-hv01\n東京 \\ud800\n".encode()
    assert (content.getvalue().decode(), out.encoding) == (f"{path}: written\n", "utf-8")


def test_a_file_that_cannot_be_written_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"--out .*folder: can't be written: "):
        refuse_out(tmp_path / "folder")
    refuse_out(None)
    refuse_out(tmp_path / "new.txt", (tmp_path / "none", None))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
