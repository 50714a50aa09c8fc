"""Our options in pytest's configuration file: what wins, and whose runs they leave alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compliance.plugin.options import OPTIONS
from compliance.snapshot.write import write_snapshot
from compliance.words import quote
from tests.builders import snapshot, source
from tests.hosts import Host, Vm, replica_of
from tests.running import ROOT, RunPytest, counts

SQL = Vm(name="sql01")
MUTE = Vm(name="mute01", kvp=12, heartbeat=12)
ESTATE = snapshot(
    source(Host(name="HV01", vms=[SQL, MUTE]), site="berlin", groups=("dr", "sql")),
    source(Host(name="HV02", vms=[replica_of(SQL)]), site="hamburg"),
)
OWN = "def test_own(): pass\n"
ASKS = "def test_asks(replicated_vm): pass\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_snapshot(ESTATE, tmp_path / "estates" / "lab.jsonl")
    (tmp_path / "estates" / "lab.yaml").write_text("snapshot: lab.jsonl\npolicy: {fail_at: information}\n")
    (tmp_path / "estates" / "strict.yaml").write_text("fail_at: warning\n")
    for name, text in (("own", OWN), ("asks", ASKS)):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"test_{name}.py").write_text(text)
    return tmp_path


def configure(folder: Path, *lines: str) -> None:
    (folder / "pytest.ini").write_text("\n".join(["[pytest]", *lines]) + "\n")


INVENTORY = "hv_inventory = estates/lab.yaml"
READ = "1 finding at or above"


def test_every_option_is_a_key(folder: Path, run_pytest: RunPytest) -> None:
    text = run_pytest(folder, "--help").stdout
    assert all(f"  {name} (" in text for name in OPTIONS)


def test_the_file_names_the_estate(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    run = run_pytest(folder)
    assert run.returncode == 1
    assert f"estate lab from {Path('estates') / 'lab.yaml'}" in run.stdout
    assert "test_own" not in run.stdout


def test_pytest_itself_has_nothing_to_warn_of(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    run = run_pytest(folder, "-W", "error", env={"PYTHONWARNINGS": "error"})
    assert run.returncode == 1
    assert "arning:" not in run.stdout + run.stderr


def test_names_of_files_are_relative_to_the_file(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY, "hv_report_dir = reports", "hv_policy =", "    estates/mild.yaml")
    (folder / "estates" / "mild.yaml").write_text("fail_at: error\n")
    run = run_pytest(folder / "own")
    assert "estate lab from" in run.stdout
    assert json.loads((folder / "reports" / "gate.json").read_text())["exit_code"] == run.returncode == 1


# lines of the file, the command line -> exit code and what is said
PRECEDENCE = {
    "inventory alone": ([], [], "1 finding"),
    "file over inventory": (["hv_fail_at = error"], [], "1 finding at or above `error`"),
    "command line over file": (["hv_fail_at = error"], ["--hv-fail-at", "warning"], "1 finding at or above `warning`"),
    "policy file over the configuration's key": (
        ["hv_fail_at = error"],
        ["--hv-policy", "estates/strict.yaml"],
        "1 finding at or above `warning`",
    ),
    "key over policy file, both in the configuration": (
        ["hv_policy = estates/strict.yaml", "hv_fail_at = error"],
        [],
        "1 finding at or above `error`",
    ),
    "a key of each": (["hv_oldest_snapshot = 0.5"], ["--hv-policy", "estates/strict.yaml"], "old at most"),
    "selection of the file": (["hv_vm = sql*"], [], "Only a part was judged: --hv-vm sql*"),
    "several of them": (["hv_vm =", "    sql*", "    mute*"], [], "Only a part was judged: --hv-vm sql* --hv-vm mute*"),
    "selection replaced, not widened": (
        ["hv_vm = sql*"],
        ["--hv-vm", "mute*"],
        "Only a part was judged: --hv-vm mute*\n",
    ),
    "site": ([], ["--hv-site", "BER*"], "Only a part was judged: --hv-site BER*"),
    "group": ([], ["--hv-group", "dr"], "Only a part was judged: --hv-group dr"),
    "a number": (["hv_oldest_snapshot = 0.5"], [], "old at most"),
}


@pytest.mark.parametrize("case", PRECEDENCE)
def test_what_wins(folder: Path, case: str, run_pytest: RunPytest) -> None:
    lines, arguments, said = PRECEDENCE[case]
    configure(folder, INVENTORY, *lines)
    assert said in run_pytest(folder, *arguments).stdout


def test_another_estate_on_the_command_line(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    run = run_pytest(folder, "--snapshot", "estates/lab.jsonl")
    assert f"from {Path('estates') / 'lab.jsonl'}" in run.stdout


MISTAKES = {
    "hv_fail_at = loud": "--hv-fail-at: expected `error`, `warning` or `information`, got `loud`",
    "hv_least_servers_read = all": "hv_least_servers_read: expected a number, got `all`",
    "hv_least_servers_read = 101": "--hv-least-servers-read: expected at most 100, got `101.0`",
    "hv_grain = sand": "hv_grain: expected machine, server, rule, got `sand`",
    "hv_policy = none.yaml": "none.yaml: can't be read: No such file or directory",
    "hv_limit = all": "--hv-limit chooses servers to read: a snapshot has been read",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_in_the_file(folder: Path, line: str, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY, line, "hv_report_dir = reports")
    run = run_pytest(folder)
    assert run.returncode == 4
    assert MISTAKES[line] in run.stderr
    assert json.loads((folder / "reports" / "gate.json").read_text())["exit_code"] == 4


TYPOS = {
    "pytest.ini": "[pytest]\n{}",
    "tox.ini": "[pytest]\n{}",
    "setup.cfg": "[tool:pytest]\n{}",
    "pyproject.toml": "[tool.pytest.ini_options]\n{}",
}


@pytest.mark.parametrize("name", TYPOS)
def test_a_key_that_is_mistyped_is_refused(name: str, folder: Path, run_pytest: RunPytest) -> None:
    (folder / name).write_text(TYPOS[name].format('hv_oldest_snapshott = "24"\n'))
    for arguments in (("--snapshot", "estates/lab.jsonl", "--hv-report-dir", "out"), ("own",), ("--collect-only",)):
        run = run_pytest(folder, *arguments)
        told = f"{name}: no key of pytest's configuration is called `hv_oldest_snapshott`"
        assert (run.returncode, told in run.stderr) == (4, True), run.stdout + run.stderr
        assert "(did you mean `hv_oldest_snapshot`?)" in run.stderr
    assert json.loads((folder / "out" / "gate.json").read_text())["exit_code"] == 4
    assert run_pytest(folder, "--help").returncode == 0


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("hv_inventry", "hv_inventory"),
        ("HV_FAIL_AT", "hv_fail_at"),
        ("hv-fail-at", "hv_fail_at"),
        ("hv_severity_off", "hv_severity_of"),
        ("hv_", None),
        ("hv_\u202exyzzy", None),
    ],
)
def test_so_is_one_of_the_command_line(key: str, near: str | None, folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "-o", f"{key}=x", "--snapshot", "estates/lab.jsonl")
    assert run.returncode == 4, run.stdout + run.stderr
    assert f"-o: no key of pytest's configuration is called {quote(key)}" in run.stderr
    assert (f"did you mean `{near}`?" in run.stderr) is bool(near)


def test_a_key_of_another_plugin_is_its_own(folder: Path, run_pytest: RunPytest) -> None:
    (folder / "conftest.py").write_text("def pytest_addoption(parser): parser.addini('hv_other', 'theirs')\n")
    configure(folder, "hv_other = x")
    assert run_pytest(folder, "own").returncode == 0


# --- whom it leaves alone ---------------------------------------------------------------------------------------------


def test_a_run_of_paths_is_not_about_the_estate(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY, "hv_report_dir = reports", "hv_vm = sql*")
    run = run_pytest(folder, "own")
    assert (run.returncode, counts(run.stdout)) == (0, {"passed": 1})
    assert not (folder / "reports").exists()


def test_unless_an_option_or_an_id_of_ours_is_named(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    for arguments in (["own", "--hv-vm", "sql*"], ["lab::server-was-read"], ["own", "lab::server-was-read[hv01]"]):
        run = run_pytest(folder, *arguments)
        assert "estate lab from" in run.stdout, run.stdout + run.stderr


def test_checks_of_ones_own_say_what_is_missing(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    run = run_pytest(folder, "asks")
    assert run.returncode == 1
    assert "give --inventory or --snapshot; the configuration file's counts where no path is given" in run.stdout


@pytest.mark.parametrize("way", [(), ("-n", "2")])
def test_testpaths_run_beside_the_estate_of_the_file(folder: Path, way: tuple[str, ...], run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY, "testpaths = own")
    both = counts(run_pytest(folder, *way).stdout)
    only = counts(run_pytest(folder, *way, "--inventory", "estates/lab.yaml").stdout)
    assert both["passed"] == only["passed"] + 1


def test_keys_without_an_estate_do_nothing(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, "hv_vm = sql*", "hv_report_dir = reports")
    run = run_pytest(folder)
    assert (run.returncode, counts(run.stdout)["passed"]) == (1, 1)  # test_asks has no estate
    assert not (folder / "reports").exists()


def test_an_empty_key_says_nothing(folder: Path, run_pytest: RunPytest) -> None:
    configure(folder, INVENTORY)
    assert "estate" not in run_pytest(folder, "-o", "hv_inventory=", "own").stdout


def test_toml(folder: Path, run_pytest: RunPytest) -> None:
    text = '[tool.pytest.ini_options]\nhv_inventory = "estates/lab.yaml"\nhv_vm = ["sql*"]\n'
    (folder / "pyproject.toml").write_text(text)
    assert "Only a part was judged: --hv-vm sql*" in run_pytest(folder).stdout


def test_precedence_is_documented() -> None:
    assert "command line" in (ROOT / "docs" / "inventories.md").read_text(encoding="utf-8")
