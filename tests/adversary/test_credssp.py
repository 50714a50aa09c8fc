"""Whatever somebody in between does to CredSSP, no verdict becomes greener, and he is given no password."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.inventory.inventory import Entry
from compliance.model import Unread
from compliance.rule import Result
from tests.adversary.middle import FORGED, Middle, Move
from tests.adversary.origin import by_credssp, sealed
from tests.adversary.terminator import FLAGS, Terminator, old, weak
from tests.adversary.test_middle import (
    LIMITS,
    PASSWORD,
    assert_heard_nothing,
    estate,
    greener,
    kinds,
    read,
    read_through,
    verdicts,
)
from tests.portable import sspi
from tests.profiles import examples
from tests.running import ROOT
from tests.wsman.listener import listening

pytestmark = [sspi, pytest.mark.usefixtures("users")]


def over_http(name: str, port: int) -> Entry:
    return Entry(name=name, address="127.0.0.1", port=port, scheme="http", transport="credssp", credential="audit")


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("users") / "users.secret"
    path.write_text(f"LAB:reader:{PASSWORD}\n")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NTLM_USER_FILE", str(path))
        yield path


@pytest.fixture(scope="module")
def sealing(users: Path) -> Iterator[dict[str, int]]:
    """Ports of the honest servers, by name."""
    with contextlib.ExitStack() as stack:
        scripts = {name: sealed(service.answer, by_credssp) for name, service in estate().items()}
        yield {name: stack.enter_context(listening(script)).port for name, script in scripts.items()}


@pytest.fixture(scope="module")
def calm(sealing: dict[str, int]) -> dict[str, Result]:
    """The verdicts without anybody in between."""
    found = verdicts([over_http(name, port) for name, port in sealing.items()])
    assert {*found.values()} >= {Result.PASSED, Result.FAILED, Result.UNKNOWN}
    return found


def test_nobody_in_between_changes_nothing(calm: dict[str, Result], sealing: dict[str, int]) -> None:
    quiet = {name: Middle(port, {}) for name, port in sealing.items()}
    assert read_through(quiet, over_http, LIMITS) == calm
    assert min(middle.exchanges for middle in quiet.values()) > 30


numbers = st.integers(0, 60)


@pytest.mark.slow
@settings(max_examples=examples(80))
@given(st.fixed_dictionaries({name: st.dictionaries(numbers, kinds, max_size=4) for name in ("hv01", "hv02")}))
@example({"hv01": {7: Move("say nothing")}, "hv02": {}})
def test_what_is_sealed_becomes_no_greener(
    calm: dict[str, Result], sealing: dict[str, int], moves: dict[str, dict[int, Move]]
) -> None:
    middles = {name: Middle(port, moves[name]) for name, port in sealing.items()}
    assert greener(calm, read_through(middles, over_http)) == {}
    assert_heard_nothing(b"".join(bytes(middle.heard) for middle in middles.values()))


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(st.sampled_from(["forge", "forge unasked"]), st.integers(0, len(FORGED) - 1), numbers, st.booleans())
def test_nor_by_one_answer_for_all_that_is_asked_from_some_moment_on(
    calm: dict[str, Result], sealing: dict[str, int], kind: str, number: int, since: int, is_primary: bool
) -> None:
    name = "hv01" if is_primary else "hv02"
    middles = {
        other: Middle(port, {}, always=Move(kind, number) if other == name else None, since=since)
        for other, port in sealing.items()
    }
    assert greener(calm, read_through(middles, over_http)) == {}


# --- somebody who ends its TLS himself --------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", range(1, 5))
def test_who_ends_the_login_early_is_asked_nothing(stop: int) -> None:
    """TLS is up after the second token; a login that takes any 200 for its end seals all for whoever ended the TLS."""
    terminator = Terminator(estate()["hv01"].answer, stop)
    assert "ended the CredSSP login before it had proved who it is" in reason(terminator)
    assert (terminator.messages, terminator.credentials) == (0, [])


@pytest.mark.parametrize("without", FLAGS.values(), ids=FLAGS.keys())
def test_who_weakens_the_login_inside_is_given_no_password(without: int) -> None:
    terminator = Terminator(estate()["hv01"].answer, 99, weak(without))
    assert "somebody in between weakens the login" in reason(terminator)
    assert (terminator.messages, terminator.credentials) == (0, [])


@pytest.mark.parametrize("version", [2, 3, 4])
def test_nor_is_a_server_whose_proof_can_be_turned_against_another(version: int) -> None:
    terminator = Terminator(estate()["hv01"].answer, 99, old(version))
    assert f"knows CredSSP up to version {version} only" in reason(terminator)
    assert (terminator.messages, terminator.credentials) == (0, [])


def test_those_are_the_only_reasons() -> None:
    """The same player logs us in where he is honest, and is then given the password, as CredSSP's servers are."""
    terminator = Terminator(estate()["hv01"].answer, 99, old(5))
    with listening(terminator) as listener:
        assert not isinstance(read(over_http("hv01", listener.port), LIMITS), Unread)
    assert len(terminator.credentials) == 1


CLOSED = """
import sys
from compliance.model import Unread
from tests.adversary.terminator import Terminator, closing
from tests.adversary.test_credssp import LIMITS, estate, over_http, read
from tests.wsman.listener import listening
with listening(Terminator(estate()["hv01"].answer, 99, closing(sys.argv[1]))) as listener:
    print(read(over_http("hv01", listener.port), LIMITS))
"""


@pytest.mark.parametrize("stage", ["Authentication", "Public key"])
def test_a_login_whose_tls_is_closed_within_ends(users: Path, stage: str) -> None:
    """In a process of its own, since pyspnego by itself reads on for ever, and fills the memory."""
    environment = {**os.environ, "NTLM_USER_FILE": str(users)}
    command = [sys.executable, "-c", CLOSED, stage]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT, env=environment)
    assert "login" in done.stdout


def reason(terminator: Terminator) -> str:
    with listening(terminator) as listener:
        found = read(over_http("hv01", listener.port), LIMITS)
    assert isinstance(found, Unread)
    assert_heard_nothing(bytes(terminator.heard))
    return found.reason
