"""What users' own checks are parametrized with: every machine and server; an Unread in place of what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from compliance.model import ReplicatedVM, Server, Unread
from compliance.report.table import Table
from compliance.rule import SIDES
from compliance.words import printable


def machines(table: Table) -> Iterator[tuple[str, ReplicatedVM | Unread]]:
    """Yield every replicated machine with its label; in place of those that are missing, what no test can pass on."""
    verdicts = [each for each in table.verdicts if each.rule.subject is ReplicatedVM and each.rule.sides == SIDES]
    each_once = [verdict for verdict in verdicts if verdict.rule is verdicts[0].rule]
    for verdict in each_once:
        if isinstance(verdict.subject, ReplicatedVM):
            yield verdict.label, verdict.subject
        elif isinstance(verdict.subject, Server) and verdict.subject.unread:
            yield verdict.label, verdict.subject.unread
    if not each_once and not table.estate.settings.may_be_empty:
        yield printable(table.estate.name), Unread("the estate shows no replicated virtual machine")


def servers(table: Table) -> Iterator[tuple[str, Server | Unread]]:
    """Yield every server with its label, or why it was not read."""
    for server in table.estate.servers:
        yield printable(server.name), server.unread or server
