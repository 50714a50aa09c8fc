"""The headline: its words for each kind of estate, and numbers that equal a count by hand."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.gate.baseline import Baseline, finding_of
from compliance.gate.decision import Decision, Grounds
from compliance.gate.gate import decide
from compliance.gate.policy import Policy
from compliance.gate.waivers import Waiver, WaiverEntry
from compliance.judge.conclusion import readiness_of
from compliance.judge.headline import DIRECTIONS_OF_POLICY, count_machines, count_words, headline, in_scope
from compliance.judge.judge import judge
from compliance.judge.readiness import Direction, Readiness, Word
from compliance.judge.scope import Scope
from compliance.model import Estate, Power, ReplicatedVM, Role, Unread
from compliance.rule import Result
from compliance.rules.evidence.causes import Cause
from tests.hosts import NOW, guid
from tests.values import adapter, address, estate, replica, static, vm

LATER = datetime(2027, 6, 1, tzinfo=UTC)


def of(number: int, word: Word, direction: Direction = Direction.FAILOVER, **changes: object) -> Readiness:
    name = f"app{number:02}"
    machine = vm(name, Role.PRIMARY if direction is Direction.FAILBACK else Role.REPLICA)
    values: dict[str, object] = {"guid": guid(name), "name": name, "reason": "r", **changes}
    sides = (ReplicatedVM(machine=machine, partner=Unread("none")),)
    return Readiness(direction=direction, word=word, sides=sides, **values)  # type: ignore[arg-type]


def several(counts: dict[Word, int], direction: Direction = Direction.FAILOVER, **changes: object) -> list[Readiness]:
    words = [word for word, count in counts.items() for _ in range(count)]
    return [of(number, word, direction, **changes) for number, word in enumerate(words)]


ALONE = "NetworkManager leaves its adapter alone"
SENTENCES: dict[str, tuple[Sequence[Readiness], str, str]] = {
    "the example": (
        [
            *several({Word.READY: 14, Word.NOT_READY: 4}),
            of(20, Word.READY_IF, condition=ALONE),
            of(21, Word.UNKNOWN),
            of(22, Word.NO_ADDRESS, cause=Cause.BY_DHCP, today="10.1.0.7, by DHCP"),
            of(23, Word.NO_ADDRESS, cause=Cause.BY_DHCP),
            of(24, Word.NO_ADDRESS, cause=Cause.STATIC_WITHOUT, today="10.1.0.20, static"),
        ],
        "both",
        (
            f"14 of 20 virtual machines would come up with their failover address; 4 would not; 1 only if {ALONE}; "
            "1 is unknown. 3 more have no failover address: 2 use DHCP, 1 would keep 10.1.0.20"
        ),
    ),
    "nothing was judged": (
        several({Word.UNKNOWN: 2}),
        "both",
        "it is unknown whether 2 virtual machines would come up with their failover address",
    ),
    "nobody has an address": (
        several({Word.NO_ADDRESS: 2}, cause=Cause.TODAY_UNKNOWN),
        "both",
        "2 virtual machines have no failover address: it is not known what they would use",
    ),
    "one has none": (
        [of(1, Word.NO_ADDRESS, cause=Cause.STRETCHED)],
        "both",
        "1 virtual machine has no failover address: 1 keeps an address that is valid there",
    ),
    "a guest's word is no address": (
        [of(1, Word.NO_ADDRESS, cause=Cause.STATIC_WITHOUT, today="**evil**, static")],
        "both",
        "1 virtual machine has no failover address: 1 would keep its static address",
    ),
    "nobody is ready": (
        several({Word.NOT_READY: 2, Word.UNKNOWN: 1}),
        "failover",
        "2 of 3 virtual machines would not come up with their failover address; 1 is unknown",
    ),
    "only on conditions": (
        [of(1, Word.READY_IF, condition="a"), of(2, Word.READY_IF, condition="b"), of(3, Word.READY_IF, condition="c")],
        "failover",
        "1 of 3 virtual machines would come up with their failover address only if a; 2 only on a condition",
    ),
    "another provider": (
        several({Word.READY: 1, Word.NOT_OURS: 1}),
        "both",
        (
            "1 of 1 virtual machine would come up with its failover address. "
            "1 is replicated by another provider than Hyper-V Replica"
        ),
    ),
    "both directions": (
        [of(1, Word.READY), of(1, Word.NOT_READY, Direction.FAILBACK), of(2, Word.NO_ADDRESS, Direction.FAILBACK)],
        "both",
        (
            "1 of 1 virtual machine would come up with its failover address. "
            "Failback: 1 of 1 would not; 1 more has no failover address"
        ),
    ),
    "both directions, on one condition": (
        [
            of(1, Word.READY_IF, condition=ALONE),
            of(2, Word.READY),
            of(3, Word.NOT_OURS),
            *several({Word.READY: 1, Word.UNKNOWN: 1200}, Direction.FAILBACK),
            of(1, Word.READY_IF, Direction.FAILBACK, condition=ALONE),
            of(3, Word.NOT_OURS, Direction.FAILBACK),
        ],
        "both",
        (
            f"1 of 2 virtual machines would come up with their failover address; 1 only if {ALONE}. "
            "1 is replicated by another provider than Hyper-V Replica. "
            "Failback: 1 of 1,202 would; 1 only on that condition; 1,200 are unknown"
        ),
    ),
    "another condition on the way back, and another machine of another provider": (
        [
            of(1, Word.READY_IF, condition="a"),
            of(3, Word.NOT_OURS),
            of(1, Word.READY_IF, Direction.FAILBACK, condition="b"),
            of(4, Word.NOT_OURS, Direction.FAILBACK),
        ],
        "both",
        (
            "1 of 1 virtual machine would come up with its failover address only if a. "
            "1 is replicated by another provider than Hyper-V Replica. "
            "Failback: 1 of 1 only if b. "
            "1 is replicated by another provider than Hyper-V Replica"
        ),
    ),
    "nothing is known of the way back": (
        [of(1, Word.READY), *several({Word.UNKNOWN: 2}, Direction.FAILBACK)],
        "both",
        "1 of 1 virtual machine would come up with its failover address. Failback: 2 of 2 are unknown",
    ),
    "nobody has an address before the way back": (
        [of(1, Word.NO_ADDRESS, cause=Cause.BY_DHCP), of(1, Word.READY, Direction.FAILBACK)],
        "both",
        (
            "1 virtual machine has no failover address: 1 uses DHCP. "
            "At a failback, 1 of 1 virtual machine would come up with its failover address"
        ),
    ),
    "one direction": (
        [of(1, Word.READY), of(1, Word.NOT_READY, Direction.FAILBACK)],
        "failover",
        "1 of 1 virtual machine would come up with its failover address",
    ),
    "the other one": (
        [of(1, Word.READY), of(1, Word.NO_ADDRESS, Direction.FAILBACK)],
        "failback",
        "At a failback, 1 virtual machine has no failover address",
    ),
    "none at all": ([], "both", "no replicated virtual machine was seen"),
}


@pytest.mark.parametrize(("readiness", "direction", "sentence"), SENTENCES.values(), ids=SENTENCES)
def test_a_sentence(readiness: Sequence[Readiness], direction: str, sentence: str) -> None:
    assert headline(readiness, [], direction) == sentence


@pytest.mark.parametrize(
    ("unread", "end"),
    [
        (["hv03"], ". hv03 was not read: its machines are not counted"),
        (["hv03", "hv04"], ". hv03, hv04 were not read: their machines are not counted"),
    ],
)
def test_what_was_not_read_is_said(unread: list[str], end: str) -> None:
    assert headline([of(1, Word.READY)], [], "both", unread).endswith(end)


def test_what_may_be_a_hosts_goes_through_the_writers_own_quotes() -> None:
    """A condition may name an adapter, which a host or guest calls as it likes."""
    machines = [of(1, Word.READY_IF, condition="**x** \x1b needs none"), *several({Word.READY: 1})]
    assert headline(machines, [], "both", ["hv03"], lambda text: f"<{text}>") == (
        "1 of 2 virtual machines would come up with their failover address; 1 only if <**x** \\u001b needs none>. "
        "<hv03> was not read: its machines are not counted"
    )
    assert "\x1b" not in headline(machines, [], "both")


# --- numbers ----------------------------------------------------------------------------------------------------------

KINDS = ("ready", "not offered", "no address", "off there", "not known")
kinds = st.lists(st.sampled_from(KINDS), max_size=6)


def sides(number: int, kind: str) -> tuple[object, ...]:
    name = f"app{number:02}"
    nic = adapter(of=name, today=static(f"10.1.0.{number + 10}"))
    offered = {"not offered": False, "not known": Unread("refused")}.get(kind, True)
    power = {"power": vm(role=Role.REPLICA).power} if kind == "off there" else {}
    primary = vm(name, adapters=(nic,), **power)
    settings = () if kind == "no address" else (address(f"10.2.0.{number + 10}", on=nic),)
    return primary, replica(primary, *settings, data_exchange_offered=offered)


def made(of_kinds: Sequence[str]) -> Estate:
    machines = [machine for number, kind in enumerate(of_kinds) for machine in sides(number, kind)]
    return estate(*machines, sites={"hv01": "berlin", "hv02": "frankfurt"})  # type: ignore[arg-type]


def waiver(name: str) -> Waiver:
    entry = {"rule": "*", "machine": f"hv02/{name}", "reason": "r", "owner": "o", "expires": "2027-05-31"}
    return Waiver(place=name, entry=WaiverEntry.model_validate(entry), ends=LATER)


def by_hand(readiness: Sequence[Readiness], decisions: Sequence[Decision], direction: str) -> Counter[str]:
    """Machine by machine, with nothing of the sentence's own code."""
    counts: Counter[str] = Counter()
    for one in readiness:
        if one.direction.value not in {"failover": ("failover",), "failback": ("failback",)}.get(
            direction, ("failover", "failback")
        ):
            continue
        role = Role.PRIMARY if one.direction is Direction.FAILBACK else Role.REPLICA
        findings = [
            decision
            for decision in decisions
            if decision.finding
            and decision.verdict.machine
            and (decision.verdict.machine.guid, decision.verdict.machine.role) == (one.guid, role)
        ]
        counts[f"{one.direction} {one.word}"] += 1
        covered = findings and all(decision.reported.outcome.result is Result.WAIVED for decision in findings)
        if covered and one.word in (Word.NOT_READY, Word.UNKNOWN):
            cover = "waived" if any(decision.waiver for decision in findings) else "known"
            counts[f"{one.direction} {cover}"] += 1
    return counts


def said(sentence: str) -> Counter[str]:
    """The numbers of a sentence, by what it says of them."""
    counts: Counter[str] = Counter()
    direction = "failover"
    for part in re.split(r"\. (?=[A-Z0-9i])|; ", sentence):
        if part.startswith(("At a failback, ", "Failback: ")):
            direction = "failback"
        text = part.removeprefix("At a failback, ").removeprefix("Failback: ").replace(",", "")
        numbers = {
            "ready": re.match(
                r"(\d+) of \d+ (?:would|virtual machines? would come up with \w+ failover address)$", text
            ),
            "not ready": re.match(r"(\d+) (?:of \d+ (?:virtual machines? )?)?would not", text),
            "unknown": re.match(r"it is unknown whether (\d+) virtual", text)
            or re.match(r"(\d+) (?:of \d+ )?(?:is|are) unknown", text),
            "no failover address": re.match(r"(\d+) (?:more|virtual machines?) ha\w+ no failover address", text),
        }
        for word, match in numbers.items():
            counts[f"{direction} {word}"] += int(match[1]) if match else 0
        for cover in ("waived", "known"):
            for number in re.findall(rf"[(,] ?(\d+)(?: of them)? {cover}", text):
                counts[f"{direction} {cover}"] += int(number)
    return +counts


@given(
    kinds,
    st.sets(st.integers(0, 5)),
    st.sampled_from(list(DIRECTIONS_OF_POLICY)),
    st.sampled_from([Scope(), Scope(machines=("app0[0-2]",)), Scope(rules=("server-was-read",)), Scope(sites=("x",))]),
    st.booleans(),
)
def test_its_numbers_equal_a_count_by_hand(
    of_kinds: list[str], waived: set[int], direction: str, scope: Scope, with_baseline: bool
) -> None:
    whole = made(of_kinds)
    servers = {server.name: server for server in whole.servers}
    every = judge(whole)
    chosen = in_scope(readiness_of(whole, every), scope.sides(every, servers))
    verdicts = [verdict for verdict in every if scope.holds(verdict, servers)]
    known = {finding.identity: finding for verdict in every[::2] if (finding := finding_of(verdict))}
    grounds = Grounds(
        policy=Policy(direction=direction),  # type: ignore[arg-type]
        now=NOW,
        waivers=[waiver(f"app{number:02}") for number in waived],
        baseline=Baseline(name="b", digest="", findings=known) if with_baseline else None,
    )
    decisions, _ = decide(verdicts, whole, grounds)
    sentence = headline(chosen, decisions, direction)
    expected = by_hand(chosen, decisions, direction)
    if not any(expected[f"failback {word}"] for word in ("ready", "ready if", "not ready", "unknown")):
        expected = Counter(
            {key: count for key, count in expected.items() if direction == "failback" or "failback" not in key}
        )
    assert said(sentence) == +expected, sentence
    names = {one.name for one in chosen}
    assert len(names) <= len(of_kinds)
    if scope.machines:
        assert names == {f"app{number:02}" for number in range(len(of_kinds)) if number < 3}
    machines = count_machines(chosen, direction)
    assert 0 <= machines.judged <= machines.all <= len(names)


def test_what_was_failed_over_runs_there_already() -> None:
    over = {"role": Role.REPLICA, "power": Power.RUNNING, "failed_over": True}
    sides = (ReplicatedVM(machine=vm("there", **over), partner=Unread("none")),)
    there = [replace(of(number, word), sides=sides) for number, word in ((1, Word.READY), (2, Word.NOT_READY))]
    off = of(3, Word.READY)
    assert headline([*there, off], [], "failover") == (
        "2 of 3 virtual machines would come up with their failover address (1 of them runs on the replica already); "
        "1 would not (1 of them runs on the replica already)"
    )
    back = [replace(of(1, Word.READY, Direction.FAILBACK), sides=sides)]
    assert "already" not in headline(back, [], "failback")


@pytest.mark.parametrize(
    "changes", [{"failed_over": Unread("not read")}, {"failed_over": False}, {"power": Power.OFF, "failed_over": True}]
)
def test_what_may_not_run_there_is_not_said_to(changes: dict[str, object]) -> None:
    machine = vm("app", **{"role": Role.REPLICA, "power": Power.RUNNING, **changes})
    ready = replace(of(1, Word.READY), sides=(ReplicatedVM(machine=machine, partner=Unread("none")),))
    assert "already" not in headline([ready], [], "failover")


def test_a_machine_is_counted_once_whatever_the_sides() -> None:
    whole = made(["ready", "not offered", "no address"])
    readiness = readiness_of(whole, judge(whole))
    counts = count_words(readiness)
    assert sum(counts[Direction.FAILOVER].values()) == 3
    assert counts[Direction.FAILOVER][Word.NO_ADDRESS] == 1
    assert count_machines(readiness, "failover").all == 2


def test_a_rule_that_is_not_selected_still_counts() -> None:
    whole = made(["not offered"])
    every = judge(whole)
    sides_in_scope = Scope(rules=("server-was-read",)).sides(every, {server.name: server for server in whole.servers})
    assert in_scope(readiness_of(whole, every), sides_in_scope) == readiness_of(whole, every)
    narrow = replace(Scope(), machines=("other",))
    assert in_scope(readiness_of(whole, every), narrow.sides(every)) == ()
