"""Programs that we start: what they get of our environment, how much they may print, and that they end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.child import Children, Ended, all_but_ours, plain, run
from compliance.errors import ReadError, Why
from tests.canary import CANARY

posix = pytest.mark.skipif(os.name != "posix", reason="signals and sessions are POSIX")
HERE = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT") if name in os.environ}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def refusal(code: str, **limits: object) -> ReadError:
    values: dict[str, object] = {"environ": HERE, "seconds": 60, "most": 1000, **limits}
    with pytest.raises(ReadError) as error:
        run(python(code), **values)  # type: ignore[arg-type]
    return error.value


def test_what_it_prints_and_how_it_ends() -> None:
    code = "import sys; print(sys.stdin.read().upper(), end=''); sys.stderr.write('hint'); sys.exit(7)"
    assert run(python(code), environ=HERE, seconds=60, most=1000, given=b"x" * 999) == Ended(
        status=7, output=b"X" * 999, errors=b"hint"
    )


def test_a_program_that_reads_nothing_holds_up_nobody() -> None:
    ended = run(python("print(1)"), environ=HERE, seconds=60, most=1000, given=b"x" * 10_000_000)
    assert (ended.status, ended.output.strip()) == (0, b"1")


def test_nothing_to_read_is_an_end_at_once() -> None:
    assert run(python("print(len(input()))"), environ=HERE, seconds=60, most=1000).status == 1


@pytest.mark.parametrize("own_session", [True, False])
@pytest.mark.slow
def test_caps_and_deadlines(own_session: bool) -> None:
    endless = "import sys\nwhile True: sys.{}.write('x' * 100)"
    error = refusal(endless.format("stdout"), own_session=own_session)
    assert (error.why, str(error)) == (Why.TOO_LARGE, "printed more than 1,000 bytes")
    error = refusal(endless.format("stderr"), own_session=own_session, may_complain=False, most_errors=500)
    assert (error.why, str(error)) == (Why.TOO_LARGE, "printed more than 500 bytes")
    error = refusal("import time; print(1, flush=True); time.sleep(60)", own_session=own_session, seconds=1)
    assert (error.why, str(error)) == (Why.TIMED_OUT, "did not end within 1 seconds")
    error = refusal("import os, time; os.close(1); time.sleep(60)", own_session=own_session, seconds=1)
    assert error.why is Why.TIMED_OUT


def test_complaints_beyond_the_cap_are_dropped() -> None:
    ended = run(python("import sys; sys.stderr.write('x' * 100_000)"), environ=HERE, seconds=60, most=9, most_errors=50)
    assert (ended.status, ended.errors) == (0, b"x" * 50)


@posix
@pytest.mark.slow
def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    code = f"import subprocess, sys; subprocess.Popen(['sh', '-c', 'sleep 2; echo > {tmp_path}/alive']); print(1)"
    assert refusal(code, seconds=1).why is Why.TIMED_OUT  # it holds the output open
    time.sleep(2.5)
    assert not (tmp_path / "alive").exists()


@posix
def test_who_leaves_ends_all() -> None:
    children = Children()
    reasons: list[int] = []

    def work() -> None:
        ended = run(python("import time; time.sleep(60)"), environ=HERE, seconds=60, most=9, children=children)
        reasons.append(ended.status)

    thread = threading.Thread(target=work)
    thread.start()
    while not children.running:
        time.sleep(0.01)
    children.end_all()
    thread.join(30)
    assert reasons == [-signal.SIGKILL]
    assert not children.running
    assert refusal("", children=children).why is Why.INCOMPLETE


# --- the environment --------------------------------------------------------------------------------------------------

NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz0123456789", min_size=1)
WORDS = st.sampled_from(["COMPLIANCE_", "compliance_", "_PASSWORD", "PATH", "LC_ALL", "SSH_AUTH_SOCK", "VAULT_TOKEN"])


@given(st.dictionaries(NAMES | st.builds("{}{}".format, WORDS, NAMES) | WORDS, st.text()))
def test_no_child_gets_a_variable_of_ours(environ: dict[str, str]) -> None:
    some, most = plain(environ), all_but_ours(environ)
    assert some.items() <= most.items() <= environ.items()
    assert not [name for name in most if name.upper().startswith("COMPLIANCE_")]
    assert not [name for name in some if "PASSWORD" in name.upper() or "TOKEN" in name.upper()]
    assert {name for name in environ if name in ("PATH", "LC_ALL", "SSH_AUTH_SOCK")} <= some.keys()


def test_it_gets_what_is_stated_and_nothing_else() -> None:
    environ = {**HERE, "COMPLIANCE_A_PASSWORD": CANARY, "VAULT_TOKEN": "t", "LANG": "C.UTF-8"}
    code = "import os; print(*sorted(os.environ))"
    for stated in (plain(environ), all_but_ours(environ)):
        seen = run(python(code), environ=stated, seconds=60, most=1000).output.decode().split()
        theirs = {"LC_CTYPE", *(name for name in seen if os.name == "nt" and name.startswith(("WINE", "SYSTEMDRIVE")))}
        assert set(seen) - theirs == set(stated)  # which Python sets itself, and Wine
