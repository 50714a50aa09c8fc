"""How Sphinx makes a site of these pages: `sphinx-build -W docs reports/site`.

The pages are plain Markdown that reads as well where nothing renders it: the tree of pages, which MyST would want as a
directive within one of them, stands here and is added to the start page while the site is built.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))

from compliance.site import ADDRESS  # from this tree, whatever is installed

TREE = {
    "Start": ("start", "failover-address"),
    "Tasks": (
        "before-a-failover",
        "every-night",
        "recipes/README",
        "inventories",
        "logins",
        "credentials",
        "doctor",
        "clusters",
        "inside-guests",
        "waivers",
        "what-changed",
        "rules-of-your-own",
        "upgrading",
    ),
    "Reference": (
        "options",
        "inventory-keys",
        "rules/README",
        "causes",
        "systems",
        "outcomes",
        "gate",
        "files",
    ),
    "Background": ("questions", "rests-on", "threats"),
}
"""Every page, by the heading of the sidebar under which it stands. Rules stand below their own page."""

project = "hyperv-compliance"
project_copyright = "the hyperv-compliance maintainers; Apache-2.0. Quoted text: Microsoft, CC BY 4.0"
extensions = ["myst_parser"]
exclude_patterns = ["example-rules", "sample"]
root_doc = "index"

myst_heading_anchors = 3  # links as GitHub makes them: page.md#heading
myst_enable_extensions: list[str] = []  # CommonMark and tables: what GitHub shows as well
suppress_warnings = ["myst.header"]

html_theme = "furo"
html_title = "hyperv-compliance"
html_baseurl = ADDRESS
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_use_index = False
smartquotes = False  # it makes one dash of an option's two
html_theme_options = {"navigation_with_keys": False}


def add_tree(app: Sphinx, name: str, source: list[str]) -> None:
    """Add the tree of pages to the start page, and that of the rules to theirs.

    A page that stands above this folder (SECURITY.md) is no page of the site: MyST hands it out as a file.
    """
    source[0] = re.sub(r"\]\((\.\./[A-Z]+\.md)\)", r"](path:\1)", source[0])
    if name == app.config.root_doc:
        for caption, pages in TREE.items():
            source[0] += _toctree(pages, caption)
    elif name == "rules/README":
        source[0] += _toctree(
            [f"{key} <{key}>" for key in sorted(path.stem for path in Path(app.srcdir, "rules").glob("[a-z]*.md"))]
        )


def _toctree(pages: tuple[str, ...] | list[str], caption: str = "") -> str:
    options = [":hidden:", *([f":caption: {caption}"] if caption else [])]
    return "\n\n```{toctree}\n" + "\n".join([*options, "", *pages]) + "\n```\n"


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", add_tree)
