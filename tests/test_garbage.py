"""Python's collector is off where it is asked to be, and as it was afterwards."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from compliance.garbage import uncollected
from tests.running import ROOT


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


@pytest.mark.parametrize(("left", "taken"), [(False, "taken to pieces"), (True, "")])
def test_what_is_left_goes_with_the_process(left: bool, taken: str) -> None:
    code = f"""
from compliance.garbage import leave_the_rest_to_the_end

class Kept:
    def __del__(self):
        print("taken to pieces")

kept = Kept()
kept.itself = kept
if {left}:
    leave_the_rest_to_the_end()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == taken
