"""One simulated estate by every way in which an inventory may be written: the same verdicts, each with its password."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from compliance.audit import judge_snapshot
from compliance.errors import InventoryError, UsageError
from compliance.gather.gather import gather
from compliance.inventory.ansible.by_ansible import VAULT
from compliance.inventory.ansible.without_ansible import NEEDS_ANSIBLE
from compliance.inventory.logins import credentials_of
from compliance.inventory.read import read_any
from compliance.judge.scope import Scope
from compliance.report.results import results
from compliance.secret import Environment
from compliance.snapshot.snapshot import Reading
from compliance.world import World, find_command
from tests.canary import CANARY
from tests.gather.test_gather import PRIMARY, REPLICA, played
from tests.inventory.ansible.conftest import WITHOUT
from tests.running import RunPytest
from tests.simulator import Simulator

PASSWORDS = {"hv01": f"{CANARY} one", "hv02": f"{CANARY}-{{two}}"}
VAULT_PASSWORD = f"{CANARY} of the vault"


@dataclass(frozen=True, kw_only=True)
class Estate:
    """Two servers, each with a password of its own, and a machine that is none of ours."""

    ports: Mapping[str, int]
    ca: Path


@pytest.fixture(scope="module")
def estate() -> Iterator[Estate]:
    with ExitStack() as stack:
        simulators = {
            name: stack.enter_context(Simulator(played(host), auth="ntlm", users={"audit": PASSWORDS[name]}))
            for name, host in (("hv01", PRIMARY), ("hv02", REPLICA))
        }
        yield Estate(ports={name: one.port for name, one in simulators.items()}, ca=simulators["hv01"].ca)


SHARED = {
    "ansible_host": "127.0.0.1",
    "ansible_connection": "winrm",
    "ansible_winrm_transport": "ntlm",
    "ansible_user": "audit",
    "hyperv_estate": "lab",
}


def kept(folder: Path) -> Path:
    """Where a test may write a password: every other file is searched for them."""
    path = folder / "inventories.secret"
    path.mkdir(exist_ok=True)
    return path


def ours(folder: Path, estate: Estate) -> Path:
    path = folder / "lab.yaml"
    login = "address: 127.0.0.1, credential"
    servers = [
        f"- {{name: {name}, port: {port}, site: s-{name}, {login}: {name}}}" for name, port in estate.ports.items()
    ]
    path.write_text("\n".join(["servers:", *servers, f"defaults: {{ca: {estate.ca}, groups: [hyperv]}}"]) + "\n")
    return path


def ini(folder: Path, estate: Estate) -> Path:
    path = folder / "hosts.ini"
    hosts = [
        f"{name} ansible_port={port} hyperv_site=s-{name} ansible_password='{PASSWORDS[name]}'"
        for name, port in estate.ports.items()
    ]
    shared = [f"{name}={value}" for name, value in SHARED.items()]
    lines = ["web01", "[hyperv]", *hosts, "[hyperv:vars]", *shared, f"ansible_winrm_ca_trust_path={estate.ca}"]
    path.write_text("\n".join(lines) + "\n")
    return path


def yaml(folder: Path, estate: Estate) -> Path:
    path = folder / "hosts.yml"
    path.write_text(yaml_text(estate, PASSWORDS))
    return path


def yaml_text(estate: Estate, passwords: Mapping[str, str]) -> str:
    lines = ["all:", "  hosts: {web01: }", "  children:", "    hyperv:", "      hosts:"]
    for name, port in estate.ports.items():
        lines += [f"        {name}:", f"          ansible_port: {port}", f"          hyperv_site: s-{name}"]
        lines += [f"          ansible_password: '{passwords[name]}'"] if name in passwords else []
    shared = [f"        {name}: {value}" for name, value in SHARED.items()]
    return "\n".join([*lines, "      vars:", *shared, f"        ansible_winrm_ca_trust_path: {estate.ca}"]) + "\n"


def folder_of_files(folder: Path, estate: Estate) -> Path:
    """Passwords under other names, as people write them who vault the files that hold those."""
    path = folder / "inventory"
    (path / "group_vars" / "hyperv").mkdir(parents=True)
    (path / "host_vars").mkdir()
    (path / "hosts.yml").write_text(yaml_text(estate, {}))
    (path / "group_vars" / "hyperv" / "login.yml").write_text('ansible_password: "{{ secret_of_host }}"\n')
    for name, password in PASSWORDS.items():
        (path / "host_vars" / f"{name}.yml").write_text(f"secret_of_host: '{password}'\n")
    return path


def vaulted(folder: Path, estate: Estate, environ: Mapping[str, str]) -> Path:
    """One host's file is vaulted whole, the other's password alone."""
    path = folder_of_files(folder, estate)
    vault = find_command(VAULT, environ)
    assert vault
    whole, single = (path / "host_vars" / f"{name}.yml" for name in ("hv01", "hv02"))
    subprocess.run([vault, "encrypt", whole], env=environ, check=True, capture_output=True)
    made = subprocess.run(
        [vault, "encrypt_string", "--name", "secret_of_host", PASSWORDS["hv02"]],
        env=environ,
        check=True,
        capture_output=True,
    )
    single.write_bytes(made.stdout)
    return path


def program(folder: Path, estate: Estate) -> Path:
    """A dynamic source; what it answers is JSON."""
    path = folder / "hosts.sh"
    ca = f'"ansible_winrm_ca_trust_path": "{estate.ca}"'
    hosts = ", ".join(
        f'"{name}": {{"ansible_port": {port}, "hyperv_site": "s-{name}", "ansible_password": "{PASSWORDS[name]}"}}'
        for name, port in estate.ports.items()
    )
    shared = ", ".join(f'"{name}": "{value}"' for name, value in SHARED.items())
    answer = (
        f'{{"_meta": {{"hostvars": {{{hosts}}}}}, "all": {{"hosts": ["web01"]}}, '
        f'"hyperv": {{"hosts": ["hv01", "hv02"], "vars": {{{shared}, {ca}}}}}}}'
    )
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n")
    path.chmod(0o700)
    return path


@pytest.fixture
def vault_environ(tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
    (kept(tmp_path) / "vault-password").write_text(VAULT_PASSWORD)
    return environ | {"ANSIBLE_VAULT_PASSWORD_FILE": str(kept(tmp_path) / "vault-password")}


def verdicts(path: Path, world: World) -> list[tuple[str, str, str, str | None, tuple[str, ...]]]:
    """What is judged, and of each server what its place and groups are."""
    inventory = read_any(path, world=world)
    mine = {
        f"COMPLIANCE_{name.upper()}_{part}": value
        for name, password in PASSWORDS.items()
        for part, value in (("USERNAME", "audit"), ("PASSWORD", password))
    }
    credentials = credentials_of(inventory.servers, inventory, World(environ=Environment(mine)))
    snapshot = gather(inventory, credentials, tool="test")
    assert all(isinstance(source.reading, Reading) for source in snapshot.servers), snapshot.servers
    table = judge_snapshot(snapshot, Scope())
    for text in (repr(inventory), repr(snapshot), "".join(results(table))):
        assert CANARY not in text
    places = {server.name: (server.site, server.groups) for server in table.estate.servers}
    return sorted(
        (one.id, one.outcome.result.value, one.outcome.finding, *places.get(one.server or "", (None, ())))
        for one in table.verdicts
    )


PLAIN = {"ini": ini, "yaml": yaml, "folder": folder_of_files}


@pytest.fixture
def expected(tmp_path: Path, estate: Estate) -> list[tuple[str, str, str, str | None, tuple[str, ...]]]:
    found = verdicts(ours(kept(tmp_path), estate), WITHOUT)
    assert {one[1] for one in found} >= {"passed", "failed"}
    assert ("s-hv01", ("hyperv",)) in {one[3:] for one in found}
    return found


@pytest.mark.parametrize("way", PLAIN)
def test_without_ansible(way: str, tmp_path: Path, estate: Estate, expected: object) -> None:
    assert verdicts(PLAIN[way](kept(tmp_path), estate), WITHOUT) == expected


@pytest.mark.parametrize("way", [*PLAIN, "program"])
def test_with_ansible(way: str, tmp_path: Path, estate: Estate, expected: object, with_ansible: World) -> None:
    assert verdicts((PLAIN | {"program": program})[way](kept(tmp_path), estate), with_ansible) == expected


@pytest.mark.usefixtures("with_ansible")
def test_a_vault(tmp_path: Path, estate: Estate, expected: object, vault_environ: dict[str, str]) -> None:
    assert verdicts(vaulted(kept(tmp_path), estate, vault_environ), World(environ=vault_environ)) == expected


def test_what_needs_ansible_says_so(tmp_path: Path, estate: Estate) -> None:
    path = program(kept(tmp_path), estate)
    with pytest.raises(InventoryError) as error:
        read_any(path, world=WITHOUT)
    assert str(error.value) == (f"{path}: a dynamic inventory, which {NEEDS_ANSIBLE}")


@pytest.mark.usefixtures("with_ansible")
def test_a_vault_without_its_password(tmp_path: Path, estate: Estate, vault_environ: dict[str, str]) -> None:
    """What is vaulted whole can't be read at all; a single value is opened only for a live run, and nobody is asked."""
    path = vaulted(kept(tmp_path), estate, vault_environ)
    environ = {name: value for name, value in vault_environ.items() if name != "ANSIBLE_VAULT_PASSWORD_FILE"}
    without_password = World(environ=environ)
    with pytest.raises(InventoryError, match="ansible-inventory failed: Attempting to decrypt but no vault secrets"):
        read_any(path, world=without_password)
    with pytest.raises(InventoryError, match=r"hv01\.yml: encrypted by ansible-vault, which needs ansible-core"):
        read_any(path, world=WITHOUT)
    (path / "host_vars" / "hv01.yml").write_text("secret_of_host: x\n")
    for world in (without_password, WITHOUT):
        inventory = read_any(path, world=world)
        assert [entry.credential for entry in inventory.servers] == ["audit", "audit_2"]
        with pytest.raises(UsageError) as error:
            credentials_of(inventory.servers, inventory, World(environ=Environment({})))
        assert str(error.value).startswith(f"{path / 'hosts.yml'}:9: hv02: ansible_password: ")


def test_by_the_real_command(tmp_path: Path, estate: Estate, run_pytest: RunPytest) -> None:
    """pytest with an inventory of Ansible's, whichever reads it here; no output has the password."""
    path = ini(kept(tmp_path), estate)
    run = run_pytest(tmp_path, "--inventory", path, "--hv-save", "lab.jsonl", "--hv-report-dir", "reports", "-vv", "-l")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "not Windows, so not read: 1 host (web01)." in run.stdout
    narrowed = run_pytest(tmp_path, "--inventory", path, "--hv-limit", "hyperv:!hv02", "--hv-save", "narrow.jsonl")
    assert "estate lab from" in narrowed.stdout
    assert "Only a part was judged: --hv-limit hyperv:!hv02" in narrowed.stdout
    assert "not in the inventory" not in narrowed.stdout
    again = run_pytest(tmp_path, "--snapshot", "narrow.jsonl", "--hv-report-dir", "narrow")
    assert "Only a part was judged: --hv-limit hyperv:!hv02" in again.stdout
    refused = run_pytest(tmp_path, "--snapshot", "narrow.jsonl", "--hv-baseline", "narrow/results.json")
    assert refused.returncode == 4
    assert "from a narrowed run" in refused.stderr


def test_ways_into_guests_are_the_same_by_the_real_command(tmp_path: Path, with_ansible: World) -> None:
    (tmp_path / "pem").touch()
    (tmp_path / "hosts.ini").write_text(
        "web01 ansible_host=10.1.0.12 ansible_user=audit ansible_port=2222 ansible_ssh_private_key_file=pem\n"
        "db01 ansible_user=adm ansible_password=canary-8d11 ansible_become=true\n"
        "win01 ansible_connection=winrm ansible_winrm_transport=ntlm ansible_user=adm ansible_password=canary-8d11\n"
        "bad ansible_host_key_checking=false ansible_ssh_common_args=-v\n"
    )
    entries = [
        f"- {{machine: a, connection: 'ansible://{name}', inventory: hosts.ini}}"
        for name in ("web01", "db01", "win01", "bad")
    ]
    head = ["servers:", "- {name: hv01, credential: audit}", "guests:"]
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("\n".join((*head, *entries[:-1])))
    bad.write_text("\n".join((*head, entries[-1])))
    mine, theirs = (read_any(good, world=world) for world in (WITHOUT, with_ansible))
    assert mine == theirs
    assert [guest.name for guest in mine.guests] == [
        "ssh://audit@10.1.0.12:2222",
        "paramiko://db01",
        "winrm://win01:5986",
    ]
    told = []
    for world in (WITHOUT, with_ansible):
        with pytest.raises(InventoryError) as error:
            read_any(bad, world=world)
        told.append(str(error.value))
    assert told[0] == told[1]
