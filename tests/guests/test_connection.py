"""Ways in: keys that are checked, guests that are hostile, and nothing that stays behind."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paramiko
import pytest

from compliance.child import Children
from compliance.credentials.find import Credential
from compliance.errors import ReadError, Why
from compliance.gather.guests.shell import configuration
from compliance.gather.guests.unix import read_guest
from compliance.inventory.entries import Limits
from compliance.inventory.guests import GuestEntry
from compliance.snapshot.snapshot import GuestReading
from tests.canary import CANARY
from tests.guests.sshd import Sshd, sshd
from tests.lab import closed_port

SHORT = Limits(connect=2, operation=3, server=5)
"""For guests that never end: where a deadline is what a test is about."""
PATIENT = Limits(connect=60, operation=60, server=60)
BUSY = 60
"""Seconds in which a busy machine is done with what ends after five."""


def read(entry: GuestEntry, limits: Limits = PATIENT, credential: Credential | None = None) -> GuestReading:
    processes = Children()
    try:
        return read_guest(entry, credential, limits, lambda: datetime.now(UTC), processes)
    finally:
        assert not processes.running


def refusal(entry: GuestEntry, limits: Limits = PATIENT, credential: Credential | None = None) -> ReadError:
    with pytest.raises(ReadError) as error:
        read(entry, limits, credential)
    assert str(error.value).startswith(f"{entry.connection}: ")
    return error.value


def clients(of: Sshd) -> list[str]:
    """ssh clients of this guest that still run, by the port that stands in their command lines."""
    listed = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if line.startswith("ssh ") and f"Port={of.port}" in line]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with sshd(tmp_path_factory.mktemp("sshd")) as running:
        yield running


# --- host keys and logins ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
def test_both_clients_read_the_same(server: Sshd, scheme: str) -> None:
    way = server.entry().connection.replace("ssh://", f"{scheme}://")
    config = {"ssh_config": None} if scheme == "paramiko" else {}
    found = read(server.entry(connection=way, **config), Limits())
    assert "kernel=Linux" in found.sections["system"]
    assert len(found.sections) == 18
    assert not clients(server)


def test_local_is_this_machine() -> None:
    assert "kernel=" in read(GuestEntry(machine=("*",), connection="local://"), Limits()).sections["system"]


LOGINS: dict[str, tuple[dict[str, Any], Why, str]] = {
    "a host key that nobody knows": ({"known_hosts": "/dev/null"}, Why.LOGIN_REFUSED, "its host key is not known"),
    "a key that the guest does not know": (
        {"key": "stranger"},
        Why.LOGIN_REFUSED,
        "(none of our keys|refused the login)",
    ),
    "another host key than the known one": (
        {"known_hosts": "others"},
        Why.LOGIN_REFUSED,
        "its host key is another one",
    ),
}


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
@pytest.mark.parametrize(("changes", "why", "told"), LOGINS.values(), ids=LOGINS)
def test_who_is_refused(server: Sshd, scheme: str, changes: dict[str, str], why: Why, told: str) -> None:
    stranger = (server.folder / "stranger.pub").read_text("ascii").split()
    (server.folder / "others").write_text(f"[127.0.0.1]:{server.port} {stranger[0]} {stranger[1]}\n")
    files = {key: server.folder / name for key, name in changes.items()}
    way = server.entry().connection.replace("ssh://", f"{scheme}://")
    error = refusal(server.entry(connection=way, **files))
    assert error.why is why
    assert re.search(told, str(error)), str(error)
    assert str(server.folder) not in str(error)


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
def test_any_host_key_is_taken_only_where_the_inventory_says_so(server: Sshd, scheme: str) -> None:
    way = server.entry().connection.replace("ssh://", f"{scheme}://")
    assert read(server.entry(connection=way, known_hosts=None, verify=False), Limits()).sections


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
def test_nobody_is_there(server: Sshd, scheme: str) -> None:
    dead = server.entry(connection=f"{scheme}://127.0.0.1:{closed_port()}")
    assert refusal(dead).why is Why.UNREACHABLE
    unknown = server.entry(connection=f"{scheme}://guest.invalid")
    assert refusal(unknown).why is Why.UNREACHABLE


@contextmanager
def listening(greeting: bytes) -> Iterator[int]:
    """What is no ssh server: says ``greeting``, and nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def greet() -> None:
            while True:
                try:
                    plug, _ = listener.accept()
                except OSError:
                    return
                kept.append(plug)
                plug.sendall(greeting)

        threading.Thread(target=greet, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for plug in kept:
                plug.close()


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
@pytest.mark.parametrize("greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"x" * 300_000])
def test_what_is_no_ssh_server(server: Sshd, scheme: str, greeting: bytes) -> None:
    started = time.monotonic()
    with listening(greeting) as port:
        error = refusal(server.entry(connection=f"{scheme}://127.0.0.1:{port}", verify=False, known_hosts=None), SHORT)
    assert error.why in (Why.UNREACHABLE, Why.BROKEN, Why.TIMED_OUT)
    assert time.monotonic() - started < BUSY


@pytest.mark.parametrize("scheme", ["ssh", "paramiko"])
def test_files_may_be_called_as_they_like(server: Sshd, scheme: str, tmp_path: Path) -> None:
    folder = tmp_path / "it's %h; a $(b) folder"
    folder.mkdir()
    for name in ("user", "known_hosts", "ssh_config"):
        shutil.copy(server.folder / name, folder / name)
    config = {"ssh_config": folder / "ssh_config"} if scheme == "ssh" else {"ssh_config": None}
    way = server.entry().connection.replace("ssh://", f"{scheme}://")
    files = {"key": folder / "user", "known_hosts": folder / "known_hosts", **config}
    assert read(server.entry(connection=way, **files), Limits()).sections


# --- hostile guests ---------------------------------------------------------------------------------------------------

HOSTILE = {
    "no shell": ("sh -c 'echo sh: not found >&2; exit 127'", Why.NOT_PERMITTED, "/bin/sh is not there"),
    "a login that is switched off": (
        "sh -c 'echo This account is currently not available.; exit 1'",
        Why.BROKEN,
        "printed nothing of our script's",
    ),
    "says nothing": ("true", Why.BROKEN, "printed nothing of our script's"),
    "output without end": ("yes x", Why.TOO_LARGE, "prints more than 1,048,576 bytes"),
    "garbage": ("head -c 200000 /dev/urandom", Why.BROKEN, "printed nothing of our script's"),
    "complaints without end": ("sh -c 'yes >&2'", Why.TIMED_OUT, "no whole answer within 5 seconds"),
    "a late answer": ("sh -c 'sleep 10; exec /bin/sh'", Why.TIMED_OUT, "no whole answer within 5 seconds"),
    "half an answer": ("sh -c '/bin/sh | head -c 150'", Why.INCOMPLETE, "its answer ends in the middle, after"),
    "two answers": ('sh -c \'s=$(cat); echo "$s" | sh; echo "$s" | sh\'', Why.BROKEN, "not in the order"),
    "sections of its own": (
        "sh -c '/bin/sh | sed -e \"s/ boot$/ system/\"'",
        Why.BROKEN,
        "not in the order",
    ),
    "ends the connection": ("sh -c 'kill -9 $PPID'", Why.BROKEN, ""),
}


@pytest.mark.parametrize(("instead", "why", "told"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_guests(tmp_path: Path, instead: str, why: Why, told: str) -> None:
    started = time.monotonic()
    with sshd(tmp_path / "sshd", instead=instead) as guest:
        error = refusal(guest.entry(), SHORT if why is Why.TIMED_OUT else PATIENT)
        assert not clients(guest)
    assert (error.why, told in str(error)) == (why, True), str(error)
    assert time.monotonic() - started < BUSY


def test_what_a_profile_prints_is_passed_over(tmp_path: Path) -> None:
    banner = "sh -c 'echo Welcome; printf \"\\033]0;x\\007\\n\"; /bin/sh; echo Bye'"
    with sshd(tmp_path / "sshd", instead=banner) as guest:
        found = read(guest.entry(), Limits())
    assert found.sections["system"].startswith("kernel=Linux")
    assert not any("Welcome" in text or "Bye" in text for text in found.sections.values())


def test_the_accounts_language_changes_nothing(tmp_path: Path) -> None:
    with sshd(tmp_path / "sshd", more="SetEnv LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 PATH=/nowhere") as guest:
        assert len(read(guest.entry(), Limits()).sections) == 18


# --- what leaves this machine -----------------------------------------------------------------------------------------

SENDING = "SendEnv *\nHost *\n  SendEnv COMPLIANCE_* LANG\nMatch all\n  SendEnv PATH HV_*"


def test_ssh_sends_no_variable_and_starts_nothing_with_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guest that takes any variable, and a configuration that sends them all. OpenSSH reads `-o SendEnv=-*` before
    the file, so that it takes nothing back: what does stands at the file's end."""
    monkeypatch.setenv("COMPLIANCE_AUDIT_PASSWORD", CANARY)
    monkeypatch.setenv("HV_OTHER_PASSWORD", CANARY)
    monkeypatch.setenv("LANG", "tr_TR.UTF-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))  # what others leave in the machine's own is not ours
    there = tmp_path / "there"
    with sshd(tmp_path / "sshd", instead=f"sh -c 'env > {there}; exec /bin/sh'", more="AcceptEnv *") as guest:
        config = guest.folder / "sending.conf"
        config.write_text(SENDING)
        config.chmod(0o664)  # as a file of a repository is, which OpenSSH refuses to include
        assert read(guest.entry(ssh_config=config), Limits()).sections
        arrived = set(re.findall("(?m)^([A-Za-z_]+)=", there.read_text()))
        assert not [name for name in arrived if name.startswith(("COMPLIANCE", "HV_", "LANG"))], arrived
        here = tmp_path / "here"
        config.write_text(f"ProxyCommand sh -c 'env > {here}; exit 1'")
        refusal(guest.entry(ssh_config=config))
    started_with = set(re.findall("(?m)^([A-Za-z_]+)=", here.read_text()))
    assert {"PATH", "LANG"} <= started_with
    assert not [name for name in started_with if name.startswith(("COMPLIANCE", "HV_"))], started_with
    assert not list(temporary.iterdir())


def test_without_a_file_ssh_reads_what_it_always_reads(tmp_path: Path) -> None:
    """The user's configuration, as ssh itself looks for it: by the account, not by HOME."""
    usual = subprocess.run(["ssh", "-G", "guest"], capture_output=True, text=True, check=True).stdout
    with configuration(None) as path:
        ours = subprocess.run(["ssh", "-G", "-F", path, "guest"], capture_output=True, text=True, check=True).stdout
    lines = set(usual.splitlines()) ^ set(ours.splitlines())
    assert not [line for line in lines if not line.startswith("sendenv ")]
    assert not [line for line in ours.splitlines() if line.startswith("sendenv ")]


# --- passwords --------------------------------------------------------------------------------------------------------


class Taking(paramiko.ServerInterface):
    """A server of paramiko's own that takes one password: OpenSSH's would want an account of this machine."""

    def __init__(self, *, seconds: float, instead: str) -> None:
        self.tried: list[str] = []
        self.seconds = seconds  # that an answer takes
        self.instead = instead  # of what it is asked to run
        self.now = self.most = 0  # answers under way
        self.lock = threading.Lock()

    def check_auth_password(self, username: str, password: str) -> int:
        self.tried.append(username)
        right = (username, password) == ("audit", "canary-7f3a")
        return paramiko.AUTH_SUCCESSFUL if right else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002  # paramiko's signature, as the next one
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        threading.Thread(target=self._answer, args=(channel, command), daemon=True).start()
        return True

    def _answer(self, channel: paramiko.Channel, command: bytes) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        given = b""
        while block := channel.recv(65536):
            given += block
        told = ["/bin/sh", "-c", self.instead or command.decode()]
        with (
            subprocess.Popen(told, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running,
            suppress(OSError, EOFError, paramiko.SSHException),
        ):
            assert running.stdin
            assert running.stdout
            with suppress(BrokenPipeError):  # of a program that ends before it has read anything
                running.stdin.write(given)
                running.stdin.close()
            try:
                while block := running.stdout.read1(65536):
                    channel.sendall(block)
                time.sleep(self.seconds)
                channel.send_exit_status(running.wait())
            finally:
                running.kill()
        channel.close()
        with self.lock:
            self.now -= 1


@contextmanager
def taking_passwords(*, seconds: float = 0.0, instead: str = "") -> Iterator[tuple[int, Taking]]:
    taking = Taking(seconds=seconds, instead=instead)
    key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transports: list[paramiko.Transport] = []

        def serve() -> None:
            while True:
                try:
                    plug, _ = listener.accept()
                except OSError:
                    return
                transport = paramiko.Transport(plug)
                transport.add_server_key(key)
                transports.append(transport)
                with suppress(EOFError, paramiko.SSHException):  # who hears of a refused password elsewhere hangs up
                    transport.start_server(server=taking)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1], taking
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for transport in transports:
                transport.close()


@pytest.mark.parametrize(("password", "is_right"), [("canary-7f3a", True), ("canary-wrong", False)])
def test_a_password(password: str, is_right: bool, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    credential = Credential(username="audit", password=password)
    with taking_passwords() as (port, taking):
        entry = GuestEntry(machine=("*",), connection=f"paramiko://127.0.0.1:{port}", credential="guests", verify=False)
        if is_right:
            assert read(entry, Limits(), credential).sections
        else:
            error = refusal(entry, PATIENT, credential)
            assert error.why is Why.LOGIN_REFUSED
            assert "canary" not in str(error)
        assert taking.tried == ["audit"]
    assert "canary" not in caplog.text


@pytest.mark.parametrize(
    ("command", "why"),
    [("yes", Why.TOO_LARGE), ("sleep 90", Why.TIMED_OUT), ("exit 127", Why.NOT_PERMITTED), ("true", Why.BROKEN)],
)
def test_hostile_guests_by_paramiko(command: str, why: Why) -> None:
    credential = Credential(username="audit", password="canary-7f3a")
    with taking_passwords(instead=command) as (port, _):
        entry = GuestEntry(machine=("*",), connection=f"paramiko://127.0.0.1:{port}", credential="g", verify=False)
        started = time.monotonic()
        limits = SHORT if why is Why.TIMED_OUT else PATIENT
        assert refusal(entry, limits, credential).why is why
        assert time.monotonic() - started < BUSY


def test_neither_key_nor_command_is_logged(server: Sshd, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    read(server.entry(), Limits())
    refusal(server.entry(key=server.folder / "stranger"))
    assert str(server.folder) not in caplog.text
