"""testinfra's connections into a guest, bounded: a cap on what is read, a deadline, and host keys that are checked.

testinfra's own ``run`` reads a process to its end, however long that is and however much it says; its OpenSSH backend
leaves a master connection behind for a minute, and its paramiko backend takes any host key with a warning. What stays
testinfra's is how a connection is spelled and how its command line is made; all that runs, runs through here.
"""

from __future__ import annotations

import os
import shlex
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.backend.local import LocalBackend
from testinfra.backend.ssh import SshBackend
from testinfra.host import Host

from compliance.child import Children, Ended, plain, run
from compliance.credentials.find import Credential
from compliance.errors import LinkError, ReadError, Why
from compliance.gather.guests.script import COMMAND
from compliance.inventory.entries import Limits
from compliance.inventory.guests import GuestEntry

if TYPE_CHECKING:
    from paramiko import SSHClient

PARAMIKO = '`paramiko://` needs the extra: pip install "hyperv-compliance[paramiko]"'


MOST_OUTPUT = 1024 * 1024
"""Bytes of what a guest prints. Its script's sections make at most a fifth of that, and mostly some kilobytes."""
TOO_MUCH = f"prints more than {MOST_OUTPUT:,} bytes, which our script never does"


def run_script(
    entry: GuestEntry, credential: Credential | None, limits: Limits, given: str, children: Children
) -> bytes:
    """Return what the guest's shell prints when it is given a script. ReadError where it can't be asked."""
    backend = BACKENDS[entry.scheme](entry, credential, limits, given.encode("ascii"), children)
    result: CommandResult = Host(backend).run(COMMAND)
    if result.rc in (126, 127) and not result.stdout_bytes.strip():
        raise ReadError(f"{COMMAND} is not there, or this account may not run it", why=Why.NOT_PERMITTED)
    return result.stdout_bytes


def _seconds(limits: Limits) -> float:
    return min(limits.connect + limits.operation, limits.server)


class _Process(BaseBackend):
    """What backends that start a process have in common: testinfra's ``run_local`` is where they do."""

    def bind(self, limits: Limits, given: bytes, children: Children) -> None:
        self._limits, self._given, self._children = limits, given, children

    def run_local(self, command: str, *args: str) -> CommandResult:
        """Start the command without the shell that testinfra would start, and without a word of it in any log."""
        arguments = shlex.split(self.quote(command, *args))
        seconds = _seconds(self._limits)
        try:
            ended = run(
                arguments,
                environ=plain(os.environ),
                given=self._given,
                seconds=seconds,
                most=MOST_OUTPUT,
                children=self._children,
            )
        except OSError as error:
            raise LinkError(f"{arguments[0]} can't be started: {error.strerror}", why=Why.BROKEN) from None
        except ReadError as error:
            late = f"no whole answer within {seconds:g} seconds"
            reasons = {Why.TOO_LARGE: TOO_MUCH, Why.TIMED_OUT: late}
            raise ReadError(reasons.get(error.why, str(error)), why=error.why) from None
        self.check(ended)
        return CommandResult(self, ended.status, b"", ended.output, b"")

    def check(self, ended: Ended) -> None:
        """Raise ReadError where this is no answer of the guest's."""


class _Local(_Process, LocalBackend):
    pass


class _OpenSsh(_Process, SshBackend):
    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        with configuration(self._file) as path:
            self.ssh_config = path
            return super().run(command, *args, **kwargs)

    def take(self, file: Path | None) -> None:
        """Take a configuration in place of the user's own."""
        self._file = file

    def check(self, ended: Ended) -> None:
        if ended.status == 255:  # ssh's own, or, never with our script, the command's
            raise _explain_ssh(ended.errors.decode("utf-8", "replace"))


def _local(_entry: GuestEntry, _credential: object, limits: Limits, given: bytes, children: Children) -> BaseBackend:
    backend = _Local()
    backend.bind(limits, given, children)
    return backend


def _open_ssh(entry: GuestEntry, _credential: object, limits: Limits, given: bytes, children: Children) -> BaseBackend:
    backend = _OpenSsh(
        entry.endpoint,
        controlpersist=0,
        ssh_extra_args=shlex.join(_options(entry, limits)),
    )
    backend.take(entry.ssh_config)
    backend.bind(limits, given, children)
    return backend


CONFIGURATIONS = "Include ~/.ssh/config\nInclude {}\n"
"""What ssh reads where it is given no file: the user's, then the machine's, and the first word of each option wins."""
OF_THE_MACHINE = "__PROGRAMDATA__/ssh/ssh_config" if os.name == "nt" else "/etc/ssh/ssh_config"
SEND_NOTHING = "\nMatch all\nSendEnv -*\n"
"""Takes back each SendEnv before it. On the command line it would stand before them: options there are read first, and
a name is only taken from those that are there already (OpenSSH's readconf.c; seen with 9.2)."""


@contextmanager
def configuration(file: Path | None) -> Iterator[str]:
    """Yield the name of a configuration that sends no variable of ours: ``file`` or the usual ones, and an end."""
    try:
        content = file.read_bytes() if file else CONFIGURATIONS.format(OF_THE_MACHINE).encode()
    except OSError as error:
        raise LinkError(f"its `ssh_config` can't be read: {error.strerror}", why=Why.BROKEN) from None
    with tempfile.TemporaryDirectory(prefix="hyperv-compliance-") as folder:
        copy = Path(folder, "ssh_config")
        copy.write_bytes(content + SEND_NOTHING.encode())
        yield str(copy)


def _options(entry: GuestEntry, limits: Limits) -> list[str]:
    """Return options for the command line, where they win over any configuration. One connection a guest, which leaves
    nothing behind, asks nobody, runs nothing on this side, and opens no way back."""
    keys = {"StrictHostKeyChecking": "yes"}
    if entry.known_hosts:
        keys |= {"UserKnownHostsFile": _literal(entry.known_hosts), "GlobalKnownHostsFile": os.devnull}
    if not entry.verify:
        keys = {"StrictHostKeyChecking": "no", "UserKnownHostsFile": os.devnull, "GlobalKnownHostsFile": os.devnull}
    options = {
        "BatchMode": "yes",
        **keys,
        **({"IdentityFile": _literal(entry.key), "IdentitiesOnly": "yes"} if entry.key else {}),
        "UpdateHostKeys": "no",
        "ConnectTimeout": f"{max(1, round(limits.connect))}",
        "ConnectionAttempts": "1",
        "ControlMaster": "no",
        "ControlPath": "none",
        "ClearAllForwardings": "yes",
        "ForwardAgent": "no",
        "ForwardX11": "no",
        "PermitLocalCommand": "no",
        "RequestTTY": "no",
        "EscapeChar": "none",
        "LogLevel": "ERROR",
    }
    return ["-T", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]


def _literal(path: Path) -> str:
    """Return a file's name as OpenSSH takes it: it parts names at spaces, and reads ``%h`` and the like in them."""
    return f'"{str(path).replace("%", "%%")}"'


REFUSALS = (
    ("REMOTE HOST IDENTIFICATION HAS CHANGED", Why.LOGIN_REFUSED, "its host key is another one than the known one"),
    ("Host key verification failed", Why.LOGIN_REFUSED, "its host key is not known: add it to `known_hosts`"),
    ("host key is known for", Why.LOGIN_REFUSED, "its host key is not known: add it to `known_hosts`"),
    ("Permission denied", Why.LOGIN_REFUSED, "it takes none of our keys"),
    ("Too many authentication failures", Why.LOGIN_REFUSED, "it takes none of our keys, of which there are too many"),
    ("Could not resolve", Why.UNREACHABLE, "its name is not known here"),
    ("Connection refused", Why.UNREACHABLE, "nobody listens at its port"),
    ("timed out", Why.UNREACHABLE, "it does not answer"),
    ("No route to host", Why.UNREACHABLE, "there is no route to it"),
    ("Network is unreachable", Why.UNREACHABLE, "there is no route to it"),
    ("banner", Why.BROKEN, "what answers at its port is no ssh server"),
    ("kex_exchange_identification", Why.BROKEN, "what answers at its port ends the connection before it is one"),
    ("no matching", Why.BROKEN, "it and our ssh have no cipher, key exchange or kind of key in common"),
    ("Bad configuration option", Why.BROKEN, "our ssh does not understand its configuration"),
)
"""OpenSSH's own words (its sshconnect.c, sshconnect2.c and packet.c); they are the same in any locale."""


def _explain_ssh(errors: str) -> LinkError:
    """Return what ssh's complaints mean. Its own text is never repeated: it names files of keys, and the server may
    have written part of it."""
    for words, why, reason in REFUSALS:
        if words in errors:
            return LinkError(reason, why=why)
    return LinkError("ssh ended without a reason that we know: try it by hand with `ssh -v`", why=Why.BROKEN)


def _paramiko(
    entry: GuestEntry, credential: Credential | None, limits: Limits, given: bytes, _children: Children
) -> BaseBackend:
    """With a password, which OpenSSH takes from nobody but a person at a terminal."""
    try:
        import paramiko
        from testinfra.backend.paramiko import ParamikoBackend
    except (ImportError, RuntimeError):
        raise ReadError(PARAMIKO, why=Why.BROKEN) from None

    class Accepting(paramiko.MissingHostKeyPolicy):
        """For ``verify: false``."""

        def missing_host_key(self, client: object, hostname: object, key: object) -> None:
            pass

    class Bounded(ParamikoBackend):
        def run(self, command: str, *args: str, **_: Any) -> CommandResult:
            until = time.monotonic() + _seconds(limits)
            connected = paramiko.SSHClient()
            try:
                self._connect(connected)
                return CommandResult(self, *self._run_script(connected, self.quote(command, *args), until), b"")
            except ReadError:
                raise
            except Exception as error:  # of many kinds, which have no base in common
                raise _explain_paramiko(error) from None
            finally:
                connected.close()

        def _connect(self, connected: SSHClient) -> None:
            if not entry.verify:
                connected.set_missing_host_key_policy(Accepting())
            else:
                connected.set_missing_host_key_policy(paramiko.RejectPolicy())
                if entry.known_hosts:
                    connected.load_host_keys(str(entry.known_hosts))
                else:
                    connected.load_system_host_keys()
            password = credential.password.reveal() if credential else None
            connected.connect(
                self.host.name,
                int(self.host.port or 22),
                username=credential.username if credential else self.host.user,
                password=password,
                key_filename=str(entry.key) if entry.key else None,
                timeout=limits.connect,
                banner_timeout=limits.connect,
                auth_timeout=limits.operation,
                channel_timeout=limits.connect,
                allow_agent=password is None,
                look_for_keys=password is None and entry.key is None,
            )

        def _run_script(self, connected: SSHClient, command: str, until: float) -> tuple[int, bytes, bytes]:
            transport = connected.get_transport()
            assert transport  # noqa: S101  # it is connected
            channel = transport.open_session(timeout=limits.connect)
            channel.settimeout(limits.operation)
            channel.set_combine_stderr(False)
            channel.exec_command(command)
            channel.sendall(given)
            channel.shutdown_write()

            def read(size: int) -> bytes:
                channel.settimeout(max(0.01, until - time.monotonic()))
                block: bytes = channel.recv(size)
                return block

            output = capped(read, until)
            # The status comes after the output's end. One that never comes tells nothing: the answer's own end counts.
            channel.status_event.wait(max(0.01, min(2.0, until - time.monotonic())))
            return (channel.recv_exit_status() if channel.exit_status_ready() else 0), b"", output

    return Bounded(entry.endpoint)


def capped(read: Callable[[int], bytes], until: float) -> bytes:
    """Return all that ``read`` gives until it gives nothing. ``until``: seconds of time.monotonic. ReadError past the
    cap or the deadline."""
    content = bytearray()
    while block := read(65536):
        content += block
        if len(content) > MOST_OUTPUT:
            raise ReadError(TOO_MUCH, why=Why.TOO_LARGE)
        if time.monotonic() > until:
            raise ReadError("no whole answer in time", why=Why.TIMED_OUT)
    return bytes(content)


def _explain_paramiko(error: Exception) -> ReadError:
    """Return what an error means, by its class: its text may name keys' files, or be the server's."""
    import paramiko

    if isinstance(error, paramiko.BadHostKeyException):
        return LinkError("its host key is another one than the known one", why=Why.LOGIN_REFUSED)
    if isinstance(error, paramiko.AuthenticationException):
        return LinkError("it refused the login", why=Why.LOGIN_REFUSED)
    if isinstance(error, TimeoutError):
        return ReadError("no whole answer in time", why=Why.TIMED_OUT)
    if isinstance(error, paramiko.SSHException) and "not found in known_hosts" in str(error):
        return LinkError("its host key is not known: add it to `known_hosts`", why=Why.LOGIN_REFUSED)
    if isinstance(error, OSError):
        return LinkError(f"it can't be reached: {error.strerror or type(error).__name__}", why=Why.UNREACHABLE)
    return LinkError(f"no ssh with it: {type(error).__name__}", why=Why.BROKEN)


Making = Callable[[GuestEntry, "Credential | None", Limits, bytes, Children], BaseBackend]
BACKENDS: dict[str, Making] = {"local": _local, "ssh": _open_ssh, "paramiko": _paramiko}
