"""Programs that print a password, as Windows starts them."""

from __future__ import annotations

import os
from pathlib import Path

from compliance.credentials.ask_places import from_command
from compliance.secret import Environment
from tests.canary import CANARY


def test_a_batch_file_beside_the_inventory_and_on_the_path(tmp_path: Path) -> None:
    (folder := tmp_path / "päth ß").mkdir()
    for place in (tmp_path / "get.cmd", folder / "vault.cmd"):
        place.write_text(f"@echo off\r\necho {CANARY} %1\r\n", newline="")
    environ = Environment({**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"})
    for program in (["./get", "a"], [".\\get.cmd", "a"], ["vault", "a"], ["vault.cmd", "a"]):
        assert from_command(program, tmp_path, environ).reveal() == f"{CANARY} a"
