"""One process or one channel, read to a cap and to a deadline; and all processes of a run, to be ended with it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import IO

from compliance.errors import ReadError, Why

MOST_OUTPUT = 1024 * 1024
"""Bytes of what a guest prints. Its script's sections make at most a fifth of that, and mostly some kilobytes."""
MOST_ERRORS = 16 * 1024


@dataclass(slots=True)
class Processes:
    """Those that run now: who leaves a gathering ends them."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    ended: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, arguments: Sequence[str]) -> subprocess.Popen[bytes]:
        """In a session of its own, so that what it starts itself, a jump host's ssh for one, ends with it."""
        with self.lock:
            if self.ended:
                raise ReadError("the gathering was interrupted", why=Why.INCOMPLETE)
            pipe = subprocess.PIPE
            started = subprocess.Popen(  # noqa: S603  # a list, and no shell
                arguments, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
            )
            self.running.add(started)
            return started

    def end(self, process: subprocess.Popen[bytes]) -> None:
        with self.lock:
            self.running.discard(process)
            _kill(process)

    def end_all(self) -> None:
        with self.lock:
            self.ended = True
            for process in self.running:
                _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The whole session, while its first process is not waited for: later its number may be another one's."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a process or a channel printed, and how it ended."""

    status: int
    output: bytes
    errors: bytes = b""


def run(arguments: Sequence[str], given: bytes, *, seconds: float, processes: Processes) -> Said:
    """Run one process with ``given`` on its standard input. ReadError past the cap or the deadline."""
    process = processes.start(arguments)
    late = threading.Event()

    def expire() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(seconds, expire)
    timer.daemon = True
    timer.start()
    assert process.stdin  # noqa: S101  # all three are pipes
    assert process.stdout  # noqa: S101
    assert process.stderr  # noqa: S101
    errors = bytearray()
    listener = threading.Thread(target=_listen, args=(process.stderr, errors), daemon=True)
    listener.start()
    try:
        with suppress(OSError):
            process.stdin.write(given)
            process.stdin.close()
        output = capped(partial(os.read, process.stdout.fileno()))
        status = process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        late.set()
        status = -1
    finally:
        timer.cancel()
        processes.end(process)
        process.wait()
        listener.join(timeout=1)
        for stream in (process.stdin, process.stdout, process.stderr):
            with suppress(OSError):
                stream.close()
    if late.is_set():
        raise ReadError(f"no whole answer within {seconds:g} seconds", why=Why.TIMED_OUT)
    return Said(status=status, output=output, errors=bytes(errors))


def capped(read: Callable[[int], bytes], until: float = float("inf")) -> bytes:
    """All that ``read`` gives until it gives nothing. ``until``: seconds of time.monotonic."""
    found = bytearray()
    while block := read(65536):
        found += block
        if len(found) > MOST_OUTPUT:
            raise ReadError(f"prints more than {MOST_OUTPUT:,} bytes, which our script never does", why=Why.TOO_LARGE)
        if time.monotonic() > until:
            raise ReadError("no whole answer in time", why=Why.TIMED_OUT)
    return bytes(found)


def _listen(stream: IO[bytes], errors: bytearray) -> None:
    """To the end, so that a process which complains a lot does not wait for us; but no more than a little is kept."""
    with suppress(OSError, ValueError):
        while block := stream.read(4096):
            errors += block[: MOST_ERRORS - len(errors)]
