"""Entries of an inventory as YAML, ready to paste. Scalars and lists are JSON's, which YAML 1.2 contains."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from compliance.words import escape

WORDS = frozenset({"null", "true", "false"})


def item(keys: Mapping[str, object], comment: str = "") -> Iterator[str]:
    """Yield the lines of one entry of a list; ``comment``, one printable line, stands behind its first key."""
    behind = f"  # {comment}" if comment else ""
    for at, (key, value) in enumerate(keys.items()):
        yield f"  {'  ' if at else '- '}{key}: {scalar(value)}{'' if at else behind}"


def scalar(value: object) -> str:
    """Return a value as YAML, on one line and printable."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z/][A-Za-z0-9._/-]*", value) and value.lower() not in WORDS:
        return value
    # Some signs end a line of YAML that JSON leaves as they are, or turn it around.
    return escape(json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False))
