"""How an estate is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Evidence(StrEnum):
    """What a verdict on integration services may rest on."""

    OBSERVED = "observed"  # the guest's answer, here or on its partner host
    BPA = "bpa"  # Microsoft's own test alone: is Data Exchange offered on this host?


@dataclass(frozen=True, kw_only=True, slots=True)
class Judging:
    """How an estate is judged. They travel in the snapshot, so that an offline run judges alike."""

    evidence: Evidence = Evidence.OBSERVED
    boot_grace: timedelta = timedelta(minutes=10)
    may_be_empty: bool = False
    may_be_partial: bool = False  # a cluster of which not every node is in the inventory; never in a snapshot
