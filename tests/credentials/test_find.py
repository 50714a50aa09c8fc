"""Which place a password is taken from, and what is said where it is not there."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from compliance.credentials.ask_places import LARGEST, find_on_windows, from_command, from_file, from_prompt
from compliance.credentials.find import Credential, find_credential
from compliance.credentials.places import PasswordPlace
from compliance.errors import UsageError
from compliance.secret import Environment, Secret
from compliance.world import World
from tests.canary import CANARY
from tests.portable import links, shell

USERNAME, PASSWORD = "COMPLIANCE_AUDIT_USERNAME", "COMPLIANCE_AUDIT_PASSWORD"
BOTH = f"credential `audit` is read from the environment, from {USERNAME} and {PASSWORD}: "

MISSING = [
    ({}, f"{USERNAME} and {PASSWORD} are missing or empty, so set them"),
    ({USERNAME: "EXAMPLE\\audit"}, f"{PASSWORD} is missing or empty, so set it"),
    ({PASSWORD: CANARY}, f"{USERNAME} is missing or empty, so set it"),
    ({USERNAME: "EXAMPLE\\audit", PASSWORD: ""}, f"{PASSWORD} is missing or empty, so set it"),
    ({USERNAME: "", PASSWORD: CANARY}, f"{USERNAME} is missing or empty, so set it"),
]
PYTHON = Path(sys.executable).name
HERE = Environment(os.environ)
WINDOWS = os.name == "nt"


def find(name: str, environ: dict[str, str], **places: PasswordPlace) -> Credential:
    world = World(environ=Environment(environ), ask=lambda _: f"{CANARY} asked")
    return find_credential(name, world, places)


@pytest.mark.parametrize("name", ["audit", "AUDIT"])
def test_it_comes_from_the_environment(name: str) -> None:
    environ = {USERNAME: "EXAMPLE\\audit", PASSWORD: f" {CANARY} "}
    found = find(name, environ)
    assert found == Credential(username="EXAMPLE\\audit", password=Secret(f" {CANARY} "))
    assert found.origin == f"credential `{name}` from the environment"


@pytest.mark.parametrize(("environ", "missing"), MISSING)
def test_the_error_names_both_variables_and_the_missing_one(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError) as error:
        find("audit", environ)
    assert str(error.value) == BOTH + missing


PROMPT = PasswordPlace(username="kept", prompt=True)
ORDER = {
    "the place that is named": ({}, PROMPT, ("kept", f"{CANARY} asked", "the terminal")),
    "its variable goes before": ({PASSWORD: CANARY}, PROMPT, ("kept", CANARY, "the environment")),
    "an empty one does not": ({PASSWORD: ""}, PROMPT, ("kept", f"{CANARY} asked", "the terminal")),
    "another account": ({USERNAME: "other"}, PROMPT, ("other", f"{CANARY} asked", "the terminal")),
    "both variables": ({USERNAME: "other", PASSWORD: CANARY}, PROMPT, ("other", CANARY, "the environment")),
    "an account without a place": (
        {PASSWORD: CANARY},
        PasswordPlace(username="kept"),
        ("kept", CANARY, "the environment"),
    ),
    "no account in the inventory": (
        {USERNAME: "other"},
        PasswordPlace(prompt=True),
        ("other", f"{CANARY} asked", "the terminal"),
    ),
}


@pytest.mark.parametrize(("environ", "source", "expected"), ORDER.values(), ids=ORDER)
def test_the_order(environ: dict[str, str], source: PasswordPlace, expected: tuple[str, str, str]) -> None:
    found = find("Audit", environ, audit=source)
    username, password, place = expected
    assert (found.username, found.password.reveal()) == (username, password)
    assert found.origin == f"credential `Audit` from {place}"


def test_an_account_that_nobody_names() -> None:
    told = f"credential `audit` has no `username:`: add it, or set {USERNAME}"
    with pytest.raises(UsageError) as error:
        find("audit", {PASSWORD: CANARY}, audit=PasswordPlace(prompt=True))
    assert str(error.value) == told


def test_a_name_that_is_nearly_one() -> None:
    with pytest.raises(UsageError) as error:
        find("adit", {}, audit=PasswordPlace(prompt=True))
    assert str(error.value).endswith("are missing or empty, so set them (did you mean `audit` of `credentials`?)")


# --- a program --------------------------------------------------------------------------------------------------------


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


PRINTED = {
    f"print('{CANARY}')": CANARY,
    f"print(' {CANARY} ')": f" {CANARY} ",
    f"print('{CANARY}', end='')": CANARY,
    f"import sys; sys.stdout.buffer.write(b'{CANARY}\\r\\n')": CANARY,
    f"print('{CANARY}\\nurl: https://example.org')": CANARY,
    f"import sys; print('{CANARY}' + sys.stdin.read())": CANARY,  # stdin is closed, not ours
    f"import sys; sys.stderr.write('hint'); print('{CANARY}')": CANARY,
    f"import sys; sys.stdout.buffer.write('\\ufeff{CANARY} päss\\n'.encode())": f"{CANARY} päss",
    f"import os; print('{CANARY}', *[n for n in os.environ if n in ('COMPLIANCE_OTHER', 'VAULT_ADDR')])": (
        f"{CANARY} VAULT_ADDR"
    ),
    f"import os; print('{CANARY}', os.path.basename(os.getcwd()))": f"{CANARY} beside",
}


@pytest.mark.parametrize("code", PRINTED)
def test_a_programs_first_line_is_the_password(code: str, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    environ = Environment({**os.environ, PASSWORD: CANARY, "COMPLIANCE_OTHER": "x", "VAULT_ADDR": "x"})
    assert from_command(python(code), tmp_path / "beside", environ).reveal() == PRINTED[code]


@shell
def test_a_program_beside_the_inventory(tmp_path: Path) -> None:
    program = tmp_path / "get.secret"
    program.write_text(f"#!/bin/sh\necho {CANARY}\n")
    program.chmod(0o700)
    assert from_command(["./get.secret"], tmp_path, HERE).reveal() == CANARY


ON_WINDOWS = {
    "get.exe": "first/get.exe",
    "az": "first/az.cmd",
    "az.cmd": "first/az.cmd",
    "both": "first/both.exe",
    "./get.exe": "inventory/get.exe",
    "./get": "inventory/get.exe",
    "tools/sub": "inventory/tools/sub.bat",
    "second": "second/second.exe",
    "dotted.name": "second/dotted.name.exe",
    "plain": None,
    "none": None,
    "./az": None,
}


@pytest.mark.parametrize(("program", "there"), ON_WINDOWS.items())
def test_which_program_windows_runs(
    program: str, there: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the folder in which we were started counts, nor is `.exe` the only ending."""
    names = [
        *("inventory/get.exe", "inventory/tools/sub.bat", "inventory/second.exe", "first/get.exe", "first/az.cmd"),
        *("first/both.exe", "first/both.cmd", "second/second.exe", "second/both.exe", "second/dotted.name.exe"),
        *("started/get.exe", "started/none.exe", "started/second.exe", "second/plain"),
    ]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path / "started")
    path = os.pathsep.join(["", str(tmp_path / "first"), str(tmp_path / "second")])
    environ = {"Path": path, "PATHEXT": ".exe;.bat;.cmd"}
    if there is None:
        with pytest.raises(FileNotFoundError):
            find_on_windows(program, tmp_path / "inventory", environ)
    else:
        found = find_on_windows(program, tmp_path / "inventory", environ)
        assert Path(found) == tmp_path / there


BROKEN: dict[str, tuple[Sequence[str], str]] = {
    "not there": (["no-such-program", CANARY], "`no-such-program`: no such program was found"),
    "a folder": (["/"], "`/`: no such program was found" if WINDOWS else "`/` can't be started: Permission denied"),
    "a null byte": (
        ["pass\0"],
        "`pass\\u0000`: no such program was found" if WINDOWS else "`pass\\u0000` can't be started: embedded null byte",
    ),
    "an exit code": (
        python(f"print('{CANARY}'); raise SystemExit(7)"),
        f"`{PYTHON}` ended with exit code 7",
    ),
    "what it says of it": (
        python(f"import sys; print('{CANARY}'); sys.exit('the vault\\n\\u001b[31mis locked')"),
        f"`{PYTHON}` ended with exit code 1: the vault \\u001b[31mis locked",
    ),
    "much to say": (
        python("import sys; sys.exit('x' * 5000)"),
        f"`{PYTHON}` ended with exit code 1: {'x' * 199}…",
    ),
    "a signal": (
        python("import os; os.kill(os.getpid(), 9)"),
        f"`{PYTHON}` " + ("ended with exit code 9" if WINDOWS else "was ended by signal 9"),
    ),
    "nothing": (python(""), f"`{PYTHON}`: its output's first line is empty"),
    "an empty line first": (python(f"print('\\n{CANARY}')"), f"`{PYTHON}`: its output's first line is empty"),
    "another encoding": (
        python(f"import sys; sys.stdout.buffer.write(b'{CANARY}\\xff')"),
        f"`{PYTHON}`: its output is not UTF-8",
    ),
    "a colour": (
        python(f"print('\\u001b[31m{CANARY}')"),
        f"`{PYTHON}`: its output's first line holds a control character, which no password has",
    ),
    "no end": (
        python(f"while True: print('{CANARY}' * 100)"),
        f"`{PYTHON}` printed more than 65,536 bytes, and was ended",
    ),
    "no end of errors": (
        python("import sys\nwhile True: sys.stderr.write('x' * 100)"),
        f"`{PYTHON}` printed more than 65,536 bytes, and was ended",
    ),
    "no answer": (
        python(f"import time; print('{CANARY}', flush=True); time.sleep(60)"),
        f"`{PYTHON}` did not end within 2 seconds, and was ended",
    ),
}


@pytest.mark.parametrize(("command", "told"), BROKEN.values(), ids=BROKEN)
def test_what_is_said_of_a_program(command: Sequence[str], told: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        from_command(command, tmp_path, HERE, patience=2 if "seconds" in told else 30)
    assert str(error.value).removeprefix("password_command: ") == told


def test_a_program_that_leaves_another_behind_holds_up_nobody(tmp_path: Path) -> None:
    """Such as an agent that keeps a key, started with our pipe as its output."""
    left_behind = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(120)'])"
    code = f"import subprocess, sys; {left_behind}; print('{CANARY}')"
    done = threading.Event()

    def run() -> None:
        assert from_command(python(code), tmp_path, HERE).reveal() == CANARY
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(60)


# --- a file -----------------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="rights are kept in lists there, which we don't read")
CONTENTS = {
    CANARY: CANARY,
    f"{CANARY}\n": CANARY,
    f"{CANARY}\r\n\n": CANARY,
    f" {CANARY} ": f" {CANARY} ",
    f"\ufeff{CANARY} päss\n": f"{CANARY} päss",
}


def kept(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "audit.secret"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_one_line(content: str, mode: int, tmp_path: Path) -> None:
    assert from_file(kept(tmp_path, content, mode)).reveal() == CONTENTS[content]


@links
def test_a_link_leads_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(kept(tmp_path, CANARY))
    assert from_file(tmp_path / "link").reveal() == CANARY


FILES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "is empty"),
    "an empty line": ("\n", "is empty"),
    "two lines": (f"{CANARY}\nmore\n", "has more than one line; expected the password alone"),
    "an empty line first": (f"\n{CANARY}\n", "has more than one line; expected the password alone"),
    "large": ("x" * (LARGEST + 1), "larger than 65,536 bytes; is it a password?"),
    "Latin-1": (f"{CANARY} ä".encode("latin-1"), "is not UTF-8"),
    "UTF-16": (CANARY.encode("utf-16-le"), "holds a control character, which no password has"),
}


def told_of(path: Path) -> str:
    with pytest.raises(UsageError) as error:
        from_file(path)
    return str(error.value).removeprefix(f"password_file: {path}").removeprefix(":").strip()


@pytest.mark.parametrize(("content", "told"), FILES.values(), ids=FILES)
def test_what_is_said_of_a_file(content: str | bytes, told: str, tmp_path: Path) -> None:
    assert told_of(kept(tmp_path, content)) == told


@posix
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o700, 0o4600])
def test_a_file_that_others_may_read_is_not_read(mode: int, tmp_path: Path) -> None:
    told = f"its mode is {mode:04o}, expected 0600 or 0400, so that nobody else may read it"
    assert told_of(kept(tmp_path, CANARY, mode)) == told


@posix
def test_what_is_no_file(tmp_path: Path) -> None:
    (loop := tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(pipe := tmp_path / "pipe", 0o600)
    told = {path: told_of(path) for path in (loop, pipe, tmp_path, tmp_path / "none", Path("a\0b"))}
    assert [*told.values()][:4] == [
        "can't be read: Too many levels of symbolic links",
        "not a file",
        "not a file",
        "can't be read: No such file or directory",
    ]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    os.chown(path := kept(tmp_path, CANARY), 65534, -1)
    assert told_of(path) == "belongs to another user (uid 65534), who can change it"


# --- a person ---------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_by_the_accounts_name() -> None:
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return CANARY

    assert from_prompt("DR\\audit\x1b[2J", answer).reveal() == CANARY
    assert asked == ["Password of DR\\audit\\u001b[2J: "]


def test_nobody_and_nothing() -> None:
    def leaves(_text: str) -> str:
        raise EOFError

    told = {None: "prompt: there is no terminal to ask on", leaves: "prompt: no password was given"}
    for ask, expected in (*told.items(), (lambda _text: "", "prompt: no password was given")):
        with pytest.raises(UsageError) as error:
            from_prompt("audit", ask)
        assert str(error.value) == expected
