"""A difference between two audits as JSON, for programs.

Version 1, in this order; keys may be added, none changes its meaning::

    {"format": "hyperv-compliance difference", "version": 1, "estate": text, "is_worse": bool,
     "before": {"time": ISO 8601, "tool": text, "complete": bool, "servers": n, "unread": n, "machines": n},
     "after": the same,
     "worse": n, "better": n, "other": n,       # flipped outcomes
     "entries": [                               # the estate, servers, machines; each by name
       {"kind": "estate" | "cluster" | "server" | "machine", "label": text, "server": text, "guid": text, "role": value,
        "fate": "stayed" | "came" | "went" | "not known now" | "known now",
        "reason": text,                         # why it is not known on one side
        "changes": [{"what": text, "of": text, "before": value, "after": value}],
        "flips": [{"rule": key, "severity": text, "effect": "worse" | "better" | "other",
                   "before": outcome, "after": outcome}],
        "because": [label],                     # other entries that may have flipped these outcomes
        "explained": bool}],                    # false: nothing that is listed explains the flips
     "turns": [                                 # machines whose readiness is another one, in each direction; by name
       {"guid": text, "name": text, "direction": text, "before": readiness, "after": readiness}]}

A value is text, null where there is none, or {"not_known": reason}. An outcome is null where nothing was judged, or
{"result": text, "finding": text}; readiness, which is null where the machine was not seen, {"word": text,
"condition": text, "reason": text}. ASCII only, one line an entry; the same snapshots give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from compliance.diff.aspects import Change, Known
from compliance.diff.difference import AuditExtent, Changed, Difference, Effect, Flip, Turn
from compliance.judge.readiness import Readiness
from compliance.model import Unread
from compliance.rule import Outcome

FORMAT = "hyperv-compliance difference"
VERSION = 1


def as_json(difference: Difference) -> Iterator[str]:
    """Lines; together they are one object."""
    head = {
        "format": FORMAT,
        "version": VERSION,
        "estate": difference.estate,
        "is_worse": difference.is_worse,
        "before": _seen(difference.before),
        "after": _seen(difference.after),
        **{effect.value: difference.flips(effect) for effect in Effect},
    }
    yield _compact(head)[:-1] + ',"entries":['
    last = len(difference.entries) - 1
    for number, entry in enumerate(difference.entries):
        yield _compact(_entry(entry)) + ("," if number < last else "")
    yield '],"turns":['
    last = len(difference.turns) - 1
    for number, turn in enumerate(difference.turns):
        yield _compact(_turn(turn)) + ("," if number < last else "")
    yield "]}"


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _seen(seen: AuditExtent) -> dict[str, object]:
    return {
        "time": seen.time.isoformat(),
        "tool": seen.tool,
        "complete": seen.complete,
        "servers": seen.servers,
        "unread": seen.unread,
        "machines": seen.machines,
    }


def _entry(entry: Changed) -> dict[str, object]:
    return {
        "kind": entry.kind,
        "label": entry.label,
        "server": entry.server,
        "guid": entry.guid,
        "role": _known(entry.role),
        "fate": entry.fate.value,
        "reason": entry.reason,
        "changes": [_change(change) for change in entry.changes],
        "flips": [_flip(flip) for flip in entry.flips],
        "because": list(entry.because),
        "explained": entry.is_explained,
    }


def _turn(turn: Turn) -> dict[str, object]:
    machine = turn.machine
    known = {"guid": machine.guid, "name": machine.name, "direction": turn.direction.value}
    return {**known, "before": _readiness(turn.before), "after": _readiness(turn.after)}


def _readiness(readiness: Readiness | None) -> object:
    if readiness is None:
        return None
    return {"word": readiness.word.value, "condition": readiness.condition, "reason": readiness.reason}


def _change(change: Change) -> dict[str, object]:
    return {"what": change.what, "of": change.of, "before": _known(change.before), "after": _known(change.after)}


def _known(value: Known) -> object:
    return {"not_known": value.reason} if isinstance(value, Unread) else value


def _flip(flip: Flip) -> dict[str, object]:
    return {
        "rule": flip.rule,
        "severity": flip.severity.value,
        "effect": flip.effect.value,
        "before": _outcome(flip.before),
        "after": _outcome(flip.after),
    }


def _outcome(outcome: Outcome | None) -> object:
    return {"result": outcome.result.value, "finding": outcome.finding} if outcome else None
