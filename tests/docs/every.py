"""Write every generated page of docs anew: ``python -m tests.docs.every``. A test holds each of them fresh."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from tests.docs import causes, inventory_keys, options, rules, systems
from tests.running import ROOT

DOCS = ROOT / "docs"
NOTE = "<!-- Written by python -m tests.docs.every: change what it is made of, not this file. -->\n\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "systems.md": systems.page,
    "causes.md": causes.page,
    "options.md": options.page,
    "inventory-keys.md": inventory_keys.page,
    **rules.pages(),
}
"""What makes each generated page, by its name below docs."""


def text_of(name: str) -> str:
    """Return a page as its file is to be."""
    return NOTE + PAGES[name]().rstrip() + "\n"


def write() -> None:
    """Write them, and delete pages of rules that are no more."""
    for path in (DOCS / "rules").glob("*.md"):
        if f"rules/{path.name}" not in PAGES:
            path.unlink()
    for name in PAGES:
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text_of(name).encode())


if __name__ == "__main__":
    write()
    sys.stdout.write(f"{DOCS}\n")
