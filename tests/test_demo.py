"""The demo's snapshot is what its builders say, read over the wire."""

from __future__ import annotations

from compliance.snapshot import read_snapshot
from tests.demo import SNAPSHOT, gathered


def test_the_snapshot_in_the_repository_is_the_estate_of_the_builders() -> None:
    assert read_snapshot(SNAPSHOT) == gathered(), "write it anew: python -m tests.demo"
