"""The recipes for several sites that no one machine reaches: gathered apart, handed on with a digest, judged once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from groovy_parser.parser import parse_groovy_content
from ruamel.yaml import YAML

from compliance.snapshot.read import read_snapshot
from compliance.snapshot.write import write_snapshot
from tests.running import DEMO
from tests.test_recipes import RECIPES, SCRIPTS, run_in, text

SITES = ("berlin", "frankfurt")
SCHEMAS = [
    ("github-sites.yml", "vendor.github-workflows", ()),
    ("gitlab-sites.yml", "vendor.gitlab-ci", ("--data-transform", "gitlab-ci")),
    ("azure-sites.yml", "vendor.azure-pipelines", ("--regex-variant", "nonunicode")),
]
EVERY = (*(name for name, *_ in SCHEMAS), "Jenkinsfile.sites", "awx-sites.yml")


@pytest.fixture(scope="module")
def ungathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory for each site; what its servers answered stands in for them."""
    snapshot = read_snapshot(DEMO.with_name("demo.jsonl.gz"))
    folder = tmp_path_factory.mktemp("sites") / "repository"
    folder.mkdir()
    for site in SITES:
        servers = tuple(one for one in snapshot.servers if (one.site == "berlin") is (site == "berlin"))
        clusters = tuple(one for one in snapshot.clusters if (one.site == "berlin") is (site == "berlin"))
        part = replace(snapshot, estate=site, servers=servers, clusters=clusters)
        write_snapshot(part, folder / f"answers-{site}.jsonl.gz")
        (folder / f"{site}.yaml").write_text(f"name: {site}\nsnapshot: answers-{site}.jsonl.gz\n")
    command = folder.parent / "bin" / "hyperv-compliance"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m compliance "$@"\n')
    command.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def gathered(ungathered: Path) -> Path:
    """The same after each site was gathered."""
    folder = _copied(ungathered, ungathered.parent.with_name("gathered"))
    for site in SITES:
        done = run(folder, "sh", RECIPES / "gather.sh", site)
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search(rf"^[0-9a-f]{{64}}  {site}\.jsonl\.gz$", done.stdout, re.MULTILINE)
    return folder


@pytest.fixture
def repository(gathered: Path, tmp_path: Path) -> Path:
    """A gathered one that a test may change."""
    return _copied(gathered, tmp_path / "sites")


def _copied(folder: Path, parent: Path) -> Path:
    shutil.copytree(folder.parent, parent)
    return parent / folder.name


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(folder.parent / "bin"), str(SCRIPTS), os.environ["PATH"]))
    return run_in(folder, *command, env={"PATH": path})


@pytest.mark.slow
def test_what_was_gathered_apart_is_judged_once(repository: Path) -> None:
    done = run(repository, "sh", RECIPES / "judge.sh", *SITES)
    assert done.returncode == 1, done.stdout + done.stderr
    gate = json.loads((repository / "reports" / "gate.json").read_bytes())
    assert gate["estate"] == "berlin+frankfurt"
    results = (repository / "reports" / "results.json").read_text(encoding="utf-8")
    assert '"bln-hv01"' in results
    assert '"fra-hv01"' in results
    for site in SITES:
        digest = (repository / "snapshots" / f"{site}.jsonl.gz.sha256").read_text().split()[0]
        assert digest in results + json.dumps(gate), site


@pytest.mark.slow
@pytest.mark.parametrize("harm", ["missing", "changed", "without a digest", "not named"])
def test_a_site_that_is_not_what_was_gathered_is_judged_by_nobody(harm: str, repository: Path) -> None:
    snapshot = repository / "snapshots" / "frankfurt.jsonl.gz"
    match harm:
        case "missing":
            snapshot.unlink()
        case "changed":
            snapshot.write_bytes(snapshot.read_bytes() + b"\0")
        case "without a digest":
            snapshot.with_name(f"{snapshot.name}.sha256").unlink()
    done = run(repository, "sh", RECIPES / "judge.sh", *(SITES if harm != "not named" else ()))
    assert done.returncode == 4, done.stdout + done.stderr
    assert not (repository / "reports" / "gate.json").exists() or harm == "not named"


@pytest.mark.slow
def test_a_site_that_can_not_be_read_hands_nothing_on(repository: Path) -> None:
    (repository / "berlin.yaml").write_text("nothing: here\n")
    done = run(repository, "sh", RECIPES / "gather.sh", "berlin")
    assert done.returncode == 4
    assert not list((repository / "snapshots").glob("berlin*"))


@pytest.mark.parametrize(("name", "schema", "more"), SCHEMAS)
def test_a_pipeline_fits_its_services_schema(name: str, schema: str, more: tuple[str, ...], tmp_path: Path) -> None:
    quoted = re.sub(r"\b(always|timeoutInMinutes): (\w+)", r'\1: "\2"', text(name))
    (tmp_path / name).write_text(quoted, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_jenkinsfile_is_groovy() -> None:
    tree = str(parse_groovy_content(text("Jenkinsfile.sites")))
    for step in ("withCredentials", "stash", "unstash", "archiveArtifacts", "junit"):
        assert step in tree


@pytest.mark.parametrize("name", EVERY)
def test_every_site_that_is_gathered_is_judged(name: str) -> None:
    """None is left out, and no code of the run is made weaker."""
    live = "\n".join(line for line in text(name).splitlines() if not line.lstrip().startswith(("#", "//")))
    for word in ("continue-on-error", "continueOnError", "allow_failure", "catchError", "ignore_errors", "|| true"):
        assert word not in live
    if name != "awx-sites.yml":
        assert "gather.sh" in live
        assert f"judge.sh {' '.join(SITES)}" in live


def test_only_gathering_is_handed_secrets() -> None:
    for name in EVERY:
        gather, judge = re.split(r"judge:|job: judge|stage\('Judge'\)|name: Judge all", text(name), maxsplit=1)
        assert "COMPLIANCE_AUDIT_PASSWORD" in gather or name == "gitlab-sites.yml"  # which has variables of its own
        assert "COMPLIANCE_" not in judge


def plays() -> list[dict[str, Any]]:
    return list(YAML(typ="safe").load(text("awx-sites.yml")))


def test_the_playbook_accepts_what_gather_sh_accepts() -> None:
    tasks = {task["name"]: task for play in plays() for task in play["tasks"]}
    assert tasks["Read the servers"]["failed_when"] == "hv_audit.rc not in [0, 1, 10, 11]"
    assert "0 | 1 | 10 | 11)" in text("gather.sh")
    assert tasks["Judge"]["failed_when"] == "hv_gate.rc != 0"
    assert plays()[0]["any_errors_fatal"] is True


@pytest.mark.slow
def test_the_playbook_runs(ungathered: Path, tmp_path: Path) -> None:
    """By Ansible itself, both sites on this machine."""
    repository = _copied(ungathered, tmp_path / "sites")
    ansible = shutil.which("ansible-playbook", path=os.pathsep.join((str(SCRIPTS), os.environ["PATH"])))
    if ansible is None:
        pytest.skip("needs ansible-playbook (the extra `test-ansible`)")
    shutil.copy(RECIPES / "awx-sites.yml", repository)
    hosts = "\n".join(f"{site} hv_site={site}" for site in SITES)
    local = f"ansible_connection=local\nansible_python_interpreter={sys.executable}\nhv_folder={repository}"
    (repository / "hosts.ini").write_text(f"[gatherers]\n{hosts}\n[gatherers:vars]\n{local}\n")
    done = run(repository, ansible, "-i", "hosts.ini", "awx-sites.yml")
    assert "failed: [localhost]" in done.stdout or "fatal: [localhost]" in done.stdout, done.stdout + done.stderr
    gate = json.loads((repository / "reports" / "gate.json").read_bytes())
    assert (gate["estate"], gate["exit_code"]) == ("berlin+frankfurt", 1)
