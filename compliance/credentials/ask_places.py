"""Where passwords are kept: keyring, a program's output, a file, a person. Each has one question and one line of error.

No message holds what was read, only where it was looked for: an exception that would carry it is not chained.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from compliance.child import all_but_ours, run
from compliance.errors import ReadError, UsageError
from compliance.secret import Environment, Secret
from compliance.words import printable, quote, shorten
from compliance.world import Ask

LARGEST = 64 * 1024
"""Bytes of a program's output or of a file, far more than a password and its notes."""
PATIENCE = 30.0
"""Seconds for a program. Whoever must first touch a key or unlock a vault is quick enough, and CI waits for nobody."""
LONGEST_ECHO = 200


def from_keyring(service: str, username: str) -> Secret:
    """UsageError where there is no keyring, none that is open, or none with this entry."""
    try:
        keyring = importlib.import_module("keyring")
    except ImportError:
        raise UsageError('keyring: the package is missing: pip install "hyperv-compliance[keyring]"') from None
    try:
        password: str | None = keyring.get_password(service, username)
    except Exception as error:  # backends are foreign code, each with errors of its own
        raise UsageError(f"keyring: {_unavailable(error)}") from None
    if password is None:
        entry = f"service `{printable(service)}` holds nothing for `{printable(username)}`"
        raise UsageError(f"keyring: {entry}: run `keyring set` with these two")
    return _password(password, "keyring: the entry")


def _unavailable(error: Exception) -> str:
    name = type(error).__name__
    if name == "NoKeyringError":
        return "there is none on this machine, which is usual in CI"
    reason = shorten(" ".join(str(error).split()), LONGEST_ECHO)
    state = "is locked" if name == "KeyringLocked" else f"can't be read: {name}"
    return f"{state}{f': {reason}' if reason else ''}"


def from_command(
    command: Sequence[str],
    folder: Path,
    environ: Environment,
    *,
    patience: float = PATIENCE,
    windows: bool = os.name == "nt",
) -> Secret:
    """Return the first line that a program prints. It runs in ``folder``, with nothing to read and no variable of ours:
    one credential's program has no use for the passwords of the others."""
    place = f"password_command: {quote(Path(command[0]).name or command[0])}"
    try:
        program = find_on_windows(command[0], folder, environ) if windows else command[0]
        ended = run(
            [program, *command[1:]],
            environ=all_but_ours(environ),
            seconds=patience,
            most=LARGEST,
            most_errors=LARGEST,
            may_complain=False,
            own_session=False,  # it may ask for a PIN on the terminal
            folder=folder,
        )
    except FileNotFoundError:
        raise UsageError(f"{place}: no such program was found") from None
    except (OSError, ValueError) as error:  # the latter: a null byte
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{place} can't be started: {reason}") from None
    except ReadError as error:
        raise UsageError(f"{place} {error}, and was ended") from None
    if ended.status:
        how = f"ended with exit code {ended.status}" if ended.status > 0 else f"was ended by signal {-ended.status}"
        raise UsageError(f"{place} {how}{_echo(ended.errors)}")
    return _password(_first_line(ended.output, f"{place}: its output"), f"{place}: its output's first line")


def find_on_windows(program: str, folder: Path, environ: Mapping[str, str]) -> str:
    """Return the path of a program as other systems find it: one with a slash beside the inventory, any other on PATH.

    Windows itself looks in the folder in which we were started, before PATH, and for ``.exe`` alone (CreateProcess):
    ``az``, ``gcloud`` and ``bw`` are ``.cmd`` there. Raises FileNotFoundError.
    """
    variables = {name.upper(): value for name, value in environ.items()}
    endings = ["", *variables.get("PATHEXT", ".COM;.EXE;.BAT;.CMD").split(";")]
    if Path(program).suffix.upper() not in {ending.upper() for ending in endings[1:]}:
        endings = endings[1:]
    is_path = any(sign in program for sign in "/\\:")
    folders = [folder] if is_path else [Path(part) for part in variables.get("PATH", "").split(os.pathsep) if part]
    for place in folders:
        for ending in endings:
            if (candidate := place / f"{program}{ending}").is_file():
                return str(candidate)
    raise FileNotFoundError


def _echo(errors: bytes) -> str:
    line = shorten(" ".join(errors.decode(errors="replace").split()), LONGEST_ECHO)
    return f": {line}" if line else ""


def from_file(path: Path) -> Secret:
    """UsageError where anybody else may read the file, or it holds more than one line."""
    place = f"password_file: {printable(str(path))}"
    try:
        # Without waiting: a pipe that nobody writes to would hold us up for ever. Flags are each system's own.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:  # the latter: a null byte
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{place}: can't be read: {reason}") from None
    try:
        _refuse_what_others_read(os.fstat(descriptor), place)  # of what was opened, whoever changes the name meanwhile
        content = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise UsageError(f"{place}: larger than {LARGEST:,} bytes; is it a password?")
    line = _first_line(content, place)
    if content.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n") != line.encode():
        raise UsageError(f"{place}: has more than one line; expected the password alone")
    return _password(line, place)


def _refuse_what_others_read(state: os.stat_result, place: str) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise UsageError(f"{place}: not a file")
    if os.name != "posix":  # Windows keeps rights in lists, of which these numbers say nothing
        return
    if state.st_uid != os.geteuid():
        raise UsageError(f"{place}: belongs to another user (uid {state.st_uid}), who can change it")
    mode = stat.S_IMODE(state.st_mode)
    if mode & ~(stat.S_IRUSR | stat.S_IWUSR):
        raise UsageError(f"{place}: its mode is {mode:04o}, expected 0600 or 0400, so that nobody else may read it")


def from_prompt(username: str, ask: Ask | None) -> Secret:
    if ask is None:
        raise UsageError("prompt: there is no terminal to ask on")
    try:
        password = Secret(ask(f"Password of {printable(username)}: "))
    except EOFError:
        password = Secret("")
    if not password:
        raise UsageError("prompt: no password was given")
    return password


def _first_line(content: bytes, place: str) -> str:
    """Only the line's end is cut off: a password may begin or end with a space."""
    line = content.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].removesuffix(b"\r")
    try:
        return line.decode()
    except UnicodeDecodeError:  # it carries the line
        pass
    raise UsageError(f"{place} is not UTF-8")


def _password(text: str, place: str) -> Secret:
    if not text:
        raise UsageError(f"{place} is empty")
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in text):
        raise UsageError(f"{place} holds a control character, which no password has")
    return Secret(text)
