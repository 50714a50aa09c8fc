"""Inventories that are broken, ours and Ansible's, and what is printed for each: where, what, and what to do."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from compliance.__main__ import main
from compliance.commands.inventory import command as inventory_command
from compliance.commands.parser import USAGE
from compliance.errors import UsageError
from compliance.inventory.ansible.templates import UNKNOWN
from compliance.world import World
from tests.inventory.ansible.conftest import WITHOUT

NTLM = "ansible_connection=winrm ansible_winrm_transport=ntlm ansible_user=audit ansible_password=canary"
NEEDS = 'needs ansible-core: pip install "hyperv-compliance[ansible]"'

# what is wrong -> files (the first is named on the command line), and each line that is printed; {} is their folder
BROKEN: dict[str, tuple[Mapping[str, str], str]] = {
    "neither ours nor Ansible's": (
        {"lab.yaml": "machines:\n- hv01\n"},
        (
            "{}/lab.yaml:1: expected `servers`, `clusters`, `include` or `snapshot`, got none of them; nor are there "
            "groups with `hosts`, as an inventory of Ansible has them\n{}/lab.yaml:1: machines: unknown key"
        ),
    ),
    "empty": ({"lab.yaml": ""}, "{}/lab.yaml:1: empty"),
    "no YAML": (
        {"lab.yaml": "servers:\n- name: a: b\n"},
        "{}/lab.yaml:2: not YAML: mapping values are not allowed here",
    ),
    "not there": ({}, "{}/lab.yaml: can't be read: No such file or directory"),
    "a key misspelt": (
        {"lab.yaml": "servers:\n- name: hv01\n  adress: hv01.dr.example\n  credential: audit\n"},
        "{}/lab.yaml:3: servers[0].adress: unknown key (did you mean `address`?)",
    ),
    "no credential": (
        {"lab.yaml": "servers:\n- name: hv01\n"},
        "{}/lab.yaml:2: servers[0].credential: transport `ntlm` needs one",
    ),
    "a server twice": (
        {"lab.yaml": "servers:\n- name: hv01\n- name: HV01\ndefaults: {credential: audit}\n"},
        "{}/lab.yaml:3: servers[1].name: `HV01` is servers[0] (line 2) already",
    ),
    "a server in two files": (
        {
            "lab.yaml": "include: [dr.yaml]\nservers:\n- name: hv01\ndefaults: {credential: audit}\n",
            "dr.yaml": "servers:\n- name: hv01\n  credential: audit\n",
        },
        "{}/dr.yaml:2: `hv01` is on {}/lab.yaml:3 already",
    ),
    "includes itself": (
        {"lab.yaml": "name: lab\ninclude: [lab.yaml]\n"},
        "{}/lab.yaml:2: include: {}/lab.yaml is one of those that include this file",
    ),
    "policy in an included file": (
        {"lab.yaml": "include: [dr.yaml]\n", "dr.yaml": "servers:\n- {name: a, credential: b}\npolicy: {}\n"},
        "{}/dr.yaml:3: policy: counts only in the inventory that includes this one: say it there",
    ),
    "no host": ({"hosts.ini": "[hyperv]\n"}, "{}/hosts.ini: lists no host"),
    "nothing but Linux": (
        {"hosts.ini": "web01\nweb02 ansible_connection=ssh\n"},
        "{}/hosts.ini: none of its 2 hosts is Windows (`ansible_connection` winrm or psrp): 2 hosts (web01, web02)",
    ),
    "Windows by ssh": (
        {"hosts.ini": f"hv01 {NTLM}\nhv02 ansible_connection=ssh ansible_shell_type=powershell\n"},
        (
            "{}/hosts.ini:2: hv02: ansible_shell_type says that it is Windows, but ansible_connection is `ssh`: "
            "set it to winrm or psrp"
        ),
    ),
    "connection forgotten": (
        {"hosts.ini": "hv01 ansible_port=5986\n"},
        (
            "{}/hosts.ini:1: hv01: ansible_port says that it is Windows, but ansible_connection is not set, so it is "
            "`ssh`: set it to winrm or psrp"
        ),
    ),
    "a password in clear": (
        {"hosts.ini": "hv01 ansible_connection=winrm ansible_port=5985 ansible_user=a ansible_password=canary\n"},
        (
            "{}/hosts.ini:1: hv01: Ansible's default for http without a user@domain is Basic, whose password everybody "
            "reads: set ansible_winrm_transport to ntlm, or hyperv_transport"
        ),
    ),
    "a transport that is none": (
        {"hosts.ini": f"hv01 {NTLM.replace('ntlm', 'magic')}\n"},
        (
            "{}/hosts.ini:1: hv01: ansible_winrm_transport: `magic` is none of basic, plaintext, certificate, "
            "kerberos, ntlm, credssp"
        ),
    ),
    "a Jinja expression": (
        {"hosts.yml": "all:\n  hosts:\n    hv01:\n      ansible_connection: psrp\n      ansible_host: '{{ a | b }}'\n"},
        f"{{}}/hosts.yml:3: hv01: ansible_host: {UNKNOWN}",
    ),
    "a space in a password": (
        {"hosts.ini": "[hyperv]\nhv01 ansible_password=correct canary\n"},
        "{}/hosts.ini:2: `hv01`: expected `variable=value`; put a value with spaces into quotes",
    ),
    "a group that is none": (
        {"hosts.ini": "[dr:children]\nhypervs\n[hyperv]\nhv01\n"},
        "{}/hosts.ini:2: [dr:children]: there is no group `hypervs`",
    ),
    "groups in a circle": (
        {"hosts.yml": "a:\n  children:\n    b:\n      children:\n        a:\n  hosts:\n    hv01:\n"},
        "{}/hosts.yml:1: group `a` is among its own children",
    ),
    "a list of hosts": (
        {"hosts.yml": "hyperv:\n  hosts:\n    - hv01\n    - hv02\n"},
        "{}/hosts.yml:2: hosts of group `hyperv`: expected a mapping, got a list",
    ),
    "a range that ends before it begins": (
        {"hosts.ini": "hv[10:01]\n"},
        "{}/hosts.ini:1: `hv[10:01]`: a range goes upwards",
    ),
    "the same place under two names": (
        {"hosts.ini": f"hv01 {NTLM}\nhv02 {NTLM} ansible_host=HV01\n"},
        "{}/hosts.ini:2: hv02: listens where hv01 does ({}/hosts.ini:1): `HV01`",
    ),
    "a name that is none of ours": (
        {"hosts.ini": f"2001:db8::1 {NTLM}\n"},
        "{}/hosts.ini:1: 2001:db8::1: the host's name: expected letters, digits, `.`, `_` or `-`, got `2001:db8::1`",
    ),
    "a dynamic source without Ansible": (
        {"hosts.sh": "#!/bin/sh\n"},
        f"{{}}/hosts.sh: a dynamic inventory, which {NEEDS}",
    ),
    "a plugin without Ansible": (
        {"aws_ec2.yml": "# comment\nplugin: amazon.aws.aws_ec2\n"},
        f"{{}}/aws_ec2.yml:2: the configuration of an inventory plugin, which {NEEDS}",
    ),
    "a vault without Ansible": (
        {"hosts.ini": f"hv01 {NTLM}\n", "host_vars/hv01.yml": "$ANSIBLE_VAULT;1.1;AES256\n3061\n"},
        f"{{}}/host_vars/hv01.yml: encrypted by ansible-vault, which {NEEDS}",
    ),
}

# the same where Ansible is there to say it
BY_ANSIBLE: dict[str, tuple[Mapping[str, str], str]] = {
    "a vault without its password": (
        BROKEN["a vault without Ansible"][0],
        "{}/hosts.ini: ansible-inventory failed: Attempting to decrypt but no vault secrets found.",
    ),
    "a program that fails": (
        {"hosts.sh": "#!/bin/sh\nexit 3\n"},
        (
            "{}/hosts.sh: ansible-inventory failed: Inventory script returned non-zero exit code 3.; "
            "Completely failed to parse inventory source {}/hosts.sh"
        ),
    ),
    "a space in a password": (
        BROKEN["a space in a password"][0],
        (
            "{}/hosts.ini: ansible-inventory failed: Failed to parse inventory: Expected key=value host variable "
            "assignment, got something else; Completely failed to parse inventory source {}/hosts.ini"
        ),
    ),
}


def shown(folder: Path, files: Mapping[str, str], world: World) -> str:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o700 if path.suffix == ".sh" else 0o600)
    options = argparse.Namespace(
        what="show", file=folder / next(iter(files), "lab.yaml"), json=False, limit="", out=None
    )
    with pytest.raises(UsageError) as error:
        inventory_command.run(options, replace(world, out=StringIO()))
    return str(error.value)


@pytest.mark.parametrize("case", BROKEN, ids=range(len(BROKEN)))
def test_what_is_printed(tmp_path: Path, case: str) -> None:
    files, told = BROKEN[case]
    assert shown(tmp_path, files, WITHOUT) == told.replace("{}", str(tmp_path))
    assert "canary" not in told


@pytest.mark.parametrize("case", BY_ANSIBLE, ids=range(len(BY_ANSIBLE)))
def test_what_is_printed_where_ansible_is_installed(tmp_path: Path, case: str, with_ansible: World) -> None:
    files, told = BY_ANSIBLE[case]
    assert shown(tmp_path, files, with_ansible) == told.replace("{}", str(tmp_path))


def test_the_command_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("servers:\n- name: hv01\n")
    assert main(["inventory", "show", os.fspath(path)]) == USAGE
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"ERROR: {path}:2: servers[0].credential: transport `ntlm` needs one\n")
