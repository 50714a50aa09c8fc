"""Inventories that include others: each file's own defaults, each mistake at its own place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from compliance.errors import InventoryError
from compliance.inventory.includes import file_of, place_of
from compliance.inventory.inventory import Inventory
from compliance.inventory.limit import EVERYTHING, Limit
from compliance.inventory.read import read_any
from tests.inventory.ansible.conftest import WITHOUT

WINDOWS = "ansible_connection=psrp ansible_user=audit ansible_password=canary"


def read(folder: Path, files: Mapping[str, str], limit: Limit = EVERYTHING) -> Inventory:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_any(folder / next(iter(files)), limit, WITHOUT)


SOUND = {
    "top.yaml": "name: estate\ninclude: [sites/bln.yaml, hosts.ini]\n"
    "servers:\n- name: hv00\ndefaults: {credential: top, site: top}\n",
    "sites/bln.yaml": "servers:\n- name: hv01\n- name: hv02\ndefaults: {credential: bln, port: 443, groups: [bln]}\n",
    "hosts.ini": f"[fra]\nhv03 {WINDOWS}\nweb01 ansible_connection=ssh\n",
}


def test_servers_of_several_files_are_one_estate(tmp_path: Path) -> None:
    inventory = read(tmp_path, SOUND)
    assert inventory.name == "estate"
    assert [(one.name, one.credential, one.port, one.site, one.groups) for one in inventory.servers] == [
        ("hv00", "top", 5986, "top", ()),
        ("hv01", "bln", 443, None, ("bln",)),
        ("hv02", "bln", 443, None, ("bln",)),
        ("hv03", "audit", 5986, None, ("fra",)),
    ]
    assert [Path(place_of(inventory, f"hv0{number}")).relative_to(tmp_path).as_posix() for number in range(4)] == [
        "top.yaml:4",
        "sites/bln.yaml:2",
        "sites/bln.yaml:3",
        "hosts.ini:2",
    ]
    assert file_of(inventory, "hv00") == str(tmp_path / "top.yaml")
    assert inventory.logins["audit"]() == ("audit", "canary")
    assert inventory.remarks == ("not Windows, so not read: 1 host (web01)",)


def test_guests_of_every_file_are_looked_into(tmp_path: Path) -> None:
    way = "guests: [{machine: sql01, connection: 'ssh://sql01.dr.example'}]\n"
    inventory = read(tmp_path, SOUND | {"sites/bln.yaml": SOUND["sites/bln.yaml"] + way})
    assert [guest.name for guest in inventory.guests] == ["ssh://sql01.dr.example"]
    assert place_of(inventory, "ssh://sql01.dr.example") == f"{tmp_path / 'sites' / 'bln.yaml'}:5"


def test_each_file_counts_in_the_digest(tmp_path: Path) -> None:
    before = read(tmp_path, SOUND).digest
    assert read(tmp_path, SOUND).digest == before
    changed = SOUND["sites/bln.yaml"].replace("443", "444")
    assert read(tmp_path, SOUND | {"sites/bln.yaml": changed}).digest != before


def test_a_limit_chooses_among_all_files(tmp_path: Path) -> None:
    inventory = read(tmp_path, SOUND, Limit(pattern="bln:&hv02"))
    assert [entry.name for entry in inventory.servers] == ["hv02"]
    inventory = read(tmp_path, SOUND, Limit(pattern="hv00:fra"))
    assert [entry.name for entry in inventory.servers] == ["hv00", "hv03"]


def test_clusters_are_merged_and_chosen_among_all_files(tmp_path: Path) -> None:
    cluster = "clusters:\n- {name: hvcl01, groups: [dr], nodes: [{name: hv11}]}\n- {name: hvcl02}\n"
    files = SOUND | {
        "top.yaml": SOUND["top.yaml"] + "clusters: [{name: hvcl00}]\n",
        "sites/bln.yaml": SOUND["sites/bln.yaml"] + cluster,
    }
    inventory = read(tmp_path, files)
    assert [(one.name, one.credential, one.port) for one in inventory.clusters] == [
        ("hvcl00", "top", 5986),
        ("hvcl01", "bln", 443),
        ("hvcl02", "bln", 443),
    ]
    assert place_of(inventory, "hvcl01") == place_of(inventory, "hv11") == f"{tmp_path / 'sites' / 'bln.yaml'}:6"
    assert [one.name for one in inventory.servers] == ["hv00", "hv01", "hv02", "hv03"]
    one = read(tmp_path, files, Limit(pattern="dr,hv03"))
    assert [str(entry) for entry in (*one.servers, *one.clusters)] == ["hv03", "hvcl01"]
    assert {"hvcl00", "hvcl02", "hv00"} <= set(one.left_out)
    assert not {"hvcl01", "hv11"} & set(one.left_out)
    assert "hv11" in read(tmp_path, files, Limit(pattern="fra")).left_out  # partners may be told a node's name


def test_a_file_of_clusters_is_ours_whatever_its_name(tmp_path: Path) -> None:
    inventory = read(tmp_path, {"lab": "clusters: [{name: hvcl01, credential: a}]\n"})
    assert [one.name for one in inventory.clusters] == ["hvcl01"]


def test_a_group_of_ansibles_may_be_called_clusters(tmp_path: Path) -> None:
    text = "clusters:\n  hosts: {hv01: {ansible_connection: psrp, ansible_user: a, ansible_password: canary}}\n"
    inventory = read(tmp_path, {"hosts.yml": text})
    assert ([one.name for one in inventory.servers], inventory.clusters) == (["hv01"], ())


INCLUDES = "include: [a.yaml]\nservers:\n- {name: hv00, credential: a}\n"
SERVER = "servers:\n- {name: hv01, credential: a}\n"
MISTAKES: dict[str, tuple[dict[str, str], list[str]]] = {
    "each at its own place": (
        {
            "top.yaml": "include: [a.yaml, b.yaml]\n",
            "a.yaml": "servers:\n- {name: hv01, prot: 1}\n",
            "b.yaml": "\nserver:\n- hv02\n",
        },
        ["a.yaml:2: servers[0].prot: unknown key (did you mean `port`?)", "b.yaml:2: server: unknown key (did you"],
    ),
    "no such file": (
        {"top.yaml": INCLUDES},
        ["top.yaml:1: include[0]: no such file beside the inventory: `a.yaml`"],
    ),
    "itself": (
        {"top.yaml": "include: [top.yaml]\n"},
        ["top.yaml:1: include: {}/top.yaml is one of those that include"],
    ),
    "a circle": (
        {"top.yaml": INCLUDES, "a.yaml": "include:\n- b.yaml\n", "b.yaml": "include: [top.yaml]\n"},
        ["b.yaml:1: include: {}/top.yaml is one of those that include this file"],
    ),
    "twice": (
        {"top.yaml": "include: [a.yaml, b.yaml]\n", "a.yaml": "include:\n- b.yaml\n", "b.yaml": SERVER},
        ["top.yaml:1: include: {}/b.yaml is included on {}/a.yaml:2 already"],
    ),
    "too deep": (
        {"top.yaml": INCLUDES}
        | {f"{one}.yaml": f"include: [{other}.yaml]\n" for one, other in zip("abcdef", "bcdefg", strict=True)}
        | {"g.yaml": SERVER},
        ["e.yaml:1: include: files within files, more than 5 deep"],
    ),
    "a server in two files": (
        {"top.yaml": INCLUDES, "a.yaml": "\n\nservers:\n- {name: HV00, credential: a}\n"},
        ["a.yaml:4: `HV00` is on {}/top.yaml:3 already"],
    ),
    "a cluster in two files": (
        {
            "top.yaml": "include: [a.yaml]\nclusters:\n- {name: hvcl01, credential: a}\n",
            "a.yaml": "clusters:\n- {name: HVCL01, credential: a}\n",
        },
        ["a.yaml:2: `HVCL01` is on {}/top.yaml:3 already"],
    ),
    "a cluster that is a server of another file": (
        {"top.yaml": INCLUDES, "a.yaml": "clusters:\n- {name: hv00, credential: a}\n"},
        ["a.yaml:2: `hv00` is on {}/top.yaml:3 already"],
    ),
    "a node that is a server of another file": (
        {"top.yaml": INCLUDES, "a.yaml": "clusters:\n- name: hvcl01\n  credential: a\n  nodes:\n  - name: hv00\n"},
        ["a.yaml:5: `hv00` is on {}/top.yaml:3 already"],
    ),
    "a way into a guest in two files": (
        {
            "top.yaml": INCLUDES + "guests:\n- {machine: sql01, connection: 'ssh://sql01'}\n",
            "a.yaml": "servers:\n- {name: hv01, credential: a}\nguests:\n- {machine: web01, connection: 'ssh://SQL01'}\n",
        },
        ["a.yaml:4: `ssh://SQL01` is on {}/top.yaml:5 already"],
    ),
    "an address in two files": (
        {"top.yaml": INCLUDES, "a.yaml": "servers:\n- {name: hv01, address: HV00, credential: a}\n"},
        ["a.yaml:2: `HV00`, port and path are those on {}/top.yaml:3 already"],
    ),
    "what is the estate's": (
        {"top.yaml": INCLUDES, "a.yaml": f"{SERVER}policy: {{fail_at: error}}\nmay_be_empty: true\n"},
        [
            "a.yaml:3: policy: counts only in the inventory that includes this one: say it there",
            "a.yaml:4: may_be_empty: counts only in the inventory that includes this one: say it there",
        ],
    ),
    "a snapshot": (
        {"top.yaml": INCLUDES, "a.yaml": "snapshot: top.yaml\n"},
        ["a.yaml:1: snapshot: counts only in the inventory that includes this one: say it there"],
    ),
    "a snapshot beside it": (
        {"top.yaml": "include: [a.yaml]\nsnapshot: a.yaml\n", "a.yaml": SERVER},
        ["top.yaml:2: snapshot: stands in place of `include`; keep one of the two"],
    ),
    "none": ({"top.yaml": "include: []\n"}, ["top.yaml:1: include: expected at least one file, got an empty list"]),
    "of Ansible's, which is wrong": (
        {"top.yaml": "include: [hosts.ini]\n", "hosts.ini": "hv01 ansible_port=5986\n"},
        ["hosts.ini:1: hv01: ansible_port says that it is Windows"],
    ),
    "a credential kept in two places": (
        {
            "top.yaml": "include: [a.yaml]\ncredentials: {audit: {username: x, keyring: top}}\n",
            "a.yaml": "servers: [{name: hv01, credential: audit}]\ncredentials: {audit: {username: x, keyring: a}}\n",
        },
        ["a.yaml: credential `audit` is kept elsewhere by another file of this estate: name it otherwise, or say it"],
    ),
    "two of Ansible's with one login": (
        {"top.yaml": "include: [a.ini, b.ini]\n", "a.ini": f"hv01 {WINDOWS}\n", "b.ini": f"hv02 {WINDOWS}\n"},
        ["a.ini: its login `audit` has the name of a credential of another file of this estate: name one otherwise"],
    ),
    "a login of Ansible's that is a credential of ours": (
        {
            "top.yaml": "include: [a.ini]\nservers: [{name: hv00, credential: audit}]\n",
            "a.ini": f"hv01 {WINDOWS}\n",
        },
        ["a.ini: its login `audit` has the name of a credential of another file of this estate: name one otherwise"],
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(tmp_path: Path, case: str) -> None:
    files, told = MISTAKES[case]
    with pytest.raises(InventoryError) as error:
        read(tmp_path, files)
    lines = str(error.value).splitlines()
    assert len(lines) == len(told), lines
    for line, expected in zip(lines, told, strict=True):
        assert line.replace(os.sep, "/").startswith(
            f"{tmp_path.as_posix()}/{expected.replace('{}', tmp_path.as_posix())}"
        )
