"""Our modules are loaded as Python loads them, also by a run that would rewrite the assertions in them."""

from __future__ import annotations

from pathlib import Path

from tests.running import LAB, RunPytest

CONFTEST = """
import sys
from pathlib import Path

import pytest

def note_finders():
    Path("finders").write_text(" ".join(type(finder).__module__ for finder in sys.meta_path))

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.add_cleanup(note_finders)  # before ours, so that it comes after it

def pytest_unconfigure():
    ours = [module for name, module in [*sys.modules.items()] if name.startswith("compliance.")]
    Path("loaders").write_text("\\n".join(f"{module.__name__} {type(module.__loader__).__name__}" for module in ours))
"""


def test_none_is_compiled_anew_by_pytest(tmp_path: Path, run_pytest: RunPytest) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    run = run_pytest(tmp_path, "--inventory", LAB)
    assert run.returncode == 1, run.stdout + run.stderr
    loaders = dict(line.split() for line in (tmp_path / "loaders").read_text().splitlines())
    assert loaders["compliance.plugin.hooks"] == "AssertionRewritingHook"  # so the others would be, too
    assert loaders["compliance.plugin.session"] == loaders["compliance.judge.judge"] == "SourceFileLoader"
    assert "compliance" not in (tmp_path / "finders").read_text()


def test_finders_may_be_put_back_by_others(tmp_path: Path, run_pytest: RunPytest) -> None:
    restored = "import sys\nbefore = [*sys.meta_path]\ndef pytest_sessionfinish(): sys.meta_path[:] = before\n"
    (tmp_path / "conftest.py").write_text(restored)
    run = run_pytest(tmp_path, "--inventory", LAB)
    assert "Traceback" not in run.stdout + run.stderr
    assert run.returncode == 1
