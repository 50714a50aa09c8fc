"""A Kerberos realm of its own: MIT's KDC on a free port of the loopback, everything it writes in one folder."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.canary import CANARY

NAME = "LAB.EXAMPLE"
SERVICE = f"HTTP/localhost@{NAME}"
PASSWORD = CANARY  # reader's
PROGRAMS = {
    "kdb5_util": "krb5-kdc",
    "krb5kdc": "krb5-kdc",
    "kadmin.local": "krb5-admin-server",
    "kinit": "krb5-user",
}
"""What a realm needs, and the Debian package of each."""

_CLIENTS = """[libdefaults]
 default_realm = {name}
 dns_lookup_kdc = false
 dns_canonicalize_hostname = false
 rdns = false
[realms]
 {name} = {{
  kdc = 127.0.0.1:{port}
 }}
[domain_realm]
 localhost = {name}
"""
_KDC = """[kdcdefaults]
 kdc_listen = 127.0.0.1:{port}
 kdc_tcp_listen = 127.0.0.1:{port}
[realms]
 {name} = {{
  database_name = {folder}/principals
  key_stash_file = {folder}/stash
  supported_enctypes = aes256-cts-hmac-sha1-96:normal
 }}
[logging]
 kdc = FILE:{folder}/kdc.log
"""


def program(name: str) -> str | None:
    """Debian keeps some of them where only root looks."""
    return shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin")))


class Realm:
    """A context manager. ``config`` is what clients name as KRB5_CONFIG."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.config = self.config_for("krb5.conf", self.port)
        (folder / "kdc.conf").write_text(_KDC.format(name=NAME, port=self.port, folder=folder))
        self._kdc: subprocess.Popen[bytes] | None = None
        self._keytabs = 0

    def __enter__(self) -> Self:
        self._run("kdb5_util", "create", "-s", "-r", NAME, "-P", "master")
        self.administer(f"addprinc -randkey {SERVICE}")
        started = [program("krb5kdc") or "krb5kdc", "-n", "-r", NAME]
        with (self.folder / "kdc.out").open("wb") as output:
            self._kdc = subprocess.Popen(started, env=self._environment(), stdout=output, stderr=output)
        _wait_for(self.port)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._kdc is not None:
            self._kdc.terminate()
            self._kdc.wait(60)

    def config_for(self, name: str, port: int) -> Path:
        """The same realm with its KDC on another port."""
        (self.folder / name).write_text(_CLIENTS.format(name=NAME, port=port))
        return self.folder / name

    def administer(self, *queries: str) -> str:
        return "".join(self._run("kadmin.local", "-r", NAME, "-q", query) for query in queries)

    def account(self, name: str, password: str) -> None:
        self.administer(f"addprinc +requires_preauth -pw {password} {name}")

    def keytab(self, *principals: str, fresh: bool = True) -> Path:
        """New keys, which make those of earlier keytabs wrong; with ``fresh`` off the keys that are."""
        self._keytabs += 1
        path = self.folder / f"{self._keytabs}.keytab"
        for principal in principals:
            if fresh:
                self.administer(f"addprinc -randkey +requires_preauth {principal}")
            self.administer(f"ktadd {'' if fresh else '-norandkey'} -k {path} {principal}")
        return path

    def kinit(self, principal: str, password: str, cache: Path, *, lifetime: str = "1h") -> None:
        self._run("kinit", "-l", lifetime, "-c", f"FILE:{cache}", principal, given=f"{password}\n")

    def failed_logins(self, principal: str) -> int:
        """What a domain controller would count towards a lockout."""
        found = re.search(r"Failed password attempts: (\d+)", self.administer(f"getprinc {principal}"))
        assert found
        return int(found[1])

    def _run(self, name: str, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            [program(name) or name, *arguments],
            env=self._environment(),
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _environment(self) -> dict[str, str]:
        own = {"KRB5_CONFIG": str(self.config), "KRB5_KDC_PROFILE": str(self.folder / "kdc.conf")}
        return {**os.environ, **own, "KRB5RCACHENAME": "none:", "LC_ALL": "C"}


@contextlib.contextmanager
def silent_kdc() -> Iterator[int]:
    """A port that takes requests, over UDP and TCP, and says no word: as behind a firewall that drops.

    At the end it answers whoever waits with a word that is none, so that nobody waits on.
    """
    with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        stream.bind(("127.0.0.1", 0))
        stream.listen(16)
        datagrams.bind(stream.getsockname())
        yield stream.getsockname()[1]
        datagrams.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                datagrams.sendto(b"?", datagrams.recvfrom(65536)[1])


def free_port() -> int:
    """Free for UDP and TCP."""
    with silent_kdc() as port:
        return port


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.02)
    raise AssertionError("the KDC did not start")
