"""Hosts of Ansible's as ways into guests: what their variables become, and what can't be taken from them."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Any

import pytest

from compliance.errors import InventoryError
from compliance.inventory.guests import GuestEntry, WindowsGuest
from compliance.inventory.inventory import Inventory
from compliance.inventory.logins import credentials_of
from compliance.inventory.read import read_any
from compliance.world import World
from tests.guests.sshd import sshd
from tests.host_rows import host_rows
from tests.hosts import Host, Vm, replica_of
from tests.inventory.ansible.conftest import WITHOUT
from tests.running import RunPytest
from tests.simulator import Played, Simulator

SERVER = "servers:\n- {name: hv01, credential: audit}\nguests:\n"  # what follows stands on line 4
CANARY = "canary-7c2e"
LOGIN = f"ansible_user=adm ansible_password={CANARY}"
WINDOWS = "ansible_connection=winrm ansible_winrm_transport=ntlm"


def guest(host: str = "web01", more: str = "", file: str = "hosts.ini") -> str:
    return f"- {{machine: {host}, connection: 'ansible://{host}', inventory: {file}{more and f', {more}'}}}\n"


def read(folder: Path, hosts: str, guests: str, head: str = SERVER) -> Inventory:
    for name in ("pem", "other"):
        (folder / name).touch()
    (folder / "hosts.ini").write_text(hosts)
    (folder / "lab.yaml").write_text(head + guests)
    return read_any(folder / "lab.yaml", world=WITHOUT)


def mistakes(folder: Path, hosts: str, guests: str, head: str = SERVER) -> list[str]:
    with pytest.raises(InventoryError) as error:
        read(folder, hosts, guests, head)
    assert CANARY not in str(error.value)
    return str(error.value).replace(f"{folder}{os.sep}", "").splitlines()


MAPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("ssh://web01", {}),
    "ansible_host=10.1.0.12 ansible_user=audit ansible_port=2222": ("ssh://audit@10.1.0.12:2222", {}),
    "ansible_ssh_host=10.1.0.12 ansible_ssh_user=audit ansible_ssh_port=2222": ("ssh://audit@10.1.0.12:2222", {}),
    "ansible_user=one ansible_ssh_user=two ansible_paramiko_user=three": ("ssh://two@web01", {}),
    "ansible_connection=ansible.builtin.ssh ansible_host=2001:db8::1": ("ssh://[2001:db8::1]", {}),
    "ansible_connection=smart ansible_port=22": ("ssh://web01:22", {}),
    "ansible_user='{{ who }}' who=audit ansible_host='{{ inventory_hostname }}.dr.example'": (
        "ssh://audit@web01.dr.example",
        {},
    ),
    "ansible_ssh_private_key_file=pem": ("ssh://web01", {"key": "pem"}),
    "ansible_private_key_file=missing ansible_ssh_private_key_file=pem": ("ssh://web01", {"key": "pem"}),
    "ansible_ssh_common_args= ansible_ssh_retries=3 ansible_ssh_pipelining=true": ("ssh://web01", {}),
    "ansible_host_key_checking=true": ("ssh://web01", {}),
    f"ansible_become=true ansible_become_password={CANARY}": ("ssh://web01", {}),
    LOGIN: ("paramiko://web01", {"credential": "adm"}),
    f"ansible_ssh_user=adm ansible_ssh_pass={CANARY} ansible_ssh_port=22": (
        "paramiko://web01:22",
        {"credential": "adm"},
    ),
    f"{LOGIN} ansible_ssh_private_key_file=pem": ("paramiko://web01", {"credential": "adm", "key": "pem"}),
    "ansible_connection=paramiko ansible_user=audit": ("paramiko://audit@web01", {}),
    f"ansible_connection=paramiko_ssh ansible_paramiko_user=adm ansible_paramiko_pass={CANARY}": (
        "paramiko://web01",
        {"credential": "adm"},
    ),
    "ansible_user=adm hyperv_credential=own": ("paramiko://web01", {"credential": "own"}),
    f"ansible_connection=local {LOGIN} ansible_ssh_extra_args=-v": ("local://", {}),
}


@pytest.mark.parametrize(("variables", "expected"), MAPPED.items(), ids=range(len(MAPPED)))
def test_a_host_is_what_its_variables_say(tmp_path: Path, variables: str, expected: tuple[str, dict[str, Any]]) -> None:
    connection, keys = expected
    found = read(tmp_path, f"web01 {variables}\n", guest())
    keys = {key: tmp_path / value if key == "key" else value for key, value in keys.items()}
    assert found.guests == (GuestEntry(machine=("web01",), connection=connection, **keys),)
    assert found.lines[connection] == 4
    assert {name: login() for name, login in found.logins.items()} == (
        {"adm": ("adm", CANARY)} if keys.get("credential") == "adm" else {}
    )
    assert CANARY not in repr(found)


OWN: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("ansible_ssh_private_key_file=missing", "key: pem"): ("ssh://web01", {"key": "pem"}),
    ("ansible_ssh_common_args=-J\\ jump", "ssh_config: pem"): ("ssh://web01", {"ssh_config": "pem"}),
    ("ansible_host_key_checking=false", "verify: false"): ("ssh://web01", {"verify": False}),
    ("ansible_ssh_host_key_checking=no", "verify: true"): ("ssh://web01", {}),
    ("", "known_hosts: pem"): ("ssh://web01", {"known_hosts": "pem"}),
    (LOGIN, "credential: own"): ("paramiko://web01", {"credential": "own"}),
    # nor is anything looked at that only Ansible evaluates
    ("ansible_ssh_private_key_file='{{ a | b }}'", "key: pem"): ("ssh://web01", {"key": "pem"}),
    ("ansible_user='{{ a | b }}' ansible_password='{{ c | d }}'", "credential: own"): (
        "paramiko://web01",
        {"credential": "own"},
    ),
    ("ansible_host_key_checking='{{ a | b }}'", "verify: false"): ("ssh://web01", {"verify": False}),
    ("ansible_host='{{ a | b }}' ansible_port='{{ c }}' hyperv_address=10.1.0.9 hyperv_port=2222", ""): (
        "ssh://10.1.0.9:2222",
        {},
    ),
}


@pytest.mark.parametrize(("given", "expected"), OWN.items(), ids=range(len(OWN)))
def test_what_our_entry_says_goes_first(
    tmp_path: Path, given: tuple[str, str], expected: tuple[str, dict[str, Any]]
) -> None:
    (variables, more), (connection, keys) = given, expected
    found = read(tmp_path, f"web01 {variables}\n", guest(more=more))
    keys = {key: tmp_path / value if value == "pem" else value for key, value in keys.items()}
    assert found.guests == (GuestEntry(machine=("web01",), connection=connection, **keys),)
    assert found.logins == {}


WINDOWS_MAPPED: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    (f"{WINDOWS} {LOGIN}", ""): ("winrm://web01:5986", {"credential": "adm"}),
    (f"ansible_connection=psrp {LOGIN} ansible_host=2001:db8::1 ansible_port=5985", ""): (
        "winrm://[2001:db8::1]:5985",
        {"credential": "adm", "scheme": "http"},
    ),
    (f"{WINDOWS} {LOGIN} ansible_winrm_server_cert_validation=ignore hyperv_site=berlin", ""): (
        "winrm://web01:5986",
        {"credential": "adm", "verify": False},
    ),
    (f"{WINDOWS} {LOGIN}", "credential: own, verify: false"): (
        "winrm://web01:5986",
        {"credential": "own", "verify": False},
    ),
    ("ansible_connection=winrm ansible_winrm_transport=kerberos ansible_user=a@DR.EXAMPLE", ""): (
        "winrm://web01:5986",
        {"transport": "kerberos", "principal": "a@DR.EXAMPLE"},
    ),
}


@pytest.mark.parametrize(("given", "expected"), WINDOWS_MAPPED.items(), ids=range(len(WINDOWS_MAPPED)))
def test_a_windows_guest_is_reached_as_a_server_would_be(
    tmp_path: Path, given: tuple[str, str], expected: tuple[str, dict[str, Any]]
) -> None:
    (variables, more), (connection, keys) = given, expected
    found = read(tmp_path, f"web01 {variables}\n", guest(more=more))
    assert found.guests == (WindowsGuest(machine=("web01",), connection=connection, **keys),)
    assert set(found.logins) == {"adm"} & {keys.get("credential")}


HERE = "lab.yaml:4: ansible://web01: "
THERE = f"{HERE}hosts.ini:1: web01: "
USELESS = "`paramiko://` has no use for it: take `ssh://` for jump hosts"
REFUSED: dict[tuple[str, str], str] = {
    **{
        (
            f"ansible_ssh_{name}=-J\\ jump",
            "",
        ): f"{THERE}ansible_ssh_{name}: is not taken over: say the same in a file and "
        for name in ("args", "common_args", "extra_args")
    },
    (f"{LOGIN} ansible_ssh_common_args=-v", ""): f"{THERE}ansible_ssh_common_args: needs `ssh://`, which takes a key",
    (LOGIN, "ssh_config: pem"): f"{HERE}ssh_config: {USELESS}",
    ("ansible_host_key_checking=False", ""): f"{THERE}ansible_host_key_checking: host keys are checked here; say ",
    ("ansible_ssh_host_key_checking=no", ""): f"{THERE}ansible_ssh_host_key_checking: host keys are checked here",
    ("ansible_connection=paramiko ansible_paramiko_host_key_checking=no", ""): f"{THERE}ansible_paramiko_host_key_",
    ("ansible_host_key_checking=perhaps", ""): f"{THERE}ansible_host_key_checking: expected `true` or `false`",
    ("ansible_ssh_executable=/opt/ssh", ""): f"{THERE}ansible_ssh_executable: can't be done here; ",
    (f"ansible_ssh_private_key_passphrase={CANARY}", ""): f"{THERE}ansible_ssh_private_key_passphrase: can't be done",
    (f"ansible_private_key={CANARY}", ""): f"{THERE}ansible_private_key: can't be done here; ",
    ("ansible_connection=paramiko ansible_paramiko_proxy_command=x", ""): f"{THERE}ansible_paramiko_proxy_command: ",
    ("ansible_ssh_private_key_file=missing", ""): f"{THERE}ansible_ssh_private_key_file: no such file beside the inven",
    (f"ansible_password={CANARY}", ""): f"{THERE}ansible_password: the host has no ansible_user",
    ("ansible_host={{\\ a\\ +\\ b\\ }}", ""): f"{THERE}ansible_host: a Jinja expression, of which only names",
    ("ansible_user={{\\ who\\ }}", ""): f"{THERE}ansible_user: a template with who, which is not set for this host",
    (
        f'ansible_user=adm ansible_password=\'{{{{ lookup("x", "{CANARY}") }}}}\'',
        "",
    ): f"{THERE}ansible_password: a Jinja",
    ("ansible_port=ssh", ""): f"{THERE}ansible_port: expected a whole number, got `ssh`",
    ("ansible_port=70000", ""): f"{THERE}address, user and port: expected `ssh://[user@]host[:port]`, ",
    ("ansible_user='a b'", ""): f"{THERE}address, user and port: expected `ssh://[user@]host[:port]`, ",
    (f"ansible_user=a:{CANARY}", ""): f"{THERE}address, user and port: a password has no place here",
    ("ansible_host=-oProxyCommand=x", ""): f"{THERE}address, user and port: expected `ssh://[user@]host[:port]`, ",
    (
        "ansible_connection=community.docker.docker",
        "",
    ): f"{THERE}ansible_connection: `community.docker.docker` is none of",
    ("ansible_shell_type=powershell", ""): f"{THERE}ansible_shell_type says that it is Windows, but ",
    ("ansible_connection=local", "key: pem"): f"{HERE}key: `local://` has no use for it",
    (f"{WINDOWS} {LOGIN}", "known_hosts: pem"): f"{THERE}known_hosts: `winrm://` has no use for it",
    (f"{WINDOWS} {LOGIN} ansible_winrm_path=x", ""): f"{THERE}ansible_winrm_path: is for servers alone",
    (f"{WINDOWS} {LOGIN} ansible_winrm_scheme=ftp", ""): f"{THERE}ansible_winrm_scheme: expected http or https",
    (f"ansible_connection=winrm {LOGIN} ansible_port=5985", ""): f"{THERE}Ansible's default for http without a user@",
}


@pytest.mark.parametrize(("given", "told"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_can_not_be_taken_is_told_with_its_place(tmp_path: Path, given: tuple[str, str], told: str) -> None:
    (mistake,) = mistakes(tmp_path, f"web01 {given[0]}\n", guest(more=given[1]))
    assert mistake.startswith(told)


def test_hosts_that_nobody_lists_and_files_that_can_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.ini").write_text("[open\n")
    asked = guest("web02") + guest("a", file="broken.ini") + guest("b", file="broken.ini")
    broken, unknown = mistakes(tmp_path, "web01\n", asked)
    assert unknown == "lab.yaml:4: ansible://web02: hosts.ini lists no host `web02` (did you mean `web01`?)"
    assert broken.startswith("broken.ini:1: ")


ENTRIES = {
    "- {machine: a, connection: 'ansible://web01'}\n": "guests[0].inventory: missing",
    guest(file="none.ini"): "guests[0].inventory: no such file beside the inventory: `none.ini`",
    guest(more="scheme: http"): "guests[0].scheme: unknown key",
    **{
        f"- {{machine: a, connection: '{way}', inventory: hosts.ini}}\n": "guests[0].connection: expected `ansible://host`"
        for way in ("ansible://", "ansible://a@b", "ansible://a/b", f"ansible://a:{CANARY}@b")
    },
}


@pytest.mark.parametrize(("entry", "told"), ENTRIES.items(), ids=range(len(ENTRIES)))
def test_an_entry_that_is_wrong_in_itself(tmp_path: Path, entry: str, told: str) -> None:
    (mistake,) = mistakes(tmp_path, "web01\n", entry)
    assert mistake.startswith(f"lab.yaml:4: {told}")


def test_two_entries_may_not_lead_to_one_guest(tmp_path: Path) -> None:
    hosts = "web01 ansible_host=h\nweb02 ansible_host=H\n"
    direct = "- {machine: a, connection: 'ssh://h'}\n"
    first, second = mistakes(tmp_path, hosts, guest("web01") + guest("web02") + direct)
    assert first == "lab.yaml:4: ansible://web01: `ssh://h` is on line 6 already"
    assert second == "lab.yaml:5: ansible://web02: `ssh://H` is on line 4 already"


def test_a_login_is_shared_by_its_user_and_password_alone(tmp_path: Path) -> None:
    """Neither with a credential that the estate has under that name, nor with another password."""
    hosts = (
        f"a {LOGIN}\nb {LOGIN}\nc ansible_user=adm ansible_password=other\nd ansible_user=audit ansible_password=x\n"
    )
    found = read(tmp_path, hosts, "".join(map(guest, "abcd")))
    assert [entry.login for entry in found.guests] == ["adm", "adm", "adm_2", "audit_2"]
    environ = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": "of-servers"}
    credentials = credentials_of(found.peers, found, World(environ=environ))
    assert {name: one.password.reveal() for name, one in credentials.items()} == {
        "audit": "of-servers",
        "adm": CANARY,
        "adm_2": "other",
        "audit_2": "x",
    }
    assert CANARY not in repr(credentials)


def test_ways_stay_in_order_and_included_files_have_theirs(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "hosts.ini").write_text("web02 ansible_port=23\n")
    (tmp_path / "part" / "lab.yaml").write_text(
        "servers: [{name: hv02, credential: audit}]\nguests:\n" + guest("web02")
    )
    direct = "- {machine: a, connection: 'ssh://h'}\n"
    found = read(tmp_path, "web01\n", guest("web01") + direct, f"include: [part/lab.yaml]\n{SERVER}")
    assert [one.name for one in found.guests] == ["ssh://web01", "ssh://h", "ssh://web02:23"]
    assert found.lines["ssh://web02:23"] == 3


def test_what_ansible_says_is_part_of_the_digest(tmp_path: Path) -> None:
    first, again, other = (read(tmp_path, f"web01 ansible_port={port}\n", guest()).digest for port in (22, 22, 23))
    assert first == again != other


def test_a_run_over_ssh(tmp_path: Path, run_pytest: RunPytest) -> None:
    vm = Vm(name="sql01")
    hosts = Host(name="HV01", vms=[vm]), Host(name="HV02", vms=[replica_of(vm)])
    login = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": "canary-5e1d"}
    one, two = (
        Simulator(
            Played(rows=host_rows(host), version=host.version, computer=host.name), users={"audit": "canary-5e1d"}
        )
        for host in hosts
    )
    with one, two, sshd(tmp_path / "sshd") as server:
        (tmp_path / "hosts.ini").write_text(
            f"[guests]\nsql01 ansible_host=127.0.0.1 ansible_port={server.port}\n"
            f"[guests:vars]\nansible_user={getpass.getuser()}\nansible_ssh_private_key_file=sshd/user\n"
        )
        (tmp_path / "lab.yaml").write_text(
            "name: lab\ndefaults: {credential: audit, transport: basic}\nservers:\n"
            + "".join(
                f"- {{name: {name}, address: 127.0.0.1, port: {peer.port}, ca: {peer.ca}}}\n"
                for name, peer in (("hv01", one), ("hv02", two))
            )
            + "guests:\n"
            + guest("sql01", "known_hosts: sshd/known_hosts, ssh_config: sshd/ssh_config")
        )
        ran = run_pytest(tmp_path, "--inventory", "lab.yaml", "--hv-report-dir", "live", env=login)
        told = json.loads((tmp_path / "live" / "results.json").read_text())["results"]
        found = {one["label"]: one["finding"] for one in told if one["rule"] == "guest-applies-failover-ip"}
        assert "is not on Hyper-V" in found["hv01/sql01"], ran.stdout + ran.stderr
        assert f"127.0.0.1:{server.port}" in found["hv01/sql01"]
        assert server.logins == 1
    assert "sshd/user" not in ran.stdout + ran.stderr
