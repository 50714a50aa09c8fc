"""The evidence block: what a change board asks of a run beside its answer. Who ran it and where, by which versions and
rules, on which files, as which accounts, when the gate was decided and by which clock, by which policy and waivers.

report.html, its print, pytest-html's page and gate.json have it; results.json, results.csv and summary.md don't, since
they are the same whenever they are written. An account's name is all that is there of a login: no secret ever is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from compliance.gate.waivers import Waiver
from compliance.report.json_parts import grounds, waiver, waivers
from compliance.report.origin import Login
from compliance.report.table import Table
from compliance.snapshot.snapshot import SnapshotFile
from compliance.words import printable

NOT_RECORDED = "not recorded"


@dataclass(frozen=True, kw_only=True, slots=True)
class LoginRow:
    """One server, cluster or guest, for a reader: ``NOT_RECORDED`` stands for what the snapshot does not have."""

    name: str
    kind: str
    account: str
    transport: str
    started: str
    finished: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WaiverRow:
    """One waiver. ``state``: in force, ending or ended."""

    place: str
    covers: str
    reason: str
    owner: str
    approved_by: str
    ticket: str
    expires: str
    state: str
    met_a_finding: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceBlock:
    """All texts are printable; each output escapes them once more in its own language."""

    facts: tuple[tuple[str, tuple[str, ...]], ...]
    """Label and lines, in the order in which they are shown: (``Gate decided``, (``30 Nov 2026 …``,))."""
    logins: tuple[LoginRow, ...]
    waivers: tuple[WaiverRow, ...]


def evidence_block(table: Table) -> EvidenceBlock:
    """Return what report.html and pytest-html show of where the answer comes from."""
    facts = ((label, tuple(printable(line) for line in lines)) for label, lines in _facts(table))
    return EvidenceBlock(
        facts=tuple((label, lines) for label, lines in facts if lines),
        logins=tuple(map(_login_row, table.origin.logins)),
        waivers=tuple(_waiver_row(one, state, met_a_finding=met) for one, state, met in _waivers(table)),
    )


def _facts(table: Table) -> Iterator[tuple[str, list[str]]]:
    origin, gate = table.origin, table.gate
    yield "Run by", [origin.author] if origin.author else ["not named"]
    yield "Tool and its rules", [table.tool]
    yield "Rules of your own", [f"{one.name} {one.version}" for one in origin.packages]
    yield "Inventory", list(_inventory_lines(table))
    yield "Snapshot", list(_snapshot_lines(table))
    if origin.decided:
        yield "Gate decided", [f"{_moment(origin.decided)}, by {origin.clock}"]
    else:
        yield "Gate decided", [NOT_RECORDED]
    yield "Data from", [table.data.removeprefix("data from ")]
    yield "Policy", [_policy_line(table)]
    yield "Weaker than by default", list(gate.weaker) or ["nothing"]
    files = [f"{file.name} ({file.digest})" for file in table.waiver_files]
    yield "Files of waivers", files or ["none"]
    yield "Baseline", [f"{table.baseline.name} ({table.baseline.digest})"] if table.baseline else ["none"]


def _inventory_lines(table: Table) -> Iterator[str]:
    """Yield the inventory that this run read, and that by which the snapshot was gathered where it is another one."""
    read, gathered = table.origin.inventory_digest, table.inventory_digest
    if read:
        yield f"{table.inventory} ({read})"
    if not read or gathered not in ("", read):
        yield f"the snapshot was gathered by one with {gathered or f'a SHA-256 that is {NOT_RECORDED}'}"


def _snapshot_lines(table: Table) -> Iterator[str]:
    origin = table.origin
    for file in origin.files:
        yield f"read from {file.name} ({file.digest})"
    if origin.saved:
        yield f"saved as {origin.saved.name} ({origin.saved.digest})"
    elif not origin.files:
        yield "gathered in this run, and not saved (`--hv-save` does)"
    if origin.gathered_by and origin.gathered_by != table.tool:
        yield f"gathered by {origin.gathered_by}"


def _policy_line(table: Table) -> str:
    """Return the policy in one line, by the keys and in the units of its file."""
    policy = grounds(table)["policy"]
    assert isinstance(policy, dict)  # noqa: S101  # for mypy
    return ", ".join(f"{key}: {_value(value)}" for key, value in policy.items() if value not in (None, {}))


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {item}" for key, item in value.items()) + "}"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _login_row(login: Login) -> LoginRow:
    return LoginRow(
        name=printable(login.name),
        kind=login.kind,
        account=printable(login.account) or NOT_RECORDED,
        transport=printable(login.transport) or NOT_RECORDED,
        started=_moment(login.started) if login.started else "not read",
        finished=_moment(login.finished) if login.finished else "not read",
    )


def _moment(time: datetime) -> str:
    """Return ``2026-11-02 06:30:07 UTC``: with seconds, since a server is read in some of them."""
    try:
        return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:  # at the calendar's edge
        return time.isoformat()


def _waivers(table: Table) -> Iterator[tuple[Waiver, str, bool]]:
    """Yield each waiver, whether it is in force, ending or ended by the gate's clock, and whether it met a finding."""
    gate = table.gate
    states = {one.place: "ending" for one in gate.ending} | {one.place: "ended" for one in gate.ended}
    unused = {one.place for one in gate.unused}
    for one in waivers(table):
        yield one, states.get(one.place, "in force"), one.place not in unused


def _waiver_row(one: Waiver, state: str, *, met_a_finding: bool) -> WaiverRow:
    entry = one.entry
    covered = {key: getattr(entry, key) for key in ("rule", "machine", "server", "adapter", "site", "group")}
    return WaiverRow(
        place=printable(one.place),
        covers=printable("; ".join(f"{key} {', '.join(globs)}" for key, globs in covered.items() if globs)),
        reason=printable(entry.reason),
        owner=printable(entry.owner),
        approved_by=printable(entry.approved_by or ""),
        ticket=printable(entry.ticket or ""),
        expires=printable(entry.expires),
        state=state,
        met_a_finding=met_a_finding,
    )


# --- gate.json --------------------------------------------------------------------------------------------------------


def waiver_values(table: Table) -> Iterator[dict[str, object]]:
    """Yield each waiver by the keys of its file, with its state."""
    for one, state, met in _waivers(table):
        yield {**waiver(one), "is": state, "met_a_finding": met}


def run_values(table: Table) -> dict[str, object]:
    """Return what gate.json has under ``run``: null where nothing was recorded. The digest of the inventory that this
    run read stands there; that of the one by which the snapshot was gathered is `inventory`."""
    origin = table.origin
    return {
        "author": printable(origin.author) or None,
        "decided": origin.decided.isoformat() if origin.decided else None,
        "clock": origin.clock,
        "gathered_by": origin.gathered_by,
        "inventory_digest": origin.inventory_digest or None,
        "rule_packages": [{"name": one.name, "version": one.version} for one in origin.packages],
        "snapshots": [_file_values(file) for file in origin.files],
        "saved": _file_values(origin.saved) if origin.saved else None,
        "logins": [_login_values(login) for login in origin.logins],
    }


def _file_values(file: SnapshotFile) -> dict[str, str]:
    return {"name": file.name, "digest": file.digest}


def _login_values(login: Login) -> dict[str, str | None]:
    return {
        login.kind: login.name,
        "account": login.account or None,
        "transport": login.transport or None,
        "from": login.started.isoformat() if login.started else None,
        "to": login.finished.isoformat() if login.finished else None,
    }
