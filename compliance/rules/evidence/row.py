"""What rows of several distributions share."""

from __future__ import annotations

from dataclasses import replace

from compliance.rules.evidence.system import Statement, System

NOT_LISTED = "not listed"
UNLISTED = {"injection": NOT_LISTED, "data_exchange": NOT_LISTED}
NOT_MANAGED = "NetworkManager leaves its adapter alone"


def changed(row: System, **changes: object) -> System:
    return replace(row, **changes)  # type: ignore[arg-type]  # of a row


def silent(row: System, versions: str, why: str = "", **more: object) -> System:
    """Return the row for versions that Microsoft's page leaves out, and for which no package was opened."""
    values = {"statement": Statement.NO_STATEMENT, **UNLISTED, "advice": ""}
    return changed(row, versions=versions, why=why, **{**values, **more})
