"""Programs that print a password, as Windows starts them."""

from __future__ import annotations

import os
from pathlib import Path

from compliance.credentials.ask_places import from_command
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
