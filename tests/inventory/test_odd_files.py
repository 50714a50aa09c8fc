"""Files that are odd, broken or meant to harm: each gets one clear line, or is read; none takes the memory or hangs."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from compliance.errors import InventoryError
from compliance.inventory.read import read_any
from tests.inventory.ansible.conftest import WITHOUT

OURS = "servers:\n- name: hv01\n  credential: audit\n"
WINRM = "ansible_connection=winrm ansible_winrm_transport=ntlm ansible_user=audit ansible_password=canary"
UTF_16 = "is UTF-16, as PowerShell's `>` writes: save it as UTF-8 (Set-Content -Encoding utf8)"
BINARY = "is not UTF-8, but UTF-16 or binary: save it as UTF-8"
NONE_OF_THEM = "none of its 1 hosts is Windows (`ansible_connection` winrm or psrp): 1 host (hv01)"
TOO_MANY = "more than 3,000,000 variables and groups of hosts, all together"
MERGES = (
    "y:\n  vars:\n    x0: &x0 {a: 1}\n"
    + "".join(f"    x{at}: &x{at} {{<<: [*x{at - 1}, *x{at - 1}]}}\n" for at in range(1, 60))
    + "  hosts: {hv01: *x59}\n"
)
GROWING = "y:\n  hosts:\n    x0: &x0 {a0: 1}\n" + "".join(
    f"    x{at}: &x{at} {{<<: *x{at - 1}, a{at}: 1}}\n" for at in range(1, 1000)
)
LISTS = "y:\n  hosts: {hv01: }\n  vars:\n    a: &a [1]\n" + "".join(
    f"    {name}: &{name} [{', '.join([f'*{before}'] * 150)}]\n" for before, name in ("ab", "bc", "cd", "de", "ef")
)

ODD: dict[str, tuple[str, bytes, str]] = {
    "UTF-16 by PowerShell": ("a.yaml", codecs.BOM_UTF16_LE + OURS.encode("utf-16-le"), f"1: {UTF_16}"),
    "UTF-16, the other way": ("a.yaml", codecs.BOM_UTF16_BE + OURS.encode("utf-16-be"), f"1: {UTF_16}"),
    "UTF-16 without a mark": ("a.yaml", OURS.encode("utf-16-le"), f"1: {BINARY}"),
    "UTF-16 of Ansible's": ("a.ini", codecs.BOM_UTF16_LE + "hv01\n".encode("utf-16-le"), f"1: {UTF_16}"),
    "another code page": ("a.yaml", "servers:\n- name: Zürich\n".encode("cp1252"), "2: not UTF-8: save it as UTF-8"),
    "null bytes": ("a.yaml", b"servers:\n- name: a\0b\n", "2: not YAML: unprintable character U+0000"),
    "null bytes in a name of Ansible's": (
        "a.ini",
        f"hv\x0001 {WINRM}\n".encode(),
        r"1: hv\u000001: the host's name: expected letters, digits, `.`, `_` or `-`, got `hv\u000001`",
    ),
    "an escape sequence in a name": (
        "a.yml",
        b'a: {hosts: {"hv\\e01": {ansible_connection: psrp}}}\n',
        r"1: hv\u001b01: the host's name: expected letters, digits, `.`, `_` or `-`, got `hv\u001b01`",
    ),
    "brackets without an end": ("a.yaml", b"[" * 100_000, "1: nested more than 8 deep"),
    "mappings without an end": ("a.yaml", b"{a: " * 100_000, "1: nested more than 8 deep"),
    "lists in lists": ("a.yaml", b"servers:\n" + b"- " * 100_000, "2: nested more than 8 deep"),
    "an alias of itself": (
        "a.yaml",
        b"servers: &a [*a]\n",
        "1: servers[0]: aliases are not read; what servers share goes to `defaults`",
    ),
    "brackets in a variable": ("a.yml", b"all:\n  vars:\n    a: " + b"[" * 100_000, "3: nested more than 60 deep"),
    "merges that double": ("a.yml", MERGES.encode(), NONE_OF_THEM),
    "merges that grow": ("a.yml", GROWING.encode(), ":`<<` brings in more than 200,000 keys"),
    "a merge of itself": ("a.yml", b"y: {hosts: {hv01: &a {<<: &b {<<: *a}}}}\n", "1: a `<<` that leads to itself"),
    "lists that multiply": ("a.yml", LISTS.encode(), NONE_OF_THEM),
    "a list of itself": ("a.yml", b"y: {hosts: {hv01: {v: &a [*a]}}}\n", NONE_OF_THEM),
    "variables for many": (
        "a.ini",
        ("h[0:9999] " + " ".join(f"v{at}=1" for at in range(400))).encode(),
        f"1: {TOO_MANY}",
    ),
    "variables of a group for many": (
        "a.ini",
        ("[g]\nh[0:9999]\n[g:vars]\n" + "".join(f"v{at}=1\n" for at in range(400))).encode(),
        f"2: {TOO_MANY}",
    ),
    "groups in groups": (
        "a.ini",
        ("".join(f"[g{at}:children]\ng{at + 1}\n" for at in range(200)) + "[g200]\nhv01\n").encode(),
        ":lies more than 100 groups deep",
    ),
    "a priority that is none": ("a.ini", b"[a]\nhv01\n[a:vars]\nansible_group_priority=--5\n", NONE_OF_THEM),
    "a priority without an end": (
        "a.ini",
        b"[a]\nhv01\n[a:vars]\nansible_group_priority=" + b"9" * 5000 + b"\n",
        NONE_OF_THEM,
    ),
    "a number without an end": (
        "a.yml",
        b"a: {hosts: {hv01: {ansible_connection: psrp, ansible_port: " + b"9" * 5000 + b"}}}\n",
        "1: hv01: ansible_port: expected text, got a number that none can read",
    ),
    "too many included": (
        "a.yaml",
        b"include: [" + b"x.yaml, " * 600 + b"]\n",
        ":include[0]: no such file beside the inventory: `x.yaml`",
    ),
    "numbers out of bounds": (
        "a.yaml",
        f"{OURS}limits: {{connect: 1e999, operation: .nan, server: -1}}\n".encode(),
        (
            "4: limits.connect: expected at most 86400, got `inf`\n4: limits.operation: expected a number, got `.nan`\n"
            "4: limits.server: expected more than 0, got `-1`"
        ),
    ),
    "a name without an end": (
        "a.yaml",
        b"servers:\n- name: " + b"a" * 100_000 + b"\n  credential: audit\n",
        f"2: servers[0].name: expected at most 200 characters, got `{'a' * 59}…`",
    ),
    "too large": ("a.yaml", b"#" * 1_000_001, "larger than 1,000,000 bytes; is it an inventory?"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", ODD)
def test_an_odd_file(tmp_path: Path, case: str) -> None:
    """``:`` before the text: it stands somewhere in the first line."""
    name, content, text = ODD[case]
    (path := tmp_path / name).write_bytes(content)
    with pytest.raises(InventoryError) as error:
        read_any(path, world=WITHOUT)
    lines = str(error.value).splitlines()
    assert all(line.isprintable() and line.startswith(str(path)) and len(line) < 1000 for line in lines)
    if text.startswith(":"):
        assert text[1:] in lines[0]
    else:
        assert "\n".join(line.removeprefix(f"{path}:").strip() for line in lines) == text


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("no named pipes here")
    os.mkfifo(path := tmp_path / "lab.yaml")
    with pytest.raises(InventoryError, match=r"lab\.yaml: can't be read: not a regular file"):
        read_any(path, world=WITHOUT)


def test_many_mistakes_of_many_files_are_cut(tmp_path: Path) -> None:
    names = [f"{number}.yaml" for number in range(200)]
    for name in names:
        (tmp_path / name).write_text("servers: []\n")
    (path := tmp_path / "lab.yaml").write_text(f"include: [{', '.join(names)}]\n")
    with pytest.raises(InventoryError) as error:
        read_any(path, world=WITHOUT)
    assert str(error.value).splitlines()[100:] == [f"{path}: and 100 more mistakes"]


def test_ends_of_lines_do_not_matter(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        (path := tmp_path / "lab.yaml").write_bytes(("\ufeff" + OURS.replace("\n", end)).encode())
        assert [entry.name for entry in read_any(path, world=WITHOUT).servers] == ["hv01"]
