"""Whatever arrives, the parsers answer with a value or a ReadError."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.errors import ReadError
from compliance.wsman import envelope
from tests.wsman.samples import ID, first, typed
from tests.wsman.test_envelope import PAGES, ROWS
from tests.wsman.test_fault import FAULTS

SEEDS = [case[1] for case in PAGES] + [case[1] for case in FAULTS] + [first(typed("X", p)) for _, p, _ in ROWS]


def _read(reply: bytes) -> None:
    for read in (
        lambda: envelope.page(reply, ID),
        lambda: envelope.instance(reply, ID),
        lambda: envelope.identity(reply),
    ):
        try:
            read()
        except ReadError as error:
            assert "\n" not in str(error)  # noqa: PT017 - any line will do, more than one won't


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_else(reply: bytes) -> None:
    _read(reply)


@settings(max_examples=300)
@given(st.sampled_from(SEEDS), st.data())
def test_damaged_answers_raise_nothing_else(seed: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(seed)))
    to = data.draw(st.integers(at, min(len(seed), at + 30)))
    _read(seed[:at] + data.draw(st.binary(max_size=8) | st.sampled_from(SEEDS)) + seed[to:])


def test_a_full_answer_is_read_quickly() -> None:
    properties = "".join(f"<p:Property{n}>value {n}</p:Property{n}>" for n in range(39))
    reply = first(*[typed("Msvm_ComputerSystem", properties)] * 225)
    started = time.perf_counter()
    assert len(envelope.page(reply, ID).instances) == 225
    assert time.perf_counter() - started < 1.0  # about 15 ms; only a change of its order is an error
