"""Files that we write: whole or not at all, so that a reader never meets half of one. Only regular files are replaced,
and only regular files are read.

What is written goes to a new file beside, whose name nobody can guess and which follows no link, and is moved into its
place at the end. A device or a pipe is written to, as ``/dev/null`` or ``>(gzip)`` are meant; a link to anything else
is refused, since it leads to a file that nobody named. Folders may be links.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import DEFAULT_BUFFER_SIZE, BufferedReader
from pathlib import Path
from typing import BinaryIO

PATIENCE = 2.0
"""Seconds in which Windows' scanners and indexers let go of a file; a viewer that holds one open does not."""
BETWEEN = 0.1
"""Seconds between two attempts."""

Replace = Callable[[Path, Path], object]


class LeftBesideError(OSError):
    """What was written could not take its place, and stays beside it, as ``filename2``."""


def refuse_unwritable(
    path: Path,
    *,
    replace: Replace = os.replace,
    patience: float = PATIENCE,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Raise OSError where ``replace_file`` could not write: to be asked before hours of work, not after.

    Nothing is left behind, and nothing is sent into a pipe or a device.
    """
    if _is_stream(path):
        if not os.access(path, os.W_OK):
            raise _error(errno.EACCES, path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(path)
    temporary.touch(exist_ok=False)
    with suppress(OSError):
        temporary.unlink()
    if path.exists():
        # Windows replaces no file that another program holds open, and none that is read-only. POSIX does nothing here.
        if getattr(path.stat(), "st_file_attributes", 0) & stat.FILE_ATTRIBUTE_READONLY:
            raise _error(errno.EACCES, path)
        _replace(path, path, replace, patience, sleep)


@contextmanager
def replace_file(
    path: Path,
    *,
    keep: bool = False,
    replace: Replace = os.replace,
    patience: float = PATIENCE,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[BinaryIO]:
    """Give a file to write into, which takes its place when the context ends well. Raise OSError where that fails.

    ``keep``: where only the last step fails, what was written stays beside, and the error names it.
    """
    if _is_stream(path):
        with _stream(path) as file:
            yield file
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary_name(path)
    written = False
    try:
        with temporary.open("xb") as file:  # O_EXCL: a new file, and no link
            yield file
            file.flush()
            os.fsync(file.fileno())
        _keep_mode(path, temporary)
        written = True
        _replace(temporary, path, replace, patience, sleep)
    except BaseException as error:  # whatever ends it, no half file stays; it is raised again
        if written and keep and isinstance(error, OSError):
            text = f"{error.strerror}; what was written is in {temporary}"
            raise LeftBesideError(error.errno, text, str(path), None, str(temporary)) from error
        with suppress(OSError):
            temporary.unlink()
        raise


def open_regular(path: Path, at_once: int = DEFAULT_BUFFER_SIZE) -> BufferedReader:
    """Open a file that the user named, to be read. Raise OSError also for a pipe or a device: opening a pipe to which
    nobody writes waits for ever. A folder is the system's own error. So many octets are read ``at_once``."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return BufferedReader(path.open("rb", buffering=0), at_once)


def why_unreadable(path: Path, error: OSError | ValueError) -> str:
    """Return the reason in words. Windows denies permission where a folder is opened as a file; ValueError is what a
    name with a null byte gets."""
    if isinstance(error, PermissionError) and path.is_dir():
        return os.strerror(errno.EISDIR)
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


def _is_stream(path: Path) -> bool:
    """Return whether it is a device or a pipe, perhaps by a link. Raise OSError for what must not be written at all."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    is_link = stat.S_ISLNK(mode)
    if is_link:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise _error(errno.ELOOP, path, "is a link: name the file itself") from None
    if stat.S_ISDIR(mode):
        raise _error(errno.EISDIR, path)
    if stat.S_ISCHR(mode) or stat.S_ISFIFO(mode):
        return True
    if is_link:
        raise _error(errno.ELOOP, path, "is a link: name the file itself")
    if not stat.S_ISREG(mode):
        raise _error(errno.EINVAL, path, "is neither a file nor a pipe")
    return False


@contextmanager
def _stream(path: Path) -> Iterator[BinaryIO]:
    """Open a device or a pipe as it is. Raise OSError where nobody reads the pipe, which else would wait for ever."""
    try:
        descriptor = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        if error.errno == errno.ENXIO:
            raise _error(errno.ENXIO, path, "nobody reads that pipe") from error
        raise
    with os.fdopen(descriptor, "wb") as file:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _error(errno.EINVAL, path, "became a file in the meantime")
        if hasattr(os, "set_blocking"):  # on Windows for pipes only, and later than 3.11
            with suppress(OSError):
                os.set_blocking(descriptor, True)
        yield file


def _replace(temporary: Path, path: Path, replace: Replace, patience: float, sleep: Callable[[float], object]) -> None:
    for _ in range(int(patience / BETWEEN)):
        with suppress(PermissionError):
            replace(temporary, path)
            return
        sleep(BETWEEN)
    replace(temporary, path)


def _keep_mode(path: Path, temporary: Path) -> None:
    """Let a file that its owner closed to others stay so."""
    with suppress(OSError):
        temporary.chmod(stat.S_IMODE(path.lstat().st_mode) & 0o777)


def _temporary_name(path: Path) -> Path:
    return path.parent / f".{path.name[:40]}.{secrets.token_hex(8)}"


def _error(number: int, path: Path, text: str = "") -> OSError:
    return OSError(number, text or os.strerror(number), str(path))
