"""OpenSSH's own server on a loopback port, with keys of its own: the way into every guest of these tests."""

from __future__ import annotations

import getpass
import os
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from compliance.inventory.guests import GuestEntry
from tests.lab import closed_port

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True, kw_only=True)
class Sshd:
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def entry(self, **changes: Any) -> GuestEntry:
        values: dict[str, Any] = {
            "machine": ("*",),
            "connection": f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}",
            "key": self.folder / "user",
            "known_hosts": self.folder / "known_hosts",
            "ssh_config": self.folder / "ssh_config",
        }
        return GuestEntry(**{**values, **changes})

    @property
    def logins(self) -> int:
        """How many connections it took a key from."""
        return self.log.count("Accepted publickey")

    @property
    def connections(self) -> int:
        return self.log.count("Connection from")

    @property
    def log(self) -> str:
        return (self.folder / "sshd.log").read_text("utf-8", "replace")


def keys(folder: Path) -> None:
    for name in ("host", "user", "stranger"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@contextmanager
def sshd(folder: Path, *, instead: str = "", more: str = "") -> Iterator[Sshd]:
    """``instead``: what each login runs in place of what it asks for, as a login shell that does odd things would."""
    if not Path(SSHD).exists():
        pytest.skip("sshd is not installed (Debian: openssh-server)")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where it locks itself in before a login
    folder.mkdir(exist_ok=True)
    keys(folder)
    port = closed_port()
    (folder / "ssh_config").write_text("", encoding="ascii")
    (folder / "sshd_config").write_text(
        f"""
        Port {port}
        ListenAddress 127.0.0.1
        HostKey {folder / "host"}
        AuthorizedKeysFile {folder / "user.pub"}
        PidFile none
        UsePAM no
        StrictModes no
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin yes
        MaxStartups 200
        PrintMotd no
        LogLevel VERBOSE
        {f"ForceCommand {instead}" if instead else ""}
        {more}
        """,
        encoding="utf-8",
    )
    host_key = (folder / "host.pub").read_text("ascii").split()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key[0]} {host_key[1]}\n", encoding="ascii")
    command = [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(port, process)
        yield Sshd(port=port, folder=folder, process=process)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        assert process.poll() is None, "sshd ended at once"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("sshd does not listen")


def into(tree: Path) -> str:
    """A command that runs what a login asks for with ``tree`` as its root, which anybody may do in a namespace."""
    as_root = "" if os.getuid() == 0 else "unshare -r "
    return f'{as_root}/usr/sbin/chroot {shlex.quote(str(tree))} /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
