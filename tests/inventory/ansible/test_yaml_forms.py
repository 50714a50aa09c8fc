"""YAML inventories read by ourselves: the forms that Ansible takes and the values that it makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from compliance.inventory.ansible.hosts import Literal
from compliance.inventory.ansible.read import listing_of
from compliance.inventory.read import read_any
from compliance.world import World
from tests.inventory.ansible.conftest import ENVIRON
from tests.inventory.ansible.mistakes import entries, mistakes

# a YAML inventory's text -> the hosts with their groups, or what is wrong (without Ansible)
FORMS: dict[str, dict[str, tuple[str, ...]] | str] = {
    "a: {hosts: hv01}": {"hv01": ("a",)},
    "a: {hosts: 'hv[1:2]'}": {"hv1": ("a",), "hv2": ("a",)},
    "a: {hosts: hv01, children: b}\nb: {hosts: hv02}": {"hv01": ("a",), "hv02": ("a", "b")},
    "a: {hosts: {'123': }}": {"123": ("a",)},
    "a: {hosts: {123: }}": "hosts.yml:1: a host's name is text: put `123` in quotes",
    "a: {hosts: {yes: }}": "hosts.yml:1: a host's name is text: put `yes` in quotes",
    "a: {hosts: 5}": "hosts.yml:1: hosts of group `a`: expected a mapping, got a number or a truth value",
    "2024: {hosts: hv01}": "hosts.yml:1: a group's name is text: put `2024` in quotes",
    "a: {hosts: {hv01: 5}}": "hosts.yml:1: `hv01`: expected variables, got a number or a truth value",
    "a: {hosts: [hv01]}": "hosts.yml:1: hosts of group `a`: expected a mapping, got a list",
    "a: {hosts: !!str 5}": {"5": ("a",)},
}


@pytest.mark.parametrize(("text", "expected"), FORMS.items(), ids=list(FORMS))
def test_a_form_of_yaml(tmp_path: Path, text: str, expected: dict[str, tuple[str, ...]] | str, world: World) -> None:
    variables = "all: {vars: {ansible_connection: psrp, ansible_user: a, ansible_password: canary}}\n"
    (path := tmp_path / "hosts.yml").write_text(f"{text}\n{variables}")
    if isinstance(expected, dict):
        found = {host: groups for host, (groups,) in entries(read_any(path, world=world), "groups").items()}
        assert found == expected
    elif world.environ == ENVIRON:  # without
        assert mistakes(path, world) == [expected]
    else:
        assert mistakes(path, world)


VALUES = {
    "5_986": "5986",
    "0x1762": "5986",
    "013542": "5986",
    "'5986'": "5986",
    "!!str 0123": "0123",
    "!!int '0123'": "83",
    "1:39:46": "5986",
    "yes": "True",
    "'yes'": "yes",
    "y": "y",
    "1.50": "1.5",
    "1e3": "1e3",
    "2024-01-02": "2024-01-02",
    "~": None,
    "!unsafe '{{ x }}'": "{{ x }}",
}


def test_a_value_is_what_ansible_makes_of_it(tmp_path: Path, with_ansible: World) -> None:

    lines = "".join(f"    v{number}: {value}\n" for number, value in enumerate(VALUES))
    (path := tmp_path / "hosts.yml").write_text(f"all:\n  hosts:\n    hv01:\n  vars:\n{lines}")
    command = with_ansible.find_command("ansible-inventory", with_ansible.environ)
    for listing in (listing_of(path, {}, None), listing_of(path, with_ansible.environ, command)):
        (host,) = listing.hosts
        contents = [host.variables[f"v{number}"].content for number in range(len(VALUES))]
        texts = [content.text if isinstance(content, Literal) else content for content in contents]
        assert dict(zip(VALUES, texts, strict=True)) == VALUES
