"""The wheel as users get it: built and checked, installed by pip, pipx and uv, and started in an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from compliance.commands.schema import NAMES
from tests.running import ROOT

pytestmark = pytest.mark.slow

SCRIPTS = "Scripts" if os.name == "nt" else "bin"
SUFFIX = ".exe" if os.name == "nt" else ""
PIP = ("install", "--quiet", "--no-compile", "hyperv-compliance")
INSTALLERS = ("pip", "pipx", "uv")
DATA = {"demo.yaml", "demo.jsonl.gz", "demo-guests.yaml", "demo-guests.jsonl.gz", "example.yaml"}


@dataclass(frozen=True, kw_only=True)
class Built:
    """The distribution's files, and a folder that holds its wheel and those of all that it needs."""

    wheel: Path
    source: Path
    wheels: Path


def run(command: Sequence[str | Path], folder: Path, **environ: str | Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COMPLIANCE_", "PIPX"))}
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**kept, "NO_COLOR": "1", **{name: str(value) for name, value in environ.items()}},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        stdin=subprocess.DEVNULL,
        timeout=600,
        check=False,
    )


def module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """Build once, and gather what it needs once: each installer then works without a network. Nothing of it is left:
    the sdist holds the tests, and with them the word that no file of a run may have."""
    for needed in ("build", "hatchling", "twine"):
        if run([*module("pip"), "show", needed], ROOT).returncode:
            pytest.skip(f"needs {needed} (the extra `test`)")
    folder = tmp_path_factory.mktemp("wheel")
    done = run([*module("build"), "--no-isolation", "--outdir", folder, ROOT], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    gathered = run([*module("pip"), "wheel", "--quiet", "--wheel-dir", folder / "wheels", wheel], folder)
    if gathered.returncode:
        pytest.skip(f"needs a package index: {gathered.stderr.splitlines()[-1]}")
    yield Built(wheel=wheel, source=source, wheels=folder / "wheels")
    shutil.rmtree(folder)


def test_the_index_would_take_both(built: Built, tmp_path: Path) -> None:
    done = run([*module("twine"), "check", "--strict", built.wheel, built.source], tmp_path)
    assert done.returncode == 0, done.stdout


def test_both_carry_the_demo_the_example_and_the_schemas(built: Built) -> None:
    """The same octets as the repository's: they stand there once."""
    schemas = {f"{name}.schema.json" for name in NAMES if name != "results"}
    with zipfile.ZipFile(built.wheel) as wheel:
        data = {name for name in wheel.namelist() if name.startswith("compliance/data/")}
        assert {Path(name).name for name in data} == DATA | schemas
        for name in data:
            assert wheel.read(name) == (ROOT / "inventories" / Path(name).name).read_bytes()
        assert "compliance/report/results.schema.json" in wheel.namelist()
        assert "compliance/report/page/page.html.j2" in wheel.namelist()
    with tarfile.open(built.source) as source:
        carried = {name.partition("/")[2] for name in source.getnames()}
    assert {f"inventories/{name}" for name in DATA | schemas} <= carried


def install(installer: str, built: Built, folder: Path) -> Path:
    """Install the wheel without an index; return the command."""
    offline: Mapping[str, str | Path] = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": built.wheels,
        "UV_OFFLINE": "1",
        "UV_NO_INDEX": "1",
        "UV_FIND_LINKS": built.wheels,
        "UV_CACHE_DIR": folder / "cache",
        "UV_TOOL_DIR": folder / "tools",
        "UV_TOOL_BIN_DIR": folder / "bin",
        "PIPX_HOME": folder / "pipx",
        "PIPX_BIN_DIR": folder / "bin",
    }
    steps: dict[str, list[list[str | Path]]] = {
        "pip": [
            [*module("venv"), folder / "venv"],
            [folder / "venv" / SCRIPTS / f"python{SUFFIX}", "-m", "pip", *PIP],
        ],
        "pipx": [[*module("pipx"), "install", "--python", sys.executable, built.wheel]],
        "uv": [[*module("uv"), "tool", "install", "--python", sys.executable, built.wheel]],
    }
    for step in steps[installer]:
        done = run(step, folder, **offline)
        assert done.returncode == 0, done.stdout + done.stderr
    place = folder / "venv" / SCRIPTS if installer == "pip" else folder / "bin"
    return place / f"hyperv-compliance{SUFFIX}"


@pytest.mark.parametrize("installer", INSTALLERS)
def test_it_is_installed_and_runs_in_an_empty_folder(installer: str, built: Built, tmp_path: Path) -> None:
    if installer != "pip" and run([*module(installer), "--version"], tmp_path).returncode:
        pytest.skip(f"needs {installer} (the extra `test`)")
    (home := tmp_path / "home").mkdir()
    (empty := tmp_path / "empty").mkdir()
    command = install(installer, built, home)

    demo = run([command, "demo"], empty)
    assert demo.returncode == 1, demo.stdout + demo.stderr
    assert "hyperv-compliance init" in demo.stdout.splitlines()[-1]
    assert [path.name for path in empty.iterdir()] == ["reports"]
    gate = json.loads((empty / "reports" / "gate.json").read_bytes())
    assert (gate["exit_code"], gate["estate"]) == (1, "demo")

    rules = run([command, "rules", "--json"], empty)
    assert 230 in [rule["bpa"] for rule in json.loads(rules.stdout)["rules"]]
    for name in NAMES:
        assert json.loads(run([command, "schema", name], empty).stdout)["$schema"]
    wanted = run([command, "--version"], empty).stdout.split()[1]
    assert built.wheel.name.startswith(f"hyperv_compliance-{wanted}-")

    shutil.copytree(ROOT / "inventories", empty / "copy")
    audit = run([command, "audit", Path("copy", "demo.yaml"), "-p", "no:cacheprovider"], empty)
    assert audit.returncode == 1, audit.stdout + audit.stderr
    assert "The reports are in reports." in audit.stdout
    shutil.rmtree(home)
