"""Each place that a password is kept in, by the command line, against servers that check the login."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from compliance.credentials.find import Credential
from compliance.errors import UsageError
from compliance.inventory.logins import credentials_of
from compliance.inventory.own_file import read_inventory
from compliance.secret import Environment, Secret
from compliance.world import World
from tests.canary import CANARY
from tests.commands.doctor.ward import doctor
from tests.plugin.test_plugin import LOGIN, PASSWORD, sealed_servers
from tests.portable import shell
from tests.running import RunCommand, RunPytest
from tests.simulator import Simulator

LOUD = ("-l", "--tb=long", "--full-trace", "-rA", "-vv", "--log-level=DEBUG", "--log-file=x.log")
LOUD += (
    "--log-file-level=DEBUG",
    "--hv-save=x.jsonl.gz",
    "--junitxml=x.xml",
    "--html=x.html",
    "--hv-report-dir=reports",
)
FILED = "password_file: audit.secret"
PRINTING = "import pathlib; open('runs', 'a').write('x'); print(pathlib.Path('audit.secret').read_text())"
PRINTED = f'password_command: [{sys.executable}, -c, "{PRINTING}"]'


def kept(folder: Path, place: str, *, name: str = "audit", password: str = PASSWORD) -> None:
    """The inventory of ``sealed_servers`` says where the password is, which a file of the folder holds."""
    path = folder / "audit.secret"
    path.touch(0o600)
    path.write_text(password)
    with (folder / "live.yaml").open("a") as file:
        file.write(f"credentials:\n  {name}:\n    username: audit\n    {place}\n")


def keyring_of(folder: Path, *entries: tuple[str, str, str]) -> dict[str, str]:
    """The environment of a machine whose keyring is a file with these."""
    env = {
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
        "XDG_DATA_HOME": str(folder / "keyring.secret"),
    }
    for service, username, password in entries:
        subprocess.run(
            [sys.executable, "-m", "keyring", "set", service, username], input=password, env=env, text=True, check=True
        )
    return env


def tried(servers: Sequence[Simulator]) -> list[int]:
    """How often somebody logged in, by server: NTLM takes two headers."""
    return [server.authorization_seen.count("Negotiate") // 2 for server in servers]


@pytest.mark.parametrize("place", ["environment", "keyring", "password_command", "password_file"])
def test_each_place_logs_in(place: str, tmp_path: Path, command: RunCommand, run_pytest: RunPytest) -> None:
    env: Mapping[str, str] = {}
    with sealed_servers(tmp_path) as servers:
        if place == "environment":
            env = LOGIN
        elif place == "keyring":
            env = keyring_of(tmp_path, ("hyperv", "audit", PASSWORD))
            kept(tmp_path, "keyring: hyperv")
        else:
            kept(tmp_path, {"password_command": PRINTED, "password_file": FILED}[place])
        workers = ("-n2",) if place == "password_command" else ()  # which have no use for it
        run = run_pytest(tmp_path, "--inventory=live.yaml", *LOUD, *workers, env=env)
        assert (run.returncode, tried(servers)) == (0, [1, 1]), run.stdout + run.stderr
        examined = command("doctor", "--inventory", "live.yaml", folder=tmp_path, env=env)
        assert (examined.returncode, tried(servers)) == (0, [2, 2]), examined.stdout + examined.stderr
    if place == "password_command":
        assert (tmp_path / "runs").read_text() == "xx"  # once a run, for two servers


def test_a_refused_login_says_where_it_came_from(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, FILED, password=f"{CANARY}-wrong")
        run = run_pytest(tmp_path, "--inventory=live.yaml", *LOUD)
        assert (run.returncode, tried(servers)) == (10, [1, 1])
        right = run_pytest(tmp_path, "--inventory=live.yaml", env={"COMPLIANCE_AUDIT_PASSWORD": PASSWORD})
        assert right.returncode == 0  # the environment goes before the file
    assert "tried ntlm as audit (credential `audit` from password_file audit.secret), sealed over http" in run.stdout


def test_where_two_refuse_the_rest_hears_which_login_it_was(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path) as servers:
        text = (tmp_path / "live.yaml").read_text()
        third = f"  - {{name: hv09, address: 127.0.0.2, port: {servers[0].port}}}\n"
        (tmp_path / "live.yaml").write_text(text + third)
        kept(tmp_path, FILED, password=f"{CANARY}-wrong")
        run = run_pytest(tmp_path, "--inventory=live.yaml")
    assert "refused credential `audit` from password_file audit.secret, and more attempts could lock" in run.stdout


# --- mistakes ---------------------------------------------------------------------------------------------------------

SET = " (or set COMPLIANCE_AUDIT_PASSWORD)"
NAMES = "COMPLIANCE_AUDIT_USERNAME and COMPLIANCE_AUDIT_PASSWORD"
# what is in the place of a keyring -> what is said behind `keyring: `
KEYRINGS: dict[str, tuple[dict[str, str], str]] = {
    "none here": (
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
        "there is none on this machine, which is usual in CI",
    ),
    "locked": (
        {"PYTHON_KEYRING_BACKEND": "tests.keyrings.Locked"},
        "is locked: Failed to unlock the collection! Dismissed",
    ),
    "broken": (
        {"PYTHON_KEYRING_BACKEND": "tests.keyrings.Broken"},
        "can't be read: SystemError: the backend has a bug",
    ),
    "unknown": (
        {"PYTHON_KEYRING_BACKEND": "tests.keyrings.None"},
        "can't be read: AttributeError: module 'tests.keyrings' has no attribute 'None'",
    ),
    "without the entry": (
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
        "service `hyperv` holds nothing for `audit`: run `keyring set` with these two",
    ),
    "without the package": (
        {"PYTHONPATH": "without"},
        'the package is missing: pip install "hyperv-compliance[keyring]"',
    ),
}
# place -> what is said behind the credential's name
PLACES = {
    "password_command: [sh, -c, 'echo locked >&2; exit 3']": "password_command: `sh` ended with exit code 3: locked",
    "password_command: [no-such, show, x]": "password_command: `no-such`: no such program was found",
    "password_file: none.secret": "password_file: {folder}{sep}none.secret: can't be read: No such file or directory",
    "prompt: true": "prompt: there is no terminal to ask on",
}


@pytest.mark.parametrize("one", KEYRINGS)
def test_a_keyring_that_is_of_no_use_is_one_line_and_exit_code_4(one: str, tmp_path: Path, command: RunCommand) -> None:
    env, told = KEYRINGS[one]
    if "PYTHONPATH" in env:
        (tmp_path / "without" / "keyring").mkdir(parents=True)
        (tmp_path / "without" / "keyring" / "__init__.py").write_text("raise ModuleNotFoundError('keyring')")
        env = {"PYTHONPATH": str(tmp_path / "without")}
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, "keyring: hyperv")
        run = command("doctor", "--inventory", "live.yaml", folder=tmp_path, env=env)
        assert not any(server.requests_seen for server in servers)
    assert (run.returncode, run.stdout) == (4, "")
    assert run.stderr == f"ERROR: credential `audit`: keyring: {told}{SET}\n"


@pytest.mark.parametrize("place", [pytest.param(one, marks=[shell] if "sh," in one else []) for one in PLACES])
def test_a_place_that_holds_nothing_is_one_line(place: str, tmp_path: Path) -> None:
    told = f"credential `audit`: {PLACES[place].format(folder=tmp_path, sep=os.sep)}{SET}"
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, place)
        with pytest.raises(UsageError) as error:
            doctor("--inventory", tmp_path / "live.yaml", environ=os.environ)
        assert not any(server.requests_seen for server in servers)
    assert str(error.value) == told


def test_a_run_of_pytest_says_the_same(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path) as servers:
        kept(tmp_path, "prompt: true")
        for more in ("-s", "-n2"):
            run = run_pytest(tmp_path, "--inventory=live.yaml", more)
            assert run.returncode == 4
            assert f"ERROR: credential `audit`: {PLACES['prompt: true']}{SET}\n" in run.stderr
        assert not any(server.requests_seen for server in servers)


# --- what is asked for, and what is not -------------------------------------------------------------------------------


def test_who_reads_no_server_asks_nobody(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path):
        run = run_pytest(tmp_path, "--inventory=live.yaml", "--hv-save=x.jsonl", env=LOGIN)
        assert run.returncode == 0
    (tmp_path / "live.yaml").write_text("name: test\nsnapshot: x.jsonl\n")
    kept(tmp_path, PRINTED)
    assert run_pytest(tmp_path, "--inventory=live.yaml").returncode == 0
    assert not (tmp_path / "runs").exists()


def test_only_what_a_server_names_is_looked_for(tmp_path: Path) -> None:
    (tmp_path / "live.yaml").write_text("servers: [{name: hv01, credential: audit}]\n")
    kept(tmp_path, PRINTED, name="unused")
    found = read_inventory(tmp_path / "live.yaml")
    assert set(found.credentials) == {"unused"}
    assert set(credentials_of(found.servers, found, World(environ=Environment(LOGIN)))) == {"audit"}
    assert not (tmp_path / "runs").exists()


def test_what_is_given_is_not_looked_for(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("servers: [{name: hv01, credential: audit}, {name: hv02, credential: other}]\n")
    found = read_inventory(tmp_path / "site.yaml")
    given = {"audit": Credential(username="audit", password=Secret(CANARY), origin="hosts.ini")}
    environ = {"COMPLIANCE_OTHER_USERNAME": "other", "COMPLIANCE_OTHER_PASSWORD": CANARY}
    world = World(environ=Environment(environ))
    credentials = credentials_of(found.servers, found, world, given=given)
    assert {name: one.username for name, one in credentials.items()} == {"audit": "audit", "other": "other"}
    assert credentials["audit"].origin == "hosts.ini"


def test_a_bug_in_the_midst_of_it_shows_no_password(tmp_path: Path, run_pytest: RunPytest) -> None:
    """pytest tells an internal error with the locals of each function: what was found so far is among them."""
    with sealed_servers(tmp_path):
        text = (tmp_path / "live.yaml").read_text()
        more = "  - {name: hv09, address: 127.0.0.9, credential: other}\n"
        other = "credentials: {other: {username: audit, keyring: hyperv}}\n"
        (tmp_path / "live.yaml").write_text(f"{text}{more}{other}")
        env = {**LOGIN, "PYTHON_KEYRING_BACKEND": "tests.keyrings.Deadly"}
        run = run_pytest(tmp_path, "--inventory=live.yaml", *LOUD, env=env)
    assert run.returncode == 3
    told = run.stdout + run.stderr
    assert "keyrings.py:" in told
    assert ": Bug\n" in told
    assert "'audit': Credential(username='audit', origin='credential `audit` from the environment')" in told
    assert "Environment(of" in told
