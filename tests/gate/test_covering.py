"""Which waivers cover what: by every kind of name, and what is unknown only where one machine is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.gate.covering import Waivers
from compliance.gate.waivers import Waiver, WaiverEntry
from compliance.model import Adapter, Estate, ReplicaAdapter, ReplicatedVM, Role, Server, Unread
from compliance.patterns import Patterns, any_matches, beginning_of, folded
from compliance.rule import Outcome, Result, Severity, Verdict, failed, passed, rule, unknown
from tests.hosts import NOW, guid
from tests.values import vm


@rule("some-rule", severity=Severity.ERROR, title="t", impact="i", resolution="r")
def some_rule(vm: ReplicatedVM) -> Outcome:
    return passed()


def waiver(**changes: object) -> Waiver:
    entry = {"rule": "some-rule", "reason": "r", "owner": "o", "expires": "2026-12-31", **changes}
    place = f"w.yaml:{changes}"
    return Waiver(place=place, entry=WaiverEntry.model_validate(entry), ends=datetime(2027, 1, 1, tzinfo=UTC))


def side(server: str, name: str, own: str = "", role: Role = Role.PRIMARY, cluster: str | None = None) -> ReplicatedVM:
    machine = vm(name, role, server=server, cluster=cluster, guid=own or guid(f"{server} {name}"))
    return ReplicatedVM(machine=machine, partner=Unread("none"))


SERVERS = (
    Server(name="hv01", site="berlin", groups=("finance", "sql")),
    Server(name="hv02", site="frankfurt"),
    Server(name="evil"),
)


def estate(*sides: ReplicatedVM, servers: tuple[Server, ...] = SERVERS) -> Estate:
    return Estate(name="test", time=NOW, servers=servers, replicated=sides)


def verdict(on: ReplicatedVM | ReplicaAdapter | Server, outcome: Outcome, label: str = "") -> Verdict:
    return Verdict(rule=some_rule, estate="test", label=label or str(on), subject=on, outcome=outcome)


def covers(one: Waiver, on: Verdict, *others: ReplicatedVM) -> bool:
    sides = [*others, *([on.vm] if on.vm else [])]
    return Waivers([one], estate(*sides)).covering(on) == [one]


COVERS: list[tuple[dict[str, object], bool]] = [
    ({"machine": "sql01"}, True),
    ({"machine": "SQL*"}, True),
    ({"machine": "hvcl01/sql01"}, True),
    ({"machine": guid("hv01 sql01").lower()}, True),
    ({"machine": ["other", "hvcl01/*"]}, True),
    ({"machine": "hv02/*"}, False),
    ({"server": "hv01", "machine": "sql01"}, True),
    ({"server": "hv02", "machine": "sql01"}, False),
    ({"server": "hvcl*", "machine": "sql01"}, True),
    ({"site": "berlin"}, True),
    ({"site": "hamburg"}, False),
    ({"group": "finance"}, True),
    ({"group": ["web", "fin*"]}, True),
    ({"group": "web"}, False),
    ({"rule": "server-*", "machine": "*"}, False),
    ({"rule": "some-*", "machine": "*"}, True),
    ({"adapter": "*"}, False),
]


@pytest.mark.parametrize(("changes", "expected"), COVERS)
def test_what_a_waiver_covers(changes: dict[str, object], expected: bool) -> None:
    assert covers(waiver(**changes), verdict(side("hv01", "sql01", cluster="hvcl01"), failed("x"))) is expected


ADAPTER = Adapter(guid=guid("nic"), name="Production", mac="00155D0A0B0C")
OF_ADAPTERS: list[tuple[dict[str, object], bool]] = [
    ({"adapter": "Production"}, True),
    ({"adapter": guid("nic").lower()}, True),
    ({"adapter": "eth-0A0B0C"}, True),
    ({"adapter": "eth-*"}, True),
    ({"adapter": "Backup"}, False),
    ({"machine": "sql01", "adapter": "Production"}, True),
    ({"machine": "sql02", "adapter": "Production"}, False),
    ({"machine": "hv01/sql01"}, True),
    ({"machine": "hv01/sql01/eth-0A0B0C"}, False),
]


@pytest.mark.parametrize(("changes", "expected"), OF_ADAPTERS)
def test_a_waiver_for_an_adapter(changes: dict[str, object], expected: bool) -> None:
    of = ReplicaAdapter(vm=side("hv01", "sql01"), guid=ADAPTER.guid, adapter=ADAPTER)
    assert covers(waiver(**changes), verdict(of, failed("x"))) is expected
    if "machine" in changes:
        assert covers(waiver(**changes), verdict(of, unknown("x"))) is expected


def test_a_pattern_for_machines_covers_no_server() -> None:
    assert not covers(waiver(machine="*"), verdict(SERVERS[0], failed("x")))
    assert not covers(waiver(server="*"), verdict(SERVERS[0], unknown("x")))


# --- what is unknown --------------------------------------------------------------------------------------------------

APP = side("hv01", "app01", own=guid("app"))
REPLICA = side("hv02", "app01", own=guid("app"), role=Role.REPLICA)
OTHER = side("hv02", "app01")
NAMESAKE = side("evil", "app01")
AS_LABEL = side("evil", "hv01/app01")
COPY = side("evil", "app01", own=guid("app"))

EXACT: list[tuple[dict[str, object], tuple[ReplicatedVM, ...], bool]] = [
    ({"machine": "hv01/app01"}, (), True),
    ({"machine": "HV01/APP01"}, (REPLICA, OTHER), True),
    ({"machine": "hv01/app*"}, (), False),
    ({"machine": ["hv01/app01", "hv01/app02"]}, (), False),
    ({"rule": "*", "machine": "hv01/app01"}, (), False),
    ({"rule": ["some-rule", "other"], "machine": "hv01/app01"}, (), False),
    ({"server": "hv01"}, (), False),
    ({"server": "hv01", "machine": "app01"}, (OTHER, NAMESAKE), True),
    ({"server": "*", "machine": "app01"}, (OTHER,), False),
    ({"machine": guid("app")}, (REPLICA, OTHER), True),
    ({"machine": guid("app")}, (COPY,), False),
    ({"machine": "app01"}, (), True),
    ({"machine": "app01"}, (REPLICA,), True),
    ({"machine": "app01"}, (OTHER,), False),
    ({"machine": "app01"}, (NAMESAKE,), False),
    ({"machine": "app01"}, (COPY,), False),
    ({"machine": "hv01/app01"}, (AS_LABEL,), False),
]


@pytest.mark.parametrize(("changes", "others", "expected"), EXACT)
def test_what_is_unknown_is_waived_for_one_machine_only(
    changes: dict[str, object], others: tuple[ReplicatedVM, ...], expected: bool
) -> None:
    one = waiver(**changes)
    assert covers(one, verdict(APP, unknown("x")), *others) is expected
    assert covers(one, verdict(APP, failed("x")), *others) or "other" in str(changes)


def test_a_machine_that_is_called_as_anothers_label_is_not_meant() -> None:
    assert not covers(waiver(machine="hv01/app01"), verdict(AS_LABEL, unknown("x")))


def test_a_name_alone_means_no_machine_while_a_server_was_not_read() -> None:
    unread = replace(SERVERS[0], unread=Unread("refused"))
    of = estate(NAMESAKE, servers=(unread, *SERVERS[1:]))
    on = verdict(NAMESAKE, unknown("x"))
    assert Waivers([waiver(machine="app01")], of).covering(on) == []
    assert Waivers([waiver(machine="evil/app01")], of).covering(on)


def test_twins_are_meant_by_their_labels() -> None:
    first, second = side("hv01", "twin", own=guid("a")), side("hv01", "twin", own=guid("b"))
    label = f"hv01/twin~{guid('a')[:8].lower()}"
    on = verdict(first, unknown("x"), label=label)
    of = estate(first, second)
    assert Waivers([waiver(machine=label)], of).covering(on)
    assert not Waivers([waiver(machine="hv01/twin")], of).covering(on)


# --- patterns ---------------------------------------------------------------------------------------------------------

texts = st.text(st.sampled_from("aAb/[]*?!-\u00e9e\u0301"), max_size=6)


@given(st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_compiled_patterns_give_the_same_answers(patterns: list[str], names: list[str]) -> None:
    assert Patterns.of(patterns).match([*map(folded, names)]) is any_matches(patterns, names)


@given(texts, texts)
def test_what_a_pattern_matches_begins_as_it_does(pattern: str, name: str) -> None:
    assert not any_matches([pattern], [name]) or folded(name).startswith(beginning_of(folded(pattern)))


def test_thousands_of_waivers_are_tried_on_few_findings() -> None:
    """Each was tried on each: 28 seconds for 2,000 waivers and 1,000 findings. Counted, since a clock may be busy."""
    tried = 0

    sides = [side(f"hv{number % 40:02}", f"vm{number:05}") for number in range(200)]
    waivers = [waiver(machine=f"hv{number % 40:02}/vm{number:05}{end}") for number in range(400) for end in ("", "*")]
    found = Waivers(waivers, estate(*sides))
    for one in sides:
        verdict_of_one = verdict(one, failed("x"))
        names = found._names(verdict_of_one)
        tried += len(found._candidates("some-rule", names))
        assert len(found.covering(verdict_of_one)) == 2
    assert tried == 2 * len(sides)


@given(st.lists(st.tuples(texts, texts), max_size=4), texts)
def test_sorted_waivers_cover_what_each_alone_covers(pairs: list[tuple[str, str]], name: str) -> None:
    waivers = [waiver(server=server or "x", machine=name_of or "x") for server, name_of in pairs]
    on = verdict(side("hv01", name), failed("x"))
    of = estate(side("hv01", name))
    names = (name, f"hv01/{name}", guid(f"hv01 {name}"))
    expected = [
        one
        for one in waivers
        if any_matches(one.entry.server or (), ["hv01"]) and any_matches(one.entry.machine or (), names)
    ]
    assert Waivers(waivers, of).covering(on) == expected
    assert on.outcome.result is Result.FAILED
