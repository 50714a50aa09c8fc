"""What the controller of pytest-xdist hands its workers: the plan and the snapshot, read and gathered once for all.

Else each worker would read the inventory again, and ask a source that throttles, one by one.
"""

from __future__ import annotations

import pickle
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from compliance.plan import Plan
from compliance.snapshot.snapshot import Snapshot

KEY = "hv_handover"
"""In xdist's ``workerinput``: the file's path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """``now``: the moment by which the controller judged, so that no waiver ends between it and a worker."""

    plan: Plan
    snapshot: Snapshot
    now: datetime


def write_handover(handover: Handover, folder: Path | None = None) -> Path:
    """Return a new file in a folder of its own that nobody else may enter: below ``folder``, or the machine's own for
    such things."""
    path = Path(tempfile.mkdtemp(prefix="hyperv-compliance-", dir=folder)) / "handover"
    with path.open("xb") as file:
        pickle.dump(handover, file, protocol=pickle.HIGHEST_PROTOCOL)
    return path


def read_handover(config: pytest.Config) -> Handover | None:
    """Return what the controller wrote; None where this process is no worker of xdist."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    if KEY not in worker:
        return None
    with Path(worker[KEY]).open("rb") as file:
        handover = pickle.load(file)  # noqa: S301  # our own controller wrote it, where nobody else may write
    assert isinstance(handover, Handover)  # noqa: S101  # for mypy
    return handover


def delete_handover(path: Path) -> None:
    shutil.rmtree(path.parent, ignore_errors=True)
