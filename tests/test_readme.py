"""README and CONTRIBUTING: what they say is what works, and README stays short."""

from __future__ import annotations

import re

from compliance.audit import judge_snapshot
from compliance.judge.scope import Scope
from compliance.snapshot.read import read_snapshot
from tests.demo import SNAPSHOT
from tests.running import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_continuous_integration_runs_the_readmes_two_lines() -> None:
    ours = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    main, tests = blocks("sh")[:2]
    assert main.strip() in ours
    assert tests.strip() in ours


def test_the_sentence_is_the_demos() -> None:
    quoted = " ".join(line.removeprefix("> ") for line in README.splitlines() if line.startswith("> "))
    assert quoted == f"{judge_snapshot(read_snapshot(SNAPSHOT), Scope()).headline}."


def test_it_is_short_and_says_that_nothing_is_sent() -> None:
    assert len(README.splitlines()) <= 90
    assert "sends nothing to anybody but the servers of your inventory" in README
    for page in ("CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "docs/start.md", "docs/index.md"):
        assert f"]({page})" in README


def test_each_room_has_its_row_and_there_are_few() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text[text.index("| room |") : text.index("Imports go down")]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    rooms = {room for row in rows for room in re.findall(r"`([a-z_]+(?:\.py|/))`", row)}
    there = {path.name if path.is_file() else f"{path.name}/" for path in (ROOT / "compliance").iterdir()}
    assert rooms == there - {"__init__.py", "__main__.py", "__pycache__/"}
    assert len(rows) <= 16
