"""Who knows whom: imports go down only, Windows' names and the network stay in their rooms."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.modules import PACKAGE, module_files, name_of, nodes_of, tree_of

ROOT = PACKAGE.parent

FLOORS = (
    {"__main__"},
    {"plugin", "commands"},
    {"audit", "diff"},
    {"gather", "report", "plan"},
    {"inventory", "judge"},
    {"hyperv", "rules", "gate", "credentials", "wsman"},
    {"snapshot", "rule", "files", "child", "world"},
    {"model", "errors", "words", "patterns", "secret", "garbage", "program", "site"},
)
"""The stages of a run, from the top: a room imports what stands below it."""
NEIGHBOURS = {
    ("model", "errors"): "what could not be read says why, in the words of the errors",
    ("commands", "plugin"): "`audit` is a run of pytest by the plugin's own options",
    ("snapshot", "files"): "a snapshot is written whole or not at all, as reports are",
}
CIM_NAME = re.compile(r"\b(Msvm|MSCluster|Win32)_\w*")
HOMES_OF_CIM_NAMES = {"hyperv/queries.py", "hyperv/guests/queries.py"}
NOT_READ = {
    "wsman/fault.py": {"Msvm_Error"},  # the shape of a fault, which any class's answer may take
    "commands/doctor/grants.py": {"Win32_ACE", "Win32_Trustee"},  # in a script for administrators to look at
}
NETWORK = {"requests", "winrm", "socket"}
FOREIGN_PATH = re.compile(rb"(?<![\w.}-])/(?:work|root|home)/[\w.]")
WMI_NAMESPACE = re.compile(rb"/root/(?:virtualization|cimv2|mscluster|hypervcluster|standardcimv2)", re.IGNORECASE)


@cache
def imported(path: Path) -> tuple[tuple[str, int], ...]:
    """Every module that is imported anywhere in a file, inside functions and TYPE_CHECKING too."""
    return tuple(imports_among(nodes_of(path)))


def imports_among(nodes: tuple[ast.AST, ...]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module, node.level
            yield from ((f"{module}.{alias.name}", node.level) for alias in node.names)


def modules() -> dict[str, Path]:
    """Dotted name below compliance -> file."""
    paths = {}
    for path in module_files():
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        paths[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return paths


MODULES = modules()


def known_imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, each by its most exact name."""
    names = {name.removeprefix("compliance").lstrip(".") for name, _ in imported(path) if is_ours(name)}
    exact = {name if name in MODULES else name.rpartition(".")[0] for name in names}
    return {name for name in exact if not any(other.startswith(f"{name}.") for other in exact)} - {""}


def is_ours(name: str) -> bool:
    return name == "compliance" or name.startswith("compliance.")


def floor_of(module: str) -> int:
    """Counted from the top."""
    room = module.partition(".")[0]
    floors = [number for number, rooms in enumerate(FLOORS) if room in rooms]
    assert len(floors) == 1, f"compliance/{room} has no floor yet: put it on one in FLOORS"
    return floors[0]


@cache
def imports() -> tuple[tuple[str, str], ...]:
    """Return who imports whom."""
    pairs = ((module, other) for module, path in MODULES.items() if module for other in known_imports(path))
    return tuple(sorted(pairs))


def test_each_room_has_its_floor() -> None:
    rooms = [room for floor in FLOORS for room in floor]
    assert len(set(rooms)) == len(rooms)
    assert {module.partition(".")[0] for module in MODULES if module} == set(rooms)


def test_imports_are_absolute() -> None:
    relative = [name_of(path) for path in module_files() for _, level in imported(path) if level]
    assert relative == []


def test_imports_go_down() -> None:
    between = {(module.partition(".")[0], other.partition(".")[0]): (module, other) for module, other in imports()}
    wrong = {
        f"{module} imports {other}"
        for (room, known), (module, other) in between.items()
        if room != known and floor_of(room) >= floor_of(known) and (room, known) not in NEIGHBOURS
    }
    assert wrong == set()


def test_families_of_rules_do_not_know_each_other() -> None:
    """What a rule finds is mended elsewhere: no rule asks for its remedy."""
    families = [(one, other) for one, other in imports() if one.startswith("rules.") and other.startswith("rules.")]
    shared = {
        one: ("rules.evidence", "rules.remedies") if one.startswith("rules.remedies") else "rules.evidence"
        for one, _ in families
    }
    assert [pair for pair in families if not pair[1].startswith(shared[pair[0]])] == []


def test_no_circle() -> None:
    known: dict[str, set[str]] = {module: set() for module in MODULES}
    for module, other in imports():
        known[module].add(other)
    TopologicalSorter(known).prepare()  # raises CycleError, which names the modules


def test_the_package_re_exports_nothing() -> None:
    for module in ("", "hyperv", "report", "rules", "wsman"):
        body = tree_of(MODULES[module]).body
        assert all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body), module


def test_nobody_imports_from_the_package_itself() -> None:
    """`from compliance import x` is only for a module x."""
    for path in module_files():
        for name, _ in imported(path):
            assert not is_ours(name) or name.count(".") != 1 or name.partition(".")[2] in MODULES, (path, name)


def docstrings(nodes: tuple[ast.AST, ...]) -> set[int]:
    """Bare strings: docstrings, and those that stand below a name."""
    return {id(node.value) for node in nodes if isinstance(node, ast.Expr)}


def spoken(nodes: tuple[ast.AST, ...]) -> Iterator[str]:
    """What the code itself says: its strings and names. Comments never reach the tree."""
    documentation = docstrings(nodes)
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes) and id(node) not in documentation:
            yield node.value if isinstance(node.value, str) else node.value.decode("latin-1")
        elif isinstance(node, ast.Name | ast.Attribute):
            yield node.id if isinstance(node, ast.Name) else node.attr


def test_the_names_of_windows_classes_have_one_home() -> None:
    found = {
        name_of(path): names
        for path in module_files()
        if (names := {match[0] for text in spoken(nodes_of(path)) for match in CIM_NAME.finditer(text)})
    }
    strange = {
        file: names - NOT_READ.get(file, set()) for file, names in found.items() if file not in HOMES_OF_CIM_NAMES
    }
    assert {file: names for file, names in strange.items() if names} == {}
    assert "Msvm_ComputerSystem" in found["hyperv/queries.py"]


def test_the_network_has_one_home() -> None:
    users = {
        name_of(path) for path in module_files() if {name.partition(".")[0] for name, _ in imported(path)} & NETWORK
    }
    assert {user for user in users if not user.startswith("wsman/")} == set()
    assert users


def test_guests_are_entered_in_one_place() -> None:
    """testinfra and paramiko read without a cap and take any host key, unless they are kept from it."""
    users = {
        (name_of(path), name.partition(".")[0])
        for path in module_files()
        for name, _ in imported(path)
        if name.partition(".")[0] in {"testinfra", "paramiko", "subprocess"}
    }
    assert users == {
        ("gather/guests/shell.py", "testinfra"),
        ("gather/guests/shell.py", "paramiko"),
        ("child.py", "subprocess"),
    }


def test_what_judges_and_tells_touches_no_file_and_no_clock() -> None:
    """Whatever touches the world happens before: rules, judge, the report's writers are functions of values."""
    world = {"os", "pathlib", "subprocess", "time", "random", "tempfile", "io", "shutil", "logging", "pytest"}
    pure = ("errors", "words", "model", "rule", "rules", "judge", "diff", "hyperv", "report")
    found = {
        (module, name)
        for module, path in MODULES.items()
        if module.partition(".")[0] in pure
        for name, _ in imported(path)
        if name.partition(".")[0] in world
    }
    assert found == set()


def tracked() -> list[Path]:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed, so which files are tracked is not known")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip(f"git knows no files here: {listed.stderr.decode(errors='replace').strip()}")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_no_file_names_a_folder_of_the_machine_it_was_written_on() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]!r}"
        for path in tracked()
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1)
        if FOREIGN_PATH.search(WMI_NAMESPACE.sub(b"", line))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_foreign"),
    [
        (b"cd /work" + b"/main", True),
        (b"'/root" + b"/.ssh'", True),
        (b"/home" + b"/me/x", True),
        (b"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/virtualization/v2", False),
        (b"/root/cimv2/*", False),
        (b"homework/x", False),
        (b"https://example.org/home/x", False),
    ],
)
def test_what_a_folder_of_a_machine_looks_like(line: bytes, is_foreign: bool) -> None:
    assert bool(FOREIGN_PATH.search(WMI_NAMESPACE.sub(b"", line))) is is_foreign
