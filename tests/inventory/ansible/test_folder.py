"""A folder of sources with group_vars and host_vars: what wins, what is no source, and the same as Ansible reads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import chdir
from pathlib import Path

import pytest

from compliance.errors import InventoryError
from compliance.inventory.ansible import by_ansible, without_ansible
from compliance.inventory.ansible.hosts import Content
from compliance.world import World

Variables = dict[str, dict[str, Content]]

FILES = {
    "inventory/10-hosts.ini": "[a]\nhv01 k=host l=host\n[b:children]\na\n[a:vars]\nc=a\nd=a\n"
    "[all:vars]\na=1\nb=1\nc=1\n",
    "inventory/20-more.yml": "b:\n  hosts:\n    hv02: {l: two}\n  vars: {d: b, e: b}\n",
    "inventory/sub/hosts": "[c]\nhv03\n",
    "inventory/.hidden": "[c\n",
    "inventory/README.md": "[c\n",
    "inventory/old.bak": "[c\n",
    "inventory/group_vars/all.yml": "b: all\nc: all\nd: all\nf: all\n",
    "inventory/group_vars/b": "f: b\ng: b\nh: b\n",
    "inventory/group_vars/a/10.yml": "g: a10\nh: a10\n",
    "inventory/group_vars/a/20.yml": "h: a20\nk: a20\n",
    "inventory/group_vars/a/.hidden.yml": "h: hidden\n",
    "inventory/host_vars/hv01.yaml": "l: host_vars\nm: [1, 'two', {x: 1}]\nn: null\no: yes\n",
    "inventory/host_vars/hv09.yml": "not: read, [",
}


def write(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "inventory"


def found(path: Path) -> Variables:
    return {
        host.name: {name: value.content for name, value in host.variables.items()}
        for host in without_ansible.list_hosts(path).hosts
    }


def test_what_wins(tmp_path: Path) -> None:
    hosts = found(write(tmp_path))
    assert set(hosts) == {"hv01", "hv02", "hv03"}
    assert {name: hosts["hv01"][name] for name in "abcdefghklno"} == {
        "a": "1",  # all's, in the inventory
        "b": "all",  # group_vars/all before it
        "c": "all",  # and before a group's in the inventory
        "d": "all",
        "e": "b",
        "f": "b",  # group_vars of a group before that of all
        "g": "a10",  # the child's before the parent's
        "h": "a20",  # the later file's
        "k": "host",  # the host's own before its groups'
        "l": "host_vars",
        "n": None,
        "o": "True",
    }
    assert hosts["hv02"] == {
        "a": "1",
        "b": "all",
        "c": "all",
        "d": "all",
        "e": "b",
        "f": "b",
        "g": "b",
        "h": "b",
        "l": "two",
    }


def test_variables_of_the_working_folder_come_last(tmp_path: Path) -> None:
    """As Ansible has it, which looks where a playbook would be."""
    path = write(tmp_path, FILES | {"group_vars/all.yml": "f: here\n", "host_vars/hv03.yml": "p: here\n"})
    with chdir(tmp_path):
        hosts = found(path)
    assert (hosts["hv03"]["f"], hosts["hv03"]["p"], hosts["hv01"]["f"]) == ("here", "here", "b")


@pytest.mark.parametrize("extra", [{}, {"group_vars/all.yml": "f: here\nq: 1\n", "group_vars/a.yml": "h: here\n"}])
def test_it_is_what_ansible_reads(tmp_path: Path, with_ansible: World, extra: dict[str, str]) -> None:
    path = write(tmp_path, FILES | extra)
    listing = with_ansible.find_command(by_ansible.LIST, with_ansible.environ)
    assert listing
    with chdir(tmp_path):
        theirs = by_ansible.list_hosts(path, listing, with_ansible.environ)
        ours = without_ansible.list_hosts(path)
    groups = {host.name: host.groups for host in ours.hosts}
    assert groups == {host.name: host.groups for host in theirs.hosts}
    for host in theirs.hosts:
        mine = next(one for one in ours.hosts if one.name == host.name).variables
        assert mine.keys() == host.variables.keys()
        # A list's own mapping is written otherwise: no variable of ours is such.
        assert {name: value.content for name, value in mine.items() if name != "m"} == {
            name: value.content for name, value in host.variables.items() if name != "m"
        }


MISTAKES: dict[str, tuple[dict[str, str], str]] = {
    "a broken source": (
        {"inventory/hosts.ini": "[a\n"},
        "inventory/hosts.ini:1: `[a`: a bracket without its other half",
    ),
    "broken variables": (
        {"inventory/hosts.ini": "hv01\n", "inventory/host_vars/hv01.yml": "a: b: c\n"},
        "inventory/host_vars/hv01.yml:1: not YAML: mapping values are not allowed here",
    ),
    "variables that are a list": (
        {"inventory/hosts.ini": "hv01\n", "inventory/host_vars/hv01.yml": "- a\n"},
        "inventory/host_vars/hv01.yml:1: expected variables, `name: value`",
    ),
    "not UTF-8": ({"inventory/hosts.ini": "hv01\n# \xe9\n"}, "inventory/hosts.ini:2: not UTF-8: save it as UTF-8"),
    "too many folders": (
        {f"inventory/{'/'.join('abcdef')}/hosts": "hv01\n"},
        "inventory/a/b/c/d/e: folders within folders, more than 5 deep",
    ),
    "anchors that multiply": (
        {
            "inventory/hosts.yml": "a: &a {hosts: {x: }}\n"
            + "".join(
                f"g{n}: &g{n} {{children: {{{', '.join(f'c{n}{k}: *{prev}' for k in range(10))}}}}}\n"
                for n, prev in enumerate(["a", "g0", "g1", "g2", "g3", "g4"])
            )
        },
        "",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake(tmp_path: Path, case: str) -> None:
    files, told = MISTAKES[case]
    path = write(tmp_path, files)
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(InventoryError) as error:
        without_ansible.list_hosts(path)
    if told:
        assert str(error.value).replace(os.sep, "/") == f"{tmp_path.as_posix()}/{told}"
    else:
        assert "names more than 100,000 groups and hosts" in str(error.value)
