"""Every program that we start: no shell, a stated environment, a deadline, a cap on what it prints, and an end.

What a child gets of our environment is stated by whoever starts it: ``plain`` for programs that need no more than any
does, ``all_but_ours`` for those that log in somewhere by variables of their own. None gets a variable of ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from compliance.errors import ReadError, Why

OURS = "COMPLIANCE_"
"""How the names of all variables begin that hold something of ours, such as COMPLIANCE_AUDIT_PASSWORD."""
PLAIN = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "LANG", "LANGUAGE", "TZ", "TMPDIR", "XDG_RUNTIME_DIR"),
        *("SSH_AUTH_SOCK", "KRB5CCNAME", "KRB5_CONFIG"),  # how ssh proves who we are: agents and tickets
        *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "PROGRAMDATA", "PROGRAMFILES"),
        *("USERPROFILE", "USERNAME", "USERDOMAIN", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "COMPUTERNAME"),
    }
)
PLAIN_BEGINS = "LC_"
MOST_ERRORS = 16 * 1024
"""Bytes of what a program complains that are kept, unless its caller wants more."""
LEFT_BEHIND = 1.0
"""Seconds that a pipe may stay open after its program: one that it started and left behind may hold it for ever."""


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that any program may need, and no other: one that we don't know may hold a password, such as
    one that an inventory of Ansible's looks up."""
    return {
        name: value for name, value in environ.items() if name.upper() in PLAIN or name.upper().startswith(PLAIN_BEGINS)
    }


def all_but_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """Return every variable that is not ours."""
    return {name: value for name, value in environ.items() if not name.upper().startswith(OURS)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """What a program or a channel printed, and how it ended; a negative status is the signal that ended it."""

    status: int
    output: bytes
    errors: bytes = b""


@dataclass(slots=True)
class Children:
    """Programs that run now, each in a session of its own: who leaves a run ends them."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, start: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        """Start one more. ReadError where all were ended."""
        with self.lock:
            if self.ended:
                raise ReadError("the gathering was interrupted", why=Why.INCOMPLETE)
            process = start()
            self.running.add(process)
            return process

    def discard(self, process: subprocess.Popen[bytes]) -> None:
        with self.lock:
            self.running.discard(process)

    def end_all(self) -> None:
        with self.lock:
            self.ended = True
            for process in self.running:
                _kill_session(process)


def run(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    seconds: float,
    most: int,
    given: bytes = b"",
    folder: Path | None = None,
    most_errors: int = MOST_ERRORS,
    may_complain: bool = True,
    own_session: bool = True,
    children: Children | None = None,
) -> Ended:
    """Return what a program printed when ``given`` stood on its standard input.

    ``most`` bytes it may print, and complain ``most_errors``: what is more of these is dropped, or ends it where it
    may not complain. In a session of its own it has no terminal, and ends with all that it started itself, such as a
    jump host's ssh; else it may ask on the terminal.

    Raises OSError or ValueError where it can't be started, and ReadError: TIMED_OUT, TOO_LARGE, or INCOMPLETE where
    ``children`` were ended.
    """
    children = children or Children()
    pipe = subprocess.PIPE
    kill = _kill_session if own_session else _kill
    process = children.start(
        lambda: subprocess.Popen(  # noqa: S603  # a list, and no shell
            list(arguments),
            cwd=folder,
            env=dict(environ),
            stdin=pipe if given else subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            start_new_session=own_session,
        )
    )
    output = _Pipe(process.stdout, most, lambda: kill(process))
    errors = _Pipe(process.stderr, most_errors, None if may_complain else lambda: kill(process))
    threading.Thread(target=_write, args=(process.stdin, given), daemon=True).start()
    until = time.monotonic() + seconds
    late = ReadError(f"did not end within {seconds:g} seconds", why=Why.TIMED_OUT)
    try:
        if own_session:  # then all that holds its output open belongs to it
            output.thread.join(seconds)
            if output.thread.is_alive():
                raise late
        process.wait(max(until - time.monotonic(), 0.0))
    except subprocess.TimeoutExpired:
        raise late from None
    finally:
        children.discard(process)
        kill(process)
        process.wait()
        output.thread.join(LEFT_BEHIND)
        errors.thread.join(LEFT_BEHIND)
    if output.is_too_much or errors.is_too_much:
        largest = most if output.is_too_much else most_errors
        raise ReadError(f"printed more than {largest:,} bytes", why=Why.TOO_LARGE)
    return Ended(status=process.returncode, output=bytes(output.content), errors=bytes(errors.content))


class _Pipe:
    """What comes out of a pipe, read by a thread: two pipes at once on every system, and nothing kept beyond a cap."""

    def __init__(self, stream: IO[bytes] | None, most: int, end: Callable[[], None] | None) -> None:
        self.content = bytearray()
        self.is_too_much = False
        self._most = most
        self._end = end
        self.thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self.thread.start()

    def _read(self, stream: IO[bytes] | None) -> None:
        assert stream  # noqa: S101  # both are pipes
        with suppress(OSError, ValueError), stream:
            while block := os.read(stream.fileno(), 65536):
                if len(self.content) + len(block) > self._most and self._end:
                    self.is_too_much = True
                    self._end()
                    return
                self.content += block[: self._most - len(self.content)]


def _write(stream: IO[bytes] | None, given: bytes) -> None:
    """By a thread: a program that reads nothing must not hold us up."""
    if stream is not None:
        with suppress(OSError, ValueError), stream:
            stream.write(given)


def _kill_session(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it started, while it is not waited for: later its number may be another one's."""
    if process.returncode is not None:
        return
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    if os.name == "nt":  # a .cmd's own process is a shell, and what it started would live on
        tree = [f"{os.environ.get('SYSTEMROOT', 'C:/Windows')}/System32/taskkill.exe", "/T", "/F", "/PID"]
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603  # Windows' own, by its full name
                [*tree, str(process.pid)],
                env=plain(os.environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=10,
                check=False,
            )
    with suppress(OSError):
        process.kill()
