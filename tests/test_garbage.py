"""Python's collector is off where it is asked to be, and as it was afterwards."""

from __future__ import annotations

import gc

import pytest

from compliance.garbage import uncollected


@pytest.mark.parametrize("was_on", [True, False])
def test_it_is_as_it_was_afterwards_however_that_ends(was_on: bool) -> None:
    seen = []

    @uncollected()
    def fail() -> None:
        seen.append(gc.isenabled())
        raise ValueError("broken")

    try:
        if not was_on:
            gc.disable()
        with pytest.raises(ValueError, match="broken"):
            fail()
        assert seen == [False]
        assert gc.isenabled() is was_on
    finally:
        gc.enable()


def test_it_is_off_each_time_that_a_function_runs() -> None:
    decorated = uncollected()(gc.isenabled)
    assert [decorated(), decorated(), gc.isenabled()] == [False, False, True]
