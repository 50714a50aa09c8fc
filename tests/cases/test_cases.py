"""Each input with what is right, and the same in three other forms: a kind is mended, not one input."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.errors import SnapshotError
from compliance.hyperv.estate import translate
from compliance.judge.conclusion import readiness_of
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.model import Estate
from compliance.rule import Result, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.rules.evidence.facts import ADDRESSES_NOW
from compliance.snapshot.snapshot import Snapshot
from tests.cases.inputs import DATA, at_sites, read, renamed, with_more_adapters

READY, IF, NOT, UNKNOWN, NONE, FOREIGN = (
    Word.READY,
    Word.READY_IF,
    Word.NOT_READY,
    Word.UNKNOWN,
    Word.NO_ADDRESS,
    Word.NOT_OURS,
)
TEN = dict.fromkeys(("app01", "dc01", "file01", "print01", "sql01"), (NONE, Cause.TODAY_UNKNOWN))
OF_ONE_ADDRESS = (
    *("committed-off", "critical", "degraded", "initial-repl", "kvp-lost", "off-primary", "prepared-planned"),
    *("ready-only", "resync-wait", "saved-primary", "suspended"),
)
IN_STATES = {
    "recovered-running-kept-old": (NOT, Cause.NOT_LANDED),
    "recovered-running-landed": (READY, ""),
    "split-brain": (NOT, Cause.NOT_LANDED),
    **dict.fromkeys(OF_ONE_ADDRESS, (NOT, Cause.ADDRESS_TAKEN)),
}

RIGHT: dict[str, dict[str, tuple[Word, str]]] = {
    "wrong_side.jsonl.gz": {
        "wrongside": (NOT, Cause.WRONG_SIDE),
        "static-none": (NONE, Cause.TODAY_UNKNOWN),
        "onenic": (IF, ""),
        "unplugged": (NOT, Cause.NOT_CONNECTED),
        "legacy": (NOT, Cause.LEGACY_ADAPTER),
        "nonsense": (NOT, Cause.INVALID),
        "dup": (NOT, Cause.ADDRESS_TAKEN),
        "ubuntu": (NOT, Cause.SYSTEM_NOT_AS_INSTALLED),
        "rhel8": (IF, ""),
    },
    "states.jsonl.gz": IN_STATES,
    "small_rows.jsonl.gz": TEN,
    "small_norows.jsonl.gz": dict.fromkeys(TEN, (UNKNOWN, Cause.SERVER_FAULT)),
    "ubuntu.jsonl.gz": {f"web{number:02d}": (NOT, Cause.SYSTEM_NOT_AS_INSTALLED) for number in range(50)},
    "floor.jsonl.gz": {f"vm{number}": (UNKNOWN, Cause.GUEST_NOT_SEEN) for number in range(10)},
    "other-provider.jsonl": dict.fromkeys("abc", (FOREIGN, Cause.OTHER_PROVIDER)),
    "odd-addresses.jsonl": {
        "same": (NOT, Cause.GATEWAY_INVALID),
        "v6only": (IF, ""),
        "zero": (NOT, Cause.INVALID),
    },
    "connected-to-nothing.jsonl": {"app": (UNKNOWN, Cause.CONNECTION_UNREAD)},
    "deprecated.jsonl": {"sql01": (IF, "")},
    "freebsd.jsonl": {"fw01": (IF, "")},
    "rebooting.jsonl": {"sql01": (NOT, Cause.GUEST_NO_CONTACT)},
    "legacy-adapter-only.jsonl": {"app01": (NOT, Cause.LEGACY_ADAPTER)},
    "q4-empty-gate-open.jsonl": dict.fromkeys(["m0", "m1", "m2"], (UNKNOWN, Cause.SIDE_NOT_SEEN)),
    "rhel810-host-only.jsonl": {"app01": (IF, "")},
    "rhel93-host-only.jsonl": {"app01": (IF, "")},
}
"""Of each virtual machine, whether it would come up with its address at a failover, and why not."""


def judged(snapshot: Snapshot) -> tuple[Estate, tuple[Verdict, ...]]:
    estate = translate(snapshot)
    return estate, judge(estate)


def words(snapshot: Snapshot) -> dict[str, tuple[Word, str]]:
    estate, verdicts = judged(snapshot)
    return {
        one.name: (one.word, one.cause) for one in readiness_of(estate, verdicts) if one.direction is Direction.FAILOVER
    }


def failed(snapshot: Snapshot, key: str, result: Result = Result.FAILED) -> list[str]:
    return sorted(
        verdict.label.partition("/eth-")[0]
        for verdict in judged(snapshot)[1]
        if verdict.rule.key == key and verdict.outcome.result is result
    )


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right(name: str) -> None:
    assert words(read(name)) == RIGHT[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", RIGHT)
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    suffix=st.text(st.characters(codec="utf-8", categories=["L", "N", "P"]), min_size=1, max_size=8),
    sites=st.sampled_from([{}, {"hv01": "berlin", "hv02": "frankfurt"}, {"hv01": "a", "hv02": "b", "hv-a": "c"}]),
    more=st.integers(0, 3),
)
def test_what_is_right_has_no_matter_in_which_words(name: str, suffix: str, sites: dict[str, str], more: int) -> None:
    varied = with_more_adapters(at_sites(renamed(read(name), suffix), sites), more)
    expected = {f"{machine}{suffix}": right for machine, right in RIGHT[name].items()}
    assert {machine: word for machine, (word, _) in words(varied).items()} == {
        machine: word for machine, (word, _) in expected.items()
    }


# --- what is said of each ---------------------------------------------------------------------------------------------


def test_a_machine_that_kept_its_address_did_not_land_and_one_runs_twice() -> None:
    snapshot = read("states.jsonl.gz")
    assert failed(snapshot, "failover-ip-landed") == ["hv02/recovered-running-kept-old", "hv02/split-brain"]
    assert failed(snapshot, "runs-on-one-side") == ["hv02/split-brain"]


def test_what_is_one_servers_fault_is_said_once() -> None:
    snapshot = read("small_norows.jsonl.gz")
    closed = [one for one in judged(snapshot)[1] if one.outcome.result in (Result.FAILED, Result.UNKNOWN)]
    assert [verdict.id for verdict in closed] == ["test::server-was-read[hv02]"]
    assert "`defaults: {may_lack_failover_settings: true}`" in closed[0].outcome.finding


def test_another_provider_is_judged_by_no_rule_and_names_no_partner() -> None:
    estate, verdicts = judged(read("other-provider.jsonl"))
    assert estate.unlisted == ()
    assert {verdict.outcome.result for verdict in verdicts if verdict.machine} == {Result.NOT_APPLICABLE}


def test_odd_addresses_are_seen() -> None:
    snapshot = read("odd-addresses.jsonl")
    assert failed(snapshot, "failover-ip-is-valid") == ["hv02/same", "hv02/zero"]
    remarks = [remark for verdict in judged(snapshot)[1] for remark in verdict.outcome.remarks]
    assert any("IPv4 of this adapter becomes DHCP" in remark for remark in remarks)
    assert any("10.1.0.11 is the address that it has on hv01 today" in remark for remark in remarks)
    there = at_sites(snapshot, {"hv01": "berlin", "hv02": "frankfurt"})
    assert failed(there, "failover-ip-differs-from-today") == ["hv02/same"]


def test_a_sentence_is_no_address() -> None:
    estate, verdicts = judged(read("deprecated.jsonl"))
    assert {verdict.outcome.facts.get(ADDRESSES_NOW, ()) for verdict in verdicts} == {()}
    assert {one.today for one in readiness_of(estate, verdicts)} == {""}


def test_what_answered_and_published_nothing_is_a_condition() -> None:
    conditions = {
        verdict.outcome.condition
        for verdict in judged(read("ok_without_items.jsonl"))[1]
        if verdict.rule.key == "failover-ip-needs-integration-services"
    }
    assert conditions
    assert "" not in conditions


def test_nobody_says_never_of_a_guest_that_may_only_restart() -> None:
    findings = [verdict.outcome.finding for verdict in judged(read("rebooting.jsonl"))[1]]
    assert any("does not answer Data Exchange; it has been up for 40 days" in finding for finding in findings)
    assert not any("never" in finding for finding in findings)


def test_nobody_answers_for_a_machine_that_nobody_named() -> None:
    words = {(one.primary, one.replica): one.word for one in _failovers(read("third.jsonl"))}
    assert words == {("", "hv02"): UNKNOWN, ("hv66", ""): UNKNOWN}


def test_each_name_once_and_the_unread_one_first() -> None:
    reasons = {one.name: one.reason for one in _failovers(read("partner-unread.jsonl"))}
    assert not any("hv-a.dr.example, hv-a.dr.example" in reason for reason in reasons.values())


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("debian12-rhel-keyfile-script.jsonl", Result.FAILED),
        ("ubuntu2404-ifupdown.jsonl", Result.UNKNOWN),
        ("ubuntu-no-cloud-tools-for-kernel.jsonl", Result.FAILED),
    ],
)
def test_what_a_look_inside_shows(name: str, result: Result) -> None:
    assert failed(read(name), "guest-applies-failover-ip", result) == ["hv01/app01", "hv02/app01"]
    assert {one.word for one in _failovers(read(name))} == {NOT if result is Result.FAILED else UNKNOWN}


@pytest.mark.parametrize("name", ["estate-escape.jsonl", "estate-newline.jsonl", "estate-surrogate.jsonl"])
def test_an_estates_name_is_held_to_its_form(name: str) -> None:
    with pytest.raises(SnapshotError) as error:
        read(name)
    assert str(error.value).isprintable()


def test_every_input_is_judged() -> None:
    source = (DATA.parent / "test_cases.py").read_text("utf-8")
    assert [path.name for path in sorted(DATA.iterdir()) if path.name not in source] == []


def _failovers(snapshot: Snapshot) -> list[Readiness]:
    return [one for one in readiness_of(*judged(snapshot)) if one.direction is Direction.FAILOVER]
