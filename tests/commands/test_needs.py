"""What a rule needs is what it can't do without: one property after the other is taken out of estates of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from compliance.commands.rules.needs import NEEDS, needs_of
from compliance.hyperv import queries
from compliance.hyperv.estate import translate
from compliance.hyperv.guests import queries as guest_queries
from compliance.hyperv.queries import Query
from compliance.judge.judge import all_rules, judge
from compliance.model import Unread
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.snapshot import Reading, RowsOrUnread, ServerRecord, Snapshot
from tests.running import ROOT

ESTATES = ("inventories/demo.jsonl.gz", "inventories/demo-guests.jsonl.gz", "tests/lab.jsonl.gz")
QUERIES = (*queries.QUERIES, *queries.OF_REPLICATION, *queries.OF_CLUSTER)


def test_every_rule_of_ours_has_its_needs() -> None:
    assert set(NEEDS) == {rule.key for rule in all_rules() if rule.module.startswith("compliance.rules")}
    assert needs_of("a-rule-of-somebody-elses") == {}


def test_nothing_is_named_that_is_not_asked_for() -> None:
    asked: dict[str, set[str]] = {}
    for query in (*QUERIES, queries.CLOCK, *guest_queries.QUERIES):
        asked.setdefault(query.class_name, set()).update(query.properties)
    named = {(name, one) for needs in NEEDS.values() for name, properties in needs.items() for one in properties}
    assert {(name, one) for name, one in named if one not in asked.get(name, ())} == set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ESTATES)
def test_what_changes_a_rules_word_is_among_its_needs(name: str) -> None:
    snapshot = read_snapshot(ROOT / name)
    whole = outcomes(snapshot)
    for query in QUERIES:
        for lacking in query.properties:
            changed = outcomes(without(snapshot, query, lacking))
            keys = {key for key, _ in whole.items() ^ changed.items()}
            assert {rule for rule, _ in keys if lacking not in NEEDS[rule].get(query.class_name, ())} == set(), (
                query.class_name,
                lacking,
            )


def outcomes(snapshot: Snapshot) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what each rule says of each subject."""
    found = judge(translate(snapshot))
    return {(one.rule.key, one.label): (str(one.outcome.result), one.outcome.cause) for one in found}


def without(snapshot: Snapshot, query: Query, lacking: str) -> Snapshot:
    """Return the snapshot without one property in all rows of a class."""

    def stripped(rows: RowsOrUnread) -> RowsOrUnread:
        if isinstance(rows, Unread):
            return rows
        return tuple({key: value for key, value in row.items() if key != lacking} for row in rows)

    def changed(source: ServerRecord) -> ServerRecord:
        reading = source.reading
        if not isinstance(reading, Reading):
            return source
        parts = {name: getattr(reading, name) for name in ("classes", "again", "cluster")}
        new = {name: dict(_stripped(rows, query.class_name, stripped)) for name, rows in parts.items()}
        return replace(source, reading=replace(reading, **new))

    return replace(
        snapshot, servers=tuple(map(changed, snapshot.servers)), clusters=tuple(map(changed, snapshot.clusters))
    )


def _stripped(classes: dict[str, RowsOrUnread], name: str, stripped: object) -> Iterator[tuple[str, RowsOrUnread]]:
    for key, rows in classes.items():
        yield key, stripped(rows) if key == name else rows  # type: ignore[operator]
