"""A sample of the page for people, of the demo estate, and a picture of its first screen: what the README shows.

``python -m tests.report.sample`` writes both anew. The picture needs Chromium; without it the old one stays.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from compliance.audit import judge_snapshot
from compliance.judge.scope import Scope
from compliance.plan import read_plan
from compliance.report.page.page import page
from compliance.snapshot.read import read_snapshot
from tests.devtools import Chromium
from tests.running import DEMO, ROOT

FOLDER = ROOT / "docs" / "sample"
PAGE, PICTURE, DIGEST = "report.html", "report.png", "report.png.sha256"
"""The digest is that of the page of which the picture was taken."""
SIZE = (1280, 900)
AGE = timedelta(hours=9)
"""Of the data, when the sample's gate was decided."""


def sample() -> str:
    """Return the page: the same bytes whenever and wherever it is written."""
    snapshot = read_snapshot(DEMO.with_name("demo.jsonl.gz"))
    files = tuple(replace(file, name="inventories/demo.jsonl.gz") for file in snapshot.files)
    asked = replace(read_plan(str(DEMO), []), name_as_typed="inventories/demo.yaml")
    return page(judge_snapshot(replace(snapshot, files=files), Scope(), asked, now=snapshot.time + AGE))


def parts_of(text: str) -> list[str]:
    """Return what names the page's own parts, and its one sentence: a sample in which they differ is an old one."""
    return re.findall(r'Content-Security-Policy" content="[^"]*"|<p class="sentence">[^<]*', text)


def write_sample(folder: Path = FOLDER, browser: str | None = None) -> list[Path]:
    """Write the page, and with a browser the picture and the digest. Return the files that were written."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PAGE
    path.write_text(sample(), encoding="utf-8", newline="\n")
    if browser is None:
        return [path]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        Chromium(browser, Path(profile)) as chromium,
    ):
        chromium.size(*SIZE)
        chromium.open(path)
        (folder / PICTURE).write_bytes(chromium.look(width=SIZE[0], height=SIZE[1]))
    (folder / DIGEST).write_text(f"{digest_of(path)}  {PAGE}\n", encoding="ascii", newline="\n")
    return [path, folder / PICTURE, folder / DIGEST]


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    sys.stdout.writelines(f"{path}\n" for path in write_sample(browser=shutil.which("chromium")))
