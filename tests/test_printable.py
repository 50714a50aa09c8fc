"""One door: words.py alone makes others' text printable. What else looks as if it did stands here with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.modules import module_files, name_of, tree_of

METHODS = frozenset({"isprintable", "translate", "maketrans"})
MODULES = frozenset({"unicodedata"})
HANDLERS = frozenset({"backslashreplace", "xmlcharrefreplace", "namereplace", "unicode_escape"})
"""Of codecs, which write an escape in a letter's place."""
WHITE = frozenset("\t\n\r")

REFUSES = "refuses a text, and changes none"
LAST_LINE = "of a stream that lacks a letter: what is written is printable already"
NOT_OURS = {
    "commands/output.py: adapt": LAST_LINE,
    "commands/output.py: write_lines": "of lone surrogates, which UTF-8 lacks: what is written is printable already",
    "plugin/report_folder.py: octets": "of lone surrogates, which UTF-8 lacks: the writers escape all else",
    "plugin/report_folder.py: tell_github": "of lone surrogates, which UTF-8 lacks: the summary is escaped already",
    "report/sarif.py: _uri": "a URI's own language: percent signs",
    "report/page/texts.py: to_json": "JSON's own language, within a page of HTML",
    "wsman/row.py: _QUOTED": "the form of a reference: percent signs for what separates its parts",
    "wsman/row.py: _key": "the same",
    "wsman/row.py: _embedded": "the same",
    "wsman/document.py: _FORBIDDEN": "mends XML that would not parse; its texts go through the door as all others do",
    "wsman/document.py: _REPLACEMENT": "the same",
    "wsman/document.py: _as_utf8": "a byte order mark",
    "wsman/document.py: is_envelope": "a null, which tells a coding",
    "wsman/document.py: _utf16": "the same",
    "wsman/sealing.py: _KERBEROS_TOKEN": "octets of a token",
    "wsman/arriving.py: _STATUS": "a form of octets: what has another is left to http.client",
    "wsman/arriving.py: _FIELD": "the same",
    "files/yaml_file.py: _value": "a mistake that names the letter by its number",
    "files/yaml_file.py: _safe": "calls the door, where there is need",
    "snapshot/lines.py: _count": "octets that are counted, and nothing is made of them",
    "snapshot/json_values.py: name": REFUSES,
    "snapshot/json_values.py: label": REFUSES,
    "rules/evidence/find.py: _name": REFUSES,
    "rules/remedies/for_guests.py: _sentence": REFUSES,
    "rules/remedies/quoting.py: plain": REFUSES,
    "report/page/findings.py: command_of": REFUSES,
    "inventory/entries.py: HOST": REFUSES,
    "inventory/entries.py: DOMAIN": REFUSES,
    "inventory/listener.py: PRINCIPAL": REFUSES,
    "patterns.py: NAME": REFUSES,
    "patterns.py: folded": "compares names, and shows none",
    "commands/doctor/record/pseudonyms.py: _odd": "keeps a name's odd letters, so that its copy is read alike",
    "gate/version_1.py: digest": "separates what a digest is made of",
    "report/wrapping.py: cells": "counts a terminal's cells, and changes no text",
    "hyperv/kvp.py: PROPERTY": "an expression for items as hosts write them; what is none is parsed as XML",
    "report/csv_rows.py: MARK": "for Excel",
    "snapshot/read.py: _read_packed_or_plain": "how a file of gzip begins",
}


def suspects(tree: ast.Module) -> Iterator[str]:
    """Yield the names of functions, or of what a module holds, that look as if they made text printable."""
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for name, part in parts(tree):
        if any(looks_so(node) for node in ast.walk(part) if id(node) not in documentation):
            yield name


def parts(tree: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    """Yield each function and method, and each statement of the module beside them, with a name."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield from parts(ast.Module(body=node.body, type_ignores=[]))
        elif isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target), node
        else:
            yield "a statement", node


def looks_so(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in METHODS or (isinstance(node.value, ast.Name) and node.value.id in MODULES)
    if isinstance(node, ast.ImportFrom):
        return node.module in MODULES
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id == "ascii"
    if not isinstance(node, ast.Constant):
        return False
    if isinstance(node.value, str):
        return node.value in HANDLERS or is_about_odd_letters(node.value)
    return isinstance(node.value, bytes) and is_about_odd_letters(node.value.decode("latin-1"))


def is_about_odd_letters(text: str) -> bool:
    """Does it hold a letter that nobody sees, itself or as an expression's escape; or U+FFFD, which stands for one?"""
    plain = "".join(letter for letter in text if letter not in WHITE and letter != "\N{REPLACEMENT CHARACTER}")
    return (
        not plain.isprintable()
        or "\N{REPLACEMENT CHARACTER}" in text
        or any(
            escape in text.casefold() for escape in (r"\x0", r"\x1", r"\x7f", r"\x8", r"\x9", r"\u00", r"\u20", r"\ud8")
        )
    )


def test_there_is_no_other_door() -> None:
    strange = {
        f"{name}: {part}"
        for path in module_files()
        if (name := name_of(path)) != "words.py"
        for part in suspects(tree_of(path))
    }
    assert sorted(strange - set(NOT_OURS)) == []
    assert sorted(set(NOT_OURS) - strange) == []


DOORS = {
    "letter by letter": "def clean(t): return ''.join(c if c.isprintable() else '?' for c in t)",
    "by category": "def clean(t):\n import unicodedata\n return [c for c in t if unicodedata.category(c) != 'Cc']",
    "by an expression": r"ODD = re.compile('[\x00-\x1f]')",
    "by one within a function": r"def clean(t): return re.sub(r'[\x00-\x1f\x7f]', '', t)",
    "of direction": r"def clean(t): return re.sub('[\u202a-\u202e]', '', t)",
    "by a table": "def clean(t): return t.translate(ODD)",
    "by a codec": "def clean(t): return t.encode('ascii', 'backslashreplace').decode()",
    "by another": "def clean(t): return t.encode(errors='namereplace')",
    "as Python does": "def clean(t): return ascii(t)",
    "in a method": "class A:\n def clean(self, t): return t.replace('\\0', '')",
    "by the sign that stands for one": "def clean(t): return t.replace(c, '\N{REPLACEMENT CHARACTER}')",
}


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_found(door: str) -> None:
    assert list(suspects(ast.parse(DOORS[door]))) in (["clean"], ["ODD"])


@pytest.mark.parametrize("source", ["def f(t): return t.split('\\n')", "def f(t):\n '''Of \\x00.'''", "A = 'plain'"])
def test_what_is_no_door(source: str) -> None:
    assert list(suspects(ast.parse(source))) == []
