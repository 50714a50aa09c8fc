"""No damage of a snapshot's file turns anything green: by its structure, class by class, row by row, text by text.

A machine of each kind stands in a file. Something of it is damaged or removed; then the file is refused, or no case
that was failed or unknown is gone, passed or not applicable. The exceptions are listed.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.audit import judge_snapshot
from compliance.errors import SnapshotError
from compliance.hyperv.queries import OF_REPLICATION
from compliance.judge.readiness import Direction, Word
from compliance.judge.scope import Scope
from compliance.model import ReplicaAdapter, ReplicatedVM, Unread
from compliance.rule import Result, Verdict
from compliance.rules.evidence.causes import Cause
from compliance.snapshot.read import read_snapshot
from compliance.snapshot.write import lines_of
from tests.builders import snapshot, source
from tests.hosts import WINDOWS, Host, Nic, Vm, linux, replica_of
from tests.profiles import examples

UNKNOWN = Result.UNKNOWN
CLOSED = (Result.FAILED, UNKNOWN)
FOUNDING = "failover-ip-needs-integration-services"
ADDS_ONLY = {query.class_name for query in OF_REPLICATION if query.adds_only}
FAILOVER = "Msvm_FailoverNetworkAdapterSettingData"
SYNTHETIC = "Msvm_SyntheticEthernetPortSettingData"


def nic(address: str, **changes: object) -> Nic:
    network = address.rpartition(".")[0]
    return Nic(addresses=(address,), subnets=("255.255.255.0",), gateways=(f"{network}.1",), **changes)  # type: ignore[arg-type]


UNSET = Nic()
GOOD = Vm(name="good", nics=[nic("10.1.0.11")], items={**WINDOWS, "NetworkAddressIPv4": "10.1.0.11"})
SILENT = Vm(name="silent", nics=[nic("10.1.0.12")], kvp=12, heartbeat=12)
OFF = Vm(name="off", nics=[nic("10.1.0.13")], power=3, uptime=0)
BARE = Vm(name="bare", nics=[UNSET], items={**WINDOWS, "NetworkAddressIPv4": "10.1.0.14"})
CLASH = Vm(name="clash", nics=[nic("10.1.0.15")], items=linux("Ubuntu", "24.04", "10.1.0.15"))
LANDED = Vm(name="landed", nics=[nic("10.1.0.16")], power=3, uptime=0, state=6)
CHAIN = Vm(name="chain", nics=[nic("10.1.0.17"), nic("10.9.0.17", name="Backup")])


def there(vm: Vm, *nics: Nic, **changes: object) -> Vm:
    return replica_of(vm, nics=list(nics), **changes)


FILES = snapshot(
    source(Host(name="HV01", vms=[GOOD, SILENT, OFF, BARE, CLASH, LANDED, CHAIN]), site="berlin"),
    source(
        Host(
            name="HV02",
            vms=[
                there(GOOD, nic("10.2.0.11", connected=False)),
                there(SILENT, nic("10.2.0.12", switch="Gone")),
                there(OFF, nic("10.2.0.13", legacy=True)),
                there(BARE, UNSET),
                there(CLASH, nic("10.1.0.15")),
                there(LANDED, nic("10.2.0.16"), power=2, uptime=10**8, state=6, items=WINDOWS),
                there(CHAIN, nic("10.2.0.17"), Nic(name="Backup"), offered=3),
            ],
        ),
        site="frankfurt",
    ),
)
TREE: list[Any] = [json.loads(line) for line in lines_of(FILES)]


Case = tuple[str, str, str, str]  # rule, server, GUIDs of the machine and of the adapter: damage may hit their names


def case_of(verdict: Verdict) -> Case:
    adapter = verdict.subject.guid if isinstance(verdict.subject, ReplicaAdapter) else ""
    return verdict.rule.key, verdict.server or "", verdict.machine.guid if verdict.machine else "", adapter


def results(lines: list[Any], path: Path) -> dict[Case, Result] | None:
    """What each case comes to, machine by machine and adapter by adapter; None where the file is refused.

    A machine's readiness in each direction is one of them, and passed where it is ready. Where a machine's guest was
    seen nowhere, a missing address of its replica is a question to which no rule has an answer, and is said to be not
    applicable: here it counts as unknown.
    """
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    try:
        taken = read_snapshot(path)
    except SnapshotError:
        return None
    table = judge_snapshot(taken, Scope())
    verdicts = table.verdicts
    found = {case_of(verdict): verdict.outcome.result for verdict in verdicts}
    if UNKNOWN in (result for case, result in found.items() if case[0] == "server-was-read"):
        # What only points to a server is open there, which may be the one of a machine's other side.
        found |= {case_of(one): UNKNOWN for one in verdicts if one.outcome.cause == Cause.SERVER_FAULT}
    for one in table.readiness:
        found[one.direction, "", one.guid, ""] = Result.PASSED if one.word is Word.READY else UNKNOWN
    for verdict in verdicts:
        vm = getattr(verdict.subject, "vm", verdict.subject)
        is_unseen = isinstance(vm, ReplicatedVM) and isinstance(vm.partner, Unread)
        if is_unseen and verdict.rule.key == "replica-has-failover-address":
            found[case_of(verdict)] = UNKNOWN
    return found


# --- what is damaged --------------------------------------------------------------------------------------------------

GARBAGE: list[Any] = [None, "", "x", "\u202e\ud800", [], [None], "9" * 30, "-1"]
GONE = object()


@dataclass(frozen=True)
class Damage:
    """``keys`` lead to a value of the tree, that is replaced, or removed where ``value`` is GONE."""

    keys: tuple[str | int, ...]
    value: Any

    def __str__(self) -> str:
        return f"{'/'.join(map(str, self.keys))} = {'gone' if self.value is GONE else repr(self.value)}"

    @property
    def class_name(self) -> str:
        return next((str(key) for key in self.keys if str(key).startswith(("Msvm_", "Win32_"))), "")

    @property
    def is_excused(self) -> bool:
        """A failover row that is gone altogether can't be told from one that never was, nor can an adapter's own row
        where no address is set on it. An array that is empty does not come,
        so neither can an address that is gone. Classes that only add take with them what
        they added, as test_silence holds."""
        if self.keys[-1] == "DefaultGateways" or (self.class_name == FAILOVER and self.keys[-1] == "IPAddresses"):
            return True
        is_row = self.value is GONE and isinstance(self.keys[-1], int)
        return self.class_name in ADDS_ONLY or (self.class_name in (FAILOVER, SYNTHETIC) and is_row)


def damaged(lines: list[Any], damage: Damage) -> list[Any]:
    tree = copy.deepcopy(lines)
    place = tree
    for key in damage.keys[:-1]:
        place = place[key]
    if damage.value is GONE:
        del place[damage.keys[-1]]  # type: ignore[arg-type]
    else:
        place[damage.keys[-1]] = damage.value  # type: ignore[call-overload]
    return tree


@cache
def every_damage() -> tuple[Damage, ...]:
    found: list[Damage] = []
    for number, line in enumerate(TREE[1:], start=1):
        for part in ("classes", "again"):
            for name, answer in line["read"][part].items():
                keys = (number, "read", part, name)
                found += [Damage(keys, GONE), Damage(keys, {"unread": {"reason": "refused", "why": "busy"}})]
                found.append(Damage(keys, {"rows": []}))
                for at, row in enumerate(answer["rows"]):
                    found.append(Damage((*keys, "rows", at), GONE))
                    found += [Damage((*keys, "rows", at, key), value) for key in row for value in (GONE, *GARBAGE)]
        found += [Damage((number, "read", key), GONE) for key in line["read"]]
        found += [Damage((number, key), GONE) for key in line]
    return tuple(found)


GONE_IS = dict.fromkeys(Direction, UNKNOWN)
"""A machine whose readiness is gone is not ready; a case that is gone is a case too few."""


def above(case: Case) -> Iterator[Case]:
    """Where a doubt stands that a case only points to: at its machine, under this rule or the founding one, which
    stands before all others; or at its server."""
    rule, server, machine, _ = case
    yield from ((rule, server, machine, ""), (FOUNDING, server, machine, ""), ("server-was-read", server, "", ""))


def greener(before: dict[Case, Result], after: dict[Case, Result]) -> list[str]:
    """Cases that were failed or unknown and are no more, and whose server is not in doubt either."""
    return [
        f"{case}: {was} -> {after.get(case, 'gone')}"
        for case, was in before.items()
        if was in CLOSED
        and after.get(case, GONE_IS.get(case[0])) not in CLOSED
        and not any(after.get(one) is UNKNOWN for one in above(case))
        if after.get(("failover-ip-is-valid", *case[1:])) is not Result.FAILED  # what is no address equals none
    ]


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[Case, Result]:
    found = results(TREE, tmp_path_factory.mktemp("before") / "s.jsonl")
    assert found is not None
    assert {Result.PASSED, Result.FAILED, Result.NOT_APPLICABLE} <= set(found.values())
    return found


@pytest.mark.slow
@settings(max_examples=examples(10_000, quick=200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(0, 10**6), min_size=1, max_size=3))
def test_no_damage_turns_anything_green(numbers: list[int], before: dict[Case, Result], tmp_path: Path) -> None:
    chosen = [every_damage()[number % len(every_damage())] for number in numbers]
    lines = TREE
    for damage in chosen:
        try:
            lines = damaged(lines, damage)
        except (KeyError, IndexError, TypeError):  # what the one before has taken away
            continue
    after = results(lines, tmp_path / "s.jsonl")
    if after is None or any(damage.is_excused for damage in chosen):
        return
    assert greener(before, after) == [], [str(damage) for damage in chosen]
