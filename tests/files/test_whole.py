"""Files that we write: whole or not at all, and nothing but a regular file is replaced."""

from __future__ import annotations

import os
import select
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

import pytest

from compliance.errors import ComplianceError
from compliance.files.whole import BETWEEN, refuse_unwritable, replace_file, why_unreadable
from compliance.files.yaml_file import content_of
from compliance.gate.baseline import read_baseline
from compliance.snapshot.read import read_snapshot

POSIX = pytest.mark.skipif(os.name != "posix", reason="Windows has no device files, pipes or plain links in folders")


def write(path: Path, content: bytes = b"new") -> None:
    with replace_file(path) as file:
        file.write(content)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_replaced_whole_and_nothing_stays_beside(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.json"
    refuse_unwritable(path)
    assert names(path.parent) == set()
    write(path, b"old")
    refuse_unwritable(path)
    assert path.read_bytes() == b"old"
    write(path)
    assert (path.read_bytes(), names(path.parent)) == (b"new", {"x.json"})


def break_off(file: BinaryIO, error: BaseException) -> NoReturn:
    file.write(b"half")
    raise error


@pytest.mark.parametrize("error", [OSError("x"), ValueError("x"), KeyboardInterrupt()], ids=lambda one: str(type(one)))
def test_what_breaks_off_leaves_the_old_file(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), replace_file(path, keep=True) as file:
        break_off(file, error)
    assert (path.read_bytes(), names(tmp_path)) == (b"old", {"x.json"})


@POSIX
def test_the_name_beside_is_new_each_time_and_follows_no_link(tmp_path: Path) -> None:
    seen = set()
    for _ in range(3):
        with replace_file(tmp_path / ("x" * 200 + ".jsonl.gz")):
            (beside,) = names(tmp_path) - {"x" * 200 + ".jsonl.gz"}
            seen.add(beside)
    assert len(seen) == 3
    assert all(str(os.getpid()) != name.rpartition(".")[2] for name in seen)


@POSIX
def test_a_file_that_is_closed_to_others_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(b"old")
    path.chmod(0o600)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@POSIX
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may make a device")
def test_a_device_stays_one(tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    refuse_unwritable(device)
    try:
        write(device)
    except PermissionError:
        pytest.skip("devices can't be opened in this folder (nodev)")
    assert stat.S_ISCHR(device.stat().st_mode)
    assert names(tmp_path) == {"null"}


@POSIX
def test_the_device_that_takes_everything_is_written_to() -> None:
    refuse_unwritable(Path(os.devnull))
    write(Path(os.devnull))
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@POSIX
def test_a_pipe_is_written_to_once_and_refused_where_nobody_reads(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    refuse_unwritable(pipe)
    with pytest.raises(OSError, match="nobody reads"):
        write(pipe)
    read: list[bytes] = []
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    def read_all() -> None:
        select.select([reader], [], [], 20)  # until there is a writer: before that a pipe is at its end
        os.set_blocking(reader, True)
        with os.fdopen(reader, "rb") as file:
            read.append(file.read())

    thread = threading.Thread(target=read_all)
    thread.start()
    write(pipe, b"x" * 200_000)
    thread.join(20)
    assert (read, stat.S_ISFIFO(pipe.stat().st_mode)) == ([b"x" * 200_000], True)


LINKS: dict[str, Callable[[Path], object]] = {
    "to a file": lambda path: path.symlink_to("other"),
    "to nothing": lambda path: path.symlink_to("nowhere"),
    "to a folder": lambda path: path.symlink_to("."),
    "to itself": lambda path: path.symlink_to(path.name),
}


@POSIX
@pytest.mark.parametrize("kind", LINKS)
def test_a_link_is_refused_and_what_it_leads_to_untouched(kind: str, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"old")
    path = tmp_path / "x.json"
    LINKS[kind](path)
    for work in (refuse_unwritable, write):
        with pytest.raises(OSError, match=r"link|Is a directory") as caught:
            work(path)
        assert caught.value.filename == str(path)
    assert (tmp_path / "other").read_bytes() == b"old"
    assert path.is_symlink()
    assert names(tmp_path) == {"other", "x.json"}


@POSIX
def test_a_link_to_a_device_is_one() -> None:
    """As /dev/stdout and a shell's >(…) are."""
    reader, writer = os.pipe()
    path = Path(f"/dev/fd/{writer}")
    if not path.exists():
        pytest.skip("this system has no /dev/fd")
    refuse_unwritable(path)
    write(path)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        assert file.read() == b"new"


@POSIX
def test_a_folder_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link" / "x.json")
    assert names(tmp_path / "real") == {"x.json"}


class Held:
    """A file that another program holds open, as Windows does: not replaced until it lets go."""

    def __init__(self, path: Path, attempts: int) -> None:
        self.path = path
        self.attempts = attempts
        self.slept: list[float] = []

    def replace(self, one: Path, other: Path) -> None:
        if self.attempts:
            self.attempts -= 1
            raise PermissionError(13, "Access denied", str(other))
        one.replace(other)


def test_a_file_that_is_held_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    held = Held(tmp_path / "x.json", attempts=5)
    with replace_file(held.path, replace=held.replace, sleep=held.slept.append) as file:
        file.write(b"new")
    assert (held.path.read_bytes(), held.slept, names(tmp_path)) == (b"new", [BETWEEN] * 5, {"x.json"})


def test_a_file_that_stays_held_is_refused_before_the_work(tmp_path: Path) -> None:
    held = Held(tmp_path / "x.json", attempts=1000)
    refuse_unwritable(held.path, replace=held.replace, sleep=held.slept.append)  # it is not there yet
    held.path.write_bytes(b"old")
    with pytest.raises(PermissionError):
        refuse_unwritable(held.path, replace=held.replace, sleep=held.slept.append)
    assert (held.path.read_bytes(), names(tmp_path)) == (b"old", {"x.json"})


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_written_is_kept_where_it_can_not_take_its_place(keep: bool, tmp_path: Path) -> None:
    held = Held(tmp_path / "x.json", attempts=1000)
    held.path.write_bytes(b"old")
    with (
        pytest.raises(OSError, match="Access denied") as caught,
        replace_file(held.path, keep=keep, replace=held.replace, sleep=held.slept.append) as file,
    ):
        file.write(b"new")
    beside = names(tmp_path) - {"x.json"}
    assert (held.path.read_bytes(), len(beside)) == (b"old", int(keep))
    for name in beside:
        assert (tmp_path / name).read_bytes() == b"new"
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("", PermissionError(13, "Permission denied"), "Is a directory"),
        ("file", PermissionError(13, "Permission denied"), "Permission denied"),
        ("nowhere", FileNotFoundError(2, "No such file or directory"), "No such file or directory"),
        ("nul\0", ValueError("embedded null byte"), "embedded null byte"),
    ],
)
def test_a_folder_is_named_as_one_where_windows_denies_permission(
    name: str, error: OSError | ValueError, says: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    assert why_unreadable(tmp_path / name, error) == says


# --- read -------------------------------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("by_link", [False, True])
@pytest.mark.parametrize("read", [read_snapshot, lambda path: read_baseline(path, "lab"), content_of])
def test_a_pipe_to_which_nobody_writes_is_refused(
    read: Callable[[Path], object], by_link: bool, tmp_path: Path
) -> None:
    """In a thread: opening it waits for ever."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    errors: list[str] = []

    def attempt() -> None:
        try:
            read(tmp_path / ("link" if by_link else "pipe"))
        except ComplianceError as error:
            errors.append(str(error))

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(60)
    assert errors
    assert "can't be read: not a regular file" in errors[0]
