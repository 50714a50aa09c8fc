"""The site that Sphinx makes of docs: without a warning, readable without scripts, searchable from a folder."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from compliance.rules.remedies.remedy import REMEDIES
from compliance.site import page_link, page_reference
from tests.docs.every import DOCS
from tests.running import ROOT

needs_sphinx = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("sphinx", "myst_parser", "furo")),
    reason="needs the extra docs",
)
OPTIONS = "--headless --no-sandbox --disable-gpu --no-first-run --allow-file-access-from-files=false --dump-dom"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", str(folder / "trees"), str(DOCS)]
    done = subprocess.run([*command, str(folder / "html")], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "html"


class Links(HTMLParser):
    """What a page loads and what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.linked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag in ("script", "img") and attributes.get("src"):
            self.loaded.append(attributes["src"] or "")
        elif tag == "link" and attributes.get("href"):
            self.loaded.append(attributes["href"] or "")
        elif tag == "a" and attributes.get("href"):
            self.linked.append(attributes["href"] or "")


@needs_sphinx
@pytest.mark.slow
def test_every_page_is_there_and_loads_nothing_from_elsewhere(site: Path) -> None:
    names = {path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")}
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert names <= made
    for name in names:
        page = Links()
        page.feed((site / name).read_text(encoding="utf-8"))
        assert [link for link in page.loaded if re.match(r"\w+:|//", link)] == []
        for link in page.linked:
            file = link.partition("#")[0]
            assert re.match(r"https?:|mailto:", link) or not file or ((site / name).parent / file).is_file(), link


@needs_sphinx
@pytest.mark.slow
def test_a_page_is_readable_without_scripts(site: Path) -> None:
    page = re.sub(
        r"<script.*?</script>", "", (site / "failover-address.html").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    assert "What can break at each step" in page
    assert "failover-address.svg" in page


@needs_sphinx
@pytest.mark.slow
def test_the_search_works_from_a_folder(site: Path, browser: str, tmp_path: Path) -> None:
    address = f"{(site / 'search.html').as_uri()}?q=netplan"
    command = [browser, *OPTIONS.split(), "--virtual-time-budget=8000", f"--user-data-dir={tmp_path}", address]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=True)
    assert re.search(r'<a href="[^"]*failover-address.html[^"]*"', done.stdout.partition('id="search-results"')[2])


@pytest.mark.parametrize(
    ("address", "link", "reference"),
    [
        ("", None, '"Rules" in the documentation'),
        (
            "https://docs.example/",
            "https://docs.example/rules/README.html",
            '"Rules" in the documentation (https://docs.example/rules/README.html)',
        ),
    ],
)
def test_a_page_is_named_by_its_title_and_by_its_address_where_there_is_one(
    address: str, link: str | None, reference: str
) -> None:
    assert page_link("rules/README", address) == link
    assert page_reference("Rules", "rules/README", address) == reference


def test_no_report_names_a_file_that_an_installation_lacks() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "report" / "golden").iterdir()]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "compliance" / "rules").glob("*.py")]
    texts += [way.text for ways in REMEDIES.values() for way in ways]
    assert [found for text in texts for found in re.findall(r"docs/[\w-]+\.md", text)] == []
