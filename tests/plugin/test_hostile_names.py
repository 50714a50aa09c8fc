"""What hosts and guests write reaches pytest, its terminal, JUnit, xdist and a pipeline's runner escaped, once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import UsageError
from compliance.plugin.cases import properties_of
from compliance.plugin.grain import bundles
from compliance.plugin.mistakes import lines_of
from compliance.plugin.options import Grain
from compliance.plugin.subjects import machines, servers
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.hosts import Host, Vm, guid, linux, replica_of
from tests.report.tables import hostile
from tests.running import RunPytest

NAMES = (
    "\x1b]0;owned\x07\x1b[2K\x1b[1A",
    "a\nlab ... [100%]\n\n0 failed, 4 passed",
    "  ::set-output name=open::true",
    "::error::x",
    "##vso[task.complete result=Succeeded]",
    "\ud800",
    "\u202egnp.exe",
    "a::b[c]",
    "\x9b31m",
    "<&>]]>",
)
RULE = "failover-ip-needs-integration-services"
TEXT = st.text(st.characters(codec=None), max_size=30)


def is_harmless(line: str) -> bool:
    """One line that neither moves a terminal's cursor nor is a command of a pipeline's runner."""
    commands = re.search(r"\A\s*::[a-z-]+( [^:]*)?::|##\w*\[", line)
    return line.isprintable() and not commands


def unharmless(text: str) -> list[str]:
    return [line for line in text.split("\n") if not is_harmless(line)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A snapshot of machines that bear each name, and waivers over half of their findings."""
    mute = [
        Vm(name=name, guid=guid(f"mute {number}"), kvp=12, heartbeat=12, items=linux(name, name, address=name))
        for number, name in enumerate(NAMES)
    ]
    lost = [
        Vm(name=name, guid=guid(f"lost {number}"), kvp=13, hosts=[(name, name)]) for number, name in enumerate(NAMES)
    ]
    old = [
        Vm(
            name=f"old{number}",
            guid=guid(f"old {number}"),
            items={**linux("Debian GNU/Linux", "12"), "OSBuildNumber": name},  # its finding repeats it
        )
        for number, name in enumerate(NAMES)
    ]
    write_snapshot(
        snapshot(
            source(Host(name="HV01", vms=[*mute, *lost, *old])),
            source(Host(name="HV02", vms=[replica_of(vm) for vm in (*mute, *old)])),
            unread_source("hv03", "".join(NAMES)),
        ),
        tmp_path / "x.jsonl",
    )
    ends = f"{datetime.now(UTC) + timedelta(days=5):%Y-%m-%d}"
    entries = [
        f"- {{rule: {rule}, machine: {vm.id}, reason: known, owner: anna, expires: {ends}}}"
        for rule, vm in [*((RULE, vm) for vm in (*mute[::2], *lost[::2])), *(("'*'", vm) for vm in old)]
    ]
    (tmp_path / "waivers.yaml").write_text("\n".join(["waivers:", *entries, ""]))
    (tmp_path / "test_own.py").write_text("def test_own(replicated_vm, hyperv_server): assert 0\n")
    return tmp_path


WAYS = {
    "all that pytest can say": ("-v", "-rA", "--tb=long"),
    "skips, in short": ("-rs", "-ra", "--tb=line"),
    "workers": ("-n", "2", "-v", "-rA", "--junitxml", "x.xml"),
    "uncaptured, with a page": ("-s", "-rA", "--junitxml", "x.xml", "--html", "x.html"),
    "by server": ("--hv-grain", "server", "-v", "-rA", "--junitxml", "x.xml"),
    "users' checks": ("test_own.py", "-rA", "--tb=short", "--junitxml", "x.xml"),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_name_writes_a_line_of_its_own(way: str, folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-waivers", "waivers.yaml", *WAYS[way])
    assert run.returncode == 1, run.stdout[-3000:] + run.stderr[-3000:]
    assert unharmless(run.stdout) == unharmless(run.stderr) == []
    assert "INTERNALERROR" not in run.stdout + run.stderr
    assert ":set-output" in run.stdout or way == "by server"
    if "x.xml" in WAYS[way]:
        texts = list(ElementTree.parse(folder / "x.xml").getroot().itertext())  # pytest wrote it
        assert [text for text in texts if "\x1b" in text or "\ud800" in text] == []


def test_githubs_runner_is_given_our_commands_alone(folder: Path, run_pytest: RunPytest) -> None:
    env = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "step.md")}
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-waivers", "waivers.yaml", "-v", "-rA", env=env)
    commands = unharmless(run.stdout)
    assert commands
    assert [
        line for line in commands if not re.match(r"::(error|warning|notice) ((file|title|line)=[^:]*,?)+::", line)
    ] == []
    assert all("Hyper-V compliance" in line or "title=" in line for line in commands)
    assert unharmless((folder / "step.md").read_text("utf-8")) == []


@settings(deadline=None, max_examples=100)
@given(TEXT)
def test_whatever_pytest_is_handed_is_harmless(text: str) -> None:
    found = hostile(text)
    for grain in Grain:
        for bundle in bundles(found.decisions, found.estate, grain, text):
            handed = [bundle.id, *bundle.details().split("\n"), *(value for _, value in properties_of(bundle))]
            assert [line for line in handed if not is_harmless(line)] == []
    labels = [label for cases in (machines(found), servers(found)) for label, _ in cases]
    assert [label for label in labels if not is_harmless(label)] == []


@settings(max_examples=50)
@given(st.lists(TEXT, min_size=1, max_size=3))
def test_a_mistake_is_a_harmless_line_each(texts: list[str]) -> None:
    lines = lines_of(UsageError("\n".join(texts)))
    assert len(lines) == sum(text.count("\n") for text in texts) + len(texts)
    assert [line for line in lines if not is_harmless(line)] == []
