"""Whatever somebody in between does to sealed Kerberos, no verdict becomes greener, as tests/adversary has it for NTLM.

The servers are its bare sockets; their acceptor is pyspnego's over GSSAPI, with the realm's own keys.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from compliance.inventory.inventory import Entry
from compliance.rule import Result
from tests.adversary.middle import FORGED, MOVES, Middle, Move
from tests.adversary.origin import by_kerberos, sealed
from tests.adversary.test_middle import LIMITS, estate, greener, read_through, verdicts
from tests.kerberos.realm import PASSWORD
from tests.profiles import examples
from tests.wsman.listener import listening

FIXTURES = [HealthCheck.function_scoped_fixture]
"""Of the environment: it is the same for each example."""


def over_http(name: str, port: int) -> Entry:
    return Entry(name=name, address="localhost", port=port, scheme="http", transport="kerberos")


@pytest.fixture
def sealing(service: Path, ticket: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Ports of the honest servers, by name."""
    monkeypatch.setenv("KRB5_KTNAME", str(service))
    monkeypatch.setenv("KRB5RCACHENAME", "none:")
    with contextlib.ExitStack() as stack:
        scripts = {name: sealed(one.answer, by_kerberos) for name, one in estate().items()}
        yield {name: stack.enter_context(listening(script)).port for name, script in scripts.items()}


@pytest.fixture
def calm(sealing: dict[str, int]) -> dict[str, Result]:
    """The verdicts without anybody in between."""
    found = verdicts([over_http(name, port) for name, port in sealing.items()])
    assert {*found.values()} >= {Result.PASSED, Result.FAILED, Result.UNKNOWN}
    return found


def test_nobody_in_between_changes_nothing(calm: dict[str, Result], sealing: dict[str, int]) -> None:
    quiet = {name: Middle(port, {}) for name, port in sealing.items()}
    assert read_through(quiet, over_http, LIMITS) == calm
    assert min(middle.exchanges for middle in quiet.values()) > 30


kinds = st.builds(Move, st.sampled_from(sorted(MOVES.keys() - {"say nothing", "pass"})), st.integers(0, 400))
numbers = st.integers(0, 60)


@pytest.mark.slow
@settings(max_examples=examples(100), suppress_health_check=FIXTURES)
@given(st.fixed_dictionaries({name: st.dictionaries(numbers, kinds, max_size=4) for name in ("hv01", "hv02")}))
@example({"hv01": {5: Move("say nothing")}, "hv02": {}})
def test_what_is_sealed_becomes_no_greener(
    calm: dict[str, Result], sealing: dict[str, int], moves: dict[str, dict[int, Move]]
) -> None:
    middles = {name: Middle(port, moves[name]) for name, port in sealing.items()}
    assert greener(calm, read_through(middles, over_http)) == {}
    assert PASSWORD.encode() not in b"".join(bytes(middle.heard) for middle in middles.values())


@pytest.mark.slow
@settings(max_examples=examples(100), suppress_health_check=FIXTURES)
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
