"""What the doctor found, for programs: one JSON document whose keys stay."""

from __future__ import annotations

import json
from collections.abc import Sequence

from compliance.commands.doctor.examination import ClassRead, Examination, Fact, Grant, Step

FORMAT = "hyperv-compliance doctor"
VERSION = 1
"""Grows when a key goes or means something else; keys may come without it."""


def document(
    examinations: Sequence[Examination],
    *,
    tool: str,
    time: str,
    inventories: Sequence[str | None],
    next_steps: Sequence[str],
) -> str:
    """Return the document. ``time`` is ISO 8601; ``inventories`` holds, for each server, the inventory that says how it
    was reached, ``next_steps`` what to do where it can't be audited, else nothing."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "tool": tool,
        "time": time,
        "works": all(examination.works for examination in examinations),
        "servers": [
            _server(examination, inventory) | {"next": next_step or None}
            for examination, inventory, next_step in zip(examinations, inventories, next_steps, strict=True)
        ],
    }
    return json.dumps(whole, indent=1)  # ASCII: nothing that a host wrote reaches a terminal as it is


def _server(examination: Examination, inventory: str | None) -> dict[str, Fact]:
    return {
        "name": examination.name,
        "endpoint": examination.endpoint,
        "way": examination.way,
        "works": examination.works,
        "stuck_at": examination.stuck or None,
        "seconds": round(examination.seconds, 3),
        "messages": examination.messages,
        "octets": examination.octets,
        "steps": [_step(step) for step in examination.steps],
        "classes": [_class(part) for part in examination.classes],
        "grants": [_grant(part) for part in examination.grants],
        "inventory": inventory,
    }


def _step(step: Step) -> dict[str, Fact]:
    return {
        "step": step.key,
        "status": step.status.value,
        "text": step.text,
        "details": list(step.details),
        "facts": dict(step.facts),
    }


def _class(read: ClassRead) -> dict[str, Fact]:
    return {
        "class": read.name,
        "namespace": read.namespace,
        "rows": None if read.unread else read.rows,
        "seconds": round(read.seconds, 3),
        "messages": read.messages,
        "octets": read.octets,
        "unread": None if read.unread is None else read.unread.reason,
        "why": None if read.unread is None else read.unread.why.value,
    }


def _grant(grant: Grant) -> dict[str, Fact]:
    return {
        "key": grant.key,
        "missing": grant.missing,
        "why": grant.why,
        "commands": list(grant.commands),
        "basis": grant.basis.value,
    }
