"""No silence turns green: each query in turn comes back empty, refused, or with identifiers that join nothing.

The demo's servers are played with each of these, all of them at once, and every case is compared with what it said
before. A case may become a question; it may never become an answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from compliance.audit import judge_snapshot
from compliance.hyperv.queries import OF_REPLICATION, QUERIES
from compliance.judge.readiness import Direction, Word
from compliance.judge.scope import Scope
from compliance.rule import Result
from compliance.snapshot.snapshot import Snapshot
from tests.lab import SERVERS, gather_from, simulator
from tests.simulator import Fault, Simulator

CLOSED = (Result.FAILED, Result.UNKNOWN)
WORST_FIRST = (Result.FAILED, Result.UNKNOWN, Result.NOT_APPLICABLE, Result.PASSED)
ANSWERS = (Result.FAILED, Result.NOT_APPLICABLE)
WITHOUT_ADDRESS = "::replica-adapter-without-address-is-connected["
"""What is only a word, and nothing where it is not known."""
NOT_LISTED = ["Msvm_EmulatedEthernetPortSettingData"]
"""An adapter that is not shown any more is one that nobody lists: the founding rule fails, and others say nothing."""
WAYS = {"empty": Fault.EMPTY, "refused": Fault.REFUSED, "ids in another form": Fault.SCRAMBLED_IDS}

ADDS_ONLY = [query.class_name for query in OF_REPLICATION if query.adds_only]
MOVES_PASSES = [
    "Msvm_ComputerSystem",
    "Msvm_VirtualSystemSettingData",
    "Msvm_FailoverNetworkAdapterSettingData",
    "Msvm_KvpExchangeComponentSettingData",
    "Msvm_KvpExchangeComponent",
    "Msvm_ReplicationRelationship",
    "Msvm_ReplicationSettingData",
    "Msvm_SyntheticEthernetPortSettingData",
]
"""Classes by whose silence some passed case becomes a question, whichever way they are silent."""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Simulator]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(simulator(name, host)) for name, _, host in SERVERS}


Words = dict[tuple[str, Direction], Word]  # a virtual machine's, by its GUID and direction


def results(snapshot: Snapshot) -> tuple[dict[str, Result], Words]:
    table = judge_snapshot(snapshot, Scope())
    words = {(machine.guid, machine.direction): machine.word for machine in table.readiness}
    return {verdict.id: verdict.outcome.result for verdict in table.verdicts}, words


@pytest.fixture(scope="module")
def whole(servers: dict[str, Simulator]) -> tuple[dict[str, Result], Words]:
    return results(gather_from(servers))


def result_for(case: str, after: dict[str, Result]) -> Result | None:
    """Return the result of a case, or the worst of those that stand in for it: of the same machine or its adapters,
    where it is known in another part; of the whole server, where that could not be read."""
    machine = case.rstrip("]").partition("/eth-")[0]
    of_machine = [result for name, result in after.items() if name.startswith((f"{machine}]", f"{machine}/eth-"))]
    ordered = [after[case]] if case in after else sorted(of_machine, key=WORST_FIRST.index)
    return ordered[0] if ordered else after.get(case.partition("/")[0] + "]")


def of_its_server(case: str) -> str:
    """Return the case on the server itself, where the doubt stands that its machines only point to."""
    return re.sub(r"::[^[]+\[([^/\]]+).*", r"::server-was-read[\1]", case)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("class_name", [query.class_name for query in (*QUERIES, *OF_REPLICATION)])
def test_no_silence_turns_green(
    class_name: str, way: str, servers: dict[str, Simulator], whole: tuple[dict[str, Result], Words]
) -> None:
    before, words = whole
    for one in servers.values():
        one.faults = {class_name: WAYS[way]}
    try:
        after, words_after = results(gather_from(servers))
    finally:
        for one in servers.values():
            one.faults = {}
    now = {case: result_for(case, after) for case in before}
    gone = [case for case, result in now.items() if result is None]
    assert gone == [], "nothing stands in for them"
    for case, result in now.items():
        if result is Result.NOT_APPLICABLE and after.get(of_its_server(case)) is Result.UNKNOWN:
            now[case] = Result.UNKNOWN  # it points to its server
    greener = [case for case, was in before.items() if was in CLOSED and now[case] not in CLOSED]
    moved = {case: now[case] for case, was in before.items() if now[case] is not was}
    if class_name in ADDS_ONLY:
        assert [case for case in moved if before[case] is not Result.FAILED] == []
        return
    assert greener == []
    ready = [machine for machine, word in words_after.items() if word is Word.READY and words.get(machine) is not word]
    assert ready == []
    passed = Counter(result for case, result in moved.items() if before[case] is Result.PASSED)
    answered = [case for case, result in moved.items() if before[case] is Result.PASSED and result in ANSWERS]
    assert [case for case in answered if WITHOUT_ADDRESS not in case and class_name not in NOT_LISTED] == []
    assert passed.keys() <= {Result.UNKNOWN, Result.NOT_APPLICABLE}
    assert passed or class_name not in MOVES_PASSES
