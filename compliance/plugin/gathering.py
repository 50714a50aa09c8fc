"""The snapshot of a run: gathered now or read, saved where that was asked for; and what an interrupt does."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from compliance import audit
from compliance.gate.exits import Exit
from compliance.plugin import summary
from compliance.plugin.ask import asker
from compliance.plugin.interrupt import interrupted_once
from compliance.plugin.progress import OutputLostError, Teller, discard_output
from compliance.plugin.request import Request
from compliance.snapshot.snapshot import Snapshot, SnapshotFile
from compliance.snapshot.write import refuse_unwritable, save_gathered, write_snapshot
from compliance.world import World


def take_snapshot(config: pytest.Config, request: Request) -> tuple[Snapshot, SnapshotFile | None]:
    """Return the snapshot, and the file that it was saved in, if any. UsageError where that can't be written.

    An interrupted gathering ends the run here: exit code 2.
    """
    plan, save = request.plan, request.save
    if save:
        refuse_unwritable(Path(save))
    teller = Teller(config)
    snapshots: list[Snapshot] = []
    files: list[SnapshotFile] = []

    def keep(snapshot: Snapshot) -> None:
        snapshots.append(snapshot)
        if save:
            write = save_gathered if plan.snapshot is None else write_snapshot
            files.append(write(snapshot, Path(save)))

    if plan.snapshot is None:
        with suppress(OutputLostError):  # it is lost again with the first word of progress, and then all is kept
            teller.begin(summary.first_line(plan))
    with interrupted_once():
        try:
            snapshot = audit.take_snapshot(plan, World(ask=asker(config)), teller.tell, keep)
        except OutputLostError:
            snapshot = snapshots[-1]
            discard_output(config)
    if plan.snapshot is None and not snapshot.complete:
        with suppress(OSError):  # after SIGHUP there is no terminal any more
            teller.clear()
        pytest.exit(summary.interrupted(snapshot, save), returncode=int(Exit.INTERRUPTED))
    return snapshot, files[-1] if files else None
