"""Nobody's baseline breaks: what version 0.1 wrote and read is still known, whatever is renamed since."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compliance.audit import judge_snapshot
from compliance.gate import version_1
from compliance.gate.baseline import ANSWERS, SIDES, finding_of
from compliance.gate.decision import BaselineState
from compliance.gate.exits import Exit
from compliance.judge.scope import Scope
from compliance.model import Answer, Role
from compliance.plan import Plan, read_plan
from compliance.report.table import Table
from compliance.rule import Result

FOLDER = Path(__file__).parent.parent / "version_0_1"
NAMES = {
    "whole-estate": Exit.OPEN,
    "lost-guest": Exit.OPEN,
    "demo-guests": Exit.NOT_JUDGED,  # as by 0.1: a guest connection that was not read can't be waived
}


def planned(name: str) -> Plan:
    return read_plan(
        None,
        [str(FOLDER / f"{name}.jsonl.gz")],
        policies=[str(FOLDER / "policy.yaml")],
        waivers=[str(FOLDER / "waivers.yaml")],
        baseline=str(FOLDER / f"{name}-results.json"),
    )


def written(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((FOLDER / f"{name}-results.json").read_text("utf-8"))
    return document


def table_of(of: Plan, name: str) -> Table:
    """By the rules that it had, for this estate."""
    assert of.snapshot
    return judge_snapshot(of.snapshot, Scope(rules=tuple(one["key"] for one in written(name)["rules"])), of)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_found_is_known_and_closes_no_gate(name: str) -> None:
    of = planned(name)
    table = table_of(of, name)
    failed = [one for one in table.decisions if one.verdict.outcome.result is Result.FAILED]
    states = Counter(one.state for one in failed)
    assert of.baseline
    assert states[BaselineState.KNOWN] == len(of.baseline.findings) > 0
    assert states[BaselineState.CHANGED] == 0
    newer = [one for one in failed if one.state is BaselineState.NEW]
    assert all(one.verdict.outcome.cause for one in newer)  # what 0.1 did not know
    assert Counter(one.closes for one in table.decisions)[Exit.VIOLATED] == len(newer)
    assert table.gate.code is (Exit.VIOLATED if newer else NAMES[name]), table.gate.reasons


@pytest.mark.parametrize("name", NAMES)
def test_its_digests_are_those_that_it_wrote(name: str) -> None:
    """Of all that was not passed, whatever 0.1 wrote: nothing that was unknown may be taken for known either."""
    expected = {
        (one["rule"], one["label"]): (one["identity"], one["evidence_digest"])
        for one in written(name)["results"]
        if one["result"] == "failed"
    }
    table = table_of(replace(planned(name), baseline=None), name)
    found = {
        (one.verdict.rule.key, one.verdict.label): (
            version_1.identity_of(one.verdict),
            version_1.evidence_of(one.verdict),
        )
        for one in table.decisions
        if one.verdict.outcome.result is Result.FAILED
    }
    assert expected.items() <= found.items()
    newer = {identity for identity, _ in (found[key] for key in found.keys() - expected.keys())}
    assert not newer & {identity for identity, _ in expected.values()}


def test_another_fact_is_no_longer_known() -> None:
    """An address, or an answer, that is another one than the baseline's."""
    of = planned("whole-estate")
    decisions = table_of(of, "whole-estate").decisions
    known = next(one for one in decisions if one.state is BaselineState.KNOWN and one.verdict.machine)
    machine = known.verdict.machine
    assert machine
    assert of.baseline
    moved = replace(machine, failover=tuple(replace(one, addresses=("10.9.9.9",)) for one in machine.settings))
    subject = known.verdict.subject
    verdict = replace(known.verdict, subject=replace(subject, machine=moved))  # type: ignore[type-var, call-arg]
    assert known.finding
    same = of.baseline.same(verdict, known.finding)
    assert same.identity in of.baseline.findings
    assert of.baseline.findings[same.identity].evidence != same.evidence


def test_a_rule_that_it_did_not_have_is_never_known_by_it() -> None:
    of = planned("whole-estate")
    decision = next(one for one in table_of(of, "whole-estate").decisions if one.state is BaselineState.KNOWN)
    other = replace(decision.verdict, rule=replace(decision.verdict.rule, key="another-rule"))
    assert version_1.evidence_of(other) == ""


@pytest.mark.parametrize(("words", "kinds"), [(version_1.ROLES, Role), (version_1.ANSWERS, Answer)])
def test_each_word_is_frozen(words: object, kinds: type) -> None:
    """A member that comes later has no word of 0.1's: it needs one here that 0.1 can't have written."""
    assert set(words) == set(kinds)  # type: ignore[call-overload]


@pytest.mark.parametrize(("keys", "kinds"), [(SIDES, Role), (ANSWERS, Answer)])
def test_each_state_has_a_key_of_its_own(keys: dict[object, str], kinds: type) -> None:
    assert set(keys) == set(kinds)  # type: ignore[call-overload]
    assert len(set(keys.values())) == len(keys)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.jsonl.gz")), ids=lambda path: path.name)
def test_each_finding_has_a_cause_that_no_wording_changes(path: Path) -> None:
    of = read_plan(None, [str(path)])
    assert of.snapshot
    for one in judge_snapshot(of.snapshot, Scope(), of).decisions:
        outcome = one.verdict.outcome
        assert outcome.cause or outcome.result is not Result.FAILED, one.verdict.id
        if outcome.cause and one.finding:
            other_words = replace(one.verdict, outcome=replace(outcome, finding="in other words", evidence="other"))
            assert finding_of(other_words) == one.finding
