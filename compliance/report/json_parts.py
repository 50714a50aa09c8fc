"""What the JSON reports say in the same form: compact lines, waivers, policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from compliance.gate.waivers import Waiver
from compliance.report.table import Table

_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))
"""Made once: ``json.dumps`` would make one for each line."""


def compact(value: object) -> str:
    """On one line, in ASCII: safe to print, whatever a host wrote; lone surrogates are kept as escapes."""
    return _ENCODER.encode(value)


def lines(values: Iterable[object]) -> Iterator[str]:
    """A list with a line for each value, in pieces: such a file can be compared, searched and cut by lines."""
    opening, closing = "[\n", "[]"
    for value in values:
        yield f"{opening}{compact(value)}"
        opening, closing = ",\n", "\n]"
    yield closing


def present(known: Mapping[str, object]) -> dict[str, object]:
    """Without what there is nothing to say of."""
    return {key: value for key, value in known.items() if value or value == 0}  # False and 0 say something


def waivers(table: Table) -> Iterator[Waiver]:
    for file in table.waiver_files:
        yield from file.waivers


def waiver(entry_waiver: Waiver) -> dict[str, object]:
    """By the keys of its file, and its place there, by which others name it."""
    known = entry_waiver.entry.model_dump(exclude_none=True)
    return {
        "place": entry_waiver.place,
        **{key: list(value) if isinstance(value, tuple) else value for key, value in known.items()},
    }


def grounds(table: Table) -> dict[str, object]:
    """What the gate weighed beside the verdicts: whoever has these files can judge again."""
    baseline = table.baseline
    return {
        "policy": _policy(table),
        "waiver_files": [{"name": file.name, "digest": file.digest} for file in table.waiver_files],
        "baseline": {"name": baseline.name, "digest": baseline.digest} if baseline else None,
    }


def _policy(table: Table) -> dict[str, object]:
    """By the keys and in the units of a policy's file; what the snapshot's settings say is said here as well."""
    told, settings = table.policy, table.estate.settings
    return {
        "fail_at": told.fail_at.value,
        "least_servers_read": told.least_servers_read,
        "least_machines_judged": told.least_machines_judged,
        "oldest_snapshot": None if told.oldest_snapshot is None else told.oldest_snapshot / timedelta(hours=1),
        "direction": told.direction,
        "expired_waivers": told.expired_waivers,
        "unused_waivers": told.unused_waivers,
        "partial_clusters": told.partial_clusters,
        "evidence": settings.evidence.value,
        "boot_grace": settings.boot_grace / timedelta(minutes=1),
        "severity": {rule: severity.value for rule, severity in sorted(told.severity.items())},
        "rules": dict.fromkeys(sorted(told.off), "off"),
    }
