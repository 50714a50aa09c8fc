"""No silence turns green: each query in turn comes back empty, refused, or with identifiers that join nothing.

The demo's servers are played with each of these, all of them at once, and every case is compared with what it said
before. A case may become a question; it may never become an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from compliance.audit import judged
from compliance.hyperv.queries import QUERIES
from compliance.judge.scope import Scope
from compliance.rule import Result
from compliance.snapshot.snapshot import Snapshot
from tests.demo import SERVERS, gather_from, simulator
from tests.simulator import Fault, Simulator

CLOSED = (Result.FAILED, Result.UNKNOWN)
WAYS = {"empty": Fault.EMPTY, "refused": Fault.REFUSED, "ids in another form": Fault.SCRAMBLED_IDS}

MOVED_TO_UNKNOWN = {
    # how many of the demo's passed cases become a question, whichever way the class is silent
    "Msvm_ComputerSystem": 42,
    "Msvm_VirtualSystemSettingData": 36,
    "Msvm_FailoverNetworkAdapterSettingData": 36,
    "Msvm_KvpExchangeComponentSettingData": 36,
    "Msvm_KvpExchangeComponent": 36,
    "Msvm_ReplicationRelationship": 36,
    "Msvm_SyntheticEthernetPortSettingData": 0,
    "Msvm_EmulatedEthernetPortSettingData": 0,
    "Msvm_HeartbeatComponent": 0,
    "Msvm_ReplicationSettingData": 18,  # those that rest on their partner's evidence
    "Msvm_ReplicationServiceSettingData": 0,
    "Msvm_EthernetPortAllocationSettingData": 0,
}

IN_ANOTHER_FORM = {"Msvm_VirtualSystemSettingData": 41}
"""Rows of machines that a server does not list put the server itself in doubt, too."""


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Simulator]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(simulator(name, host)) for name, _, host in SERVERS}


def results(snapshot: Snapshot) -> dict[str, Result]:
    return {verdict.id: verdict.outcome.result for verdict in judged(snapshot, Scope()).verdicts}


@pytest.fixture(scope="module")
def before(servers: dict[str, Simulator]) -> dict[str, Result]:
    return results(gather_from(servers))


def stands_in_for(case: str) -> str:
    """The case of the whole server, which stands in for its machines' where the server could not be read."""
    return case.partition("/")[0] + "]"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("class_name", [query.class_name for query in QUERIES])
def test_no_silence_turns_green(
    class_name: str, way: str, servers: dict[str, Simulator], before: dict[str, Result]
) -> None:
    for one in servers.values():
        one.faults = {class_name: WAYS[way]}
    try:
        after = results(gather_from(servers))
    finally:
        for one in servers.values():
            one.faults = {}
    now = {case: after.get(case, after.get(stands_in_for(case))) for case in before}
    assert None not in now.values(), "a case is gone, and nothing stands in for it"
    greener = [case for case, was in before.items() if was in CLOSED and now[case] not in CLOSED]
    assert greener == []
    moved = Counter(now[case] for case, was in before.items() if was is Result.PASSED and now[case] is not was)
    expected = MOVED_TO_UNKNOWN | (IN_ANOTHER_FORM if way == "ids in another form" else {})
    assert moved == ({Result.UNKNOWN: expected[class_name]} if expected[class_name] else {})
