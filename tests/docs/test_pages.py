"""The pages of docs: the generated ones are fresh, links lead somewhere, and each command is one that is understood."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from _pytest.config import get_config
from markdown_it import MarkdownIt
from markdown_it.token import Token

from compliance.commands.parser import PASS_ON, parser_for
from tests.docs import every
from tests.docs.every import DOCS
from tests.running import ROOT
from tests.simulator.__main__ import _parser
from tests.test_plain_words import PHRASES

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
PAGES += sorted(DOCS.rglob("*.md"))
WEB = re.compile(r"https://[\w.-]+/\S*")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# --- what is generated ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", every.PAGES)
def test_a_generated_page_is_fresh(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == every.text_of(name), "write it anew: python -m tests.docs.every"


def test_no_page_of_a_rule_is_left_over() -> None:
    assert {f"rules/{path.name}" for path in (DOCS / "rules").iterdir()} == {
        name for name in every.PAGES if name.startswith("rules/")
    }


# --- links ------------------------------------------------------------------------------------------------------------


def tokens(path: Path) -> Iterator[Token]:
    parsed = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    for token in parsed:
        yield token
        yield from token.children or ()


def links(path: Path) -> Iterator[str]:
    for token in tokens(path):
        target = token.attrGet("href") or token.attrGet("src")
        if target:
            yield str(target)


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub and MyST make them."""
    flat = [*MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))]
    titles = [after.content for token, after in pairwise(flat) if token.type == "heading_open"]
    return frozenset(re.sub(r"[^\w -]", "", title.casefold()).replace(" ", "-") for title in titles)


def broken(path: Path) -> Iterator[str]:
    for target in links(path):
        if WEB.fullmatch(target) or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        to = (path.parent / file).resolve() if file else path
        if not to.is_file() or ROOT not in to.parents:
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(to):
            yield f"{target}: no such heading"


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken(path)) == []


@pytest.mark.parametrize(
    "link", ["nowhere.md", "gate.md#no-such-heading", "#nowhere", "example-rules", "http://docs.example/", "/etc/hosts"]
)
def test_a_broken_link_is_seen(link: str, tmp_path: Path) -> None:
    page = DOCS / "index.md"
    copy = tmp_path / "page.md"
    copy.write_text(f"[x]({link})", encoding="utf-8")
    (target,) = links(copy)
    file, _, anchor = target.partition("#")
    to = (page.parent / file).resolve() if file else page
    assert not to.is_file() or ROOT not in to.parents or anchor not in anchors(to)


def test_every_page_of_a_rule_is_linked_from_the_list() -> None:
    assert set(links(DOCS / "rules" / "README.md")) >= {
        path.name for path in (DOCS / "rules").iterdir() if path.name != "README.md"
    }


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PAGES[0], *sorted(DOCS.rglob("*.md"))], ids=name_of)
def test_a_page_says_it_plainly(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").replace("NOTICE", "").splitlines()  # a file's name
    assert [line for line in lines if PHRASES.search(line)] == []


# --- commands ---------------------------------------------------------------------------------------------------------

ELSEWHERE = {
    *("python3", "pip", "export", "cp", "mkdir", "docker", "jq", "keyring", "pipx", "uv"),
    *("py", "Copy-Item", "New-Item"),
}
"""Programs that are not ours; .ci/run runs the lines of README, tests/test_recipes.py what else can be."""
READERS = [path for path in PAGES if path.name != "CONTRIBUTING.md"]


def commands() -> Iterator[tuple[str, str]]:
    """Yield each command of each block of a shell, with the page that it is on."""
    for path in READERS:
        for token in tokens(path):
            if token.type == "fence" and token.info in ("sh", "powershell"):
                text = re.sub(r"[\\`]\n\s*", "", token.content)
                for line in re.split(r"\n(?! )|&&|; ", text):
                    line = re.sub(r"(^|\s)#.*", "", line).strip()
                    if re.match(r"[.\w]", line):
                        yield name_of(path), line


def refuse(line: str) -> str | None:
    """Return why a line is none that we understand; None for a good one, and for one that is not ours."""
    program, *words = line.replace("\\", "/").split()
    program = re.sub(r"^\.venv/(bin|Scripts)/", "", program)
    if program in ELSEWHERE or program == "if":
        return None
    if program == "python" and words[:1] == ["-m"]:
        program, words = words[1].replace("compliance", "hyperv-compliance"), words[2:]
    try:
        words = shlex.split(" ".join(words))
        match program:
            case "pytest":
                pytest_parser().parse(words)
            case "hyperv-compliance" if words[0] in PASS_ON:
                pytest_parser().parse([word for word in words[1:] if word != "--open"])
            case "hyperv-compliance":
                parser_for(words).parse_args(words)
            case "tests.simulator":
                _parser().parse_args(words)
            case _:
                return f"{program}: an unknown program"
    except (SystemExit, ValueError, pytest.UsageError) as error:
        return str(error)
    return None


@cache
def pytest_parser() -> pytest.Parser:
    config = get_config()
    config.pluginmanager.load_setuptools_entrypoints("pytest11")
    return config._parser


@pytest.mark.parametrize(("page", "line"), [*dict.fromkeys(commands())])
def test_a_command_is_understood(page: str, line: str) -> None:
    assert refuse(line) is None


@pytest.mark.parametrize(
    "line", ["pytest --hv-nothing", "python -m compliance nothing", "python -m compliance diff a", "rm -rf reports"]
)
def test_a_wrong_command_is_seen(line: str) -> None:
    assert refuse(line) is not None
