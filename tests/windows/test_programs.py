"""Programs that print a password or list hosts, as Windows starts and ends them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from compliance.credentials.ask_places import from_command
from compliance.errors import InventoryError
from compliance.inventory.ansible.by_ansible import list_hosts
from compliance.secret import Environment
from tests.canary import CANARY


def test_a_batch_file_beside_the_inventory_and_on_the_path(tmp_path: Path) -> None:
    folder = tmp_path / "programs.secret"
    (on_path := folder / "päth ß").mkdir(parents=True)
    for place in (folder / "get.cmd", on_path / "vault.cmd"):
        place.write_text(f"@echo off\r\necho {CANARY} %1\r\n", newline="")
    environ = Environment({**os.environ, "PATH": f"{on_path}{os.pathsep}{os.environ['PATH']}"})
    for program in ("./get", ".\\get.cmd", "vault", "vault.cmd"):
        assert from_command([program, "a"], folder, environ).reveal() == f"{CANARY} a"


def test_a_batch_file_that_lists_no_hosts_is_ended_at_the_limit(tmp_path: Path) -> None:
    """Ansible is no program of Windows: who has it there hands it on, to another system, by a file such as this. What
    the file started should end with it; that is not looked at, since Wine's taskkill leaves it be."""
    (tmp_path / "list.py").write_text("import time; time.sleep(60)\n")
    program = tmp_path / "ansible-inventory.cmd"
    program.write_text(f'@"{sys.executable}" "{tmp_path / "list.py"}"\r\n', newline="")
    (tmp_path / "aws_ec2.yml").write_text("plugin: aws_ec2\n")
    with pytest.raises(InventoryError, match=r"ansible-inventory\.cmd did not end within 2 seconds"):
        list_hosts(tmp_path / "aws_ec2.yml", str(program), os.environ, seconds=2)
