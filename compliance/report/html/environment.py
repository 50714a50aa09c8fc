"""The evidence block as pytest-html's table of its environment."""

from __future__ import annotations

from collections.abc import Iterable

from compliance.model import Evidence
from compliance.report.evidence_block import NOT_RECORDED, LoginRow, WaiverRow, evidence_block
from compliance.report.html.parts import MOST_NAMES, as_html, html_names
from compliance.report.table import Table

BPA_ONLY = "Microsoft's own test alone: whether Data Exchange is offered on this host. No guest was asked."


def environment(table: Table) -> dict[str, str]:
    """Return the evidence block for pytest-metadata's table. pytest-html sets names as text but values as HTML, so
    these are escaped."""
    estate = table.estate
    read = [server.name for server in estate.servers if not server.unread]
    unread = [f"{server.name} ({server.unread})" for server in table.unread]
    choices = {entry.name: entry.insecure for entry in (*estate.read, *estate.connections)}
    insecure = [f"{name} ({choice})" for name, choice in choices.items() if choice]
    block = evidence_block(table)
    rows = {
        "Estate": as_html(estate.name),
        "Servers read": f"{len(read)} of {len(estate.servers)}: {html_names(read)}" if read else "none",
        "Servers not read": html_names(unread) or "none",
        **{label: _lines(as_html(line, MOST_OF_A_FACT) for line in lines) for label, lines in block.facts},
        "Read as": _list(_login(row) for row in block.logins),
        "Waivers": _list(_waiver(row) for row in block.waivers) or "none",
        "Evidence": as_html(BPA_ONLY if estate.settings.evidence is Evidence.BPA else ""),
        "Scope": as_html(table.scope),
        "Insecure choices": html_names(insecure) or "none",
    }
    return {name: value for name, value in rows.items() if value}


MOST_OF_A_FACT = 2000
"""Letters of a line of the evidence block, such as the policy."""


def _list(texts: Iterable[str]) -> str:
    items = [*texts]
    more = [f"and {len(items) - MOST_NAMES:,} more"] if len(items) > MOST_NAMES else []
    return _lines([*map(as_html, items[:MOST_NAMES]), *more])


def _lines(lines: Iterable[str]) -> str:
    items = [*lines]
    return items[0] if len(items) == 1 else "".join(f"<div>{line}</div>" for line in items)


def _login(row: LoginRow) -> str:
    when = row.started if row.started == row.finished else f"{row.started} to {row.finished}"
    unknown = [what for what, text in (("account", row.account), ("transport", row.transport)) if text == NOT_RECORDED]
    if len(unknown) == 2:
        return f"{row.kind} {row.name}: account and transport {NOT_RECORDED}, {when}"
    account = f"account {row.account}" if unknown == ["account"] else row.account
    return f"{row.kind} {row.name}: {account}, {row.transport}, {when}"


def _waiver(row: WaiverRow) -> str:
    people = ", ".join(
        text for text in (row.owner, row.ticket, row.approved_by and f"agreed by {row.approved_by}") if text
    )
    met = "" if row.met_a_finding else ", met no finding"
    return f"{row.place}: {row.covers}: {row.reason} ({people}, until {row.expires}): {row.state}{met}"
