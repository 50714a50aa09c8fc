"""A process that has pytest and the plugin loaded and forks for each run, since loading them is most of a run's cost.

    python -m tests.warm      # reads requests, one JSON line each, from its input; answers with exit codes

A run forked from it is a process of its own, with its folder, environment, output and exit code, as a user's. What a
user's has besides is a fresh start: tests about that (interpreter's options, imports, other plugins) start a new one.
POSIX only.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

LAB = Path(__file__).with_name("lab.yaml")


class Warm:
    """The client's side: one process, and one run after another."""

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.warm"],
            cwd=root,
            env={**environ, "PYTHONPATH": str(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: Sequence[str], folder: Path, environ: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run pytest. TimeoutExpired where it takes more than ``timeout`` seconds."""
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            request = {
                "arguments": list(arguments),
                "folder": str(folder),
                "environ": dict(environ),
                "out": f"/proc/{os.getpid()}/fd/{out.fileno()}",
                "err": f"/proc/{os.getpid()}/fd/{err.fileno()}",
                "timeout": timeout,
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError("the process that runs pytest has ended")
            code = json.loads(line)
            texts = [_text(file) for file in (out, err)]
        if code is None:
            raise subprocess.TimeoutExpired(list(arguments), timeout, *texts)
        return subprocess.CompletedProcess(list(arguments), code, *texts)

    def end(self) -> None:
        """End the process: it ends with its input."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


def _text(file: Any) -> str:
    file.seek(0)
    content: bytes = file.read()
    return content.decode("utf-8").replace("\r\n", "\n")


# --- the process ------------------------------------------------------------------------------------------------------


def serve() -> None:
    """Load what a run loads, by a run that writes all reports; then fork for each request."""
    answers = os.dup(1)
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    import pytest

    with tempfile.TemporaryDirectory() as reports:
        pytest.main(["-p", "no:cacheprovider", "-q", "--inventory", str(LAB), "--hv-report-dir", reports])
    gc.collect()
    gc.freeze()  # each run looks for garbage twice at its end: for its own alone
    for line in requests:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            os.close(answers)
            _run(request)
        os.write(answers, f"{json.dumps(_code_of(child, request['timeout']))}\n".encode())


def _run(request: Mapping[str, Any]) -> NoReturn:
    code = 70
    try:
        os.setsid()
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(request[name], os.O_WRONLY | os.O_APPEND), number)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environ"])
        sys.path[:0] = [part for part in request["environ"].get("PYTHONPATH", "").split(os.pathsep) if part]
        sys.argv = ["pytest", *request["arguments"]]
        import pytest

        code = int(pytest.main())
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _code_of(child: int, timeout: float) -> int | None:
    """Wait for a run; None where its time is over. Its group is ended with it."""

    def late(_number: int, _frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, timeout)
    try:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


if __name__ == "__main__":
    serve()
