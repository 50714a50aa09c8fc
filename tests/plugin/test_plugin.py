"""The plugin from outside: real runs, exit codes, what they print and write."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from fnmatch import fnmatch
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from compliance.audit import judge_snapshot
from compliance.gate.decision import Decision
from compliance.gate.exits import Exit
from compliance.judge.scope import Scope
from compliance.model import Evidence
from compliance.plugin.options import EVIDENCE, SEVERITIES
from compliance.report.table import Table
from compliance.rule import Result, Severity, Verdict
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.write import write_snapshot
from tests.builders import snapshot, source, unread_source
from tests.canary import CANARY
from tests.host_rows import host_rows
from tests.hosts import Host, Nic, Vm, guid, linux, replica_of
from tests.lab import SNAPSHOT
from tests.running import LAB, ROOT, RunPytest, TitleIn, counts
from tests.simulator import Played, Simulator

TABLE = judge_snapshot(read_snapshot(SNAPSHOT), Scope())
SENTENCE = TABLE.headline + "."
WORDS = {
    Result.FAILED: "failed",
    Result.PASSED: "passed",
    Result.NOT_APPLICABLE: "skipped",
    Result.WAIVED: "skipped",
    Result.UNKNOWN: "error",
}


def expected(keep: Callable[[Verdict], bool] = lambda _: True, of: Table = TABLE) -> dict[str, int]:
    """Return pytest's words for the decisions of a table: the plugin adds and drops nothing."""
    kept = [one for one in of.decisions if keep(one.reported)]
    return dict(Counter(_word(one) for one in kept))


def _word(decision: Decision) -> str:
    result = decision.reported.outcome.result
    return "passed" if result is Result.FAILED and decision.closes is Exit.OPEN else WORDS[result]


OUTCOMES = expected()
RULE = "failover-ip-needs-integration-services"


def saved(folder: Path, *hosts: Host, name: str = "lab.jsonl", **changes: object) -> Path:
    path = folder / name
    write_snapshot(snapshot(*(source(host) for host in hosts), **changes), path)  # type: ignore[arg-type]
    return path


HEALTHY = Host(name="HV01", vms=[Vm(name="sql01")]), Host(name="HV02", vms=[replica_of(Vm(name="sql01"))])
ALL_PASSED = expected(of=judge_snapshot(snapshot(*map(source, HEALTHY)), Scope()))
assert set(ALL_PASSED) <= {"passed", "skipped"}


# --- the main job -----------------------------------------------------------------------------------------------------


def test_the_demo_estate(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB)
    assert run.returncode == 1, run.stdout + run.stderr
    assert counts(run.stdout) == OUTCOMES
    assert SENTENCE in run.stdout
    assert "To do: Switch Data Exchange on in the integration services of the virtual machine" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr


def test_a_healthy_estate_is_green(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--snapshot", saved(tmp_path, *HEALTHY))
    assert (run.returncode, counts(run.stdout)) == (0, ALL_PASSED)
    assert "1 of 1 virtual machine would come up with its failover address." in run.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("-n", "2"),
        ("-W", "error"),
        ("-p", "no:html"),
        ("-p", "no:metadata", "-p", "no:html"),
        ("-vv",),
        ("-q",),
        ("--pdb",),
        ("-rA",),
        ("--tb=long",),
    ],
)
def test_however_it_is_run_the_outcomes_are_the_same(
    arguments: tuple[str, ...], tmp_path: Path, run_pytest: RunPytest
) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, *arguments)
    assert run.returncode in (1, 2) if "--pdb" in arguments else run.returncode == 1, run.stdout + run.stderr
    if "--pdb" not in arguments:  # without a terminal, the first prompt ends the run
        assert counts(run.stdout) == OUTCOMES
        assert SENTENCE in run.stdout


def test_without_an_estate_it_is_silent(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine():\n    pass\n")
    run = run_pytest(tmp_path)
    assert (run.returncode, counts(run.stdout)) == (0, {"passed": 1})
    assert not [line for line in run.stdout.splitlines() if "compliance" in line and not line.startswith("plugins:")]


FREEZING = """
import gc, pathlib, pytest
gc.freeze()

@pytest.hookimpl(trylast=True)
def pytest_unconfigure():
    pathlib.Path("frozen").write_text(str(gc.get_freeze_count() > 0))
"""


def test_what_a_program_around_pytest_has_frozen_stays_so(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "conftest.py").write_text(FREEZING)
    run = run_pytest(tmp_path, "--inventory", LAB)
    assert run.returncode == 1, run.stdout + run.stderr
    assert (tmp_path / "frozen").read_text() == "True"


def test_without_an_estate_it_loads_next_to_nothing(tmp_path: Path) -> None:
    heavy = {"pydantic", "ruamel.yaml", "winrm", "requests", "compliance.model", "compliance.rule", "difflib"}
    of_pytest = "import sys, pytest; before = {*sys.modules}; import compliance.plugin.hooks"  # 8.4 has difflib itself
    code = f"{of_pytest}; print(*sorted({heavy} & ({{*sys.modules}} - before)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_words_of_options_are_the_models() -> None:
    """Written twice, since the model is not loaded for those who name no estate."""
    assert (tuple(Severity), tuple(Evidence)) == (SEVERITIES, EVIDENCE)


def test_where_another_plugin_owns_inventory_it_steps_aside(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "ansible.py").write_text("")
    (tmp_path / "pytest_ansible.py").write_text(
        "def pytest_addoption(parser):\n    parser.getgroup('a').addoption('--inventory')\n"
    )
    env = {"PYTHONPATH": str(tmp_path)}
    theirs = run_pytest(tmp_path, "-p", "pytest_ansible", "--inventory", "hosts", env=env)
    assert "--inventory belongs to another plugin here; ours is --hv-inventory" in theirs.stdout
    assert theirs.returncode == 5
    ours = run_pytest(tmp_path, "-p", "pytest_ansible", "--hv-inventory", LAB, env=env)
    assert counts(ours.stdout) == OUTCOMES


PASSWORD = CANARY
LOGIN = {"COMPLIANCE_AUDIT_USERNAME": "audit", "COMPLIANCE_AUDIT_PASSWORD": PASSWORD}


@contextmanager
def sealed_servers(folder: Path) -> Iterator[list[Simulator]]:
    """The healthy pair on the loopback, and ``live.yaml`` that names them."""
    with ExitStack() as stack:
        found = []
        for host in HEALTHY:
            played = Played(rows=host_rows(host), version=host.version, computer=host.name)
            one = Simulator(played, scheme="http", auth="ntlm", users={"audit": PASSWORD})
            found.append(stack.enter_context(one))
        named = [
            f"  - {{name: {host.name}, address: 127.0.0.1, port: {one.port}}}"
            for host, one in zip(HEALTHY, found, strict=True)
        ]
        defaults = "defaults: {scheme: http, transport: ntlm, credential: audit}"
        (folder / "live.yaml").write_text("\n".join(["name: test", defaults, "servers:", *named, ""]))
        yield found


def test_xdist_gathers_once(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path) as servers:
        run = run_pytest(tmp_path, "--inventory", "live.yaml", "-n", "2", env=LOGIN)
        assert (run.returncode, counts(run.stdout)) == (0, ALL_PASSED), run.stdout + run.stderr
        assert [sum(one.action == "Identify" for one in server.log) for server in servers] == [1, 1]


def test_a_live_run_over_sealed_ntlm_and_its_snapshot(tmp_path: Path, run_pytest: RunPytest) -> None:
    with sealed_servers(tmp_path):
        written = ("--html", "x.html", "--self-contained-html", "--junitxml", "x.xml", "--hv-save", "live.jsonl")
        live = run_pytest(tmp_path, "--inventory", "live.yaml", *written, "-v", env=LOGIN)
    offline = run_pytest(tmp_path, "--snapshot", "live.jsonl", "-v")
    assert (live.returncode, offline.returncode, counts(live.stdout)) == (0, 0, ALL_PASSED)
    cases = [[line for line in run.stdout.splitlines() if line.startswith("test::")] for run in (live, offline)]
    assert cases[0] == cases[1]
    told = [live.stdout, live.stderr, *((tmp_path / name).read_text() for name in ("x.html", "x.xml", "live.jsonl"))]
    assert not [text for text in told if PASSWORD in text]


# --- ids and selection ------------------------------------------------------------------------------------------------


def ids(stdout: str) -> list[str]:
    return [line for line in stdout.splitlines() if "::" in line and not line.startswith((" ", "E ", "ERROR"))]


def test_ids_do_not_depend_on_where_or_how(tmp_path: Path, run_pytest: RunPytest) -> None:
    here = run_pytest(tmp_path, "--inventory", LAB, "--collect-only", "-q")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    named = run_pytest(deep, f"--inventory={LAB.parent}/../tests/lab.yaml", "--collect-only", "-q")
    assert here.returncode == named.returncode == 0
    assert len(ids(here.stdout)) == len(set(ids(here.stdout))) == sum(OUTCOMES.values())
    assert [one[one.index("demo::") :] for one in ids(named.stdout)] == ids(here.stdout)


@pytest.mark.parametrize(
    "name",
    [
        "bln-hv01/sql01",
        'bln-hv02/<img src=x onerror="alert(1)">',
        "bln-hv02/Büro 東京 [alt]/::x",
        "bln-hv01/twin~aaaaaaaa",
        "bln-hv03",
    ],
)
def test_an_id_is_accepted_back(name: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, f"demo::{RULE}[{name}]", "--collect-only", "-q")
    assert ids(run.stdout) == [f"demo::{RULE}[{name}]"]
    assert run.returncode == 0


def test_an_id_is_accepted_back_by_xdist(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, "-n", "2", f"demo::{RULE}[bln-hv01/sql01]")
    assert (run.returncode, counts(run.stdout)) == (1, {"passed": 1})


def test_asking_for_fixtures_reads_no_server(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--snapshot", "nowhere.jsonl", "--fixtures")
    assert run.returncode == 0
    assert "replicated_vm" in run.stdout


def test_an_id_without_its_subject_means_the_rule(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, "demo::server-was-read")
    assert counts(run.stdout) == {"passed": 5, "error": 1}


def test_an_id_that_is_not_there(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, f"demo::{RULE}[bln-hv01/nobody]")
    assert (run.returncode, "not found: demo::" in run.stderr) == (4, True)


Keep = Callable[[Verdict], bool]


def is_called(text: str) -> Keep:
    return lambda verdict: text in verdict.id


def is_of(pattern: str) -> Keep:
    return lambda verdict: fnmatch(verdict.rule.key, pattern)


def has_severity(word: str) -> Keep:
    return lambda verdict: verdict.rule.severity.value == word


# pytest's own never changes the gate, and so not the exit code; ours say what the gate is about
SELECTIONS: list[tuple[tuple[str, ...], Keep, int]] = [
    (("-k", "sql01"), is_called("sql01"), 1),
    (("-k", "東京"), is_called("東京"), 1),
    (("-m", "server_was_read"), is_of("server-was-read"), 1),
    (("-m", "severity_warning"), has_severity("warning"), 1),
    (("--deselect", f"demo::{RULE}"), lambda verdict: verdict.rule.key != RULE, 1),
    (("--hv-rule", "server-*"), is_of("server-*"), 10),
    (("--hv-severity", "warning"), has_severity("warning"), 1),
    (("-k", "nosuch"), lambda _: False, 4),
]


@pytest.mark.parametrize(("arguments", "keep", "code"), SELECTIONS, ids=[" ".join(one[0]) for one in SELECTIONS])
def test_selection(arguments: tuple[str, ...], keep: Keep, code: int, tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, *arguments)
    found = counts(run.stdout)
    assert {word: number for word, number in found.items() if word != "deselected"} == expected(keep)
    assert run.returncode == code
    if any(argument.startswith("--hv-") for argument in arguments):
        scope = next(line for line in run.stdout.splitlines() if line.startswith("Only a part was judged: "))
        assert all(argument in scope for argument in arguments)


SCOPES = [  # `--hv-…`: the scope's own tests hold which verdicts are in it
    (("--hv-vm", "sql*"), Scope(machines=("sql*",)), 10),
    (("--hv-vm", "SQL01", "--hv-server", "bln-hv01"), Scope(machines=("SQL01",), servers=("bln-hv01",)), 0),
    (("--hv-vm", "Büro 東京 [alt]/::x", "--hv-server", "fra-*"), None, 0),
    (("--hv-server", "fra-*"), Scope(servers=("fra-*",)), 1),
]


@pytest.mark.parametrize(("arguments", "scope", "code"), SCOPES, ids=[" ".join(one[0]) for one in SCOPES])
def test_scope(
    arguments: tuple[str, ...], scope: Scope | None, code: int, tmp_path: Path, run_pytest: RunPytest
) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, *arguments)
    if scope is not None:
        assert counts(run.stdout) == expected(of=judge_snapshot(read_snapshot(SNAPSHOT), scope))
    assert run.returncode == code


def test_maxfail_stops_and_the_gate_does_not(tmp_path: Path, run_pytest: RunPytest) -> None:
    run = run_pytest(tmp_path, "--inventory", LAB, "--maxfail", "3")
    found = counts(run.stdout)
    assert found.get("failed", 0) + found.get("error", 0) == 3
    assert run.returncode == 1


def test_last_failed_runs_what_failed(tmp_path: Path, run_pytest: RunPytest) -> None:
    options = ("--inventory", LAB, "-p", "cacheprovider", "-o", f"cache_dir={tmp_path / 'cache'}")
    run_pytest(tmp_path, *options)
    again = run_pytest(tmp_path, *options, "--lf")
    found = counts(again.stdout)
    assert (found["failed"], found["error"], found.get("passed", 0)) == (OUTCOMES["failed"], OUTCOMES["error"], 0)


# --- beside a user's own tests ----------------------------------------------------------------------------------------

OWN = """
import ipaddress

def test_addresses_are_private(replicated_vm):
    for address in replicated_vm.machine.failover_addresses:
        assert ipaddress.ip_address(address).is_private

def test_version(hyperv_server):
    assert hyperv_server.version.startswith("10.0.")
"""


def test_users_own_checks_run_over_the_same_estate(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text(OWN)
    run = run_pytest(tmp_path, "--inventory", LAB, "test_own.py", "--hv-rule", RULE)
    found = counts(run.stdout)
    assert run.returncode == 1
    # 40 machines and 5 servers more, and bln-hv03 is an error for each check
    own = {"passed": 40 + 5, "error": 2}
    assert found == Counter(expected(is_of(RULE))) + Counter(own)
    assert "connection refused" in run.stdout


def test_only_users_own_checks_by_their_path(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text(OWN)
    run = run_pytest(
        tmp_path, "--snapshot", saved(tmp_path, *HEALTHY), "test_own.py::test_version", "test::server-was-read"
    )
    assert counts(run.stdout) == {"passed": 4}


def test_a_check_without_an_estate_is_an_error(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text(OWN)
    run = run_pytest(tmp_path)
    assert (run.returncode, counts(run.stdout)) == (1, {"error": 2})
    assert "replicated_vm needs an estate: give --inventory or --snapshot" in run.stdout


def test_a_check_over_no_machine_is_an_error(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text(OWN)
    none = saved(tmp_path, Host(vms=[Vm(name="x", mode=0)]))
    run = run_pytest(tmp_path, "--snapshot", none, "test_own.py::test_addresses_are_private", "test::server-was-read")
    assert counts(run.stdout) == {"passed": 1, "error": 1}


def test_a_users_failing_test_keeps_its_traceback(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text("def test_it():\n    assert 1 == 2\n")
    run = run_pytest(tmp_path, "--inventory", LAB, "test_own.py")
    assert "assert 1 == 2" in run.stdout
    assert run.stdout.count("guest and host have no common version of Data Exchange") == 1


def test_a_users_broken_test_keeps_pytests_code(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "test_own.py").write_text("import nothing_of_this_name\n")
    assert run_pytest(tmp_path, "--inventory", LAB, "test_own.py").returncode == 2


# --- what is wrong is one line and exit code 4 ------------------------------------------------------------------------


def wrong(folder: Path) -> dict[str, tuple[tuple[str | Path, ...], str]]:
    (folder / "bad.yaml").write_text("name: lab\nservers:\n  - name: hv01\n    adress: x\n    credential: audit\n")
    (folder / "good.yaml").write_text("servers:\n  - name: hv01\n    credential: nobody\n")
    (folder / "cut.jsonl").write_text('{"format": "hyperv')
    (folder / "lost.yaml").write_text("snapshot: cut.jsonl\n")
    return {
        "missing inventory": (("--inventory", "no.yaml"), "no.yaml: "),
        "unknown key": (
            ("--inventory", "bad.yaml"),
            "bad.yaml:4: servers[0].adress: unknown key (did you mean `address`?)",
        ),
        "no credential": (("--inventory", "good.yaml"), "COMPLIANCE_NOBODY_USERNAME"),
        "damaged snapshot": (("--snapshot", "cut.jsonl"), "cut.jsonl:1: damaged or not a snapshot"),
        "snapshot of an inventory": (("--inventory", "lost.yaml"), "cut.jsonl:1: damaged or not a snapshot"),
        "missing snapshot": (("--snapshot", "no.jsonl"), "no.jsonl: can't be read"),
        "both": (("--inventory", LAB, "--snapshot", SNAPSHOT), "both given"),
        "twice the same": (("--snapshot", SNAPSHOT, "--snapshot", SNAPSHOT), "give each server once"),
        "empty variable": (("--inventory", ""), "--inventory names no file: is a variable empty?"),
        "option without estate": (("--hv-save", "x.jsonl"), "--hv-save needs an estate"),
        "scope without estate": (("--hv-vm", "sql*"), "--hv-vm needs an estate"),
        "evidence": (("--inventory", LAB, "--hv-evidence", "none"), "invalid choice"),
        "no place to save": (("--inventory", "good.yaml", "--hv-save", folder / "good.yaml" / "x"), "can't be written"),
    }


MISTAKES = [
    "missing inventory",
    "unknown key",
    "no credential",
    "damaged snapshot",
    "snapshot of an inventory",
    "missing snapshot",
    "both",
    "twice the same",
    "empty variable",
    "option without estate",
    "scope without estate",
    "evidence",
    "no place to save",
]


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_4(what: str, tmp_path: Path, run_pytest: RunPytest) -> None:
    arguments, says = wrong(tmp_path)[what]
    run = run_pytest(tmp_path, *arguments)
    assert run.returncode == 4, run.stdout + run.stderr
    assert says in run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_an_estate_without_replicas_is_not_green(tmp_path: Path, run_pytest: RunPytest) -> None:
    none = Host(vms=[Vm(name="x", mode=0)])
    run = run_pytest(tmp_path, "--snapshot", saved(tmp_path, none))
    assert (run.returncode, counts(run.stdout)) == (10, {"passed": 1, "error": 1})
    (tmp_path / "lab.yaml").write_text("snapshot: lab.jsonl\nmay_be_empty: true\n")
    allowed = run_pytest(tmp_path, "--inventory", "lab.yaml")
    assert (allowed.returncode, counts(allowed.stdout)) == (0, {"passed": 2})


# --- snapshots --------------------------------------------------------------------------------------------------------


def test_what_is_saved_is_judged_alike(tmp_path: Path, run_pytest: RunPytest) -> None:
    first = run_pytest(tmp_path, "--inventory", LAB, "--hv-save", "saved.jsonl.gz", "--collect-only", "-q")
    again = run_pytest(tmp_path, "--snapshot", "saved.jsonl.gz", "--collect-only", "-q")
    assert ids(first.stdout) == ids(again.stdout)
    assert run_pytest(tmp_path, "--snapshot", "saved.jsonl.gz").stdout.count(SENTENCE) == 1
    assert read_snapshot(tmp_path / "saved.jsonl.gz") == read_snapshot(SNAPSHOT)


def test_sites_gathered_apart_are_joined(tmp_path: Path, run_pytest: RunPytest) -> None:
    primary, replica = (saved(tmp_path, host, name=f"{host.name}.jsonl") for host in HEALTHY)
    apart = run_pytest(tmp_path, "--snapshot", replica)
    assert counts(apart.stdout)["error"] >= 2
    joined = run_pytest(tmp_path, "--snapshot", primary, "--snapshot", replica)
    assert (joined.returncode, counts(joined.stdout)) == (0, ALL_PASSED)


def test_evidence_bpa_is_said_everywhere(tmp_path: Path, run_pytest: RunPytest) -> None:
    options = ("--hv-evidence", "bpa", "--hv-rule", RULE, "--html", "x.html", "--self-contained-html")
    run = run_pytest(tmp_path, "--inventory", LAB, *options)
    assert counts(run.stdout)["failed"] == 3  # two on a legacy adapter, and the one to which it is not offered
    assert "Evidence: bpa." in run.stdout
    assert "evidence: bpa" in (tmp_path / "x.html").read_text()


# --- JUnit ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_junit(more: tuple[str, ...], tmp_path: Path, run_pytest: RunPytest) -> None:
    run_pytest(tmp_path, "--inventory", LAB, "--junitxml", "x.xml", *more)
    cases = [case for suite in JUnitXml.fromfile(str(tmp_path / "x.xml")) for case in suite]
    kinds = Counter(type(case.result[0]).__name__ if case.result else "passed" for case in cases)
    words = {Failure.__name__: "failed", Error.__name__: "error", Skipped.__name__: "skipped", "passed": "passed"}
    assert {words[kind]: number for kind, number in kinds.items()} == OUTCOMES
    names = [(case.classname, case.name) for case in cases]
    assert len(set(names)) == len(names)
    assert ("demo", f"{RULE}[bln-hv01/crm01]") in names
    failure = next(case for case in cases if case.name == f"{RULE}[fra-node1/print01]").result[0]
    lines = failure.text.splitlines()
    assert lines[0].startswith("Data Exchange is switched off")
    assert any(line.startswith("Issue: Virtual machines participating in replication") for line in lines)
    text = (tmp_path / "x.xml").read_text()
    assert str(tmp_path) not in text
    assert str(LAB.parent.parent) not in text


# --- pytest-html ------------------------------------------------------------------------------------------------------


def report_of(run_pytest: RunPytest, folder: Path, *arguments: str | Path) -> tuple[str, dict[str, object]]:
    run_pytest(folder, *arguments, "--html", "x.html", "--self-contained-html")
    page = (folder / "x.html").read_text()
    blob = re.search(r'data-jsonblob="([^"]*)"', page)
    assert blob
    return page, json.loads(html.unescape(blob[1]))


def rows_of(data: dict[str, object]) -> list[list[str]]:
    tests = data["tests"]
    assert isinstance(tests, dict)
    return [entry["resultsTableRow"] for entries in tests.values() for entry in entries]


@pytest.mark.parametrize("more", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_html_report(more: tuple[str, ...], tmp_path: Path, run_pytest: RunPytest) -> None:
    page, data = report_of(run_pytest, tmp_path, "--inventory", LAB, *more)
    assert "This impacts the following virtual machines:" in page
    assert "creativecommons.org/licenses/by/4.0" in page
    assert SENTENCE.split(";", maxsplit=1)[0] in page.replace("&#x27;", "'").replace("&#39;", "'")
    assert len(rows_of(data)) == sum(OUTCOMES.values())
    environment = data["environment"]
    assert isinstance(environment, dict)
    assert "Packages" not in environment
    assert "bln-hv03" in str(environment["Servers not read"])


def test_hostile_names_are_escaped_in_every_cell(tmp_path: Path, run_pytest: RunPytest) -> None:
    page, data = report_of(run_pytest, tmp_path, "--inventory", LAB)
    assert "<img src=x" not in page
    assert not [cell for row in rows_of(data) for cell in row if "<img" in cell]


def test_no_name_runs_a_script_in_a_browser(
    browser: str, tmp_path: Path, run_pytest: RunPytest, title_in: TitleIn
) -> None:
    owned = "<img src=x onerror=\"document.title='owned'\">"
    script = "</script><script>document.title='owned'</script>"
    items = linux(owned, script, address=owned)
    hosts = [
        Host(
            name="HV01",
            vms=[Vm(name=owned, items=items), Vm(name=script, kvp=12, items=items), Vm(name="' onx='", offered=3)],
        ),
        Host(name="HV02", vms=[Vm(name=owned, guid=guid("other"), mode=2, power=3, hosts=[(owned, script)])]),
    ]
    (tmp_path / "test_own.py").write_text("def test_own(replicated_vm):\n    assert replicated_vm.machine.name == 1\n")
    page, _ = report_of(run_pytest, tmp_path, "--snapshot", saved(tmp_path, *hosts), "test_own.py")
    assert title_in(browser, tmp_path, page) == "test: Hyper-V compliance"


def test_a_large_estate_shows_a_thousand_rows_and_true_totals(tmp_path: Path, run_pytest: RunPytest) -> None:
    machines = [
        Vm(name=f"vm{number:04}", nics=[Nic(addresses=("10.2.0.1",))], kvp=12 if number % 10 == 0 else 2)
        for number in range(1500)
    ]
    path = saved(tmp_path, Host(vms=machines))
    page, data = report_of(run_pytest, tmp_path, "--snapshot", path, "--hv-rule", RULE)
    rows = rows_of(data)
    assert len(rows) == 1000
    assert sum("failed" in row[0].lower() for row in rows) == 150
    assert "(150)" in page or re.search("150 of 1,?500", page)


def test_unread_servers_are_rows_too(tmp_path: Path, run_pytest: RunPytest) -> None:
    path = tmp_path / "x.jsonl"
    write_snapshot(snapshot(unread_source("hv01", "<b>no</b> & never")), path)
    page, data = report_of(run_pytest, tmp_path, "--snapshot", path)
    assert "<b>no</b>" not in page
    assert len(rows_of(data)) == len(judge_snapshot(read_snapshot(path), Scope()).decisions)
