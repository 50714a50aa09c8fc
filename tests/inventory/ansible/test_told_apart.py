"""Whose inventory a file is: decided by its content, and by its name only where that says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import InventoryError
from compliance.inventory.read import is_ansible, read_any
from tests.inventory.ansible.conftest import WITHOUT

ANSIBLE, OURS = True, False

DECIDED: list[tuple[str, str, bool]] = [
    ("lab.yaml", "servers:\n- name: hv01\n", OURS),
    ("lab.yaml", "servers: []\n", OURS),
    ("lab.yaml", "servers:\n", OURS),
    ("lab.yaml", "snapshot: x\n", OURS),
    ("lab.yaml", "include: [hosts.ini]\n", OURS),
    ("lab.yaml", "defaults: {port: 1}\nlimits: {connect: 1}\nservers: [a]\n", OURS),
    ("lab.yaml", "{name: a, servers: [{name: hv01}]}\n", OURS),
    ("lab.json", '{"servers": [{"name": "hv01"}]}\n', OURS),
    ("lab.txt", "servers:\n- name: hv01\n", OURS),
    ("lab", "\ufeff# comment\nservers:\n- name: hv01\n", OURS),
    ("lab.yaml", "policy:\n  hosts: 1\nservers: [a]\n", OURS),
    # neither: our own reader tells what it expected
    ("lab.yaml", "", OURS),
    ("lab.yaml", "name: lab\n", OURS),
    ("lab.yaml", "- hv01\n", OURS),
    ("lab.yaml", "a: [", OURS),
    ("lab.yaml", "severs:\n- name: hv01\n", OURS),
    ("lab.yaml", "\x07", OURS),
    ("lab.yaml", "[hyperv]\nhv01\n", OURS),
    # Ansible's
    ("hosts.yml", "all:\n  hosts:\n    hv01:\n", ANSIBLE),
    ("hosts.yml", "all:\n", ANSIBLE),
    ("hosts.yml", "ungrouped: {hosts: {a: }}\n", ANSIBLE),
    ("hosts.yml", "hyperv:\n  vars: {a: 1}\n  hosts:\n    hv01:\n", ANSIBLE),
    ("hosts.yml", "# of Ansible's\n---\nfirst:\nhyperv:\n  children: {a: }\n", ANSIBLE),
    ("hosts.yml", "servers:\n  hosts:\n    hv01:\n", ANSIBLE),
    ("hosts.yml", "snapshot:\n  children:\n    hv01:\n", ANSIBLE),
    ("aws.yml", "plugin: amazon.aws.aws_ec2\n", ANSIBLE),
    ("hosts.json", '{"all": {"hosts": {"hv01": null}}}\n', ANSIBLE),
    ("hosts", "", ANSIBLE),
    ("hosts", "hv01\n", ANSIBLE),
    ("hosts.ini", "[servers]\nhv01\n", ANSIBLE),
    ("hosts.prod", "[hyperv]\nhv01 a='x: y'\n", ANSIBLE),
    ("hosts.yaml", "#!/usr/bin/env python3\n", ANSIBLE),
    (
        "hosts.yaml",
        "all:\n  hosts:\n    hv01:\n      ansible_password: !vault |\n        $ANSIBLE_VAULT;1.1\n",
        ANSIBLE,
    ),
]


@pytest.mark.parametrize(("name", "text", "decided"), DECIDED)
def test_whose_it_is(tmp_path: Path, name: str, text: str, decided: bool) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert is_ansible(path) is decided


def test_a_folder_and_what_is_no_text(tmp_path: Path) -> None:
    assert is_ansible(tmp_path)
    (path := tmp_path / "hosts").write_bytes(b"\x7fELF\xff")
    assert is_ansible(path)
    (path := tmp_path / "lab.yaml").write_bytes(b"name: \xff")
    assert not is_ansible(path)


snippets = st.sampled_from(
    [
        "servers:",
        "all:",
        "  hosts:",
        "    hv01:",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ": ",
        "\n",
        "&a ",
        "*a",
        "!vault |",
        "? ",
        "plugin: x",
    ]
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(snippets | st.text(max_size=4)).map("".join), name=st.sampled_from(["a.yaml", "a.ini", "a"]))
def test_any_file_is_read_or_told(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        read_any(path, world=WITHOUT)
    except InventoryError as error:
        for line in str(error).splitlines():
            assert line.startswith(str(path))
            assert line.isprintable()
