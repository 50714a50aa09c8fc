"""Running pytest as a user does: another process, its exit code, what it printed and what it wrote."""

from __future__ import annotations

import atexit
import locale
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.canary import silent
from tests.warm import Warm

RunPytest = Callable[..., subprocess.CompletedProcess[str]]
"""What the fixture `run_pytest` is."""
RunCommand = Callable[..., subprocess.CompletedProcess[str]]
TitleIn = Callable[[str, Path, str], str]

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "inventories" / "demo.yaml"
LAB = ROOT / "tests" / "lab.yaml"
"""The estate of the tests, with hard names and every outcome; the demo is what a customer's looks like."""
TIMEOUT = 240.0
"""Seconds; a run that takes a second alone takes many on a busy machine."""
APART = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # the latter imports all of hypothesis after a failure


def run_pytest(
    folder: Path, *arguments: str | Path, env: Mapping[str, str] | None = None, apart: Sequence[str] = APART
) -> subprocess.CompletedProcess[str]:
    """One run in ``folder``, apart from this run's environment; colours off, nothing from our configuration."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COMPLIANCE_", "COV", "GITHUB_"))
    }
    path = os.pathsep.join(part for part in (str(ROOT), (env or {}).get("PYTHONPATH", "")) if part)
    environ = {**inherited, **(env or {}), "PYTHONPATH": path, "COLUMNS": "500"}
    given = ["--color=no", *apart, *map(str, arguments)]
    if sys.platform != "win32" and not any(name.startswith("PYTHON") for name in env or {}):
        done = _warm().run(given, folder, environ, TIMEOUT)
    else:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *given],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            encoding=encoding_of(environ),
            errors="backslashreplace",
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    silent(done.stdout + done.stderr)
    return done


@cache
def _warm() -> Warm:
    process = Warm(ROOT, os.environ)
    atexit.register(process.end)
    return process


def command(
    *arguments: str | Path, folder: Path = ROOT, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`python -m compliance`, as a user starts it, without a terminal."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COMPLIANCE_", "COV"))}
    path = os.pathsep.join(part for part in (str(ROOT), (env or {}).get("PYTHONPATH", "")) if part)
    environ = {**inherited, **(env or {}), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "compliance", *map(str, arguments)],
        cwd=folder,
        env=environ,
        capture_output=True,
        timeout=TIMEOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    # What is printed travels, and is UTF-8 everywhere; a mistake is told in the system's letters.
    texts = _text(done.stdout, "utf-8"), _text(done.stderr, encoding_of(environ))
    silent("".join(texts))
    return subprocess.CompletedProcess(done.args, done.returncode, *texts)


def _text(output: bytes, encoding: str) -> str:
    return output.decode(encoding, "backslashreplace").replace("\r\n", "\n")


def encoding_of(environ: Mapping[str, str]) -> str:
    """Return what a Python with this environment writes into a pipe: the system's code page on Windows, as at a user's.

    No child is made to speak UTF-8: that hid what only a code page shows.
    """
    if environ.get("PYTHONIOENCODING"):
        return environ["PYTHONIOENCODING"]
    return "utf-8" if sys.platform != "win32" or environ.get("PYTHONUTF8") == "1" else locale.getencoding()


def title_in(browser: str, folder: Path, page: str) -> str:
    """A page's title after a browser has loaded it: what a script on it would change."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    options = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        "--disable-component-update --disable-sync --virtual-time-budget=3000 --dump-dom"
    )
    command = [browser, *options.split(), f"--user-data-dir={folder / 'profile'}", path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True)
    title = re.search("<title[^>]*>(.*?)</title>", done.stdout)
    assert title
    return title[1]


def counts(output: str) -> dict[str, int]:
    """pytest's own last line, as numbers by word."""
    last = next(line for line in reversed(output.splitlines()) if re.search(r" in [\d.]+s", line))
    return {
        word.rstrip("s") if word == "errors" else word: int(number)
        for number, word in re.findall(r"(\d+) ([a-z]+)", last)
    }
