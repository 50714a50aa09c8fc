"""Rules of users: an example package that is installed, and each mistake in one line with exit code 4."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from compliance.errors import UsageError
from compliance.judge.judge import all_rules
from compliance.judge.packages import GROUP, rules_of_packages
from tests.running import ROOT, RunPytest

EXAMPLE = ROOT / "docs" / "example-rules"
PROJECT = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
HEAD = """
from compliance.model import ReplicatedVM, Server
from compliance.rule import Severity, passed, rule
from compliance.rules.coverage import server_was_read

def of(key, **more):
    def judge(server: Server):
        return passed()
    return rule(key, severity=Severity.ERROR, title="t", impact="i", resolution="r", **more)(judge)
"""


def wheel(folder: Path, name: str, points: dict[str, str], **modules: str) -> Path:
    """As a build would make it, without one: a build needs the network."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    files = {
        **{f"{module.replace('__', '/')}.py": text for module, text in modules.items()},
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "\n".join([f"[{GROUP}]", *(f"{key} = {value}" for key, value in points.items())]),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD")))
    return path


def installed(folder: Path, built: Path) -> dict[str, str]:
    """Install it into a folder, and return what makes a run see that."""
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, built]
    subprocess.run([*map(str, command), "--disable-pip-version-check"], check=True, timeout=240, capture_output=True)
    return {"PYTHONPATH": str(target)}


@pytest.mark.slow
def test_the_example_judges_the_demo(tmp_path: Path, run_pytest: RunPytest) -> None:
    points = PROJECT["entry-points"][GROUP]
    text = (EXAMPLE / "acme_rules.py").read_text("utf-8")
    environ = installed(tmp_path, wheel(tmp_path, "acme_hyperv_rules", points, acme_rules=text))
    demo = ROOT / "inventories" / "demo.jsonl.gz"
    run = run_pytest(
        tmp_path,
        "--snapshot",
        demo,
        "--hv-rule",
        "acme*",
        "--hv-report-dir",
        "reports",
        "-m",
        "acme_version",
        env=environ,
    )
    assert run.returncode in (1, 10), run.stdout + run.stderr
    document = json.loads((tmp_path / "reports" / "results.json").read_text("utf-8"))
    assert {one["key"] for one in document["rules"]} == {"acme-two-adapters", "acme.version"}
    unread = [one for one in document["results"] if one.get("server") == "bln-hv03"]
    assert {one["result"] for one in unread} == {"unknown"}
    assert document["readiness"]


@pytest.mark.slow
def test_a_mistake_of_a_package_is_exit_code_4(tmp_path: Path, run_pytest: RunPytest) -> None:
    environ = installed(tmp_path, wheel(tmp_path, "acme_rules", {"acme": "acme"}, acme="raise RuntimeError('no luck')"))
    run = run_pytest(tmp_path, "--snapshot", ROOT / "inventories" / "demo.jsonl.gz", env=environ)
    assert run.returncode == 4
    assert "rules `acme` of acme-rules: can't be loaded: RuntimeError: no luck" in (run.stdout + run.stderr).replace(
        "_", "-"
    )
    assert "Traceback" not in run.stdout + run.stderr


MISTAKES: dict[str, tuple[str, str]] = {
    "no rule": ("", "rules `acme`: `made_up_acme` has no rule, which is a function with @rule"),
    "only this suite's": (HEAD, "rules `acme`: `made_up_acme` has no rule, which is a function with @rule"),
    "another's key": (
        HEAD + "r = of('server-was-read')",
        "rules `acme`: the rule `server-was-read` must be called acme-NAME or acme.NAME, in small letters and digits",
    ),
    "another form": (
        HEAD + "r = of('acme-X')",
        "rules `acme`: the rule `acme-X` must be called acme-NAME or acme.NAME, in small letters and digits",
    ),
    "no subject": (
        HEAD + "@rule('acme-x', severity=Severity.ERROR, title='t', impact='i', resolution='r')\ndef f(x: int): ...",
        "rules `acme`: can't be loaded: TypeError: rule acme-x: f's first parameter must be annotated with a subject",
    ),
    "no module": ("raise ImportError('x\\ny')", "rules `acme`: can't be loaded: ImportError: x\\u000ay"),
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_up_acme.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "made_up_acme", raising=False)
    with pytest.raises(UsageError) as error:
        list(rules_of_packages([EntryPoint("acme", "made_up_acme", GROUP)]))
    assert str(error.value) == message


def test_a_package_is_searched_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "made_up_package"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "one.py").write_text(HEAD + "r = of('acme-one')", encoding="utf-8")
    (package / "two.py").write_text(HEAD + "from made_up_package.one import r\nq = of('acme.two')", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    rules = list(rules_of_packages([EntryPoint("acme", "made_up_package", GROUP)]))
    assert [rule.key for rule in rules] == ["acme-one", "acme.two"]


def test_no_rule_of_this_suite_has_a_strangers_key() -> None:
    """Nobody's entry point may be called as these keys begin, or a rule of theirs could be taken for one of ours."""
    assert not any("." in rule.key for rule in all_rules())
