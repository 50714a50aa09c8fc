"""Is somebody there who can be asked? A prompt that nobody sees would hang a job for ever."""

from __future__ import annotations

import io
import os
from typing import IO

CONSOLE: type | None = getattr(io, "_WindowsConsoleIO", None)
"""What Python reads a console by, on Windows alone."""


def is_terminal(stream: IO[str] | None, *, windows: bool = os.name == "nt", console: type | None = CONSOLE) -> bool:
    """Return whether a person may type into this stream. None is a stream that was closed before we started.

    On Windows NUL, which jobs and services have as their input, says that it is a terminal (a character device; seen
    with Python 3.11): only what Python reads as a console is one there.
    """
    try:
        if stream is None or not stream.isatty():
            return False
    except (OSError, ValueError):  # closed since
        return False
    if not windows:
        return True
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return console is not None and isinstance(raw, console)
