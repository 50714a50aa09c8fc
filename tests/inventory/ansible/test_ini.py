"""INI inventories read by ourselves: each form, each mistake; and the same as Ansible reads."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from compliance.errors import InventoryError
from compliance.inventory.ansible import by_ansible, without_ansible
from compliance.inventory.ansible.groups import Graph
from compliance.inventory.ansible.hosts import Content, Literal, Other, Vaulted
from compliance.inventory.ansible.ini import read_ini
from compliance.inventory.ansible.ranges import names_in
from compliance.world import World
from tests.profiles import examples

Hosts = dict[str, tuple[tuple[str, ...], dict[str, Content]]]


def hosts_of(path: Path) -> Hosts:
    return {
        host.name: (host.groups, {name: value.content for name, value in host.variables.items()})
        for host in without_ansible.list_hosts(path).hosts
    }


def read(folder: Path, text: str, name: str = "hosts.ini") -> Hosts:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return hosts_of(path)


FORMS: dict[str, Hosts] = {
    "hv01\n": {"hv01": ((), {})},
    "# a comment\n; another\n\nhv01 # behind a host\n": {"hv01": ((), {})},
    "hv01\n[a]\nhv01:5986\nhv02:1 ansible_port=2\n": {"hv01": (("a",), {}), "hv02": (("a",), {"ansible_port": "2"})},
    "hv01:5986\n": {"hv01": ((), {"ansible_port": "5986"})},
    "[2001:db8::1]:5986\n": {"2001:db8::1": ((), {"ansible_port": "5986"})},
    "2001:db8::1\n": {"2001:db8::1": ((), {})},
    "hv01 a=1 b='x y' c=\"it's\" d=x=y e=\n": {"hv01": ((), {"a": "1", "b": "x y", "c": "it's", "d": "x=y", "e": ""})},
    "hv01 a=[1,2] b={'x':1} c=None d=True e=007 f=1e2 g=0x10\n": {
        "hv01": ((), {"a": ("1", "2"), "b": "{x:1}", "c": None, "d": "True", "e": "007", "f": "100.0", "g": "16"})
    },
    "[hyperv]\nhv[01:03:2].dr.example x=1\n": {
        "hv01.dr.example": (("hyperv",), {"x": "1"}),
        "hv03.dr.example": (("hyperv",), {"x": "1"}),
    },
    "[g]\nhv-[a:c]\n": {f"hv-{letter}": (("g",), {}) for letter in "abc"},
    "[g] # comment\nhv01\n[g:vars]\na = b c # not a comment\nport=5985 # but Python's\n": {
        "hv01": (("g",), {"a": "b c # not a comment", "port": "5985"})
    },
    "[a:children]\nb # why\n[b]\nhv01\n[b:vars]\nx=child\n[a:vars]\nx=parent\ny=1\n[all:vars]\ny=0\nz=0\n": {
        "hv01": (("a", "b"), {"x": "child", "y": "1", "z": "0"})
    },
    # the deepest wins; among equals the later by its name, unless a priority says otherwise
    "[a]\nhv01\n[b]\nhv01\n[a:vars]\nx=a\n[b:vars]\nx=b\n": {"hv01": (("a", "b"), {"x": "b"})},
    "[a]\nhv01\n[b]\nhv01\n[a:vars]\nx=a\nansible_group_priority=2\n[b:vars]\nx=b\n": {
        "hv01": (("a", "b"), {"x": "a"})
    },
    "[a]\nhv01 x=1\n[b]\nhv01 x=2\n": {"hv01": (("a", "b"), {"x": "2"})},
    "[ungrouped]\nhv01\n[ungrouped:vars]\nx=1\n": {"hv01": ((), {"x": "1"})},
    "\ufeffhv01\r\nhv02\r\n": {"hv01": ((), {}), "hv02": ((), {})},
}

MISTAKES = {
    "hv01 canary\n": "1: `hv01`: expected `variable=value`; put a value with spaces into quotes",
    "hv01 ansible_password=ca'nary\n": "1: a quote or a backslash without its end (No closing quotation)",
    "[hyperv\nhv01": "1: `[hyperv`: a bracket without its other half",
    "[hyperv:host]\nhv01": "1: [hyperv:host]: expected `:vars` or `:children`",
    "[my servers]\nhv01\n": "1: not a section: `[group]`, `[group:vars]` or `[group:children]`, without spaces",
    "[a:vars]\nx=1\n": "1: [a:vars]: there is no group `a`",
    "[a:children]\nb\n": "2: [a:children]: there is no group `b`",
    "[a]\n[a:vars]\ncanary\n": "3: expected `variable=value` in [a:vars]",
    "[a]\n[a:children]\nb c\n": "3: expected the name of a group in [a:children]",
    "hv[01:x]": "1: `hv[01:x]`: a range goes from number to number, or from letter to letter",
    "hv[1]": "1: `hv[1]`: a range is written `[01:10]` or `[01:10:2]`",
    "hv[01:100]": "1: `hv[01:100]`: a range with leading zeros has the same number of digits at both ends",
    "hv[5:1]": "1: `hv[5:1]`: a range goes upwards",
    "hv[1:99999999]": "1: `hv[1:99999999]`: stands for more than 10,000 hosts",
    "hv[1:999]-[1:999]": "1: `hv[1:999]-[1:999]`: stands for more than 10,000 hosts",
    "---\n": "1: expected a host; this looks like YAML: give the file a name in .yaml",
    "all:\n  hosts:\n": "1: expected a host; this looks like YAML: give the file a name in .yaml\n"
    "2: expected a host; this looks like YAML: give the file a name in .yaml",
    "[a:children]\nb\n[b:children]\na\n[a]\nhv01": "1: group `a` is among its own children",
}


@pytest.mark.parametrize("text", FORMS, ids=range(len(FORMS)))
def test_a_form(tmp_path: Path, text: str) -> None:
    found, expected = read(tmp_path, text), FORMS[text]
    assert {name: groups for name, (groups, _) in found.items()} == {name: one[0] for name, one in expected.items()}
    for name, (_, variables) in expected.items():
        said = found[name][1]
        assert variables.keys() == said.keys()
        assert {key: value for key, value in said.items() if not isinstance(value, Other)} == {
            key: value for key, value in variables.items() if not isinstance(said[key], Other)
        }


@pytest.mark.parametrize(("text", "told"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_a_mistake(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(InventoryError) as error:
        read(tmp_path, text)
    path = tmp_path / "hosts.ini"
    assert str(error.value).splitlines()[: told.count("\n") + 1] == [f"{path}:{line}" for line in told.splitlines()]
    assert "canary" not in str(error.value)


def as_ansible_says(path: Path, world: World) -> Hosts:
    listing = world.find_command(by_ansible.LIST, world.environ)
    assert listing
    return {
        host.name: (host.groups, {name: value.content for name, value in host.variables.items()})
        for host in by_ansible.list_hosts(path, listing, world.environ).hosts
    }


def comparable(hosts: Hosts) -> Hosts:
    return {
        name: (groups, {key: None if isinstance(value, Other) else value for key, value in variables.items()})
        for name, (groups, variables) in hosts.items()
    }


def test_each_form_is_what_ansible_reads(tmp_path: Path, with_ansible: World) -> None:
    for number, text in enumerate(FORMS):
        if number % 2 == 0 and not text.startswith("\ufeff"):  # which is a part of the first name for Ansible
            path = tmp_path / f"hosts{number}.ini"
            path.write_text(text, encoding="utf-8")
            assert comparable(hosts_of(path)) == comparable(as_ansible_says(path, with_ansible)), text


# Whatever stands in a file, it is read, or an InventoryError says where it is not.

names = st.sampled_from(["hv01", "hv02", "a", "b", "all", "hv[1:3]", "db-[a:c]", "hv01:5986", "ungrouped"])
values = st.sampled_from(["1", "x", "'a b'", '"it\'s"', "[1, 2]", "True", "", "{{ a }}", "a=b", "5 # c", "0x1F", "007"])
variables = st.builds("{}={}".format, st.sampled_from(["x", "ansible_port", "y", "ansible_group_priority"]), values)
sections = st.builds(
    "[{}{}]".format, st.sampled_from(["a", "b", "c", "all"]), st.sampled_from(["", ":vars", ":children"])
)
hosts = st.builds(" ".join, st.tuples(names, variables) | st.tuples(names))
lines = st.one_of(sections, hosts, variables, names, st.sampled_from(["# c", "", "; c"]), st.text(max_size=8))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(lines, max_size=12).map("\n".join))
def test_any_file_is_read_or_told(text: str) -> None:
    graph = Graph()
    try:
        read_ini(text, "hosts.ini", graph)
        graph.resolved(lambda _kind, _name: {})
    except InventoryError as error:
        for line in str(error).splitlines():
            assert re.match(r"hosts\.ini:\d+: .", line)
            assert line.isprintable()


vars_of = st.lists(st.builds("{}={}".format, st.sampled_from(["x", "y"]), values), max_size=2)
listed = st.sampled_from(["hv01", "hv02 z='a b'", "hv[1:3]", "db-[a:c] x=1 # c", "hv01:5986", "# c", "hv03 y=[1]"])
sound = st.lists(listed, max_size=3)


@settings(
    deadline=None,
    max_examples=examples(6),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
    phases=[Phase.generate],  # to shrink would take minutes
)
@given(top=sound, of_a=sound, of_b=sound, a_vars=vars_of, b_vars=vars_of, all_vars=vars_of, nested=st.booleans())
def test_a_sound_file_is_what_ansible_reads(
    tmp_path: Path,
    with_ansible: World,
    top: list[str],
    of_a: list[str],
    of_b: list[str],
    a_vars: list[str],
    b_vars: list[str],
    all_vars: list[str],
    nested: bool,
) -> None:
    """Half a second each, so only a few; the table above is the systematic half."""
    parts = {"": top, "[ga]": of_a, "[gb]": of_b, "[ga:vars]": a_vars, "[gb:vars]": b_vars, "[all:vars]": all_vars}
    parts["[gc:children]"] = ["ga", "gb"]
    parts["[gb:children]"] = ["ga"] if nested else []
    path = tmp_path / "hosts.ini"
    path.write_text("\n".join(f"{head}\n" + "\n".join(body) for head, body in parts.items()), encoding="utf-8")
    assert comparable(hosts_of(path)) == comparable(as_ansible_says(path, with_ansible)), path.read_text("utf-8")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("hv01", (["hv01"], None)),
        ("hv[1:3]", (["hv1", "hv2", "hv3"], None)),
        ("hv[:2]", (["hv0", "hv1", "hv2"], None)),
        ("hv[08:10]:5985", (["hv08", "hv09", "hv10"], "5985")),
        ("[a:b][1:2]", (["a1", "a2", "b1", "b2"], None)),
        ("hv[1:9:4]", (["hv1", "hv5", "hv9"], None)),
        ("[fe80::1%eth0]:5986", (["fe80::1%eth0"], "5986")),
        ("fe80::1", (["fe80::1"], None)),
    ],
)
def test_a_range(pattern: str, expected: tuple[list[str], str | None]) -> None:
    assert names_in(pattern) == expected


def test_no_repr_shows_what_a_variable_holds(tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text("hv01 ansible_password=canary other=['canary']\n")
    listing = without_ansible.list_hosts(path)
    assert "canary" not in repr(listing) + str(listing)
    assert "canary" not in repr([Vaulted("canary"), Literal("canary")])


def test_a_document_of_ansible_is_capped_and_told(tmp_path: Path, environ: dict[str, str]) -> None:
    """A command that answers with anything else."""
    program = tmp_path / "ansible-inventory"
    answers = {
        "echo '[]'": "did not answer with an inventory",
        "echo '{}'": "did not answer with an inventory",
        f"echo '{json.dumps({'_meta': {'hostvars': 7}, 'all': {'hosts': ['a']}})}'": "did not answer with an inventory",
        f"echo '{json.dumps({'_meta': {'hostvars': {}}, 'all': {'hosts': ['a']}})}'": None,
        "exit 3": "failed: it gave no reason",
        "echo no such thing >&2; exit 3": "failed: no such thing",
        "echo '[ERROR]: got: canary' >&2; exit 3": "failed: got something else",
        "sleep 30": "did not end within 0.5 seconds",
        "(sleep 30 &) ; sleep 30": "did not end within 0.5 seconds",
        "head -c 70000000 /dev/zero": "printed more than 67,108,864 bytes",
    }
    for script, told in answers.items():
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o700)
        seconds = 0.5 if "sleep" in script else 20
        if told is None:
            assert by_ansible.list_hosts(tmp_path, str(program), environ, seconds).hosts
            continue
        began = time.monotonic()
        with pytest.raises(InventoryError) as error:
            by_ansible.list_hosts(tmp_path, str(program), environ, seconds)
        assert told in str(error.value)
        assert "canary" not in str(error.value)
        assert time.monotonic() - began < 15  # with what it started, which sleeps on
