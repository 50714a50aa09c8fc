"""What the doctor found, for programs: one JSON document whose keys stay."""

from __future__ import annotations

import json
from collections.abc import Sequence

from compliance.commands.doctor.examination import ClassRead, Examination, Fact, Grant, Step

FORMAT = "hyperv-compliance doctor"
VERSION = 1
"""Grows when a key goes or means something else; keys may come without it."""


def document(
    found: Sequence[Examination], *, tool: str, time: str, inventories: Sequence[str | None], next_steps: Sequence[str]
) -> str:
    """Return the document. ``time`` is ISO 8601; ``inventories`` holds, for each server, the inventory that says how it
    was reached, ``next_steps`` what to do where it can't be audited, else nothing."""
    whole = {
        "format": FORMAT,
        "version": VERSION,
        "tool": tool,
        "time": time,
        "works": all(one.works for one in found),
        "servers": [
            _server(one, inventory) | {"next": next_step or None}
            for one, inventory, next_step in zip(found, inventories, next_steps, strict=True)
        ],
    }
    return json.dumps(whole, indent=1)  # ASCII: nothing that a host wrote reaches a terminal as it is


def _server(found: Examination, inventory: str | None) -> dict[str, Fact]:
    return {
        "name": found.name,
        "endpoint": found.endpoint,
        "way": found.way,
        "works": found.works,
        "stuck_at": found.stuck or None,
        "seconds": round(found.seconds, 3),
        "messages": found.messages,
        "octets": found.octets,
        "steps": [_step(step) for step in found.steps],
        "classes": [_class(one) for one in found.classes],
        "grants": [_grant(one) for one in found.grants],
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


def _class(one: ClassRead) -> dict[str, Fact]:
    return {
        "class": one.name,
        "namespace": one.namespace,
        "rows": None if one.unread else one.rows,
        "seconds": round(one.seconds, 3),
        "messages": one.messages,
        "octets": one.octets,
        "unread": None if one.unread is None else one.unread.reason,
        "why": None if one.unread is None else one.unread.why.value,
    }


def _grant(one: Grant) -> dict[str, Fact]:
    return {
        "key": one.key,
        "missing": one.missing,
        "why": one.why,
        "commands": list(one.commands),
        "basis": one.basis.value,
    }
