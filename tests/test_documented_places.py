"""docs/credentials.md: its inventory is one, and its programs are commands that we would run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from compliance.credentials.places import PasswordPlace
from compliance.inventory.logins import credentials_of
from compliance.inventory.own_file import inventory_of
from compliance.secret import Environment
from compliance.world import World
from tests.canary import CANARY
from tests.running import ROOT

PAGE = (ROOT / "docs" / "credentials.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r"^\| ([^|]+) \| `(\[.+\])` \| ", PAGE, re.MULTILINE))
LEAST = "servers: [{name: hv01, credential: audit}]\n"


def sources_of(text: str) -> dict[str, PasswordPlace]:
    return dict(inventory_of(Path("site.yaml"), text.encode()).credentials)


def test_the_inventory_is_one() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    found = inventory_of(Path("site.yaml"), example.encode())
    assert {entry.login for entry in found.servers} == set(found.credentials) == {"audit", "branch"}


def test_every_place_is_documented() -> None:
    places = {*PasswordPlace.model_fields} - {"username"}
    assert {name for name in places if f"`{name}: " in PAGE} == places


@pytest.mark.parametrize("name", RECIPES)
def test_each_program_is_a_list_that_an_inventory_takes(name: str) -> None:
    text = f"{LEAST}credentials: {{audit: {{username: audit, password_command: {RECIPES[name]}}}}}\n"
    command = sources_of(text)["audit"].password_command
    assert command
    assert len(command) > 1
    assert not any(re.search(r"[`'$|]", argument) for argument in command)  # what only a shell would understand


@pytest.mark.skipif(not shutil.which("pass"), reason="pass is not installed (Debian: pass)")
def test_pass_gives_its_first_line(tmp_path: Path) -> None:
    keys = tmp_path / "gpg.secret"
    keys.mkdir(0o700)
    env = {**os.environ, "GNUPGHOME": str(keys), "PASSWORD_STORE_DIR": str(tmp_path / "store.secret")}

    def run(*command: str, given: str = "") -> None:
        subprocess.run(command, env=env, input=given, text=True, check=True, capture_output=True, timeout=60)

    try:
        run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "audit@dr.example")
        run("pass", "init", "audit@dr.example")
        run("pass", "insert", "--multiline", "hyperv/audit", given=f"{CANARY}\nurl: https://dr.example\n")
        text = f"{LEAST}credentials: {{audit: {{username: audit, password_command: {RECIPES['pass']}}}}}\n"
        found = inventory_of(tmp_path / "site.yaml", text.encode())
        credentials = credentials_of(found.servers, found, World(environ=Environment(env)))
    finally:
        run("gpgconf", "--kill", "all")
    assert credentials["audit"].password.reveal() == CANARY
