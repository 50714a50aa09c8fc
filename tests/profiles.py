"""How many examples hypothesis tries: few in the README's line, many in CI, by the variable HYPOTHESIS_PROFILE.

Both repeat the same examples in every run, so that no run fails by chance; `explore` looks for new ones.
"""

from __future__ import annotations

import os

from hypothesis import settings

QUICK, CI, EXPLORE = "quick", "ci", "explore"
NAME = os.environ.get("HYPOTHESIS_PROFILE", QUICK)
SHARE = {QUICK: 0.15, CI: 1.0, EXPLORE: 10.0}
"""Of the examples that a test wants in CI."""


def examples(wanted: int, *, quick: int | None = None) -> int:
    """Return how many of the examples that a test wants are tried in this run, 15 at least; ``quick`` where it says
    itself how many are few."""
    if quick is not None and NAME == QUICK:
        return quick
    return max(15, round(wanted * SHARE[NAME]))


def load_profile() -> None:
    """Register the profiles and load the one of this run."""
    for name in SHARE:
        settings.register_profile(
            name, max_examples=examples(100), deadline=None, derandomize=name != EXPLORE, database=None
        )
    settings.load_profile(NAME)
