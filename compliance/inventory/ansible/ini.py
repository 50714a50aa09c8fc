"""Ansible's INI inventories: sections of hosts, of variables, and of groups within groups.

As the documentation of the plugin ansible.builtin.ini has it, and as ansible-core 2.19 reads it where that is silent:
values are Python's literals in `:vars` sections, too. No mistake repeats a value: it may be a password.
"""

from __future__ import annotations

import ast
import re
import shlex
import warnings

from compliance.errors import InventoryError
from compliance.files.yaml_file import MOST_MISTAKES
from compliance.inventory.ansible.groups import UNGROUPED, Graph
from compliance.inventory.ansible.hosts import VariableValue, content_of
from compliance.inventory.ansible.ranges import names_in
from compliance.words import printable, quote

SECTION = re.compile(r"\[(?P<group>[^:\]\s]+)(?::(?P<kind>\w+))?\]\s*(?:#.*)?")
KINDS = ("hosts", "vars", "children")
LONGEST_VALUE = 20_000
"""Letters of a value that is looked at as a literal."""


def read_ini(text: str, where: str, graph: Graph) -> None:
    """Add what ``text`` says to ``graph``. InventoryError with every line that can't be read."""
    reader = _IniReader(where, graph)
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            reader.line(number, line.strip())
        except ValueError as error:
            reader.mistakes.append((number, str(error)))
    reader.check_groups()
    if reader.mistakes:
        lines = [f"{where}:{number}: {text}" for number, text in sorted(reader.mistakes)]
        if len(lines) > MOST_MISTAKES:
            lines[MOST_MISTAKES:] = [f"{where}:1: and {len(lines) - MOST_MISTAKES} more mistakes"]
        raise InventoryError("\n".join(lines))


class _IniReader:
    def __init__(self, where: str, graph: Graph) -> None:
        self.mistakes: list[tuple[int, str]] = []
        self._where = where
        self._graph = graph
        self._group, self._kind = UNGROUPED, "hosts"
        self._declared: set[str] = {"all", UNGROUPED}
        self._wanted: dict[str, tuple[int, str]] = {}  # group -> where it was named before any section made it one

    def line(self, number: int, line: str) -> None:
        """ValueError says what is wrong."""
        if not line or line[0] in "#;":
            return
        if match := SECTION.fullmatch(line):
            self._section(number, match["group"], match["kind"] or "hosts")
        elif line.startswith("[") and line.endswith("]") and " " in line:
            raise ValueError("not a section: `[group]`, `[group:vars]` or `[group:children]`, without spaces")
        elif self._kind == "hosts":
            self._host(number, line)
        elif self._kind == "vars":
            name, separator, value = line.partition("=")
            if not separator:
                raise ValueError(f"expected `variable=value` in [{printable(self._group)}:vars]")
            group = self._graph.group(self._group, self._at(number))
            group.variables[name.strip()] = self._value(number, value.strip())
        else:
            self._child(number, line)

    def check_groups(self) -> None:
        for name, (number, section) in self._wanted.items():
            if name not in self._declared:
                self.mistakes.append((number, f"[{printable(section)}]: there is no group {quote(name)}"))

    def _section(self, number: int, group: str, kind: str) -> None:
        self._group, self._kind = group, kind
        if kind not in KINDS:
            self._kind = "hosts"
            raise ValueError(f"[{printable(group)}:{printable(kind)}]: expected `:vars` or `:children`")
        if kind == "vars":
            self._wanted.setdefault(group, (number, f"{group}:vars"))
        else:
            self._declared.add(group)
            self._graph.group(group, self._at(number))

    def _child(self, number: int, line: str) -> None:
        child = re.match(r"[^:\]\s]+", line)
        if child is None or line[child.end() :].strip()[:1] not in ("", "#"):
            raise ValueError(f"expected the name of a group in [{printable(self._group)}:children]")
        self._wanted.setdefault(child[0], (number, f"{self._group}:children"))
        self._graph.group(child[0], self._at(number))
        self._graph.group(self._group, self._at(number)).children[child[0]] = self._at(number)

    def _host(self, number: int, line: str) -> None:
        try:
            pattern, *assignments = shlex.split(line, comments=True)
        except ValueError as error:
            raise ValueError(f"a quote or a backslash without its end ({error})") from None
        if pattern == "---" or pattern.endswith(":"):
            raise ValueError("expected a host; this looks like YAML: give the file a name in .yaml")
        try:
            names, port = names_in(pattern)
        except ValueError as error:
            raise ValueError(f"{quote(pattern)}: {error}") from None
        variables = {}
        for assignment in assignments:
            name, separator, value = assignment.partition("=")
            if not separator:
                raise ValueError(f"{quote(pattern)}: expected `variable=value`; put a value with spaces into quotes")
            variables[name] = self._value(number, value)
        for name in names:
            self._graph.add_host(name, self._group, variables, port=port, file=self._where, line=number)

    def _value(self, number: int, text: str) -> VariableValue:
        return VariableValue(content=content_of(_literal(text)), origin=self._at(number))

    def _at(self, number: int) -> str:
        return f"{self._where}:{number}"


def _literal(text: str) -> object:
    """`5985`, `"a b"` and `[a, b]` are Python's; all else is text."""
    if len(text) > LONGEST_VALUE:
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return text if isinstance(value, bytes | complex | set) or value is ... else value
