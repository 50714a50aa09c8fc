"""A row that has lost what ties it to a machine may be any machine's: class by class, nothing becomes greener by it.

Rows that are untied by design (templates, pools, settings of checkpoints) are told apart by their form, and stand in
these estates as well.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compliance.hyperv.queries import OF_REPLICATION, QUERIES, REPLICA_SERVER
from compliance.rule import Result
from compliance.snapshot.write import lines_of
from tests.builders import snapshot, source
from tests.hosts import WINDOWS, Host, Nic, Vm, linux
from tests.snapshot.test_fuzz import GONE, TREE, Case, Damage, damaged, greener, nic, results, there

CHAIN = (("hv01.dr.example", "hv02.dr.example"), ("hv02.dr.example", "hv03.dr.example"))


def primary(name: str, address: str, *more: Nic, **changes: object) -> Vm:
    values = {"items": {**WINDOWS, "NetworkAddressIPv4": address}, **changes}
    return Vm(name=name, nics=[Nic(today=(address,)), *more], **values)  # type: ignore[arg-type]


EXTENDED = primary("extended", "10.1.0.30")
TWO = primary("two", "10.1.0.31", Nic(name="B", today=("10.9.0.31",)), checkpoints=1)
LEFT = primary("left", "10.1.0.32", power=3, uptime=0, state=6)
TRIED = primary("tried", "10.1.0.33")
TWICE = primary("twice", "10.1.0.34")
UBUNTU = primary("ubuntu", "10.1.0.36", items=linux("Ubuntu", "22.04", "10.1.0.36"))
OFF = primary("off", "10.1.0.37", power=3, uptime=0)
TEST = Vm(
    name="tried - Test",
    mode=3,
    state=0,
    relationships={},
    hosts=(),
    test_of=TRIED.id,
    nics=[nic("10.2.0.33", today=("10.1.0.33",))],
    items={**WINDOWS, "NetworkAddressIPv4": "10.1.0.33"},
)
ARRIVED = {"power": 2, "uptime": 10**8}
CHAINED = snapshot(
    source(Host(name="HV01", vms=[EXTENDED, TWO, LEFT, TRIED, TWICE, UBUNTU, OFF]), site="berlin"),
    source(
        Host(
            name="HV02",
            vms=[
                there(EXTENDED, nic("10.2.0.30"), hosts=CHAIN, relationships={0: 3, 1: 3}),
                there(TWO, nic("10.2.0.31"), Nic(name="B")),
                there(LEFT, nic("10.2.0.32", today=("10.1.0.32",)), **ARRIVED, state=6, items=LEFT.items),
                there(TRIED, nic("10.2.0.33")),
                TEST,
                there(TWICE, nic("10.2.0.34"), **ARRIVED, items=TWICE.items),
                there(UBUNTU, nic("10.2.0.36")),
                there(OFF, nic("10.2.0.37")),
            ],
        ),
        site="frankfurt",
    ),
    source(
        Host(name="HV03", vms=[there(EXTENDED, nic("10.3.0.30", connected=False), mode=4, hosts=CHAIN[1:])]),
        site="paris",
    ),
)
"""A chain, an address on one of two adapters, failovers that went wrong, a test, and a machine that runs twice."""

TREES: dict[str, list[Any]] = {"of all kinds": TREE, "in chains": [json.loads(line) for line in lines_of(CHAINED)]}
CLASSES = [query for query in (*QUERIES, *OF_REPLICATION) if not query.adds_only and query.class_name != REPLICA_SERVER]
TIES = ("InstanceID", "SystemName", "Name", "VirtualSystemIdentifier")


@pytest.fixture(scope="module", params=TREES)
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[Case, Result]]:
    found = results(TREES[request.param], tmp_path_factory.mktemp("whole") / "s.jsonl")
    assert found is not None
    return request.param, found


@pytest.mark.slow
@pytest.mark.parametrize("class_name", [query.class_name for query in CLASSES])
def test_a_row_without_what_ties_it(class_name: str, whole: tuple[str, dict[Case, Result]], tmp_path: Path) -> None:
    name, before = whole
    tree = TREES[name]
    tried = 0
    for number, line in enumerate(tree[1:], start=1):
        for at, row in enumerate(line["read"]["classes"].get(class_name, {"rows": []})["rows"]):
            for tie in (key for key in TIES if key in row):
                after = results(
                    damaged(tree, Damage((number, "read", "classes", class_name, "rows", at, tie), GONE)),
                    tmp_path / "s.jsonl",
                )
                tried += 1
                assert after is None or greener(before, after) == [], f"{class_name} {row}"
    assert tried or class_name == "Msvm_EmulatedEthernetPortSettingData"
