"""A pass on a condition that nobody looked at is no plain pass on the terminal, in JUnit and in pytest-html."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source
from tests.hosts import Host, Vm, linux, replica_of
from tests.running import RunPytest, counts

PLAIN = Vm(name="plain01")
IF = Vm(name="if01", items=linux("Red Hat Enterprise Linux", "7.9"))
KEY = "guest-can-apply-failover-ip"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    machines = [PLAIN, IF]
    write_snapshot(
        snapshot(source(Host(name="HV01", vms=machines)), source(Host(name="HV02", vms=[*map(replica_of, machines)]))),
        tmp_path / "x.jsonl",
    )
    return tmp_path


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_it_looks_different_everywhere(more: tuple[str, ...], folder: Path, run_pytest: RunPytest) -> None:
    options = ("--snapshot", "x.jsonl", "--hv-rule", KEY, "-v", "--junitxml", "x.xml", "--html", "x.html")
    run = run_pytest(folder, *options, "--self-contained-html", *more)
    assert run.returncode == 0, run.stdout + run.stderr
    conditional = {line.split("[")[1].split("]")[0] for line in run.stdout.splitlines() if " PASSED IF" in line}
    if not more:
        assert conditional == {"hv01/if01", "hv02/if01"}
    assert counts(run.stdout) == {"passed": 4}
    assert "PASSED IF  1 machine: passed only if " in run.stdout
    junit = ElementTree.parse(folder / "x.xml").getroot()  # pytest wrote it
    sentence = junit.find("testsuite/properties/property[@name='headline']")
    assert sentence is not None
    assert sentence.attrib["value"][1:] in " ".join(run.stdout.split())
    cases = junit.iter("testcase")
    named = {case.get("name") for case in cases if case.find("properties/property[@name='condition']") is not None}
    assert named == {f"{KEY}[hv01/if01]", f"{KEY}[hv02/if01]"}
    assert "Passed on a condition" in (folder / "x.html").read_text("utf-8")


def test_so_it_does_where_a_case_stands_for_several(folder: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(folder, "--snapshot", "x.jsonl", "--hv-rule", KEY, "-v", "--hv-grain", "rule")
    assert " PASSED IF" in run.stdout
